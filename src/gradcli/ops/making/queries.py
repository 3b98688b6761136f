"""Functions that tell facts about tensors, types and shapes, and settings of types."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.strided import storage_offset_of
from gradcli.ops.making.construction import TensorType
from gradcli.table.declare import attribute, composite, free
from gradcli.table.samples import Sampler
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes, tensor
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import Layout, strided
from gradcli.tensor.limits import FloatInfo, IntInfo
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor, raw
from gradcli.typing import Operand

_MOST: Final = (1 << 63) - 1


@composite("finfo", samples=lambda r: [()])
def default_finfo() -> FloatInfo:
    """The range and precision of the default type."""
    return FloatInfo(dtypes.default.dtype)


@composite("finfo", samples=lambda r: [(dtypes.float16,), (dtypes.float64,), (dtypes.complex64,)])
def finfo(type: DType) -> FloatInfo:
    """The range and precision of a floating type."""
    return FloatInfo(type)


@composite("iinfo", samples=lambda r: [(dtypes.int8,), (dtypes.uint8,), (dtypes.int64,)])
def iinfo(type: DType) -> IntInfo:
    """The range of an integer type."""
    return IntInfo(type)


@composite(
    "promote_types",
    samples=lambda r: [
        (dtypes.int8, dtypes.uint8),
        (dtypes.int64, dtypes.float16),
        (dtypes.float64, dtypes.complex64),
        (dtypes.bool_, dtypes.bool_),
    ],
)
def promote_types(type1: DType, type2: DType) -> DType:
    """The type that two types become."""
    return dtypes.promote_types(type1, type2)


@composite(
    "can_cast",
    samples=lambda r: [
        (dtypes.float64, dtypes.int64),
        (dtypes.int64, dtypes.float16),
        (dtypes.complex64, dtypes.float64),
        (dtypes.int8, dtypes.uint8),
        (dtypes.int64, dtypes.bool_),
    ],
)
def can_cast(from_: DType, to: DType) -> bool:
    """Whether one type may be written into another."""
    return dtypes.can_cast(from_, to)


@composite(
    "result_type",
    samples=lambda r: [
        (r.ints(2, high=3), 2.5),
        (r(2), r.ints(2, high=3)),
        (r(2), 1j),
        (r.ints(2, high=3), np.array(1.5)),
        (2, True),
    ],
)
def result_type(tensor: Operand, other: Operand) -> DType:
    """The type that an operator gives two tensors or numbers."""
    return dtypes.result_type([raw(tensor), raw(other)])


@composite("get_default_dtype", samples=lambda r: [()])
def get_default_dtype() -> DType:
    """The type that Python's floats become."""
    return dtypes.get_default_dtype()


@composite("set_default_dtype", untested="what it changes is the whole process's")
def set_default_dtype(d: Any) -> None:
    """Changes the type that Python's floats become."""
    if not isinstance(d, DType):
        raise TypeError(
            "invalid dtype object: only floating-point types are supported as the default type"
        )
    dtypes.set_default_dtype(d)


@composite("set_default_tensor_type", untested="what it changes is the whole process's")
def set_default_tensor_type(t: Any) -> None:
    """Changes the type that torch.Tensor and floats have."""
    if isinstance(t, TensorType):
        dtypes.set_default_dtype(t.dtype)
        return
    for known in dtypes.ALL:
        if t == "torch." + known.tensor_name:
            dtypes.set_default_dtype(known)
            return
    raise TypeError(
        "invalid type object: only floating-point types are supported as the default type"
    )


def _samples_of_types(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(2),), (r.ints(2, high=3),), (r.complex(2),), (np.zeros(2, np.uint8),), (r.mask(2),)]


@composite("is_tensor", samples=lambda r: [(r(2),), (3.0,), ([1, 2],)])
def is_tensor(obj: Any) -> bool:
    """Whether a value is a tensor."""
    return isinstance(obj, Tensor)


@composite("is_floating_point", samples=_samples_of_types)
def is_floating_point(input: Tensor) -> bool:
    """Whether elements are floating."""
    return input.is_floating_point()


@composite("is_complex", samples=_samples_of_types)
def is_complex(input: Tensor) -> bool:
    """Whether elements are complex."""
    return input.is_complex()


@composite(
    "is_nonzero",
    samples=lambda r: [(r(),), (np.zeros((1, 1)),), (np.array([True]),), (np.array(2j),)],
)
def is_nonzero(self: Tensor) -> bool:
    """Whether the only element is not zero."""
    return bool(self)


@composite("numel", samples=lambda r: [(r(2, 3),), (r(),), (r(2, 0),)])
def numel(input: Tensor) -> int:
    """How many elements there are."""
    return input.numel()


@composite(
    "is_same_size",
    samples=lambda r: [(r(2, 3), r(2, 3)), (r(2, 3), r(3)), (r(2), r.ints(2, high=3))],
)
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape."""
    return self.shape == other.shape


@composite("is_signed", samples=_samples_of_types)
def is_signed(self: Tensor) -> bool:
    """Whether elements can be negative."""
    return self.dtype.is_signed


@composite("is_inference", samples=lambda r: [(r(2),), (r.ints(2, high=3),)])
def is_inference(self: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    return tensor.is_inference(self)


@composite("Tensor.ndimension", samples=lambda r: [(r(2, 3),), (r(),)])
def ndimension(self: Tensor) -> int:
    """How many dimensions there are."""
    return self.ndim


@composite("Tensor.storage_offset", samples=lambda r: [(r(2, 3),), (r(),)])
def storage_offset(self: Tensor) -> int:
    """The place of the first element in memory."""
    return storage_offset_of(self._array)


@composite("Tensor.data_ptr", untested="an address is different in every run")
def data_ptr(self: Tensor) -> int:
    """The address of the first element."""
    return int(self._array.__array_interface__["data"][0])


@composite("Tensor.dim_order", samples=lambda r: [(r(2, 3, 4),), (r(),)])
def dim_order(self: Tensor) -> tuple[int, ...]:
    """The dimensions from the outermost in memory on."""
    strides = self.stride()
    return tuple(sorted(range(self.ndim), key=lambda dim: -strides[dim]))


@composite("Tensor.get_device", samples=lambda r: [(r(2, 3),)])
def get_device(self: Tensor) -> int:
    """-1: tensors live on the CPU."""
    return -1


@composite("Tensor.is_pinned", samples=lambda r: [(r(2, 3),)])
def is_pinned(self: Tensor) -> bool:
    """False: memory is never pinned."""
    return False


@attribute("Tensor.layout", samples=lambda r: [(r(2, 3),)])
def layout(self: Tensor) -> Layout:
    """torch.strided."""
    return strided


def _flag(name: str, value: bool, doc: str) -> None:
    attribute(f"Tensor.{name}(Tensor self)", samples=lambda r: [(r(2, 3),)], doc=doc)(
        lambda self: value
    )


_flag("is_cpu", True, "True: tensors live on the CPU.")
_flag("is_meta", False, "False: tensors have data.")
_flag("is_quantized", False, "False: no tensor is quantized.")


@free(
    "broadcast_shapes(any shapes)",
    samples=lambda r: [((2, 1), (3,)), (4, (2, 4)), ((5, 1, 3), (2, 1), ()), ()],
    doc="The shape that tensors of these shapes broadcast to.",
)
def broadcast_shapes(*shapes: Any) -> Size:
    listed = [(each,) if isinstance(each, int) else each for each in shapes if each is not None]
    for shape in listed:
        if not isinstance(shape, (list, tuple, range, str)):
            raise RuntimeError(
                "Input shapes should be of type ints, a tuple of ints, or a list of ints, got "
                f"{shape}"
            )
    result = [1] * max((len(shape) for shape in listed), default=0)
    for number, shape in enumerate(listed):
        for place in range(-1, -1 - len(shape), -1):
            if shape[place] == 1 or shape[place] == result[place]:
                continue
            if result[place] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[place]} at {place}! "
                    f"Mismatching argument at index {number} had {shape}; but expected shape "
                    f"should be broadcastable to {result}"
                )
            if not isinstance(shape[place], (int, float)):
                raise TypeError(
                    f"'<' not supported between instances of '{type_name(shape[place])}' and 'int'"
                )
            if shape[place] < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            result[place] = shape[place]
    for place, length in enumerate(result):
        if not isinstance(length, int):
            word = type_name(length)
            raise TypeError(f"torch.Size() takes an iterable of 'int' (item {place} is '{word}')")
        if length > _MOST:
            raise ValueError("Overflow when unpacking long long")
    return Size(result)

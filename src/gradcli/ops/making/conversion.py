"""Conversion of tensors: to other element types, to leaves, to NumPy."""

from __future__ import annotations

from typing import Any

from gradcli.ops.algebra.creation import check_device, to_row
from gradcli.ops.making.construction import TensorType
from gradcli.table.declare import composite
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import MemoryFormat, channels_last, preserve_format
from gradcli.tensor.tensor import Tensor, share

_TO_COPY = "bool non_blocking=False, bool copy=False, *, any memory_format=None"


def _converted(
    self: Tensor, dtype: DType | None, copy: bool, memory_format: MemoryFormat | None
) -> Any:
    """The tensor in a type and format; itself where nothing changes and no copy is asked for."""
    target = dtype or self.dtype
    if memory_format is not None and memory_format is not preserve_format:
        order = memory_format.order
        array = self._array.transpose(order) if order else self._array
        copy = copy or not array.flags.c_contiguous
    if not copy and target is self.dtype:
        return self
    return to_row(self, target) if memory_format is None else to_row(self, target, memory_format)


@composite(
    f"Tensor.to(Tensor self, dtype dtype, {_TO_COPY})",
    samples=lambda r: [(r(2, 3), dtypes.float64, False, True)],
    doc="The tensor in another element type.",
)
def to(
    self: Tensor,
    dtype: DType,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: MemoryFormat | None = None,
) -> Any:
    return _converted(self, dtype, copy, memory_format)


@composite(
    f"Tensor.to(Tensor self, Tensor tensor, {_TO_COPY})",
    samples=lambda r: [
        (r(2, 3), r(2)),
        (r(2), r.ints(2, high=3)),
        (r.ints(2, high=3), r(1)),
        (r(2), r.complex(1)),
        (r(2), r(1), False, True),
    ],
    doc="The tensor in the element type of another.",
)
def to_other(
    self: Tensor,
    tensor: Tensor,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: MemoryFormat | None = None,
) -> Any:
    return _converted(self, tensor.dtype, copy, memory_format)


@composite(
    f"Tensor.to(Tensor self, device? device=None, dtype? dtype=None, {_TO_COPY})",
    samples=lambda r: [
        (r(2, 3), "cpu"),
        (r(2), "cpu", dtypes.int64),
        (r(2), "cpu", dtypes.complex128, False, True),
        (r(1, 2, 2, 2), {"memory_format": channels_last}),
    ],
    doc="The tensor on a device, which is always the CPU, and in an element type.",
)
def to_device(
    self: Tensor,
    device: Any = None,
    dtype: DType | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: MemoryFormat | None = None,
) -> Any:
    check_device(device)
    return _converted(self, dtype, copy, memory_format)


def _named(name: str, dtype: DType) -> None:
    @composite(
        f"Tensor.{name}(Tensor self, *, any memory_format=None)",
        samples=lambda r: [
            (r(2, 3),),
            (r.ints(3, low=-300, high=300),),
            (r.mask(2),),
            (r(1, 2, 2, 2), {"memory_format": channels_last}),
        ],
        doc=f"The tensor as {dtype.name}.",
    )
    def converted(self: Tensor, memory_format: MemoryFormat | None = None) -> Any:
        return _converted(self, dtype, False, memory_format)


for _name in ["float", "double", "half", "int", "long", "short", "bool", "cfloat", "cdouble"]:
    _named(_name, dtypes.DTYPES[_name])
_named("char", dtypes.int8)
_named("byte", dtypes.uint8)


@composite(
    "Tensor.type(Tensor self, any dtype=None, bool non_blocking=False)",
    samples=lambda r: [
        (r(2),),
        (r.mask(2),),
        (r.ints(2, high=3), "torch.DoubleTensor"),
        (r(2), dtypes.complex128),
        (r(2), dtypes.int64),
    ],
    doc="The name of the tensor's type, such as torch.FloatTensor; or the tensor in another type.",
)
def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    if dtype is None:
        return "torch." + self.dtype.tensor_name
    if isinstance(dtype, (TensorType, DType)):
        target = dtype if isinstance(dtype, DType) else dtype.dtype
        return _converted(self, target, False, None)
    if isinstance(dtype, (str, type)):
        name = dtype if isinstance(dtype, str) else dtype.__name__
        for known in dtypes.ALL:
            if name == "torch." + known.tensor_name:
                return _converted(self, known, False, None)
        raise ValueError(f"invalid type: '{name}'")
    raise TypeError("dtype must be a type, str, or dtype object")


@composite(
    "Tensor.type_as(Tensor self, Tensor other)",
    samples=lambda r: [
        (r(2, 3), r(2)),
        (r(2), r.ints(2, high=3)),
        (r.ints(2, high=3), r(1)),
        (r(2), r.complex(1)),
    ],
    doc="The tensor in the element type of another.",
)
def type_as(self: Tensor, other: Tensor) -> Any:
    return _converted(self, other.dtype, False, None)


@composite(
    "Tensor.cpu(Tensor self, *, any memory_format=None)",
    samples=lambda r: [(r(2, 3),), (r(1, 2, 2, 2), {"memory_format": channels_last})],
    doc="The tensor itself.",
)
def cpu(self: Tensor, memory_format: MemoryFormat | None = None) -> Any:
    return _converted(self, None, False, memory_format)


@composite(
    "Tensor.cuda(Tensor self, any device=None)",
    untested="it refuses every call",
    doc="An error: there is no such device.",
)
def cuda(self: Tensor, device: Any = None) -> Any:
    check_device("cuda")


@composite(
    "detach(Tensor self)",
    samples=lambda r: [(r(2, 3),), (r.ints(2, high=3),)],
    doc="The same memory without history.",
)
def detach(self: Tensor) -> Tensor:
    return share(self, self._array, differentiable=False)

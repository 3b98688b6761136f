"""Conversion of tensors: to other element types, to leaves, to NumPy."""

from __future__ import annotations

from typing import Any

from gradcli.ops.algebra.creation import check_device, to_row
from gradcli.ops.making.construction import TensorType
from gradcli.table.declare import composite
from gradcli.tensor import dtypes
from gradcli.tensor.classes import Class
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import (
    Device,
    MemoryFormat,
    channels_last,
    check_rank,
    preserve_format,
)
from gradcli.tensor.tensor import Tensor, detached


def _converted(
    self: Tensor, dtype: DType | None, copy: bool, memory_format: MemoryFormat | None
) -> Any:
    """The tensor in a type and format; itself where nothing changes and no copy is asked for."""
    target = dtype or self.dtype
    if memory_format is not None and memory_format is not preserve_format:
        check_rank(self._array, memory_format)
        order = memory_format.order
        array = self._array.transpose(order) if order else self._array
        copy = copy or not array.flags.c_contiguous
    if not copy and target is self.dtype:
        return self
    return to_row(self, target) if memory_format is None else to_row(self, target, memory_format)


@composite("Tensor.to", samples=lambda r: [(r(2, 3), dtypes.float64, False, True)])
def to(
    self: Tensor,
    dtype: DType,
    non_blocking: bool = False,
    copy: bool = False,
    *,
    memory_format: MemoryFormat | None = None,
) -> Any:
    """The tensor in another element type."""
    return _converted(self, dtype, copy, memory_format)


@composite(
    "Tensor.to",
    samples=lambda r: [
        (r(2, 3), r(2)),
        (r(2), r.ints(2, high=3)),
        (r.ints(2, high=3), r(1)),
        (r(2), r.complex(1)),
        (r(2), r(1), False, True),
    ],
)
def to_other(
    self: Tensor,
    tensor: Tensor,
    non_blocking: bool = False,
    copy: bool = False,
    *,
    memory_format: MemoryFormat | None = None,
) -> Any:
    """The tensor in the element type of another."""
    return _converted(self, tensor.dtype, copy, memory_format)


@composite(
    "Tensor.to",
    samples=lambda r: [
        (r(2, 3), "cpu"),
        (r(2), "cpu", dtypes.int64),
        (r(2), "cpu", dtypes.complex128, False, True),
        (r(1, 2, 2, 2), {"memory_format": channels_last}),
    ],
)
def to_device(
    self: Tensor,
    device: Device | None = None,
    dtype: DType | None = None,
    non_blocking: bool = False,
    copy: bool = False,
    *,
    memory_format: MemoryFormat | None = None,
) -> Any:
    """The tensor on a device, which is always the CPU, and in an element type."""
    check_device(device)
    return _converted(self, dtype, copy, memory_format)


def _named(name: str, dtype: DType) -> None:
    @composite(
        f"Tensor.{name}",
        samples=lambda r: [
            (r(2, 3),),
            (r.ints(3, low=-300, high=300),),
            (r.mask(2),),
            (r(1, 2, 2, 2), {"memory_format": channels_last}),
        ],
        doc=f"The tensor as {dtype.name}.",
    )
    def converted(self: Tensor, *, memory_format: MemoryFormat | None = None) -> Any:
        return _converted(self, dtype, False, memory_format)


for _name in (
    *("float", "double", "half", "bfloat16"),
    *("int", "long", "short", "bool", "cfloat", "cdouble"),
):
    _named(_name, dtypes.DTYPES[_name])
_named("char", dtypes.int8)
_named("byte", dtypes.uint8)


@composite(
    "Tensor.type",
    samples=lambda r: [
        (r(2),),
        (r.mask(2),),
        (r.ints(2, high=3), "torch.DoubleTensor"),
        (r(2), dtypes.complex128),
        (r(2), dtypes.int64),
    ],
)
def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, such as torch.FloatTensor; or the tensor in another type."""
    if dtype is None:
        return "torch." + self.dtype.tensor_name
    if isinstance(dtype, (TensorType, DType)):
        target = dtype if isinstance(dtype, DType) else dtype.dtype
        return _converted(self, target, False, None)
    if isinstance(dtype, (str, type, Class)):
        name = dtype if isinstance(dtype, str) else dtype.__name__
        for known in dtypes.ALL:
            if name == "torch." + known.tensor_name:
                return _converted(self, known, False, None)
        raise ValueError(f"invalid type: '{name}'")
    raise TypeError("dtype must be a type, str, or dtype object")


@composite(
    "Tensor.type_as",
    samples=lambda r: [
        (r(2, 3), r(2)),
        (r(2), r.ints(2, high=3)),
        (r.ints(2, high=3), r(1)),
        (r(2), r.complex(1)),
    ],
)
def type_as(self: Tensor, other: Tensor) -> Any:
    """The tensor in the element type of another."""
    return _converted(self, other.dtype, False, None)


@composite(
    "Tensor.cpu", samples=lambda r: [(r(2, 3),), (r(1, 2, 2, 2), {"memory_format": channels_last})]
)
def cpu(self: Tensor, *, memory_format: MemoryFormat | None = None) -> Any:
    """The tensor itself."""
    return _converted(self, None, False, memory_format)


@composite("Tensor.cuda", untested="it refuses every call")
def cuda(self: Tensor, device: Device | None = None) -> Any:
    """An error: there is no such device."""
    check_device("cuda" if device is None else device)


@composite("detach", samples=lambda r: [(r(2, 3),), (r.ints(2, high=3),)])
def detach(self: Tensor) -> Tensor:
    """The same memory without history."""
    return detached(self)

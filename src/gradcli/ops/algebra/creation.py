"""Operators that make tensors of one value, and conversion between element types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes
from gradcli.tensor.arrays import unwrapped
from gradcli.tensor.dtypes import FLOATS, HALVES, INEXACT, DType
from gradcli.tensor.formats import Device, MemoryFormat, arranged_copy, channels_last
from gradcli.tensor.leaf import batched_of, looked_at
from gradcli.tensor.memory import reserve
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Scalar


def check_device(device: Any) -> None:
    """Refuses devices other than the CPU in PyTorch's words; a number means an accelerator."""
    if device is not None:
        (device if isinstance(device, Device) else Device(device)).check()


def cast(array: Array, dtype: DType) -> Array:
    """A copy in another element type; numbers out of an integer's range wrap around as in C."""
    target = dtype.np
    kind = array.dtype.kind
    if kind == "c" and target.kind not in "cb":
        array, kind = array.real, "f"
    if target.char in HALVES and array.dtype == np.float64:
        array = array.astype(np.float32)  # C++ converts doubles in two steps
    if kind not in FLOATS or target.kind in "bc":
        return array.astype(target)
    with np.errstate(over="ignore", invalid="ignore"):
        if target.kind not in FLOATS and target.itemsize < 4:
            array = array.astype(np.int64 if target.kind == "u" else np.int32)
        return array.astype(target)


to_row: Row = row(
    "aten._to_copy(Tensor self, dtype dtype, memory_format? memory_format=None)",
    lambda self, dtype, memory_format=None: (
        arranged_copy(self, memory_format)
        if self.dtype == dtype.np
        else cast(self if memory_format is None else arranged_copy(self, memory_format), dtype)
    ),
    halves=False,
    linear="self",
    elementwise=True,
    self=lambda grad: grad,
    samples=lambda r: [
        (r(2, 3), dtypes.float64),
        (r(3), dtypes.complex128),
        (r.complex(2), dtypes.float64),
        (np.array([300, -1]), dtypes.uint8),
        (r(1, 2, 2, 2), dtypes.float64, channels_last),
    ],
    node="ToCopyBackward0",
    pytorch="aten._to_copy(self, dtype=dtype, memory_format=memory_format)",
    doc="A copy in another element type.",
)


def to_dtype(self: Any, dtype: DType) -> Any:
    """The tensor in another element type; itself where it has that type already."""
    array = self._array if type(self) is Tensor else np.asarray(self)
    return self if array.dtype == dtype.np else to_row(self, dtype)


def element(value: Any, dtype: DType) -> Any:
    """One element that a program gives, in the wanted type; errors are PyTorch's."""
    value = unwrapped(value)
    if isinstance(value, Tensor):
        if value._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return cast(looked_at(value).reshape(()), dtype)
    if isinstance(value, np.generic):
        value = value.item()
    if dtype.category == dtypes.BOOL:
        return bool(value)
    if not isinstance(value, (int, float, complex)):
        if dtype.category == dtypes.INTEGRAL:
            word = f"'{type_name(value)}' object cannot be interpreted as an integer"
        else:
            word = f"must be real number, not {type_name(value)}"
        raise TypeError(word)
    if isinstance(value, complex) and dtype.category != dtypes.COMPLEX:
        if dtype.category == dtypes.INTEGRAL:
            raise TypeError("'complex' object cannot be interpreted as an integer")
        raise TypeError("must be real number, not complex")
    if dtype.category >= dtypes.FLOATING:
        with np.errstate(over="ignore"):
            return dtype.np.type(value)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("Overflow when unpacking long long")
    return dtypes.convert(value, dtype, word=dtype.name)


def leaf(array: Array, requires_grad: bool | None = False) -> Tensor:
    """A new tensor, which may copy the only element of an array without dimensions."""
    check_leaf(array, requires_grad)
    return wrap(array if array.ndim else array[()], bool(requires_grad))


def check_leaf(array: Array, requires_grad: bool | None) -> None:
    """Only new tensors of floating and complex types can require gradients."""
    if requires_grad and array.dtype.kind not in INEXACT:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")


def checked_size(size: Sequence[int], dtype: DType) -> tuple[int, ...]:
    """The shape of a new tensor.

    Raises:
        RuntimeError: a length is negative, or there is no room for so many elements.
    """
    for length in size:
        if length < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {length}: {list(size)}"
            )
    reserve(size, dtype.np.itemsize)
    return tuple(size)


# Functions that make tensors end in PyTorch's arguments for all of them, `*options`: dtype, layout,
# device, pin_memory, requires_grad.


def requested(options: Sequence[Any]) -> tuple[DType | None, bool]:
    """The dtype and requires_grad among the options; refuses devices other than the CPU."""
    dtype, _, device, _, requires_grad = (*options, *(None,) * 5)[:5]
    check_device(device)
    return dtype, bool(requires_grad)


def with_type(dtype: DType, options: Sequence[Any]) -> Sequence[Any]:
    """The options with a type where they ask for none."""
    return options if options and options[0] is not None else (dtype, *options[1:])


def _filled(
    size: Sequence[int],
    value: complex,
    *options: Any,
) -> Tensor:
    dtype, requires_grad = requested(options)
    kind = dtype or dtypes.default.dtype
    shape = checked_size(size, kind)
    return leaf(np.full(shape, dtypes.convert(value, kind), kind.np), requires_grad)


def _samples_of_size(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        ((2, 3),),
        ((),),
        ((2, 0), {"dtype": dtypes.int32}),
        ((2,), {"dtype": dtypes.complex128, "requires_grad": True}),
    ]


@composite("zeros", samples=_samples_of_size)
def zeros(size: Sequence[int], *options: Any) -> Tensor:
    """Zeros of a shape."""
    if any(length < 0 for length in size):
        raise RuntimeError("zeros: Dimension size must be non-negative.")
    return _filled(size, 0, *options)


@composite("ones", samples=_samples_of_size)
def ones(size: Sequence[int], *options: Any) -> Tensor:
    """Ones of a shape."""
    return _filled(size, 1, *options)


@composite(
    "empty",
    samples=lambda r: [
        ((2, 0),),
        ((0,), {"dtype": dtypes.int64}),
        ((0, 3), {"requires_grad": True}),
    ],
)
def empty(size: Sequence[int], *options: Any, memory_format: MemoryFormat | None = None) -> Tensor:
    """A tensor of a shape whose values nobody promises; here they are zeros."""
    return _filled(size, 0, *options)


@composite(
    "full",
    samples=lambda r: [
        ((2, 3), 2.5),
        ((2,), 3),
        ((), True),
        ((2,), 1 + 2j),
        ((3,), 2, {"dtype": dtypes.float64}),
        ((2,), 2.5, {"requires_grad": True}),
    ],
)
def full(size: Sequence[int], fill_value: Scalar, *options: Any) -> Tensor:
    """One value in a shape; its type is the value's unless given."""
    return _filled(size, fill_value, *with_type(dtypes.of_number(fill_value), options))


@composite(
    "scalar_tensor",
    samples=lambda r: [
        (2.5,),
        (3,),
        (True,),
        (2, {"dtype": dtypes.int8}),
        (2.5, {"requires_grad": True}),
    ],
)
def scalar_tensor(s: Scalar, *options: Any) -> Tensor:
    """A number as a tensor of the default type."""
    return _filled((), s, *options)


def _identity(n: int, m: int, *options: Any) -> Tensor:
    for name, length in (("n", n), ("m", m)):
        if length < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {length}")
    dtype, requires_grad = requested(options)
    kind = dtype or dtypes.default.dtype
    return leaf(np.eye(*checked_size((n, m), kind), dtype=kind.np), requires_grad)


@composite(
    "eye",
    samples=lambda r: [(3,), (0,), (2, {"dtype": dtypes.int64}), (2, {"requires_grad": True})],
)
def eye(n: int, *options: Any) -> Tensor:
    """A square matrix with ones on its diagonal."""
    return _identity(n, n, *options)


@composite("eye", samples=lambda r: [(2, 3), (3, 2), (0, 2), (2, 3, {"dtype": dtypes.bool_})])
def eye_of(n: int, m: int, *options: Any) -> Tensor:
    """A matrix with ones on its diagonal."""
    return _identity(n, m, *options)


def like(
    other: Tensor, value: complex, memory_format: MemoryFormat | None, *options: Any
) -> Tensor:
    """One value in the shape, type and memory order of a tensor, or in another order."""
    dtype, requires_grad = requested(options)
    kind = dtype or other.dtype
    reserve(other._array.shape, kind.np.itemsize)
    made: Array = np.full_like(other._array, dtypes.convert(value, kind), kind.np)
    if memory_format is not None:
        made = arranged_copy(made, memory_format)
    return leaf(made, requires_grad)


def for_each(made: Tensor, other: Tensor) -> Tensor:
    """A new tensor, or one for each sample where `other` is batched: it may be written to."""
    batched = batched_of(other)
    return made if batched is None else batched.owner.repeated(made)


def _constant(word: str, value: complex, doc: str) -> None:
    """Enters `WORD_like` and `x.new_WORD`."""
    # Samples have no elements where nobody promises values.
    lengths, planes = ((0, 2), (1, 2, 0, 2)) if word == "empty" else ((3, 2), (1, 2, 2, 2))

    @composite(
        f"{word}_like",
        samples=lambda r: [
            (r(*lengths),),
            (r.ints(*lengths, high=3),),
            (r(*lengths), {"dtype": dtypes.int64}),
            (r(*lengths), {"requires_grad": True}),
            (r(*planes), {"memory_format": channels_last}),
        ],
        doc=f"{doc} in the shape and type of a tensor.",
    )
    def make_like(self: Tensor, *options: Any, memory_format: MemoryFormat | None = None) -> Tensor:
        return like(self, value, memory_format, *options)

    @composite(
        f"Tensor.new_{word}",
        samples=lambda r: [
            (r(3), lengths),
            (r.ints(3, high=3), lengths),
            (r(3), lengths, {"dtype": dtypes.int64}),
            (r(3), lengths, {"requires_grad": True}),
        ],
        doc=f"{doc} of a shape, in the tensor's type.",
    )
    def make_new(self: Tensor, size: Sequence[int], *options: Any) -> Tensor:
        return for_each(_filled(size, value, *with_type(self.dtype, options)), self)


_constant("zeros", 0, "Zeros")
_constant("ones", 1, "Ones")
_constant("empty", 0, "Values that nobody promises (here zeros)")


@composite(
    "full_like",
    samples=lambda r: [
        (r(2, 3), 2.5),
        (r.ints(3, high=5), 7),
        (r(2), 3, {"dtype": dtypes.int64}),
        (r(1, 2, 2, 2), 1.5, {"memory_format": channels_last}),
        (r(2), 2.5, {"requires_grad": True}),
    ],
)
def full_like(
    self: Tensor,
    fill_value: Scalar,
    *options: Any,
    memory_format: MemoryFormat | None = None,
) -> Tensor:
    """One value in the shape and type of a tensor."""
    return like(self, fill_value, memory_format, *options)


@composite(
    "Tensor.new_full",
    samples=lambda r: [
        (r(2), (2, 3), 2.5),
        (r.ints(2, high=5), (3,), 7),
        (r(2), (), 3, {"dtype": dtypes.int64}),
        (r(2), (2,), 1.5, {"requires_grad": True}),
    ],
)
def new_full(self: Tensor, size: Sequence[int], fill_value: Scalar, *options: Any) -> Tensor:
    """One value in a shape, in the tensor's type."""
    return for_each(_filled(size, fill_value, *with_type(self.dtype, options)), self)

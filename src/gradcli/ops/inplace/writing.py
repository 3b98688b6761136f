"""Operators that exist only in place, or mainly: filling, copying, resizing, detaching."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.complex import conj_physical_row
from gradcli.ops.algebra.creation import cast, checked_size, element
from gradcli.ops.algebra.elementary import float_power, pow_scalar, pow_tensor
from gradcli.ops.algebra.parts import narrow
from gradcli.ops.algebra.strided import as_strided, storage_of, storage_offset_of
from gradcli.ops.algebra.sums import expand, sum_all
from gradcli.ops.inplace.derive import in_place, renamed
from gradcli.ops.inplace.history import (
    bump,
    check_captured,
    check_change,
    rebase,
    set_history,
    stand_in,
)
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.formats import MemoryFormat
from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import batched_of, extras_of
from gradcli.tensor.public import handed_in
from gradcli.tensor.shadow import NO_STORAGE
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, hold, wrap
from gradcli.typing import Array, Operand, Scalar


def _filled(self: Array, value: Scalar) -> Array:
    """A tensor like self, filled with one value."""
    return np.full_like(self, dtypes.convert(value, dtypes.of(self)))


def _filled_from(self: Array, value: Array) -> Array:
    """A tensor like self, filled with the value of another."""
    if value.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value.ndim} dimensions."
        )
    return np.full_like(self, cast(value, dtypes.of(self)))


def _fill_rows(name: str, nodes: tuple[str, str]) -> tuple[Row, Row]:
    by_number: Row = row(
        name,
        _filled,
        halves=False,
        elementwise=True,
        node=nodes[0],
        self=zeros_like,
        samples=lambda r: [(r(2, 3), 2.5)],
    )
    by_tensor: Row = row(
        name,
        _filled_from,
        node=nodes[1],
        linear="value",
        self=zeros_like,
        value=lambda grad: sum_all(grad),
        samples=lambda r: [(r(2, 3), r())],
    )
    return by_number, by_tensor


fill_number, fill_tensor = _fill_rows("fill", ("FillBackward0", "FillBackward1"))
_fill_number_, _fill_tensor_ = _fill_rows("aten.fill_", ("FillBackward2", "FillBackward3"))
_zero: Row = row(
    "aten.zero(Tensor self)",
    np.zeros_like,
    elementwise=True,
    self=zeros_like,
    samples=lambda r: [(r(2, 3),)],
    doc="Zeros like self.",
)


def _copied(self: Array, src: Array) -> Array:
    """The values of src, in the shape and type of self."""
    try:
        wide = np.broadcast_to(src, np.broadcast_shapes(self.shape, src.shape))
    except ValueError:
        common_shape([self.shape, src.shape])
        raise
    return cast(wide, dtypes.of(self)) if wide.dtype != self.dtype else wide.copy()


copy_into: Row = row(
    "aten.copy_into",
    _copied,
    node="torch::autograd::CopyBackwards",
    linear="src",
    elementwise=True,
    self=zeros_like,
    src=lambda grad: grad,
    samples=lambda r: [(r(2, 3), r(3))],
    pytorch="self.clone().copy_(src)",
)


def _same(a: Array, b: Array) -> bool:
    """Whether two arrays are the same view of the same memory."""
    return a is b or bool(
        type(a) is type(b) is np.ndarray
        and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
        and (a.dtype, a.shape, a.strides) == (b.dtype, b.shape, b.strides)
    )


@composite(
    "fill_",
    samples=lambda r: [(r(2, 3), 2.5), (r.ints(2, high=5), 7), (r(2), True), (r.complex(2), 1j)],
)
def fill_(self: Tensor, value: Scalar) -> Tensor:
    """Writes one number to every element."""
    return in_place(_fill_number_, (self, value), coincide=True)


@composite(
    "fill_",
    samples=lambda r: [
        (r(2, 3), r()),
        (r.ints(2, high=5), np.array(7, np.int8)),
        (r(2), np.array(3)),
    ],
)
def fill_from_(self: Tensor, value: Tensor) -> Tensor:
    """Writes one value to every element."""
    return in_place(_fill_tensor_, (self, value), coincide=True)


@composite("conj_physical_", samples=lambda r: [(r(3),), (r.complex(2, 2),), (r.ints(2, high=9),)])
def conj_physical_(self: Tensor) -> Tensor:
    """The complex conjugate in place; also of a real tensor, history records it."""
    return in_place(conj_physical_row, (self,))


@composite("zero_", samples=lambda r: [(r(2, 3),), (r.ints(2, high=5),), (r(),)])
def zero_(self: Tensor) -> Tensor:
    """Writes zeros to every element."""
    return in_place(_zero, (self,), coincide=True)


@composite(
    "Tensor.copy_",
    samples=lambda r: [
        (r(2, 3), r(2, 3)),
        (r(2, 3), r(3), True),
        (r(2), r.ints(2, high=5)),
        (r.ints(2, high=5), r(2)),
        (r(2), r()),
    ],
)
def copy_(self: Tensor, other: Operand, non_blocking: bool = False) -> Tensor:
    """Writes the elements of another tensor, which broadcasts and is cast."""
    source = other if isinstance(other, Tensor) else wrap(np.asarray(other))
    return in_place(copy_into, (self, source), coincide=_same(self._array, source._array))


@composite(
    "Tensor.float_power_",
    samples=lambda r: [(r(2, 3, low=0.5), 2.5), (r(2, 3, low=0.5), r(3)), (r(2), 3)],
)
def float_power_(self: Tensor, exponent: Operand) -> Tensor:
    """float_power in place, of a tensor that is double already."""
    values = exponent.detach() if type(exponent) is Tensor else exponent
    result = float_power(self.detach(), values)
    if result.dtype is not self.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype.scalar_name} but the "
            f"operation's result requires dtype {result.dtype.scalar_name}"
        )
    return in_place(pow_tensor if type(exponent) is Tensor else pow_scalar, (self, exponent))


@composite(
    "Tensor.fill_diagonal_",
    samples=lambda r: [(r(3, 3), 2.5), (r(2, 3), 1), (r(5, 2), 1.5, True), (r(2, 2, 2), 7.0)],
)
def fill_diagonal_(self: Tensor, fill_value: Scalar, wrap: bool = False) -> Tensor:
    """Writes a number to the main diagonal, again below it if wrap."""
    shape = self._array.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    check_captured(self, "fill_diagonal")
    strides, step = self.stride(), sum(self.stride())
    length = min(shape)
    fill_(as_strided(self, (length,), (step,)), fill_value)
    rows, columns = shape[0], shape[1]
    if wrap and len(shape) == 2 and rows > columns + 1:
        for start in range(columns + 1, rows, columns + 1):
            part = narrow(self, 0, start, min(columns, rows - start))
            fill_(as_strided(part, (part.shape[0],), (sum(strides),)), fill_value)
    return self


@composite("detach_", samples=lambda r: [(r(2, 3),), (r.ints(2, high=5),)])
def detach_(self: Tensor) -> Tensor:
    """Takes a tensor out of the graph."""
    if mode.inference:
        return self  # no graph is looked at
    check_captured(self, "detach")
    if self._view is not None:
        raise RuntimeError(
            "Can't detach views in-place. Use detach() instead. If you are using "
            "DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as "
            "True, gradients are views of DDP buckets, and hence detach_() cannot be called on "
            "these gradients. To fix this error, please refer to the Optimizer.zero_grad() "
            "function in torch/optim/optimizer.py as the solution."
        )
    self._grad_fn, self._nr, self._requires_grad = None, 0, False
    if mode.forward is not None:
        mode.forward.give(self, None)
    batched = batched_of(self)
    if batched is not None:
        extras_of(self).batched = batched_of(batched.owner.detached(self))
    return self


@composite(
    "Tensor.resize_",
    samples=lambda r: [
        (r.ints(2, 3, high=9), (3, 2)),
        (r.ints(2, 3, high=9), (4,)),
        (r.ints(3, high=9), (3,)),
    ],
)
def resize_(
    self: Tensor, size: Sequence[int], *, memory_format: MemoryFormat | None = None
) -> Tensor:
    """Gives a tensor another size, in its memory where that is large enough."""
    check_captured(self, "resize")
    if self.requires_grad and not mode.inference:
        raise RuntimeError("cannot resize variables that require grad")
    shape = checked_size(size, self.dtype)
    if shape != self._array.shape:
        resize(self, shape)
        bump(self)
    return self


def resize(tensor: Tensor, shape: Sequence[int]) -> None:
    """Lets a tensor look at as many elements of its memory as a shape has, or of a larger one."""
    array, count = tensor._array, math.prod(shape)
    memory, start = storage_of(array), storage_offset_of(array)
    if start + count > memory.size:
        grown = np.zeros(count, array.dtype)
        kept = memory[start : start + count]
        grown[: kept.size] = kept
        memory, start = grown, 0
    hold(tensor, memory[start : start + count].reshape(shape))


@composite(
    "Tensor.resize_as_",
    samples=lambda r: [(r.ints(2, 3, high=9), r(3, 2)), (r.ints(4, high=9), r(2))],
)
def resize_as_(
    self: Tensor, the_template: Tensor, *, memory_format: MemoryFormat | None = None
) -> Tensor:
    """Resizes a tensor to the size of another."""
    check_captured(self, "resize_as")
    resized: Tensor = resize_(self, the_template._array.shape)
    return resized


@composite("Tensor.share_memory_", samples=lambda r: [(r(2, 3),), (r.ints(2, high=5),)])
def share_memory_(self: Tensor) -> Tensor:
    """The tensor itself."""
    return self


def _unset(grad: Any) -> Any:
    raise RuntimeError("derivative for set_ is not implemented")


_set: Row = row(
    "aten.set_into(Tensor self, Tensor source)",
    lambda self, source: source.copy(),
    node=NOT_IMPLEMENTED,
    self=_unset,
    source=_unset,
    samples=lambda r: [(r(3), r(3))],
    linear="source",
    elementwise=True,
    doc="The memory of source.",
    untested="the history of a tensor that was given another memory",
)


@composite("Tensor.set_", untested="memory, not elements")
def set_nothing_(self: Tensor) -> Tensor:
    """Lets a tensor look at no memory."""
    return _set_to(self, None, np.empty(0, self._array.dtype))


@composite("Tensor.set_", untested="memory, not elements")
def set_(self: Tensor, source: Tensor) -> Tensor:
    """Lets a tensor look at the memory of another, as that does."""
    return _set_to(self, source, source._array)


@composite("Tensor.set_", untested="memory, not elements")
def set_part_(
    self: Tensor, source: Tensor, storage_offset: int, size: Sequence[int], stride: Sequence[int]
) -> Tensor:
    """Lets a tensor look at a part of the memory of another."""
    part = as_strided(source.detach(), size, stride, storage_offset)
    return _set_to(self, source, part._array)


def _set_to(self: Tensor, source: Tensor | None, array: Array) -> Tensor:
    """Gives a tensor another memory; its history ends there, as nothing is known of gradients."""
    if batched_of(self) is not None:
        raise RuntimeError(NO_STORAGE)
    check_captured(self, "set", (source,))
    wants = mode.enabled and (self.requires_grad or (source is not None and source.requires_grad))
    if array.dtype != self._array.dtype:
        kind = dtypes.from_numpy(array.dtype)
        raise RuntimeError(
            f"Could not set tensor of type {kind.c_name} to a tensor of type {self.dtype.c_name}"
        )
    check_change(self, wants)
    bump(self)
    if not wants:
        hold(self, array)
        return self
    node = _set.record((stand_in(self), source))._grad_fn
    if self._view is not None:
        rebase(self, node)
        node = renamed(_set, "AsStridedBackward0").record((stand_in(self), source))._grad_fn
    hold(self, array)
    node.fits(array.shape, array.dtype)
    set_history(self, node)
    return self


def _call_each(self: Tensor, name: str, operands: Sequence[Tensor], callable: Any) -> Tensor:
    """Replaces each element by what a Python function makes of it and those of operands."""
    for tensor in (self, *operands):
        if tensor.requires_grad:
            raise RuntimeError(
                f"Can't call {name}() on Variable that requires grad. Use "
                f"var.detach().{name}() instead."
            )
    call = handed_in(callable)
    arrays = [self._array, *(expand.forward(t._array, self._array.shape) for t in operands)]
    for index in np.ndindex(self._array.shape):
        made = call(*(array[index].item() for array in arrays))
        self._array[index] = element(made, self.dtype)
    return self


@composite(
    "Tensor.apply_",
    samples=lambda r: [
        (r.ints(2, 3, low=-5, high=5), abs),
        (r.ints(high=5), lambda value: 2 * value + 1),
    ],
)
def apply_(self: Tensor, callable: Any) -> Tensor:
    """Replaces each element by callable(element)."""
    return _call_each(self, "apply_", (), callable)


@composite(
    "Tensor.map_",
    samples=lambda r: [
        (r.ints(2, 3, high=9), r.ints(2, 3, high=9), max),
        (r.ints(2, 3, high=9), r.ints(3, high=9), lambda a, b: a - 2 * b),
    ],
)
def map_(self: Tensor, tensor: Tensor, callable: Any) -> Tensor:
    """Replaces each element by callable(element, element of the other tensor)."""
    return _call_each(self, "map_", (tensor,), callable)

"""Operators that copy elements to other places: repetition, reversal, triangles, diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.parts import blank, diagonal, diagonal_copy
from gradcli.ops.algebra.sums import expand, sum_dim, sum_to
from gradcli.ops.algebra.views import contiguous, flatten, reshape, shape_of, unsqueeze, view
from gradcli.table.declare import composite, row
from gradcli.table.entry import METHOD
from gradcli.table.row import ITSELF, Row
from gradcli.tensor.errors import no_kernel
from gradcli.tensor.formats import contiguous_format
from gradcli.tensor.memory import reserve
from gradcli.tensor.shapes import wrap_dim, wrap_dims
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Single, Value


def _repeat(self: Array, repeats: Sequence[int]) -> Array:
    """The tensor side by side with itself, a number of times per dimension."""
    lead = len(repeats) - self.ndim
    if lead < 0:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    lengths = (*(1,) * lead, *self.shape)
    target = [count * length for count, length in zip(repeats, lengths, strict=True)]
    for length in target:
        if length < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {length}: {target}"
            )
    reserve(target, self.itemsize)
    return np.tile(self, tuple(repeats))


def _repeat_backward(grad: Any, repeats: Sequence[int], shape: Sequence[int]) -> Any:
    if 0 in repeats:
        return blank(shape, grad)
    lead = len(repeats) - len(shape)
    for _ in range(lead):
        grad = sum_dim(grad, (0,), False)
    divided: list[int] = []
    summed: list[int] = []
    for count, length in zip(repeats[lead:], shape, strict=True):
        if count != 1:
            summed.append(len(divided))
            divided.append(count)
        divided.append(length)
    return sum_dim(reshape(grad, divided), tuple(summed), False) if summed else grad


repeat: Row = row(
    "Tensor.repeat",
    _repeat,
    linear="self",
    self=lambda grad, self_shape, repeats: _repeat_backward(grad, repeats, self_shape),
    samples=lambda r: [(r(2, 3), (2, 1, 2)), (r(2), (3,)), (r(), (2,)), (r(2), (0,))],
)


@composite("tile", samples=lambda r: [(r(2, 3), (2,)), (r(2), (2, 2))])
def tile(self: Value, dims: Sequence[int]) -> Any:
    """The tensor repeated; missing numbers in front are ones."""
    return repeat(self, (*(1,) * (len(shape_of(self)) - len(dims)), *dims))


def _indices_of_repeats(repeats: Array) -> Array:
    """How often each index comes up, as a list of indices."""
    if repeats.dtype not in (np.int32, np.int64):
        raise no_kernel("repeat_interleave_cpu", repeats.dtype)
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if np.any(repeats < 0):
        raise RuntimeError("repeats can not be negative")
    reserve((sum(repeats.tolist()),), repeats.itemsize)
    return np.repeat(np.arange(repeats.size, dtype=repeats.dtype), repeats)


@composite(
    "repeat_interleave",
    samples=lambda r: [
        (r(2, 3), np.array([2, 0, 1]), 1),
        (r(2, 2), np.array([2])),
        (r(3), np.array([1, 3, 0]), 0, {"output_size": 4}),
        (r.ints(2, high=5), np.array(2), 0),
    ],
)
def repeat_interleave_by(
    self: Value, repeats: Tensor, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each slice along a dimension as often as a tensor of counts says."""
    operand = flatten(self) if dim is None else self
    where = wrap_dim(dim or 0, len(shape_of(operand)))
    length = shape_of(operand)[where] if shape_of(operand) else 1
    counts = repeats._array
    if counts.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if counts.size == 1:
        counts = np.broadcast_to(counts.reshape(1), length)
    elif counts.size != length:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{counts.size} and input.size({where}) = {length}"
        )
    return operand.index_select(where, wrap(_checked_indices(counts, output_size)))


@composite("repeat_interleave", samples=lambda r: [(r(2, 3), 2), (r(2, 3), 2, 1)])
def repeat_interleave(
    self: Value, repeats: int, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each slice along a dimension a number of times in succession."""
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    operand = flatten(self) if dim is None else self
    ndim = len(shape_of(operand))
    where = wrap_dim(dim or 0, ndim)
    wide = unsqueeze(operand, where + 1)
    lengths = list(shape_of(wide))
    lengths[where + 1] = repeats
    copied = contiguous(expand(wide, lengths))
    return flatten(copied, where, where + 1)


@composite(
    "repeat_interleave",
    samples=lambda r: [
        (np.array([2, 0, 1]),),
        (np.array([1, 3]), {"output_size": 4}),
        (np.zeros(2, np.int64),),
    ],
)
def repeat_interleave_indices(repeats: Tensor, *, output_size: int | None = None) -> Tensor:
    """Each index of a tensor of counts as often as its count."""
    return wrap(_checked_indices(repeats._array, output_size))


def _checked_indices(counts: Array, output_size: int | None) -> Array:
    indices = _indices_of_repeats(counts)
    if output_size is not None and output_size != indices.size:
        raise RuntimeError("allocated size does not match required size")
    return indices


def _roll(self: Array, shifts: Single, dims: Single = ()) -> Array:
    """Elements moved on along dimensions; what falls off comes in again in front."""
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return np.roll(self, shifts[0])
    if len(shifts) != len(dims):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    if not self.ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    return np.roll(self, tuple(shifts), tuple(wrap_dim(dim, self.ndim) for dim in dims))


roll: Row = row(
    "roll",
    _roll,
    linear="self",
    self=lambda grad, shifts, dims: roll(
        grad, tuple(-shift for shift in reversed(shifts)), tuple(reversed(dims))
    ),
    samples=lambda r: [(r(2, 3), (1,)), (r(2, 3), (1, 2), (0, -1))],
)


def _rot90(self: Array, k: int = 1, dims: Sequence[int] = (0, 1)) -> Array:
    """A plane of two dimensions turned by k right angles."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if self.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {self.ndim}")
    axes = wrap_dim(dims[0], self.ndim), wrap_dim(dims[1], self.ndim)
    if axes[0] == axes[1]:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    return np.rot90(self, k, axes).copy(order="K")


rot90: Row = row(
    "rot90",
    _rot90,
    linear="self",
    self=lambda grad, k, dims: rot90(grad, -k, dims),
    samples=lambda r: [(r(2, 3),), (r(2, 3), -1, (1, 0)), (r(2, 3, 2), 2, (0, 2))],
)


def _flip(self: Array, dims: Sequence[int]) -> Array:
    """Dimensions in reverse."""
    axes = wrap_dims(dims, self.ndim)
    return np.flip(self, axes if self.ndim else ()).copy(order="K")


flip: Row = row(
    "flip",
    _flip,
    linear="self",
    self=ITSELF,
    samples=lambda r: [(r(2, 3), (0, -1)), (r(2, 3), (1,))],
)


@composite("fliplr", samples=lambda r: [(r(2, 3),)])
def fliplr(self: Value) -> Any:
    """The second dimension in reverse."""
    if len(shape_of(self)) < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(self, (1,))


@composite("flipud", samples=lambda r: [(r(2, 3),)])
def flipud(self: Value) -> Any:
    """The first dimension in reverse."""
    if not shape_of(self):
        raise RuntimeError("Input must be >= 1-d.")
    return flip(self, (0,))


def _triangle(name: str, doc: str) -> Row:
    keep = getattr(np, name)

    def forward(self: Array, diagonal: int = 0) -> Array:
        if self.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return keep(self, diagonal)

    made: Row = row(
        name,
        forward,
        linear="self",
        self=ITSELF,
        inplace=METHOD,
        samples=lambda r: [(r(3, 4),), (r(2, 3, 3), 1), (r(3, 2), -1)],
        doc=doc,
    )
    return made


tril: Row = _triangle("tril", "The elements on and below a diagonal, zeros elsewhere.")
triu: Row = _triangle("triu", "The elements on and above a diagonal, zeros elsewhere.")


def _diag_embed(self: Array, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Array:
    """The last dimension as the diagonal of matrices of zeros."""
    ndim = self.ndim + 1
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    length = abs(offset) + self.shape[-1]
    shape = list(self.shape[:-1])
    shape.insert(min(first, second), length)
    shape.insert(max(first, second), length)
    reserve(shape, self.itemsize)
    full = np.zeros(shape, self.dtype)
    diagonal.forward(full, offset, first, second)[...] = self
    return full


diag_embed: Row = row(
    "diag_embed",
    _diag_embed,
    linear="self",
    self=diagonal,
    samples=lambda r: [(r(3),), (r(2, 3), 1), (r(2, 3), -1, 0, 2)],
)


@composite("diag", samples=lambda r: [(r(3), 1), (r(2, 3), -1)])
def diag(self: Value, diagonal: int = 0) -> Any:
    """The matrix with a vector as its diagonal, or the diagonal of a matrix."""
    ndim = len(shape_of(self))
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    return diag_embed(self, diagonal) if ndim == 1 else diagonal_copy(self, diagonal)


@composite("diagflat", samples=lambda r: [(r(2, 2),), (r(), 1)])
def diagflat(self: Value, offset: int = 0) -> Any:
    """The matrix with all elements of a tensor as its diagonal."""
    return diag(view(contiguous(self, contiguous_format), (-1,)), offset)


@composite(
    "Tensor.sum_to_size", samples=lambda r: [(r(3, 4), (3, 1)), (r(2, 3), (3,)), (r(2, 3), ())]
)
def sum_to_size(self: Value, size: Sequence[int]) -> Any:
    """The sum over what broadcasting from `size` would repeat."""
    shape = shape_of(self)
    lead = len(shape) - len(size)
    if lead < 0 or any(
        own not in (1, whole) for own, whole in zip(size, shape[max(lead, 0) :], strict=False)
    ):
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}.")
    return self if size and tuple(size) == shape else sum_to(self, tuple(size))

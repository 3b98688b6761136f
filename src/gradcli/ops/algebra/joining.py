"""Operators that join tensors, and grids of their combinations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.parts import blank, narrow, part_of, select, slice_
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import flatten, reshape, shape_of, squeeze_dim, unsqueeze, view
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.memory import reserve
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import wrap
from gradcli.typing import Array, Value, VarTensors

_MAX_DIMS: Final = 64
"""NumPy's arrays have no more dimensions."""


def _together(arrays: Sequence[Array]) -> Any:
    """The common NumPy type of arrays."""
    return dtypes.result_type(list(arrays)).np


def _is_skipped(shape: Sequence[int]) -> bool:
    """Whether concatenation passes a tensor over: one of shape (0,) fits any."""
    return tuple(shape) == (0,)


def _cat_dim(shapes: Sequence[Sequence[int]], dim: int) -> int:
    """The dimension along which tensors of these shapes are joined."""
    ndim = next((len(shape) for shape in shapes if not _is_skipped(shape)), 0)
    return wrap_dim(dim, ndim) if ndim else 0


def _cat(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Tensors one after another along a dimension."""
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    for position, tensor in enumerate(tensors):
        if tensor.ndim == 0:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {position}) cannot be concatenated"
            )
    joined = [tensor for tensor in tensors if not _is_skipped(tensor.shape)]
    if not joined:
        return np.zeros((0,), _together(tensors))
    where = _cat_dim([tensor.shape for tensor in tensors], dim)
    first = joined[0]
    for position, tensor in enumerate(tensors):
        if _is_skipped(tensor.shape):
            continue
        if tensor.ndim != first.ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {tensor.ndim}"
            )
        for axis, (own, other) in enumerate(zip(first.shape, tensor.shape, strict=True)):
            if axis != where and own != other:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {where}. Expected size {own} "
                    f"but got size {other} for tensor number {position} in the list."
                )
    shape = list(first.shape)
    shape[where] = sum(tensor.shape[where] for tensor in joined)
    out = np.empty(shape, _together(tensors))
    return np.concatenate(joined, axis=where, out=out, casting="unsafe")


def _uncat(grad: Any, tensors_shape: Sequence[Sequence[int]], dim: int) -> list[Any]:
    where = _cat_dim(tensors_shape, dim)
    parts, start = [], 0
    for shape in tensors_shape:
        if _is_skipped(shape):
            parts.append(blank((0,), grad))
            continue
        parts.append(narrow(grad, where, start, shape[where]))
        start += shape[where]
    return parts


cat: Row = row(
    "cat|concat|concatenate",
    _cat,
    linear="tensors",
    tensors=_uncat,
    samples=lambda r: [([r(2, 3), r(1, 3)],), ([r(2, 3), r(2, 1)], -1), ([r(0), r(2, 3)], 1)],
)


def _stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    """Tensors of equal shape along a new dimension."""
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].shape
    where = wrap_dim(dim, len(first) + 1)
    for position, tensor in enumerate(tensors):
        if tensor.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(tensor.shape)} at entry {position}"
            )
    out = np.empty((*first[:where], len(tensors), *first[where:]), _together(tensors))
    for position, tensor in enumerate(tensors):
        out[part_of(where, position)] = tensor
    return out


def _unstack(grad: Any, tensors_shape: Sequence[Any], dim: int) -> list[Any]:
    where = wrap_dim(dim, len(shape_of(grad)))
    return [select(grad, where, position) for position in range(len(tensors_shape))]


stack: Row = row(
    "stack",
    _stack,
    linear="tensors",
    tensors=_unstack,
    samples=lambda r: [([r(2, 3), r(2, 3)], 1), ([r(), r()],)],
)


def at_least(self: Any, ndim: int) -> Any:
    """A tensor with new dimensions of length one, placed as `atleast_1d` to `_3d` do."""
    found = len(shape_of(self))
    if found >= ndim:
        return self
    if not found:
        return reshape(self, (1,) * ndim)
    if ndim == 2:
        return unsqueeze(self, 0)
    return unsqueeze(unsqueeze(self, 0) if found == 1 else self, -1)


def _atleast(ndim: int) -> None:
    """Enters `atleast_NDIMd`, for one tensor and for several."""
    doc = f"Tensors with dimensions of length one added until there are {ndim}."
    samples = lambda r: [(r(),), (r(2),), (r(2, 3),)]
    name = f"atleast_{ndim}d"

    @composite(name, samples=samples, doc=doc)
    def single(input: Value) -> Any:
        return at_least(input, ndim)

    @composite(name, samples=lambda r: [([r(), r(2), r(2, 3)],), ([r(2, 3, 2)],), ([],)], doc=doc)
    def several(tensors: VarTensors = ()) -> tuple[Any, ...]:
        return tuple(at_least(tensor, ndim) for tensor in tensors)


for _ndim in (1, 2, 3):
    _atleast(_ndim)


def _nonempty(tensors: Sequence[Any], name: str) -> None:
    if not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")


@composite("hstack", samples=lambda r: [([r(2), r(3)],), ([r(2, 1), r(2, 2)],)])
def hstack(tensors: Sequence[Value]) -> Any:
    """Tensors side by side."""
    _nonempty(tensors, "hstack")
    raised = [at_least(tensor, 1) for tensor in tensors]
    return cat(raised, 0 if len(shape_of(raised[0])) == 1 else 1)


@composite("vstack|row_stack", samples=lambda r: [([r(2), r(2)],), ([r(2, 3), r(1, 3)],)])
def vstack(tensors: Sequence[Value]) -> Any:
    """Tensors one below the other; vectors are rows."""
    _nonempty(tensors, "vstack")
    return cat([at_least(tensor, 2) for tensor in tensors], 0)


@composite("dstack", samples=lambda r: [([r(2), r(2)],), ([r(2, 3), r(2, 3)],)])
def dstack(tensors: Sequence[Value]) -> Any:
    """Tensors one behind the other, along the third dimension."""
    _nonempty(tensors, "dstack")
    return cat([at_least(tensor, 3) for tensor in tensors], 2)


@composite("column_stack", samples=lambda r: [([r(2), r(2, 3)],)])
def column_stack(tensors: Sequence[Value]) -> Any:
    """Tensors side by side; vectors are columns."""
    _nonempty(tensors, "column_stack")
    columns = [
        reshape(tensor, (math.prod(shape_of(tensor)), 1)) if len(shape_of(tensor)) <= 1 else tensor
        for tensor in tensors
    ]
    return hstack(columns)


def _block_shape(shape: Sequence[int]) -> tuple[int, int]:
    """How many rows and columns a tensor of at most two dimensions takes on the diagonal."""
    return (1, *shape)[-2:] if len(shape) else (1, 1)  # type: ignore[return-value]


def _block_diag(tensors: Sequence[Array]) -> Array:
    """A matrix with the tensors as blocks along its diagonal."""
    for position, tensor in enumerate(tensors):
        if tensor.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{position} has {tensor.ndim} dimensions"
            )
    blocks = [_block_shape(tensor.shape) for tensor in tensors]
    size = sum(rows for rows, _ in blocks), sum(columns for _, columns in blocks)
    out = np.zeros(size, _together(tensors))
    top = left = 0
    for tensor, (rows, columns) in zip(tensors, blocks, strict=True):
        out[top : top + rows, left : left + columns] = tensor
        top, left = top + rows, left + columns
    return out


def _unblock(grad: Any, tensors_shape: Sequence[Sequence[int]]) -> list[Any]:
    parts, top, left = [], 0, 0
    for shape in tensors_shape:
        if _is_skipped(shape):
            parts.append(blank((0,), grad))
            top += 1
            continue
        rows, columns = _block_shape(shape)
        block = slice_(slice_(grad, 0, top, top + rows, 1), 1, left, left + columns, 1)
        for _ in range(2 - len(shape)):
            block = squeeze_dim(block, -1)
        parts.append(block)
        top, left = top + rows, left + columns
    return parts


block_diag_row: Row = row(
    "aten.block_diag",
    _block_diag,
    linear="tensors",
    tensors=_unblock,
    samples=lambda r: [([r(2, 3), r(2), r()],)],
)


@composite("block_diag", samples=lambda r: [([r(2, 3), r(2)],)])
def block_diag(tensors: VarTensors = ()) -> Any:
    """A matrix with the tensors as blocks along its diagonal."""
    return block_diag_row(tensors) if tensors else wrap(np.zeros((1, 0), dtypes.default.dtype.np))


def _grids(tensors: Sequence[Any], indexing: str) -> tuple[Any, ...]:
    _nonempty(tensors, "meshgrid")
    for tensor in tensors:
        if tensor.dtype is not tensors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in ("xy", "ij"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    for tensor in tensors:
        if tensor.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {tensor!r}"
            )
    order = list(range(len(tensors)))
    if indexing == "xy" and len(tensors) > 1:
        order[:2] = 1, 0
    lengths = [tensors[number].numel() for number in order]
    grids = []
    for number, tensor in enumerate(tensors):
        place = order.index(number)
        column = view(tensor, (*(1,) * place, lengths[place], *(1,) * (len(order) - place - 1)))
        grids.append(expand(column, tuple(lengths)))
    return tuple(grids)


@composite("meshgrid", samples=lambda r: [([r(2), r(3)],), ([r(2), r(3)], {"indexing": "xy"})])
def meshgrid(tensors: VarTensors = (), *, indexing: str | None = None) -> tuple[Any, ...]:
    """Coordinates of a grid: each vector spread over all combinations."""
    return _grids(tensors, indexing or "ij")


def _vectors(tensors: Sequence[Any]) -> None:
    for tensor in tensors:
        if tensor.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(tensor.shape)}")


@composite("cartesian_prod", samples=lambda r: [([r(2), r(3)],), ([r(2)],)])
def cartesian_prod(tensors: VarTensors = ()) -> Any:
    """All combinations of elements of several vectors, a row each."""
    _vectors(tensors)
    if len(tensors) == 1:
        return tensors[0]
    return stack([flatten(grid) for grid in _grids(tensors, "ij")], 1)


@composite("combinations", samples=lambda r: [(r(4),), (r(3), 2, True)])
def combinations(self: Value, r: int = 2, with_replacement: bool = False) -> Any:
    """All choices of r elements of a vector, a row each."""
    _vectors([self])
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return wrap(np.empty(0, self._array.dtype))
    length = self.numel()
    if length > 1 and r * math.log2(length) >= 63:
        raise RuntimeError("numel: integer multiplication overflow")
    if r >= _MAX_DIMS:
        raise RuntimeError(f"combinations of {_MAX_DIMS} and more elements are not supported")
    reserve((r, length**r), 8)
    places = np.indices((length,) * r)
    rising = np.less_equal if with_replacement else np.less
    chosen = np.ones(places.shape[1:], np.bool_)
    for before, after in pairwise(places):
        chosen &= rising(before, after)
    mask = wrap(chosen)
    return stack([grid.masked_select(mask) for grid in _grids([self] * r, "ij")], 1)


@composite(
    "vander",
    samples=lambda r: [
        (kinked(r(3)),),
        (kinked(r(3)), 2),
        (kinked(r(2)), 4, True),
        (r.ints(3, high=4),),
    ],
)
def vander(x: Value, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of a vector's elements as columns, highest first unless `increasing`."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    columns = x.numel() if N is None else N
    if columns < 0:
        raise RuntimeError("N must be non-negative.")
    kind = dtypes.promote_types(x.dtype, dtypes.int64)
    powers = wrap(np.zeros((x.numel(), columns), kind.np))
    # In place as in PyTorch, where the products therefore cannot be differentiated.
    if columns:
        select(powers, 1, 0).fill_(1)
    if columns > 1:
        slice_(powers, 1, 1, None, 1).copy_(unsqueeze(x, 1))
        slice_(powers, 1, 1, None, 1).copy_(slice_(powers, 1, 1, None, 1).cumprod(1))
    return powers if increasing else powers.flip((1,))

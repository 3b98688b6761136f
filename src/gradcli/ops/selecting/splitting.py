"""Operators that take a tensor apart into several."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradcli.ops.algebra.joining import cat, stack
from gradcli.ops.algebra.parts import part_of, slice_
from gradcli.ops.algebra.views import shape_of
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.schema import Mismatch
from gradcli.tensor import dtypes
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.memory import TENSOR_SIZE, reserve
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Value


def defined(grads: Sequence[Any], shapes: Sequence[Sequence[int]], dtype: Any) -> list[Any]:
    """Gradients of several outputs, with zeros for those that did not arrive."""
    recorded = any(type(grad) is Tensor for grad in grads)
    filled = []
    for grad, shape in zip(grads, shapes, strict=True):
        if grad is None:
            zeros = np.zeros(shape, dtype)
            grad = wrap(zeros) if recorded else zeros
        filled.append(grad)
    return filled


def _split_sizes(length: int, split_size: int) -> list[int]:
    if split_size < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={split_size}"
        )
    if split_size == 0:
        if length:
            raise RuntimeError(
                "split_size can only be 0 if dimension size is 0, but got dimension size of "
                f"{length}"
            )
        return [0]
    count = max(-(-length // split_size), 1)
    return [split_size] * (count - 1) + [length - split_size * (count - 1)]


def _pieces(self: Array, sizes: Sequence[int], where: int) -> tuple[Array, ...]:
    ends = np.cumsum(sizes).tolist()
    return tuple(
        self[part_of(where, slice(end - size, end))] for size, end in zip(sizes, ends, strict=True)
    )


def _split(self: Array, split_size: int, dim: int = 0) -> tuple[Array, ...]:
    """Pieces of equal length along a dimension; the last may be shorter."""
    if not self.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    where = wrap_dim(dim, self.ndim)
    reserve((self.shape[where] // max(split_size, 1),), TENSOR_SIZE)
    return _pieces(self, _split_sizes(self.shape[where], split_size), where)


def _check_sizes(length: int, sizes: Sequence[int], where: int) -> None:
    if any(size < 0 for size in sizes):
        raise RuntimeError(
            "split_with_sizes expects split_sizes have only non-negative entries, but got "
            f"split_sizes={list(sizes)}"
        )
    if sum(sizes) != length:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's size "
            f"at dimension {where}), but got split_sizes={list(sizes)}"
        )


def _split_with_sizes(self: Array, split_sizes: Sequence[int], dim: int = 0) -> tuple[Array, ...]:
    """Pieces of given lengths along a dimension."""
    if not self.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    where = wrap_dim(dim, self.ndim)
    _check_sizes(self.shape[where], split_sizes, where)
    return _pieces(self, split_sizes, where)


def _join_pieces(
    grads: Sequence[Any], shape: Sequence[int], dtype: Any, sizes: Sequence[int] | int, dim: int
) -> Any:
    """The gradients of a split's pieces, joined."""
    where = wrap_dim(dim, len(shape))
    lengths = _split_sizes(shape[where], sizes) if isinstance(sizes, int) else sizes
    shapes = [(*shape[:where], length, *shape[where + 1 :]) for length in lengths]
    return cat(defined(grads, shapes, dtype), where)


def _split_row(name: str, view: bool) -> Row:
    return row(
        f"aten.{name}",
        _split,
        view=view,
        several=True,
        linear="self",
        self=lambda grads, self_shape, self_dtype, split_size, dim: _join_pieces(
            grads, self_shape, self_dtype, split_size, dim
        ),
        samples=lambda r: [(r(5, 2), 2), (r(2, 4), 2, -1)],
    )


def _split_with_sizes_row(name: str, view: bool) -> Row:
    return row(
        name,
        _split_with_sizes,
        view=view,
        several=True,
        linear="self",
        self=lambda grads, self_shape, self_dtype, split_sizes, dim: _join_pieces(
            grads, self_shape, self_dtype, split_sizes, dim
        ),
        samples=lambda r: [(r(5, 2), (1, 4)), (r(2, 4), (1, 0, 3), -1)],
    )


split_row: Row = _split_row("split", True)
unsafe_split_row: Row = _split_row("unsafe_split", False)
split_with_sizes: Row = _split_with_sizes_row("split_with_sizes", True)
unsafe_split_with_sizes: Row = _split_with_sizes_row("unsafe_split_with_sizes", False)


def _split_any(self: Any, lengths: Any, dim: int) -> tuple[Any, ...]:
    """`split` or `split_with_sizes`, which check their arguments as if they had been called."""
    whole = isinstance(lengths, int) or (isinstance(lengths, Tensor) and not lengths.ndim)
    entry = split_row if whole else split_with_sizes
    if isinstance(lengths, range):
        raise TypeError(
            "split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, not "
            "range"
        )
    try:
        bound = entry.signature.bind((self, lengths, dim), {}, False)
    except Mismatch as mismatch:
        raise TypeError(str(mismatch)) from None
    return entry(*bound)  # type: ignore[no-any-return]


@composite(
    "split",
    samples=lambda r: [(r(5), 2), (r(5), (1, 4)), (r(2, 5), 3, 1), (r(2, 4), [1, 3], {"dim": -1})],
)
def split(tensor: Value, split_size_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of one length, or of given lengths, along a dimension."""
    return _split_any(tensor, split_size_or_sections, dim)


@composite(
    "Tensor.split",
    samples=lambda r: [(r(5), 2), (r(5), (1, 4)), (r(2, 5), 3, 1), (r(2, 4), [1, 3], {"dim": -1})],
)
def split_method(self: Value, split_size: Any, dim: int = 0) -> tuple[Any, ...]:
    """Pieces of one length, or of given lengths, along a dimension."""
    return _split_any(self, split_size, dim)


@composite("unsafe_split", samples=lambda r: [(r(5), 2), (r(2, 5), 3, -1)])
def unsafe_split(self: Value, split_size: int, dim: int = 0) -> Any:
    """As split; the pieces do not count as views."""
    return unsafe_split_row(self, split_size, dim)


def _chunked(self: Any, chunks: int, dim: int, by_length: Row, by_lengths: Row) -> Any:
    shape = shape_of(self)
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = shape[wrap_dim(dim, len(shape))]
    if length == 0:
        return by_lengths(self, (0,) * chunks, dim)
    return by_length(self, -(-length // chunks), dim)


@composite("chunk", samples=lambda r: [(r(5, 2), 3), (r(2, 4), 2, 1), (r(2, 0), 3, 1)])
def chunk(self: Value, chunks: int, dim: int = 0) -> Any:
    """At most `chunks` pieces of equal length; the last may be shorter."""
    return _chunked(self, chunks, dim, split_row, split_with_sizes)


@composite("unsafe_chunk", samples=lambda r: [(r(5, 2), 3), (r(2, 4), 2, 1)])
def unsafe_chunk(self: Value, chunks: int, dim: int = 0) -> Any:
    """As chunk; the pieces do not count as views."""
    return _chunked(self, chunks, dim, unsafe_split_row, unsafe_split_with_sizes)


def _slices(self: Any, cuts: Sequence[int], where: int) -> tuple[Any, ...]:
    """The parts between cuts, each a view of its own."""
    bounds = [0, *cuts, shape_of(self)[where]]
    return tuple(slice_(self, where, start, end, 1) for start, end in pairwise(bounds))


def _divide(self: Any, sections: Any, dim: int) -> tuple[Any, ...]:
    """`tensor_split` by a number of sections or at given indices."""
    shape = shape_of(self)
    if not shape:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    where = wrap_dim(dim, len(shape))
    if not isinstance(sections, int):
        return _slices(self, sections, where)
    if sections <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
    reserve((sections,), TENSOR_SIZE)
    short, longer = divmod(shape[where], sections)
    ends = [(short + 1) * min(k, longer) + short * max(k - longer, 0) for k in range(1, sections)]
    return _slices(self, ends, where)


@composite("tensor_split", samples=lambda r: [(r(5, 2), 3), (r(2, 5), 2, 1)])
def tensor_split(self: Value, sections: int, dim: int = 0) -> tuple[Any, ...]:
    """A number of pieces whose lengths differ by one at most."""
    return _divide(self, sections, dim)


@composite("tensor_split", samples=lambda r: [(r(5, 2), (1, 3)), (r(2, 5), (2, -1, 9), 1)])
def tensor_split_at(self: Value, indices: Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """The pieces between given indices."""
    return _divide(self, indices, dim)


@composite(
    "tensor_split", samples=lambda r: [(r(5, 2), np.array(3)), (r(2, 5), np.array([1, 4]), 1)]
)
def tensor_split_by(
    self: Value, tensor_indices_or_sections: Tensor, dim: int = 0
) -> tuple[Any, ...]:
    """The same with the number or the indices in a tensor."""
    array = looked_at(tensor_indices_or_sections)
    prefix = "tensor_split expected tensor_indices_or_sections to"
    if array.dtype != np.int64:
        word = dtypes.of(array).scalar_name
        raise RuntimeError(f"{prefix} have dtype of long, but got {word}")
    if array.ndim > 1:
        raise RuntimeError(
            f"{prefix} be a zero-dimensional or one-dimensional tensor, but got a tensor with "
            f"{array.ndim} dims"
        )
    return _divide(self, array.tolist(), dim)


def _named_split(name: str, ndim: int, where: int, doc: str) -> None:
    """Enters `hsplit`, `vsplit` or `dsplit`, which divide along a fixed dimension."""

    def divided(self: Any, sections: Any) -> tuple[Any, ...]:
        shape = shape_of(self)
        if len(shape) < ndim:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {ndim} dimension, but got a tensor "
                f"with {len(shape)} dimensions!"
            )
        dim = min(where, len(shape) - 1)
        if isinstance(sections, int) and (sections == 0 or shape[dim] % sections):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the "
                f"dimension {shape[dim]} is not divisible by the split_size {sections}!"
            )
        return _divide(self, sections, dim)

    shape = (2, 2, 4)[: max(ndim, 2)]
    composite(
        f"{name}(Tensor self, int sections)",
        samples=lambda r: [(r(*shape), 2), *([(r(6), 3)] if ndim == 1 else ())],
        doc=doc,
    )(divided)
    composite(
        f"{name}(Tensor self, int[] indices)",
        samples=lambda r: [(r(*shape), (1,)), *([(r(6), (1, 4))] if ndim == 1 else ())],
        doc=doc,
    )(divided)


_named_split("hsplit", 1, 1, "Pieces side by side: along the second dimension, or a vector's only.")
_named_split("vsplit", 2, 0, "Pieces one below the other: along the first dimension.")
_named_split("dsplit", 3, 2, "Pieces one behind the other: along the third dimension.")


def _unbind(self: Array, dim: int = 0) -> tuple[Array, ...]:
    """The slices along a dimension."""
    if not self.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    where = wrap_dim(dim, self.ndim)
    reserve((self.shape[where],), TENSOR_SIZE)
    return tuple(self[part_of(where, position)] for position in range(self.shape[where]))


def _bind(grads: Sequence[Any], shape: Sequence[int], dtype: Any, dim: int) -> Any:
    where = wrap_dim(dim, len(shape))
    part = (*shape[:where], *shape[where + 1 :])
    return stack(defined(grads, [part] * len(grads), dtype), where)


unbind: Row = row(
    "unbind",
    _unbind,
    view=True,
    several=True,
    linear="self",
    self=lambda grads, self_shape, self_dtype, dim: _bind(grads, self_shape, self_dtype, dim),
    samples=lambda r: [(r(2, 3),), (r(2, 3), -1)],
)

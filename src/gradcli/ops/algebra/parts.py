"""Operators that take parts of a tensor as views, and those that write a part into a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.views import shape_of
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor.shapes import common_shape, wrap_dim
from gradcli.tensor.tensor import Tensor, constant, raw
from gradcli.typing import Array, Value


def blank(shape: Sequence[int], like: Any) -> Any:
    """Zeros of the type of `like`: a tensor if that is one, else an array."""
    return constant(np.zeros(shape, raw(like).dtype), like)


def part_of(dim: int, part: slice | int) -> tuple[Any, ...]:
    """An index that takes `part` of one dimension, counted from the front."""
    return (*(slice(None),) * dim, part, Ellipsis)


def _fill_part(self: Array, index: Any, src: Array) -> Array:
    """A copy of `self` with `src` written to a part of it."""
    out = self.copy(order="K")
    part = out[index]
    if part.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)},"
            f" slice size = {list(part.shape)}"
        )
    part[...] = src
    return out


def _select_index(shape: Sequence[int], dim: int, index: int) -> tuple[Any, ...]:
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    where = wrap_dim(dim, len(shape))
    length = shape[where]
    if not -length <= index < length:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(shape)} at "
            f"dimension {where}"
        )
    return part_of(where, index)


def _select_backward(grad_output: Array, input_sizes: Sequence[int], dim: int, index: int) -> Array:
    """A gradient of one slice as one of the whole."""
    full = np.zeros(input_sizes, grad_output.dtype)
    full[_select_index(input_sizes, dim, index)] = grad_output
    return full


select_backward: Row = row(
    "aten.select_backward",
    _select_backward,
    linear="grad_output",
    grad_output=lambda grad, dim, index: select(grad, dim, index),
    samples=lambda r: [(r(3), (2, 3), 0, 1)],
)
select: Row = row(
    "select(Tensor self, int dim, int index)",
    lambda self, dim, index: self[_select_index(self.shape, dim, index)],
    view=True,
    linear="self",
    self=lambda grad, self_shape, dim, index: select_backward(grad, self_shape, dim, index),
    samples=lambda r: [(r(2, 3), 1, -1), (r(3), 0, 1)],
    doc="One slice, without its dimension.",
)
select_scatter: Row = row(
    "select_scatter(Tensor self, Tensor src, int dim, int index)",
    lambda self, src, dim, index: _fill_part(self, _select_index(self.shape, dim, index), src),
    linear="self src",
    self=lambda grad, src_shape, dim, index: select_scatter(
        grad, blank(src_shape, grad), dim, index
    ),
    src=select,
    complex_gradient=False,
    samples=lambda r: [(r(2, 3), r(2), 1, -1)],
    doc="A copy with one slice replaced.",
)


def _range_index(
    shape: Sequence[int], dim: int, start: int | None, end: int | None, step: int
) -> tuple[Any, ...]:
    if not shape:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return part_of(wrap_dim(dim, len(shape)), slice(start, end, step))


def _slice_backward(
    grad_output: Array,
    input_sizes: Sequence[int],
    dim: int,
    start: int | None,
    end: int | None,
    step: int,
) -> Array:
    """A gradient of a range as one of the whole."""
    full = np.zeros(input_sizes, grad_output.dtype)
    part = full[_range_index(input_sizes, dim, start, end, step)]
    if part.shape != grad_output.shape:
        common_shape([part.shape, grad_output.shape])
    part[...] = grad_output
    return full


slice_backward: Row = row(
    "aten.slice_backward",
    _slice_backward,
    linear="grad_output",
    grad_output=lambda grad, dim, start, end, step: slice_(grad, dim, start, end, step),
    samples=lambda r: [(r(2, 3), (5, 3), 0, 1, 5, 2), (r(1, 3), (2, 3), 0, None, -1, 1)],
    pytorch="aten.slice_backward(grad_output, input_sizes, dim, start or 0, end, step)",
)
slice_: Row = row(
    "aten.slice(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)",
    lambda self, dim=0, start=None, end=None, step=1: self[
        _range_index(self.shape, dim, start, end, step)
    ],
    view=True,
    linear="self",
    self=lambda grad, self_shape, dim, start, end, step: slice_backward(
        grad, self_shape, dim, start, end, step
    ),
    samples=lambda r: [(r(5, 3), 0, 1, 4, 2), (r(2, 3), 1, -2), (r(2), 0, 3)],
    doc="A range of indices of one dimension.",
)
slice_scatter: Row = row(
    "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1)",
    lambda self, src, dim=0, start=None, end=None, step=1: _fill_part(
        self, _range_index(self.shape, dim, start, end, step), src
    ),
    linear="self src",
    self=lambda grad, src_shape, dim, start, end, step: slice_scatter(
        grad, blank(src_shape, grad), dim, start, end, step
    ),
    src=slice_,
    complex_gradient=False,
    samples=lambda r: [(r(2, 5), r(2, 2), 1, 1, 4, 2)],
    doc="A copy with a range of indices replaced.",
)


def _narrowed(shape: Sequence[int], dim: int, start: int, length: int) -> tuple[int, int]:
    """The dimension and the start of a range, checked."""
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    where = wrap_dim(dim, len(shape))
    size = shape[where]
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    first = start + size if start < 0 else start
    if first + length > size:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return where, first


@composite("narrow", samples=lambda r: [(r(3, 4), 1, 1, 2), (r(4), 0, -3, 2)])
def narrow(self: Value, dim: int, start: int, length: int) -> Any:
    """A range of `length` indices of one dimension, from `start` on."""
    where, first = _narrowed(shape_of(self), dim, start, length)
    return slice_(self, where, first, first + length, 1)


@composite(
    "narrow",
    samples=lambda r: [
        (r(3, 4), 1, np.array(1), 2),
        (r(4), 0, np.array(-3), 2),
        (r(2, 3), -1, np.array(3), 0),
    ],
)
def narrow_from_tensor(self: Value, dim: int, start: Tensor, length: int) -> Any:
    """The same with the start in a tensor."""
    if start._array.ndim or start._array.dtype.kind not in "iu":
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    return narrow(self, dim, int(start.item()), length)


def _narrow_copy(self: Array, dim: int, start: int, length: int) -> Array:
    """A copy of a range of indices."""
    where, first = _narrowed(self.shape, dim, start, length)
    return self[part_of(where, slice(first, first + length))].copy()


narrow_copy: Row = row(
    "narrow_copy",
    _narrow_copy,
    linear="self",
    # PyTorch does not count a negative start from the end here, and fails where it reaches it.
    self=lambda grad, self_shape, dim, start, length: slice_backward(
        grad, self_shape, dim, start, start + length, 1
    ),
    samples=lambda r: [(r(3, 4), 1, 1, 2), (kinked(r(3, 4)), 1, -2, 2)],
)


def _diagonal(self: Array, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Array:
    """A diagonal of two dimensions, as a new last dimension."""
    first, second = wrap_dim(dim1, self.ndim), wrap_dim(dim2, self.ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    rows, columns = self.shape[first], self.shape[second]
    if not -rows <= offset <= columns:  # NumPy's limits are narrower than PyTorch's
        offset = columns if offset > 0 else -rows
    view: Array = np.diagonal(self, offset, first, second)
    if not view.flags.writeable and self.flags.writeable:
        view.flags.writeable = True
    return view


def _diagonal_backward(
    grad_output: Array, input_sizes: Sequence[int], offset: int, dim1: int, dim2: int
) -> Array:
    """A gradient of a diagonal as one of the whole."""
    full = np.zeros(input_sizes, grad_output.dtype)
    _diagonal(full, offset, dim1, dim2)[...] = grad_output
    return full


diagonal_backward: Row = row(
    "aten.diagonal_backward",
    _diagonal_backward,
    linear="grad_output",
    grad_output=lambda grad, offset, dim1, dim2: diagonal(grad, offset, dim1, dim2),
    samples=lambda r: [(r(2), (2, 3), 1, 0, 1)],
)
diagonal: Row = row(
    "diagonal",
    _diagonal,
    view=True,
    linear="self",
    self=lambda grad, self_shape, offset, dim1, dim2: diagonal_backward(
        grad, self_shape, offset, dim1, dim2
    ),
    samples=lambda r: [(r(3, 4),), (r(2, 3, 4), 1, -1, 0)],
)
diagonal_copy: Row = row(
    "diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1)",
    lambda self, offset=0, dim1=0, dim2=1: _diagonal(self, offset, dim1, dim2).copy(),
    node="DiagonalBackward0_copy",
    linear="self",
    self=lambda grad, self_shape, offset, dim1, dim2: diagonal_backward(
        grad, self_shape, offset, dim1, dim2
    ),
    samples=lambda r: [(r(3, 4),)],
    doc="A copy of a diagonal.",
)


def _diagonal_scatter(
    self: Array, src: Array, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Array:
    """A copy with a diagonal replaced."""
    out = self.copy(order="K")
    part = _diagonal(out, offset, dim1, dim2)
    if part.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)},"
            f" slice size = {list(part.shape)}"
        )
    part[...] = src
    return out


diagonal_scatter: Row = row(
    "diagonal_scatter",
    _diagonal_scatter,
    linear="self src",
    self=lambda grad, src_shape, offset, dim1, dim2: diagonal_scatter(
        grad, blank(src_shape, grad), offset, dim1, dim2
    ),
    src=diagonal,
    samples=lambda r: [(r(3, 4), r(3)), (r(3, 4), r(2), -1)],
)


def _unfold(self: Array, dimension: int, size: int, step: int) -> Array:
    """Windows along one dimension, as a new last dimension."""
    where = wrap_dim(dimension, self.ndim)
    length = self.shape[where] if self.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > length:
        raise RuntimeError(
            f"maximum size for tensor at dimension {where} is {length} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if not self.ndim:
        return self.reshape(1)[:size]
    stride = self.strides[where]
    shape, strides = list(self.shape), list(self.strides)
    shape[where], strides[where] = (length - size) // step + 1, stride * step
    return np.lib.stride_tricks.as_strided(self, (*shape, size), (*strides, stride))


def _unfold_backward(
    grad_in: Array, input_sizes: Sequence[int], dim: int, size: int, step: int
) -> Array:
    """The sum of the gradients of all windows."""
    full = np.zeros(input_sizes, grad_in.dtype)
    if not input_sizes:
        return full + grad_in.sum()
    windows = _unfold(full, dim, size, step)
    for place in range(size):  # windows overlap, but no two have the same element in one place
        windows[..., place] += grad_in[..., place]
    return full


unfold_backward: Row = row(
    "aten.unfold_backward",
    _unfold_backward,
    linear="grad_in",
    grad_in=lambda grad, dim, size, step: unfold(grad, dim, size, step),
    samples=lambda r: [(r(3, 2), (4,), 0, 2, 1)],
)
unfold: Row = row(
    "Tensor.unfold",
    _unfold,
    view=True,
    linear="self",
    self=lambda grad, self_shape, dimension, size, step: unfold_backward(
        grad, self_shape, dimension, size, step
    ),
    samples=lambda r: [(r(5), 0, 3, 1), (r(2, 5), 1, 2, 2), (r(), 0, 1, 1)],
)

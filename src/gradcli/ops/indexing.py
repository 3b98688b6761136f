"""Operators that pick, put and mask elements by index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.arithmetic import remainder
from gradcli.ops.comparison import where_
from gradcli.ops.reduction import sum_all
from gradcli.ops.shape import reshape, shape_of
from gradcli.ops.table import Row, composite, lookup, row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap, wrap_dim

Array = Any


# --- along one dimension


def _along(self: Array, dim: int, index: Array, name: str) -> int:
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    return wrap_dim(dim, self.ndim)


def _grid(index: Array, where: int) -> tuple[Any, ...]:
    grid: list[Any] = list(np.indices(index.shape, sparse=True))
    if grid:
        grid[where] = index
    return tuple(grid)


def _range_check(index: Array, where: int, length: int) -> None:
    if index.size:
        low, high = int(index.min()), int(index.max())
        if low < 0 or high >= length:
            bad = low if low < 0 else high
            raise RuntimeError(
                f"index {bad} is out of bounds for dimension {where} with size {length}"
            )


def _gather(self: Array, dim: int, index: Array, sparse_grad: bool = False) -> Array:
    where = _along(self, dim, index, "gather")
    if not index.size:
        # No place is read, so the dimensions need not agree.
        return np.empty(index.shape, self.dtype)
    if index.ndim != self.ndim and self.ndim and index.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    if not self.ndim:
        return self.copy() if not index.ndim else np.broadcast_to(self, index.shape).copy()
    if not index.ndim:
        return self[int(index)].copy()
    for k in range(self.ndim):
        if k != where and index.shape[k] > self.shape[k]:
            raise RuntimeError(
                f"Size does not match at dimension {k} expected index {list(index.shape)} to be no "
                f"larger than self {list(self.shape)} apart from dimension {where}"
            )
    _range_check(index, where, self.shape[where])
    return self[_grid(index, where)]


gather: Row = row(
    "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False)",
    _gather,
    self=lambda grad, self_shape, dim, index: scatter_add(
        _blank(self_shape, grad), dim, index, grad
    ),
    samples=lambda r: [(r(3, 4), 1, r.ints(3, 2, high=4)), (r(3, 4), 0, r.ints(2, 4, high=3))],
    doc="The elements at given places along a dimension.",
)


def _blank(shape: Sequence[int], like: Any) -> Any:
    array = np.zeros(shape, (like._array if type(like) is Tensor else like).dtype)
    return wrap(array) if type(like) is Tensor else array


def _scatter_shapes(self: Array, where: int, index: Array, src: Array) -> None:
    _range_check(index, where, self.shape[where] if self.ndim else 1)
    for k in range(index.ndim):
        if index.shape[k] > src.shape[k] or (k != where and index.shape[k] > self.shape[k]):
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self {list(self.shape)} "
                f"apart from dimension {where} and to be no larger size than src "
                f"{list(src.shape)}"
            )


def _cut(src: Array, index: Array) -> Array:
    return src[tuple(slice(0, n) for n in index.shape)]


def _scatter(self: Array, dim: int, index: Array, src: Array) -> Array:
    where = _along(self, dim, index, "scatter")
    if not index.size:
        return self.copy()
    if not self.ndim:
        return np.asarray(src).reshape(()).copy()
    _scatter_shapes(self, where, index, src)
    full = self.copy()
    full[_grid(index, where)] = _cut(src, index)
    return full


def _within(grad: Any, dim: int, index: Any, src_shape: Any) -> Any:
    """The gradient of a source that may be larger than the index."""
    picked = gather(grad, dim, index)
    if shape_of(picked) == tuple(src_shape):
        return picked
    from gradcli.ops.padding import constant_pad

    missing = [n - m for n, m in zip(src_shape, shape_of(picked), strict=True)]
    pad = tuple(count for extra in reversed(missing) for count in (0, extra))
    return constant_pad(picked, pad, 0)


scatter_src: Row = row(
    "scatter(Tensor self, int dim, Tensor index, Tensor src)",
    _scatter,
    self=lambda grad, dim, index: scatter_value(grad, dim, index, 0),
    src=lambda grad, dim, index, src_shape: _within(grad, dim, index, src_shape),
    samples=lambda r: [(r(3, 4), 1, np.array([[0, 2], [1, 3], [2, 0]]), r(3, 2))],
    doc="A copy of self with elements of src at given places along a dimension.",
)


def _scatter_value(self: Array, dim: int, index: Array, value: complex) -> Array:
    where = _along(self, dim, index, "scatter")
    if not index.size:
        return self.copy()
    if not self.ndim:
        return np.asarray(value, self.dtype)
    _range_check(index, where, self.shape[where])
    full = self.copy()
    full[_grid(index, where)] = value
    return full


scatter_value: Row = row(
    "scatter(Tensor self, int dim, Tensor index, Scalar value)",
    _scatter_value,
    node="ScatterBackward1",
    self=lambda grad, dim, index: scatter_value(grad, dim, index, 0),
    samples=lambda r: [(r(3, 4), 1, np.array([[0, 2], [1, 3], [2, 0]]), 1.5)],
    doc="A copy of self with a number at given places along a dimension.",
)


@composite(
    "scatter(Tensor self, int dim, Tensor index, Tensor src, *, str reduce)",
    doc="scatter that adds ('add') or multiplies ('multiply') instead of writing.",
)
def scatter_reducing(self: Any, dim: int, index: Any, src: Any, reduce: str) -> Any:
    if reduce == "add":
        return scatter_add(self, dim, index, src)
    return _scatter_multiply(self, dim, index, src)


@composite(
    "scatter(Tensor self, int dim, Tensor index, Scalar value, *, str reduce)",
    doc="scatter that adds a number to the given places or multiplies them with it.",
)
def scatter_reducing_value(self: Any, dim: int, index: Any, value: complex, reduce: str) -> Any:
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    filled = wrap(np.full(index.shape, value).astype(self.dtype.np))
    return scatter_reducing(self, dim, index, filled, reduce)


def _scatter_multiply(self: Any, dim: int, index: Any, src: Any) -> Any:
    scatter_reduce: Any = lookup("scatter_reduce")
    return scatter_reduce(self, dim, index, src, "prod")


def _scatter_add(self: Array, dim: int, index: Array, src: Array) -> Array:
    where = _along(self, dim, index, "scatter_add")
    if not index.size:
        return self.copy()
    if not self.ndim:
        return self + src.reshape(())
    _scatter_shapes(self, where, index, src)
    full = self.copy()
    np.add.at(full, _grid(index, where), _cut(src, index))
    return full


scatter_add: Row = row(
    "scatter_add(Tensor self, int dim, Tensor index, Tensor src)",
    _scatter_add,
    self=lambda grad: grad,
    src=lambda grad, dim, index, src_shape: _within(grad, dim, index, src_shape),
    samples=lambda r: [(r(3, 4), 1, np.array([[0, 2], [1, 1], [2, 0]]), r(3, 2))],
    doc="self plus the elements of src at given places along a dimension.",
)


@composite(
    "take_along_dim(Tensor self, Tensor indices, int? dim=None)",
    samples=lambda r: [(r(3, 4), r.ints(3, 2, high=4), 1)],
    doc="The elements at given places along a dimension, shapes broadcasting.",
)
def take_along_dim(self: Any, indices: Any, dim: int | None = None) -> Any:
    if dim is None:
        return gather(reshape(self, (-1,)), 0, reshape(indices, (-1,)))
    where = wrap_dim(dim, self.ndim)
    if self.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {self.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    a, b = list(self.shape), list(indices.shape)
    full = np.broadcast_shapes(
        tuple(1 if k == where else n for k, n in enumerate(a)),
        tuple(1 if k == where else n for k, n in enumerate(b)),
    )
    left = [a[where] if k == where else n for k, n in enumerate(full)]
    right = [b[where] if k == where else n for k, n in enumerate(full)]
    return gather(self.broadcast_to(left), where, remainder(indices.broadcast_to(right), a[where]))


def _index_select(self: Array, dim: int, index: Array) -> Array:
    where = wrap_dim(dim, self.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype.kind not in "iu":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not self.ndim:
        return self.copy()
    if index.size and (index.min() < 0 or index.max() >= self.shape[where]):
        raise IndexError("index out of range in self")
    return np.take(self, index.reshape(-1), axis=where)


index_select: Row = row(
    "index_select(Tensor self, int dim, Tensor index)",
    _index_select,
    self=lambda grad, self_shape, dim, index: index_add(_blank(self_shape, grad), dim, index, grad),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2, 2]))],
    doc="Slices along a dimension at given places.",
)


def _slot(ndim: int, where: int, index: Array) -> Any:
    return (slice(None),) * where + (index.reshape(-1),)


def _index_add(self: Array, dim: int, index: Array, source: Array, alpha: complex = 1) -> Array:
    where = wrap_dim(dim, self.ndim)
    full = self.copy()
    part = source if alpha == 1 else source * self.dtype.type(alpha)
    if not self.ndim:
        return full + part.sum()
    if not part.ndim:
        part = part.reshape(1)
    np.add.at(full, _slot(self.ndim, where, index), part)
    return full


index_add: Row = row(
    "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1)",
    _index_add,
    self=lambda grad: grad,
    source=lambda grad, dim, index, source_shape, alpha: (
        reshape(index_select(grad, dim, index), source_shape) * alpha
        if alpha != 1
        else reshape(index_select(grad, dim, index), source_shape)
    ),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2, 2]), r(3, 3))],
    doc="self plus slices of source at given places along a dimension.",
)


def _index_copy(self: Array, dim: int, index: Array, source: Array) -> Array:
    where = wrap_dim(dim, self.ndim)
    full = self.copy()
    if not self.ndim:
        return source.reshape(()).copy()
    full[_slot(self.ndim, where, index)] = source
    return full


index_copy: Row = row(
    "index_copy(Tensor self, int dim, Tensor index, Tensor source)",
    _index_copy,
    self=lambda grad, dim, index: index_fill_number(grad, dim, index, 0),
    source=lambda grad, dim, index, source_shape: reshape(
        index_select(grad, dim, index), source_shape
    ),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2]), r(3, 2))],
    doc="A copy of self with slices of source at given places along a dimension.",
)


def _index_fill(self: Array, dim: int, index: Array, value: Any) -> Array:
    where = wrap_dim(dim, self.ndim)
    full = self.copy()
    if not self.ndim:
        return np.asarray(value, self.dtype) if index.size else full
    full[_slot(self.ndim, where, index)] = value
    return full


def _once(index: Any) -> Any:
    """The places of an index without repetition: a slice is filled once however often named."""
    if type(index) is Tensor:
        return wrap(np.unique(index._array))
    return np.unique(index)


index_fill_number: Row = row(
    "index_fill(Tensor self, int dim, Tensor index, Scalar value)",
    _index_fill,
    node="IndexFillBackward0",
    self=lambda grad, dim, index: index_fill_number(grad, dim, index, 0),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2]), 1.5)],
    doc="A copy of self with one value in slices along a dimension.",
)
index_fill_tensor: Row = row(
    "index_fill(Tensor self, int dim, Tensor index, Tensor value)",
    _index_fill,
    node="IndexFillBackward1",
    self=lambda grad, dim, index: index_fill_number(grad, dim, index, 0),
    value=lambda grad, dim, index: sum_all(index_select(grad, dim, _once(index))),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2]), r())],
    doc="A copy of self with one value in slices along a dimension.",
)

# --- in the flattened tensor


def _flat_range(self: Array, index: Array, name: str) -> Array:
    if index.size and (index.min() < -self.size or index.max() >= self.size):
        raise IndexError(
            f"out of range: tried to access index {int(index.max())} on a tensor of "
            f"{self.size} elements."
        )
    return index


take: Row = row(
    "take(Tensor self, Tensor index)",
    lambda self, index: self.reshape(-1)[_flat_range(self, index, "take")],
    self=lambda grad, self_shape, index: put(_blank(self_shape, grad), index, grad, True),
    samples=lambda r: [(r(3, 4), np.array([[0, 5], [5, 11]]))],
    doc="The elements at places of the flattened tensor.",
)


def _put_flat(self: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    full = np.array(self, order="C")
    flat = full.reshape(-1)
    where = _flat_range(self, index, "put_").reshape(-1)
    if index.size != source.size:
        raise RuntimeError(
            f"put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.size}, index.numel() = {index.size}"
        )
    if accumulate:
        np.add.at(flat, where, source.reshape(-1))
    else:
        flat[where] = source.reshape(-1)
    return full


put: Row = row(
    "put(Tensor self, Tensor index, Tensor source, bool accumulate=False)",
    _put_flat,
    self=lambda grad, index, accumulate: (
        grad if accumulate else put(grad, index, take(grad, index) * 0, False)
    ),
    source=lambda grad, index, source_shape: reshape(take(grad, index), source_shape),
    samples=lambda r: [(r(3, 4), np.array([0, 5]), r(2)), (r(3), np.array([1, 1]), r(2), True)],
    doc="A copy of self with the elements of source at places of the flattened tensor.",
)

# --- masks


def _mask(mask: Array, name: str) -> Array:
    if mask.dtype != np.bool_:
        word = dtypes.of(mask).scalar_name.lower()
        raise RuntimeError(f"{name} only supports boolean masks, but got mask with dtype {word}")
    return mask


masked_fill_number: Row = row(
    "masked_fill(Tensor self, Tensor mask, Scalar value)",
    lambda self, mask, value: np.where(_mask(mask, "masked_fill_"), self.dtype.type(value), self),
    self=lambda grad, mask: masked_fill_number(grad, mask, 0),
    samples=lambda r: [(r(3, 4), r.mask(3, 4), 1.5), (r(3, 4), r.mask(4), 0)],
    doc="A copy of self with a number where the mask holds.",
)


def _masked_fill(self: Array, mask: Array, value: Array) -> Array:
    if value.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    return np.where(_mask(mask, "masked_fill_"), value.astype(self.dtype), self)


masked_fill_tensor: Row = row(
    "masked_fill(Tensor self, Tensor mask, Tensor value)",
    _masked_fill,
    node="MaskedFillBackward1",
    self=lambda grad, mask: masked_fill_number(grad, mask, 0),
    value=lambda grad, mask: where_(mask, grad, 0.0),
    samples=lambda r: [(r(3, 4), r.mask(3, 4), r())],
    doc="A copy of self with one value where the mask holds.",
)


def _masked_select(self: Array, mask: Array) -> Array:
    _mask(mask, "masked_select")
    a, b = np.broadcast_arrays(self, mask)
    return a[b]


masked_select: Row = row(
    "masked_select(Tensor self, Tensor mask)",
    _masked_select,
    self=lambda grad, self_shape, mask: masked_scatter(
        _blank(np.broadcast_shapes(tuple(self_shape), shape_of(mask)), grad), mask, grad
    ),
    samples=lambda r: [(r(3, 4), np.array([[True, False, True, True]] * 3))],
    doc="The elements where the mask holds, as a vector.",
)


def _masked_scatter(self: Array, mask: Array, source: Array) -> Array:
    full = np.array(np.broadcast_to(self, np.broadcast_shapes(self.shape, mask.shape)))
    where = np.broadcast_to(mask, full.shape)
    count = int(where.sum())
    if source.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    full[where] = source.reshape(-1)[:count]
    return full


def _masked_scatter_source(grad: Any, mask: Any, source_shape: Sequence[int]) -> Any:
    picked = masked_select(grad, mask)
    missing = int(np.prod(source_shape)) - shape_of(picked)[0]
    if missing:
        from gradcli.ops.padding import constant_pad

        picked = constant_pad(picked, (0, missing), 0)
    return reshape(picked, source_shape)


masked_scatter: Row = row(
    "masked_scatter(Tensor self, Tensor mask, Tensor source)",
    _masked_scatter,
    self=lambda grad, mask: masked_fill_number(grad, mask, 0),
    source=_masked_scatter_source,
    samples=lambda r: [(r(3, 4), r.mask(3, 4), r(12))],
    doc="A copy of self with the elements of source, in order, where the mask holds.",
)

# --- where, and the places of non-zeros


@composite(
    "where(Tensor condition, Operand self, Operand other)",
    samples=lambda r: [(r.mask(3, 4), r(3, 4), r(4))],
    doc="Elements of self where the condition holds, of other elsewhere.",
)
def where(condition: Any, self: Any, other: Any) -> Any:
    if condition._array.dtype not in (np.bool_, np.uint8):
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype.scalar_name}"
        )
    operands = [v._array if isinstance(v, Tensor) else v for v in (self, other)]
    kind = dtypes.result_type(operands)
    cast = [
        v.to(kind) if isinstance(v, Tensor) else wrap(np.asarray(v, kind.np)) for v in (self, other)
    ]
    return where_(condition, *cast)


@composite("where(Tensor condition)", doc="The places of non-zero elements, a tensor a dimension.")
def where_nonzero(condition: Any) -> Any:
    return nonzero(condition, as_tuple=True)


@composite(
    "nonzero(Tensor self, *, bool as_tuple=False)",
    doc="The places of non-zero elements, one a row (or a tensor a dimension).",
)
def nonzero(self: Any, as_tuple: bool = False) -> Any:
    array = self._array
    if as_tuple:
        found = np.nonzero(np.atleast_1d(array))
        return tuple(wrap(np.asarray(part, np.int64)) for part in found)
    if not array.ndim:
        return wrap(np.zeros((int(bool(array)), 0), np.int64))
    return wrap(np.argwhere(array).astype(np.int64))


@composite("argwhere(Tensor self)", doc="The places of non-zero elements, one a row.")
def argwhere(self: Any) -> Any:
    return nonzero(self)


@composite(
    "nonzero_static(Tensor self, *, int size, int fill_value=-1)",
    doc="The first `size` places of non-zero elements, one a row, filled up with fill_value.",
)
def nonzero_static(self: Any, size: int, fill_value: int = -1) -> Any:
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = nonzero(self)._array[:size]
    places = np.full((size, found.shape[1]), fill_value, np.int64)
    places[: len(found)] = found
    return wrap(places)

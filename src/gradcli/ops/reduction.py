"""Operators that reduce dimensions to one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.comparison import eq, isnan, logical_not
from gradcli.ops.shape import expand, reshape, shape_of, unsqueeze
from gradcli.ops.table import Row, composite, row
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import Tensor, wrap, wrap_dim

Array = Any


def axes(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions that ``dim`` (None or empty: all) means, counted from the front."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    wrapped = tuple(wrap_dim(d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    for position, where in enumerate(wrapped):
        if where in wrapped[:position]:
            raise RuntimeError(f"dim {where} appears multiple times in the list of dims")
    return wrapped if ndim else ()


def _accumulator(self: Array, dtype: DType | None) -> Any:
    """Sums of integers and booleans are int64."""
    if dtype is not None:
        return dtype.np
    return np.dtype(np.int64) if self.dtype.kind in "iub" else self.dtype


def unreduce(grad: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """A gradient of a reduction, spread over the shape that was reduced."""
    return expand(restore(grad, shape, dim, keepdim), shape)


def restore(value: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """The result of a reduction with its reduced dimensions put back, of length one."""
    if not keepdim and shape:
        for where in sorted(axes(dim, len(shape))):
            value = unsqueeze(value, where)
    return value


sum_all: Row = row(
    "sum(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: np.sum(self, dtype=_accumulator(self, dtype)),
    self=lambda grad, self_shape: expand(grad, self_shape),
    samples=lambda r: [(r(3, 4),), (r(),), (r(0, 2),)],
    doc="The sum of all elements.",
)
sum_dim: Row = row(
    "sum(Tensor self, int[1]? dim, bool keepdim=False, *, dtype? dtype=None)",
    lambda self, dim, keepdim=False, dtype=None: np.sum(
        self, axis=axes(dim, self.ndim), keepdims=keepdim, dtype=_accumulator(self, dtype)
    ),
    node="SumBackward1",
    self=lambda grad, self_shape, dim, keepdim: unreduce(grad, self_shape, dim, keepdim),
    samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, -1), True), (r(), (0,))],
    doc="The sum along dimensions.",
)


def sum_to(value: Any, shape: tuple[int, ...]) -> Any:
    """Sums the dimensions along which ``shape`` was broadcast."""
    found = shape_of(value)
    lead = len(found) - len(shape)
    dims = list(range(lead))
    dims += [lead + k for k, n in enumerate(shape) if n == 1 and found[lead + k] != 1]
    if type(value) is not Tensor:
        return np.sum(value, axis=tuple(dims), keepdims=True).reshape(shape)
    summed = sum_dim(value, tuple(dims), True) if dims else value
    return reshape(summed, shape) if lead else summed


nansum: Row = row(
    "nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None)",
    lambda self, dim=None, keepdim=False, dtype=None: np.nansum(
        self, axis=axes(dim, self.ndim), keepdims=keepdim, dtype=_accumulator(self, dtype)
    ),
    self=lambda grad, self, self_shape, dim, keepdim: (
        unreduce(grad, self_shape, dim, keepdim) * logical_not(isnan(self))
    ),
    samples=lambda r: [(r(3, 4), (0,)), (r(3),)],
    doc="The sum of the elements that are not nan.",
)

# --- means


def _mean_type(self: Array, dtype: DType | None) -> Any:
    if dtype is not None:
        return dtype.np
    if self.dtype.kind in "iub":
        word = dtypes.of(self).scalar_name
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {word}"
        )
    return self.dtype


def count_of(shape: Sequence[int], dim: Any) -> int:
    """How many elements a reduction combines into one."""
    count = 1
    for where in axes(dim, len(shape)):
        count *= shape[where]
    return count


mean_all: Row = row(
    "mean(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: np.mean(self, dtype=_mean_type(self, dtype)),
    self=lambda grad, self_shape: expand(grad, self_shape) / count_of(self_shape, None),
    samples=lambda r: [(r(3, 4),), (r(),)],
    doc="The mean of all elements.",
)
mean_dim: Row = row(
    "mean(Tensor self, int[1]? dim, bool keepdim=False, *, dtype? dtype=None)",
    lambda self, dim, keepdim=False, dtype=None: np.mean(
        self, axis=axes(dim, self.ndim), keepdims=keepdim, dtype=_mean_type(self, dtype)
    ),
    node="MeanBackward1",
    self=lambda grad, self_shape, dim, keepdim: (
        unreduce(grad, self_shape, dim, keepdim) / count_of(self_shape, dim)
    ),
    samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, -1), True)],
    doc="The mean along dimensions.",
)


@composite(
    "nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, dtype? dtype=None)",
    samples=lambda r: [(r(3, 4), (0,)), (r(3),)],
    doc="The mean of the elements that are not nan.",
)
def nanmean(self: Any, dim: Any = None, keepdim: bool = False, dtype: DType | None = None) -> Any:
    if self.dtype.category < dtypes.FLOATING:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got "
            f"{self.dtype.scalar_name}"
        )
    kept = sum_dim(logical_not(isnan(self.detach())), dim, keepdim)
    return nansum(self, dim, keepdim, dtype) / kept


# --- products


def _product_type(self: Array, dtype: DType | None) -> Any:
    return _accumulator(self, dtype)


def _safe_product_vjp(grad: Any, self: Any, dim: int) -> Any:
    """The products of all other elements along a dimension, right also where some are zero."""
    from gradcli.ops.joining import cat
    from gradcli.ops.placement import flip
    from gradcli.ops.scans import cumprod
    from gradcli.ops.slicing import blank, slice_

    length = shape_of(self)[dim]
    if length == 1:
        return grad
    shape = list(shape_of(self))
    shape[dim] = 1
    one = blank(shape, self) + 1
    before = cumprod(cat([one, slice_(self, dim, 0, length - 1, 1)], dim), dim)
    reversed_ = flip(slice_(self, dim, 1, length, 1), (dim,))
    after = flip(cumprod(cat([one, reversed_], dim), dim), (dim,))
    return grad * (before * after)


def _has_zero(value: Any) -> bool:
    array = value._array if type(value) is Tensor else value
    return bool(np.any(np.equal(array, 0)))


def _prod_all_vjp(grad: Any, self: Any, self_shape: Any, result: Any) -> Any:
    if not self_shape:
        return grad
    if not _has_zero(self):
        return grad * (result / self)
    return reshape(_safe_product_vjp(grad, reshape(self, (-1,)), 0), self_shape)


def _prod_dim_vjp(
    grad: Any, self: Any, self_shape: Any, result: Any, dim: int, keepdim: bool
) -> Any:
    if not self_shape:
        return grad
    grad = restore(grad, self_shape, dim, keepdim)
    if not _has_zero(self):
        return grad * (restore(result, self_shape, dim, keepdim) / self)
    return _safe_product_vjp(grad, self, wrap_dim(dim, len(self_shape)))


prod_all: Row = row(
    "prod(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: np.prod(self, dtype=_product_type(self, dtype)),
    self=_prod_all_vjp,
    samples=lambda r: [(r(2, 3),), (r(),), (np.array([1.5, 0.0, 2.0]),)],
    doc="The product of all elements.",
)
prod_dim: Row = row(
    "prod(Tensor self, int dim, bool keepdim=False, *, dtype? dtype=None)",
    lambda self, dim, keepdim=False, dtype=None: np.prod(
        self, axis=axes(dim, self.ndim), keepdims=keepdim, dtype=_product_type(self, dtype)
    ),
    node="ProdBackward1",
    self=_prod_dim_vjp,
    samples=lambda r: [(r(2, 3), 1), (r(2, 3), 0, True)],
    doc="The product along a dimension.",
)

# --- truth

for _name, _function, _doc in (
    ("all", np.all, "Whether all elements are non-zero."),
    ("any", np.any, "Whether any element is non-zero."),
):

    def _truth(
        self: Array, dim: Any = None, keepdim: bool = False, function: Any = _function
    ) -> Array:
        found = function(self, axis=axes(dim, self.ndim), keepdims=keepdim)
        return found.astype(np.uint8) if self.dtype == np.uint8 else found

    row(f"{_name}(Tensor self)", _truth, doc=_doc)
    row(f"{_name}(Tensor self, int[1]? dim, bool keepdim=False)", _truth, doc=_doc)

# --- extremes that share a tie evenly


def _shared(grad: Any, self: Any, result: Any, shape: Any, dim: Any, keepdim: bool) -> Any:
    if not shape:
        return grad
    winners = eq(self, restore(result, shape, dim, keepdim))
    grad = restore(grad, shape, dim, keepdim)
    return grad * winners / sum_dim(winners, dim or (), True)


def _amax(name: str, function: Any, doc: str) -> Row:
    def forward(self: Array, dim: Any = (), keepdim: bool = False) -> Array:
        where = axes(dim, self.ndim)
        if self.size == 0 and any(self.shape[w] == 0 for w in where):
            if not dim:
                raise RuntimeError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                    "Specify the reduction dim with the 'dim' argument."
                )
            empty = next(w for w in where if self.shape[w] == 0)
            raise IndexError(f"{name}(): Expected reduction dim {empty} to have non-zero size.")
        return function(self, axis=where, keepdims=keepdim)

    return row(
        f"{name}(Tensor self, int[1] dim=(), bool keepdim=False)",
        forward,
        self=lambda grad, self, self_shape, result, dim, keepdim: _shared(
            grad, self, result, self_shape, dim, keepdim
        ),
        kink="elements that tie for the extreme share the gradient evenly",
        samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, 2), True), (r(3),), (r(),)],
        doc=doc,
    )


amax = _amax("amax", np.amax, "The largest elements along dimensions.")
amin = _amax("amin", np.amin, "The smallest elements along dimensions.")


def _trace(self: Array) -> Array:
    if self.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {self.ndim}")
    return np.asarray(np.trace(self, dtype=_accumulator(self, None)))


trace: Row = row(
    "trace(Tensor self)",
    _trace,
    self=lambda grad, self_shape: _trace_backward(grad, self_shape),
    samples=lambda r: [(r(3, 3),), (r(2, 3),)],
    doc="The sum of a matrix's diagonal.",
)


def _trace_backward(grad: Any, sizes: Sequence[int]) -> Any:
    eye = np.eye(sizes[0], sizes[1])
    return grad * (wrap(eye) if type(grad) is Tensor else eye)

"""Cumulative operators: running sums, products and extremes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels.running import running
from gradcli.ops.algebra.comparison import conj, is_complex
from gradcli.ops.algebra.elementary import exp, log, log_add_exp
from gradcli.ops.algebra.gathering import scatter_add
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.parts import blank, slice_
from gradcli.ops.algebra.placement import flip
from gradcli.ops.algebra.sums import axes, restore, sum_dim, sum_type
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.table.declare import composite, row
from gradcli.table.entry import METHOD
from gradcli.table.row import Row
from gradcli.tensor.dtypes import INEXACT, DType
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor, raw
from gradcli.typing import Array


def _cumulate(name: str, ufunc: np.ufunc) -> Any:
    def forward(self: Array, dim: int, dtype: DType | None = None) -> Array:
        where, kind = wrap_dim(dim, self.ndim), np.dtype(sum_type(self, dtype))
        require_kinds(kind, "fciu", f"{name}_out_cpu")
        if not self.ndim:
            return self.astype(kind)
        found = running(ufunc, self, where, kind)
        if ufunc is np.add and kind.kind in INEXACT:
            found += kind.type(0)  # sums start at 0, which leaves no negative zero
        return found

    return forward


def reversed_cumsum(value: Any, dim: int) -> Any:
    """Sums of each element and all that follow it."""
    shape = shape_of(value)
    if math.prod(shape) <= 1 or shape[wrap_dim(dim, len(shape))] == 1:
        return value
    if type(value) is not Tensor:
        return running(np.add, value, wrap_dim(dim, len(shape)), value.dtype, backwards=True)
    return flip(cumsum(flip(value, (dim,)), dim), (dim,))


cumsum: Row = row(
    "cumsum(Tensor self, int dim, *, dtype? dtype=None)",
    _cumulate("cumsum", np.add),
    linear="self",
    self=reversed_cumsum,
    samples=lambda r: [(r(3, 4), 1), (r(3), 0), (r(), 0)],
    doc="Running sums along a dimension.",
    inplace=METHOD,
)


def _cumprod_vjp(grad: Any, self: Any, result: Any, dim: int) -> Any:
    array = self._array if type(self) is Tensor else np.asarray(self)
    if array.size <= 1:
        return grad
    where = wrap_dim(dim, array.ndim)
    if array.shape[where] == 1:
        return grad
    conjugate = conj(self)
    if not np.any(array == 0):
        return reversed_cumsum(conj(result) * grad, where) / conjugate
    return _cumprod_with_zeros(grad, conjugate, where)


def _cumprod_with_zeros(grad: Any, self: Any, dim: int) -> Any:
    """Element k gets the sum over j >= k of grad_j times the product of all others up to j."""
    length = shape_of(self)[dim]
    shape = list(shape_of(self))
    shape[dim] = 1
    one = blank(shape, self) + 1
    before = one
    full = blank(shape_of(self), self)
    for k in range(length):
        after = slice_(self, dim, k + 1, length, 1)
        products = cumprod(cat([one, after], dim), dim)
        weighted = slice_(grad, dim, k, length, 1) * products
        part = before * sum_dim(weighted, (dim,), True)
        before = before * slice_(self, dim, k, k + 1, 1)
        place = slice_(full, dim, k, k + 1, 1)
        if type(place) is Tensor:
            place.copy_(part)
        else:
            place[...] = part
    return full


cumprod: Row = row(
    "cumprod(Tensor self, int dim, *, dtype? dtype=None)",
    _cumulate("cumprod", np.multiply),
    self=_cumprod_vjp,
    samples=lambda r: [(r(2, 3), 1), (r(3), 0), (np.array([1.5, 0.0, 2.0, 0.0, -1.0]), 0)],
    doc="Running products along a dimension.",
    inplace=METHOD,
)


def _safe_product_vjp(grad: Any, self: Any, dim: int) -> Any:
    """The products of all other elements along a dimension, right also where some are zero."""
    length = shape_of(self)[dim]
    if length == 1:
        return grad
    shape = list(shape_of(self))
    shape[dim] = 1
    one = blank(shape, self) + 1
    before = cumprod(cat([one, slice_(self, dim, 0, length - 1, 1)], dim), dim)
    reversed_ = flip(slice_(self, dim, 1, length, 1), (dim,))
    after = flip(cumprod(cat([one, reversed_], dim), dim), (dim,))
    return grad * conj(before * after)


def _has_zero(value: Any) -> bool:
    array = raw(value)
    return bool(np.any(np.equal(array, 0)))


def _prod_all_vjp(grad: Any, self: Any, self_shape: Any, result: Any) -> Any:
    if not self_shape:
        return grad
    if not _has_zero(self):
        return grad * conj(result / self)
    return reshape(_safe_product_vjp(grad, reshape(self, (-1,)), 0), self_shape)


def _prod_dim_vjp(
    grad: Any, self: Any, self_shape: Any, result: Any, dim: int, keepdim: bool
) -> Any:
    if not self_shape:
        return grad
    grad = restore(grad, self_shape, dim, keepdim)
    if not _has_zero(self):
        return grad * conj(restore(result, self_shape, dim, keepdim) / self)
    return _safe_product_vjp(grad, self, wrap_dim(dim, len(self_shape)))


prod_all: Row = row(
    "prod(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: np.prod(self, dtype=sum_type(self, dtype)),
    self=_prod_all_vjp,
    samples=lambda r: [(r(2, 3),), (r(),), (np.array([1.5, 0.0, 2.0]),)],
    doc="The product of all elements.",
)


prod_dim: Row = row(
    "prod(Tensor self, int dim, bool keepdim=False, *, dtype? dtype=None)",
    lambda self, dim, keepdim=False, dtype=None: np.prod(
        self, axis=axes(dim, self.ndim), keepdims=keepdim, dtype=sum_type(self, dtype)
    ),
    node="ProdBackward1",
    self=_prod_dim_vjp,
    samples=lambda r: [(r(2, 3), 1), (r(2, 3), 0, True)],
    doc="The product along a dimension.",
)


def _cumulative_extreme(name: str, better: Any, doc: str) -> None:
    def forward(self: Array, dim: int) -> tuple[Array, Array]:
        if not self.ndim and dim not in (0, -1):
            raise IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
        if not self.size:
            return self.copy(), np.zeros(self.shape, np.int64)
        where = wrap_dim(dim, self.ndim)
        require_kinds(self.dtype, "fiub", f"{name}_cpu")
        if not self.ndim:
            return self.copy(), np.zeros((), np.int64)
        values = better.accumulate(self, axis=where)
        places = np.arange(self.shape[where]).reshape(
            [-1 if k == where else 1 for k in range(self.ndim)]
        )
        hits = (self == values) | (
            np.isnan(self) & np.isnan(values) if self.dtype.kind == "f" else False
        )
        return values, np.maximum.accumulate(np.where(hits, places, 0), axis=where)

    made = row(
        f"aten.{name}",
        forward,
        self=lambda grad, self_shape, result1, dim: _spread_extreme(grad, self_shape, result1, dim),
        kink="of elements that tie the last has the gradient",
        samples=lambda r: [(r(3, 4), 1), (r(3), 0)],
        doc=doc,
    )
    composite(
        f"{name}(Tensor self, int dim)",
        samples=lambda r: [(r(3, 4), 1), (r(3, 2), -2), (r(), 0), (r.ints(5, high=3), 0)],
        doc=doc,
    )(lambda self, dim: return_type(name, "values indices")(made(self, dim)))


def _spread_extreme(grad: Any, shape: Sequence[int], indices: Any, dim: int) -> Any:
    """The gradients of running extremes, added up where they were attained."""
    if 0 in shape:
        return grad
    return scatter_add(blank(shape, grad), dim, indices, grad)


_cumulative_extreme("cummax", np.maximum, "Running maxima along a dimension, and where they stand.")
_cumulative_extreme("cummin", np.minimum, "Running minima along a dimension, and where they stand.")


def _logcumsumexp(self: Array, dim: int) -> Array:
    """The logarithm of running sums of exponentials."""
    where = wrap_dim(dim, self.ndim)
    require_kinds(self.dtype, "fc", "logcumsumexp_out_cpu")
    if not self.ndim:
        return self.copy()
    if self.dtype.kind != "c":
        return np.logaddexp.accumulate(self, axis=where)
    running = np.moveaxis(self.copy(), where, 0)
    for position in range(1, len(running)):
        running[position] = log_add_exp(running[position - 1], running[position])
    return np.moveaxis(running, 0, where)


def _signed_sums(factors: Array, logs: Array, dim: int) -> tuple[Array, Array]:
    """The logarithms of the running sums of factors * exp(logs), of those above and below zero."""
    with np.errstate(divide="ignore"):
        sizes = np.log(np.abs(factors)) + logs
    lowest = np.asarray(-np.inf, sizes.dtype)
    above = np.logaddexp.accumulate(np.where(factors > 0, sizes, lowest), axis=dim)
    below = np.logaddexp.accumulate(np.where(factors < 0, sizes, lowest), axis=dim)
    return above, below


def _sums_of_rest(factors: Array, self: Array, sums: Array, dim: int) -> Array:
    """exp(self) times the sums of factors * exp(-sums) from each place on."""
    above, below = _signed_sums(np.flip(factors, dim), np.flip(-sums, dim), dim)
    difference = np.exp(np.flip(above, dim) + self) - np.exp(np.flip(below, dim) + self)
    return np.asarray(difference)


def _sums_so_far(factors: Array, self: Array, sums: Array, dim: int) -> Array:
    """exp(-sums) times the sums of factors * exp(self) up to each place."""
    above, below = _signed_sums(factors, self, dim)
    return np.asarray(np.exp(above - sums) - np.exp(below - sums))


def _scans_of(r: Any) -> list[Any]:
    """Factors, numbers and the logarithms of the running sums of their exponentials."""
    self = r(3, 4)
    return [(r(3, 4), self, np.logaddexp.accumulate(self, axis=1), 1)]


sums_of_rest: Row = row(
    "aten.logcumsumexp_backward",
    _sums_of_rest,
    node="SubBackward0",
    factors=lambda grad, self, sums, dim: sums_so_far(grad, self, sums, dim),
    self=lambda grad, result: grad * result,
    sums=lambda grad, factors, self, sums, dim: -factors * sums_so_far(grad, self, sums, dim),
    samples=_scans_of,
    untested="a piece of gradients",
)
sums_so_far: Row = row(
    "aten.logcumsumexp_forward",
    _sums_so_far,
    factors=lambda grad, self, sums, dim: sums_of_rest(grad, self, sums, dim),
    self=lambda grad, factors, self, sums, dim: factors * sums_of_rest(grad, self, sums, dim),
    sums=lambda grad, result: -grad * result,
    samples=_scans_of,
    untested="a piece of gradients",
)


def _logcumsumexp_vjp(grad: Any, self: Any, result: Any, dim: int) -> Any:
    """exp(self) * reversed_cumsum(grad * exp(-result)), in logarithms so that nothing overflows."""
    array = raw(grad)
    if not array.ndim or not array.size:
        return grad
    if is_complex(grad):
        logs = flip(log(conj(grad)) - result, (dim,))
        return conj(exp(flip(logcumsumexp(logs, dim), (dim,)) + self))
    return sums_of_rest(grad, self, result, dim)


logcumsumexp: Row = row(
    "logcumsumexp",
    _logcumsumexp,
    self=_logcumsumexp_vjp,
    samples=lambda r: [(r(3, 4), 1), (r(), 0)],
)

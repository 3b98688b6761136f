"""Norms and condition numbers of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import reciprocal
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.parts import narrow
from gradcli.ops.algebra.sums import amax, amin, sum_dim
from gradcli.ops.algebra.views import permute, squeeze_dim, unsqueeze
from gradcli.ops.linalg.matrices import check_floating, check_matrix, check_square
from gradcli.ops.linalg.solving import inv_ex_row
from gradcli.ops.linalg.spectra import svdvals
from gradcli.ops.measuring.norms import check_norm_dtype, vector_norm
from gradcli.table.declare import composite
from gradcli.table.samples import kinked
from gradcli.tensor.dtypes import DType
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import wrap
from gradcli.typing import Pair, Scalar, Single, Value

_NAME = "linalg.matrix_norm"
_ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def _checked(self: Any, dim: Sequence[int], dtype: DType | None, half: bool) -> tuple[int, int]:
    """The two dimensions, counted from the front."""
    check_matrix(self._array, _NAME)
    check_floating(self._array, _NAME, half)
    if len(dim) != 2:
        raise RuntimeError(f"{_NAME}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    first, second = (wrap_dim(each, self.ndim) for each in dim)
    if first == second:
        raise RuntimeError(f"{_NAME}: dims must be different. Got ({first}, {second})")
    check_norm_dtype(_NAME, dtype, self.dtype)
    return first, second


def _singular_values(self: Any, dims: tuple[int, int], dtype: DType | None) -> Any:
    order = [k for k in range(self.ndim) if k not in dims]
    return svdvals(permute(self if dtype is None else to_dtype(self, dtype), [*order, *dims]))


def _put_back(reduced: Any, dims: tuple[int, int], ndim: int) -> Any:
    """Moves dimensions of length one from the end to where the reduced ones were."""
    order = [*(k for k in range(ndim) if k not in dims), *dims]
    return permute(unsqueeze(reduced, -1), [order.index(k) for k in range(ndim)])


def _extreme(self: Any, ord: float, dim: int, keepdim: bool) -> Any:
    return (amax if ord > 0 else amin)(self, (dim,), keepdim)


def _zeros(self: Any, dims: tuple[int, int], keepdim: bool, dtype: DType | None) -> Any:
    """The largest of no numbers, which are not negative; no gradient flows through it."""
    shape = [1 if k in dims else n for k, n in enumerate(self.shape) if keepdim or k not in dims]
    return wrap(np.zeros(shape, (dtype or self.dtype).to_real().np))


@composite(
    "linalg.matrix_norm",
    samples=lambda r: (
        [(r(3, 4), ord) for ord in (1, -1, 2, -2, math.inf)]
        + [(r(3, 2, 4), 2, (2, 0), True), (r(3, 2, 4), 1, (0, 2))]
    ),
)
def matrix_norm(
    self: Value,
    ord: Scalar,
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """The norm of matrices: 1, 2, inf and their negatives, which take the least."""
    if isinstance(ord, complex):
        raise RuntimeError(f"{_NAME}: Expected a non-complex scalar as the order of norm.")
    if abs(ord) not in (1, 2, math.inf):
        raise RuntimeError(f"{_NAME}: Order {ord:g} not supported.")
    rows, columns = _checked(self, dim, dtype, half=abs(ord) != 2)
    compared = {1: (columns,), 2: (rows, columns)}.get(abs(ord), (rows,))
    if ord > 0 and any(self.shape[k] == 0 for k in compared):
        return _zeros(self, (rows, columns), keepdim, dtype)
    if abs(ord) == 2:
        found = _extreme(_singular_values(self, (rows, columns), dtype), ord, -1, keepdim)
        return _put_back(found, (rows, columns), self.ndim) if keepdim else found
    summed, rest = (rows, columns) if abs(ord) == 1 else (columns, rows)
    if not keepdim and summed < rest:
        rest -= 1
    return _extreme(vector_norm(self, 1, (summed,), keepdim, dtype), ord, rest, keepdim)


@composite(
    "linalg.matrix_norm",
    samples=lambda r: [(r(3, 4), "fro"), (r(3, 4), "nuc"), (r(3, 2, 4), "nuc", (0, 2), True)],
)
def matrix_norm_named(
    self: Value,
    ord: str = "fro",
    dim: Sequence[int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """The Frobenius ('fro') or nuclear ('nuc') norm of matrices."""
    if ord not in ("fro", "nuc"):
        raise RuntimeError(f"{_NAME}: Order {ord} not supported.")
    dims = _checked(self, dim, dtype, half=ord == "fro")
    if ord == "fro":
        return vector_norm(self, 2, dims, keepdim, dtype)
    found = sum_dim(_singular_values(self, dims, dtype), (-1,), keepdim)
    return _put_back(found, dims, self.ndim) if keepdim else found


def _dims_of_norm(self: Any, dim: Sequence[int] | None, given: bool) -> None:
    if dim is not None and len(dim) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}"
        )
    if dim is None and given and self.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{self.ndim}D."
        )


@composite(
    "linalg.norm",
    samples=lambda r: [(r(4),), (r(2, 3, 2),), (r(3, 4), 1, (0, 1)), (r(3, 4), 3, (1,))],
)
def norm(
    self: Value,
    ord: Scalar | None = None,
    dim: Single | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """The norm of vectors (one dimension) or matrices (two); of all elements by default."""
    _dims_of_norm(self, dim, ord is not None)
    two = len(dim) == 2 if dim is not None else self.ndim == 2
    if ord is not None and two:
        return matrix_norm(self, ord, dim or (0, 1), keepdim, dtype)
    return vector_norm(self, 2.0 if ord is None else ord, dim, keepdim, dtype)


@composite("linalg.norm", samples=lambda r: [(r(3, 4), "fro"), (r(2, 3, 4), "nuc", (0, 2))])
def norm_named(
    self: Value,
    ord: str,
    dim: Single | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """The Frobenius ('fro') or nuclear ('nuc') norm of matrices."""
    _dims_of_norm(self, dim, True)
    return matrix_norm_named(self, ord, dim or (0, 1), keepdim, dtype)


@composite("nuclear_norm", samples=lambda r: [(r(3, 4),)])
def nuclear_norm(self: Value, keepdim: bool = False) -> Any:
    """The sum of the singular values."""
    return matrix_norm_named(self, "nuc", (-2, -1), keepdim)


@composite("nuclear_norm", samples=lambda r: [(r(3, 4), (0, 1)), (r(3, 2, 4), (2, 0), True)])
def nuclear_norm_of(self: Value, dim: Pair, keepdim: bool = False) -> Any:
    """The sum of the singular values."""
    return matrix_norm_named(self, "nuc", dim, keepdim)


def _refuse_order(p: Any) -> None:
    if p not in _ORDERS:
        shown = p if isinstance(p, str) else f"{p:g}"
        raise RuntimeError(f"linalg.cond got an invalid norm type: {shown}")


def _by_inverse(self: Any, p: Any) -> Any:
    measure = matrix_norm_named if isinstance(p, str) else matrix_norm
    inverse, info = inv_ex_row(self)
    # In place, as PyTorch does it, whose gradients of this therefore fail.
    inverse.masked_fill_(unsqueeze(unsqueeze(info, -1), -1) > 0, math.inf)
    product = measure(self, p) * measure(inverse, p)
    return product.nan_to_num_(math.inf, math.inf, -math.inf)


@composite("linalg.cond", samples=lambda r: [(r(3, 3),), (r(3, 4), -2)])
def cond(self: Value, p: Scalar | None = None) -> Any:
    """The condition number of matrices."""
    if self.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    order = 2 if p is None else p
    if isinstance(order, complex):
        raise RuntimeError("value cannot be converted to type double without overflow")
    _refuse_order(order)
    if not self.numel():
        return _zeros(self, (self.ndim - 2, self.ndim - 1), False, None)
    if abs(order) == 2:
        values = svdvals(self)
        largest = narrow(values, -1, 0, 1)
        smallest = narrow(values, -1, -1, 1)
        return squeeze_dim(smallest / largest if order < 0 else largest / smallest, -1)
    shown = f"{order:f}" if isinstance(order, float) and not math.isinf(order) else str(order)
    check_square(self._array, f"linalg.cond(ord={shown})")
    return _by_inverse(self, order)


@composite("linalg.cond", samples=lambda r: [(kinked(r(3, 3)), "fro"), (kinked(r(2, 2, 2)), "nuc")])
def cond_named(self: Value, p: str) -> Any:
    """The condition number of matrices."""
    if p in _ORDERS:
        check_square(self._array, f"linalg.cond(ord={p})")
    _refuse_order(p)
    if not self.numel():
        return _zeros(self, (self.ndim - 2, self.ndim - 1), False, None)
    if p == "nuc":
        values = svdvals(self)
        return sum_dim(values, (-1,)) * sum_dim(reciprocal(values), (-1,))
    return _by_inverse(self, p)

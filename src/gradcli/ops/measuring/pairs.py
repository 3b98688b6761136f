"""Distances of all pairs of rows of two matrices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import eq, filled
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.sums import expand, sum_dim
from gradcli.ops.algebra.views import contiguous, reshape, transpose, unsqueeze, view
from gradcli.ops.measuring.norms import lengths
from gradcli.table.declare import composite, row
from gradcli.table.refusals import underived
from gradcli.table.row import Row
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Value

# Above this many rows PyTorch computes Euclidean distances through a matrix product.
_MANY_ROWS = 25
_MODES = {
    "use_mm_for_euclid_dist_if_necessary": None,
    "use_mm_for_euclid_dist": True,
    "donot_use_mm_for_euclid_dist": False,
}


def _differences(x1: Array, x2: Array) -> Array:
    return x1[..., :, None, :] - x2[..., None, :, :]


def _cdist(x1: Array, x2: Array, p: float) -> Array:
    """The p-norms of the differences of all pairs of rows."""
    require_kinds(x1.dtype, "d", "cdist")
    gaps = _differences(x1, x2)
    return lengths(gaps, p, (gaps.ndim - 1,), False).astype(x1.dtype)


def _cdist_backward(grad: Array, x1: Array, x2: Array, p: float, cdist: Array) -> Array:
    """The gradient of cdist; PyTorch cannot differentiate it again."""
    # The gradient of x1; where a distance is zero, and for p = 0, it is zero.
    if not (cdist.size and x1.size):
        return np.zeros_like(x1)
    difference = _differences(x1, x2)
    size, sign = np.abs(difference), np.sign(difference)
    length = cdist[..., None]
    weight: Array
    with np.errstate(divide="ignore", invalid="ignore"):
        if p == 0:
            weight = np.zeros_like(difference)
        elif p == 1:
            weight = sign
        elif math.isinf(p):
            weight = sign * (size == length)
        elif p == 2:
            weight = np.where(length == 0, 0, difference / length)
        elif p < 2:
            flat = (length == 0) | ((difference == 0) & (p < 1))
            weight = np.where(flat, 0, sign * size ** (p - 1) / length ** (p - 1))
        else:
            weight = np.where(length == 0, 0, difference * size ** (p - 2) / length ** (p - 1))
    slopes: Array = np.sum(weight * grad[..., None], axis=-2)
    return slopes.astype(x1.dtype)


def _flipped(matrix: Any) -> Any:
    return contiguous(transpose(matrix, -2, -1))


cdist_backward: Row = row(
    "aten._cdist_backward",
    _cdist_backward,
    linear="grad",
    grad=underived("_cdist_backward"),
    x1=underived("_cdist_backward"),
    x2=underived("_cdist_backward"),
    cdist=underived("_cdist_backward"),
    samples=lambda r: [
        (r(3, 2), r(3, 4), r(2, 4), p, r(3, 2, low=1.0)) for p in (0.0, 0.7, 1.0, 1.5, 2.0, 3.0)
    ],
)
cdist_row: Row = row(
    "aten._cdist_forward",
    _cdist,
    halves=False,
    node="CdistBackward0",
    x1=lambda grad, x1, x2, p, result: cdist_backward(contiguous(grad), x1, x2, p, result),
    x2=lambda grad, x1, x2, p, result: cdist_backward(_flipped(grad), x2, x1, p, _flipped(result)),
    samples=lambda r: [(r(3, 4), r(2, 4), p) for p in (0.0, 0.7, 1.0, 1.5, 2.0, 3.0, math.inf)],
    pytorch="aten._cdist_forward(x1, x2, p, None)",
)


def _euclidean(x1: Array, x2: Array) -> Array:
    """The Euclidean distances of all pairs of rows."""
    # The square roots of |a|^2 - 2 a b + |b|^2 in one matrix product: rounds as PyTorch's.
    squares1 = np.sum(x1 * x1, axis=-1, keepdims=True)
    squares2 = np.sum(x2 * x2, axis=-1, keepdims=True)
    left = np.concatenate([-2 * x1, squares1, np.ones_like(squares1)], axis=-1)
    right = np.concatenate([x2, np.ones_like(squares2), squares2], axis=-1)
    return np.sqrt(np.maximum(np.matmul(left, right.swapaxes(-1, -2)), 0))


def _euclidean_vjp(
    grad: Any, x1: Any, x2: Any, result: Any, needs: tuple[bool, ...]
) -> tuple[Any, Any]:
    ratio = filled(grad / result, eq(result, 0), 0)
    first = second = None
    if needs[0]:
        first = x1 * sum_dim(ratio, (-1,), True) - matmul(ratio, x2)
    if needs[1]:
        weights = unsqueeze(sum_dim(ratio, (-2,), False), -1)
        second = x2 * weights - matmul(transpose(ratio, -2, -1), x1)
    return first, second


euclidean_row: Row = row(
    "aten._euclidean_dist",
    _euclidean,
    joint=("x1 x2", _euclidean_vjp),
    samples=lambda r: [(r(3, 4), r(2, 4)), (r(2, 3, 4), r(2, 2, 4))],
)


def _check(x1: Tensor, x2: Tensor, p: float, compute_mode: str) -> None:
    if compute_mode not in _MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for name, x in (("X1", x1), ("X2", x2)):
        if x.ndim < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, {name} got: {x.ndim}D")
    columns1, columns2 = x1.shape[-1], x2.shape[-1]
    if columns1 != columns2:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {columns1} X2: {columns2}"
        )
    for name, x in (("X1", x1), ("X2", x2)):
        if not x.is_floating_point():
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {name} got: {x.dtype.scalar_name}"
            )
    if x1.dtype is not x2.dtype:
        raise RuntimeError(
            f"expected scalar type {x1.dtype.scalar_name} but found {x2.dtype.scalar_name}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")


@composite(
    "cdist",
    samples=lambda r: [
        (r(3, 4), r(2, 4)),
        (r(3, 4), r(2, 4), 1.0),
        (r(2, 1, 3), r(2, 2, 3), 3.0),
        (r(3, 4), r(2, 4), 2.0, "use_mm_for_euclid_dist"),
        (r(2, 3, 2), r(2, 2), math.inf, "donot_use_mm_for_euclid_dist"),
        (r(26, 2), r(1, 2)),
    ],
)
def cdist(
    x1: Value, x2: Value, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary"
) -> Any:
    """The p-norms of the differences of all pairs of rows."""
    _check(x1, x2, p, compute_mode)
    rows1, rows2 = x1.shape[-2], x2.shape[-2]
    lead = common_shape([x1.shape[:-2], x2.shape[:-2]])
    through_product = _MODES[compute_mode]
    if through_product is None:
        through_product = rows1 > _MANY_ROWS or rows2 > _MANY_ROWS
    if p != 2 or not through_product or not (rows1 and rows2 and x1.shape[-1] and all(lead)):
        return cdist_row(x1, x2, p)
    count = math.prod(lead)
    batches = [x1, x2]
    if count > 1:
        batches = [
            reshape(expand(x, (*lead, *x.shape[-2:])), (count, *x.shape[-2:])) for x in batches
        ]
    return view(euclidean_row(*batches), (*lead, rows1, rows2))

"""Distances and similarities of vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.scalars import add_scalar
from gradcli.ops.algebra.sums import broadcast_tensors, expand, sum_dim
from gradcli.ops.algebra.views import clone_row, shape_of
from gradcli.ops.measuring.norms import norm_backward, vector_norm
from gradcli.table.declare import composite, row
from gradcli.table.refusals import underived
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Value

norm_along: Row = row(
    "aten.norm_dim(Tensor self, Scalar p, int dim, bool keepdim=False)",
    lambda self, p, dim, keepdim=False: vector_norm(self, p, (dim,), keepdim),
    node="NormBackward1",
    self=lambda grad, self, result, p, dim, keepdim: norm_backward(
        grad, self, shape_of(self), result, p, dim, keepdim
    ),
    samples=lambda r: [
        (r(3, 4), p, 1, keep) for p in (1, 2, 3, 0.5, 1.5, math.inf) for keep in (False, True)
    ],
    doc="The p-norm along a dimension.",
    pytorch="aten.norm(self, p, [dim], keepdim)",
)


@composite(
    "pairwise_distance|nn.functional.pairwise_distance",
    samples=lambda r: [
        (r(3, 4), r(3, 4)),
        (r(4), r(3, 4), 1.0, 1e-6, True),
        (r(3), r(3), 3.0, 0.5),
    ],
)
def pairwise_distance(
    x1: Value, x2: Value, p: float = 2, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """The p-norm of x1 - x2 + eps along the last dimension."""
    last = max(x1.ndim, x2.ndim) - 1
    return norm_along(add_scalar(x1 - x2, eps), p, wrap_dim(last, last + 1), keepdim)


@composite(
    "cosine_similarity|nn.functional.cosine_similarity",
    samples=lambda r: [
        (r(3, 4), r(3, 4)),
        (r(4), r(3, 4), -1),
        (kinked(r(2, 3)), r(2, 3), 0, 2.5),
        (r.ints(3, high=5), r(3), 0),
    ],
)
def cosine_similarity(x1: Value, x2: Value, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors along a dimension; norms are at least eps."""
    common = dtypes.result_type([x1._array, x2._array])
    if common.category != dtypes.FLOATING:
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {common.scalar_name}"
        )
    floats = [x if x.is_floating_point() else to_dtype(x, common) for x in (x1, x2)]
    a, b = broadcast_tensors(floats)
    return sum_dim(_unit(a, dim, eps) * _unit(b, dim, eps), (dim,))


def _unit(x: Tensor, dim: int, eps: float) -> Any:
    """Vectors divided by their norms; the lower bound is no part of what is differentiated."""
    length = clone_row(vector_norm(x, 2, dim, True))
    np.maximum(looked_at(length), eps, out=length._array)
    return x / length


@composite(
    "nn.functional.normalize",
    samples=lambda r: [(r(3, 4),), (r(3, 4), 1.0, 0), (r(3, 2), 2.0, -1, 1.5)],
)
def normalize(
    input: Value, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None
) -> Any:
    """Vectors along a dimension divided by their p-norms, which are at least eps."""
    length = input.norm(p, dim, keepdim=True).clamp_min(eps)
    return input / expand(length, shape_of(input))


def _pairs(self: Array) -> tuple[Array, Array]:
    return np.triu_indices(len(self), 1)


def _pdist(self: Array, p: float = 2) -> Array:
    """The p-norms of the differences of all pairs of rows."""
    require_kinds(self.dtype, "d", "pdist")
    first, second = _pairs(self)
    if self.shape[1] == 0:
        return np.zeros(len(first), self.dtype)
    lengths: Array = vector_norm(self[first] - self[second], p, (1,))
    return lengths


def _pdist_backward(grad: Array, self: Array, p: float, pdist: Array) -> Array:
    """The gradient of pdist; PyTorch cannot differentiate it again."""
    first, second = _pairs(self)
    full = np.zeros_like(self)
    if p == 0 or not self.size or not len(first):
        return full
    difference = self[first] - self[second]
    slopes = norm_backward(grad, difference, shape_of(difference), pdist, p, 1, False)
    if math.isinf(p):
        slopes = np.sign(difference) * grad[:, None] * (np.abs(difference) == pdist[:, None])
    np.add.at(full, first, slopes)
    np.subtract.at(full, second, slopes)
    return full


pdist_backward: Row = row(
    "aten._pdist_backward",
    _pdist_backward,
    linear="grad",
    grad=underived("_pdist_backward"),
    self=underived("_pdist_backward"),
    pdist=underived("_pdist_backward"),
    samples=lambda r: [(r(6), r(4, 3), p, r(6, low=1.0)) for p in (1.0, 1.5, 2.0, 3.0)],
)
pdist_row: Row = row(
    "aten._pdist_forward",
    _pdist,
    halves=False,
    node="PdistBackward0",
    self=lambda grad, self, p, result: pdist_backward(grad, self, p, result),
    samples=lambda r: [(r(4, 3), p) for p in (0.0, 1.0, 1.5, 2.0, 3.0, math.inf)],
)


@composite(
    "pdist|nn.functional.pdist",
    samples=lambda r: [(r(4, 3),), (r(3, 2), 1.0), (r(4, 3), math.inf), (r(1, 3),)],
)
def pdist(input: Value, p: float = 2) -> Any:
    """The p-norms of the differences of all pairs of rows, in the order (0, 1), (0, 2), ..."""
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    return pdist_row(input, p)

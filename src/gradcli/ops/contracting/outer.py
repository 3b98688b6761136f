"""Products made of others: outer, cross and Kronecker products, and chains of matrices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.products import mm, vdot
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import clone, reshape, unsafe_view, unsqueeze, view
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import common_shape, wrap_dim
from gradcli.typing import Array, Value, VarTensors


@composite("outer|ger", samples=lambda r: [(r(2), r(3))])
def outer(self: Value, vec2: Value) -> Any:
    """All products of an element of one vector with one of another."""
    for name, value in (("self", self), ("vec2", vec2)):
        if value.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {value.ndim}-D")
    return reshape(self, (self.shape[0], 1)) * vec2


@composite("kron", samples=lambda r: [(r(2, 2), r(3, 3)), (r(2), r(2, 3)), (r(), r(2))])
def kron(self: Value, other: Value) -> Any:
    """The Kronecker product: each element of self times the whole of other."""
    ndim = max(self.ndim, other.ndim)
    outside = [1] * (ndim - self.ndim) + list(self.shape)
    inside = [1] * (ndim - other.ndim) + list(other.shape)
    left = unsafe_view(self, [length for n in outside for length in (n, 1)])
    right = unsafe_view(other, [length for n in inside for length in (1, n)])
    return unsafe_view(left * right, [a * b for a, b in zip(outside, inside, strict=True)])


@composite(
    "linalg.vecdot",
    samples=lambda r: [(r(3), r(3)), (r(2, 3), r(3)), (r(2, 3), r(2, 3), {"dim": 0})],
)
def vecdot(x: Value, y: Value, *, dim: int = -1) -> Any:
    """Inner products along a dimension, the first factor conjugated."""
    if x.dtype.category < dtypes.FLOATING:
        raise RuntimeError(
            "linalg.vecdot: Expected a floating point or complex tensor as input. Got "
            f"{x.dtype.scalar_name}"
        )
    if x.dtype is not y.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x.dtype.scalar_name} and y of type {y.dtype.scalar_name} instead"
        )
    if x.ndim == 1 and y.ndim == 1:
        wrap_dim(dim, 1)
        return vdot(x, y)
    return sum_dim(conj(x) * y, (dim,))


def _cross(self: Array, other: Array, *, dim: int = -1) -> Array:
    """The cross product of three-dimensional vectors."""
    if self.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if self.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    where = wrap_dim(dim, self.ndim)
    if self.shape[where] != 3 or other.shape[where] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {self.shape[where]} and "
            f"{other.shape[where]}"
        )
    common_shape([self.shape, other.shape])
    require_kinds(self.dtype, "fciu", "cross")
    if self.dtype != other.dtype:
        words = dtypes.of(self).scalar_name, dtypes.of(other).scalar_name
        raise RuntimeError(f"expected scalar type {words[0]} but found {words[1]}")
    a, b = np.moveaxis(self, where, 0), np.moveaxis(other, where, 0)
    parts = [a[i] * b[j] - a[j] * b[i] for i, j in ((1, 2), (2, 0), (0, 1))]
    return np.stack(parts, where)


linalg_cross: Row = row(
    "linalg.cross",
    _cross,
    linear="self, other",
    self=lambda grad, other, dim: linalg_cross(conj(other), grad, dim),
    other=lambda grad, self, dim: linalg_cross(grad, conj(self), dim),
    samples=lambda r: [(r(2, 3), r(2, 3)), (r(3, 2), r(3, 2), {"dim": 0}), (r(1, 3), r(2, 3))],
)


@composite("cross", samples=lambda r: [(r(3, 2), r(3, 2)), (r(2, 3), r(2, 3), 1)])
def cross(self: Value, other: Value, dim: int | None = None) -> Any:
    """The cross product of three-dimensional vectors, along the first dimension of length 3."""
    if dim is None:
        if 3 not in self.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = self.shape.index(3)
    return linalg_cross(self, other, dim)


def _check_chain(tensors: Sequence[Any]) -> None:
    count = len(tensors)
    if count < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {count}")
    for number, tensor in enumerate(tensors):
        if number in (0, count - 1):
            if tensor.ndim not in (1, 2):
                end = "last" if number else "first"
                raise RuntimeError(
                    f"multi_dot(): the {end} tensor must be 1D or 2D but got {tensor.ndim}D"
                )
        elif tensor.ndim != 2:
            raise RuntimeError(f"multi_dot(): tensor {number} must be 2D but got {tensor.ndim}D")
    for number, tensor in enumerate(tensors[1:], 1):
        if tensor.dtype is not tensors[0].dtype:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{tensors[0].dtype.c_name} and tensor {number} {tensor.dtype.c_name}"
            )
    for number, (a, b) in enumerate(pairwise(tensors)):
        if a.shape[-1] != b.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {number} and {number + 1} with shapes {list(a.shape)} and "
                f"{list(b.shape)} cannot be multiplied"
            )


@composite(
    "linalg.multi_dot",
    samples=lambda r: [
        ([r(2, 3), r(3, 4), r(4, 2)],),
        ([r(3), r(3, 4), r(4)],),
        ([r(2, 3), r(3, 2)],),
    ],
)
def multi_dot(tensors: Sequence[Value]) -> Any:
    """A product of matrices, in the cheapest order."""
    _check_chain(tensors)
    first, *middle, last = tensors
    shape = [*first.shape[:-1], *last.shape[1:]]
    if first.ndim == 1:
        first = unsqueeze(first, 0)
    if last.ndim == 1:
        last = unsqueeze(last, -1)
    return view(_in_cheapest_order([first, *middle, last]), shape)


def _in_cheapest_order(chain: list[Any]) -> Any:
    """The product by the cheapest bracketing (dynamic programming over the lengths)."""
    n = len(chain)
    sizes = [chain[0].shape[0], *(matrix.shape[1] for matrix in chain)]
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], split[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            )
    found: dict[tuple[int, int], Any] = {(i, i): matrix for i, matrix in enumerate(chain)}
    todo = [(0, n - 1)]
    while todo:
        i, j = todo[-1]
        k = split[i][j]
        missing = [part for part in ((k + 1, j), (i, k)) if part not in found]
        if missing:
            todo += missing
        else:
            todo.pop()
            found[i, j] = mm(found[i, k], found[k + 1, j])
    return found[0, n - 1]


@composite("chain_matmul", samples=lambda r: [([r(2, 3), r(3, 4), r(4, 2)],)])
def chain_matmul(matrices: VarTensors = ()) -> Any:
    """A product of matrices, in the cheapest order."""
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for matrix in matrices:
        if matrix.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {matrix.ndim}, expected 2 instead.")
    return clone(matrices[0]) if len(matrices) == 1 else multi_dot(matrices)

"""The product of vectors, matrices and batches of them.

The conditions under which it folds a batch into one large matrix are PyTorch's: they decide which
nodes a graph shows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.products import bmm, dot, mm, mv
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import (
    contiguous,
    reshape,
    shape_of,
    squeeze_dim,
    squeeze_in_place,
    t,
    transpose,
    unsafe_view,
    unsqueeze,
)
from gradcli.table.declare import composite
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, raw
from gradcli.typing import Value


@composite(
    "matmul|linalg.matmul",
    samples=lambda r: [
        (r(*a), r(*b))
        for a, b in (
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((2, 2, 3), (2, 3, 2)),
            ((2, 2, 3), (3,)),
            ((2, 3), (2, 3, 2)),
            ((2, 1, 2, 3), (2, 3, 2)),
            ((1, 2, 3), (2, 3, 2)),
        )
    ],
)
def matmul(self: Value, other: Value) -> Any:
    """The matrix product; batches broadcast, a vector on the left is a row."""
    if type(self) is not Tensor and type(other) is not Tensor:
        return np.matmul(self, other)
    a, b = shape_of(self), shape_of(other)
    if not a or not b:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {len(a)}D and {len(b)}D"
        )
    if len(a) <= 2 and len(b) <= 2:
        if len(b) == 1:
            return dot(self, other) if len(a) == 1 else mv(self, other)
        if len(a) == 1:
            return squeeze_in_place(mm(unsqueeze(self, 0), other), 0)
        return mm(self, other)
    if _folds(self, other):
        return _folded(self, other)
    if len(a) == len(b) == 3 and a[0] != b[0]:
        # A batch of one that wants a gradient is broadcast by folding the other one.
        if a[0] == 1 and _wants_gradient(self):
            return matmul(squeeze_dim(self, 0), other)
        if b[0] == 1 and _wants_gradient(other):
            return matmul(self, squeeze_dim(other, 0))
    return _batched(self, other)


def _wants_gradient(value: Any) -> bool:
    return type(value) is Tensor and value.requires_grad


def _folds(self: Any, other: Any) -> bool:
    """Whether a batch times one matrix or vector is computed as one large product."""
    a, b = len(shape_of(self)), len(shape_of(other))
    large, small = (self, other) if a >= b else (transpose(other, -1, -2), self)
    if len(shape_of(large)) < 3 or len(shape_of(small)) > 2:
        return False
    if _wants_gradient(small):
        return True
    if a == 2:
        return False
    array = raw(large)
    if not array.size:
        return True
    steps, shape = array.strides, array.shape
    return all(steps[k] == steps[k + 1] * shape[k + 1] for k in range(len(shape) - 2))


def _folded(self: Any, other: Any) -> Any:
    first = len(shape_of(self)) >= len(shape_of(other))
    if first:
        large, small = self, other
    else:
        large = transpose(other, -1, -2)
        small = t(self) if len(shape_of(self)) == 2 else self
    *lead, length = shape_of(large)
    flat = reshape(large, (math.prod(lead), length))
    if len(shape_of(small)) == 1:
        return unsafe_view(mv(flat, small), lead)
    found = unsafe_view(mm(flat, small), (*lead, shape_of(small)[1]))
    return found if first else contiguous(transpose(found, -1, -2))


def _batched(self: Any, other: Any) -> Any:
    a, b = shape_of(self), shape_of(other)
    n, m = a[-2:] if len(a) > 1 else (1, a[0])
    k, p = b[-2:] if len(b) > 1 else (b[0], 1)
    lead = common_shape([a[:-2], b[:-2]])
    count = math.prod(lead)
    left = reshape(expand(self, (*lead, n, m)), (count, n, m))
    if len(b) > 1:
        right = reshape(expand(other, (*lead, k, p)), (count, k, p))
        rows = (n,) if len(a) > 1 else ()
        return unsafe_view(bmm(left, right), (*lead, *rows, p))
    column = unsqueeze(reshape(expand(other, (*lead, k)), (count, k)), 2)
    return unsafe_view(squeeze_dim(bmm(left, column), -1), (*lead, n))

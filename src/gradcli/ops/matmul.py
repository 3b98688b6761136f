"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.arithmetic import scaled
from gradcli.ops.comparison import conj
from gradcli.ops.shape import (
    common_shape,
    contiguous,
    expand,
    reshape,
    shape_of,
    squeeze_in_place,
    t,
    transpose,
    unsafe_view,
    unsqueeze,
)
from gradcli.ops.table import Row, composite, row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor

Array = Any


def _same_type(a: Array, b: Array, name: str) -> None:
    if a.dtype != b.dtype:
        first, second = dtypes.of(a), dtypes.of(b)
        if name == "dot":
            raise RuntimeError(
                "dot : expected both vectors to have same dtype, but found "
                f"{first.scalar_name} and {second.scalar_name}"
            )
        words = [
            {"float32": "float", "float64": "double", "int64": "long int"}.get(d.name, d.name)
            for d in (first, second)
        ]
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {words[0]} != {words[1]}"
        )


def _mm(self: Array, mat2: Array) -> Array:
    if self.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if self.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            "mat1 and mat2 shapes cannot be multiplied "
            f"({self.shape[0]}x{self.shape[1]} and {mat2.shape[0]}x{mat2.shape[1]})"
        )
    _same_type(self, mat2, "mm")
    return np.matmul(self, mat2)


mm: Row = row(
    "mm(Tensor self, Tensor mat2)",
    _mm,
    self=lambda grad, mat2: mm(grad, conj(t(mat2))),
    mat2=lambda grad, self: mm(conj(t(self)), grad),
    samples=lambda r: [(r(2, 3), r(3, 4))],
    doc="The product of two matrices.",
)


def _mv(self: Array, vec: Array) -> Array:
    if self.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {self.ndim}, {vec.ndim}")
    if self.shape[1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({self.shape[0]}), mat ({self.shape[0]}x{self.shape[1]}), "
            f"vec ({vec.shape[0]})"
        )
    _same_type(self, vec, "mv")
    return np.matmul(self, vec)


mv: Row = row(
    "mv(Tensor self, Tensor vec)",
    _mv,
    self=lambda grad, vec: unsqueeze(grad, 1) * conj(vec),
    vec=lambda grad, self: mv(conj(t(self)), grad),
    samples=lambda r: [(r(2, 3), r(3))],
    doc="The product of a matrix and a vector.",
)


def _dot(self: Array, tensor: Array) -> Array:
    if self.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {self.ndim}D and {tensor.ndim}D tensors")
    _same_type(self, tensor, "dot")
    if self.shape != tensor.shape:
        a, b = self.shape[0], tensor.shape[0]
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a}] and src [{b}] to have the same "
            f"number of elements, but got {a} and {b} elements respectively"
        )
    return np.asarray(np.dot(self, tensor))


dot: Row = row(
    "dot(Tensor self, Tensor tensor)",
    _dot,
    self=lambda grad, tensor: grad * conj(tensor),
    tensor=lambda grad, self: grad * conj(self),
    samples=lambda r: [(r(3), r(3))],
    doc="The inner product of two vectors.",
)


def _bmm(self: Array, mat2: Array) -> Array:
    if self.ndim != 3 or mat2.ndim != 3:
        raise RuntimeError(f"batch{1 if self.ndim != 3 else 2} must be a 3D tensor")
    if self.shape[0] != mat2.shape[0] or self.shape[2] != mat2.shape[1]:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{self.shape[0]}, {self.shape[2]}] but got: [{mat2.shape[0]}, {mat2.shape[1]}]."
        )
    _same_type(self, mat2, "bmm")
    return np.matmul(self, mat2)


bmm: Row = row(
    "bmm(Tensor self, Tensor mat2)",
    _bmm,
    self=lambda grad, mat2: bmm(grad, conj(transpose(mat2, 1, 2))),
    mat2=lambda grad, self: bmm(conj(transpose(self, 1, 2)), grad),
    samples=lambda r: [(r(2, 2, 3), r(2, 3, 2))],
    doc="Products of matrices, one a batch entry.",
)


@composite(
    "matmul|linalg.matmul(Tensor self, Tensor other)",
    samples=lambda r: [
        (r(*a), r(*b))
        for a, b in (((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 2, 3), (2, 3, 2)))
    ],
    doc="The matrix product, batches broadcasting.",
)
def matmul(self: Any, other: Any) -> Any:
    a, b = len(shape_of(self)), len(shape_of(other))
    if a == 0 or b == 0:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {a}D and {b}D"
        )
    if a == 1 and b == 1:
        return dot(self, other)
    if a == 2 and b == 1:
        return mv(self, other)
    if a == 1 and b == 2:
        return squeeze_in_place(mm(unsqueeze(self, 0), other), 0)
    if a == 2 and b == 2:
        return mm(self, other)
    if _folds(self, other):
        return _folded(self, other)
    return _batched(self, other)


def _folds(self: Any, other: Any) -> bool:
    """Whether a batch times one matrix or vector is computed as one large product."""
    a, b = len(shape_of(self)), len(shape_of(other))
    large, small = (self, other) if a >= b else (other, self)
    if len(shape_of(large)) < 3 or len(shape_of(small)) > 2:
        return False
    if type(small) is Tensor and small._requires_grad:
        return True
    if a == 2:
        return False
    array = large._array if type(large) is Tensor else large
    return bool(array.flags.c_contiguous)


def _folded(self: Any, other: Any) -> Any:
    first = len(shape_of(self)) >= len(shape_of(other))
    if first:
        large, small = self, other
    else:
        large = transpose(other, -1, -2)
        small = t(self) if len(shape_of(self)) == 2 else self
    lead = shape_of(large)[:-1]
    flat = reshape(large, (-1 if all(lead) else int(np.prod(lead)), shape_of(large)[-1]))
    if len(shape_of(small)) == 1:
        return unsafe_view(mv(flat, small), lead)
    found = unsafe_view(mm(flat, small), (*lead, shape_of(small)[1]))
    return found if first else contiguous(transpose(found, -1, -2))


def _batched(self: Any, other: Any) -> Any:
    a, b = shape_of(self), shape_of(other)
    left = unsqueeze(self, 0) if len(a) == 1 else self
    right = unsqueeze(other, 1) if len(b) == 1 else other
    lead = common_shape([shape_of(left)[:-2], shape_of(right)[:-2]])
    n, m = shape_of(left)[-2:]
    k, p = shape_of(right)[-2:]
    count = int(np.prod(lead))
    first = reshape(expand(left, (*lead, n, m)), (count, n, m))
    second = reshape(expand(right, (*lead, k, p)), (count, k, p))
    tail = [length for length, kept in ((n, len(a) > 1), (p, len(b) > 1)) if kept]
    return unsafe_view(bmm(first, second), (*lead, *tail))


addmm: Row = row(
    "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1)",
    lambda self, mat1, mat2, beta=1, alpha=1: scaled(self, beta) + scaled(_mm(mat1, mat2), alpha),
    self=lambda grad, beta: scaled(grad, beta),
    mat1=lambda grad, mat2, alpha: scaled(mm(grad, conj(t(mat2))), alpha),
    mat2=lambda grad, mat1, alpha: scaled(mm(conj(t(mat1)), grad), alpha),
    samples=lambda r: [(r(2, 4), r(2, 3), r(3, 4), {"beta": 0.5, "alpha": 2})],
    doc="beta * self + alpha * mat1 @ mat2.",
)

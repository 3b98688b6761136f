"""Norms of vectors, distances by them, and what is scaled to a norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.kernels import summing
from gradcli.ops.algebra.arithmetic import reciprocal, refuse_bool
from gradcli.ops.algebra.comparison import conj, eq, filled, gt, isnan, logical_or, where_
from gradcli.ops.algebra.complex import real_part
from gradcli.ops.algebra.elementary import pow_scalar
from gradcli.ops.algebra.rounding import absolute, sgn
from gradcli.ops.algebra.scalars import add_scalar, mul_scalar
from gradcli.ops.algebra.sums import (
    axes,
    restore,
    sum_dim,
)
from gradcli.ops.algebra.views import shape_of
from gradcli.table.declare import composite, row
from gradcli.table.entry import METHOD, NEITHER
from gradcli.table.registry import lookup
from gradcli.table.row import COMMON, Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.shapes import wrap_dim
from gradcli.typing import Array, Scalar, Single, Value


def check_norm_dtype(name: str, dtype: DType | None, kind: DType) -> None:
    """Refuses types to compute a norm in that lose something of the input's."""
    if dtype is None:
        return
    if dtype.category < dtypes.FLOATING:
        raise RuntimeError(
            f"{name}: dtype should be floating point or complex, but got {dtype.scalar_name}"
        )
    if dtype.category != kind.category:
        word = "complex" if kind.category == dtypes.COMPLEX else "real"
        raise RuntimeError(
            f"{name}: dtype should be {word} for {word} inputs, but got {dtype.scalar_name}"
        )
    if dtypes.promote_types(kind, dtype) is not dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({kind.scalar_name}) should be convertible without "
            f"narrowing to the specified dtype ({dtype.scalar_name})"
        )


def _check_norm(self: Array, ord: float, dim: Any, dtype: DType | None) -> None:
    kind = dtypes.of(self)
    name = "linalg.vector_norm"
    if kind.category < dtypes.FLOATING:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {kind.scalar_name}"
        )
    check_norm_dtype(name, dtype, kind)
    if self.size or not (ord < 0 or ord == math.inf):
        return
    if not dim:
        raise RuntimeError(
            f"{name} cannot compute the {ord:g} norm on an empty tensor because the operation does "
            "not have an identity"
        )
    for where in dim:
        if self.shape[wrap_dim(where, self.ndim)] == 0:
            raise RuntimeError(
                f"{name} cannot compute the {ord:g} norm on the dimension {where}because this "
                "dimension is empty and the operation does not have an identity"
            )


def lengths(self: Array, ord: float, where: tuple[int, ...], keepdim: bool) -> Array:
    """The norms of vectors along axes."""
    if ord == 2 and self.dtype == np.float32 and self.size and self.flags.c_contiguous:
        whole = len(where) == self.ndim
        width = self.size if whole else self.shape[-1]
        if width <= summing.LONGEST and (whole or where == (self.ndim - 1,)):
            outer = () if whole else self.shape[:-1]
            inner = (1,) * len(where) if keepdim else ()
            return summing.lengths(self.reshape(-1, width)).reshape(outer + inner)
    size = np.abs(self)
    if ord == math.inf:
        found = np.max(size, axis=where, keepdims=keepdim, initial=0)
    elif ord == -math.inf:
        found = np.min(size, axis=where, keepdims=keepdim)
    elif ord == 0:
        found = np.sum(size != 0, axis=where, keepdims=keepdim)
    elif ord == 1:
        found = np.sum(size, axis=where, keepdims=keepdim)
    elif ord == 2:
        found = np.sqrt(np.sum(size * size, axis=where, keepdims=keepdim))
    else:
        found = np.sum(size**ord, axis=where, keepdims=keepdim) ** (1 / ord)
    return np.asarray(found, size.dtype)


def _vector_norm(
    self: Array,
    ord: Scalar = 2,
    dim: Single | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Array:
    """The norm of vectors along dimensions."""
    if isinstance(ord, complex):
        raise RuntimeError(
            "linalg.vector_norm: Expected a non-complex scalar as the order of norm."
        )
    where = axes(dim, self.ndim)
    _check_norm(self, ord, dim, dtype)
    return lengths(self if dtype is None else self.astype(dtype.np), ord, where, keepdim)


def norm_backward(
    grad: Any, self: Any, self_shape: Any, result: Any, ord: float, dim: Any, keepdim: bool
) -> Any:
    """The gradient of a p-norm, zero where the norm is zero; none at all for p = 0."""
    grad = restore(grad, self_shape, dim, keepdim)
    norm = restore(result, self_shape, dim, keepdim)
    if ord == 0:
        return None
    if ord == 1:
        return sgn(self) * grad
    if ord == 2:
        return grad * filled(self / norm, eq(norm, 0), 0)
    size = absolute(self)
    if math.isinf(ord):
        attained = logical_or(eq(size, norm), isnan(size))
        return sgn(self) * (grad / sum_dim(attained, dim or (), True) * attained)
    if ord < 1:
        powers = sgn(self) * filled(pow_scalar(size, ord - 1), eq(self, 0), 0)
        return powers * grad * pow_scalar(norm, 1 - ord)
    powers = sgn(self) * pow_scalar(size, ord - 1) if ord < 2 else self * pow_scalar(size, ord - 2)
    return powers * filled(grad / pow_scalar(norm, ord - 1), eq(norm, 0), 0)


vector_norm: Row = row(
    "linalg.vector_norm",
    _vector_norm,
    self=norm_backward,
    kink="the norm of zeros has the gradient zero",
    samples=lambda r: [
        *((r(3, 4), p, (1,)) for p in (0, 1, 2, 3, 0.5, 1.5, math.inf, -math.inf, -1)),
        (r(5),),
        (r(2, 3), 3, (0, 1), True),
        (r(3), 2, None, False, {"dtype": dtypes.float64}),
        (r.complex(3, 2), 2, (0,)),
        *((kinked([0.0, 0.0]), p) for p in (1, 2, 1.5, math.inf)),
    ],
)


def _dist(self: Array, other: Array, p: Scalar = 2) -> Array:
    """The norm of the difference."""
    refuse_bool((self, other))
    difference = np.asarray(self - other)
    if difference.dtype.kind not in "fc":
        word = dtypes.of(difference).scalar_name
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {word} instead."
        )
    return _vector_norm(difference, p)


def _dist_vjp(grad: Any, self: Any, other: Any, result: Any, p: float) -> Any:
    difference = self - other
    return norm_backward(grad, difference, shape_of(difference), result, p, None, False)


def _dist_other_vjp(grad: Any, self: Any, other: Any, result: Any, p: float) -> Any:
    found = _dist_vjp(grad, self, other, result, p)
    if found is None:
        # For p = 0 PyTorch negates a gradient that it does not have.
        raise RuntimeError(
            "Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #0 "
            "'self'"
        )
    return -found


dist: Row = row(
    "dist",
    _dist,
    promote=COMMON,
    elementwise=False,
    check=refuse_bool,
    self=_dist_vjp,
    other=_dist_other_vjp,
    kink="at distance zero the gradient is zero",
    samples=lambda r: [
        (r(3, 4), r(4)),
        (r(5), r(5), 3),
        (r(3), r(3), 1),
        (r(2, 2), r(2, 1), math.inf),
        (kinked([1.0, 2.0]), kinked([1.0, 2.0])),
    ],
    inplace=NEITHER,
)


def _renorm(self: Array, p: Scalar, dim: int, maxnorm: Scalar) -> Array:
    """Slices along a dimension, shrunk to a norm of at most maxnorm."""
    if isinstance(p, complex):
        raise RuntimeError("renorm: p must be real-valued")
    if isinstance(maxnorm, complex):
        raise RuntimeError("renorm: maxnorm must be real-valued")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if self.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {self.ndim} dimensions")
    norms = _vector_norm(self, p, _all_but(dim, self.ndim), True)
    factors = np.where(norms > maxnorm, maxnorm / (norms + norms.dtype.type(1e-7)), 1)
    return self * factors.astype(norms.dtype)


def _all_but(dim: int, ndim: int) -> tuple[int, ...]:
    return tuple(k for k in range(ndim) if k != wrap_dim(dim, ndim))


def _renorm_vjp(grad: Any, self: Any, self_shape: Any, p: float, dim: int, maxnorm: float) -> Any:
    others = _all_but(dim, len(self_shape))
    norm = vector_norm(self, p, others, True)
    along = sum_dim(real_part(conj(self) * grad), others, True)
    slope = norm_backward(along, self, self_shape, norm, p, others, True)
    inverse = reciprocal(add_scalar(norm, 1e-7))
    shrunk = mul_scalar(inverse, maxnorm) * (grad - inverse * slope)
    return where_(gt(norm, maxnorm), shrunk, grad)


renorm: Row = row(
    "renorm",
    _renorm,
    self=_renorm_vjp,
    samples=lambda r: [(r(3, 4), 2, 0, 0.5), (r(3, 4), 1, 1, 3), (r(2, 3, 2), 3, -1, 1.5)],
    inplace=METHOD,
)


@composite(
    "norm",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), 1, 1),
        (r(3, 4), "fro", (0, 1), True),
        (r(3, 4), "nuc", (0, 1)),
        (r(2, 3), 2, None, True),
        (r(3), 3, 0, {"dtype": dtypes.float64}),
    ],
)
def norm(
    self: Value, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: DType | None = None
) -> Any:
    """The norm of all elements or along dimensions."""
    if isinstance(p, str):
        if p != "fro" or (isinstance(dim, (tuple, list)) and len(dim) > 2):
            dims = (dim,) if isinstance(dim, int) else dim
            dims = tuple(range(self.ndim)) if dim is None else dims
            matrix_norm: Any = lookup("linalg.matrix_norm")
            return matrix_norm(self, p, dims, keepdim, dtype=dtype)
        p = 2
    public: Any = lookup("linalg.vector_norm")
    return public(self, 2.0 if p is None else p, dim, keepdim, dtype=dtype)

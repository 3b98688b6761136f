"""QR factors, and orthogonal matrices as products of Householder reflections.

The derivative of QR after Walter and Lehmann, arXiv:1009.6112, and Roberts and Roberts,
arXiv:2009.10071 (matrices with more columns than rows).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.kernels.lapack import adjoint, by_columns, each, lapack, qr_of_one
from gradcli.ops.algebra.comparison import conj, is_complex
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.parts import blank, select
from gradcli.ops.algebra.placement import tril, triu
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import shape_of, squeeze_dim, unsqueeze
from gradcli.ops.linalg.matrices import (
    check_floating,
    check_kernel,
    check_matrix,
    identity,
    mh,
    part,
    word,
    written,
)
from gradcli.ops.linalg.triangular import solve_triangular
from gradcli.table.declare import composite, row
from gradcli.table.refusals import underived
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import length_along
from gradcli.tensor.tensor import constant, raw
from gradcli.typing import Array, Value


def _qr(A: Array, mode: str = "reduced") -> tuple[Array, Array]:
    """An orthonormal and an upper triangular factor."""
    check_matrix(A, "linalg.qr")
    check_floating(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    check_kernel(A, "geqrf_cpu")
    q, r = each(lambda a: qr_of_one(a, mode == "complete"), A)
    return np.zeros(0, A.dtype) if mode == "r" else by_columns(q), by_columns(r)


def _weighted_diagonal(value: Any, real: float, imaginary: float) -> Any:
    """The matrices with the real and imaginary parts of their diagonals scaled."""
    n = shape_of(value)[-1]
    kind = raw(value).real.dtype
    unit = np.eye(n, dtype=kind)
    if not is_complex(value):
        return value * constant(1 + (real - 1) * unit, value)
    # Half the sum with the conjugate is the real part.
    both = constant(1 + ((real + imaginary) / 2 - 1) * unit, value)
    swap = constant((real - imaginary) / 2 * unit, value)
    return value * both + conj(value) * swap


def _tall_slope(of_q: Any, of_r: Any, q: Any, r: Any) -> Any:
    slope = _qr_product(of_q, of_r, q, r)
    upper = triu(slope, 0)
    slope = matmul(q, _weighted_diagonal(upper + mh(upper), 0.5, 1.0))
    if of_q is not None:
        slope = slope + of_q
    return solve_triangular(mh(r), slope, False, False)


def _wide_slope(of_q: Any, of_r: Any, q: Any, r: Any) -> Any:
    m, n = shape_of(q)[-2], shape_of(r)[-1]
    skew = -_qr_product(of_q, of_r, q, r)
    lower = _weighted_diagonal(tril(skew - mh(skew), 0), 1.0, 0.5)
    slope = solve_triangular(mh(part(r, -1, 0, m)), matmul(q, lower), False, False)
    slope = cat([slope, blank((*shape_of(slope)[:-1], n - m), slope)], -1)
    return slope if of_r is None else slope + matmul(q, of_r)


def _qr_product(of_q: Any, of_r: Any, q: Any, r: Any) -> Any:
    if of_q is None:
        return matmul(of_r, mh(r))
    turn = matmul(mh(q), of_q)
    return -turn if of_r is None else matmul(of_r, mh(r)) - turn


def _qr_vjp(grads: Any, result0: Any, result1: Any, A_shape: Any, mode: str) -> Any:
    of_q, of_r = grads
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    m, n = A_shape[-2:]
    if mode == "complete" and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        )
    if of_q is None and of_r is None:
        return None
    return (_tall_slope if m >= n else _wide_slope)(of_q, of_r, result0, result1)


qr_row: Row = row(
    "aten.linalg_qr",
    _qr,
    halves=False,
    A=_qr_vjp,
    samples=lambda r: [(r(4, 3),), (r(3, 3),), (r(2, 4),)],
)


@composite(
    "linalg.qr",
    samples=lambda r: [
        (r(4, 3),),
        (r(2, 3, 3),),
        (r(2, 4),),
        (r(3, 3), "complete"),
        (kinked(r(3, 2)), "r"),
    ],
)
def qr(A: Value, mode: str = "reduced") -> Any:
    """A = Q R with orthonormal columns of Q and an upper triangular R."""
    return return_type("linalg_qr", "Q R")(qr_row(A, mode))


@composite("qr", samples=lambda r: [(r(4, 3),), (r(2, 3, 3),), (r(3, 3), False)])
def qr_old(self: Value, some: bool = True) -> Any:
    """self = Q R with orthonormal columns of Q and an upper triangular R."""
    return return_type("qr", "Q R")(qr_row(self, "reduced" if some else "complete"))


def _geqrf(self: Array) -> tuple[Array, Array]:
    """The QR factorisation as Householder reflections."""
    if self.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    check_kernel(self, "geqrf_cpu")
    if not self.size:
        return self.copy(), np.zeros((*self.shape[:-2], min(self.shape[-2:])), self.dtype)
    geqrf = lapack("geqrf", self)
    found, tau = each(lambda a: geqrf(a)[:2], self)
    return by_columns(found), tau


geqrf_row: Row = row(
    "aten.geqrf",
    _geqrf,
    halves=False,
    self=underived("geqrf", every=True),
    complex_gradient=False,
    samples=lambda r: [(r(3, 2),), (r(2, 3),), (r(2, 2, 2),)],
)


@composite("geqrf", samples=lambda r: [(r(3, 2),), (r(2, 3),), (r(2, 2, 2),)])
def geqrf(self: Value) -> Any:
    """R above, the vectors of Householder reflections below the diagonal, and their factors."""
    return return_type("geqrf", "a tau")(geqrf_row(self))


def _vectors(reflections: Any, k: int) -> Any:
    """The vectors of the reflections as columns: what stands below a diagonal of ones."""
    m = shape_of(reflections)[-2]
    unit = constant(np.eye(m, k, dtype=raw(reflections).dtype), reflections)
    return tril(part(reflections, -1, 0, k), -1) + unit


def _reflected(v: Any, tau: Any, x: Any) -> Any:
    """(I - tau v v^H) x for a column v and tau of shape (..., 1, 1)."""
    return x - matmul(tau * v, matmul(mh(v), x))


def _reflections_vjp(of_product: Any, reflections: Any, tau: Any) -> tuple[Any, Any]:
    """Gradients of vectors and factors from that of the whole square product H_1 ... H_k.

    H = I - tau v v^H has dH = -dtau v v^H - tau dv v^H - tau v dv^H; for each H the gradient of the
    product is carried through the reflections on both sides.
    """
    m = shape_of(reflections)[-2]
    k = shape_of(tau)[-1]
    if not k or not m:
        return None, None
    vectors = _vectors(reflections, k)
    columns = [part(vectors, -1, i, 1) for i in range(k)]
    factors = [unsqueeze(part(tau, -1, i, 1), -1) for i in range(k)]
    behind = [expand(identity(m, vectors), (*shape_of(reflections)[:-2], m, m))]
    for v, factor in zip(columns[:0:-1], factors[:0:-1], strict=True):
        behind.append(_reflected(v, factor, behind[-1]))
    slope = of_product
    of_vectors, of_factors = [], []
    for v, factor, rest in zip(columns, factors, reversed(behind), strict=True):
        own = matmul(slope, mh(rest))
        along = matmul(own, v)
        of_factors.append(squeeze_dim(-matmul(mh(v), along), -1))
        of_vectors.append(-(conj(factor) * along) - factor * matmul(mh(own), v))
        slope = _reflected(v, conj(factor), slope)
    whole = _columns_written(of_vectors, shape_of(reflections), slope)
    return tril(whole, -1), _columns_written(of_factors, shape_of(tau), slope)


def _columns_written(columns: Sequence[Any], shape: Sequence[int], like: Any) -> Any:
    """Columns (of length one there) as the first entries along the last dimension of zeros."""

    def entry(k: int) -> Callable[[Any], Any]:
        return lambda whole: select(whole, -1, k)

    pieces = [(entry(k), squeeze_dim(column, -1)) for k, column in enumerate(columns)]
    return written(shape, pieces, like)


def _check_factors(reflections: Array, tau: Array, name: str, batch: str) -> None:
    if reflections.ndim - tau.ndim != 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal "
            f"to {tau.ndim} and input.ndim is equal to {reflections.ndim}"
        )
    if reflections.shape[:-2] != tau.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to {batch}, but got "
            f"{list(tau.shape[:-1])}"
        )


def _householder(input: Array, tau: Array) -> Array:
    """The first columns of a product of Householder reflections."""
    name = "torch.linalg.householder_product"
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    m, n = input.shape[-2:]
    if m < n:
        raise RuntimeError(
            f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if n < length_along(tau.shape, -1):
        raise RuntimeError(
            f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    _check_factors(input, tau, name, "input.shape[:-2]")
    if tau.dtype != input.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {word(tau)} does not match input dtype {word(input)}"
        )
    check_kernel(input, "orgqr_cpu")
    if not tau.shape[-1] or not input.size:
        return by_columns(np.broadcast_to(np.eye(m, n, dtype=input.dtype), input.shape).copy())
    orgqr = lapack("ungqr" if input.dtype.kind == "c" else "orgqr", input)
    (found,) = each(lambda a, t: orgqr(a, t)[:1], input, tau, ranks=(2, 1))
    return by_columns(found)


def _householder_vjp(grad: Any, input: Any, tau: Any) -> tuple[Any, Any]:
    m, n = shape_of(input)[-2:]
    slope = grad
    if m > n:
        slope = cat([grad, blank((*shape_of(grad)[:-1], m - n), grad)], -1)
    return _reflections_vjp(slope, input, tau)


householder_row: Row = row(
    "linalg.householder_product",
    _householder,
    halves=False,
    joint=("input tau", _householder_vjp),
    samples=lambda r: [(r(4, 3), r(2)), (r(2, 3, 3), r(2, 3)), (r(3, 2), r(0))],
)


@composite(
    "orgqr",
    samples=lambda r: [
        (r(3, 2), r(2, low=0.5)),
        (r(4, 3), r(2)),
        (r(2, 3, 3), r(2, 3)),
        (r(3, 2), r(0)),
    ],
)
def orgqr(self: Value, input2: Value) -> Any:
    """The first columns of a product of Householder reflections."""
    return householder_row(self, input2)


def _check_ormqr(reflections: Array, tau: Array, other: Array, left: bool) -> None:
    name = "torch.ormqr"
    for label, operand in (("input", reflections), ("other", other)):
        if operand.ndim < 2:
            raise RuntimeError(f"{name}: {label} must have at least 2 dimensions.")
    side = -2 if left else -1
    if other.shape[side] < length_along(tau.shape, -1):
        raise RuntimeError(
            f"{name}: other.shape[{side}] must be greater than or equal to tau.shape[-1]"
        )
    if other.shape[side] != reflections.shape[-2]:
        raise RuntimeError(f"{name}: other.shape[{side}] must be equal to input.shape[-2]")
    if tau.shape[-1:] and tau.shape[-1] > reflections.shape[-1]:
        raise RuntimeError(
            f"{name}: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])"
        )
    _check_factors(reflections, tau, name, "input.shape[:-2]")
    if reflections.ndim != other.ndim:
        raise RuntimeError(
            f"{name}: Expected other to have the same number of dimensions as input, but got "
            f"other.ndim equal to {other.ndim} and input.ndim is equal to {reflections.ndim}"
        )
    if reflections.shape[:-2] != other.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.shape[:-2])}"
        )
    for label, operand in (("tau", tau), ("other", other)):
        if operand.dtype != reflections.dtype:
            raise RuntimeError(
                f"{name}: Expected input and {label} to have the same dtype, but input has dtype"
                f"{word(reflections)} and {label} has dtype {word(operand)}"
            )


def _product_of(reflections: Array, tau: Array) -> Array:
    """The whole square product of the reflections."""
    m = reflections.shape[-2]
    k = tau.shape[-1]
    square = np.zeros((*reflections.shape[:-2], m, m), reflections.dtype)
    square[..., :k] = reflections[..., :k]
    return _householder(square, tau)


def _ormqr(
    self: Array, input2: Array, input3: Array, left: bool = True, transpose: bool = False
) -> Array:
    """A matrix times a product of Householder reflections (or its adjoint), on either side."""
    _check_ormqr(self, input2, input3, left)
    check_kernel(self, "ormqr_cpu")
    q = _product_of(self, input2)
    q = adjoint(q) if transpose else q
    return by_columns(np.matmul(q, input3) if left else np.matmul(input3, q))


def _ormqr_vjp(
    grad: Any,
    self: Any,
    input2: Any,
    input3: Any,
    left: bool,
    transpose: bool,
    needs: Sequence[bool],
) -> tuple[Any, Any, Any]:
    of_vectors = of_tau = of_other = None
    if needs[2]:
        of_other = ormqr(self, input2, grad, left, not transpose)
    if needs[0] or needs[1]:
        slope = matmul(grad, mh(input3)) if left else matmul(mh(input3), grad)
        of_vectors, of_tau = _reflections_vjp(mh(slope) if transpose else slope, self, input2)
    return of_vectors, of_tau, of_other


ormqr: Row = row(
    "ormqr",
    _ormqr,
    halves=False,
    linear="input3",
    joint=("self input2 input3", _ormqr_vjp),
    samples=lambda r: [
        (r(3, 2), r(2), r(3, 4)),
        (r(3, 2), r(2), r(3, 2), True, True),
        (r(3, 3), r(3), r(2, 3), False),
        (r(3, 3), r(3), r(2, 3), False, True),
    ],
)

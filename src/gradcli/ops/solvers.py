"""Linear systems, inverses, determinants and LU factors, with their derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.comparison import conj, eq, where_
from gradcli.ops.elementary import log
from gradcli.ops.factorisations import (
    constant,
    each,
    eye,
    first_failure,
    h,
    matrices,
    part,
    raw,
    solve_triangular,
    svd_row,
    t,
    without_history,
)
from gradcli.ops.joining import cat
from gradcli.ops.matmul import matmul
from gradcli.ops.padding import constant_pad
from gradcli.ops.placement import tril, triu
from gradcli.ops.shape import shape_of, unsqueeze
from gradcli.ops.slicing import select
from gradcli.ops.table import Row, composite, row
from gradcli.tensor.errors import _LinAlgError
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import wrap

Array = Any

# --- LU by LAPACK


def lu_parts(self: Array) -> tuple[Array, Array, Array]:
    """LAPACK's compact factors, pivots counted from one, and its code."""
    from scipy.linalg import lapack

    k = min(self.shape[-2:])
    if 0 in self.shape[-2:] or self.size == 0:
        lead = self.shape[:-2]
        pivots = np.broadcast_to(np.arange(1, k + 1, dtype=np.int32), (*lead, k)).copy()
        return self.copy(), pivots, np.zeros(lead, np.int32)

    def one(a: Array) -> tuple[Array, Array, Array]:
        found, pivots, info = lapack.get_lapack_funcs("getrf", (a,))(a)
        return found, (pivots + 1).astype(np.int32), np.int32(info)

    found, pivots, info = each(one, self)
    return np.asarray(found, self.dtype), pivots, np.asarray(info, np.int32)


def _singular(info: Array, name: str, doing: str) -> None:
    failed = first_failure(info)
    if failed:
        where, position = failed
        raise _LinAlgError(
            f"{name}: {where}The diagonal element {position} is zero, the {doing} could not be "
            "completed because the input matrix is singular."
        )


def permutation(pivots: Array, m: int) -> Array:
    """The matrices P of A = P L U that LAPACK's pivots stand for."""
    lead = pivots.shape[:-1]
    order = np.broadcast_to(np.arange(m), (*lead, m)).copy().reshape(int(np.prod(lead)), m)
    for line, swaps in zip(order, pivots.reshape(len(order), pivots.shape[-1]), strict=True):
        for k, other in enumerate(swaps):
            line[k], line[other - 1] = line[other - 1], line[k]
    matrices_ = np.zeros((len(order), m, m))
    for p, line in zip(matrices_, order, strict=True):
        p[line, np.arange(m)] = 1
    return matrices_.reshape((*lead, m, m))


def lower_of(compact: Any, m: int, k: int) -> Any:
    return tril(part(compact, -1, 0, k), -1) + constant(np.eye(m, k), compact)


def upper_of(compact: Any, k: int) -> Any:
    return triu(part(compact, -2, 0, k), 0)


def _plu_vjp(grad_l: Any, grad_u: Any, p: Any, low: Any, up: Any) -> Any:
    """The gradient of A = P L U for square, wide and tall matrices."""
    m, n = shape_of(low)[-2], shape_of(up)[-1]
    k = min(m, n)
    l1, u1 = part(low, -2, 0, k), part(up, -1, 0, k)
    inner: Any = 0.0
    if grad_l is not None:
        inner = tril(matmul(h(l1), part(grad_l, -2, 0, k)), -1)
    if grad_u is not None:
        inner = inner + triu(matmul(part(grad_u, -1, 0, k), h(u1)), 0)
    if m < n and grad_u is not None:
        inner = inner - tril(matmul(part(grad_u, -1, k, n), h(part(up, -1, k, n))), -1)
    if m > n and grad_l is not None:
        inner = inner - triu(matmul(h(part(low, -2, k, m)), part(grad_l, -2, k, m)), 0)
    # L1^-H inner U1^-H
    inner = solve_triangular(h(l1), inner, True, True, True)
    square = solve_triangular(h(u1), inner, False, False)
    if m < n:
        rest = (
            solve_triangular(h(l1), part(grad_u, -1, k, n), True, True, True)
            if grad_u is not None
            else part(up, -1, k, n) * 0
        )
        square = cat([square, rest], -1)
    elif m > n:
        rest = (
            solve_triangular(h(u1), part(grad_l, -2, k, m), False, False)
            if grad_l is not None
            else part(low, -2, k, m) * 0
        )
        square = cat([square, rest], -2)
    return matmul(p, square)


def _split(compact: Any, pivots: Any) -> tuple[Any, Any, Any]:
    m, n = shape_of(compact)[-2:]
    k = min(m, n)
    p = constant(permutation(raw(pivots), m), compact)
    return p, lower_of(compact, m, k), upper_of(compact, k)


def _lu_factor_vjp(grad: Any, result0: Any, result1: Any) -> Any:
    m, n = shape_of(result0)[-2:]
    k = min(m, n)
    grad_l = tril(part(grad, -1, 0, k), -1)
    grad_u = triu(part(grad, -2, 0, k), 0)
    return _plu_vjp(grad_l, grad_u, *_split(result0, result1))


def _lu_factor(self: Array, pivot: bool = True) -> tuple[Array, Array, Array]:
    if self.ndim < 2:
        raise RuntimeError(
            f"torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(self.shape)} instead"
        )
    matrices(self, "torch.linalg.lu_factor")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return lu_parts(self)


lu_factor_row: Row = row(
    "aten.linalg_lu_factor_ex(Tensor self, bool pivot=True)",
    _lu_factor,
    self=_lu_factor_vjp,
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),)],
    doc="Compact LU factors, pivots and LAPACK's code.",
)


@composite("linalg.lu_factor(Tensor self, *, bool pivot=True)", doc="Compact LU factors.")
def lu_factor(self: Any, pivot: bool = True) -> Any:
    return return_type("linalg_lu_factor", "LU pivots")(lu_factor_row(self, pivot)[:2])


@composite(
    "linalg.lu_factor_ex(Tensor self, *, bool pivot=True, bool check_errors=False)",
    doc="Compact LU factors and a code instead of an error.",
)
def lu_factor_ex(self: Any, pivot: bool = True, check_errors: bool = False) -> Any:
    return return_type("linalg_lu_factor_ex", "LU pivots info")(lu_factor_row(self, pivot))


@composite(
    "lu(Tensor self, bool pivot=True, bool get_infos=False)", doc="Compact LU factors and pivots."
)
def lu_compact(self: Any, pivot: bool = True, get_infos: bool = False) -> Any:
    found = lu_factor_row(self, pivot)
    return tuple(found) if get_infos else tuple(found[:2])


def _lu(self: Array, pivot: bool = True) -> tuple[Array, Array, Array]:
    matrices(self, "torch.linalg.lu")
    compact, pivots, _ = lu_parts(self)
    p, low, up = _split(compact, pivots)
    return p.astype(self.dtype), low, up


lu_row: Row = row(
    "aten.linalg_lu(Tensor self, bool pivot=True)",
    _lu,
    self=lambda grads, result0, result1, result2: _plu_vjp(
        grads[1], grads[2], result0, result1, result2
    ),
    samples=lambda r: [],
    doc="The factors P, L and U.",
)


@composite("linalg.lu(Tensor self, *, bool pivot=True)", doc="The factors P, L and U.")
def lu(self: Any, pivot: bool = True) -> Any:
    p, low, up = lu_row(self, pivot)
    without_history(p)
    return return_type("linalg_lu", "P L U")((p, low, up))


def _unpack_vjp(grads: Any, LU_data_shape: Any) -> Any:
    m, n = LU_data_shape[-2:]
    k = min(m, n)
    total: Any = None
    if grads[1] is not None:
        total = constant_pad(tril(grads[1], -1), (0, n - k), 0)
    if grads[2] is not None:
        upper = constant_pad(triu(grads[2], 0), (0, 0, 0, m - k), 0)
        total = upper if total is None else total + upper
    return total


def _unpack(LU_data: Array, LU_pivots: Array) -> tuple[Array, Array, Array]:
    if LU_pivots.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            "dtype. Note: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    p, low, up = _split(LU_data, LU_pivots)
    return p.astype(LU_data.dtype), low, up


lu_unpack_row: Row = row(
    "aten.lu_unpack(Tensor LU_data, Tensor LU_pivots)",
    _unpack,
    LU_data=_unpack_vjp,
    samples=lambda r: [],
    doc="P, L and U of compact factors.",
)


@composite(
    "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True)",
    doc="P, L and U of compact factors.",
)
def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    p, low, up = lu_unpack_row(LU_data, LU_pivots)
    without_history(p)
    empty = wrap(np.zeros(0, LU_data._array.dtype))
    chosen = (p if unpack_pivots else empty, *((low, up) if unpack_data else (empty, empty)))
    return return_type("lu_unpack", "P L U")(chosen)


# --- solving


def _solve(A: Array, B: Array, left: bool = True, check_errors: bool = True) -> tuple[Array, ...]:
    matrices(A, "linalg.solve", True)
    vector = is_vector(A.shape, B.shape)
    b = B[..., None] if vector else B
    n = b.shape[-2 if left or vector else -1]
    if A.shape[-1] != n:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({A.shape[-2]}x{A.shape[-1]} and "
            f"{b.shape[-2]}x{b.shape[-1]})"
        )
    compact, pivots, info = lu_parts(A)
    if check_errors:
        _singular(info, "torch.linalg.solve", "solve")
    with np.errstate(all="ignore"):
        try:
            if left or vector:
                x = np.linalg.solve(A, b)
            else:
                x = np.swapaxes(
                    np.linalg.solve(np.swapaxes(A, -1, -2), np.swapaxes(b, -1, -2)), -1, -2
                )
        except np.linalg.LinAlgError:
            x = np.full(np.broadcast_shapes(A.shape[:-2], b.shape[:-2]) + b.shape[-2:], np.nan)
    x = np.asarray(x, B.dtype)
    return (x[..., 0] if vector else x), compact, pivots, info


def is_vector(a: Any, b: Any) -> bool:
    """Whether the right-hand sides are a batch of vectors rather than matrices."""
    return len(b) == 1 or (len(a) - 1 == len(b) and tuple(a[:-1]) == tuple(b))


def _solve_vjp(
    grad: Any, A: Any, A_shape: Any, B_shape: Any, result0: Any, left: bool, needs: Any
) -> tuple[Any, Any]:
    vector = is_vector(A_shape, B_shape)
    grad_b = solve_row(h(A), grad, left)
    if not needs[0]:
        return None, grad_b
    if vector:
        return -matmul(unsqueeze(grad_b, -1), conj(unsqueeze(result0, -2))), grad_b
    outer = matmul(grad_b, h(result0)) if left else matmul(h(result0), grad_b)
    return -outer, grad_b


solve_ex_row: Row = row(
    "aten.linalg_solve_ex(Tensor A, Tensor B, bool left=True, bool check_errors=True)",
    _solve,
    joint=("A B", _solve_vjp),
    samples=lambda r: [],
    doc="The solution of linear systems, LU factors, pivots and LAPACK's code.",
)


def solve_row(A: Any, B: Any, left: bool = True) -> Any:
    """X of A X = B (or X A = B)."""
    return solve_ex_row(A, B, left)[0]


@composite(
    "linalg.solve(Tensor A, Tensor B, *, bool left=True)",
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3), r(3, 2)), (r(3, 3) + 3 * np.eye(3), r(3))],
    doc="X of A X = B, or of X A = B.",
)
def solve(A: Any, B: Any, left: bool = True) -> Any:
    return solve_row(A, B, left)


@composite(
    "linalg.solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False)",
    doc="X of A X = B and a code instead of an error.",
)
def solve_ex(A: Any, B: Any, left: bool = True, check_errors: bool = False) -> Any:
    x, _, _, info = solve_ex_row(A, B, left, check_errors)
    return return_type("linalg_solve_ex", "result info")((x, info))


def _lu_solve(
    LU: Array, pivots: Array, B: Array, left: bool = True, adjoint: bool = False
) -> Array:
    p, low, up = _split(LU, pivots)
    a = np.matmul(np.matmul(p, low), up)
    if adjoint:
        a = np.conj(np.swapaxes(a, -1, -2))
    if not left:
        a, b = np.swapaxes(a, -1, -2), np.swapaxes(B, -1, -2)
        return np.asarray(np.swapaxes(np.linalg.solve(a, b), -1, -2), B.dtype)
    return np.asarray(np.linalg.solve(a, B), B.dtype)


def _lu_solve_vjp(
    grad: Any, LU: Any, pivots: Any, result: Any, left: bool, adjoint: bool, needs: Any
) -> tuple[Any, Any]:
    grad_b = lu_solve_row(LU, pivots, grad, left, not adjoint)
    if not needs[0]:
        return None, grad_b
    p, low, up = _split(LU, pivots)
    grad_a = -matmul(grad_b, h(result)) if left else -matmul(h(result), grad_b)
    if adjoint:
        grad_a = h(grad_a)
    turned = matmul(t(p), grad_a)
    grad_lu = tril(matmul(turned, h(up)), -1) + triu(matmul(h(low), turned), 0)
    return grad_lu, grad_b


lu_solve_row: Row = row(
    "aten.linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, bool left=True, bool adjoint=False)",
    _lu_solve,
    joint=("LU B", _lu_solve_vjp),
    samples=lambda r: [],
    doc="The solution of linear systems from compact LU factors.",
)


@composite(
    "linalg.lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False)",
    doc="The solution of linear systems from compact LU factors.",
)
def lu_solve(LU: Any, pivots: Any, B: Any, left: bool = True, adjoint: bool = False) -> Any:
    return lu_solve_row(LU, pivots, B, left, adjoint)


@composite(
    "lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots)",
    doc="The solution of linear systems from compact LU factors.",
)
def lu_solve_old(self: Any, LU_data: Any, LU_pivots: Any) -> Any:
    return lu_solve_row(LU_data, LU_pivots, self)


# --- inverses


def _inv(self: Array, check_errors: bool = False) -> tuple[Array, Array]:
    matrices(self, "linalg.inv", True)
    _, _, info = lu_parts(self)
    if check_errors:
        _singular(info, "linalg.inv", "inversion")
    safe = np.where((info != 0)[..., None, None], np.eye(self.shape[-1]), self)
    found = np.linalg.inv(safe.astype(self.dtype))
    bad = (info != 0)[..., None, None]
    return np.where(bad, np.inf, found).astype(self.dtype), info


inv_ex_row: Row = row(
    "aten.linalg_inv_ex(Tensor self, bool check_errors=False)",
    _inv,
    self=lambda grad, result0: -matmul(h(result0), matmul(grad, h(result0))),
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(2, 2, 2) + 3 * np.eye(2),)],
    doc="Inverses and LAPACK's code.",
)


def inverse_of(value: Any) -> Any:
    return inv_ex_row(value, True)[0]


@composite("linalg.inv|inverse(Tensor self)", doc="The inverse of matrices.")
def inv(self: Any) -> Any:
    return inverse_of(self)


@composite(
    "linalg.inv_ex(Tensor self, *, bool check_errors=False)",
    doc="The inverse of matrices and a code instead of an error.",
)
def inv_ex(self: Any, check_errors: bool = False) -> Any:
    return return_type("linalg_inv_ex", "inverse info")(inv_ex_row(self, check_errors))


def _pinv(self: Array, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Array:
    matrices(self, "linalg.pinv", hermitian)
    m, n = self.shape[-2:]
    if self.size == 0:
        return np.zeros((*self.shape[:-2], n, m), self.dtype)
    absolute = 0.0 if atol is None else np.asarray(atol)
    default = max(m, n) * np.finfo(self.dtype).eps if atol is None else 0.0
    relative = default if rtol is None else np.asarray(rtol)
    if hermitian:
        low = np.tril(self)
        self = low + np.conj(np.swapaxes(np.tril(self, -1), -1, -2))
    u, s, vh = np.linalg.svd(self, full_matrices=False)
    peak = s.max(-1, keepdims=True, initial=0)
    limit = np.maximum(np.asarray(absolute)[..., None], np.asarray(relative)[..., None] * peak)
    inverse = np.where(s > limit, 1 / np.where(s > limit, s, 1), 0)
    return np.asarray(
        np.conj(np.swapaxes(vh, -1, -2)) * inverse[..., None, :] @ np.conj(np.swapaxes(u, -1, -2)),
        self.dtype,
    )


def pinv_slope(grad: Any, inverse: Any, a: Any) -> Any:
    """The gradient of the pseudoinverse (Golub and Pereyra, 1973)."""
    m, n = shape_of(a)[-2:]
    adjoint, slope = h(inverse), h(grad)
    if m <= n:
        k = matmul(slope, inverse)
        kp = matmul(k, adjoint)
        return (
            -h(matmul(inverse, k))
            + kp
            - matmul(matmul(a, inverse), kp)
            + matmul(matmul(adjoint, inverse), slope - matmul(k, a))
        )
    k = matmul(inverse, slope)
    pk = matmul(adjoint, k)
    return (
        -h(matmul(k, inverse))
        + matmul(matmul(slope - matmul(a, k), inverse), adjoint)
        + pk
        - matmul(matmul(pk, inverse), a)
    )


pinv_row: Row = row(
    "aten.linalg_pinv(Tensor self, any atol=None, any rtol=None, bool hermitian=False)",
    _pinv,
    self=lambda grad, self, result: pinv_slope(grad, result, self),
    samples=lambda r: [(r(2, 3),), (r(3, 2),)],
    doc="The pseudoinverse of matrices.",
)


def _limit(value: Any) -> Any:
    return value._array if hasattr(value, "_array") else value


@composite(
    "linalg.pinv(Tensor self, any rcond=None, bool hermitian=False, *, any atol=None, "
    "any rtol=None)",
    doc="The pseudoinverse of matrices.",
)
def pinv(
    self: Any, rcond: Any = None, hermitian: bool = False, atol: Any = None, rtol: Any = None
) -> Any:
    relative = rtol if rcond is None else rcond
    return pinv_row(self, _limit(atol), _limit(relative), hermitian)


@composite("pinverse(Tensor self, float rcond=1e-15)", doc="The pseudoinverse of matrices.")
def pinverse(self: Any, rcond: float = 1e-15) -> Any:
    return pinv_row(self, None, rcond)


# --- Cholesky factors


def _chol_solve(self: Array, input2: Array, upper: bool = False) -> Array:
    factor = np.triu(input2) if upper else np.tril(input2)
    a = (
        np.conj(np.swapaxes(factor, -1, -2)) @ factor
        if upper
        else (factor @ np.conj(np.swapaxes(factor, -1, -2)))
    )
    return np.asarray(np.linalg.solve(a, self), self.dtype)


def _chol_solve_vjp(
    grad: Any, input2: Any, result: Any, upper: bool, needs: Any
) -> tuple[Any, Any]:
    grad_b = cholesky_solve(grad, input2, upper)
    if not needs[1]:
        return grad_b, None
    common = matmul(grad_b, h(result))
    common = common + h(common)
    return grad_b, -matmul(input2, common) if upper else -matmul(common, input2)


cholesky_solve: Row = row(
    "cholesky_solve(Tensor self, Tensor input2, bool upper=False)",
    _chol_solve,
    joint=("self input2", _chol_solve_vjp),
    samples=lambda r: [(r(3, 2), np.tril(r(3, 3)) + 3 * np.eye(3))],
    doc="The solution of A X = self from the Cholesky factor of A.",
)


def _chol_inverse(self: Array, upper: bool = False) -> Array:
    n = self.shape[-1]
    identity = np.broadcast_to(np.eye(n, dtype=self.dtype), self.shape)
    return _chol_solve(identity, self, upper)


def _chol_inverse_vjp(grad: Any, self: Any, result: Any, upper: bool) -> Any:
    common = matmul(matmul(result, grad + h(grad)), result)
    return -matmul(self, common) if upper else -matmul(common, self)


cholesky_inverse: Row = row(
    "cholesky_inverse(Tensor self, bool upper=False)",
    _chol_inverse,
    self=_chol_inverse_vjp,
    samples=lambda r: [(np.tril(r(3, 3)) + 3 * np.eye(3),)],
    doc="The inverse of A from its Cholesky factor.",
)

# --- determinants


def _det(self: Array) -> Array:
    matrices(self, "linalg.det", True)
    return np.asarray(np.linalg.det(self), self.dtype)


def _det_vjp(grad: Any, self: Any, result: Any) -> Any:
    """det(A) A^-H, by the adjugate from singular values where A has no inverse."""
    n = shape_of(self)[-1]
    wide = unsqueeze(unsqueeze(grad * conj(result), -1), -1)
    _, _, info = lu_parts(raw(self))
    if not np.any(info):
        return solve_row(h(self), wide * eye(n, self))
    u, s, vh = svd_row(self, False)
    sign = _det(raw(u)) * _det(raw(vh))
    others = [_product([select(s, -1, j) for j in range(n) if j != k], s) for k in range(n)]
    diagonal = cat([unsqueeze(item, -1) for item in others], -1)
    scale = unsqueeze(unsqueeze(grad * constant(np.conj(sign), grad), -1), -1)
    return scale * matmul(u * unsqueeze(diagonal, -2), vh)


def _product(values: list[Any], like: Any) -> Any:
    total: Any = None
    for value in values:
        total = value if total is None else total * value
    return select(like, -1, 0) * 0 + 1 if total is None else total


det_row: Row = row(
    "linalg.det|det(Tensor self)",
    _det,
    node="LinalgDetBackward0",
    self=_det_vjp,
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(2, 2, 2),)],
    doc="The determinant of matrices.",
)


def _slogdet(self: Array) -> tuple[Array, Array]:
    matrices(self, "linalg.slogdet", True)
    sign, logabs = np.linalg.slogdet(self)
    return np.asarray(sign, self.dtype), np.asarray(logabs, self.real.dtype)


def _slogdet_vjp(grads: Any, self: Any) -> Any:
    if grads[1] is None:
        return self * 0
    n = shape_of(self)[-1]
    return solve_row(h(self), unsqueeze(unsqueeze(grads[1], -1), -1) * eye(n, self))


slogdet_row: Row = row(
    "aten.linalg_slogdet(Tensor self)",
    _slogdet,
    self=_slogdet_vjp,
    samples=lambda r: [],
    doc="Sign and logarithm of the absolute value of the determinant.",
)


@composite("linalg.slogdet(Tensor self)", doc="Sign and logarithm of the determinant's size.")
def slogdet(self: Any) -> Any:
    return return_type("linalg_slogdet", "sign logabsdet")(slogdet_row(self))


@composite("slogdet(Tensor self)", doc="Sign and logarithm of the determinant's size.")
def slogdet_old(self: Any) -> Any:
    return return_type("slogdet", "sign logabsdet")(slogdet_row(self))


@composite("logdet(Tensor self)", doc="The logarithm of the determinant; nan below zero.")
def logdet(self: Any) -> Any:
    sign, logabs = slogdet_row(self)
    if self.is_complex():
        return logabs + log(sign)
    return where_(eq(sign, -1), float("nan"), logabs)


# --- least squares


def _lstsq(
    self: Array, b: Array, rcond: float | None = None, driver: str | None = None
) -> tuple[Array, ...]:
    matrices(self, "torch.linalg.lstsq")
    m, n = self.shape[-2:]
    vector = b.ndim == self.ndim - 1
    target = b[..., None] if vector else b
    if target.shape[-2] != m:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    limit = max(m, n) * np.finfo(self.dtype).eps if rcond is None else rcond
    inverse = _pinv(self, None, limit if driver not in ("gels",) else None)
    x = inverse @ target
    kind = self.real.dtype
    lead = x.shape[:-2]
    rank = np.zeros(0, np.int64)
    values = np.zeros(0, kind)
    residuals = np.zeros(0, kind)
    s = np.linalg.svd(self, compute_uv=False) if self.size else np.zeros((*lead, 0), kind)
    found = (s > limit * s.max(-1, keepdims=True, initial=0)).sum(-1)
    if driver != "gels":
        rank = np.asarray(found, np.int64)
    if driver in ("gelsd", "gelss"):
        values = s
    full = driver == "gels" or bool(np.all(found == n))
    if m > n and full and driver != "gelsy":
        gap = self @ x - target
        residuals = np.asarray((np.abs(gap) ** 2).sum(-2), kind)
        if vector:
            residuals = residuals[..., 0]
    return (x[..., 0] if vector else x).astype(self.dtype), residuals, rank, values


def _lstsq_vjp(
    grads: Any, self: Any, b: Any, b_shape: Any, self_shape: Any, result0: Any, needs: Any
) -> tuple[Any, Any]:
    vector = len(b_shape) == len(self_shape) - 1
    target = unsqueeze(b, -1) if vector else b
    x = unsqueeze(result0, -1) if vector else result0
    grad_a: Any = None
    grad_b: Any = None
    if grads[0] is not None:
        grad_x = unsqueeze(grads[0], -1) if vector else grads[0]
        inverse = pinv_row(self)
        grad_a = pinv_slope(matmul(grad_x, h(target)), inverse, self)
        grad_b = matmul(h(inverse), grad_x)
    if grads[1] is not None and raw(grads[1]).size:
        slope = unsqueeze(grads[1], -2) if not vector else unsqueeze(unsqueeze(grads[1], -1), -1)
        scaled = (matmul(self, x) - target) * slope * 2
        from_a, from_b = matmul(scaled, h(x)), -scaled
        grad_a = from_a if grad_a is None else grad_a + from_a
        grad_b = from_b if grad_b is None else grad_b + from_b
    if vector and grad_b is not None:
        grad_b = select(grad_b, -1, 0)
    return grad_a, grad_b


lstsq_row: Row = row(
    "aten.linalg_lstsq(Tensor self, Tensor b, float? rcond=None, str? driver=None)",
    _lstsq,
    joint=("self b", _lstsq_vjp),
    samples=lambda r: [],
    doc="Least-squares solutions, residuals, ranks and singular values.",
)


@composite(
    "linalg.lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None)",
    doc="Least-squares solutions of A X = B.",
)
def lstsq(self: Any, b: Any, rcond: float | None = None, driver: str | None = None) -> Any:
    name = driver or "gelsy"
    if name not in ("gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(
            "torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)"
        )
    found = lstsq_row(self, b, rcond, name)
    without_history(found[3])
    return return_type("linalg_lstsq", "solution residuals rank singular_values")(found)


# --- the matrix exponential


def _matrix_exp(self: Array) -> Array:
    from scipy.linalg import expm

    matrices(self, "linalg.matrix_exp", True)
    return np.asarray(expm(self), self.dtype) if self.size else self.copy()


def _matrix_exp_vjp(grad: Any, self: Any) -> Any:
    """The upper right block of exp([[A^H, G], [0, A^H]])."""
    n = shape_of(self)[-1]
    adjoint = h(self)
    upper = cat([adjoint, grad], -1)
    lower = cat([adjoint * 0, adjoint], -1)
    whole = matrix_exp(cat([upper, lower], -2))
    return part(part(whole, -2, 0, n), -1, n, 2 * n)


matrix_exp: Row = row(
    "matrix_exp|linalg.matrix_exp(Tensor self)",
    _matrix_exp,
    node="LinalgMatrixExpBackward0",
    self=_matrix_exp_vjp,
    samples=lambda r: [(r(3, 3),)],
    doc="The exponential of matrices.",
)

# --- symmetric indefinite factors


def _ldl(self: Array, hermitian: bool = False) -> tuple[Array, Array, Array]:
    from scipy.linalg import lapack

    matrices(self, "torch.linalg.ldl_factor_ex", True)

    def one(a: Array) -> tuple[Array, Array, Array]:
        name = "hetrf" if hermitian and a.dtype.kind == "c" else "sytrf"
        found, pivots, info = lapack.get_lapack_funcs(name, (a,))(a, lower=1)
        return np.tril(found), pivots.astype(np.int32), np.int32(info)

    found, pivots, info = each(one, self)
    return np.asarray(found, self.dtype), pivots, np.asarray(info, np.int32)


ldl_row: Row = row(
    "aten.linalg_ldl_factor_ex(Tensor self, bool hermitian=False)",
    _ldl,
    doc="Compact LDL factors, pivots and LAPACK's code.",
)


@composite(
    "linalg.ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False)",
    doc="Compact LDL factors and a code instead of an error.",
)
def ldl_factor_ex(self: Any, hermitian: bool = False, check_errors: bool = False) -> Any:
    return return_type("linalg_ldl_factor_ex", "LD pivots info")(ldl_row(self, hermitian))


@composite("linalg.ldl_factor(Tensor self, *, bool hermitian=False)", doc="Compact LDL factors.")
def ldl_factor(self: Any, hermitian: bool = False) -> Any:
    return return_type("linalg_ldl_factor", "LD pivots")(ldl_row(self, hermitian)[:2])

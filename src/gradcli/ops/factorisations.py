"""Factorisations of matrices, by LAPACK, and their derivatives.

The formulas are the classical ones (Giles, "Collected matrix derivative results", 2008; Walter and
Lehmann for QR; Murray for Cholesky), written with rows so that they differentiate again. ``_h``
is the conjugate transpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.comparison import conj, real_part
from gradcli.ops.joining import cat
from gradcli.ops.matmul import matmul
from gradcli.ops.padding import constant_pad
from gradcli.ops.placement import tril, triu
from gradcli.ops.shape import shape_of, transpose, unsqueeze
from gradcli.ops.slicing import slice_
from gradcli.ops.table import Row, composite, row
from gradcli.tensor.errors import _LinAlgError
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import Tensor, wrap

Array = Any

# --- building blocks


def t(value: Any) -> Any:
    """The transpose of the last two dimensions."""
    return transpose(value, -1, -2)


def h(value: Any) -> Any:
    """The conjugate transpose of the last two dimensions."""
    return conj(t(value))


def constant(array: Array, like: Any) -> Any:
    """An array as what ``like`` is: a tensor without history, or an array."""
    source = like._array if type(like) is Tensor else like
    kind = source.dtype if np.asarray(array).dtype.kind != "b" else np.asarray(array).dtype
    cast = np.asarray(array).astype(kind)
    return wrap(cast) if type(like) is Tensor else cast


def raw(value: Any) -> Array:
    return value._array if type(value) is Tensor else value


def eye(n: int, like: Any) -> Any:
    return constant(np.eye(n), like)


def halved_diagonal(value: Any) -> Any:
    """The matrix with its diagonal halved."""
    n = shape_of(value)[-1]
    return value * constant(1 - 0.5 * np.eye(n), value)


def part(value: Any, dim: int, start: int, stop: int) -> Any:
    return slice_(value, dim, start, stop, 1)


def each(function: Callable[..., Any], *arrays: Array) -> Any:
    """Applies a function of matrices to a batch that is not empty; one array per result."""
    lead = arrays[0].shape[:-2]
    flat = [a.reshape(-1, *a.shape[len(lead) :]) for a in arrays]
    found = [function(*parts) for parts in zip(*flat, strict=True)]
    if isinstance(found[0], tuple):
        return tuple(_stacked([item[k] for item in found], lead) for k in range(len(found[0])))
    return _stacked(found, lead)


def _stacked(items: list[Any], lead: tuple[int, ...]) -> Array:
    return np.reshape(np.stack([np.asarray(item) for item in items]), (*lead, *np.shape(items[0])))


def without_history(tensor: Any) -> Any:
    """An output of a row that no gradient flows through, although it is floating."""
    if type(tensor) is Tensor:
        tensor._grad_fn, tensor._requires_grad = None, False
    return tensor


def matrices(array: Array, name: str, square: bool = False) -> None:
    """Refuses what is no batch of (square) floating matrices."""
    if array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    if square and array.shape[-1] != array.shape[-2]:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are "
            f"{array.shape[-2]} by {array.shape[-1]} matrices"
        )
    if array.dtype.kind not in "fc":
        from gradcli.tensor import dtypes

        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got "
            f"{dtypes.of(array).scalar_name}"
        )


def first_failure(info: Array) -> tuple[str, int] | None:
    """Which batch entry failed first, in PyTorch's words, and LAPACK's code for it."""
    bad = np.flatnonzero(info.reshape(-1))
    if not bad.size:
        return None
    position = int(bad[0])
    where = f"(Batch element {position}): " if info.ndim else ""
    return where, int(info.reshape(-1)[position])


# --- Cholesky


def _cholesky(self: Array, upper: bool = False, check_errors: bool = False) -> tuple[Array, Array]:
    from scipy.linalg import lapack

    matrices(self, "linalg.cholesky", True)
    if self.size == 0:
        return self.copy(), np.zeros(self.shape[:-2], np.int32)

    def one(a: Array) -> tuple[Array, Array]:
        potrf = lapack.get_lapack_funcs("potrf", (a,))
        factor, info = potrf(a, lower=not upper, clean=True)
        return factor, np.int32(info)

    factor, info = each(one, self)
    return np.asarray(factor, self.dtype), np.asarray(info, np.int32)


def _cholesky_vjp(grad: Any, result0: Any, upper: bool) -> Any:
    low = h(result0) if upper else result0
    slope = h(grad) if upper else grad
    inner = halved_diagonal(tril(matmul(h(low), slope), 0))
    left = solve_triangular(h(low), inner, upper=True)
    full = h(solve_triangular(h(low), h(left), upper=True))
    return (full + h(full)) * 0.5


def _cholesky_row(name: str, node: str) -> Row:
    return row(
        f"aten.{name}(Tensor self, bool upper=False, bool check_errors=False)",
        _cholesky,
        node=node,
        self=lambda grad, result0, upper: _cholesky_vjp(grad, result0, upper),
        samples=lambda r: [],
        doc="The triangular factor of positive definite matrices, and LAPACK's code.",
    )


cholesky_ex_row = _cholesky_row("linalg_cholesky_ex", "LinalgCholeskyExBackward0")
cholesky_old_row = _cholesky_row("cholesky", "CholeskyBackward0")


def _definite(found: tuple[Any, Any], name: str) -> Any:
    factor, info = found
    failed = first_failure(info._array)
    if failed:
        where, order = failed
        raise _LinAlgError(
            f"{name}: {where}The factorization could not be completed because the input is not "
            f"positive-definite (the leading minor of order {order} is not positive-definite)."
        )
    return factor


@composite(
    "linalg.cholesky(Tensor self, *, bool upper=False)",
    samples=lambda r: [],
    doc="The triangular factor of positive definite matrices.",
)
def cholesky(self: Any, upper: bool = False) -> Any:
    return _definite(cholesky_ex_row(self, upper), "linalg.cholesky")


@composite(
    "linalg.cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False)",
    doc="The triangular factor, and a code instead of an error.",
)
def cholesky_ex(self: Any, upper: bool = False, check_errors: bool = False) -> Any:
    found = cholesky_ex_row(self, upper)
    if check_errors:
        _definite(found, "linalg.cholesky_ex")
    return return_type("linalg_cholesky_ex", "L info")(found)


@composite(
    "cholesky(Tensor self, bool upper=False)",
    doc="The triangular factor of positive definite matrices.",
)
def cholesky_old(self: Any, upper: bool = False) -> Any:
    return _definite(cholesky_old_row(self, upper), "cholesky")


# --- triangular systems


def _solve_triangular(
    A: Array, B: Array, upper: bool, left: bool = True, unitriangular: bool = False
) -> Array:
    from scipy.linalg import solve_triangular as solve

    matrices(A, "linalg.solve_triangular", True)
    if B.ndim < 2:
        raise RuntimeError(
            "linalg.solve_triangular: The input tensor B must have at least 2 dimensions."
        )
    n = B.shape[-2 if left else -1]
    if A.shape[-1] != n:
        raise RuntimeError(
            "linalg.solve_triangular: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({A.shape[-2]}x{A.shape[-1]} and "
            f"{B.shape[-2]}x{B.shape[-1]})"
        )
    lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    a = np.broadcast_to(A, (*lead, *A.shape[-2:]))
    b = np.broadcast_to(B, (*lead, *B.shape[-2:]))
    if not b.size:
        return np.zeros(b.shape, B.dtype)

    def one(m: Array, v: Array) -> Array:
        diagonal = np.diagonal(m)
        if not unitriangular and np.any(diagonal == 0):
            triangle = np.triu(m) if upper else np.tril(m)
            target = v if left else v.T
            with np.errstate(all="ignore"):
                return _substitute(triangle if left else triangle.T, target, upper == left, left)
        if left:
            return solve(m, v, lower=not upper, unit_diagonal=unitriangular, check_finite=False)
        return solve(m.T, v.T, lower=upper, unit_diagonal=unitriangular, check_finite=False).T

    return np.asarray(each(one, a, b), B.dtype)


def _substitute(m: Array, v: Array, upper: bool, left: bool) -> Array:
    """Substitution row by row, which divides by zero as PyTorch does."""
    x = np.array(v)
    order = range(len(m))[::-1] if upper else range(len(m))
    for k in order:
        known = slice(k + 1, None) if upper else slice(0, k)
        x[k] = (x[k] - m[k, known] @ x[known]) / m[k, k]
    return x if left else x.T


def _triangle(value: Any, upper: bool, unitriangular: bool) -> Any:
    offset = int(unitriangular)
    return triu(value, offset) if upper else tril(value, -offset)


def _solve_triangular_vjp(
    grad: Any,
    A: Any,
    result: Any,
    upper: bool,
    left: bool,
    unitriangular: bool,
    needs: tuple[bool, ...],
) -> tuple[Any, Any]:
    grad_b = solve_triangular(h(A), grad, not upper, left, unitriangular)
    grad_a = None
    if needs[0]:
        outer = matmul(grad_b, h(result)) if left else matmul(h(result), grad_b)
        grad_a = _triangle(-outer, upper, unitriangular)
    return grad_a, grad_b


solve_triangular: Row = row(
    "aten.linalg_solve_triangular(Tensor A, Tensor B, bool upper, bool left=True, "
    "bool unitriangular=False)",
    _solve_triangular,
    joint=("A B", _solve_triangular_vjp),
    samples=lambda r: [
        (np.triu(r(3, 3)) + 3 * np.eye(3), r(3, 2), True),
        (np.tril(r(3, 3)) + 3 * np.eye(3), r(2, 3), False, False),
        (r(3, 3), r(3, 2), True, True, True),
    ],
    doc="The solution of triangular systems.",
)


@composite(
    "linalg.solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, "
    "bool unitriangular=False)",
    doc="The solution of triangular systems.",
)
def solve_triangular_public(
    self: Any, B: Any, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    return solve_triangular(self, B, upper, left, unitriangular)


@composite(
    "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, "
    "bool unitriangular=False)",
    doc="The solution of triangular systems, and the coefficients.",
)
def triangular_solve(
    self: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    coefficients = t(A) if transpose else A
    found = solve_triangular(coefficients, self, upper != transpose, True, unitriangular)
    return return_type("triangular_solve", "solution cloned_coefficient")((found, A.clone()))


# --- QR


def _qr(self: Array, mode: str = "reduced") -> tuple[Array, Array]:
    matrices(self, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), "
            "'r', or 'complete'"
        )
    if mode == "r":
        return np.zeros((0,), self.dtype), np.linalg.qr(self, "r")
    q, r = np.linalg.qr(self, mode)  # type: ignore[call-overload]
    return q, r


def _symmetric_from_upper(value: Any) -> Any:
    """The symmetric matrix of an upper triangle."""
    upper = halved_diagonal(triu(value, 0))
    return upper + h(upper)


def _qr_square(grad_q: Any, grad_r: Any, q: Any, r: Any) -> Any:
    """For matrices with at least as many rows as columns."""
    inner: Any = 0.0
    if grad_r is not None:
        inner = matmul(grad_r, h(r))
    if grad_q is not None:
        inner = inner - matmul(h(q), grad_q)
    total = matmul(q, _symmetric_from_upper(inner))
    if grad_q is not None:
        total = total + grad_q
    return h(solve_triangular(r, h(total), True))


def _qr_vjp(grads: Any, self_shape: Any, result0: Any, result1: Any, mode: str) -> Any:
    m, n = self_shape[-2:]
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please "
            "use linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    if mode == "complete" and m > n:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols"
        )
    grad_q, grad_r = grads
    if m >= n:
        return _qr_square(grad_q, grad_r, result0, result1)
    # Wide: R = [R1 R2] with R2 = Q^H A2.
    r1, r2 = part(result1, -1, 0, m), part(result1, -1, m, n)
    if grad_r is None:
        square = _qr_square(grad_q, None, result0, r1)
        return constant_pad(square, (0, n - m), 0)
    g1, g2 = part(grad_r, -1, 0, m), part(grad_r, -1, m, n)
    from_rest = matmul(matmul(result0, r2), h(g2))
    total = from_rest if grad_q is None else grad_q + from_rest
    return cat([_qr_square(total, g1, result0, r1), matmul(result0, g2)], -1)


qr_row: Row = row(
    "aten.linalg_qr(Tensor self, str mode='reduced')",
    _qr,
    self=_qr_vjp,
    samples=lambda r: [(r(4, 3),), (r(3, 3),), (r(2, 4),)],
    doc="An orthonormal and an upper triangular factor.",
)


@composite("linalg.qr(Tensor self, str mode='reduced')", doc="The QR factorisation.")
def qr(self: Any, mode: str = "reduced") -> Any:
    return return_type("linalg_qr", "Q R")(qr_row(self, mode))


@composite("qr(Tensor self, bool some=True)", doc="The QR factorisation.")
def qr_old(self: Any, some: bool = True) -> Any:
    return return_type("qr", "Q R")(qr_row(self, "reduced" if some else "complete"))


# --- singular values


def _svd(self: Array, full_matrices: bool = False, compute_uv: bool = True) -> tuple[Array, ...]:
    matrices(self, "linalg.svd")
    u, s, vh = np.linalg.svd(self, full_matrices=full_matrices)
    return u, s, vh


def _skew(value: Any) -> Any:
    return value - h(value)


def _svd_vjp(grads: Any, result0: Any, result1: Any, result2: Any, self_shape: Any) -> Any:
    grad_u, grad_s, grad_vh = grads
    m, n = self_shape[-2:]
    k = min(m, n)
    u, s, vh = result0, result1, result2
    if shape_of(u)[-1] > k:
        u = part(u, -1, 0, k)
        grad_u = None if grad_u is None else part(grad_u, -1, 0, k)
    if shape_of(vh)[-2] > k:
        vh = part(vh, -2, 0, k)
        grad_vh = None if grad_vh is None else part(grad_vh, -2, 0, k)
    if grad_u is None and grad_vh is None:
        return matmul(u * unsqueeze(grad_s, -2), vh)
    square = s * s
    gaps = unsqueeze(square, -2) - unsqueeze(square, -1)
    gaps = gaps + eye(k, s)
    inner: Any = 0.0
    if grad_u is not None:
        inner = _skew(matmul(h(u), grad_u)) / gaps * unsqueeze(s, -2)
    if grad_vh is not None:
        inner = inner + unsqueeze(s, -1) * (_skew(matmul(vh, h(grad_vh))) / gaps)
    if grad_s is not None:
        inner = inner + eye(k, s) * unsqueeze(grad_s, -1)
    if raw(u).dtype.kind == "c" and grad_u is not None:
        phase = matmul(h(u), grad_u) * eye(k, u)
        inner = inner + (phase - real_part(phase)) / unsqueeze(s, -2)
    total = matmul(matmul(u, inner), vh)
    if grad_u is not None and m > k:
        scaled = grad_u / unsqueeze(s, -2)
        total = total + matmul(scaled - matmul(u, matmul(h(u), scaled)), vh)
    if grad_vh is not None and n > k:
        scaled = grad_vh / unsqueeze(s, -1)
        total = total + matmul(u, scaled - matmul(matmul(scaled, h(vh)), vh))
    return total


svd_row: Row = row(
    "aten.linalg_svd(Tensor self, bool full_matrices=False, bool compute_uv=True)",
    _svd,
    self=_svd_vjp,
    samples=lambda r: [],
    doc="Singular vectors and values.",
)


@composite(
    "linalg.svd(Tensor self, bool full_matrices=True, *, str? driver=None)",
    doc="The singular value decomposition.",
)
def svd(self: Any, full_matrices: bool = True, driver: str | None = None) -> Any:
    return return_type("linalg_svd", "U S Vh")(svd_row(self, full_matrices))


@composite(
    "linalg.svdvals(Tensor self, *, str? driver=None)",
    samples=lambda r: [(r(3, 4),), (r(3, 3),)],
    doc="The singular values, largest first.",
)
def svdvals(self: Any, driver: str | None = None) -> Any:
    return svd_row(self, False)[1]


@composite(
    "svd(Tensor self, bool some=True, bool compute_uv=True)",
    doc="The singular value decomposition, with V instead of its conjugate transpose.",
)
def svd_old(self: Any, some: bool = True, compute_uv: bool = True) -> Any:
    u, s, vh = svd_row(self, not some)
    if not compute_uv:
        m, n = self.shape[-2:]
        u, vh = (wrap(np.zeros((*self.shape[:-2], k, k), self._array.dtype)) for k in (m, n))
    return return_type("svd", "U S V")((u, s, h(vh)))


# --- eigenvalues


def _eigh(self: Array, UPLO: str = "L") -> tuple[Array, Array]:
    matrices(self, "linalg.eigh", True)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    values, vectors = np.linalg.eigh(self, UPLO.upper())  # type: ignore[arg-type]
    return values, vectors


def _eigh_vjp(grads: Any, result0: Any, result1: Any) -> Any:
    grad_l, grad_v = grads
    v = result1
    if grad_v is None:
        return matmul(v * unsqueeze(grad_l, -2), h(v))
    n = shape_of(v)[-1]
    gaps = unsqueeze(result0, -2) - unsqueeze(result0, -1) + eye(n, result0)
    # Only the skew part of V^H gV moves V among orthonormal matrices.
    inner = _skew(matmul(h(v), grad_v)) * 0.5 / gaps * constant(1 - np.eye(n), result0)
    if grad_l is not None:
        inner = inner + eye(n, result0) * unsqueeze(grad_l, -1)
    return matmul(matmul(v, inner), h(v))


eigh_row: Row = row(
    "aten._linalg_eigh(Tensor self, str UPLO='L')",
    _eigh,
    node="LinalgEighBackward0",
    self=_eigh_vjp,
    samples=lambda r: [],
    doc="Eigenvalues in ascending order and eigenvectors of symmetric matrices.",
)


@composite("linalg.eigh(Tensor self, str UPLO='L')", doc="Eigenvalues and vectors, symmetric.")
def eigh(self: Any, UPLO: str = "L") -> Any:
    return return_type("linalg_eigh", "eigenvalues eigenvectors")(eigh_row(self, UPLO))


@composite("linalg.eigvalsh(Tensor self, str UPLO='L')", doc="Eigenvalues of symmetric matrices.")
def eigvalsh(self: Any, UPLO: str = "L") -> Any:
    return eigh_row(self, UPLO)[0]


def _eig(self: Array) -> tuple[Array, Array]:
    matrices(self, "linalg.eig", True)
    values, vectors = np.linalg.eig(self)
    kind = np.result_type(self.dtype, np.complex64)
    return values.astype(kind), vectors.astype(kind)


def _eig_vjp(grads: Any, result0: Any, result1: Any) -> Any:
    grad_l, grad_v = grads
    v = result1
    n = shape_of(v)[-1]
    inner: Any = 0.0
    if grad_v is not None:
        vhgv = matmul(h(v), grad_v)
        diagonal = real_part(vhgv * eye(n, vhgv))
        slope = vhgv - matmul(matmul(h(v), v), diagonal * eye(n, v))
        gaps = conj(unsqueeze(result0, -2) - unsqueeze(result0, -1)) + eye(n, result0)
        inner = slope / gaps * constant(1 - np.eye(n), v)
    if grad_l is not None:
        inner = inner + eye(n, result0) * unsqueeze(grad_l, -1)
    from gradcli.ops.solvers import solve_row

    return solve_row(h(v), matmul(inner, h(v)))


eig_row: Row = row(
    "aten.linalg_eig(Tensor self)",
    _eig,
    self=_eig_vjp,
    samples=lambda r: [],
    doc="Complex eigenvalues and eigenvectors.",
)


@composite("linalg.eig(Tensor self)", doc="Complex eigenvalues and eigenvectors.")
def eig(self: Any) -> Any:
    return return_type("linalg_eig", "eigenvalues eigenvectors")(eig_row(self))


@composite("linalg.eigvals(Tensor self)", doc="Complex eigenvalues.")
def eigvals(self: Any) -> Any:
    return eig_row(self)[0]


# --- Householder reflections


def _geqrf(self: Array) -> tuple[Array, Array]:
    from scipy.linalg import lapack

    matrices(self, "geqrf")

    def one(a: Array) -> tuple[Array, Array]:
        found, tau, _, _ = lapack.get_lapack_funcs("geqrf", (a,))(a)
        return found, tau

    return each(one, self)  # type: ignore[no-any-return]


geqrf_row: Row = row("aten.geqrf(Tensor self)", _geqrf, doc="QR as Householder reflections.")


@composite("geqrf(Tensor self)", doc="QR as Householder reflections and their factors.")
def geqrf(self: Any) -> Any:
    return return_type("geqrf", "a tau")(geqrf_row(self))


def _vectors(input: Any, k: int) -> Any:
    """The vectors of the reflections: unit lower trapezoidal columns."""
    m = shape_of(input)[-2]
    return tril(part(input, -1, 0, k), -1) + constant(np.eye(m, k), input)


def _reflect(v: Any, tau: Any, x: Any) -> Any:
    """(I - tau v v^H) x for column vectors v."""
    return x - unsqueeze(unsqueeze(tau, -1), -1) * matmul(v, matmul(h(v), x))


def _householder(input: Array, tau: Array) -> Array:
    if input.ndim < 2:
        raise RuntimeError(
            "torch.linalg.householder_product: input must have at least 2 dimensions."
        )
    m, n = input.shape[-2:]
    if m < n:
        raise RuntimeError(
            "torch.linalg.householder_product: input.shape[-2] must be greater than or equal to "
            "input.shape[-1]"
        )
    k = tau.shape[-1]
    vectors = _vectors(input, k)
    found = np.broadcast_to(np.eye(m, n, dtype=input.dtype), input.shape).copy()
    for i in reversed(range(k)):
        found = _reflect(vectors[..., i : i + 1], tau[..., i], found)
    return np.asarray(found, input.dtype)


def _householder_vjp(grad: Any, self: Any, tau: Any, self_shape: Any) -> tuple[Any, Any]:
    m, n = self_shape[-2:]
    k = shape_of(tau)[-1]
    vectors = _vectors(self, k)
    columns = [part(vectors, -1, i, i + 1) for i in range(k)]
    factors = [tau[..., i] for i in range(k)]
    # What each reflection is applied to, from the last one on.
    found = constant(np.broadcast_to(np.eye(m, n), self_shape), self)
    right: list[Any] = []
    for v, factor in zip(reversed(columns), reversed(factors), strict=True):
        right.append(found)
        found = _reflect(v, factor, found)
    right.reverse()
    left = grad
    grad_v, grad_tau = [], []
    for v, factor, behind in zip(columns, factors, right, strict=True):
        outer = matmul(left, h(behind))
        gv, ghv = matmul(outer, v), matmul(h(outer), v)
        scale = unsqueeze(unsqueeze(factor, -1), -1)
        grad_tau.append(-part(matmul(h(v), gv), -1, 0, 1))
        grad_v.append(-(conj(scale) * gv + scale * ghv))
        left = _reflect(v, conj(factor), left)
    if not columns:
        return grad * 0, tau * 0
    slopes = tril(cat(grad_v, -1), -1)
    whole = constant_pad(slopes, (0, n - k), 0)
    taus = cat(grad_tau, -1)
    return whole, taus[..., 0, :]


householder_row: Row = row(
    "linalg.householder_product|orgqr(Tensor self, Tensor tau)",
    _householder,
    joint=(
        "self tau",
        lambda grad, self, tau, self_shape: _householder_vjp(grad, self, tau, self_shape),
    ),
    samples=lambda r: [(r(4, 3), r(2))],
    doc="The product of Householder reflections.",
)

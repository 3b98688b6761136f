"""Singular values, eigenvalues and their vectors.

Derivatives after Townsend, "Differentiating the singular value decomposition" (2016), Giles,
"Collected matrix derivative results" (2008), and Boeddeker et al., arXiv:1701.00392, equation 4.77.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.kernels.lapack import by_columns, each, lapack
from gradcli.kernels.tridiagonal import LARGEST, NotConverged, eigen_of_small, rotation
from gradcli.ops.algebra.comparison import conj, filled, is_complex
from gradcli.ops.algebra.complex import real_part
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.parts import diagonal
from gradcli.ops.algebra.placement import diag_embed
from gradcli.ops.algebra.views import shape_of, unsqueeze
from gradcli.ops.linalg.matrices import (
    check_floating,
    check_kernel,
    check_matrix,
    check_square,
    mh,
    part,
    refuse,
    svd_of_arrays,
    word,
)
from gradcli.ops.linalg.solving import solved_by
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import constant, raw, wrap
from gradcli.typing import Array, Value

_DISTINCT = "infinite or nan where two of the values are equal"


def _skew(value: Any) -> Any:
    return value - mh(value)


def _diagonal(value: Any) -> Any:
    return diagonal(value, 0, -2, -1)


def _gaps(values: Any) -> Any:
    """values[k] - values[j] at row j and column k, and ones on the diagonal."""
    gaps = unsqueeze(values, -2) - unsqueeze(values, -1)
    n = shape_of(values)[-1]
    return filled(gaps, constant(np.eye(n, dtype=bool), values), 1.0)


def _check_phase(phase: Array, message: str) -> None:
    """Refuses losses that depend on the arbitrary phase of complex vectors."""
    if not np.allclose(phase, 0, rtol=1e-2, atol=1e-2):
        raise RuntimeError(message)


def _svd(A: Array, full_matrices: bool = False) -> tuple[Array, Array, Array]:
    """Singular vectors and values."""
    check_matrix(A, "linalg.svd")
    check_floating(A, "linalg.svd")
    check_kernel(A, "linalg_svd_cpu")
    u, values, vh = svd_of_arrays(A, full_matrices)
    return by_columns(u), values, by_columns(vh)


def _svd_vjp(grads: Any, result0: Any, result1: Any, result2: Any, full_matrices: bool) -> Any:
    of_u, of_s, of_vh = grads
    u, s, vh = result0, result1, result2
    k = shape_of(s)[-1]
    if full_matrices:
        u, vh = part(u, -1, 0, k), part(vh, -2, 0, k)
        of_u = None if of_u is None else part(of_u, -1, 0, k)
        of_vh = None if of_vh is None else part(of_vh, -2, 0, k)
    m, n = shape_of(u)[-2], shape_of(vh)[-1]
    if of_u is None and of_vh is None:
        if of_s is None:
            return None
        if m >= n:
            return matmul(u, unsqueeze(of_s, -1) * vh)
        return matmul(u * unsqueeze(of_s, -2), vh)
    turn_u = None if of_u is None else _skew(matmul(mh(u), of_u))
    turn_v = None if of_vh is None else _skew(matmul(vh, mh(of_vh)))
    if is_complex(u):
        _check_svd_phase(turn_u, turn_v)
    slope = _svd_inner(turn_u, turn_v, of_s, s)
    if is_complex(u) and turn_u is not None and turn_v is not None:
        slope = slope + diag_embed(_diagonal(turn_u) / (2.0 * s))
    if m > n and of_u is not None:
        outside = of_u / unsqueeze(s, -2)
        slope = matmul(u, slope) + outside - matmul(u, matmul(mh(u), outside))
        return matmul(slope, vh)
    if m < n and of_vh is not None:
        outside = of_vh / unsqueeze(s, -1)
        slope = matmul(slope, vh) + outside - matmul(matmul(outside, mh(vh)), vh)
        return matmul(u, slope)
    if m >= n:
        return matmul(u, matmul(slope, vh))
    return matmul(matmul(u, slope), vh)


def _svd_inner(turn_u: Any, turn_v: Any, of_s: Any, s: Any) -> Any:
    """What stands between U and V^H, apart from the phase of complex vectors."""
    gaps = _gaps(s * s)
    if turn_v is None:
        slope = (turn_u / gaps) * unsqueeze(s, -2)
    elif turn_u is None:
        slope = unsqueeze(s, -1) * (turn_v / gaps)
    else:
        slope = (turn_u * unsqueeze(s, -2) + unsqueeze(s, -1) * turn_v) / gaps
    return slope if of_s is None else slope + diag_embed(of_s)


def _check_svd_phase(turn_u: Any, turn_v: Any) -> None:
    total = sum(
        np.diagonal(raw(turn), axis1=-2, axis2=-1).imag
        for turn in (turn_u, turn_v)
        if turn is not None
    )
    _check_phase(
        total,
        "svd_backward: The singular vectors in the complex case are specified up to multiplication "
        "by e^{i phi}. The specified loss function depends on this phase term, making it "
        "ill-defined.",
    )


svd_row: Row = row(
    "aten.linalg_svd",
    _svd,
    halves=False,
    A=_svd_vjp,
    kink=_DISTINCT,
    samples=lambda r: [(r(3, 3),), (r(4, 2),), (r(2, 4),)],
)


def _check_driver(driver: str | None) -> None:
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with "
            "cuSOLVER backend."
        )


@composite(
    "linalg.svd",
    kink=_DISTINCT,
    samples=lambda r: [
        (r(3, 3),),
        (r(4, 2), False),
        (r(2, 2, 3), False),
        (kinked(r(3, 2)), {"driver": None}),
    ],
)
def svd(A: Value, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """The singular value decomposition A = U diag(S) Vh."""
    _check_driver(driver)
    return return_type("linalg_svd", "U S Vh")(svd_row(A, full_matrices))


@composite("linalg.svdvals", samples=lambda r: [(r(3, 4),), (r(3, 3),), (r(2, 4, 3),)])
def svdvals(A: Value, *, driver: str | None = None) -> Any:
    """The singular values, largest first."""
    _check_driver(driver)
    return svd_row(A, False)[1]


@composite(
    "svd",
    kink=_DISTINCT,
    samples=lambda r: [(r(4, 2),), (r(2, 2, 3),), (r(3, 3), False), (r(2, 3), True, False)],
)
def svd_old(self: Value, some: bool = True, compute_uv: bool = True) -> Any:
    """The singular value decomposition, with V instead of its conjugate transpose."""
    if self.ndim < 2:
        raise RuntimeError(
            "linalg.svd: input should have at least 2 dimensions, but has "
            f"{self.ndim} dimensions instead"
        )
    u, s, vh = svd_row(self, not some and compute_uv)
    if not compute_uv:
        *lead, m, n = self.shape
        u, vh = (wrap(np.zeros((*lead, k, k), self._array.dtype)) for k in (m, n))
    return return_type("svd", "U S V")((u, s, mh(vh)))


def _not_converged(code: int) -> str:
    return (
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
        f"many repeated eigenvalues (error code: {code})."
    )


def _eigen_of_one(a: Array, lower: bool) -> tuple[Array, Array, int]:
    try:
        return *eigen_of_small(a, lower), 0
    except NotConverged as failure:
        return np.zeros(len(a), a.real.dtype), np.zeros_like(a), failure.code


def _eigh(A: Array, UPLO: str = "L") -> tuple[Array, Array]:
    """Eigenvalues in ascending order and eigenvectors of symmetric or Hermitian matrices."""
    check_square(A, "linalg.eigh")
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    check_kernel(A, "linalg_eigh_cpu")
    n = A.shape[-1]
    if 0 < n <= LARGEST:
        values, vectors, info = each(lambda a: _eigen_of_one(a, UPLO.upper() == "L"), A)
        refuse(info, "linalg.eigh", _not_converged)
        return values, by_columns(vectors)
    if not n:
        return np.zeros(A.shape[:-1], A.real.dtype), A.copy()
    solve = lapack("heevd" if A.dtype.kind == "c" else "syevd", A)
    values, vectors, info = each(lambda a: solve(a, lower=UPLO.upper() == "L"), A)
    refuse(info, "linalg.eigh", _not_converged)
    return values, by_columns(vectors)


def _eigh_vjp(grads: Any, result0: Any, result1: Any) -> Any:
    of_values, of_vectors = grads
    values, v = result0, result1
    if of_vectors is None:
        return None if of_values is None else matmul(v * unsqueeze(of_values, -2), mh(v))
    turn = matmul(mh(v), of_vectors)
    _check_eigen_phase(turn, "linalg_eigh_backward")
    # Only the skew part moves V among the unitary matrices.
    slope = (0.5 * _skew(turn)) / _gaps(values)
    if of_values is not None:
        slope = slope + diag_embed(of_values - _diagonal(slope))
    return matmul(v, matmul(slope, mh(v)))


def _check_eigen_phase(turn: Any, name: str) -> None:
    if is_complex(turn):
        _check_phase(
            np.diagonal(raw(turn), axis1=-2, axis2=-1).imag,
            f"{name}: The eigenvectors in the complex case are specified up to multiplication by "
            "e^{i phi}. The specified loss function depends on this quantity, so it is "
            "ill-defined.",
        )


eigh_row: Row = row(
    "aten._linalg_eigh",
    _eigh,
    halves=False,
    A=_eigh_vjp,
    kink=_DISTINCT,
    samples=lambda r: [(r.symmetric(3, 3),), (r.symmetric(2, 2, 2), "U"), (r(3, 3), "L")],
)


@composite(
    "linalg.eigh",
    kink=_DISTINCT,
    samples=lambda r: [
        (r.symmetric(3, 3),),
        (r.symmetric(2, 2, 2), "U"),
        (r(3, 3), "L"),
        (r(3, 3), "U"),
    ],
)
def eigh(self: Value, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, and eigenvectors of symmetric or Hermitian matrices."""
    return return_type("linalg_eigh", "eigenvalues eigenvectors")(eigh_row(self, UPLO))


@composite(
    "linalg.eigvalsh",
    samples=lambda r: [
        (r.symmetric(3, 3),),
        (r(2, 2, 2), "U"),
        (r.definite(2, 2, hermitian=True),),
    ],
)
def eigvalsh(self: Value, UPLO: str = "L") -> Any:
    """Eigenvalues, ascending, of symmetric or Hermitian matrices."""
    return eigh_row(self, UPLO)[0]


def _complex_pairs(a: Array, values: Array, vectors: Array) -> Array:
    """LAPACK's real and imaginary columns of conjugate eigenvectors as complex columns.

    LAPACK turns a complex vector until its largest element is real, by a plane rotation. Which sign
    that leaves depends on the element before, which is recovered from the Schur form. In single
    precision PyTorch's LAPACK and SciPy's agree.
    """
    from scipy.linalg import schur

    found = vectors.astype(values.dtype)
    pairs = np.flatnonzero(values.imag > 0)
    for k in pairs:
        found[:, k] = vectors[:, k] + 1j * vectors[:, k + 1]
        found[:, k + 1] = found[:, k].conj()
    if a.dtype != np.float64 or not pairs.size:
        return found
    triangle, basis = schur(a, "real", check_finite=False)
    for k in pairs:
        vector = found[:, k]
        above, below = triangle[k, k + 1], triangle[k + 1, k]
        # How back substitution starts the vector of a block of two.
        first = 1.0 if abs(above) >= abs(below) else -math.copysign(1.0, below)
        largest = int(np.argmax(np.abs(vector)))
        before = vector[largest] * first / (basis[:, k] @ vector)
        if rotation(before.real, before.imag)[2] * vector[largest].real < 0:
            found[:, k : k + 2] *= -1
    return found


def _eigen(a: Array) -> tuple[Array, Array, int]:
    geev = lapack("geev", a)
    if a.dtype.kind == "c":
        values, _, vectors, info = geev(a, compute_vl=0)
        return values, vectors, info
    re, im, _, vectors, info = geev(a, compute_vl=0)
    values = re + 1j * im
    return values, _complex_pairs(a, values, vectors), info


def _check_eig(self: Array, name: str) -> None:
    if self.dtype.kind not in dtypes.INEXACT:
        raise RuntimeError(f"Unknown Complex ScalarType for {word(self)}")
    check_square(self, name)
    if not np.isfinite(self).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    check_kernel(self, "linalg_eig_out_cpu")


def _eig(self: Array, name: str = "linalg.eig") -> tuple[Array, Array]:
    """Complex eigenvalues and eigenvectors."""
    _check_eig(self, name)
    kind = dtypes.of(self).to_complex().np
    if not self.size:
        return np.zeros(self.shape[:-1], kind), np.zeros(self.shape, kind)
    values, vectors, info = each(_eigen, self)
    refuse(info, name, _not_converged)
    return values, by_columns(vectors)


def _eig_vjp(grads: Any, result0: Any, result1: Any, self_dtype: Any) -> Any:
    of_values, of_vectors = grads
    values, v = result0, result1
    if of_vectors is None:
        if of_values is None:
            return None
        found = solved_by(mh(v), unsqueeze(of_values, -1) * mh(v))
    else:
        turn = matmul(mh(v), of_vectors)
        _check_eigen_phase(turn, "linalg_eig_backward")
        # Columns keep the norm one.
        turn = turn - matmul(mh(v), v * unsqueeze(real_part(_diagonal(turn)), -2))
        slope = turn / conj(_gaps(values))
        if of_values is not None:
            slope = slope + diag_embed(of_values - _diagonal(slope))
        found = solved_by(mh(v), matmul(slope, mh(v)))
    return found if self_dtype.kind == "c" else real_part(found)


eig_row: Row = row(
    "aten.linalg_eig",
    _eig,
    halves=False,
    self=_eig_vjp,
    kink=_DISTINCT,
    samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),)],
    pytorch="aten.linalg_eig(self)",
)


@composite(
    "linalg.eig", kink=_DISTINCT, samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),)]
)
def eig(self: Value) -> Any:
    """Eigenvalues and eigenvectors of square matrices, both complex."""
    return return_type("linalg_eig", "eigenvalues eigenvectors")(eig_row(self))


@composite(
    "linalg.eigvals",
    samples=lambda r: [
        (r(3, 3),),
        (r(2, 2, 2),),
        (r.complex(2, 2),),
        (np.array([[0.0, 1.0], [-1.0, 0.0]]),),
    ],
)
def eigvals(self: Value) -> Any:
    """Eigenvalues of square matrices, as complex numbers."""
    return eig_row(self, "linalg.eigvals")[0]

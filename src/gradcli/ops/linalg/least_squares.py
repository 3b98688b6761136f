"""Pseudoinverses and least squares.

The derivative of the pseudoinverse after Golub and Pereyra, "The differentiation of
pseudo-inverses and nonlinear least squares problems whose variables separate" (1973).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.kernels.lapack import adjoint, by_columns, each, lapack
from gradcli.ops.algebra.comparison import gt
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.rounding import absolute
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import shape_of, squeeze_dim, unsqueeze
from gradcli.ops.linalg.matrices import mh, refuse, rows_and_columns, spread, svd_of_arrays, word
from gradcli.ops.linalg.spectra import eigh_row, svd_row
from gradcli.table.declare import composite, row
from gradcli.table.refusals import constants
from gradcli.table.row import Row
from gradcli.table.samples import fixed, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.errors import serves
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import raw, wrap
from gradcli.typing import Array, Value


def _bound(value: Any, function: str, name: str) -> Array:
    """A tolerance as an array; complex ones are refused."""
    array = np.asarray(raw(value))
    if array.dtype.kind == "c":
        raise RuntimeError(
            f"{function}: {name} tensor of complex type is not supported. Got {word(array)}"
        )
    return array


def threshold(
    sizes: Array,
    shape: tuple[int, ...],
    atol: Any,
    rtol: Any,
    function: str,
    rtol_name: str = "rtol",
) -> Array:
    """max(atol, rtol * the largest singular value), with PyTorch's defaults for both."""
    absolute = np.zeros(()) if atol is None else _bound(atol, function, "atol")
    default = np.finfo(sizes.dtype).eps * max(shape[-2:])
    if rtol is not None:
        relative = _bound(rtol, function, rtol_name)
    elif atol is not None:
        relative = np.where(absolute > 0, 0, default)
    else:
        relative = np.asarray(default)
    largest = sizes.max(-1, keepdims=True, initial=0)
    return np.asarray(np.maximum(absolute[..., None], relative[..., None] * largest))


def _check_pinv(self: Array) -> None:
    kinds = ("float32", "float64", "complex64", "complex128")
    if self.dtype.name not in kinds or self.ndim < 2:
        raise RuntimeError(
            f"linalg.pinv({word(self)}{{{list(self.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )


def _pinv(
    self: Array, atol: Any = None, rtol: Any = None, hermitian: bool = False, name: str = "rtol"
) -> Array:
    """The pseudoinverse of matrices."""
    _check_pinv(self)
    if hermitian and self.size:
        values, u = eigh_row(self, "L")
        right, left, sizes = u, adjoint(u), np.abs(values)
    else:
        u, values, vh = svd_of_arrays(self, False)
        right, left, sizes = adjoint(vh), adjoint(u), values
    limit = threshold(sizes, self.shape, atol, rtol, "torch.linalg.pinv", name)
    kept = sizes > limit
    inverse = np.where(kept, 1 / np.where(kept, values, 1), 0).astype(self.dtype)
    return np.matmul(right * inverse[..., None, :], left)


def pinv_vjp(grad: Any, self: Any, result: Any) -> Any:
    """The gradient of a matrix from that of its pseudoinverse."""
    m, n = rows_and_columns(self)
    inverse_h, slope = mh(result), mh(grad)
    if m <= n:
        k = matmul(slope, result)
        outer = matmul(k, inverse_h)
        return (
            -mh(matmul(result, k))
            + outer
            - matmul(matmul(self, result), outer)
            + matmul(matmul(inverse_h, result), slope - matmul(k, self))
        )
    k = matmul(result, slope)
    outer = matmul(inverse_h, k)
    return (
        -mh(matmul(k, result))
        + matmul(matmul(slope - matmul(self, k), result), inverse_h)
        + outer
        - matmul(matmul(outer, result), self)
    )


pinv_row: Row = row(
    "aten.linalg_pinv",
    _pinv,
    halves=False,
    self=pinv_vjp,
    samples=lambda r: [(r(2, 3),), (r(3, 2),), (r(2, 3, 3),)],
    pytorch="torch.linalg.pinv(self, atol=atol, rtol=rtol, hermitian=hermitian)",
)


@composite(
    "linalg.pinv",
    samples=lambda r: [
        (r(2, 3), {"atol": fixed(0.01)}),
        (r(3, 2), {"rtol": fixed(0.01)}),
        (kinked(r(2, 3, 3)), {"atol": fixed([0.0, 100.0]), "rtol": fixed(0.0)}),
        (r.definite(2, 2), {"atol": fixed(0.1), "hermitian": True}),
    ],
)
def pinv(
    self: Value, *, atol: Value | None = None, rtol: Value | None = None, hermitian: bool = False
) -> Any:
    """The pseudoinverse of matrices: singular values up to a tolerance count as zero."""
    constants("linalg_pinv", atol=atol, rtol=rtol)
    return pinv_row(self, atol, rtol, hermitian)


@composite(
    "linalg.pinv",
    samples=lambda r: [
        (r(2, 3),),
        (r(3, 2), {"atol": 0.01}),
        (kinked(r(3, 3)), {"rtol": 0.5}),
        (r.definite(2, 2), {"hermitian": True}),
        (r.complex(2, 3),),
    ],
)
def pinv_within(
    self: Value, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
) -> Any:
    """The pseudoinverse of matrices: singular values up to a tolerance count as zero."""
    return pinv_row(self, atol, rtol, hermitian)


@composite(
    "linalg.pinv",
    samples=lambda r: [
        (r(2, 3), fixed(0.01)),
        (kinked(r(3, 3)), fixed(0.5)),
        (r.definite(2, 2), fixed(0.01), True),
    ],
)
def pinv_relative(self: Value, rcond: Value, hermitian: bool = False) -> Any:
    """The pseudoinverse of matrices: singular values up to a tolerance count as zero."""
    _bound(rcond, "torch.linalg.pinv", "rcond")
    constants("linalg_pinv", rtol=rcond)
    return pinv_row(self, None, rcond, hermitian, "rcond")


@composite(
    "linalg.pinv",
    samples=lambda r: [(r(2, 3), 0.01), (kinked(r(3, 3)), 0.5), (r.definite(2, 2), 0.01, True)],
)
def pinv_relative_within(self: Value, rcond: float, hermitian: bool = False) -> Any:
    """The pseudoinverse of matrices: singular values up to a tolerance count as zero."""
    return pinv_row(self, None, rcond, hermitian)


@composite(
    "pinverse",
    samples=lambda r: [(r(2, 3),), (r(3, 2),), (kinked(r(3, 3)), 0.5), (r.complex(2, 3),)],
)
def pinverse(self: Value, rcond: float = 1e-15) -> Any:
    """The pseudoinverse of matrices: singular values up to a tolerance count as zero."""
    return pinv_row(self, None, rcond)


_DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


def _check_lstsq(self: Array, b: Array, driver: str) -> None:
    name = "torch.linalg.lstsq"
    if self.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if b.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if self.dtype != b.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype "
            f"{word(self)} and other's dtype {word(b)}"
        )
    if not 0 <= self.ndim - b.ndim <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and "
            "(input.dim() - other.dim()) <= 1"
        )
    vector = b.ndim == self.ndim - 1
    common_shape([self.shape[:-2], b.shape[: -1 if vector else -2]])
    if self.shape[-2] != b.shape[-1 if vector else -2]:
        raise RuntimeError(
            f"{name}: input.size(-2) should match other.size({-1 if vector else -2})"
        )
    if not serves("dc", self.dtype):
        raise RuntimeError("This function doesn't handle types other than float and double")
    if driver not in _DRIVERS:
        raise RuntimeError(f"{name}: parameter `driver` should be one of ({', '.join(_DRIVERS)})")


def _gels(a: Array, b: Array) -> tuple[Array, ...]:
    """By QR, which needs full rank; the rows beyond the solution hold the residual."""
    m, n = a.shape
    room = np.zeros((max(m, n), b.shape[1]), a.dtype)
    room[:m] = b
    _, x, info = lapack("gels", a)(a, room)
    residual = np.sum(np.abs(x[n:]) ** 2, 0)
    return x[:n], residual, np.int64(n), np.zeros(min(m, n), a.real.dtype), info


def _by_rank(a: Array, b: Array, rcond: float, driver: str) -> tuple[Array, ...]:
    """By a factorisation that finds the rank."""
    from scipy.linalg import lstsq as solver

    x, _, rank, values = solver(a, b, rcond, check_finite=False, lapack_driver=driver)
    residual = np.sum(np.abs(a @ x - b) ** 2, 0)
    if values is None:
        values = np.zeros(min(a.shape), a.real.dtype)
    return x, residual, np.int64(rank), values, 0


def _lstsq(
    self: Array, b: Array, rcond: float | None = None, driver: str = "gelsy"
) -> tuple[Array, ...]:
    """Least-squares solutions, residuals, ranks and singular values."""
    _check_lstsq(self, b, driver)
    m, n = self.shape[-2:]
    vector = b.ndim == self.ndim - 1
    target = b[..., None] if vector else b
    lead = common_shape([self.shape[:-2], target.shape[:-2]])
    a, target = spread(self, lead), spread(target, lead)
    kind = self.real.dtype
    limit = max(m, n) * float(np.finfo(kind).eps) if rcond is None else rcond
    columns = target.shape[-1]
    if not (m and n and columns):
        x = np.zeros((*lead, n, columns), self.dtype)
        residuals = np.sum(np.abs(target) ** 2, -2).astype(kind)
        rank, values = np.zeros(lead, np.int64), np.zeros((*lead, min(m, n)), kind)
    elif driver == "gels":
        x, residuals, rank, values, info = each(_gels, a, target)
        refuse(
            info,
            "torch.linalg.lstsq",
            lambda code: (
                "The least squares solution could not be computed because the input matrix does "
                f"not have full rank (error code: {code})."
            ),
        )
    else:
        x, residuals, rank, values, _ = each(
            lambda one, sides: _by_rank(one, sides, limit, driver), a, target
        )
    if not (m > n and driver != "gelsy" and np.all(rank == n)):
        residuals = np.zeros(0, kind)
    if driver == "gels":
        rank = np.zeros(0, np.int64)
    if driver not in ("gelsd", "gelss"):
        values = np.zeros(0, kind)
    x = by_columns(x)[..., 0] if vector else by_columns(x)
    return x, residuals.astype(kind), np.asarray(rank, np.int64), values.astype(kind)


def _lstsq_vjp(grads: Any, self: Any, b: Any, result0: Any, needs: Any) -> tuple[Any, Any]:
    of_x, of_residuals = grads[:2]
    vector = len(shape_of(b)) == len(shape_of(self)) - 1
    target, x = (unsqueeze(b, -1), unsqueeze(result0, -1)) if vector else (b, result0)
    of_a = of_b = None
    if of_x is not None:
        slope = unsqueeze(of_x, -1) if vector else of_x
        inverse = pinv_row(self)
        if needs[0]:
            of_a = pinv_vjp(matmul(slope, mh(target)), self, inverse)
        if needs[1]:
            of_b = matmul(mh(inverse), slope)
            of_b = squeeze_dim(of_b, -1) if vector else of_b
    if of_residuals is not None and 0 not in shape_of(of_residuals):
        gap = matmul(self, x) - target
        weight = unsqueeze(of_residuals, -2)
        if needs[0]:
            more = mul_scalar(matmul(weight * gap, mh(x)), 2)
            of_a = more if of_a is None else of_a + more
        if needs[1]:
            more = mul_scalar(weight, -2) * gap
            more = squeeze_dim(more, -1) if vector else more
            of_b = more if of_b is None else of_b + more
    return of_a, of_b


lstsq_row: Row = row(
    "aten.linalg_lstsq",
    _lstsq,
    halves=False,
    joint=("self b", _lstsq_vjp),
    constant_outputs=(3,),
    samples=lambda r: [(r(4, 2), r(4, 3), None, "gels"), (r(2, 3), r(2)), (r(3, 3), r(3, 1))],
    pytorch="aten.linalg_lstsq(self, b, rcond, driver=driver)",
)


@composite(
    "linalg.lstsq",
    samples=lambda r: [
        (r(4, 2), r(4, 3)),
        (r(2, 3), r(2, 1), {"driver": "gelsd"}),
        (r(2, 3, 2), r(2, 3, 1), {"driver": "gels"}),
        (r(3, 3), r(3, 1), 0.01, {"driver": "gelss"}),
    ],
)
def lstsq(self: Value, b: Value, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """X that makes the columns of A X - B shortest; residuals, rank and singular values."""
    fields = "solution residuals rank singular_values"
    return return_type("linalg_lstsq", fields)(lstsq_row(self, b, rcond, driver or "gelsy"))


def _rank(self: Any, atol: Any, rtol: Any, hermitian: bool) -> Any:
    if self.ndim < 2:
        raise RuntimeError(
            "torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions."
        )
    rounds = self.dtype.category >= dtypes.FLOATING and not self.dtype.is_half
    if rtol is None and not rounds:
        raise RuntimeError("This function doesn't handle types other than float and double")
    name = "torch.linalg.matrix_rank"
    plain = wrap(self._array)
    sizes = absolute(eigh_row(plain, "L")[0]) if hermitian else svd_row(plain, False)[1]
    limit = threshold(sizes._array, self.shape, atol, rtol, name)
    return sum_dim(gt(sizes, wrap(limit)), (-1,))


@composite(
    "linalg.matrix_rank",
    samples=lambda r: [
        (r(2, 3), {"atol": fixed(0.01)}),
        (r(3, 3), {"rtol": fixed(0.5)}),
        (r.definite(2, 2, 2), {"atol": fixed([0.1, 100.0]), "hermitian": True}),
    ],
)
def matrix_rank(
    self: Value, *, atol: Value | None = None, rtol: Value | None = None, hermitian: bool = False
) -> Any:
    """How many singular values exceed a tolerance."""
    return _rank(self, atol, rtol, hermitian)


@composite(
    "linalg.matrix_rank",
    samples=lambda r: [
        (r(2, 3),),
        (np.ones((3, 3)),),
        (r(3, 3), {"rtol": 0.5}),
        (r(3, 3), {"atol": 1.5}),
        (r.definite(2, 2, 2), {"hermitian": True}),
        (r(0, 3),),
    ],
)
def matrix_rank_within(
    self: Value, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False
) -> Any:
    """How many singular values exceed a tolerance."""
    return _rank(self, atol, rtol, hermitian)


@composite(
    "linalg.matrix_rank",
    samples=lambda r: [
        (r(2, 3), fixed(0.01)),
        (r(2, 3, 3), fixed([0.1, 100.0])),
        (r.definite(2, 2), fixed(0.01), True),
    ],
)
def matrix_rank_absolute(self: Value, tol: Value, hermitian: bool = False) -> Any:
    """How many singular values exceed a tolerance."""
    return _rank(self, tol, 0.0, hermitian)


@composite(
    "linalg.matrix_rank",
    samples=lambda r: [(r(2, 3), 0.01), (r(3, 3), 1.5), (r.definite(2, 2), 0.01, True)],
)
def matrix_rank_absolute_within(self: Value, tol: float, hermitian: bool = False) -> Any:
    """How many singular values exceed a tolerance."""
    return _rank(self, tol, 0.0, hermitian)

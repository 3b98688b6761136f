"""The Cholesky factor of positive definite matrices, and what is solved with it.

Derivatives after Murray, "Differentiation of the Cholesky decomposition" (2016).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.kernels.lapack import adjoint, by_columns, each, lapack
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.placement import tril
from gradcli.ops.linalg.matrices import (
    batch_shape,
    check_floating,
    check_kernel,
    check_square,
    check_system,
    mh,
    refuse,
    singular,
    spread,
)
from gradcli.ops.linalg.triangular import solve_triangular
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.namedtuples import return_type
from gradcli.typing import Array, Value

_SYMMETRIC = "the gradient is symmetric, as if both triangles had been read"
_WHOLE = "the gradient counts the whole factor, of which only one triangle is read"


def _factor(self: Array, upper: bool) -> tuple[Array, Array]:
    """The factor by LAPACK, and its code: the order of the first minor that is not positive."""
    check_kernel(self, "cholesky_cpu")
    if not self.size:
        return self.copy(), np.zeros(self.shape[:-2], np.int32)
    potrf = lapack("potrf", self)

    def one(a: Array) -> tuple[Array, int]:
        found, code = potrf(a, lower=not upper, clean=True)
        # Not every LAPACK takes a nan on the diagonal for what it is: not positive.
        undefined = np.isnan(found.diagonal())
        return found, code or (int(undefined.argmax()) + 1 if undefined.any() else 0)

    factor, info = each(one, self)
    return by_columns(factor), info.astype(np.int32)


def _indefinite(order: int) -> str:
    return (
        "The factorization could not be completed because the input is not positive-definite (the "
        f"leading minor of order {order} is not positive-definite)."
    )


def _cholesky_vjp(grad: Any, factor: Any, upper: bool) -> Any:
    low = mh(factor) if upper else factor
    slope = tril(matmul(mh(low), mh(grad) if upper else grad), 0)
    slope = 0.5 * (slope + mh(tril(slope, -1)))
    slope = solve_triangular(mh(low), slope, True, True)
    return solve_triangular(low, slope, False, False)


def _cholesky_ex(
    self: Array, upper: bool = False, check_errors: bool = False
) -> tuple[Array, Array]:
    """The triangular factor of positive definite matrices, and LAPACK's code."""
    check_square(self, "linalg.cholesky")
    check_floating(self, "linalg.cholesky")
    factor, info = _factor(self, upper)
    if check_errors:
        refuse(info, "linalg.cholesky_ex", _indefinite)
    return factor, info


cholesky_ex_row: Row = row(
    "aten.linalg_cholesky_ex",
    _cholesky_ex,
    halves=False,
    self=lambda grad, result0, upper: _cholesky_vjp(grad, result0, upper),
    kink=_SYMMETRIC,
    samples=lambda r: [
        (r.definite(3, 3),),
        (r.definite(2, 2, 2), True),
        (r.definite(2, 2, hermitian=True),),
    ],
    pytorch="aten.linalg_cholesky_ex(self, upper=upper, check_errors=check_errors)",
)


@composite(
    "linalg.cholesky_ex",
    kink=_SYMMETRIC,
    samples=lambda r: [
        (r.definite(3, 3),),
        (r.definite(2, 2, 2), {"upper": True}),
        (r.definite(2, 2, hermitian=True), {"check_errors": True}),
        (r.definite(0, 0),),
    ],
)
def cholesky_ex(self: Value, *, upper: bool = False, check_errors: bool = False) -> Any:
    """The Cholesky factor of positive definite matrices, and a code instead of an error."""
    found = cholesky_ex_row(self, upper, check_errors)
    return return_type("linalg_cholesky_ex", "L info")(found)


@composite(
    "linalg.cholesky",
    kink=_SYMMETRIC,
    samples=lambda r: [
        (r.definite(3, 3),),
        (r.definite(2, 2, 2), {"upper": True}),
        (r.definite(2, 2, hermitian=True),),
    ],
)
def cholesky(self: Value, *, upper: bool = False) -> Any:
    """The triangular L with L L^H = A, for positive definite matrices A."""
    factor, info = cholesky_ex_row(self, upper)
    refuse(looked_at(info), "linalg.cholesky", _indefinite)
    return factor


def _cholesky_old(self: Array, upper: bool = False) -> Array:
    """The triangular L with L L^H = A, for positive definite matrices A."""
    check_square(self, "cholesky")
    factor, info = _factor(self, upper)
    refuse(info, "cholesky", _indefinite)
    return factor


cholesky_old: Row = row(
    "cholesky",
    _cholesky_old,
    halves=False,
    self=lambda grad, result, upper: _cholesky_vjp(grad, result, upper),
    kink=_SYMMETRIC,
    samples=lambda r: [
        (r.definite(3, 3),),
        (r.definite(2, 2, 2), True),
        (r.definite(2, 2, hermitian=True),),
    ],
)


def _cholesky_inverse(self: Array, upper: bool = False) -> Array:
    """The inverse of A from its Cholesky factor."""
    check_square(self, "cholesky_inverse")
    check_kernel(self, "cholesky_inverse_out_cpu")
    if not self.size:
        return self.copy()
    potri = lapack("potri", self)
    found, info = each(lambda a: potri(a, lower=not upper), self)
    refuse(info, "cholesky_inverse", singular)
    half = np.triu(found, 1) if upper else np.tril(found, -1)
    diagonal = np.einsum("...ii->...i", found)
    whole = half + adjoint(half)
    np.einsum("...ii->...i", whole)[...] = diagonal
    return by_columns(whole)


def _cholesky_inverse_vjp(grad: Any, self: Any, upper: bool, result: Any) -> Any:
    common = matmul(result, matmul(grad + mh(grad), result))
    return -matmul(self, common) if upper else -matmul(common, self)


cholesky_inverse: Row = row(
    "cholesky_inverse",
    _cholesky_inverse,
    halves=False,
    self=_cholesky_inverse_vjp,
    kink=_WHOLE,
    samples=lambda r: [(np.tril(r(3, 3)) + 3 * np.eye(3),)],
)


def _cholesky_solve(self: Array, input2: Array, upper: bool = False) -> Array:
    """X of A X = self, from the Cholesky factor of A."""
    for name, operand in (("b", self), ("u", input2)):
        if operand.ndim < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {operand.ndim} dimensions "
                "instead"
            )
    check_system(self, input2, "cholesky_solve")
    lead = batch_shape(self, input2)
    check_kernel(self, "cholesky_solve_cpu")
    b, factor = spread(self, lead), spread(input2, lead)
    if not b.size:
        return np.zeros(b.shape, b.dtype)
    potrs = lapack("potrs", b)
    found, _ = each(lambda c, sides: potrs(c, sides, lower=not upper), factor, b)
    return by_columns(found)


def _cholesky_solve_vjp(
    grad: Any, input2: Any, result: Any, upper: bool, needs: Any
) -> tuple[Any, Any]:
    of_b = cholesky_solve(grad, input2, upper)
    if not needs[1]:
        return of_b, None
    common = matmul(of_b, mh(result))
    common = common + mh(common)
    return of_b, -matmul(input2, common) if upper else -matmul(common, input2)


cholesky_solve: Row = row(
    "cholesky_solve",
    _cholesky_solve,
    halves=False,
    linear="self",
    joint=("self input2", _cholesky_solve_vjp),
    kink=_WHOLE,
    samples=lambda r: [(r(3, 2), np.tril(r(3, 3)) + 3 * np.eye(3))],
)

"""Systems with triangular matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.kernels.lapack import by_columns, each
from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.placement import tril, triu
from gradcli.ops.linalg.matrices import (
    batch_shape,
    check_equation,
    check_kernel,
    check_matrix,
    check_square,
    check_system,
    mh,
    mt,
    spread,
)
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor.namedtuples import return_type
from gradcli.typing import Array, Value

_EXAMPLES = (
    "the part of A that is not read has the gradient zero, and so has the diagonal of a "
    "unitriangular A"
)


def substituted(
    A: Array,
    B: Array,
    upper: bool,
    left: bool = True,
    unitriangular: bool = False,
    transposed: int = 0,
) -> Array:
    """X of A X = B or X A = B by BLAS; `transposed` 1 or 2 means the (conjugate) transpose of A.

    Division by a zero on the diagonal gives infinities and nan, as in PyTorch.
    """
    from scipy.linalg.blas import get_blas_funcs

    lead = batch_shape(A, B)
    a, b = spread(A, lead), spread(B, lead)
    if not b.size:
        return np.zeros(b.shape, b.dtype)
    solve = get_blas_funcs("trsm", (a, b))

    def one(matrix: Array, sides: Array) -> tuple[Array]:
        found = solve(
            1,
            matrix,
            sides,
            side=not left,
            lower=not upper,
            trans_a=transposed,
            diag=unitriangular,
        )
        return (found,)

    return by_columns(each(one, a, b)[0])


def _solve_triangular(
    self: Array, B: Array, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Array:
    """X of A X = B, or of X A = B, with a triangular A."""
    name = "linalg.solve_triangular"
    check_matrix(self, name)
    check_matrix(B, name, "B")
    check_square(self, name)
    check_equation(self.shape, B.shape, left, name)
    batch_shape(B, self)
    check_kernel(self, "triangular_solve_cpu")
    return substituted(self, B.astype(self.dtype, copy=False), upper, left, unitriangular)


def _triangle(value: Any, upper: bool, unitriangular: bool) -> Any:
    """The part of a coefficient matrix that is read."""
    return triu(value, int(unitriangular)) if upper else tril(value, -int(unitriangular))


def _solve_triangular_vjp(
    grad: Any, self: Any, result: Any, upper: bool, left: bool, unitriangular: bool, needs: Any
) -> tuple[Any, Any]:
    of_b = solve_triangular(mh(self), grad, not upper, left, unitriangular)
    if not needs[0]:
        return None, of_b
    outer = matmul(of_b, mh(result)) if left else matmul(mh(result), of_b)
    return _triangle(-outer, upper, unitriangular), of_b


solve_triangular: Row = row(
    "linalg.solve_triangular",
    _solve_triangular,
    halves=False,
    linear="B",
    joint=("self B", _solve_triangular_vjp),
    kink=_EXAMPLES,
    samples=lambda r: [
        (np.triu(r(3, 3)) + 3 * np.eye(3), r(3, 2), True),
        (np.tril(r(3, 3)) + 3 * np.eye(3), r(2, 3), False, False),
        (r(2, 3, 3), r(3, 2), True, True, True),
    ],
)


def _triangular_solve(
    self: Array, A: Array, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> tuple[Array, Array]:
    """X of A X = self with a triangular A, and a copy of A."""
    name = "torch.triangular_solve"
    for label, operand in (("b", self), ("A", A)):
        if operand.ndim < 2:
            raise RuntimeError(
                f"{name}: Expected {label} to have at least 2 dimensions, but it has "
                f"{operand.ndim} dimensions instead"
            )
    check_system(self, A, "triangular_solve")
    lead = batch_shape(self, A)
    check_kernel(A, "triangular_solve_cpu")
    found = substituted(A, self, upper, True, unitriangular, int(transpose))
    return found, by_columns(spread(A, lead).copy())


def _triangular_solve_vjp(
    grads: Any,
    A: Any,
    result0: Any,
    upper: bool,
    transpose: bool,
    unitriangular: bool,
    needs: Any,
) -> tuple[Any, Any]:
    of_x, of_copy = grads
    of_b = of_a = None
    if of_x is not None:
        of_b, _ = triangular_solve_row(of_x, conj(A), upper, not transpose, unitriangular)
        if needs[1]:
            outer = -matmul(conj(result0), mt(of_b)) if transpose else -matmul(of_b, mh(result0))
            of_a = _triangle(outer, upper, unitriangular)
    if needs[1] and of_copy is not None:
        of_a = of_copy if of_a is None else of_a + of_copy
    return of_b, of_a


triangular_solve_row: Row = row(
    "aten.triangular_solve",
    _triangular_solve,
    halves=False,
    joint=("self A", _triangular_solve_vjp),
    kink=_EXAMPLES,
    samples=lambda r: [
        (r(3, 2), np.triu(r(3, 3)) + 3 * np.eye(3)),
        (r(3, 2), r(2, 3, 3) + 3 * np.eye(3), False, True),
        (r(3, 2), r(3, 3), True, True, True),
    ],
)


@composite(
    "triangular_solve",
    kink=_EXAMPLES,
    samples=lambda r: [(r(3, 2), np.triu(r(3, 3)) + 3 * np.eye(3))],
)
def triangular_solve(
    self: Value, A: Value, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """X of A X = self with a triangular A, and a copy of A."""
    found = triangular_solve_row(self, A, upper, transpose, unitriangular)
    return return_type("triangular_solve", "solution cloned_coefficient")(found)

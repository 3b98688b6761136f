"""Linear systems and inverses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels.lapack import by_columns
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.views import flatten, movedims, reshape, squeeze_dim, unsqueeze
from gradcli.ops.linalg.lu import lu_of, solved
from gradcli.ops.linalg.matrices import (
    check_equation,
    check_floating,
    check_matrix,
    check_square,
    mh,
    refuse,
    singular,
    word,
)
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Value


def is_vector(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether the right-hand sides are vectors rather than matrices, by the shapes."""
    return len(b) == 1 or (len(a) - 1 == len(b) and tuple(a[:-1]) == tuple(b))


def _solve_ex(
    A: Array, B: Array, left: bool = True, complaint: str | None = None
) -> tuple[Array, ...]:
    """The solution of linear systems, LU factors, pivots and LAPACK's code."""
    name = "linalg.solve"
    check_floating(A, name)
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type {word(A)} and B "
            f"of type {word(B)} instead"
        )
    vector = is_vector(A.shape, B.shape)
    b = B[..., None] if vector else B
    check_square(A, name)
    check_matrix(b, name, "B")
    check_equation(A.shape, b.shape, left, name)
    if vector and not left:
        raise RuntimeError(
            f"{name}: Vector broadcasting of the left hand side is not supported for left=False. "
            "In this case linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    common_shape([b.shape[:-2], A.shape[:-2]])
    compact, pivots, info = lu_of(A)
    if complaint:
        refuse(info, complaint, lambda _: "The solver failed because the input matrix is singular.")
    x = solved(compact, pivots, b, left)
    if vector:
        x = x[..., 0] if x.ndim == 2 else by_columns(x[..., 0])
    return x, compact, pivots, info


def _solve_vjp(
    grad: Any,
    A: Any,
    B_shape: Any,
    result0: Any,
    result1: Any,
    result2: Any,
    left: bool,
    needs: Any,
) -> tuple[Any, Any]:
    vector = is_vector(A.shape, B_shape)
    slope = unsqueeze(grad, -1) if vector else grad
    if type(grad) is Tensor:
        of_b = solved_by(mh(A), slope, left)
    else:
        of_b = solved(result1, result2, slope, left, 2)
    of_a = None
    if needs[0]:
        x = mh(unsqueeze(result0, -1) if vector else result0)
        of_a = -matmul(of_b, x) if left else -matmul(x, of_b)
    return of_a, squeeze_dim(of_b, -1) if vector else of_b


solve_ex_row: Row = row(
    "aten.linalg_solve_ex",
    _solve_ex,
    halves=False,
    joint=("A B", _solve_vjp),
    samples=lambda r: [
        (r(3, 3), r(3, 2)),
        (r(3, 3), r(2, 3), False),
        (r(2, 2, 2), r(2, 2)),
        (r.complex(2, 2), r.complex(2)),
    ],
    pytorch="aten._linalg_solve_ex(A, B, left=left)",
)


def solved_by(A: Any, B: Any, left: bool = True) -> Any:
    """X of A X = B (or X A = B); refuses singular matrices."""
    return solve_ex_row(A, B, left, "torch.linalg.solve")[0]


@composite(
    "linalg.solve",
    samples=lambda r: [
        (r(3, 3) + 3 * np.eye(3), r(3, 2)),
        (r(2, 3, 3) + 3 * np.eye(3), r(2, 3)),
        (r(3, 3) + 3 * np.eye(3), r(2, 2, 3), {"left": False}),
    ],
)
def solve(A: Value, B: Value, *, left: bool = True) -> Any:
    """X of A X = B, or of X A = B."""
    return solved_by(A, B, left)


@composite(
    "linalg.solve_ex",
    samples=lambda r: [
        (r(3, 3), r(3, 2)),
        (r(3, 3), r(2, 3), {"left": False}),
        (r(2, 2, 2), r(2, 2)),
        (r.complex(2, 2), r.complex(2), {"check_errors": True}),
        (kinked(np.ones((2, 2))), r(2, 1)),
    ],
)
def solve_ex(A: Value, B: Value, *, left: bool = True, check_errors: bool = False) -> Any:
    """X of A X = B and a code instead of an error."""
    complaint = "torch.linalg.solve_ex" if check_errors else None
    x, _, _, info = solve_ex_row(A, B, left, complaint)
    return return_type("linalg_solve_ex", "result info")((x, info))


def _inv_ex(A: Array, complaint: str | None = None) -> tuple[Array, Array]:
    """Inverses and LAPACK's code."""
    check_square(A, "linalg.inv")
    check_floating(A, "linalg.inv", half=False)
    compact, pivots, info = lu_of(A)
    if complaint:
        refuse(info, complaint, singular, whole=complaint == "inv")
    unit = np.broadcast_to(np.eye(A.shape[-1], dtype=A.dtype), A.shape)
    return solved(compact, pivots, unit), info


inv_ex_row: Row = row(
    "aten.linalg_inv_ex",
    _inv_ex,
    halves=False,
    A=lambda grad, result0: -matmul(mh(result0), matmul(grad, mh(result0))),
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(2, 2, 2) + 3 * np.eye(2),)],
    pytorch="aten.linalg_inv_ex(A)",
)


@composite("linalg.inv", samples=lambda r: [(r(3, 3) + 3 * np.eye(3),)])
def inv(A: Value) -> Any:
    """The inverse of matrices."""
    return inv_ex_row(A, "linalg.inv")[0]


@composite("inverse", samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),), (r(0, 0),)])
def inverse(self: Value) -> Any:
    """The inverse of matrices."""
    return inv_ex_row(self, "linalg.inv")[0]


@composite(
    "linalg.inv_ex",
    samples=lambda r: [
        (r(3, 3),),
        (r(2, 2, 2), {"check_errors": True}),
        (r.complex(2, 2),),
        (kinked([[1.0, 2.0], [0.0, 0.0]]),),
    ],
)
def inv_ex(A: Value, *, check_errors: bool = False) -> Any:
    """The inverse of matrices and a code instead of an error."""
    found = inv_ex_row(A, "linalg.inv_ex" if check_errors else None)
    return return_type("linalg_inv_ex", "inverse info")(found)


@composite("linalg.tensorinv", samples=lambda r: [(r(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 3, 2)])
def tensorinv(self: Value, ind: int = 2) -> Any:
    """The inverse of a tensor for tensordot."""
    if ind <= 0:
        raise RuntimeError(f"Expected a strictly positive integer for 'ind', but got {ind}")
    if ind > self.ndim:
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {self.ndim}")
    front, back = self.shape[:ind], self.shape[ind:]
    count = math.prod(back)
    if math.prod(front) != count:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {count} != {math.prod(front)}"
        )
    found = inv_ex_row(reshape(self, (count, count)), "inv")[0]
    return reshape(found, (*back, *front))


@composite(
    "linalg.tensorsolve",
    samples=lambda r: [
        (r(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 3, r(2, 3)),
        (r(2, 6, 3) + np.eye(6).reshape(2, 3, 6).swapaxes(1, 2) * 3, r(2, 3), (1,)),
    ],
)
def tensorsolve(self: Value, other: Value, dims: Sequence[int] | None = None) -> Any:
    """X of tensordot(self, X) = other."""
    if dims is not None:
        self = movedims(self, dims, tuple(range(self.ndim - len(dims), self.ndim)))
    if other.ndim > self.ndim:
        raise RuntimeError("cannot create std::vector larger than max_size()")
    target = self.shape[other.ndim :]
    count = math.prod(target)
    if other.numel() != count:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {count} != {other.numel()}"
        )
    return reshape(solve(reshape(self, (count, count)), flatten(other)), target)

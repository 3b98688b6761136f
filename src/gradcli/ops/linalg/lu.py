"""A = P L U: the factors, compact or apart, and what is solved with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.kernels.lapack import adjoint, by_columns, each, lapack
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.placement import tril, triu
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import shape_of
from gradcli.ops.linalg.matrices import (
    check_equation,
    check_floating,
    check_kernel,
    check_matrix,
    check_square,
    mh,
    mt,
    part,
    refuse,
    rows_and_columns,
    spread,
    word,
)
from gradcli.ops.linalg.triangular import solve_triangular, substituted
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import common_shape, length_along
from gradcli.tensor.tensor import constant, raw
from gradcli.typing import Array, Value


def lu_of(array: Array) -> tuple[Array, Array, Array]:
    """LAPACK's compact factors, its pivots (counted from one) and its code, for a batch."""
    check_kernel(array, "lu_cpu")
    *lead, m, n = array.shape
    if not array.size:
        pivots = np.broadcast_to(np.arange(1, min(m, n) + 1, dtype=np.int32), (*lead, min(m, n)))
        return array.copy(), pivots.copy(), np.zeros(lead, np.int32)
    getrf = lapack("getrf", array)
    compact, pivots, info = each(getrf, array)
    return by_columns(compact), (pivots + 1).astype(np.int32), info.astype(np.int32)


def solved(compact: Array, pivots: Array, b: Array, left: bool = True, trans: int = 0) -> Array:
    """X of A X = B or X A = B; `trans` 1 or 2 means the (conjugate) transpose of A."""
    if not left:
        # X A = B is A^H X^H = B^H; of a real A the transpose is all the same.
        return adjoint(solved(compact, pivots, adjoint(b), True, 0 if trans else 2))
    order = swapped(pivots, compact.shape[-1])
    if trans:
        found = substituted(compact, b, True, True, False, trans)
        found = substituted(compact, found, False, True, True, trans)
        order = np.argsort(order, -1)
    else:
        found = b
    lead = common_shape([order.shape[:-1], found.shape[:-2]])
    rows = np.broadcast_to(order, (*lead, order.shape[-1]))[..., None]
    found = np.take_along_axis(spread(found, lead), rows, -2)
    if not trans:
        found = substituted(compact, found, False, True, True)
        found = substituted(compact, found, True)
    return by_columns(found)


def swapped(pivots: Array, m: int) -> Array:
    """For each row of L U, the row of A that it is."""
    lead = pivots.shape[:-1]
    count = int(np.prod(lead))
    order = np.broadcast_to(np.arange(m), (count, m)).copy()
    for line, swaps in zip(order, pivots.reshape(count, pivots.shape[-1]), strict=True):
        for k, other in enumerate(swaps[:m]):
            line[k], line[other - 1] = line[other - 1], line[k]
    return order.reshape(*lead, m)


def permutation(pivots: Array, m: int, dtype: Any) -> Array:
    """The matrices P of A = P L U."""
    return np.eye(m, dtype=dtype)[swapped(pivots, m)].swapaxes(-1, -2)


def _check_two(array: Array, function: str) -> None:
    if array.ndim < 2:
        raise RuntimeError(
            f"{function}: Expected tensor with 2 or more dimensions. Got size: "
            f"{list(array.shape)} instead"
        )


def _check_pivot(pivot: bool) -> None:
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")


def _parts(compact: Array) -> tuple[Array, Array]:
    """L and U of compact factors."""
    m, n = compact.shape[-2:]
    k = min(m, n)
    return np.tril(compact[..., :k], -1) + np.eye(m, k, dtype=compact.dtype), np.triu(
        compact[..., :k, :]
    )


def _unpack_vjp(grads: Any, LU_data_shape: Any) -> Any:
    _, of_l, of_u = grads
    *lead, m, n = LU_data_shape
    k = min(m, n)
    up = None if of_u is None else triu(of_u, 0)
    low = None if of_l is None else tril(of_l, -1)
    if m < n and low is not None:
        low = cat([low, blank((*lead, m, n - k), low)], -1)
    if m > n and up is not None:
        up = cat([up, blank((*lead, m - k, n), up)], -2)
    if low is None or up is None:
        return up if low is None else low
    return low + up


def _check_pivots(pivots: Array, m: int) -> None:
    if pivots.dtype != np.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            "dtype.\nNote: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    if pivots.size and not (pivots.min() >= 1 and pivots.max() <= m):
        raise RuntimeError(
            "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
            "Did you properly pass the result of lu_factor?"
        )


def _unpack(
    LU_data: Array, LU_pivots: Array, unpack_data: bool = True, unpack_pivots: bool = True
) -> tuple[Array, Array, Array]:
    """P, L and U of compact factors."""
    _check_two(LU_data, "torch.lu_unpack")
    nothing = np.zeros(0, LU_data.dtype)
    p = nothing
    if unpack_pivots:
        _check_pivots(LU_pivots, LU_data.shape[-2])
        lead = LU_data.shape[:-2]
        pivots = expand(LU_pivots, (*lead, *LU_pivots.shape[-1:]))
        p = np.ascontiguousarray(permutation(pivots, LU_data.shape[-2], LU_data.dtype))
    low, up = _parts(LU_data) if unpack_data else (nothing, nothing)
    return p, low, up


lu_unpack_row: Row = row(
    "aten.lu_unpack",
    _unpack,
    LU_data=_unpack_vjp,
    constant_outputs=(0,),
    samples=lambda r: [
        (r(*shape), np.array(pivots, np.int32))
        for shape, pivots in (((3, 3), [2, 3, 3]), ((2, 3), [2, 2]), ((3, 2), [3, 2]))
    ],
)


@composite(
    "lu_unpack",
    samples=lambda r: [
        (r(3, 3), np.array([2, 3, 3], np.int32)),
        (r(2, 3), np.array([2, 2], np.int32)),
        (kinked(r(3, 2)), np.array([3, 2], np.int32), False),
        (r(3, 3), np.array([2, 3, 3], np.int32), True, False),
    ],
)
def lu_unpack(
    LU_data: Value, LU_pivots: Value, unpack_data: bool = True, unpack_pivots: bool = True
) -> Any:
    """The factors P, L and U of compact factors and pivots."""
    found = lu_unpack_row(LU_data, LU_pivots, unpack_data, unpack_pivots)
    return return_type("lu_unpack", "P L U")(found)


def _square_vjp(of_l: Any, of_u: Any, low: Any, up: Any) -> Any:
    slope = None if of_l is None else tril(matmul(mh(low), of_l), -1)
    if of_u is not None:
        upper = triu(matmul(of_u, mh(up)), 0)
        slope = upper if slope is None else slope + upper
    slope = solve_triangular(mh(up), slope, False, False)
    return solve_triangular(mh(low), slope, True, True, True)


def _wide_vjp(of_l: Any, of_u: Any, low: Any, up: Any) -> Any:
    """U = [U1 U2]."""
    m, n = shape_of(low)[-2], shape_of(up)[-1]
    slope = None if of_l is None else matmul(mh(low), of_l)
    if of_u is not None:
        outer = matmul(triu(of_u, 0), mh(up))
        slope = -outer if slope is None else slope - outer
    slope = solve_triangular(mh(part(up, -1, 0, m)), tril(slope, -1), False, False)
    rest = part(up if of_u is None else of_u, -1, m, n - m)
    if of_u is not None:
        slope = cat([slope + triu(part(of_u, -1, 0, m), 0), rest], -1)
    slope = solve_triangular(mh(low), slope, True, True, True)
    if of_u is None:
        slope = cat([slope, blank(shape_of(rest), slope)], -1)
    return slope


def _tall_vjp(of_l: Any, of_u: Any, low: Any, up: Any) -> Any:
    """L = [L1; L2]."""
    m, n = shape_of(low)[-2], shape_of(up)[-1]
    slope = None if of_u is None else matmul(of_u, mh(up))
    if of_l is not None:
        inner = matmul(mh(low), tril(of_l, -1))
        slope = -inner if slope is None else slope - inner
    slope = solve_triangular(mh(part(low, -2, 0, n)), triu(slope, 0), True, True, True)
    rest = part(low if of_l is None else of_l, -2, n, m - n)
    if of_l is not None:
        slope = cat([slope + tril(part(of_l, -2, 0, n), -1), rest], -2)
    slope = solve_triangular(mh(up), slope, False, False)
    if of_l is None:
        slope = cat([slope, blank(shape_of(rest), slope)], -2)
    return slope


def _plu_vjp(of_l: Any, of_u: Any, p: Any, low: Any, up: Any) -> Any:
    """The gradient of A from those of L and U.

    With 1_L and 1_U for the strictly lower and the upper triangle it is, for square A,
    P L^-H [1_L * (L^H gL) + 1_U * (gU U^H)] U^-H.
    """
    if of_l is None and of_u is None:
        return None
    m, n = shape_of(low)[-2], shape_of(up)[-1]
    if m == n:
        slope = _square_vjp(of_l, of_u, low, up)
    else:
        slope = (_wide_vjp if m < n else _tall_vjp)(of_l, of_u, low, up)
    return matmul(p, slope)


def _lu_factor(A: Array, pivot: bool = True) -> tuple[Array, Array, Array]:
    """Compact LU factors, pivots and LAPACK's code."""
    _check_two(A, "torch.lu_factor")
    _check_pivot(pivot)
    return lu_of(A)


def _lu_factor_vjp(grad: Any, result0: Any, result1: Any) -> Any:
    p, low, up = lu_unpack_row(result0, result1)
    k = min(rows_and_columns(result0))
    of_l, of_u = part(grad, -1, 0, k), part(grad, -2, 0, k)
    return _plu_vjp(of_l, of_u, constant(raw(p), p), low, up)


lu_factor_row: Row = row(
    "aten.linalg_lu_factor_ex",
    _lu_factor,
    halves=False,
    A=_lu_factor_vjp,
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(2, 3),), (r(2, 3, 2),)],
    pytorch="aten.linalg_lu_factor_ex(A, pivot=pivot)",
)


def _refuse_zero(info: Array, function: str) -> None:
    refuse(
        info,
        function,
        lambda k: (
            f"U[{k},{k}] is zero and using it on lu_solve would result in a division by "
            "zero. If you still want to perform the factorization, consider calling linalg.lu(A, "
            "pivot) or linalg.lu_factor_ex(A, pivot)"
        ),
        error=RuntimeError,
    )


@composite(
    "linalg.lu_factor",
    samples=lambda r: [(r(3, 3),), (r(2, 3),), (r(2, 3, 2),), (r.complex(2, 2),)],
)
def lu_factor(A: Value, *, pivot: bool = True) -> Any:
    """Compact LU factors (L below the diagonal, U above) and the rows that were swapped."""
    compact, pivots, info = lu_factor_row(A, pivot)
    _refuse_zero(looked_at(info), "torch.linalg.lu_factor")
    return return_type("linalg_lu_factor", "LU pivots")((compact, pivots))


@composite(
    "linalg.lu_factor_ex",
    samples=lambda r: [
        (r(3, 3),),
        (r(2, 3), {"check_errors": True}),
        (r(2, 3, 2),),
        (kinked(np.ones((2, 2))),),
    ],
)
def lu_factor_ex(A: Value, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """Compact LU factors and a code instead of an error."""
    found = lu_factor_row(A, pivot)
    if check_errors:
        _refuse_zero(looked_at(found[2]), "torch.linalg.lu_factor_ex")
    return return_type("linalg_lu_factor_ex", "LU pivots info")(found)


@composite("lu", samples=lambda r: [(r(3, 3),), (r(2, 3),), (r(2, 3, 2), True, True)])
def lu_compact(A: Value, pivot: bool = True, get_infos: bool = False) -> Any:
    """Compact LU factors and pivots."""
    found = lu_factor_row(A, pivot)
    return return_type("_lu_with_info", "LU pivots info")(found) if get_infos else found[:2]


@composite("Tensor.lu", samples=lambda r: [(r(3, 3),), (r(2, 3),), (r(2, 3, 2), True, True)])
def lu_method(self: Value, pivot: bool = True, get_infos: bool = False) -> Any:
    """Compact LU factors and pivots."""
    found = lu_factor_row(self, pivot)
    return found if get_infos else found[:2]


def _lu(A: Array, pivot: bool = True) -> tuple[Array, Array, Array]:
    """The factors P, L and U."""
    _check_two(A, "linalg.lu")
    _check_pivot(pivot)
    compact, pivots, _ = lu_of(A)
    p = np.ascontiguousarray(permutation(pivots, A.shape[-2], A.dtype))
    return p, *_parts(compact)


lu_row: Row = row(
    "aten.linalg_lu",
    _lu,
    halves=False,
    A=lambda grads, result0, result1, result2: _plu_vjp(
        grads[1], grads[2], result0, result1, result2
    ),
    constant_outputs=(0,),
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(2, 3),), (r(3, 2),)],
    pytorch="aten.linalg_lu(A, pivot=pivot)",
)


@composite(
    "linalg.lu", samples=lambda r: [(r(3, 3),), (r(2, 3),), (r(2, 3, 2),), (r.complex(2, 2),)]
)
def lu(A: Value, *, pivot: bool = True) -> Any:
    """The factors P, L and U."""
    return return_type("linalg_lu", "P L U")(lu_row(A, pivot))


def _lu_solve(
    LU: Array, pivots: Array, B: Array, left: bool = True, adjoint: bool = False
) -> Array:
    """The solution of linear systems from compact LU factors."""
    name = "linalg.lu_solve"
    check_floating(LU, f"torch.{name}")
    if LU.dtype != B.dtype:
        raise RuntimeError(
            f"{name}: Expected LU and B to have the same dtype, but found LU of type {word(LU)} "
            f"and B of type {word(B)} instead"
        )
    if pivots.dtype != np.int32:
        raise RuntimeError(f"{name}: pivots should be a Tensor of scalar type torch.int32")
    check_square(LU, f"torch.{name}")
    check_matrix(B, name, "B")
    check_equation(LU.shape, B.shape, left, name)
    if LU.shape[-1] != length_along(pivots.shape, -1):
        raise RuntimeError(
            f"{name}: Number of pivots per batch should be same as the dimension of the matrix"
        )
    if LU.shape[:-1] != pivots.shape:
        raise RuntimeError(
            f"{name}: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots.shape)} instead"
        )
    check_kernel(LU, f"{name}_cpu")
    for wrong, bound in (
        (pivots < 1, "greater or equal to 1"),
        (pivots > LU.shape[-2], "smaller or equal to LU.size(-2)"),
    ):
        if wrong.any():
            raise RuntimeError(
                f"Pivots given to lu_solve must all be {bound}. "
                "Did you properly pass the result of lu_factor?"
            )
    return solved(LU, pivots, B, left, 2 if adjoint else 0)


def _lu_solve_vjp(
    grad: Any, LU: Any, pivots: Any, result: Any, left: bool, adjoint: bool, needs: Any
) -> tuple[Any, Any]:
    of_b = lu_solve_row(LU, pivots, grad, left, not adjoint) if needs[1] else None
    if not needs[0]:
        return None, of_b
    p, low, up = lu_unpack_row(LU, pivots)
    p = constant(raw(p), p)
    slope, x = (grad, result) if left else (mh(grad), mh(result))
    if left != adjoint:
        outer = solve_triangular(mh(up), matmul(-slope, mh(x)), False)
        lower = solve_triangular(mh(low), matmul(outer, mh(up)), True, True, True)
        return tril(lower, -1) + triu(outer, 0), of_b
    outer = matmul(matmul(matmul(-mt(p), x), mh(slope)), p)
    outer = solve_triangular(mh(low), outer, True, False, True)
    upper = solve_triangular(mh(up), matmul(mh(low), outer), False, False)
    return tril(outer, -1) + triu(upper, 0), of_b


lu_solve_row: Row = row(
    "aten.linalg_lu_solve",
    _lu_solve,
    halves=False,
    linear="B",
    joint=("LU B", _lu_solve_vjp),
    samples=lambda r: [
        (r(3, 3) + 3 * np.eye(3), np.array([2, 3, 3], np.int32), r(*shape), left, adjoint)
        for shape, left in (((3, 2), True), ((2, 3), False))
        for adjoint in (False, True)
    ],
    pytorch="aten.linalg_lu_solve(LU, pivots, B, left=left, adjoint=adjoint)",
)


@composite(
    "linalg.lu_solve",
    samples=lambda r: [
        (r(3, 3) + 3 * np.eye(3), np.array([2, 3, 3], np.int32), r(3, 2)),
        (r(3, 3) + 3 * np.eye(3), np.array([2, 3, 3], np.int32), r(2, 3), {"left": False}),
        (r(3, 3) + 3 * np.eye(3), np.array([1, 3, 3], np.int32), r(3, 2), {"adjoint": True}),
        (r.complex(2, 2), np.array([2, 2], np.int32), r.complex(2, 1), {"adjoint": True}),
    ],
)
def lu_solve(
    LU: Value, pivots: Value, B: Value, *, left: bool = True, adjoint: bool = False
) -> Any:
    """X of A X = B from compact LU factors; also of X A = B, and with the adjoint of A."""
    return lu_solve_row(LU, pivots, B, left, adjoint)


@composite(
    "lu_solve",
    samples=lambda r: [
        (r(3, 2), r(3, 3) + 3 * np.eye(3), np.array([2, 3, 3], np.int32)),
        (r(2, 2, 1), r(2, 2, 2) + 3 * np.eye(2), np.array([[1, 2], [2, 2]], np.int32)),
    ],
)
def lu_solve_old(self: Value, LU_data: Value, LU_pivots: Value) -> Any:
    """X of A X = self from compact LU factors."""
    return lu_solve_row(LU_data, LU_pivots, self)

"""Determinants and their logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import conj, eq, where_
from gradcli.ops.algebra.complex import imag_of
from gradcli.ops.algebra.elementary import log
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.parts import blank, slice_
from gradcli.ops.algebra.placement import diag_embed, flip
from gradcli.ops.algebra.scans import cumprod
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import shape_of, unsqueeze
from gradcli.ops.inplace.subscripts import get_item, index_put
from gradcli.ops.linalg.lu import lu_of, solved
from gradcli.ops.linalg.matrices import (
    check_floating,
    check_square,
    mh,
    mt,
)
from gradcli.ops.linalg.solving import solved_by
from gradcli.ops.linalg.spectra import svd_row
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import Tensor, raw, wrap
from gradcli.typing import Array, Value


def _signs(pivots: Array) -> Array:
    """The determinants of the permutations that pivots stand for."""
    swaps = np.sum(pivots != np.arange(1, pivots.shape[-1] + 1), -1)
    return 1 - 2 * (swaps % 2)


def _diagonals(matrices: Array) -> Array:
    return np.diagonal(matrices, axis1=-2, axis2=-1)


def _is_turned(A: Array) -> bool:
    """Whether PyTorch factorises the transpose, which has the same determinant."""
    return bool(A.flags.c_contiguous and A.dtype.kind != "c")


def _factors(A: Array) -> tuple[Array, Array, Array]:
    return lu_of(A.swapaxes(-1, -2) if _is_turned(A) else A)


def _from_factors(A: Array, compact: Array, pivots: Array, d: Array) -> Array:
    """A^-H d from the LU factors of A or of its transpose."""
    return solved(compact, pivots, d, True, 0 if _is_turned(A) else 2)


def _scaled_identity(scale: Any, n: int) -> Any:
    """scale * I, for one number per matrix."""
    return mt(diag_embed(expand(unsqueeze(scale, -1), (*shape_of(scale), n))))


def _det(A: Array) -> tuple[Array, Array, Array]:
    """The determinant of matrices, and the LU factors that it comes from."""
    check_square(A, "linalg.det")
    check_floating(A, "linalg.det")
    compact, pivots, _ = _factors(A)
    value = np.prod(_diagonals(compact), -1) * _signs(pivots)
    return np.asarray(value, A.dtype), compact, pivots


def _others(values: Any) -> Any:
    """For each element along the last dimension the product of all others."""
    n = shape_of(values)[-1]
    one = slice_(values, -1, 0, 1) * 0 + 1
    before = cumprod(cat([one, slice_(values, -1, 0, n - 1)], -1), -1)
    behind = cat([one, flip(slice_(values, -1, 1, n), (-1,))], -1)
    return before * flip(cumprod(behind, -1), (-1,))


def _det_by_svd(grad: Any, A: Any) -> Any:
    """The gradient as the adjugate: it needs no inverse."""
    u, s, vh = svd_row(A, False)
    sign = conj(det_row(u)[0] * det_row(vh)[0])
    diagonal = unsqueeze(sign * grad, -1) * conj(_others(s))
    return matmul(u * unsqueeze(diagonal, -2), vh)


def _det_vjp(grad: Any, A: Any, result0: Any, result1: Any, result2: Any) -> Any:
    n = shape_of(A)[-1]
    if not raw(A).size:
        return blank(shape_of(A), A)
    epsilon = np.finfo(raw(A).dtype).eps
    if n == 1:
        return unsqueeze(unsqueeze(grad, -1), -1)
    d = _scaled_identity(grad * conj(result0), n)
    if type(grad) is not Tensor:
        # The determinant is smooth: zeros on the diagonal of U may be taken for tiny numbers.
        nudge = np.where(_diagonals(result1) == 0, epsilon, 0).astype(result1.dtype)
        return _from_factors(A, result1 + diag_embed(nudge), result2, d)
    singular = np.abs(raw(result0)) < 100 * epsilon
    if singular.all():
        return _det_by_svd(grad, A)
    if not singular.any():
        return solved_by(mh(A), d)
    bad, good = wrap(singular), wrap(~singular)
    slopes = _det_by_svd(get_item(grad, bad), get_item(A, bad))
    found = index_put(A * 0, (bad,), slopes)
    return index_put(found, (good,), solved_by(mh(get_item(A, good)), get_item(d, good)))


det_row: Row = row(
    "aten._linalg_det",
    _det,
    halves=False,
    A=_det_vjp,
    samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),), (r(0, 0),)],
)


@composite(
    "linalg.det",
    samples=lambda r: [
        (r(3, 3),),
        (r(2, 2, 2),),
        (r(1, 1),),
        (np.outer(r(3), r(3)) + np.outer(r(3), r(3)),),
    ],
)
def linalg_det(A: Value) -> Any:
    """The determinant of matrices."""
    return det_row(A)[0]


@composite("det", samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),), (r(0, 0),)])
def det(self: Value) -> Any:
    """The determinant of matrices."""
    return det_row(self)[0]


def _slogdet(A: Array) -> tuple[Array, ...]:
    """Sign and logarithm of the size of the determinant, and the LU factors they come from."""
    check_square(A, "linalg.slogdet")
    check_floating(A, "linalg.slogdet", half=False)
    compact, pivots, _ = _factors(A)
    diagonal = _diagonals(compact)
    size = np.abs(diagonal)
    turned = np.sign(diagonal) if A.dtype.kind != "c" else diagonal / np.where(size, size, 1)
    sign = np.prod(turned, -1) * _signs(pivots)
    return (
        np.asarray(sign, A.dtype),
        np.asarray(np.sum(np.log(size), -1)),
        compact,
        pivots,
    )


def _slogdet_vjp(grads: Any, A: Any, result0: Any, result2: Any, result3: Any) -> Any:
    of_sign, slope = grads[:2]
    if raw(A).dtype.kind == "c":
        if of_sign is not None:
            phase = imag_of(conj(of_sign) * result0) * -1j
            slope = phase if slope is None else slope + phase
        else:
            slope = slope + 0j
    if slope is None:
        return None
    d = _scaled_identity(slope, shape_of(A)[-1])
    if type(d) is Tensor:
        return solved_by(mh(A), d)
    return _from_factors(A, result2, result3, d)


slogdet_row: Row = row(
    "aten._linalg_slogdet",
    _slogdet,
    halves=False,
    A=_slogdet_vjp,
    constant_outputs=(2,),
    samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),), (r(0, 0),)],
)


@composite("linalg.slogdet", samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(2, 2, 2),)])
def linalg_slogdet(A: Value) -> Any:
    """The sign of the determinant and the logarithm of its size."""
    return return_type("linalg_slogdet", "sign logabsdet")(slogdet_row(A)[:2])


@composite("slogdet", samples=lambda r: [(r(3, 3),), (r(2, 2, 2),), (r.complex(2, 2),), (r(0, 0),)])
def slogdet(self: Value) -> Any:
    """The sign of the determinant and the log of its size."""
    return return_type("slogdet", "sign logabsdet")(slogdet_row(self)[:2])


@composite("logdet", samples=lambda r: [(r(3, 3) + 3 * np.eye(3),)])
def logdet(self: Value) -> Any:
    """The logarithm of the determinant; nan where that is negative."""
    check_square(self._array, "logdet")
    check_floating(self._array, "logdet", half=False)
    sign, logarithm, *_ = slogdet_row(self)
    if self.is_complex():
        return log(sign) + logarithm
    return where_(eq(sign, -1.0), float("nan"), logarithm)

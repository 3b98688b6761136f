"""A = L D L^T of symmetric or Hermitian matrices that need not be definite."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.kernels.lapack import by_columns, each, lapack
from gradcli.ops.linalg.matrices import (
    batch_shape,
    check_floating,
    check_kernel,
    check_square,
    check_system,
    refuse,
    spread,
    word,
)
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative, without_second_derivative
from gradcli.table.row import Row
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import wrap_dim
from gradcli.typing import Array, Value


def _ldl_factor(self: Array, hermitian: bool = False) -> tuple[Array, Array, Array]:
    """Compact LDL factors, pivots and LAPACK's code."""
    name = "torch.linalg.ldl_factor_ex"
    check_square(self, name)
    check_floating(self, name)
    check_kernel(self, "ldl_factor_kernel_cpu")
    if not self.size:
        return self.copy(), np.zeros(self.shape[:-1], np.int32), np.zeros(self.shape[:-2], np.int32)
    factorise = lapack("hetrf" if hermitian and self.dtype.kind == "c" else "sytrf", self)
    found, pivots, info = each(lambda a: factorise(a, lower=1), self)
    return by_columns(np.tril(found)), pivots.astype(np.int32), info.astype(np.int32)


ldl_factor_row: Row = row(
    "aten.linalg_ldl_factor_ex",
    _ldl_factor,
    halves=False,
    samples=lambda r: [
        (r.symmetric(3, 3),),
        (r.symmetric(2, 2, 2),),
        (r.definite(2, 2, hermitian=True), True),
    ],
    pytorch="aten.linalg_ldl_factor_ex(self, hermitian=hermitian)",
    **without_second_derivative("linalg_ldl_factor_ex"),
)


def _refuse_code(info: Array, function: str) -> None:
    # PyTorch has no words for this and reports itself as broken.
    broken = (
        'false INTERNAL ASSERT FAILED at "/__w/pytorch/pytorch/aten/src/ATen/native/'
        'BatchLinearAlgebra.cpp":1642, please report a bug to PyTorch. '
    )
    refuse(info, broken + function, lambda code: f"Unknown error code: {code}.", error=RuntimeError)


@composite(
    "linalg.ldl_factor_ex",
    samples=lambda r: [
        (r.symmetric(3, 3),),
        (r.symmetric(2, 2, 2), {"check_errors": True}),
        (r.definite(2, 2, hermitian=True), {"hermitian": True}),
    ],
)
def ldl_factor_ex(self: Value, *, hermitian: bool = False, check_errors: bool = False) -> Any:
    """Compact LDL factors, pivots and a code instead of an error."""
    found = ldl_factor_row(self, hermitian)
    if check_errors:
        _refuse_code(looked_at(found[2]), "torch.linalg.ldl_factor_ex")
    return return_type("linalg_ldl_factor_ex", "LD pivots info")(found)


@composite(
    "linalg.ldl_factor",
    samples=lambda r: [
        (r.symmetric(3, 3),),
        (r.symmetric(2, 2, 2),),
        (r.definite(2, 2, hermitian=True), {"hermitian": True}),
    ],
)
def ldl_factor(self: Value, *, hermitian: bool = False) -> Any:
    """Compact LDL factors of symmetric or Hermitian matrices, and pivots."""
    compact, pivots, info = ldl_factor_row(self, hermitian)
    _refuse_code(looked_at(info), "torch.linalg.ldl_factor")
    return return_type("linalg_ldl_factor", "LD pivots")((compact, pivots))


def _ldl_solve(LD: Array, pivots: Array, B: Array, *, hermitian: bool = False) -> Array:
    """X of A X = B from compact LDL factors."""
    name = "torch.linalg.ldl_solve"
    check_square(LD, name)
    check_floating(LD, name)
    wrap_dim(-2, B.ndim)
    check_system(B, LD, name)
    if pivots.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: Expected pivots to be integers. Got {word(pivots)}")
    if LD.shape[:-1] != pivots.shape:
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with "
            f"shape {list(pivots.shape)} instead"
        )
    check_kernel(LD, "ldl_solve_kernel_cpu")
    sizes = np.abs(pivots.astype(np.int64))
    for wrong, bound in ((sizes < 1, ">= 1"), (sizes > LD.shape[-2], "<= LD.size(-2)")):
        if wrong.any():
            raise RuntimeError(
                f"Pivots given to ldl_solve must all satisfy |pivot| {bound}. "
                "Did you properly pass the result of ldl_factor?"
            )
    lead = batch_shape(B, LD)
    compact, b = spread(LD, lead), spread(B, lead)
    if not b.size:
        return np.zeros(b.shape, b.dtype)
    solve = lapack("hetrs" if hermitian and LD.dtype.kind == "c" else "sytrs", LD)
    swaps = np.broadcast_to(pivots, (*lead, pivots.shape[-1])).astype(np.int32)
    found, _ = each(
        lambda ld, swap, sides: solve(ld, swap, sides, lower=1), compact, swaps, b, ranks=(2, 1, 2)
    )
    return by_columns(found)


ldl_solve: Row = row(
    "linalg.ldl_solve",
    _ldl_solve,
    halves=False,
    node=NOT_IMPLEMENTED,
    linear="B",
    joint=("LD B", no_derivative("linalg_ldl_solve")),
    samples=lambda r: [
        (r(3, 3), np.array([1, 2, 3], np.int32), r(3, 2)),
        (r(3, 3), np.array([2, 2, 3], np.int32), r(3, 1)),
        (
            r.definite(2, 2, hermitian=True),
            np.array([1, 2], np.int32),
            r.complex(2, 2),
            {"hermitian": True},
        ),
    ],
)

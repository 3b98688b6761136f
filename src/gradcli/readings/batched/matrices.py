"""Linear algebra: the dimensions before a matrix's own are batches anyway."""

from __future__ import annotations

from typing import Any, Final

from gradcli.ops.algebra.views import shape_of, squeeze_dim, unsqueeze
from gradcli.readings.batched.dimensions import filled
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor.tensor import Tensor

_VECTORS: Final = frozenset(("tau", "input2", "pivots", "LU_pivots"))
"""Operands that hold a vector, not a matrix, for each matrix of the first one."""


def _solve(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Right sides that are vectors are columns of one."""
    matrix, right = shape_of(args[0]), shape_of(args[1])
    if len(right) != 1 and not (len(right) == len(matrix) - 1 and right == matrix[:-1]):
        return native(level, row, args)
    column = unsqueeze(args[1], -1)
    found, *rest = row(args[0], column, *args[2:])
    return (squeeze_dim(found, -1), *rest)


def native(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Operands as they are; batches of a sample are given the same number of dimensions."""
    values = filled(row, args)
    parameters = row.signature.parameters
    places = [k for k, value in enumerate(values) if type(value) is Tensor]
    batches = []
    for place in places:
        core = 1 if parameters[place].name in _VECTORS and row.names[0] != "cholesky_solve" else 2
        batches.append(len(shape_of(values[place])) - core)
    if min(batches) < 0 or any(type(value) in (list, tuple) for value in values):
        return one_by_one(level, row, args)
    for place, count in zip(places, batches, strict=True):
        found = level.physical(values[place])
        for _ in range(max(batches) - count):
            found = level.out(unsqueeze, found, 1)
        values[place] = found
    return level.wrapped(level.out(row, *values))


RULES: Final[dict[str, Any]] = {
    "aten.linalg_solve_ex": _solve,
    "aten.linalg_lstsq": one_by_one,
}

"""Random operators: the same numbers for all samples, or different ones."""

from __future__ import annotations

from typing import Any, Final

from gradcli.ops.algebra.parts import select
from gradcli.readings.batched.dimensions import filled, lifted
from gradcli.readings.batched.level import RANDOM, Level
from gradcli.readings.batched.samples import SAME
from gradcli.table.row import Row
from gradcli.tensor.tensor import Tensor

_OF_VALUES: Final = ("normal", "poisson")
"""Rows whose numbers depend on the elements of their operands."""


def drawn(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """A row that draws an element for each of its operand's."""
    if level.randomness == "error":
        raise RuntimeError(RANDOM)
    values = filled(row, args)
    if level.randomness == "same":
        if not level.has(args):
            return level.draw(row, *args)
        tensors = [value for value in values if type(value) is Tensor]
        if row.names[0] in _OF_VALUES or len(tensors) > 1 or _of_itself(row):
            raise RuntimeError(SAME)
        one = [
            value if level.of(value) is None else level.out(select, level.physical(value), 0, 0)
            for value in values
        ]
        return level.draw(row, *one)
    return level.wrapped(level.draw(row, *lifted(level, values)))


def _of_itself(row: Row) -> bool:
    """Whether the operand holds probabilities."""
    return row.names[0] == "bernoulli" and "p" not in row.signature.index

"""A row called on values that remember their expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import Numbers, Operand
from gradcli.table.row import Row

Rule = Callable[["Call"], Expression]


class Call:
    """A row called on operands, and the value that it gave.

    `generic`: whether it belongs to a derivative, where what is only true at single points is
    false, and the gradient at a tie or where a power's exponent is zero is not told.
    """

    def __init__(
        self, row: Row, operands: Sequence[Any], value: Any, numbers: Numbers, generic: bool
    ) -> None:
        defaults = row.signature.defaults
        self.row = row
        self.operands = [*operands, *defaults[len(operands) :]]
        self.value = value
        self.numbers = numbers
        self.generic = generic
        self.shape: tuple[int, ...] = np.shape(value)

    def given(self, place: int) -> Expression:
        """The expression of an operand, which may have fewer dimensions than that."""
        operand = self.operands[place]
        return operand.expression if type(operand) is Operand else self.numbers.expression(operand)

    def whole(self, place: int) -> Expression:
        """The expression of an operand in its own shape."""
        return whole(self.operands[place], self.numbers)


def whole(operand: Any, numbers: Numbers) -> Expression:
    """The expression of an operand, broadcast where that is needed."""
    if type(operand) is not Operand:
        return numbers.expression(operand)
    if operand.expression.shape == operand.shape:
        return operand.expression
    return filled(operand.expression, operand.shape)


def filled(expression: Expression, shape: tuple[int, ...]) -> Expression:
    """An expression broadcast to a shape."""
    if expression.shape == shape:
        return expression
    return ex.times(expression, ex.call("ones", *shape, shape=shape))


def spelled(row: Row) -> str:
    """How a row is called in the language."""
    name = row.names[0]
    public = [other for other in row.names if not other.startswith(("aten.", "Tensor."))]
    name = min(public or [name], key=lambda other: other.count("."))
    for prefix in ("bare.", "nn.functional.", "aten.", "Tensor."):
        name = name.removeprefix(prefix)
    return f"torch.{name}" if name.startswith(("special.", "linalg.")) else name

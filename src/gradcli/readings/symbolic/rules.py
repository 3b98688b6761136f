"""What rows do to values that remember their expression.

An element by element row that has a public name is a call of it. One that has none, as the gradient
of the hyperbolic tangent, is written out: its own forward function is run on such values. Only what
has a shape of its own needs a rule, and what is a sum, a product or a power under another name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import Call, spelled
from gradcli.readings.symbolic.elementwise import ELEMENTWISE
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.losses import LOSSES
from gradcli.readings.symbolic.operands import NoFormula, Numbers, Operand, value_of
from gradcli.readings.symbolic.parts import PARTS
from gradcli.readings.symbolic.slopes import SLOPES
from gradcli.readings.symbolic.tensors import TENSORS
from gradcli.table.row import Row

_RULES: Final = {**ELEMENTWISE, **SLOPES, **TENSORS, **PARTS, **LOSSES}
"""By the first name of a row."""

_ELEMENTWISE: Final = frozenset(("aten.silu", "aten.mish"))


def apply(row: Row, operands: Sequence[Any], numbers: Numbers, generic: bool) -> Any:
    """What a row gives of operands, some of which remember their expression (see `Call`).

    Raises:
        NoFormula: that has no formula.
    """
    with np.errstate(all="ignore"):
        found = row(*map(value_of, operands))
    several = type(found) is tuple
    first = found[0] if several else found
    call = Call(row, operands, first, numbers, generic)
    name = row.names[0]
    rule = _RULES.get(name)
    if rule is not None:
        expression = rule(call)
    elif several:
        raise NoFormula(spelled(row))
    elif row.elementwise and not name.startswith("aten."):
        expression = _public(call)
    elif row.elementwise or name in _ELEMENTWISE:
        expression = _written_out(call)
    else:
        raise NoFormula(spelled(row))
    if np.asarray(first).dtype.kind not in "fbiu":
        raise NoFormula(f"{spelled(row)} with a result that is {np.asarray(first).dtype}")
    made = Operand(first, expression, numbers)
    if not several:
        return made
    # What else such rows give is what their own formulas need to be quick.
    return made, *[Operand(part, ex.symbol(UNNAMED), numbers) for part in found[1:]]


UNNAMED: Final = "?"
"""Stands for what no formula should be made of."""


def _public(call: Call) -> Expression:
    """A call of a public function, without arguments that are what they are anyway."""
    arguments: list[Any] = list(call.operands)
    defaults = call.row.signature.defaults
    least = sum(type(operand) is Operand for operand in arguments)
    while len(arguments) > max(least, 1) and _is_default(arguments[-1], defaults, len(arguments)):
        arguments.pop()
    if len(arguments) > len(call.row.signature.parameters):
        raise NoFormula(spelled(call.row))
    kept = [
        argument.expression
        if type(argument) is Operand
        else call.numbers.expression(argument)
        if type(argument) in (int, float)
        else argument
        for argument in arguments
    ]
    return ex.call(spelled(call.row), *kept)


def _is_default(argument: Any, defaults: Sequence[Any], place: int) -> bool:
    return type(argument) is not Operand and bool(argument == defaults[place - 1])


def _written_out(call: Call) -> Expression:
    """What the row's own forward function makes of values that remember their expression."""
    try:
        found = call.row.bare(*call.operands)
    except (TypeError, AttributeError, ValueError, NotImplementedError) as error:
        raise NoFormula(spelled(call.row)) from error
    if type(found) is not Operand:
        return call.numbers.expression(found)
    return found.expression

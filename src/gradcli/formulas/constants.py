"""What the numbers of a text stand for: an evaluation sees 0.3333333333333333 where it has 1/3."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from gradcli.language.allowed.operators import SYMBOLS
from gradcli.language.running.code import (
    ATTRIBUTE,
    BINARY,
    CALL,
    CONSTANT,
    GLOBAL,
    UNARY,
    Code,
)
from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import Numbers

_NAMED: Final = {"pi": (np.pi, ex.PI), "e": (np.e, ex.E), "inf": (np.inf, ex.INFINITY)}

_BINARY: Final[dict[str, Callable[[Expression, Expression], Expression]]] = {
    "+": ex.plus,
    "-": ex.minus,
    "*": ex.times,
    "/": ex.divided,
    "**": ex.power,
}

_FUNCTIONS: Final[dict[str, tuple[Callable[[Any], Any], Callable[[Expression], Expression]]]] = {
    "sqrt": (np.sqrt, ex.sqrt),
    "exp": (np.exp, ex.exp),
    **{
        name: (function, partial(ex.call, spelt))
        for name, spelt, function in (
            ("log", "log", np.log),
            ("ln", "log", np.log),
            ("log2", "log2", np.log2),
            ("log10", "log10", np.log10),
            ("sin", "sin", np.sin),
            ("cos", "cos", np.cos),
            ("tan", "tan", np.tan),
            ("tanh", "tanh", np.tanh),
        )
    },
}

_Item = tuple[Any, Expression] | str | None


def learn_constants(code: Code, numbers: Numbers) -> bool:
    """Notes what constant parts of a text are equal to; whether it has decimals."""
    decimals = False
    codes = [code]
    while codes:
        current = codes.pop()
        codes += current.inner
        decimals |= any(
            type(value) is float and not value.is_integer() for value in current.constants
        )
        _learn(current, numbers)
    return decimals


def _learn(code: Code, numbers: Numbers) -> None:
    """Runs the instructions on what is constant; None stands for everything else."""
    stack: list[_Item] = []
    stored = code.stores.keys()
    for operation, argument in code.instructions:
        found: _Item = None
        if operation == CONSTANT:
            value = code.constants[argument]
            if type(value) in (int, float):
                found = value, numbers.literal(value)
        elif (operation == GLOBAL and argument not in stored) or (
            operation == ATTRIBUTE and stack and stack.pop() in ("math", "torch")
        ):
            found = _NAMED.get(argument, argument)
        elif operation == UNARY and stack:
            operand = stack.pop()
            if argument is operator.neg and type(operand) is tuple:
                found = -operand[0], ex.negated(operand[1])
        elif operation == BINARY and len(stack) > 1:
            right, left = stack.pop(), stack.pop()
            found = _combined(argument, left, right)
        elif operation == CALL and argument == 1 and len(stack) > 1:
            operand, function = stack.pop(), stack.pop()
            if type(function) is str and function in _FUNCTIONS and type(operand) is tuple:
                numeric, symbolic = _FUNCTIONS[function]
                with np.errstate(all="ignore"):
                    found = float(numeric(float(operand[0]))), symbolic(operand[1])
        elif operation not in (CALL, ATTRIBUTE, GLOBAL, UNARY, BINARY):
            stack.clear()
            continue
        else:
            del stack[len(stack) - min(len(stack), (argument + 1) if operation == CALL else 1) :]
        if type(found) is tuple and type(found[0]) is float:
            numbers.learn(*found)
        stack.append(found)


def _combined(function: Any, left: _Item, right: _Item) -> _Item:
    symbolic = _BINARY.get(SYMBOLS.get(function, ""))
    if symbolic is None or type(left) is not tuple or type(right) is not tuple:
        return None
    try:
        value = function(left[0], right[0])
    except Exception:
        return None
    return (value, symbolic(left[1], right[1])) if type(value) in (int, float) else None

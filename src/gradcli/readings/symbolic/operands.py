"""Values that remember their expression: what rows and NumPy's functions are given."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.functions import denied


class NoFormula(NotImplementedError):
    """What was computed has no formula.

    Args:
        what: that is.
        reason: why, where that is not known from what it is.
    """

    def __init__(self, what: str, reason: str = "") -> None:
        super().__init__(f"{what} has no formula{f': {reason}' if reason else ''}")
        self.step = -1
        """The step of the trace that it belongs to."""


class Numbers:
    """What the numbers of an evaluation are: exact, or made of constants.

    An evaluation sees `0.3333333333333333`, where the text has `1/3`.
    """

    def __init__(self) -> None:
        self._known: list[tuple[float, Expression]] = []
        for value, expression in _CONSTANTS:
            self.learn(value, expression)

    def learn(self, value: float, expression: Expression) -> None:
        """Notes what a number stands for."""
        self._known.append((value, expression))

    def expression(self, value: Any) -> Expression:
        """What a number stands for that was computed; a long decimal may be a quotient."""
        if isinstance(value, np.generic):
            value = value.item()
        if type(value) is float and math.isfinite(value) and len(repr(value)) > _SHORT:
            near = Fraction(value).limit_denominator(_DENOMINATOR)
            if self._named(value) is None and abs(value - near) <= _CLOSE * abs(value):
                return ex.number(near)
        return self.literal(value)

    def literal(self, value: Any) -> Expression:
        """What a number stands for that is written so."""
        if type(value) in (int, bool):
            return ex.number(int(value))
        if type(value) is not float:
            raise NoFormula(f"a number of type {type(value).__name__}")
        if value != value:
            return ex.NAN
        if value in (np.inf, -np.inf):
            return ex.INFINITY if value > 0 else ex.negated(ex.INFINITY)
        if value.is_integer():
            return ex.number(int(value))
        return self._named(value) or ex.number(Fraction(repr(value)))

    def _named(self, value: float) -> Expression | None:
        """What it was learned that a number stands for."""
        for known, expression in reversed(self._known):
            if abs(value - known) <= _CLOSE * abs(known):
                return expression
            if abs(value + known) <= _CLOSE * abs(known):
                return ex.negated(expression)
        return None

    def shifted(self, value: Any) -> None:
        """Learns what a formula makes of an exponent: one less."""
        if type(value) is float and not value.is_integer():
            self.learn(value - 1, ex.minus(self.expression(value), ex.ONE))

    def logarithm(self, value: Any) -> None:
        """Learns what a formula makes of a base: its logarithm."""
        if type(value) in (int, float) and value > 0:
            self.learn(float(np.log(value)), ex.call("log", self.expression(value)))


_CLOSE: Final = 6e-16
_SHORT: Final = 15
_DENOMINATOR: Final = 10_000
"""The largest of a quotient that a long decimal is taken for."""

_SQRT_PI: Final = ex.sqrt(ex.PI)
_TWO_PI: Final = ex.times(ex.TWO, ex.PI)
_CONSTANTS: Final = (
    (np.pi, ex.PI),
    (np.e, ex.E),
    (np.log(2.0), ex.call("log", ex.TWO)),
    (np.log(10.0), ex.call("log", ex.number(10))),
    (2 / np.sqrt(np.pi), ex.divided(ex.TWO, _SQRT_PI)),
    (np.sqrt(np.pi) / 2, ex.divided(_SQRT_PI, ex.TWO)),
    (np.sqrt(2.0), ex.sqrt(ex.TWO)),
    (np.sqrt(0.5), ex.power(ex.TWO, ex.number(Fraction(-1, 2)))),
    (np.sqrt(2 / np.pi), ex.sqrt(ex.divided(ex.TWO, ex.PI))),
    (1 / np.sqrt(2 * np.pi), ex.power(_TWO_PI, ex.number(Fraction(-1, 2)))),
    (np.sqrt(2 * np.pi), ex.sqrt(_TWO_PI)),
    (np.pi / 180, ex.scaled(ex.PI, Fraction(1, 180))),
    (180 / np.pi, ex.divided(ex.number(180), ex.PI)),
    (2 * np.pi, _TWO_PI),
    (np.pi / 2, ex.scaled(ex.PI, Fraction(1, 2))),
)
"""Numbers of the rows' own formulas."""

Function = Callable[..., Expression]


def _square(argument: Expression) -> Expression:
    return ex.power(argument, ex.TWO)


_UFUNCS: Final[dict[str, Function]] = {
    "add": ex.plus,
    "subtract": ex.minus,
    "multiply": ex.times,
    "divide": ex.divided,
    "true_divide": ex.divided,
    "power": ex.power,
    "negative": ex.negated,
    "positive": lambda argument: argument,
    "conjugate": lambda argument: argument,
    "exp": ex.exp,
    "sqrt": ex.sqrt,
    "square": _square,
    "reciprocal": lambda argument: ex.power(argument, ex.MINUS_ONE),
    "absolute": lambda argument: ex.call("abs", argument),
    "arcsin": lambda argument: ex.call("asin", argument),
    "arccos": lambda argument: ex.call("acos", argument),
    "arctan": lambda argument: ex.call("atan", argument),
    "greater": lambda a, b: ex.call("gt", a, b),
    "greater_equal": lambda a, b: ex.call("ge", a, b),
    "less": lambda a, b: ex.call("lt", a, b),
    "less_equal": lambda a, b: ex.call("le", a, b),
    "equal": lambda a, b: ex.call("eq", a, b),
    "bitwise_or": lambda a, b: ex.call("logical_or", a, b),
    "bitwise_and": lambda a, b: ex.call("logical_and", a, b),
    "invert": lambda a: denied(a),
    "not_equal": lambda a, b: ex.call("ne", a, b),
    **{
        name: (lambda *arguments, name=name: ex.call(name, *arguments))
        for name in [
            "log",
            "log1p",
            "log2",
            "log10",
            "expm1",
            "exp2",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "maximum",
            "minimum",
            "sign",
            "hypot",
            "logical_and",
            "logical_or",
            "logical_not",
        ]
    },
}
"""What NumPy's functions do to expressions."""


class Operand(NDArrayOperatorsMixin):
    """An array or number, and the expression that gives it.

    Its expression may have fewer dimensions: one that is broadcast says nothing of that.
    """

    __slots__ = ("expression", "numbers", "value")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any, expression: Expression, numbers: Numbers) -> None:
        self.value = value
        self.expression = expression
        self.numbers = numbers

    def made(self, value: Any, expression: Expression) -> Operand:
        """An operand of the same evaluation."""
        return Operand(value, expression, self.numbers)

    @property
    def dtype(self) -> np.dtype[Any]:
        found: np.dtype[Any] = np.asarray(self.value).dtype
        return found

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)

    @property
    def ndim(self) -> int:
        return np.ndim(self.value)

    @property
    def size(self) -> int:
        return int(np.size(self.value))

    def astype(self, dtype: Any, **_: Any) -> Operand:
        """The same number in another type."""
        return self.made(np.asarray(self.value).astype(dtype)[()], self.expression)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        function = _UFUNCS.get(ufunc.__name__)
        if method != "__call__" or function is None:
            raise NoFormula(ufunc.__name__)
        options.pop("out", None)
        with np.errstate(all="ignore"):
            value = ufunc(*map(value_of, inputs), **options)
        return self.made(value, function(*[self._expression(item) for item in inputs]))

    def __array_function__(self, function: Any, _: Any, inputs: Any, options: Any) -> Any:
        if function is np.where and len(inputs) == 3:
            value = np.where(*map(value_of, inputs))
            return self.made(value, chosen(*[self._expression(item) for item in inputs]))
        if function in (np.zeros_like, np.ones_like):
            like = function(inputs[0].value)
            return self.made(like, ex.ZERO if function is np.zeros_like else ex.ONE)
        if function is np.result_type:
            return np.result_type(*map(value_of, inputs))
        if function is np.ndim or function is np.shape or function is np.size:
            return function(inputs[0].value)
        raise NoFormula(function.__name__)

    def _expression(self, item: Any) -> Expression:
        return item.expression if type(item) is Operand else self.numbers.expression(item)


def value_of(operand: Any) -> Any:
    """An operand as rows know it: arrays, numbers and lists of them."""
    if type(operand) is Operand:
        return operand.value
    if type(operand) in (list, tuple):
        return type(operand)([value_of(item) for item in operand])
    return operand


def chosen(condition: Expression, yes: Expression, no: Expression) -> Expression:
    """One of two expressions, as `where` has them."""
    if yes is no or condition.kind == ex.NUMBER:
        return ex.call("where", condition, yes, no)
    if ex.NAN in (yes, no):
        # As with a logarithm: outside its domain nobody asks.
        return no if yes is ex.NAN else yes
    if condition.kind == ex.CALL and condition.name == "where":
        return ex.call("where", condition, yes, no)
    for small, large in (("minimum", ("le", "lt")), ("maximum", ("ge", "gt"))):
        if condition.name in large:
            yes = ex.substituted(yes, {ex.call(small, *condition.parts): condition.parts[0]})
    if no is ex.ZERO and yes is not ex.ONE and yes.is_total:
        return ex.times(ex.call("where", condition, ex.ONE, ex.ZERO), yes)
    if yes is ex.ZERO:
        return chosen(denied(condition), no, yes)
    return ex.call("where", condition, yes, no)

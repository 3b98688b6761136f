"""What formulas are made of: numbers, symbols, sums, products, calls, each of which there is once.

Nothing here recurses, however deep an expression is, since its parts are always made before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import count
from typing import Any, Final
from weakref import WeakValueDictionary

from gradcli.tensor.clock import clock
from gradcli.tensor.shapes import common_shape

NUMBER: Final = "number"
SYMBOL: Final = "symbol"
CONSTANT: Final = "constant"
SUM: Final = "sum"
PRODUCT: Final = "product"
CALL: Final = "call"

SHAPED: Final = Fraction(0)
"""The value of a call whose shape is not that of its arguments."""

Shape = tuple[int, ...]

_serials = count()
_known: Final[WeakValueDictionary[Any, Expression]] = WeakValueDictionary()


class Expression:
    """A formula.

    Attributes:
        kind: NUMBER, SYMBOL, CONSTANT, SUM, PRODUCT or CALL.
        value: of a number; of a product, its factor; of a call, SHAPED if it has a shape of its
            own.
        name: of a symbol, a constant or a call.
        parts: of a sum, (term, factor) pairs, the terms without factors; of a product, (base,
            exponent) pairs; of a call its arguments: expressions, and whatever else rows take.
        shape: that it has by itself, before anything broadcasts it.
        is_constant: whether it is made of numbers alone, as `sqrt(2*pi)` is.
        is_total: whether it is finite everywhere, so that it may be multiplied by zero.
        sign: 1 where it is known to be positive, 0 where it is known not to be negative, else None.
        serial: parts have smaller ones.
    """

    __slots__ = (
        "__weakref__",
        "is_constant",
        "is_total",
        "kind",
        "name",
        "parts",
        "serial",
        "shape",
        "sign",
        "value",
    )

    def __init__(
        self, kind: str, value: Fraction, name: str, parts: tuple[Any, ...], shape: Shape
    ) -> None:
        self.kind = kind
        self.value = value
        self.name = name
        self.parts = parts
        self.shape = shape
        children = self.children()
        self.is_constant: bool = kind != SYMBOL and all(part.is_constant for part in children)
        self.is_total: bool = all(part.is_total for part in children) and _is_total(
            kind, name, parts
        )
        self.sign = _sign(kind, value, name, parts)
        self.serial = next(_serials)

    def children(self) -> Sequence[Expression]:
        """The expressions that it is made of."""
        if self.kind == SUM:
            return [term for term, _ in self.parts]
        if self.kind == PRODUCT:
            return [side for pair in self.parts for side in pair]
        return [part for part in flat(self.parts) if type(part) is Expression]

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name or self.value} {self.parts!r}>"


_TOTAL: Final = frozenset(
    (
        "sin",
        "cos",
        "tanh",
        "sinh",
        "cosh",
        "atan",
        "asinh",
        "erf",
        "erfc",
        "abs",
        "sign",
        "relu",
        "sigmoid",
        "softplus",
        "where",
        "gt",
        "ge",
        "lt",
        "le",
        "eq",
        "ne",
        "logical_and",
        "logical_or",
        "logical_not",
        "minimum",
        "maximum",
    )
)
"""Functions that are finite everywhere."""

_POSITIVE: Final = frozenset(("cosh", "sigmoid", "softplus", "erfc"))
_NOT_NEGATIVE: Final = frozenset(("abs", "relu", "acosh", "hypot", "norm"))


def _sign(kind: str, value: Fraction, name: str, parts: tuple[Any, ...]) -> int | None:
    """What is known of the sign of an expression, see there."""
    if kind == CONSTANT:
        return 1
    if kind == CALL:
        return 1 if name in _POSITIVE else 0 if name in _NOT_NEGATIVE else None
    if kind == NUMBER:
        return None if value < 0 else int(value > 0)
    if kind == SUM:
        signs = [None if factor < 0 else term.sign for term, factor in parts]
        return None if None in signs else int(1 in signs)
    if kind == PRODUCT and value > 0:
        signs = [power_sign(base, exponent) for base, exponent in parts]
        return None if None in signs else int(0 not in signs)
    return None


def _is_total(kind: str, name: str, parts: tuple[Any, ...]) -> bool:
    """Whether an expression whose parts are finite is so, too."""
    if kind == CALL:
        return name in _TOTAL
    return kind != PRODUCT or all(
        base.sign == 1
        or (exponent.kind == NUMBER and exponent.value.denominator == 1 and exponent.value > 0)
        for base, exponent in parts
    )


def power_sign(base: Expression, exponent: Expression) -> int | None:
    """What is known of the sign of a power."""
    if base.sign == 1:
        return 1
    if exponent.kind != NUMBER:
        return None
    value = exponent.value
    if value.denominator % 2 == 0 or (value.denominator == 1 and value.numerator % 2 == 0):
        return 1 if value < 0 else 0
    return None if base.sign is None else 1 if value < 0 else 0


CONDITIONS: Final = frozenset(
    ("gt", "ge", "lt", "le", "eq", "ne", "logical_and", "logical_or", "logical_not", "isnan")
)
"""Functions whose values are true or false."""


def is_indicator(expression: Expression) -> bool:
    """Whether an expression is one where a condition holds, else zero."""
    return (
        expression.kind == CALL
        and expression.name == "where"
        and expression.parts[1:] == (ONE, ZERO)
    )


def condition_of(expression: Expression) -> Expression | None:
    """The condition where an expression is one, if it is else zero."""
    if expression.kind == CALL and expression.name in CONDITIONS:
        return expression
    found: Expression | None = expression.parts[0] if is_indicator(expression) else None
    return found


def flat(parts: Sequence[Any]) -> Iterable[Any]:
    """Arguments, with the items of lists among them."""
    for part in parts:
        if type(part) in (tuple, list):
            yield from flat(part)
        else:
            yield part


def made(
    kind: str,
    value: Fraction = Fraction(1),
    name: str = "",
    parts: tuple[Any, ...] = (),
    shape: Shape = (),
) -> Expression:
    key = (kind, value, name, parts, shape)
    found = _known.get(key)
    if found is None:
        if clock.deadline is not None:
            clock.check()
        found = _known[key] = Expression(*key)
    return found


def number(value: Fraction | int) -> Expression:
    """An exact number."""
    return made(NUMBER, Fraction(value))


def symbol(name: str, shape: Shape = ()) -> Expression:
    """A variable."""
    return made(SYMBOL, name=name, shape=shape)


ZERO: Final = number(0)
ONE: Final = number(1)
TWO: Final = number(2)
HALF: Final = number(Fraction(1, 2))
MINUS_ONE: Final = number(-1)
PI: Final = made(CONSTANT, name="pi")
E: Final = made(CONSTANT, name="e")
INFINITY: Final = made(CONSTANT, name="inf")
NAN: Final = made(CONSTANT, name="nan")


def broadcast(parts: Sequence[Expression]) -> Shape:
    shapes = {part.shape for part in parts if part.shape}
    if len(shapes) < 2:
        return shapes.pop() if shapes else ()
    return tuple(common_shape([*shapes]))


def symbol_in(root: Expression, name: str) -> bool:
    """Whether an expression depends on a variable."""
    return any(part.kind == SYMBOL and part.name == name for part in reachable(root))


def reachable(*roots: Expression) -> list[Expression]:
    """All expressions that some are made of, each after its parts."""
    seen = set(roots)
    todo = list(seen)
    while todo:
        for child in todo.pop().children():
            if child not in seen:
                seen.add(child)
                todo.append(child)
    return sorted(seen, key=lambda expression: expression.serial)

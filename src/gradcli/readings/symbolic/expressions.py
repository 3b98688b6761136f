"""Formulas in a canonical form: equal ones are the same object.

What every textbook does without thinking is done where they are made: constants are folded with
exact rationals, zeros and ones are gone, like terms and powers gathered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, Final

from gradcli.readings.symbolic.nodes import (
    CALL,
    CONDITIONS,
    CONSTANT,
    HALF,
    INFINITY,
    MINUS_ONE,
    NAN,
    NUMBER,
    ONE,
    PI,
    PRODUCT,
    SHAPED,
    SUM,
    SYMBOL,
    TWO,
    ZERO,
    E,
    Expression,
    Shape,
    broadcast,
    condition_of,
    flat,
    is_indicator,
    made,
    number,
    power_sign,
    reachable,
    symbol,
    symbol_in,
)

__all__ = [
    "CALL",
    "CONDITIONS",
    "CONSTANT",
    "HALF",
    "INFINITY",
    "MINUS_ONE",
    "NAN",
    "NORMAL",
    "NUMBER",
    "ONE",
    "PI",
    "PRODUCT",
    "SHAPED",
    "SUM",
    "SYMBOL",
    "TWO",
    "ZERO",
    "E",
    "Expression",
    "Shape",
    "add",
    "broadcast",
    "call",
    "condition_of",
    "content",
    "divided",
    "exp",
    "factored",
    "factors_of",
    "flat",
    "is_indicator",
    "is_negative",
    "made",
    "minus",
    "multiply",
    "negated",
    "number",
    "plus",
    "power",
    "power_sign",
    "reachable",
    "rebuilt",
    "scaled",
    "sqrt",
    "substituted",
    "symbol",
    "symbol_in",
    "terms_of",
    "times",
]

_TRIED: Final = 50
"""Factors below that are taken out of roots."""

_LARGEST: Final = 4096
"""The most bits of a number that is worked out exactly."""


def call(name: str, *arguments: Any, shape: Shape | None = None) -> Expression:
    """A function of arguments, in a normal form; of elements unless it has a shape of its own."""
    arguments = _frozen(arguments)
    if shape is None:
        shape = broadcast([part for part in flat(arguments) if type(part) is Expression])
        normal = NORMAL.get(name)
        if normal is not None:
            found = normal(name, arguments)
            if found is not None:
                return found
        return made(CALL, name=name, parts=arguments, shape=shape)
    return made(CALL, SHAPED, name, arguments, shape)


def _frozen(parts: Any) -> Any:
    if type(parts) in (tuple, list):
        return tuple([_frozen(part) for part in parts])
    return parts


NORMAL: Final[dict[str, Callable[[str, tuple[Any, ...]], Expression | None]]] = {}
"""What makes the normal form of a function of a name, or None where that is a call of it; see
`gradcli.readings.symbolic.functions`."""


def rebuilt(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """An expression with other parts."""
    if expression.kind == SUM:
        return add([(change(term), factor) for term, factor in expression.parts])
    if expression.kind == PRODUCT:
        pairs = [(change(base), change(exponent)) for base, exponent in expression.parts]
        return multiply(pairs, expression.value)
    if expression.kind != CALL:
        return expression
    parts = _changed(expression.parts, change)
    shape = expression.shape if expression.value == SHAPED else None
    return call(expression.name, *parts, shape=shape)


def _changed(parts: Any, change: Callable[[Expression], Expression]) -> Any:
    if type(parts) in (tuple, list):
        return type(parts)([_changed(part, change) for part in parts])
    return change(parts) if type(parts) is Expression else parts


def substituted(root: Expression, replaced: dict[Expression, Expression]) -> Expression:
    """An expression with others in the place of some of its parts."""
    found: dict[Expression, Expression] = {}
    for part in reachable(root):
        found[part] = replaced[part] if part in replaced else rebuilt(part, found.__getitem__)
    return found[root]


# Sums


def factored(expression: Expression) -> tuple[Expression, Fraction]:
    """An expression as a term without a factor, and that factor."""
    if expression.kind == NUMBER:
        return ONE, expression.value
    if expression.kind == PRODUCT and expression.value != 1:
        return _product(expression.parts, Fraction(1), expression.shape), expression.value
    return expression, Fraction(1)


def terms_of(expression: Expression) -> Sequence[tuple[Expression, Fraction]]:
    """What an expression is the sum of."""
    if expression.kind == SUM:
        return expression.parts
    return [factored(expression)]


def add(terms: Iterable[tuple[Expression, Fraction]]) -> Expression:
    """A sum of expressions times factors."""
    gathered: dict[Expression, Fraction] = {}
    for expression, factor in terms:
        for term, own in terms_of(expression):
            gathered[term] = gathered.get(term, Fraction(0)) + own * factor
    parts = [(term, factor) for term, factor in gathered.items() if factor]
    if not parts:
        return ZERO
    if len(parts) == 1:
        return scaled(*parts[0])
    parts.sort(key=lambda part: part[0].serial)
    return made(SUM, parts=tuple(parts), shape=broadcast([term for term, _ in parts]))


def plus(*terms: Expression) -> Expression:
    """The sum of expressions."""
    return add([(term, Fraction(1)) for term in terms])


def minus(left: Expression, right: Expression) -> Expression:
    """The difference of two expressions."""
    return add([(left, Fraction(1)), (right, Fraction(-1))])


def scaled(expression: Expression, factor: Fraction) -> Expression:
    """An expression times a number."""
    if factor == 1:
        return expression
    if not factor:
        return ZERO
    if expression.kind == NUMBER:
        return number(expression.value * factor)
    if expression.kind == SUM:
        return add([(expression, factor)])
    if expression.kind == PRODUCT:
        return _product(expression.parts, expression.value * factor, expression.shape)
    return _product(((expression, ONE),), factor, expression.shape)


def negated(expression: Expression) -> Expression:
    """Minus an expression."""
    return scaled(expression, Fraction(-1))


def content(expression: Expression) -> Fraction:
    """What all terms of a sum have in common as a factor: 2 of 2*x + 4, -1 of -x - 1.

    Halves are none of x**2 + 1/2. Of x - y and y - x the one that was there first has the sign.
    """
    factors = [factor for _, factor in expression.parts]
    found = Fraction(
        math.gcd(*[factor.numerator for factor in factors]),
        math.gcd(*[factor.denominator for factor in factors]),
    )
    negative = sum(factor < 0 for factor in factors)
    if 2 * negative == len(factors):
        whole = add([(expression, 1 / found)])
        if add([(whole, Fraction(-1))]).serial < whole.serial:
            found = -found
    return -found if 2 * negative > len(factors) else found


def is_negative(expression: Expression) -> bool:
    """Whether an expression is written with a sign before it."""
    return all(factor < 0 for _, factor in terms_of(expression))


# Products


def factors_of(expression: Expression) -> tuple[Fraction, Sequence[tuple[Expression, Expression]]]:
    """A number, and the powers that an expression is the product of beside it."""
    if expression.kind == NUMBER:
        return expression.value, ()
    if expression.kind == PRODUCT:
        return expression.value, expression.parts
    return Fraction(1), ((expression, ONE),)


def times(*factors: Expression) -> Expression:
    """The product of expressions."""
    return multiply([(factor, ONE) for factor in factors])


def divided(left: Expression, right: Expression) -> Expression:
    """The quotient of two expressions."""
    return multiply([(left, ONE), (right, MINUS_ONE)])


def power(base: Expression, exponent: Expression) -> Expression:
    """An expression to the power of another."""
    return multiply([(base, exponent)])


def multiply(
    pairs: Iterable[tuple[Expression, Expression]], factor: Fraction = Fraction(1)
) -> Expression:
    """A product of powers, times a number."""
    gathered: dict[Expression, Expression] = {}
    todo = list(pairs)[::-1]
    shape = broadcast([side for pair in todo for side in pair])
    while todo:
        base, exponent = todo.pop()
        if base in gathered:
            exponent = plus(gathered.pop(base), exponent)
            todo.append((base, exponent))
            continue
        if exponent is ZERO or base is ONE:
            continue
        split = _split(base, exponent)
        if split is None:
            gathered[base] = exponent
            continue
        own, inner = split
        factor *= own
        todo += inner
        if not factor:
            return ZERO
    factor = _join_roots(gathered, factor)
    _tangents(gathered)
    _signs(gathered)
    if not gathered:
        return number(factor)
    parts = sorted(gathered.items(), key=lambda part: part[0].serial)
    if len(parts) == 1 and parts[0][1] is ONE:
        return scaled(parts[0][0], factor)
    return _product(tuple(parts), factor, shape)


def _product(parts: tuple[Any, ...], factor: Fraction, shape: Shape) -> Expression:
    if len(parts) == 1 and parts[0][1] is ONE and factor == 1:
        found: Expression = parts[0][0]
        return found
    return made(PRODUCT, factor, parts=parts, shape=shape)


Split = tuple[Fraction, list[tuple[Expression, Expression]]]


def _split(base: Expression, exponent: Expression) -> Split | None:
    """A power as a number times other powers; None where it stays as it is."""
    whole = (
        exponent.kind == NUMBER
        and exponent.value.denominator == 1
        and abs(exponent.value) < _LARGEST
    )
    if base.kind == NUMBER:
        return _power_of_number(base.value, exponent) if exponent.kind == NUMBER else None
    if base.kind == PRODUCT:
        return _power_of_product(base, exponent, whole)
    if base.kind == SUM and whole:
        common = content(base)
        if common != 1:
            return common ** int(exponent.value), [(scaled(base, 1 / common), exponent)]
    if base is E:
        return _exponential(exponent)
    if whole and exponent.value > 1 and condition_of(base) is not None:
        return Fraction(1), [(base, ONE)]
    if base.kind == CALL and whole and exponent.value % 2 == 0 and base.name in ("abs", "sign"):
        if base.name == "abs":
            return Fraction(1), [(base.parts[0], exponent)]
        return Fraction(1), []
    return None


def _power_of_product(base: Expression, exponent: Expression, whole: bool) -> Split | None:
    if whole:
        bits = base.value.numerator.bit_length() + base.value.denominator.bit_length()
        if bits * abs(exponent.value) > 2 * _LARGEST:
            return None
        number_power = base.value ** int(exponent.value)
        return number_power, [(inner, times(power, exponent)) for inner, power in base.parts]
    if len(base.parts) == 1 and base.value == 1:
        inner, first = base.parts[0]
        if inner is E:
            return Fraction(1), [(E, times(first, exponent))]
        if first.kind == NUMBER and exponent.kind == NUMBER:
            if first.value.denominator % 2 == 0:
                return Fraction(1), [(inner, number(first.value * exponent.value))]
            if first.value.numerator % 2 == 0 and first.value.denominator == 1:
                return Fraction(1), [(call("abs", inner), number(first.value * exponent.value))]
        return None
    if base.value > 0 and base.is_constant:
        pairs = [(inner, times(power, exponent)) for inner, power in base.parts]
        return Fraction(1), [(number(base.value), exponent), *pairs]
    return None


def _exponential(exponent: Expression) -> Split | None:
    """e to a power that holds logarithms."""
    kept, split = [], []
    for term, factor in terms_of(exponent):
        logs = [pair for pair in factors_of(term)[1] if _is_log(pair)]
        if len(logs) == 1:
            rest = divided(term, logs[0][0])
            split.append((logs[0][0].parts[0], scaled(rest, factor)))
        else:
            kept.append((term, factor))
    if not split:
        return None
    return Fraction(1), [(E, add(kept)), *split]


def _is_log(pair: tuple[Expression, Expression]) -> bool:
    base, exponent = pair
    return base.kind == CALL and base.name == "log" and exponent is ONE


def _power_of_number(base: Fraction, exponent: Expression) -> Split | None:
    value = exponent.value
    if not base:
        return (Fraction(0), []) if value > 0 else None
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if value.denominator == 1:
        if bits * abs(value) > _LARGEST:
            return None
        return base ** int(value), []
    if base < 0 or value.denominator > 64 or bits * abs(value) > _LARGEST:
        return None
    if base.denominator != 1:
        pair = number(base.numerator), exponent
        return Fraction(1), [pair, (number(base.denominator), number(-value))]
    root = _root(base.numerator, value.denominator)
    if root is not None:
        return Fraction(root) ** value.numerator, []
    outside, inside = _taken_out(base.numerator, value.denominator)
    if outside != 1:
        return Fraction(outside) ** value.numerator, [(number(inside), exponent)]
    rest = value - math.floor(value)
    if math.floor(value) and value > 0:
        return base ** math.floor(value), [(number(base), number(rest))]
    if value < -1:
        return base ** (math.floor(value) + 1), [(number(base), number(rest - 1))]
    return None


def _root(value: int, degree: int) -> int | None:
    """The whole number whose power is a value."""
    if value.bit_length() > 1000:
        return None
    guess = round(value ** (1 / degree))
    return guess if guess**degree == value else None


def _taken_out(value: int, degree: int) -> tuple[int, int]:
    """A number as one to the power of a degree, of small factors, times another."""
    outside = 1
    for factor in range(2, _TRIED):
        while factor**degree <= value and value % factor**degree == 0:
            outside *= factor
            value //= factor**degree
    return outside, value


def _join_roots(gathered: dict[Expression, Expression], factor: Fraction) -> Fraction:
    """Takes from a factor what a root in the product holds: 2/sqrt(2) is sqrt(2)."""
    for base in [base for base in gathered if base.kind == NUMBER]:
        exponent = gathered[base]
        if exponent.kind != NUMBER or base.value.denominator != 1 or not base.value:
            continue
        if exponent.value < 0 and factor.numerator % base.value.numerator == 0:
            factor /= base.value
            gathered[base] = number(exponent.value + 1)
        elif exponent.value > 0 and factor.denominator % base.value.numerator == 0:
            factor *= base.value
            gathered[base] = number(exponent.value - 1)
    return factor


_RATIOS: Final = (("sin", "cos", "tan"), ("sinh", "cosh", "tanh"))


def _signs(gathered: dict[Expression, Expression]) -> None:
    """Writes u/abs(u) as sign(u), abs(u)*sign(u) as u and u**2*sign(u) as u*abs(u)."""
    calls = [base for base in gathered if base.kind == CALL and base.name in ("abs", "sign")]
    for inner in dict.fromkeys([base.parts[0] for base in calls]):
        absolute, sign = call("abs", inner), call("sign", inner)
        powers = [gathered.get(base, ZERO) for base in (inner, absolute, sign)]
        if not all(power.kind == NUMBER and power.value.denominator == 1 for power in powers):
            continue
        own, size, signs = (int(power.value) for power in powers)
        if size % 2 and (signs == 1 or own * size < 0):
            own, size, signs = own + size, 0, 1 - signs
        if own > 0 and not size and signs == 1:
            own, size, signs = own - 1, 1, 0
        for base, exponent in ((inner, own), (absolute, size), (sign, signs)):
            gathered.pop(base, None)
            if exponent:
                gathered[base] = number(exponent)


def _tangents(gathered: dict[Expression, Expression]) -> None:
    """Writes sines over cosines as tangents."""
    for over, under, ratio in _RATIOS:
        for base in [base for base in gathered if base.kind == CALL and base.name == over]:
            other = call(under, *base.parts)
            up, down = gathered.get(base), gathered.get(other)
            if up is None or down is None or up.kind != NUMBER or down.kind != NUMBER:
                continue
            if up.value * down.value >= 0 or up.value.denominator != down.value.denominator:
                continue
            both = min(abs(up.value), abs(down.value)) * (1 if up.value > 0 else -1)
            tangent = call(ratio, *base.parts)
            for part, change in ((base, -both), (other, both), (tangent, both)):
                exponent = plus(gathered.pop(part, ZERO), number(change))
                if exponent is not ZERO:
                    gathered[part] = exponent


def exp(argument: Expression) -> Expression:
    """The exponential function."""
    return power(E, argument)


def sqrt(argument: Expression) -> Expression:
    """The square root."""
    return power(argument, HALF)

"""The normal forms of functions: signs come out of odd ones, and known values are numbers."""

from __future__ import annotations

from typing import Any, Final

from gradcli.readings.symbolic.expressions import (
    CALL,
    NORMAL,
    NUMBER,
    ONE,
    PRODUCT,
    SUM,
    ZERO,
    E,
    Expression,
    call,
    content,
    factors_of,
    is_negative,
    multiply,
    negated,
    number,
    power_sign,
    scaled,
    times,
)

_ODD: Final = frozenset(
    [
        "sin",
        "tan",
        "sinh",
        "tanh",
        "asin",
        "atan",
        "asinh",
        "atanh",
        "erf",
        "erfinv",
        "sign",
        "sgn",
        "cbrt",
        "deg2rad",
        "rad2deg",
    ]
)
_EVEN: Final = frozenset(["cos", "cosh", "abs", "sinc"])


def _parity(name: str, arguments: tuple[Any, ...]) -> Expression | None:
    """An even or odd function of what has a sign, or of zero."""
    argument: Expression = arguments[0]
    if argument is ZERO and name in _ODD:
        return ZERO
    if name in ("abs", "sign") and argument.kind in (NUMBER, PRODUCT, SUM, CALL):
        found = _by_sign(name, argument)
        if found is not None:
            return found
    if not is_negative(argument) or argument is ZERO:
        return None
    inner = call(name, negated(argument))
    return negated(inner) if name in _ODD else inner


def _by_sign(name: str, argument: Expression) -> Expression | None:
    """The absolute value or the sign of a product, without the factors whose sign is known."""
    if argument.kind == CALL and name == "sign" and argument.name in _SIGNED_AS_ARGUMENT:
        return call(name, *argument.parts)
    if argument.sign is not None:
        if name == "abs":
            return argument
        if argument.sign == 1:
            return ONE
    factor, pairs = factors_of(argument)
    known = [pair for pair in pairs if power_sign(*pair) == 1]
    if factor in (1, -1) and not known:
        return None
    rest = [pair for pair in pairs if pair not in known]
    inner = call(name, multiply(rest))
    if name == "abs":
        return times(number(abs(factor)), multiply(known), inner)
    return negated(inner) if factor < 0 else inner


_SIGNED_AS_ARGUMENT: Final = _ODD - {"sin", "tan", "sgn"} | {"expm1", "log1p"}
"""Functions that grow through zero."""


def _rectified(_: str, arguments: tuple[Any, ...]) -> Expression | None:
    return arguments[0] if arguments[0].sign is not None else None


def _logarithm(_: str, arguments: tuple[Any, ...]) -> Expression | None:
    (argument,) = arguments
    if argument is ONE:
        return ZERO
    if argument is E:
        return ONE
    if argument.kind == PRODUCT and argument.value == 1 and len(argument.parts) == 1:
        base, exponent = argument.parts[0]
        if base is E:
            found: Expression = exponent
            return found
    return None


def _exp_minus_one(_: str, arguments: tuple[Any, ...]) -> Expression | None:
    return ZERO if arguments[0] is ZERO else None


def _compared(name: str, arguments: tuple[Any, ...]) -> Expression | None:
    """A comparison of what has a known sign with zero, and without a factor."""
    left, right = arguments
    if left is right:
        return ONE if name in ("ge", "le", "eq") else ZERO
    if right is not ZERO or name not in ("gt", "ge", "lt", "le"):
        return None
    if left.kind == CALL and left.name == "relu" and name == "gt":
        return call(name, left.parts[0], ZERO)
    if name in ("gt", "ge") and left.sign is not None:
        # Where it is zero is no more than a point.
        return ONE
    common = content(left) if left.kind == SUM else left.value if left.kind == PRODUCT else None
    if common is not None and abs(common) != 1:
        return call(name, scaled(left, 1 / abs(common)), ZERO)
    return None


def _product_with_log(_: str, arguments: tuple[Any, ...]) -> Expression | None:
    return call("log", arguments[1]) if arguments[0] is ONE else None


def _chosen(_: str, arguments: tuple[Any, ...]) -> Expression | None:
    """One of two whose condition is known."""
    condition, yes, no = arguments
    if condition.kind == NUMBER or yes is no:
        return yes if condition is not ZERO else no  # type: ignore[no-any-return]
    return None


def _joined(name: str, arguments: tuple[Any, ...]) -> Expression | None:
    """Two conditions of which one is known."""
    decisive = ZERO if name == "logical_and" else ONE
    if decisive in arguments:
        return decisive
    left, right = arguments
    if left.kind == NUMBER or left is right:
        return right  # type: ignore[no-any-return]
    return left if right.kind == NUMBER else None


def _is_nan(_: str, arguments: tuple[Any, ...]) -> Expression | None:
    return ZERO if arguments[0].kind == NUMBER or arguments[0].sign is not None else None


def _extreme(name: str, arguments: tuple[Any, ...]) -> Expression | None:
    """The larger or smaller of two of which one is the other, or holds it."""
    left, right = arguments
    if left is right or (left.kind == CALL and left.name == name and right in left.parts):
        return left  # type: ignore[no-any-return]
    return right if right.kind == CALL and right.name == name and left in right.parts else None


NORMAL.update(
    {
        **dict.fromkeys(_ODD | _EVEN, _parity),
        "maximum": _extreme,
        "minimum": _extreme,
        "where": _chosen,
        "logical_and": _joined,
        "logical_or": _joined,
        "isnan": _is_nan,
        "relu": _rectified,
        "xlogy": _product_with_log,
        "log": _logarithm,
        "expm1": _exp_minus_one,
        "log1p": _exp_minus_one,
        **dict.fromkeys(("gt", "ge", "lt", "le", "eq", "ne"), _compared),
    }
)


_OPPOSITE: Final = {"gt": "le", "le": "gt", "lt": "ge", "ge": "lt", "eq": "ne", "ne": "eq"}
"""What a comparison says that another denies, but for nan."""


def denied(condition: Expression) -> Expression:
    """What a condition denies."""
    opposite = _OPPOSITE.get(condition.name)
    if opposite is not None:
        return call(opposite, *condition.parts)
    other = {"logical_or": "logical_and", "logical_and": "logical_or"}.get(condition.name)
    if other is not None:
        return call(other, *map(denied, condition.parts))
    if condition.name == "logical_not":
        found: Expression = condition.parts[0]
        return found
    return call("logical_not", condition)

"""Derivatives of any order of special functions, from the equations that these obey."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import Call, Rule
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import NoFormula

Derivatives = Callable[[Expression, int], list[Expression]]


def _bessel(x: Expression, order: int) -> list[Expression]:
    """Of i0: x*y'' + y' = x*y, differentiated."""
    found = [ex.call("i0", x), ex.call("torch.special.i1", x)]
    for n in range(2, order + 1):
        lower = ex.scaled(found[n - 3], Fraction(n - 2)) if n > 2 else ex.ZERO
        rest = ex.minus(lower, ex.scaled(found[n - 1], Fraction(n - 1)))
        found.append(ex.plus(found[n - 2], ex.divided(rest, x)))
    return found


def _scaled_bessel(x: Expression, order: int) -> list[Expression]:
    """Of i0e, the first two."""
    if order > 2:
        raise NoFormula("a third derivative of i0e")
    zeroth, first = ex.call("torch.special.i0e", x), ex.call("torch.special.i1e", x)
    sign = ex.call("sign", x)
    inner = ex.plus(ex.scaled(sign, Fraction(2)), ex.power(x, ex.MINUS_ONE))
    second = ex.minus(ex.scaled(zeroth, Fraction(2)), ex.times(first, inner))
    return [zeroth, ex.minus(first, ex.times(sign, zeroth)), second]


def _sinc(x: Expression, order: int) -> list[Expression]:
    """Of sin(pi*x)/(pi*x): x*y' + y = cos(pi*x), differentiated."""
    angle = ex.times(ex.PI, x)
    sine, cosine = ex.call("sin", angle), ex.call("cos", angle)
    turns = (cosine, ex.negated(sine), ex.negated(cosine), sine)
    found = [ex.divided(sine, angle)]
    for n in range(1, order + 1):
        right = ex.times(ex.power(ex.PI, ex.number(n - 1)), turns[(n - 1) % 4])
        found.append(ex.divided(ex.minus(right, ex.scaled(found[-1], Fraction(n))), x))
    return found


def _scaled_error(x: Expression, order: int) -> list[Expression]:
    """Of erfcx: y' = 2*x*y - 2/sqrt(pi), differentiated."""
    found = [ex.call("torch.special.erfcx", x)]
    for n in range(1, order + 1):
        lower = ex.divided(ex.number(-1), ex.sqrt(ex.PI))
        if n > 1:
            lower = ex.scaled(found[n - 2], Fraction(n - 1))
        found.append(ex.scaled(ex.plus(ex.times(x, found[n - 1]), lower), Fraction(2)))
    return found


def _rule(derivatives: Derivatives) -> Rule:
    def rule(call: Call) -> Expression:
        order = call.operands[0]
        found: Expression = derivatives(call.given(1), order)[order]
        return found

    return rule


SLOPES: Final[dict[str, Rule]] = {
    "aten.i0_slope": _rule(_bessel),
    "aten.i0e_slope": _rule(_scaled_bessel),
    "aten.sinc_slope": _rule(_sinc),
    "aten.erfcx_slope": _rule(_scaled_error),
}
"""By the first name of a row."""

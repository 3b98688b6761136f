"""What element by element rows do that are sums, products or powers under another name, and the
gradients of activations whose forward functions say more than a formula should.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import Call, Rule
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.functions import denied
from gradcli.readings.symbolic.operands import NoFormula, Operand, chosen, value_of


def _sum_of(sign: int) -> Rule:
    def rule(call: Call) -> Expression:
        alpha = call.operands[2] if len(call.operands) > 2 else 1
        factor = call.numbers.expression(alpha)
        return ex.plus(call.given(0), ex.times(ex.number(sign), factor, call.given(1)))

    return rule


def _reversed_difference(call: Call) -> Expression:
    return ex.minus(
        call.given(1), ex.times(call.numbers.expression(call.operands[2]), call.given(0))
    )


def _power(call: Call) -> Expression:
    exponent, base = call.operands[1], call.operands[0]
    call.numbers.shifted(value_of(exponent) if type(exponent) is not Operand else None)
    if type(base) is not Operand:
        call.numbers.logarithm(base)
    return ex.power(call.given(0), call.given(1))


def _where(call: Call) -> Expression:
    return chosen(call.given(0), call.given(1), call.given(2))


def _equal(call: Call) -> Expression:
    left, right = call.given(0), call.given(1)
    return ex.ZERO if call.generic and left is not right else ex.call("eq", left, right)


def _unequal(call: Call) -> Expression:
    left, right = call.given(0), call.given(1)
    return ex.ONE if call.generic and left is not right else ex.call("ne", left, right)


def _of_bits(name: str) -> Rule:
    """A logical function of conditions; the bits of whole numbers have no other name."""

    def rule(call: Call) -> Expression:
        is_logical = np.asarray(call.value).dtype == np.bool_
        return ex.call(f"{'logical' if is_logical else 'bitwise'}_{name}", *map(call.given, (0, 1)))

    return rule


def _inverted(call: Call) -> Expression:
    is_logical = np.asarray(call.value).dtype == np.bool_
    return denied(call.given(0)) if is_logical else ex.call("bitwise_not", call.given(0))


def _filled(call: Call) -> Expression:
    return chosen(call.given(1), call.given(2), call.given(0))


def _rounded_quotient(call: Call) -> Expression:
    rounding = "trunc" if call.operands[2] == "trunc" else "floor"
    return ex.call(rounding, ex.divided(call.given(0), call.given(1)))


def _constant_of(value: Expression) -> Rule:
    return lambda call: value


def _same(call: Call) -> Expression:
    return call.given(0)


def _stepwise(call: Call) -> Expression:
    """The derivative of a softplus: PyTorch computes it in a way that does not overflow."""
    grad, argument, beta, _ = call.operands
    angle = ex.times(call.numbers.expression(beta), argument.expression)
    return ex.times(grad.expression, ex.call("sigmoid", angle))


def _log_sigmoid_backward(call: Call) -> Expression:
    return ex.times(call.given(0), ex.call("sigmoid", ex.negated(call.given(1))))


def _gelu_backward(call: Call) -> Expression:
    """The normal distribution function, and x times its density."""
    grad, argument, approximate = call.operands[:3]
    if approximate != "none":
        raise NoFormula(f"gelu with approximate='{approximate}'")
    x = argument.expression
    below = ex.scaled(
        ex.plus(ex.ONE, ex.call("erf", ex.divided(x, ex.sqrt(ex.TWO)))), Fraction(1, 2)
    )
    density = ex.divided(
        ex.exp(ex.scaled(ex.power(x, ex.TWO), Fraction(-1, 2))),
        ex.sqrt(ex.times(ex.TWO, ex.PI)),
    )
    return ex.times(grad.expression, ex.plus(below, ex.times(x, density)))


def _indicator(condition: str, at: int, other: int) -> Rule:
    """The gradient where a comparison of operands holds, else zero."""

    def rule(call: Call) -> Expression:
        holds = ex.call(condition, call.given(at), call.given(other))
        return chosen(holds, call.given(0), ex.ZERO)

    return rule


def _hyperbolic_sign(call: Call) -> Expression:
    return ex.call("sign", call.given(0))


ELEMENTWISE: Final[dict[str, Rule]] = {
    "add": _sum_of(1),
    "aten.add_scalar": _sum_of(1),
    "sub": _sum_of(-1),
    "aten.sub_scalar": _sum_of(-1),
    "rsub": _reversed_difference,
    "aten.mul_scalar": lambda call: ex.times(call.given(0), call.given(1)),
    "aten.div": lambda call: ex.divided(call.given(0), call.given(1)),
    "aten.div_scalar": lambda call: ex.divided(call.given(0), call.given(1)),
    "neg": lambda call: ex.negated(call.given(0)),
    "aten.div_mode": _rounded_quotient,
    "reciprocal": lambda call: ex.power(call.given(0), ex.MINUS_ONE),
    "sqrt": lambda call: ex.sqrt(call.given(0)),
    "rsqrt": lambda call: ex.power(call.given(0), ex.number(Fraction(-1, 2))),
    "exp2": lambda call: ex.power(ex.TWO, call.given(0)),
    "aten.pow": _power,
    "aten.pow_scalar": _power,
    "aten.pow_base": _power,
    "aten.where": _where,
    "bitwise_and": _of_bits("and"),
    "bitwise_or": _of_bits("or"),
    "bitwise_not": _inverted,
    "aten.masked_fill": _filled,
    "masked_fill": _filled,
    "eq": _equal,
    "ne": _unequal,
    "aten.zeros_like": _constant_of(ex.ZERO),
    "aten.conj": _same,
    "aten.conj_physical": _same,
    "aten.copy": _same,
    "aten.alias": _same,
    "aten._to_copy": _same,
    "clone": _same,
    "sgn": _hyperbolic_sign,
    "aten.softplus_backward": _stepwise,
    "aten.gelu_backward": _gelu_backward,
    "aten.log_sigmoid_backward": _log_sigmoid_backward,
    "aten.threshold_backward": _indicator("gt", 1, 2),
}
"""By the first name of a row."""

"""What losses do, and softmax below them."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import Call, Rule
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import NoFormula, chosen
from gradcli.readings.symbolic.tensors import total


def _averaged(losses: Expression, call: Call, reduction: int) -> Expression:
    """Losses of elements, their mean (1) or their sum (2)."""
    if not reduction:
        return losses
    shape = np.broadcast_shapes(call.operands[0].shape, call.operands[1].shape)
    whole = total(losses, shape, None, False, ())
    return ex.scaled(whole, Fraction(1, max(int(np.prod(shape)), 1))) if reduction == 1 else whole


def _cross_entropy(call: Call) -> Expression:
    """-(y*log(x) + (1 - y)*log(1 - x)), whose logarithms PyTorch bounds."""
    weight, reduction = call.operands[2:4]
    if weight is not None:
        raise NoFormula("binary_cross_entropy with weights")
    x, y = call.given(0), call.given(1)
    other = ex.minus(ex.ONE, x)
    likelihood = ex.plus(
        ex.times(y, ex.call("log", x)), ex.times(ex.minus(ex.ONE, y), ex.call("log", other))
    )
    return _averaged(ex.negated(likelihood), call, reduction)


def _cross_entropy_backward(call: Call) -> Expression:
    grad, x, y, weight, reduction = call.operands[:5]
    if weight is not None:
        raise NoFormula("binary_cross_entropy with weights")
    inner = x.expression
    spread = ex.times(inner, ex.minus(ex.ONE, inner))
    slope = ex.divided(ex.minus(inner, y.expression), spread)
    size = max(int(np.prod(x.shape)), 1) if reduction == 1 else 1
    return ex.scaled(ex.times(grad.expression, slope), Fraction(1, size))


def _cross_entropy_of_logits(call: Call) -> Expression:
    """softplus(x) - x*y."""
    weight, positive, reduction = call.operands[2:5]
    if weight is not None or positive is not None:
        raise NoFormula("binary_cross_entropy_with_logits with weights")
    x, y = call.given(0), call.given(1)
    return _averaged(ex.minus(ex.call("softplus", x), ex.times(x, y)), call, reduction)


def _mean_square(call: Call) -> Expression:
    """The squares of differences, their mean or sum."""
    square = ex.power(ex.minus(call.given(0), call.given(1)), ex.TWO)
    return _averaged(square, call, call.operands[2])


def _mean_square_backward(call: Call) -> Expression:
    return _sloped(call, ex.scaled(_difference(call, 1), Fraction(2)))


def _huber(call: Call) -> Expression:
    """Half the squares of small differences, absolute values of large ones."""
    reduction, delta = call.operands[2:4]
    return _averaged(_bent(_difference(call, 0), call.numbers.expression(delta)), call, reduction)


def _smooth_l1(call: Call) -> Expression:
    """The same, divided by where they meet."""
    reduction, beta = call.operands[2:4]
    edge = call.numbers.expression(beta)
    return _averaged(ex.divided(_bent(_difference(call, 0), edge), edge), call, reduction)


def _bent(difference: Expression, edge: Expression) -> Expression:
    size = ex.call("abs", difference)
    near = ex.scaled(ex.power(difference, ex.TWO), Fraction(1, 2))
    far = ex.times(edge, ex.minus(size, ex.scaled(edge, Fraction(1, 2))))
    return chosen(ex.call("le", size, edge), near, far)


def _difference(call: Call, place: int) -> Expression:
    return ex.minus(call.given(place), call.given(place + 1))


def _huber_backward(call: Call) -> Expression:
    """The difference, but no more than delta."""
    edge = call.numbers.expression(call.operands[4])
    return _sloped(call, ex.call("clamp", _difference(call, 1), ex.negated(edge), edge))


def _smooth_l1_backward(call: Call) -> Expression:
    edge = call.numbers.expression(call.operands[4])
    slope = ex.divided(_difference(call, 1), edge)
    return _sloped(call, ex.call("clamp", slope, ex.MINUS_ONE, ex.ONE))


def _sloped(call: Call, slope: Expression) -> Expression:
    """A gradient times slopes, which a mean shares."""
    grad, left, right, reduction = call.operands[:4]
    size = int(np.prod(np.broadcast_shapes(left.shape, right.shape))) if reduction == 1 else 1
    return ex.scaled(ex.times(grad.expression, slope), Fraction(1, max(size, 1)))


def _exponential(call: Call) -> Expression:
    """The exponential function; of what lies below a logsumexp, softmax."""
    inner = call.given(0)
    for term, factor in ex.terms_of(inner):
        rest = ex.plus(inner, term)
        if factor == -1 and term.kind == ex.CALL and term.name == "unsqueeze":
            of, dim = term.parts
            if of.kind == ex.CALL and of.name == "logsumexp" and of.parts == (rest, dim):
                return ex.call("softmax", rest, dim, shape=rest.shape)
        if (
            factor == -1
            and term.kind == ex.CALL
            and term.name == "logsumexp"
            and (rest is term.parts[0])
        ):
            return ex.call("softmax", *term.parts, shape=rest.shape)
    return ex.exp(inner)


def _softmax(name: str) -> Rule:
    def rule(call: Call) -> Expression:
        return ex.call(name, call.whole(0), call.operands[1], shape=call.shape)

    return rule


def _softmax_backward(call: Call) -> Expression:
    """(grad - sum(grad*result))*result."""
    grad, result, dim = call.operands[:3]
    product = ex.times(grad.expression, result.expression)
    inner = total(product, result.shape, (dim,), result.ndim > 1, ())
    return ex.times(ex.minus(grad.expression, inner), result.expression)


def _log_softmax_backward(call: Call) -> Expression:
    """grad - exp(result)*sum(grad)."""
    grad, result, dim = call.operands[:3]
    inner = total(grad.expression, result.shape, (dim,), result.ndim > 1, ())
    return ex.minus(grad.expression, ex.times(softmax_of(result.expression), inner))


def softmax_of(expression: Expression) -> Expression:
    """e to the power of a log_softmax."""
    if expression.kind == ex.CALL and expression.name == "log_softmax":
        return ex.call("softmax", *expression.parts, shape=expression.shape)
    return ex.exp(expression)


def _logsumexp(call: Call) -> Expression:
    dims = call.operands[1]
    dim = dims[0] if type(dims) in (list, tuple) and len(dims) == 1 else dims
    return ex.call("logsumexp", call.whole(0), dim, shape=call.shape)


LOSSES: Final[dict[str, Rule]] = {
    "exp": _exponential,
    "aten.mse_loss": _mean_square,
    "aten.mse_loss_backward": _mean_square_backward,
    "aten.binary_cross_entropy": _cross_entropy,
    "aten.binary_cross_entropy_backward": _cross_entropy_backward,
    "aten.binary_cross_entropy_with_logits": _cross_entropy_of_logits,
    "aten._softmax": _softmax("softmax"),
    "aten._log_softmax": _softmax("log_softmax"),
    "aten._softmax_backward_data": _softmax_backward,
    "aten._log_softmax_backward_data": _log_softmax_backward,
    "logsumexp": _logsumexp,
    "aten.huber_loss": _huber,
    "aten.huber_loss_backward": _huber_backward,
    "aten.smooth_l1_loss": _smooth_l1,
    "aten.smooth_l1_loss_backward": _smooth_l1_backward,
}
"""By the first name of a row."""

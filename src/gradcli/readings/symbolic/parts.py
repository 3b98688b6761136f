"""Parts of tensors: elements, ranges, orders and running sums."""

from __future__ import annotations

from typing import Final

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import Call, Rule
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import NoFormula
from gradcli.readings.symbolic.tensors import outer, without_numbers


def _selected(call: Call) -> Expression:
    inner = call.given(0)
    if not inner.shape:
        return inner
    dim, index = call.operands[1:3]
    return ex.call("select", call.whole(0), dim, index, shape=call.shape)


def _select_backward(call: Call) -> Expression:
    grad, shape, dim, index = call.operands[:4]
    size = shape[dim]
    unit = ex.call("one_hot", index % size, size, shape=(size,))
    if len(shape) == 1:
        return ex.times(grad.expression, unit)
    if len(shape) != 2:
        raise NoFormula("an element of a tensor of three or more dimensions")
    rest = call.whole(0)
    return outer(rest, unit) if dim % 2 else outer(unit, rest)


def _sliced(call: Call) -> Expression:
    """A range of the first dimension; of other dimensions they have no short name."""
    operand = call.operands[0]
    dim, *bounds = call.operands[1:5]
    first, last, step = slice(*bounds).indices(operand.shape[dim])
    inner = call.given(0)
    if dim % operand.ndim or step != 1:
        raise NoFormula("a range that is not one of the first dimension, or has steps")
    if not inner.shape:
        return inner
    return ex.call("slice", call.whole(0), first, last, shape=call.shape)


def _slice_backward(call: Call) -> Expression:
    """The gradient with zeros around it."""
    _, shape, dim, *bounds = call.operands[:6]
    first, last, _ = slice(*bounds).indices(shape[dim])
    if len(shape) != 1:
        raise NoFormula("a range of a tensor of two or more dimensions")
    left, inner = without_numbers(call.whole(0))
    padding = (first, shape[0] - last)
    return ex.times(left, ex.call("pad", inner, padding, shape=call.shape))


def _flipped(call: Call) -> Expression:
    inner = call.given(0)
    dims = call.operands[1]
    if not inner.shape:
        return inner
    left, inner = without_numbers(call.whole(0))
    if inner.kind == ex.CALL and inner.name == "flip" and inner.parts[1] == tuple(dims):
        return ex.times(left, inner.parts[0])
    return ex.times(left, ex.call("flip", inner, tuple(dims), shape=call.shape))


def _along(name: str) -> Rule:
    return lambda call: ex.call(name, call.whole(0), call.operands[1], shape=call.shape)


PARTS: Final[dict[str, Rule]] = {
    "select": _selected,
    "aten.select_backward": _select_backward,
    "aten.slice": _sliced,
    "aten.slice_backward": _slice_backward,
    "flip": _flipped,
    "cumsum": _along("cumsum"),
}
"""By the first name of a row."""

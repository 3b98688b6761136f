"""Taylor's coefficients of a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.context import Context
from gradcli.autograd.custom import run
from gradcli.autograd.modes import enable_grad, set_grad_enabled
from gradcli.autograd.passes import grad
from gradcli.ops.algebra.arithmetic import add, mul
from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.derivatives import NoSeries, check
from gradcli.readings.series.formulas import slots_of
from gradcli.readings.series.orders import check_room
from gradcli.readings.series.rules import Calculus
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.readings.trace import Recorder, Slot, Trace, resolved
from gradcli.table.row import Row
from gradcli.tensor.classes import type_of
from gradcli.tensor.clock import clock
from gradcli.tensor.dtypes import INEXACT, default
from gradcli.tensor.graph import Node, mode
from gradcli.tensor.public import admit
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

_POINT: Final = Slot(0)
"""Where the point stands in a trace."""

Outputs = Sequence[Tensor | None]


def taylor(function: Callable[[Any], Any], point: Any, order: int) -> list[Tensor]:
    """The Taylor coefficients of a function at a point: f(point + t) = c[0] + c[1]*t + c[2]*t**2...

    A list of `order + 1` tensors in the shape and type of the function's value, of which the k-th
    times k! is the k-th derivative. Every element of the point moves by t, so that each element of
    a function that is computed element by element has its own coefficients. They have gradients
    with respect to the point, and to what else the function is made of, as all results have.

    Args:
        function: of a tensor; gives a tensor.
        point: a tensor, or numbers that make one.
        order: of the last coefficient, 0 or more.

    Raises:
        TypeError: the order is no integer, or the function gives no tensor.
        ValueError: the order is negative.
        OverflowError: there is no room for so many.
        NotImplementedError: an operator on the way has no derivative.
    """
    if type(order) is not int:
        raise TypeError(f"taylor(): the order must be an integer, not {type_of(order)}")
    if order < 0:
        raise ValueError(f"taylor(): the order must be 0 or more, not {order}")
    array = point._array if isinstance(point, Tensor) else np.array(point, default.dtype.np)
    if array.dtype.kind not in INEXACT:
        array = array.astype(default.dtype.np)
    if not (isinstance(point, Tensor) and point._array is array):
        point = wrap(array)
    admitted = admit(function)

    def outputs(x: Tensor) -> list[Tensor]:
        value = admitted(x)
        if not isinstance(value, Tensor):
            raise TypeError(f"taylor(): the function must give a tensor, not {type_of(value)}")
        return [value]

    return _expanded(outputs, point, order)[0]


def _expanded(
    function: Callable[[Tensor], Outputs], point: Tensor, order: int
) -> list[list[Tensor]]:
    """The coefficients of each output of a function; zeros for None."""
    leaf = wrap(point._array, True)
    recorder = _Smooth([leaf])
    with recorder as trace, enable_grad():
        ends = function(leaf)
        recorder.ended(list(ends))
    check_room(trace.values, order)
    try:
        found = _series(trace, ends, order)
    except NoSeries:
        return _nested(function, point, order)
    operator = _Coefficients(trace, found)
    inputs = [point, *operator.others]
    if mode.enabled and any(value.requires_grad for value in inputs):
        outputs = iter(run(operator, tuple(inputs)))
        return [[next(outputs) for _ in range(order + 1)] for _ in ends]
    return [[wrap(part) for part in parts] for parts in found]


class _Smooth(Recorder):
    """Takes rows that have no gradient, but derivatives, for their derivative of order 0."""

    def __call__(self, row: Row, args: tuple[Any, ...]) -> Any:
        if row.slopes is not None:
            row, args = row.slopes, (0, *args)
        return super().__call__(row, args)


def _series(trace: Trace, ends: Outputs, order: int) -> list[list[Array]]:
    """The coefficients of values of a trace where its point moves."""
    check(trace)
    calculus = Calculus()
    start = widened(trace.values[_POINT]._array)
    try:
        passage = Passage(calculus, trace, {_POINT: calculus.variable(start, np.ones_like(start))})
        calculus.advance(order)
        found = []
        for end in ends:
            array = np.zeros(()) if end is None else end._array
            series = (end is not None and passage.of(end)) or Series(widened(array))
            found.append([np.array(series.whole(k), array.dtype) for k in range(order + 1)])
        return found
    except NotImplementedError as error:
        raise NoSeries(str(error)) from error


class _Coefficients:
    """The operator that gives coefficients, made of the point and of what else requires grad.

    The gradients of the k-th coefficient are the k-th coefficients of the function's gradients. So
    those of all together are the last coefficient of the function's gradients along
    grads[order] + grads[order - 1] * t + ... + grads[0] * t**order.
    """

    name = "Taylor"

    def __init__(self, trace: Trace, found: Sequence[Sequence[Array]]) -> None:
        self._trace, self._found = trace, found
        needed = set(slots_of(trace.outputs))
        for step in reversed(trace.steps):
            if not needed.isdisjoint(step.results):
                needed.difference_update(step.results)
                needed.update(slots_of(step.operands))
        values = {slot: trace.values[slot] for slot in sorted(needed - {_POINT})}
        self._others = [slot for slot, value in values.items() if value._requires_grad]
        self.others = [trace.values[slot] for slot in self._others]

    def find(self, name: str) -> Any:
        return {"forward": self._forward, "backward": self._backward}.get(name)

    def bind(self, args: tuple[Any, ...], named: Any, without_context: bool) -> tuple[Any, ...]:
        return args

    def _forward(self, context: Context, *inputs: Tensor) -> tuple[Tensor, ...]:
        context.save_for_backward(*inputs)
        return tuple([wrap(part) for parts in self._found for part in parts])

    def _backward(self, context: Context, *grads: Any) -> tuple[Tensor | None, ...]:
        order = len(self._found[0]) - 1
        needs = context.needs_input_grad
        saved: Sequence[Any] = context.saved_tensors
        point, *others = saved

        def gradients(t: Tensor) -> Outputs:
            ends, seeds = [], []
            for number, end in enumerate(self._repeated(point + t, others)):
                if end is not None and end.requires_grad:
                    seed, *rest = grads[number * (order + 1) : (number + 1) * (order + 1)]
                    for part in rest:
                        seed = seed * t + part
                    ends.append(end)
                    seeds.append(seed)
            wanted = [x for x, need in zip((point, *others), needs, strict=True) if need]
            return grad(ends, wanted, seeds, create_graph=True, allow_unused=True)

        zero = wrap(np.zeros((), point._array.real.dtype))
        found = iter(_expanded(gradients, zero, order))
        return tuple([next(found)[order] if need else None for need in needs])

    def _repeated(self, point: Tensor, others: Sequence[Tensor]) -> Any:
        """The outputs, for tensors in the places of the point and of the others."""
        trace = self._trace
        values: list[Any] = [*trace.values]
        values[_POINT] = point
        for slot, value in zip(self._others, others, strict=True):
            values[slot] = value
        for step in trace.steps:
            with set_grad_enabled(any(trace.values[slot]._requires_grad for slot in step.results)):
                found = step.row(*resolved(step.operands, values))
            for slot, value in zip(step.results, found if step.several else (found,), strict=True):
                values[slot] = value
        return resolved(trace.outputs, values)


def _nested(function: Callable[[Tensor], Outputs], point: Tensor, order: int) -> list[list[Tensor]]:
    """The coefficients by backward passes, where there are no series."""
    t = wrap(np.zeros((), point._array.real.dtype), True)
    found: list[list[Tensor]] = []
    with enable_grad():
        with _Smooth([t]):
            ends = function(add(point, t))
        for end in ends:
            current = wrap(np.zeros(())) if end is None else end
            parts = [current]
            for k in range(1, order + 1):
                clock.check()
                current = mul(_moved(current, t), 1.0 / k)
                parts.append(current)
            found.append(parts)
    if mode.enabled and any(_is_recorded(parts[0], t) for parts in found):
        return found
    return [[part.detach() for part in parts] for parts in found]


def _moved(value: Tensor, t: Tensor) -> Tensor:
    """The derivative of a value with respect to a number: what its gradient is multiplied by."""
    if value.requires_grad:
        seed = wrap(np.ones_like(value._array), True)
        (slope,) = grad(value, [t], [seed], create_graph=True, allow_unused=True)
        if slope is not None and slope.requires_grad:
            (found,) = grad(slope, [seed], create_graph=True, allow_unused=True)
            if found is not None:
                return found
    return wrap(np.zeros_like(value._array))


def _is_recorded(value: Tensor, t: Tensor) -> bool:
    """Whether a value is made of more that requires grad than a number."""
    todo: list[Node | None] = [value._grad_fn]
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if not node.next_functions and getattr(node, "variable", t) is not t:
            return True
        todo += [following for following, _ in node.next_functions]
    return False

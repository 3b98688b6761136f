"""What series are asked for: derivatives of each variable alone, Taylor's coefficients, products
of a Jacobian with a vector."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.modes import enable_grad
from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.remarks import remarks
from gradcli.readings.series.rules import Calculus
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.readings.trace import Slot, Trace, record
from gradcli.tensor import dtypes
from gradcli.tensor.classes import type_of
from gradcli.tensor.public import admit
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

_PLAIN: Final = 150
"""Orders whose factorials do not overflow."""


class NoSeries(Exception):
    """There are no series for a trace; the message says why."""


class Derivatives:
    """The derivatives of outputs with respect to one tensor of a trace.

    The first is the gradient that `seeds` give, one for each output, each later one the gradient of
    the one before along ones: in the tensor's shape, and in double precision.

    Raises:
        NoSeries: there are none.
    """

    def __init__(
        self, trace: Trace, leaf: Tensor, ends: Sequence[Tensor], seeds: Sequence[Array]
    ) -> None:
        _check(trace)
        if any(_is_hooked(value) for value in trace.values):
            raise NoSeries("a hook may change gradients")
        self._trace = trace
        self._point = widened(leaf._array)
        places = {id(value): slot for slot, value in enumerate(trace.values)}
        self._start = places.get(id(leaf))
        self._goals = [
            (places[id(end)], widened(seed))
            for end, seed in zip(ends, seeds, strict=True)
            if id(end) in places
        ]
        self._calculus = Calculus()

    def up_to(self, order: int) -> list[Array]:
        """The first to the last wanted.

        Raises:
            NoSeries: there are none.
        """
        return self._along(np.ones_like(self._point), order, self._calculus)

    def _along(self, direction: Array, order: int, calculus: Calculus) -> list[Array]:
        point = self._point
        if self._start is None:
            return [np.zeros_like(point)] * order
        try:
            variable = calculus.variable(point, direction)
            passage = Passage(calculus, self._trace, {self._start: variable})
            if not np.ndim(point) and point.dtype.kind == "f":
                # The derivative along one number needs no gradient.
                calculus.advance(order)
                goals = [(passage.series.get(slot), seed) for slot, seed in self._goals]
                return [_weighed(goals, k) for k in range(1, order + 1)]
            arrived: dict[int, Any] = {}
            for slot, seed in self._goals:
                if slot in passage.series:
                    arrived[slot] = calculus.sum(arrived.get(slot), seed)
            gradient = passage.gradients(arrived).get(self._start)
            calculus.advance(order - 1)
        except NotImplementedError as error:
            raise NoSeries(str(error)) from error
        if type(gradient) is not Series:
            first = np.zeros_like(point) if gradient is None else np.asarray(gradient)
            return [first, *[np.zeros_like(point)] * (order - 1)]
        return [times_factorial(gradient.whole(k), k) for k in range(order)]

    def mixes(self, order: int) -> bool:
        """Whether derivatives of one element depend on others: then along other directions they
        are no multiples of those along ones.
        """
        shape = np.shape(self._point)
        direction = 1.0 + np.modf(np.arange(1, 1 + np.size(self._point)) * 0.6180339887)[0]
        direction = direction.reshape(shape)
        plain = self._along(np.ones(shape), order, Calculus())
        other = self._along(direction, order, Calculus())
        for k in range(1, order):
            expected = plain[k] * direction**k
            scale = np.nanmax(np.abs([expected, other[k]]), initial=0.0)
            if not np.allclose(expected, other[k], 1e-6, 1e-9 * scale, equal_nan=True):
                return True
        return False

    def warnings(self, name: str) -> list[str]:
        """What is to be said about where the derivatives were taken."""
        return [f"{name}: {text}" for text in remarks(self._calculus.applied)]


def _check(trace: Trace) -> None:
    if trace.flaw:
        raise NoSeries(trace.flaw)


def _is_hooked(value: Tensor) -> bool:
    node, extras = value._grad_fn, value._extras
    return (node is not None and node.hooks is not None) or (
        extras is not None and extras.hooks is not None
    )


def _weighed(goals: Sequence[tuple[Series | None, Array]], k: int) -> Array:
    """The k-th derivative of what seeds weigh, by one number."""
    total = np.float64(0.0)
    for series, seed in goals:
        coefficient = None if series is None else series[k]
        if coefficient is not None:
            total = total + np.sum(np.real(np.conj(seed) * coefficient))
    return times_factorial(total, k)


def times_factorial(coefficient: Array, k: int) -> Array:
    """A coefficient times k!, which is not larger than what it is a factor of."""
    exact = math.factorial(k)
    if k < _PLAIN:
        return coefficient * float(exact)
    shift = exact.bit_length() - 64
    factor = float(exact >> shift)
    if np.iscomplexobj(coefficient):
        return np.ldexp(coefficient.real * factor, shift) + 1j * np.ldexp(
            coefficient.imag * factor, shift
        )
    return np.ldexp(coefficient * factor, shift)


def pushed(
    trace: Trace, tangents: Sequence[tuple[Tensor, Array]], ends: Sequence[Tensor]
) -> list[Array | None]:
    """How values of a trace move when tensors move along tangents: the Jacobian times the vector.

    None for a value that does not depend on any of them.

    Raises:
        NoSeries: there are no series.
    """
    _check(trace)
    places = {id(value): slot for slot, value in enumerate(trace.values)}
    calculus = Calculus()
    moving = {}
    for tensor, tangent in tangents:
        slot = places.get(id(tensor))
        if slot is not None:
            moving[slot] = calculus.variable(widened(tensor._array), widened(tangent))
    try:
        passage = Passage(calculus, trace, moving)
        found = [passage.series.get(places.get(id(end), -1)) for end in ends]
        calculus.advance(1)
        return [None if series is None else series.whole(1) for series in found]
    except NotImplementedError as error:
        raise NoSeries(str(error)) from error


def taylor(function: Callable[[Any], Any], point: Any, order: int) -> Any:
    """The Taylor coefficients of a function at a point: f(point + t) = c[0] + c[1] t + c[2] t^2 ...

    They are a list of `order + 1` tensors in the shape and type of the function's value, of which
    the k-th times k! is the k-th derivative. Every element of the point moves by t, so that each
    element of a function that is computed element by element has its own coefficients.

    Args:
        function: of a tensor; gives a tensor.
        point: a tensor, or numbers that make one.
        order: of the last coefficient, 0 or more.

    Raises:
        TypeError, ValueError: the function gives no tensor, the order is no such number.
        NoSeries: an operator has no series.
    """
    if type(order) is not int or order < 0:
        raise ValueError(f"taylor: the order must be an integer of at least 0, not {order!r}")
    given = (
        point._array if isinstance(point, Tensor) else np.asarray(point, dtypes.default.dtype.np)
    )
    leaf = wrap(given, True)
    with enable_grad():
        trace = record(admit(function), leaf)
    if type(trace.outputs) is not Slot:
        if not isinstance(trace.outputs, Tensor):
            raise TypeError(
                f"taylor: the function must give a tensor, not {type_of(trace.outputs)}"
            )
        return [trace.outputs.detach(), *[wrap(np.zeros_like(given)) for _ in range(order)]]
    _check(trace)
    calculus = Calculus()
    start = widened(given)
    try:
        passage = Passage(calculus, trace, {0: calculus.variable(start, np.ones_like(start))})
        calculus.advance(order)
    except NotImplementedError as error:
        raise NoSeries(str(error)) from error
    value = trace.values[trace.outputs]._array
    series = passage.series.get(trace.outputs, Series(widened(value)))
    return [wrap(np.asarray(series.whole(k)).astype(value.dtype)) for k in range(order + 1)]

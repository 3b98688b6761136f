"""Derivatives of outputs with respect to one tensor, of any order, from series."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.readings.series.coefficients import ENDLESS, Series
from gradcli.readings.series.linear import bare
from gradcli.readings.series.programs import program_of
from gradcli.readings.series.remarks import remarks
from gradcli.readings.series.rules import Calculus
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.readings.trace import Slot, Trace
from gradcli.tensor.dtypes import FLOATS
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array

_PLAIN: Final = tuple([float(math.factorial(k)) for k in range(150)])
"""Factorials that do not overflow."""


_AT_ONCE: Final = 512
"""Orders that are worked out before it is known whether coefficients stay in range."""


_TINY: Final = 1e-250
"""Coefficients below that may lose digits."""


class NoSeries(NotImplementedError):
    """There are no series for a trace; the message says why."""


class Derivatives:
    """The derivatives of outputs with respect to one tensor of a trace.

    The first is the gradient that `seeds` give, one for each output, each later one the gradient of
    the one before along ones: in the tensor's shape, and in double precision. `remarked` says that
    there shall be remarks. `lost` is the first order of which the coefficient is not finite.

    Raises:
        NoSeries: there are none.
    """

    def __init__(
        self,
        trace: Trace,
        leaf: Tensor,
        ends: Sequence[Tensor],
        seeds: Sequence[Array],
        remarked: bool = False,
    ) -> None:
        check(trace)
        self.lost = ENDLESS
        if _are_hooked(trace.values):
            raise NoSeries("a hook may change gradients")
        self._trace = trace
        self._leaf = leaf._array
        self._start = trace.slot(leaf)
        self._goals: list[tuple[Slot, Array]] = []
        for end, seed in zip(ends, seeds, strict=True):
            slot = trace.slot(end)
            if slot is not None:
                self._goals.append((slot, seed))
        self._is_along_number = not self._leaf.ndim and self._leaf.dtype.kind in FLOATS
        self._applied: list[Series] = []
        self._remarked = remarked

    def up_to(self, order: int) -> list[Array]:
        """The first to the last wanted.

        Coefficients of a function without poles fall below the smallest number sooner or later, so
        from there on they are those of x + 2**shift * t. What comes after derivatives that are too
        large for a double, or needs a scale that is, is not a number.

        Raises:
            NoSeries: there are none.
        """
        if self._start is None:
            return [np.zeros_like(widened(self._leaf))] * order
        found: list[Array] = []
        shift, limit = 0, min(order, _AT_ONCE)
        while True:
            coefficients = self._scaled(limit, shift)
            if self.lost > len(found) and not all(map(_is_finite, coefficients[: len(found)])):
                return found + _unknown(found, order)  # the scale that later ones need is too large
            last, scale = _last_before_tiny(coefficients, len(found))
            for place in range(len(found), last):
                power = place + (1 if self._is_along_number else 0)
                coefficient = coefficients[place]
                derivative = times_factorial(coefficient, power, shift * power)
                if self.lost <= place:
                    # What does not exist has no derivative, whatever its formula says.
                    derivative = bare(np.where(np.isnan(found[-1]), found[-1], derivative))
                found.append(derivative)
                if self.lost > place and not _is_finite(coefficient):
                    self.lost = place + 1
            if last == order:
                return found
            if not scale:
                limit = min(order, 2 * limit)
            elif not np.any(np.isfinite(found[-1])):
                return found + _unknown(found, order)
            shift += scale

    def _scaled(self, order: int, shift: int) -> list[Any]:
        """The coefficients that the derivatives are multiples of, where x moves by 2**shift."""
        assert self._start is not None
        step = math.ldexp(1.0, shift)
        if self._is_along_number and not self._remarked:
            program = program_of(self._trace, self._start, [slot for slot, _ in self._goals])
            if program is not None:
                found = program.on(self._trace, step, order)
                return _weighed([(found.get(slot), seed) for slot, seed in self._goals], order)
        calculus = Calculus()
        if not shift:
            self._applied = calculus.applied
        point = widened(self._leaf)
        try:
            variable = calculus.variable(point, np.full_like(point, step))
            passage = Passage(calculus, self._trace, {self._start: variable})
            if self._is_along_number:
                # The derivative along one number needs no gradient.
                calculus.advance(order)
                series = passage.series
                goals = [
                    (series[slot].up_to(order) if slot in series else None, seed)
                    for slot, seed in self._goals
                ]
                return _weighed(goals, order)
            arrived: dict[int, Any] = {}
            for slot, seed in self._goals:
                if slot in passage.series:
                    arrived[slot] = calculus.sum(arrived.get(slot), widened(seed))
            gradient = passage.gradients(arrived).get(self._start)
            calculus.advance(order - 1)
        except NotImplementedError as error:
            raise NoSeries(str(error)) from error
        if type(gradient) is not Series:
            first = np.zeros_like(point) if gradient is None else np.asarray(gradient)
            return [first, *[np.zeros_like(point)] * (order - 1)]
        return [gradient.whole(k) for k in range(order)]

    def remarks(self, name: str) -> list[str]:
        """What is to be said about where the derivatives were taken."""
        return [f"{name}: {text}" for text in remarks(self._applied)]


def check(trace: Trace) -> None:
    """Refuses a trace whose steps alone do not give the results."""
    if trace.flaw:
        raise NoSeries(trace.flaw)


def _are_hooked(values: Iterable[Tensor]) -> bool:
    for value in values:
        node, extras = value._grad_fn, value._extras
        if extras is not None and extras.hooks is not None:
            return True
        if node is not None and node.hooks is not None:
            return True
    return False


def _weighed(goals: Sequence[tuple[Sequence[Any] | None, Array]], order: int) -> list[Any]:
    """The coefficients of what seeds weigh, but for the first."""
    totals = [0.0] * (order + 1)
    for coefficients, seed in goals:
        if coefficients is None:
            continue
        if not seed.ndim and seed.dtype.kind in FLOATS:
            weight = seed.item()
            for k, coefficient in enumerate(coefficients):
                if coefficient is not None:
                    totals[k] += weight * coefficient
        else:
            weights = np.ravel(widened(seed))
            for k, coefficient in enumerate(coefficients):
                if coefficient is not None:
                    totals[k] += _inner(weights, np.broadcast_to(coefficient, seed.shape))
    return totals[1:]


def _inner(seed: Array, coefficient: Array) -> float:
    """The real part of the inner product."""
    found: float = np.vdot(seed, np.ravel(coefficient)).real
    return found


def _last_before_tiny(coefficients: Sequence[Any], first: int) -> tuple[int, int]:
    """How many coefficients are not below `_TINY` from the first on, and by what power of two x
    should move more for those behind; 0 where they are in order.
    """
    for place in range(first + 1, len(coefficients)):
        coefficient = coefficients[place]
        size = (
            abs(coefficient)
            if type(coefficient) is float
            else float(np.max(np.abs(coefficient), initial=0.0))
        )
        if 0.0 < size < _TINY:
            return place, round(-math.log2(size) / place)
    return len(coefficients), 0


def _unknown(found: Sequence[Array], order: int) -> list[Array]:
    """In the place of derivatives that no double can hold, or lead to."""
    return [np.full_like(found[-1], math.nan)] * (order - len(found))


def _is_finite(coefficient: Any) -> bool:
    if type(coefficient) is float:
        return math.isfinite(coefficient)
    return bool(np.all(np.isfinite(coefficient)))


_factorials: Final[list[tuple[float, int]]] = [(1.0, 0)]
"""Factorials: a number, and by how many bits it is shifted."""


def times_factorial(coefficient: Any, k: int, shift: int = 0) -> Array:
    """A coefficient times k! / 2**shift, none of which may overflow alone, as rows take it."""
    if k < len(_PLAIN) and not shift:
        product = coefficient * _PLAIN[k]
        return np.float64(product) if type(product) is float else bare(product)
    while len(_factorials) <= k:
        number, bits = _factorials[-1]
        number, more = math.frexp(number * len(_factorials))
        _factorials.append((number, bits + more))
    factor, bits = _factorials[k]
    bits -= shift
    if np.iscomplexobj(coefficient):
        return np.ldexp(coefficient.real * factor, bits) + 1j * np.ldexp(
            coefficient.imag * factor, bits
        )
    return np.ldexp(coefficient * factor, bits)

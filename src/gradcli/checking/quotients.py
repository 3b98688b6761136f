"""Derivatives from values alone: difference quotients, with how far they may be wrong.

Quotients of a ladder of steps, each a quarter of the one before, are extrapolated to step zero
(Richardson). Of all extrapolations that one is taken that differs least from its neighbours, apart
from the rounding of the values; so each point, each output, has a step of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from gradcli.tensor.clock import clock
from gradcli.typing import Array

RATIO: Final = 4.0
"""Of a step to the next."""

LAST: Final = 2.0**-51
"""The smallest step, relative to the coordinate that is moved."""

ENOUGH: Final = 6
"""Steps that are tried at least."""

TERMS: Final = 3
"""Powers of the step that extrapolation removes."""

FINE: Final = 1e-9
"""The relative error from which on no smaller step is tried."""

SMALLEST: Final = 0.125
"""How large a coordinate near zero counts, when the first step is chosen."""

FLAT: Final = 0.1
"""How much what does not vanish with the step may change from one step to the next."""

SURE: Final = 100.0
"""How often its own doubt the difference of two slopes is where there is a kink."""

LEAST: Final = 1e-7
"""What that difference is, too, relative to the slope."""

_EPSILON: Final = float(np.finfo(np.float64).eps)

Outputs = Callable[[float], Array]
"""All outputs as one vector, where one coordinate is a number; nan where there are none."""


class Quotients(NamedTuple):
    """The derivatives of a vector along one coordinate, as values say.

    Attributes:
        slope: the best estimate; nan where there is none.
        error: how far it may be wrong; infinite where nothing is known.
        step: the smallest that it was made from.
        below, above: the slopes on both sides, where these differ.
        kinks: where the slopes on both sides differ, however near.
        jumps: where the values on both sides do.
        size: of the outputs.
    """

    slope: Array
    error: Array
    step: Array
    below: Array
    above: Array
    kinks: Array
    jumps: Array
    size: Array


def quotients(
    outputs: Outputs, position: float, factor: float = 1.0, noise: Array | float = 0.0
) -> Quotients:
    """The derivatives of outputs at a position.

    Args:
        factor: makes all steps others.
        noise: how far values may be off, beside the rounding of their last digit.

    Raises:
        LimitError: time is over.
    """
    size = max(abs(position), SMALLEST)
    step = factor * 2.0 ** math.ceil(math.log2(size)) / RATIO
    last = LAST * (abs(position) or SMALLEST)
    ladder = _Ladder(outputs(position), noise)
    while step > last:
        clock.check()
        above, below = position + step, position - step
        ladder.add(outputs(above), above - position, outputs(below), position - below)
        step /= RATIO
        is_near = step < abs(position) or not position
        if is_near and len(ladder.steps) >= ENOUGH and ladder.is_fine():
            break
    return ladder.ended()


class _Ladder:
    """The values at all steps so far, and what they say."""

    def __init__(self, middle: Array, noise: Array | float) -> None:
        self.middle = middle
        self.noise = noise
        self.above: list[Array] = []
        self.below: list[Array] = []
        self.steps: list[tuple[float, float]] = []

    def add(self, above: Array, step: float, below: Array, other: float) -> None:
        """Adds the values a step above and below the position."""
        self.above.append(above)
        self.below.append(below)
        self.steps.append((step, other))

    def is_fine(self) -> bool:
        """Whether smaller steps would add nothing."""
        slope, error, _ = self._best()
        rounding = self._rounding()
        least = np.min(rounding, axis=0, initial=np.inf, where=np.isfinite(rounding))
        return bool(np.all(np.isfinite(error) & (error <= FINE * np.abs(slope) + least)))

    def ended(self) -> Quotients:
        """What is known."""
        slope, error, step = self._best()
        if not self.steps:
            nothing = np.zeros(self.middle.shape, bool)
            return Quotients(slope, error, step, slope, slope, nothing, nothing, slope)
        above, below, steps = self._arrays()
        rounding = self._rounding()
        ups, downs = (above - self.middle) / steps, (self.middle - below) / steps
        jumps = _flat(above - below, rounding * steps)
        bends, doubts, _ = _extrapolated(ups - downs, 2 * rounding, RATIO)
        near = np.abs([*above[-2:], *below[-2:], self.middle])
        return Quotients(
            slope,
            error,
            step,
            _extrapolated(downs, rounding, RATIO)[0],
            _extrapolated(ups, rounding, RATIO)[0],
            (np.abs(bends) > SURE * doubts + LEAST * np.abs(slope)) & ~jumps,
            jumps,
            np.max(near, axis=0, initial=0.0, where=np.isfinite(near)),
        )

    def _arrays(self) -> tuple[Array, Array, Array]:
        steps = np.array([step for step, _ in self.steps])[:, None]
        return np.array(self.above), np.array(self.below), steps

    def _rounding(self) -> Array:
        """How far a quotient may be wrong since values are rounded."""
        above, below, steps = self._arrays()
        size = np.fmax(np.fmax(np.abs(above), np.abs(below)), np.abs(self.middle))
        last_digits = 2 * _EPSILON * size
        found: Array = np.maximum(last_digits, self.noise) / steps
        return found

    def _best(self) -> tuple[Array, Array, Array]:
        """For each output the slope, its error and its step.

        Where values are on one side only, they have to do.
        """
        shape = self.middle.shape
        slope, error, step = np.full(shape, np.nan), np.full(shape, np.inf), np.zeros(shape)
        if not self.steps:
            return slope, error, step
        above, below, steps = self._arrays()
        width = np.array([one + other for one, other in self.steps])[:, None]
        rounding = self._rounding()
        ups, downs = (above - self.middle) / steps, (self.middle - below) / steps
        slopes = (above - below) / width
        rounding = np.where(_far(slopes, ups - downs, rounding), np.inf, rounding)
        central = _extrapolated(slopes, rounding, RATIO**2)
        sides = (_extrapolated(ups, 2 * rounding, RATIO), _extrapolated(downs, 2 * rounding, RATIO))
        for found in (central, *sides):
            better = ~np.isfinite(error) & np.isfinite(found[1])
            slope = np.where(better, found[0], slope)
            error = np.where(better, found[1], error)
            step = np.where(better, steps[found[2], 0], step)
        return slope, error, step


def _far(slopes: Array, bends: Array, rounding: Array) -> Array:
    """Which steps are too large to say something.

    The slopes on both sides come closer as a step becomes smaller, or stay apart at a kink. Where
    they go apart, the values before are of other parts of the function.
    """
    size = np.abs(bends)
    least = APART * size[:-1] + ROUGH * rounding[1:] + BENT * np.abs(slopes[1:])
    apart = np.zeros(slopes.shape, bool)
    apart[:-1] = size[1:] > least
    found: Array = np.logical_or.accumulate(apart[::-1], axis=0)[::-1]
    return found


ROUGH: Final = 8.0
"""How often their rounding that is, at least."""

APART: Final = 2.0
"""How much more the slopes on both sides may differ after a step that is smaller."""

BENT: Final = 1e-3
"""How much they may differ in any case, relative to the slope."""


def _extrapolated(slopes: Array, rounding: Array, base: float) -> tuple[Array, Array, Array]:
    """For each output the extrapolation of least error, that error, and the last step of it."""
    best, error = slopes[0], np.full(slopes.shape[1:], np.inf)
    level = np.zeros(slopes.shape[1:], int)
    rounding = np.where(np.isfinite(rounding), rounding, np.inf)
    for power in range(1, min(TERMS, len(slopes) - 1) + 1):
        further = slopes[1:] + (slopes[1:] - slopes[:-1]) / (base**power - 1)
        doubts = np.maximum(np.abs(further - slopes[1:]), np.abs(further - slopes[:-1]))
        rounding = np.maximum(rounding[1:], rounding[:-1])
        doubts = np.where(np.isfinite(doubts), doubts, np.inf) + rounding
        least = np.argmin(doubts, axis=0)
        places = np.arange(doubts.shape[1])
        better = doubts[least, places] < error
        best = np.where(better, further[least, places], best)
        error = np.where(better, doubts[least, places], error)
        level = np.where(better, least + power, level)
        slopes = further
    return best, error, level


def _flat(values: Array, rounding: Array) -> Array:
    """Which outputs have values that stay as they are as the step vanishes, as far as rounding lets
    that be seen.
    """
    flat, told = np.zeros(values.shape[1], bool), np.zeros(values.shape[1], bool)
    size = np.abs(values)
    sure = np.isfinite(values) & (rounding < 0.01 * size)
    near = np.abs(values[:-1] - values[1:]) < FLAT * size[1:]
    for last in range(len(values) - 1, 1, -1):
        here = ~told & sure[last] & sure[last - 1] & sure[last - 2]
        flat |= here & near[last - 1] & near[last - 2]
        told |= here
    return flat

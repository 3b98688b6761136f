"""How a row's tests get their inputs: a row's ``samples`` is a function of a :class:`Sampler`.

It returns a list of calls; a call is a tuple of positional arguments, with a dict of keyword
arguments as its last item where there are any. Floating arrays are what gets differentiated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Samples = Callable[["Sampler"], list[tuple[Any, ...]]]


class Sampler:
    """A deterministic source of arrays."""

    def __init__(self, seed: int = 0) -> None:
        from numpy.random import default_rng

        self._random = default_rng(seed)

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0) -> Array:
        """float64 values spread over [low, high), none of them close to another."""
        count = int(np.prod(shape))
        steps = (self._random.permutation(count) + 0.2 + 0.6 * self._random.random(count)) / max(
            count, 1
        )
        return (low + (high - low) * steps).reshape(shape)

    def ints(self, *shape: int, high: int, low: int = 0) -> Array:
        """int64 values in [low, high)."""
        return self._random.integers(low, high, size=shape)

    def mask(self, *shape: int) -> Array:
        """Booleans."""
        return self._random.random(shape) < 0.5


def pointwise(low: float = -2.0, high: float = 2.0) -> Samples:
    """Calls of a function of one tensor, with values in its domain [low, high)."""
    return lambda r: [(r(*shape, low=low, high=high),) for shape in ((3, 4), (), (0, 2))]


def binary(low: float = -2.0, high: float = 2.0) -> Samples:
    """Calls of a function of two tensors, some of which broadcast."""
    return lambda r: [
        (r(*a, low=low, high=high), r(*b, low=low, high=high))
        for a, b in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((), ()), ((0, 2), (2,)))
    ]

"""How a row's tests get their inputs: a row's `samples` is a function of a `Sampler`.

It returns a list of calls; a call is a tuple of positional arguments, with a dict of keyword
arguments as its last item where there are any. Floating arrays are what gets differentiated, but
for those that are `Fixed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.tensor import dtypes

Array = np.ndarray[Any, Any]
Samples = Callable[["Sampler"], list[tuple[Any, ...]]]


class Fixed(np.ndarray[Any, Any]):
    """A floating array that no gradient is asked for, such as running statistics."""


class Kinked(np.ndarray[Any, Any]):
    """A floating array whose gradient is not the slope: a kink, nan, or another convention."""


def fixed(values: Any) -> Array:
    """Numbers that no gradient is asked for."""
    return np.array(values, np.float64).view(Fixed)


def kinked(values: Any) -> Array:
    """Numbers whose gradient PyTorch chooses, so that central differences tell nothing of it."""
    return np.array(values, np.float64).view(Kinked)


class Sampler:
    """A deterministic source of arrays."""

    def __init__(self, seed: int = 0) -> None:
        from numpy.random import default_rng

        self._random = default_rng(seed)

    def __call__(self, /, *shape: int, low: float = -2.0, high: float = 2.0) -> Array:
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

    def complex(self, *shape: int) -> Array:
        """complex128 values whose parts lie in [-2, 2)."""
        return np.asarray(self(*shape) + 1j * self(*shape))

    def symmetric(self, *shape: int) -> Array:
        """Symmetric matrices."""
        made = self(*shape)
        return made + made.swapaxes(-1, -2)

    def definite(self, *shape: int, hermitian: bool = False) -> Array:
        """Symmetric positive definite matrices, or hermitian ones."""
        made = self.complex(*shape) if hermitian else self(*shape)
        product: Array = made @ made.swapaxes(-1, -2).conj() + np.eye(shape[-1])
        return product

    def probabilities(self, *shape: int) -> Array:
        """Positive values whose sums along the last dimension are 1."""
        weights = self(*shape, low=0.1, high=1.0)
        made: Array = weights / weights.sum(-1, keepdims=True)
        return made


def pointwise(low: float = -2.0, high: float = 2.0) -> Samples:
    """Calls of a function of one tensor, with values in its domain [low, high)."""
    return lambda r: [(r(*shape, low=low, high=high),) for shape in ((3, 4), (), (0, 2))]


def binary(low: float = -2.0, high: float = 2.0) -> Samples:
    """Calls of a function of two tensors, some of which broadcast."""
    return lambda r: [
        (r(*a, low=low, high=high), r(*b, low=low, high=high))
        for a, b in (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2,)), ((), ()), ((0, 2), (2,)))
    ]


def soft_samples(r: Sampler) -> list[tuple[Any, ...]]:
    """Calls of the soft maxima in `nn.functional`, with a dimension or without."""
    return [
        (r(3, 4), 1),
        (r(3, 4),),
        (r(2, 3, 2),),
        (r.ints(3, high=5), -1, 3, dtypes.float64),
        (r(2, 3), {"dim": 0, "dtype": dtypes.float64}),
    ]

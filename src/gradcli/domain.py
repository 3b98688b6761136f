"""The domain of an expression, and points of it: where it and its derivatives are finite.

Nobody says where that is, nor which variables are numbers, so shapes are tried in turn, and points
of several distributions, until an evaluation has finite numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, Generic, NamedTuple, TypeVar

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.tensor.clock import LimitError, clock
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

Point = Mapping[str, Array]
"""The values of variables by name, of double precision."""

Shapes = Mapping[str, tuple[int, ...]]
"""Those of variables by name."""

TRIES: Final = 400
"""Points that are tried before it is said that there is none."""

FAILURES: Final = 18
"""Evaluations that raise from which on numbers are taken for the wrong shapes."""

FEWER: Final = 2
"""The same of other shapes."""

DIGITS: Final = 4
"""Of coordinates that are drawn, so that they can be typed again."""

SIDE: Final = 3
"""The size of dimensions that nobody gave."""

NOWHERE: Final[Point] = {}
"""No coordinates."""

T = TypeVar("T")

_GOLDEN: Final = 0.6180339887

_Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

_DRAWS: Final[tuple[_Draw, ...]] = (
    lambda rng, shape: rng.uniform(0.2, 3, shape),
    lambda rng, shape: rng.uniform(-2, 2, shape),
    lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    lambda rng, shape: rng.uniform(-0.9, 0.9, shape),
    lambda rng, shape: rng.uniform(1.1, 4, shape),
    lambda rng, shape: rng.uniform(-4, 4, shape),
    lambda rng, shape: np.exp(rng.uniform(-3, 4, shape)),
    lambda rng, shape: -rng.uniform(0.2, 3, shape),
    lambda rng, shape: rng.uniform(2, 20, shape) * rng.choice([-1.0, 1.0], shape),
)


class Found(NamedTuple, Generic[T]):
    """What an evaluation gave, and where; `inside`: that it was what was looked for."""

    value: T
    point: Point
    inside: bool


def search(
    kinds: Iterable[Shapes],
    rng: np.random.Generator,
    evaluated: Callable[[Point], T],
    is_inside: Callable[[T], bool],
    first: int = 0,
    near: Point = NOWHERE,
) -> Found[T]:
    """The first evaluation that is inside, or else the first that there is.

    Args:
        kinds: shapes, the next of which are tried where each evaluation raises with those before.
        first: the number of the first point, which says how it is drawn.
        near: a point around which some are drawn, too.

    Raises:
        LimitError: time is over.
        Exception: whatever the first evaluation raises, where all do.
    """
    failure: Exception | None = None
    known: Found[T] | None = None
    for shapes in kinds:
        most = FEWER if any(shapes.values()) else FAILURES
        for number, point in enumerate(_points(shapes, rng, first, near)):
            clock.check()
            try:
                found = Found(evaluated(point), point, False)
                if is_inside(found.value):
                    return found._replace(inside=True)
                known = known or found
            except (LimitError, NameError):
                raise
            except Exception as error:
                failure = failure or error
            if not shapes or (known is None and number + 1 == most):
                break
        if known is not None:
            return known
    assert failure is not None
    raise failure


def kinds_of(names: Sequence[str]) -> Iterator[Shapes]:
    """Shapes of variables that nobody gave: all are numbers; then some are vectors or matrices,
    such as those whose names are capitals.
    """
    yield dict.fromkeys(names, ())
    ranks = product(range(3), repeat=min(len(names), 5))
    for rank in sorted(filter(any, ranks), key=lambda rank: (_oddity(names, rank), sum(rank))):
        yield {
            name: (SIDE,) * rank[place] if place < len(rank) else ()
            for place, name in enumerate(names)
        }


def _oddity(names: Sequence[str], ranks: Sequence[int]) -> int:
    """How unusual ranks are: matrices have capitals for names, and nothing else has."""
    return sum((rank == 2) != name[:1].isupper() for name, rank in zip(names, ranks, strict=False))


def _points(
    shapes: Shapes, rng: np.random.Generator, first: int, near: Point
) -> Iterator[dict[str, Array]]:
    """Points of one distribution, then with one for each variable, and some near a point."""
    for number in range(first, first + TRIES):
        if near and number % 4 == 3:
            yield {name: _rounded(_beside(value, rng)) for name, value in near.items()}
            continue
        alike = number < 2 * len(_DRAWS)
        draw = _DRAWS[number % len(_DRAWS)]
        point = {}
        for name, shape in shapes.items():
            own = draw if alike else _DRAWS[rng.integers(len(_DRAWS))]
            point[name] = _rounded(own(rng, shape))
        yield point


def _beside(value: Array, rng: np.random.Generator) -> Array:
    found: Array = value + 0.2 * rng.uniform(-1, 1, value.shape) * (abs(value) + 0.1)
    return found


def _rounded(values: Any) -> Array:
    """Values of few digits."""
    array = np.asarray(values)
    found = [float(f"{value:.{DIGITS}g}") for value in array.ravel().tolist()]
    return np.array(found).reshape(array.shape)


def is_regular(outputs: Sequence[Tensor], leaves: Sequence[Tensor]) -> bool:
    """Whether values are finite, and their gradient with respect to leaves; it keeps the graph.

    Raises:
        Exception: whatever backward raises.
    """
    if not all(np.isfinite(output._array).all() for output in outputs):
        return False
    weights = zip(outputs, weights_of(outputs), strict=True)
    pairs = [(end, weight) for end, weight in weights if end.requires_grad]
    if not pairs or not leaves:
        return True
    ends = [end for end, _ in pairs]
    seeds = [wrap(np.asarray(weight, end._array.dtype)) for end, weight in pairs]
    slopes = grad(ends, list(leaves), seeds, retain_graph=True, allow_unused=True)
    return all(slope is None or np.isfinite(slope._array).all() for slope in slopes)


def weights_of(outputs: Sequence[Tensor]) -> list[Array]:
    """Weights that tell all elements of outputs apart; one for one element."""
    count = sum(output.numel() for output in outputs)
    numbers = np.ones(1) if count == 1 else 1.0 + np.modf(np.arange(1.0, 1 + count) * _GOLDEN)[0]
    found = []
    for output in outputs:
        part, numbers = numbers[: output.numel()], numbers[output.numel() :]
        found.append(part.reshape(tuple(output.shape)))
    return found

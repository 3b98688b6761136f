"""What programs find in Python's `random`: CPython's streams, in an instance of their own."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.afresh import undone_by
from gradcli.language.allowed.limits import bounded, check_bits, check_items, len_of
from gradcli.tensor.classes import token_of
from gradcli.tensor.public import REGISTRY, Public

_stream: Final = random.Random()
undone_by(lambda: _stream.seed(0))

FREE: Final = (
    "betavariate expovariate gammavariate gauss getstate lognormvariate normalvariate "
    "paretovariate randint random randrange seed setstate shuffle triangular uniform "
    "vonmisesvariate weibullvariate"
)
"""Methods that make nothing large."""


def getrandbits(stream: random.Random, k: Any, /) -> int:
    """`random.getrandbits(k)`."""
    if type(k) is int:
        check_bits(k)
    return stream.getrandbits(k)


def _listed(values: Any) -> Any:
    """A population that is drawn from; one that must be copied is no giant."""
    if type(values) is range:
        len_of(values)
        return values
    return bounded(values)


def choice(stream: random.Random, seq: Any) -> Any:
    """`random.choice(seq)`."""
    return stream.choice(seq)


def choices(
    stream: random.Random,
    population: Any,
    weights: Any = None,
    *,
    cum_weights: Any = None,
    k: Any = 1,
) -> list[Any]:
    """`random.choices(population, k=k)`."""
    if type(k) is int:
        check_items(k)
    given = None if weights is None else list(bounded(weights))
    return stream.choices(population, given, cum_weights=cum_weights, k=k)


def sample(stream: random.Random, population: Any, k: Any, *, counts: Any = None) -> list[Any]:
    """`random.sample(population, k)`."""
    if type(k) is int:
        check_items(k)
    return stream.sample(_listed(population), k, counts=counts)


GUARDS: Final[dict[str, Callable[..., Any]]] = {
    "choice": choice,
    "choices": choices,
    "getrandbits": getrandbits,
    "sample": sample,
}
"""Methods that could; they take the stream first."""

REGISTRY[random.Random] = Public(FREE.split(), guards=GUARDS, name="random.Random")


def _bound(guard: Callable[..., Any]) -> Any:
    return guard.__get__(_stream)


MEMBERS: Final[dict[str, Any]] = {
    **{name: getattr(_stream, name) for name in FREE.split()},
    **{name: _bound(guard) for name, guard in GUARDS.items()},
    "Random": token_of(random.Random, random.Random),
}
"""By name."""

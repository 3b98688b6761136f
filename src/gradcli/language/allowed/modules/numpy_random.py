"""What programs find in `numpy.random`: NumPy's streams, in an instance of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.language.allowed.afresh import undone_by
from gradcli.language.allowed.modules.numpy_calls import (
    Sizes,
    by_lengths,
    count,
    face,
    given,
    together,
)
from gradcli.tensor.arrays import Numbers
from gradcli.tensor.classes import token_of
from gradcli.tensor.public import public
from gradcli.tensor.tensor import Tensor

DRAWS: Final = (
    "beta binomial chisquare choice exponential gamma geometric gumbel laplace logistic lognormal "
    "multinomial multivariate_normal normal pareto permutation poisson rayleigh standard_cauchy "
    "standard_exponential standard_gamma standard_normal standard_t triangular uniform vonmises "
    "weibull"
)
"""What both kinds of streams draw."""

OLD: Final = f"{DRAWS} rand randint randn random random_sample"
NEW: Final = f"{DRAWS} integers permuted random"


def _first(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """The elements of an answer: `size` is the only, the second or the third argument."""
    sizes = [value for value in arguments[:1] if isinstance(value, (int, tuple))]
    sizes += [value for value in arguments[1:4] if isinstance(value, (int, tuple))]
    return max([together(arguments, named), *map(count, sizes)])


_WITHOUT: Final = ("randint", "integers", "binomial", "poisson", "geometric")
"""What takes integers that say nothing about the size."""


def _chosen(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of `choice`, which draws without putting back from all that there are."""
    names = ("a", "size", "replace")
    values = {**dict(zip(names, arguments, strict=False)), **named}
    drawn = together((), {"size": values.get("size")})
    return drawn if values.get("replace", True) else max(drawn, count(values.get("a")))


SIZES: Final[dict[str, Sizes]] = {
    "rand": by_lengths,
    "randn": by_lengths,
    "permutation": _first,
    "choice": _chosen,
}


def _size_of(name: str) -> Sizes:
    if name in _WITHOUT:
        return lambda arguments, named: together(
            arguments, {**named, **dict(zip(("_", "__", "size"), arguments, strict=False))}
        )
    return SIZES.get(name, _first)


def shuffled(stream: Any, values: Any) -> None:
    """`stream.shuffle(values)`, in place: an array's memory, or a list itself."""
    stream.shuffle(given(values) if isinstance(values, (Numbers, Tensor)) else values)


def _reader(names: str) -> Callable[[Stream, str], Any]:
    known = frozenset(names.split())

    def read(stream: Stream, name: str) -> Any:
        if name not in known:
            raise AttributeError(f"'{type(stream).__name__}' object has no attribute '{name}'")
        if name == "shuffle":
            return lambda values, /: shuffled(stream.inner, values)
        return face(name, getattr(stream.inner, name), _size_of(name))

    return read


class Stream:
    """A stream of random numbers."""

    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner


@public(reader=_reader(f"{OLD} seed shuffle"), name="numpy.random.mtrand.RandomState")
class OldStream(Stream):
    """`numpy.random.RandomState(seed)`."""

    __slots__ = ()

    def __init__(self, seed: Any = None) -> None:
        super().__init__(np.random.RandomState(given(seed)))

    def __repr__(self) -> str:
        return "RandomState(MT19937)"


@public(reader=_reader(f"{NEW} shuffle"), name="numpy.random._generator.Generator")
class NewStream(Stream):
    """`numpy.random.default_rng(seed)`."""

    __slots__ = ()

    def __init__(self, seed: Any = None) -> None:
        super().__init__(np.random.default_rng(given(seed)))

    def __repr__(self) -> str:
        return "Generator(PCG64)"


_stream: Final = OldStream()
undone_by(lambda: _stream.inner.seed(0))


def shuffle(values: Any, /) -> None:
    """`numpy.random.shuffle(values)`."""
    shuffled(_stream.inner, values)


def default_rng(seed: Any = None) -> NewStream:
    """`numpy.random.default_rng(seed)`."""
    return seed if isinstance(seed, NewStream) else NewStream(seed)


MEMBERS: Final[dict[str, Any]] = {
    **{name: face(name, getattr(_stream.inner, name), _size_of(name)) for name in OLD.split()},
    "Generator": token_of(NewStream),
    "RandomState": token_of(OldStream, OldStream),
    "default_rng": default_rng,
    "seed": face("seed", _stream.inner.seed),
    "shuffle": shuffle,
}
"""By name."""

"""What programs find in Python's `itertools`: iterators that the clock and Ctrl-C stop.

Python's own go on in C as long as they are asked, and one inside the other as deep as they are
nested. Here each step is one of Python's, so it is counted, and looks at the clock.
"""

from __future__ import annotations

import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from gradcli.language.allowed.limits import bounded, check_items
from gradcli.language.allowed.operators import COMPARISONS, add
from gradcli.tensor.clock import clock
from gradcli.tensor.nesting import too_large
from gradcli.tensor.public import admit, public

_NOTHING: Final[Any] = object()

SHORT: Final = 8
"""Elements of a tuple that is made without asking for memory."""

MAX_DRAWN: Final = 10_000
"""Iterators that `tee` makes at once."""


@public(name=lambda values: f"itertools.{values.name}")
class Steps:
    """An iterator.

    Attributes:
        name: of the function that made it.
        values: what it gives.
    """

    __slots__ = ("name", "values")

    def __init__(self, name: str, values: Iterator[Any]) -> None:
        self.name = name
        self.values = values

    def __iter__(self) -> Steps:
        return self

    def __next__(self) -> Any:
        clock.check()
        return next(self.values)


def _count(start: Any = 0, step: Any = 1) -> Iterator[Any]:
    while True:
        yield start
        start = add(start, step)


def _cycle(iterable: Any) -> Iterator[Any]:
    saved = []
    for value in iterable:
        saved.append(value)
        if not len(saved) & 0xFFFF:
            check_items(len(saved))
        yield value
    while saved:
        yield from saved


def _repeat(object: Any, times: int | None = None) -> Iterator[Any]:
    if times is None:
        while True:
            yield object
    for _ in range(times):
        yield object


def _accumulate(iterable: Any, func: Any = None, *, initial: Any = None) -> Iterator[Any]:
    combine = add if func is None else admit(func)
    values = iter(iterable)
    total = next(values, _NOTHING) if initial is None else initial
    if total is _NOTHING:
        return
    yield total
    for value in values:
        total = combine(total, value)
        yield total


def _chain(*iterables: Any) -> Iterator[Any]:
    for values in iterables:
        yield from values


def _flattened(iterables: Any, /) -> Iterator[Any]:
    for values in iterables:
        yield from values


def _compress(data: Any, selectors: Any) -> Iterator[Any]:
    for value, selected in zip(data, selectors, strict=False):
        if selected:
            yield value


def _takewhile(predicate: Any, iterable: Any, /) -> Iterator[Any]:
    holds = admit(predicate)
    for value in iterable:
        if not holds(value):
            return
        yield value


def _dropwhile(predicate: Any, iterable: Any, /) -> Iterator[Any]:
    holds = admit(predicate)
    values = iter(iterable)
    for value in values:
        if not holds(value):
            yield value
            break
    yield from values


def _filterfalse(predicate: Any, iterable: Any, /) -> Iterator[Any]:
    holds = bool if predicate is None else admit(predicate)
    for value in iterable:
        if not holds(value):
            yield value


def _starmap(function: Any, iterable: Any, /) -> Iterator[Any]:
    call = admit(function)
    for arguments in iterable:
        yield call(*bounded(arguments))


def _islice(iterable: Any, /, *bounds: Any) -> Iterator[Any]:
    chosen = slice(*bounds)
    for bound in (chosen.start, chosen.stop):
        if bound is not None and (type(bound) is not int or not 0 <= bound <= sys.maxsize):
            what = "Stop argument" if len(bounds) == 1 else "Indices"
            words = f"{what} for islice() must be None or an integer: 0 <= x <= sys.maxsize."
            raise ValueError(words)
    if chosen.step is not None and (type(chosen.step) is not int or chosen.step < 1):
        raise ValueError("Step for islice() must be a positive integer or None.")
    return _sliced(iter(iterable), chosen.start or 0, chosen.stop, chosen.step or 1)


def _sliced(values: Iterator[Any], start: int, stop: int | None, step: int) -> Iterator[Any]:
    place = 0
    while stop is None or place < stop:
        value = next(values, _NOTHING)
        if value is _NOTHING:
            return
        if place >= start and not (place - start) % step:
            yield value
        place += 1


def _zip_longest(*iterables: Any, fillvalue: Any = None) -> Iterator[Any]:
    left = {place: iter(values) for place, values in enumerate(iterables)}
    while True:
        row = [fillvalue] * len(iterables)
        for place, values in list(left.items()):
            value = next(values, _NOTHING)
            if value is _NOTHING:
                del left[place]
            else:
                row[place] = value
        if not left:
            return
        yield tuple(row)


def _pairwise(iterable: Any, /) -> Iterator[Any]:
    values = iter(iterable)
    for before in values:
        for value in values:
            yield before, value
            before = value


def _groupby(iterable: Any, key: Any = None) -> Iterator[Any]:
    of = (lambda value: value) if key is None else admit(key)
    values = iter(iterable)
    waiting: list[tuple[Any, Any]] = []

    def group(wanted: Any, first: Any) -> Iterator[Any]:
        yield first
        for value in values:
            found = of(value)
            if COMPARISONS["!="](found, wanted):
                waiting.append((found, value))
                return
            yield value

    for value in values:
        waiting.append((of(value), value))
        while waiting:
            found, first = waiting.pop()
            inner = Steps("_grouper", group(found, first))
            yield found, inner
            deque(inner, 0)  # what nobody took of it


def _tuples(tuples: Iterable[tuple[Any, ...]], length: int) -> Iterator[Any]:
    """Tuples of a length, for which there must be memory."""
    check_items(length, "tuple")
    for made in tuples:
        if length > SHORT:
            check_items(length, "tuple")
        yield made


def _pool(values: Any) -> tuple[Any, ...]:
    return tuple(bounded(values, "tuple"))


def _product(*iterables: Any, repeat: int = 1) -> Iterator[Any]:
    pools = [_pool(values) for values in iterables]
    length = len(pools) * max(0, repeat)
    check_items(length, "tuple")
    return _tuples(itertools.product(*pools, repeat=repeat), length)


def _choices(function: Callable[..., Any]) -> Callable[..., Iterator[Any]]:
    def choose(iterable: Any, r: Any = None) -> Iterator[Any]:
        pool = _pool(iterable)
        if r is None and function is not itertools.permutations:
            raise TypeError(f"{function.__name__}() missing required argument 'r' (pos 2)")
        length = len(pool) if r is None else r
        if type(length) is int:
            check_items(max(0, length), "tuple")
        return _tuples(function(pool, length), length)

    return choose


class _Shared:
    """Values that several iterators take, each at its own pace."""

    def __init__(self, values: Iterator[Any], count: int) -> None:
        self.values = values
        self.waiting: list[deque[Any]] = [deque() for _ in range(count)]

    def taken(self, own: deque[Any]) -> Iterator[Any]:
        while True:
            if not own:
                value = next(self.values, _NOTHING)
                if value is _NOTHING:
                    return
                for each in self.waiting:
                    each.append(value)
                if not len(max(self.waiting, key=len)) & 0xFFFF:
                    check_items(len(own))
            yield own.popleft()


def tee(iterable: Any, n: int = 2, /) -> tuple[Steps, ...]:
    """`itertools.tee(iterable, n)`."""
    if n < 0:
        raise ValueError("n must be >= 0")
    if n > MAX_DRAWN:
        raise too_large(f"{n} iterators")
    shared = _Shared(iter(iterable), n)
    return tuple([Steps("_tee", shared.taken(own)) for own in shared.waiting])


@public("__name__", name="type", label="type", calls=True)
class Maker:
    """A function that makes iterators, which is a class in Python."""

    __slots__ = ("__name__", "make")

    def __init__(self, name: str, make: Callable[..., Iterator[Any]]) -> None:
        self.__name__ = name
        self.make = make

    def __call__(self, /, *arguments: Any, **named: Any) -> Steps:
        try:
            return Steps(self.__name__, self.make(*arguments, **named))
        except TypeError as error:
            raise TypeError(str(error).replace(self.make.__name__, self.__name__)) from None

    def __repr__(self) -> str:
        return f"<class 'itertools.{self.__name__}'>"


@public("from_iterable", calls=True)
class Chain(Maker):
    """`itertools.chain`, which has another way to be called."""

    __slots__ = ()

    @staticmethod
    def from_iterable(iterables: Any, /) -> Steps:
        """`itertools.chain.from_iterable(iterables)`."""
        return Steps("chain", _flattened(iter(iterables)))


MEMBERS: Final[dict[str, Any]] = {
    **{
        function.__name__[1:]: Maker(function.__name__[1:], function)
        for function in (
            *(_accumulate, _compress, _count, _cycle, _dropwhile, _filterfalse, _groupby),
            *(_islice, _pairwise, _product, _repeat, _starmap, _takewhile, _zip_longest),
        )
    },
    **{
        function.__name__: Maker(function.__name__, _choices(function))
        for function in (
            *(itertools.combinations, itertools.combinations_with_replacement),
            itertools.permutations,
        )
    },
    "chain": Chain("chain", _chain),
    "tee": tee,
}
"""By name."""

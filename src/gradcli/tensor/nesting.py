"""How much nested collections hold.

Forty lists, each of which holds the one before twice, are small in memory and giants for whoever
goes through them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Final

from gradcli.tensor.guard import final

MAX_ITEMS: Final = 10_000_000
"""Elements of a list, tuple, set or dict, and of all that it holds where that is gone through."""

CONTAINERS: Final[set[type]] = {list, tuple, dict, set, frozenset}
"""Types whose values hold others; whoever brings another of the kind enters it."""

HOLDERS: Final[dict[type, Callable[[Any], Any]]] = {}
"""Types of objects that may keep a value of one of Python's types, and what gives that, or else
the object itself.
"""

_NOTHING: Final[dict[Any, Any]] = {}
_ITEMS: Final = type(_NOTHING.items())
VIEWS: Final = frozenset((type(_NOTHING.keys()), type(_NOTHING.values()), _ITEMS))

COMPOUND: Final[set[type]] = CONTAINERS | VIEWS | {slice}
"""Types whose values are compared by comparing what they hold; the same holds."""

_SHORT: Final = frozenset((int, float, complex, bool, type(None)))
"""Types of values that hold nothing."""


def too_large(what: str) -> OverflowError:
    """The error of a value that would be too large."""
    return final(OverflowError(f"result too large: {what}"))


def plain(value: Any) -> Any:
    """A value of one of Python's types in the place of an object that keeps it."""
    holder = HOLDERS.get(type(value))
    return value if holder is None else holder(value)


def parts_of(value: Any) -> Collection[Any]:
    """What is written out, compared or gone through with a value, because the value holds it."""
    kind = type(value)
    if kind in CONTAINERS:
        return [*value.keys(), *value.values()] if isinstance(value, dict) else value
    if kind is slice:
        return (value.start, value.stop, value.step)
    if kind in VIEWS:  # the pairs of a dict are made anew each time
        return [part for pair in value for part in pair] if kind is _ITEMS else list(value)
    if isinstance(value, BaseException):
        return value.args
    if kind in HOLDERS and (kept := HOLDERS[kind](value)) is not value:
        return parts_of(kept)
    return value if isinstance(value, tuple) else ()


def length_of(value: Any) -> int:
    """What a value without parts counts beside itself: the characters of a string."""
    return len(value) if type(value) is str else 0


class _Open:
    """A collection that is being gone through.

    Attributes:
        waiting: the parts that may hold others.
        count, depth: of what was gone through so far.
        ends: whether nothing that is open was met again inside it.
    """

    __slots__ = ("count", "depth", "ends", "key", "waiting")

    def __init__(self, value: Any, count: int, waiting: list[Any]) -> None:
        self.key = id(value)
        self.count = count
        self.depth = 1
        self.ends = True
        self.waiting = waiting


def unfolded(
    value: Any,
    most: int = MAX_ITEMS,
    parts: Callable[[Any], Collection[Any]] = parts_of,
    length: Callable[[Any], int] = length_of,
) -> tuple[int, int]:
    """How many elements a value holds, counted as often as they are held, and in how many levels.

    What holds itself ends where it is met again, as where Python writes it out.

    Args:
        value: anything.
        most: more than that is not counted on: the answer is then some larger number. What holds
            itself is not gone through in more steps either.
        parts: what a value holds.
        length: what a value counts that holds nothing.
    """
    known: dict[int, tuple[int, int]] = {}
    within: set[int] = set()
    steps = 0
    path = [_Open(None, 0, [value])]
    while True:
        top = path[-1]
        if top.count > most or steps > most:
            return most + 1, len(path) - 1
        if not top.waiting:
            path.pop()
            if not path:
                return top.count, top.depth - 1
            within.discard(top.key)
            if top.ends:  # what does not is another thing from inside than from outside
                known[top.key] = top.count, top.depth
            outer = path[-1]
            outer.count += top.count
            outer.depth = max(outer.depth, 1 + top.depth)
            outer.ends = outer.ends and top.ends
            continue
        part = top.waiting.pop()
        key = id(part)
        if key in known:
            count, depth = known[key]
            top.count += count
            top.depth = max(top.depth, 1 + depth)
        elif key in within:
            top.ends = False
        elif inner := parts(part):
            waiting = [each for each in inner if type(each) not in _SHORT]
            if waiting:
                steps += 1
                within.add(key)
                path.append(_Open(part, len(inner), waiting))
            else:
                top.count += len(inner)
                top.depth = max(top.depth, 2)
        else:
            top.count += length(part)


def is_compound(values: Iterable[Any]) -> bool:
    """Whether any of the values is compared by comparing what it holds."""
    return not COMPOUND.isdisjoint(map(type, values))


def check_unfolded(value: Any, what: str, length: Callable[[Any], int] = length_of) -> None:
    """Refuses to go through what holds more than `MAX_ITEMS` elements, counted as `unfolded` does.

    Raises:
        OverflowError: about `what`.
    """
    if unfolded(value, length=length)[0] > MAX_ITEMS:
        raise too_large(what)

"""How large a value may become: refused before memory is taken.

An untrusted text must not be able to fill the memory with one operator, so whatever makes a value
much larger than its operands asks here first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from operator import length_hint
from typing import Any, Final

from gradcli.tensor.memory import budget
from gradcli.tensor.nesting import (
    COMPOUND,
    MAX_ITEMS,
    check_unfolded,
    is_compound,
    parts_of,
    too_large,
    unfolded,
)
from gradcli.tensor.public import REGISTRY, admit, has_model, supports

MAX_COMPARED: Final = 100_000_000
"""Elements that one comparison of collections may come across."""

MAX_TEXT: Final = 10_000_000
"""Characters of a string."""

MAX_BITS: Final = 1 << 20
"""Bits of an integer: some 300,000 digits."""

MAX_WIDTH: Final = 1_000_000
"""Width or precision of a format."""

FINITE: Final = frozenset((list, tuple, dict, set, frozenset, str))
"""Types whose values are in memory already."""

HASHED_INSIDE: Final = (tuple, slice, frozenset)
"""Types whose values are hashed by hashing what they hold."""

HASHED: Final = (set, frozenset, dict, str, range)
"""Types whose elements have been hashed already, or are nothing that holds others."""

MAX_MODULAR_BITS: Final = 4096
"""Bits of the operands of `pow` with three arguments."""

MAX_NESTING: Final = 5000
"""Levels of what Python's own code walks through without counting, such as tuples to be hashed."""

MAX_SLICES: Final = 200
"""Levels of slices in slices; they are counted anew for each."""

REFERENCE: Final = 8
"""Bytes that a collection takes for an element."""

NUMBER = re.compile(r"\d{7,}")


def check_items(count: int, kind: str = "list") -> None:
    """Refuse a collection of `count` elements."""
    if count > MAX_ITEMS or not budget.allows(count * REFERENCE):
        raise too_large(f"a {kind} of {count} elements")


def check_text(count: int) -> None:
    """Refuse a string of `count` characters."""
    if count > MAX_TEXT or not budget.allows(count):
        raise too_large(f"a string of {count} characters")


def check_bits(count: int) -> None:
    """Refuse an integer of `count` bits."""
    if count > MAX_BITS:
        raise too_large(f"an integer of {count} bits")


def check_width(spec: str) -> None:
    """Refuse a format specification with a giant width or precision."""
    for found in NUMBER.findall(spec):
        if len(found) > 19 or int(found) > MAX_WIDTH:
            raise too_large(f"a format {found} characters wide")


def len_of(values: range) -> int:
    """The length of a range, also where `len` cannot tell it."""
    first, last, step = values.start, values.stop, values.step
    return max(0, (last - first + step - (1 if step > 0 else -1)) // step)


def bounded(values: Any, kind: str = "list") -> Any:
    """Something to iterate over that ends: `values` itself, or an iterator that gives up at
    `MAX_ITEMS`.

    Raises:
        OverflowError: `values` knows its length and it is too large.
        TypeError: as `iter(values)`.
    """
    if type(values) in FINITE:
        return values
    if type(values) is range:
        check_items(len_of(values), kind)
        return values
    if has_model(values):
        iterator = iter(values)
        if supports(values, "__len__"):
            check_items(length_hint(values), kind)
        return counted(iterator, kind)
    if hasattr(values, "__len__"):
        check_items(length_hint(values), kind)  # of what has no length, 0
        return values
    return counted(iter(values), kind)


def counted(values: Iterator[Any], kind: str) -> Iterator[Any]:
    """The same values, with an error after `MAX_ITEMS`."""
    for count, value in enumerate(values):
        if count >= MAX_ITEMS:
            raise too_large(f"a {kind} of more than {MAX_ITEMS} elements")
        yield value


def check_printable(value: Any) -> None:
    """Refuse to write out a collection whose text would be a giant."""
    if not isinstance(value, str | int | float):
        check_unfolded(value, "the text of a collection")


def check_comparable(left: Any, right: Any, times: int = 1) -> None:
    """Refuse to compare collections both of which hold too much, `times` times."""
    most = MAX_COMPARED // max(1, times)
    if unfolded(left, most)[0] > most and unfolded(right, MAX_COMPARED)[0] > MAX_COMPARED:
        raise too_large("a comparison of nested collections")


def comparable(values: Any) -> Any:
    """The same values, each of which may be compared with the others (see `check_comparable`)."""
    if type(values) in FINITE and not is_compound(values):
        return values
    return map(compared, values)


def compared(value: Any) -> Any:
    """The value, if it may be compared."""
    if type(value) in COMPOUND:
        check_comparable(value, value)
    return value


def by_compared_key(function: Any) -> Callable[[Any], Any]:
    """A program's function by which an order goes."""
    key = admit(function)
    return lambda value: compared(key(value))


def _hashed_parts(value: Any) -> Collection[Any]:
    if not isinstance(value, HASHED_INSIDE):
        return ()
    return [part for part in parts_of(value) if isinstance(part, HASHED_INSIDE)]


def check_hashable(value: Any) -> None:
    """Refuse to hash tuples and the like that are nested too deep, or that hold each other too
    often: Python's own code does not count its steps there.

    Raises:
        RecursionError: they are nested deeper than `MAX_NESTING`.
        OverflowError: there are more than `MAX_ITEMS` of them, counted as often as they are held.
    """
    if not isinstance(value, HASHED_INSIDE) or not _hashed_parts(value):
        return
    count, depth = unfolded(value, parts=_hashed_parts)
    if depth > MAX_NESTING:
        raise RecursionError("maximum recursion depth exceeded while hashing an object")
    if count > MAX_ITEMS:
        raise too_large("a hash of nested tuples")


def hashables(values: Any, kind: str = "set") -> Any:
    """Something to iterate over whose elements can be hashed (see `check_hashable`).

    `values` itself where they have been hashed already; errors as `bounded`.
    """
    values = bounded(values, kind)
    return values if isinstance(values, HASHED) else map(_hashable, values)


def hashable_pairs(values: Any) -> Any:
    """The same of pairs, as they make a dict, of which the firsts are hashed."""
    if isinstance(values, dict):
        return values
    if is_programs_mapping(values):
        return [(_hashable(key), values[key]) for key in bounded(mapping_keys(values), "dict")]
    return map(_hashable_pair, bounded(values, "dict"))


def is_programs_mapping(value: Any) -> bool:
    """Whether an object of a program says which keys it has."""
    return has_model(value) and supports(value, "keys")


def mapping_keys(value: Any) -> Any:
    """What `value.keys()` gives of an object of a program."""
    return REGISTRY[type(value)].model.read(value, "keys")()  # type: ignore[union-attr]


def _hashable(value: Any) -> Any:
    check_hashable(value)
    return value


def _hashable_pair(pair: Any) -> Any:
    if not isinstance(pair, (list, tuple, str)) and supports(pair, "__iter__"):
        pair = tuple(bounded(pair, "tuple"))
    if pair and isinstance(pair, (list, tuple)):
        check_hashable(pair[0])
    return pair


def check_nesting(value: Any, kind: type) -> None:
    """Refuse to nest one more slice in slices that are `MAX_SLICES` deep.

    Raises:
        RecursionError: they are.
    """

    def inner(item: Any) -> Collection[Any]:
        return [part for part in parts_of(item) if type(part) is kind]

    count, depth = unfolded(value, MAX_NESTING, inner)
    if depth >= MAX_SLICES or count > MAX_NESTING:
        raise RecursionError("maximum recursion depth exceeded")


def joined_length(separator: str, parts: Iterable[Any]) -> int:
    """Characters of the parts joined; what is no string counts nothing."""
    lengths = [len(part) for part in parts if isinstance(part, str)]
    return sum(lengths) + len(separator) * max(0, len(lengths) - 1)

"""How large a value may become: refused before memory is taken.

An untrusted text must not be able to fill the memory with one operator, so whatever makes a value
much larger than its operands asks here first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

MAX_ITEMS: Final = 10_000_000
"""Elements of a list, tuple, set or dict."""

MAX_TEXT: Final = 10_000_000
"""Characters of a string."""

MAX_BITS: Final = 1 << 20
"""Bits of an integer: some 300,000 digits."""

MAX_WIDTH: Final = 1_000_000
"""Width or precision of a format."""

FINITE: Final = frozenset((list, tuple, dict, set, frozenset, str))
"""Types whose values are in memory already."""

CONTAINERS: Final = frozenset((list, tuple, dict, set, frozenset))

MAX_MODULAR_BITS: Final = 4096
"""Bits of the operands of `pow` with three arguments."""

NUMBER = re.compile(r"\d{7,}")


def too_large(what: str) -> OverflowError:
    """The error of a value that would be too large."""
    return OverflowError(f"result too large: {what}")


def check_items(count: int, kind: str = "list") -> None:
    """Refuse a collection of `count` elements."""
    if count > MAX_ITEMS:
        raise too_large(f"a {kind} of {count} elements")


def check_text(count: int) -> None:
    """Refuse a string of `count` characters."""
    if count > MAX_TEXT:
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
        first, last, step = values.start, values.stop, values.step
        check_items(max(0, (last - first + step - (1 if step > 0 else -1)) // step), kind)
        return values
    if hasattr(values, "__len__"):
        return values
    return counted(iter(values), kind)


def counted(values: Iterator[Any], kind: str) -> Iterator[Any]:
    """The same values, with an error after `MAX_ITEMS`."""
    for count, value in enumerate(values):
        if count >= MAX_ITEMS:
            raise too_large(f"a {kind} of more than {MAX_ITEMS} elements")
        yield value


def check_printable(value: Any) -> None:
    """Refuse to write out a collection whose text would be a giant.

    Forty lists, each of which holds the one before twice, are small in memory and not on paper.
    """
    if type(value) not in CONTAINERS:
        return
    count = 0
    waiting = [value]
    while waiting:
        items = waiting.pop()
        if type(items) is dict:
            items = [*items.keys(), *items.values()]
        count += len(items)
        for item in items:
            if type(item) in CONTAINERS:
                waiting.append(item)
            elif type(item) is str:
                count += len(item)
        if count > MAX_TEXT:
            raise too_large("the text of a collection")


def joined_length(separator: str, parts: Iterable[Any]) -> int:
    """Characters of the parts joined; what is no string counts nothing."""
    lengths = [len(part) for part in parts if isinstance(part, str)]
    return sum(lengths) + len(separator) * max(0, len(lengths) - 1)

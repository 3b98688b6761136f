"""Work on rows a block at a time, so that what a step leaves is in the cache for the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

LARGE: Final = 1 << 20
"""Elements up to which blocks gain nothing."""

_BLOCK: Final = 1 << 17
"""About so many elements are in a block."""


def row_blocks(rows: int, length: int) -> Iterator[slice]:
    """Ranges of rows of a length that together fit the cache; all in one if they are few."""
    count = max(1, rows if rows * length <= LARGE else _BLOCK // length)
    for start in range(0, rows, count):
        yield slice(start, start + count)

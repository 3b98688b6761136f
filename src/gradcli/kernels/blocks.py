"""Work on rows a block at a time, so that what a step leaves is in the cache for the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

BLOCK: Final = 1 << 17
"""About so many elements are in a block."""


def row_blocks(rows: int, length: int) -> Iterator[slice]:
    """Ranges of rows of a length that together have about `BLOCK` elements."""
    count = max(1, BLOCK // max(1, length))
    for start in range(0, rows, count):
        yield slice(start, start + count)

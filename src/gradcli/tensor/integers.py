"""Integers of programs, which have 64 bits where PyTorch takes them."""

from __future__ import annotations

from operator import index
from typing import Any, Final

LEAST: Final = -(1 << 63)
MOST: Final = (1 << 63) - 1
MOST_UNSIGNED: Final = (1 << 64) - 1
OVERFLOW: Final = "Overflow when unpacking long long"


def index64(value: Any) -> int:
    """A whole number, as a size or a position is one.

    Raises:
        TypeError: it is none.
        ValueError: it has more than 64 bits.
    """
    number = index(value)
    if not LEAST <= number <= MOST:
        raise ValueError(OVERFLOW)
    return number


def refuse_number(value: int) -> None:
    """Raises OverflowError for an integer that is no operand."""
    if value > MOST_UNSIGNED:
        raise OverflowError("int too big to convert")
    if value < LEAST:
        raise OverflowError("can't convert negative int to unsigned")

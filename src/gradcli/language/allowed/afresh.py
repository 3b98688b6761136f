"""What a program changes in modules for the rest of the process, and how a batch undoes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_UNDOING: Final[list[Callable[[], object]]] = []


def undone_by(function: Callable[[], object]) -> None:
    """Has a function called before each record of a batch; modules enter theirs when they are
    imported.
    """
    _UNDOING.append(function)


def start_afresh() -> None:
    """Undoes what programs have changed."""
    for function in _UNDOING:
        function()

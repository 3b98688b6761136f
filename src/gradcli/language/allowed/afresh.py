"""What a program changes in modules for the rest of the process, and how a batch undoes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final


class _Changes:
    """Attributes:
    undoing: functions that undo what programs have changed.
    undone: whether each record finds the modules as they are at first.
    """

    def __init__(self) -> None:
        self.undoing: list[Callable[[], object]] = []
        self.undone = False


_changes: Final = _Changes()


def undone_by(function: Callable[[], object]) -> None:
    """Has a function called before each record of a batch, and now if one is being answered;
    modules enter theirs when they are imported.
    """
    _changes.undoing.append(function)
    if _changes.undone:
        function()


def start_afresh() -> None:
    """Undoes what programs have changed."""
    _changes.undone = True
    for function in _changes.undoing:
        function()

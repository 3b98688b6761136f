"""What is wrong with a table."""

from __future__ import annotations

from typing import Any


class TableError(ValueError):
    """A table cannot be read; the message goes on after its name, and `hint` is the way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class MisuseError(Exception):
    """A formula and a table do not fit together; `diagnostic` says where in a text."""

    def __init__(self, message: str = "", hint: str = "", diagnostic: Any = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.diagnostic = diagnostic

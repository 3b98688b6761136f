"""Errors that no program may catch: what its limits and the language's borders raise.

A program that could go on after `stopped after 3 s` would have no limit, and one that could go on
after a refusal would answer something else than Python does, without a word.
"""

from __future__ import annotations

from typing import TypeVar

from gradcli.tensor.clock import LimitError

Error = TypeVar("Error", bound=BaseException)


def final(error: Error) -> Error:
    """The error, which now ends the program whatever that catches."""
    error.final = True  # type: ignore[attr-defined]
    return error


def is_final(error: BaseException) -> bool:
    """Whether an error ends a program whatever that catches.

    What is no `Exception`, such as Ctrl-C, is never the program's own (see
    `gradcli.language.allowed.exceptions.Carrier`); memory that Python itself could not get is gone.
    """
    if isinstance(error, LimitError | MemoryError) or not isinstance(error, Exception):
        return getattr(error, "own", False) is False
    return getattr(error, "final", False) is True

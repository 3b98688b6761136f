"""What goes to the standard error stream, and colour."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import typer

USAGE = 2
SYNTAX = 3
FAILED = 1


class UsageError(Exception):
    """The command line asks for something that makes no sense; `hint` is the way out.

    Without one the help page is named; None says nothing more.
    """

    def __init__(self, message: str, hint: str | None = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


PASSED = (UsageError, typer.Exit)
"""What a command lets pass when it turns errors into reports."""


def wants_color(stream: TextIO) -> bool:
    """Whether a stream is a terminal that may be coloured (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:
        return False


def say(diagnostic: Any) -> None:
    """Writes a diagnostic to the standard error stream."""
    from gradcli.language.telling.diagnostics import render

    # What was answered before comes before the error where both streams end in one place.
    sys.stdout.flush()
    print(render(diagnostic, wants_color(sys.stderr)), file=sys.stderr, flush=True)


def say_usage(error: UsageError, command: str) -> None:
    """Writes a usage error, with its hint or else where help is to be had."""
    from gradcli.language.telling.diagnostics import Diagnostic

    hint = f"see `{command} --help`" if error.hint == "" else error.hint or ""
    say(Diagnostic(error.message, "", hint=hint))


def fail(error: Exception, debug: bool = False) -> typer.Exit:
    """Reports an error of an evaluation; raise what it returns.

    The exit code is 3 where a text does not parse, else 1. `debug` shows Python's traceback first.
    """
    from gradcli.language.telling.diagnostics import ParseError, diagnose

    if debug:
        import traceback

        sys.stdout.flush()
        traceback.print_exception(error)
    say(diagnose(error))
    return typer.Exit(SYNTAX if isinstance(error, ParseError) else FAILED)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Shows a warning as one line without a place in gradcli's own sources."""
    yellow, plain = ("\x1b[33m", "\x1b[0m") if wants_color(sys.stderr) else ("", "")
    sys.stdout.flush()
    print(f"{yellow}warning:{plain} {category.__name__}: {message}", file=sys.stderr, flush=True)

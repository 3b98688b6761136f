"""What goes to the standard error stream, and colour."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from gradcli.process import write_whole

if TYPE_CHECKING:
    from gradcli.language.telling.diagnostics import Place

USAGE = 2
SYNTAX = 3
FAILED = 1


class Exit(Exception):
    """The command is done, and has said all that it has to say.

    Args:
        code: the exit code.
    """

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code


class UsageError(Exception):
    """The command line asks for something that makes no sense; `hint` is the way out.

    Without one the help page is named; None says nothing more.
    """

    def __init__(self, message: str, hint: str | None = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


PASSED = (UsageError, Exit)
"""What a command lets pass when it turns errors into reports."""


def wants_color(stream: TextIO) -> bool:
    """Whether a stream is a terminal that may be coloured (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and can_erase(stream)


def can_erase(stream: TextIO) -> bool:
    """Whether a stream is a terminal that knows more than to print."""
    if os.environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:
        return False


class _Status:
    """A line at the end of what a terminal shows; it goes before anything else is written."""

    is_shown = False

    def show(self, text: str) -> None:
        """Writes the line anew, as much of it as the terminal is wide."""
        if not text:
            return
        try:
            width = os.get_terminal_size(sys.stderr.fileno()).columns
        except (OSError, ValueError):
            width = 0
        sys.stderr.write(f"\r{text[: (width or 80) - 1]}\x1b[K")
        sys.stderr.flush()
        self.is_shown = True

    def erase(self) -> None:
        """Removes the line, if there is one."""
        if self.is_shown:
            self.is_shown = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


status: Final = _Status()


def say(diagnostic: Any) -> None:
    """Writes a diagnostic to the standard error stream."""
    from gradcli.language.telling.diagnostics import render

    status.erase()
    # What was answered before comes before the error where both streams end in one place.
    sys.stdout.flush()
    print(render(diagnostic, wants_color(sys.stderr)), file=sys.stderr, flush=True)


def say_usage(error: UsageError, command: str) -> None:
    """Writes a usage error, with its hint or else where help is to be had."""
    from gradcli.language.telling.diagnostics import Diagnostic

    hint = f"see `{command} --help`" if error.hint == "" else error.hint or ""
    say(Diagnostic(error.message, "", hint=hint))


def fail(error: Exception, debug: bool = False, json: bool = False) -> Exit:
    """Reports an error of an evaluation; raise what it returns.

    The exit code is 3 where a text does not parse, else 1. `debug` shows Python's traceback first,
    `json` answers on the standard output, too.
    """
    from gradcli.language.telling.diagnostics import ParseError, diagnose

    if debug:
        import traceback

        sys.stdout.flush()
        traceback.print_exception(error)
    tell(diagnose(error), json)
    return Exit(SYNTAX if isinstance(error, ParseError) else FAILED)


def tell(diagnostic: Any, json: bool) -> None:
    """Writes a diagnostic to the standard error stream, and as an answer in JSON where asked."""
    if json:
        from gradcli.views.answers import error_fields
        from gradcli.views.jsonout import dumps

        write_whole(dumps({"ok": False, "error": error_fields(diagnostic)}) + "\n")
    say(diagnostic)


def note(notes: Sequence[str], inner: Sequence[str] = ()) -> None:
    """Writes what is to be known about an answer to the standard error stream."""
    cyan, plain = ("\x1b[36m", "\x1b[0m") if notes and wants_color(sys.stderr) else ("", "")
    status.erase()
    for text in (*notes, *inner):
        print(f"{cyan}note:{plain} {text}", file=sys.stderr, flush=True)


def show_warnings() -> None:
    """Shows warnings as Python does from now on, with the program's line rather than gradcli's.

    Each is shown once a place, or once for all (see `Once`); that of an expression has no place.
    """
    shown: set[tuple[str, int]] = set()

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        from gradcli.language.running.place import running_place
        from gradcli.tensor.warn import Once

        place = running_place()
        number = 0 if place is None else place.text.count("\n", 0, place.start) + 1
        known = str(message), 0 if issubclass(category, Once) else number
        if known not in shown:
            shown.add(known)
            status.erase()
            sys.stdout.flush()
            print(_warning(f"{message}", category, place, number), file=sys.stderr, flush=True)

    warnings.showwarning = show
    if not sys.warnoptions:
        warnings.simplefilter("always")


def _warning(message: str, category: type[Warning], place: Place | None, number: int) -> str:
    yellow, plain = ("\x1b[33m", "\x1b[0m") if wants_color(sys.stderr) else ("", "")
    if place is None or place.origin == "expression":
        return f"{yellow}warning:{plain} {category.__name__}: {message}"
    source = place.text.splitlines()[number - 1].strip()
    return f"{place.origin}:{number}: {yellow}{category.__name__}:{plain} {message}\n  {source}"

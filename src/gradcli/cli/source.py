"""Where texts come from: the command line, a file, the standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from gradcli.cli.report import UsageError
from gradcli.cli.streams import reason
from gradcli.language.reading.encoding import EncodingError, decode_utf8
from gradcli.language.telling.diagnostics import Diagnostic, ParseError


class _StandardInput:
    """What can be read once only: `taken` is the stream that somebody reads already."""

    taken: object = None

    def open(self) -> BinaryIO:
        """The standard input.

        Raises:
            UsageError: another argument has it.
        """
        if self.taken is sys.stdin:
            hint = "one argument can have it; others come from files, as @NAME"
            raise UsageError("the standard input is asked for more than once", hint)
        self.taken = sys.stdin
        return sys.stdin.buffer


STDIN: Final = "-"
standard_input: Final = _StandardInput()


def read_bytes(path: str) -> bytes:
    """The contents of a file, or of the standard input for `-`.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        if path == STDIN:
            return standard_input.open().read()
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def read_lines(path: str, longest: int | None = None) -> Iterator[bytes]:
    """The lines of a file, or of the standard input for `-`, each as soon as it is there; of one of
    more than `longest` bytes, one byte more than that.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        if path == STDIN:
            yield from _lines(standard_input.open(), longest)
        else:
            with open(path, "rb") as file:
                yield from _lines(file, longest)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def _lines(file: BinaryIO, longest: int | None) -> Iterator[bytes]:
    if longest is None:
        yield from file
        return
    while line := file.readline(longest + 1):
        rest = line
        while len(rest) > longest and not rest.endswith(b"\n"):
            rest = file.readline(longest + 1)
        yield line


def unreadable(path: str, error: OSError | ValueError) -> UsageError:
    """The complaint about a file that cannot be read."""
    name = "the standard input" if path == STDIN else path or "a file without a name"
    return UsageError(f"cannot read {name}: {reason(error)}", None)


def read_text(path: str) -> str:
    """The text of a file, or of the standard input for `-`, which must be UTF-8.

    Raises:
        UsageError: it cannot be read.
        ParseError: it is not UTF-8.
    """
    return decode(read_bytes(path), origin_of(path))


def origin_of(path: str) -> str:
    """How errors name a file."""
    return "standard input" if path == STDIN else path


def is_notebook(path: str) -> bool:
    """Whether a file's name says that it is a notebook of Jupyter's."""
    return path.lower().endswith(".ipynb")


def decode(data: bytes, origin: str) -> str:
    """UTF-8 as text, without a byte-order mark.

    Raises:
        ParseError: it is not UTF-8.
    """
    try:
        return decode_utf8(data)
    except EncodingError as error:
        message, hint = f"{error} in line {error.line}, column {error.column} of {origin}", ""
        if error.encoding:
            message = f"{origin} is {error}"
            hint = f"convert it: iconv -f {error.encoding} -t UTF-8"
        raise ParseError(Diagnostic("SyntaxError", message, hint=hint)) from None


def check_argument(text: str, origin: str) -> str:
    """A text from the command line, which Python decoded, without a byte-order mark.

    Raises:
        ParseError: it is not UTF-8.
    """
    return decode(text.encode("utf-8", "surrogateescape"), f"the {origin}")

"""Where texts come from: the command line, a file, the standard input."""

from __future__ import annotations

import sys

from gradcli.cli.report import UsageError
from gradcli.language.telling.diagnostics import Diagnostic, ParseError


def read_bytes(path: str) -> bytes:
    """The contents of a file, or of the standard input for `-`.

    Raises:
        UsageError: it cannot be read.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def unreadable(path: str, error: Exception) -> UsageError:
    """The complaint about a file that cannot be read."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return UsageError(f"cannot read {path}: {reason[:1].lower() + reason[1:]}")


def read_text(path: str) -> str:
    """The text of a file, or of the standard input for `-`, which must be UTF-8.

    Raises:
        UsageError: it cannot be read.
        ParseError: it is not UTF-8.
    """
    return decode(read_bytes(path), origin_of(path))


def origin_of(path: str) -> str:
    """How errors name a file."""
    return "standard input" if path == "-" else path


def decode(data: bytes, origin: str) -> str:
    """UTF-8 as text.

    Raises:
        ParseError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise ParseError(
            Diagnostic(
                "SyntaxError",
                f"not UTF-8: byte 0x{data[error.start]:02x} in line {line}, column {column} "
                f"of {origin}",
            )
        ) from None


def check_argument(text: str, origin: str) -> str:
    """A text from the command line, which Python decoded; undecodable bytes are refused.

    Raises:
        ParseError: it is not UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return decode(text.encode("utf-8", "surrogateescape"), f"the {origin}")
    return text

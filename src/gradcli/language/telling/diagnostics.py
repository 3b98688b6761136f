"""Errors as a user sees them: type, message, place, label, hint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gradcli.process import NO_MEMORY
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.memory import no_memory, wanted
from gradcli.tensor.public import word_of

WIDTH = 100
"""Columns of a source line that are shown around the place of an error."""


class Diagnostic:
    """One error.

    `line` and `column` count from 1, in characters; `end_column` is the column after the marked
    text. They are 0 where an error has no place. `source` is the line itself, `origin` the file's
    name or "expression".
    """

    __slots__ = (
        "column",
        "end_column",
        "hint",
        "label",
        "line",
        "message",
        "multiline",
        "origin",
        "source",
        "type",
    )

    def __init__(
        self,
        type: str,
        message: str,
        *,
        line: int = 0,
        column: int = 0,
        end_column: int = 0,
        label: str = "",
        hint: str = "",
        origin: str = "expression",
        source: str = "",
        multiline: bool = False,
    ) -> None:
        self.type = type
        self.message = message
        self.line = line
        self.column = column
        self.end_column = end_column
        self.label = label
        self.hint = hint
        self.origin = origin
        self.source = source
        self.multiline = multiline


class ParseError(Exception):
    """The text is not in the language; `diagnostic` says where and why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Refusal(Exception):
    """Raised while a text is read or compiled; becomes a `ParseError` once the text is known."""

    def __init__(
        self, message: str, start: int, end: int, *, label: str = "", hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.start = start
        self.end = end
        self.label = label
        self.hint = hint


class Place:
    """Where an evaluation failed, kept on the exception.

    Attributes:
        text, start, end: a text and two offsets in it.
        origin: the text's name.
        label: what is written beside the mark.
        suggest: what knows the names that were in force, and so what the error probably meant.
    """

    __slots__ = ("end", "label", "origin", "start", "suggest", "text")

    def __init__(
        self,
        text: str,
        origin: str,
        start: int,
        end: int,
        label: str,
        suggest: Callable[[BaseException], str] | None = None,
    ) -> None:
        self.text = text
        self.origin = origin
        self.start = start
        self.end = end
        self.label = label
        self.suggest = suggest


def _hint_for(message: str, source: str = "", hint: str = "") -> str:
    from gradcli.language.telling.hints import hint_for

    return hint_for(message, source, hint)


def locate(
    type: str,
    message: str,
    text: str,
    origin: str,
    start: int,
    end: int,
    label: str = "",
    hint: str = "",
) -> Diagnostic:
    """The diagnostic of an error in `text[start:end]`; what reaches over a line's end is marked up
    to there.
    """
    start = min(start, len(text))
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    if last < 0:
        last = len(text)
    column = start - first + 1
    source = text[first:last]
    return Diagnostic(
        type,
        message,
        line=text.count("\n", 0, start) + 1,
        column=column,
        end_column=max(column, min(end, last) - first + 1),
        label=label,
        hint=_hint_for(f"{type}: {message}", source, hint),
        origin=origin,
        source=source,
        multiline="\n" in text.rstrip("\n"),
    )


def diagnose(error: BaseException, hint: str = "") -> Diagnostic:
    """The diagnostic of an exception that came out of `compile_text` or out of a machine.

    The hint is the one given, that of the exception itself, or one from the table.
    """
    if isinstance(error, ParseError):
        return error.diagnostic
    name, message = words_of(error)
    place = getattr(error, "place", None)
    hint = hint or getattr(error, "hint", "") or _hint_for(f"{name}: {message}")
    if not isinstance(place, Place):
        return Diagnostic(name, message, hint=hint)
    if not hint and place.suggest is not None:
        hint = place.suggest(error)
    return locate(
        name, message, place.text, place.origin, place.start, place.end, place.label, hint
    )


MAX_MESSAGE: Final = 10_000
"""Characters of an exception's message that are told."""


def words_of(error: BaseException) -> tuple[str, str]:
    """The type and the message of an exception; PyTorch's where NumPy had no memory for an array.

    A message that holds what cannot be written, such as an integer of too many digits, is why. One
    that is longer than anybody reads, as that of a missing key may be, is cut.
    """
    if isinstance(error, MemoryError):
        size = wanted(error)
        if size is None:
            return MemoryError.__name__, str(error) or NO_MEMORY
        error = no_memory(size)
    name = word_of(getattr(error, "carried", error))[:MAX_MESSAGE]
    try:
        message = str(error)
        if len(message) > MAX_MESSAGE:
            message = message[:MAX_MESSAGE] + "…"
        return name, without_addresses(message)
    except Exception as obstacle:
        return name, f"its message cannot be written: {named(obstacle)}"


def named(error: Exception) -> str:
    """An error with its message, or without one that cannot be written either."""
    name = word_of(getattr(error, "carried", error))
    try:
        return without_addresses(f"{name}: {error}")
    except Exception:
        return name


def render(diagnostic: Diagnostic, color: bool = False) -> str:
    """The text of a diagnostic, without a final line break.

    error: TYPE: MESSAGE
      --> expression, column 5
      | the line
      |     ^^^^ label
    hint: ...
    """
    red, bold, cyan, plain = ("\x1b[31m", "\x1b[1m", "\x1b[36m", "\x1b[0m") if color else [""] * 4
    head = f"{diagnostic.type}: {diagnostic.message}" if diagnostic.message else diagnostic.type
    lines = [f"{bold}{red}error:{plain} {bold}{head}{plain}"]
    if diagnostic.line:
        where = f"column {diagnostic.column}"
        if diagnostic.multiline or diagnostic.origin != "expression":
            where = f"line {diagnostic.line}, {where}"
        lines.append(f"  {cyan}-->{plain} {diagnostic.origin}, {where}")
        shown, left, marks = excerpt(diagnostic.source, diagnostic.column, diagnostic.end_column)
        label = f" {diagnostic.label}" if diagnostic.label else ""
        lines.append(f"  {cyan}|{plain} {shown}")
        lines.append(f"  {cyan}|{plain} {' ' * left}{red}{'^' * marks}{label}{plain}")
    if diagnostic.hint:
        lines.append(f"{cyan}hint:{plain} {diagnostic.hint}")
    return "\n".join(lines)


def excerpt(source: str, column: int, end_column: int) -> tuple[str, int, int]:
    """The part of a line that is shown, the terminal columns before the marks, and how many marks.

    Tabs become spaces, control characters a replacement character, wide characters count two
    columns; a line longer than `WIDTH` is cut around the mark.
    """
    begin, end = column - 1, max(end_column - 1, column)
    first = 0
    cells = [cell_width(character) for character in source[: max(end, 0) + WIDTH]]
    if sum(cells) > WIDTH or len(source) > len(cells):
        first = max(0, min(begin - WIDTH // 3, len(source) - WIDTH))
    shown, before, marked, used = [], 0, 0, 0
    position = first
    while position < len(source):
        width = cell_width(source[position])
        if used + width > WIDTH:
            break
        character = source[position]
        if character == "\t":
            character = " "
        elif width and not character.isprintable():
            character = "\ufffd"
        shown.append(character)
        if position < begin:
            before += width
        elif position < end:
            marked += width
        used += width
        position += 1
    prefix = "..." if first else ""
    suffix = "..." if position < len(source) else ""
    return prefix + "".join(shown) + suffix, before + len(prefix), max(1, marked)


def cell_width(character: str) -> int:
    """Columns that a character takes in a terminal: 0, 1 or 2."""
    if character < "\u0300":
        return 1
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1

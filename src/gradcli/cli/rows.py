"""Rows of numbers in text: what separates them, which line is a header, what is no number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from gradcli.tensor import dtypes
from gradcli.typing import Array

WHITE: Final = " "
"""Any white space separates the cells, and lines that begin with # are comments."""

_SEPARATORS: Final = "\t;,"
"""Of these the first that stands in the first line separates the cells."""

_BEGINNING: Final = 1 << 16
"""Characters of a table among which its first line ends."""

_NUMBER_BEGINS: Final = r"[-+.,]*\d"
_INTEGER: Final = r"\s*[-+]?\d{1,18}\s*"
_DECIMAL_COMMA: Final = r"[-+]?\d*,\d+([eE][-+]?\d+)?"
_MISSING: Final = frozenset(("na", "n/a", "nil", "none", "null", "missing"))
"""What stands for a number that is not known, in small letters; it is no name of a column."""

_MAX_NAMES: Final = 20
"""Names that an error lists."""

_Record = tuple[int, list[str]]
"""The number of a line, and its cells."""


class RowsError(ValueError):
    """A text does not hold rows of numbers.

    `line` counts lines and `column` cells from 1; they are 0 where all of it is meant.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def are_numbers(text: str) -> bool:
    """Whether a text is several numbers and white space, and nothing else."""
    words = text.split()
    return len(words) > 1 and all(map(_is_number, words))


def stray_word(text: str) -> str:
    """The first word that is no number in a text that has two numbers side by side; or ""."""
    words = text.split()
    numbers = [_is_number(word) for word in words]
    if not any(first and second for first, second in pairwise(numbers)):
        return ""
    return next((word for word, known in zip(words, numbers, strict=True) if not known), "")


def separator_of(text: str, otherwise: str) -> str:
    """What separates the cells of a table, as its first line that is not blank shows it.

    Where white space may do so, comments show nothing, and neither does a character between which
    a cell has several numbers.
    """
    unquoted = re.sub(r'"[^"]*"', "", text[:_BEGINNING])
    for line in filter(str.strip, unquoted.splitlines()):
        if otherwise == WHITE and line.lstrip().startswith("#"):
            continue
        for character in _SEPARATORS:
            cells = line.split(character)
            if len(cells) > 1 and not (otherwise == WHITE and any(map(are_numbers, cells))):
                return character
        break
    return otherwise


def array_of_rows(text: str, separator: str, column: str | None = None) -> Array:
    """The numbers of a text: a matrix, or a vector where there is one row or one column.

    The first line may be a header: names without a number among them. The dtype is what
    `torch.tensor` infers.

    Args:
        column: the only column that is wanted, by its name in the first line.

    Raises:
        RowsError: a cell of what is wanted is no number, or the rows differ in length.
    """
    records = _white(text) if separator == WHITE else _separated(text, separator)
    rows: list[list[float]] = []
    noun = "number" if separator == WHITE else "cell"
    before, width, wanted = "rows before have", 0, slice(None)
    whole, integer = True, re.compile(_INTEGER).fullmatch
    for line, cells in records:
        if width and len(cells) != width:
            count = f"{len(cells)} {noun}{'s' * (len(cells) != 1)}"
            raise RowsError(f"{count}, where the {before} {width}", line)
        if not width and (column is not None or _is_header(cells)):
            before = "header has"
            wanted = slice(None) if column is None else _position(column, cells)
        else:
            before = "rows before have"
            row = cells[wanted]
            whole = whole and all(map(integer, row))
            first = (wanted.start or 0) + 1
            rows.append(
                [*map(int, row)]
                if whole
                else [_number(cell, line, n) for n, cell in enumerate(row, first)]
            )
        width = len(cells)
    if not rows:
        raise RowsError("holds no numbers")
    array = np.array(rows, np.int64 if whole else dtypes.default.dtype.np)
    return array.reshape(-1) if 1 in array.shape else array


def listed(names: list[str]) -> str:
    """Names as an error lists them."""
    more = ", …" if len(names) > _MAX_NAMES else ""
    return f"{', '.join(names[:_MAX_NAMES])}{more}" if names else "none"


def _white(text: str) -> Iterator[_Record]:
    """The words of each line that is not blank and no comment."""
    import io

    for number, line in enumerate(io.StringIO(text, newline=None), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield number, words


def _separated(text: str, separator: str) -> Iterator[_Record]:
    """The cells of each row that is not blank, with the number of the line that it begins in."""
    import csv
    import io

    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise RowsError(str(error), line) from None
        if cells is None:
            return
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield line, cells


def _position(column: str, cells: list[str]) -> slice:
    """The cells of a column, whose name stands in the header once."""
    names = [cell.strip() for cell in cells]
    found = names.count(column)
    if found != 1:
        what = f"has {found} columns {column}" if found else f"has no column {column}"
        raise RowsError(f"{what}; its columns: {listed(names)}")
    place = names.index(column)
    return slice(place, place + 1)


def _is_header(cells: list[str]) -> bool:
    """Whether a row has names and nothing that is, or was meant for, a number."""
    named = [cell.strip() for cell in cells if cell.strip()]
    return bool(named) and not any(_is_for_number(cell) for cell in named)


def _is_for_number(cell: str) -> bool:
    if re.match(_NUMBER_BEGINS, cell) or cell.lower() in _MISSING:
        return True
    return not any(map(str.isalpha, cell)) or _is_number(cell)


def _is_number(word: str) -> bool:
    try:
        float(word)  # nan, inf, too
    except ValueError:
        return False
    return True


def _number(cell: str, line: int, column: int) -> float:
    try:
        return float(cell)
    except ValueError:
        cell = cell.strip()
    what = f"{cell[:40]!r} is no number" if cell else "the cell is empty"
    if re.fullmatch(_DECIMAL_COMMA, cell):
        what += ": decimals are written with a point"
    raise RowsError(what, line, column)

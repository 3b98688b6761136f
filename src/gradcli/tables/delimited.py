"""Tables of separated cells, CSV and TSV: raw lines are kept, and what is computed is appended.

What a cell is, Python's `csv` says. Only the columns that a formula needs are read; what is written
are the lines as they stood, and the numbers after them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from gradcli.tables.blocks import BOM, Lines, Piece
from gradcli.tables.cells import (
    Bad,
    Cells,
    Made,
    Reading,
    blanked,
    characters,
    numbers_of,
    pointed,
    texts_of,
)
from gradcli.tables.errors import TableError
from gradcli.typing import Array


class Shape(NamedTuple):
    """What is known of a table before its rows.

    Attributes:
        header: the first line as it stands, its end included; b"" where there is none.
        names: of the columns.
        separator: of cells.
    """

    header: bytes
    names: tuple[str, ...]
    separator: str
    reading: Reading

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def end(self) -> str:
        """How lines end."""
        return "\r\n" if self.header.endswith(b"\r\n") else "\n"


def cells_of(line: bytes, separator: str) -> list[str]:
    """The cells of a record."""
    text = line.removeprefix(BOM).decode("utf-8", "surrogateescape")
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])


def in_cell(text: str, separator: str) -> str:
    """A text as a cell, in quotes where it needs them."""
    if any(mark in text for mark in (separator, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text


class Chunk:
    """Some records of a table, read by Python alone.

    Attributes:
        rows: how many there are; blank lines are none.
    """

    is_typed = False

    def __init__(self, piece: Piece, shape: Shape) -> None:
        self.shape = shape
        self.first = piece.line
        self.text = piece.data.decode("latin-1")
        self.unclosed = False
        self._cells: list[list[str]] | None = None
        if '"' in self.text:
            self._read_quoted()
        else:
            self._read_plain()
        # A blank line is no row, unless a row is one cell.
        self.blank = (
            {k for k, line in enumerate(self.lines) if not line} if shape.width > 1 else set()
        )
        self.given: Sequence[int] = range(len(self.lines))
        if self.blank:
            self.given = [k for k in self.given if k not in self.blank]
        self.rows = len(self.given)
        self._flat = self._all_cells()

    def _read_quoted(self) -> None:
        lines = Lines(self.text, self.shape.separator)
        found = list(lines.records())
        self.unclosed = bool(lines.open)
        whole = [line for _, line in found]
        self.lines = [line.rstrip("\r\n") for line in whole]
        self.ends = [line[len(kept) :] for line, kept in zip(whole, self.lines, strict=True)]
        counts = np.cumsum([0, *(line.count("\n") for line in whole)]) + self.first
        self.numbers: Sequence[int] = counts.tolist()
        width = self.shape.width
        self._cells = [
            cells for (cells, _), line in zip(found, self.lines, strict=True) if line or width == 1
        ]

    def _read_plain(self) -> None:
        self.lines = self.text.split("\n")
        self.ends = ["\n"] * len(self.lines)
        if self.lines[-1]:
            self.ends[-1] = ""
        else:
            del self.lines[-1], self.ends[-1]
        if "\r" in self.text:
            whole, self.lines = self.lines, [line.rstrip("\r") for line in self.lines]
            self.ends = [
                line[len(kept) :] + end
                for line, kept, end in zip(whole, self.lines, self.ends, strict=True)
            ]
        self.numbers = range(self.first, self.first + len(self.lines))

    def _all_cells(self) -> list[str] | None:
        """The cells of all rows in one list, where each row has as many as the table."""
        separator, width = self.shape.separator, self.shape.width
        if self._cells is not None or self.blank:
            return None
        if {*map(str.count, self.lines, repeat(separator))} - {width - 1}:
            return None
        return separator.join(self.lines).split(separator)

    @property
    def cells(self) -> list[list[str]]:
        """The cells of each row."""
        if self._cells is None:
            separator = self.shape.separator
            self._cells = [self.lines[k].split(separator) for k in self.given]
        return self._cells

    def line(self, row: int) -> int:
        """The number of the line that a row begins in."""
        return self.numbers[self.given[row]]

    def read(self, names: Sequence[str]) -> Cells:
        """The numbers of these columns."""
        width = self.shape.width
        found = Cells({}, {}, {})
        records: list[list[str]] = []
        if self._flat is None:
            records = self.cells
            for row, record in enumerate(records):
                if len(record) != width:
                    count = f"{len(record)} cell{'s' * (len(record) != 1)}"
                    what = "header has" if self.shape.header else "first row has"
                    found.bad[row] = Bad("", f"{count}, where the {what} {width}")
            if self.unclosed:
                found.bad[self.rows - 1] = Bad("", "a quote that opens here is never closed")
            if found.bad:
                records = [[*record, *[""] * (width - len(record))] for record in records]
        # What `float` takes and no table means.
        usual = not any(mark in self.text for mark in ("_", "\xa0", "\x85"))
        for name in names:
            place = self.shape.names.index(name)
            cells = (
                [record[place] for record in records]
                if self._flat is None
                else self._flat[place::width]
            )
            numbers_of(cells, name, self.shape.reading, usual, found)
        return found

    def write(self, made: Sequence[Made], keep: Array | None) -> bytes:
        """The lines with what is computed after them; without rows that `keep` has not."""
        separator, width = self.shape.separator, self.shape.width
        texts = [self._texts(column) for column in made]
        lines = [self.lines[k] for k in self.given] if self.blank else self.lines
        if self._flat is None:
            lines = [
                line + separator * (width - len(record))
                for line, record in zip(lines, self.cells, strict=True)
            ]
        joined = list(map(separator.join, zip(lines, *texts, strict=True)))
        if keep is None and not self.blank and {*self.ends} == {"\n"}:
            joined.append("")
            return "\n".join(joined).encode("latin-1")
        rows = iter(zip(joined, repeat(True) if keep is None else keep.tolist(), strict=False))
        written: list[str] = []
        for k, end in enumerate(self.ends):
            if k in self.blank:
                written.append(end)
                continue
            text, kept = next(rows)
            if kept:
                written += (text, end)
        return "".join(written).encode("latin-1")

    def _texts(self, made: Made) -> list[str]:
        texts = blanked(texts_of(made.values), made.empty)
        decimal = self.shape.reading.decimal
        if decimal != ".":
            texts = [text.replace(".", decimal) for text in texts]
            if decimal == self.shape.separator:
                texts = [in_cell(text, decimal) for text in texts]
        return texts

    def records(self) -> Iterator[list[Any]]:
        """The cells of each row, as many as the table has columns, with decimal points."""
        width = self.shape.width
        for record in self.cells:
            cells = [pointed(characters(cell), self.shape.reading) for cell in record[:width]]
            yield cells + [""] * (width - len(cells))


def header_of(line: bytes, separator: str) -> tuple[str, ...]:
    """The names in a first line.

    Raises:
        TableError: it is no text that cells can be read of.
    """
    if b"\0" in line or line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TableError("is no text in UTF-8", "UTF-16 is converted by iconv -f UTF-16 -t UTF-8")
    if b"\r" in line.rstrip(b"\r\n") and b'"' not in line:
        raise TableError("has lines that end in CR alone", "convert them: tr '\\r' '\\n'")
    return tuple(name.strip() for name in cells_of(line, separator))

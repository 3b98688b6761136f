"""Tables of every kind: what is read as what, and what its columns are called."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from gradcli.tables import columnar
from gradcli.tables.blocks import BOM, Lines, blocks, pieces
from gradcli.tables.cells import Cells, Made, Reading
from gradcli.tables.delimited import Chunk, Shape, header_of, in_cell
from gradcli.tables.errors import TableError
from gradcli.typing import Array

CSV: Final = "csv"
TSV: Final = "tsv"
JSON_LINES: Final = "jsonl"
PARQUET: Final = "parquet"

KINDS: Final = (CSV, TSV, JSON_LINES, PARQUET)

ENDINGS: Final = {
    ".csv": CSV,
    ".tsv": TSV,
    ".tab": TSV,
    ".jsonl": JSON_LINES,
    ".ndjson": JSON_LINES,
    ".parquet": PARQUET,
    ".pq": PARQUET,
}
"""What the ends of names say about files."""

SEPARATORS: Final = ",\t;|"
"""Of these the first that stands in a first line separates cells, where nothing else is known."""

INSTALL: Final = "pip install 'gradcli[tables]'"

_SMALL: Final = 1 << 15
"""Bytes that Python reads at a time: its lists take forty times as many."""

_LARGE: Final = 1 << 20


class Rows(Protocol):
    """Some rows of a table.

    Attributes:
        rows: how many there are.
        is_typed: whether cells are values of some type, so that the text "5" is no number.
    """

    rows: int
    is_typed: bool

    def line(self, row: int) -> int:
        """The number of the line that a row begins in."""

    def read(self, names: Sequence[str]) -> Cells:
        """The numbers of these columns."""

    def write(self, made: Sequence[Made], keep: Array | None) -> bytes:
        """The rows as they stood, with what is computed after them; without those that `keep` has
        not.
        """

    def records(self) -> Iterator[Any]:
        """The cells of each row in order, or by name."""


class Options(NamedTuple):
    """How a table is read.

    Attributes:
        kind: one of `KINDS`, or "" for what separators show.
        separator: of cells; "" for what the kind or the first line says.
        header: whether the first line holds names.
        limited: whether there is a limit of memory: threads of polars that get none may wait for
            ever, so Python reads alone.
    """

    kind: str = ""
    separator: str = ""
    header: bool = True
    limited: bool = False
    reading: Reading = Reading()


def kind_of(path: str) -> str:
    """What the end of a file's name says it holds, or ""."""
    return ENDINGS.get(os.path.splitext(path)[1].lower(), "")


class Delimited:
    """CSV or TSV.

    Raises:
        TableError: it has no first line, or no text in it.
    """

    def __init__(self, file: BinaryIO, options: Options) -> None:
        self.installed = columnar.is_installed()
        self.fast = self.installed and not options.limited
        self.blocks = blocks(file, _LARGE if self.fast else _SMALL)
        first, rest = self._first(options)
        text = first.removeprefix(BOM).rstrip(b"\r\n")
        separator = options.separator or ("\t" if options.kind == TSV else "")
        if not separator:
            separator = separator_in(text.decode("latin-1"), options.reading.decimal)
        names = header_of(first, separator)
        if not any(names):
            raise TableError(
                "begins with a blank line", "its first line holds the names of columns"
            )
        self.after = first if options.header else b""
        if not options.header:
            names = tuple(f"${k}" for k in range(1, len(names) + 1))
            rest = first.removeprefix(BOM) + rest
            self.before = first[: len(first) - len(first.removeprefix(BOM))]
        else:
            self.before = b""
        self.shape = Shape(self.after, names, separator, options.reading)
        self.kind = options.kind or (TSV if separator == "\t" else CSV)
        self.names: Sequence[str] = names
        self.rest = rest

    def _first(self, options: Options) -> tuple[bytes, bytes]:
        """The first record, and what came with it."""
        data = b""
        for block in self.blocks:
            data += block
            end = _end_of_first(data)
            if end:
                return data[:end], data[end:]
        if not data.removeprefix(BOM).strip():
            raise TableError("is empty", "a table begins with the names of its columns")
        return data, b""

    def header(self, titles: Sequence[str]) -> bytes:
        """The first line with further names."""
        if not self.after:
            return self.before
        line = self.after.rstrip(b"\r\n")
        separator = self.shape.separator
        added = "".join(separator + in_cell(title, separator) for title in titles)
        end = self.after[len(line) :]
        return line + added.encode("utf-8", "surrogateescape") + end

    def chunks(self) -> Iterator[Rows]:
        """The rows."""
        line = 1 + self.after.count(b"\n")
        make = columnar.chunk_of if self.fast else Chunk
        for piece in pieces(self.blocks, self.rest, line, ord(self.shape.separator)):
            yield make(piece, self.shape)


def _end_of_first(data: bytes) -> int:
    """Where the first record ends; 0 where more has to come."""
    end = data.find(b"\n") + 1
    if b'"' not in data[:end]:
        return end
    lines = Lines(data.decode("latin-1"), ",")
    record = next(lines.records())[1]
    return 0 if lines.open or not record.endswith("\n") else len(record)


def separator_in(line: str, decimal: str) -> str:
    """What separates the cells of a first line."""
    import re

    bare = re.sub(r'"[^"]*"', "", line)
    candidates = [c for c in SEPARATORS if c != decimal] if decimal != "." else SEPARATORS
    return next((character for character in candidates if character in bare), ",")


class JsonLines:
    """Objects, one a line."""

    kind = JSON_LINES

    def __init__(self, file: BinaryIO, options: Options) -> None:
        from gradcli.tables.jsonlines import JsonChunk

        self.chunk = JsonChunk
        self.found = pieces(blocks(file, _SMALL), b"", 1, 0)
        self.nulls = tuple(options.reading.nulls)
        first = next(self.found, None)
        self.first = None if first is None else JsonChunk(first, self.nulls)
        if self.first is None or not self.first.rows:
            raise TableError("is empty", "a table of JSON Lines is an object a line")
        self.first.check_table()
        self.names: Sequence[str] = self.first.keys()

    def header(self, titles: Sequence[str]) -> bytes:
        return b""

    def chunks(self) -> Iterator[Rows]:
        assert self.first is not None
        yield self.first
        for piece in self.found:
            yield self.chunk(piece, self.nulls)


class Table(Protocol):
    """What is read.

    Attributes:
        kind: one of `KINDS`.
        names: of the columns.
    """

    kind: str
    names: Sequence[str]

    def header(self, titles: Sequence[str]) -> bytes:
        """What stands before the rows, with further columns."""

    def chunks(self) -> Iterator[Rows]:
        """The rows, once."""


def read_table(file: BinaryIO, options: Options) -> Table:
    """A table in an open file.

    Raises:
        TableError: it is none, or what reads it is not installed.
    """
    kind = options.kind or _kind_by_content(file)
    if kind == JSON_LINES:
        return JsonLines(file, options)
    if kind == PARQUET:
        check_installed(options.limited)
        from gradcli.tables.parquet import Parquet

        return Parquet(file, options.reading)
    return Delimited(file, options)


def _kind_by_content(file: Any) -> str:
    """What the first bytes say, where the name says nothing; "" for separated cells."""
    if hasattr(file, "peek"):
        beginning = file.peek(4)[:4]
    else:
        beginning = file.read(4)
        file.seek(-len(beginning), os.SEEK_CUR)
    beginning = beginning.removeprefix(BOM)
    return PARQUET if beginning == b"PAR1" else JSON_LINES if beginning[:1] == b"{" else ""


def check_installed(limited: bool) -> None:
    """Raises:
    TableError: Parquet cannot be read or written.
    """
    if limited:
        raise TableError(
            "needs polars, which keeps to no limit of memory", "leave out --max-memory"
        )
    if not columnar.is_installed():
        raise TableError("needs polars, which is not installed", INSTALL)

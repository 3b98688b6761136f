"""The bytes of a table in pieces that hold whole records."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np

from gradcli.tables.errors import TableError
from gradcli.typing import Array

ROWS: Final = 65_536
"""Rows of a chunk, at the most, unless cells are quoted."""

PATIENCE: Final = 0.01
"""Seconds that a pipe is waited for before what has come is worked at."""

LONGEST: Final = 1 << 26
"""Bytes of a record, at the most."""

GROWING: Final = 1 << 18
"""Bytes of a record that is looked through as often as more comes."""

BOM: Final = b"\xef\xbb\xbf"
"""What may stand before the first record; it is no part of it."""

QUOTE: Final = 34
LINE_FEED: Final = 10
CARRIAGE_RETURN: Final = 13

csv.field_size_limit(LONGEST)


class Piece(NamedTuple):
    """Whole records, and the number of the line that the first one begins in."""

    data: bytes
    line: int


def blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """What a file holds, as it comes: of a pipe that has no more just now, less than `size`."""
    read, ready = _reader(file), _readiness(file)
    while found := read(size):
        pieces, count = [found], len(found)
        while count < size and ready():
            found = read(size - count)
            if not found:
                break
            pieces.append(found)
            count += len(found)
        yield b"".join(pieces)


def _reader(file: Any) -> Callable[[int], bytes]:
    """What reads once, up to so many bytes."""
    found: Callable[[int], bytes] = getattr(file, "read1", file.read)
    return found


def _readiness(file: BinaryIO) -> Callable[[], bool]:
    """What tells whether more can be read soon."""
    import select

    try:
        number = file.fileno()
        select.select([number], [], [], 0)
    except (OSError, ValueError):  # no file of the system's, or a system that has no answer
        return lambda: True
    return lambda: bool(select.select([number], [], [], PATIENCE)[0])


def pieces(found: Iterator[bytes], rest: bytes, line: int, separator: int) -> Iterator[Piece]:
    """The records of a table whose header is read already.

    Args:
        found: the blocks of the table.
        rest: what of them was read together with the header.
        line: the number of the line that `rest` begins.
        separator: of cells; 0 where quotes mean nothing.

    Raises:
        TableError: a record is too long.
    """
    waiting, size = [b""], 0
    for block in _and_end(rest, found):
        waiting.append(block)
        size += len(block)
        # A record of many blocks is looked through when it has grown to twice its size.
        grown = size >= 2 * len(waiting[0]) or size < GROWING
        if block and (b"\n" not in block or not grown):
            _check_length(size, line)
            continue
        data = b"".join(waiting)
        end = len(data) if not block else end_of_records(data, separator)
        waiting, size = [data[end:]], len(data) - end
        _check_length(size, line)
        for whole in _in_rows(data[:end], separator):
            yield Piece(whole, line)
            line += whole.count(b"\n")


def _and_end(rest: bytes, found: Iterator[bytes]) -> Iterator[bytes]:
    if rest:
        yield rest
    yield from found
    yield b""


def _check_length(size: int, line: int) -> None:
    if size > LONGEST:
        raise TableError(
            f"has a record of more than {LONGEST} bytes in line {line} or later",
            "a quote that is not closed takes all that follows",
        )


def _in_rows(data: bytes, separator: int) -> Iterator[bytes]:
    """Records in pieces of at most `ROWS` lines."""
    if data.count(b"\n") <= ROWS or (separator and b'"' in data):
        if data:
            yield data
        return
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == LINE_FEED)[ROWS - 1 :: ROWS] + 1
    for start, end in zip([0, *ends.tolist()], [*ends.tolist(), len(data)], strict=True):
        if end > start:
            yield data[start:end]


def end_of_records(data: bytes, separator: int) -> int:
    """Where the last whole record of some data ends."""
    end = data.rfind(b"\n") + 1
    if not separator or b'"' not in data[:end]:
        return end
    quoted = inside_quotes(np.frombuffer(data, np.uint8)[:end], separator)
    if quoted is None:
        lines = Lines(data[:end].decode("latin-1"), chr(separator))
        for _ in lines.records():
            pass
        return end - len(lines.open)
    if not quoted[-1]:
        return end
    outside = ~quoted & (np.frombuffer(data, np.uint8)[:end] == LINE_FEED)
    ends = np.flatnonzero(outside)
    return int(ends[-1]) + 1 if ends.size else 0


def inside_quotes(data: Array, separator: int) -> Array | None:
    """Which bytes stand inside quotes; None where quotes stand in other places than around cells.

    A closing quote itself counts as outside.
    """
    marks = data == QUOTE
    places = np.flatnonzero(marks)
    opening, closing = places[0::2], places[1::2]
    before = data[opening[opening > 0] - 1]
    after = data[closing[closing + 1 < data.size] + 1]
    if not (
        ((before == separator) | (before == LINE_FEED) | (before == QUOTE)).all()
        and (
            (after == separator)
            | (after == LINE_FEED)
            | (after == CARRIAGE_RETURN)
            | (after == QUOTE)
        ).all()
    ):
        return None
    return (np.cumsum(marks, dtype=np.uint8) & 1).astype(bool)


class Lines:
    """Text in lines, as records of Python's reader.

    Attributes:
        open: what stood in a record that did not end, after all were read.
    """

    def __init__(self, text: str, separator: str) -> None:
        self._lines = list(io.StringIO(text, newline="\n"))
        self._separator = separator
        self._next = 0
        self.open = ""

    def __iter__(self) -> Iterator[str]:
        while self._next < len(self._lines):
            self._next += 1
            yield self._lines[self._next - 1]
        self.open = "?"  # asked for more

    def records(self) -> Iterator[tuple[list[str], str]]:
        """The cells of each record, and the record as it stands, its end included."""
        reader = csv.reader(iter(self), delimiter=self._separator)
        while self._next < len(self._lines):
            first = self._next
            try:
                cells = next(reader)
            except csv.Error:  # a carriage return in the middle of a line
                cells = self._lines[first].rstrip("\r\n").split(self._separator)
                self._next = first + 1
                reader = csv.reader(iter(self), delimiter=self._separator)
            record = "".join(self._lines[first : self._next])
            if self.open:
                self.open = record
                yield cells, record
                return
            yield cells, record

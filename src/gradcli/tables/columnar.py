"""Chunks of CSV and TSV read and written by polars: what is regular, and that is most of it.

A chunk that is not, by its quotes, its blank lines, its rows' lengths or its encoding, is read by
Python alone (`gradcli.tables.delimited`), and gives the same answer.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from gradcli.tables.blocks import LINE_FEED, Piece, inside_quotes
from gradcli.tables.cells import Bad, Cells, Made, number_of
from gradcli.tables.delimited import Chunk, Shape, cells_of
from gradcli.typing import Array

UNUSED: Final = b"\x01"
"""What stands in no regular line, so that polars may take it for what separates cells."""


@cache
def is_installed() -> bool:
    """Whether polars can be imported."""
    return find_spec("polars") is not None


def chunk_of(piece: Piece, shape: Shape) -> Any:
    """A chunk of regular records, or one that Python reads."""
    if shape.reading.decimal == "." and _is_regular(piece.data, shape):
        return Regular(piece, shape)
    return Chunk(piece, shape)


def _is_regular(data: bytes, shape: Shape) -> bool:
    """Whether each line is a record of as many cells as the table has columns."""
    if UNUSED in data:
        return False
    found = np.frombuffer(data, np.uint8)
    ends = found == LINE_FEED
    cuts = found == ord(shape.separator)
    if b'"' in data:
        quoted = inside_quotes(found, ord(shape.separator))
        if quoted is None or (quoted & ends).any() or quoted[-1]:
            return False
        cuts &= ~quoted
    last = np.flatnonzero(ends)
    if not data.endswith(b"\n"):
        last = np.append(last, len(data))
    returns = data.count(b"\r")
    if returns and (returns != len(last) or data.count(b"\r\n") != returns):
        return False
    first = np.empty_like(last)
    first[0] = 0
    first[1:] = last[:-1] + 1
    if (last - first <= (returns > 0)).any():
        return False
    cells = shape.width - 1
    places = np.flatnonzero(cuts)
    if len(places) != len(last) * cells:
        return False
    if cells and not (
        (places[::cells] >= first).all() and (places[cells - 1 :: cells] < last).all()
    ):
        return False
    return data.isascii() or _is_utf8(data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class Regular:
    """A chunk of which each line is a record."""

    is_typed = False

    def __init__(self, piece: Piece, shape: Shape) -> None:
        import polars

        self.polars = polars
        self.data, self.first, self.shape = piece.data, piece.line, shape
        self.lines = polars.read_csv(
            io.BytesIO(self.data),
            has_header=False,
            schema={"line": polars.String},
            separator=UNUSED.decode(),
            quote_char=None,
        )["line"]
        self.rows = len(self.lines)

    def line(self, row: int) -> int:
        """The number of the line that a row stands in."""
        return self.first + row

    def read(self, names: Sequence[str]) -> Cells:
        """The numbers of these columns."""
        polars = self.polars
        found = Cells({}, {}, {})
        places = {name: self.shape.names.index(name) for name in names}
        if not places:
            return found
        schema = {str(place): polars.String for place in range(self.shape.width)}
        schema |= {str(place): polars.Float64 for place in places.values()}
        frame = polars.read_csv(
            io.BytesIO(self.data),
            has_header=False,
            schema=schema,
            columns=sorted({*places.values()}),
            separator=self.shape.separator,
            ignore_errors=True,
        )
        nulls = self.shape.reading.nulls
        for name, place in places.items():
            column = frame[str(place)]
            values = column.to_numpy(writable=True)
            if nulls or column.null_count():
                unread = column.is_null()
                if nulls:
                    unread |= column.is_nan().fill_null(True) | column.is_in(_numbers(nulls))
                self._look(unread.to_numpy(), name, place, values, found)
            found.values[name] = values
        return found

    def _look(self, unread: Array, name: str, place: int, values: Array, found: Cells) -> None:
        """Reads cells that polars took for no numbers, or that may stand for none."""
        missing = np.zeros(self.rows, bool)
        rows = np.flatnonzero(unread)
        for row, line in zip(rows.tolist(), self.lines[rows].to_list(), strict=True):
            cell = cells_of(line.encode(), self.shape.separator)[place]
            try:
                number = number_of(cell, self.shape.reading)
            except ValueError as error:
                found.bad.setdefault(row, Bad(name, str(error)))
                values[row] = np.nan
            else:
                missing[row] = number is None
                values[row] = np.nan if number is None else number
        if missing.any():
            found.missing[name] = missing

    def write(self, made: Sequence[Made], keep: Array | None) -> bytes:
        """The lines with what is computed after them; without rows that `keep` has not."""
        frame = self.polars.DataFrame(
            [self.lines, *(self._series(str(k), column) for k, column in enumerate(made))]
        )
        end = "\r\n" if self.data.endswith(b"\r\n") or b"\r\n" in self.data[:65536] else "\n"
        ended = self.data.endswith(b"\n")
        if keep is not None:
            ended = ended or not keep[-1]
            frame = frame.filter(self.polars.Series(keep))
        out = io.BytesIO()
        frame.write_csv(
            out,
            include_header=False,
            separator=self.shape.separator,
            line_terminator=end,
            quote_style="never",
        )
        written = out.getvalue()
        return written if ended else written[: -len(end)]

    def _series(self, name: str, made: Made) -> Any:
        polars = self.polars
        series = polars.Series(name, made.values)
        if made.values.dtype.kind == "f" and np.isnan(made.values).any():
            series = series.cast(polars.String).replace("NaN", "nan")
        if made.empty is not None and made.empty.any():
            series = series.to_frame().select(
                polars.when(polars.Series(~made.empty)).then(polars.col(name)).alias(name)
            )[name]
        return series

    def records(self) -> Any:
        """The cells of each row."""
        return Chunk(Piece(self.data, self.first), self.shape).records()


def _numbers(nulls: Any) -> list[float]:
    """The numbers that texts which stand for none may be read as."""
    found = []
    for text in nulls:
        try:
            found.append(float(text))
        except ValueError:
            continue
    return found

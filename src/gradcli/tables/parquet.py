"""Tables of Parquet, by way of polars."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import polars  # noqa: TID253 - this module is imported for Parquet only

from gradcli.tables.blocks import ROWS
from gradcli.tables.cells import Bad, Cells, Made
from gradcli.tables.errors import TableError
from gradcli.typing import Array


class Parquet:
    """A file of columns.

    Raises:
        TableError: it is none.
    """

    kind = "parquet"

    def __init__(self, file: BinaryIO) -> None:
        source: Any = file if file.seekable() else io.BytesIO(file.read())
        try:
            self.source = source if isinstance(source, io.BytesIO) else source.name
            self.scanned = polars.scan_parquet(self.source)
            self.names: Sequence[str] = self.scanned.collect_schema().names()
        except (polars.exceptions.PolarsError, OSError) as error:
            raise TableError(f"is no Parquet: {str(error).splitlines()[0][:200]}") from None

    def header(self, titles: Sequence[str]) -> bytes:
        return b""

    def chunks(self) -> Iterator[Frame]:
        """The rows."""
        place = 0
        while True:
            found = self.scanned.slice(place, ROWS).collect()
            if place and not found.height:
                return
            yield Frame(found, place)
            place += found.height
            if found.height < ROWS:
                return


class Frame:
    """Some rows; lines are counted as rows."""

    def __init__(self, frame: polars.DataFrame, first: int) -> None:
        self.frame = frame
        self.first = first
        self.rows = frame.height

    def line(self, row: int) -> int:
        """The number of a row, from 1."""
        return self.first + row + 1

    def read(self, names: Sequence[str]) -> Cells:
        """The numbers of these columns."""
        found = Cells({}, {}, {})
        for name in names:
            column = self.frame[name]
            numbers = column.cast(polars.Float64, strict=False)
            if not column.dtype.is_numeric() and column.dtype != polars.Boolean:
                wrong = (numbers.is_null() & column.is_not_null()).to_numpy()
                for row in np.flatnonzero(wrong).tolist():
                    found.bad.setdefault(row, Bad(name, f"{str(column[row])[:40]!r} is no number"))
            found.values[name] = numbers.fill_null(float("nan")).to_numpy()
            if column.null_count():
                found.missing[name] = column.is_null().to_numpy()
        return found

    def whole(self, made: Sequence[Made], keep: Array | None) -> polars.DataFrame:
        """The rows with what is computed."""
        columns = []
        for column in made:
            series = polars.Series(column.name, column.values)
            if column.empty is not None:
                series = series.to_frame().select(
                    polars.when(polars.Series(~column.empty)).then(polars.col(column.name))
                )[column.name]
            columns.append(series)
        frame = self.frame.with_columns(columns)
        return frame if keep is None else frame.filter(polars.Series(keep))

    def write(self, made: Sequence[Made], keep: Array | None) -> bytes:
        raise NotImplementedError("Parquet is written in one piece")

    def records(self) -> Iterator[Any]:
        """The values of each row in order."""
        yield from self.frame.rows()


def frame_of(
    rows: Any, names: Sequence[str], made: Sequence[Made], keep: Array | None
) -> polars.DataFrame:
    """Rows of any table, with what is computed."""
    if isinstance(rows, Frame):
        return rows.whole(made, keep)
    records = list(rows.records())
    if records and isinstance(records[0], dict):
        records = [[record.get(name) for name in names] for record in records]
    columns = zip(*records, strict=True) if records else ([] for _ in names)
    read = [
        polars.Series(name, [None if cell == "" else cell for cell in column], strict=False)
        for name, column in zip(names, columns, strict=True)
    ]
    return Frame(polars.DataFrame(read), 0).whole(made, keep)


def write_parquet(frames: Sequence[polars.DataFrame], out: Any) -> None:
    """Writes frames as one file; columns of text that is numbers become numbers."""
    whole = polars.concat(frames, how="vertical_relaxed")
    whole.with_columns([_typed(column) for column in whole.iter_columns()]).write_parquet(out)


def _typed(column: polars.Series) -> polars.Series:
    if column.dtype != polars.String or column.str.contains(r"^[-+]?0[0-9]").any():
        return column  # `007` is the name of something
    for kind in (polars.Int64, polars.Float64):
        found = column.cast(kind, strict=False)
        if found.null_count() == column.null_count():
            return found
    return column

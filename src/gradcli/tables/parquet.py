"""Tables of Parquet, by way of polars."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import polars  # noqa: TID253 - this module is imported for Parquet only

from gradcli.tables.blocks import ROWS
from gradcli.tables.cells import SHOWN, Bad, Cells, Made, Reading, cell_text, numbers_of
from gradcli.tables.errors import TableError
from gradcli.tables.jsonlines import JsonChunk
from gradcli.typing import Array


class Parquet:
    """A file of columns.

    Raises:
        TableError: it is none.
    """

    kind = "parquet"

    def __init__(self, file: BinaryIO, reading: Reading) -> None:
        self.reading = reading
        self.source: Any = _path_of(file) or io.BytesIO(file.read())
        try:
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
            yield Frame(found, place, self.reading)
            place += found.height
            if found.height < ROWS:
                return


def _path_of(file: Any) -> str:
    """A name under which the system finds an open file; "" for what came through a stream."""
    try:
        found = os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
    except (OSError, ValueError, TypeError):
        return ""
    return str(file.name) if found and file.seekable() else ""


class Frame:
    """Some rows; lines are counted as rows."""

    is_typed = True

    def __init__(self, frame: polars.DataFrame, first: int, reading: Reading) -> None:
        self.frame = frame
        self.first = first
        self.reading = reading
        self.rows = frame.height

    def line(self, row: int) -> int:
        """The number of a row, from 1."""
        return self.first + row + 1

    def read(self, names: Sequence[str]) -> Cells:
        """The numbers of these columns."""
        found = Cells({}, {}, {})
        for name in names:
            column = self.frame[name]
            if column.dtype == polars.String:
                self._read_texts(column, name, found)
                continue
            missing = column.is_null().to_numpy()
            if column.dtype.is_numeric() or column.dtype in (polars.Boolean, polars.Null):
                numbers = column.cast(polars.Float64).fill_null(float("nan"))
                found.values[name] = numbers.to_numpy()
            else:
                found.values[name] = np.full(self.rows, np.nan)
                for row in np.flatnonzero(~missing).tolist():
                    shown = str(column.slice(row, 1).to_list()[0])[:SHOWN]
                    found.bad.setdefault(row, Bad(name, f"{shown!r} is no number"))
            if missing.any():
                found.missing[name] = missing
        return found

    def _read_texts(self, column: polars.Series, name: str, found: Cells) -> None:
        """Reads a column of texts as that of another table is."""
        cells = column.fill_null("").to_list()
        latin = [cell.encode().decode("latin-1") for cell in cells]
        numbers_of(latin, name, self.reading, False, found)

    def write(self, made: Sequence[Made], keep: Array | None) -> bytes:
        raise NotImplementedError("Parquet is written in one piece")

    def records(self) -> Iterator[Any]:
        """The values of each row in order; those in single precision as their shortest texts."""
        single = polars.selectors.by_dtype(polars.Float32)
        shortest = single.cast(polars.String).cast(polars.Float64)
        yield from self.frame.with_columns(shortest).rows()


def frame_of(
    rows: Any, names: Sequence[str], made: Sequence[Made], keep: Array | None
) -> polars.DataFrame:
    """Rows of any table, with what is computed."""
    frame = rows.frame if isinstance(rows, Frame) else _read(rows, names)
    frame = frame.with_columns([_series(column) for column in made])
    return frame if keep is None else frame.filter(polars.Series(keep))


def _read(rows: Any, names: Sequence[str]) -> polars.DataFrame:
    """The cells of rows that are no columns yet."""
    records = list(rows.records())
    if isinstance(rows, JsonChunk):
        rows.check_members(names)
        records = [[record.get(name) for name in names] for record in records]
    columns = zip(*records, strict=True) if records else ([] for _ in names)
    found = zip(names, map(list, columns), strict=True)
    if rows.is_typed:
        return polars.DataFrame([_column(name, values) for name, values in found])
    return polars.DataFrame(
        [_column(name, [cell or None for cell in cells]) for name, cells in found]
    )


def _column(name: str, cells: list[Any]) -> polars.Series:
    """Values of any kind; texts where one type does not hold them all."""
    found = polars.Series(name, cells, strict=False)
    if found.dtype != polars.Object:
        return found
    return polars.Series(name, [None if cell is None else cell_text(cell) for cell in cells])


def _series(made: Made) -> polars.Series:
    series = polars.Series(made.name, made.values)
    if made.empty is None:
        return series
    kept = polars.when(polars.Series(~made.empty)).then(polars.col(made.name))
    return series.to_frame().select(kept)[made.name]


def empty_frame(names: Sequence[str], titles: Sequence[str]) -> polars.DataFrame:
    """A table without rows."""
    return polars.DataFrame(
        schema={**dict.fromkeys(names, polars.String), **dict.fromkeys(titles, polars.Float64)}
    )


def write_parquet(frames: Sequence[polars.DataFrame], out: Any, texts: bool) -> None:
    """Writes frames as one file.

    Args:
        texts: whether the cells were read as texts: columns of numbers become numbers.

    Raises:
        TableError: a column has cells that no type holds together.
    """
    try:
        whole = polars.concat(frames, how="vertical_relaxed")
    except polars.exceptions.PolarsError as error:
        what = f"has a column of cells of several kinds: {str(error).splitlines()[0][:200]}"
        raise TableError(what, "--to jsonl keeps each as it is") from None
    if texts:
        whole = whole.with_columns([_typed(column) for column in whole.iter_columns()])
    whole.write_parquet(out)


def _typed(column: polars.Series) -> polars.Series:
    if column.dtype != polars.String or column.null_count() == len(column):
        return column
    if column.str.contains(r"^[-+]?0[0-9]").any():  # `007` is the name of something
        return column
    kinds = [polars.Int64, polars.Float64]
    if column.str.contains(r"^[-+]?[0-9]{16,}$").any():
        kinds = [polars.Int64]  # whose digits count
    for kind in kinds:
        found = column.cast(kind, strict=False)
        if found.null_count() == column.null_count():
            return found
    return column

"""Tables written as another kind than they were read: no lines are kept, values are."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, Final

from gradcli.tables.cells import Made, as_json, blanked, cell_text, texts_of
from gradcli.tables.jsonlines import JsonChunk
from gradcli.tables.tables import JSON_LINES, Rows
from gradcli.typing import Array

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class TextWriter:
    """Writes rows as CSV, TSV or JSON Lines.

    Args:
        names: of the columns that are read.
        separator: of cells.
    """

    def __init__(self, kind: str, names: Sequence[str], separator: str) -> None:
        self.as_json = kind == JSON_LINES
        self.names = names
        self.separator = separator

    def header(self, titles: Sequence[str]) -> bytes:
        """The first line."""
        return b"" if self.as_json else self._lines([[*self.names, *titles]])

    def write(self, rows: Rows, made: Sequence[Made], keep: Array | None) -> bytes:
        """Some rows with what is computed."""
        convert, blank = (as_json, "null") if self.as_json else (texts_of, "")
        texts = [blanked(convert(column.values), column.empty, blank) for column in made]
        kept = zip(rows.records(), zip(*texts, strict=True), strict=True)
        chosen = kept if keep is None else compress(kept, keep.tolist())
        if self.as_json:
            names = [*map(_quoted, self.names), *(_quoted(column.name) for column in made)]
            member = _json if rows.is_typed else _json_of_cell
            return _encoded(
                "".join(_object(names, [*map(member, record), *more]) for record, more in chosen)
            )
        if isinstance(rows, JsonChunk):
            rows.check_members(self.names)
        return self._lines([*map(cell_text, self._cells(record)), *more] for record, more in chosen)

    def _lines(self, records: Iterable[Sequence[str]]) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerows(records)
        return _encoded(out.getvalue())

    def _cells(self, record: Any) -> Iterable[Any]:
        return map(record.get, self.names) if isinstance(record, Mapping) else record


def _object(names: Sequence[str], values: Sequence[str]) -> str:
    """A line of members, all JSON already."""
    members = ", ".join(f"{name}: {value}" for name, value in zip(names, values, strict=True))
    return f"{{{members}}}\n"


def _encoded(text: str) -> bytes:
    """UTF-8, in which halves of characters have no place: JSON can name them."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_of_cell(text: str) -> str:
    """The text of a cell as JSON."""
    if not text:
        return "null"
    return text if _NUMBER.fullmatch(text) else _quoted(text)


def _json(value: Any) -> str:
    """A value as JSON."""
    if type(value) is float and math.isfinite(value):
        return repr(value)
    return json.dumps(_named(value), ensure_ascii=False, default=str)


def _named(value: Any) -> Any:
    """The same with names for the numbers that JSON has not."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list):
        return [_named(item) for item in value]
    if isinstance(value, dict):
        return {name: _named(item) for name, item in value.items()}
    return value

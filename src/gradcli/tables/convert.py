"""Tables written as another kind than they were read: no lines are kept, values are."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
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
        return b"" if self.as_json else self._line([*self.names, *titles])

    def write(self, rows: Rows, made: Sequence[Made], keep: Array | None) -> bytes:
        """Some rows with what is computed."""
        convert, blank = (as_json, "null") if self.as_json else (texts_of, "")
        texts = [blanked(convert(column.values), column.empty, blank) for column in made]
        titles = [column.name for column in made]
        written = []
        if not self.as_json and isinstance(rows, JsonChunk):
            rows.check_members(self.names)
        for row, record in enumerate(rows.records()):
            if keep is not None and not keep[row]:
                continue
            added = [text[row] for text in texts]
            if self.as_json:
                written.append(self._object(record, titles, added))
            elif isinstance(record, Mapping):
                written.append(self._line([cell_text(record.get(n)) for n in self.names] + added))
            else:
                written.append(self._line([*map(cell_text, record), *added]))
        return b"".join(written)

    def _line(self, cells: Sequence[str]) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerow(cells)
        return out.getvalue().encode("utf-8", "surrogateescape")

    def _object(self, record: Any, titles: Sequence[str], added: Sequence[str]) -> bytes:
        pairs = (
            record.items() if isinstance(record, Mapping) else zip(self.names, record, strict=False)
        )
        members = [f"{_quoted(name)}: {_json(value)}" for name, value in pairs]
        members += [f"{_quoted(name)}: {text}" for name, text in zip(titles, added, strict=True)]
        return f"{{{', '.join(members)}}}\n".encode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json(value: Any) -> str:
    """A value, or the text of a cell, as JSON."""
    if isinstance(value, str):
        if value == "":
            return "null"
        return value if _NUMBER.fullmatch(value) else _quoted(value)
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"'
    return json.dumps(value, ensure_ascii=False, default=str)

"""Tables written as another kind than they were read: no lines are kept, values are."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
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
        member = _json if rows.is_typed else _json_of_cell
        for row, record in enumerate(rows.records()):
            if keep is not None and not keep[row]:
                continue
            added = [text[row] for text in texts]
            if self.as_json:
                members = {name: member(value) for name, value in self._members(record)}
                written.append(_object({**members, **dict(zip(titles, added, strict=True))}))
            elif isinstance(record, Mapping):
                written.append(self._line([cell_text(record.get(n)) for n in self.names] + added))
            else:
                written.append(self._line([*map(cell_text, record), *added]))
        return b"".join(written)

    def _line(self, cells: Sequence[str]) -> bytes:
        out = io.StringIO()
        csv.writer(out, delimiter=self.separator, lineterminator="\n").writerow(cells)
        return _encoded(out.getvalue())

    def _members(self, record: Any) -> Iterable[tuple[str, Any]]:
        return (
            record.items() if isinstance(record, Mapping) else zip(self.names, record, strict=False)
        )


def _object(members: Mapping[str, str]) -> bytes:
    """A line of members whose values are JSON."""
    written = ", ".join(f"{_quoted(name)}: {value}" for name, value in members.items())
    return _encoded(f"{{{written}}}\n")


def _encoded(text: str) -> bytes:
    """UTF-8, in which halves of characters have no place: JSON can name them."""
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

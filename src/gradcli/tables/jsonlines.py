"""Tables of objects, one a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from gradcli.tables.blocks import BOM, Piece
from gradcli.tables.cells import SHOWN, Bad, Cells, Made, as_json, blanked
from gradcli.tables.errors import TableError
from gradcli.typing import Array
from gradcli.views.jsonout import JsonSyntaxError, loads

_SPECIAL: Final = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


class JsonChunk:
    """Some lines of objects.

    Attributes:
        rows: how many there are; blank lines are none.
    """

    is_typed = True

    def __init__(self, piece: Piece, nulls: Sequence[str]) -> None:
        self.nulls = nulls
        self.lines = piece.data.split(b"\n")
        self.ended = not self.lines[-1]
        if self.ended:
            del self.lines[-1]
        self.given = [k for k, line in enumerate(self.lines) if line.strip()]
        self.first = piece.line
        self.rows = len(self.given)
        self.broken: dict[int, str] = {}
        self.objects = [self._object(row, self.lines[k]) for row, k in enumerate(self.given)]

    def _object(self, row: int, line: bytes) -> Mapping[str, Any]:
        try:
            found = loads(line.removeprefix(BOM).decode())
        except (JsonSyntaxError, UnicodeDecodeError, RecursionError) as error:
            self.broken[row] = f"is no JSON: {error}"
            return {}
        if not isinstance(found, dict):
            self.broken[row] = "holds no object"
            return {}
        return found

    def line(self, row: int) -> int:
        """The number of a row's line."""
        return self.first + self.given[row]

    def keys(self) -> list[str]:
        """The names of all members."""
        return list(dict.fromkeys(key for found in self.objects for key in found))

    def check_table(self) -> None:
        """Raises:
        TableError: no line holds an object.
        """
        if self.broken.keys() == {*range(self.rows)}:
            raise TableError(
                f"is no table of JSON Lines: line {self.line(0)} {self.broken[0]}",
                "an object stands in each line; jq -c '.[]' makes lines of an array",
            )

    def check_members(self, names: Sequence[str]) -> None:
        """Raises:
        TableError: an object has a member that no column was made for.
        """
        for row, members in enumerate(self.objects):
            for name in members:
                if name not in names:
                    raise TableError(
                        f"has a member {name} first in line {self.line(row)}, after its columns"
                        " were written",
                        "--to jsonl keeps every member",
                    )

    def read(self, names: Sequence[str]) -> Cells:
        """The numbers of these columns."""
        found = Cells({}, {}, {row: Bad("", why) for row, why in self.broken.items()})
        for name in names:
            values, missing = np.full(self.rows, np.nan), np.zeros(self.rows, bool)
            for row, members in enumerate(self.objects):
                value = members.get(name)
                if value is None or (isinstance(value, str) and value in self.nulls):
                    missing[row] = True
                elif isinstance(value, bool | int | float):
                    values[row] = value if isinstance(value, float) else _as_float(value)
                elif isinstance(value, str) and value in _SPECIAL:
                    values[row] = _SPECIAL[value]
                else:
                    text = json.dumps(value, ensure_ascii=False)
                    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
                    found.bad.setdefault(row, Bad(name, f"{shown} is no number"))
            found.values[name] = values
            if missing.any():
                found.missing[name] = missing
        return found

    def write(self, made: Sequence[Made], keep: Array | None) -> bytes:
        """The objects with what is computed after their members."""
        texts = [blanked(as_json(column.values), column.empty, "null") for column in made]
        titles = [json.dumps(column.name, ensure_ascii=False) for column in made]
        rows = iter(range(self.rows))
        written = []
        for k, line in enumerate(self.lines):
            end = b"\n" if self.ended or k + 1 < len(self.lines) else b""
            if not line.strip():
                written.append(line + end)
                continue
            row = next(rows)
            if keep is not None and not keep[row]:
                continue
            if row in self.broken:
                written.append(line + end)
                continue
            for column in made:
                if column.name in self.objects[row]:
                    raise TableError(
                        f"has a member {column.name} already in line {self.line(row)}",
                        "give the output another name",
                    )
            close = len(line[: line.rindex(b"}")].rstrip())
            members = ", ".join(
                f"{title}: {text[row]}" for title, text in zip(titles, texts, strict=True)
            )
            comma = ", " if self.objects[row] else ""
            written.append(line[:close] + f"{comma}{members}".encode() + line[close:] + end)
        return b"".join(written)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The members of each row."""
        yield from self.objects


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf

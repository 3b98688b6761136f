"""Cells of a table as numbers, and numbers as the text of cells."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.typing import Array

SHOWN: Final = 40
"""Characters of a cell that an error quotes."""

_COMMA: Final = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?", re.ASCII)


class Bad(NamedTuple):
    """What is wrong in a row.

    Attributes:
        column: where; "" for the row itself.
        why: what is wrong.
    """

    column: str
    why: str


class Cells(NamedTuple):
    """The numbers of some columns.

    Attributes:
        values: by column; nan where there is none.
        missing: where a column has no number and need not have one; columns without such rows are
            left out.
        bad: rows of which a cell is no number.
    """

    values: dict[str, Array]
    missing: dict[str, Array]
    bad: dict[int, Bad]


class Made(NamedTuple):
    """A column that is appended.

    Attributes:
        values: floating-point numbers, integers or truth values.
        empty: the rows that have none; None where all have one.
    """

    name: str
    values: Array
    empty: Array | None


class Reading(NamedTuple):
    """How cells are read.

    Attributes:
        nulls: texts that stand for a number that is not there, beside the empty one.
        decimal: what stands before decimals.
    """

    nulls: Collection[str] = ()
    decimal: str = "."

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as Python has them, and nothing else stands for one."""
        return not self.nulls and self.decimal == "."


def number_of(cell: str, reading: Reading) -> float | None:
    """The number in a cell; None where there is none.

    Raises:
        ValueError: the cell holds anything else; it says what.
    """
    text = cell.strip(" \t\r\n")
    if not text or text in reading.nulls:
        return None
    number = text
    if reading.decimal != ".":
        number = "?" if "." in text else text.replace(reading.decimal, ".")
    try:
        if "_" in number or not number.isascii():
            raise ValueError
        return float(number)
    except ValueError:
        pass
    shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    why = f"{shown!r} is no number"
    if reading.decimal == "." and _COMMA.fullmatch(text):
        why += ": --decimal , reads decimal commas"
    elif text.lower() in ("na", "n/a", "nil", "none", "null", "missing", "-", "."):
        why += f": --null {text} makes it an empty cell"
    raise ValueError(why)


def pointed(cell: str, reading: Reading) -> str:
    """A cell that other kinds of tables may have: numbers with decimal points."""
    if reading.decimal == "," and _COMMA.fullmatch(cell.strip(" ")):
        return cell.replace(",", ".")
    return cell


def characters(cell: str) -> str:
    """The text of a cell that has a character for each of its bytes."""
    return cell.encode("latin-1").decode("utf-8", "replace")


def numbers_of(cells: Sequence[str], name: str, reading: Reading, usual: bool, into: Cells) -> None:
    """Reads a column.

    Args:
        cells: UTF-8, a character for each byte.
        usual: whether what `float` takes is a number here, too.
    """
    count = len(cells)
    if usual and reading.is_plain:
        with suppress(ValueError):
            into.values[name] = np.array(list(map(float, cells)), np.float64)
            return
    values, missing = np.full(count, math.nan), np.zeros(count, bool)
    for row, cell in enumerate(cells):
        if not cell.isascii():
            cell = characters(cell)
        try:
            number = number_of(cell, reading)
        except ValueError as error:
            into.bad.setdefault(row, Bad(name, str(error)))
        else:
            if number is None:
                missing[row] = True
            else:
                values[row] = number
    into.values[name] = values
    if missing.any():
        into.missing[name] = missing


def text_of(number: float) -> str:
    """The shortest text that reads back, in the form in which polars writes it."""
    text = repr(number)
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    if exponent == "-05":
        digits = mantissa.lstrip("-").replace(".", "")
        return f"{'-' if number < 0 else ''}0.0000{digits}"
    return f"{mantissa}e{int(exponent):+d}"


def single_text_of(number: np.float32) -> str:
    """The same of a number in single precision, of which polars has exponents elsewhere."""
    if not np.isfinite(number):
        return str(number)
    mantissa, _, exponent = np.format_float_scientific(number, trim="0").partition("e")
    if -7 < int(exponent) < 13:
        return np.format_float_positional(number, trim="0")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def cell_text(value: Any) -> str:
    """A value as the text of a cell."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return text_of(value)
    if isinstance(value, list | Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def texts_of(values: Array) -> list[str]:
    """Numbers as text."""
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values.tolist()]
    if values.dtype.kind != "f":
        return list(map(repr, values.tolist()))
    if values.dtype == np.float32:
        return list(map(single_text_of, values))
    if values.dtype != np.float64:
        return [text_of(float(str(value))) for value in values]
    texts = list(map(repr, values.tolist()))
    size = np.abs(values)
    odd = ((size < 1e-4) & (size > 0)) | (size >= 1e16)
    for row in np.flatnonzero(odd).tolist():
        texts[row] = text_of(float(values[row]))
    return texts


def as_json(values: Array) -> list[str]:
    """Numbers as JSON has them; those that are not finite are strings."""
    texts = texts_of(values)
    if values.dtype.kind == "f":
        for row in np.flatnonzero(~np.isfinite(values)).tolist():
            value: Any = values[row]
            texts[row] = '"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"'
    return texts


def blanked(texts: list[str], empty: Array | None, blank: str = "") -> list[str]:
    """The same with `blank` in the rows that have no number."""
    if empty is not None:
        for row in np.flatnonzero(empty).tolist():
            texts[row] = blank
    return texts

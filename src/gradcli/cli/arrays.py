"""Arrays from files: `.npy`, `.npz`, `.csv`, `.tsv` and `.json`.

A file is text of strangers: nothing is ever unpickled, what it says about its size is checked
before memory is taken for it, and what is not understood is an error and never left out.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from math import prod
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from gradcli.cli.report import UsageError
from gradcli.cli.source import decode, read_bytes, unreadable
from gradcli.tensor import dtypes
from gradcli.tensor.memory import budget

if TYPE_CHECKING:
    from zipfile import ZipInfo

_ARCHIVE: Final = re.compile(r"(.+\.npz)(?::(.*))?", re.DOTALL | re.IGNORECASE)
_MAGIC: Final = b"\x93NUMPY"
_MAX_HEADER: Final = 10_000
"""Bytes of a header: NumPy's own limit, which it asks after it has read them."""

_MAX_NAMES: Final = 20
"""Names of arrays that an error lists."""

_SEPARATORS: Final = "\t;,"
"""Of these the first that stands in the first line separates the cells."""

_BEGINNING: Final = 1 << 16
"""Characters of a table among which its first line ends."""

_NUMBER_BEGINS: Final = re.compile(r"[-+.,]*\d")
_DECIMAL_COMMA: Final = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
_MISSING: Final = frozenset(("na", "n/a", "nil", "none", "null", "missing"))
"""What stands for a number that is not known, in small letters; it is no name of a column."""


class FileContentError(ValueError):
    """A file does not hold the numbers that it should."""


def read_array(path: str) -> Any:
    """The array in a `.npy`, `.npz` (`FILE.npz:NAME`), `.csv`, `.tsv` or `.json` file.

    Numbers in texts get the dtype that `torch.tensor` infers; a table of one row or one column is
    a vector. Its cells are separated by tabs, semicolons or commas, and its first line may be a
    header: names without a number among them.

    Raises:
        UsageError: the file cannot be read or its kind is unknown.
        FileContentError: it holds no array of numbers.
        ParseError: its text is not UTF-8.
    """
    archive = _ARCHIVE.fullmatch(path)
    if archive:
        return _from_archive(archive[1], archive[2] or None)
    kind = os.path.splitext(path)[1].lower()
    if kind == ".npy":
        return _from_npy(path)
    if kind in (".csv", ".tsv"):
        return _from_table(path, decode(read_bytes(path), path), "\t" if kind == ".tsv" else "")
    if kind == ".json":
        return _from_json(path, decode(read_bytes(path), path))
    raise UsageError(
        f"cannot tell what kind of file {path or '@'} is",
        "a file of numbers is named .npy, .npz:NAME, .csv, .tsv or .json",
    )


def _from_npy(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return _array_of(path, file, os.fstat(file.fileno()).st_size)
    except OSError as error:
        raise unreadable(path, error) from None


def _array_of(what: str, file: IO[bytes], size: int) -> Any:
    """The array in an open `.npy` file of that many bytes."""
    try:
        shape, dtype = _header(what, file)
        _check_kind(what, dtype)
        _check_size(what, shape, dtype, size - file.tell())
        file.seek(0)
        array = np.lib.format.read_array(file, allow_pickle=False)
        file.read(1)  # at its end a member of an archive checks its sum
    except (ValueError, EOFError, OverflowError, MemoryError) as error:
        if isinstance(error, FileContentError):
            raise
        raise FileContentError(f"{what} is no array: {_first_line(error)}") from None
    return array.astype(array.dtype.newbyteorder("="), order="C", copy=False)


def _header(what: str, file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the dtype that a `.npy` file says it has; what follows are the numbers."""
    beginning = file.read(len(_MAGIC) + 6)
    if not beginning.startswith(_MAGIC):
        raise FileContentError(f"{what} is no array: it does not begin as a .npy file does")
    file.seek(0)
    is_first = np.lib.format.read_magic(file) == (1, 0)
    count = beginning[len(_MAGIC) + 2 :][: 2 if is_first else 4]
    (length,) = struct.unpack("<H" if is_first else "<I", count.ljust(2 if is_first else 4, b"\0"))
    if length > _MAX_HEADER:
        raise FileContentError(
            f"{what} is no array: its header has {length} bytes, more than {_MAX_HEADER}"
        )
    # Version 3 differs from version 2 in the names of fields only.
    read = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(file)
    except Exception as error:  # whatever Python's tokenizer and parser raise; NumPy sorts out some
        raise FileContentError(f"{what} is no array: {_first_line(error)}") from None
    return shape, dtype


def _first_line(error: BaseException) -> str:
    """What NumPy says, without what it advises."""
    return str(error).partition("\n")[0][:200]


def _check_kind(what: str, dtype: np.dtype[Any]) -> None:
    if dtype.hasobject:
        raise FileContentError(f"{what} holds Python objects, which are never unpickled")
    try:
        dtypes.from_numpy(dtype.newbyteorder("="))
    except TypeError:
        raise FileContentError(f"{what} is an array of {dtype}, which no tensor can hold") from None


def _check_size(what: str, shape: tuple[int, ...], dtype: np.dtype[Any], held: int) -> None:
    """Refuses an array that is not all there, is not all there is, or is larger than memory."""
    if any(not 0 <= size < 1 << 63 for size in shape):
        raise FileContentError(f"{what} is no array: its shape is {list(shape)}")
    needed = prod(shape) * dtype.itemsize
    if needed != held:
        raise FileContentError(
            f"{what} is no array: {list(shape)} of {dtype} are {needed} bytes, and it holds {held}"
        )
    if not budget.allows(2 * needed):  # reading it may need it twice
        raise FileContentError(f"{what} is too large: {needed} bytes")


def _from_archive(path: str, member: str | None) -> Any:
    try:
        file = open(path, "rb")  # noqa: SIM115 - so that no error of what is in it is caught here
    except OSError as error:
        raise unreadable(path, error) from None
    with file:
        return _array_in(path, file, member)


def _array_in(path: str, file: IO[bytes], name: str | None) -> Any:
    """The array of that name in an open archive, the only one where no name is given."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(file) as archive:
            info = _member(path, name, archive.infolist())
            what = f"{path}:{info.filename.removesuffix('.npy')}"
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise FileContentError(f"{what} is compressed in a way that NumPy does not write")
            with archive.open(info) as member:
                return _array_of(what, member, info.file_size)
    except FileContentError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FileContentError(f"{path} is no archive of arrays: {error}") from None


def _member(path: str, name: str | None, members: list[ZipInfo]) -> ZipInfo:
    """The member that is meant, the only one where no name is given."""
    arrays = [member for member in members if member.filename.endswith(".npy")]
    found = [m for m in arrays if name is None or m.filename == f"{name}.npy"]
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} arrays" if found or not name else "no array"
    names = [member.filename.removesuffix(".npy") for member in arrays[:_MAX_NAMES]]
    listed = ", ".join(names) or "none"
    if len(arrays) > _MAX_NAMES:
        listed += ", …"
    raise FileContentError(f"{path} has {what}{f' {name}' if name else ''}; its arrays: {listed}")


def _from_table(path: str, text: str, separator: str) -> Any:
    rows: list[list[float]] = []
    width = 0
    before = "the lines before have"
    for line, cells in _records(path, text, separator or _separator(text)):
        where = f"{path}, line {line}"
        if width and len(cells) != width:
            raise FileContentError(f"{where}: {len(cells)} cells, where {before} {width}")
        if not width and _is_header(cells):
            before = "the header has"
        else:
            rows.append([_number(cell, where, column) for column, cell in enumerate(cells, 1)])
            before = "the lines before have"
        width = len(cells)
    if not rows:
        raise FileContentError(f"{path} holds no numbers")
    array = np.array(rows, dtypes.default.dtype.np)
    return array.reshape(-1) if 1 in array.shape else array


def _records(path: str, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row that is not blank, with the number of the line that it begins in."""
    import csv
    import io

    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise FileContentError(f"{path}, line {line}: {error}") from None
        if cells is None:
            return
        if len(cells) > 1 or (cells and cells[0].strip()):
            yield line, cells


def _separator(text: str) -> str:
    """What separates the cells of a table, as its first line that is not blank shows it."""
    unquoted = re.sub(r'"[^"]*"', "", text[:_BEGINNING])
    first = next(filter(str.strip, unquoted.splitlines()), "")
    return next((character for character in _SEPARATORS if character in first), ",")


def _is_header(cells: list[str]) -> bool:
    """Whether a row has names and nothing that is, or was meant for, a number."""
    named = [cell.strip() for cell in cells if cell.strip()]
    return bool(named) and not any(_is_for_number(cell) for cell in named)


def _is_for_number(cell: str) -> bool:
    if _NUMBER_BEGINS.match(cell) or cell.lower() in _MISSING:
        return True
    if not any(map(str.isalpha, cell)):
        return True
    try:
        float(cell)  # nan, inf
    except ValueError:
        return False
    return True


def _number(cell: str, where: str, column: int) -> float:
    try:
        return float(cell)
    except ValueError:
        cell = cell.strip()
    what = f"{cell[:40]!r} is no number" if cell else "the cell is empty"
    if _DECIMAL_COMMA.fullmatch(cell):
        what += ": decimals are written with a point"
    raise FileContentError(f"{where}, column {column}: {what}")


def _from_json(path: str, text: str) -> Any:
    from gradcli.views.jsonout import JsonSyntaxError, decode_array, loads

    try:
        return decode_array(loads(text), default_dtype_name=dtypes.default.dtype.name)
    except JsonSyntaxError as error:
        where = f", line {error.line}, column {error.column}" if error.line else ""
        raise FileContentError(f"{path}{where}: {error}") from None
    except ValueError as error:
        raise FileContentError(f"{path}: {error}") from None

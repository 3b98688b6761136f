"""Arrays from files: those of NumPy, tables, JSON.

A file is text of strangers: nothing is ever unpickled, what it says about its size is checked
before memory is taken for it, and what is not understood is an error and never left out.
"""

from __future__ import annotations

import io
import os
import stat
import struct
from math import prod
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np

from gradcli.cli.rows import WHITE, RowsError, array_of_rows, listed, separator_of
from gradcli.cli.source import STDIN, decode, origin_of, standard_input, unreadable
from gradcli.tensor import dtypes
from gradcli.tensor.memory import budget
from gradcli.typing import Array

if TYPE_CHECKING:
    from zipfile import ZipInfo

KINDS: Final = (".npy", ".npz", ".csv", ".tsv", ".json")
"""Ends of names that tell what a file holds."""

_MAGIC: Final = b"\x93NUMPY"
_ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06")
_MAX_HEADER: Final = 10_000
"""Bytes of a header: NumPy's own limit, which it asks after it has read them."""


class FileContentError(ValueError):
    """A file does not hold the numbers that it should."""


def read_array(what: str) -> Array:
    """The array in a file, or in the standard input for `-`.

    The name of a file tells its kind: `.npy`, `.npz`, `.csv`, `.tsv`, `.json`. Where it does not,
    the contents do: an array or an archive of NumPy, JSON in brackets, else a table, whose cells
    are separated as its first line shows, by white space if there is nothing else. Behind a colon
    stands the name of one array of an archive, or of one column of a table. What is text gets the
    dtype that `torch.tensor` infers; a table of one row or one column is a vector.

    Raises:
        UsageError: the file cannot be read.
        FileContentError: it holds no array of numbers.
        ParseError: its text is not UTF-8.
    """
    path, part = _parted(what)
    try:
        file = _open(path)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    with file:
        return _read(path, file, part or None)


def _parted(what: str) -> tuple[str, str | None]:
    """A path and what stands behind a colon, unless that belongs to the name of a file."""
    colons = [position for position, character in enumerate(what) if character == ":"]
    for end in (len(what), *colons):
        path = what[:end]
        if path == STDIN or os.path.lexists(path) or (end < len(what) and _kind_of(path)):
            return path, what[end + 1 :] if end < len(what) else None
    return what, None


def _kind_of(path: str) -> str:
    """What the name of a file says about its kind: `.npy`, or "" for nothing."""
    kind = os.path.splitext(path)[1].lower()
    return kind if kind in KINDS else ""


def _open(path: str) -> IO[bytes]:
    """A file to move about in; a pipe, which can be read once only, is read to its end."""
    if path == STDIN:
        return io.BytesIO(standard_input.open().read())
    file = open(path, "rb")  # noqa: SIM115 - whoever asks closes it
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    with file:
        return io.BytesIO(file.read())


def _read(path: str, file: IO[bytes], part: str | None) -> Array:
    kind = _kind_of(path) or _kind_by_content(file)
    what = origin_of(path)
    if kind == ".npz":
        return _array_in(what, file, part)
    if part is not None and kind in (".npy", ".json"):
        raise FileContentError(f"{what} has no columns with names, and so no {part}")
    if kind == ".npy":
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        return _array_of(what, file, size)
    text = decode(_contents(path, file), what)
    if kind == ".json" or (not kind and text.lstrip()[:1] in ("[", "{")):
        return _from_json(what, text)
    separator = "\t" if kind == ".tsv" else separator_of(text, "," if kind == ".csv" else WHITE)
    return _from_table(what, text, separator, part)


def _contents(path: str, file: IO[bytes]) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise unreadable(path, error) from None


def _kind_by_content(file: IO[bytes]) -> str:
    """The kind of what NumPy wrote; "" for text."""
    beginning = file.read(len(_MAGIC))
    file.seek(0)
    if beginning == _MAGIC:
        return ".npy"
    return ".npz" if beginning.startswith(_ARCHIVES) else ""


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
    names = listed([member.filename.removesuffix(".npy") for member in arrays])
    raise FileContentError(f"{path} has {what}{f' {name}' if name else ''}; its arrays: {names}")


def _from_table(what: str, text: str, separator: str, column: str | None) -> Array:
    try:
        return array_of_rows(text, separator, column)
    except RowsError as error:
        cell = f", column {error.column}" if error.column else ""
        where = f", line {error.line}{cell}:" if error.line else ""
        raise FileContentError(f"{what}{where} {error}") from None


def _from_json(path: str, text: str) -> Any:
    from gradcli.views.jsonout import JsonSyntaxError, decode_array, loads

    try:
        return decode_array(loads(text), default_dtype_name=dtypes.default.dtype.name)
    except JsonSyntaxError as error:
        where = f", line {error.line}, column {error.column}" if error.line else ""
        raise FileContentError(f"{path}{where}: {error}") from None
    except ValueError as error:
        raise FileContentError(f"{path}: {error}") from None

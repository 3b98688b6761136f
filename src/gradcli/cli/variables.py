"""Variables of the command line: numbers, expressions, and arrays from files."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from gradcli.cli.report import UsageError
from gradcli.cli.source import check_argument, decode, read_bytes, unreadable
from gradcli.evaluation import Variable
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap

_ARCHIVE = re.compile(r"(.+\.npz)(?::(.*))?", re.DOTALL)
_MAGIC = b"\x93NUMPY"
_NAME = re.compile(r"[^\W\d]\w*")


class FileContentError(ValueError):
    """A file does not hold the numbers that it should."""


def pairs(option: str, assignments: list[str]) -> list[tuple[str, str]]:
    """Names and texts of `--let NAME=VALUE` and `--const NAME=VALUE`.

    Raises:
        UsageError: one of them is no assignment.
    """
    found = []
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not _NAME.fullmatch(name.strip()):
            raise UsageError(f"{option} needs NAME=VALUE, not {assignment!r}")
        found.append((name.strip(), value))
    return found


def variable(name: str, text: str, kind: str, option: str) -> Variable:
    """One variable; the array of an `@file` is read at once.

    Raises:
        UsageError: the file cannot be read.
        FileContentError: it holds no array of numbers.
        ParseError: the text is not UTF-8.
    """
    text = check_argument(text, f"value of {option}")
    if text.startswith("@"):
        return Variable(name, _leaf(read_array(text[1:]), kind), kind)
    return Variable(name, text, kind, option)


def _leaf(array: Any, kind: str) -> Tensor:
    """A leaf over an array; integers become the default dtype where a gradient is wanted."""
    if kind == "const":
        return wrap(array)
    if array.dtype.kind not in "fc":
        array = array.astype(dtypes.default.dtype.np)
    return wrap(array, requires_grad=True)


def read_array(path: str) -> Any:
    """The array in a `.npy`, `.npz` (`FILE.npz:NAME`), `.csv` or `.json` file.

    Nothing is ever unpickled. Numbers in CSV and JSON get the dtype that `torch.tensor` infers; a
    CSV file of one row or one column is a vector, and its first line may be a header.

    Raises:
        UsageError: the file cannot be read or its kind is unknown.
        FileContentError: it holds no array of numbers.
    """
    archive = _ARCHIVE.fullmatch(path)
    if archive:
        return _from_archive(archive[1], archive[2])
    if path.endswith(".npy"):
        return _from_npy(path)
    if path.endswith(".csv"):
        return _from_csv(path, decode(read_bytes(path), path))
    if path.endswith(".json"):
        return _from_json(path, decode(read_bytes(path), path))
    raise UsageError(
        f"cannot tell what kind of file {path or '@'} is",
        "a file of numbers is named .npy, .npz:NAME, .csv or .json",
    )


def _from_npy(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            return _array_of(path, file)
    except OSError as error:
        raise unreadable(path, error) from None


def _array_of(what: str, file: Any) -> Any:
    """The array in an open `.npy` file."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise FileContentError(f"{what} is no array: it does not begin as a .npy file does")
    file.seek(0)
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        if "Object arrays" in str(error):
            raise FileContentError(
                f"{what} holds Python objects, which are never unpickled"
            ) from None
        raise FileContentError(f"{what} is no array: {error}") from None
    array = array.astype(array.dtype.newbyteorder("="), order="C", copy=False)
    try:
        dtypes.from_numpy(array.dtype)
    except TypeError:
        raise FileContentError(
            f"{what} is an array of {array.dtype}, which no tensor can hold"
        ) from None
    return array


def _from_archive(path: str, member: str | None) -> Any:
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")
            ]
            if member is None and len(names) == 1:
                member = names[0]
            if member not in names:
                listed = ", ".join(names) or "none"
                what = f"has no array {member}" if member else f"has {len(names)} arrays"
                raise FileContentError(f"{path} {what}; its arrays: {listed}")
            with archive.open(f"{member}.npy") as file:
                return _array_of(f"{path}:{member}", file)
    except OSError as error:
        raise unreadable(path, error) from None
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise FileContentError(f"{path} is no archive of arrays: {error}") from None


def _from_csv(path: str, text: str) -> Any:
    import csv

    rows: list[list[float]] = []
    width = 0
    for number, cells in enumerate(csv.reader(text.splitlines()), 1):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            row = [float(cell) for cell in cells]
        except ValueError as error:
            if not rows and number == 1:
                continue  # a header
            raise FileContentError(f"{path}, line {number}: {error}") from None
        if rows and len(row) != width:
            raise FileContentError(
                f"{path}, line {number}: {len(row)} cells, where the lines before have {width}"
            )
        width = len(row)
        rows.append(row)
    if not rows:
        raise FileContentError(f"{path} holds no numbers")
    array = np.array(rows, dtypes.default.dtype.np)
    return array.reshape(-1) if 1 in array.shape else array


def _from_json(path: str, text: str) -> Any:
    from gradcli.views.jsonout import decode_array, loads

    try:
        return decode_array(loads(text), default_dtype_name=dtypes.default.dtype.name)
    except ValueError as error:
        raise FileContentError(f"{path}: {error}") from None

"""Variables of the command line: numbers, expressions, and arrays from files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import typer

import gradcli.wiring  # noqa: F401 - printing, floating point warnings
from gradcli.cli.arguments import suggest_option, variables_of
from gradcli.cli.report import USAGE, UsageError, say
from gradcli.cli.source import check_argument, decode, read_bytes, unreadable
from gradcli.evaluation import Bindings, Variable, bindings_of
from gradcli.language.running.code import Code
from gradcli.language.telling.diagnostics import locate
from gradcli.language.telling.suggest import did_you_mean
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap

_ARCHIVE = re.compile(r"(.+\.npz)(?::(.*))?", re.DOTALL)
_MAGIC = b"\x93NUMPY"
_NAME = re.compile(r"[^\W\d]\w*")


class FileContentError(ValueError):
    """A file does not hold the numbers that it should."""


def variables_given(
    context: typer.Context, const: list[str] | None, let: list[str] | None
) -> list[Variable]:
    """The variables of a command line: `--const`, flags of their own names, `--let`.

    Raises:
        UsageError: one of them is no assignment.
        ParseError: a text is not UTF-8.
    """
    return [
        *(_variable(*pair, "const", "--const") for pair in _pairs("--const", const or [])),
        *(_variable(*pair, "let", f"--{pair[0]}") for pair in variables_of(context)),
        *(_variable(*pair, "let", "--let") for pair in _pairs("--let", let or [])),
    ]


def _pairs(option: str, assignments: list[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of `--let NAME=VALUE` and `--const NAME=VALUE`."""
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not _NAME.fullmatch(name.strip()):
            raise UsageError(f"{option} needs NAME=VALUE, not {assignment!r}")
        yield name.strip(), value


def _variable(name: str, text: str, kind: str, option: str) -> Variable:
    text = check_argument(text, f"value of {option}")
    if text.startswith("@"):
        return Variable(name, lambda: _leaf(read_array(text[1:]), kind), kind, option)
    return Variable(name, text, kind, option)


def bind(code: Code, given: list[Variable], context: typer.Context) -> Bindings:
    """The variables of a command line as those of a text: each is used, each is given, once.

    Raises:
        UsageError: that is not so.
        ParseError: the text of a variable is not in the language.
        typer.Exit: the text needs variables that are not given; that is said, with the place.
    """
    bindings = bindings_of(code, given)
    for name in bindings.repeated():
        raise UsageError(f"{name} is given more than once")
    unbound = bindings.unbound()
    unused = bindings.unused()
    if unused:
        known = [v.name for v in bindings.variables if v not in unused] + unbound
        raise _unused(bindings, unused[0], known, context)
    if unbound:
        start, end = bindings.place(unbound[0]) or (0, 0)
        what = f"the variable {unbound[0]} has no value"
        if len(unbound) > 1:
            what = f"the variables {', '.join(unbound)} have no value"
        hint = f"add {' '.join(f'--{name} VALUE' for name in unbound)}"
        say(locate(what, "", code.text, code.origin, start, end, hint=hint))
        raise typer.Exit(USAGE)
    return bindings


def _unused(
    bindings: Bindings, variable: Variable, known: list[str], context: typer.Context
) -> UsageError:
    """The complaint about a variable that nothing reads."""
    name, option = variable.name, variable.origin
    if name in bindings.code.stores:
        return UsageError(f"{name} is given and declared in the expression, too")
    if option in ("--const", "--let"):
        return UsageError(f"{name} is no variable of the expression", nearest_variable(name, known))
    flags = {f"--{other}" for other in (*known, *bindings.free_names())}
    options = {spelling for parameter in context.command.params for spelling in parameter.opts}
    hint = suggest_option(option, flags) or suggest_option(option, options | flags)
    return UsageError(f"{option} names no variable of the expression", hint or its_variables(known))


def nearest_variable(name: str, known: Collection[str]) -> str:
    """A hint: the variable whose name is spelled much like this one, or else all of them."""
    return did_you_mean(name, known) or its_variables(known)


def its_variables(names: Collection[str]) -> str:
    """A hint that lists the variables of an expression."""
    return f"its variables: {', '.join(names)}" if names else "it has no variables"


# --- arrays from files


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

"""Variables of the command line: numbers, expressions, and arrays from files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import gradcli.wiring  # noqa: F401 - printing, floating point warnings
from gradcli.cli.declarations import Line
from gradcli.cli.report import USAGE, Exit, UsageError, say
from gradcli.cli.rows import WHITE, RowsError, are_numbers, array_of_rows, stray_word
from gradcli.cli.source import check_argument
from gradcli.cli.words import suggest_option
from gradcli.evaluation import Bindings, Variable, bindings_of, compile_value
from gradcli.language.allowed.namespace import knows
from gradcli.language.running.code import Code
from gradcli.language.telling.diagnostics import ParseError, Place, locate
from gradcli.language.telling.suggest import did_you_mean
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

SEED: Final = "--grad-tensors"
TANGENT: Final = "--tangent"
_NAME: Final = r"[^\W\d]\w*"


def variables_given(line: Line, const: list[str] | None, let: list[str] | None) -> list[Variable]:
    """The variables of a command line: `--const`, flags of their own names, `--let`.

    Raises:
        UsageError: one of them is no assignment.
        ParseError: a text is not UTF-8.
    """
    return [
        *(_variable(*pair, "const", "--const") for pair in _pairs("--const", const or [])),
        *(_variable(*pair, "let", f"--{pair[0]}") for pair in line.variables),
        *(_variable(*pair, "let", "--let") for pair in _pairs("--let", let or [])),
    ]


def seeds_given(texts: list[str]) -> list[Any]:
    """What `--grad-tensors` gives, each as a `Plan` has it.

    Raises:
        ParseError: a text is not in the language, or not UTF-8.
    """
    return [_seed(text) for text in texts]


def tangents_given(assignments: list[str]) -> dict[str, Any]:
    """What `--tangent` gives, as a `Plan` has it.

    Raises:
        UsageError: one is no assignment, or a name is given twice.
        ParseError: a text is not in the language, or not UTF-8.
    """
    found: dict[str, Any] = {}
    for name, text in _pairs(TANGENT, assignments):
        if name in found:
            raise UsageError(f"{TANGENT}: {name} is given more than once")
        found[name] = _seed(text, TANGENT)
    return found


def _seed(text: str, option: str = SEED) -> Any:
    text = check_argument(text, f"value of {option}")
    fetch = _numbers(text, option)
    if fetch is None:
        return compile_value(text, option)
    return lambda output: wrap(fetch().astype(output._array.dtype))


def _pairs(option: str, assignments: list[str]) -> Iterator[tuple[str, str]]:
    """Names and texts of `--let NAME=VALUE` and `--const NAME=VALUE`."""
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not re.fullmatch(_NAME, name.strip()):
            raise UsageError(f"{option} needs NAME=VALUE, not {assignment!r}")
        yield name.strip(), value


def _variable(name: str, text: str, kind: str, option: str) -> Variable:
    text = check_argument(text, f"value of {option}")
    fetch = _numbers(text, option)
    if fetch is None:
        return Variable(name, text, kind, option)
    return Variable(name, lambda: _leaf(fetch(), kind), kind, option)


def _numbers(text: str, option: str) -> Callable[[], Array] | None:
    """What fetches the array that a value names or holds in rows; None where it is an expression.

    `1 -2` is two numbers, `1 - 2` an expression.
    """
    if text.startswith("@"):
        return lambda: _read(text[1:])
    if are_numbers(text):
        return lambda: _rows(text, option)
    return None


def _read(name: str) -> Array:
    from gradcli.cli.arrays import read_array

    return read_array(name)


def _rows(text: str, option: str) -> Array:
    try:
        return array_of_rows(text, WHITE)
    except RowsError as error:
        lines = text.splitlines(keepends=True)
        start = len("".join(lines[: error.line - 1]))
        line = lines[error.line - 1]
        start, end = start + len(line) - len(line.lstrip()), start + len(line.rstrip())
        failure = ValueError(f"row {error.line}: {error}")
        failure.place = Place(text, option, start, end, "")  # type: ignore[attr-defined]
        raise failure from None


def bind(code: Code, given: list[Variable], line: Line) -> Bindings:
    """The variables of a command line as those of an expression: each is used, each is given, once.

    Raises:
        UsageError: that is not so.
        ParseError: the text of a variable is not in the language.
        Exit: the text needs variables that are not given; that is said, with the place.
    """
    bindings = bind_some(code, given, line)
    unbound = bindings.unbound()
    if unbound:
        start, end = bindings.place(unbound[0]) or (0, 0)
        what = f"the variable {unbound[0]} has no value"
        if len(unbound) > 1:
            what = f"the variables {', '.join(unbound)} have no value"
        hint = f"add {' '.join(_flag(name, line) for name in unbound)}"
        say(locate(what, "", code.text, code.origin, start, end, hint=hint))
        raise Exit(USAGE)
    return bindings


def bind_some(code: Code, given: list[Variable], line: Line) -> Bindings:
    """The same, where not every variable needs a value.

    Raises:
        UsageError: one that is given is not used, or is given twice.
        ParseError: the text of a variable is not in the language.
    """
    bindings = _compiled(code, given)
    _check_used(bindings, line, "expression")
    _check_order(bindings)
    return bindings


def bind_program(code: Code, given: list[Variable], line: Line) -> Bindings:
    """The variables of a command line as those of a program: each is used, and given once.

    What a program lacks it says itself, when it comes to that.

    Raises:
        UsageError: that is not so.
        ParseError: the text of a variable is not in the language.
    """
    bindings = _compiled(code, given)
    _check_used(bindings, line, "program")
    return bindings


def _compiled(code: Code, given: list[Variable]) -> Bindings:
    try:
        return bindings_of(code, given)
    except ParseError as error:
        told = error.diagnostic
        texts = [v.value for v in given if v.origin == told.origin and isinstance(v.value, str)]
        stray = next(filter(None, map(stray_word, texts)), "")
        if stray:
            told.hint = f"rows hold nothing but numbers, and {stray[:40]!r} is none"
        raise


def _check_used(bindings: Bindings, line: Line, what: str) -> None:
    for name in bindings.repeated():
        raise UsageError(f"{name} is given more than once")
    unused = bindings.unused()
    if unused:
        known = [v.name for v in bindings.variables if v not in unused] + bindings.unbound()
        raise _unused(bindings, unused[0], known, line, what)


def _flag(name: str, line: Line) -> str:
    """How a variable gets a value: by an option of its name, unless there is another such."""
    return f"--let {name}=VALUE" if f"--{name}" in line.options else f"--{name} VALUE"


def _check_order(bindings: Bindings) -> None:
    """Raises:
    UsageError: the text of a variable reads one that is given after it.
    """
    later = [variable.name for variable in bindings.variables]
    for _, value, _, option in bindings.variables:
        later.pop(0)
        for name in value.read_names if isinstance(value, Code) else ():
            if name in later:
                message = f"the value of {option} reads {name}, which is given after it"
                raise UsageError(message, f"give {name} first")


def spelled_out(name: str, variables: Collection[str]) -> str:
    """What a name without a value may be made of: `xyz` of variables, `sin2x` of functions and
    factors, too; "" for other names, and for a variable itself.
    """
    made: dict[int, str] = {}  # of what follows a place in the name
    for start in reversed(range(len(name))):
        if start and name[start:] in variables:
            made[start] = name[start:]
        for cut in sorted(made):
            head = name[start:cut]
            if head in variables or (start and head.isdigit()):
                made.setdefault(start, f"{head}*{made[cut]}")
            elif len(head) > 1 and knows(head):
                made.setdefault(start, f"{head}({made[cut]})")
    return made.get(0, "")


def _unused(
    bindings: Bindings, variable: Variable, known: list[str], line: Line, what: str
) -> UsageError:
    """The complaint about a variable that nothing reads."""
    name, option = variable.name, variable.origin
    if name in bindings.code.stores:
        return UsageError(f"{name} is given, and the {what} sets it before it reads it")
    if option in ("--const", "--let"):
        return UsageError(f"{name} is no variable of the {what}", nearest_variable(name, known))
    for missing in bindings.unbound():
        meant = spelled_out(missing, [variable.name for variable in bindings.variables])
        if meant:
            return UsageError(f"{option} names no variable of the {what}", f"did you mean {meant}?")
    flags = {f"--{other}" for other in (*known, *bindings.free_names())}
    hint = suggest_option(option, flags) or suggest_option(option, line.options | flags)
    if not (hint or known) and what == "program":
        hint = "it sets every name that it reads"
    return UsageError(f"{option} names no variable of the {what}", hint or its_variables(known))


def nearest_variable(name: str, known: Collection[str]) -> str:
    """A hint: the variable whose name is spelled much like this one, or else all of them."""
    return did_you_mean(name, known) or its_variables(known)


def its_variables(names: Collection[str]) -> str:
    """A hint that lists the variables of an expression."""
    return f"its variables: {', '.join(names)}" if names else "it has no variables"


def _leaf(array: Any, kind: str) -> Tensor:
    """A leaf over an array; integers become the default dtype where a gradient is wanted."""
    if kind == "const":
        return wrap(array)
    if array.dtype.kind not in dtypes.INEXACT:
        array = array.astype(dtypes.default.dtype.np)
    return wrap(array if array.ndim else array[()], requires_grad=True)

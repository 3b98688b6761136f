"""Records of a batch: a line of input as a question, and an answer as a line of output."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradcli.evaluation import Plan, Variable
from gradcli.language.reading.encoding import EncodingError, decode_utf8, without_mark
from gradcli.language.telling.diagnostics import Diagnostic, ParseError
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.views.jsonout import JsonSyntaxError, decode_array, decode_leaf, dumps, loads

_NAME = re.compile(r"[^\W\d]\w*")
_KEYS = (
    "id",
    "expr",
    "program",
    "vars",
    "grad_tensors",
    "gradient",
    "order",
    "wrt",
    "retain_graph",
    "create_graph",
    "backward",
    "claims",
    "points",
)
_CHECK_KEYS = ("claims", "points")
_PLAN_KEYS = frozenset(_KEYS) - {"id", "expr", "program", "vars", *_CHECK_KEYS}
_PROGRAM_KEYS = ("id", "program", "vars")


class RecordError(ValueError):
    """A record that is JSON, but no question; `hint` is the way out, where there is one."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Record(NamedTuple):
    """One question: a program that prints, or an expression with a plan for its gradients.

    Attributes:
        claims: what somebody believes the derivatives to be; where there are any, they are judged
            instead, also at as many random points as `points` says.
    """

    id: Any
    text: str
    is_program: bool = False
    variables: tuple[Variable, ...] = ()
    plan: Plan = Plan()
    claims: tuple[str, ...] = ()
    points: int | None = None


def decode_line(line: bytes) -> str:
    """The text of a line of input, which must be UTF-8.

    Raises:
        ParseError: it is not.
    """
    try:
        return decode_utf8(line)
    except EncodingError as error:
        column = error.column
        raise ParseError(
            Diagnostic("SyntaxError", str(error), line=1, column=column, end_column=column + 1)
        ) from None


def is_blank(line: bytes) -> bool:
    """Whether a line holds no record: nothing, or a comment."""
    return without_mark(line).lstrip()[:1] in (b"", b"#")


def parse_json(text: str) -> dict[str, Any] | None:
    """The object of a JSON record, or None for a line that is an expression.

    Raises:
        ParseError: it begins like an object and is not strictly JSON.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        fields = loads(text)
    except RecursionError:
        message = "the record is nested too deep"
        raise ParseError(Diagnostic("SyntaxError", message)) from None
    except JsonSyntaxError as error:
        raise ParseError(
            Diagnostic(
                "SyntaxError",
                str(error),
                line=error.line or 0,
                column=error.column or 0,
                end_column=(error.column or 0) + 1,
            )
        ) from None
    assert isinstance(fields, dict)
    return fields


def record_of(fields: dict[str, Any], number: int) -> Record:
    """The question of a JSON record; `number` is its id where it has none.

    Raises:
        RecordError: a key is unknown or its value makes no sense.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    _check_keys(given)
    is_program = "program" in given
    text = given["program" if is_program else "expr"]
    if not isinstance(text, str):
        key = "program" if is_program else "expr"
        raise RecordError(f'"{key}" must be a string, not {_describe(text)}')
    claims, points = _claims(given)
    if claims:
        dtypes.set_default_dtype(dtypes.float64)
    variables = _variables(given.get("vars", {}))
    plan = Plan() if _PLAN_KEYS.isdisjoint(given) else _plan(given)
    return Record(given.get("id", number), text, is_program, variables, plan, claims, points)


def _check_keys(given: dict[str, Any]) -> None:
    for key in given:
        if key not in _KEYS:
            from gradcli.language.telling.suggest import did_you_mean

            raise RecordError(f'unknown key "{key}"', did_you_mean(key, _KEYS))
    if ("expr" in given) == ("program" in given):
        both = "expr" in given
        raise RecordError(
            'a record has "expr" or "program", ' + ("not both" if both else "and this one neither")
        )
    if "program" in given:
        for key in given:
            if key not in _PROGRAM_KEYS:
                raise RecordError(f'a program takes no "{key}"')


def _claims(given: dict[str, Any]) -> tuple[tuple[str, ...], int | None]:
    """The claims of a record, and how many random points they are judged at."""
    claims, points = given.get("claims", []), given.get("points")
    if isinstance(claims, dict):
        claims = [_claim(name, formula) for name, formula in claims.items()]
    if not isinstance(claims, list) or not all(map(_is_text, claims)):
        raise RecordError('"claims" must be a list of claims, as "x: 2*x*y"')
    if points is not None and (type(points) is not int or points < 0):
        raise RecordError('"points" must be an integer of at least 0')
    if not claims:
        for key in _CHECK_KEYS:
            if key in given:
                raise RecordError(f'"{key}" without a claim', '"claims": ["x: 2*x*y"]')
    for key in given:
        if claims and key in _PLAN_KEYS - {"wrt", "grad_tensors", "gradient"}:
            raise RecordError(f'a record with "claims" takes no "{key}"')
    return tuple(claims), points


def _claim(name: str, formula: Any) -> Any:
    """The text of a claim; of what is neither a text nor numbers, that itself."""
    if type(formula) in (int, float, list):
        formula = dumps(formula)
    return f"{name}: {formula}" if _is_text(formula) else formula


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _variables(given: Any) -> tuple[Variable, ...]:
    if not isinstance(given, dict):
        raise RecordError(f'"vars" must be an object, not {_describe(given)}')
    found = []
    for name, value in given.items():
        if not _NAME.fullmatch(name):
            raise RecordError(f'"vars": {name!r} cannot be the name of a variable')
        try:
            leaf = decode_leaf(value, default_dtype_name=dtypes.default.dtype.name)
        except ValueError as error:
            raise RecordError(f'"vars", {name}: {error}') from None
        kind = "let" if leaf.requires_grad else "const"
        found.append(Variable(name, wrap(leaf.array, leaf.requires_grad), kind))
    return tuple(found)


def _plan(given: dict[str, Any]) -> Plan:
    order = given.get("order", 1)
    if type(order) is not int or order < 1:
        shown = order if isinstance(order, int | float) else _describe(order)
        raise RecordError(f'"order" must be an integer of at least 1, not {shown}')
    wrt = given.get("wrt", [])
    if not isinstance(wrt, list) or not all(isinstance(name, str) for name in wrt):
        raise RecordError('"wrt" must be a list of names')
    seeds = _seeds(given)
    asked = _flag(given, "backward")
    retain_graph, create_graph = _flag(given, "retain_graph"), _flag(given, "create_graph")
    if asked is False and (seeds or order > 1 or wrt):
        raise RecordError('"backward": false contradicts the rest of the record')
    explicit = bool(asked or seeds or order > 1 or wrt or retain_graph or create_graph)
    return Plan(
        run=False if asked is False else True if explicit else None,
        seeds=seeds,
        retain_graph=retain_graph or None,
        create_graph=bool(create_graph),
        order=order,
        wrt=wrt,
    )


def _flag(given: dict[str, Any], key: str) -> bool | None:
    value = given.get(key)
    if value is not None and not isinstance(value, bool):
        raise RecordError(f'"{key}" must be true or false, not {_describe(value)}')
    return value


def _seeds(given: dict[str, Any]) -> list[Any]:
    seeds = given.get("grad_tensors", [])
    if not isinstance(seeds, list):
        raise RecordError(f'"grad_tensors" must be a list of seeds, not {_describe(seeds)}')
    if "gradient" in given:
        if seeds:
            raise RecordError('a record has "gradient" or "grad_tensors", not both')
        seeds = [given["gradient"]]
    return [None if seed is None else _seed(seed) for seed in seeds]


def _seed(value: Any) -> Callable[[Tensor], Tensor]:
    """A seed as it will be when the output's dtype is known."""

    def seed(output: Tensor) -> Tensor:
        try:
            if isinstance(value, dict) and "data" in value:
                array = decode_leaf({"requires_grad": False, **value}).array
            else:
                array = decode_array(value, output.dtype.name)
        except ValueError as error:
            raise RecordError(f"a seed of the output: {error}") from None
        shape = output._array.shape
        if not array.size and array.shape != shape and not output._array.size:
            # Lists cannot tell one empty shape from another.
            array = np.zeros(shape, array.dtype)
        return wrap(array)

    return seed


def _describe(value: Any) -> str:
    for kind, word in ((bool, "a truth value"), (str, "a string"), (list, "a list")):
        if isinstance(value, kind):
            return word
    return "an object" if isinstance(value, dict) else "a number"

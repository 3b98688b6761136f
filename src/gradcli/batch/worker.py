"""Answers records, one at a time and none affected by another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import gradcli.wiring  # noqa: F401 - printing, floating point warnings
from gradcli.batch.records import (
    Record,
    decode_line,
    is_blank,
    parse_json,
    record_of,
)
from gradcli.evaluation import bindings_of, compile_expression, define, evaluate
from gradcli.language.allowed import afresh
from gradcli.language.compiling.sharing import compile_shared
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import Diagnostic, ParseError, diagnose
from gradcli.process import Limits
from gradcli.random.generator import manual_seed
from gradcli.tensor import dtypes
from gradcli.tensor.graph import Handle, mode
from gradcli.tensor.settings import settings
from gradcli.views.answers import answer_fields, error_fields
from gradcli.views.jsonout import dumps
from gradcli.views.printing import set_printoptions

UNLIMITED = Limits()


class Reply(NamedTuple):
    """The line that answers a record, without its end, and whether the record went well."""

    text: str
    ok: bool


class Listener(Protocol):
    """What is told about a record while it is being answered."""

    def asked(self, id: Any, is_program: bool) -> None:
        """It is read."""

    def printed(self, text: str) -> None:
        """It prints."""


def reply(
    line: bytes, number: int, limits: Limits = UNLIMITED, listener: Listener | None = None
) -> Reply | None:
    """Answers line `number` of a batch; None where it holds no record."""
    if is_blank(line):
        return None
    start_afresh()
    id: Any = number
    is_program = False
    printed: list[str] = []
    write: Callable[[str], object] = printed.append
    if listener is not None:
        write = _both(printed.append, listener.printed)
    try:
        text = decode_line(line).rstrip("\r\n")
        found = parse_json(text)
        if found is None:
            record = Record(number, text)
        else:
            id = number if found.get("id") is None else found["id"]
            is_program = "program" in found
            if listener is not None:
                listener.asked(id, is_program)
            record = record_of(found, number)
        fields = _judge(record, write, limits) if record.claims else _answer(record, write, limits)
        if is_program or printed:
            fields = {"stdout": "".join(printed), **fields}
        ok = "error" not in fields
        return Reply(dumps({"id": id, "ok": ok, **fields}), ok)
    except Exception as error:
        return failed(id, "".join(printed) if is_program or printed else None, diagnose(error))


def failed(id: Any, stdout: str | None, diagnostic: Diagnostic) -> Reply:
    """The answer to a record that failed; `stdout` is what it printed, None where it has none."""
    fields = {} if stdout is None else {"stdout": stdout}
    return Reply(dumps({"id": id, "ok": False, **fields, "error": error_fields(diagnostic)}), False)


def _both(
    first: Callable[[str], object], second: Callable[[str], object]
) -> Callable[[str], object]:
    def write(text: str) -> None:
        first(text)
        second(text)

    return write


def start_afresh() -> None:
    """Undoes what the record before may have set."""
    manual_seed(0)
    set_printoptions(profile="default")
    if dtypes.default.dtype is not dtypes.float32:
        dtypes.set_default_dtype(dtypes.float32)
    if mode.forward is not None:
        mode.forward.left()
    mode.restore()
    Handle._next = 0
    settings.start_afresh()
    afresh.start_afresh()


def _answer(record: Record, write: Callable[[str], object], limits: Limits) -> dict[str, Any]:
    machine = Machine(write=write, max_steps=limits.max_steps, timeout=limits.timeout)
    if record.is_program:
        program = compile_shared(record.text)
        define(machine, bindings_of(program, record.variables))
        machine.run(program)
        return {}
    code = compile_expression(record.text, compile=compile_shared)
    bindings = bindings_of(code, record.variables)
    return answer_fields(evaluate(machine, bindings, record.plan))


def _judge(record: Record, write: Callable[[str], object], limits: Limits) -> dict[str, Any]:
    """What is to be said of the claims of a record; with an error where one is not right."""
    from gradcli.checking.question import Question, answer
    from gradcli.checking.texts import UnknownName, Written, parse_claim
    from gradcli.views.checks import report_fields

    claims = []
    for text in record.claims:
        try:
            claims.append(parse_claim(Written(text)))
        except ParseError as error:
            error.diagnostic.message = f"claim {text}: {error.diagnostic.message}"
            raise
    code = compile_expression(record.text, compile=compile_shared)
    bindings = bindings_of(code, record.variables)
    question = Question(bindings, bindings.unbound(), claims, points=record.points)
    question = question._replace(wrt=record.plan.wrt, seeds=record.plan.seeds)
    try:
        return report_fields(answer(question, write, limits.timeout))
    except UnknownName as error:
        error.args = (f"claim {error.place.text}: {error}",)
        raise

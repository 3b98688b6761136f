"""Answers records, one at a time and none affected by another."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import gradcli.wiring  # noqa: F401 - printing, floating point warnings
from gradcli.batch.records import (
    Record,
    decode_line,
    error_fields,
    is_blank,
    parse_json,
    record_of,
)
from gradcli.evaluation import bindings_of, compile_expression, define, evaluate
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import diagnose
from gradcli.random.generator import manual_seed
from gradcli.tensor import dtypes
from gradcli.tensor.graph import mode
from gradcli.views.answers import answer_fields
from gradcli.views.jsonout import dumps
from gradcli.views.printing import set_printoptions


class Limits(NamedTuple):
    """How far one record may go: loop turns and calls, seconds; None is no limit."""

    max_steps: int | None = None
    timeout: float | None = None


UNLIMITED = Limits()


class Reply(NamedTuple):
    """The line that answers a record, without its end, and whether the record went well."""

    text: str
    ok: bool


_expression = lru_cache(1024)(compile_expression)
_program = lru_cache(64)(compile_text)


def reply(line: bytes, number: int, limits: Limits = UNLIMITED) -> Reply | None:
    """Answers line `number` of a batch; None where it holds no record."""
    if is_blank(line):
        return None
    start_afresh()
    id: Any = number
    is_program = False
    printed: list[str] = []
    fields: dict[str, Any]
    try:
        text = decode_line(line).rstrip("\r\n")
        found = parse_json(text)
        if found is None:
            record = Record(number, text)
        else:
            id = number if found.get("id") is None else found["id"]
            is_program = "program" in found
            record = record_of(found, number)
        fields = _answer(record, printed, limits)
        ok = True
    except Exception as error:
        fields = {"error": error_fields(diagnose(error))}
        ok = False
    if is_program or printed:
        fields = {"stdout": "".join(printed), **fields}
    return Reply(dumps({"id": id, "ok": ok, **fields}), ok)


def start_afresh() -> None:
    """Undoes what the record before may have set."""
    manual_seed(0)
    set_printoptions(profile="default")
    if dtypes.default.dtype is not dtypes.float32:
        dtypes.set_default_dtype(dtypes.float32)
    mode.enabled = True
    mode.inference = False


def _answer(record: Record, printed: list[str], limits: Limits) -> dict[str, Any]:
    machine = Machine(write=printed.append, max_steps=limits.max_steps, timeout=limits.timeout)
    if record.is_program:
        program = _program(record.text)
        define(machine, bindings_of(program, record.variables))
        machine.run(program)
        return {}
    bindings = bindings_of(_expression(record.text), record.variables)
    return answer_fields(evaluate(machine, bindings, record.plan))

"""Questions about derivatives, asked as the command asks them."""

from __future__ import annotations

from typing import Any

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.checking.question import Question, Report, answer
from gradcli.checking.texts import Written, parse_claim
from gradcli.evaluation import Variable, bindings_of, compile_expression
from gradcli.tensor import dtypes


def ask(text: str, *claims: str, given: dict[str, str] | None = None, **options: Any) -> Report:
    """What is said of an expression, of which some variables are given; others are drawn."""
    before = dtypes.default.dtype
    dtypes.set_default_dtype(dtypes.float64)
    try:
        variables = [Variable(name, value) for name, value in (given or {}).items()]
        bindings = bindings_of(compile_expression(text), variables)
        written = [parse_claim(Written(claim)) for claim in claims]
        question = Question(bindings, bindings.unbound(), written, **options)
        return answer(question, lambda text: None)
    finally:
        dtypes.set_default_dtype(before)

"""Formulas of generated expressions: they read back, and have the values of the engine."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gradcli
from gradcli.evaluation import Plan, Variable, bindings_of, compile_expression, evaluate
from gradcli.formulas import NoFormula, formula
from gradcli.language.running.machine import Machine

POINTS = (0.13, 0.37, 0.61, 0.88, 1.17, 1.53, 2.19, -0.41, -0.93, -1.71)

FUNCTIONS = re.findall(
    r"\w+",
    """sin cos tan exp log sqrt tanh sinh cosh sigmoid softplus asinh atan erf abs relu log1p
expm1 rsqrt reciprocal square lgamma gelu silu logsigmoid elu""",
)

atoms = st.one_of(
    st.sampled_from(["x", "x", "y", "2", "3", "0.5", "1.25", "pi"]),
    st.integers(1, 9).map(str),
)


def compositions(inner: Any) -> Any:
    """Expressions made of others."""
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(inner, st.sampled_from(["2", "3", "-1", "-2", "0.5", "1.5", "(1/3)"])).map(
            lambda parts: f"({parts[0]})**{parts[1]}"
        ),
        inner.map(lambda text: f"-({text})"),
        st.tuples(inner, inner).map(lambda parts: f"maximum({parts[0]}, {parts[1]})"),
    )


expressions = st.recursive(atoms, compositions, max_leaves=7)


def values(text: str, point: dict[str, float], grad: str = "") -> float:
    """The value of a text, or its gradient, in double precision."""
    code = compile_expression(text)
    bindings = bindings_of(
        code,
        [
            Variable(name, gradcli.tensor(value, dtype=gradcli.float64, requires_grad=bool(grad)))
            for name, value in point.items()
            if name in code.read_names
        ],
    )
    answer = evaluate(Machine(), bindings, Plan())
    if not grad:
        return float(answer.value)
    slope = (answer.grads or {}).get(grad)
    return 0.0 if slope is None else float(slope)


def is_smooth(text: str, point: dict[str, float], slope: float) -> bool:
    """Whether a derivative is that of all points around, and can be told from its neighbours'."""
    if not math.isfinite(values(text, point)):
        return False
    near = [values(text, {**point, "x": point["x"] + step}, "x") for step in (-1e-7, 1e-7)]
    return all(math.isfinite(v) and abs(v - slope) <= 1e-3 * (1 + abs(slope)) for v in near)


@pytest.fixture(autouse=True)
def double() -> Any:
    """Numbers in double precision."""
    before = gradcli.get_default_dtype()
    gradcli.set_default_dtype(gradcli.float64)
    yield
    gradcli.set_default_dtype(before)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(expressions)
def test_formulas_have_the_values_of_the_engine(text: str) -> None:
    text = f"x*0 + {text}"
    try:
        found = formula(text, "x").text
    except (NoFormula, RuntimeError, OverflowError, ZeroDivisionError, TypeError, ValueError):
        return
    for place, at in enumerate(POINTS):
        point = {"x": at, "y": POINTS[place - 3] + 0.07}
        slope = values(text, point, "x")
        if not math.isfinite(slope) or abs(slope) > 1e9 or not is_smooth(text, point, slope):
            continue
        here = values(found, point)
        assert here == pytest.approx(slope, rel=1e-9, abs=1e-9), (text, found, point)

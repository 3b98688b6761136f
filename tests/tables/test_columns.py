"""What comes out for whole columns is what `gradcli eval` gives row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.evaluation import Bindings, Plan, Variable, compile_expression, evaluate
from gradcli.language.running.machine import Machine
from gradcli.readings.batched.columns import Apart, Columns
from gradcli.tables import evaluate as evaluate_module
from gradcli.tables.evaluate import Evaluator, Results, Task
from gradcli.tables.formula import read_formula
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

NAMES = ("x", "y", "z")


@contextmanager
def double() -> Iterator[None]:
    dtypes.set_default_dtype(dtypes.float64)
    try:
        yield
    finally:
        dtypes.set_default_dtype(dtypes.float32)


def columns(text: str, rows: dict[str, Array], order: int = 1) -> Results:
    """The results of a formula for columns of these names."""
    formula = read_formula(text, NAMES, ())
    reads = [name for name in formula.reads if name in NAMES]
    task = Task(formula, (), {}, reads, order)
    count = len(next(iter(rows.values())))
    with double():
        return Evaluator(task).run({name: rows[name] for name in reads}, count)


def alone(text: str, row: dict[str, float]) -> tuple[float, dict[str, float]] | Exception:
    """What `gradcli eval` computes: the value and the gradients; or the error."""
    with double():
        code = compile_expression(text)
        given = tuple(
            Variable(name, wrap(np.float64(value), requires_grad=True))
            for name, value in row.items()
            if name in code.read_names
        )
        try:
            answer = evaluate(Machine(), Bindings(code, given), Plan())
        except Exception as error:
            return error
        value = answer.value.item() if isinstance(answer.value, Tensor) else answer.value
        grads = {
            name: grad.item() for name, grad in (answer.grads or {}).items() if grad is not None
        }
        return float(value), grads


def agree(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=1e-11, abs_tol=1e-300)


def check(text: str, rows: dict[str, Array]) -> None:
    """Compares all rows."""
    found = columns(text, rows)
    for row in range(found.rows):
        numbers = {name: float(column[row]) for name, column in rows.items()}
        expected = alone(text, numbers)
        if isinstance(expected, Exception):
            assert str(found.failed[row]) == str(expected), (text, numbers)
            continue
        assert row not in found.failed, (text, numbers, found.failed[row])
        value, grads = expected
        assert agree(float(found.values[0][row]), value), (text, numbers)
        for name, slopes in found.first[0].items():
            assert agree(float(slopes[row]), grads.get(name, 0.0)), (text, name, numbers)


LEAVES = st.sampled_from(["x", "y", "z", "1.5", "0.25", "2"])
CONDITIONS = st.tuples(LEAVES, st.sampled_from([">", "<", "<=", "==", "!="]), LEAVES).map(" ".join)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Formulas of formulas."""
    pair = st.tuples(inner, inner)
    two = st.sampled_from(
        [
            "({0} + {1})",
            "({0} * {1})",
            "({0} - {1})",
            "({0} / {1})",
            "max({0}, {1})",
            "min({0}, {1})",
            "sum([{0}, {1}, x])",
            "sum([{0} * i for i in range(3)]) + {1}",
            "(stack([x, {0}]) @ stack([{1}, y]))",
            "det(stack([stack([x + 3, y]), stack([{0}, {1}])]))",
            "(tensor([[1., 2.], [0., 1.]]) @ stack([{0} + 0*x, {1} + 0*x]))[0]",
            "atan2({0} + 0*x, {1} + 0*x)",
        ]
    )
    return st.one_of(
        st.tuples(two, pair).map(lambda made: made[0].format(*made[1])),
        inner.map("sin({})".format),
        inner.map("exp(-abs({}))".format),
        inner.map("({})**2".format),
        inner.map("sqrt({})".format),
        st.tuples(inner, CONDITIONS, inner).map(lambda made: "({} if {} else {})".format(*made)),
        st.tuples(CONDITIONS, inner, inner).map(
            lambda made: "where({} + 0*x > 0, {}, {})".format(made[0].split(" ")[0], *made[1:])
        ),
        st.tuples(inner, inner).map(lambda made: "({0} if {1} > 0 else -{0})".format(*made)),
    )


FORMULAS = st.recursive(LEAVES, larger, max_leaves=6).map("x*0 + {}".format)
NUMBERS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.25, 1.5, 2.0, 3.0])


@settings(max_examples=150, deadline=None)
@given(FORMULAS, st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=7))
def test_generated_formulas(text: str, rows: list[tuple[float, float, float]]) -> None:
    table = np.array(rows)
    check(text, {name: table[:, k].copy() for k, name in enumerate(NAMES)})


ROWS = {
    "x": np.array([-1.5, 0.0, 2.0, 2.0, -0.0, 7.0, np.inf]),
    "y": np.array([1.0, 0.5, -2.0, 2.0, 3.0, 0.0, 1.0]),
    "z": np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]),
}


@pytest.mark.parametrize(
    "text",
    [
        "x if x > 0 else -x",
        "x*z if x > 0 and y > 0 else (y if x < 0 else z)",
        "where(x > y, x*y, x - y)",
        "max(x, y)*z",
        "max(x, y, z)",
        "sum([x, y, z])",
        "sum([v**2 for v in [x, y, z]])",
        "stack([x, y]) @ stack([z, x])",
        "inverse(stack([stack([x, y]), stack([y, x])]))[0, 0]",
        "det(stack([stack([x, y]), stack([z, x])]))",
        "torch.linalg.solve(stack([stack([x, y]), stack([z, x])]), stack([y, z]))[1]",
        "x*y.item()",
        "x*float(z)",
        "len(nonzero(stack([x, y])))*x",
        "x.detach()*y",
        "x*(y.data + 1)",
        "sum([x]*int(z.item()))",
        "stack([x, y, z]).max()",
        "norm(stack([x, y, z]))",
        "x*tensor(2.)",
        "x/max(x)",
        "clip(x, 0, 1)*y",
        "(x > 0)*y",
        "z**x",
        "[x, y, z][int(z.item()) % 3]",
        "1.0 if x > 1 else x*2",
        "relu(x) + F.softplus(y)",
        "floor(x) + y % 1",
        "x.sign()*x",
        "log(x)",
        "grad(x**3, x)[0]",
    ],
)
def test_formulas(text: str) -> None:
    check(text, ROWS)


def test_rows_that_agree_are_taken_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    monkeypatch.setattr(Evaluator, "_together", _noting(Evaluator._together, sizes))
    rows = {"x": np.tile([1.0, -1.0, 2.0], 1000), "y": np.ones(3000), "z": np.ones(3000)}
    found = columns("x if x > 0 else -y", rows)
    assert sizes == [3000, 1000, 2000]
    assert found.values[0].tolist() == [1.0, -1.0, 2.0] * 1000


def _noting(call: object, sizes: list[int]) -> object:
    def noted(self: Evaluator, part: dict[str, Array], rows: int) -> object:
        sizes.append(rows)
        return call(self, part, rows)  # type: ignore[operator]

    return noted


def test_what_rows_disagree_in_is_told() -> None:
    with Columns(4) as level:
        batched = level.wrap(wrap(np.array([1.0, 2.0, 1.0, np.nan])), 0)
        with pytest.raises(Apart) as caught:
            batched.item()
        assert sorted(group.tolist() for group in caught.value.groups) == [[0, 2], [1], [3]]
        assert level.wrap(wrap(np.array([3.0] * 4)), 0).item() == 3.0
        assert bool(level.wrap(wrap(np.array([True] * 4)), 0)) is True


def test_large_batches_are_taken_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(Evaluator, "_together", _noting(Evaluator._together, sizes))
    monkeypatch.setattr(evaluate_module, "BATCH", 1 << 27)
    rows = {"x": np.arange(64.0), "y": np.ones(64), "z": np.ones(64)}
    found = columns("(x*ones(1000000)).sum()", rows)
    assert found.values[0].tolist() == [1e6 * k for k in range(64)]
    assert sizes[0] == 64
    assert 2 <= min(size for size in sizes if size > 1) <= 32  # single ones are attempts


def test_second_derivatives() -> None:
    rows = {"x": np.array([1.0, 2.0]), "y": np.array([3.0, -1.0]), "z": np.zeros(2)}
    found = columns("x**3 * y**2 if y > 0 else x*y", rows, order=2)
    assert {pair: values.tolist() for pair, values in found.second[0].items()} == {
        ("x", "x"): [54.0, 0.0],
        ("x", "y"): [18.0, 1.0],
        ("y", "y"): [2.0, 0.0],
    }

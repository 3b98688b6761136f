"""Traces: what they hold, how they are replayed, when they may not be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.readings.trace import CHANGED, Diverged, Slot, Trace, record
from gradcli.table.row import Row
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor


def leaf(value: Any) -> Tensor:
    made: Tensor = gradcli.tensor(value, dtype=gradcli.float64, requires_grad=True)
    return made


def names(trace: Trace) -> list[str]:
    return [step.row.names[0] for step in trace.steps]


def test_a_trace_lists_the_rows_that_ran_with_their_operands() -> None:
    x, y = leaf(2.0), leaf(3.0)
    trace = record(lambda x, y: gradcli.sin(x * 2) + y, x, y)
    assert names(trace) == ["mul", "sin", "add"]
    assert [step.operands for step in trace.steps] == [
        (Slot(0), 2),
        (Slot(2),),
        (Slot(3), Slot(1)),
    ]
    assert [step.results for step in trace.steps] == [(Slot(2),), (Slot(3),), (Slot(4),)]
    assert trace.outputs == Slot(4)
    assert trace.values[4].item() == pytest.approx(np.sin(4.0) + 3.0)
    assert trace.reusable


def test_a_replay_gives_what_the_function_gives() -> None:
    def function(x: Any, y: Any) -> Any:
        first, rest = gradcli.split(gradcli.cat([x, y * 2]), [1, 3])
        return first.sum() * rest.softmax(0), {"not": "looked into"}

    trace = record(function, leaf([1.0, 2.0]), leaf([3.0, 4.0]))
    others = leaf([0.5, -1.0]), leaf([2.0, 0.0])
    found, rest = trace.replay(others)
    assert found.tolist() == function(*others)[0].tolist()
    assert found.grad_fn is not None
    assert rest == {"not": "looked into"}


def test_a_replay_hands_rows_to_another_reading() -> None:
    trace = record(lambda x: gradcli.exp(x) * x, leaf(1.0))
    called = []

    def call(row: Row, *operands: Any) -> Any:
        called.append((row.names[0], operands))
        return f"{row.names[0]}({', '.join(operands)})"

    assert trace.replay(["x"], call) == "mul(exp(x), x)"
    assert [name for name, _ in called] == ["exp", "mul"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 2 if x > 0 else x,
        lambda x: x * x.item(),
        lambda x: [x * 2 for _ in range(int(x))][-1],
        lambda x: gradcli.arange(5.0)[int(x)] * x,
        lambda x: x * x.tolist(),
        lambda x: x if gradcli.equal(x, x.round()) else x * 2,
        lambda x: x + len(repr(x * 2)),
        lambda x: x * float(x.detach()),
        lambda x: x * (x * 2).data.item(),
        lambda x: x * gradcli.tensor([x, 3.0])[0],
        lambda x: x * gradcli.Tensor([x.detach()])[0],
    ],
)
def test_what_the_evaluation_saw_must_be_the_same(function: Callable[[Any], Any]) -> None:
    trace = record(function, leaf(2.0))
    trace.foreign = 0  # what the rows alone tell
    assert trace.replay([leaf(2.0)]).item() == function(leaf(2.0)).item()
    with pytest.raises(Diverged, match="now"):
        trace.replay([leaf(-1.5)])


@pytest.mark.parametrize(
    "other",
    [
        gradcli.tensor([1.0, 2.0, 3.0], dtype=gradcli.float64, requires_grad=True),
        gradcli.tensor([1.0, 2.0], requires_grad=True),
        gradcli.tensor([1.0, 2.0], dtype=gradcli.float64),
    ],
)
def test_operands_must_be_of_the_shapes_and_types_of_inputs(other: Tensor) -> None:
    trace = record(lambda x: x.sum() / len(x), leaf([4.0, 5.0]))
    with pytest.raises(Diverged, match="now"):
        trace.replay([other])


def test_what_had_no_history_gets_none() -> None:
    def function(x: Tensor) -> Any:
        with gradcli.no_grad():
            y = x * x
        return y, y * x

    trace = record(function, leaf(2.0))
    other = leaf(3.0)
    square, cube = trace.replay([other])
    cube.backward()
    assert not square.requires_grad
    assert other.grad.item() == 9.0


def test_a_value_that_decides_the_same_way_again_is_no_hindrance() -> None:
    trace = record(lambda x: x * 2 if x > 0 else x, leaf(2.0))
    assert trace.replay([leaf(5.0)]).item() == 10.0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * gradcli.tensor(x._array * 2),
        lambda x: x * x.detach(),
        lambda x: gradcli.bernoulli(x / 8) * x,
        lambda x: gradcli.normal(x, 1.0) * x,
    ],
)
def test_tensors_that_come_from_nowhere_keep_a_trace_at_its_point(
    function: Callable[[Any], Any],
) -> None:
    trace = record(function, leaf(2.0))
    assert not trace.reusable
    with pytest.raises(ValueError, match="nowhere"):
        trace.replay([leaf(3.0)])


def test_known_tensors_come_from_somewhere() -> None:
    weight = gradcli.ones(2)
    trace = record(lambda x: (weight * x).sum(), leaf(2.0), known=[weight])
    assert trace.replay([leaf(3.0)]).item() == 6.0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (x * 2).add_(1) * x,
        lambda x: gradcli.zeros(2).fill_(x) * x,
        lambda x: (lambda y: [y.view(2)[0].mul_(3), y * x][1])(x.expand(2).clone()),
    ],
)
def test_changes_in_place_are_a_flaw(function: Callable[[Any], Any]) -> None:
    trace = record(function, leaf(2.0))
    assert trace.flaw == CHANGED
    with pytest.raises(ValueError, match="in place"):
        trace.replay([leaf(2.0)])


def test_nobody_listens_after_an_error() -> None:
    with pytest.raises(RuntimeError):
        record(lambda x: x.reshape(7), leaf([1.0, 2.0]))
    assert mode.listener is None


def test_a_trace_hears_the_rows_of_one_inside_of_it() -> None:
    inner = []

    def function(x: Any) -> Any:
        inner.append(record(lambda y: y * y, x))
        return x.sin()

    outer = record(function, leaf(1.0))
    assert names(inner[0]) == ["mul"]
    assert names(outer) == ["mul", "sin"]

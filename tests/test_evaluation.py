"""What a text and the variables that are given for it have to do with each other."""

from __future__ import annotations

import numpy as np
import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.evaluation import (
    Bindings,
    Plan,
    Variable,
    bindings_of,
    compile_expression,
    compile_value,
    define,
    evaluate,
)
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import ParseError
from gradcli.tensor.clock import LimitError
from gradcli.tensor.tensor import Tensor, wrap


def bound(text: str, *given: Variable) -> Bindings:
    return bindings_of(compile_expression(text), given)


def test_variables_that_nobody_gave() -> None:
    bindings = bound("a*b + sin(c) + d(1) + a", Variable("b", "1"))
    assert bindings.unbound() == ["a", "c"]
    assert bindings.place("c") == (10, 11)
    assert bindings.place("nowhere") is None


def test_variables_that_nothing_reads() -> None:
    given = [Variable("n", "2"), Variable("x", "n + 1"), Variable("y", "3")]
    bindings = bound("x*2", *given)
    assert [variable.name for variable in bindings.unused()] == ["y"]
    assert bindings.repeated() == []
    assert bound("x", *given, *given[:2]).repeated() == ["n", "x"]


def test_text_of_a_variable_that_does_not_parse() -> None:
    with pytest.raises(ParseError, match="never closed") as failed:
        bound("x", Variable("x", "(1", "let", "--x"))
    assert failed.value.diagnostic.origin == "--x"


def test_variable_that_the_text_sets_is_used_where_it_is_read_before() -> None:
    assert bound("y = x; x = 2; y", Variable("x", "3")).unused() == []
    assert len(bound("x = 2; x", Variable("x", "3")).unused()) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1;2", (1, 3)),
        ("1\nx", (2, 1)),
        ("x = 1", (1, 1)),
        ("let x = 1; x", (1, 12)),
        (" ", (1, 1)),
    ],
)
def test_value_that_is_not_one_expression(text: str, place: tuple[int, int]) -> None:
    with pytest.raises(ParseError, match=r"value is (one expression|empty)") as failed:
        compile_value(text, "--x")
    told = failed.value.diagnostic
    assert (told.origin, told.line, told.column) == ("--x", *place)


def test_values_come_in_order_and_are_fetched_when_their_turn_comes() -> None:
    fetched: list[str] = []

    def fetch() -> Tensor:
        fetched.append("y")
        return machine.globals["x"] + 1

    machine = Machine()
    bindings = bound("x*y", Variable("x", "3"), Variable("y", fetch), Variable("c", "[1]", "const"))
    assert fetched == []
    define(machine, bindings)
    assert fetched == ["y"]
    assert (machine.globals["x"].item(), machine.globals["y"].item()) == (3.0, 4.0)
    assert [machine.globals[name]._requires_grad for name in "xc"] == [True, False]


@pytest.mark.parametrize(
    "seed",
    [
        compile_expression("[1, 10]"),
        compile_expression("c"),
        lambda output: wrap(np.array([1, 10], output.dtype.np)),
    ],
)
def test_seed_is_a_text_or_a_function_of_the_output(seed: object) -> None:
    bindings = bound("x*c*2", Variable("x", "[3, 4]"), Variable("c", "[1, 10]", "const"))
    answer = evaluate(Machine(), bindings, Plan(seeds=[seed]))
    assert answer.grads is not None
    assert answer.grads["x"] is not None
    assert answer.grads["x"].tolist() == [2.0, 200.0]


def test_an_order_without_end_is_refused() -> None:
    bindings = bound("x*x", Variable("x", "3"))
    with pytest.raises(OverflowError, match="result too large"):
        evaluate(Machine(), bindings, Plan(order=10**30))


def test_orders_that_vanish_look_at_the_clock() -> None:
    bindings = bound("x*x", Variable("x", "3"))
    with pytest.raises(LimitError, match=r"stopped after 0\.1 s"):
        evaluate(Machine(timeout=0.1), bindings, Plan(order=5_000_000))


def test_a_leaf_stands_in_for_one_that_the_text_declares() -> None:
    machine = Machine()
    machine.instead["x"] = wrap(np.float64(5.0), requires_grad=True)
    answer = evaluate(machine, bound("let x = 3; const c = 2; c*x*x"), Plan())
    assert answer.value.item() == 50.0
    assert answer.leaves == {"x": machine.instead["x"]}

"""Depth and length: no recursion over the text, linear time, Python's error for deep recursion."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from gradcli.language import Machine, ParseError, compile_text, diagnose

DEEP = 10_000


def evaluate(text: str, **variables: Any) -> Any:
    return Machine(variables).run(compile_text(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("(" * DEEP + "7" + ")" * DEEP, 7),
        ("- " * DEEP + "x", 7),
        ("~" * DEEP + "x", 7),
        ("not " * DEEP + "x", True),
        ("f(" * DEEP + "x" + ")" * DEEP, DEEP + 7),
        ("x if x else " * DEEP + "1", 7),
        ("x and " * DEEP + "5", 5),
        ("x - " * DEEP + "x", 7 - DEEP * 7),
        ("one ** " * DEEP + "1", 1),
        ("x" + ".real" * DEEP, 7),
        ("s" + "[0]" * DEEP, "a"),
        ("x" + " < y" * 1 + " == y" * DEEP, True),
        ("(x := " * DEEP + "3" + ")" * DEEP, 3),
        ("'a' " * DEEP, "a" * DEEP),
    ],
    ids=lambda value: str(value)[:12],
)
def test_deep_expressions(text: str, value: object) -> None:
    variables = {"x": 7, "y": 8, "f": lambda x: x + 1, "s": "a", "one": 1}
    assert evaluate(text, **variables) == value


@pytest.mark.parametrize(
    ("before", "after"),
    [("[", "]"), ("(", ",)"), ("{1: ", "}"), ("lambda: ", ""), ("(i for i in [", "])")],
)
def test_deep_values_come_and_go(before: str, after: str) -> None:
    machine = Machine()
    machine.run(compile_text(f"x = {before * DEEP}1{after * DEEP}"))
    machine.globals.clear()


def test_deep_targets() -> None:
    assert evaluate("(" * DEEP + "x" + ",)" * DEEP + " = v; x", v=nested(DEEP)) == 5


def nested(depth: int) -> Any:
    value: Any = 5
    for _ in range(depth):
        value = (value,)
    return value


def test_deep_functions_and_blocks() -> None:
    deep = 500
    lines = [" " * level + f"def f{level}():" for level in range(deep)]
    lines.append(" " * deep + "return 1")
    assert evaluate("\n".join(lines) + "\nf0()") is None
    lines = [" " * level + "if True:" for level in range(deep)]
    lines.append(" " * deep + "x = 1")
    assert evaluate("\n".join(lines) + "\nx") == 1


def test_a_deep_bracket_that_is_never_closed() -> None:
    with pytest.raises(ParseError, match=r"'\(' was never closed"):
        compile_text("(" * 100_000)


@pytest.mark.parametrize("piece", ["x + ", "f(", "-", "[x, ", "x = x\n"])
def test_work_is_linear(piece: str) -> None:
    """Ten times the text takes ten times the calls."""

    def calls(count: int) -> int:
        closing = {"f(": ")", "[x, ": "]"}.get(piece, "")
        text = piece * count + "x" + closing * count
        total = 0

        def seen(frame: object, event: str, arg: object) -> None:
            nonlocal total
            total += event in ("call", "c_call")

        before = sys.getprofile()
        sys.setprofile(seen)
        try:
            Machine({"x": 1, "f": abs}).run(compile_text(text))
        finally:
            sys.setprofile(before)
        return total

    calls(20)  # what is loaded on first use
    assert calls(2_000) < 11 * calls(200)


def test_a_sum_of_a_hundred_thousand_terms() -> None:
    assert evaluate(" + ".join(["x"] * 100_000), x=2) == 200_000


def test_deep_recursion_is_an_error() -> None:
    code = compile_text("def f(n):\n    return f(n + 1)\nf(0)")
    with pytest.raises(RecursionError, match=r"^maximum recursion depth exceeded$") as caught:
        Machine().run(code)
    shown = diagnose(caught.value)
    assert (shown.line, shown.column) == (2, 12)


def test_recursion_through_python_is_an_error() -> None:
    code = compile_text("def f(n):\n    return sorted([1], key=f)\nf(0)")
    with pytest.raises(RecursionError):
        Machine().run(code)


def test_the_machine_survives_deep_recursion() -> None:
    machine = Machine()
    with pytest.raises(RecursionError):
        machine.run(compile_text("def f(n):\n    return f(n + 1)\nf(0)"))
    text = "def g(n):\n    return 0 if n == 0 else 1 + g(n - 1)\ng(990)"
    assert machine.run(compile_text(text)) == 990

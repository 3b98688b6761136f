"""What an operator did not foresee is told about the call, not about the engine's own names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gradcli
import gradcli.wiring  # the operators of tensors
from gradcli.language import Machine, compile_text
from gradcli.language.telling.diagnostics import diagnose

INSIDE = Path(gradcli.__file__).parent / "kernels" / "broken.py"
"""A file of the engine, as far as its functions know."""

ENGINE = """
import numpy as np
def attribute(x): return x._view
def value(x): return int("no number")
def index(x): return [][x]
def division(x): return x / 0
def memory(x): return np.empty((10**6, 10**9), np.uint8)
def depth(x): return depth(x)
def refusal(x): raise ValueError(f"bad value {x}")
def calls(x): return x()
"""


def told(text: str) -> tuple[str, str]:
    """The type and the message of a program's error."""
    names: dict[str, Any] = {}
    exec(compile(ENGINE, str(INSIDE), "exec"), names)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is the result
        Machine(names).run(compile_text(text))
    found = diagnose(caught.value)
    assert found.source == text
    return found.type, found.message


@pytest.mark.parametrize(
    ("text", "type", "message"),
    [
        ("attribute([1])", "TypeError", "attribute() does not take (list)"),
        ("value(1.5)", "RuntimeError", "value() does not take (float) of these values"),
        ("index(3)", "IndexError", "index() does not take (int) of these sizes"),
        ("index(*[3], **{})", "IndexError", "index() does not take (int) of these sizes"),
        ("division(1)", "ZeroDivisionError", "division by zero"),
        ("depth(1)", "RecursionError", "maximum recursion depth exceeded"),
    ],
)
def test_an_accident_is_told_in_words_about_the_call(text: str, type: str, message: str) -> None:
    assert told(text) == (type, message)


def test_memory_is_told_in_pytorchs_words() -> None:
    kind, message = told("memory(1)")
    assert kind == "RuntimeError"
    assert "you tried to allocate 1000000000000000 bytes" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("refusal(3)", "bad value 3"),
        ("float('x')", "could not convert string to float: 'x'"),
        ("[*map(int, ['x'])]", "invalid literal for int() with base 10: 'x'"),
        ("calls(lambda: [].pop())", "pop from empty list"),
        ("calls(lambda: 1 + 'a')", "unsupported operand type(s) for +: 'int' and 'str'"),
    ],
)
def test_what_was_said_on_purpose_or_by_the_program_stays(text: str, message: str) -> None:
    assert told(text)[1] == message


@pytest.mark.parametrize(
    "call",
    [
        "x.register_hook(GIVEN); x.sum().backward()",
        "y = 2*x; y.grad_fn.register_prehook(GIVEN); y.sum().backward()",
        "y = 2*x; y.register_hook(GIVEN); y.sum().backward()",
        "x.detach().apply_(GIVEN)",
        "torch.testing.assert_close(x, 2 * x, msg=GIVEN)",
        "torch.autograd.functional.jacobian(GIVEN, x)",
        "torch.autograd.functional.hessian(GIVEN, x)",
        "torch.autograd.functional.vjp(GIVEN, x)",
        "torch.autograd.functional.jvp(GIVEN, x, x)",
        "torch.autograd.functional.hvp(GIVEN, x, x)",
        "torch.autograd.functional.vhp(GIVEN, x, x)",
        "torch.autograd.gradcheck(GIVEN, x)",
        "torch.autograd.gradgradcheck(GIVEN, x)",
        "torch.no_grad()(GIVEN)(x)",
        "torch.set_grad_enabled(True)(GIVEN)(x)",
    ],
)
def test_what_a_program_handed_in_fails_in_its_own_words(call: str) -> None:
    text = (
        f"x = torch.ones(2, dtype=torch.double, requires_grad=True); {call.replace('GIVEN', 'ord')}"
    )
    with pytest.raises(TypeError, match=r"^ord\(\) expected "):
        Machine().run(compile_text(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torch.sum(*3)", "sum() argument after * must be an iterable, not int"),
        ("torch.ones(1).sum(**3)", "sum() argument after ** must be a mapping, not int"),
    ],
)
def test_functions_have_their_names_in_what_is_said_about_stars(text: str, message: str) -> None:
    assert told(text)[1] == message


@pytest.mark.parametrize(
    ("text", "type", "message"),
    [
        (
            "torch.autograd.gradcheck(print, x)",
            "AttributeError",
            "'NoneType' object has no attribute 'requires_grad'",
        ),
        (
            "torch.autograd.gradgradcheck(lambda x: [x, 5], x)",
            "AttributeError",
            "'int' object has no attribute 'requires_grad'",
        ),
        (
            "torch.autograd.graph.increment_version(5)",
            "RuntimeError",
            "increment_version expect a Iterable[Tensor] as input",
        ),
        (
            "torch.autograd.graph.increment_version([x, 5])",
            "RuntimeError",
            "increment_version expects each element of the iterable to be a tensor",
        ),
    ],
)
def test_what_is_no_tensor_is_said_in_pytorchs_words(text: str, type: str, message: str) -> None:
    given = "x = torch.ones(2, dtype=torch.double, requires_grad=True); "
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its type is the result
        Machine(write=lambda _: None).run(compile_text(given + text))
    found = diagnose(caught.value)
    assert (found.type, found.message) == (type, message)


def test_the_cause_is_kept_for_who_looks_for_the_fault() -> None:
    names: dict[str, Any] = {}
    exec(compile(ENGINE, str(INSIDE), "exec"), names)
    with pytest.raises(TypeError) as caught:
        Machine(names).run(compile_text("attribute(1)"))
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.parametrize(
    "name", ["torch.BFloat16Tensor", "torch.einsum", "int", "torch.ones(1).sum"]
)
def test_a_keyword_may_be_called_self(name: str) -> None:
    with pytest.raises(TypeError) as caught:
        Machine().run(compile_text(f"{name}(self=2, nothing=3)"))
    assert "does not take (" not in str(caught.value)
    assert "multiple values" not in str(caught.value)


def test_a_shape_fails_as_the_tuple_that_it_is() -> None:
    assert told("torch.tensor(1.0).shape[0]")[1] == "tuple index out of range"

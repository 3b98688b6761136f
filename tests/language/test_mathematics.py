"""What names mean in expressions and in programs: mathematics, Python, or PyTorch to the letter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import gradcli.wiring  # noqa: F401 - methods of tensors
from gradcli.evaluation import Bindings, Plan, Variable, compile_expression, evaluate
from gradcli.language import Machine, compile_text, diagnose
from gradcli.tensor.tensor import Tensor, wrap


def leaf(values: Any, dtype: str = "float32") -> Tensor:
    return wrap(np.array(values, dtype), requires_grad=True)


def expression(text: str, **variables: Any) -> Any:
    return Machine(variables).run(compile_expression(text))


def program(text: str, **variables: Any) -> Any:
    return Machine(variables).run(compile_text(text))


BOTH = pytest.mark.parametrize("run", [expression, program])


@BOTH
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sqrt(2 * pi)", math.sqrt(2 * math.pi)),
        ("exp(-1)", math.exp(-1)),
        ("log(8, 2), log(e), ln(e)", (math.log(8) / math.log(2), 1.0, 1.0)),
        ("sqrt(-1 + 0j)", 1j),
        ("floor(2.5), ceil(2.5), trunc(-2.5), floor(7)", (2, 3, -2, 7)),
        ("floor(inf), log(0)", (math.inf, -math.inf)),
        ("maximum(1, 2.5), atan2(1, 1)", (2.5, math.pi / 4)),
        ("gcd(12, 18), where(2 > 1, 3, 4)", (6, 3)),
        ("isnan(nan), sigmoid(0), relu(-2)", (True, 0.5, 0.0)),
        ("frexp(3)", (0.75, 2)),
        ("sin(input=0)", 0.0),
        ("cbrt(-8), gamma(5), gamma(-0.5)", (-2.0, 24.0, -2 * math.sqrt(math.pi))),
        ("degrees(pi), radians(180), fabs(-2)", (180.0, math.pi, 2.0)),
        ("cot(1) * tan(1), sec(0), csc(pi / 2)", (1.0, 1.0, 1.0)),
        ("factorial(5), comb(4, 2), isqrt(17)", (120, 6, 4)),
    ],
)
def test_bare_names_take_numbers(run: Any, text: str, value: Any) -> None:
    found = run(text)
    assert found == pytest.approx(value, rel=1e-15)
    wanted = value if isinstance(value, tuple) else (value,)
    got = found if isinstance(value, tuple) else (found,)
    assert [type(number) for number in got] == [type(number) for number in wanted]


@BOTH
@pytest.mark.parametrize("text", ["sqrt(-1)", "acos(2)", "log(-1)", "gamma(-1)", "lgamma(nan)"])
def test_outside_the_domain_is_nan(run: Any, text: str) -> None:
    assert math.isnan(run(text))


@BOTH
def test_a_number_of_a_bare_name_is_weak(run: Any) -> None:
    x = leaf([1.0, 2.0])
    assert run("(x * sqrt(2)).dtype", x=x).name == "float32"
    assert run("maximum(x, 1.5), hypot(3, x), atan2(1, x)", x=x)[0].dtype.name == "float32"
    assert run("maximum(0, x)", x=leaf(1.0, "float64")).dtype.name == "float64"
    assert run("maximum(x, 2)", x=wrap(np.array([1, 3]))).tolist() == [2, 3]


@pytest.mark.parametrize(
    "text",
    [
        "torch.sqrt(2)",
        "torch.maximum(x, 0)",
        "F.relu(2)",
        "from torch import sqrt\nsqrt(2)",
        "from torch import *\nsqrt(2)",
        "from torch import *\nmax(2, 3)",
    ],
)
def test_qualified_and_imported_names_are_those_of_pytorch(text: str) -> None:
    with pytest.raises(TypeError):
        program(text, x=leaf(1.0))


def test_qualified_names_of_math_fail_as_there() -> None:
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        program("math.sqrt(-1)")
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        program("from math import *; sqrt(-1)")


@BOTH
@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("factorial(x)", r"use gamma\(n \+ 1\), or detach"),
        ("comb(x, 2)", "use exp"),
        ("isqrt(x)", r"use floor\(sqrt"),
        ("fsum([x, 1])", "use sum"),
        ("ulp(x)", "detach"),
    ],
)
def test_no_bare_name_cuts_a_gradient_without_a_word(run: Any, text: str, instead: str) -> None:
    with pytest.raises(RuntimeError, match=rf"\(\) has no derivative: .*{instead}"):
        run(text, x=leaf(3.0))
    assert run("factorial(x)", x=wrap(np.array(3))) == 6


@pytest.mark.parametrize(
    ("text", "value", "slope"),
    [
        ("cbrt(x)", 0.0, math.inf),
        ("cbrt(x)", -8.0, 1 / 12),
        ("gamma(x)", 1.0, -0.5772156649015329),
        ("log(x, 2)", 4.0, 1 / (4 * math.log(2))),
        ("ln(x)", 4.0, 0.25),
        ("fabs(x)", -2.0, -1.0),
        ("max(x, 0)", -3.0, 0.0),
        ("max(x, 0)", 0.0, 0.5),
        ("min(3, x, 5)", 2.0, 1.0),
        ("round(x, 1)", 2.34, 0.0),
        ("pow(x, 2)", 3.0, 6.0),
    ],
)
def test_slopes(text: str, value: float, slope: float) -> None:
    x = leaf(value, "float64")
    expression(text, x=x).backward()
    assert x.grad.item() == pytest.approx(slope, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("max(x, 0)", [0.0, 2.0]),
        ("min(x, y, 1.5)", [-1.0, 1.5]),
        ("max(x, [0, 3])", [0.0, 3.0]),
        ("max(x), sum(x), min(x, dim=0).values", [2.0, 1.0, -1.0]),
        ("sum(m, 0)", [4.0, 6.0]),
        ("sum(m, dim=1, keepdim=True)", [[3.0], [7.0]]),
        ("any(x > 0), all(x > 0)", [True, False]),
        ("max([x[0], x[1]]), sum([x, x]), sum(i * x for i in (1, 2))", None),
        ("max(1, 2), sum([1, 2]), round(2.567, 2), pow(2, 3), round(2.5)", [2, 3, 2.57, 8, 2]),
        ("[1, 2] * x", [-1.0, 4.0]),
        ("x - [[1], [2]]", [[-2.0, 1.0], [-3.0, 0.0]]),
        ("(lambda v: max(v, 0))(x)", [0.0, 2.0]),
        ("def f(v):\n    return max(v, 0)\nf(x)", [0.0, 2.0]),
    ],
)
def test_names_and_lists_of_expressions(text: str, answer: Any) -> None:
    variables = {"x": leaf([-1.0, 2.0]), "y": leaf(4.0), "m": leaf([[1.0, 2.0], [3.0, 4.0]])}
    found = expression(text, **variables)
    parts = found if isinstance(found, tuple) else (found,)
    plain = [part.tolist() if isinstance(part, Tensor) else part for part in parts]
    if answer is None:
        assert plain == [2.0, [-2.0, 4.0], [-3.0, 6.0]]
    else:
        assert (plain if isinstance(found, tuple) else plain[0]) == answer


def test_a_list_beside_a_tensor_is_as_weak_as_a_number() -> None:
    assert expression("x * [1, 2]", x=leaf([1.0, 2.0], "float16")).dtype.name == "float16"
    assert expression("[0.1] * x", x=leaf([1.0], "float64")).tolist() == [0.1]
    assert expression("x * [1]", x=wrap(np.array([2]))).dtype.name == "int64"


@pytest.mark.parametrize("text", ["[x, 1] * x", "x + [x, x]", "[[x]] @ x"])
def test_a_list_of_tensors_is_no_constant(text: str) -> None:
    with pytest.raises(TypeError) as caught:
        expression(text, x=leaf([1.0, 2.0]))
    assert diagnose(caught.value).hint == "a list of tensors becomes one tensor by stack([...])"


def test_a_list_that_holds_itself_ends() -> None:
    with pytest.raises(OverflowError):
        expression("a = [1]\na.append(a)\na * x", x=leaf(1.0))


@pytest.mark.parametrize("text", ["2^3", "2.0^3.0", "a^2"])
def test_a_power_that_is_none_gets_its_hint(text: str) -> None:
    with pytest.raises(TypeError) as caught:
        expression(text, a=2)
    assert diagnose(caught.value).hint == "powers are written **: x ** 2"
    assert program("2^3") == 1


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("t * x", ["t", "x"]),
        ("-t", ["t"]),
        ("gamma * x + gamma(2)", ["gamma", "x"]),
        ("sum / 2 < max", ["sum", "max"]),
        ("sin(x) * pi", ["x"]),
        ("(lambda t: t * x)(2)", ["x"]),
        ("let t = 3; t * x", ["x"]),
    ],
)
def test_a_name_of_a_function_is_a_variable_where_arithmetic_wants_a_number(
    text: str, needed: list[str]
) -> None:
    assert Bindings(compile_expression(text)).unbound() == needed


def test_an_operand_that_is_no_variable_is_missed_where_it_stands() -> None:
    bindings = Bindings(compile_expression("x + t*2"), (Variable("x", wrap(np.array(1.0))),))
    with pytest.raises(NameError, match=r"^name 't' is not defined$") as caught:
        evaluate(Machine(), bindings, Plan())
    assert diagnose(caught.value).column == 5


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("max(x, 0)", 0),
        ("sum(rows).tolist()", [4.0, 6.0]),
        ("max(v, key=lambda a: -a).item()", 1.0),
        ("sum(v, 10.0).item()", 13.0),
        ("any(v > 1), all(v > 1)", (True, False)),
    ],
)
def test_programs_have_the_functions_of_python(text: str, value: Any) -> None:
    rows = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert program(text, x=leaf(-3.0), rows=rows, v=leaf([1.0, 2.0])) == value


def test_python_has_no_round_of_a_tensor() -> None:
    with pytest.raises(TypeError, match=r"^type Tensor doesn't define __round__ method$"):
        program("round(x, 2)", x=leaf(1.0))

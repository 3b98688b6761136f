"""Derivatives as formulas: their text, and whether two are the same."""

from __future__ import annotations

import pytest

from gradcli.formulas import NoFormula, expression_of, formula, same
from tests.commands import run

TEXTBOOK = {
    "x**2": "2*x",
    "x*exp(-x)": "(1 - x)*exp(-x)",
    "tanh(x)": "1 - tanh(x)**2",
    "sin(x)/cos(x)": "1 + tan(x)**2",
    "sin(x)*cos(x)": "cos(2*x)",
    "log(1 + exp(x))": "exp(x)/(1 + exp(x))",
    "sqrt(x**2 + y**2)": "x/sqrt(x**2 + y**2)",
    "x/(1 + x)": "1/(x + 1)**2",
    "V*x/(K + x)": "K*V/(K + x)**2",
    "4*pi**2*L/x**2": "-8*pi**2*L/x**3",
    "exp(-x**2/(2*s**2))/(s*sqrt(2*pi))": "-x*exp(-x**2/(2*s**2))/(s**3*sqrt(2*pi))",
    "x**(1/3)": "1/(3*x**(2/3))",
    "0.1*x**3": "0.3*x**2",
    "x**y": "y*x**(y - 1)",
    "2**x": "2**x*log(2)",
    "erf(x)": "2*exp(-x**2)/sqrt(pi)",
    "asin(x)": "1/sqrt(1 - x**2)",
    "atan2(y, x)": "-y/(x**2 + y**2)",
    "expm1(x)": "exp(x)",
    "softplus(x)": "sigmoid(x)",
    "sqrt(x**2)": "sign(x)",
    "abs(x)**3": "3*x*abs(x)",
    "abs(x)**5/x**2": "3*x*abs(x)",
    "sqrt(x**2)*exp(-sqrt(x**2))": "exp(-abs(x))*(sign(x) - x)",
    "n*R*T/(k*pi*x)": "-n*R*T/(pi*k*x**2)",
}


@pytest.mark.parametrize("source", TEXTBOOK)
def test_derivatives_read_as_in_a_textbook(source: str) -> None:
    assert formula(source, "x").text == TEXTBOOK[source]


HIGHER = {
    ("log((a*x + b)/(c*x + d))", 4): "6*(c**4/(c*x + d)**4 - a**4/(a*x + b)**4)",
    ("k**x*m**(1 - x)", 3): "k**x*m**(1 - x)*(log(k) - log(m))**3",
    ("1/(x**2 + a**2)", 2): "2*(3*x**2 - a**2)/(a**2 + x**2)**3",
}


@pytest.mark.parametrize(("source", "order"), HIGHER)
def test_higher_derivatives_are_those_of_what_is_shown_before(source: str, order: int) -> None:
    assert formula(source, "x", order=order).text == HIGHER[source, order]


@pytest.mark.parametrize(
    ("question", "expected", "shapes"),
    [
        ("W @ x", "W.T @ grad", {"grad": "the value, of shape [3]"}),
        ("exp(x)*2", "2*exp(x)", {}),
        ("x*y --wrt y", "sum(grad*x)", {"grad": "the value, of shape [2]"}),
        (
            "x.norm() --order 2",
            "grad_x/norm(x) - x*sum(grad_x*x)/norm(x)**3",
            {"grad_x": "d/dx, of shape [2]"},
        ),
        ("x.prod()*y --wrt y --order 2", "0", {}),
    ],
)
def test_gradients_that_elements_start_from_are_told_apart(
    question: str, expected: str, shapes: dict[str, str]
) -> None:
    expression, _, options = question.partition(" --")
    given = {"W": "[[1,2],[3,4],[5,6]]", "x": "1 2", "y": "3"}
    words = f"--{options}".split() if options else ["--wrt", "x"] if "W" in expression else []
    for name in given.keys() & set(expression):
        words += [f"--{name}", given[name]]
    done = run("diff", expression, *words)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == expected
    notes = [f"note: {name} stands for the gradient of {of}" for name, of in shapes.items()]
    assert done.err.splitlines() == notes


def test_a_third_derivative_of_tensors_has_two_gradients_to_start_from() -> None:
    done = run("diff", "x.norm()", "--order", "3", "--x", "1 2")
    assert "grad_x stands for the gradient of d/dx, of shape [2]" in done.err
    assert "grad_x_x stands for the gradient of d2/dx2, of shape [2]" in done.err


def test_the_sole_argument_of_a_function_of_numbers_is_a_variable() -> None:
    assert formula("A*cos(t)", "t").text == "-A*sin(t)"
    assert formula("log(sum) + exp(t)*sin(pi*e)", "sum").text == "1/sum"
    done = run("eval", "A*cos(t)", "--A", "3")
    assert "the variable t has no value" in done.err


def test_quotients_of_sizes_are_no_decimals() -> None:
    source = "let x = [1, 2, 4]; const y = [3., 1, 1]; 0.5*x @ y/sqrt(x.var(correction=0) + 1e-5)"
    assert "0.333" not in formula(source, "x").text


def test_a_branch_is_a_condition() -> None:
    assert formula("x**2 if x > 0 else -x", "x").conditions == ("x > 0",)


def test_formulas_are_the_same_by_form() -> None:
    derived = formula("x/(1 + x)", "x")
    assert same(derived, expression_of("(1 + x)**-2"))
    assert same(derived, expression_of("1/(1 + x) - x/(1 + x)**2"))
    assert not same(derived, expression_of("1/(1 + x)"))
    assert not same(derived, expression_of("-1/(1 + x)**2"))


def test_what_has_no_formula_is_named() -> None:
    with pytest.raises(NoFormula, match="sort"):
        formula("sort(x).values[0]", "x", {"x": [1.0, 2.0]})


@pytest.mark.parametrize(
    "source",
    [
        "x.item()*x",
        "x.detach().item()*x",
        "float((x*2).data)*x",
        "torch.tensor([x, 1])*x",
        "tensor([[1, x.data]])*x",
    ],
)
def test_a_number_that_was_made_from_a_variable_has_no_formula(source: str) -> None:
    with pytest.raises(NoFormula, match="goes on with the value of x"):
        formula(source, "x")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("let x = [[1, 2], [3, 4]]; (x.T.detach() * x).sum()", "x.T"),
        ("let x = [[1, 2], [3, 4]]; (x.detach() * x.T).sum()", "x.T"),
        (
            "let x = [1, 2]; const A = [[2., 1], [0, 3]]; x @ (A + A.T) @ x",
            "2*tensor([[4.0, 1.0], [1.0, 6.0]]) @ x",
        ),
    ],
)
def test_tensors_of_the_same_memory_are_told_apart(source: str, expected: str) -> None:
    assert formula(source, "x").text == expected


def test_conditions_get_no_names() -> None:
    done = run("diff", "erfc(exp(fmin(x**y, 3)))", "--order", "3", "--wrt", "x")
    assert done.code == 0, done.err
    assert "where(x**y <= 3, " in done.out
    assert "let" in done.out
    assert run("eval", done.out, "--x", "0.5", "--y", "2").code == 0

"""Formulas in canonical form: what is gathered, folded, kept apart and written how."""

from __future__ import annotations

from fractions import Fraction

import pytest

from gradcli.formulas import NoFormula, expression_of, formula, same
from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.writing import Writer, text

X, Y = ex.symbol("x"), ex.symbol("y")

WRITTEN = {
    "x + x": "2*x",
    "x - x": "0",
    "x*x**2": "x**3",
    "x/x": "1",
    "2*(x + 1) - 2*x": "2",
    "x/3 + x/6": "x/2",
    "x - (-y)": "x + y",
    "-(x - y)": "y - x",
    "y - 1": "y - 1",
    "x*-1": "-x",
    "x*(-y)/(-2)": "x*y/2",
    "exp(x)*exp(y)": "exp(x + y)",
    "exp(x)**2": "exp(2*x)",
    "exp(2*log(x))": "x**2",
    "log(exp(x))": "x",
    "sqrt(x)**2": "x",
    "sqrt(x**2)": "abs(x)",
    "abs(x)**2": "x**2",
    "abs(-2*x)": "2*abs(x)",
    "sin(-x)": "-sin(x)",
    "cos(-x)": "cos(x)",
    "sin(x)**2 + cos(x)**2": "1",
    "1 - sin(x)**2": "cos(x)**2",
    "cosh(x)**2 - sinh(x)**2": "1",
    "sin(x)/cos(x)": "tan(x)",
    "expm1(x) + 1": "exp(x)",
    "2/sqrt(2)*x": "sqrt(2)*x",
    "sqrt(8)*x": "2*sqrt(2)*x",
    "4**0.5*x": "2*x",
    "x**0.5": "sqrt(x)",
    "1/x**2": "1/x**2",
    "x**-0.5": "1/sqrt(x)",
    "(x + 1)*(x + 1)": "(x + 1)**2",
    "(2*x + 2)/(x + 1)": "2",
    "x*y + x*2": "x*(y + 2)",
    "1/(1 + 1/x)": "x/(x + 1)",
    "0.1*x + 0.2*x": "0.3*x",
    "1e-7*x": "1e-07*x",
    "relu(x**2)": "x**2",
    "x*sign(x)": "abs(x)",
    "x**(y + 1)/x": "x**y",
}


@pytest.mark.parametrize("source", WRITTEN)
def test_formulas_are_written_as_a_textbook_does(source: str) -> None:
    assert expression_of(source).text == WRITTEN[source]


def test_equal_expressions_are_the_same_object() -> None:
    assert ex.plus(X, Y) is ex.plus(Y, X)
    assert ex.times(X, ex.plus(X, Y)) is ex.times(ex.plus(Y, X), X)
    assert ex.divided(X, Y) is ex.times(X, ex.power(Y, ex.MINUS_ONE))
    assert ex.plus(X, Y) is not ex.plus(X, X)


def test_numbers_are_exact() -> None:
    assert expression_of("x/3 + x/3 + x/3").expression is X
    assert expression_of("0.1*x + 0.2*x").expression is ex.scaled(X, Fraction(3, 10))


def test_huge_powers_are_not_worked_out() -> None:
    assert formula("(2*x)**1000000", "x").text == "2000000*(2*x)**999999"


def test_minus_binds_to_what_follows() -> None:
    product = ex.times(ex.MINUS_ONE, X, ex.power(Y, ex.TWO))
    assert text(Writer().layout(product)) == "-x*y**2"
    assert text(Writer().layout(ex.power(product, ex.HALF))) == "sqrt(-x*y**2)"
    assert text(Writer().layout(ex.power(ex.negated(X), Y))) == "(-x)**y"


def test_conditions_are_numbers_beside_others_only() -> None:
    assert formula("relu(x)", "x").text == "where(x > 0, 1, 0)"
    assert formula("-relu(x)", "x").text == "-where(x > 0, 1, 0)"
    assert formula("y*relu(x)", "x").text == "y*(x > 0)"


@pytest.mark.parametrize(
    ("source", "order", "found"),
    [
        ("relu(x)**2", 1, "2*relu(x)"),
        ("relu(x)**2", 2, "2*(x > 0)"),
        ("elu(x)", 3, "(x < 0)*exp(x)"),
        ("logit(x)", 1, "1/(x*(1 - x))"),
        ("erf(fmin(x, 3))", 1, "where(x <= 3, 2*exp(-fmin(x, 3)**2)/sqrt(pi), 0)"),
        ("x*fmod(5, x)", 1, "fmod(5, x) - x*trunc(5/x)"),
    ],
)
def test_conditions_decide_what_stands_under_them(source: str, order: int, found: str) -> None:
    assert formula(source, "x", order=order).text == found


def test_a_row_without_a_derivative_is_named() -> None:
    with pytest.raises(NoFormula, match=r"derivative of torch\.special\.bessel_j0 has no formula"):
        formula("x*torch.special.bessel_j0(x)", "x")
    assert formula("x*torch.special.bessel_j0(y)", "x").text == "torch.special.bessel_j0(y)"


def test_what_may_be_infinite_is_not_multiplied_by_zero() -> None:
    found = expression_of("where(x > 0, log(x), 0)")
    assert found.text == "where(x > 0, log(x), 0)"


def test_formulas_of_one_name_differ_by_shape() -> None:
    assert not same(expression_of("x"), expression_of("x", {"x": [1.0, 2.0]}))


def test_a_detached_value_is_a_constant() -> None:
    assert formula("x.detach()*x", "x").text == "x"


def test_deep_and_long_texts_take_no_recursion() -> None:
    deep = formula("sin(" * 150 + "x" + ")" * 150, "x")
    assert deep.text.count("cos(") == 150
    assert formula("+".join(["x"] * 1500), "x").text == "1500"


@pytest.mark.parametrize(
    ("source", "values", "found"),
    [
        ("(w @ x).sum()", {"w": [[1.0, 2], [3, 4]], "x": [1.0, 2]}, "sum(w, 0)"),
        ("x @ A @ x", {"A": [[1.0, 2], [3, 4]], "x": [1.0, 2]}, "(A + A.T) @ x"),
        ("softmax(x, 0) @ y", {"x": [1.0, 2], "y": [2.0, 3]}, None),
        ("logsumexp(x, 0)", {"x": [1.0, 2, 3]}, "softmax(x, 0)"),
        ("x.norm()", {"x": [1.0, 2, 3]}, "x/norm(x)"),
        ("F.mse_loss(x, y)", {"x": [1.0, 2, 4], "y": [1.0, 2, 3]}, "2*(x - y)/3"),
        ("F.huber_loss(x, y)", {"x": [1.0, 2, 4], "y": [1.0, 2, 9]}, "clamp(x - y, -1, 1)/3"),
        (
            "F.smooth_l1_loss(x, y, beta=0.5)",
            {"x": [1.0, 2, 4], "y": [1.2, 2, 9]},
            "clamp(2*(x - y), -1, 1)/3",
        ),
        ("x.reshape(4).pow(2).sum()", {"x": [[1.0, 2], [3, 4]]}, "2*x"),
        ("trace(x @ A @ x.T)", {"x": [[1.0, 2], [3, 5]], "A": [[1.0, 2], [3, 4]]}, "x @ (A + A.T)"),
        (
            "(x - y) @ A @ (x - y) + x @ y",
            {"x": [1.0, 2], "y": [3.0, 5], "A": [[1.0, 2], [3, 4]]},
            "y + (A + A.T) @ (x - y)",
        ),
        (
            "2*y*(x @ A @ x)",
            {"x": [1.0, 2], "y": 3.0, "A": [[1.0, 2], [3, 4]]},
            "2*y*(A + A.T) @ x",
        ),
        ("trace(x.T @ x)", {"x": [[1.0, 2], [3, 4]]}, "2*x"),
        ("linalg.det(x)", {"x": [[1.0, 2], [3, 4]]}, "linalg.det(x)*linalg.inv(x).T"),
        ("x @ y/x.norm()", {"x": [1.0, 2], "y": [3.0, 5]}, "y/norm(x) - x*(x @ y)/norm(x)**3"),
        ("(A + x).sum()", {"A": [[1.0, 2], [3, 4]], "x": [1.0, 2]}, "2"),
        ("(A*x).sum()", {"A": [[1.0, 2], [3, 4]], "x": [1.0, 2]}, "sum(A, 0)"),
        ("outer(y, x).sum()", {"y": [1.0, 2], "x": [1.0, 2]}, "sum(y)"),
        ("norm(x, 1)", {"x": [1.0, -2]}, "sign(x)"),
        ("((x - x.mean())**2).mean()", {"x": [1.0, 2, 4]}, "2*(x - sum(x)/3)/3"),
        ("x.var()", {"x": [1.0, 2, 4]}, "x - sum(x)/3"),
        ("x.std()**2", {"x": [1.0, 2, 4]}, "x - sum(x)/3"),
        ("x[1:] @ y", {"x": [1.0, 2, 4], "y": [1.0, 5]}, "pad(y, [1, 0])"),
        ("x[0, 1]**2", {"x": [[1.0, 2], [3, 4]]}, "2*outer(one_hot(0, 2), one_hot(1, 2))*x[0][1]"),
        ("x.flip(0) @ y", {"x": [1.0, 2], "y": [1.0, 5]}, "flip(y, [0])"),
        ("cumsum(x, 0) @ y", {"x": [1.0, 2], "y": [1.0, 5]}, "flip(cumsum(flip(y, [0]), 0), [0])"),
        ("logsumexp(x, 1).sum()", {"x": [[1.0, 2], [3, 4]]}, "softmax(x, 1)"),
        (
            "F.binary_cross_entropy(sigmoid(x), y)",
            {"x": [1.0, 2, 3], "y": [0.0, 1, 1]},
            "(sigmoid(x) - y)/3",
        ),
        (
            "F.binary_cross_entropy_with_logits(x, y)",
            {"x": [1.0, 2, 3], "y": [0.0, 1, 1]},
            "(sigmoid(x) - y)/3",
        ),
        (
            "b @ linalg.solve(A, x)",
            {"A": [[1.0, 2], [3, 4]], "b": [1.0, 2], "x": [1.0, 5]},
            "linalg.solve(A.T, b)",
        ),
        (
            "F.linear(x, W, b) @ b",
            {"W": [[1.0, 2], [3, 4]], "b": [1.0, 2], "x": [1.0, 5]},
            "W.T @ b",
        ),
        (
            "relu(W @ x).sum()",
            {"W": [[1.0, 2], [3, 4]], "x": [1.0, -1]},
            "W.T @ where(W @ x > 0, 1.0, 0.0)",
        ),
        ("x.prod()", {"x": [1.0, 2, 3]}, "prod(x)/x"),
    ],
)
def test_tensors_have_formulas_of_tensors(source: str, values: object, found: str | None) -> None:
    derived = formula(source, "x", values)  # type: ignore[arg-type]
    assert derived.text == (found or "softmax(x, 0)*(y - sum(y*softmax(x, 0)))")

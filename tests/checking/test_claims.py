"""What people believe derivatives to be: judged rightly, and told what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradcli.checking.claims import Verdict
from gradcli.checking.texts import UnknownName, Written
from gradcli.language.telling.diagnostics import ParseError, diagnose
from tests.checking.ask import ask


def table() -> list[list[str]]:
    """The rows of the recorded claims: verdict, expression, claim, mistake."""
    lines = (Path(__file__).parent / "claims.txt").read_text("utf-8").splitlines()
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def verdict(text: str, claim: str, **options: object) -> Verdict:
    (found,) = ask(text, claim, **options).claims  # type: ignore[arg-type]
    return found


def test_half_of_the_claims_are_wrong() -> None:
    verdicts = [row[0] for row in table()]
    assert len(verdicts) == 121
    assert verdicts.count("wrong") >= 60


@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row[1]}, {row[2]}")
@pytest.mark.parametrize("seed", [0, 1])
def test_claim(row: list[str], seed: int) -> None:
    expected, text, claim = row[:3]
    found = verdict(text, claim, seed=seed)
    assert found.verdict == expected
    assert (found.point is None) == (expected == "right")


@pytest.mark.parametrize(
    ("text", "claim", "remark"),
    [
        ("x**2*y", "x: -2*x*y", "its sign is wrong"),
        ("x**2*y", "x: x*y", "it lacks a factor 2"),
        ("sin(x**2)", "x: cos(x**2)", "it lacks a factor 2*x"),
        ("log(x)", "x: 3", "it lacks a factor 0.333333/x"),
        ("sqrt(x)", "x: 1/sqrt(x)", "it lacks a factor 0.5"),
        ("x**2 + 5*x", "x: 2*x", "it lacks a term 5"),
        ("x**2 + sin(x)", "x: cos(x)", "it lacks a term 2*x"),
        ("x*exp(x)", "x: exp(x) + x", ""),
    ],
)
def test_what_a_wrong_claim_lacks(text: str, claim: str, remark: str) -> None:
    assert verdict(text, claim).remark == remark


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("tanh(x)", "x: 1/cosh(x)**2"),
        ("tanh(x)", "x: 1 - tanh(x)**2"),
        ("1/(1 + exp(-x))", "x: exp(-x)/(1 + exp(-x))**2"),
        ("softplus(x)", "x: sigmoid(x)"),
    ],
)
@pytest.mark.parametrize("position", ["-30", "-12.5", "20", "36"])
def test_rounding_makes_no_claim_wrong(text: str, claim: str, position: str) -> None:
    found = verdict(text, claim, given={"x": position}, points=0)
    assert found.verdict in ("right", "undecided")


def test_a_claim_at_a_kink_is_undecided() -> None:
    found = verdict("abs(x)", "x: 1", given={"x": "0"}, points=0)
    assert found.verdict == "undecided"
    assert found.remark.startswith("there is a kink: abs has a kink here")


def test_a_cut_gradient_is_not_held_against_the_claim_alone() -> None:
    found = verdict("x.detach()*x", "x: 2*x")
    assert found.verdict == "wrong"
    assert "is the gradient cut?" in found.remark


def test_a_claim_that_is_not_finite_is_wrong() -> None:
    found = verdict("x**2", "x: 2*sqrt(x)**2", given={"x": "-1"}, points=0)
    assert (found.verdict, found.remark) == ("wrong", "the derivative is finite there")


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("x**2 if x > 40 else x", "x: 1"),
        ("x**2 if x > 10 else x", "x: 1 if x < 30 else 2*x"),
        ("where(x < -25, x**2, x)", "x: 1"),
        ("relu(x - 100)", "x: 0"),
        ("abs(x + 30)*y", "x: y"),
        ("clamp(x, -60, 60)", "x: 1"),
        ("let w = [1, 2]; relu(w - 40).sum()", "w: 0"),
        ("x**2", "x: 2*x if x != 1 else 5"),
        ("x**2", "x: where(x == 2.5, 7, 2*x)"),
        ("x**2", "x: 2*x + 1e-12"),
        ("def f(x):\n    return x if x < 70 else 70 + 0*x\nf(x)", "x: 1"),
    ],
)
def test_counterexamples_are_sought_about_the_numbers_of_the_texts(text: str, claim: str) -> None:
    assert verdict(text, claim).verdict == "wrong"


def test_a_hole_in_a_claim_is_told_and_no_counterexample() -> None:
    found = verdict("sin(x)**2", "x: sin(2*x)*(x - 1)/(x - 1)")
    assert (found.verdict, found.proof) == ("right", None)
    assert found.remark == "it has no finite value at x = 1"


@pytest.mark.parametrize(
    ("text", "claim", "error"),
    [
        ("x**2", "x: 2.000000001*x", "5.0e-10"),
        ("x/3", "x: 0.3333333333", "1.0e-10"),
        ("pi*x**2", "x: 6.283185307*x", "2.9e-11"),
        ("let w = [1, 2]; w @ w", "w: 2*w*(1 - 1e-9)", "1.0e-09"),
    ],
)
def test_what_is_off_by_more_than_rounding_is_told(text: str, claim: str, error: str) -> None:
    found = verdict(text, claim)
    assert found.verdict == "right"
    told = f"not exactly: off by {error} of its size, more than rounding explains"
    assert found.remark == told


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("tan(x)", "x: 1/cos(x)**2"),
        ("1 - tanh(x)**2", "x: -2*tanh(x)/cosh(x)**2"),
        ("sin(x)**2", "x: sin(2*x)"),
        ("special.log_ndtr(x)", "x: exp(-x**2/2)/sqrt(2*pi)/special.ndtr(x)"),
        ("x**20", "d18/dx18: 1216451004088320000*x**2"),
    ],
)
def test_rounding_is_no_remark(text: str, claim: str) -> None:
    found = verdict(text, claim)
    assert (found.verdict, found.proof, found.remark) == ("right", None, "")


def test_a_claim_about_several_outputs_is_about_their_sum() -> None:
    assert verdict("x*y, x + y", "x: y + 1").verdict == "right"
    assert verdict("x*y, x + y", "x: y").verdict == "wrong"


@pytest.mark.parametrize(
    ("text", "claim", "expected"),
    [
        ("abs(z)**2", "z: 2*z", "right"),
        ("abs(z)**2", "z: 2*z.conj()", "wrong"),
        ("abs(z)**2", "z: 2*z.real", "wrong"),
        ("(z**2).real", "z: 2*z.conj()", "right"),
        ("(z**2).real", "d2/dz2: 2", "right"),
        ("log(z).imag", "z: 1j*z/abs(z)**2", "right"),
        ("log(z).imag", "z: z/abs(z)**2", "wrong"),
        ("abs(z)*x", "x: abs(z)", "right"),
        ("abs(z)*x", "x: z", "wrong"),
        ("exp(1j*x).real", "x: -sin(x)", "right"),
    ],
)
def test_gradients_of_complex_variables_are_claimed_as_pytorch_has_them(
    text: str, claim: str, expected: str
) -> None:
    given = {"z": "1+2j"} if "z" in text else {}
    assert verdict(text, claim, given=given).verdict == expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("w: 2*w.sum()*ones", "right"),
        ("w: ones", "wrong"),
        ("w: [14, 14, 13]", "wrong"),
        ("w: 12", "wrong"),
        ("w: w.sum()*2", "wrong"),
    ],
)
def test_shapes_of_claims_are_compared(claim: str, expected: str) -> None:
    found = verdict("w.sum()**2", claim, given={"w": "[1, 2, 4]"})
    assert found.verdict == expected
    if "sum" in claim and expected == "wrong":
        assert found.values == {"shape of claim": [], "shape of w.grad": [3]}
        assert found.remark == "the shapes differ"


def test_a_number_is_claimed_of_every_element() -> None:
    assert verdict("3*w.sum()", "w: 3", given={"w": "[1, 2]"}).verdict == "right"
    assert verdict("w.sum()", "w: ones", given={"w": "[1, 2]"}).verdict == "right"
    assert verdict("0*w.sum()", "w: zeros", given={"w": "[1, 2]"}).verdict == "right"


def test_a_tolerance_lets_rounded_constants_pass() -> None:
    claim = "x: -0.3989*x*exp(-x**2/2)"
    text = "exp(-x**2/2)/sqrt(2*pi)"
    assert verdict(text, claim).verdict == "wrong"
    assert verdict(text, claim, tolerance=1e-3).verdict == "right"


def test_seeds_weigh_outputs() -> None:
    def twice(output: object) -> object:
        return output.detach() * 0 + 2  # type: ignore[attr-defined]

    found = verdict("w**2", "w: 4*w", given={"w": "[1, 2]"}, seeds=[twice])
    assert found.verdict == "right"


def test_points_of_the_right_domain_are_found() -> None:
    text = "log(x - 3)*sqrt(1 - y**2)*acosh(z)"
    assert verdict(text, "x: sqrt(1 - y**2)*acosh(z)/(x - 3)").points == 10


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("w @ x", "x: w"),
        ("(A @ x).sum()", "x: A.sum(0)"),
        ("x[0]*x[1]", "x: stack([x[1], x[0], 0*x[2]])"),
    ],
)
def test_variables_without_values_get_a_shape_too(text: str, claim: str) -> None:
    found = verdict(text, claim)
    assert found.verdict == "right"
    assert found.points >= 10


def test_a_point_outside_of_the_domain_names_the_operator() -> None:
    with pytest.raises(ValueError, match=r"the value is not finite at x = -1: log is not finite"):
        ask("log(x)", given={"x": "-1"})
    with pytest.raises(ValueError, match="the value is not finite at x = -8: pow is not finite"):
        ask("x**(1/3)", given={"x": "-8"})
    with pytest.raises(ValueError, match="the derivative is not finite at x = 0: sqrt"):
        ask("sqrt(x)", given={"x": "0"})
    with pytest.raises(ValueError, match=r"no random point .*: log is not finite here at"):
        ask("log(-1 - x**2)")


@pytest.mark.parametrize(
    ("claim", "column", "message"),
    [
        ("x: 2*x*(y", 8, "SyntaxError: '(' was never closed"),
        ("x: 2x", 4, "SyntaxError: invalid decimal literal"),
        ("x = 2*x", 1, "SyntaxError: a claim says of what it is"),
        (" : 2*x", 2, "SyntaxError: a claim says of what it is"),
        ("x: let y = 3", 4, "SyntaxError: a claim is one expression"),
        ("x: 2*z*y", 6, "NameError: z is no variable of the expression"),
        ("z: 2*x*y", 1, "NameError: z is no variable of the expression"),
        ("d2/dx: 2", 1, "NameError: d2/dx is no derivative with respect to its variables"),
    ],
)
def test_what_is_wrong_with_a_claim_is_pointed_at(claim: str, column: int, message: str) -> None:
    with pytest.raises((ParseError, UnknownName)) as caught:
        ask("x**2*y", claim)
    found = diagnose(caught.value)
    assert f"{found.type}: {found.message}".startswith(message)
    assert (found.line, found.column, found.source) == (1, column, claim)


@pytest.mark.parametrize(
    ("claim", "column", "message"),
    [
        ("x: x.foo()", 4, "AttributeError: 'Tensor' object has no attribute 'foo'"),
        ("x: (x + y) @ y", 4, "RuntimeError: both arguments to matmul need to be at least 1D"),
        ('x: "a"', 4, "TypeError: a claim is a number or a tensor, and this is of type str"),
        ("x: x.grad", 4, "TypeError: a claim is a number or a tensor, and this is of type None"),
        ("x: 1j*x", 4, "TypeError: a claim is real, as the derivative is"),
    ],
)
def test_a_claim_that_has_no_value_is_wrong(claim: str, column: int, message: str) -> None:
    judged = verdict("x**2*y", claim)
    assert (judged.verdict, [*judged.values]) == ("wrong", ["x.grad"])
    assert judged.error is not None
    found = diagnose(judged.error)
    assert f"{found.type}: {found.message}".startswith(message)
    assert (found.line, found.column, found.source) == (1, column, claim)


@pytest.mark.parametrize(
    ("text", "assertion", "verdict"),
    [
        ("softplus(x)", "x.grad > 0", "right"),
        ("softplus(x)", "value > 0 and x.grad < 1", "right"),
        ("x**2*y", "d2/dx2 == 2*y", "right"),
        ("x**2*y", "(d2/dxdy - 2*x).abs() < 1e-12", "right"),
        ("x**3", "d2/dx2 > 0", "wrong"),
        ("sin(x)", "x.grad >= 0", "wrong"),
    ],
)
def test_assertions_hold_or_not(text: str, assertion: str, verdict: str) -> None:
    (found,) = ask(text, assertions=[Written(assertion, "assertion")], points=10).assertions
    assert found.verdict == verdict
    if verdict == "wrong":
        assert [*found.values] == ["d2/dx2" if "d2" in assertion else "x.grad"]


def test_a_false_assertion_shows_the_value() -> None:
    written = [Written("value < 5", "assertion")]
    (one,) = ask("x**2", given={"x": "3"}, assertions=written).assertions
    assert {name: float(value) for name, value in one.values.items()} == {"value": 9.0}
    written = [Written("value[0] < 5", "assertion")]
    (one,) = ask("x**2, x", given={"x": "3"}, assertions=written).assertions
    assert [*one.values] == ["value[0]", "value[1]"]


def test_an_assertion_holds_at_the_given_point_unless_points_are_asked_for() -> None:
    written = [Written("x.grad > 0", "assertion")]
    assert ask("x**2", given={"x": "3"}, assertions=written).assertions[0].verdict == "right"
    report = ask("x**2", given={"x": "3"}, assertions=written, points=10)
    assert report.assertions[0].verdict == "wrong"


@pytest.mark.parametrize("claim", ["d999999999/dx999999999: 0", "d101/dx100dy: 0"])
def test_orders_that_no_passes_reach_are_refused(claim: str) -> None:
    with pytest.raises(OverflowError, match="takes more than 100 nested backward passes"):
        ask("x**2*y", claim)
    assert verdict("exp(x)", "d100/dx100: exp(x)", points=1).verdict == "right"


@pytest.mark.parametrize(
    ("text", "claim", "expected"),
    [
        ("x*exp(x)", "d15/dx15: (x + 15)*exp(x)", "right"),
        ("x*exp(x)", "d15/dx15: (x + 14)*exp(x)", "wrong"),
        ("exp(sin(x))", "d16/dx16: exp(sin(x))", "wrong"),
        ("x**4 if x > 0 else x**3", "d3/dx3: 24*x if x > 0 else 6", "right"),
        ("let w = [1, 2, 3]; (w**4).sum()", "d3/dw3: 24*w", "right"),
        ("x*y, x**4*y", "d3/dx3: 24*x*y", "right"),
        ("x", "d3/dx3: 0", "right"),
    ],
)
def test_high_orders_take_no_nested_passes(
    text: str, claim: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradcli.checking.subject.mixed", None)
    assert verdict(text, claim).verdict == expected


def test_a_seed_is_asked_for_whatever_the_order() -> None:
    for order in (1, 2, 3):
        with pytest.raises(RuntimeError, match="only for scalar outputs"):
            ask("w**4", f"d{order}/dw{order}: w", given={"w": "[1, 2]"})


@pytest.mark.parametrize(
    ("assertion", "what"),
    [
        ("x.grad", "a tensor of numbers"),
        ("'x > 0'", "str"),
        ("None", "NoneType"),
        ("[1]", "list"),
    ],
)
def test_what_is_neither_true_nor_false_is_no_assertion(assertion: str, what: str) -> None:
    with pytest.raises(TypeError, match=f"true or false, and this is {what}"):
        ask("x**2", assertions=[Written(assertion, "assertion")], given={"x": "1"})


def test_an_assignment_is_no_assertion() -> None:
    with pytest.raises(ParseError, match="an assertion is one expression"):
        ask("x**2", assertions=[Written("x.grad = 2", "assertion")])


def test_a_leaf_of_the_text_itself_is_named() -> None:
    with pytest.raises(RuntimeError, match="does not require grad") as caught:
        ask("x = torch.tensor(2., requires_grad=True); x**2")
    assert "x is made by the text itself" in diagnose(caught.value).hint


def test_the_same_question_has_the_same_answer() -> None:
    one, other = (ask("x**2*y", "x: x*y").claims[0] for _ in range(2))
    assert str(one) == str(other)
    assert str(ask("x**2*y", "x: x*y", seed=1).claims[0]) != str(one)


def test_random_numbers_of_the_text_are_always_the_same() -> None:
    assert verdict("(randn(3) * x).sum() * 0 + x**2", "x: 2*x").verdict == "right"


def test_random_numbers_of_a_claim_are_always_the_same() -> None:
    assert verdict("x**2", "x: rand(())*2*x").verdict == "wrong"

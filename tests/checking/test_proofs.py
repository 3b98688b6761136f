"""Claims that have one form with the derivative are proved, and no others."""

from __future__ import annotations

import pytest

from gradcli.checking.proofs import MOST_ROWS, Proof
from gradcli.tensor.clock import LimitError
from tests.checking.ask import ask
from tests.checking.test_claims import table, verdict

BRANCHES = "x**2 if x > 0 else -x"


@pytest.mark.parametrize(
    "row", [row for row in table() if row[0] == "right"], ids=lambda row: f"{row[1]}, {row[2]}"
)
def test_right_claims_of_students_are_proved(row: list[str]) -> None:
    expected = None if row[3] == "by value" else Proof(())
    assert verdict(row[1], row[2]).proof == expected


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("x**2*y", "x: 2.000000001*x*y"),
        ("x**2/6", "x: 0.33333333333*x"),
        ("x**2/6", "x: 0.3333333333333333*x"),
        ("x**2", "x: 2*x*(1 + 1e-13)"),
        ("sqrt(x**2)*x**0.5", "x: 1.5*x**0.5"),
        ("x**3", "x: 3*x.item()*x"),
    ],
)
def test_agreeing_at_points_is_no_proof(text: str, claim: str) -> None:
    found = verdict(text, claim)
    assert (found.verdict, found.proof) == ("right", None)


def test_what_is_right_where_it_was_looked_at_only_is_not_proved() -> None:
    found = verdict("sqrt(x**2)", "x: 1", given={"x": "3"}, points=0)
    assert (found.verdict, found.proof) == ("right", None)


def test_a_proof_says_what_it_assumes() -> None:
    claim = "x: 2*x if x > 0 else -1"
    assert verdict(BRANCHES, claim, given={"x": "3"}).proof == Proof(("x > 0",))
    assert verdict(BRANCHES, claim, given={"x": "-3"}).proof == Proof(("x <= 0",))


@pytest.mark.parametrize(
    ("text", "claim", "value"),
    [
        ("w @ w", "w: 2*w", "[1, 2, 3]"),
        ("w.sum()**2", "w: 2*w.sum()*ones", "[1, 2, 3]"),
        ("(A @ A).trace()", "A: 2*A.T", "[[1, 2], [3, 4]]"),
    ],
)
def test_gradients_of_tensors_are_proved(text: str, claim: str, value: str) -> None:
    assert verdict(text, claim, given={claim[0]: value}).proof == Proof(())


def test_long_texts_are_left_to_values() -> None:
    def text(turns: int) -> str:
        return f"y = x\nfor i in range({turns}):\n    y = y*x\ny"

    given = {"x": "1.1"}
    assert verdict(text(50), "x: 51*x**50", given=given).proof == Proof(())
    long = MOST_ROWS
    assert verdict(text(long), f"x: {long + 1}*x**{long}", given=given, points=0).proof is None


def test_high_orders_are_left_to_values() -> None:
    assert verdict("x**3", "d3/dx3: 6").proof == Proof(())
    assert verdict("x**3", "d9/dx9: 0").proof is None


def test_a_seed_is_left_to_values() -> None:
    seeds = [lambda output: output.detach() * 0 + 2]
    assert verdict("w**2", "w: 4*w", given={"w": "[1, 2]"}, seeds=seeds).proof is None


def test_a_wrong_claim_costs_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    def proof_of(*_: object) -> None:
        raise AssertionError("a proof of what is wrong was looked for")

    monkeypatch.setattr("gradcli.checking.claims.proof_of", proof_of)
    assert verdict("x**2", "x: x").verdict == "wrong"


def test_a_proof_obeys_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    from gradcli.checking import claims
    from gradcli.checking.proofs import proof_of
    from gradcli.tensor.clock import clock

    def late(*arguments: object) -> object:
        clock.deadline = 0.0
        try:
            return proof_of(*arguments)  # type: ignore[arg-type]
        finally:
            clock.deadline = None

    monkeypatch.setattr(claims, "proof_of", late)
    with pytest.raises(LimitError):
        ask("x**2*exp(x)", "x: 2*x*exp(x) + x**2*exp(x)")

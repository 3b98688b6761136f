"""`gradcli check` as it is called: colour, streams, exit codes, what a batch makes of claims."""

from __future__ import annotations

import json
from unittest import mock

import pytest

from tests.commands import run


def test_verdicts_are_coloured_on_a_terminal_only() -> None:
    arguments = ("check", "x**2", "--claim", "x: 2*x", "--claim", "x: x")
    plain = run(*arguments)
    with mock.patch("gradcli.cli.commands.check.wants_color", return_value=True):
        coloured = run(*arguments)
    assert "\x1b" not in plain.out
    assert coloured.out.startswith("\x1b[32mright\x1b[0m      x: 2*x\n")
    assert "\x1b[31mwrong\x1b[0m      x: x\n" in coloured.out
    assert coloured.code == plain.code == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["x**2"], 0),
        (["x*x.detach()"], 1),
        (["x**2", "--claim", "x: 2*x"], 0),
        (["x**2", "--claim", "x: x"], 1),
        (["abs(x)", "--x", "0", "--points", "0", "--claim", "x: 1"], 1),
        (["x**2", "--assert", "d2/dx2 == 2"], 0),
        (["x**2", "--assert", "d2/dx2 == 3"], 1),
        (["x**2", "--claim", "x: y"], 2),
        (["x**2", "--claim", "x: 2*"], 3),
        (["x**2", "--assert", "y > 0"], 2),
        (["x**", "--claim", "x: 2*x"], 3),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    assert run("check", *arguments).code == code


@pytest.mark.parametrize("arguments", [["x*x.detach()"], ["x**2", "--claim", "x: x"]])
def test_a_failure_in_json_has_an_error(arguments: list[str]) -> None:
    answer = json.loads(run("check", *arguments, "--json").out)
    assert answer["ok"] is False
    assert answer["error"]["message"]


def test_claims_and_expressions_come_from_the_standard_input() -> None:
    assert run("check", "-", "--claim", "x: 2*x", stdin="x**2").code == 0
    assert run("check", "x**2", "--claim", "@-", stdin="# mine\nx: 2*x\n").code == 0


def test_what_the_text_prints_is_printed_once_and_no_answer() -> None:
    done = run("check", "print(1); x**2", "--claim", "x: 2*x")
    assert done == (0, "right      x: 2*x\n           at 10 points, and proved\n", "1\n")


def test_lines_fit_a_terminal() -> None:
    expression = "(A @ v).sum() * exp(-v @ v)"
    done = run("check", expression, "--A", "ones(3, 3)", "--v", "1 2 3", "--order", "2")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80


def test_a_variable_without_elements_has_no_entries() -> None:
    assert run("check", "x**2", "--x", "zeros(0)") == (0, "right: 0 entries at 1 point\n", "")


def test_remarks_on_kinks_have_a_line_each() -> None:
    done = run("check", "x.norm()", "--x", "[0, 0]")
    assert "\nvector_norm has a kink here: the norm of zeros has the gradient zero\n" in done.out


def test_claims_of_records_are_in_double_precision_and_other_records_are_not() -> None:
    records = [
        {"expr": "x", "vars": {"x": 0.1}},
        {"expr": "x**2", "vars": {"x": 0.1}, "claims": ["x: 0.2"], "points": 0},
        {"expr": "x", "vars": {"x": 0.1}},
    ]
    done = run("batch", "-", stdin="\n".join(map(json.dumps, records)))
    first, second, third = map(json.loads, done.out.splitlines())
    assert (first["dtype"], third["dtype"]) == ("float32", "float32")
    assert second["claims"] == [{"text": "x: 0.2", "verdict": "right", "points": 1}]


def test_a_record_claims_numbers_and_lists_as_json_has_them() -> None:
    record = {"expr": "w @ w", "vars": {"w": [1, 2]}, "claims": {"w": [2, 4.0], "d2/dw2": 2}}
    done = run("batch", "-", stdin=json.dumps({**record, "points": 0}))
    claims = json.loads(done.out)["claims"]
    assert [claim["text"] for claim in claims] == ["w: [2, 4.0]", "d2/dw2: 2"]
    assert {claim["verdict"] for claim in claims} == {"right"}


def test_a_claim_that_fails_leaves_the_others_their_verdicts() -> None:
    claims = ["x: 2*x*y", "y: x^2", "y: x**2"]
    done = run("batch", "-", stdin=json.dumps({"expr": "x**2*y", "claims": claims}))
    answer = json.loads(done.out)
    assert [claim["verdict"] for claim in answer["claims"]] == ["right", "wrong", "right"]
    assert answer["claims"][1]["error"] == answer["error"]
    assert answer["error"]["column"] == 4
    shown = run("check", "x**2*y", *(part for claim in claims for part in ("--claim", claim)))
    assert shown.code == 1
    assert "             | y: x^2\n             |    ^^^ shape []\n" in shown.out


def test_a_record_names_the_claim_of_which_a_name_is_unknown() -> None:
    record = {"expr": "x**2", "claims": ["x: 2*x", "x: 2*z"]}
    answer = json.loads(run("batch", "-", stdin=json.dumps(record)).out)
    assert answer["error"]["message"] == "claim x: 2*z: z is no variable of the expression"


def test_a_proof_is_told_with_what_it_assumes() -> None:
    arguments = ("check", "x**2 if x > 0 else -x", "--x", "3", "--claim", "x: 2*x if x > 0 else -1")
    assert run(*arguments).out.endswith(" points, and proved for x > 0\n")
    (claim,) = json.loads(run(*arguments, "--json").out)["claims"]
    assert (claim["proved"], claim["conditions"]) == (True, ["x > 0"])
    (other,) = json.loads(run("check", "x", "--claim", "x: 1.000000001", "--json").out)["claims"]
    assert other.keys() == {"text", "verdict", "points", "remark"}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"claims": "x: 1"}, '"claims" must be a list of claims, as "x: 2*x*y"'),
        ({"claims": [1]}, '"claims" must be a list of claims, as "x: 2*x*y"'),
        ({"claims": {"x": None}}, '"claims" must be a list of claims, as "x: 2*x*y"'),
        ({"claims": []}, '"claims" without a claim'),
        ({"points": 3}, '"points" without a claim'),
        ({"claims": ["x: 1"], "points": -1}, '"points" must be an integer of at least 0'),
        ({"claims": ["x: 1"], "points": True}, '"points" must be an integer of at least 0'),
        ({"claims": ["x: 1"], "order": 2}, 'a record with "claims" takes no "order"'),
        ({"claims": ["x"]}, "claim x: a claim says of what it is"),
    ],
)
def test_records_that_make_no_sense(record: dict[str, object], message: str) -> None:
    done = run("batch", "-", stdin=json.dumps({"expr": "x", **record}))
    assert done.code == 1
    assert json.loads(done.out)["error"]["message"] == message

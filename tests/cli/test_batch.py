"""`gradcli batch`: records, plain lines, failures, independence of one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run
from tests.workdir import fill


def answers(*records: Any, code: int = 0) -> list[dict[str, Any]]:
    """The answers to records: objects, or plain lines."""
    text = "".join(
        f"{record if isinstance(record, str) else json.dumps(record)}\n" for record in records
    )
    done = run("batch", "-", stdin=text)
    assert done.code == code
    assert bool(done.err) == bool(code)
    return [json.loads(line, parse_constant=pytest.fail) for line in done.out.splitlines()]


def answer(record: Any) -> dict[str, Any]:
    (only,) = answers(record)
    return only


def error(record: Any) -> dict[str, Any]:
    """The error of a record that fails."""
    (only,) = answers(record, code=1)
    assert only["ok"] is False
    found: dict[str, Any] = only["error"]
    return found


def test_expression() -> None:
    assert answer({"id": "s", "expr": "x + y", "vars": {"x": 3, "y": 7}}) == {
        "id": "s",
        "ok": True,
        "value": 10.0,
        "dtype": "float32",
        "shape": [],
        "grad_fn": "AddBackward0",
        "requires_grad": True,
        "grads": {"x": 1.0, "y": 1.0},
    }


def test_keys_come_in_the_order_of_the_documentation() -> None:
    found = answer({"id": 1, "expr": "x*x", "vars": {"x": 3}, "order": 2})
    assert " ".join(found) == ("id ok value dtype shape grad_fn requires_grad grads derivatives")


def test_full_record() -> None:
    found = answer(
        {
            "id": "a1",
            "expr": "x * w[i]",
            "vars": {
                "x": [1, 2],
                "w": [3, 4],
                "i": {"data": [1, 0], "dtype": "int64", "shape": [2], "requires_grad": False},
            },
            "grad_tensors": [[1, 10]],
            "order": 2,
            "wrt": ["x"],
            "retain_graph": False,
            "create_graph": False,
            "backward": True,
        }
    )
    assert found["value"] == [4.0, 6.0]
    assert found["grads"] == {"x": [4.0, 30.0]}
    assert found["derivatives"] == {"x": [[4.0, 30.0], [0.0, 0.0]]}


def test_tuple_has_outputs() -> None:
    found = answer({"expr": "x*2, x > 1", "vars": {"x": [1, 2]}, "grad_tensors": [[1, 1]]})
    assert "value" not in found
    assert [output["value"] for output in found["outputs"]] == [[2.0, 4.0], [False, True]]
    assert [output["grad_fn"] for output in found["outputs"]] == ["MulBackward0", None]
    assert found["grads"] == {"x": [2.0, 2.0]}


def test_plain_lines_blank_lines_comments() -> None:
    found = answers("# first", "let x = 3; let y = 7; x + y", "", "   ", "2 ** 10")
    assert [(one["id"], one["value"]) for one in found] == [(2, 10.0), (5, 1024)]
    assert found[0]["grads"] == {"x": 1.0, "y": 1.0}
    assert found[1]["grads"] == {}


def test_id_may_be_anything_and_is_the_line_number_where_it_is_left_out() -> None:
    ids = ["a", 7, [1, {"b": None}], None]
    found = answers(*({"id": id, "expr": "1"} for id in ids), {"expr": "1"})
    assert [one["id"] for one in found] == ["a", 7, [1, {"b": None}], 4, 5]


def test_leaf_that_is_not_used_has_null() -> None:
    found = answer({"expr": "x*1", "vars": {"x": 1, "y": 2}, "order": 2})
    assert found["grads"] == {"x": 1.0, "y": None}
    assert found["derivatives"]["y"] == [0.0, 0.0]


def test_seed_of_a_single_output() -> None:
    assert answer({"expr": "x*2", "vars": {"x": [1, 2]}, "gradient": [1, "Infinity"]})["grads"] == {
        "x": [2.0, "Infinity"]
    }


def test_no_backward() -> None:
    assert answer({"expr": "x*2", "vars": {"x": [1, 2]}, "backward": False})["grads"] == {}


def test_numbers_go_in_and_out_strictly() -> None:
    data = [0.1, "NaN", "Infinity", "-Infinity", -0.0, 1e-45]
    found = answer({"expr": "x", "vars": {"x": {"data": data, "requires_grad": False}}})
    assert found["value"] == [0.1, "NaN", "Infinity", "-Infinity", -0.0, 1e-45]


def test_complex_numbers() -> None:
    given = {"data": [{"re": 1, "im": 2}], "dtype": "complex128", "requires_grad": False}
    assert answer({"expr": "z * z", "vars": {"z": given}})["value"] == [{"re": -3.0, "im": 4.0}]


def test_program() -> None:
    program = "x = torch.tensor(3., requires_grad=True)\n(x*x).backward()\nprint(x.grad)\n"
    assert answer({"id": "p", "program": program}) == {
        "id": "p",
        "ok": True,
        "stdout": "tensor(6.)\n",
    }


def test_program_that_fails_keeps_its_output() -> None:
    (found,) = answers({"id": "p", "program": "print('one')\nx = 1 / 0\n"}, code=1)
    assert found == {
        "id": "p",
        "ok": False,
        "stdout": "one\n",
        "error": {
            "type": "ZeroDivisionError",
            "message": "division by zero",
            "line": 2,
            "column": 5,
        },
    }


def test_expression_may_print() -> None:
    assert answer("print('noted'); 3")["stdout"] == "noted\n"


def test_failure_is_passed_over_and_sets_the_exit_code() -> None:
    found = answers("1", "2 +", "3", code=1)
    assert [one["ok"] for one in found] == [True, False, True]


def test_failures_are_counted_on_the_error_stream() -> None:
    done = run("batch", "-", stdin="1\n\n2 +\n")
    assert done.err == "error: 1 of 2 records failed, the first in line 3\n"


def test_last_line_needs_no_end() -> None:
    assert run("batch", "-", stdin="1 + 1").out.startswith('{"id": 1, "ok": true, "value": 2')


def test_windows_line_ends_and_non_utf8() -> None:
    done = run("batch", "-", stdin=b"1 + 1\r\nx\xff\r\n2\r\n")
    first, second, third = map(json.loads, done.out.splitlines())
    assert (first["value"], third["value"]) == (2, 2)
    assert second["error"] == {
        "type": "SyntaxError",
        "message": "not UTF-8: byte 0xff",
        "line": 1,
        "column": 2,
    }


def test_empty_input() -> None:
    assert run("batch", "-", stdin="") == (0, "", "")


def test_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = [json.loads(line) for line in run("batch", "records.jsonl").out.splitlines()]
    assert [(one["id"], one["value"]) for one in found] == [("a", 10.0), (4, 9.0)]


@pytest.mark.parametrize(
    ("spoil", "probe", "shown"),
    [
        ("torch.set_printoptions(precision=1, sci_mode=True)", "1.25", "tensor(1.2500)\n"),
        ("torch.set_default_dtype(torch.float64)", "1.25", "tensor(1.2500)\n"),
        ("x = 3", "1.25\nassert 'x' not in 'y'", "tensor(1.2500)\n"),
    ],
)
def test_settings_end_with_the_record(spoil: str, probe: str, shown: str) -> None:
    value, _, rest = probe.partition("\n")
    program = f"print(torch.tensor({value}))\n{rest}"
    assert answers({"program": spoil}, {"program": program})[1]["stdout"] == shown


def test_grad_mode_ends_with_the_record() -> None:
    found = answers(
        {"program": "torch.set_grad_enabled(False)"},
        {"expr": "x*2", "vars": {"x": 1}},
    )
    assert found[1]["grads"] == {"x": 2.0}


def test_handles_of_hooks_are_numbered_in_each_record() -> None:
    record = {"program": "x = torch.ones(1, requires_grad=True)\nprint(x.register_hook(print).id)"}
    assert [one["stdout"] for one in answers(record, record)] == ["0\n", "0\n"]


@pytest.mark.parametrize(
    "expr",
    [
        "[[[[[[[[[[1]*9]*9]*9]*9]*9]*9]*9]*9]*9]*9",
        "(ones(1).expand(10**6),)*100",
        "['a'*10**6]*100",
        "{1: [[ones(10**6)]*9]*9}",
    ],
)
def test_collections_whose_json_is_a_giant_are_refused(expr: str) -> None:
    found = answers({"expr": expr}, "2", code=1)
    assert found[0]["error"]["message"] == "result too large: the JSON of a collection"
    assert found[1]["value"] == 2


def test_variables_end_with_the_record() -> None:
    found = answers("let x = 3; x", "x", code=1)
    assert found[1]["error"]["type"] == "NameError"


def test_random_stream_starts_afresh() -> None:
    draw = {"program": "print(torch.randn(3))"}
    seeded = {"program": "torch.manual_seed(0)\nprint(torch.randn(3))"}
    first, second, third = answers(draw, draw, seeded)
    assert first["stdout"] == second["stdout"] == third["stdout"]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"expr": "1", "bogus": 1}, 'unknown key "bogus"'),
        ({}, 'a record has "expr" or "program", and this one neither'),
        ({"expr": "1", "program": "1"}, 'a record has "expr" or "program", not both'),
        ({"expr": 3}, '"expr" must be a string, not a number'),
        ({"program": ["1"]}, '"program" must be a string, not a list'),
        ({"program": "1", "order": 2}, 'a program takes no "order"'),
        ({"expr": "1", "vars": [1]}, '"vars" must be an object, not a list'),
        ({"expr": "1", "vars": {"a b": 1}}, "\"vars\": 'a b' cannot be the name of a variable"),
        (
            {"expr": "x", "vars": {"x": [[1, 2], [3]]}},
            '"vars", x: expected sequence of length 2 at dim 1 (got 1)',
        ),
        (
            {"expr": "x", "vars": {"x": {"data": 1, "dtype": "int64", "requires_grad": True}}},
            '"vars", x: Only Tensors of floating point and complex dtype can require gradients',
        ),
        ({"expr": "x", "order": 0}, '"order" must be an integer of at least 1, not 0'),
        ({"expr": "x", "order": True}, '"order" must be an integer of at least 1, not True'),
        ({"expr": "x", "order": "2"}, '"order" must be an integer of at least 1, not a string'),
        ({"expr": "x", "wrt": "x"}, '"wrt" must be a list of names'),
        ({"expr": "x", "backward": 2}, '"backward" must be true or false, not a number'),
        (
            {"expr": "x", "backward": False, "order": 2},
            '"backward": false contradicts the rest of the record',
        ),
        (
            {"expr": "x", "grad_tensors": {"x": 1}},
            '"grad_tensors" must be a list of seeds, not an object',
        ),
        (
            {"expr": "x", "gradient": 1, "grad_tensors": [1]},
            'a record has "gradient" or "grad_tensors", not both',
        ),
        (
            {"expr": "x*1", "vars": {"x": 1}, "gradient": ["one"]},
            'a seed of the output: expected a number, "NaN", "Infinity", "-Infinity" or '
            '{"re": …, "im": …}, got "one" at [0]',
        ),
    ],
)
def test_record_error(record: Any, message: str) -> None:
    assert error(record) == {"type": "RecordError", "message": message}


def test_unknown_name_in_wrt() -> None:
    assert error({"expr": "x*1", "vars": {"x": 1}, "wrt": ["y"]}) == {
        "type": "NameError",
        "message": "wrt: there is no variable y",
    }


def test_json_error_has_a_place() -> None:
    assert error('{"expr": "x" "y"}') == {
        "type": "SyntaxError",
        "message": "not valid JSON: expecting ',' delimiter",
        "line": 1,
        "column": 14,
    }


def test_nan_in_json_is_refused() -> None:
    assert error('{"expr": "x", "vars": {"x": NaN}}')["message"].startswith("not valid JSON:")


def test_errors_of_the_expression() -> None:
    assert error({"expr": "x * 2", "vars": {"x": [1, 2]}}) == {
        "type": "RuntimeError",
        "message": "grad can be implicitly created only for scalar outputs",
        "hint": (
            'seed it: --grad-tensors ones or "[1,2,3]", in a program y.backward(torch.ones_like(y))'
            "; or ask for `gradcli jacobian`"
        ),
        "line": 1,
        "column": 1,
    }
    assert error("x + 1") == {
        "type": "NameError",
        "message": "name 'x' is not defined",
        "hint": "it has no value: let x = 3 gives it one",
        "line": 1,
        "column": 1,
    }
    assert (
        error({"expr": "c*1", "vars": {"c": {"data": 1, "requires_grad": False}}, "order": 2})[
            "message"
        ]
        == "element 0 of tensors does not require grad and does not have a grad_fn"
    )
    assert error("x = 3")["type"] == "SyntaxError"


@pytest.mark.parametrize(
    ("record", "hint"),
    [
        ({"expr": "1", "exprs": {}}, "did you mean 'expr'?"),
        ({"expr": "sinn(x)", "vars": {"x": 1}}, "did you mean 'sign', 'sinc' or 'sinh'?"),
        ("2x", "multiplication is written *: 2*x"),
        ({"program": "x = 1\nprint(tourch.ones(1))"}, "did you mean 'torch'?"),
    ],
)
def test_hint(record: Any, hint: str) -> None:
    found = error(record)
    assert found["hint"] == hint
    assert list(found)[:3] == ["type", "message", "hint"]


def test_limits_are_those_of_a_record() -> None:
    endless = json.dumps({"program": "while True: pass"})
    done = run("batch", "-", "--max-steps", "50", stdin=f"{endless}\n1\n")
    first, second = map(json.loads, done.out.splitlines())
    assert first["error"]["type"] == "LimitError"
    assert second["value"] == 1


@pytest.mark.parametrize(
    ("text", "type", "message"),
    [
        ("10**5000", "ValueError", "Exceeds the limit"),
        ("[1, 10**5000]", "ValueError", "Exceeds the limit"),
        ("(torch.ones(1), 10**5000)", "ValueError", "Exceeds the limit"),
        ("torch.zeros(10**9, 0)", "OverflowError", "a JSON list of 1000000000 elements"),
        ("torch.zeros(3, 10**9, 0)", "OverflowError", "a JSON list of 3000000000 elements"),
        ("torch.ones(1).expand(10**12)", "OverflowError", "a JSON list of 1000000000000 elements"),
        ("let x = 3; [x*x, torch.ones(1).expand(10**12)]", "OverflowError", "result too large"),
        ("x = []; x.append(x); x", "RecursionError", "maximum recursion depth"),
        ("assert 0, 10**5000; 1", "AssertionError", "its message cannot be written"),
    ],
)
def test_what_cannot_be_written_costs_one_record_an_error(
    text: str, type: str, message: str
) -> None:
    done = run("batch", "-", stdin=f"{text}\n7\n")
    first, second = map(json.loads, done.out.splitlines())
    assert (first["id"], first["ok"], first["error"]["type"]) == (1, False, type)
    assert message in first["error"]["message"]
    assert second["value"] == 7

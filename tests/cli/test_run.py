"""`gradcli run`: programs, their output, their errors, their limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import run
from tests.workdir import fill


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path)
    monkeypatch.chdir(tmp_path)


def test_program_file() -> None:
    done = run("run", "square.py")
    assert done == (0, "tensor(9., grad_fn=<MulBackward0>) tensor(6.)\n", "")


def test_program_from_standard_input() -> None:
    program = "import torch\nfor i in range(3):\n    print(i, end=' ')\n"
    assert run("run", "-", stdin=program) == (0, "0 1 2 ", "")


def test_value_of_the_last_line_is_not_printed() -> None:
    assert run("run", "-", stdin="let x = 3\nx * x\n") == (0, "", "")


def test_empty_program() -> None:
    assert run("run", "-", stdin="") == (0, "", "")


def test_byte_order_mark_and_windows_line_ends() -> None:
    program = b"\xef\xbb\xbfprint(1)\r\nprint('\xc3\xa9')\r\n"
    assert run("run", "-", stdin=program) == (0, "1\né\n", "")


def test_error_names_the_place_and_keeps_what_was_printed() -> None:
    done = run("run", "-", stdin="print('before')\nx = [1]\nprint(x[3])\n")
    assert (done.code, done.out) == (1, "before\n")
    assert done.err == (
        "error: IndexError: list index out of range\n"
        "  --> standard input, line 3, column 7\n"
        "  | print(x[3])\n"
        "  |       ^^^^\n"
    )


def test_nothing_runs_of_a_program_that_does_not_parse() -> None:
    done = run("run", "-", stdin="print(1)\nx = (2\n")
    assert (done.code, done.out) == (3, "")


def test_limits() -> None:
    done = run("run", "endless.py", "--timeout", "0.05")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: LimitError: stopped after 0.05 s\n")
    assert run("run", "square.py", "--max-steps", "1", "--timeout", "60").code == 0


def test_debug_shows_the_traceback() -> None:
    done = run("run", "fails.py", "--debug")
    assert done.err.startswith("Traceback (most recent call last):")


def test_warnings_name_the_line_of_the_program() -> None:
    text = """t = torch.tensor(3.0, requires_grad=True)
for _ in range(2):
    (t * 2).grad
(t * 2).grad
float(t)
float(t)
(t ** 3).backward(create_graph=True)
"""
    told = run("run", "-", stdin=text).err.splitlines()
    places = [line.partition(" The ")[0] for line in told if line.startswith("standard input:")]
    assert places[:2] == ["standard input:3: UserWarning:", "standard input:4: UserWarning:"]
    assert [line for line in told if line.startswith("  ")] == [
        "  (t * 2).grad",
        "  (t * 2).grad",
        "  float(t)",
        "  (t ** 3).backward(create_graph=True)",
    ]
    assert places[2].startswith("standard input:5: UserWarning: Converting a tensor with")
    assert places[3].startswith("standard input:7: UserWarning: Using backward() with create_graph")


def test_asking_for_a_graph_warns_of_nothing() -> None:
    assert run("eval", "x**3", "--x", "2", "--create-graph").err == ""

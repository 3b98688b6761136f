"""`gradcli run note.ipynb`: cells in order, last values shown, what is Jupyter's skipped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run

Cells = list[tuple[str, Any]]

CELLS: Cells = [
    ("markdown", "# A note"),
    (
        "code",
        [
            "%matplotlib inline\n",
            "!pip install torch\n",
            "import torch\n",
            "x = torch.tensor(3.0, requires_grad=True)\n",
            "x",
        ],
    ),
    ("code", "y = x**2\ny.backward()\nx.grad"),
    ("code", "x.grad;"),
    ("code", "x.grad;  # no answer"),
    ("code", "None"),
    ("code", ""),
    ("raw", "not code"),
    ("code", "%%bash\nls"),
    ("code", "%%time\nfor i in range(2):\n    %timeit x\n    print(i)\n'a'  # shown"),
    ("code", "text = '''\n%s!\n''' % _\ntext\n"),
]

SHOWN = "tensor(3., requires_grad=True)\ntensor(6.)\n0\n1\n'a'\n'\\na!\\n'\n"

NOTES = [
    "cell 1, line 1 is skipped: %matplotlib inline",
    "cell 1, line 2 is skipped: !pip install torch",
    "cell 7 is skipped: %%bash",
    "cell 8, line 1 is skipped: %%time",
    "cell 8, line 3 is skipped: %timeit x",
]


def written(path: Path, cells: Cells, nbformat: int = 4) -> str:
    """The path of a notebook of cells."""
    key = "source" if nbformat == 4 else "input"
    made = [
        {"cell_type": kind, (key if kind == "code" else "source"): source} for kind, source in cells
    ]
    inside: dict[str, Any] = {"cells": made}
    whole = inside if nbformat == 4 else {"worksheets": [inside]}
    path.write_text(json.dumps({**whole, "metadata": {}, "nbformat": nbformat}))
    return str(path)


@pytest.mark.parametrize("nbformat", [3, 4])
def test_cells_run_in_order_and_show_their_last_values(tmp_path: Path, nbformat: int) -> None:
    path = written(tmp_path / "note.ipynb", CELLS, nbformat)
    done = run("run", path)
    assert (done.code, done.out) == (0, SHOWN)
    assert done.err.splitlines() == [f"note: {path}, {line}" for line in NOTES]


def test_values_are_shown_where_a_cell_says_so(tmp_path: Path) -> None:
    cells = ["from IPython.display import display", "display(1, 'a')\n2", "display([])"]
    path = written(tmp_path / "note.ipynb", [("code", cell) for cell in cells])
    done = run("run", path)
    assert (done.code, done.out) == (0, "1\n'a'\n2\n[]\n")
    assert "cell 1, line 1 is skipped: from IPython.display import display" in done.err


def test_what_keeps_an_answer_of_the_shell_is_skipped(tmp_path: Path) -> None:
    lines = ["names = !ls", "t = %timeit -o 1", "a, b = !ls", "c = 7 % 4", "d = c != 3", "d"]
    path = written(tmp_path / "note.ipynb", [("code", "\n".join(lines))])
    done = run("run", path)
    assert (done.code, done.out) == (0, "False\n")
    assert [line.rpartition(": ")[2] for line in done.err.splitlines()] == lines[:3]


def test_errors_name_the_cell_and_the_line(tmp_path: Path) -> None:
    path = written(tmp_path / "note.ipynb", [("code", "1"), ("code", "y = 2\ny + 'a'")])
    done = run("run", path)
    assert (done.code, done.out) == (1, "1\n")
    assert f"--> {path}, cell 2, line 2, column 1" in done.err


def test_nothing_runs_where_a_cell_does_not_parse(tmp_path: Path) -> None:
    path = written(tmp_path / "note.ipynb", [("code", "1"), ("code", "y = 2\nx = = 3")])
    done = run("run", path)
    assert (done.code, done.out) == (3, "")
    assert f"--> {path}, cell 2, line 2, column 5" in done.err


def test_variables_and_limits_are_those_of_the_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "note.ipynb", [("code", "y = x * 2"), ("code", "y")])
    assert run("run", path, "--x", "3").out == "tensor(6., grad_fn=<MulBackward0>)\n"
    assert "--z names no variable" in run("run", path, "--z", "3").err
    loop = [("code", "for i in range(60): pass")] * 2
    path = written(tmp_path / "loop.ipynb", loop)
    assert "stopped after 100 steps" in run("run", path, "--max-steps", "100").err
    assert run("run", path, "--max-steps", "200").code == 0


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ('{"cells": [\n 1, }', 3, "a notebook is JSON: not valid JSON: expecting value"),
        ("print(1)", 3, "a notebook is JSON"),
        ("", 3, "a notebook is JSON"),
        ("[" * 100_000 + "]" * 100_000, 3, "nested too deeply"),
        ("[1]", 2, "is no notebook: it is no JSON object"),
        ("{}", 2, "is no notebook: it has no cells"),
        ('{"worksheets": 3}', 2, "is no notebook: it has no cells"),
        ('{"cells": 3}', 2, "is no notebook: it has no list of cells"),
        ('{"worksheets": [3]}', 2, "is no notebook: it has no list of cells"),
        ('{"cells": [3]}', 2, "is no notebook: a cell is no JSON object"),
        (
            '{"cells": [{"cell_type": "code", "source": 3}]}',
            2,
            "is no notebook: a cell's source is no text",
        ),
        (
            '{"cells": [{"cell_type": "code", "source": ["a", 3]}]}',
            2,
            "is no notebook: a cell's source is no text",
        ),
    ],
)
def test_what_is_no_notebook_says_so(tmp_path: Path, text: str, code: int, words: str) -> None:
    path = tmp_path / "note.ipynb"
    path.write_text(text)
    done = run("run", str(path))
    assert (done.code, done.out) == (code, "")
    assert words in done.err

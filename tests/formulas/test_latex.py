"""Formulas in LaTeX, which were looked at as pictures."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from gradcli.views.latex import name_in_latex
from tests.commands import run

LINES = Path(__file__).with_name("latex.txt").read_text("utf-8").splitlines()
GOLDEN = dict(zip(LINES[::2], [line.strip() for line in LINES[1::2]], strict=True))


@pytest.mark.parametrize("question", GOLDEN)
def test_latex(question: str) -> None:
    expression, _, options = question.partition(" --")
    words = shlex.split(f"--{options}") if options else []
    done = run("diff", expression, *words, "--format", "latex")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == GOLDEN[question]


@pytest.mark.parametrize("question", [q for q in GOLDEN if "cases" not in GOLDEN[q]])
def test_latex_is_read_by_a_renderer(question: str) -> None:
    mathtext = pytest.importorskip("matplotlib.mathtext")
    assert mathtext.MathTextParser("path").parse(f"${GOLDEN[question]}$").width > 0


def test_names() -> None:
    assert name_in_latex("x0") == "x_{0}"
    assert name_in_latex("sigma_2") == r"\sigma_{2}"
    assert name_in_latex("rate") == r"\mathrm{rate}"
    assert name_in_latex("v_max") == r"v_{\mathrm{max}}"

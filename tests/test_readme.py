"""The README's examples print what it says, and its commands are those that are tested."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from tests.transcripts import Step, blocks, perform, steps

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


@pytest.mark.parametrize(
    "step",
    [step for block in blocks(README) for step in steps(block)],
    ids=lambda step: step.command,
)
def test_example(step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    if "gradcli map" in step.command:
        pytest.importorskip("polars")  # else a note says what to install
    monkeypatch.chdir(ROOT)
    assert perform(step.command) == step.output


def test_python_example() -> None:
    assert doctest.testfile(str(README), module_relative=False) == (0, 7)


def test_commands_to_set_up_and_go() -> None:
    first, second = re.findall(r"^```sh\n(.*)\n```$", README.read_text("utf-8"), re.MULTILINE)
    assert first.endswith('gradcli eval "x+y" --x 3 --y 7')
    assert second in (ROOT / ".ci/run").read_text("utf-8").splitlines()

"""Sessions that were written down: what bad input gets, what help says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcripts import Step, blocks, perform, steps
from tests.workdir import fill

GOLDEN = Path(__file__).parent / "golden"


def recorded() -> list[object]:
    """A parameter per step of every golden transcript."""
    found = []
    for path in sorted(GOLDEN.glob("*.console")):
        for block in blocks(path):
            for step in steps(block):
                found.append(pytest.param(step, id=f"{path.stem}: {step.command}"))
    return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files that the transcripts use."""
    path = tmp_path_factory.mktemp("session")
    fill(path)
    return path


@pytest.mark.parametrize("step", recorded())
def test_step(step: Step, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(directory)
    assert perform(step.command) == step.output
    assert not (directory / "unpickled").exists()


def test_steps_are_told_apart() -> None:
    text = "intro\n$ one\nout\n\nmore\n\n# note\n$ two\n> lines\n[exit 3]\n"
    assert [step[:2] for step in steps(text)] == [
        ("one", "out\n\nmore"),
        ("two\nlines", "[exit 3]"),
    ]

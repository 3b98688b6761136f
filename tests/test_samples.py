"""Every sample runs and prints what stands beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import run, shell_environment

SAMPLES = Path(__file__).parents[1] / "samples"
NOTES = sorted(SAMPLES.glob("notes/*.py"))
BATCHES = {
    "records": "error: 2 of 9 records failed, the first in line 9\n",
    "worksheets": "error: 3 of 6 records failed, the first in line 5\n",
}
SCRIPTS = sorted([*SAMPLES.glob("shell/*.sh"), *SAMPLES.glob("tables/*.sh")])
TABLES = {*SAMPLES.glob("tables/*")} - {*SAMPLES.glob("tables/*.sh"), *SAMPLES.glob("tables/*.out")}


def expected(path: Path) -> str:
    """What a sample prints."""
    return path.with_suffix(".out").read_text("utf-8")


def test_nothing_is_forgotten() -> None:
    tested = {*NOTES, *SCRIPTS, *(SAMPLES / f"batch/{name}.jsonl" for name in BATCHES)}
    assert {path.with_suffix(".out") for path in tested} == set(SAMPLES.rglob("*.out"))
    assert len(NOTES) == 12
    others = {path for path in SAMPLES.rglob("*") if path.is_file() and path.suffix != ".out"}
    assert others == {*tested, *TABLES, SAMPLES / "README.md"}
    assert {path.stem for path in TABLES} == {
        path.stem for path in SCRIPTS if path.match("tables/*")
    }


@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_note(path: Path) -> None:
    assert run("run", str(path)) == (0, expected(path), "")


@pytest.mark.oracle
@pytest.mark.parametrize("path", NOTES, ids=lambda path: path.stem)
def test_note_under_python(path: Path) -> None:
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)
    assert done.stdout == expected(path)


@pytest.mark.parametrize(("name", "failure"), BATCHES.items())
def test_batch(name: str, failure: str) -> None:
    path = SAMPLES / f"batch/{name}.jsonl"
    assert run("batch", str(path)) == (1, expected(path), failure)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path: Path) -> None:
    if "jq" in path.read_text() and not shutil.which("jq"):
        pytest.skip("jq is not installed")
    if path.parent.name == "tables":
        pytest.importorskip("polars")  # else a note says what to install
    done = subprocess.run(
        ["sh", path],
        env=shell_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, expected(path), "")

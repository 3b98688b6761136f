"""A wheel of a clean clone works where there is nothing else of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, directory: Path, **variables: str) -> str:
    """What a command prints, away from the repository."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=directory,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone")
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_wheel_of_a_clean_clone(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    run("git", "clone", "--quiet", ROOT, "clone", directory=tmp_path)
    run(
        *[*pip, "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"],
        *["--wheel-dir", "dist", "./clone"],
        directory=tmp_path,
    )
    (wheel,) = (tmp_path / "dist").glob("gradcli-*.whl")

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(sys.executable, "-m", "venv", "--without-pip", "env", directory=elsewhere)
    binaries = elsewhere / "env" / ("Scripts" if os.name == "nt" else "bin")
    run(
        *[*pip, "--python", str(binaries / "python"), "install", "--quiet"],
        *["--no-deps", "--no-index", wheel],
        directory=elsewhere,
    )
    # The dependencies are those of the tests' environment: nothing is downloaded.
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(binaries / "python", "-c", purelib, directory=elsewhere).strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    where = run(
        binaries / "python", "-c", "import gradcli; print(gradcli.__file__)", directory=elsewhere
    )
    assert Path(where.strip()).is_relative_to(elsewhere)
    answer = run(
        *[binaries / "gradcli", "eval", "x+y", "--x", "3", "--y", "7"],
        directory=elsewhere,
        XDG_CACHE_HOME=str(elsewhere / "cache"),
    )
    assert answer == (
        "tensor(10., grad_fn=<AddBackward0>)\nx.grad = tensor(1.)\ny.grad = tensor(1.)\n"
    )

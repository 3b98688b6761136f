"""A wheel works where there is nothing else of the repository, and so does an editable install."""

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


pytestmark = [
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no clone"),
    pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
]

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
OFFLINE = ["--quiet", "--no-deps", "--no-index", "--no-build-isolation"]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clean clone of the repository."""
    run("git", "clone", "--quiet", ROOT, "clone", directory=tmp_path)
    return tmp_path / "clone"


@pytest.fixture
def binaries(tmp_path: Path) -> Path:
    """The programs of an environment that has the dependencies and no gradcli of its own."""
    run(sys.executable, "-m", "venv", "--without-pip", "env", directory=tmp_path)
    binaries = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin")
    # The dependencies are those of the tests' environment: nothing is downloaded. The gradcli that
    # is installed beside them comes after the one that is installed here.
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(binaries / "python", "-c", purelib, directory=tmp_path).strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return binaries


def install(binaries: Path, *what: str | Path) -> None:
    """Install into the environment of these programs, whatever stands beside it."""
    python = ["--python", str(binaries / "python")]
    run(*PIP, *python, "install", "--ignore-installed", *OFFLINE, *what, directory=binaries)


def build_wheel(source: Path, directory: Path) -> Path:
    """The wheel of a clone or of a source distribution."""
    run(*PIP, "wheel", *OFFLINE, "--wheel-dir", directory, source, directory=source.parent)
    (wheel,) = directory.glob("gradcli-*.whl")
    return wheel


def tables_of(clone: Path) -> bytes:
    """The parse tables of a clone's grammar."""
    program = (
        "import sys; from gradcli.language.reading.table_file import write_tables;"
        "write_tables(sys.argv[1])"
    )
    path = clone.parent / "tables"
    variables = {"PYTHONPATH": str(clone / "src")}
    run(sys.executable, "-c", program, path, directory=clone.parent, **variables)
    return path.read_bytes()


def check(binaries: Path, clone: Path, package: Path) -> None:
    """An installed gradcli is the one in `package`, brings its tables and answers."""
    home = binaries.parent / "home"
    home.mkdir()
    paths = (
        "import gradcli; from gradcli.language.reading.table_file import tables_path;"
        "print(gradcli.__file__, tables_path(), sep='\\n')"
    )
    where, tables = run(binaries / "python", "-c", paths, directory=home).split("\n")[:2]
    assert Path(where).is_relative_to(package)
    assert Path(tables).is_relative_to(package)
    assert Path(tables).read_bytes() == tables_of(clone)
    answer = run(
        *[binaries / "gradcli", "eval", "x+y", "--x", "3", "--y", "7"],
        directory=home,
        HOME=str(home),
        XDG_CACHE_HOME=str(home),
    )
    assert answer == (
        "tensor(10., grad_fn=<AddBackward0>)\nx.grad = tensor(1.)\ny.grad = tensor(1.)\n"
    )
    assert list(home.iterdir()) == []


def test_wheel_of_a_clean_clone(tmp_path: Path, clone: Path, binaries: Path) -> None:
    install(binaries, build_wheel(clone, tmp_path / "dist"))
    check(binaries, clone, binaries.parent)
    assert not (clone / "grammar" / "gradcli.tables").exists()


def test_wheel_of_a_source_distribution(tmp_path: Path, clone: Path) -> None:
    program = "import sys; from hatchling.build import build_sdist; build_sdist(sys.argv[1])"
    run(sys.executable, "-c", program, tmp_path / "sdist", directory=clone)
    (source,) = (tmp_path / "sdist").glob("gradcli-*.tar.gz")
    of_clone = build_wheel(clone, tmp_path / "one").read_bytes()
    assert build_wheel(source, tmp_path / "other").read_bytes() == of_clone


def test_editable_install(clone: Path, binaries: Path) -> None:
    install(binaries, "--editable", clone)
    check(binaries, clone, clone)
    assert run("git", "status", "--porcelain", directory=clone) == ""

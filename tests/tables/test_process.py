"""What only a process of its own shows: streaming, pipes, disks, limits, what is imported."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from tests.commands import ENTRY, shell_environment

GRADCLI = [sys.executable, "-c", ENTRY]


@pytest.fixture(autouse=True)
def engine() -> None:
    """These run once."""


def test_rows_come_out_before_the_table_ends() -> None:
    with subprocess.Popen(
        [*GRADCLI, "map", "x*2", "--no-grad", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        end = Timer(60, process.kill)
        end.start()
        process.stdin.write(b"x\n1\n2")
        process.stdin.flush()
        assert process.stdout.readline() == b"x,value\n"
        assert process.stdout.readline() == b"1,2.0\n"
        process.stdin.write(b"1\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"21,42.0\n"
        process.stdin.close()
        assert process.stdout.read() == b""
        end.cancel()
    assert process.returncode == 0


def test_closed_pipe(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x\n" + "1\n" * 300_000)
    script = f"gradcli map x {path} --quiet | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", script], env=shell_environment(), capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("x,value,d_dx\n141\n", "")


def test_full_disk_leaves_nothing(tmp_path: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    path = tmp_path / "t.csv"
    path.write_text("x\n" + "1\n" * 49_000)
    out = tmp_path / "o.csv"
    done = subprocess.run(
        [*GRADCLI, "map", "x", str(path), "--quiet", "-o", str(out)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: cannot write {out}: file too large\n"
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_signals_leave_nothing(signum: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*GRADCLI, "map", "x", "--quiet", "-o", str(tmp_path / "o.csv")],
        stdin=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"x\n1\n")
        process.stdin.flush()
        while not list(tmp_path.iterdir()):
            assert process.poll() is None
        process.send_signal(signum)
        assert process.wait(30) == -signum
    assert list(tmp_path.iterdir()) == []


ENDED_AT_ONCE = """
import os, signal
opened = os.open
def open_and_end(path, *rest):
    number = opened(path, *rest)
    if str(path).endswith(".part"):
        os.kill(os.getpid(), SIGNAL)
    return number
os.open = open_and_end
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_file_that_was_just_made(signum: signal.Signals, tmp_path: Path) -> None:
    script = ENDED_AT_ONCE.replace("SIGNAL", str(int(signum))) + ENTRY
    words = ["map", "x", "--quiet", "-o", str(tmp_path / "o.csv")]
    done = subprocess.run(
        [sys.executable, "-c", script, *words], input=b"x\n1\n", timeout=60, check=False
    )
    assert done.returncode == -signum
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_time_limit_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x\n1\n")
    out = str(tmp_path / "o.csv")
    text = "g = sum([x*i for i in range(10**9)])"
    done = subprocess.run(
        [*GRADCLI, "map", text, str(path), "--timeout", "0.5", "--quiet", "-o", out],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: LimitError: stopped after 0.5 s\n")
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits memory")
def test_little_memory() -> None:
    done = subprocess.run(
        [*GRADCLI, "map", "x", "--no-grad", "--quiet", "--max-memory", "20M"],
        input="x\n1\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "x,value\n1,1.0\n", "")


def test_output_may_be_a_stream(tmp_path: Path) -> None:
    script = "printf 'x\\n1\\n' | gradcli map x --no-grad --quiet -o /dev/stdout | cat"
    done = subprocess.run(
        ["bash", "-c", script], env=shell_environment(), capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("x,value\n1,1.0\n", "")


def test_no_other_command_imports_polars() -> None:
    code = (
        "import sys; from gradcli.cli.app import run; run(['eval', '1+1']); "
        "assert not [m for m in sys.modules if m.startswith(('polars', 'gradcli.tables'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)

"""Standard streams that are closed, full or gone: one plain line and the right exit code."""

from __future__ import annotations

import os
import resource
import signal
import subprocess

import pytest

from gradcli.cli.declarations import COMMANDS
from tests.commands import run, shell_environment

ANSWERS = {
    "eval": "gradcli eval 1+1",
    "jacobian": "gradcli jacobian x*x --x 2",
    "hessian": "gradcli hessian x*x --x 2",
    "check": "gradcli check x*x --x 2",
    "diff": "gradcli diff x*x",
    "map": "echo x | gradcli map x --quiet",
    "run": "echo 'print(1)' | gradcli run -",
    "batch": "echo 1+1 | gradcli batch -",
    "repl": "echo 1+1 | gradcli repl",
    "functions": "gradcli functions tanh",
    "help": "gradcli help language",
    "--help": "gradcli --help",
    "--version": "gradcli --version",
    "completion": "_GRADCLI_COMPLETE=source_bash gradcli",
}
MARK = b"\xef\xbb\xbf"


def shell(script: str) -> tuple[int, bytes, bytes]:
    """Exit code, output and errors of a shell script."""
    done = subprocess.run(
        ["bash", "-c", script],
        env=shell_environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_every_command_is_tried() -> None:
    assert COMMANDS.keys() <= ANSWERS.keys()


@pytest.mark.parametrize("name", ANSWERS)
def test_output_that_cannot_be_written(name: str) -> None:
    complaint = b"error: cannot write to the standard output: "
    closed = complaint + b"bad file descriptor\n"
    assert shell(f"{ANSWERS[name]} >&-") == (1, b"", closed)
    if os.path.exists("/dev/full"):
        full = complaint + b"no space left on device\n"
        assert shell(f"{ANSWERS[name]} >/dev/full") == (1, b"", full)


def test_program_that_prints_until_the_disk_is_full() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        ["bash", "-c", "gradcli run - >$(mktemp) <<< 'for i in range(10**6): print(i)'"],
        env=shell_environment(),
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=limit,
    )
    assert (done.returncode, done.stderr) == (
        1,
        b"error: cannot write to the standard output: file too large\n",
    )


@pytest.mark.parametrize(
    ("command", "code"), [("eval 1+1", 0), ("eval 1/0", 1), ("eval x", 2), ("eval '('", 3)]
)
def test_lost_errors_change_no_exit_code(command: str, code: int) -> None:
    answer = b"2\n" if not code else b""
    assert shell(f"gradcli {command} 2>&-") == (code, answer, b"")
    if os.path.exists("/dev/full"):
        assert shell(f"gradcli {command} 2>/dev/full") == (code, answer, b"")


@pytest.mark.parametrize("command", ["eval -", "run -", "batch -", "map x --quiet", "repl"])
def test_input_that_cannot_be_read(command: str) -> None:
    complaint = b"error: cannot read the standard input: bad file descriptor\n"
    assert shell(f"gradcli {command} <&-") == (2, b"", complaint)
    assert shell(f"gradcli {command} 0>/dev/null") == (2, b"", complaint)


def test_closed_input_that_nobody_reads() -> None:
    assert shell("gradcli eval 1+1 <&-") == (0, b"2\n", b"")


def test_reader_of_errors_that_has_gone() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = ["bash", "-c", "exec gradcli eval 1/0"]
    done = subprocess.run(command, env=shell_environment(), stderr=writer, timeout=60, check=False)
    os.close(writer)
    assert done.returncode == -signal.SIGPIPE


def test_byte_order_mark_is_no_part_of_any_text() -> None:
    assert run("eval", "-", stdin=MARK + b"1+1").out == "2\n"
    assert run("eval", "\ufeff1+1").out == "2\n"
    assert run("eval", "x", "--x", "\ufeff3", "--get", "value").out == "3.0\n"
    assert run("run", "-", stdin=MARK + b"print(1)").out == "1\n"
    assert run("repl", stdin=MARK + b"1+1\n").out == "2\n"


def test_byte_order_mark_in_a_batch() -> None:
    records = [b'{"id": "a", "expr": "1+1"}', b"# a comment", b"", b"1+2"]
    done = run("batch", "-", stdin=b"".join(MARK + record + b"\n" for record in records))
    assert done.code == 0
    assert [line.partition(', "dtype"')[0] for line in done.out.splitlines()] == [
        '{"id": "a", "ok": true, "value": 2',
        '{"id": 4, "ok": true, "value": 3',
    ]


@pytest.mark.parametrize("encoding", ["UTF-16", "UTF-32"])
def test_other_encodings_are_called_by_their_names(encoding: str) -> None:
    done = run("run", "-", stdin="print(1)".encode(encoding))
    assert done.code == 3
    assert done.err == (
        f"error: SyntaxError: standard input is not UTF-8 but {encoding}\n"
        f"hint: convert it: iconv -f {encoding} -t UTF-8\n"
    )
    assert f"not UTF-8 but {encoding}" in run("batch", "-", stdin="1".encode(encoding)).out


def test_line_at_a_prompt_that_is_not_utf8() -> None:
    done = run("repl", stdin=b"\xff\n1+1\n")
    assert (done.code, done.out) == (1, "2\n")
    assert done.err == "error: SyntaxError: not UTF-8: byte 0xff in line 1, column 1 of input\n"

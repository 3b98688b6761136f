"""How processes end: by limits, by Ctrl-C, by death in native code. Bounds are generous: each
evaluation here would take minutes or for ever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from time import sleep
from typing import IO, Any

import pytest

from tests.commands import ENTRY

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

ENDLESS = {
    "native code": "hang()",
    "native code that holds the interpreter": "hold()",
    "a loop": "while True: pass",
}
NATIVE = """
import ctypes, os, signal
from gradcli.language.running import machine
def hang(): ctypes.CDLL(None).sleep(1000)
def hold(): ctypes.PyDLL(None).sleep(1000)
def crash(): os.kill(os.getpid(), signal.SIGSEGV)
names = {"hang": hang, "hold": hold, "crash": crash}
look_up = machine.Machine.look_up
machine.Machine.look_up = lambda self, name, *more: names.get(name) or look_up(self, name, *more)
"""
"""Gives programs calls into native code that do not come back: no clock foresees them."""
LIMITED = ["--timeout", "0.2"]
WAIT = 60


def entry(setup: str = "") -> list[str]:
    return [sys.executable, "-c", setup + ENTRY]


def gradcli(*arguments: str, stdin: str = "", setup: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*entry(setup), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )


def answers(*records: Any, options: list[str], setup: str = "") -> list[dict[str, Any]]:
    """What a batch answers to objects and plain lines, none of which may be left out."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    done = gradcli("batch", "-", *options, stdin="\n".join(lines), setup=setup)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(records), done
    return found


def start(*arguments: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen([*entry(), *arguments], stdin=pipe, stdout=pipe, stderr=pipe)


def interrupted(
    process: subprocess.Popen[bytes], stream: IO[bytes] | None, pause: float = 0
) -> tuple[int, bytes]:
    """Interrupts a process some seconds after it wrote a line; its exit code, and what it wrote."""
    assert stream is not None
    first = stream.readline()
    assert first
    sleep(pause)
    process.send_signal(signal.SIGINT)
    code = process.wait(WAIT)
    return code, first + stream.read()


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_timeout_ends_a_program_and_keeps_what_it_printed(text: str) -> None:
    program = f"print('before')\n{text}"
    done = gradcli("run", "-", *LIMITED, stdin=program, setup=NATIVE)
    assert (done.returncode, done.stdout) == (1, "before\n")
    assert done.stderr.startswith("error: LimitError: stopped after 0.2 s\n")


def test_timeout_ends_an_expression_and_its_backward_pass() -> None:
    for text in (ENDLESS["native code"], "let x = torch.ones(1); x.expand(10**11).sum()"):
        done = gradcli("eval", text, *LIMITED, setup=NATIVE)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: LimitError: stopped after 0.2 s\n")


def test_timeout_ends_a_record_and_the_next_is_answered() -> None:
    program = f"print('before')\n{ENDLESS['native code']}"
    found = answers(
        "1 + 1",
        {"id": "program", "program": program},
        {"id": ["held"], "expr": ENDLESS["native code that holds the interpreter"]},
        "2 + 2",
        options=LIMITED,
        setup=NATIVE,
    )
    for answer, id in ((found[1], "program"), (found[2], ["held"])):
        assert (answer["id"], answer["ok"]) == (id, False)
        assert answer["error"]["type"] == "LimitError"
        assert answer["error"]["message"] == "stopped after 0.2 s"
    assert found[1]["stdout"] == "before\n"
    assert [found[0]["value"], found[3]["value"]] == [2, 4]


def test_limits_leave_answers_and_exit_codes_as_they_are() -> None:
    for arguments in (["eval", "x*2", "--x", "3"], ["eval", "("]):
        limited = gradcli(*arguments, "--timeout", "50")
        plain = gradcli(*arguments)
        assert limited.returncode == plain.returncode
        assert (limited.stdout, limited.stderr) == (plain.stdout, plain.stderr)


def test_every_record_has_the_same_random_stream() -> None:
    first, second = answers("torch.rand(3)", "torch.rand(3)", options=["--timeout", "50"])
    assert first["value"] == second["value"]
    assert first["value"] == answers("torch.rand(3)", options=[])[0]["value"]


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")


@linux
def test_memory_is_limited() -> None:
    done = gradcli("eval", "torch.ones(10**8)", "--no-backward", "--max-memory", "100M")
    assert done.returncode == 1
    message = "can't allocate memory: you tried to allocate 400000000 bytes."
    assert message in done.stderr.splitlines()[0]
    found = answers(
        "torch.ones(10**8)",
        "[i * 1.0 for i in range(10**6)].append",
        "torch.ones(10**6).sum()",
        options=["--max-memory", "20M"],
    )
    assert [record["ok"] for record in found] == [False, False, True]
    assert found[0]["error"]["type"] == "RuntimeError"
    assert message in found[0]["error"]["message"]
    assert found[1]["error"]["type"] == "MemoryError"


@linux
def test_linear_algebra_works_in_little_memory() -> None:
    text = "torch.linalg.svd(torch.ones(50, 50))[1].shape"
    done = gradcli("eval", text, "--max-memory", "20M")
    assert (done.returncode, done.stdout) == (0, "torch.Size([50])\n")


@pytest.mark.parametrize("size", ["0", "1Q", "-1", "M", "1.5G"])
def test_sizes_that_make_no_sense_are_refused(size: str) -> None:
    done = gradcli("eval", "1", "--max-memory", size)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --max-memory must be a size of memory, as 500M or 2G")


@pytest.mark.parametrize("option", ["--timeout", "--max-memory"])
@pytest.mark.parametrize("command", ["eval", "run", "batch"])
def test_a_limit_that_the_system_lacks_is_refused(command: str, option: str) -> None:
    setup = "import os, sys\ndel os.fork\nsys.platform = 'darwin'\n"
    done = gradcli(command, "-", option, "5", stdin="1", setup=setup)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {option}: this system cannot fork")


CRASH_WORDS = "the process that evaluates was ended by SIGSEGV, a segmentation fault"


def test_a_crash_costs_one_record_an_error() -> None:
    program = {"id": 7, "program": "print('before')\ncrash()"}
    found = answers("1", program, "2", options=["--timeout", "50"], setup=NATIVE)
    error = {"type": "CrashError", "message": CRASH_WORDS}
    assert found[1] == {"id": 7, "ok": False, "stdout": "before\n", "error": error}
    assert [found[0]["value"], found[2]["value"]] == [1, 2]


def test_a_crash_is_told() -> None:
    done = gradcli("run", "-", "--timeout", "50", stdin="print('before')\ncrash()", setup=NATIVE)
    assert (done.returncode, done.stdout) == (1, "before\n")
    assert done.stderr == f"error: CrashError: {CRASH_WORDS}\n"


@pytest.mark.parametrize("options", [[], ["--timeout", "100"]], ids=["alone", "with a limit"])
@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_interrupt_ends_by_its_signal(text: str, options: list[str]) -> None:
    pipe = subprocess.PIPE
    for command in ("run", "batch"):
        program = f"print('started')\n{text}"
        record = json.dumps({"program": program}).encode()
        given = program.encode() if command == "run" else b"1\n" + record + b"\n"
        with subprocess.Popen(
            [*entry(NATIVE), command, "-", *options], stdin=pipe, stdout=pipe, stderr=pipe
        ) as process:
            assert process.stdin is not None
            process.stdin.write(given)
            process.stdin.close()
            code, written = interrupted(process, process.stdout)
            assert process.stderr is not None
            assert (code, process.stderr.read()) == (-signal.SIGINT, b"")
            assert written.endswith(b"\n")


def test_interrupt_leaves_no_half_of_a_line() -> None:
    record = json.dumps({"expr": "torch.ones(20000)"}) + "\n"
    with subprocess.Popen(
        [*entry(), "batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(record.encode() * 1000)
        process.stdin.close()
        code, written = interrupted(process, process.stdout)
    assert code == -signal.SIGINT
    for line in written.splitlines(keepends=True):
        assert line.endswith(b"\n")
        json.loads(line)


def test_interrupt_does_not_wait_for_a_reader() -> None:
    record = json.dumps({"expr": "torch.ones(100000)"}) + "\n"
    with subprocess.Popen(
        [*entry(), "batch", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        process.stdin.write(record.encode())
        process.stdin.close()
        assert process.stdout is not None
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT) == -signal.SIGINT


def test_interrupt_at_the_prompt_ends_the_line() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([*entry(), "repl"], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(b"print('started')\nwhile True: pass\n\n1 + 1\n")
        process.stdin.flush()
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        sleep(1)  # until the loop runs
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == b"2\n"
        process.stdin.close()
        assert process.wait(WAIT) == 1
        assert process.stderr is not None
        assert process.stderr.read() == b"KeyboardInterrupt\n"


def test_a_call_that_does_not_come_back_ends_the_session() -> None:
    pipe = subprocess.PIPE
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}  # what is printed is read at once
    with subprocess.Popen(
        [*entry(), "repl"], stdin=pipe, stdout=pipe, stderr=pipe, env=unbuffered
    ) as process:
        assert process.stdin is not None
        text = "torch.ones(1).expand(10**12).sum()"
        # What is imported with the first call could be interrupted.
        warm = text.replace("10**12", "2")
        process.stdin.write(f"{warm}; print('started'); {text}\n1 + 1\n".encode())
        process.stdin.close()
        code, written = interrupted(process, process.stdout, pause=1)
        assert (code, written) == (-signal.SIGTERM, b"started\n")
        assert process.stderr is not None
        assert b"the session ends" in process.stderr.read()


@pytest.mark.parametrize("command", ["eval", "run", "batch"])
def test_an_input_that_does_not_end_takes_no_more_memory(command: str) -> None:
    with start(command, "-", "--max-memory", "50MB") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            for _ in range(100):
                process.stdin.write(b"a" * 1_000_000)
            process.stdin.write(b"\n1 + 1\n")
            process.stdin.flush()
        with suppress(BrokenPipeError):
            process.stdin.close()
        out, err = process.stdout.read(), process.stderr.read()
    if command == "batch":
        first, second = map(json.loads, out.splitlines())
        assert (first["id"], first["error"]["type"]) == (1, "MemoryError")
        assert (second["id"], second["value"]) == (2, 2)
    else:
        assert err.startswith(b"error: MemoryError: there is no more memory")
    assert process.returncode == 1


@pytest.mark.parametrize("command", ["eval", "run"])
def test_time_for_an_input_counts(command: str) -> None:
    with start(command, "-", "--timeout", "0.3") as process:
        assert process.stderr is not None
        assert process.wait(WAIT) == 1
        assert process.stderr.read() == b"error: LimitError: stopped after 0.3 s\n"


@pytest.mark.parametrize(
    ("text", "code", "out", "errors"), [("1 + 1", 0, "2\n", 0), ("1 / 0", 1, "", 1)]
)
def test_what_follows_an_answer_is_not_limited(text: str, code: int, out: str, errors: int) -> None:
    slow_end = (
        "import atexit, os, time\n"
        "os.register_at_fork(after_in_child=lambda: atexit.register(time.sleep, 3.5))\n"
    )
    done = gradcli("eval", text, "--timeout", "2", setup=slow_end)
    assert (done.returncode, done.stdout, done.stderr.count("error:")) == (code, out, errors)

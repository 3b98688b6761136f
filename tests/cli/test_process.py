"""What only a process of its own shows: streams, signals, start-up, completion."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from gradcli.cli.declarations import COMMANDS
from tests.commands import ENTRY, shell_environment

GRADCLI = [sys.executable, "-c", ENTRY]


def gradcli(*arguments: str | bytes, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Runs the command line in a process."""
    return subprocess.run(
        [*GRADCLI, *arguments], capture_output=True, timeout=60, check=False, **options
    )


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """Starts the command line in a process with pipes for all its streams."""
    pipe = subprocess.PIPE
    return subprocess.Popen([*GRADCLI, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, **options)


def test_answer_error_and_exit_code() -> None:
    done = gradcli("eval", "x+y", "--x", "3", "--y", "7")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (
        b"tensor(10., grad_fn=<AddBackward0>)\nx.grad = tensor(1.)\ny.grad = tensor(1.)\n"
    )
    done = gradcli("eval", "1/0")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: ZeroDivisionError")
    assert gradcli("eval", "(").returncode == 3
    assert gradcli("eval", "x").returncode == 2


def test_text_is_utf8_whatever_the_locale() -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    done = gradcli("run", "-", input="print('größe')".encode(), env=environment)
    assert done.stdout.decode() == "größe\n"


def test_batch_answers_each_record_before_it_reads_the_next() -> None:
    with start("batch", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(f"{number} + 1\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["value"] == number + 1
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("arguments", [["batch", "-"], ["run", "-"]])
def test_closed_pipe_is_quiet(arguments: list[str]) -> None:
    with start(*arguments) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        if arguments[0] == "batch":
            process.stdin.write(b"1\n")
            process.stdin.flush()
            process.stdout.readline()
            process.stdout.close()
            process.stdin.write(b"2\n" * 10)
        else:
            process.stdout.close()
            process.stdin.write(b"for i in range(10**5):\n    print(i)\n")
        process.stdin.close()
        assert process.wait(30) == -signal.SIGPIPE
        assert process.stderr.read() == b""


def test_output_that_is_closed_before_the_end_is_quiet() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*GRADCLI, "eval", "1 + 1"],
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


def test_interrupt_ends_quietly_and_keeps_what_was_printed() -> None:
    with start("run", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"print('started' + ' ' * 10**5)\nwhile True: pass\n")
        process.stdin.close()
        assert process.stdout.read(7) == b"started"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert process.stderr.read() == b""


def test_interrupt_while_waiting_for_input() -> None:
    with start("batch", "-") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"1\n")
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == -signal.SIGINT
        assert process.stderr.read() == b""


def test_argument_that_is_not_utf8() -> None:
    done = gradcli("eval", b"x*\xff", "--x", "3")
    assert done.returncode == 3
    assert done.stderr == (
        b"error: SyntaxError: not UTF-8: byte 0xff in line 1, column 3 of the expression\n"
    )


def test_internal_error_is_one_line() -> None:
    entry = textwrap.dedent(
        """
        import sys
        from gradcli.cli import main
        from gradcli.cli.commands import eval
        def broken(*_): raise KeyError("lost")
        eval.set_defaults = broken
        sys.exit(main.main())
        """
    )
    command = [sys.executable, "-c", entry, "eval", "1"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        b"error: internal error: KeyError: 'lost'\n"
        b"hint: this is a fault of gradcli itself; --debug shows where\n"
    )


def test_settings_of_the_garbage_collector_suit_long_chains() -> None:
    text = "y = x\nfor i in range(200000):\n    y = y * x\ny"
    done = gradcli("eval", text, "--x", "1", "--get", "x.grad")
    assert done.stdout == b"200001.0\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory")
@pytest.mark.parametrize(
    "keep",
    [
        "def f(): return f, x",
        "(x * x).sum().backward(create_graph=True)",
        "x.register_hook(lambda g: g * x)",
    ],
)
def test_large_tensors_in_cycles_are_freed(keep: str, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(
        f"def make():\n    x = torch.ones(10**6, requires_grad=True)\n    {keep}\n"
        "for i in range(300):\n    make()\nprint('done')\n"
    )
    done = gradcli("run", str(program), "--max-memory", "800M")
    assert (done.returncode, done.stdout) == (0, b"done\n")


@pytest.mark.parametrize("arguments", [["eval", "1 + 1"], ["--help"], ["eval", "("]])
def test_module_is_the_same_program(arguments: list[str]) -> None:
    module = subprocess.run(
        [sys.executable, "-m", "gradcli", *arguments], capture_output=True, timeout=60, check=False
    )
    program = gradcli(*arguments)
    assert module.stdout + module.stderr == program.stdout + program.stderr != b""
    assert module.returncode == program.returncode


HEAVY = {
    *("typer", "click", "rich", "pydantic", "lark", "prompt_toolkit"),
    *("scipy", "ml_dtypes", "numpy.random", "numpy.typing"),
    *("argparse", "dataclasses", "difflib", "importlib.metadata", "json", "pathlib", "subprocess"),
    *("tempfile", "traceback", "unicodedata"),
}
"""What no evaluation needs that goes well."""

ELSEWHERE = {
    *("gradcli.cli.arguments", "gradcli.cli.arrays", "gradcli.cli.by_typer"),
    "gradcli.cli.progress",
    *("gradcli.language.reading.complaints", "gradcli.language.telling.hints"),
    *("gradcli.ops.algebra.elementary", "gradcli.ops.algebra.sums", "gradcli.random.generator"),
    *("gradcli.views.catalogue", "gradcli.autograd.functional"),
}
"""Modules of our own that others need than these commands."""


def modules_after(*arguments: str, stdin: bytes = b"") -> set[str]:
    """The modules that a command has imported when it is done."""
    entry = (
        "import os, sys; before = {*sys.modules}; from gradcli.cli.main import main; "
        "os._exit = lambda code: print(*{*sys.modules} - before, file=sys.stderr); sys.exit(main())"
    )
    command = [sys.executable, "-c", entry, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=True)
    return set(done.stderr.decode().split())


PROGRAM = b"let x = 3\nlet y = 7\nz = x + y\nz.backward()\nprint(z, x.grad)\n"


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["eval", "x+y", "--x", "3", "--y", "7"], b""),
        (["eval", "x*2", "--x=1 2", "-g", "1 1", "--wrt", "x", "--dtype", "float64"], b""),
        (["run", "-"], PROGRAM),
        (["run", "-", "--x", "3", "--let", "y=7", "--max-steps=99"], PROGRAM.partition(b"7\n")[2]),
    ],
)
def test_an_evaluation_imports_what_it_needs(arguments: list[str], stdin: bytes) -> None:
    loaded = modules_after(*arguments, stdin=stdin)
    assert f"gradcli.cli.commands.{arguments[0]}" in loaded
    assert not loaded & (HEAVY | ELSEWHERE)
    for command in COMMANDS.keys() - {arguments[0]}:
        assert f"gradcli.cli.commands.{command}" not in loaded
    assert "gradcli.batch.records" not in loaded
    assert len([name for name in loaded if name.startswith("gradcli")]) <= 133


def test_a_batch_imports_what_it_needs() -> None:
    loaded = modules_after("batch", "-", stdin=b"let x = 3; x*x\n")
    assert "gradcli.batch.records" in loaded
    assert not loaded & (HEAVY - {"dataclasses", "json", "numpy.typing"})
    assert not loaded & (ELSEWHERE - {"gradcli.cli.progress", "gradcli.random.generator"})


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
)
def test_help_loads_no_engine_and_no_other_command(arguments: list[str]) -> None:
    loaded = modules_after(*arguments)
    assert not {"numpy", "pydantic", "lark", "gradcli.tensor.tensor"} & loaded
    others = COMMANDS.keys() - {*arguments}
    assert not {f"gradcli.cli.commands.{name}" for name in others} & loaded


def test_a_gradient_from_python_imports_what_it_needs() -> None:
    probe = (
        "import sys; before = {*sys.modules}; import gradcli; "
        "x = gradcli.tensor(3.0, requires_grad=True); (x * x).backward();"
        "print(*{*sys.modules} - before)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert "gradcli.api" in loaded
    assert not loaded & (HEAVY | ELSEWHERE)


def test_package_imports_nothing_before_it_is_asked() -> None:
    probe = "import gradcli, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert "gradcli.tensor" in loaded
    assert not {"numpy", "typer", "gradcli.api"} & loaded


def shown_on_a_terminal(*arguments: str, **environment: str) -> bytes:
    """What a command prints on a terminal."""
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    return on_a_terminal([*GRADCLI, *arguments], {**variables, **environment})


def on_a_terminal(words: list[str], environment: dict[str, str]) -> bytes:
    """What a command of the system prints on a terminal."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        words, stdout=theirs, stderr=theirs, env={"TERM": "xterm", **environment}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux tells the end
            part = b""
        if not part:
            break
        shown += part
    os.close(ours)
    process.wait(30)
    return shown.replace(b"\r\n", b"\n")


def test_colour_on_a_terminal_only() -> None:
    plain = b"tensor(6., grad_fn=<MulBackward0>)\nx.grad = tensor(2.)\n"
    coloured = shown_on_a_terminal("eval", "x*2", "--x", "3")
    assert coloured == plain.replace(b"x.grad", b"\x1b[36mx.grad\x1b[0m")
    assert shown_on_a_terminal("eval", "x*2", "--x", "3", NO_COLOR="1") == plain
    assert shown_on_a_terminal("eval", "x*2", "--x", "3", TERM="dumb") == plain
    assert b"\x1b[31m" in shown_on_a_terminal("eval", "1/0")


SLOWLY = "(echo 1; until [ -s out ]; do sleep 0.05; done; sleep 0.6; echo 2) | gradcli batch -"
"""A batch whose second answer comes when its progress is due."""


@pytest.mark.parametrize(
    ("command", "environment", "shown"),
    [
        (f"{SLOWLY} >out", {}, rb"\r2 records, [\d.]+/s\x1b\[K\r\x1b\[K"),
        (f"{SLOWLY} >out", {"NO_COLOR": "1"}, rb"\r2 records, [\d.]+/s\x1b\[K\r\x1b\[K"),
        (f"{SLOWLY} >out", {"TERM": "dumb"}, b""),
        (f"{SLOWLY} 2>&1 >out | cat", {}, b""),
        (f"{SLOWLY} >out 2>err; cat err", {}, b""),
    ],
)
def test_progress_of_a_batch_on_a_terminal_only(
    command: str,
    environment: dict[str, str],
    shown: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {name: value for name, value in shell_environment().items() if name != "TERM"}
    assert re.fullmatch(shown, on_a_terminal(["bash", "-c", command], {**variables, **environment}))
    answers = (tmp_path / "out").read_text().splitlines()
    assert [json.loads(line)["value"] for line in answers] == [1, 2]


def completed(shell: str, line: str) -> str:
    """What a shell is offered at the end of a line."""
    words = line.split(" ")
    environment = {
        **os.environ,
        "_GRADCLI_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = gradcli(env=environment)
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_each_command(shell: str, name: str) -> None:
    assert name in completed(shell, f"gradcli {name[:2]}")
    assert "--help" in completed(shell, f"gradcli {name} --he")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "batch" in completed(shell, "gradcli ba")
    assert "eval" not in completed(shell, "gradcli ba")
    assert "--retain-graph" in completed(shell, "gradcli eval x --ret")
    offered = completed(shell, "gradcli eval x*speed --x 3 --s")
    assert "--speed" in offered
    assert "--x" not in offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    done = gradcli(env={**os.environ, "_GRADCLI_COMPLETE": f"source_{shell}"})
    assert b"gradcli" in done.stdout
    assert f"_GRADCLI_COMPLETE=complete_{shell}".encode() in done.stdout


def test_completion_in_bash() -> None:
    script = gradcli(env={**os.environ, "_GRADCLI_COMPLETE": "source_bash"}).stdout.decode()
    probe = (
        f"{script}\nCOMP_WORDS=(gradcli eval x --ret) COMP_CWORD=3\n"
        "_gradcli_completion gradcli --ret x\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    done = subprocess.run(
        ["bash", "-c", probe],
        env=shell_environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.decode().split() == ["--retain-graph"]

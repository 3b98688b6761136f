"""The prompt: echo, `_`, multi-line input, completion, errors that end the line only."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from gradcli.cli.commands.repl import answer, editor, history_file, run_lines
from gradcli.cli.report import Exit
from gradcli.cli.session import Session
from gradcli.process import Watch


def talk(*inputs: str) -> str:
    """What a session writes to its output for some inputs."""
    written: list[str] = []
    session = Session(written.append)
    for text in inputs:
        session.run(text)
    return "".join(written)


def test_an_expression_echoes_and_underscore_holds_it() -> None:
    assert talk("x = 3", "x + 1", "_ * 2") == "4\n8\n"


def test_none_and_statements_do_not_echo() -> None:
    assert talk("None", "y = 1", "print('a')", "y; None") == "a\n"


def test_gradients_live_across_inputs() -> None:
    inputs = ("let x = 3", "y = x * x", "y.backward()", "x.grad")
    assert talk(*inputs) == "tensor(6.)\n"


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("x = 1", True),
        ("(1 +", False),
        ("f(1,\n", False),
        ("def f(a):", False),
        ("def f(a):\n    return a", False),
        ("def f(a):\n    return a\n", True),
        ("if x: y = 1", False),
        ("x = 'a", True),
        ('x = """a', False),
        ("x = 1 +", True),
        (")", True),
        ("a \\", False),
    ],
)
def test_when_enter_ends_the_input(text: str, complete: bool) -> None:
    assert Session(print).is_complete(text) is complete


def test_an_error_ends_the_line_only(capsys: pytest.CaptureFixture[str]) -> None:
    session, watch = Session(sys.stdout.write), Watch("")
    assert answer(session, "x = 1; 1 / 0", watch, debug=False) is False
    assert answer(session, "x", watch, debug=False) is True
    out, err = capsys.readouterr()
    assert out == "1\n"
    assert err.startswith("error: ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("text", ["exit", "quit", "exit()", " quit( ) "])
def test_words_that_leave(text: str) -> None:
    session, watch = Session(print), Watch("")
    with pytest.raises(Exit):
        answer(session, text, watch, debug=False)
    session.run(f"{text.strip()[:4]} = 3")
    assert talk("exit = 3", "exit + 1") == "4\n"


@pytest.mark.parametrize("text", ["help(sin)", "?sin", "sin?", "? torch.sin"])
def test_help_shows_a_page(text: str) -> None:
    assert talk(text).startswith("sin (function and method, ")
    assert "SinBackward0" in talk(text)


@pytest.mark.parametrize("text", ["help", "?", "help()"])
def test_help_without_a_name_tells_of_the_session(text: str) -> None:
    assert "Ctrl-D" in talk(text)
    assert Session(print).is_complete(text)


def test_help_on_what_is_not_there() -> None:
    assert talk("?sinn").startswith("no function is called 'sinn'; did you mean ")
    assert talk("help = 3", "help") == "3\n"


def test_completion_of_keywords_modules_and_indents() -> None:
    session = Session(print)
    assert ("while", 3) in session.completions("whi")
    assert ("factorial", 4) in session.completions("math.fact")
    assert session.completions("if x:\n") == [("    ", 0)]


def test_completion_of_names_members_and_methods() -> None:
    session = Session(print)
    session.run("let weight = [1, 2]")
    assert ("weight", 3) in session.completions("2 * wei")
    assert ("requires_grad", 4) in session.completions("weight.requ")
    assert [word for word, _ in session.completions("torch.special.bessel_j")] == [
        "bessel_j0",
        "bessel_j1",
    ]
    assert session.completions("weight.grad.") == []
    assert session.completions("1 + ") == []


def test_completion_runs_nothing() -> None:
    session = Session(print)
    session.run("def f(): print('called')")
    assert session.completions("f().r") == []


def test_input_from_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "for i in range(2):\n    print(i)\n\n(1 +\n 2)\nfoo\n7"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert run_lines(Session(sys.stdout.write), Watch(""), debug=False) is False
    out, err = capsys.readouterr()
    assert out == "0\n1\n3\n7\n"
    assert "name 'foo' is not defined" in err


def test_the_editor_reads_several_lines_and_keeps_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with create_pipe_input() as keys:
        prompts = editor(Session(print), input=keys, output=DummyOutput())
        keys.send_text("def f(a):\rreturn a\r\x08\x08\x08\x08\r")
        assert prompts.prompt() == "def f(a):\n    return a\n"
        keys.send_text("half\x03")
        with pytest.raises(KeyboardInterrupt):
            prompts.prompt()
        keys.send_text("\x04")
        with pytest.raises(EOFError):
            prompts.prompt()
    path = history_file()
    assert path is not None
    assert "return a" in path.read_text(encoding="utf-8")


def test_no_history_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    assert history_file() is None

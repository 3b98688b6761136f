"""The line that says how far a batch is."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from gradcli.cli.progress import FIRST, Progress
from gradcli.cli.report import say, status
from gradcli.language.telling.diagnostics import Diagnostic


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What both streams show from now on."""
    shown = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", shown)
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def progress(path: Path, begun: float, read: int = 0) -> Progress:
    """The progress of a batch that began then and has read so much."""
    found = Progress(str(path))
    found.begun, found.read = begun, read
    found.looks.clear()
    found.looks.append((begun, 0))
    return found


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A file of 1000 bytes."""
    path = tmp_path / "records"
    path.write_bytes(b"x" * 999 + b"\n")
    return path


@pytest.mark.parametrize(
    ("answered", "failed", "read", "now", "text"),
    [
        (1, 0, 100, 4, "1 record (10%), 0.2/s, 36 s left"),
        (2500, 3, 250, 2, "2,500 records (25%), 1,250/s, 3 failed, 6 s left"),
        (50, 1234, 10, 5, "50 records (1%), 10/s, 1,234 failed, 8 min left"),
        (50, 0, 1, 100, "50 records (0%), 0.5/s, 27.8 h left"),
        (9, 0, 1200, 1, "9 records (100%), 9.0/s, 0 s left"),
        (9, 0, 0, 1, "9 records, 9.0/s"),
    ],
)
def test_line(
    answered: int,
    failed: int,
    read: int,
    now: float,
    text: str,
    records: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal(monkeypatch)
    assert progress(records, 0.0, read).told(answered, failed, now) == text


def test_rate_is_of_late(records: Path) -> None:
    of = progress(records, 0.0)
    for second in range(1, 100):
        of.told(second, 0, second)
    assert of.told(1099, 0, 100) == f"1,099 records, {(1099 - 50) / 50:.0f}/s"


def test_answers_push_the_line_down(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(monkeypatch)
    with progress(records, 0.0) as of:
        assert list(of.counted([b"1\n", b"2\n"])) == [b"1\n", b"2\n"]
        of.write("one\n", 1, 0)
        assert shown.getvalue() == "one\n"  # it is too early
        of.next = 0.0
        of.write("two\n", 2, 0)
        line = shown.getvalue().removeprefix("one\ntwo\n")
        assert line.startswith("\r2 records (0%), ")
        of.write("three\n", 3, 0)
        assert shown.getvalue() == f"one\ntwo\n{line}\r\x1b[Kthree\n{line}"
        say(Diagnostic("warning", "four"))
        assert shown.getvalue().partition("three\n")[2].startswith(f"{line}\r\x1b[K")
        before = shown.getvalue()
    assert shown.getvalue() == before  # there was nothing left to erase


def test_line_is_as_long_as_the_terminal_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = terminal(monkeypatch)
    status.show("x" * 200)
    status.erase()
    assert shown.getvalue() == "\r" + "x" * 79 + "\x1b[K\r\x1b[K"


def test_nothing_is_shown_while_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert not Progress("-").is_shown
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert Progress("-").is_shown
    monkeypatch.setenv("TERM", "dumb")
    assert not Progress("-").is_shown


def test_it_comes_late_enough_for_short_batches() -> None:
    assert Progress("-").next - Progress("-").begun == pytest.approx(FIRST, abs=0.1)

"""How far a batch is, on a terminal: a line that is written anew, and gone at the end."""

from __future__ import annotations

import os
import stat
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any, BinaryIO, Final

from gradcli.cli.report import can_erase, status
from gradcli.cli.source import STDIN
from gradcli.process import write_whole

FIRST: Final = 0.5
"""Seconds before the line is first shown: a batch that is over by then needs none."""

INTERVAL: Final = 0.1
"""Seconds between two looks at the rate."""

WINDOW: Final = 50
"""Looks that the rate is of."""


class Progress:
    """The line about a batch: records, the part of the input, how many a second, failures, the end.

    It is shown where the standard error stream is a terminal and nobody types the records. Answers
    that appear on a terminal, too, push it down.

    Args:
        path: the file of the records.
        noun: what they are called.
        quiet: whether nothing is shown anyway.
    """

    def __init__(self, path: str, noun: str = "record", quiet: bool = False) -> None:
        self.noun = noun
        typed = path == STDIN and _is_terminal(sys.stdin)
        self.is_shown = can_erase(sys.stderr) and not (typed or quiet)
        self.pushed = self.is_shown and _is_terminal(sys.stdout)
        self.size = _size(path) if self.is_shown else 0
        self.read = 0
        self.begun = monotonic()
        self.next = self.begun + FIRST
        self.looks = deque([(self.begun, 0)], WINDOW)
        self.text = ""

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        status.erase()

    def counted(self, lines: Iterable[bytes]) -> Iterable[bytes]:
        """The same lines; how much of the input they are is noted where somebody wants to know."""
        return self._counted(lines) if self.size else lines

    def _counted(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.read += len(line)
            yield line

    def file(self, file: BinaryIO) -> BinaryIO:
        """The same file; how much of it is read is noted where somebody wants to know."""
        return _Counted(file, self) if self.size else file  # type: ignore[return-value]

    def write(self, text: str, answered: int, failed: int) -> None:
        """Writes an answer, so many with it, to the standard output."""
        self.around(lambda: write_whole(text))
        self.tell(answered, failed)

    def around(self, write: Callable[[], object]) -> None:
        """Writes to the standard output, where the line would be in the way."""
        if self.pushed:
            status.erase()
        write()

    def tell(self, answered: int, failed: int) -> None:
        """Shows the line, if it is time."""
        if not self.is_shown:
            return
        now = monotonic()
        if now >= self.next:
            self.next = now + INTERVAL
            self.text = self.told(answered, failed, now)
            status.show(self.text)
        elif self.pushed:
            status.show(self.text)

    def told(self, answered: int, failed: int, now: float) -> str:
        """The line."""
        earlier, before = self.looks[0]
        self.looks.append((now, answered))
        rate = (answered - before) / (now - earlier)
        parts = [f"{answered:,} {self.noun}{'s' * (answered != 1)}", f"{_short(rate)}/s"]
        if failed:
            parts.append(f"{failed:,} failed")
        done = min(1.0, self.read / self.size) if self.size else 0.0
        if done:
            parts[0] += f" ({done:.0%})"
            parts.append(f"{_duration((now - self.begun) * (1 - done) / done)} left")
        return ", ".join(parts)


class _Counted:
    """A file that tells how much of it is read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def read1(self, size: int) -> bytes:
        found: bytes = self._file.read1(size)  # type: ignore[attr-defined]
        self._progress.read += len(found)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _duration(seconds: float) -> str:
    """A time to come, as `42 s`, `3 min` or `2.5 h`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 99.5 * 60 else f"{seconds / 3600:.1f} h"


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except ValueError:
        return False


def _size(path: str) -> int:
    """The bytes of a file; 0 for what is none, such as a pipe."""
    try:
        found = os.fstat(sys.stdin.fileno()) if path == STDIN else os.stat(path)
    except (OSError, ValueError):
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0

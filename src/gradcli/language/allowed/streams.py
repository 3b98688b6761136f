"""The standard streams of programs: text that they write and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.limits import bounded
from gradcli.tensor.public import public, word_of


@public("closed encoding flush isatty name write writelines", name="_io.TextIOWrapper")
class Stream:
    """A stream that programs write to.

    Attributes:
        name: as Python calls it.
        writes: what the text is given to; None is the process's own stream, wherever that is now.
    """

    __slots__ = ("name", "writes")

    closed: Final = False
    encoding: Final = "utf-8"

    def __init__(self, name: str) -> None:
        self.name = name
        self.writes: Callable[[str], object] | None = None

    def write(self, text: str, /) -> int:
        """Writes a text; how many characters it has.

        Raises:
            TypeError: it is no text.
        """
        if type(text) is not str:
            raise TypeError(f"write() argument must be str, not {word_of(text)}")
        if self.writes is None:
            self._own().write(text)
        else:
            self.writes(text)
        return len(text)

    def writelines(self, lines: Any, /) -> None:
        """Writes texts one after the other."""
        for line in bounded(lines):
            self.write(line)

    def flush(self) -> None:
        """Writes out what waits, where the text goes to the process's own stream."""
        if self.writes is None:
            self._own().flush()

    def isatty(self) -> bool:
        """No program knows whether somebody looks on."""
        return False

    def _own(self) -> Any:
        return sys.stdout if self is STDOUT else sys.stderr

    def __repr__(self) -> str:
        return f"<_io.TextIOWrapper name='{self.name}' mode='w' encoding='utf-8'>"


STDOUT: Final = Stream("<stdout>")
STDERR: Final = Stream("<stderr>")


class writing:
    """Inside, what programs write to their standard output is given to a function."""

    __slots__ = ("before", "write")

    def __init__(self, write: Callable[[str], object]) -> None:
        self.write = write
        self.before: Callable[[str], object] | None = None

    def __enter__(self) -> None:
        self.before, STDOUT.writes = STDOUT.writes, self.write

    def __exit__(self, *_: object) -> None:
        STDOUT.writes = self.before

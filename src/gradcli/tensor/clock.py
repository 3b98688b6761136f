"""How long there is to go on: one clock for the language's loops and for native work.

The machine looks at it between loop turns and calls; operators and backward passes do before they
begin, since nothing looks while NumPy runs. Where no time limit is set, it costs one comparison.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from gradcli.process import stopped_after

FASTEST: Final = 1e9
"""Elements a second that no operator surpasses."""


class LimitError(Exception):
    """A program ran longer than it may."""


class Clock:
    """When an evaluation ends, and after how many seconds that is; `deadline` None: never."""

    __slots__ = ("deadline", "timeout")

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.timeout = 0.0

    def check(self, elements: int = 0) -> None:
        """Stops an evaluation whose time is over, or will be before so many elements are read.

        Raises:
            LimitError: it is.
        """
        if self.deadline is not None and monotonic() + elements / FASTEST > self.deadline:
            raise LimitError(stopped_after(self.timeout))


clock: Final = Clock()
"""The process's own."""


class limited:
    """Sets the clock for what is inside, unless it is set: an evaluation has one time limit."""

    __slots__ = ("starts", "timeout")

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self.starts = False

    def __enter__(self) -> None:
        if self.timeout is not None and clock.deadline is None:
            self.starts = True
            clock.timeout, clock.deadline = self.timeout, monotonic() + self.timeout

    def __exit__(self, *_: object) -> None:
        if self.starts:
            clock.deadline = None

"""The standard streams of the process, and what becomes of a process whose output is cut off.

Nothing is imported here but what every command needs, since each waits for it.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Any, Protocol

from gradcli.process import die_of


class OutputError(BaseException):
    """The standard output takes nothing any more, or a reader of either stream has gone.

    Like `KeyboardInterrupt` it is the concern of nobody but the entry point: neither a program
    nor what reports a program's errors catches it, and so no other `OSError` is taken for it.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(reason(error))
        self.closed_pipe = isinstance(error, BrokenPipeError)


def reason(error: OSError | ValueError) -> str:
    """Why the system refused, without number and name."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


class _Raw(Protocol):
    """What `_Output` needs of the stream that it stands before."""

    def write(self, data: Any, /) -> int | None: ...
    def fileno(self) -> int: ...
    def isatty(self) -> bool: ...


class _Output(io.RawIOBase):
    """An unbuffered stream that raises `OutputError` where its writing fails."""

    def __init__(self, raw: _Raw) -> None:
        self.raw = raw

    def write(self, data: Any, /) -> int:
        try:
            written = self.raw.write(data)
            while written is None:  # a stream that does not block, and is full
                import select

                select.select([], [self.raw], [])
                written = self.raw.write(data)
        except OSError as error:
            return self.failed(error, data)
        return written

    def failed(self, error: OSError, data: Any) -> int:
        raise OutputError(error) from None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.raw.fileno()

    def isatty(self) -> bool:
        return self.raw.isatty()


class _Errors(_Output):
    """The same for the standard error stream: what it cannot take is lost."""

    def failed(self, error: OSError, data: Any) -> int:
        if isinstance(error, BrokenPipeError):
            raise OutputError(error) from None
        return len(data)


def open_streams() -> None:
    """Makes the standard streams text in UTF-8 that end the process where they end.

    A stream that was closed when the process began is opened so that it fails as a closed one
    does, but for errors, which nobody wants then. So no other file gets its number.
    """
    if sys.stdin is None:
        _occupy(0, os.O_WRONLY)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    if sys.stdout is None:
        _occupy(1, os.O_RDONLY)
    if sys.stderr is None:
        _occupy(2, os.O_WRONLY)
    sys.stdout = _text(sys.stdout, 1, _Output)
    sys.stderr = _text(sys.stderr, 2, _Errors)


def _occupy(number: int, flags: int) -> None:
    """Gives a closed descriptor the null device, opened with `flags`."""
    opened = os.open(os.devnull, flags)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _text(stream: Any, number: int, kind: type[_Output]) -> io.TextIOWrapper:
    """A text stream over the raw one of `stream`, buffered as that is, or over a descriptor."""
    if stream is None:
        binary: Any = io.BufferedWriter(kind(io.FileIO(number, "w", closefd=False)))
        return io.TextIOWrapper(binary, encoding="utf-8", errors="backslashreplace")
    if isinstance(stream.buffer, io.RawIOBase):  # python -u
        binary = kind(stream.buffer)
    else:
        binary = io.BufferedWriter(kind(stream.buffer.raw))
    return io.TextIOWrapper(
        binary,
        encoding="utf-8",
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def flush_output() -> None:
    """Writes what is buffered, or lets it go nowhere, so that nothing complains about it later."""
    try:
        sys.stdout.flush()
    except OutputError:
        abandon_output()


def abandon_output() -> None:
    """Lets what is buffered go nowhere."""
    _occupy(sys.stdout.fileno(), os.O_WRONLY)
    sys.stdout.flush()


def end_by_closed_pipe() -> int:
    """Ends the process as a closed pipe does by itself; the exit code where there is no signal.

    The signal stays off until then: a worker process that has gone must not end this one.
    """
    if hasattr(signal, "SIGPIPE"):
        die_of(signal.SIGPIPE)
    return 141

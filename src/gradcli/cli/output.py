"""Where a table goes: the standard output, or a file that appears when it is whole."""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import suppress
from types import FrameType
from typing import IO, Any

from gradcli.cli.report import FAILED, Exit, UsageError, say
from gradcli.cli.streams import reason
from gradcli.process import ENDING, die_of


class Output:
    """The standard output, or a file under another name beside that of `path` until `finish`.

    What exists as anything else than a file, such as a device or a pipe, is written as it is.

    Raises:
        UsageError: it cannot be written.
    """

    def __init__(self, path: str | None) -> None:
        self.path = path
        self.file: IO[bytes] | None = None
        self.unfinished = ""
        self.signals: dict[int, Any] = {}
        if path is None:
            return
        try:
            self._open(path)
        except (OSError, ValueError) as error:
            raise _unwritable(path, error) from None

    def _open(self, path: str) -> None:
        target = os.path.realpath(path)
        try:
            found = os.stat(path)
        except FileNotFoundError:
            if not path:
                raise
            mask = os.umask(0)
            os.umask(mask)
            mode = 0o666 & ~mask
        else:
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(21, "is a directory")
            if not stat.S_ISREG(found.st_mode):
                self.file = open(path, "wb")  # noqa: SIM115 - closed when it is finished
                return
            if not os.access(target, os.W_OK):
                raise PermissionError(13, "permission denied")
            mode = stat.S_IMODE(found.st_mode)
        folder, name = os.path.split(target)
        unfinished = os.path.join(folder, f".{name[:64]}.{os.getpid()}.{os.urandom(4).hex()}.part")
        self._remove_when_ended()
        self.target, self.unfinished = target, unfinished
        try:
            number = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            self._leave_signals()
            raise
        self.file = os.fdopen(number, "wb")
        with suppress(OSError):
            os.chmod(unfinished, mode)

    def _remove_when_ended(self) -> None:
        for signum in ENDING:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self.signals[signum] = signal.signal(signum, self._ended)

    def _leave_signals(self) -> None:
        for signum, before in self.signals.items():
            signal.signal(signum, before)

    def _ended(self, signum: int, _: FrameType | None) -> None:
        self._remove()
        die_of(signum)

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        """Removes what was not finished."""
        if self.file is not None:
            with suppress(OSError):
                self.file.close()
        self._remove()
        self._leave_signals()

    def _remove(self) -> None:
        if self.unfinished:
            with suppress(OSError):
                os.unlink(self.unfinished)

    def write(self, data: bytes) -> None:
        """Raises:
        Exit: a file takes nothing any more; that is said.
        """
        if self.file is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
            return
        try:
            self.file.write(data)
        except OSError as error:
            raise self._failed(error) from None

    def finish(self) -> None:
        """Lets a file appear under its name.

        Raises:
            Exit: it cannot be written to its end; that is said.
        """
        if self.file is None:
            return
        try:
            self.file.flush()
            if self.unfinished:
                os.fsync(self.file.fileno())
            self.file.close()
            if self.unfinished:
                os.replace(self.unfinished, self.target)
                self.unfinished = ""
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> Exit:
        from gradcli.language.telling.diagnostics import Diagnostic

        say(Diagnostic(f"cannot write {self.path}: {reason(error)}", ""))
        return Exit(FAILED)


def _unwritable(path: str, error: OSError | ValueError) -> UsageError:
    return UsageError(f"cannot write {path or 'a file without a name'}: {reason(error)}", None)

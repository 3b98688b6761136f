"""What the system does to a process: signals that end it, limits that it cannot pass, children.

A call into native code may take hours or all memory and no Python code, no signal handler either,
runs meanwhile. So what is not trusted to end is evaluated in a child: the system ends it by a
signal, and its parent lives to tell.
"""

from __future__ import annotations

import os
import signal
import sys
from time import monotonic, sleep
from typing import Any, Final, NamedTuple, NoReturn

GRACE: Final = 0.5
"""Seconds between the end of a time limit, which loop turns and calls look at and report with a
place, and the signal that ends whatever does not look."""

WHOLE: Final = 1024
"""Characters of a text that a pipe takes whole: 4096 bytes at least, on Linux."""


class Limits(NamedTuple):
    """How far one evaluation may go: loop turns and calls, seconds, bytes; None is no limit."""

    max_steps: int | None = None
    timeout: float | None = None
    max_memory: int | None = None

    @property
    def needs_child(self) -> bool:
        """Whether only another process can enforce them."""
        return self.timeout is not None or self.max_memory is not None

    def missing(self) -> str:
        """Why this system cannot enforce them, or ""."""
        if self.needs_child and not hasattr(os, "fork"):
            return "this system cannot fork a process to be ended"
        if self.max_memory is not None and not sys.platform.startswith("linux"):
            return "this system has no limit of memory for a process"
        return ""


NO_MEMORY: Final = "there is no more memory"
"""What is said where memory ran out and nobody knows how much was wanted."""


class CrashError(Exception):
    """The process that evaluated ended before it had an answer."""


def stopped_after(timeout: float) -> str:
    """What is said of an evaluation that took too long."""
    return f"stopped after {timeout:g} s"


class _Process:
    """Attributes:
    is_own: whether the command has this process to itself, and may fork or end it.
    """

    is_own = False


process: Final = _Process()


def take_over() -> None:
    """Makes this process the command's own: Ctrl-C ends it at once, in native code too, unless it
    is to be ignored.
    """
    process.is_own = True
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def come_back_from_interrupts() -> None:
    """Lets Ctrl-C raise `KeyboardInterrupt` again."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def die_of(signum: int) -> NoReturn:
    """Ends this process by a signal, so that whoever started it sees that."""
    signal.signal(signum, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signum])
    os.kill(os.getpid(), signum)
    os._exit(128 + signum)  # where the signal has no effect


def end_at_once(code: int) -> None:
    """Ends this process, unless a profiler, debugger or the like has still to look at it.

    The standard streams must be flushed. All else the system takes back sooner than Python, which
    would spend a tenth of a short evaluation's time on freeing object after object.
    """
    if sys.getprofile() is None and sys.gettrace() is None:
        os._exit(code)


def write_whole(text: str) -> None:
    """Writes lines to the standard output, so that Ctrl-C leaves them whole or out.

    A reader that takes longer than `GRACE` gets a part of a long line.
    """
    if len(text) > WHOLE and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        with _Held():
            _write(text)
    else:
        _write(text)


def _write(text: str) -> None:
    sys.stdout.write(text)
    if text.endswith("\n"):
        sys.stdout.flush()


class _Held:
    """A time in which Ctrl-C waits, but not for long."""

    def __enter__(self) -> None:
        self.came = False
        self.before = signal.signal(signal.SIGINT, self.note)

    def note(self, *_: Any) -> None:
        self.came = True
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, self.give_up)
            signal.setitimer(signal.ITIMER_REAL, GRACE)

    def give_up(self, *_: Any) -> None:
        self.__exit__()

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self.before)
        if self.came:
            if hasattr(signal, "setitimer"):
                signal.setitimer(signal.ITIMER_REAL, 0)
            os.kill(os.getpid(), signal.SIGINT)


def set_alarm(timeout: float | None) -> None:
    """Has the system end this process when `timeout` is over and the grace; None calls it off."""
    signal.setitimer(signal.ITIMER_REAL, 0 if timeout is None else timeout + GRACE)


def allow_memory_kept(wanted: bool) -> None:
    """Lets the C library keep the memory of large arrays that are freed, or not.

    Otherwise the system takes it back and zeroes new pages for the next array, which costs more
    than the arithmetic; under a limit, what is kept and in pieces is missing. Other libraries than
    glibc have no such switch.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mmap_threshold, trim_threshold = -3, -1
    limit = 1 << 30 if wanted else 128 << 10
    mallopt(mmap_threshold, limit)
    mallopt(trim_threshold, limit)


ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that people and schedulers send to end a process."""

_children: Final[dict[int, bool]] = {}
"""The children that live, each with whether it writes, and so gets the time to end a line."""


def fork(writes: bool) -> int:
    """Forks: 0 in the child, which does not outlive its parent where the system sees to that.

    A child that `writes` to the standard streams ends by Ctrl-C, another one leaves that to its
    parent. Either ends by its alarm.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if child:
        _children[child] = writes
        return child
    _children.clear()
    for signum in (*ENDING, signal.SIGALRM):
        if signum is signal.SIGALRM or signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, signal.SIG_DFL)
    if not writes:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [*ENDING, signal.SIGALRM])
    _die_with_parent(parent)
    return 0


def wait(child: int) -> int:
    """Waits for the end of a child; the status."""
    status = os.waitpid(child, 0)[1]
    _children.pop(child, None)
    return status


def has_ended(child: int) -> bool:
    """Whether a child has ended already; then there is nothing to wait for any more."""
    ended = os.waitpid(child, os.WNOHANG)[0] != 0
    if ended:
        _children.pop(child, None)
    return ended


def end(child: int) -> None:
    """Ends a child at once."""
    os.kill(child, signal.SIGKILL)
    wait(child)


def end_together() -> None:
    """Lets signals that end this process end its children before."""
    for signum in ENDING:
        if signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, _end_all)


def _end_all(signum: int, _: Any) -> None:
    waiting = [child for child, writes in _children.items() if writes]
    for child in waiting:
        os.kill(child, signum)
    until = monotonic() + 1.5 * GRACE
    while waiting and monotonic() < until:
        waiting = [child for child in waiting if not has_ended(child)]
        sleep(0.005)
    for child in list(_children):
        os.kill(child, signal.SIGKILL)
    die_of(signum)


def _die_with_parent(parent: int) -> None:
    import ctypes

    try:
        prctl = ctypes.CDLL(None).prctl
    except (OSError, AttributeError, TypeError):
        return
    set_parent_death_signal = 1
    prctl(set_parent_death_signal, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it ended before


OUT_OF_MEMORY: Final = 12
"""The exit code of a child that had no memory left to say so."""


def told(status: int, limits: Limits) -> tuple[str, str]:
    """The type and the message of the error that a child's status amounts to."""
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGALRM and limits.timeout is not None:
        return "LimitError", stopped_after(limits.timeout)
    if code == OUT_OF_MEMORY:
        return MemoryError.__name__, NO_MEMORY
    if code >= 0:
        what = f"ended with exit code {code}"
    else:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        what = f"was ended by {name}{_WORDS.get(name, '')}"
    if limits.max_memory is not None:
        what += f"; it had {limits.max_memory} bytes of memory"
    return CrashError.__name__, f"the process that evaluates {what}"


_WORDS: Final = {
    "SIGKILL": ", as the system does where memory runs out",
    "SIGSEGV": ", a segmentation fault",
    "SIGBUS": ", an access to memory that is not there",
    "SIGABRT": ": a library gave up",
    "SIGFPE": ", an impossible division",
    "SIGXCPU": ": its time on the processor was used up",
}


class Watch:
    """Ends this process where an interrupt does not end an evaluation within a second.

    Enter it around each evaluation. Between them others may want to know of signals, such as the
    line editor. Without `fork`, or in a process that is not the command's own, nobody watches.

    Args:
        words: what is said then.
    """

    def __init__(self, words: str) -> None:
        self.writer = -1
        if not process.is_own or not hasattr(os, "fork"):
            return
        reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        session = os.getpid()
        if os.fork() == 0:
            os.close(self.writer)
            try:
                _watch(reader, session, words)
            finally:
                os._exit(0)
        os.close(reader)

    def __enter__(self) -> None:
        if self.writer >= 0:
            signal.set_wakeup_fd(self.writer, warn_on_full_buffer=False)

    def __exit__(self, *_: object) -> None:
        if self.writer >= 0:
            signal.set_wakeup_fd(-1)
            os.write(self.writer, _BACK)


_BACK: Final = b"\0"


def _watch(reader: int, session: int, words: str) -> None:
    """Reads the numbers of signals that arrive during an evaluation, and when it is over."""
    import select

    for signum in ENDING:
        signal.signal(signum, signal.SIG_IGN)
    until: float | None = None
    while True:
        left = None if until is None else max(0.0, until - monotonic())
        if not select.select([reader], [], [], left)[0]:
            os.write(2, f"{words}\n".encode())
            os.kill(session, signal.SIGTERM)
            return
        heard = os.read(reader, 1)
        if not heard:
            return
        if heard == _BACK:
            until = None
        elif heard[0] == signal.SIGINT and until is None:
            until = monotonic() + 1

"""The entry point: whatever happens becomes an exit code, and nothing a traceback.

Nothing is imported here but what Python has loaded anyway, so that Ctrl-C is caught early and a
command does not wait for what it does not use.
"""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130
CLOSED_PIPE = 141  # what a shell shows for a process that died of SIGPIPE


def main() -> int:
    """Runs the command line of this process."""
    try:
        code = guarded(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        code = CLOSED_PIPE
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        _abandon_closed_streams()
    return code


def guarded(arguments: list[str]) -> int:
    """Runs a command line; the exit code."""
    from gradcli.cli.app import run

    tune()
    return run(arguments)


def tune() -> None:
    """Settings of the process.

    A graph of a million nodes is a million objects that live until the end: a garbage collector
    with Python's thresholds would walk over them again and again, for nothing.
    """
    import gc
    import warnings

    from gradcli.cli.report import show_warning

    gc.set_threshold(200_000, 20, 100)
    keep_memory()
    warnings.showwarning = show_warning
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def keep_memory() -> None:
    """Lets the C library keep the memory of large arrays that are freed.

    Otherwise the system takes it back and zeroes new pages for the next array, which costs more
    than the arithmetic. Other libraries than glibc have no such switch.
    """
    import ctypes

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return
    mmap_threshold, trim_threshold, limit = -3, -1, 1 << 30
    mallopt(mmap_threshold, limit)
    mallopt(trim_threshold, limit)


def _abandon_closed_streams() -> None:
    """Lets the interpreter's own flush at exit go nowhere where a stream is closed."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except ValueError:
            pass

"""The entry point: whatever happens becomes an exit code, and nothing a traceback.

Nothing is imported here but what every command needs, so that Ctrl-C ends it early and a command
does not wait for what it does not use.
"""

from __future__ import annotations

import signal
import sys

from gradcli.cli.streams import (
    OutputError,
    abandon_output,
    end_by_closed_pipe,
    flush_output,
    open_streams,
)
from gradcli.process import allow_memory_kept, die_of, end_at_once, take_over


def main() -> int:
    """Runs the command line of this process, and ends it."""
    take_over()
    open_streams()
    try:
        code = guarded(sys.argv[1:])
        sys.stdout.flush()
        sys.stderr.flush()
    except OutputError as error:
        code = _cut_off(error)
    except KeyboardInterrupt:
        flush_output()
        die_of(signal.SIGINT)
    end_at_once(code)
    return code


def guarded(arguments: list[str]) -> int:
    """Runs a command line; the exit code."""
    tune()
    from gradcli.cli.app import run

    return run(arguments)


def tune() -> None:
    """Settings of the process.

    A graph of a million nodes is a million objects that live until the end: a garbage collector
    with Python's thresholds would walk over them again and again, for nothing. In a short command
    it does not run at all; large tensors that wait for it are counted by the budget of memory.
    """
    import gc

    from gradcli.cli.report import show_warnings
    from gradcli.tensor.memory import budget

    gc.set_threshold(200_000, 20, 100)
    budget.collects = True
    allow_memory_kept(True)
    show_warnings()


def _cut_off(error: OutputError) -> int:
    """Ends a process whose output goes nowhere, with a word if that is read; the exit code."""
    if not error.closed_pipe:
        from gradcli.cli.report import FAILED, say
        from gradcli.language.telling.diagnostics import Diagnostic

        abandon_output()
        try:
            say(Diagnostic(f"cannot write to the standard output: {error}", ""))
        except OutputError:
            pass
        else:
            return FAILED
    return end_by_closed_pipe()

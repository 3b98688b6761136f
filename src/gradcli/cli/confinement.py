"""Evaluation under limits that the system enforces: in a child of the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from gradcli.cli.report import FAILED, PASSED, Exit, UsageError, fail, tell
from gradcli.process import (
    ENDING,
    Limits,
    die_of,
    end_together,
    fork,
    process,
    set_alarm,
    told,
    wait,
)
from gradcli.tensor.memory import limit_memory


def check_enforceable(limits: Limits) -> None:
    """Raises:
    UsageError: this system cannot enforce them.
    """
    missing = limits.missing()
    if missing:
        option = "--timeout" if limits.max_memory is None else "--max-memory"
        raise UsageError(f"{option}: {missing}")


def confine(limits: Limits, json: bool = False) -> None:
    """Goes on in a child that the limits end; without such limits, in this process. What is read
    there counts: an input may not end either.

    So it does too in a process that is not the command's own: there the limits hold as far as the
    machine looks at them.

    Args:
        json: whether an end by the limits is answered in JSON, too.

    Raises:
        Exit: in the parent, with the exit code of the child; 1 where the system ended it.
    """
    if not (limits.needs_child and process.is_own):
        return
    end_together()
    child = fork(writes=True)
    if child == 0:
        if limits.max_memory is not None:
            limit_memory(limits.max_memory)
        set_alarm(limits.timeout)
        return
    status = wait(child)
    code = os.waitstatus_to_exitcode(status)
    if -code in (*ENDING, signal.SIGPIPE):
        die_of(-code)
    if code < 0:
        from gradcli.language.telling.diagnostics import Diagnostic

        tell(Diagnostic(*told(status, limits)), json)
        code = FAILED
    raise Exit(code)


def release() -> None:
    """Calls the limit of time off: the answer or the error is written, and nothing else follows."""
    if process.is_own and hasattr(signal, "setitimer"):
        set_alarm(None)


@contextmanager
def reported(debug: bool = False, json: bool = False) -> Iterator[None]:
    """Turns errors of an evaluation inside into reports, as `fail` does; limits end with that."""
    try:
        yield
    except PASSED:
        raise
    except Exception as error:
        failure = fail(error, debug, json)
        release()
        raise failure from None

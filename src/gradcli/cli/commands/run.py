"""`gradcli run`: a program file."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gradcli.cli.arguments import whole_number
from gradcli.cli.report import PASSED, UsageError, fail


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The program; - reads the standard input.")
    ],
    max_steps: Annotated[
        str | None,
        typer.Option(metavar="N", help="Stop after N loop turns and function calls."),
    ] = None,
    timeout: Annotated[
        str | None, typer.Option(metavar="SECONDS", help="Stop after this time.")
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show Python's traceback of an error.")
    ] = False,
) -> None:
    """Run a program: its output is what Python with PyTorch would print.

    An error ends it with exit code 1 (3 where the text does not parse); what was printed stays.
    """
    steps, seconds = read_limits(max_steps, timeout)
    import gradcli.wiring  # noqa: F401
    from gradcli.cli.source import origin_of, read_text
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.running.machine import Machine

    try:
        code = compile_text(read_text(file), origin_of(file))
        Machine(max_steps=steps, timeout=seconds).run(code)
    except PASSED:
        raise
    except Exception as error:
        raise fail(error, debug) from None
    sys.stdout.flush()


def read_limits(max_steps: str | None, timeout: str | None) -> tuple[int | None, float | None]:
    """The numbers of `--max-steps` and `--timeout`.

    Raises:
        UsageError: they are none, or not positive.
    """
    seconds = None
    if timeout is not None:
        try:
            seconds = float(timeout)
        except ValueError:
            seconds = 0.0
        if not seconds > 0:
            raise UsageError(f"--timeout must be a positive number of seconds, not {timeout}")
    return whole_number("--max-steps", max_steps, 1), seconds

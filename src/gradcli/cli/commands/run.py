"""`gradcli run`: a program file."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gradcli.cli.arguments import MaxMemory, Timeout, whole_number
from gradcli.cli.confinement import check_enforceable, confine, release
from gradcli.cli.report import PASSED, fail
from gradcli.process import Limits, write_whole


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The program; - reads the standard input.")
    ],
    max_steps: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1), metavar="N", help="Stop after N loop turns and function calls."
        ),
    ] = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show Python's traceback of an error.")
    ] = False,
) -> None:
    """Run a program: its output is what Python with PyTorch would print.

    An error ends it with exit code 1 (3 where the text does not parse); what was printed stays.
    """
    limits = Limits(max_steps, timeout, max_memory)
    check_enforceable(limits)
    import gradcli.wiring  # noqa: F401
    from gradcli.cli.source import origin_of, read_text
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.running.machine import Machine

    try:
        confine(limits)
        text = read_text(file)
        code = compile_text(text, origin_of(file))
        Machine(write=write_whole, max_steps=max_steps, timeout=timeout).run(code)
    except PASSED:
        raise
    except Exception as error:
        failure = fail(error, debug)
        release()
        raise failure from None
    sys.stdout.flush()
    release()

"""`gradcli run`: a program file."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gradcli.cli.arguments import Const, Let, MaxMemory, Timeout, whole_number
from gradcli.cli.confinement import check_enforceable, confine, release
from gradcli.cli.report import PASSED, fail
from gradcli.process import Limits, write_whole


def command(
    context: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The program; - reads the standard input.")
    ],
    const: Const = None,
    let: Let = None,
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

    An error ends it with exit code 1 (3 where the text does not parse); what was printed stays. A
    variable that it reads and does not set is given by a flag of its own name, as for `gradcli
    eval`: --x 3, --x @weights.npy.
    """
    limits = Limits(max_steps, timeout, max_memory)
    check_enforceable(limits)
    from gradcli.cli.source import origin_of, read_text
    from gradcli.cli.variables import bind_program, variables_given
    from gradcli.evaluation import define
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.running.machine import Machine

    try:
        given = variables_given(context, const, let)
        confine(limits)
        text = read_text(file)
        bindings = bind_program(compile_text(text, origin_of(file)), given, context)
        machine = Machine(write=write_whole, max_steps=max_steps, timeout=timeout)
        define(machine, bindings)
        machine.run(bindings.code)
    except PASSED:
        raise
    except Exception as error:
        failure = fail(error, debug)
        release()
        raise failure from None
    sys.stdout.flush()
    release()

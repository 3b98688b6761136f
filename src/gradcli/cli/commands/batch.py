"""`gradcli batch`: a record a line in, an answer a line out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gradcli.cli.arguments import MaxMemory, Timeout, whole_number
from gradcli.cli.confinement import check_enforceable
from gradcli.cli.report import FAILED
from gradcli.process import Limits, end_together


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The records; - reads the standard input.")
    ],
    max_steps: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(1),
            metavar="N",
            help="Stop a record after N loop turns and function calls.",
        ),
    ] = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show Python's traceback of an internal error.")
    ] = False,
) -> None:
    """Answer many expressions or programs, one record a line, each with a line of JSON.

    A line is a JSON object with "expr" or "program", or else an expression with its declarations,
    as in: let x = 3; x*x. Blank lines and # comments are skipped. The exit code is 1 if a record
    failed; the others are answered all the same, and with --timeout or --max-memory those after
    one that ends the evaluating process, too.

    A terminal shows how many records are answered, and how many a second.
    """
    limits = Limits(max_steps, timeout, max_memory)
    check_enforceable(limits)
    from gradcli.batch.executors import replies
    from gradcli.cli.progress import Progress
    from gradcli.cli.source import read_lines

    if limits.needs_child:
        end_together()
    answered = failed = first = 0
    with Progress(file) as progress:
        for number, answer in replies(progress.counted(read_lines(file, max_memory)), limits):
            answered += 1
            if not answer.ok:
                failed += 1
                first = first or number
            progress.write(answer.text + "\n", answered, failed)
    if failed:
        records = "record" if answered == 1 else "records"
        print(
            f"error: {failed} of {answered} {records} failed, the first in line {first}",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED)

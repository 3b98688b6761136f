"""`gradcli batch`: a record a line in, an answer a line out."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gradcli.cli.arguments import positive_seconds, whole_number
from gradcli.cli.report import FAILED


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
    timeout: Annotated[
        float | None,
        typer.Option(
            parser=positive_seconds, metavar="SECONDS", help="Stop a record after this time."
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show Python's traceback of an internal error.")
    ] = False,
) -> None:
    """Answer many expressions or programs, one record a line, each with a line of JSON.

    A line is a JSON object with "expr" or "program", or else an expression with its declarations,
    as in: let x = 3; x*x. Blank lines and # comments are skipped. The exit code is 1 if a record
    failed; the others are answered all the same.
    """
    from gradcli.batch.sequential import replies
    from gradcli.batch.worker import Limits
    from gradcli.cli.source import read_lines

    answered = failed = first = 0
    for number, answer in replies(read_lines(file), Limits(max_steps, timeout)):
        answered += 1
        if not answer.ok:
            failed += 1
            first = first or number
        sys.stdout.write(answer.text + "\n")
        sys.stdout.flush()
    if failed:
        records = "record" if answered == 1 else "records"
        print(
            f"error: {failed} of {answered} {records} failed, the first in line {first}",
            file=sys.stderr,
        )
        raise typer.Exit(FAILED)

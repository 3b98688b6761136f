"""`gradcli batch`: a record a line in, an answer a line out."""

import sys
from typing import Annotated

from gradcli.cli.confinement import check_enforceable
from gradcli.cli.declarations import Argument, MaxMemory, Option, Timeout, whole_number
from gradcli.cli.report import FAILED, Exit
from gradcli.process import Limits, end_together


def command(
    file: Annotated[str, Argument("FILE", "The records; - reads the standard input.")],
    max_steps: Annotated[
        int | None,
        Option(
            "Stop a record after N loop turns and function calls.",
            metavar="N",
            parser=whole_number(1),
        ),
    ] = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Annotated[bool, Option("Show Python's traceback of an internal error.")] = False,
) -> None:
    """Answer many expressions or programs, one record a line, each with a line of JSON.

    A line is a JSON object with "expr" or "program", or else an expression with its declarations,
    as in: let x = 3; x*x. Blank lines and # comments are skipped. "claims" beside "expr" are
    judged as `gradcli check` does. The exit code is 1 if a record failed; the others are answered
    all the same, and with --timeout or --max-memory those after one that ends the evaluating
    process, too.

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
        raise Exit(FAILED)

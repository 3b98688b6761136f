"""`gradcli run`: a program file."""

import sys
from typing import Annotated

from gradcli.cli.confinement import check_enforceable, confine, release, reported
from gradcli.cli.declarations import (
    Argument,
    Const,
    Debug,
    Let,
    Line,
    MaxMemory,
    Option,
    Timeout,
    whole_number,
)
from gradcli.cli.report import note
from gradcli.process import Limits, write_whole


def command(
    line: Line,
    file: Annotated[str, Argument("FILE", "The program; - reads the standard input.")],
    const: Const = None,
    let: Let = None,
    max_steps: Annotated[
        int | None,
        Option("Stop after N loop turns and function calls.", metavar="N", parser=whole_number(1)),
    ] = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Run a program: its output is what Python with PyTorch would print.

    An error ends it with exit code 1 (3 where the text does not parse); what was printed stays. A
    variable that it reads and does not set is given by a flag of its own name, as for `gradcli
    eval`: --x 3, --x @weights.npy. Of a notebook (FILE.ipynb) the code cells run in order, and each
    shows its last value.
    """
    limits = Limits(max_steps, timeout, max_memory)
    check_enforceable(limits)
    from gradcli.cli.source import is_notebook, origin_of, read_text
    from gradcli.cli.variables import bind_program, variables_given
    from gradcli.evaluation import define
    from gradcli.language.compiling.compiler import compile_text
    from gradcli.language.running.machine import Machine
    from gradcli.readings import remarks

    with reported(debug):
        given = variables_given(line, const, let)
        confine(limits)
        text, origin = read_text(file), origin_of(file)
        machine = Machine(write=write_whole, max_steps=max_steps, timeout=timeout)
        if is_notebook(file):
            from gradcli.cli.notebooks import cells_of, compiled, run_cells

            cells = cells_of(text, origin)
            codes = compiled(cells)
            text = "\n".join(cell.text for cell in cells)
        bindings = bind_program(compile_text(text, origin), given, line)
        define(machine, bindings)
        if is_notebook(file):
            run_cells(machine, codes, write_whole, timeout)
        else:
            machine.run(bindings.code)
    sys.stdout.flush()
    if debug:
        note((), remarks())
    release()

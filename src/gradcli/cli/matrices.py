"""What `gradcli jacobian` and `gradcli hessian` share."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from gradcli.cli.confinement import check_enforceable, confine, release, reported
from gradcli.cli.declarations import Argument, Line, Option, whole_number
from gradcli.cli.questions import check_names, listed, set_defaults, source_of
from gradcli.cli.report import UsageError, wants_color
from gradcli.process import Limits, write_whole

Expression = Annotated[
    str,
    Argument(
        "EXPR",
        "The expression, after declarations if need be; - reads the standard input.",
        takes_negations=True,
    ),
]
Dtype = Annotated[str, Option("The dtype of plain numbers.", metavar="DTYPE")]
Wrt = Annotated[
    list[str] | None, Option("The variables to differentiate by, as x,y.", metavar="NAMES")
]
Json = Annotated[bool, Option("Print one line of JSON.")]
Precision = Annotated[
    int | None, Option("Digits after the point (4).", metavar="N", parser=whole_number(0))
]


class Question(NamedTuple):
    """What a command asks for.

    Attributes:
        second: second derivatives.
        rank, eigenvalues: whether these are asked for, too.
    """

    expression: str
    second: bool
    const: list[str] | None
    let: list[str] | None
    dtype: str
    wrt: list[str] | None
    json: bool
    get: list[str] | None
    precision: int | None
    limits: Limits
    debug: bool
    rank: bool = False
    eigenvalues: bool = False


def answer(line: Line, question: Question) -> None:
    """Computes a matrix and prints it."""
    if question.json and question.get is not None:
        raise UsageError("--json and --get contradict each other")
    wanted = listed("--wrt", "no variable", question.wrt)
    parts = listed("--get", "nothing", question.get)
    check_enforceable(question.limits)
    set_defaults(question.dtype, question.precision)
    from gradcli.cli.variables import bind, variables_given
    from gradcli.evaluation import compile_expression
    from gradcli.language.running.machine import Machine
    from gradcli.matrices import hessian, jacobian
    from gradcli.views.matrices import Shown, facts_of

    with reported(question.debug, question.json):
        given = variables_given(line, question.const, question.let)
        confine(question.limits, question.json)
        text, origin = source_of(question.expression)
        bindings = bind(compile_expression(text, origin), given, line)
        check_names("--wrt", bindings, wanted)
        write = sys.stderr.write if question.json or parts else write_whole
        machine = Machine(write=write, timeout=question.limits.timeout)
        matrix = (hessian if question.second else jacobian)(machine, bindings, wanted)
        facts = facts_of(
            matrix,
            question.rank or "rank" in parts,
            question.eigenvalues or not {*parts}.isdisjoint(("eigenvalues", "definiteness")),
        )
        shown = _shown(Shown(matrix, question.second, facts), question.json, parts)
    write_whole(shown)
    release()


def _shown(shown: Any, json: bool, parts: Sequence[str]) -> str:
    """The answer in the form that was asked for."""
    from gradcli.views.matrices import matrix_fields, matrix_parts, matrix_text

    if json:
        from gradcli.views.jsonout import dumps

        return dumps({"ok": True, **matrix_fields(shown)}) + "\n"
    if parts:
        known = matrix_parts(shown)
        facts = ("eigenvalues", "definiteness") if shown.second else ("rank",)
        for part in parts:
            if part not in known:
                names = dict.fromkeys((*known, *facts))
                raise UsageError(f"--get: there is no {part}", f"it takes {', '.join(names)}")
        from gradcli.views.answers import in_columns

        return f"{in_columns([known[part]() for part in parts])}\n"
    return str(matrix_text(shown, "\x1b[36m{}\x1b[0m" if wants_color(sys.stdout) else "{}"))

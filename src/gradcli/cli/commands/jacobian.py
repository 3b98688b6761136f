"""`gradcli jacobian`: all first derivatives of an expression."""

from typing import Annotated

from gradcli.cli.declarations import Const, Debug, Let, Line, MaxMemory, Option, Timeout
from gradcli.cli.matrices import (
    Dtype,
    Expression,
    Json,
    Precision,
    Question,
    Wrt,
    answer,
)
from gradcli.process import Limits


def command(
    line: Line,
    expression: Expression,
    const: Const = None,
    let: Let = None,
    dtype: Dtype = "float32",
    wrt: Wrt = None,
    rank: Annotated[bool, Option("Also the rank of the whole matrix.")] = False,
    json: Json = False,
    get: Annotated[
        list[str] | None,
        Option(
            "Print this only: d/dx (d[1]/dx of several outputs), value or rank; several"
            " between tabs.",
            metavar="WHAT",
        ),
    ] = None,
    precision: Precision = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Print the Jacobian of an expression: a block for each output and variable.

    A block has the shape of the output followed by that of the variable. Variables are given as for
    `gradcli eval`: --x 3, --x "[1, 2]", --x @weights.npy.
    """
    limits = Limits(timeout=timeout, max_memory=max_memory)
    question = Question(
        *(expression, False, const, let, dtype, wrt, json, get, precision, limits, debug),
        rank=rank,
    )
    answer(line, question)

"""`gradcli hessian`: all second derivatives of an expression."""

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
    eigenvalues: Annotated[
        bool, Option("Also the eigenvalues of the whole, and what they say.")
    ] = False,
    json: Json = False,
    get: Annotated[
        list[str] | None,
        Option(
            "Print this only: d2/dx2, d2/dxdy, value, eigenvalues or definiteness; several"
            " between tabs.",
            metavar="WHAT",
        ),
    ] = None,
    precision: Precision = None,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Print the Hessian of an expression of one element: a block for each pair of variables.

    A block has the shape of the one variable followed by that of the other. Variables are given as
    for `gradcli eval`: --x 3, --x "[1, 2]", --x @weights.npy.
    """
    limits = Limits(timeout=timeout, max_memory=max_memory)
    question = Question(
        *(expression, True, const, let, dtype, wrt, json, get, precision, limits, debug),
        eigenvalues=eigenvalues,
    )
    answer(line, question)

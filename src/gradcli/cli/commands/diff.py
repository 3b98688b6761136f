"""`gradcli diff`: derivatives as formulas."""

from typing import Annotated

from gradcli.cli.declarations import (
    Const,
    Debug,
    Let,
    Line,
    MaxMemory,
    Option,
    Timeout,
    whole_number,
)
from gradcli.cli.formulas import FORMATS, Question, answer, one_of
from gradcli.cli.matrices import Expression, Json
from gradcli.process import Limits


def command(
    line: Line,
    expression: Expression,
    const: Const = None,
    let: Let = None,
    wrt: Annotated[
        list[str] | None,
        Option("The variable to differentiate by, or several, as x,y.", metavar="NAMES"),
    ] = None,
    order: Annotated[int, Option("Of the derivatives.", metavar="N", parser=whole_number(1))] = 1,
    all: Annotated[bool, Option("Every partial derivative of the order, mixed ones too.")] = False,
    gradient: Annotated[bool, Option("A list of the first derivatives.")] = False,
    at: Annotated[
        list[str] | None,
        Option('Also the values at a point, as "x=3, y=[1, 2]".', metavar="POINT"),
    ] = None,
    format: Annotated[
        str,
        Option(
            "text, latex, or a program that checks itself: python, torch, c.",
            metavar="FORMAT",
            parser=one_of(FORMATS),
        ),
    ] = "text",
    no_let: Annotated[bool, Option("Spell common parts out.")] = False,
    max_terms: Annotated[
        int,
        Option(
            "The most names and numbers of a formula.",
            metavar="N",
            parser=whole_number(1),
        ),
    ] = 10_000,
    json: Json = False,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Print derivatives of an expression as formulas in the same language.

    Variables need no values: a point of the domain is chosen then, which --debug tells. Where they
    have some (--x 3, --x "[1, 2]", --at "x=3"), the derivatives are evaluated, too, and variables
    that are tensors have formulas of tensors.
    """
    question = Question(
        expression,
        const,
        let,
        wrt,
        order,
        all,
        gradient,
        at,
        format,
        no_let,
        max_terms,
        json,
        Limits(timeout=timeout, max_memory=max_memory),
        debug,
    )
    answer(line, question)

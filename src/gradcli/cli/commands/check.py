"""`gradcli check`: derivatives against values, and against what somebody believes them to be."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from gradcli.cli.confinement import check_enforceable, confine, release, reported
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
from gradcli.cli.matrices import Expression, Json, Wrt
from gradcli.cli.questions import check_names, listed, set_defaults, source_of
from gradcli.cli.report import (
    FAILED,
    USAGE,
    Exit,
    UsageError,
    say,
    wants_color,
)
from gradcli.process import Limits, write_whole

if TYPE_CHECKING:
    from gradcli.checking.question import Question, Report
    from gradcli.checking.texts import Claim, Written


def order_number(text: str) -> int:
    """An order up to which derivatives are compared.

    Raises:
        ValueError: it is neither 1 nor 2.
    """
    if text not in ("1", "2"):
        raise ValueError("must be 1 or 2")
    return int(text)


def relative_error(text: str) -> float:
    """A tolerance.

    Raises:
        ValueError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < 1:
        raise ValueError("must be a number between 0 and 1, as 1e-3")
    return number


def command(
    line: Line,
    expression: Expression,
    const: Const = None,
    let: Let = None,
    claim: Annotated[
        list[str] | None,
        Option(
            'A derivative that you believe in, as "x: 2*x*y" or "d2/dx2: 2*y"; @FILE has one a'
            " line.",
            metavar="CLAIM",
        ),
    ] = None,
    assert_: Annotated[
        list[str] | None,
        Option('Exit 1 if this fails, as "x.grad > 0" or "value < 1".', metavar="EXPR"),
    ] = None,
    points: Annotated[
        int | None,
        Option("Also N random points of the domain.", metavar="N", parser=whole_number(0)),
    ] = None,
    seed: Annotated[
        int, Option("Draw other random points.", metavar="N", parser=whole_number(0))
    ] = 0,
    order: Annotated[
        int, Option("Compare derivatives up to order N, 1 or 2.", metavar="N", parser=order_number)
    ] = 2,
    tolerance: Annotated[
        float | None,
        Option(
            "How far a claim may be off, relative to its size (1e-7).",
            metavar="ERROR",
            parser=relative_error,
        ),
    ] = None,
    grad_tensors: Annotated[
        list[str] | None,
        Option("The gradient that claims and assertions start from.", short="-g", metavar="SEED"),
    ] = None,
    wrt: Wrt = None,
    json: Json = False,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    debug: Debug = False,
) -> None:
    """Check derivatives, and claims about them; the exit code is 1 where one is wrong.

    Without a claim each first and second derivative is compared with a difference quotient: what
    backward says, what values say, how far these are apart, and the step. A claim is a formula: it
    is compared with what backward says, and where it differs, a counterexample is shown; where both
    have the same form, it is proved.

    That happens at the point that is given, and at random ones where a variable has no value, for
    claims, and with --points N. Numbers are float64.
    """
    limits = Limits(timeout=timeout, max_memory=max_memory)
    check_enforceable(limits)
    set_defaults("float64", None)
    from gradcli.checking.question import answer
    from gradcli.checking.texts import UnknownName
    from gradcli.language.telling.diagnostics import diagnose

    with reported(debug, json):
        try:
            texts = [_written("--assert", "assertion", text) for text in assert_ or []]
            question = _question(line, expression, const, let, wrt, limits, json)
            question = question._replace(
                claims=_claims(claim or []),
                assertions=texts,
                points=points,
                seed=seed,
                order=order,
                tolerance=question.tolerance if tolerance is None else tolerance,
                seeds=_seeds(grad_tensors or []),
            )
            report = answer(question, sys.stderr.write, timeout)
            shown = _shown(report, json)
        except UnknownName as error:
            say(diagnose(error))
            release()
            raise Exit(USAGE) from None
    write_whole(shown)
    release()
    if report.failure() is not None:
        raise Exit(FAILED)


def _question(
    line: Line,
    expression: str,
    const: list[str] | None,
    let: list[str] | None,
    wrt: list[str] | None,
    limits: Limits,
    json: bool,
) -> "Question":
    """The expression with its variables."""
    from gradcli.checking.question import Question
    from gradcli.cli.variables import bind_some, variables_given
    from gradcli.evaluation import compile_expression

    wanted = listed("--wrt", "no variable", wrt)
    given = variables_given(line, const, let)
    confine(limits, json)
    text, origin = source_of(expression)
    bindings = bind_some(compile_expression(text, origin), given, line)
    drawn = bindings.unbound()
    check_names("--wrt", bindings, wanted, drawn)
    return Question(bindings, drawn, wrt=wanted)


def _seeds(texts: list[str]) -> list[Any]:
    from gradcli.cli.variables import seeds_given

    return seeds_given(texts)


def _claims(texts: list[str]) -> "list[Claim]":
    """The claims of the command line, and of the files that it names.

    Raises:
        UsageError: a file cannot be read, or has none.
        ParseError: one is no claim.
    """
    from gradcli.checking.texts import parse_claim

    found = []
    for text in texts:
        if text.startswith("@"):
            found += [parse_claim(written) for written in _claims_of(text[1:])]
        else:
            found.append(parse_claim(_written("--claim", "claim", text)))
    return found


def _claims_of(path: str) -> "list[Written]":
    """The claims in a file, one a line; blank lines and comments are none."""
    from gradcli.checking.texts import Written
    from gradcli.cli.source import origin_of, read_text

    lines = enumerate(read_text(path).splitlines(), 1)
    found = [
        Written(text, origin_of(path), number)
        for number, text in lines
        if text.strip() and not text.lstrip().startswith("#")
    ]
    if not found:
        raise UsageError(f"--claim: there is no claim in {origin_of(path)}")
    return found


def _written(option: str, what: str, text: str) -> "Written":
    from gradcli.checking.texts import Written
    from gradcli.cli.source import check_argument

    return Written(check_argument(text, f"value of {option}"), what)


def _shown(report: "Report", json: bool) -> str:
    """The answer in the form that was asked for."""
    from gradcli.views.checks import report_fields, report_text

    if json:
        from gradcli.views.jsonout import dumps

        return dumps({"ok": report.failure() is None, **report_fields(report)}) + "\n"
    return report_text(report, _painted() if wants_color(sys.stdout) else _plain)


def _plain(word: str, good: bool) -> str:
    return word


def _painted() -> Callable[[str, bool], str]:
    """Verdicts in colour."""
    return lambda word, good: f"\x1b[{32 if good else 31}m{word}\x1b[0m"

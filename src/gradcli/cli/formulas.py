"""What `gradcli diff` does between its command line and its answer."""

import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from gradcli.cli.confinement import check_enforceable, confine, release, reported
from gradcli.cli.declarations import Line
from gradcli.cli.questions import check_names, listed, source_of
from gradcli.cli.report import UsageError, note
from gradcli.process import Limits, write_whole

if TYPE_CHECKING:
    from gradcli.evaluation import Bindings
    from gradcli.formulas.deriving import Deriver, Formula

PROGRAMS: Final = ("python", "torch", "c")
FORMATS: Final = ("text", "latex", *PROGRAMS)


class Question(NamedTuple):
    """What the command asks for: its options."""

    expression: str
    const: list[str] | None
    let: list[str] | None
    wrt: list[str] | None
    order: int
    all: bool
    gradient: bool
    at: list[str] | None
    format: str
    no_let: bool
    max_terms: int
    json: bool
    limits: Limits
    debug: bool


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """A parser of one of some words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return text

    return parse


def answer(line: Line, question: Question) -> None:
    """Derives formulas and prints them."""
    _check(question)
    wanted = listed("--wrt", "no variable", question.wrt)
    check_enforceable(question.limits)
    from gradcli.evaluation import compile_expression
    from gradcli.formulas.deriving import Deriver
    from gradcli.formulas.evaluating import evaluated_somewhere
    from gradcli.tensor.clock import limited

    with reported(question.debug, question.json):
        line.variables.extend(_points(question.at))
        from gradcli.cli.variables import bind_some, variables_given

        given = variables_given(line, question.const, question.let)
        confine(question.limits, question.json)
        text, origin = source_of(question.expression)
        bindings = bind_some(compile_expression(text, origin), given, line)
        timeout = question.limits.timeout
        with limited(timeout):
            known = [*bindings.unbound(), *[v.name for v in bindings.variables if v.kind == "let"]]
            names = wanted or known
            check_names("--wrt", bindings, wanted, bindings.unbound())
            evaluated = evaluated_somewhere(bindings, timeout, names, sys.stderr.write)
            deriver = Deriver(bindings.codes(), evaluated)
            partials = _partials(question, wanted, deriver)
            formulas = [deriver.mixed(names) for names in partials]
            shown = _shown(question, bindings, deriver, partials, formulas)
    write_whole(shown)
    note(deriver.notes(formulas), deriver.told_of_point() if question.debug else ())
    release()


def _check(question: Question) -> None:
    for flag, given in (("--all", question.all), ("--gradient", question.gradient)):
        if given and question.wrt is not None:
            raise UsageError(f"{flag} and --wrt contradict each other")
    if question.all and question.gradient:
        raise UsageError("--all and --gradient contradict each other")
    if question.gradient and question.order > 1:
        raise UsageError("--gradient and --order contradict each other")
    if question.json and question.format in PROGRAMS:
        raise UsageError(f"--json and --format {question.format} contradict each other")


def _points(texts: list[str] | None) -> list[tuple[str, str]]:
    """The variables of `--at`: assignments between commas that are in no brackets."""
    found = []
    for text in texts or []:
        for piece in re.split(r",(?=\s*[^\W\d]\w*\s*=(?!=))", text):
            name, equals, value = piece.partition("=")
            if not equals or not re.fullmatch(r"[^\W\d]\w*", name.strip()):
                raise UsageError(f"--at needs NAME=VALUE, not {piece.strip()!r}")
            found.append((name.strip(), value))
    return found


def _partials(question: Question, wanted: list[str], deriver: "Deriver") -> list[Sequence[str]]:
    """The derivatives that are asked for, each as the variables in turn."""
    from itertools import combinations_with_replacement

    names = wanted or deriver.names()
    if question.all:
        return list(combinations_with_replacement(names, question.order))
    if not names:
        raise UsageError("the expression has no variables")
    if not wanted and not question.gradient and len(names) > 1:
        raise UsageError(
            f"the expression has several variables: {', '.join(names)}",
            f"choose one, as --wrt {names[0]}, or ask for --all or --gradient",
        )
    return [(name,) * question.order for name in names]


def _shown(
    question: Question,
    bindings: "Bindings",
    deriver: "Deriver",
    partials: list[Sequence[str]],
    formulas: "list[Formula]",
) -> str:
    """The answer in the form that was asked for."""
    from gradcli.views.formulas import Shown, json_of, program_of, text_of

    shown = Shown(
        deriver,
        bindings,
        partials,
        formulas,
        question.gradient,
        not question.no_let and question.format != "latex",
        question.max_terms,
    )
    if question.format == "c":
        _check_numbers(deriver)
    if question.format in PROGRAMS:
        return program_of(shown, question.format)
    latex = question.format == "latex"
    return json_of(shown, latex) if question.json else text_of(shown, latex)


def _check_numbers(deriver: "Deriver") -> None:
    """Refuses tensors, of which C has none."""
    for name, leaf in deriver.evaluated.variables.items():
        if leaf._array.shape:
            raise UsageError(
                f"--format c is for formulas of numbers, and {name} has elements",
                "--format python and --format torch have tensors",
            )

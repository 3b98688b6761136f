"""A question about derivatives, and what came out: what `check` and records with claims share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcli.checking.claims import RIGHT, TOLERANCE, Verdict, hold, judge
from gradcli.checking.entries import Entry, check_entries, first_wrong
from gradcli.checking.points import DEFAULT, Points, points_for, spelled
from gradcli.checking.subject import Subject
from gradcli.checking.texts import Claim, Written, parse_assertion
from gradcli.evaluation import Bindings
from gradcli.tensor.clock import limited
from gradcli.tensor.errors import GradcheckError


class Question(NamedTuple):
    """What is asked about an expression.

    Attributes:
        drawn: the names of its variables that have no value.
        claims, assertions: what is to be judged; without any, each derivative is compared with
            difference quotients.
        points: how many random ones; None leaves it to what is asked.
        seed: of these.
        order: up to which derivatives are compared: 1 or 2.
        tolerance: how far a claim may be from the derivative, relative to its size.
        wrt, seeds: as a `Plan` has them.
    """

    bindings: Bindings
    drawn: Sequence[str] = ()
    claims: Sequence[Claim] = ()
    assertions: Sequence[Written] = ()
    points: int | None = None
    seed: int = 0
    order: int = 2
    tolerance: float = TOLERANCE
    wrt: Sequence[str] = ()
    seeds: Sequence[Any] = ()


class Report(NamedTuple):
    """What came out.

    Attributes:
        points: at how many points.
        entries: of the derivatives that were compared.
        wrong: the first of them that is wrong.
        claims, assertions: what is to be said of each.
    """

    points: int
    entries: Sequence[Entry]
    wrong: Entry | None
    claims: Sequence[Verdict]
    assertions: Sequence[Verdict]

    def failure(self) -> Exception | None:
        """The first thing that is not as it should be, in words; None where all is well."""
        if self.wrong is not None:
            entry = self.wrong
            return GradcheckError(
                f"{entry.name} at {spelled(entry.point)}: analytic {entry.analytic:.6g}, "
                f"numeric {entry.numeric:.6g}"
            )
        for what, verdicts in (("claim", self.claims), ("assertion", self.assertions)):
            for verdict in verdicts:
                if verdict.error is not None:
                    return verdict.error
                if verdict.verdict != RIGHT:
                    place = "" if verdict.point is None else f" at {spelled(verdict.point)}"
                    word = verdict.verdict if what == "claim" else "false"
                    return AssertionError(f"{what} {verdict.text}: {word}{place}")
        return None


def answer(
    question: Question, write: Callable[[str], object], timeout: float | None = None
) -> Report:
    """Checks what is asked; `write` takes what the text prints when it is first run.

    Raises:
        UnknownName: a claim or an assertion names what the expression does not have.
        ValueError: the given point is outside of the domain, or there is none.
        Exception: whatever a text or PyTorch's rules raise.
    """
    with limited(timeout):
        subject = Subject(
            *(question.bindings, question.drawn, question.wrt, question.seeds, write, timeout)
        )
        least = DEFAULT if question.claims else 0
        points = points_for(subject, question.points, least, question.seed)
        assertions = [parse_assertion(text, subject.template) for text in question.assertions]
        where = _places_of_assertions(question, points)
        entries: list[Entry] = []
        if not (question.claims or assertions):
            entries = check_entries(subject, points.points, question.order)
        return Report(
            len(points.points),
            entries,
            first_wrong(entries, points.points),
            [
                judge(subject, claim, points.points, question.tolerance, question.points != 0)
                for claim in question.claims
            ],
            [hold(subject, assertion, where) for assertion in assertions],
        )


def _places_of_assertions(question: Question, points: Points) -> Sequence[Any]:
    """The given point alone where random ones are there for claims only."""
    if question.points is None and points.given and not question.drawn:
        return points.points[: points.given]
    return points.points

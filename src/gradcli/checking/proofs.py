"""Claims proved: where the derivative and the claim have one form, they agree everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from gradcli.checking.subject import FAILURES, Run, Subject
from gradcli.domain import Point
from gradcli.evaluation import Steps
from gradcli.language.running.code import Code

MOST_ROWS: Final = 500
"""Operators of a text and its derivatives from which on no proof is looked for."""

MOST_FORMS: Final = 200
"""Forms of their difference that are looked at."""

HIGHEST: Final = 6
"""The order from which on none is."""


class Proof(NamedTuple):
    """That a claim is the derivative; `conditions` are what it assumes, as `x > 0`."""

    conditions: tuple[str, ...]


def proof_of(
    subject: Subject, claim: Code, claimed: Callable[[Run], Any], steps: Steps, point: Point
) -> Proof | None:
    """The proof of a claim, found by way of an evaluation at a point.

    None says nothing: forms may differ, or not be known, where values agree.

    Args:
        claimed: evaluates the claim after the text.
    """
    names = [name for name, times in steps for _ in range(min(times, HIGHEST + 1))]
    if subject.is_seeded or len(names) > HIGHEST:
        return None
    run, recorder, value = subject.recorded(point, claimed)
    if len(run.outputs) > 1 or run.outputs[0].ndim or recorder.trace.flaw:
        return None
    from gradcli.formulas import NoFormula
    from gradcli.formulas.deriving import Deriver
    from gradcli.formulas.evaluating import Evaluated

    evaluated = Evaluated(
        run.value,
        {**run.machine.declared, **run.leaves},
        {},
        recorder.ended(run.outputs[0]),
        recorder.places,
        recorder.looked,
    )
    try:
        deriver = Deriver([*subject.codes, claim], evaluated, MOST_ROWS)
        proved = deriver.is_proved(names, value, MOST_FORMS)
        return Proof(deriver.conditions()) if proved else None
    except (NoFormula, *FAILURES):
        return None

"""What checks of derivatives found: as lines, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from gradcli.checking.claims import RIGHT, Verdict
from gradcli.checking.entries import JUMP, KINK, UNSURE, WRONG, Entry, badness
from gradcli.checking.points import short, spelled
from gradcli.checking.question import Report
from gradcli.language.telling.diagnostics import diagnose, render
from gradcli.views.answers import error_fields

Paint = Callable[[str, bool], str]
"""How a verdict is written, given whether it is good."""

ROWS: Final = 24
"""Entries that a table has at most; more are left to JSON."""

WIDEST: Final = 24
"""Columns of the names of entries."""

_HEAD: Final = (("analytic", 12), ("numeric", 12), ("error", 8), ("step", 8))


def plain_words(word: str, good: bool) -> str:
    """A verdict without colour."""
    return word


def report_text(report: Report, paint: Paint = plain_words) -> str:
    """What was found, as lines of at most 80 columns, but for long claims."""
    lines = [*_table(report, paint)]
    for verdict in report.claims:
        lines += _verdict_lines(verdict, verdict.verdict, paint)
    for verdict in report.assertions:
        word = "true" if verdict.verdict == RIGHT else "false"
        lines += _verdict_lines(verdict, word, paint)
    return "".join(f"{line}\n" for line in lines)


def _table(report: Report, paint: Paint) -> Iterator[str]:
    """The entries, then what is to be said of all."""
    entries = report.entries
    if not entries:
        if not (report.claims or report.assertions):
            yield _summary(report, paint)
        return
    shown = _chosen(entries)
    width = min(max(len(entry.name) for entry in shown), WIDEST)
    yield " ".join([" " * width, *(f"{word:>{columns}}" for word, columns in _HEAD)])
    for entry in shown:
        cells = [
            f"{entry.name:<{width}}",
            f"{entry.analytic:>12.6g}",
            f"{entry.numeric:>12.6g}",
            f"{entry.error:>8.1e}",
            f"{entry.step:>8.1e}",
            paint(entry.verdict, entry.verdict != WRONG),
        ]
        yield " ".join(cells)
    if len(shown) < len(entries):
        yield f"and {_counted(len(entries) - len(shown), 'entry', 'entries')} that are no worse"
    bent = [entry for entry in shown if entry.verdict in (KINK, JUMP)]
    # Where a derivative has a kink, the next one jumps.
    yield from map(_kink, [e for e in bent if not e.name.startswith("d2/")] or bent)
    remarks = "; ".join(dict.fromkeys(entry.remark for entry in shown if entry.remark))
    yield from dict.fromkeys(remarks.split("; ") if remarks else ())
    yield _summary(report, paint)


def _chosen(entries: Sequence[Entry]) -> list[Entry]:
    """The entries that are shown: all, or the worst."""
    if len(entries) <= ROWS:
        return list(entries)
    worst = sorted(entries, key=badness, reverse=True)[:ROWS]
    kept = {id(entry) for entry in worst}
    return [entry for entry in entries if id(entry) in kept]


def _kink(entry: Entry) -> str:
    low, high = entry.slopes
    where = spelled(entry.point)
    if entry.verdict == JUMP:
        return f"{entry.name} jumps at {where}: there is no derivative"
    return f"{entry.name} has a kink at {where}: its slopes are {low:.6g} and {high:.6g}"


def _summary(report: Report, paint: Paint) -> str:
    count = _counted(len(report.entries), "entry", "entries")
    where = _counted(report.points, "point", "points")
    wrong = report.wrong
    if wrong is not None:
        return (
            f"{paint(WRONG, False)}: {wrong.name} at {spelled(wrong.point)}: "
            f"analytic {wrong.analytic:.6g}, numeric {wrong.numeric:.6g}"
        )
    others = [
        f"{number} {words}"
        for verdict, words in ((KINK, "at a kink"), (JUMP, "at a jump"), (UNSURE, "not to be told"))
        if (number := sum(entry.verdict == verdict for entry in report.entries))
    ]
    return f"{paint(RIGHT, True)}: {', '.join([f'{count} at {where}', *others])}"


def _verdict_lines(verdict: Verdict, word: str, paint: Paint) -> Iterator[str]:
    """A claim or an assertion with its verdict, and on further lines why."""
    good = verdict.verdict == RIGHT
    yield f"{paint(word, good)}{' ' * max(1, MARGIN - len(word))}{verdict.text}"
    margin = " " * MARGIN
    if good:
        yield f"{margin}{_assurance(verdict)}"
    elif verdict.point is not None:
        yield f"{margin}at {spelled(verdict.point)}"
        for name, value in verdict.values.items():
            yield f"{margin}{name} = {short(value)}"
    if verdict.error is not None:
        for line in render(diagnose(verdict.error)).splitlines():
            yield f"{margin}{line}"
    if verdict.remark:
        yield f"{margin}{verdict.remark}"


def _assurance(verdict: Verdict) -> str:
    """How it is known that a claim is right, or an assertion true."""
    where = f"at {_counted(verdict.points, 'point', 'points')}"
    if verdict.proof is None:
        return where
    conditions = ", ".join(verdict.proof.conditions)
    return f"{where}, and proved{f' for {conditions}' if conditions else ''}"


MARGIN: Final = 11
"""Columns of a verdict beside what it is about."""


def report_fields(report: Report) -> dict[str, Any]:
    """The same as JSON has it; with an error where something is not as it should be."""
    fields: dict[str, Any] = {"points": report.points}
    if report.entries:
        fields["entries"] = [_entry_fields(entry) for entry in report.entries]
    for key, verdicts in (("claims", report.claims), ("assertions", report.assertions)):
        if verdicts:
            fields[key] = [_verdict_fields(verdict) for verdict in verdicts]
    failure = report.failure()
    if failure is not None:
        fields["error"] = error_fields(diagnose(failure))
    return fields


def _entry_fields(entry: Entry) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "entry": entry.name,
        "verdict": entry.verdict,
        "analytic": entry.analytic,
        "numeric": entry.numeric,
        "error": entry.error,
        "step": entry.step,
        "at": dict(entry.point),
    }
    if entry.verdict == KINK:
        fields["slopes"] = list(entry.slopes)
    if entry.remark:
        fields["remark"] = entry.remark
    return fields


def _verdict_fields(verdict: Verdict) -> dict[str, Any]:
    fields: dict[str, Any] = {"text": verdict.text, "verdict": verdict.verdict}
    if verdict.verdict == RIGHT:
        fields["points"] = verdict.points
        if verdict.proof is not None:
            fields["proved"] = True
            if verdict.proof.conditions:
                fields["conditions"] = list(verdict.proof.conditions)
    elif verdict.point is not None:
        fields["at"] = dict(verdict.point)
        fields["values"] = {name: np.asarray(value) for name, value in verdict.values.items()}
    if verdict.error is not None:
        fields["error"] = error_fields(diagnose(verdict.error))
    if verdict.remark:
        fields["remark"] = verdict.remark
    return fields


def _counted(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"

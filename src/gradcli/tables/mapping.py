"""From the cells of a table to the columns that are appended, and what is told about rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

import gradcli.wiring  # noqa: F401 - floating point warnings
from gradcli.tables.appended import columns_of, kinds_of, titles_of
from gradcli.tables.cells import Cells, Made
from gradcli.tables.part import Part
from gradcli.tables.question import Question
from gradcli.typing import Array


class Told(NamedTuple):
    """Something about rows: how many `rows`, the line of the first, and what is wrong there."""

    rows: int = 0
    line: int = 0
    what: str = ""


class Map:
    """A formula that goes over the rows of a table.

    Attributes:
        failed: what became of rows without a result.
        refuted: of the claims that did not hold, by their texts.
        stopped: whether a row without a result ended it.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.evaluator = question.evaluator()
        self.filters = question.filters()
        self.kinds: dict[str, bool] | None = None
        self.failed = Told()
        self.refuted: dict[str, Told] = {}
        self.stopped = False

    def run(
        self, cells: Cells, rows: int, line: Callable[[int], int]
    ) -> tuple[list[Made], Array | None]:
        """The columns for some rows, and which rows stay (None: all).

        Args:
            line: gives the number of a row's line.

        Raises:
            Exception: the formula fails whatever the numbers are.
        """
        part = Part(self.question, cells, rows)
        for where, evaluator in self.filters:
            part.filter(where, evaluator, checks=self.kinds is None)
        part.evaluate(self.evaluator, checks=self.kinds is None)
        if self.kinds is None and len(part.picked):
            self.kinds = kinds_of(self.question, part)
        made = columns_of(part, self.kinds or kinds_of(self.question, None))
        first = len(self.question.sigmas)
        for place in range(first, first + len(self.question.after)):
            part.keep &= (part.extra(place) != 0) | part.gone
        self._claim(part, line)
        self._count({row: why for row, why in part.bad.items() if part.keep[row]}, part.keep, line)
        return made, None if part.keep.all() else part.keep

    @property
    def slow(self) -> bool:
        """Whether rows were not taken together."""
        return self.evaluator.slow or any(evaluator.slow for _, evaluator in self.filters)

    def titles(self) -> list[str]:
        """The names of the columns that are appended, once rows have been run or there are none."""
        if self.kinds is None:
            self.kinds = kinds_of(self.question, None)
        return list(titles_of(self.question, self.kinds))

    def _claim(self, part: Part, line: Callable[[int], int]) -> None:
        """Notes the rows for which a claim does not hold."""
        question = self.question
        first = len(question.sigmas) + len(question.after)
        for place, claim in enumerate(question.claims, first):
            asked = part.keep & ~part.gone & (part.extra(place) == 0)
            missing = part.missing(claim.outputs[0].uses, claim)
            if missing is not None:
                asked &= ~missing
            refuted = np.flatnonzero(asked)
            if refuted.size:
                text, row = claim.spelling.original, int(refuted[0])
                known = self.refuted.get(text) or Told(0, line(row), part.shown(claim, row))
                self.refuted[text] = known._replace(rows=known.rows + refuted.size)

    def _count(self, bad: Mapping[int, str], keep: Array, line: Callable[[int], int]) -> None:
        """Counts rows without a result, and does with them what is asked."""
        if not bad:
            return
        first = min(bad)
        on_error = self.question.wanted.on_error
        if on_error == "stop":
            self.stopped = True
            keep[first:] = False
            bad = {first: bad[first]}
        elif on_error == "skip":
            keep[[*bad]] = False
        if not self.failed.rows:
            self.failed = Told(0, line(first), bad[first])
        self.failed = self.failed._replace(rows=self.failed.rows + len(bad))

"""Some rows while they are evaluated: which stay, which have no result, what came out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gradcli.language.telling.diagnostics import diagnose
from gradcli.tables.cells import Cells, texts_of
from gradcli.tables.evaluate import Evaluator, Results
from gradcli.tables.formula import Formula
from gradcli.tables.question import Question
from gradcli.typing import Array


class Part:
    """Rows of which the cells are read.

    Attributes:
        columns: numbers by variable.
        keep: the rows that stay.
        bad: why a row has no result, by row.
        gone: the rows that have none.
        picked: the rows that `results` is of.
    """

    results: Results

    def __init__(self, question: Question, cells: Cells, rows: int) -> None:
        self.question = question
        self.cells = cells
        self.rows = rows
        self.columns = {name: self._column(meant) for name, meant in question.variables.items()}
        self.keep = np.ones(rows, bool)
        self.gone = np.zeros(rows, bool)
        self.bad = {
            row: f"column {column}: {why}" if column else why
            for row, (column, why) in cells.bad.items()
        }
        self.picked = np.arange(rows)

    def _column(self, meant: str) -> Array:
        found = self.cells.values.get(meant)
        if found is not None:
            return found
        return np.full(self.rows, float(self.question.wanted.constants[meant].detach().item()))

    def _given(self, text: Formula, rows: Array) -> dict[str, Array]:
        """The columns that a text reads, of some rows."""
        names = self.columns if text is self.question.formula else text.reads
        every = len(rows) == self.rows
        found = {name: self.columns[name] for name in names if name in self.columns}
        return found if every else {name: array[rows] for name, array in found.items()}

    def filter(self, where: Formula, evaluator: Evaluator, checks: bool) -> None:
        """Leaves out rows for which a condition does not hold, or has no answer; rows whose cells
        it cannot read, or for which it fails, stay, to be told of.

        Args:
            checks: whether an error of all rows is raised rather than told of each.

        Raises:
            Exception: the condition fails whatever the numbers are.
        """
        own = {where.meaning(name) for name in where.reads}
        unread = [row for row, (column, _) in self.cells.bad.items() if not column or column in own]
        asked = self.keep.copy()
        for name in own & self.cells.missing.keys():
            asked &= ~self.cells.missing[name]
        asked[unread] = False
        rows = np.flatnonzero(asked)
        results = self._run(evaluator, self._given(where, rows), len(rows), checks)
        held = np.zeros(self.rows, bool)
        if results.values[0] is not None:
            held[rows] = results.values[0] != 0
        for place, failure in results.failed.items():
            unread.append(row := int(rows[place]))
            self.bad.setdefault(row, f"--where: {_told(failure)}")
        held[unread] = True
        self.keep &= held

    def evaluate(self, evaluator: Evaluator, checks: bool) -> None:
        """Evaluates the rows that stay and have what at least one output needs.

        Args:
            checks: whether an error of all rows is raised rather than told of each.

        Raises:
            Exception: the formula fails whatever the numbers are.
        """
        formula = self.question.formula
        self.bad = {row: why for row, why in self.bad.items() if self.keep[row]}
        chosen = self.keep.copy()
        chosen[[*self.bad]] = False
        masks = [self.missing(output.uses, formula) for output in formula.outputs]
        lacking = [mask for mask in masks if mask is not None]
        if len(lacking) == len(masks):
            chosen &= ~np.logical_and.reduce(lacking)
        self.picked = np.flatnonzero(chosen)
        given = self._given(formula, self.picked)
        self.results = self._run(evaluator, given, len(self.picked), checks)
        incomplete = np.logical_or.reduce([np.zeros(self.rows, bool), *self.cells.missing.values()])
        for place, failure in self.results.failed.items():
            row = int(self.picked[place])
            if incomplete[row]:
                self.gone[row] = True
            else:
                self.bad[row] = _told(failure)
        self.gone[[*self.bad]] = True

    def _run(
        self, evaluator: Evaluator, given: Mapping[str, Array], rows: int, checks: bool
    ) -> Results:
        error = evaluator.error_of_all(given, rows) if checks else None
        if error is not None:
            raise error
        return evaluator.run(given, rows)

    def refuse(self, rows: Array, why: str) -> None:
        """Takes rows that have a result for rows that have none."""
        for row in np.flatnonzero(rows & ~self.gone).tolist():
            self.bad.setdefault(row, why)
            self.gone[row] = True

    def spread(self, values: Array | None) -> Array:
        """Numbers of the picked rows among all; zeros in the others."""
        if values is not None and len(self.picked) == self.rows:
            return values
        found = np.zeros(self.rows, np.float64 if values is None else values.dtype)
        if values is not None:
            found[self.picked] = values
        return found

    def shown(self, text: Formula, row: int) -> str:
        """The numbers in a row that a text reads."""
        found = {
            text.meaning(name): self.columns[name] for name in text.reads if name in self.columns
        }
        for k, output in enumerate(self.question.formula.outputs):
            if output.variable in text.reads:
                found[output.name] = self.spread(self.results.values[k])
        return ", ".join(
            f"{name} = {texts_of(array[row : row + 1])[0]}" for name, array in found.items()
        )

    def extra(self, place: int) -> Array:
        """The values of an expression beside the formula."""
        return self.spread(self.results.values[len(self.question.formula.outputs) + place])

    def missing(self, uses: Mapping[str, object] | tuple[str, ...], text: Formula) -> Array | None:
        """The rows in which a cell of what is used is missing; None where there are none."""
        meant = [text.meaning(name) for name in uses]
        masks = [self.cells.missing[name] for name in meant if name in self.cells.missing]
        return np.logical_or.reduce(masks) if masks else None


def _told(failure: Exception) -> str:
    """An error as a line about a row has it."""
    told = diagnose(failure)
    return f"{told.type}: {told.message}"

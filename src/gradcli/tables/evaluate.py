"""A formula on whole columns, with its derivatives.

All rows are evaluated at once, as samples of one batch; where rows take different branches, each
group of rows that agree is evaluated for itself. Rows that cannot be taken together at all are
taken one by one, so that what comes out is what `gradcli eval` gives row by row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.language.running.code import Code
from gradcli.language.running.machine import Machine
from gradcli.random.generator import manual_seed
from gradcli.readings.batched.columns import Apart, Columns
from gradcli.tables.formula import Formula, Output
from gradcli.tensor.clock import LimitError
from gradcli.tensor.memory import budget, taken
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

Pair = tuple[str, str]
"""Two variables, in the order in which derivatives are taken."""

PROBES: Final = 5
"""Rows that are asked whether a formula fails for all of them."""

MANY: Final = 1000
"""Evaluations that take a while."""

FEW: Final = 8
"""Rows of an evaluation, where it gains little that they are taken together."""

BATCH: Final = 1 << 30
"""Bytes that a batch of rows may take."""

_WORDS: Final = (NameError, AttributeError, TypeError, SyntaxError)
"""Errors that are the text's, whatever the numbers."""


class Task(NamedTuple):
    """What is computed of each row.

    Attributes:
        formula: its outputs come first among the results.
        extra: codes of expressions that may read outputs, each with a value of its own.
        constants: values of variables that are the same in each row.
        by: the variables that derivatives are taken to.
        order: of derivatives: 0, 1 or 2.
    """

    formula: Formula
    extra: Sequence[Code]
    constants: Mapping[str, Any]
    by: Sequence[str]
    order: int
    dtype: Any = np.float64
    timeout: float | None = None


class Results:
    """What came out for so many rows.

    Attributes:
        values: of each output, then of each extra expression.
        first: of each output: derivatives by variable.
        second: of each output: derivatives by pairs of variables.
        failed: errors by row; the numbers there mean nothing.
    """

    def __init__(self, rows: int, count: int) -> None:
        self.rows = rows
        self.values: list[Any] = [None] * count
        self.first: list[dict[str, Array]] = [{} for _ in range(count)]
        self.second: list[dict[Pair, Array]] = [{} for _ in range(count)]
        self.failed: dict[int, Exception] = {}

    def put(self, rows: Array | None, part: _Part) -> None:
        """Fills in what came out for some rows; None is all."""
        for k, found in enumerate(part.values):
            self.values[k] = _placed(self.values[k], rows, found, self.rows)
        for target, source in zip(self.first, part.first, strict=True):
            for name, found in source.items():
                target[name] = _placed(target.get(name), rows, found, self.rows)
        for pairs, origin in zip(self.second, part.second, strict=True):
            for pair, found in origin.items():
                pairs[pair] = _placed(pairs.get(pair), rows, found, self.rows)


class _Part(NamedTuple):
    values: list[Array]
    first: list[dict[str, Array]]
    second: list[dict[Pair, Array]]


def _placed(before: Array | None, rows: Array | None, found: Array, count: int) -> Array:
    """An array of so many rows with what was found for some of them."""
    if rows is None:
        return found
    if before is None:
        before = np.zeros(count, found.dtype)
    if before.dtype != found.dtype:
        before = before.astype(_wider(before.dtype, found.dtype))
    before[rows] = found
    return before


def _wider(left: Any, right: Any) -> Any:
    """A type for numbers of two: a branch may give a number where the other gives a tensor."""
    return np.result_type(left, right)


class Evaluator:
    """Runs a task on rows.

    Attributes:
        apart: whether it is known that its rows cannot be taken together.
        slow: whether they were taken a few at a time, and were many.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.apart = False
        self.slow = False
        self.count = len(task.formula.outputs) + len(task.extra)

    def run(self, columns: Mapping[str, Array], rows: int) -> Results:
        """The results of rows, of which the columns hold the numbers by variable.

        Raises:
            LimitError: there is no more time.
        """
        results = Results(rows, self.count)
        if rows == 0:
            return results
        waiting: list[Array | None] = [None]
        passes = 0
        while waiting:
            chosen = waiting.pop()
            passes += 1
            part = columns if chosen is None else {k: v[chosen] for k, v in columns.items()}
            size = rows if chosen is None else len(chosen)
            try:
                if not self.apart:
                    results.put(chosen, self._together(part, size))
                    continue
            except Apart as seen:
                groups = seen.groups
                waiting += reversed(groups if chosen is None else [chosen[g] for g in groups])
                continue
            except LimitError:
                raise
            except Exception:
                if size > 1 and not self._find_out(part):
                    half = np.arange(rows) if chosen is None else chosen
                    waiting += [half[size // 2 :], half[: size // 2]]
                    continue
            self._one_by_one(results, columns, np.arange(rows) if chosen is None else chosen)
            passes += size
        self.slow = self.slow or passes >= max(MANY, rows // FEW)
        return results

    def error_of_all(self, columns: Mapping[str, Array], rows: int) -> Exception | None:
        """The error of a formula that fails whatever the numbers are, as far as some rows tell."""
        if not rows:
            return None
        found: list[Exception] = []
        for row in dict.fromkeys(np.linspace(0, rows - 1, PROBES, dtype=int).tolist()):
            error = self._try({name: array[row : row + 1] for name, array in columns.items()})
            if error is None:
                return None
            if isinstance(error, _WORDS):
                return error
            found.append(error)
        same = {(type(error), str(error)) for error in found}
        return found[0] if len(found) > 1 and len(same) == 1 else None

    def _try(self, columns: Mapping[str, Array]) -> Exception | None:
        try:
            self._alone(columns)
        except LimitError:
            raise
        except Exception as error:
            return error
        return None

    def _find_out(self, columns: Mapping[str, Array]) -> bool:
        """Whether rows that fail together are better taken one by one."""
        row = {name: array[:1] for name, array in columns.items()}
        if self._try(row) is None:
            try:
                self._together(row, 1)
            except LimitError:
                raise
            except Exception:
                self.apart = True
        return self.apart

    def _one_by_one(self, results: Results, columns: Mapping[str, Array], rows: Array) -> None:
        for row in rows.tolist():
            try:
                part = self._alone({name: array[row : row + 1] for name, array in columns.items()})
            except LimitError:
                raise
            except Exception as error:
                results.failed[row] = error
            else:
                results.put(np.array([row]), part)

    def _together(self, columns: Mapping[str, Array], rows: int) -> _Part:
        with _bounded():
            return self._of_batch(columns, rows)

    def _of_batch(self, columns: Mapping[str, Array], rows: int) -> _Part:
        leaves = self._leaves(columns)
        with Columns(rows) as level:
            given = {name: level.wrap(leaf, 0) for name, leaf in leaves.items()}
            found = [_number(value, self._names(k)) for k, value in enumerate(self._values(given))]
            ends = [level.physical(v) if isinstance(v, Tensor) else v for v in found]
        return self._differentiated(ends, leaves, rows)

    def _alone(self, columns: Mapping[str, Array]) -> _Part:
        """One row as `gradcli eval` has it, with the random numbers of a fresh process."""
        manual_seed(0)
        leaves = self._leaves({name: array[0] for name, array in columns.items()})
        found = [_number(value, self._names(k)) for k, value in enumerate(self._values(leaves))]
        return self._differentiated(found, leaves, 1)

    def _leaves(self, columns: Mapping[str, Array]) -> dict[str, Tensor]:
        task = self.task
        wanted = {*task.by} if task.order else set()
        return {
            name: wrap(array.astype(task.dtype), name in wanted) for name, array in columns.items()
        }

    def _names(self, place: int) -> str:
        outputs = self.task.formula.outputs
        return outputs[place].name if place < len(outputs) else "an expression"

    def _values(self, variables: Mapping[str, Tensor]) -> Iterator[Any]:
        task = self.task
        machine = Machine(
            {**task.constants, **variables}, write=sys.stderr.write, timeout=task.timeout
        )
        value = machine.run(task.formula.code)
        for output in task.formula.outputs:
            yield machine.globals[output.variable] if output.variable else value
        for code in task.extra:
            yield machine.run(code)

    def _differentiated(
        self, ends: Sequence[Any], leaves: Mapping[str, Tensor], rows: int
    ) -> _Part:
        task = self.task
        outputs = task.formula.outputs
        values = [_column(_floating(v, o), rows) for v, o in zip(ends, outputs, strict=False)]
        values += [_column(end, rows) for end in ends[len(outputs) :]]
        first: list[dict[str, Array]] = [{} for _ in ends]
        second: list[dict[Pair, Array]] = [{} for _ in ends]
        for k, output in enumerate(outputs):
            names = [name for name in task.by if name in output.uses]
            if not (task.order and names):
                continue
            inputs = [leaves[name] for name in names]
            slopes = _slopes(ends[k], inputs, task.order > 1)
            first[k] = {
                n: _column(s, rows, like=leaves[n]) for n, s in zip(names, slopes, strict=True)
            }
            if task.order < 2:
                continue
            for i, (name, slope) in enumerate(zip(names, slopes, strict=True)):
                curves = _slopes(slope, inputs[i:], False)
                for other, curve in zip(names[i:], curves, strict=True):
                    second[k][name, other] = _column(curve, rows, like=leaves[other])
        return _Part(values, first, second)


@contextmanager
def _bounded() -> Iterator[None]:
    """Meanwhile there is as much memory as a batch should take: what one row needs, it needs as
    often as it has rows, and a batch that is refused is taken in halves.
    """
    budget.left()
    before = budget.limit
    assert before is not None
    budget.limit = min(before, taken() + BATCH)
    try:
        yield
    finally:
        budget.limit = before


def _slopes(end: Any, inputs: Sequence[Tensor], again: bool) -> Sequence[Tensor | None]:
    """The derivatives of each row's number; the graph is kept for other outputs."""
    if not (isinstance(end, Tensor) and end.requires_grad):
        return [None] * len(inputs)
    ones = wrap(np.ones(end._array.shape, end._array.dtype))
    return grad([end], inputs, [ones], retain_graph=True, create_graph=again, allow_unused=True)


def _number(value: Any, name: str) -> Any:
    """A value that a column can hold.

    Raises:
        ValueError, TypeError: it is none.
    """
    if isinstance(value, Tensor):
        shape = value._array.shape
        if value.numel() != 1:
            raise ValueError(
                f"{name} has shape {list(shape)}, and a column takes one number of each row"
            )
        if value._array.dtype.kind not in "fiub":
            raise ValueError(f"{name} is {value.dtype}, and a column takes real numbers")
        return value
    if isinstance(value, int | float):
        return value
    what = {"NoneType": "None", "complex": "a complex number"}.get(type(value).__name__)
    raise TypeError(f"{name} is {what or 'a ' + type(value).__name__}, and no number")


def _floating(value: Any, output: Output) -> Any:
    """What a column holds of a number: where others may have `x**2`, `0` is a number as that is."""
    return float(value) if type(value) is int and output.uses else value


def _column(value: Any, rows: int, like: Tensor | None = None) -> Array:
    """The numbers of so many rows; zeros for None, in the type of `like`."""
    if isinstance(value, Tensor):
        return np.asarray(value._array).reshape(rows)
    if value is None:
        assert like is not None
        return np.zeros(rows, like._array.dtype)
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        value = float(value)
    return np.full(rows, value)

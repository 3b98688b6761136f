"""Schedules: a kernel up to an order as a list of calls of NumPy on arrays that are there already.

What a run finds out for every trace, which is what gives a coefficient and where it stands, is
found out once, and later runs only compute. That pays where arrays are so small that arithmetic
takes less time than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from gradcli.readings.series.coefficients import CALL, DOT, INTEGRAL, PRODUCT, RATE, SCALED
from gradcli.readings.series.kernels import Instruction, Kernel, Register, Run
from gradcli.tensor.clock import clock
from gradcli.typing import Array

LARGEST: Final = 1 << 16
"""The most elements of a schedule's arrays."""

Call = Callable[[], Any]


class Schedule:
    """What gives a kernel's coefficients up to an order, made from a run on the same shapes.

    `stacks` are coefficients by register, `heads` views of the first ones. Those of inputs must be
    written before `run`, and the first ones of the registers `given`.
    """

    def __init__(self, kernel: Kernel, made: Run, order: int, given: Sequence[int]) -> None:
        lasts = {step.register: step.last for step in kernel.instructions}
        self.stacks: list[Array] = []
        for register, first in enumerate(made.firsts):
            value = np.zeros(0) if first is None else np.asarray(first)
            last = lasts.get(register, len(made.found[register]) - 1)
            self.stacks.append(np.zeros((min(last, order) + 1, *value.shape), value.dtype))
        self._rows = [
            [stack[k : k + 1].reshape(stack.shape[1:]) for k in range(len(stack))]
            for stack in self.stacks
        ]
        self.heads = [
            rows[0] if rows else stack for rows, stack in zip(self._rows, self.stacks, strict=True)
        ]
        self._given = frozenset(given)
        self._spare = np.zeros(max(stack[:1].size for stack in self.stacks))
        asked = {register for step in kernel.instructions for register in step.inner}
        # Others may have rows in the place of their own that are the same.
        self._whole = {*kernel.outputs}
        for step in kernel.instructions:
            if step.kind in (PRODUCT, DOT):
                self._whole |= {step.a, step.b}
        late = [
            step for step in kernel.instructions if step.kind == DOT and step.register not in asked
        ]
        self._steps: list[list[Call]] = []
        for now in range(order + 1):
            calls: list[Call] = []
            for step in kernel.instructions:
                j = now - step.lag
                if j == 0:
                    calls += self._begin(step)
                elif 0 < j < len(self.stacks[step.register]) and step not in late:
                    calls += self._next(step, j)
            self._steps.append(calls)
        for step in late:
            self._steps[-1] += self._dots(step, 1, order + 1)
        self._calls = [call for calls in self._steps for call in calls]

    @classmethod
    def of(cls, kernel: Kernel, made: Run, order: int, given: Sequence[int]) -> Schedule | None:
        """The schedule of a run that came so far; None where lists of numbers are quicker, or
        arrays are large.
        """
        if all(step.flat for step in kernel.instructions):
            return None
        if sum([np.size(first) for first in made.firsts]) * (order + 1) > LARGEST:
            return None
        return cls(kernel, made, order, given)

    def run(self) -> None:
        """Works out all coefficients."""
        if clock.deadline is None:
            for call in self._calls:
                call()
            return
        for calls in self._steps:
            if clock.deadline is not None:
                clock.check(self._spare.size)
            for call in calls:
                call()

    def _begin(self, step: Instruction) -> Iterator[Call]:
        """The first coefficient."""
        if step.register in self._given:
            return
        if step.row is None:
            yield from self._next(step, 0)
        else:
            yield self._called(step, step.operands, 0)

    def _next(self, step: Instruction, j: int) -> Iterator[Call]:
        """The j-th coefficient; nothing where it is zero."""
        out = self._rows[step.register][j]
        a, b = self._rows[step.a], self._rows[step.b]
        if step.kind == SCALED:
            if j < len(b):
                yield partial(np.multiply, a[0], b[j], out)
        elif step.kind == PRODUCT:
            yield from self._product(step, j, out)
        elif step.kind == INTEGRAL:
            if j <= len(a):
                yield from self._multiple(step, j, step.factor / j, a[j - 1])
        elif step.kind == RATE:
            if j + 1 < len(a):
                yield from self._multiple(step, j, j + 1.0, a[j + 1])
        elif step.kind == DOT:
            yield from self._dots(step, j, j + 1)
        elif step.kind == CALL:
            if j < len(a):
                operands = list(step.operands)
                operands[step.place] = a[j]
                yield self._called(step, operands, j)
        else:
            yield from self._sum(step, j, out)

    def _called(self, step: Instruction, operands: Sequence[Any], j: int) -> Call:
        """The row on first coefficients, and what else it takes."""
        assert step.row is not None
        forward, out = step.row.forward, self._rows[step.register][j]
        args = [self._rows[x][0] if type(x) is Register else x for x in operands]

        def call() -> None:
            out[...] = forward(*args)

        return call

    def _product(self, step: Instruction, j: int, out: Array) -> Iterator[Call]:
        a, b = self.stacks[step.a], self.stacks[step.b]
        low, high = max(j + 1 - len(b), 0), min(j, len(a) - 1)
        count = high + 1 - low
        if count <= 0:
            return
        if count == 1:
            yield partial(np.multiply, self._rows[step.a][low], self._rows[step.b][j - low], out)
        else:
            left = _aligned(a[low : high + 1], out.ndim)
            right = _aligned(b[j - high : j - low + 1][::-1], out.ndim)
            yield partial(np.vecdot, np.moveaxis(left, 0, -1), np.moveaxis(right, 0, -1), out)
        if step.factor != 1.0:
            yield partial(np.multiply, out, np.asarray(step.factor), out)

    def _dots(self, step: Instruction, low: int, high: int) -> Iterator[Call]:
        """Inner products of weights with the coefficients from one order up to another."""
        b, out = self.stacks[step.b], self.stacks[step.register]
        high = min(high, len(b), len(out))
        if low < high:
            weights = self.stacks[step.a][0].reshape(-1)
            yield partial(np.dot, b[low:high].reshape(high - low, -1), weights, out[low:high])

    def _sum(self, step: Instruction, j: int, out: Array) -> Iterator[Call]:
        parts = [(w, self._rows[part][j]) for w, part in step.parts if j < len(self._rows[part])]
        for number, (weight, part) in enumerate(parts):
            if not number:
                if len(parts) == 1:
                    yield from self._multiple(step, j, weight, part)
                else:
                    yield partial(np.multiply, part, np.asarray(weight), out)
            elif weight == 1.0:
                yield partial(np.add, out, part, out)
            else:
                spare = self._spare[: part.size].reshape(part.shape)
                yield partial(np.multiply, part, np.asarray(weight), spare)
                yield partial(np.add, out, spare, out)

    def _multiple(self, step: Instruction, j: int, weight: float, row: Array) -> Iterator[Call]:
        """A number times a row, which is that row itself if the number is one."""
        rows = self._rows[step.register]
        if weight == 1.0 and step.register not in self._whole and row.shape == rows[j].shape:
            rows[j] = row
        else:
            yield partial(np.multiply, row, np.asarray(weight), rows[j])


def _aligned(rows: Array, dims: int) -> Array:
    """Rows with as many dimensions."""
    return rows.reshape(len(rows), *(1,) * (dims + 1 - rows.ndim), *rows.shape[1:])

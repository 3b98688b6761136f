"""Schedules: a kernel up to an order as a list of calls of NumPy on arrays that are there already.

What a run finds out for every trace, which is what gives a coefficient and where it stands, is
found out once, and later runs only compute. That pays where arrays are so small that arithmetic
takes less time than that.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.readings.series.coefficients import CALL, DOT, INTEGRAL, PRODUCT, RATE, SCALED
from gradcli.readings.series.kernels import Instruction, Kernel, Register, Run
from gradcli.tensor.clock import clock
from gradcli.typing import Array

LARGEST: Final = 1 << 16
"""The most elements of a schedule's arrays."""

Call = Callable[[], Any]


class _Term(NamedTuple):
    """A coefficient that is a multiple of another one: by a number, and by constants."""

    weight: float
    constants: tuple[int, ...]
    register: int
    place: int


class Schedule:
    """What gives a kernel's coefficients up to an order, made from a run on the same shapes.

    `stacks` are coefficients by register. Before `run` the first ones of inputs, and of the
    registers `given`, must be in `heads`; those that nothing is made of are not there.
    """

    def __init__(self, kernel: Kernel, made: Run, order: int, given: Sequence[int]) -> None:
        self._made = {step.register: step for step in kernel.instructions}
        self.stacks: list[Array] = []
        for register, shape in enumerate(_shapes(kernel, made)):
            step, first = self._made.get(register), made.firsts[register]
            last = len(made.found[register]) - 1 if step is None else step.last
            dtype = np.float64 if first is None else first.dtype
            self.stacks.append(np.zeros((min(last, order) + 1, *shape), dtype))
        self._rows = [
            [stack[k : k + 1].reshape(stack.shape[1:]) for k in range(len(stack))]
            for stack in self.stacks
        ]
        self._given = frozenset(given)
        self._spare = np.zeros(max(stack[:1].size for stack in self.stacks))
        asked = {register for step in kernel.instructions for register in step.inner}
        # Others may have rows in the place of their own that are the same.
        self._whole = {*kernel.outputs}
        for step in kernel.instructions:
            if step.kind in (PRODUCT, DOT):
                self._whole |= {step.a, step.b}
        self._passing = _passing(kernel)
        self._tables: dict[tuple[int, tuple[int, ...]], Array] = {}
        late = [
            step for step in kernel.instructions if step.kind == DOT and step.register not in asked
        ]
        self._read = {*kernel.outputs}
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
        self.heads = {register: self._rows[register][0] for register in self._read}

    @classmethod
    def of(cls, kernel: Kernel, made: Run, order: int, given: Sequence[int]) -> Schedule | None:
        """The schedule of a run that came so far; None where lists of numbers are quicker, or
        arrays are large.
        """
        if all(step.flat for step in kernel.instructions):
            return None
        if sum(map(math.prod, _shapes(kernel, made))) * (order + 1) > LARGEST:
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

    def _row(self, register: int, j: int) -> Array:
        """The place of a coefficient that something is made of."""
        if not j:
            self._read.add(register)
        return self._rows[register][j]

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
        if _is_multiple(step):
            if step.register not in self._passing:
                yield from self._multiple(step, j)
            return
        out = self._rows[step.register][j]
        if step.kind == PRODUCT:
            yield from self._product(step, j, out)
        elif step.kind == DOT:
            yield from self._dots(step, j, j + 1)
        elif step.kind == CALL:
            if j < len(self._rows[step.a]):
                operands = list(step.operands)
                operands[step.place] = self._row(step.a, j)
                yield self._called(step, operands, j)
        else:
            yield from self._sum(step, j, out)

    def _called(self, step: Instruction, operands: Sequence[Any], j: int) -> Call:
        """The row on first coefficients, and what else it takes."""
        assert step.row is not None
        forward, out = step.row.forward, self._rows[step.register][j]
        args = [self._row(x, 0) if type(x) is Register else x for x in operands]

        def call() -> None:
            out[...] = forward(*args)

        return call

    def _product(self, step: Instruction, j: int, out: Array) -> Iterator[Call]:
        a, b = self.stacks[step.a], self.stacks[step.b]
        low, high = max(j + 1 - len(b), 0), min(j, len(a) - 1)
        count = high + 1 - low
        if count <= 0:
            return
        first, last = self._row(step.a, low), self._row(step.b, j - high)
        if count == 1:
            yield partial(np.multiply, first, last, out)
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
            self._row(step.b, low)
            weights = self._row(step.a, 0).reshape(-1)
            yield partial(np.dot, b[low:high].reshape(high - low, -1), weights, out[low:high])

    def _sum(self, step: Instruction, j: int, out: Array) -> Iterator[Call]:
        parts = [(w, self._row(part, j)) for w, part in step.parts if j < len(self._rows[part])]
        for number, (weight, part) in enumerate(parts):
            if not number:
                yield partial(np.multiply, part, np.asarray(weight), out)
            elif weight == 1.0:
                yield partial(np.add, out, part, out)
            else:
                spare = self._spare[: part.size].reshape(part.shape)
                yield partial(np.multiply, part, np.asarray(weight), spare)
                yield partial(np.add, out, spare, out)

    def _multiple(self, step: Instruction, j: int) -> Iterator[Call]:
        """A multiple of a row, which is that row itself if it is one time that."""
        term = self._term(step, j)
        if term is None:
            return
        row, rows = self._row(term.register, term.place), self._rows[step.register]
        if term.constants:
            if (step.register, term.constants) not in self._tables:
                yield from self._tabled(step, term.constants)
            factors = self._tables[step.register, term.constants]
            yield partial(np.multiply, row, factors[j, ...], rows[j])
        elif term.weight == 1.0 and step.register not in self._whole and row.shape == rows[j].shape:
            rows[j] = row
        else:
            yield partial(np.multiply, row, np.asarray(term.weight), rows[j])

    def _term(self, step: Instruction, j: int) -> _Term | None:
        """What the j-th coefficient is a multiple of; None where it is zero."""
        term = _own_term(step, j)
        if term.place >= len(self._rows[term.register]):
            return None
        inner = self._made.get(term.register)
        if inner is None or term.register not in self._passing:
            return term
        if not term.place and (inner.row is not None or term.register in self._given):
            return term
        further = self._term(inner, term.place)
        return further and further._replace(
            weight=term.weight * further.weight, constants=term.constants + further.constants
        )

    def _tabled(self, step: Instruction, constants: tuple[int, ...]) -> Iterator[Call]:
        """What gives the factors of all coefficients that are multiples by certain constants."""
        key, count = (step.register, constants), len(self._rows[step.register])
        terms = [self._term(step, j) if j or step.row is None else None for j in range(count)]
        weights = [1.0 if term is None else term.weight for term in terms]
        factors = [self._row(register, 0) for register in constants]
        if len(factors) == 1 and set(weights) == {1.0}:
            self._tables[key] = np.broadcast_to(factors[0], (count, *factors[0].shape))
            return
        shape = np.broadcast_shapes(*[factor.shape for factor in factors])
        table = self._tables[key] = np.zeros((count, *shape))
        column = np.reshape(weights, (count, *(1,) * len(shape)))
        for factor in factors:
            yield partial(np.multiply, column, factor, table)
            column = table


def _shapes(kernel: Kernel, made: Run) -> list[tuple[int, ...]]:
    """Of what is in the registers."""
    shapes = {step.register: step.shape for step in kernel.instructions}
    return [shapes.get(register, np.shape(first)) for register, first in enumerate(made.firsts)]


def _passing(kernel: Kernel) -> frozenset[int]:
    """The registers of multiples that only another multiple is made of, which reaches through them
    for what they are made of.
    """
    asked = Counter([*kernel.outputs])
    for step in kernel.instructions:
        asked.update(step.inner)
        asked.update([operand for operand in step.operands if type(operand) is Register])
    multiples = {step.register: step for step in kernel.instructions if _is_multiple(step)}
    sources = [step.inner[-1] for step in multiples.values()]
    return frozenset([source for source in sources if source in multiples and asked[source] == 1])


def _is_multiple(step: Instruction) -> bool:
    """Whether each coefficient is a multiple of one other."""
    return step.kind in (SCALED, INTEGRAL, RATE) or len(step.parts) == 1


def _own_term(step: Instruction, j: int) -> _Term:
    """What a coefficient of a multiple is made of."""
    if step.kind == SCALED:
        return _Term(1.0, (step.a,), step.b, j)
    if step.kind == INTEGRAL:
        return _Term(step.factor / j, (), step.a, j - 1)
    if step.kind == RATE:
        return _Term(j + 1.0, (), step.a, j + 1)
    ((weight, part),) = step.parts
    return _Term(weight, (), part, j)


def _aligned(rows: Array, dims: int) -> Array:
    """Rows with as many dimensions."""
    return rows.reshape(len(rows), *(1,) * (dims + 1 - rows.ndim), *rows.shape[1:])

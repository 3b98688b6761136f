"""Kernels: the recurrences of an element by element row, found once and run for every call.

The first time that a row meets operands of certain shapes its series are made as `Calculus` makes
all series, and what they are made of is written down: registers, and for each what gives its next
coefficient. Nothing in there depends on values, so every later call runs the same instructions on
its own coefficients, without series for what the formula has in between.

A register lags where fewer of its coefficients are needed: those of h' one fewer than those of h.
In step k each register gets coefficient k - lag.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.readings.series.coefficients import (
    ENDLESS,
    INTEGRAL,
    MULTIPLES,
    ONE,
    PRODUCT,
    RATE,
    SUM,
    Series,
    stored,
)
from gradcli.table.row import Row
from gradcli.tensor.clock import clock

_MOST: Final = 64
"""Registers of a kernel; a row that needs more has none, or a chain of formulas without an end."""


def is_value(operand: Any) -> bool:
    """Whether an operand is a series or an array."""
    return type(operand) is Series or isinstance(operand, np.ndarray | np.generic)


def values_among(operands: Sequence[Any]) -> list[Any]:
    """The series and arrays among operands, each once: the inputs of a kernel."""
    return list({id(operand): operand for operand in operands if is_value(operand)}.values())


def form_of(operands: Sequence[Any]) -> tuple[Any, ...] | None:
    """What a kernel depends on of operands; None for some that have none."""
    places: dict[int, int] = {}
    form: list[Any] = []
    for operand in operands:
        kind = type(operand)
        if kind is Series:
            first = operand.first
            if first.dtype.kind != "f":
                return None
            place = places.setdefault(id(operand), len(places))
            form.append((place, first.shape, operand.degree))
        elif kind is np.ndarray or isinstance(operand, np.generic):
            place = places.setdefault(id(operand), len(places))
            if operand.dtype.kind == "c":
                return None
            form.append((place, operand.shape, operand.dtype))
        elif kind in (float, int, bool, str) or operand is None:
            form.append((kind, operand))
        else:
            return None
    return tuple(form)


class Uncaptured(Exception):
    """Series depend on more than a kernel can hold."""


class Instruction(NamedTuple):
    """What gives the coefficients of a register.

    Attributes:
        kind: of recurrence, as in `coefficients`; "" for a constant.
        a, b: registers; of a sum, `parts` are factors with registers.
        last: the register's degree.
        row, operands: what gives the first coefficient; registers are `Register`s. No row: it comes
            by the recurrence, too.
    """

    register: int
    lag: int
    kind: str
    a: int
    b: int
    factor: float
    parts: tuple[tuple[float, int], ...]
    last: int
    row: Row | None
    operands: tuple[Any, ...]


class Register(int):
    """The number of a register among operands of a row."""

    __slots__ = ()


class Kernel(NamedTuple):
    """Instructions in the order of a step; the first registers are the inputs.

    `most` is how much any of them lags.
    """

    size: int
    output: int
    instructions: tuple[Instruction, ...]
    degree: int
    most: int


class Run:
    """A kernel on operands: `extend(k)` appends to the coefficients of the row's result, of which
    the first is known, those that are missing up to the k-th.
    """

    __slots__ = ("_done", "_firsts", "_flat", "_found", "_kernel", "_moving", "_steps")

    def __init__(self, kernel: Kernel, operands: Sequence[Any], first: Any, result: list[Any]):
        self._kernel = kernel
        self._done = 0
        # Rows take the values at the point as arrays and NumPy's scalars.
        self._firsts: list[Any] = [None] * kernel.size
        self._found: list[list[Any]] = [[] for _ in range(kernel.size)]
        self._moving: list[tuple[list[Any], Series, int]] = []
        self._flat = not first.ndim
        for number, given in enumerate(values_among(operands)):
            value, coefficients = given, self._found[number]
            if type(given) is Series:
                value = given.first
                if given.degree:
                    self._moving.append((coefficients, given, given.degree))
            self._firsts[number] = value
            coefficients.append(stored(value))
            self._flat = self._flat and not value.ndim
        self._firsts[kernel.output] = first
        self._found[kernel.output] = result
        self._steps = []
        for step in kernel.instructions:
            next_one = _recurrence(step, self._found, self._flat)
            self._steps.append((step.lag, step.last, next_one, self._found[step.register].append))
            if not step.lag:
                self._begin(step, next_one)

    def _begin(self, step: Instruction, next_one: Callable[[int], Any]) -> None:
        """The first coefficient of a register."""
        firsts = self._firsts
        value = firsts[step.register]
        if value is None and step.row is not None:
            operands = [firsts[x] if type(x) is Register else x for x in step.operands]
            value = step.row.forward(*operands)
            value = value[()] if type(value) is np.ndarray else value
        if value is None:
            made = next_one(0)
            value = np.float64(made) if self._flat else made
        else:
            made = stored(value)
        firsts[step.register] = value
        if step.register != self._kernel.output:
            self._found[step.register].append(made)

    def extend(self, k: int) -> None:
        done, self._done = self._done, max(k, self._done)
        for coefficients, series, degree in self._moving:
            last = min(k, degree)
            series[last]
            for part in series.coefficients[done + 1 : last + 1]:
                coefficients.append(0.0 if part is None else part)
        steps, size = self._steps, np.size(self._firsts[self._kernel.output])
        for now in range(done + 1, k + 1):
            if clock.deadline is not None:
                clock.check(size * now)
            if now <= self._kernel.most:
                for step, (lag, last, next_one, append) in zip(
                    self._kernel.instructions, steps, strict=True
                ):
                    if lag == now:
                        self._begin(step, next_one)
                    elif lag < now <= lag + last:
                        append(next_one(now - lag))
            else:
                for lag, last, next_one, append in steps:
                    if now - lag <= last:
                        append(next_one(now - lag))


def _recurrence(step: Instruction, found: Sequence[list[Any]], flat: bool) -> Callable[[int], Any]:
    """What gives the next coefficient of a register."""
    a, b, factor = found[step.a], found[step.b], step.factor
    if step.kind == PRODUCT:
        times = _product_of_numbers(a, b) if flat else _product_of_arrays(a, b)
        return times if factor == 1.0 else lambda j: factor * times(j)
    if step.kind == INTEGRAL:
        return lambda j: a[j - 1] / j if j <= len(a) else 0.0
    if step.kind == RATE:
        return lambda j: (j + 1) * a[j + 1] if j + 1 < len(a) else 0.0
    if len(step.parts) == 1:
        ((weight, number),) = step.parts
        part = found[number]
        return part.__getitem__ if weight == 1.0 else lambda j: weight * part[j]
    parts = [(weight, found[number]) for weight, number in step.parts]

    def total(j: int) -> Any:
        made: Any = 0.0
        for weight, part in parts:
            if j < len(part):
                made = made + (part[j] if weight == 1.0 else weight * part[j])
        return made

    return total


def _product_of_numbers(xs: list[float], ys: list[float]) -> Callable[[int], float]:
    """What gives the coefficients of a product of numbers."""

    def times(k: int) -> float:
        low = k + 1 - len(ys)
        found: float = sum(map(mul, xs[low:] if low > 0 else xs, ys[k::-1]))
        return found

    return times


def _product_of_arrays(xs: list[Any], ys: list[Any]) -> Callable[[int], Any]:
    """What gives the coefficients of a product of arrays."""

    def times(k: int) -> Any:
        low, high = max(k + 1 - len(ys), 0), min(k, len(xs) - 1)
        if low > high:
            return 0.0
        total = xs[low] * ys[k - low]
        for i in range(low + 1, high + 1):
            total = total + xs[i] * ys[k - i]
        return total

    def square(k: int) -> Any:
        """Each product but that in the middle is there twice."""
        low, high = max(k + 1 - len(xs), 0), (k - 1) // 2
        middle = xs[k // 2] * xs[k // 2] if not k % 2 and k // 2 < len(xs) else 0.0
        if low > high:
            return middle
        total = xs[low] * xs[k - low]
        for i in range(low + 1, high + 1):
            total = total + xs[i] * xs[k - i]
        total = total + total
        return total if k % 2 else total + middle

    return square if xs is ys else times


class Capture:
    """Writes down what a series is made of.

    `origins` are rows and operands of constants by their place in memory.
    """

    def __init__(self, inputs: Sequence[Any], origins: dict[int, tuple[Row, Any]]) -> None:
        self._origins = origins
        self._registers: dict[int, int] = {id(value): k for k, value in enumerate(inputs)}
        self._inputs = len(inputs)
        self._kinds: list[tuple[Any, ...]] = []
        self._degrees: list[int] = [
            value.degree if type(value) is Series else 0 for value in inputs
        ]

    def kernel(self, output: Series) -> Kernel:
        """The kernel whose output is a series.

        Raises:
            Uncaptured: the series is made of something else.
        """
        end = self._register(output)
        if end < self._inputs:
            raise Uncaptured
        return self._scheduled(end)

    def _register(self, value: Any) -> int:
        """The register of a series or of a constant, with everything that it is made of."""
        known = self._registers.get(id(value))
        if known is not None:
            return known
        if len(self._registers) >= _MOST:
            raise Uncaptured
        number = self._registers[id(value)] = len(self._registers)
        self._kinds.append(())
        self._degrees.append(0)
        if type(value) is not Series:
            made = self._origins.get(id(value))
            if made is None:
                raise Uncaptured
            self._kinds[number - self._inputs] = ("", (), 1.0, (), *self._origin(made))
            return number
        if value.rule is None:
            raise Uncaptured
        kind, rest = value.rule
        factor = 1.0
        parts: tuple[tuple[float, int], ...] = ()
        inner: tuple[int, ...] = ()
        alone = False
        if kind == INTEGRAL:
            slope = rest()
            if slope is None:
                raise Uncaptured
            inner = (self._register(slope),)
        elif kind == RATE:
            inner = (self._register(rest),)
        elif kind == PRODUCT:
            a, b, factor = rest
            inner = (self._register(a), self._register(b))
            alone = True
        else:
            parts = tuple([(weight, self._register(part)) for weight, part in rest])
            alone = kind == MULTIPLES
            kind = SUM
        if type(factor) is not float or any(type(weight) is not float for weight, _ in parts):
            raise Uncaptured
        origin: Any = None, ()
        if value.origin is not None and not alone:
            origin = self._origin(value.origin)
        self._kinds[number - self._inputs] = (kind, inner, factor, parts, *origin)
        return number

    def _origin(self, origin: tuple[Row, Any]) -> tuple[Row, tuple[Any, ...]]:
        row, operands = origin
        return row, tuple([self._operand(operand) for operand in operands])

    def _operand(self, operand: Any) -> Any:
        if is_value(operand) and operand is not ONE:
            return Register(self._register(operand))
        if type(operand) in (list, tuple):
            raise Uncaptured
        return operand

    def _scheduled(self, output: int) -> Kernel:
        self._find_degrees()
        size = len(self._registers)
        lags = [ENDLESS] * size
        lags[output] = 0
        todo = [output]
        while todo:
            number = todo.pop()
            for other, lag in self._needs(number, lags[number]):
                if lag < lags[other]:
                    lags[other] = lag
                    todo.append(other)
        placed = set(range(self._inputs))
        order: list[int] = []

        def place(start: int) -> None:
            stack = [start]
            while stack:
                number = stack[-1]
                if number in placed:
                    stack.pop()
                    continue
                waiting = [
                    other
                    for other, lag in self._needs(number, lags[number])
                    if lag == lags[other] and other not in placed
                ]
                if waiting:
                    stack += waiting
                else:
                    placed.add(number)
                    order.append(stack.pop())

        for number in range(self._inputs, size):
            place(number)
        instructions = tuple([self._instruction(number, lags[number]) for number in order])
        most = max(step.lag for step in instructions)
        return Kernel(size, output, instructions, self._degrees[output], most)

    def _find_degrees(self) -> None:
        """Degrees of all registers: those that grow for ever, through a circle, have no end."""
        for step in range(2 * len(self._registers) + 1):
            grown = False
            for place, (kind, inner, _, parts, *_) in enumerate(self._kinds):
                of = [self._degrees[x] for x in (*inner, *[part for _, part in parts])]
                if kind == PRODUCT or not of:
                    found = sum(of)
                else:
                    found = max(of) + (1 if kind == INTEGRAL else -1 if kind == RATE else 0)
                found = min(max(found, 0), ENDLESS)
                number = place + self._inputs
                if found > self._degrees[number]:
                    grown = True
                    self._degrees[number] = found if step < len(self._registers) else ENDLESS
            if not grown:
                return

    def _needs(self, number: int, lag: int) -> list[tuple[int, int]]:
        """The registers that one is made of, and by how much they may lag."""
        if number < self._inputs:
            return []
        kind, inner, _, parts, _, operands = self._kinds[number - self._inputs]
        step = 1 if kind == INTEGRAL else -1 if kind == RATE else 0
        found = [(other, lag + step) for other in (*inner, *[part for _, part in parts])]
        return found + [(int(x), lag) for x in operands if type(x) is Register]

    def _instruction(self, number: int, lag: int) -> Instruction:
        kind, inner, factor, parts, row, operands = self._kinds[number - self._inputs]
        a, b = (*inner, 0, 0)[:2]
        if kind == PRODUCT and self._degrees[a] > self._degrees[b]:
            a, b = b, a
        last = self._degrees[number]
        return Instruction(number, lag, kind, a, b, factor, parts, last, row, operands)

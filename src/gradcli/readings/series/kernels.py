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
    CALL,
    DOT,
    INTEGRAL,
    MULTIPLES,
    PRODUCT,
    RATE,
    SCALED,
    SUM,
    Series,
    stored,
)
from gradcli.table.row import Row
from gradcli.tensor.clock import clock
from gradcli.typing import Array


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


class Instruction(NamedTuple):
    """What gives the coefficients of a register.

    Attributes:
        last: the register's degree.
        shape: of its coefficients, of which those after the first may be single numbers in a `Run`.
        flat: it is made of numbers.
        kind: of recurrence, as in `coefficients`; "" for a constant.
        a, b: registers; of a sum, `parts` are factors with registers.
        row, operands: what gives the first coefficient; registers are `Register`s. No row: it comes
            by the recurrence, too.
        place: of the operand whose coefficients the row is called on.
    """

    register: int
    lag: int
    last: int
    shape: tuple[int, ...]
    flat: bool
    kind: str
    a: int
    b: int
    factor: float
    parts: tuple[tuple[float, int], ...]
    row: Row | None
    operands: tuple[Any, ...]
    place: int

    @property
    def inner(self) -> list[int]:
        """The registers whose coefficients it is made of."""
        found = [number for _, number in self.parts]
        if self.kind not in (SUM, MULTIPLES, ""):
            found += (self.a, self.b) if self.kind in (SCALED, PRODUCT, DOT) else (self.a,)
        return found


class Register(int):
    """The number of a register among operands of a row."""

    __slots__ = ()


class Kernel(NamedTuple):
    """Instructions in the order of a step; the first registers are the inputs.

    `most` is how much any of them lags.
    """

    size: int
    outputs: tuple[int, ...]
    instructions: tuple[Instruction, ...]
    degrees: tuple[int, ...]
    most: int


NONE: Final = Kernel(0, (), (), (), 0)
"""Stands for the kernel where there is none."""


class Run:
    """A kernel on series and constants: `extend(k)` works out coefficients up to the k-th.

    `found` are lists of coefficients by register, `firsts` values at the point, as rows take them;
    some are known before.
    """

    __slots__ = ("_done", "_kernel", "_moving", "_size", "_steps", "firsts", "found")

    def __init__(
        self,
        kernel: Kernel,
        inputs: Sequence[Any],
        firsts: dict[int, Any],
        found: dict[int, list[Any]],
    ) -> None:
        self._kernel = kernel
        self._done = 0
        self.firsts: list[Any] = [None] * kernel.size
        self.found: list[list[Any]] = [[] for _ in range(kernel.size)]
        for register, first in firsts.items():
            self.firsts[register] = first
        for register, coefficients in found.items():
            self.found[register] = coefficients
        self._moving: list[tuple[list[Any], Series, int]] = []
        for number, given in enumerate(inputs):
            value, coefficients = given, self.found[number]
            if type(given) is Series:
                value = given.first
                if given.degree:
                    self._moving.append((coefficients, given, given.degree))
            self.firsts[number] = value
            coefficients.append(stored(value))
        self._size = sum([np.size(first) for first in firsts.values()])
        self._steps = []
        for step in kernel.instructions:
            coefficients = self.found[step.register]
            next_one = _recurrence(step, self.found, self.firsts)
            self._steps.append((step.lag, step.last, next_one, coefficients.append))
            if not step.lag:
                self._begin(step, next_one)

    def _begin(self, step: Instruction, next_one: Callable[[int], Any]) -> None:
        """The first coefficient of a register."""
        firsts, coefficients = self.firsts, self.found[step.register]
        value = firsts[step.register]
        if value is None and step.row is not None:
            operands = [firsts[x] if type(x) is Register else x for x in step.operands]
            value = step.row.forward(*operands)
            value = value[()] if type(value) is np.ndarray else value
        if value is None:
            made = next_one(0)
            value = np.float64(made) if type(made) is float else made
        else:
            made = stored(value)
        firsts[step.register] = value
        if not coefficients:
            coefficients.append(made)

    def extend(self, k: int) -> None:
        done, self._done = self._done, max(k, self._done)
        for coefficients, series, degree in self._moving:
            last = min(k, degree)
            series[last]
            for part in series.coefficients[done + 1 : last + 1]:
                coefficients.append(0.0 if part is None else part)
        steps, most = self._steps, self._kernel.most
        for now in range(done + 1, k + 1):
            if clock.deadline is not None:
                clock.check(self._size * now)
            if now <= most:
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


def _recurrence(
    step: Instruction, found: Sequence[list[Any]], firsts: Sequence[Any]
) -> Callable[[int], Any]:
    """What gives the next coefficient of a register."""
    a, b, factor = found[step.a], found[step.b], step.factor
    if step.kind == SCALED:
        return lambda j: a[0] * b[j] if j < len(b) else 0.0
    if step.kind == PRODUCT:
        times = _product_of_numbers(a, b) if step.flat else _product_of_arrays(a, b)
        return times if factor == 1.0 else lambda j: factor * times(j)
    if step.kind == INTEGRAL:
        if factor != 1.0:
            return lambda j: factor * a[j - 1] / j if j <= len(a) else 0.0
        return lambda j: a[j - 1] / j if j <= len(a) else 0.0
    if step.kind == RATE:
        return lambda j: (j + 1) * a[j + 1] if j + 1 < len(a) else 0.0
    if step.kind == DOT:
        return _dots(step, b, firsts)
    if step.kind == CALL:
        return _calls(step, a, firsts)
    if len(step.parts) == 1:
        ((weight, number),) = step.parts
        part = found[number]
        return lambda j: weight * part[j] if j < len(part) else 0.0
    parts = [(weight, found[number]) for weight, number in step.parts]

    def total(j: int) -> Any:
        made: Any = 0.0
        for weight, part in parts:
            if j < len(part):
                made = made + (part[j] if weight == 1.0 else weight * part[j])
        return made

    return total


def _dots(step: Instruction, b: list[Any], firsts: Sequence[Any]) -> Callable[[int], Any]:
    """What gives the inner products of weights with the coefficients of an operand."""
    weights: list[Any] = []  # and their sum

    def dot(j: int) -> float:
        if not weights:
            weights.append(firsts[step.a].reshape(-1))
            weights.append(weights[0].sum().item())
        part: Any = b[j] if j < len(b) else 0.0
        shape = firsts[step.b].shape
        if type(part) is float:
            return part * weights[1]  # type: ignore[no-any-return]
        if part.shape != shape:
            part = np.broadcast_to(part, shape)
        found: float = np.dot(weights[0], part.reshape(-1)).item()
        return found

    return dot


def _calls(step: Instruction, a: list[Any], firsts: Sequence[Any]) -> Callable[[int], Any]:
    """What gives coefficients by calls of a row on those of an operand."""
    assert step.row is not None
    forward, place = step.row.forward, step.place
    args: list[Any] = []

    def called(j: int) -> Any:
        if not args:
            args.extend([firsts[x] if type(x) is Register else x for x in step.operands])
        part = a[j] if j < len(a) else 0.0
        if type(part) is not np.ndarray or part.shape != firsts[step.a].shape:
            part = np.broadcast_to(part, firsts[step.a].shape)[()]
        args[place] = part
        made = forward(*args)
        return made if made.ndim else made.item()

    return called


_FEW: Final = 100
"""Coefficients up to which sums of Python's numbers are quicker than NumPy's."""


class _Mirror:
    """A growing list of numbers as an array."""

    __slots__ = ("_array", "_known", "_numbers")

    def __init__(self, numbers: list[float]) -> None:
        self._numbers = numbers
        self._array = np.empty(2 * _FEW)
        self._known = 0

    def array(self) -> Array:
        """All numbers so far."""
        size = len(self._numbers)
        if size > len(self._array):
            self._array = np.concatenate([self._array, np.empty(size)])
        self._array[self._known : size] = self._numbers[self._known :]
        self._known = size
        return self._array[:size]


def _product_of_numbers(xs: list[float], ys: list[float]) -> Callable[[int], float]:
    """What gives the coefficients of a product of numbers."""
    mirrors: list[_Mirror] = []

    def times(k: int) -> float:
        low = max(k + 1 - len(ys), 0)
        if min(k, len(xs)) - low < _FEW:
            found: float = sum(map(mul, xs[low:], ys[k - low :: -1]))
            return found
        if not mirrors:
            mirrors.extend((_Mirror(xs), _Mirror(ys)))
        x, y = (mirror.array() for mirror in mirrors)
        high = min(k + 1, len(x))
        return float(np.dot(x[low:high], y[k - high + 1 : k - low + 1][::-1]))

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

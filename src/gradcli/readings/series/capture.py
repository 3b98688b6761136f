"""Writes down as a kernel what series are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.readings.series.coefficients import (
    CALL,
    DOT,
    ENDLESS,
    INTEGRAL,
    LITERALS,
    MULTIPLES,
    ONE,
    PRODUCT,
    RATE,
    SCALED,
    SUM,
    Series,
)
from gradcli.readings.series.kernels import Instruction, Kernel, Register, is_value
from gradcli.table.row import Row

_MOST: Final = 64
"""Registers of a row; one that needs more has a chain of formulas without an end."""


_ROUNDS: Final = 20
"""How often degrees are found anew before those that still grow are taken for endless."""


class Uncaptured(Exception):
    """Series depend on more than a kernel can hold."""


class Made(NamedTuple):
    """What a register is made of: see `Instruction`; `inner` are the registers `a` and `b`."""

    kind: str
    inner: tuple[int, ...] = ()
    factor: float = 1.0
    parts: tuple[tuple[float, int], ...] = ()
    row: Row | None = None
    operands: tuple[Any, ...] = ()
    place: int = -1


class Capture:
    """Gives series, and constants that they are made of, registers.

    `origins` are rows and operands of constants by their place in memory, `weights` gives that of
    each element of an operand in a linear row's only number, or None.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        origins: dict[int, tuple[Row, Any]],
        weights: Callable[[Series, int, Sequence[Any]], Any],
    ) -> None:
        self._weights = weights
        self._origins = origins
        self._most = 0
        self._registers: dict[int, int] = {id(value): k for k, value in enumerate(inputs)}
        self._inputs = len(inputs)
        self._made: list[Made] = [Made("")] * len(inputs)
        self._shapes = [_shape(value) for value in inputs]
        self._degrees = [value.degree if type(value) is Series else 0 for value in inputs]
        # Registers that are nothing but a number times another, and the numbers among constants.
        self._multiples: dict[int, tuple[float, int]] = {}
        self._numbers: dict[int, float] = {}
        self._alive: list[Any] = []

    def kernel(self, outputs: Sequence[Series], before: Iterable[Series] = ()) -> Kernel:
        """The kernel that gives series; those before the outputs are made of one another, in order.

        Raises:
            Uncaptured: they are made of something else.
        """
        for series in (*before, *outputs):
            self._most = len(self._made) + _MOST
            self._register(series)
        ends = tuple([self._register(output) for output in outputs])
        if any(end < self._inputs for end in ends):
            raise Uncaptured
        return self._scheduled(ends)

    def register_of(self, series: Series) -> int:
        """The register of a series; -1 without."""
        return self._registers.get(id(series), -1)

    def _register(self, value: Any) -> int:
        """The register of a series or of a constant, with everything that it is made of."""
        known = self._registers.get(id(value))
        if known is not None:
            return known
        same = self._equal(value)
        if same is not None:
            self._alive.append(value)
            number = self._registers[id(value)] = self._register(same)
            return number
        number = self._registers[id(value)] = len(self._made)
        if number >= self._most:
            raise Uncaptured
        self._made.append(Made(""))
        self._degrees.append(0)
        self._shapes.append(_shape(value))
        made = self._made_of(value) if type(value) is Series else self._constant(number, value)
        self._made[number] = made
        if made.kind == MULTIPLES and len(made.parts) == 1:
            ((weight, other),) = made.parts
            if self._shapes[number] == self._shapes[other]:
                self._multiples[number] = weight, other
        return number

    def _equal(self, value: Any) -> Any:
        """What a value is made from and equals; None without."""
        if type(value) is Series:
            # The derivative of what was made from its derivative.
            kind, inner = value.rule or ("", None)
            whole = inner.rule if inner is not None and kind == RATE else None
            return whole[1]() if whole is not None and whole[0] == INTEGRAL else None
        origin = self._origins.get(id(value))
        if origin is None:
            return None
        row, operands = origin
        if len(operands) != 2 or operands[0] is not ONE or not isinstance(operands[1], np.ndarray):
            return None
        # Once something, if the row is a product.
        index, other = row.signature.index, operands[1]
        if [[index[name] for name in group] for group in row.linear] != [[0], [1]]:
            return None
        same = other.shape == value.shape and other.dtype == value.dtype
        return other if same and row.forward(ONE, ONE) == 1.0 else None

    def _constant(self, number: int, value: Any) -> Made:
        origin = self._origins.get(id(value))
        if origin is None:
            raise Uncaptured
        row, operands = self._origin(origin)
        if not np.ndim(value) and not any(type(operand) is Register for operand in operands):
            self._numbers[number] = float(value)
        return Made("", row=row, operands=operands)

    def _made_of(self, series: Series) -> Made:
        if series.rule is None:
            raise Uncaptured
        kind, rest = series.rule
        if kind == PRODUCT:
            return self._product(*rest)
        if kind == MULTIPLES:
            return Made(kind, parts=self._parts(rest))
        origin: Any = (None, ()) if series.origin is None else self._origin(series.origin)
        if kind == SUM:
            return Made(kind, (), 1.0, self._parts(rest), *origin)
        if kind == CALL:
            place, operands = rest
            inner = self._register(operands[place])
            weights = self._weights(series, place, operands)
            if weights is not None:
                return Made(DOT, (self._register(weights), inner), 1.0, (), *origin)
            given = [
                operand if at == place else self._operand(operand)
                for at, operand in enumerate(operands)
            ]
            given[place] = Register(inner)
            return Made(kind, (inner,), 1.0, (), origin[0], tuple(given), place)
        inner = rest() if kind == INTEGRAL else rest
        if inner is None:
            raise Uncaptured
        return Made(kind, (self._same(inner),), 1.0, (), *origin)

    def _product(self, a: Any, b: Any, factor: Any) -> Made:
        weight, x = self._multiple(a)
        other, y = self._multiple(b)
        if type(factor) is not float:
            raise Uncaptured
        factor = factor * weight * other
        for number, moving in ((x, y), (y, x)):
            if number in self._numbers:
                return Made(MULTIPLES, parts=((factor * self._numbers[number], moving),))
        return Made(PRODUCT, (x, y), factor)

    def _parts(self, parts: Iterable[tuple[Any, Series]]) -> tuple[tuple[float, int], ...]:
        found = []
        for weight, part in parts:
            if type(weight) is not float:
                raise Uncaptured
            other, number = self._multiple(part)
            found.append((weight * other, number))
        return tuple(found)

    def _multiple(self, value: Any) -> tuple[float, int]:
        number = self._register(value)
        return self._multiples.get(number, (1.0, number))

    def _same(self, value: Any) -> int:
        """The register that a value has in common with others, if there are."""
        weight, number = self._multiple(value)
        return number if weight == 1.0 else self._register(value)

    def _origin(self, origin: tuple[Row, Any]) -> tuple[Row, tuple[Any, ...]]:
        row, operands = origin
        return row, tuple([self._operand(operand) for operand in operands])

    def _operand(self, operand: Any) -> Any:
        if is_value(operand) and not any(operand is ones for ones in LITERALS.values()):
            return Register(self._same(operand))
        if type(operand) in (list, tuple) and any(map(is_value, operand)):
            raise Uncaptured
        return operand

    def _scheduled(self, outputs: tuple[int, ...]) -> Kernel:
        """The instructions for what the outputs need, each after those that it needs itself."""
        self._square()
        self._find_degrees()
        size = len(self._made)
        lags = [ENDLESS] * size
        todo = list(outputs)
        for output in outputs:
            lags[output] = 0
        while todo:
            number = todo.pop()
            for other, lag in self._needs(number, lags[number]):
                if lag < lags[other]:
                    lags[other] = lag
                    todo.append(other)
        placed = set(range(self._inputs))
        order: list[int] = []
        for start in range(self._inputs, size):
            stack = [start] if lags[start] < ENDLESS else []
            while stack:
                number = stack[-1]
                waiting = [
                    other
                    for other, lag in self._needs(number, lags[number])
                    if lag == lags[other] and other not in placed
                ]
                if number in placed or not waiting:
                    stack.pop()
                    if number not in placed:
                        placed.add(number)
                        order.append(number)
                else:
                    stack += waiting
        self._fold(order)
        instructions = tuple([self._instruction(number, lags[number]) for number in order])
        degrees = tuple([self._degrees[output] for output in outputs])
        most = max(step.lag for step in instructions)
        return Kernel(size, outputs, instructions, degrees, most)

    def _square(self) -> None:
        """Writes half the square for the integral of a series times its own derivative."""
        made = self._made
        asked = [other for number in range(len(made)) for other, _ in self._needs(number, 0)]
        for number, integral in enumerate(made):
            if integral.kind != INTEGRAL:
                continue
            (inner,) = integral.inner
            product = made[inner]
            if product.kind == PRODUCT and product.row is None and asked.count(inner) == 1:
                for rate, whole in (product.inner, product.inner[::-1]):
                    if made[rate][:2] == (RATE, (whole,)) or made[whole][:2] == (INTEGRAL, (rate,)):
                        parts = ((0.5 * product.factor, inner),)
                        made[number] = integral._replace(kind=SUM, inner=(), parts=parts)
                        made[inner] = product._replace(inner=(whole, whole), factor=1.0)

    def _fold(self, order: Sequence[int]) -> None:
        """Leaves the number in a product that is only integrated to the division by orders."""
        asked = [other for number in order for other, _ in self._needs(number, 0)]
        for number in order:
            made = self._made[number]
            if made.kind == INTEGRAL:
                (inner,) = made.inner
                part = self._made[inner]
                if part.kind == PRODUCT and part.row is None and asked.count(inner) == 1:
                    self._made[number] = made._replace(factor=part.factor)
                    self._made[inner] = part._replace(factor=1.0)

    def _find_degrees(self) -> None:
        """Degrees of all registers: those that grow for ever, through a circle, have no end, and
        those that grow for long count as such.
        """
        grown, step = True, 0
        while grown:
            grown, step = False, step + 1
            # A register is mostly made of later ones.
            for number, made in reversed([*enumerate(self._made)]):
                of = [self._degrees[x] for x in (*made.inner, *[part for _, part in made.parts])]
                if not of:
                    continue
                found = sum(of) if made.kind == PRODUCT else max(of) + _ahead(made.kind)
                if max(of) == ENDLESS:
                    found = ENDLESS
                if found > self._degrees[number]:
                    grown = True
                    self._degrees[number] = found if step <= _ROUNDS else ENDLESS

    def _needs(self, number: int, lag: int) -> list[tuple[int, int]]:
        """The registers that one is made of, and by how much they may lag."""
        kind, inner, _, parts, _, operands, _ = self._made[number]
        found = [(other, lag + _ahead(kind)) for other in (*inner, *[part for _, part in parts])]
        return found + [(int(x), lag) for x in operands if type(x) is Register]

    def _instruction(self, number: int, lag: int) -> Instruction:
        kind, inner, factor, parts, row, operands, place = self._made[number]
        a, b = (*inner, 0, 0)[:2]
        if kind == PRODUCT and self._degrees[a] > self._degrees[b]:
            a, b = b, a
        if kind == PRODUCT and factor == 1.0 and not self._degrees[a]:
            kind = SCALED
        last, shape = self._degrees[number], self._shapes[number]
        flat = not any(self._shapes[x] for x in (*inner, *[part for _, part in parts]))
        return Instruction(
            number, lag, last, shape, flat, kind, a, b, factor, parts, row, operands, place
        )


def _ahead(kind: str) -> int:
    """How many coefficients fewer are needed of what a register is made of."""
    return 1 if kind == INTEGRAL else -1 if kind == RATE else 0


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if type(value) is Series else np.shape(value)

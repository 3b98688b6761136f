"""How a row acts on power series, from what it says about itself.

A row that is linear acts coefficient by coefficient, one that is linear in each of several operands
multiplies them as Cauchy does. Of an element by element row h = f(u) the derivative formula, given
u' for the gradient, is h', and the k-th coefficient of h is that of h' before it over k. Of any
other row the formula is the adjoint of what gives h' from u', so its rows are walked backwards.
Formulas are rows again, and a row applied to the same series a second time is the same series:
the sine's formula asks for the cosine, whose formula finds the sine.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from gradcli.readings.series.capture import Capture, Uncaptured
from gradcli.readings.series.coefficients import (
    ENDLESS,
    INTEGRAL,
    LITERALS,
    MULTIPLES,
    ONE,
    PRODUCT,
    More,
    Series,
    derivative,
    expanded,
    passed,
    plus,
    product,
    stored,
    times,
)
from gradcli.readings.series.formulas import (
    Plan,
    Source,
    at_point,
    formula_asks,
    plan_of,
    slots_of,
)
from gradcli.readings.series.kernels import NONE, Kernel, Run, form_of, is_value, values_among
from gradcli.readings.series.linear import bare, is_real, make_linear, moves
from gradcli.readings.trace import Slot, Step, resolved
from gradcli.table.row import Row
from gradcli.tensor.bounded import Bounded
from gradcli.tensor.clock import clock

_kernels: Final[Bounded[Kernel]] = Bounded(1 << 24)

_HASHED: Final = frozenset((int, float, bool, str, complex, type(None)))


@cache
def _facts(row: Row) -> tuple[list[str], list[frozenset[int]]]:
    """The names of a row's parameters, and the places of operands in which it is linear."""
    index = row.signature.index
    return list(index), [frozenset([index[name] for name in group]) for group in row.linear]


class Calculus:
    """Series at one point, and which rows have been applied to which."""

    def __init__(self, origins: dict[int, Any] | None = None) -> None:
        self._known: dict[Any, Any] = {}
        # While a kernel is captured: which row gave what.
        self._origins = origins
        self.general = True
        # Whether a series is made of later ones.
        self._nests = False
        # Series by how many coefficients fewer of them are needed: those of h' one fewer than of h.
        self._made: list[list[Series]] = [[]]
        self._lag = 0
        # What is known by its place in memory must stay there.
        self._alive: list[Any] = []

    def variable(self, point: Any, direction: Any) -> Series:
        """The series point + t * direction."""
        return self._enter(Series(point, lambda k: stored(direction), 1))

    def _enter(self, series: Series) -> Series:
        while len(self._made) <= self._lag:
            self._made.append([])
        self._made[self._lag].append(series)
        return series

    def advance(self, order: int) -> None:
        """Works out coefficients up to the order, in an order that does not nest deep."""
        if not self._nests:
            for series in self._made[0]:
                if clock.deadline is not None:
                    clock.check(np.size(series.first) * order)
                series[order]
            return
        for k in range(1, order + 1):
            for lag in range(min(len(self._made), k) - 1, -1, -1):
                for series in self._made[lag]:
                    if len(series.coefficients) <= k - lag:
                        if clock.deadline is not None:
                            clock.check(np.size(series.first) * k)
                        series[k - lag]

    @property
    def applied(self) -> list[Series]:
        """The series that rows gave when the calculus was handed these, in that order."""
        return self._made[0]

    def apply(self, row: Row, operands: Sequence[Any], first: Any = None) -> Any:
        """What a row gives of series: series, and constants where nothing changes.

        Operands are series, arrays and whatever else rows take; `first` is the result at the point,
        where that is known.
        """
        key = (row, *[self._key(operand) for operand in operands])
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._applied(row, operands, first)
            if self._origins is not None and type(found) is not tuple:
                self._alive.append(found)
                self._origins[id(found)] = row, operands
        return found

    def _key(self, operand: Any) -> Any:
        kind = type(operand)
        if kind is Series:
            return operand
        if kind in _HASHED:
            return kind, operand
        if kind is tuple or kind is list:
            return tuple([self._key(item) for item in operand])
        self._alive.append(operand)
        return id(operand)

    def _applied(self, row: Row, operands: Sequence[Any], first: Any) -> Any:
        if first is None:
            first = row(*[at_point(operand) for operand in operands])
            first = tuple(map(bare, first)) if type(first) is tuple else bare(first)
        several = type(first) is tuple
        results = first if several else (first,)
        moving = [
            place
            for place in row.differentiable
            if place < len(operands) and moves(operands[place])
        ]
        if not moving or not any(map(row.carries_gradient, results, range(len(results)))):
            return first
        if row.elementwise and self._origins is None and not several:
            found = self._by_kernel(row, operands, first)
            if found is not None:
                return found
        made = tuple(
            self._enter(Series(value, None, ENDLESS, (row, operands)))
            if row.carries_gradient(value, number)
            else value
            for number, value in enumerate(results)
        )
        self._rule(row, operands, moving, made)
        return made if several else made[0]

    def _by_kernel(self, row: Row, operands: Sequence[Any], first: Any) -> Series | None:
        """What an element by element row gives, where there is a kernel for such operands."""
        if first.dtype.kind != "f":
            return None
        form = form_of(operands)
        if form is None:
            return None
        key = row, form
        kernel = _kernels.get(key)
        if kernel is None:
            kernel = captured(row, operands) or NONE
            _kernels.add(key, kernel, 1024 * (1 + len(kernel.instructions)))
        if kernel is NONE:
            return None
        result = self._enter(Series(first, None, kernel.degrees[0], (row, operands)))
        (output,) = kernel.outputs
        run = Run(kernel, values_among(operands), {output: first}, {output: result.coefficients})
        result.extend = run.extend
        return result

    def _rule(
        self, row: Row, operands: Sequence[Any], moving: list[int], made: tuple[Any, ...]
    ) -> None:
        """Gives the results of a row what makes their coefficients."""
        names, groups = _facts(row)
        whole = next((group for group in groups if group.issuperset(moving)), None)
        real = all(is_real(operands[place]) for place in moving) and is_real(made[0])
        if whole is not None:
            if real and row.elementwise and len(groups) > 1 and len(moving) == len(whole) == 1:
                factor = list(operands)
                factor[moving[0]] = ONE
                self._product(operands[moving[0]], self.apply(row, factor), made[0])
                return
            make_linear(row, operands, [whole], moving, made, real)
            return
        factors = [group for group in groups if not group.isdisjoint(moving)]
        if factors and frozenset().union(*factors).issuperset(moving):
            make_linear(row, operands, factors, moving, made, real)
            return
        if row.elementwise and real:
            asked = {name for place in moving for name in formula_asks(row, place)}
            given = {names[place] for place in moving} | {"result"}
            if asked.isdisjoint(given):
                self._affine(row, operands, moving, made[0])
                return
            alone = [place for place in moving if frozenset((place,)) in groups]
            if alone:
                factor = list(operands)
                factor[alone[0]] = ONE
                self._product(operands[alone[0]], self.apply(row, factor), made[0])
                return
        self._integrated(row, operands, moving, made)

    def _affine(self, row: Row, operands: Sequence[Any], moving: list[int], result: Series) -> None:
        """An element by element row whose slope is the same all along."""
        plans = []
        for place in moving:
            inputs = [result.first, *map(at_point, operands)]
            plans.append(
                (operands[place], self._plan(row, place, [inputs[0]], operands, (result,)))
            )

        def more(k: int) -> Any:
            total = None
            for operand, plan in plans:
                coefficient = operand[k]
                if coefficient is not None:
                    grad = passed(expanded(coefficient, result.shape))
                    given = self._inputs(plan, [grad], operands, (result,))
                    values = dict(enumerate(given))
                    for step in plan.steps:
                        found = step.row(*resolved(step.operands, values))  # type: ignore[arg-type]
                        for slot, part in zip(
                            step.results, found if step.several else (found,), strict=True
                        ):
                            values[slot] = part
                    total = plus(total, stored(resolved(plan.output, values)))  # type: ignore[arg-type]
            return total

        result.more = more
        result.degree = max(operand.degree for operand, _ in plans)

    def _product(self, a: Series, b: Any, result: Series) -> None:
        if type(b) is Series:
            result.more = lambda k: product(a, b, k)
            result.degree = min(a.degree + b.degree, ENDLESS)
        else:
            factor = stored(b)
            result.more = lambda k: times(a[k], factor)
            result.degree = a.degree
        result.rule = PRODUCT, (a, b, 1.0)

    def _integrated(
        self, row: Row, operands: Sequence[Any], moving: list[int], made: tuple[Any, ...]
    ) -> None:
        """Results by their derivatives."""
        self._nests = True
        lag = self._lag
        slopes: list[Any] = []

        def slope_of(number: int) -> Any:
            if not slopes:
                outer, self._lag = self._lag, lag + 1
                try:
                    slopes.extend(self._slopes(row, operands, moving, made))
                finally:
                    self._lag = outer
                for result, slope in zip(made, slopes, strict=True):
                    if type(result) is Series:
                        degree = slope.degree if type(slope) is Series else 0
                        result.degree = min(degree + 1, ENDLESS)
            return slopes[number]

        def more(number: int, k: int) -> Any:
            slope = slope_of(number)
            if type(slope) is Series:
                found = slope[k - 1]
            else:
                found = stored(slope) if k == 1 and slope is not None else None
            return None if found is None else found / k

        for number, result in enumerate(made):
            if type(result) is Series:
                result.more = lambda k, number=number: more(number, k)
                result.rule = INTEGRAL, lambda number=number: slope_of(number)

    def _slopes(
        self, row: Row, operands: Sequence[Any], moving: list[int], made: tuple[Any, ...]
    ) -> list[Any]:
        """The derivatives of a row's results."""
        totals: list[Any] = [None] * len(made)
        for place in moving:
            operand = operands[place]
            if type(operand) is not Series:
                raise NotImplementedError(f"{row.names[0]} has no series of a list")
            speed = derivative(operand)
            if row.elementwise and is_real(operand) and is_real(made[0]):
                speed = expanded(speed, made[0].shape)
                plan = self._plan(row, place, [at_point(speed)], operands, made)
                self.general = self.general and plan.general
                found = [self.run(plan, self._inputs(plan, [speed], operands, made))]
            else:
                self.general = False
                found = self._forward(row, place, speed, operands, made)
            totals = [self.sum(total, part) for total, part in zip(totals, found, strict=True)]
        return totals

    def sum(self, a: Any, b: Any) -> Any:
        """The sum of two series, constants or nothing."""
        if a is None or b is None:
            return a if b is None else b
        if type(b) is not Series:
            a, b = b, a
        if type(b) is not Series:
            return a + b
        if type(a) is not Series:
            return self._enter(Series(a + b.first, lambda k: b[k], b.degree))
        total = Series(a.first + b.first, lambda k: plus(a[k], b[k]), max(a.degree, b.degree))
        total.rule = MULTIPLES, ((1.0, a), (1.0, b))
        return self._enter(total)

    def _plan(
        self, row: Row, place: int, grads: Sequence[Any], operands: Sequence[Any], made: Any
    ) -> Plan:
        points = [at_point(operand) for operand in operands]
        return plan_of(row, place, grads, points, [at_point(result) for result in made], False)

    def _inputs(
        self, plan: Plan, grads: Sequence[Any], operands: Sequence[Any], results: Sequence[Any]
    ) -> list[Any]:
        given = {"grad": grads, "operand": operands, "result": results}
        return [_picked(given[source.kind], source) for source in plan.sources]

    def run(self, plan: Plan, inputs: Sequence[Any]) -> Any:
        """The output of a formula's rows on series."""
        values: list[Any] = list(inputs)
        values += [None] * (len(plan.values) - len(values))
        self._run(plan, values, frozenset())
        return resolved(plan.output, values)

    def _run(self, plan: Plan, values: list[Any], without: frozenset[int]) -> None:
        for step in plan.steps:
            if step.results[0] not in without:
                found = self.apply(step.row, resolved(step.operands, values))
                for slot, part in zip(
                    step.results, found if step.several else (found,), strict=True
                ):
                    values[slot] = part

    def _forward(
        self, row: Row, place: int, speed: Any, operands: Sequence[Any], made: Sequence[Any]
    ) -> list[Any]:
        """How results move with an operand: the adjoint of the row's formula, for each result."""
        ends = [at_point(result) for result in made]
        # Beside others, a result without elements is one that nobody asked for.
        sizes = [np.size(result.first) if type(result) is Series else -1 for result in made]
        least = 1 if max(sizes) > 0 else 0
        grads = [
            np.ones_like(end) if size >= least else None
            for end, size in zip(ends, sizes, strict=True)
        ]
        points = [at_point(operand) for operand in operands]
        plan = plan_of(row, place, grads, points, ends, True)
        values: list[Any] = self._inputs(plan, grads, operands, made)
        values += [None] * (len(plan.values) - len(values))
        self._run(plan, values, plan.moving)
        arrived: dict[int, Any] = {}
        if type(plan.output) is list:
            raise NotImplementedError(f"{row.names[0]} has no series")
        if type(plan.output) is Slot:
            arrived[plan.output] = speed
        for step in reversed(plan.steps):
            if step.results[0] not in plan.moving:
                continue
            parts = [arrived.pop(slot, None) for slot in step.results]
            if all(part is None for part in parts):
                continue
            _check_adjoint(step, plan)
            inner = _filled(step.operands, values, plan)
            results = [plan.values[slot] for slot in step.results]
            self.pull_all(step, inner, results, parts, arrived, plan.moving)
        found = [None] * len(made)
        for slot, source in enumerate(plan.sources):
            if source.kind == "grad":
                found[source.place] = arrived.get(slot)
        return found

    def weights(self, result: Series, place: int, operands: Sequence[Any]) -> Any:
        """By what a linear row with one number weighs the elements of an operand; None without."""
        row, grad = result.origin[0], LITERALS.get(result.shape)
        if grad is None or operands[place].shape == result.shape:
            return None
        points = [at_point(operand) for operand in operands]
        plan = plan_of(row, place, [grad], points, [result.first], True)
        if not plan.general or plan.output is None:
            return None
        found = self.run(plan, self._inputs(plan, [grad], operands, [result]))
        return found if type(found) is np.ndarray and found.dtype.kind == "f" else None

    def pull_all(
        self,
        step: Step,
        operands: Sequence[Any],
        results: Sequence[Any],
        grads: Sequence[Any],
        arrived: dict[int, Any],
        wanted: Container[int],
    ) -> None:
        """Adds to what has arrived at wanted slots the gradients of a step's operands."""
        for place in step.row.differentiable:
            if place >= len(operands):
                continue
            target = step.operands[place]
            targets = target if type(target) in (list, tuple) else [target]
            if not any(type(slot) is Slot and slot in wanted for slot in targets):
                continue
            found = self.pull(step.row, place, grads, operands, results)
            if found is None:
                continue
            parts = found if type(target) in (list, tuple) else [found]
            for slot, part in zip(targets, parts, strict=True):
                if type(slot) is Slot and slot in wanted and part is not None:
                    arrived[slot] = self.sum(arrived.get(slot), part)

    def pull(
        self,
        row: Row,
        place: int,
        grads: Sequence[Any],
        operands: Sequence[Any],
        results: Sequence[Any],
    ) -> Any:
        """The gradient of one operand of a row, or a list of them, from those of its results."""
        if row.only_first and grads[0] is None:
            return None
        points = [at_point(operand) for operand in operands]
        ends = [at_point(result) for result in results]
        plan = plan_of(row, place, [at_point(grad) for grad in grads], points, ends, True)
        if plan.output is None:
            return None
        return self.run(plan, self._inputs(plan, grads, operands, results))


def ones(like: Any) -> More:
    """What gives coefficients that are all ones."""
    coefficient = stored(np.ones_like(like))
    return lambda k: coefficient


def captured(row: Row, operands: Sequence[Any]) -> Kernel | None:
    """The kernel of an element by element row for operands of these shapes, if it has one."""
    origins: dict[int, Any] = {}
    calculus = Calculus(origins)
    inputs: list[Any] = []
    known: dict[int, Any] = {}
    given = list(operands)
    for place, operand in enumerate(operands):
        if not is_value(operand):
            continue
        if id(operand) not in known:
            made = operand
            if type(operand) is Series:
                # Its own coefficients may wait for what is made here.
                made = Series(operand.first, ones(operand.first), operand.degree)
            known[id(operand)] = made
            inputs.append(made)
        given[place] = known[id(operand)]
    try:
        output = calculus.apply(row, given)
        if type(output) is not Series:
            return None
        kernel = Capture(inputs, origins, calculus.weights).kernel([output])
    except (Uncaptured, NotImplementedError):
        return None
    return kernel if calculus.general else None


def _check_adjoint(step: Step, plan: Plan) -> None:
    """Refuses a step on the way from a gradient that has derivatives, but not that one, and one
    that is not linear: its adjoint depends on what the gradient is, which is left open.
    """
    row, known = step.row, step.row.differentiable
    moving = {
        place
        for place, operand in enumerate(step.operands)
        if not plan.moving.isdisjoint(slots_of(operand))
    }
    if known and not moving.issubset(known):
        raise NotImplementedError(f"{row.names[0]} has no derivative of its gradient")
    names, groups = _facts(row)
    if any(group.issuperset(moving) for group in groups):
        return
    asked = {name for place in moving.intersection(known) for name in formula_asks(row, place)}
    if not asked.isdisjoint({"result", *[names[place] for place in moving]}):
        raise NotImplementedError(f"{row.names[0]} is not linear in a gradient")


def _picked(values: Sequence[Any], source: Source) -> Any:
    value = values[source.place]
    return value if source.item < 0 else value[source.item]


def _filled(operands: Any, values: Sequence[Any], plan: Plan) -> Any:
    """Operands of a step; what depends on the gradient has its value at the point."""
    known = [
        plan.values[slot] if slot in plan.moving else value for slot, value in enumerate(values)
    ]
    return resolved(operands, known)

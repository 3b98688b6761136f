"""Programs: a whole trace as one kernel, found when a form came often and run for all later ones.

Two traces have the same form where the same rows were called on operands of the same shapes and
types that came from the same places. Their series differ in nothing but numbers, so what was made
row by row is run for all of them. A trace has no program where a row of it looks at values, or is
neither linear in one operand nor acts element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gradcli.readings.series.capture import Capture, Uncaptured
from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.kernels import Kernel, Run
from gradcli.readings.series.rules import Calculus, ones
from gradcli.readings.series.schedules import LARGEST, Schedule
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.readings.trace import Slot, Trace
from gradcli.tensor.bounded import Bounded
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import Tensor, bare
from gradcli.typing import Array

_KEPT: Final = 1 << 26
"""Bytes that all programs may take."""

_PAYS: Final = 16
"""The time that a form comes at which its program is found: that takes as long as what it spares in
so many calls, more or less.
"""

_LONGEST: Final = 200
"""Steps of a trace that gets a program."""

_HASHED: Final = frozenset((int, float, bool, str, complex, type(None)))


class Program:
    """A kernel for traces of one form.

    Args:
        inputs: where the inputs of the kernel are: slots with -1, of which the first is that of
            the number, or steps with the place of an operand.
        steps: slots of results with their registers.
        goals: slots of the outputs.
    """

    __slots__ = ("_goals", "_heads", "_inputs", "_kernel", "_order", "_schedule", "_steps")

    def __init__(
        self,
        kernel: Kernel,
        inputs: tuple[tuple[int, int], ...],
        steps: tuple[tuple[int, int], ...],
        goals: tuple[int, ...],
    ) -> None:
        self._kernel = kernel
        self._inputs = inputs
        self._steps = steps
        self._goals = goals
        self._order = -1
        self._schedule: Schedule | None = None
        # What a schedule must be told, and where that is.
        self._heads: list[tuple[Array, int, int]] = []

    def on(self, trace: Trace, step: float, order: int) -> dict[int, list[Any]]:
        """Coefficients of the outputs of a trace of this form, by slot, where the number moves by
        steps: all up to the order but for those that vanish because of the degree.
        """
        schedule = self._schedule
        if order != self._order or schedule is None:
            found = self._run(trace, step, order)
        else:
            for head, number, place in self._heads:
                head[...] = _found(trace, number, place)
            schedule.stacks[0][1] = step
            schedule.run()
            stacks = [schedule.stacks[register] for register in self._kernel.outputs]
            found = [stack.tolist() if stack.ndim == 1 else [*stack] for stack in stacks]
        return dict(zip(self._goals, found, strict=True))

    def _run(self, trace: Trace, step: float, order: int) -> list[list[Any]]:
        """Coefficients of the outputs; makes a schedule where the same order comes again."""
        point, *constants = [widened(_found(trace, *where)) for where in self._inputs]
        variable = Series(point, lambda k: step, 1)
        firsts = {register: widened(bare(trace.values[slot])) for slot, register in self._steps}
        run = Run(self._kernel, [variable, *constants], firsts, {})
        run.extend(order)
        if order == self._order:
            self._schedule = Schedule.of(self._kernel, run, order, [*firsts])
            if self._schedule is not None:
                places = [*enumerate(self._inputs)]
                places += [(register, (slot, -1)) for slot, register in self._steps]
                heads = self._schedule.heads
                self._heads = [
                    (heads[register], *where) for register, where in places if register in heads
                ]
        else:
            self._order, self._schedule = order, None
        return [run.found[register] for register in self._kernel.outputs]


def _found(trace: Trace, number: int, place: int) -> Array:
    """The array in a slot, if there is no place, or the operand of a step at a place."""
    return bare(trace.values[number] if place < 0 else trace.steps[number].operands[place])


class _Form:
    """How often traces of a form came, and their program, if they have one."""

    __slots__ = ("program", "times")

    def __init__(self) -> None:
        self.times = 0
        self.program: Program | None = None


_forms: Final[Bounded[_Form]] = Bounded(_KEPT)


def program_of(trace: Trace, start: Slot, goals: Sequence[Slot]) -> Program | None:
    """The program of a trace along the number in a slot, for what is in others; None without."""
    form = _form(trace)
    if form is None:
        return None
    key = start, tuple(goals), form
    found = _forms.get(key)
    if found is None:
        found = _Form()
        arrays = 8 * LARGEST if any(value._array.ndim for value in trace.values) else 0
        _forms.add(key, found, 64 * len(form) + 2048 * len(trace.steps) + arrays)
    found.times += 1
    if found.times == _PAYS:
        found.program = _captured(trace, start, goals)
    return found.program


def _form(trace: Trace) -> tuple[Any, ...] | None:
    """What a program depends on; None for a trace that has none."""
    if len(trace.steps) > _LONGEST:
        return None
    form: list[Any] = []
    for value in trace.values:
        array = bare(value)
        form += array.shape, array.dtype, value._requires_grad
    places: dict[int, int] = {}
    for row, operands, results, several in trace.steps:
        if several:
            return None
        form += row, results[0]
        for operand in operands:
            kind = type(operand)
            if kind is Slot:
                form.append(operand)
            elif kind is Tensor:
                place, array = places.setdefault(id(operand), len(places)), operand._array
                form += place, array.shape, array.dtype
            elif kind in _HASHED or kind is DType:
                form += (kind, operand)
            elif kind in (list, tuple) and _HASHED.issuperset(map(type, operand)):
                form += (kind, *map(type, operand), *operand)
            else:
                return None
    return tuple(form)


def _captured(trace: Trace, start: Slot, goals: Sequence[Slot]) -> Program | None:
    origins: dict[int, Any] = {}
    calculus = Calculus(origins)
    point = widened(bare(trace.values[start]))
    variable = Series(point, ones(point), 1)
    try:
        passage = Passage(calculus, trace, {start: variable})
        outputs = [passage.series[goal] for goal in goals if goal in passage.series]
        places = passage.constants
        capture = Capture([variable, *places.values()], origins, calculus.weights)
        kernel = capture.kernel(outputs, passage.series.values())
    except (Uncaptured, NotImplementedError):
        return None
    if not calculus.general:
        return None
    operands = {
        id(operand): (number, place)
        for number, step in enumerate(trace.steps)
        for place, operand in enumerate(step.operands)
    }
    inputs = [(int(start), -1)]
    inputs += [(-1 - key, -1) if key < 0 else operands[key] for key in places]
    scheduled = {step.register for step in kernel.instructions}
    registers = [(slot, capture.register_of(series)) for slot, series in passage.series.items()]
    steps = [(slot, register) for slot, register in registers if register in scheduled]
    reached = tuple([goal for goal in goals if goal in passage.series])
    return Program(kernel, tuple(inputs), tuple(steps), reached)

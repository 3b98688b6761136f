"""Programs: a whole trace as one kernel, found when a form comes again and run for all later ones.

Two traces have the same form where the same rows were called on operands of the same shapes and
types that came from the same places. Their series differ in nothing but numbers, so what was made
row by row is run for all of them. A trace has no program where a row of it looks at values, or is
neither linear in one operand nor acts element by element.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from gradcli.readings.series.capture import Capture, Uncaptured
from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.kernels import Kernel, Run
from gradcli.readings.series.rules import Calculus, ones
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.readings.trace import Slot, Trace
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import Tensor

_KEPT: Final = 1024
"""How many programs are kept."""

_LONGEST: Final = 200
"""Steps of a trace that gets a program."""

_HASHED: Final = frozenset((int, float, bool, str, complex, type(None)))


class Program(NamedTuple):
    """A kernel for traces of one form.

    Attributes:
        constants: the inputs after the first: slots, or numbers among the tensors of the steps.
        steps: slots of results with their registers.
        goals: slots of the outputs.
    """

    kernel: Kernel
    constants: tuple[tuple[bool, int], ...]
    steps: tuple[tuple[int, int], ...]
    goals: tuple[int, ...]

    def on(self, trace: Trace, variable: Series) -> dict[int, Series]:
        """Series of the outputs of a trace, by slot, which is of this form."""
        tensors = _tensors(trace) if any(not slot for slot, _ in self.constants) else ()
        inputs: list[Any] = [variable]
        for is_slot, number in self.constants:
            tensor = trace.values[number] if is_slot else tensors[number]
            inputs.append(widened(tensor._array))
        values = trace.values
        firsts = {register: widened(values[slot]._array) for slot, register in self.steps}
        run = Run(self.kernel, inputs, firsts, {})
        found: dict[int, Series] = {}
        for goal, register, degree in zip(
            self.goals, self.kernel.outputs, self.kernel.degrees, strict=True
        ):
            series = found[goal] = Series(firsts[register], None, degree)
            series.coefficients = run.found[register]
            series.extend = run.extend
        return found


_SEEN: Final = Program(Kernel(0, (), (), (), 0), (), (), ())
"""In the place of the program for a form that came once."""

_programs: Final[dict[Any, Program | None]] = {}


def program_of(trace: Trace, start: Slot, goals: Sequence[Slot]) -> Program | None:
    """The program of a trace along the number in a slot, for what is in others; None without."""
    form = _form(trace)
    if form is None:
        return None
    key = start, tuple(goals), form
    if key not in _programs:
        if len(_programs) >= _KEPT:
            _programs.clear()
        _programs[key] = _SEEN
        return None
    if _programs[key] is _SEEN:
        _programs[key] = _captured(trace, start, goals)
    return _programs[key]


def _form(trace: Trace) -> tuple[Any, ...] | None:
    """What a program depends on; None for a trace that has none."""
    if len(trace.steps) > _LONGEST:
        return None
    form: list[Any] = []
    places: dict[int, int] = {}
    for value in trace.values:
        array = value._array
        form += (array.shape, array.dtype, value._requires_grad)
    for step in trace.steps:
        if step.several:
            return None
        form.append(step.row)
        for operand in step.operands:
            kind = type(operand)
            if kind is Slot:
                form.append(operand)
            elif kind is Tensor:
                place = places.setdefault(id(operand), len(places))
                form += ("tensor", place, operand._array.shape, operand._array.dtype)
            elif kind in _HASHED or kind is DType:
                form += (kind, operand)
            elif kind in (list, tuple) and _HASHED.issuperset(map(type, operand)):
                form += (kind, *map(type, operand), *operand)
            else:
                return None
        form.append(step.results[0])
    return tuple(form)


def _tensors(trace: Trace) -> list[Tensor]:
    """The tensors among the operands of the steps."""
    found = [x for step in trace.steps for x in step.operands if type(x) is Tensor]
    return list({id(tensor): tensor for tensor in found}.values())


def _captured(trace: Trace, start: Slot, goals: Sequence[Slot]) -> Program | None:
    origins: dict[int, Any] = {}
    calculus = Calculus(origins)
    point = widened(trace.values[start]._array)
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
    numbers = {id(tensor): number for number, tensor in enumerate(_tensors(trace))}
    constants = tuple([(key < 0, -1 - key if key < 0 else numbers[key]) for key in places])
    scheduled = {step.register for step in kernel.instructions}
    registers = [(slot, capture.register_of(series)) for slot, series in passage.series.items()]
    steps = [(slot, register) for slot, register in registers if register in scheduled]
    reached = tuple([goal for goal in goals if goal in passage.series])
    return Program(kernel, constants, tuple(steps), reached)

"""A text at a point, with all that is known of how its value came about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.domain import Point, is_regular, kinds_of, search
from gradcli.evaluation import Bindings, check_operands, define, leaves_of
from gradcli.language.running.machine import Machine
from gradcli.language.running.place import running_place
from gradcli.language.telling.diagnostics import Place
from gradcli.readings.trace import Recorder, Trace
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap


class PlacedRecorder(Recorder):
    """A recorder that knows where the text called rows, and where it looked at values."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        super().__init__(inputs)
        self.places: list[Place | None] = []
        self.looked: list[Place | None] = []

    def __call__(self, row: Row, args: tuple[Any, ...]) -> Any:
        found = super().__call__(row, args)
        self.places.append(running_place())
        return found

    def read(self, tensor: Tensor) -> None:
        before = len(self.trace.guards)
        super().read(tensor)
        if len(self.trace.guards) > before:
            self.looked.append(running_place())


class Evaluated(NamedTuple):
    """A text at a point.

    Attributes:
        value: that it has.
        variables: the leaves by name.
        chosen: those that nobody gave.
        trace: the rows that ran.
        places: where the text called them.
        looked: where it looked at values, for each guard of the trace.
    """

    value: Any
    variables: dict[str, Tensor]
    chosen: dict[str, Tensor]
    trace: Trace
    places: Sequence[Place | None]
    looked: Sequence[Place | None]


def evaluated_somewhere(
    bindings: Bindings, timeout: float | None, wrt: Sequence[str], write: Any = None
) -> Evaluated:
    """A text at the point that is given, or where that lacks something, at one where the value and
    its derivatives are finite.

    Raises:
        Exception: whatever the text raises at the first point.
    """
    before = dtypes.default.dtype
    dtypes.set_default_dtype(dtypes.float64)
    try:
        unbound = bindings.unbound()
        found = search(
            kinds_of(unbound),
            np.random.default_rng(0),
            lambda point: _evaluated(bindings, timeout, point, write),
            lambda evaluated: not unbound or _is_regular(evaluated, wrt),
        )
        return found.value
    finally:
        dtypes.set_default_dtype(before)


def _evaluated(bindings: Bindings, timeout: float | None, point: Point, write: Any) -> Evaluated:
    machine = Machine(write=write, timeout=timeout)
    chosen = {name: wrap(value if value.ndim else value[()], True) for name, value in point.items()}
    machine.globals.update(chosen)
    machine.declared.update(chosen)
    define(machine, bindings)
    check_operands(machine, bindings)
    inputs = [value for value in machine.declared.values() if isinstance(value, Tensor)]
    recorder = PlacedRecorder(inputs)
    with recorder:
        value = machine.run(bindings.code)
    trace = recorder.ended(value)
    variables = {
        name: leaf
        for name, leaf in [*machine.declared.items(), *leaves_of(machine).items()]
        if isinstance(leaf, Tensor)
    }
    return Evaluated(value, variables, chosen, trace, recorder.places, recorder.looked)


def _is_regular(found: Evaluated, wrt: Sequence[str]) -> bool:
    """Whether a value and its gradient are finite."""
    leaves = [found.variables[name] for name in wrt if name in found.variables]
    leaves = leaves or list(found.chosen.values())
    return isinstance(found.value, Tensor) and is_regular([found.value], leaves)

"""Series through a trace: forwards for its values, backwards for its gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.rules import Calculus
from gradcli.readings.trace import Slot, Trace
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import FLOATS, INEXACT, DType
from gradcli.tensor.tensor import Tensor, bare
from gradcli.typing import Array

_DOUBLE: Final = np.dtype(np.float64)
_WIDE: Final = {"complex64": dtypes.complex128}


class Passage:
    """Series for the values of a trace that depend on some of its slots.

    `point` are the series that begin there. Values are those of the evaluation, in double
    precision; a value that requires no grad is constant, as it is for a backward pass.
    """

    def __init__(self, calculus: Calculus, trace: Trace, moving: Mapping[int, Series]) -> None:
        self.calculus = calculus
        self.trace = trace
        self.series: dict[int, Series] = dict(moving)
        self.begins = frozenset(moving)
        self._points: dict[int, Array] = {}
        self._steps: list[tuple[Any, list[Any], tuple[Any, ...]]] = []
        for step in trace.steps:
            if any(slot in self.series for slot in step.results):
                continue
            if not self._depends(step.operands):
                continue
            values = [trace.values[slot] for slot in step.results]
            if not any(value._requires_grad for value in values):
                continue
            operands = [self.operand(operand) for operand in step.operands]
            first = tuple([self.point(slot) for slot in step.results])
            found = calculus.apply(step.row, operands, first if step.several else first[0])
            made = found if step.several else (found,)
            for slot, value, part in zip(step.results, values, made, strict=True):
                if type(part) is Series and value._requires_grad:
                    self.series[slot] = part
            self._steps.append((step, operands, made))

    def _depends(self, operands: Sequence[Any]) -> bool:
        for operand in operands:
            kind = type(operand)
            if kind is Slot:
                if operand in self.series:
                    return True
            elif kind in (list, tuple) and self._depends(operand):
                return True
        return False

    def operand(self, operand: Any) -> Any:
        """An operand as the calculus takes it."""
        kind = type(operand)
        if kind is Slot:
            return self.series.get(operand) or self.point(operand)
        if kind is Tensor:
            found = self._points.get(id(operand))
            if found is None:
                found = self._points[id(operand)] = widened(bare(operand))
            return found
        if kind is list or kind is tuple:
            return kind([self.operand(item) for item in operand])
        return _wide_type(operand) if kind is DType else operand

    @property
    def constants(self) -> dict[int, Array]:
        """What does not move, by the tensor's place in memory, or -1 - slot."""
        moving = {-1 - slot for slot in self.series}
        return {key: point for key, point in self._points.items() if key not in moving}

    def point(self, slot: int) -> Array:
        """The value of a slot."""
        found = self._points.get(-1 - slot)
        if found is None:
            found = self._points[-1 - slot] = widened(bare(self.trace.values[slot]))
        return found

    def of(self, value: Tensor) -> Series | None:
        """The series of a value of the trace; None where nothing moves it."""
        slot = self.trace.slot(value)
        return None if slot is None else self.series.get(slot)

    def gradients(self, seeds: Mapping[int, Any]) -> dict[int, Any]:
        """The gradients of the slots where the series begin: series, or constants."""
        arrived: dict[int, Any] = dict(seeds)
        for step, operands, made in reversed(self._steps):
            grads = [
                arrived.pop(slot, None) if slot in self.series else None for slot in step.results
            ]
            if all(grad is None for grad in grads):
                continue
            self.calculus.pull_all(step, operands, made, grads, arrived, self.series)
        return {slot: arrived[slot] for slot in self.begins if slot in arrived}


def widened(array: Array) -> Array:
    """An array in double precision, where it is of floating type, and without dimensions a
    scalar."""
    dtype = array.dtype
    if dtype is _DOUBLE:
        return array if array.ndim else array[()]
    kind = dtype.kind
    if kind in FLOATS:
        array = array.astype(np.float64, copy=False)
    elif kind == "c":
        array = array.astype(np.complex128, copy=False)
    return array[()]


def _wide_type(dtype: DType) -> DType:
    if dtype.np.kind in FLOATS:
        return dtypes.float64
    return dtypes.complex128 if dtype.np.kind in INEXACT else dtype


def scaled(coefficient: Any, factors: Sequence[int]) -> Any:
    """A coefficient times numbers, one after the other: their product alone may overflow."""
    for factor in factors:
        coefficient = coefficient * factor
    return coefficient

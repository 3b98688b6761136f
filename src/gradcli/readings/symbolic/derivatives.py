"""A trace on values that remember their expression, and the formulas of its rows backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import add as added
from gradcli.readings.series.formulas import Plan, plan_of, slots_of
from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import spelled
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import NoFormula, Numbers, Operand, value_of
from gradcli.readings.symbolic.rules import apply
from gradcli.readings.trace import Slot, Step, Trace, resolved
from gradcli.table.row import Row
from gradcli.tensor.dtypes import INEXACT
from gradcli.tensor.tensor import Tensor


class Sweeps:
    """The operands of a trace, to which each derivative adds those of its rows.

    Args:
        trace: of an evaluation.
        names: of its variables, by slot.
        numbers: what its numbers stand for.

    Raises:
        NoFormula: something in it has none.
    """

    def __init__(self, trace: Trace, names: Mapping[Slot, Expression], numbers: Numbers) -> None:
        if trace.flaw:
            raise NoFormula("what is computed here", trace.flaw)
        self.numbers = numbers
        self.operands: list[Any] = [None] * len(trace.values)
        self.steps: list[Step] = []
        self._constants: dict[int, Operand] = {}
        self._trace = trace
        self._differentiates = False
        # Of each step, that of the trace which it comes from.
        self._origins: list[int] = []
        self._origin = -1
        filled = {slot for step in trace.steps for slot in step.results}
        for slot, value in enumerate(trace.values):
            if slot not in filled:
                name = names.get(Slot(slot))
                self.operands[slot] = (
                    self._constant(value)
                    if name is None
                    else Operand(value._array[()], name, numbers)
                )
        for number, step in enumerate(trace.steps):
            self._origin = number
            try:
                self._run(step.row, step.operands, step.results)
            except NoFormula as error:
                error.step = number
                raise
        self._differentiates = True

    def _run(self, row: Row, operands: Any, results: Sequence[Slot]) -> None:
        given = [self._given(operand) for operand in resolved(tuple(operands), self.operands)]
        if _are_literals(given):
            found: Any = self._known(row, given)
        else:
            found = apply(row, given, self.numbers, self._differentiates)
        for slot, part in zip(results, found if type(found) is tuple else (found,), strict=True):
            self.operands[slot] = part
        self.steps.append(Step(row, tuple(operands), tuple(results)))
        self._origins.append(self._origin)

    def _known(self, row: Row, given: Sequence[Any]) -> Operand:
        """What a row gives of constants, written out.

        Raises:
            NoFormula: that is too long.
        """
        found = row(*map(value_of, given))
        if type(found) is tuple:
            raise NoFormula(spelled(row))
        return Operand(found, self._literal(found), self.numbers)

    def _given(self, operand: Any) -> Any:
        if type(operand) is Tensor:
            return self._constant(operand)
        if type(operand) is np.ndarray or isinstance(operand, np.generic):
            value = np.asarray(operand)[()]
            return Operand(value, self._literal(value), self.numbers)
        if type(operand) in (list, tuple) and any(
            isinstance(item, (Tensor, np.ndarray, np.generic)) for item in operand
        ):
            return type(operand)([self._given(item) for item in operand])
        return operand

    def _constant(self, tensor: Tensor) -> Operand:
        found = self._constants.get(id(tensor))
        if found is None:
            array = tensor._array[()]
            slot = self._slot_sharing(tensor)
            expression = self._literal(array) if slot is None else self.operands[slot].expression
            found = Operand(array, expression, self.numbers)
            self._constants[id(tensor)] = found
        return found

    def _slot_sharing(self, tensor: Tensor) -> int | None:
        """The value so far whose memory a tensor has that was detached from it.

        Raises:
            NoFormula: it has a part of that memory, or looks at it in another order.
        """
        array = tensor._array
        shares = False
        for slot, value in enumerate(self._trace.values):
            other = value._array
            if self.operands[slot] is None:
                continue
            if other is array:
                return slot
            if isinstance(array, np.ndarray) and np.may_share_memory(array, other):
                if (array.shape, array.strides) == (other.shape, other.strides):
                    return slot
                shares = True
        if shares:
            raise NoFormula("a part of a tensor that was detached")
        return None

    def _literal(self, array: Any) -> Expression:
        """An array whose elements are written out; one number where all are the same."""
        flat = np.ravel(array)
        if flat.size and (flat == flat[0]).all():
            return self.numbers.expression(flat[0])
        if np.ndim(array) == 2 and np.array_equal(array, np.eye(len(array))):
            return ex.call("eye", len(array), shape=array.shape)
        if flat.size > _WRITTEN or not flat.size:
            raise NoFormula(f"a constant of shape {list(np.shape(array))}")
        written = np.asarray(array, np.float64).tolist()
        return ex.call("tensor", written, shape=np.shape(array))

    def constant(self, value: Any, expression: Expression) -> Slot:
        """A slot for what is given from outside."""
        self.operands.append(Operand(value, expression, self.numbers))
        return Slot(len(self.operands) - 1)

    def is_elementwise(self, end: Slot, start: Slot) -> bool:
        """Whether all rows between two slots act element by element, and repeat none."""
        if np.shape(value_of(self.operands[end])) != np.shape(value_of(self.operands[start])):
            return False
        moving = self._moving(start)
        needed = self._needed(end)
        return all(
            step.row.elementwise
            for step in self.steps
            if any(slot in needed and slot in moving for slot in step.results)
        )

    def _needed(self, end: Slot) -> set[int]:
        needed = {int(end)}
        for step in reversed(self.steps):
            if not needed.isdisjoint(step.results):
                needed.update(slots_of(step.operands))
        return needed

    def _moving(self, start: Slot) -> set[int]:
        """The slots that depend on one in such a way that they have a gradient."""
        moving = {int(start)}
        for step in self.steps:
            row = step.row
            for place in row.differentiable:
                if place < len(step.operands) and not moving.isdisjoint(
                    slots_of(step.operands[place])
                ):
                    moving.update(
                        slot
                        for number, slot in enumerate(step.results)
                        if _carries(row, self.operands[slot], number)
                    )
                    break
        return moving

    def derivative(self, end: Slot, start: Slot, seed: Slot) -> Slot | None:
        """The gradient of what is in a slot with respect to another; None where it is zero."""
        moving, needed = self._moving(start), self._needed(end)
        self._refuse_underived(start, needed)
        arrived: dict[int, Slot] = {int(end): seed}
        for number, step in reversed([*enumerate(self.steps)]):
            self._origin = self._origins[number]
            grads = [arrived.pop(slot, None) for slot in step.results if slot != start]
            if all(grad is None for grad in grads):
                continue
            for place in step.row.differentiable:
                targets = slots_of(step.operands[place : place + 1])
                if not any(slot in moving and slot in needed for slot in targets):
                    continue
                try:
                    pulled = self._pulled(step, place, grads)
                except NotImplementedError as error:
                    failure = NoFormula(f"the derivative of {spelled(step.row)}")
                    failure.step = self._origin
                    raise failure from error
                for slot, part in pulled:
                    if slot in moving and part is not None:
                        known = arrived.get(slot)
                        arrived[slot] = part if known is None else self._added(known, part)
        return arrived.get(start)

    def _refuse_underived(self, start: Slot, needed: set[int]) -> None:
        """Refuses a row that depends on a slot and has no derivative, though it is not constant.

        An evaluation says that its value has no gradient; a formula would be zero.
        """
        depends = {int(start)}
        for number, step in enumerate(self._trace.steps):
            if depends.isdisjoint(slots_of(step.operands)):
                continue
            row = step.row
            if row.differentiable:
                depends.update(step.results)
            elif row.elementwise and any(
                slot in needed and _varies(self.operands[slot]) for slot in step.results
            ):
                failure = NoFormula(f"the derivative of {spelled(row)}")
                failure.step = number
                raise failure

    def _pulled(
        self, step: Step, place: int, grads: Sequence[Slot | None]
    ) -> list[tuple[int, Slot | None]]:
        """Which gradients a step hands to an operand, or to each in a list."""
        operands = [
            value_of(self._given(operand)) for operand in resolved(step.operands, self.operands)
        ]
        results = [value_of(self.operands[slot]) for slot in step.results]
        points = [None if grad is None else value_of(self.operands[grad]) for grad in grads]
        plan = plan_of(step.row, place, points, operands, results, True)
        found = self._replayed(plan, step, grads)
        target = step.operands[place]
        if type(target) in (list, tuple):
            return [(slot, part) for slot, part in zip(target, found, strict=True)]
        return [(target, found)]

    def _replayed(self, plan: Plan, step: Step, grads: Sequence[Slot | None]) -> Any:
        """Adds the steps of a formula; the slots of what it gives."""
        slots: list[Any] = []
        for source in plan.sources:
            if source.kind == "grad":
                slots.append(grads[source.place])
            elif source.kind == "result":
                slots.append(step.results[source.place])
            else:
                operand = step.operands[source.place]
                slots.append(operand if source.item < 0 else operand[source.item])
        slots += [None] * (len(plan.values) - len(slots))
        for inner in plan.steps:
            operands = resolved(inner.operands, slots)
            results = []
            for slot in inner.results:
                self.operands.append(None)
                slots[slot] = Slot(len(self.operands) - 1)
                results.append(slots[slot])
            self._run(inner.row, operands, results)
        found = resolved(plan.output, slots)
        if type(found) in (list, tuple):
            return [self._slot(part) for part in found]
        return self._slot(found)

    def _slot(self, found: Any) -> Slot | None:
        if found is None or type(found) is Slot:
            return found
        given = self._given(found)
        return self.constant(value_of(given), given.expression)

    def _added(self, a: Slot, b: Slot) -> Slot:
        self.operands.append(None)
        slot = Slot(len(self.operands) - 1)
        self._run(added, (a, b), (slot,))
        return slot


def _varies(operand: Any) -> bool:
    """Whether an operand is a number that depends on a variable, and no condition."""
    value = np.asarray(value_of(operand))
    return value.dtype.kind in INEXACT and not operand.expression.is_constant


def _carries(row: Row, operand: Any, number: int) -> bool:
    value = np.asarray(value_of(operand))
    return value.dtype.kind in INEXACT and row.carries_gradient(value, number)


def _are_literals(given: Sequence[Any]) -> bool:
    """Whether operands are tensors with dimensions that are written out."""
    tensors = [item for item in ex.flat(given) if type(item) is Operand]
    return any(item.expression.shape for item in tensors) and all(
        item.expression.is_constant for item in tensors
    )


_WRITTEN = 16
"""The most elements of a constant that are written out."""

"""Short ways through a row: calls on few numbers, and formulas in an ordinary backward pass.

What a call and a node do in general is told in `gradcli.table.row` and `gradcli.table.node`. Most
of that time goes into questions whose answers are known beforehand where all operands are small
tensors of one type, single or double, and where all formulas give one gradient each. The functions
made here ask only what is left, and hand over to the general way (`Row.observed`, `node.in_full`)
whatever they were not made for. How a saved value is unpacked is written out in each: a call for it
takes a tenth of a pass over products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, Protocol

import numpy as np

from gradcli.table.node import RESULT, Formula, Plan, Recorder, RowNode, Saved
from gradcli.tensor.clock import clock
from gradcli.tensor.graph import FREED, SCALARS, Birth, Node, mode
from gradcli.tensor.leaf import accumulator
from gradcli.tensor.tensor import Tensor, bare, wrap

Run = Callable[[RowNode, Any], Sequence[Any]]

_SINGLE, _DOUBLE = SCALARS
_SMALL: Final = 4096
"""Elements of operands from which on a call's time is that of its elements."""
_WRAPPED: Final = frozenset((Saved, tuple))
"""What a node saved that is not computed with as it is."""
_ZEROS: Final = ((), (0,), (0, 0))
_ARRAY: Final = np.ndarray
_new: Final = object.__new__


def picker(plan: Plan, arity: int) -> Callable[[tuple[Any, ...]], Any] | None:
    """What picks the values to save from `(*operands, output)` of a call that gives no other
    argument; None where that takes more than picking.
    """
    places: list[int] = []
    defaults: list[Any] = []
    for position, number, fact in plan.saves:
        if position == RESULT and fact == "tensor" and number == 0:
            places.append(arity)
        elif fact not in ("tensor", "value"):
            return None
        elif position < arity:
            places.append(position)
        else:
            places.append(arity + 1 + len(defaults))
            defaults.append(plan.row.signature.defaults[position])
    if not places:
        return lambda values: ()
    last = places[-1]
    pick: Any = itemgetter(*places) if places[1:] else itemgetter(slice(last, last + 1))
    if not defaults:
        return pick  # type: ignore[no-any-return]
    rest = tuple(defaults)
    return lambda values: pick(values + rest)


def runner(plan: Plan) -> Run | None:
    """What turns the gradient of a node's only output into those of its edges, without a record;
    None where formulas share edges or ask for more.
    """
    if plan.row.list_position is not None or not plan.steps:
        return None
    steps: list[tuple[int, Formula, tuple[int, ...]]] = []
    for edge, formula, all_grads, picks in plan.steps:
        if all_grads or type(edge) is not int:
            return None
        steps.append((edge, formula, picks))
    size = len(plan.needs)
    if not plan.saves:
        return _of_nothing(steps, size)
    if len(steps) == len(plan.saves) == 1:
        return _of_one(*steps[0][:2], size)
    if len(steps) == size == 2 and all(len(picks) < 2 for _, _, picks in steps):
        return _of_two(steps)
    return _of_several(steps, size)


def _of_nothing(steps: list[tuple[int, Formula, tuple[int, ...]]], size: int) -> Run:
    if size == 1:
        formula = steps[0][1]
        return lambda node, grad: (formula(grad),)

    def run(node: RowNode, grad: Any) -> Sequence[Any]:
        found: list[Any] = [None] * size
        for edge, formula, _ in steps:
            found[edge] = formula(grad)
        return found

    return run


def _of_one(edge: int, formula: Formula, size: int) -> Run:
    """A formula of the gradient and the only value saved."""
    before, after = (None,) * edge, (None,) * (size - edge - 1)

    def run(node: RowNode, grad: Any) -> Sequence[Any]:
        saved = node.saved
        if saved is None:
            raise RuntimeError(FREED)
        value = saved[0]
        if type(value) is Tensor:
            if value._versions is not None and type(value._versions) is not Birth:
                return node.in_full((grad,), False)
            number = value._value
            value = bare(value) if number is None else number
        elif type(value) in _WRAPPED:
            return node.in_full((grad,), False)
        return (*before, formula(grad, value), *after)

    return run


def _of_two(steps: list[tuple[int, Formula, tuple[int, ...]]]) -> Run:
    """Formulas of both edges, each of the gradient and at most one of the values saved."""
    calls = {edge: (formula, picks) for edge, formula, picks in steps}
    (first, i), (second, j) = (_with_value(*calls[edge]) for edge in (0, 1))

    def run(node: RowNode, grad: Any) -> Sequence[Any]:
        saved = node.saved
        if saved is None:
            raise RuntimeError(FREED)
        left, right = saved[i], saved[j]
        if type(left) is Tensor:
            if left._versions is not None and type(left._versions) is not Birth:
                return node.in_full((grad,), False)
            number = left._value
            left = bare(left) if number is None else number
        if type(right) is Tensor:
            if right._versions is not None and type(right._versions) is not Birth:
                return node.in_full((grad,), False)
            number = right._value
            right = bare(right) if number is None else number
        if type(left) in _WRAPPED or type(right) in _WRAPPED:
            return node.in_full((grad,), False)
        return first(grad, left), second(grad, right)

    return run


def _with_value(formula: Formula, picks: tuple[int, ...]) -> tuple[Formula, int]:
    """A formula that is given a saved value in any case, and which."""
    if picks:
        return formula, picks[0]
    return lambda grad, _: formula(grad), 0


def _of_several(steps: list[tuple[int, Formula, tuple[int, ...]]], size: int) -> Run:
    """Formulas of the gradient and some of the values saved."""

    def run(node: RowNode, grad: Any) -> Sequence[Any]:
        saved = node.saved
        if saved is None:
            raise RuntimeError(FREED)
        values: list[Any] = []
        for value in saved:
            if type(value) is Tensor:
                if value._versions is not None and type(value._versions) is not Birth:
                    return node.in_full((grad,), False)
                number = value._value
                value = bare(value) if number is None else number
            elif type(value) in _WRAPPED:
                return node.in_full((grad,), False)
            values.append(value)
        found: list[Any] = [None] * size
        for edge, formula, picks in steps:
            if len(picks) == 1:
                found[edge] = formula(grad, values[picks[0]])
            else:
                found[edge] = formula(grad, *[values[pick] for pick in picks])
        return found

    return run


def shorten(plan: Plan, arity: int) -> Plan:
    """Finds the short ways of a plan; `arity` is that of calls on numbers, 0 if there are none."""
    plan.run = runner(plan)
    plan.pick = picker(plan, arity) if arity else None
    return plan


class Shortened(Recorder, Protocol):
    """What the short ways ask of their row."""

    arity: int
    differentiable: tuple[int, ...]
    numbered: dict[int, Any]
    plans: dict[int, Plan]
    unchecked: Callable[..., Any]

    def observed(self, args: tuple[Any, ...]) -> Any: ...

    def finish(self, args: tuple[Any, ...], out: Any, wants: bool) -> Any: ...

    def plan(self, wanted: int) -> Plan: ...


def short_way(
    row: Shortened, otherwise: Callable[..., Any] | None = None
) -> Callable[..., Any] | None:
    """What answers calls of a row on a tensor and other operands, `row.arity` in all.

    `otherwise` answers what is not short; usually the row itself does.
    """
    if not row.arity:
        return None
    general = otherwise or (lambda *args: row.observed(args))
    return _one_operand(row, general) if row.arity == 1 else _two_operands(row, general)


def _one_operand(row: Shortened, otherwise: Callable[..., Any]) -> Callable[[Tensor], Any]:
    compute, finish = row.unchecked, row.finish
    plans, plan_of = row.plans, row.plan

    def call(operand: Tensor) -> Any:
        value = operand._value
        if value is None:
            value = _small(operand)
        if value is None or operand._nr or clock.deadline is not None or mode.listener is not None:
            return otherwise(operand)
        out = compute(value)
        wants = operand._requires_grad
        dtype = value.dtype
        if type(out) is tuple or out.dtype is not dtype:
            return finish((operand,), out, wants)
        if not (wants and mode.enabled):
            return wrap(out)
        plan = plans.get(1) or plan_of(1)
        edges = (operand._grad_fn or accumulator(operand),)
        versions = operand._versions
        if plan.pick is None or (versions is not None and type(versions) is not Birth):
            tensor = _recorded(out, dtype, plan, edges, ())
            tensor._grad_fn.save((operand,), (tensor,))
            return tensor
        return _recorded(out, dtype, plan, edges, plan.pick((operand, out)))

    return call


def _two_operands(row: Shortened, otherwise: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    compute, finish = row.unchecked, row.finish
    plans, plan_of = row.plans, row.plan
    two_edges, numbered = row.differentiable == (0, 1), row.numbered

    def call(first: Tensor, second: Any) -> Any:
        left = first._value
        if left is None:
            left = _small(first)
        if left is None or first._nr or clock.deadline is not None or mode.listener is not None:
            return otherwise(first, second)
        dtype = left.dtype
        wanted = 1 if first._requires_grad else 0
        versions = first._versions
        counted = versions is not None and type(versions) is not Birth
        if type(second) is Tensor:
            right = second._value
            if right is None:
                right = _small(second)
            if right is None or right.dtype is not dtype or second._nr:
                return otherwise(first, second)
            versions = second._versions
            counted = counted or (versions is not None and type(versions) is not Birth)
            if two_edges and second._requires_grad:
                wanted += 2
        elif type(second) is not float and (type(second) is not int or second.bit_length() > 63):
            return otherwise(first, second)
        elif 1 in numbered:
            return numbered[1](first, second)
        else:
            right = second
        try:
            out = compute(left, right)
        except ValueError:
            return otherwise(first, second)  # says what is wrong with the shapes
        if type(out) is tuple or out.dtype is not dtype:
            return finish((first, second), out, wanted > 0)
        if not (wanted and mode.enabled):
            return wrap(out)
        plan = plans.get(wanted) or plan_of(wanted)
        edges: tuple[Node | None, ...] = (
            (first._grad_fn or accumulator(first)) if wanted != 2 else None,
        )
        if two_edges:
            edges += ((second._grad_fn or accumulator(second)) if wanted != 1 else None,)
        if plan.pick is None or counted:
            tensor = _recorded(out, dtype, plan, edges, ())
            tensor._grad_fn.save((first, second), (tensor,))
            return tensor
        return _recorded(out, dtype, plan, edges, plan.pick((first, second, out)))

    return call


def _small(tensor: Tensor) -> Any:
    """What is computed with of a tensor that may take a short way; None of another."""
    array = tensor._array
    if type(array) is not _ARRAY:
        return None
    dtype = array.dtype
    if tensor._view is not None or (dtype is not _SINGLE and dtype is not _DOUBLE):
        return None
    if not array.ndim:
        return array[()]
    return array if array.size < _SMALL else None


def _recorded(
    out: Any, dtype: Any, plan: Plan, successors: tuple[Node | None, ...], saved: tuple[Any, ...]
) -> Any:
    """A result of a type that numbers have a short way in, with its node."""
    tensor = _new(Tensor)
    node = _new(RowNode)
    if type(out) is _ARRAY:
        tensor._array = out
        tensor._value = None
        node.fits(out.shape, dtype)
    else:
        tensor._value = out
        node.shape = ()
        node.scalar = type(out)
        node.dtype = dtype
    node.plan = plan
    node.successors = successors
    node.numbers = _ZEROS[len(successors)]
    node.others = ()
    node.hooks = node.versions = None
    node.saved = saved
    mode.sequence = node.sequence = mode.sequence + 1
    tensor._requires_grad = True
    tensor._grad_fn = node
    tensor._nr = 0
    tensor._grad = tensor._view = tensor._extras = tensor._accumulator = None
    tensor._versions = mode.fresh
    return tensor

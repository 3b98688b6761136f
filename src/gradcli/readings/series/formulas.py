"""Derivative formulas as traces: the rows that a formula calls, to be replayed on series.

A formula runs on tensors, as it does under `create_graph`, so that every way it may take by types,
shapes and values is that of the point; replaying its rows asks nothing more of it. That of an
element by element row, which looks at no values, is kept for its next call with operands of the
same shapes and types.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.fitting import fit
from gradcli.readings.series.coefficients import Series
from gradcli.readings.trace import Recorder, Slot, Step
from gradcli.table.node import Formula, parameter_names
from gradcli.table.row import Row
from gradcli.tensor.bounded import Bounded
from gradcli.tensor.dtypes import INEXACT
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor, wrap

_KEPT: Final = 1 << 25
"""Bytes that all plans may take."""


_NEARBY: Final = 1e-7
"""How far a point is moved, relatively, to see what moves with it."""


class Source(NamedTuple):
    """Where an input of a formula comes from: a gradient, an operand or a result of the row.

    `item` is the place in a list of tensors, else -1.
    """

    kind: str
    place: int
    item: int = -1


class Plan(NamedTuple):
    """The rows of a formula.

    Attributes:
        sources: of each input.
        steps: those that lead to the output, with arrays for tensors that are constant.
        output: a slot, a list of such, or a constant.
        values: what stood in the slots, of gradients and what depends on them.
        moving: the slots that depend on gradients.
        general: whether they are the same for all operands of these shapes and types.
    """

    sources: tuple[Source, ...]
    steps: tuple[Step, ...]
    output: Any
    values: list[Any]
    moving: frozenset[int]
    general: bool


_plans: Final[Bounded[Plan]] = Bounded(_KEPT)


def plan_of(
    row: Row,
    position: int,
    grads: Sequence[Any],
    operands: Sequence[Any],
    results: Sequence[Any],
    fitted: bool,
) -> Plan:
    """The rows that the gradient of the operand at a position is made of.

    `grads` are those of the results, `fitted` says that the gradient is brought to the operand's
    shape and type. All values are arrays, at the point of the series.
    """
    key: Any = (
        row,
        position,
        fitted,
        *[_form(value) for value in (*grads, None, *operands, None, *results)],
    )
    try:
        found = _plans.get(key)
    except TypeError:  # an operand has no hash, as a slice has none
        key = found = None
    if found is None:
        found = _made(row, position, grads, operands, results, fitted)
        if key is not None and row.elementwise and found.general:
            size = sum(value.nbytes for value in found.values)
            _plans.add(key, found, size + 1024 * (1 + len(found.steps)))
    return found


def _form(value: Any) -> Any:
    """What a formula can know of a value without looking at elements."""
    kind = type(value)
    if kind is np.ndarray or isinstance(value, np.generic):
        return value.shape, value.dtype, value.strides if value.ndim else ()
    if kind is list or kind is tuple:
        return tuple([_form(item) for item in value])
    return kind, value


def _made(
    row: Row,
    position: int,
    grads: Sequence[Any],
    operands: Sequence[Any],
    results: Sequence[Any],
    fitted: bool,
) -> Plan:
    """The rows of a formula."""
    edges, formula = formula_of(row, position)
    sources: list[Source] = []
    inputs: list[Tensor] = []

    def tensor(value: Any, source: Source) -> Any:
        if type(value) is not np.ndarray and not isinstance(value, np.generic):
            return value
        sources.append(source)
        inputs.append(wrap(np.asarray(value)))
        return inputs[-1]

    given = [tensor(grad, Source("grad", place)) for place, grad in enumerate(grads)]
    first, *names = parameter_names(formula)
    arguments = [argument_of(row, name, position, operands, results, tensor) for name in names]
    recorder = Recorder(inputs)
    enabled = mode.enabled
    mode.enabled = False
    try:
        with recorder as trace:
            gradient = formula(tuple(given) if first == "grads" else given[0], *arguments)
            if type(edges) is tuple and gradient is not None:
                gradient = gradient[edges.index(row.differentiable.index(position))]
            if fitted:
                gradient = _fitted(gradient, operands[position])
            recorder.ended(list(gradient) if type(gradient) is tuple else gradient)
    except RuntimeError as error:
        # Nested passes may bring it other gradients, or none.
        raise NotImplementedError(f"{row.names[0]}: {error}") from error
    finally:
        mode.enabled = enabled
    if trace.flaw:
        raise NotImplementedError(f"{row.names[0]}: {trace.flaw} by its formula")
    kept = _leading_to(trace.steps, trace)
    _refuse_frozen(row, sources, kept, operands, results)
    moving = {slot for slot, source in enumerate(sources) if source.kind == "grad"}
    for step in trace.steps:
        if step.row.differentiable and not moving.isdisjoint(slots_of(step.operands)):
            moving.update(
                slot for slot in step.results if trace.values[slot]._array.dtype.kind in INEXACT
            )
    steps = tuple(step._replace(operands=plain(step.operands)) for step in kept)
    values = [tensor._array[()] for tensor in trace.values]
    general = trace.reusable and not trace.guards
    return Plan(tuple(sources), steps, plain(trace.outputs), values, frozenset(moving), general)


def formula_of(row: Row, position: int) -> tuple[Any, Formula]:
    """The formula of the operand at a position, and for which edges it is."""
    edge = row.differentiable.index(position)
    for edges, formula in row.formulas:
        if edge in edges if type(edges) is tuple else edge == edges:
            return edges, formula
    raise LookupError(f"{row.names[0]} has no formula for operand {position}")


def formula_asks(row: Row, position: int) -> set[str]:
    """What a formula is made of, by name, beside the gradient of the result."""
    return set(parameter_names(formula_of(row, position)[1])[1:])


def argument_of(
    row: Row,
    name: str,
    position: int,
    operands: Sequence[Any],
    results: Sequence[Any],
    tensor: Any,
) -> Any:
    """What a formula gets under a name (see `gradcli.table.row`)."""
    index = row.signature.index
    if name == "needs":
        return tuple([place == position for place in row.differentiable])
    if name in index:
        place = index[name]
        if place >= len(operands):
            return row.signature.defaults[place]
        value = operands[place]
        if type(value) in (list, tuple):
            return tuple(
                [tensor(item, Source("operand", place, k)) for k, item in enumerate(value)]
            )
        return tensor(value, Source("operand", place))
    stem, _, fact = name.rpartition("_")
    if stem in index:
        return _fact(operands[index[stem]], fact)
    if stem.startswith("result"):
        return _fact(results[int(stem[6:] or 0)], fact)
    place = int(name[6:] or 0)
    return tensor(results[place], Source("result", place))


def _fact(value: Any, fact: str) -> Any:
    """The shape, type or strides of an array; of each in a list."""
    if type(value) in (list, tuple):
        return tuple([_fact(item, fact) for item in value])
    array = value._array if type(value) is Tensor else np.asarray(value)
    if fact == "stride":
        return tuple([step // array.itemsize for step in array.strides])
    return array.shape if fact == "shape" else array.dtype


def _fitted(gradient: Any, operand: Any) -> Any:
    """A gradient in its operand's shape and type."""
    if type(gradient) in (list, tuple):
        return [_fitted(part, item) for part, item in zip(gradient, operand, strict=True)]
    if gradient is None:
        return None
    like = np.asarray(operand)
    return fit(gradient, like.shape, like.dtype, True, str)


def _refuse_frozen(
    row: Row,
    sources: Sequence[Source],
    steps: Sequence[Step],
    operands: Sequence[Any],
    results: Sequence[Any],
) -> None:
    """Refuses a formula that is made of a result which has no derivative, although it moves."""
    used = {slot for step in steps for slot in slots_of(step.operands)}
    for slot, (kind, place, _) in enumerate(sources):
        if kind != "result" or slot not in used or results[place].dtype.kind not in INEXACT:
            continue
        if not row.carries_gradient(results[place], place):
            nearby = row(
                *[
                    _nudged(operand) if number in row.differentiable else operand
                    for number, operand in enumerate(operands)
                ]
            )
            if not np.array_equal(nearby[place], results[place]):
                raise NotImplementedError(f"{row.names[0]} has no derivative of its result {place}")


def _nudged(operand: Any) -> Any:
    """An operand a little further in no particular direction."""
    if type(operand) in (list, tuple):
        return [_nudged(item) for item in operand]
    if operand is None or operand.dtype.kind not in INEXACT:
        return operand
    direction = np.cos(np.arange(operand.size)).reshape(operand.shape)
    return operand + _NEARBY * direction * np.max(np.abs(operand), initial=1.0)


def _leading_to(steps: Sequence[Step], trace: Any) -> list[Step]:
    """The steps that the outputs need; the others' slots stay empty."""
    needed = set(slots_of(trace.outputs))
    kept = []
    for step in reversed(steps):
        if not needed.isdisjoint(step.results):
            kept.append(step)
            needed.update(slots_of(step.operands))
    return kept[::-1]


def slots_of(operands: Any) -> list[int]:
    """The slots among operands, also in lists."""
    if type(operands) is Slot:
        return [operands]
    if type(operands) not in (list, tuple):
        return []
    return [slot for item in operands for slot in slots_of(item)]


def plain(operands: Any) -> Any:
    """Operands with arrays for tensors."""
    kind = type(operands)
    if kind is Tensor:
        return operands._array[()]
    if kind is list or kind is tuple:
        return kind([plain(item) for item in operands])
    return operands


def at_point(operand: Any) -> Any:
    """Operands as arrays at the point of the series."""
    kind = type(operand)
    if kind is Series:
        return operand.first
    if kind is list or kind is tuple:
        return [at_point(item) for item in operand]
    return operand

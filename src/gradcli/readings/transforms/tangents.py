"""How values move when others do: tangents, pushed along the rows that a function ran.

What a row says about itself gives the tangent of its result: one that is linear in operands is
called on their tangents, an element by element row's formula takes the tangent where it takes a
gradient, and of any other the formula is the adjoint of what gives the tangent, so it is
differentiated with respect to the gradient. All of these are calls of rows on tensors again, which
are recorded, batched and pushed further as any others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from gradcli.autograd.matrices import Product
from gradcli.ops.algebra.arithmetic import add, scaled
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import view_as
from gradcli.readings.batched.customs import rule_of
from gradcli.readings.series.formulas import argument_of, formula_of, slots_of
from gradcli.readings.series.linear import slope_of
from gradcli.readings.trace import Slot, Step, Trace, resolved
from gradcli.table.node import parameter_names
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import set_flag
from gradcli.tensor.tensor import Tensor

notes: Final[set[str]] = set()
"""Why tangents of whole functions have come from backward passes."""


class NoTangents(NotImplementedError):
    """The rows of a trace do not tell how its values move; the message says why."""


class Tangents:
    """Tangents of the values of a trace, by slot: those given, and what follows from them.

    `advance` goes on to the last step that there is now. `own` is told of leaves that are made on
    the way; for a `transform` custom Functions must have a rule for batches of tangents.
    """

    def __init__(self, trace: Trace, own: Callable[[Tensor], None], transform: bool = True) -> None:
        self.trace = trace
        self._transform = transform
        self._own = own
        self._moving: dict[int, Any] = {}
        self._next = self._called = 0

    def give(self, tensor: Tensor, tangent: Tensor) -> None:
        """Says how a tensor of the trace moves; it counts nowhere if it is none."""
        slot = self.trace.slot(tensor)
        if slot is not None:
            self._moving[slot] = tangent

    def of(self, tensor: Tensor) -> Tensor | None:
        """How a value moves; None where nothing moves it.

        Raises:
            NoTangents: it was recorded, but by no step.
        """
        slot = self.trace.slot(tensor)
        if slot is None and tensor.grad_fn is not None:
            raise NoTangents("a value was made by no row")
        return None if slot is None else self._moving.get(slot)

    def advance(self) -> None:
        """Pushes along steps that have been added.

        Raises:
            NoTangents: they do not tell.
        """
        if self.trace.broken:
            raise NoTangents(self.trace.broken)
        moving, values = self._moving, self.trace.values
        for number, step in enumerate(self.trace.steps[self._next :], self._next):
            self._call_until(number)
            self._next = number + 1
            if moving.keys().isdisjoint(slots_of(step.operands)):
                continue
            results = [values[slot] for slot in step.results]
            for slot, tangent in zip(step.results, self._pushed(step, results), strict=True):
                if tangent is not None:
                    moving[slot] = tangent
        self._call_until(self._next)

    def _call_until(self, number: int) -> None:
        """Pushes through the custom Functions that were called before a step."""
        calls = self.trace.calls
        while self._called < len(calls) and calls[self._called][0] <= number:
            call = calls[self._called][1]
            self._called += 1
            tangents = [self._of_argument(arg) for arg in call.args]
            if all(tangent is None for tangent in tangents):
                continue
            if mode.level is not None and self._transform:
                rule_of(call.definition)  # as many tangents are pushed at once, there must be one
            for output, tangent in zip(call.outputs, call.pushed(tangents), strict=True):
                if tangent is not None:
                    check_size(output, tangent)
                    self.give(output, tangent)

    def _of_argument(self, arg: Any) -> Any:
        slot = self.trace.slot(arg) if type(arg) is Tensor else None
        return None if slot is None else self._moving.get(slot)

    def _pushed(self, step: Step, results: list[Tensor]) -> Sequence[Tensor | None]:
        row, operands = step.row, resolved(step.operands, self.trace.values)
        given = tangents_of(row, step.operands, self._of_operand)
        return pushed(row, operands, given, results, self._own)

    def _of_operand(self, operand: Any) -> Any:
        return self._moving.get(operand) if type(operand) is Slot else None


def tangents_of(row: Row, operands: Sequence[Any], tangent: Callable[[Any], Any]) -> dict[int, Any]:
    """The tangents of the operands of a row that move, by place; of a list, those of its items."""

    def of(operand: Any) -> Any:
        if type(operand) in (list, tuple):
            found = [of(item) for item in operand]
            return found if any(item is not None for item in found) else None
        return tangent(operand)

    places = [place for place in row.differentiable if place < len(operands)]
    found = {place: of(operands[place]) for place in places}
    return {place: move for place, move in found.items() if move is not None}


def check_size(point: Tensor, tangent: Tensor) -> None:
    """Refuses a tangent of another shape.

    Raises:
        RuntimeError: its shape is not that of the tensor.
    """
    if point.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(point.shape)} while the given "
            f"forward gradient is of size {list(tangent.shape)}."
        )


def pushed(
    row: Row,
    operands: Sequence[Any],
    given: dict[int, Any],
    results: Sequence[Tensor],
    own: Callable[[Tensor], None],
) -> Sequence[Tensor | None]:
    """How the results of a row move when operands, by place, move along tangents."""
    carrying = [
        row.carries_gradient(result._array, number) for number, result in enumerate(results)
    ]
    if not given or not any(carrying):
        return [None] * len(results)
    found = _pushed(row, operands, given, results, own)
    return [move if carries else None for move, carries in zip(found, carrying, strict=True)]


def _pushed(
    row: Row,
    operands: Sequence[Any],
    given: dict[int, Any],
    results: Sequence[Tensor],
    own: Callable[[Tensor], None],
) -> Sequence[Tensor | None]:
    """The same where there are some, and some results carry gradients."""
    index = row.signature.index
    groups = [frozenset([index[name] for name in group]) for group in row.linear]
    factors = [group for group in groups if not group.isdisjoint(given)]
    whole = next((group for group in groups if group.issuperset(given)), None)
    if whole is not None:
        factors = [whole]
    if factors and frozenset().union(*factors).issuperset(given):
        return _multiplied(row, operands, given, factors, results)
    if row.elementwise and not row.several and len(results) == 1:
        (result,) = results
        moved = [result, *[operands[place] for place in given]]
        if all(part._array.dtype.kind in dtypes.FLOATS for part in moved):
            return [_scaled(row, operands, given, result)]
    return _transposed(row, operands, given, results, own)


def _multiplied(
    row: Row,
    operands: Sequence[Any],
    given: dict[int, Any],
    factors: Sequence[frozenset[int]],
    results: Sequence[Tensor],
) -> Sequence[Tensor | None]:
    """Of a row that is linear in each of several groups of operands."""
    left = dict(given)
    totals: list[Tensor | None] = [None] * len(results)
    for group in factors:
        own = {place: left.pop(place) for place in group & left.keys()}
        if not own:
            continue
        if _is_combination(row, operands, group, results):
            found: Sequence[Tensor | None] = [_combined(row, operands, group, own, results[0])]
        else:
            args = [
                _filled(own[place], operand)
                if place in own
                else _zero(operand)
                if place in group
                else operand
                for place, operand in enumerate(operands)
            ]
            made = row(*args)
            found = made if type(made) is tuple else (made,)
            if row.promote:
                found = [_fitted(part, result) for part, result in zip(found, results, strict=True)]
        totals = [_sum(*pair) for pair in zip(totals, found, strict=True)]
    return totals


def _is_combination(
    row: Row, operands: Sequence[Any], group: frozenset[int], results: Sequence[Tensor]
) -> bool:
    """Whether a row adds multiples of tensors, of which the factors are no tensors."""
    others = [value for place, value in enumerate(operands) if place not in group]
    return (
        bool(row.promote)
        and len(group) > 1
        and len(results) == 1
        and results[0]._array.dtype.kind in dtypes.FLOATS
        and not any(type(value) is Tensor for value in others)
    )


def _combined(
    row: Row, operands: Sequence[Any], group: frozenset[int], own: dict[int, Tensor], result: Tensor
) -> Tensor | None:
    total = None
    for place, tangent in own.items():
        factor = slope_of(row, operands, group, [place])
        part = tangent if factor == 1 else scaled(tangent, factor)
        total = _sum(total, _fitted(part, result))
    return total


def _scaled(
    row: Row, operands: Sequence[Any], given: dict[int, Tensor], result: Tensor
) -> Tensor | None:
    """Of an element by element row: each tangent in the place of its formula's gradient."""
    total = None
    for place, tangent in given.items():
        edges, formula = formula_of(row, place)
        first, *names = parameter_names(formula)
        arguments = [
            argument_of(row, name, place, operands, (result,), lambda value, source: value)
            for name in names
        ]
        gradient = _fitted(tangent, result)
        found = formula((gradient,) if first == "grads" else gradient, *arguments)
        if type(edges) is tuple and found is not None:
            found = found[edges.index(row.differentiable.index(place))]
        if found is not None:
            total = _sum(total, _fitted(found, result))
    return total


def _transposed(
    row: Row,
    operands: Sequence[Any],
    given: dict[int, Any],
    results: Sequence[Tensor],
    own: Callable[[Tensor], None],
) -> Sequence[Tensor | None]:
    """Of any other row: its formulas are linear in the gradient, which is differentiated by."""
    if len(given) == 1 and results[0].requires_grad:
        ((place, tangent),) = given.items()
        if type(tangent) is not list and operands[place].requires_grad:
            product = transposable(results, [operands[place]], own)
            return product.with_vector({0: tangent}, mode.enabled)
    # Operands may depend on one another, so that the row is run again on ones that do not.
    points: list[Tensor] = []
    tangents: list[Tensor] = []

    def fresh(operand: Any, tangent: Any) -> Any:
        """An operand that is nobody else's."""
        if tangent is None:
            return operand
        if type(tangent) is list:
            return [fresh(*pair) for pair in zip(operand, tangent, strict=True)]
        if operand.requires_grad:
            made: Tensor = view_as(operand, operand)
        else:
            made = operand.detach()
            set_flag(made, True)
            own(made)
        points.append(made)
        tangents.append(tangent)
        return made

    recorded = mode.enabled
    mode.enabled = True
    try:
        found = row(*[fresh(operand, given.get(k)) for k, operand in enumerate(operands)])
        product = transposable(found if type(found) is tuple else (found,), points, own)
    finally:
        mode.enabled = recorded
    return product.with_vector(dict(enumerate(tangents)), recorded)


def transposable(
    outputs: Sequence[Tensor], points: Sequence[Tensor], own: Callable[[Tensor], None]
) -> Product:
    """A product of a Jacobian with vectors, of which the leaves are somebody's own."""
    product = Product(outputs, points)
    for seed in product.seeds:
        own(seed)
    return product


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    if a is None or b is None:
        return b if a is None else a
    found: Tensor = add(a, b)
    return found


def _fitted(tangent: Tensor, result: Tensor) -> Tensor:
    """A tangent in the shape of a result, and in no narrower type."""
    wide = dtypes.promote_types(tangent.dtype, result.dtype)
    if tangent.dtype is not wide:
        tangent = to_dtype(tangent, wide)
    shape = tuple(result._array.shape)
    return tangent if tangent._array.shape == shape else expand(tangent, shape)


def _filled(tangent: Any, operand: Any) -> Any:
    """A tangent for each tensor of a list, zeros where one does not move."""
    if type(tangent) is not list:
        return tangent
    return [
        _zero(item) if move is None else move for move, item in zip(tangent, operand, strict=True)
    ]


def _zero(operand: Any) -> Any:
    """What stands for an operand that does not move."""
    if type(operand) is Tensor:
        return zeros_like(operand)
    if type(operand) in (list, tuple):
        return [_zero(item) for item in operand]
    return 0 if type(operand) in (int, float, complex) else operand

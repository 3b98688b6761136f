"""Where a text is looked at whose variables have no values: a point of its domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.evaluation import Bindings, check_operands, define, leaves_of
from gradcli.language.running.machine import Machine
from gradcli.language.running.place import running_place
from gradcli.language.telling.diagnostics import Place
from gradcli.readings.trace import Recorder, Trace
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.clock import LimitError
from gradcli.tensor.tensor import Tensor, wrap

_LEVELS: Final = (0.55, 1.7, -0.6, -2.3, 12.0)
"""About where variables are tried, all at one level first."""

_STEP: Final = 0.137
"""How far a variable is from the one before."""

_SIDE: Final = 3
"""The size of dimensions that nobody gave."""

_TRIES: Final = 400


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
        first: Exception | None = None
        best: Evaluated | None = None
        for point in _points(unbound):
            try:
                found = _evaluated(bindings, timeout, point, write)
                if not unbound or _is_regular(found, wrt):
                    return found
                best = best or found
            except LimitError:
                raise
            except Exception as error:
                if not unbound:
                    raise
                first = first or error
        if best is None:
            assert first is not None
            raise first
        return best
    finally:
        dtypes.set_default_dtype(before)


def _evaluated(
    bindings: Bindings, timeout: float | None, point: dict[str, Any], write: Any
) -> Evaluated:
    machine = Machine(write=write, timeout=timeout)
    chosen = {name: wrap(np.array(value), True) for name, value in point.items()}
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
    value = found.value
    if not isinstance(value, Tensor) or not np.isfinite(value._array).all():
        return False
    leaves = [found.variables[name] for name in wrt if name in found.variables]
    leaves = leaves or list(found.chosen.values())
    if not value.requires_grad or not leaves:
        return True
    seed = wrap(np.ones_like(value._array))
    slopes = grad([value], leaves, [seed], retain_graph=True, allow_unused=True)
    return all(slope is None or np.isfinite(slope._array).all() for slope in slopes)


def _points(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Points to try: numbers, at one level and at several; then vectors and matrices."""
    if not names:
        yield {}
        return
    yield from _at_levels(names, [()] * len(names))
    ranks = sorted(
        product(range(3), repeat=min(len(names), 5)), key=lambda r: (_oddity(names, r), sum(r))
    )
    for rank in filter(any, ranks):
        shapes = [(_SIDE,) * rank[k] if k < len(rank) else () for k in range(len(names))]
        yield from _at_levels(names, shapes, 2)


def _oddity(names: Sequence[str], ranks: Sequence[int]) -> int:
    """How unusual ranks are: matrices have capitals for names, and nothing else has."""
    return sum((rank == 2) != name[:1].isupper() for name, rank in zip(names, ranks, strict=False))


def _at_levels(
    names: Sequence[str], shapes: Sequence[tuple[int, ...]], most: int = _TRIES
) -> Iterator[dict[str, Any]]:
    uniform = [(level,) * len(names) for level in _LEVELS]
    mixed = list(product(_LEVELS, repeat=min(len(names), 4)))
    for tried, levels in enumerate([*uniform, *mixed]):
        if tried >= most:
            return
        yield {
            name: _value(levels[k % len(levels)], k, shape)
            for k, (name, shape) in enumerate(zip(names, shapes, strict=True))
        }


def _value(level: float, place: int, shape: tuple[int, ...]) -> Any:
    base = level + _STEP * place * (1 if level > 0 else -1)
    if not shape:
        return base
    size = int(np.prod(shape))
    return (base + 0.21 * np.sin(1.7 * np.arange(size) + place)).reshape(shape)

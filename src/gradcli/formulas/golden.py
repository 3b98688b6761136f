"""Values of derivatives that were computed without their formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.evaluation import Bindings
from gradcli.formulas.deriving import SEED, Deriver
from gradcli.language.running.machine import Machine
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap

_MOVES: Final = (1.0, 1.07, 0.93, 1.21, 0.8)
"""By what the points are multiplied."""


class Golden(NamedTuple):
    """A point, by variable, and the values of the derivatives there."""

    point: Mapping[str, Any]
    values: Sequence[Any]


def golden_points(
    bindings: Bindings, deriver: Deriver, partials: Sequence[Sequence[str]], count: int
) -> list[Golden]:
    """Points around that of a deriver where the same conditions hold, the first of which is it."""
    found: list[Golden] = []
    variables = deriver.evaluated.variables
    fixed = {v.name for v in bindings.variables if v.kind == "const"}
    seen = [guard.seen for _, guard in deriver.evaluated.trace.guards]
    before = dtypes.default.dtype
    dtypes.set_default_dtype(dtypes.float64)
    try:
        for factor in _MOVES:
            point = {
                name: leaf._array * (1.0 if name in fixed else factor)
                for name, leaf in variables.items()
            }
            values = _values(bindings, point, partials, seen)
            if values is not None:
                shape = _seed_shape(deriver, partials)
                extra = {} if shape is None else {SEED: np.ones(shape)}
                found.append(Golden({**point, **extra}, values))
            if len(found) == count:
                break
    finally:
        dtypes.set_default_dtype(before)
    return found


def _seed_shape(deriver: Deriver, partials: Sequence[Sequence[str]]) -> tuple[int, ...] | None:
    if not deriver.notes(partials):
        return None
    found: tuple[int, ...] = deriver.evaluated.value._array.shape
    return found


def _values(
    bindings: Bindings,
    point: Mapping[str, Any],
    partials: Sequence[Sequence[str]],
    seen: Sequence[Any],
) -> list[Any] | None:
    """The derivatives by nested backward passes; None where they are not finite, or where the text
    goes another way.
    """
    from gradcli.readings.trace import Recorder

    machine = Machine(write=lambda _: None)
    leaves = {name: wrap(np.array(value), True) for name, value in point.items()}
    machine.globals.update(leaves)
    recorder = Recorder(list(leaves.values()))
    try:
        with recorder as trace:
            value = machine.run(bindings.code)
        if [guard.seen for _, guard in trace.guards] != seen:
            return None
        found = [_slope(value, [leaves[name] for name in names]) for names in partials]
    except (ArithmeticError, RuntimeError, ValueError):
        return None
    return found if all(np.isfinite(each).all() for each in found) else None


def _slope(value: Any, leaves: Sequence[Tensor]) -> Any:
    for leaf in leaves:
        slope = None
        if isinstance(value, Tensor) and value.requires_grad:
            seed = wrap(np.ones_like(value._array))
            (slope,) = grad([value], [leaf], [seed], create_graph=True, allow_unused=True)
        if slope is None:
            return np.zeros_like(leaf._array)
        value = slope
    return value._array

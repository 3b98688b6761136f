"""Values of derivatives that were computed without their formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.evaluation import Bindings
from gradcli.formulas.deriving import Deriver, Formula
from gradcli.language.running.machine import Machine
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap

_MOVES: Final = (1.0, 1.07, 0.93, 1.21, 0.8)
"""By what the points are multiplied."""


class Golden(NamedTuple):
    """A point, by variable, and the values of the derivatives there."""

    point: Mapping[str, Any]
    values: Sequence[Any]


class Asked(NamedTuple):
    """Derivatives whose values are wanted.

    Attributes:
        bindings: the text that is differentiated.
        deriver: that knows a point of it.
        partials: of each derivative, the variables in turn.
        formulas: of the derivatives.
    """

    bindings: Bindings
    deriver: Deriver
    partials: Sequence[Sequence[str]]
    formulas: Sequence[Formula]


def golden_points(asked: Asked, count: int) -> list[Golden]:
    """Points around that of a deriver where the same conditions hold, the first of which is it."""
    found: list[Golden] = []
    variables = asked.deriver.evaluated.variables
    seeds = {
        name: _uneven(seed._array.shape)
        for name, seed in asked.deriver.seeds(asked.formulas).items()
    }
    fixed = {v.name for v in asked.bindings.variables if v.kind == "const"}
    before = dtypes.default.dtype
    dtypes.set_default_dtype(dtypes.float64)
    try:
        for factor in _MOVES:
            point = {
                name: leaf._array * (1.0 if name in fixed else factor)
                for name, leaf in variables.items()
            }
            values = _values(asked, point, seeds)
            if values is not None:
                found.append(Golden({**point, **seeds}, values))
            if len(found) == count:
                break
    finally:
        dtypes.set_default_dtype(before)
    return found


def _uneven(shape: tuple[int, ...]) -> Any:
    """Gradients that tell elements apart."""
    return np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape)


def _values(asked: Asked, point: Mapping[str, Any], seeds: Mapping[str, Any]) -> list[Any] | None:
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
            value = machine.run(asked.bindings.code)
        seen = [guard.seen for _, guard in asked.deriver.evaluated.trace.guards]
        if [guard.seen for _, guard in trace.guards] != seen:
            return None
        found = []
        for names, formula in zip(asked.partials, asked.formulas, strict=True):
            own = {name: seeds[name] for name in asked.deriver.seeds([formula])}
            steps = [
                (leaves[name], own.get(asked.deriver.seed_name(names[:place])))
                for place, name in enumerate(names)
            ]
            found.append(_slope(value, steps))
    except (ArithmeticError, RuntimeError, ValueError):
        return None
    return found if all(np.isfinite(each).all() for each in found) else None


def _slope(value: Any, steps: Sequence[tuple[Tensor, Any]]) -> Any:
    """The derivative by leaves in turn, each with the gradient that it starts from."""
    for leaf, seed in steps:
        slope = None
        if isinstance(value, Tensor) and value.requires_grad:
            start = wrap(np.ones_like(value._array) if seed is None else seed)
            (slope,) = grad([value], [leaf], [start], create_graph=True, allow_unused=True)
        if slope is None:
            return np.zeros_like(leaf._array)
        value = slope
    return value._array

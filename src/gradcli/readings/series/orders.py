"""Derivatives of any order of each variable alone: the first ones by nested backward passes, all
others by series, or by nested passes where there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.readings.series.derivatives import Derivatives, NoSeries
from gradcli.readings.trace import Trace
from gradcli.tensor.clock import clock
from gradcli.tensor.dtypes import FLOATS
from gradcli.tensor.memory import budget
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

_COEFFICIENT: Final = 300
"""Bytes that a coefficient takes beside its elements, with what it is made from."""

NESTED: Final = 2
"""The order up to which derivatives are nested passes where there are series, too: these cost no
more so far, and have PyTorch's numbers also where its formulas are not mathematics, as the norm's
at zero.
"""

DEEPEST: Final = 100
"""The order up to which derivatives may be nested passes: each walks what those before it left."""

_GOLDEN: Final = 0.6180339887

_MIXED: Final = (
    "{0} has elements that the output mixes, so that d2/d{0}2 is the Hessian times ones, not its "
    "diagonal: see gradcli hessian"
)


class Notes(list[str]):
    """What is to be said about derivatives beside their values; `inner` is said on request only."""

    def __init__(self) -> None:
        super().__init__()
        self.inner: list[str] = []


def differentiate(
    trace: Trace | None,
    ends: Sequence[Tensor],
    seeds: Sequence[Any] | None,
    leaves: Mapping[str, Tensor],
    order: int,
    notes: Notes | None = None,
) -> dict[str, list[Tensor]]:
    """The first to the Nth derivative of each leaf alone.

    The first is seeded by the seeds, each later one by ones. One that vanishes identically is
    zeros, whether the graph ends there or never led to the leaf. Those beyond `NESTED` come from
    series where there is a trace, and none then has a history. `notes` gets what is to be said
    about the point.

    Raises:
        OverflowError: there is no room for so many.
    """
    inputs = list(leaves.values())
    if not inputs:
        return {}
    check_room(inputs if trace is None else trace.values, order)
    firsts = grad(ends, inputs, seeds, create_graph=True, allow_unused=True)
    weights = [
        np.ones_like(end._array) if seed is None else seed._array
        for end, seed in zip(ends, seeds or [None] * len(ends), strict=True)
    ]
    found: dict[str, list[Tensor]] = {}
    for (name, leaf), first in zip(leaves.items(), firsts, strict=True):
        if trace is None:
            found[name] = _nested(leaf, first, order)
            continue
        orders = [part._array for part in _nested(leaf, first, min(order, NESTED))]
        if notes is not None and _mixes(leaf, first, orders[-1]):
            notes.append(_MIXED.format(name))
        if order > NESTED or notes is not None:
            try:
                series = Derivatives(trace, leaf, ends, weights, notes is not None)
                higher = series.up_to(order)[NESTED:]
                orders += [np.asarray(part).astype(leaf._array.dtype) for part in higher]
                if notes is not None:
                    notes += series.remarks(name)
                    notes += _too_large(name, orders[: series.lost - 1])
            except NoSeries as error:
                orders = [part._array for part in _nested(leaf, first, order)]
                if notes is not None:
                    notes.inner.append(f"{name}: nested backward passes, since {error}")
        found[name] = [wrap(part) for part in orders]
    return found


def _nested(leaf: Tensor, first: Tensor | None, order: int) -> list[Tensor]:
    """Each derivative by a backward pass through the one before."""
    orders: list[Tensor] = []
    current = first
    while True:
        clock.check()
        if current is None:
            current = wrap(np.zeros_like(leaf._array))
        orders.append(current)
        if len(orders) == order:
            return orders
        current = _along(leaf, current, np.ones_like(current._array))


def mixed(
    ends: Sequence[Tensor],
    seeds: Sequence[Any] | None,
    steps: Sequence[tuple[Tensor, int]],
) -> Tensor:
    """The derivative with respect to one tensor after the other, so many times each.

    The first is seeded by the seeds, each later one by ones; it is in the last tensor's shape.

    Raises:
        OverflowError: these are more passes than `DEEPEST`.
    """
    order = sum(times for _, times in steps)
    if order > DEEPEST:
        raise OverflowError(
            f"a derivative of order {order} takes more than {DEEPEST} nested backward passes"
        )
    current: Tensor | None = None
    begun = False
    for leaf, times in steps:
        for _ in range(times):
            clock.check()
            if not begun:
                (current,) = grad(ends, [leaf], seeds, create_graph=True, allow_unused=True)
                begun = True
            elif current is not None:
                current = _along(leaf, current, np.ones_like(current._array))
    return wrap(np.zeros_like(leaf._array) if current is None else current._array)


def _along(leaf: Tensor, current: Tensor, direction: Array) -> Tensor | None:
    """The gradient of a gradient, of which the graph is kept."""
    if not current._requires_grad:
        return None
    (found,) = grad(current, [leaf], [wrap(direction)], create_graph=True, allow_unused=True)
    return found


def _mixes(leaf: Tensor, first: Tensor | None, second: Array) -> bool:
    """Whether the second derivative of one element depends on others: then along another direction
    it is no multiple of that along ones.
    """
    if first is None or leaf._array.size < 2 or leaf._array.dtype.kind not in FLOATS:
        return False
    numbers = 1.0 + np.modf(np.arange(1.0, 1 + leaf._array.size) * _GOLDEN)[0]
    direction = numbers.reshape(leaf._array.shape).astype(leaf._array.dtype)
    along = _along(leaf, first, direction)
    if along is None:
        return False
    expected, found = (part.astype(np.float64) for part in (second * direction, along._array))
    size = np.max(np.abs([expected, found]), initial=0.0, where=np.isfinite([expected, found]))
    return not np.allclose(expected, found, 1e-3, 1e-4 * size, equal_nan=True)


def _too_large(name: str, orders: Sequence[Array]) -> list[str]:
    """What is to be said where derivatives are infinite because no number is as large."""
    for order, part in enumerate(orders, 1):
        if np.any(np.isinf(part)):
            return [f"{name}: the derivative of order {order} is too large for {part.dtype}"]
    return []


def check_room(values: Sequence[Tensor], order: int) -> None:
    """Refuses more coefficients of values than there is memory for."""
    each = sum(8 * value._array.size + _COEFFICIENT for value in values)
    total = each * order
    if order > 1 and not budget.allows(total):
        raise OverflowError(
            f"result too large: derivatives up to order {order} take about {total:.1e} bytes"
        )

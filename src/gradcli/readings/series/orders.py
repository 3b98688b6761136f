"""Derivatives of any order of each variable alone: by series, and where there are none by nested
backward passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from gradcli.autograd.backward import grad
from gradcli.readings.series.derivatives import Derivatives, NoSeries
from gradcli.readings.trace import Trace
from gradcli.tensor.clock import clock
from gradcli.tensor.memory import budget
from gradcli.tensor.tensor import Tensor, wrap

_COEFFICIENT: Final = 100
"""Bytes that a coefficient takes beside its elements, with what it is made from."""

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
    zeros, whether the graph ends there or never led to the leaf. They come from series where there
    is a trace, without history; else they are recorded. `notes` gets what they say about the point.

    Raises:
        OverflowError: there is no room for so many.
    """
    inputs = list(leaves.values())
    if not inputs:
        return {}
    _check_room(trace, inputs, order)
    recorded = trace is None
    firsts = grad(ends, inputs, seeds, True, recorded, allow_unused=True)
    found: dict[str, list[Tensor]] = {}
    for (name, leaf), first in zip(leaves.items(), firsts, strict=True):
        if trace is None:
            found[name] = _nested(leaf, first, order)
            continue
        weights = [
            np.ones_like(end._array) if seed is None else seed._array
            for end, seed in zip(ends, seeds or [None] * len(ends), strict=True)
        ]
        try:
            series = Derivatives(trace, leaf, ends, weights)
            higher = series.up_to(order)
        except NoSeries as error:
            if notes is not None:
                notes.inner.append(f"{name}: nested backward, since {error}")
            (again,) = grad(ends, [leaf], seeds, create_graph=True, allow_unused=True)
            found[name] = [wrap(part._array) for part in _nested(leaf, again, order)]
            continue
        if notes is not None:
            notes += series.warnings(name)
            if leaf._array.size > 1 and series.mixes(min(order, 3)):
                notes.append(_MIXED.format(name))
        kind = leaf._array.dtype
        start = wrap(np.zeros_like(leaf._array)) if first is None else first
        found[name] = [start, *[wrap(np.asarray(part).astype(kind)) for part in higher[1:]]]
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
        if not current._requires_grad:
            current = None
            continue
        ones = wrap(np.ones_like(current._array))
        (current,) = grad(current, [leaf], [ones], create_graph=True, allow_unused=True)


def _check_room(trace: Trace | None, inputs: Sequence[Tensor], order: int) -> None:
    """Refuses more derivatives than there is memory for."""
    values = inputs if trace is None else trace.values
    each = sum(8 * value._array.size + _COEFFICIENT for value in values)
    total = each * order
    if order > 1 and not budget.allows(total):
        raise OverflowError(
            f"result too large: derivatives up to order {order} take about {total:.1e} bytes"
        )

"""Forward mode: the Jacobian of a function times a vector, from series of the first order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.derivatives import NoSeries, check
from gradcli.readings.series.rules import Calculus
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.readings.trace import Recorder, Trace
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array


def traced(function: Callable[..., Any], inputs: Sequence[Tensor]) -> tuple[Trace, Any]:
    """The trace of a function at a point, and what it gave."""
    recorder = Recorder(inputs)
    with recorder as trace:
        value = function(*inputs)
    return trace, value


def pushed(
    trace: Trace, tangents: Sequence[tuple[Tensor, Array]], ends: Sequence[Tensor]
) -> list[Array | None]:
    """How values of a trace move when tensors move along tangents: the Jacobian times the vector.

    None for a value that does not depend on any of them.

    Raises:
        NoSeries: there are no series.
    """
    check(trace)
    calculus = Calculus()
    moving: dict[int, Series] = {}
    for tensor, tangent in tangents:
        slot = trace.slot(tensor)
        if slot is not None:
            moving[slot] = calculus.variable(widened(tensor._array), widened(tangent))
    try:
        passage = Passage(calculus, trace, moving)
        found = [passage.of(end) for end in ends]
        calculus.advance(1)
        return [None if series is None else series.whole(1) for series in found]
    except NotImplementedError as error:
        raise NoSeries(str(error)) from error


def products(
    trace: Trace, inputs: Sequence[Tensor], vector: Sequence[Tensor], ends: Sequence[Tensor]
) -> tuple[Tensor, ...] | None:
    """The Jacobian of values of a trace times a vector, as tensors; None without series."""
    tangents = [(point, part._array) for point, part in zip(inputs, vector, strict=True)]
    try:
        found = pushed(trace, tangents, ends)
    except NoSeries:
        return None
    return tuple(
        wrap(
            np.zeros_like(end._array)
            if product is None
            else np.asarray(product).astype(end._array.dtype)
        )
        for end, product in zip(ends, found, strict=True)
    )

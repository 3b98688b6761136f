"""Taylor's coefficients of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autograd.modes import enable_grad
from gradcli.readings.series.coefficients import Series
from gradcli.readings.series.derivatives import NoSeries, check
from gradcli.readings.series.formulas import slots_of
from gradcli.readings.series.orders import check_room
from gradcli.readings.series.products import traced
from gradcli.readings.series.rules import Calculus
from gradcli.readings.series.sweeps import Passage, widened
from gradcli.tensor.classes import type_of
from gradcli.tensor.dtypes import INEXACT, default
from gradcli.tensor.graph import mode
from gradcli.tensor.public import admit
from gradcli.tensor.tensor import Tensor, wrap


def taylor(function: Callable[[Any], Any], point: Any, order: int) -> list[Tensor]:
    """The Taylor coefficients of a function at a point: f(point + t) = c[0] + c[1]*t + c[2]*t**2...

    A list of `order + 1` tensors in the shape and type of the function's value, of which the k-th
    times k! is the k-th derivative. Every element of the point moves by t, so that each element of
    a function that is computed element by element has its own coefficients. These have no gradients
    of their own.

    Args:
        function: of a tensor; gives a tensor.
        point: a tensor, or numbers that make one.
        order: of the last coefficient, 0 or more.

    Raises:
        TypeError: the order is no integer, or the function gives no tensor.
        ValueError: the order is negative.
        RuntimeError: the point, or what else the function is made of, requires grad, which would
            get none: detach it, or call this under `no_grad`.
        OverflowError: there is no room for so many.
        NotImplementedError: an operator on the way has no series.
    """
    if type(order) is not int:
        raise TypeError(f"taylor(): the order must be an integer, not {type_of(order)}")
    if order < 0:
        raise ValueError(f"taylor(): the order must be 0 or more, not {order}")
    array = point._array if isinstance(point, Tensor) else np.array(point, default.dtype.np)
    if array.dtype.kind not in INEXACT:
        array = array.astype(default.dtype.np)
    _refuse_grad(point)
    leaf = wrap(array, True)
    with enable_grad():
        trace, value = traced(admit(function), [leaf])
    if not isinstance(value, Tensor):
        raise TypeError(f"taylor(): the function must give a tensor, not {type_of(value)}")
    check(trace)
    for step in trace.steps:
        for slot in slots_of(step.operands):
            if slot and trace.values[slot]._grad_fn is None:
                _refuse_grad(trace.values[slot])
    check_room(trace.values, order)
    calculus = Calculus()
    start = widened(array)
    try:
        passage = Passage(calculus, trace, {0: calculus.variable(start, np.ones_like(start))})
        calculus.advance(order)
    except NotImplementedError as error:
        raise NoSeries(f"taylor(): {error}") from error
    series = passage.of(value) or Series(widened(value._array))
    kind = value._array.dtype
    return [wrap(np.array(series.whole(k), kind)) for k in range(order + 1)]


def _refuse_grad(value: Any) -> None:
    """Refuses what would expect a gradient."""
    if mode.enabled and isinstance(value, Tensor) and value._requires_grad:
        raise RuntimeError(
            "taylor(): coefficients have no gradient, and a tensor that they are made of requires "
            "grad: detach() it, or call taylor() under torch.no_grad()"
        )

"""How losses are reduced, and the keywords by which that was said before `reduction`.

Inside, a reduction is a number as in PyTorch's C++ code: 0 keeps the elements, 1 takes their mean,
2 their sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, Final, cast

import numpy as np

from gradcli.ops.algebra.scalars import div_scalar
from gradcli.ops.algebra.sums import mean_all, sum_all
from gradcli.ops.algebra.views import shape_of
from gradcli.table.declare import composite
from gradcli.table.entry import Composite
from gradcli.table.schema import outline, parameters_of
from gradcli.typing import Array

NONE: Final = 0
MEAN: Final = 1
SUM: Final = 2


def reduction_code(reduction: str) -> int:
    """The number of a reduction.

    Raises:
        ValueError: if there is none of that name.
    """
    code = {"none": NONE, "mean": MEAN, "sum": SUM}.get(reduction)
    if code is None:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return code


def reduction_name(reduction: str, size_average: bool | None, reduce: bool | None) -> str:
    """The name of a reduction, over which the two deprecated keywords win."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        return "none"
    return "sum" if size_average is False else "mean"


def reducible(
    name: str, *, average_before: str = "reduction", samples: Any, kink: str = ""
) -> Callable[[Callable[..., Any]], Composite]:
    """Enters a composition that takes the deprecated keywords `size_average` and `reduce` as well.

    The head of the function does without them: it has `reduction`, and gets the one that they
    mean. In the signature `reduce` stands before it, and `size_average` before that, or before the
    parameter that `average_before` names.
    """

    def enter(body: Callable[..., Any]) -> Composite:
        function = cast(FunctionType, body)
        order = [parameter for _, parameter in outline(function)]
        first, last = order.index(average_before), order.index("reduction")
        parameters = parameters_of(function).split(", ")
        parameters.insert(last, "bool? reduce=None")
        parameters.insert(first, "bool? size_average=None")

        @wraps(body)
        def reducing(*args: Any) -> Any:
            values = [*args, *made.signature.defaults[len(args) :]]
            average, reduce = values.pop(first), values.pop(last)
            values[last] = reduction_name(values[last], average, reduce)
            return body(*values)

        declare = composite(f"{name}({', '.join(parameters)})", samples=samples, kink=kink)
        made = declare(reducing)
        return made

    return enter


def reduced(loss: Any, reduction: int) -> Any:
    """The mean or the sum of a loss, or the loss."""
    if reduction == MEAN:
        return mean_all(loss)
    return sum_all(loss) if reduction == SUM else loss


def reduce_array(loss: Array, reduction: int) -> Array:
    """What `reduced` computes, on an array; the mean of nothing is nan."""
    if reduction == NONE:
        return loss
    total = np.sum(loss, dtype=loss.dtype)
    return total if reduction == SUM else (total / np.size(loss)).astype(loss.dtype)


def share(reduction: int, value: Any) -> float:
    """What one element of `value` contributes to the reduced loss."""
    return 1 / max(math.prod(shape_of(value)), 1) if reduction == MEAN else 1.0


def divided(grad: Any, reduction: int, value: Any) -> Any:
    """A gradient divided by the number of elements of `value` where the mean was taken."""
    return div_scalar(grad, math.prod(shape_of(value))) if reduction == MEAN else grad

"""What operators over one, two and three spatial dimensions have in common."""

from __future__ import annotations

from typing import Any, Final

from gradcli.table.typenames import type_name
from gradcli.tensor.tensor import Tensor

SHAPES: Final = {
    1: "(N, C, L) or (C, L)",
    2: "(N, C, H, W) or (C, H, W)",
    3: "(N, C, D, H, W) or (C, D, H, W)",
}
"""The shapes of batches of images, and of images, by the number of dimensions."""


_LONGEST: Final = 1 << 10  # of a range that is no size anyhow


def repeated(values: Any, dims: int) -> tuple[Any, ...]:
    """What can be iterated as a tuple, anything else once per dimension, both still unchecked."""
    if isinstance(values, Tensor) and not values.ndim:
        raise TypeError("iteration over a 0-d tensor")
    if isinstance(values, range):
        return tuple(values[:_LONGEST])
    several = isinstance(values, (list, tuple, str, dict, set, Tensor))
    return tuple(values) if several else (values,) * dims


def length_of(values: Any) -> int:
    """How many values there are.

    Raises:
        TypeError: it is no collection; in Python's words, which are PyTorch's.
    """
    if isinstance(values, Tensor) and not values.ndim:
        raise TypeError("len() of a 0-d tensor")
    if not hasattr(type(values), "__len__"):
        raise TypeError(f"object of type '{type_name(values)}' has no len()")
    return len(values)


def spread(values: Any, dims: int) -> Any:
    """One number per spatial dimension, where one stands for all; a list stays as it is."""
    return (values,) * dims if isinstance(values, int) else values

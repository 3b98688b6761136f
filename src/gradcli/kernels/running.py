"""Running sums and products, carried in double precision and rounded, as PyTorch's are."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gradcli.kernels.blocks import LARGE, row_blocks

Array = NDArray[Any]

_CARRIED: Final = {"f": np.dtype(np.float64), "F": np.dtype(np.complex128)}

_WIDE: Final = 256
"""From so many elements on, a step for all of them at once is faster than one lane after another,
whose elements lie far apart."""


def running(
    ufunc: np.ufunc, values: Array, axis: int, kind: np.dtype[Any], backwards: bool = False
) -> Array:
    """What each element and all before it (`backwards`: behind it) come to, in a type."""
    carried = _CARRIED.get(kind.char, kind)
    length = values.shape[axis]
    last = axis == values.ndim - 1
    if length and not last and values.size // length >= _WIDE:
        made = np.empty(values.shape, kind)
        steps, places = np.moveaxis(values, axis, 0), np.moveaxis(made, axis, 0)
        if backwards:
            steps, places = steps[::-1], places[::-1]
        state = steps[0].astype(carried)
        places[0] = state
        for step, place in zip(steps[1:], places[1:], strict=True):
            ufunc(state, step, out=state)
            place[...] = state
        return made
    if last and values.size > LARGE and values.ndim > 1:
        made = np.empty(values.shape, kind)
        rows, places = values.reshape(-1, length), made.reshape(-1, length)
        for part in row_blocks(len(rows), length):
            places[part] = _accumulated(ufunc, rows[part], 1, carried, backwards)
        return made
    made = _accumulated(ufunc, values, axis, carried, backwards)
    return np.ascontiguousarray(made, kind) if backwards else made.astype(kind, copy=False)


def _accumulated(
    ufunc: np.ufunc, values: Array, axis: int, carried: np.dtype[Any], backwards: bool
) -> Array:
    if not backwards:
        return ufunc.accumulate(values, axis, carried)
    return np.flip(ufunc.accumulate(np.flip(values, axis), axis, carried), axis)

"""Reading and writing elements at places along a dimension, by their offsets in memory.

NumPy is several times faster along one index of a flat array than with an index per dimension,
unless there are few elements.
Indices must be checked before: they are from 0 up to the length of the dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_BLOCK: Final = 1 << 16
"""About so many offsets are made at a time."""

FEW: Final = 1000
"""Up to so many elements an index per dimension is as fast."""


def _grid(index: Array, where: int) -> tuple[Array, ...]:
    """NumPy's index for elements that differ from their own place in dimension `where` only."""
    grid = [
        np.arange(length).reshape(-1, *(1,) * (index.ndim - 1 - axis))
        for axis, length in enumerate(index.shape)
    ]
    grid[where] = index
    return tuple(grid)


def _blocks(
    shape: tuple[int, ...], where: int, index: Array
) -> Iterator[tuple[slice, NDArray[np.intp]]]:
    """Ranges of the first dimension of `index`, and the offsets in an array of a shape of elements
    that differ from their own place in dimension `where` only.
    """
    step = prod(shape[where + 1 :])
    own: Any = 0
    for axis in range(1, index.ndim):
        if axis != where and index.shape[axis] > 1:
            along = np.arange(index.shape[axis]) * prod(shape[axis + 1 :])
            own = own + along.reshape(-1, *(1,) * (index.ndim - 1 - axis))
    count = len(index)
    length = max(1, _BLOCK // max(1, prod(index.shape[1:])))
    for start in range(0, count, length):
        rows = slice(start, min(start + length, count))
        places = index[rows]
        if step != 1:
            places = places * step
        if where and count > 1:
            first = np.arange(start, rows.stop) * prod(shape[1:])
            own_here = own + first.reshape(-1, *(1,) * (index.ndim - 1))
        else:
            own_here = own
        yield rows, np.asarray(places + own_here, np.intp)


def take_along(values: Array, where: int, index: Array) -> Array:
    """The elements at an index for each of them, in its shape."""
    if index.size <= FEW:
        return values[_grid(index, where)]
    flat = values.reshape(-1)
    found = np.empty(index.shape, values.dtype)
    for rows, places in _blocks(values.shape, where, index):
        flat.take(places, out=found[rows], mode="clip")
    return found


def put_along(full: Array, where: int, index: Array, values: Any) -> None:
    """Writes values, which broadcast to the shape of the index, into a contiguous array."""
    if index.size <= FEW:
        full[_grid(index, where)] = values
        return
    flat, values = full.reshape(-1), np.broadcast_to(values, index.shape)
    for rows, places in _blocks(full.shape, where, index):
        flat[places] = values[rows]


def combine_along(ufunc: np.ufunc, full: Array, where: int, index: Array, values: Any) -> None:
    """Adds or otherwise combines values, which broadcast to the shape of the index, with elements
    of a contiguous array, one after the other where places repeat.
    """
    if index.size <= FEW:
        ufunc.at(full, _grid(index, where), values)
        return
    flat, values = full.reshape(-1), np.broadcast_to(values, index.shape)
    for rows, places in _blocks(full.shape, where, index):
        ufunc.at(flat, places.reshape(-1), values[rows].reshape(-1))


def places_of_slices(index: Array, shape: tuple[int, ...], where: int) -> Array:
    """An index for each element of slices, given one for each slice along a dimension."""
    return np.broadcast_to(index.reshape(-1, *(1,) * (len(shape) - 1 - where)), shape)


def add_slices(full: Array, index: Array, values: Array, where: int = 0) -> None:
    """Adds slices, one for each element of an index, to those of a contiguous array."""
    if values.size <= FEW:
        slot: Any = (slice(None),) * where + (index.reshape(-1),)
        np.add.at(full, slot, values)
        return
    combine_along(np.add, full, where, places_of_slices(index, values.shape, where), values)

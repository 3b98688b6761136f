"""Sums of single precision in PyTorch's order, on which the last bits hang.

PyTorch adds eight lanes side by side, four rows of lanes at a time, and rows in blocks whose sums
cascade (aten/src/ATen/native/cpu/SumKernel.cpp, for processors with AVX2). Reductions of NumPy
along a first axis add row after row, so that lanes and blocks are axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Singles = NDArray[np.float32]

LONGEST: Final = 4096
"""Elements up to which the order is PyTorch's; NumPy's own sum is faster for more."""

_LANES: Final = 8
_ROWS: Final = 4
_LEVELS: Final = 4


def total(values: Singles) -> np.float32:
    """The sum of a contiguous array of one dimension and at least one element."""
    count = values.size
    if count < _LANES:
        if count <= _ROWS:
            return _one_by_one(values)
        return _one_by_one(np.concatenate((values[:1], values[_ROWS:], values[1:_ROWS])))
    rows = count // _LANES
    whole = rows // _ROWS * _ROWS
    lanes = values[whole * _LANES : rows * _LANES].reshape(-1, _LANES)
    if whole:
        groups = values[: whole * _LANES].reshape(-1, _ROWS * _LANES)
        sums = _cascade(groups).reshape(_ROWS, _LANES)
        lanes = np.concatenate((sums[:1], lanes, sums[1:])) if len(lanes) else sums
    return _one_by_one(np.concatenate((values[rows * _LANES :], np.add.reduce(lanes, axis=0))))


def _cascade(rows: Singles) -> Singles:
    """The sum of rows: blocks of rows, blocks of the sums of blocks, and so on."""
    power = max(_LEVELS, (len(rows) - 1).bit_length() // _LEVELS)
    step = 1 << power
    sums = []
    for _ in range(_LEVELS - 1):
        if len(rows) < step:
            break
        whole = len(rows) // step * step
        if whole < len(rows):
            sums.append(np.add.reduce(rows[whole:], axis=0))
        rows = np.add.reduce(rows[:whole].reshape(-1, step, rows.shape[1]), axis=1)
    sums.append(np.add.reduce(rows, axis=0))
    return np.asarray(np.add.reduce(sums, axis=0) if len(sums) > 1 else sums[0])


def _one_by_one(values: Singles) -> np.float32:
    found: np.float32 = np.add.accumulate(values)[-1]
    return found

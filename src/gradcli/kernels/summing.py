"""Sums and norms of single precision in PyTorch's order, on which the last bits hang.

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
_STEP: Final = 1 << _LEVELS
"""The least number of rows in a block."""

_ONE_ROW: Final = [
    np.array([0, *range(_ROWS, n), *range(1, min(n, _ROWS))][:n])
    if n < _LANES
    else np.array([*range(_LANES, n), *range(_LANES)])
    for n in range(2 * _LANES)
]
"""By the number of elements, the order in which those of less than two rows of lanes are added."""


def total(values: Singles) -> np.float32:
    """The sum of a contiguous array of one dimension and at least one element."""
    count = values.size
    if count < 2 * _LANES:
        return _one_by_one(values.take(_ONE_ROW[count]))
    rows = count // _LANES
    lanes = values[: rows * _LANES].reshape(rows, _LANES)
    whole = rows - rows % _ROWS
    if whole:
        groups = lanes[:whole].reshape(-1, _ROWS * _LANES)
        sums = np.add.reduce(groups) if len(groups) < _STEP else _cascade(groups)
        sums = sums.reshape(_ROWS, _LANES)
        lanes = np.concatenate((sums[:1], lanes[whole:], sums[1:])) if whole < rows else sums
    sums = np.add.reduce(lanes)
    rest = values[rows * _LANES :]
    return _one_by_one(np.concatenate((rest, sums)) if rest.size else sums)


def lengths(rows: Singles) -> Singles:
    """The Euclidean norm of each row of a contiguous array of two dimensions, none of them empty.

    Lanes add squares side by side, then the lanes one by one, then what is left: four squares at
    once, and others with a multiplication that is not rounded
    (aten/src/ATen/native/cpu/ReduceOpsKernel.cpp).
    """
    count, width = rows.shape
    whole = width - width % _LANES
    fours = width - width % 4
    squares = rows[:, :fours] * rows[:, :fours]
    added = squares
    if whole:
        lanes = np.add.reduce(squares[:, :whole].reshape(count, -1, _LANES), axis=1)
        added = np.concatenate((lanes, squares[:, whole:]), axis=1)
    sums = np.add.accumulate(added, axis=1)[:, -1] if fours else np.zeros(count, np.float32)
    for place in range(fours, width):
        value = rows[:, place].astype(np.float64)
        sums = (value * value + sums).astype(np.float32)
    return np.sqrt(sums)


def _cascade(rows: Singles) -> Singles:
    """The sum of rows: blocks of rows, blocks of the sums of blocks, and so on."""
    step = max(_STEP, 1 << (len(rows) - 1).bit_length() // _LEVELS)
    found: Singles | None = None
    for _ in range(_LEVELS - 1):
        if len(rows) < step:
            break
        whole = len(rows) // step * step
        if whole < len(rows):
            rest = np.add.reduce(rows[whole:])
            found = rest if found is None else found + rest
        rows = np.add.reduce(rows[:whole].reshape(-1, step, rows.shape[1]), axis=1)
    last = np.add.reduce(rows) if len(rows) > 1 else rows[0]
    return np.asarray(last if found is None else found + last)


def _one_by_one(values: Singles) -> np.float32:
    found: np.float32 = np.add.accumulate(values)[-1]
    return found

"""Offsets in memory say the same as NumPy's index for each dimension."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.kernels import places

SHAPES = [((70, 50), (70, 40), 1), ((60, 80), (90, 70), 0), ((8, 30, 20), (7, 40, 19), 1)]
SHAPES += [((2000,), (3000,), 0), ((3, 4), (3, 5), 1), ((2, 70, 1000), (2, 70, 1000), 2)]


def operands(shape: Any, index_shape: Any, where: int) -> tuple[Any, Any, Any, Any]:
    random = np.random.default_rng(0)
    index = random.integers(0, shape[where], index_shape)
    grid: list[Any] = list(np.indices(index_shape))
    grid[where] = index
    full = random.random(shape, np.float32)
    return full, index, random.random(index_shape, np.float32), tuple(grid)


@pytest.mark.parametrize(("shape", "index_shape", "where"), SHAPES)
@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_elements_along_a_dimension(shape: Any, index_shape: Any, where: int, kind: Any) -> None:
    full, index, values, grid = operands(shape, index_shape, where)
    index = index.astype(kind)
    assert np.array_equal(places.take_along(full, where, index), full[grid])
    turned = np.asfortranarray(full)
    assert np.array_equal(places.take_along(turned, where, index), full[grid])
    wanted, found = full.copy(), full.copy()
    np.add.at(wanted, grid, values)
    places.combine_along(np.add, found, where, index, values)
    assert np.array_equal(found, wanted)
    wanted[grid] = values
    places.put_along(found, where, index, values)
    assert np.array_equal(found, wanted)
    places.put_along(found, where, index, np.float32(3))
    assert (found[grid] == 3).all()


@pytest.mark.parametrize("where", [0, 1, 2])
def test_slices_are_added_in_their_order(where: int) -> None:
    random = np.random.default_rng(0)
    shape = [30, 40, 50]
    full = random.random(shape, np.float32)
    shape[where] = 300
    values, index = random.random(shape, np.float32), random.integers(0, 30, 300)
    wanted, found = full.copy(), full.copy()
    slot: Any = (slice(None),) * where + (index,)
    np.add.at(wanted, slot, values)
    places.add_slices(found, index, values, where)
    assert np.array_equal(found, wanted)

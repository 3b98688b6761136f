"""Running sums and products in double precision, in each layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.kernels.running import running

CASES = [((0,), 0), ((5,), 0), ((3, 4), 0), ((3, 4), 1), ((50, 300), 0), ((4, 30, 100), 1)]
CASES += [((3600, 300), 1), ((2, 0, 400), 1), ((300, 30, 20), 2), ((3, 1000), 0)]


@pytest.mark.parametrize(("shape", "axis"), CASES)
@pytest.mark.parametrize("ufunc", [np.add, np.multiply])
@pytest.mark.parametrize("kind", ["f", "d", "F", "l"])
@pytest.mark.parametrize("backwards", [False, True])
def test_every_layout(
    shape: tuple[int, ...], axis: int, ufunc: Any, kind: str, backwards: bool
) -> None:
    values = (np.random.default_rng(0).normal(1, 0.2, shape) * (10 if kind == "l" else 1)).astype(
        kind
    )
    order = values[(slice(None),) * axis + (slice(None, None, -1),)] if backwards else values
    wide = {"f": "d", "F": "D"}.get(kind, kind)
    wanted = ufunc.accumulate(order, axis, wide).astype(kind)
    found = running(ufunc, values, axis, np.dtype(kind), backwards)
    assert found.flags.c_contiguous
    assert found.dtype == kind
    assert np.array_equal(np.flip(found, axis) if backwards else found, wanted)


def test_a_long_sum_has_the_last_bit_of_pytorch() -> None:
    tenths = np.full((10_000, 2), 0.1, np.float32)
    # torch.full((10000,), 0.1).cumsum(0)[-1]
    assert running(np.add, tenths, 0, tenths.dtype)[-1, 0] == 1000
    assert np.cumsum(tenths[:, 0])[-1] < 1000

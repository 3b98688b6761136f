"""Subscripts and the operators of indices and masks, against NumPy and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradcli
import gradcli.wiring
from gradcli.tensor.tensor import wrap

ARRAY = np.arange(60.0).reshape(3, 4, 5)
SUBSCRIPTS: list[Any] = [
    0,
    -1,
    slice(1, None),
    (0, slice(None, None, 2)),
    (..., 1),
    (None, 2, ..., None),
    [0, 2],
    (slice(None), [1, 3, 1]),
    ([0, 2], slice(None), [1, 4]),
    ([[0], [2]], [1, 3]),
    (slice(None), [0, 1], [2, 3]),
    (1, [0, 1], slice(1, 3)),
]


@pytest.mark.parametrize("subscript", SUBSCRIPTS, ids=str)
def test_subscripts_mean_what_they_mean_in_numpy(subscript: Any) -> None:
    found = wrap(ARRAY.copy())[subscript]
    np.testing.assert_array_equal(found._array, ARRAY[subscript])
    assert found.is_contiguous() or found._is_view()
    written, expected = wrap(ARRAY.copy()), ARRAY.copy()
    written[subscript] = -1
    expected[subscript] = -1
    np.testing.assert_array_equal(written._array, expected)


def test_masks_pick_what_numpy_picks() -> None:
    for mask in (ARRAY > 17, ARRAY[..., 0] > 17, np.array([True, False, True])):
        found = wrap(ARRAY)[wrap(mask)]
        np.testing.assert_array_equal(found._array, ARRAY[mask])


def test_basic_subscripts_are_chains_of_views() -> None:
    x = wrap(ARRAY.copy(), True) * 1
    part = x[1, 2:, None]
    names, node = [], part.grad_fn
    while node is not None and node.next_functions:
        names.append(node.label)
        node = node.next_functions[0][0]
    assert names == ["UnsqueezeBackward0", "SliceBackward0", "SelectBackward0", "MulBackward0"]
    assert part._base is x


def test_repeated_indices_add_their_gradients() -> None:
    x = wrap(np.arange(3.0), True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad.tolist() == [2, 0, 1]


def test_an_index_that_was_changed_since_is_noticed() -> None:
    x, index = wrap(np.arange(3.0), True), wrap(np.array([0, 2]))
    y = x[index]
    index.add_(0)
    with pytest.raises(RuntimeError, match=r"\[torch\.LongTensor \[2\]\] is at version 1"):
        y.sum().backward()


def test_gradients_of_many_repeated_indices() -> None:
    x = wrap(np.zeros(100_000), True)
    y = x[wrap(np.arange(100_000) % 7)]
    y.sum().backward()
    assert x.grad[:8].tolist() == [14286.0] * 5 + [14285.0] * 2 + [0.0]


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce_of_every_group(reduce: str) -> None:
    source = np.array([3.0, -1.0, 4.0, 2.0])
    groups = np.array([0, 1, 0, 1])
    combine = {"sum": np.sum, "prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}
    found = gradcli.scatter_reduce(
        wrap(np.full(3, 9.0)), 0, wrap(groups), wrap(source), reduce, include_self=False
    )
    expected = [combine[reduce](source[groups == g]) for g in (0, 1)]
    assert found.tolist() == [*expected, 9.0]


def test_where_promotes_like_pytorch() -> None:
    mask = wrap(np.array([True, False]))
    ints = wrap(np.array([1, 2]))
    assert gradcli.where(mask, ints, 2.5).dtype.name == "float32"
    assert gradcli.where(mask, ints, wrap(np.array(2.5))).dtype.name == "float64"
    assert gradcli.where(mask, 1, 0).dtype.name == "int64"
    assert gradcli.where(mask, 1.0, 0).dtype.name == "float32"


def test_unraveled_indices_are_columns_of_one_tensor() -> None:
    rows, columns = gradcli.unravel_index(gradcli.tensor([0, 5, 7]), (2, 4))
    assert (rows.tolist(), columns.tolist()) == ([0, 1, 1], [0, 1, 3])
    assert rows.stride() == columns.stride() == (2,)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("case", ["rows", "pairs", "mask", "grid", "columns", "whole mask"])
def test_gradients_of_many_elements_add_up(case: str, several: bool) -> None:
    random = np.random.default_rng(0)
    i, j = random.integers(-200, 200, 2000), random.integers(-30, 30, 2000)
    index = {
        "rows": i,
        "pairs": (i, j),
        "mask": np.arange(200) % 3 > 0,
        "grid": i.reshape(40, 50),
        "columns": (slice(None), j),
        "whole mask": np.arange(6000).reshape(200, 30) % 3 > 0,
    }[case]
    x = gradcli.zeros(200, 30, requires_grad=True)
    parts = [wrap(p) if isinstance(p, np.ndarray) else p for p in _tuple(index)]
    picked = x[tuple(parts)]
    if several:  # into the middle of a larger array
        wide = gradcli.zeros(2, 200, 30, requires_grad=True)
        x, picked = wide, wide[1][tuple(parts)]
    picked.sum().backward()
    wanted = np.zeros((200, 30), np.float32)
    np.add.at(wanted, index, 1)
    assert np.array_equal(x.grad._array[1] if several else x.grad._array, wanted)


def _tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)

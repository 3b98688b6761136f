"""The selection algorithms: what they promise, for keys of all kinds.

Which of several equal elements they pick is compared with PyTorch in `recorded`.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gradcli.kernels import partial_sort

KEYS = st.lists(st.integers(0, 30), min_size=1, max_size=120)


def permutation(places: list[int]) -> bool:
    return sorted(places) == list(range(len(places)))


@given(KEYS, st.data())
def test_sort_sorts_a_prefix(keys: list[int], data: st.DataObject) -> None:
    stop = data.draw(st.integers(0, len(keys)))
    places = list(range(len(keys)))
    partial_sort.sort(keys, places, stop)
    assert permutation(places)
    assert [keys[p] for p in places[:stop]] == sorted(keys[:stop])
    assert places[stop:] == list(range(stop, len(keys)))


def test_sort_survives_an_order_that_partitions_badly() -> None:
    # Every median of three of this order is close to an end of its range.
    half = 600
    keys = [k for pair in zip(range(1, half, 2), range(half, 2 * half), strict=False) for k in pair]
    keys += list(range(0, half, 2))
    places = list(range(len(keys)))
    partial_sort.sort(keys, places)
    assert [keys[p] for p in places] == sorted(keys)


@given(KEYS, st.data())
def test_nth_element_splits_around_it(keys: list[int], data: st.DataObject) -> None:
    nth = data.draw(st.integers(0, len(keys) - 1))
    for select in (partial_sort.nth_element, partial_sort.quick_select):
        places = list(range(len(keys)))
        select(keys, places, nth)
        assert permutation(places)
        assert keys[places[nth]] == sorted(keys)[nth]
        assert all(keys[p] <= keys[places[nth]] for p in places[:nth])
        assert all(keys[p] >= keys[places[nth]] for p in places[nth:])


@given(KEYS, st.data())
def test_partial_sort_finds_the_smallest(keys: list[int], data: st.DataObject) -> None:
    middle = data.draw(st.integers(1, len(keys)))
    places = list(range(len(keys)))
    partial_sort.partial_sort(keys, places, middle)
    assert permutation(places)
    assert [keys[p] for p in places[:middle]] == sorted(keys)[:middle]

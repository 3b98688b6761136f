"""What nested collections hold, counted as often as they hold it."""

from __future__ import annotations

from typing import Any

import pytest

from gradcli.tensor.nesting import unfolded


def doubled(times: int) -> list[Any]:
    value: list[Any] = [1]
    for _ in range(times):
        value = [value, value]
    return value


def within_itself() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


def each_in_all(count: int) -> list[Any]:
    values: list[Any] = [[] for _ in range(count)]
    for value in values:
        value.extend(values)
    return values


@pytest.mark.parametrize(
    ("value", "count", "depth"),
    [
        (3, 0, 0),
        ("abc", 3, 0),
        ([], 0, 0),
        ([1, "abc"], 5, 1),
        ([[1, [2]], (3,)], 6, 3),
        ({1: [2]}, 3, 2),
        ({1: [2]}.items(), 3, 2),
        (slice(1, (2, 3)), 5, 2),
        (ValueError([1]), 2, 2),
        (doubled(3), 22, 4),
        (within_itself(), 2, 1),
        # n lists that hold all: each way through them without a turn back is written out.
        (each_in_all(3), 3 + 3 * (3 + 2 * (3 + 3)), 4),
    ],
)
def test_elements_count_as_often_as_they_are_held(value: Any, count: int, depth: int) -> None:
    assert unfolded(value) == (count, depth)


def test_counting_what_is_doubled_takes_a_step_for_each_list() -> None:
    assert unfolded(doubled(200), most=1 << 300) == (3 * 2**200 - 2, 201)


@pytest.mark.parametrize("value", [doubled(60), each_in_all(30)])
def test_counting_ends_at_the_most_that_is_asked_for(value: Any) -> None:
    assert unfolded(value, most=1000)[0] > 1000

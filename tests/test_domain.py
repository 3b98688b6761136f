"""Points where an expression is finite, for variables that nobody gave a value or a shape."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.domain import DIGITS, TRIES, Point, kinds_of, search


def looked_at(names: list[str], enough: int) -> list[Point]:
    """The points that are tried in turn, each of which has a value, until there are enough."""
    seen: list[Point] = []
    rng = np.random.default_rng(0)
    search(kinds_of(names), rng, seen.append, lambda _: len(seen) == enough)
    return seen


def test_numbers_are_tried_before_vectors_and_matrices() -> None:
    kinds = list(kinds_of(["A", "x"]))
    assert kinds[0] == {"A": (), "x": ()}
    assert kinds[1] == {"A": (3, 3), "x": ()}
    assert {"A": (3, 3), "x": (3,)} in kinds[:3]
    assert len(kinds) == 9


def test_coordinates_are_drawn_from_both_sides_and_can_be_typed() -> None:
    points = looked_at(["x"], 20)
    numbers = [float(point["x"]) for point in points]
    assert min(numbers) < 0 < max(numbers)
    assert all(number == float(f"{number:.{DIGITS}g}") for number in numbers)


def test_what_has_no_good_point_is_told_at_the_first() -> None:
    seen: list[Point] = []

    def evaluated(point: Point) -> int:
        seen.append(point)
        return len(seen)

    found = search(kinds_of(["x"]), np.random.default_rng(0), evaluated, lambda _: False)
    assert (found.value, found.inside, len(seen)) == (1, False, TRIES)
    assert found.point is seen[0]


def test_shapes_are_changed_where_evaluations_fail_and_then_the_first_error_told() -> None:
    ranks = []

    def evaluated(point: Point) -> int:
        ranks.append(point["x"].ndim)
        if point["x"].ndim < 2:
            raise RuntimeError(f"rank {point['x'].ndim}")
        return 2

    search(kinds_of(["x"]), np.random.default_rng(0), evaluated, lambda _: True)
    assert sorted({*ranks}) == [0, 1, 2]

    def failing(point: Point) -> int:
        raise RuntimeError(f"rank {point['x'].ndim}")

    with pytest.raises(RuntimeError, match="rank 0"):
        search(kinds_of(["x"]), np.random.default_rng(0), failing, lambda _: True)


def test_an_unknown_name_is_told_at_once() -> None:
    calls = []

    def evaluated(point: Point) -> None:
        calls.append(point)
        raise NameError("name 'foo' is not defined")

    with pytest.raises(NameError):
        search(kinds_of(["x"]), np.random.default_rng(0), evaluated, lambda _: True)
    assert len(calls) == 1

"""Normalization and distances: statistics kept and updated, zeros, and what is refused."""

from __future__ import annotations

import pytest

from tests.nn_answers import Answer, answers, check


@pytest.mark.parametrize("answer", [*answers("normalization"), *answers("distance")])
def test_answers_are_those_of_pytorch(answer: Answer) -> None:
    check(answer)

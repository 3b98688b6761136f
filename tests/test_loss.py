"""Losses: every reduction, weights, kinks, certain mistakes, and what they refuse."""

from __future__ import annotations

import pytest

from tests.nn_answers import Answer, answers, check


@pytest.mark.parametrize(
    "answer", [*answers("loss"), *answers("loss_class"), *answers("loss_margin")]
)
def test_answers_are_those_of_pytorch(answer: Answer) -> None:
    check(answer)

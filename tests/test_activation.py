"""Activation functions: at their kinks, far out, with every parameter, and what they refuse."""

from __future__ import annotations

import pytest

from tests.nn_answers import Answer, answers, check


@pytest.mark.parametrize("answer", answers("activation"))
def test_answers_are_those_of_pytorch(answer: Answer) -> None:
    check(answer)

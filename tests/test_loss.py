"""Losses: every reduction, weights, kinks, certain mistakes, and what they refuse."""

from __future__ import annotations

import pytest

from tests.nn_answers import Answer, answers, check

GROUPS = ("loss", "loss_class", "loss_margin", "loss_ctc")


@pytest.mark.parametrize("answer", [answer for group in GROUPS for answer in answers(group)])
def test_answers_are_those_of_pytorch(answer: Answer) -> None:
    check(answer)

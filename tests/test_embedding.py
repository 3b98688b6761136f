"""Embeddings, dropout and attention: the same draws, masks, padding, and what is refused."""

from __future__ import annotations

import pytest

from tests.nn_answers import Answer, answers, check


@pytest.mark.parametrize(
    "answer", [*answers("embedding"), *answers("dropout"), *answers("attention")]
)
def test_answers_are_those_of_pytorch(answer: Answer) -> None:
    check(answer)

"""Rows that are worked on in blocks have the answers of rows that come alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.kernels.blocks import LARGE, row_blocks

F = gradcli.nn.functional
WEIGHT = gradcli.linspace(0.5, 2.0, 300)
OPERATORS: dict[str, Callable[[Any], Any]] = {
    "softmax": lambda x: x.softmax(-1),
    "log_softmax": lambda x: x.log_softmax(-1),
    "layer_norm": lambda x: F.layer_norm(x, (300,), WEIGHT, WEIGHT),
}


SIZES = [(0, 3), (1, 2 * LARGE), (3, LARGE), (1000, 300), (5, 0)]


@pytest.mark.parametrize("name", OPERATORS)
def test_many_rows_are_answered_like_few(name: str) -> None:
    def answers(rows: Any) -> tuple[Any, Any]:
        x = gradcli.tensor(rows.tolist(), requires_grad=True)
        y = OPERATORS[name](x)
        (y**3).sum().backward()
        return y.detach().numpy(), x.grad.numpy()

    values = np.random.default_rng(0).normal(0, 2, (LARGE // 300 + 100, 300))
    for whole, first, last in zip(*map(answers, (values, values[:5], values[-5:])), strict=True):
        assert np.allclose(whole[:5], first, rtol=1e-5, atol=1e-6)
        assert np.allclose(whole[-5:], last, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("rows", "length"), SIZES)
def test_blocks_cover_all_rows_once(rows: int, length: int) -> None:
    covered = [row for part in row_blocks(rows, length) for row in range(rows)[part]]
    assert covered == list(range(rows))

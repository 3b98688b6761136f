"""Type promotion: how messages call types."""

from __future__ import annotations

import math
from typing import Any

import pytest

import gradcli as torch


def test_messages_call_types_as_the_compiler_does() -> None:
    with pytest.raises(RuntimeError, match=r"but got: short int != float$"):
        torch.mm(torch.ones(2, 2, dtype=torch.int16), torch.ones(2, 2))
    with pytest.raises(RuntimeError, match=r"to type int8_t without overflow$"):
        torch.full((1,), 300, dtype=torch.int8)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda x, u: torch.nn.functional.threshold(u, 0.5, -1.0), "uint8_t"),
        (lambda x, u: torch.full((2,), -1.0, dtype=torch.uint8), "uint8_t"),
        (lambda x, u: u**300, "uint8_t"),
        (lambda x, u: x.half() ** 70000.0, "c10::Half"),
        (lambda x, u: torch.nn.functional.threshold(x, 1.5, 1e60), "float"),
        (lambda x, u: torch.clamp(x, max=1e60), "float"),
        (lambda x, u: torch.addcmul(x, x, x, value=1e60), "float"),
        (lambda x, u: torch.lerp(x, x, 1e60), "float"),
        (lambda x, u: torch.addmm(x[:1], x[None], x[:, None], alpha=1e60), "float"),
    ],
)
def test_a_number_outside_the_range_of_a_type_is_refused(call: Any, word: str) -> None:
    x, u = torch.tensor([1.0, 2.0]), torch.tensor([1, 2], dtype=torch.uint8)
    with pytest.raises(RuntimeError, match=f"^value cannot be converted to type {word} without"):
        call(x, u)


def test_numbers_that_a_type_takes_in_its_own_way() -> None:
    x, u = torch.tensor([1.0, 2.0]), torch.tensor([1, 2], dtype=torch.uint8)
    assert (x**1e60).tolist() == [1.0, math.inf]
    assert torch.full((2,), -1, dtype=torch.uint8).tolist() == [255, 255]
    # The threshold wraps around, the value may not.
    assert torch.nn.functional.threshold(u, -3, 2).tolist() == [2, 2]

"""Python's conversions of tensors to numbers, with PyTorch's words where there is no number."""

from __future__ import annotations

from typing import Any

import pytest

import gradcli.wiring  # noqa: F401
from gradcli.language import Machine, compile_text


def run(text: str) -> Any:
    return Machine().run(compile_text(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("int(torch.tensor([2.5]))", 2),
        ("int(torch.tensor(1e30))", 1000000015047466219876688855040),
        ("float(torch.tensor([[7]]))", 7.0),
        ("float(torch.tensor(2 + 0j))", 2.0),
        ("complex(torch.tensor(1j))", 1j),
        ("int(torch.tensor(True))", 1),
    ],
)
def test_one_element_becomes_a_number(text: str, value: Any) -> None:
    found = run(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "int(torch.ones(2))",
            ValueError,
            "only one element tensors can be converted to Python scalars",
        ),
        (
            "complex(torch.ones(0))",
            ValueError,
            "only one element tensors can be converted to Python scalars",
        ),
        (
            "int(torch.tensor(1j))",
            RuntimeError,
            "value cannot be converted to type int64_t without overflow",
        ),
        (
            "float(torch.tensor(1j))",
            RuntimeError,
            "value cannot be converted to type double without overflow",
        ),
        ("int(torch.tensor(nan))", ValueError, "cannot convert float NaN to integer"),
        ("int(torch.tensor(-inf))", OverflowError, "cannot convert float infinity to integer"),
    ],
)
def test_what_is_no_number_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        run(text)
    assert str(caught.value) == message

"""``torch.autograd.functional`` against what PyTorch printed or raised (`data/functional.json`)."""

from __future__ import annotations

import json
from typing import Any

import pytest

import gradcli as torch
from gradcli.autograd import functional
from tests.recorded.conformance import DATA

CASES = json.loads((DATA / "functional.json").read_text(encoding="utf-8"))


def names() -> dict[str, Any]:
    """What the recorded expressions may use."""
    a = torch.tensor([1.0, 2.0])
    return {
        **{name: getattr(functional, name) for name in ("jacobian", "hessian", "vjp", "jvp")},
        **{name: getattr(functional, name) for name in ("vhp", "hvp")},
        "torch": torch,
        "T": torch.tensor,
        "f": lambda x: x.exp().sum(1),
        "g": lambda x: (x**3).sum(),
        "two": lambda x, y: ((x * y).sum(), x + y),
        "lin": lambda x: (2 * x).sum(),
        "x": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "a": a,
        "b": torch.tensor([3.0, 4.0]),
        "ar": a.clone().requires_grad_(),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["expression"])
def test_as_recorded(case: dict[str, str]) -> None:
    try:
        got = str(eval(case["expression"], names()))
    except Exception as error:
        got = f"{type(error).__name__}: {error}"
    assert got == case["result"]

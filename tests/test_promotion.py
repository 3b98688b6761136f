"""Type promotion: every pair of types under every operator, as PyTorch answered."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli as torch
import gradcli.ops.inplace.python
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import wrap
from tests.promotion_calls import OPERATORS, answer, pairs

RECORD = json.loads(
    gzip.decompress((Path(__file__).parent / "data" / "promotion.json.gz").read_bytes())
)


def operand(spec: Any) -> Any:
    if isinstance(spec, tuple):
        return wrap(np.array(spec[1]).astype(dtypes.DTYPES[spec[0]].np))
    return spec


def close(got: Any, want: Any) -> bool:
    """Equal, but for the last digits of floating numbers, which are recorded as text."""
    if isinstance(want, list):
        return len(got) == len(want) and all(map(close, got, want))
    if isinstance(want, str):
        return isinstance(got, str) and bool(
            np.isclose(float(got), float(want), rtol=2e-3, equal_nan=True)
        )
    return type(got) is type(want) and bool(got == want)


@pytest.mark.parametrize("name", OPERATORS)
def test_operator(name: str) -> None:
    function = OPERATORS[name]
    faults = []
    for (left, right), number in zip(pairs(), RECORD["tables"][name], strict=True):
        want = RECORD["answers"][number]
        if want[0] == "torch.complex32" or "ComplexHalf" in str(want[-1]):
            continue  # NumPy has no such type: half with complex is complex64 here
        with np.errstate(all="ignore"):
            got = answer(lambda a=left, b=right: function(operand(a), operand(b)))
        same = got == want if want[0] == "error" else got[0] == want[0] and close(got[1], want[1])
        if not same:
            faults.append(f"{left} {name} {right}: {got}, not {want}")
    assert not faults, "\n".join(faults[:10]) + f"\n({len(faults)} in all)"


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

"""Type promotion: every pair of types under every operator, as PyTorch answered."""

from __future__ import annotations

import gzip
import json
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

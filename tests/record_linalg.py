"""Records PyTorch's answers to `tests.linalg_calls`: ``python -m tests.record_linalg``."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import torch

from tests.linalg_calls import CALLS, REFUSALS, answer, lines, told

TARGET = Path(__file__).parent / "data" / "linalg.json.gz"


def leaf(array: Any) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def main() -> None:
    warnings.simplefilter("ignore")
    calls = {
        group: {call: answer(call, torch, leaf, torch.autograd.grad) for call in lines(text)}
        for group, text in CALLS.items()
    }
    refusals = {
        group: {call: told(call, torch) for call in lines(text)} for group, text in REFUSALS.items()
    }
    text = json.dumps({"calls": calls, "refusals": refusals}, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()

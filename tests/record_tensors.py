"""Records PyTorch's answers to `tests.tensor_calls`: ``python -m tests.record_tensors``."""

from __future__ import annotations

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import torch

from tests.tensor_calls import GROUPS, answer, calls

TARGET = Path(__file__).parent / "data" / "tensors.json.gz"


def leaf(array: Any) -> torch.Tensor:
    return torch.tensor(array, requires_grad=True)


def main() -> None:
    warnings.simplefilter("ignore")
    names = {"torch": torch, "F": torch.nn.functional}
    recorded = {
        group: {call: answer(group, call, names, torch.Tensor, leaf) for call in calls(group)}
        for group in GROUPS
    }
    text = json.dumps(recorded, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()

"""Records PyTorch's answers at special points for the tests: ``python -m tests.record_corners``."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from pathlib import Path

import torch

from tests.corner_answers import Engine
from tests.corner_calls import GROUPS, calls

TARGET = Path(__file__).parent / "data" / "corners.json.gz"

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    engine = Engine(
        {"torch": torch, "inf": math.inf},
        torch.Tensor,
        lambda array, wants: torch.from_numpy(array).requires_grad_(wants),
        lambda tensor: tensor.detach().resolve_conj().resolve_neg().numpy(force=True),
        torch.autograd.grad,
    )
    answers = {group: {call: engine.describe(call) for call in calls(group)} for group in GROUPS}
    text = json.dumps(answers, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
    for group, found in answers.items():
        print(group, len(found), sum("error" in answer for answer in found.values()), "refused")

"""Records PyTorch's random streams for the tests: ``python -m tests.record_random``, with torch."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
import warnings
from pathlib import Path

import torch

from tests.random_calls import SEEDS, draw_call, theirs

CALLS_PER_SEED = 40
TARGET = Path(__file__).parent / "data" / "random_streams.json.gz"


def record(seed: int) -> dict[str, object]:
    source = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    calls = []
    for _ in range(CALLS_PER_SEED):
        call = draw_call(source)
        values = theirs(torch, generator, call)
        data = values.tobytes()
        call["result"] = [list(values.shape), values.dtype.name]
        if len(data) <= 400:
            call["bytes"] = base64.b64encode(data).decode()
        else:
            call["sha256"] = hashlib.sha256(data).hexdigest()
        calls.append(call)
    state = generator.get_state().numpy().tobytes()
    return {"seed": seed, "calls": calls, "state": hashlib.sha256(state).hexdigest()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # about integers beyond the precision of a floating type
    text = json.dumps([record(seed) for seed in SEEDS], separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")

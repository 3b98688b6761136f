"""Records PyTorch's operators on images for the tests: ``python -m tests.record_images``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch

from tests.image_calls import Call, draw_calls, make_arguments

CALLS = 200
TARGET = Path(__file__).parent / "data" / "images.json.gz"


def rounded(values: torch.Tensor) -> Any:
    return [float(f"{value:.9g}") for value in values.detach().flatten().tolist()]


def record(call: Call) -> Call:
    """The call with its outputs, their node's name, and the gradients of a weighted sum."""
    leaves = make_arguments(call, lambda array: torch.from_numpy(array).requires_grad_())
    function = getattr(torch.nn.functional, call["name"])
    try:
        result = function(*leaves, **call["kwargs"])
    except RuntimeError as error:
        return call | {"error": str(error)}
    outputs = result if isinstance(result, tuple) else (result,)
    weights = torch.arange(outputs[0].numel(), dtype=torch.float64).cos().reshape(outputs[0].shape)
    wanted = [leaf for leaf in leaves if leaf is not None]
    (outputs[0] * weights).sum().backward()
    return call | {
        "outputs": [{"array": rounded(out), "shape": list(out.shape)} for out in outputs],
        "grad_fn": outputs[0].grad_fn.name(),
        "grads": [rounded(leaf.grad) for leaf in wanted],
    }


if __name__ == "__main__":
    text = json.dumps([record(call) for call in draw_calls(CALLS)], separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")

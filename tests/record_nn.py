"""Records PyTorch's neural-network functions for the tests: ``python -m tests.record_nn``."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from tests.nn_calls import GROUPS, tensors_for

TARGET = Path(__file__).parent / "data" / "nn.json.gz"


def encoded(tensor: torch.Tensor) -> Any:
    values = tensor.detach().clone().flatten().tolist()
    if not tensor.is_floating_point():
        return values
    return [float(f"{v:.9g}") if math.isfinite(v) else str(v) for v in values]


def node(tensor: torch.Tensor) -> str | None:
    return tensor.grad_fn.name() if tensor.grad_fn else None


def leaf(array: Any, wants: bool) -> torch.Tensor:
    return torch.from_numpy(array).requires_grad_(wants)


def record(expression: str) -> dict[str, Any]:
    """The value and its node, the gradients of a weighted sum and of their sums, or the error."""
    torch.manual_seed(0)
    tensors = tensors_for(expression, leaf)
    made: dict[str, Any] = {"expr": expression}
    try:
        out = eval(expression, {"torch": torch, "F": F, "inf": math.inf}, dict(tensors))
    except Exception as error:
        message = str(error).split("\n")[0]
        return made | {"error": [type(error).__name__, message]}
    made |= {"value": encoded(out), "shape": list(out.shape), "dtype": str(out.dtype)}
    made["node"] = node(out)
    leaves = [tensor for tensor in tensors.values() if tensor.requires_grad]
    if not out.requires_grad:
        return made
    seed = torch.cos(torch.arange(out.numel(), dtype=out.dtype)).reshape(out.shape)
    slopes = torch.autograd.grad(out, leaves, seed, create_graph=True, allow_unused=True)
    made["slopes"] = [None if slope is None else encoded(slope) for slope in slopes]
    made["slope_nodes"] = [None if slope is None else node(slope) for slope in slopes]
    made["bends"] = [None if slope is None else bend(slope, leaves) for slope in slopes]
    return made


def bend(slope: torch.Tensor, leaves: list[torch.Tensor]) -> Any:
    """The gradients of the sum of a gradient, or the error."""
    if not slope.requires_grad:
        return None
    try:
        seed = torch.ones_like(slope)
        found = torch.autograd.grad(slope, leaves, seed, retain_graph=True, allow_unused=True)
    except (RuntimeError, NotImplementedError) as error:
        return str(error)
    return [None if one is None else encoded(one) for one in found]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    answers = {group: [record(call) for call in calls] for group, calls in GROUPS.items()}
    text = json.dumps(answers, separators=(",", ":"))
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")
    for group, calls in answers.items():
        refused = [call["expr"] for call in calls if "error" in call]
        print(group, len(calls), "refused:", *refused, sep="\n  ")

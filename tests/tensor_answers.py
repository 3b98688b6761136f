"""Compares tensors with what PyTorch answered (see ``tests.record_tensors``)."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import gradcli
from gradcli.tensor.tensor import Tensor, wrap
from tests.tensor_calls import answer

RECORDED = Path(__file__).parent / "data" / "tensors.json.gz"


@cache
def recorded(group: str) -> dict[str, Any]:
    """PyTorch's answers to the calls of a group."""
    answers: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))[group]
    return answers


def found(group: str, call: str) -> Any:
    """Our answer to a call."""
    names = {"torch": gradcli, "F": gradcli.nn.functional, "math": math}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return answer(group, call, names, Tensor, lambda array: wrap(array, True))


def differs(ours: Any, theirs: Any) -> bool:
    """Whether two descriptions differ by more than rounding."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() != theirs.keys() or any(differs(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) != len(theirs) or any(map(differs, ours, theirs))
    return bool(ours != theirs) and not _near(ours, theirs)


def _near(ours: Any, theirs: Any) -> bool:
    try:
        pairs = list(zip(map(float, ours.split()), map(float, theirs.split()), strict=True))
    except (AttributeError, ValueError):
        return False
    return all(math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-7) for a, b in pairs)


def faults(group: str) -> list[str]:
    """The calls of a group whose answers differ from PyTorch's."""
    return [
        f"{call}\n    ours   {ours}\n    theirs {theirs}"
        for call, theirs in recorded(group).items()
        if differs(ours := found(group, call), theirs)
    ]

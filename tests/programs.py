"""Small programs in PyTorch syntax that run on PyTorch and on the library alike.

A program prints; what it printed, or how it failed, is its answer. ``name(x)`` is the full name of
a tensor's node.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

Answer = tuple[str, str | None]

RECORDED = Path(__file__).parent / "data" / "programs_in_place.json.gz"
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e[-+]?\d+)?")


def name(tensor: Any) -> str | None:
    return None if tensor.grad_fn is None else tensor.grad_fn.name()


def run(program: str, torch: Any) -> Answer:
    """What a program prints, and its error."""
    names = {"torch": torch, "F": torch.nn.functional, "name": name}
    out, error = io.StringIO(), None
    torch.manual_seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(out):
        warnings.simplefilter("ignore")
        try:
            exec(program, names)
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
        finally:
            torch.set_grad_enabled(True)
    return re.sub("0x[0-9a-f]+", "0x", out.getvalue()), error


def agree(ours: Answer, theirs: Answer) -> bool:
    """Whether two answers are the same but for rounding and the later lines of messages."""
    texts, errors = zip(ours, theirs, strict=True)
    first, second = ((error or "").split("\n")[0] for error in errors)
    if first != second or (errors[0] is None) != (errors[1] is None):
        return False
    if len({_NUMBER.sub("#", text) for text in texts}) > 1:
        return False
    pairs = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    return all(abs(float(a) - float(b)) <= 2e-4 + 1e-3 * abs(float(b)) for a, b in pairs)


@cache
def recorded(group: str) -> dict[str, Answer]:
    """PyTorch's answers to the programs of a group."""
    groups = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return {program: (out, error) for program, (out, error) in groups[group].items()}


def faults(group: str) -> list[str]:
    """The programs of a group whose answers differ from PyTorch's."""
    import gradcli

    return [
        f"{program}\n  ours   {ours}\n  theirs {theirs}"
        for program, theirs in recorded(group).items()
        if not agree(ours := run(program, gradcli), theirs)
    ]

"""Which modules there are, and where their names come from: the engine's tables, a file of
`modules`, or nowhere.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

TORCH: Final[dict[str, str]] = {
    "torch": "",
    "torch.autograd": "autograd.",
    "torch.autograd.forward_ad": "autograd.forward_ad.",
    "torch.autograd.function": "autograd.function.",
    "torch.autograd.functional": "autograd.functional.",
    "torch.autograd.graph": "autograd.graph.",
    "torch.fft": "fft.",
    "torch.func": "func.",
    "torch.linalg": "linalg.",
    "torch.masked": "masked.",
    "torch.nn": "nn.",
    "torch.nn.functional": "nn.functional.",
    "torch.special": "special.",
    "torch.testing": "testing.",
}
"""PyTorch's, and what their members' names begin with in the engine's tables."""

_HERE: Final = "gradcli.language.allowed.modules."

OTHERS: Final[dict[str, str]] = {
    "functools": f"{_HERE}functools",
    "math": f"{_HERE}math",
}
"""Others, and the file that has their `MEMBERS`."""


@cache
def members(module: str) -> dict[str, Any]:
    """What programs find in a module that is none of PyTorch's, imported when it is first asked."""
    found: dict[str, Any] = import_module(OTHERS[module]).MEMBERS
    return found

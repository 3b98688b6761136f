"""Readings: what can be known of an evaluation beside its values, from the rows that it ran.

A reading is a file or a folder of its own that no row has to know. `lookup` finds what readings
offer; modules are imported when something of theirs is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final

# Module under gradcli.readings -> the names that it serves: under `torch`, or, as `bare.NAME`,
# those that mathematics has and PyTorch lacks.
_SERVED: Final = {
    "batched.mapping": ("vmap", "func.vmap"),
    "series.taylor": ("bare.taylor",),
    "transforms.reverse": ("func.grad", "func.grad_and_value", "func.jacrev", "func.vjp"),
    "transforms.forward": ("func.hessian", "func.jacfwd", "func.jvp", "func.linearize"),
    "transforms.duals": (
        "autograd.forward_ad.dual_level",
        "autograd.forward_ad.enter_dual_level",
        "autograd.forward_ad.exit_dual_level",
        "autograd.forward_ad.make_dual",
        "autograd.forward_ad.unpack_dual",
    ),
    "transforms.numerical": ("autograd.gradcheck", "autograd.gradgradcheck"),
    "transforms.functional": ("func.functionalize",),
}
_MODULES: Final = {name: module for module, names in _SERVED.items() for name in names}


def lookup(name: str) -> Any:
    """The object `torch.NAME`, where NAME is such as `func.grad`, or None."""
    module = _MODULES.get(name)
    if module is None:
        return None
    return getattr(import_module(f"gradcli.readings.{module}"), name.rpartition(".")[2])


def remarks() -> list[str]:
    """What readings did in a way that takes longer than another, so far."""
    found = []
    for name, told in _REMARKS.items():
        module = sys.modules.get(f"gradcli.readings.{name}")
        if module is not None and module.notes:
            found.append(f"{told} {', '.join(sorted(module.notes))}")
    return found


_REMARKS: Final = {
    "batched.samples": "vmap took one sample after another in",
    "transforms.tangents": "forward mode transposed a backward pass, since",
}
"""Modules that note such ways, and what is said before their notes."""


def names() -> list[str]:
    """Every name that `lookup` knows."""
    return sorted(_MODULES)

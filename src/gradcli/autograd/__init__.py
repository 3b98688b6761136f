"""Recording, the backward walk, and what `torch.autograd` offers on top of them.

`lookup` finds a function by the name under which PyTorch has it; modules are imported when
something of theirs is asked for.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

# Module under gradcli.autograd -> the names that it serves under `torch.autograd`.
_SERVED: Final = {
    "passes": ("backward", "grad"),
    "numerical": ("gradcheck", "gradgradcheck"),
    "modes": ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode"),
    "variable": ("Variable",),
}
_MODULES: Final = {name: module for module, names in _SERVED.items() for name in names}
# What PyTorch has in `torch` itself.
_TOP_LEVEL: Final = (*_SERVED["modes"], "is_grad_enabled", "is_inference_mode_enabled")
_PACKAGES: Final = {
    "functional": "gradcli.autograd.functional",
    "forward_ad": "gradcli.readings.transforms.duals",
}
_FUNCTIONAL: Final = ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")


def lookup(name: str) -> Any:
    """The object `torch.NAME`, where NAME is such as `no_grad` or `autograd.grad`, or None."""
    if name in _TOP_LEVEL:
        return _load("modes", name)
    package, _, short = name.partition(".")
    if package != "autograd":
        return None
    if short in _MODULES:
        return _load(_MODULES[short], short)
    if short.startswith("functional."):
        short = short.removeprefix("functional.")
        return _load("functional", short) if short in _FUNCTIONAL else None
    return None


@cache
def names() -> tuple[str, ...]:
    """Every name that `lookup` knows."""
    return (
        *_TOP_LEVEL,
        *(f"autograd.{name}" for name in _MODULES),
        *(f"autograd.functional.{name}" for name in _FUNCTIONAL),
    )


def __getattr__(name: str) -> Any:
    """`gradcli.autograd.grad` and its like, where no module of the package has that name."""
    if name in _PACKAGES:
        return import_module(_PACKAGES[name])
    value = lookup(f"autograd.{name}")
    if value is None:
        raise AttributeError(f"module 'gradcli.autograd' has no attribute '{name}'")
    return value


def _load(module: str, name: str) -> Any:
    return getattr(import_module(f"gradcli.autograd.{module}"), name)

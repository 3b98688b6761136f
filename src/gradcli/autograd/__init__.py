"""Recording, the backward walk, and what `torch.autograd` offers on top of them.

`lookup` finds a function by the name under which PyTorch has it; modules are imported when
something of theirs is asked for.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final

from gradcli.tensor.classes import Class

# Module under gradcli.autograd -> the names that it serves under `torch.autograd`.
_SERVED: Final = {
    "passes": ("backward", "grad"),
    "modes": ("no_grad", "enable_grad", "set_grad_enabled", "inference_mode"),
    "variable": ("Variable",),
    "context": ("function.FunctionCtx",),
    "function": ("Function", "function.Function", "function.once_differentiable"),
    "saving": (
        "graph.allow_mutation_on_saved_tensors",
        "graph.disable_saved_tensors_hooks",
        "graph.save_on_cpu",
        "graph.saved_tensors_hooks",
    ),
    "edges": (
        "graph.GradientEdge",
        "graph.Node",
        "graph.get_gradient_edge",
        "graph.increment_version",
        "graph.register_multi_grad_hook",
    ),
    "anomaly": ("detect_anomaly", "set_detect_anomaly"),
}
_ANOMALY: Final = ("is_anomaly_enabled", "is_anomaly_check_nan_enabled")
_MODULES: Final = {name: module for module, names in _SERVED.items() for name in names}
# What PyTorch has in `torch` itself.
_TOP_LEVEL: Final = (*_SERVED["modes"], "is_grad_enabled", "is_inference_mode_enabled")
_PACKAGES: Final = {
    "functional": "gradcli.autograd.functional",
    "forward_ad": "gradcli.readings.transforms.duals",
}
_READINGS: Final = {
    "gradcheck": "gradcli.readings.transforms.numerical",
    "gradgradcheck": "gradcli.readings.transforms.numerical",
}
"""Where readings serve names of `torch.autograd`."""
_GROUPS: Final = ("function", "graph")
"""Modules of `torch.autograd` whose names lie in several modules here."""
_FUNCTIONAL: Final = ("jacobian", "hessian", "vjp", "jvp", "vhp", "hvp")


def lookup(name: str) -> Any:
    """The object `torch.NAME`, where NAME is such as `no_grad` or `autograd.grad`, or None."""
    if name in _ANOMALY:
        return _load("anomaly", name)
    if name in _TOP_LEVEL:
        return _load("modes", name)
    package, _, short = name.partition(".")
    if package != "autograd":
        return None
    if short in _MODULES:
        return _load(_MODULES[short], short.rpartition(".")[2])
    if short.startswith("functional."):
        short = short.removeprefix("functional.")
        return _load("functional", short) if short in _FUNCTIONAL else None
    return None


@cache
def names() -> tuple[str, ...]:
    """Every name that `lookup` knows."""
    return (
        *_TOP_LEVEL,
        *_ANOMALY,
        *(f"autograd.{name}" for name in _MODULES),
        *(f"autograd.functional.{name}" for name in _FUNCTIONAL),
    )


def __getattr__(name: str) -> Any:
    """`gradcli.autograd.grad` and its like, where no module of the package has that name."""
    if name in _PACKAGES:
        return import_module(_PACKAGES[name])
    if name in _READINGS:
        return getattr(import_module(_READINGS[name]), name)
    if name in _GROUPS:
        return Group(name)
    value = lookup(f"autograd.{name}")
    if value is None:
        raise AttributeError(f"module 'gradcli.autograd' has no attribute '{name}'")
    return value


class Group:
    """A module of `torch.autograd` for whoever imports the package."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        value = lookup(f"autograd.{self._name}.{name}")
        if value is None:
            raise AttributeError(
                f"module 'gradcli.autograd.{self._name}' has no attribute '{name}'"
            )
        return value.of if isinstance(value, Class) else value


def _load(module: str, name: str) -> Any:
    return getattr(import_module(f"gradcli.autograd.{module}"), name)

"""Differentiate tensor expressions with PyTorch's semantics, from the command line or from Python.

From Python the names are PyTorch's: `gradcli.tensor`, `gradcli.sin`, `gradcli.no_grad`,
`gradcli.linalg.inv`, and beside them `gradcli.backward`, `gradcli.grad` and the functional
API, `gradcli.jacobian` and so on::

    import gradcli

    x = gradcli.tensor([1.0, 2.0], requires_grad=True)
    gradcli.sin(x).sum().backward()
    print(x.grad)

Nothing is imported before it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Importing the package of that name binds it here, where `tensor` is to be PyTorch's function.
import_module("gradcli.tensor")
del globals()["tensor"]

_PARTS = frozenset(
    (
        "api",
        "autograd",
        "batch",
        "cli",
        "evaluation",
        "language",
        "ops",
        "readings",
        "views",
        "wiring",
    )
)


def __getattr__(name: str) -> Any:
    if name in _PARTS:
        return import_module(f"gradcli.{name}")
    if name.startswith("__") and name != "__version__":
        raise AttributeError(f"module 'gradcli' has no attribute '{name}'")
    value = import_module("gradcli.api").lookup(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    found: list[str] = import_module("gradcli.api").names()
    return found

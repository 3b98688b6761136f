"""The library face: PyTorch's names for whoever imports `gradcli` from Python.

What a name means is decided where the language's names are
(`gradcli.language.allowed.namespace`), so that a note works from the command line and as a Python
program alike.
"""

from __future__ import annotations

from typing import Any, Final

import gradcli.wiring  # noqa: F401 - printing, floating point warnings
from gradcli import autograd, readings
from gradcli.language.allowed.listed import TORCH
from gradcli.language.allowed.namespace import Module, default_namespace
from gradcli.tensor.classes import Class

SHORT: Final = {
    "backward": "autograd.backward",
    "grad": "autograd.grad",
    "jacobian": "autograd.functional.jacobian",
    "hessian": "autograd.functional.hessian",
    "vjp": "autograd.functional.vjp",
    "jvp": "autograd.functional.jvp",
    "vhp": "autograd.functional.vhp",
    "hvp": "autograd.functional.hvp",
}
"""Names that PyTorch keeps in `torch.autograd` and `torch.autograd.functional`."""


class Members:
    """A module such as `linalg`, with its members as attributes."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module '{self._module.name}' has no attribute '{name}'")
        return _opened(self._module.member(name))

    def __dir__(self) -> list[str]:
        return sorted(set(self._module.namespace.members(self._module.name)))

    def __repr__(self) -> str:
        return f"<{self._module.name.replace('torch', 'gradcli', 1)}>"


def lookup(name: str) -> Any:
    """What `gradcli.NAME` is.

    Raises:
        AttributeError: nothing.
    """
    if name == "__version__":
        from importlib.metadata import version

        return version("gradcli")
    if f"bare.{name}" in readings.names():
        return readings.lookup(f"bare.{name}")
    if name in SHORT:
        return autograd.lookup(SHORT[name])
    try:
        return _opened(default_namespace().modules["torch"].member(name))
    except AttributeError:
        raise AttributeError(f"module 'gradcli' has no attribute '{name}'") from None


def names() -> list[str]:
    """Every name that `lookup` knows; loads the whole operator table."""
    modules = {name.removeprefix("torch.").partition(".")[0] for name in TORCH}
    own = set(default_namespace().members("torch"))
    nested = {name.rpartition(".")[2] for name in TORCH if name.count(".") > 1}
    beyond = {name.removeprefix("bare.") for name in readings.names() if name.startswith("bare.")}
    return sorted((own - nested) | modules - {"torch"} | SHORT.keys() | beyond)


def _opened(value: Any) -> Any:
    if isinstance(value, Class):
        return value.of
    return Members(value) if isinstance(value, Module) else value

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
    "torch.autograd.variable": "autograd.",
    "torch.fft": "fft.",
    "torch.func": "func.",
    "torch.linalg": "linalg.",
    "torch.masked": "masked.",
    "torch.nn": "nn.",
    "torch.nn.functional": "nn.functional.",
    "torch.nn.parameter": "nn.",
    "torch.nn.utils": "nn.utils.",
    "torch.special": "special.",
    "torch.testing": "testing.",
}
"""Modules whose names the engine's tables have, and what the names begin with there."""

_HERE: Final = "gradcli.language.allowed.modules."

_RUNNING: Final = "gradcli.language.running."
"""Where the objects of programs are known."""

OTHERS: Final[dict[str, str]] = {
    "__future__": f"{_HERE}future",
    "abc": f"{_RUNNING}abstract",
    "collections": f"{_HERE}collections",
    "collections.abc": f"{_HERE}typing",
    "contextlib": f"{_RUNNING}contextlib",
    "copy": f"{_RUNNING}copying",
    "dataclasses": f"{_RUNNING}dataclasses",
    "enum": f"{_RUNNING}enumerations",
    "functools": f"{_RUNNING}functools",
    "itertools": f"{_HERE}itertools",
    "math": f"{_HERE}math",
    "numpy": f"{_HERE}numpy",
    "numpy.fft": f"{_HERE}numpy_fft",
    "numpy.linalg": f"{_HERE}numpy_linalg",
    "numpy.random": f"{_HERE}numpy_random",
    "numpy.testing": f"{_HERE}numpy_testing",
    "operator": f"{_HERE}operator",
    "random": f"{_HERE}random",
    "re": f"{_HERE}re",
    "sys": f"{_HERE}sys",
    "time": f"{_HERE}time",
    "torch.accelerator": f"{_HERE}torch_accelerator",
    "torch.backends": f"{_HERE}torch_backends",
    "torch.cuda": f"{_HERE}torch_cuda",
    "torch.version": f"{_HERE}torch_version",
    "tqdm": f"{_HERE}tqdm",
    "tqdm.auto": f"{_HERE}tqdm",
    "typing": f"{_RUNNING}typing",
    "warnings": f"{_HERE}warnings",
}
"""Others, and the file that has their `MEMBERS`."""


DERIVED: Final[dict[str, tuple[str, str]]] = {
    "autograd.Function": (f"{_RUNNING}customs", "FUNCTION"),
    "autograd.function.Function": (f"{_RUNNING}customs", "FUNCTION"),
}
"""What programs derive classes from in the place of the engine's own."""


@cache
def derived(name: str) -> Any:
    """One of these, imported when it is first asked."""
    file, short = DERIVED[name]
    return getattr(import_module(file), short)


@cache
def members(module: str) -> dict[str, Any]:
    """What programs find in a module that has a file, which is imported when it is first asked."""
    found: dict[str, Any] = import_module(OTHERS[module]).MEMBERS
    return found


@cache
def late() -> dict[str, Any]:
    """Python's built-in names that need to know the objects of programs."""
    found: dict[str, Any] = import_module(f"{_RUNNING}introspection").BUILTINS
    return found


def is_left_out(module: str, name: str) -> bool:
    """Whether a module that has a file here has a name in Python that it lacks here."""
    if module.startswith("torch."):
        return False
    try:
        return not name.startswith("_") and name in dir(import_module(module))
    except ImportError:
        return False

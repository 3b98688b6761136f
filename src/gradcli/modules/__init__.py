"""`torch.nn`: functions with parameters."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

# Module under gradcli.modules -> the names that it serves under `torch`.
_SERVED: Final = {
    "module": ("nn.Module",),
    "layers": ("nn.Linear",),
    "clipping": (
        "nn.utils.clip_grad_norm_",
        "nn.utils.clip_grad_value_",
        "nn.utils.parameters_to_vector",
        "nn.utils.vector_to_parameters",
    ),
    "functional": ("func.functional_call", "func.stack_module_state"),
}
_MODULES: Final = {name: module for module, names in _SERVED.items() for name in names}


def lookup(name: str) -> Any:
    """The object `torch.NAME`, where NAME is such as `nn.Linear`, or None."""
    module = _MODULES.get(name)
    if module is None:
        return None
    return getattr(import_module(f"gradcli.modules.{module}"), name.rpartition(".")[2])


def names() -> tuple[str, ...]:
    """Every name that `lookup` knows."""
    return tuple(_MODULES)

"""What programs find in `torch.cuda`: that there is no such device, as PyTorch's CPU build says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn

from gradcli.language.allowed.builtins import present
from gradcli.tensor.formats import Device

ANSWERS: Final[dict[str, Any]] = {
    "device_count": 0,
    "empty_cache": None,
    "ipc_collect": None,
    "is_available": False,
    "is_bf16_supported": False,
    "is_initialized": False,
    "manual_seed": None,
    "manual_seed_all": None,
    "max_memory_allocated": 0,
    "max_memory_reserved": 0,
    "memory_allocated": 0,
    "memory_reserved": 0,
}
"""Functions that answer without a device."""

REFUSED: Final = (
    "current_device get_device_capability get_device_name get_device_properties init "
    "reset_peak_memory_stats seed seed_all set_device synchronize"
)
"""Functions that need one."""


def answering(name: str, answer: Any) -> Callable[..., Any]:
    """A function that says the same whatever it is asked."""

    def function(*arguments: Any, **named: Any) -> Any:
        return answer

    present(function, name)
    return function


def _refusing(name: str) -> Callable[..., NoReturn]:
    def function(*arguments: Any, **named: Any) -> NoReturn:
        Device("cuda").check()
        raise AssertionError

    present(function, name)
    return function


MEMBERS: Final[dict[str, Any]] = {
    **{name: answering(name, answer) for name, answer in ANSWERS.items()},
    **{name: _refusing(name) for name in REFUSED.split()},
}
"""By name."""

"""What programs find in `torch.accelerator`: that there is none, as PyTorch's CPU build says."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.modules.torch_cuda import answering

ANSWERS: Final[dict[str, Any]] = {
    "current_accelerator": None,
    "device_count": 0,
    "is_available": False,
}
"""Functions that answer without a device."""

MEMBERS: Final[dict[str, Any]] = {name: answering(name, said) for name, said in ANSWERS.items()}
"""By name."""

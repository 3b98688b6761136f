"""What programs set of PyTorch's process and gradcli does not need: it is only remembered."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.public import public


class Settings:
    """How many threads there would be, and how exact products."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """What holds before anybody has set anything."""
        self.threads = 1
        self.interop_threads = 1
        self.deterministic = False
        self.precision = "highest"
        cudnn.start_afresh()


@public(
    "allow_tf32 benchmark deterministic enabled is_available version",
    writes="allow_tf32 benchmark deterministic enabled",
    name="module",
)
class CuDNN:
    """`torch.backends.cudnn`."""

    __slots__ = ("allow_tf32", "benchmark", "deterministic", "enabled")

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """What holds before anybody has set anything."""
        self.enabled: Any = True
        self.allow_tf32: Any = True
        self.benchmark: Any = False
        self.deterministic: Any = False

    def is_available(self) -> bool:
        """Whether the library is there."""
        return False

    def version(self) -> None:
        """Its version."""

    def __repr__(self) -> str:
        return "<module 'torch.backends.cudnn'>"


cudnn: Final = CuDNN()
settings: Final = Settings()

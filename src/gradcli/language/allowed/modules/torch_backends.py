"""What programs find in `torch.backends`: which libraries PyTorch's CPU build has."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.public import public
from gradcli.tensor.settings import cudnn


@public("is_available is_built", name="module")
class Library:
    """A library that is there, or not."""

    __slots__ = ("name", "there")

    def __init__(self, name: str, there: bool) -> None:
        self.name = name
        self.there = there

    def is_available(self) -> bool:
        """Whether it can be used."""
        return self.there

    def is_built(self) -> bool:
        """Whether PyTorch was built with it."""
        return self.there

    def __repr__(self) -> str:
        return f"<module 'torch.backends.{self.name}'>"


MEMBERS: Final[dict[str, Any]] = {
    "cuda": Library("cuda", False),
    "cudnn": cudnn,
    "mkl": Library("mkl", True),
    "mkldnn": Library("mkldnn", True),
    "mps": Library("mps", False),
    "openmp": Library("openmp", True),
}
"""By name."""

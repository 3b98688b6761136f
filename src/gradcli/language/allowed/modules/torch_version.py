"""What programs find in `torch.version`, and the version that compares as versions do."""

from __future__ import annotations

import re
from typing import Any, Final

from gradcli.tensor.public import REGISTRY, Public

_VERSION: Final = re.compile(r"\s*v?(\d+(?:\.\d+)*)(.*)")

Key = tuple[tuple[int, ...], int, str]


def _key(text: str) -> Key | None:
    """What versions are ordered by; None for a text that is none. A pre-release goes before its
    release, a build of it after.
    """
    found = _VERSION.match(text)
    if found is None:
        return None
    numbers = [int(part[:9]) for part in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    rest = found[2].strip()
    return tuple(numbers), 0 if not rest else 1 if rest.startswith("+") else -1, rest


class Version(str):
    """A version: a text that is ordered by its numbers."""

    __slots__ = ()

    def _order(self, other: object) -> int | None:
        """-1, 0 or 1; None beside what is no version."""
        if isinstance(other, (tuple, list)):
            other = ".".join(map(str, other))
        mine, others = _key(self), _key(other) if isinstance(other, str) else None
        if mine is None or others is None:
            return None
        return (mine > others) - (mine < others)

    def __eq__(self, other: object) -> bool:
        order = self._order(other)
        return str.__eq__(self, other) is True if order is None else order == 0

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        order = self._order(other)
        return str.__lt__(self, other) if order is None else order < 0

    def __le__(self, other: Any) -> bool:
        order = self._order(other)
        return str.__le__(self, other) if order is None else order <= 0

    def __gt__(self, other: Any) -> bool:
        order = self._order(other)
        return str.__gt__(self, other) if order is None else order > 0

    def __ge__(self, other: Any) -> bool:
        order = self._order(other)
        return str.__ge__(self, other) if order is None else order >= 0

    __hash__ = str.__hash__


REGISTRY[Version] = Public(
    REGISTRY[str].reads,
    guards=REGISTRY[str].guards,
    name="TorchVersion",
    label="torch.torch_version.TorchVersion",
)

VERSION: Final = "2.13.0+cpu"
"""PyTorch's, whose answers gradcli gives."""

MEMBERS: Final[dict[str, Any]] = {
    "__version__": Version(VERSION),
    "cuda": None,
    "debug": False,
    "hip": None,
}
"""By name."""

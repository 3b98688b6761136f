"""How tensors print inside transforms: with the levels that track them, or with a tangent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gradcli.readings import dual_levels
from gradcli.readings.transforms.levels import ACTIVE
from gradcli.tensor.tensor import Tensor, wrap

WIDTH: Final = 80
"""Columns that the words of a tensor may take."""


def install() -> None:
    """Lets tensors print so, from now on."""
    if Tensor._represent is not _represent:
        _PLAIN.append(Tensor._represent)
        Tensor._represent = _represent


_PLAIN: Final[list[Callable[[Tensor], str]]] = []
"""How tensors print otherwise."""


def _represent(tensor: Tensor) -> str:
    plain = _PLAIN[-1]
    batched = tensor._extras is not None and tensor._extras.batched is not None
    if batched or not (ACTIVE or dual_levels):
        return plain(tensor)
    tangent = dual_levels[-1].tangent(tensor) if dual_levels else None
    if tangent is not None:
        outside = dual_levels[-1].outside(tensor)
        # What a history outside leads to shows it as it is inside.
        return _with_tangent(plain(tensor if outside.requires_grad else outside), _told(tangent))
    if not tensor.requires_grad:
        return plain(tensor)
    numbers = [number for number, level in enumerate(ACTIVE, 1) if level.tracks(tensor)]
    if not numbers:
        return plain(tensor)
    text = plain(wrap(tensor._array))
    for number in numbers:
        inner = text.replace("\n", "\n    ")
        text = f"GradTrackingTensor(lvl={number}, value=\n    {inner}\n)"
    return text


def _told(tangent: Tensor) -> str:
    """A tangent as PyTorch's text of the tensor has it: a single number as Python shows it."""
    return _PLAIN[-1](tangent) if tangent.dim() else str(tangent.item())


def _with_tangent(text: str, tangent: str) -> str:
    suffix = f"tangent={tangent}"
    last = text.rpartition("\n")[2]
    between = " " if len(last) + len(suffix) + 2 <= WIDTH else "\n       "
    return f"{text[:-1]},{between}{suffix})"

"""What operators over one, two and three spatial dimensions have in common."""

from __future__ import annotations

from typing import Any, Final

SHAPES: Final = {
    1: "(N, C, L) or (C, L)",
    2: "(N, C, H, W) or (C, H, W)",
    3: "(N, C, D, H, W) or (C, D, H, W)",
}
"""The shapes of batches of images, and of images, by the number of dimensions."""


def spread(values: Any, dims: int) -> Any:
    """One number per spatial dimension, where one stands for all; a list stays as it is."""
    return (values,) * dims if isinstance(values, int) else values

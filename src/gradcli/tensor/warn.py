"""What PyTorch warns of, by way of Python's warnings."""

from __future__ import annotations

import warnings
from typing import Final


class Once(UserWarning):
    """A warning that is given once in the life of a process, wherever it comes from."""


Once.__name__ = "UserWarning"  # as it is shown

CREATES_GRAPH: Final = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter "
    "and its gradient which can cause a memory leak. We recommend using autograd.grad when "
    "creating the graph to avoid this. If you have to use this function, make sure to reset the "
    ".grad fields of your parameters to None after use to break the cycle and avoid the leak."
)
LOSES_GRADIENT: Final = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
    "Consider using tensor.detach() first."
)
NO_LEAF: Final = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
    "attribute won't be populated during autograd.backward(). If you indeed want the .grad field "
    "to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you "
    "access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead."
)
COPIES: Final = (
    "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
    "sourceTensor.detach().clone().requires_grad_(True), rather than {}(sourceTensor)."
)


def warn(message: str, once: bool = False) -> None:
    """Warns the caller's caller; `once`: not again in this process, where warnings are shown."""
    warnings.warn(message, Once if once else UserWarning, stacklevel=3)

"""Checks that kernels of PyTorch share, with PyTorch's messages."""

from __future__ import annotations

from typing import Any

from gradcli.tensor import dtypes
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor

Array = Any


def floating_only(array: Array, kernel: str, complex_too: bool = False) -> None:
    """Refuses integers and booleans (and complex numbers) as a kernel without them does."""
    if array.dtype.kind not in ("fc" if complex_too else "f"):
        word = dtypes.of(array).scalar_name
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{word}'")


def constants(function: str, **arguments: Any) -> None:
    """Refuses tensors that require grad for arguments that a function has no formula for."""
    for name, value in arguments.items():
        if type(value) is Tensor and value._requires_grad and mode.enabled:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )


def not_implemented(what: str) -> Any:
    """For an argument that PyTorch takes but has no derivative for."""
    raise NotImplementedError(f"the derivative for '{what}' is not implemented.")


def without_second_derivative(name: str) -> dict[str, Any]:
    """What a row says whose operator PyTorch has no derivative for: it fails when walked."""

    def fail(grad: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    return {"node": "torch::autograd::NotImplemented", "self": fail, "samples": lambda r: []}

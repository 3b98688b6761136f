"""What says that there is no derivative: of an argument, of an operator, of a formula again."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor

NOT_IMPLEMENTED: Final = "torch::autograd::NotImplemented"
"""The node of an operator without a derivative."""


def constants(function: str, **arguments: Any) -> None:
    """Refuses tensors that require grad for arguments that a function has no formula for."""
    for name, value in arguments.items():
        if type(value) is Tensor and mode.enabled and value.requires_grad:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )


def _failing(error: type[Exception], message: str, every: bool) -> Any:
    def fail_for_every(grads: Any) -> Any:
        raise error(message)

    def fail(grad: Any) -> Any:
        raise error(message)

    return fail_for_every if every else fail


def underived(what: str, every: bool = False) -> Any:
    """The formula of an argument that PyTorch has no derivative for, in an operator that has some.

    It fails where the first output has a gradient; with `every`, where any has.
    """
    message = f"the derivative for '{what}' is not implemented."
    return _failing(NotImplementedError, message, every)


def no_derivative(name: str, every: bool = False) -> Any:
    """The formula of an operator that PyTorch has no derivative for; see `underived`.

    Its node is called `NOT_IMPLEMENTED`.
    """
    return _failing(RuntimeError, f"derivative for aten::{name} is not implemented", every)


def without_second_derivative(name: str) -> dict[str, Any]:
    """What a row says whose operator PyTorch has no derivative for: it fails when walked."""
    return {"node": NOT_IMPLEMENTED, "self": no_derivative(name)}

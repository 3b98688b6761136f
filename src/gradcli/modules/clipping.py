"""`torch.nn.utils`: gradients kept within bounds, parameters as one vector."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from gradcli.autograd.modes import no_grad
from gradcli.table.registry import lookup
from gradcli.tensor.public import missing_name
from gradcli.tensor.tensor import Tensor, wrap

Parameters = Tensor | Iterable[Tensor]

NOT_FINITE: Final = (
    "The total norm of order {} for gradients from `parameters` is non-finite, so it cannot be "
    "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
    "`error_if_nonfinite=False`"
)


def clip_grad_norm_(
    parameters: Parameters,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales gradients in place so that their norm together is `max_norm` at most; the norm before.

    Raises:
        RuntimeError: `error_if_nonfinite`, and the norm is infinite or nan.
    """
    order, most = float(norm_type), float(max_norm)
    with no_grad():
        gradients = _gradients(parameters)
        total: Any = _norm(gradients, order)
        if error_if_nonfinite and not np.isfinite(total._array):
            raise RuntimeError(NOT_FINITE.format(order))
        factor = (most / (total + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)
        found: Tensor = total
    return found


def clip_grad_value_(
    parameters: Parameters, clip_value: float, foreach: bool | None = None
) -> None:
    """Cuts gradients in place to what lies between `-clip_value` and `clip_value`."""
    most = float(clip_value)
    with no_grad():
        for gradient in _gradients(parameters):
            gradient.clamp_(min=-most, max=most)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of parameters one after the other, with their history."""
    join: Any = lookup("cat")
    found: Tensor = join([value.reshape(-1) for value in _tensors(parameters, "device")])
    return found


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Gives parameters the elements of a vector, in their order.

    Raises:
        TypeError: it is no tensor.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    vector: Any = vec
    begin = 0
    for parameter in _tensors(parameters, "device"):
        end = begin + parameter._array.size
        parameter.data = vector[begin:end].view_as(parameter).data
        begin = end


def _norm(gradients: list[Tensor], order: float) -> Tensor:
    """The norm of the norms."""
    if not gradients:
        return wrap(np.float32(0))
    norm: Any = lookup("linalg.vector_norm")
    stack: Any = lookup("stack")
    found: Tensor = norm(stack([norm(gradient, order) for gradient in gradients]), order)
    return found


def _gradients(parameters: Parameters) -> list[Tensor]:
    found = [parameter.grad for parameter in _tensors(parameters, "grad")]
    return [gradient for gradient in found if gradient is not None]


def _tensors(parameters: Parameters, name: str) -> list[Tensor]:
    """Parameters, of which `name` is asked."""
    given = [parameters] if isinstance(parameters, Tensor) else parameters
    found = []
    for value in given:
        if not isinstance(value, Tensor):
            raise missing_name(value, name)
        found.append(value)
    return found

"""Numerical checks that any differentiable function of arrays can be put through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.backward import grad
from gradcli.tensor.tensor import Tensor, wrap

STEP = 1e-6


def leaves_of(args: Sequence[Any]) -> list[Tensor]:
    """The floating tensors among arguments, also inside lists."""
    found: list[Tensor] = []
    for arg in args:
        if isinstance(arg, Tensor):
            if arg.requires_grad:
                found.append(arg)
        elif isinstance(arg, (list, tuple)):
            found += leaves_of(arg)
    return found


def as_tensors(args: Sequence[Any], requires_grad: bool = True) -> list[Any]:
    """Arrays as tensors, floating ones as leaves that want gradients."""
    made: list[Any] = []
    for arg in args:
        if isinstance(arg, np.ndarray):
            made.append(wrap(arg.copy(), requires_grad and arg.dtype.kind in "fc"))
        elif isinstance(arg, list):
            made.append(as_tensors(arg, requires_grad))
        else:
            made.append(arg)
    return made


def outputs_of(value: Any) -> list[Tensor]:
    """The differentiable tensors of a result."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return [v for v in values if isinstance(v, Tensor) and v._array.dtype.kind in "fc"]


def seeds_for(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Weights of no special structure, one per element of each output."""
    return [
        wrap(np.cos(np.arange(out.numel(), dtype=out._array.dtype) + 1).reshape(out.shape))
        for out in outputs
    ]


def numerical(function: Callable[[], float], leaf: Tensor) -> np.ndarray[Any, Any]:
    """Central differences of a scalar function with respect to a leaf's elements."""
    array = leaf._array
    slopes = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + STEP
        above = function()
        array[index] = kept - STEP
        below = function()
        array[index] = kept
        slopes[index] = (above - below) / (2 * STEP)
    return slopes


def check_gradients(
    call: Callable[..., Any], args: Sequence[Any], order: int = 1, tolerance: float = 2e-5
) -> None:
    """Compares gradients with central differences; order 2 does so for the gradients themselves."""
    made = as_tensors(args)
    leaves = leaves_of(made)

    def weighted() -> Tensor | None:
        outputs = [out for out in outputs_of(call(*made)) if out.requires_grad]
        total: Any = None
        for out, seed in zip(outputs, seeds_for(outputs), strict=True):
            part = (out * seed).sum()
            total = part if total is None else total + part
        return total

    def first_order() -> Any:
        total = weighted()
        if total is None:
            return None
        found = grad(total, leaves, create_graph=True, allow_unused=True)
        combined: Any = None
        for part in found:
            if part is not None and part.requires_grad:
                (seed,) = seeds_for([part])
                scaled = (part * seed).sum()
                combined = scaled if combined is None else combined + scaled
        return combined

    objective = weighted if order == 1 else first_order
    total = objective()
    if total is None:
        return
    analytic = grad(total, leaves, allow_unused=True, retain_graph=True)
    for leaf, found in zip(leaves, analytic, strict=True):
        expected = numerical(lambda: float(objective().item()), leaf)
        actual = np.zeros_like(expected) if found is None else found._array
        assert actual.shape == expected.shape
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)

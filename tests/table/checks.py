"""Numerical checks that any differentiable function of arrays can be put through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.ops.algebra.complex import real_part
from gradcli.table.samples import Fixed, Kinked
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
            wanted = requires_grad and arg.dtype.kind in "fc" and not isinstance(arg, Fixed)
            made.append(wrap(np.array(arg), wanted))
        elif isinstance(arg, list):
            made.append(as_tensors(arg, requires_grad))
        else:
            made.append(arg)
    return made


def outputs_of(value: Any) -> list[Tensor]:
    """The floating tensors of a result, also inside lists."""
    if isinstance(value, (list, tuple)):
        return [tensor for item in value for tensor in outputs_of(item)]
    return [value] if isinstance(value, Tensor) and value._array.dtype.kind in "fc" else []


def seeds_for(outputs: Sequence[Tensor]) -> list[Tensor]:
    """Weights of no special structure, one per element of each output."""
    return [
        wrap(np.cos(np.arange(out.numel(), dtype=out._array.dtype) + 1).reshape(out.shape))
        for out in outputs
    ]


def numerical(function: Callable[[], float], leaf: Tensor) -> np.ndarray[Any, Any]:
    """Central differences of a real function with respect to a leaf's elements.

    Of complex elements in PyTorch's convention: the slope along the real axis plus i times the one
    along the imaginary axis.
    """
    array = leaf._array
    slopes = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        for direction in (1.0, 1.0j) if array.dtype.kind == "c" else (1.0,):
            kept = array[index]
            array[index] = kept + STEP * direction
            above = function()
            array[index] = kept - STEP * direction
            below = function()
            array[index] = kept
            slopes[index] += direction * (above - below) / (2 * STEP)
    return slopes


def weighted_sum(tensors: Sequence[Tensor]) -> Tensor | None:
    """The real part of the sum of all elements, each with a weight of its own."""
    total: Any = None
    for tensor, seed in zip(tensors, seeds_for(tensors), strict=True):
        part = (tensor * seed).sum()
        part = real_part(part) if part.is_complex() else part
        total = part if total is None else total + part
    return total


def _has_slopes(out: Tensor) -> bool:
    """Whether differences of an output are precise enough to tell how it slopes."""
    return out.requires_grad and out._array.real.dtype == np.float64


def check_gradients(
    call: Callable[..., Any], args: Sequence[Any], order: int = 1, tolerance: float = 2e-5
) -> None:
    """Compares gradients with central differences; order 2 does so for the gradients themselves.

    Not where an argument is `Kinked`.
    """
    if any(isinstance(arg, Kinked) for arg in args):
        return
    made = as_tensors(args)
    leaves = leaves_of(made)
    if not leaves:
        return

    def weighted() -> Tensor | None:
        return weighted_sum([out for out in outputs_of(call(*made)) if _has_slopes(out)])

    def first_order() -> Tensor | None:
        total = weighted()
        if total is None:
            return None
        found = grad(total, leaves, create_graph=True, allow_unused=True)
        return weighted_sum([part for part in found if part is not None and part.requires_grad])

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

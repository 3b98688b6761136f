"""Activations whose slope below zero is learned or random."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import ge, where_, zeros_like
from gradcli.ops.algebra.views import reshape
from gradcli.ops.pointwise.activation import (
    leaky_relu_backward,
    leaky_relu_row,
)
from gradcli.ops.pointwise.twins import in_place_of, twin_of
from gradcli.random.generator import Generator, default_generator
from gradcli.table.declare import composite, row
from gradcli.table.row import COMMON, ITSELF, Row
from gradcli.table.samples import Sampler, fixed, kinked
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Scalar, Value


def _prelu_kernel(self: Array, weight: Array) -> Array:
    """self, times a weight where it is negative."""
    return np.where(self > 0, self, weight * self)


def _prelu_kernel_backward(grad_output: Array, self: Array, weight: Array) -> Any:
    """The gradients of prelu, that of the weight not yet summed."""
    positive = self > 0
    zero = self.dtype.type(0)
    return (
        np.where(positive, grad_output, weight * grad_output),
        np.where(positive, zero, self * grad_output),
    )


def _prelu_double_grad_output(grads: Any, self: Any, weight: Any) -> Any:
    by_self, by_weight = grads
    positive = ge(self, 0)
    if by_self is None:
        return where_(positive, 0.0, by_weight * self)
    below = by_self * weight
    return where_(positive, by_self, below if by_weight is None else below + by_weight * self)


def _prelu_double_self(grads: Any, grad_output: Any, self: Any) -> Any:
    if grads[1] is None:
        return zeros_like(self)
    return where_(ge(self, 0), 0.0, grad_output * grads[1])


def _prelu_double_weight(grads: Any, grad_output: Any, self: Any) -> Any:
    if grads[0] is None:
        return zeros_like(self)
    return where_(ge(self, 0), 0.0, grad_output * grads[0])


prelu_kernel_backward: Row = row(
    "aten._prelu_kernel_backward",
    _prelu_kernel_backward,
    promote=COMMON,
    linear="grad_output",
    elementwise=False,
    grad_output=_prelu_double_grad_output,
    self=_prelu_double_self,
    weight=_prelu_double_weight,
    samples=lambda r: [(r(3, 4), r(3, 4), r(1, 4))],
)
prelu_kernel: Row = row(
    "aten._prelu_kernel",
    _prelu_kernel,
    promote=COMMON,
    kinds="f",
    kernel="prelu_cpu",
    joint=("self weight", prelu_kernel_backward),
    samples=lambda r: [(r(3, 4), r(1, 4)), (r(), r())],
    kink="The weight at 0.",
)


@composite(
    "prelu|nn.functional.prelu",
    samples=lambda r: [(r(2, 3, 4), r(3)), (r(3), r(1)), (r(2, 3), r(1))],
)
def prelu(self: Value, weight: Value) -> Any:
    """self, times a weight (one, or one per channel) where it is negative."""
    if self.dtype is not weight.dtype:
        raise RuntimeError(
            "prelu: Type promoting not supported. Got "
            f"{self.dtype.scalar_name} and {weight.dtype.scalar_name}"
        )
    if weight.numel() != 1:
        if self.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = self.shape[1] if self.ndim > 1 else 1
        if channels != weight.numel():
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.numel()} and channel size = {channels}."
            )
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    if self.ndim != weight.ndim:
        shape = [1] * self.ndim
        if self.ndim > 1:
            shape[1] = weight.numel()
        weight = reshape(weight, shape)
    return prelu_kernel(self, weight)


def _rrelu(
    self: Array, noise: Array, lower: Scalar = 0.125, upper: Scalar = 1 / 3, training: bool = False
) -> Array:
    """self, times its noise where it is negative; times the mean slope when not training."""
    if training:
        return np.where(self <= 0, self * noise, self)
    return leaky_relu_row.forward(self, (lower + upper) / 2)


def _rrelu_backward(
    grad_output: Array, self: Array, noise: Array, lower: Scalar, upper: Scalar, training: bool
) -> Array:
    """The gradient of rrelu."""
    if training:
        return noise * grad_output
    return leaky_relu_backward.forward(grad_output, self, (lower + upper) / 2)


rrelu_backward: Row = row(
    "aten.rrelu_with_noise_backward",
    _rrelu_backward,
    linear="grad_output",
    elementwise=True,
    grad_output=ITSELF,
    self=zeros_like,
    samples=lambda r: [
        (r(3, 4), r(3, 4), fixed(np.ones((3, 4))), 0.1, 0.3, False),
        (r(3, 4), kinked(r(3, 4)), fixed(r(3, 4, low=0.1)), 0.1, 0.3, True),
    ],
    pytorch=(
        "aten.rrelu_with_noise_backward(grad_output, self, noise, lower, upper, training, False)"
    ),
)
rrelu_with_noise: Row = row(
    "aten.rrelu_with_noise",
    _rrelu,
    elementwise=True,
    self=rrelu_backward,
    samples=lambda r: [(r(3, 4), fixed(np.ones((3, 4))), 0.1, 0.3, False)],
)


def _slopes(
    input: Any, lower: float, upper: float, training: bool, generator: Generator | None
) -> Tensor:
    """The slopes that a call draws; none are needed when not training."""
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound:g}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    array = input._array
    if not training:
        return wrap(np.zeros_like(array))
    return wrap((generator or default_generator).rrelu_slopes(array, lower, upper))


def _random_slopes(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4),), (r(3), 0.1, 0.3), (r(3, 4), 0.1, 0.7, True)]


@composite("rrelu", samples=_random_slopes)
def torch_rrelu(
    input: Value,
    lower: Scalar = 0.125,
    upper: Scalar = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Any:
    """input, times a random slope in [lower, upper) where it is negative; the mean slope when not
    training.
    """
    slopes = _slopes(input, lower, upper, training, generator)
    return rrelu_with_noise(input, slopes, lower, upper, training)


@composite("rrelu_|nn.functional.rrelu_", samples=_random_slopes)
def torch_rrelu_(
    input: Value,
    lower: Scalar = 0.125,
    upper: Scalar = 0.3333333333333333,
    training: bool = False,
    generator: Generator | None = None,
) -> Any:
    """rrelu in place."""
    slopes = _slopes(input, lower, upper, training, generator)
    return in_place_of(rrelu_twin, input, slopes, lower, upper, training)


rrelu_twin = twin_of(rrelu_with_noise, "RreluWithNoiseBackward1")


@composite("nn.functional.rrelu", samples=torch_rrelu.samples)
def rrelu(
    input: Value,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """input, times a random slope in [lower, upper) where it is negative; the mean slope when not
    training.
    """
    if inplace:
        return torch_rrelu_(input, lower, upper, training)
    return torch_rrelu(input, lower, upper, training)

"""Normalization of batches and instances, and what all normalizations share.

A kernel returns the normalized input, the means and the reciprocal standard deviations, which its
backward pass uses. What the backward kernels are themselves differentiated by follows PyTorch's
formulas.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels import normalizing
from gradcli.ops.algebra.arithmetic import added
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.elementary import pow_scalar
from gradcli.ops.algebra.placement import repeat
from gradcli.ops.algebra.scalars import add_scalar, div_scalar, mul_scalar
from gradcli.ops.algebra.sums import expand, sum_dim
from gradcli.ops.algebra.views import clone_row, reshape, shape_of, view
from gradcli.table.declare import composite, row
from gradcli.table.refusals import constants, underived
from gradcli.table.row import Row
from gradcli.table.samples import fixed, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import HALVES
from gradcli.tensor.shapes import length_along, wrap_dim
from gradcli.tensor.tensor import constant, raw
from gradcli.typing import Array, Value


def wide_array(array: Array) -> Array:
    """Half precision is computed in single precision."""
    return array.astype(np.float32) if array.dtype.char in HALVES else array


def same_type(self: Array, parameters: Sequence[Array | None], complaint: str) -> None:
    """Parameters have the type of the input; those of a half input may be single."""
    for parameter in parameters:
        if parameter is not None and parameter.dtype not in (self.dtype, wide_array(self).dtype):
            raise RuntimeError(complaint)


def unit_weight(like: Any) -> Any:
    """The weight that changes nothing."""
    return constant(np.ones((), raw(like).dtype), like)


def sum_of(terms: Sequence[Any]) -> Any:
    """The sum of the terms that there are, or None."""
    total = None
    for term in terms:
        if term is not None:
            total = added(total, term)
    return total


def first_backward(
    grad: Any, centered: Any, inverse: Any, gamma: Any, dims: tuple[int, ...], count: int
) -> Any:
    """The gradient of the input, of a normalization over `dims` of `count` elements."""
    along = sum_dim(grad * centered, dims, True)
    spread = (
        mul_scalar(grad, count)
        - sum_dim(grad, dims, True)
        - centered * pow_scalar(inverse, 2) * along
    )
    return div_scalar(inverse if gamma is None else gamma * inverse, count) * spread


def second_backward(
    seed: Any, grad: Any, centered: Any, inverse: Any, dims: tuple[int, ...], count: int
) -> Any:
    """The gradient by the input of `seed`'s product with the first backward pass of `grad`."""
    cubed = pow_scalar(inverse, 3)
    grad_sum = sum_dim(grad, dims, True)
    grad_along = sum_dim(grad * centered, dims, True)
    seed_sum = sum_dim(seed, dims, True)
    seed_along = sum_dim(seed * centered, dims, True)
    shared = (
        div_scalar(seed_sum * grad_sum, count)
        - sum_dim(seed * grad, dims, True)
        + mul_scalar(pow_scalar(inverse, 2) * grad_along * seed_along, 3.0 / count)
    )
    by_scale = div_scalar(centered * cubed * shared, count)
    by_seed = div_scalar(seed_along * cubed, count) * (div_scalar(grad_sum, count) - grad)
    by_grad = div_scalar(grad_along * cubed, count) * (div_scalar(seed_sum, count) - seed)
    return by_scale + by_seed + by_grad


def _channels(shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The dimensions other than the channels, and the shape that broadcasts along channels."""
    dims = (0, *range(2, len(shape)))
    return dims, (1, shape[1], *(1,) * (len(shape) - 2))


def _layout(shape: Sequence[int]) -> tuple[int, int, int]:
    """The numbers of instances, of channels and of elements of a channel."""
    return shape[0], shape[1], math.prod(shape[2:])


def _batch_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    training: bool,
    momentum: float,
    eps: float,
) -> tuple[Array, Array, Array]:
    """Batch normalization, with the means and the reciprocal standard deviations of a batch in
    training.
    """
    same_type(
        input,
        (weight, bias, running_mean, running_var),
        "mixed dtype (CPU): all inputs must share same datatype.",
    )
    wide = wide_array(input)
    layout = _layout(input.shape)
    count = input.size // max(input.shape[1], 1)
    if training:
        out, mean, variance = normalizing.centered_moments(wide.reshape(layout))
        mean, variance = mean.reshape(-1), variance.reshape(-1)
        inverse = 1 / np.sqrt(variance + wide.dtype.type(eps))
        if running_mean is not None and running_var is not None and count:
            running_mean[...] = momentum * mean + (1 - momentum) * running_mean
            unbiased = variance * (count / (count - 1) if count > 1 else math.nan)
            running_var[...] = momentum * unbiased + (1 - momentum) * running_var
        saved = mean, inverse
    else:
        assert running_mean is not None
        assert running_var is not None
        mean, inverse = running_mean, 1 / np.sqrt(running_var + wide.dtype.type(eps))
        saved = np.zeros(0, wide.dtype), np.zeros(0, wide.dtype)
        out = wide.reshape(layout) - mean.reshape(-1, 1)
    out *= (inverse if weight is None else inverse * weight).reshape(-1, 1)
    if bias is not None:
        out += bias.reshape(-1, 1)
    return out.reshape(input.shape).astype(input.dtype, copy=False), *saved


def _statistics(
    input: Any,
    running_mean: Any,
    running_var: Any,
    save_mean: Any,
    save_invstd: Any,
    training: bool,
    eps: float,
) -> tuple[Any, Any]:
    """The means and the reciprocal standard deviations in a shape that broadcasts."""
    _, along = _channels(shape_of(input))
    if training:
        mean, inverse = save_mean, save_invstd
    else:
        mean = running_mean
        inverse = pow_scalar(add_scalar(running_var, eps), -0.5)
    kind = dtypes.of(raw(input))
    return to_dtype(reshape(mean, along), kind), to_dtype(reshape(inverse, along), kind)


def _batch_norm_backward(
    grad_out: Array,
    input: Array,
    weight: Array | None,
    running_mean: Array | None,
    running_var: Array | None,
    save_mean: Array,
    save_invstd: Array,
    training: bool,
    eps: float,
) -> tuple[Array, Array, Array]:
    """The gradients of batch_norm."""
    layout = _layout(input.shape)
    mean, inverse = (
        statistic.reshape(-1, 1)
        for statistic in _statistics(
            input, running_mean, running_var, save_mean, save_invstd, training, eps
        )
    )
    grad, hat = grad_out.reshape(layout), input.reshape(layout) - mean
    hat *= inverse
    full, by_weight, by_bias = normalizing.backward(grad, hat, inverse)
    if not training:
        full = grad * inverse
    if weight is not None:
        full *= weight.reshape(-1, 1)
    return (
        full.reshape(input.shape).astype(input.dtype, copy=False),
        by_weight.reshape(-1).astype(input.dtype, copy=False),
        by_bias.reshape(-1).astype(input.dtype, copy=False),
    )


def _batch_norm_double(
    grads: Any,
    grad_out: Any,
    input: Any,
    weight: Any,
    running_mean: Any,
    running_var: Any,
    save_mean: Any,
    save_invstd: Any,
    training: bool,
    eps: float,
) -> Any:
    shape = shape_of(input)
    dims, along = _channels(shape)
    count = math.prod(shape) // max(shape[1], 1)
    mean, inverse = _statistics(
        input, running_mean, running_var, save_mean, save_invstd, training, eps
    )
    centered = input - mean
    gamma = unit_weight(input) if weight is None else reshape(weight, along)
    seed = grads[0]
    seed_gamma = None if grads[1] is None or weight is None else reshape(grads[1], along)
    seed_beta = None if grads[2] is None or weight is None else reshape(grads[2], along)

    by_input, by_weight, by_grad = [], None, []
    if seed is not None and training:
        bend = second_backward(seed, grad_out, centered, inverse, dims, count)
        by_input.append(gamma * bend)
        by_grad.append(first_backward(seed, centered, inverse, gamma, dims, count))
        if weight is not None:
            plain = first_backward(grad_out, centered, inverse, None, dims, count)
            by_weight = sum_dim(seed * plain, dims)
    elif seed is not None:
        by_grad.append(seed * inverse * gamma)
        if weight is not None:
            by_weight = sum_dim(seed * grad_out * inverse, dims)
    if seed_gamma is not None:
        if training:
            plain = first_backward(grad_out, centered, inverse, None, dims, count)
            by_input.append(seed_gamma * plain)
        else:
            by_input.append(seed_gamma * inverse * grad_out)
        by_grad.append(seed_gamma * centered * inverse)
    if seed_beta is not None:
        by_grad.append(expand(seed_beta, shape))
    return sum_of(by_grad), sum_of(by_input), by_weight


batch_norm_backward: Row = row(
    "aten.native_batch_norm_backward",
    _batch_norm_backward,
    linear="grad_out",
    joint=("grad_out input weight", _batch_norm_double),
    save_mean=underived("native_batch_norm_backward save_mean"),
    save_invstd=underived("native_batch_norm_backward save_invstd"),
    samples=lambda r: [
        (
            kinked(r(3, 2, 4)),
            r(3, 2, 4),
            r(2),
            None,
            None,
            fixed(r(2)),
            fixed(r(2, low=0.5)),
            True,
            1e-5,
        ),
        (
            r(3, 2),
            r(3, 2),
            r(2),
            fixed(r(2)),
            fixed(r(2, low=0.5)),
            fixed(np.zeros(0)),
            fixed(np.zeros(0)),
            False,
            0.1,
        ),
    ],
    pytorch=(
        "aten.native_batch_norm_backward(grad_out, input, weight, running_mean, running_var, "
        "save_mean, save_invstd, training, eps, (True, True, True))"
    ),
)


def _batch_norm_vjp(
    grad: Any,
    input: Any,
    weight: Any,
    running_mean: Any,
    running_var: Any,
    result1: Any,
    result2: Any,
    training: bool,
    eps: float,
) -> Any:
    return batch_norm_backward(
        grad, input, weight, running_mean, running_var, result1, result2, training, eps
    )


batch_norm_row: Row = row(
    "aten.native_batch_norm",
    _batch_norm,
    kinds="f",
    kernel="batch_norm",
    joint=("input weight bias", _batch_norm_vjp),
    samples=lambda r: [
        (kinked(r(3, 2, 4)), r(2), r(2), None, None, True, 0.1, 0.5),
        (r(3, 2), r(2), None, fixed(r(2)), fixed(r(2, low=0.5)), False, 0.1, 0.1),
    ],
)


@composite(
    "batch_norm",
    samples=lambda r: [
        (r(3, 2, 4), r(2), r(2), None, None, True, 0.1, 1e-5, True),
        (r(3, 2), None, r(2), fixed(r(2)), fixed(r(2, low=0.5)), True, 0.4, 0.5, True),
        (r(3, 2, 2), r(2), None, fixed(r(2)), fixed(r(2, low=0.5)), False, 0.1, 0.1, True),
    ],
)
def torch_batch_norm(
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Any:
    """Channels shifted and scaled to mean 0 and variance 1, then by weight and bias."""
    channels = input.shape[1] if input.ndim > 1 else 0
    named = {
        "running_mean": running_mean,
        "running_var": running_var,
        "weight": weight,
        "bias": bias,
    }
    for name, parameter in named.items():
        if parameter is None:
            if name.startswith("running") and not training:
                raise RuntimeError(f"{name} must be defined in evaluation mode")
        elif parameter.numel() != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {parameter.numel()}")
    if input.numel():
        constants("native_batch_norm", running_mean=running_mean, running_var=running_var)
    if (running_mean is None) != (running_var is None):
        raise ValueError("running_mean and running_var must either both be None or neither be None")
    if input.numel() == 0:
        out = clone_row(input)
        out = out if weight is None or not weight.numel() else out * weight[0]
        return out if bias is None or not bias.numel() else out + bias[0]
    return batch_norm_row(input, weight, bias, running_mean, running_var, training, momentum, eps)[
        0
    ]


def check_several(size: Sequence[int]) -> None:
    """A batch of one value per channel has no variance."""
    if not size:
        raise IndexError("tuple index out of range")
    if size[0] * math.prod(size[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size {size}"
        )
    if math.prod(size):
        wrap_dim(1, len(size))


@composite(
    "nn.functional.batch_norm",
    samples=lambda r: [
        (r(3, 2, 4), None, None, r(2), r(2), True),
        (r(4, 3), None, None, {"training": True}),
        (r(3, 2), fixed(r(2)), fixed(r(2, low=0.5)), None, r(2), True, 0.4, 0.5),
        (r(3, 2, 2), fixed(r(2)), fixed(r(2, low=0.5)), r(2), {"eps": 0.1}),
    ],
)
def batch_norm(
    input: Value,
    running_mean: Value | None,
    running_var: Value | None,
    weight: Value | None = None,
    bias: Value | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Channels shifted and scaled to mean 0 and variance 1, then by weight and bias; in training by
    the batch's own statistics, which also update the running ones, otherwise by the latter.
    """
    if training:
        check_several(input.shape)
        if eps <= 0:
            raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    elif eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    return torch_batch_norm(
        input, weight, bias, running_mean, running_var, training, momentum, eps, True
    )


@composite(
    "instance_norm",
    samples=lambda r: [
        (r(2, 3, 4), r(3), r(3), None, None, True, 0.1, 1e-5, True),
        (r(2, 2, 3), r(2), None, fixed(r(2)), fixed(r(2, low=0.5)), False, 0.1, 0.1, True),
        (r(2, 2, 3), None, r(2), fixed(r(2)), fixed(r(2, low=0.5)), True, 0.4, 0.5, True),
    ],
)
def torch_instance_norm(
    input: Value,
    weight: Value | None,
    bias: Value | None,
    running_mean: Value | None,
    running_var: Value | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Any:
    """batch_norm of every sample on its own."""
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "Expected running_mean and running_var to be defined when use_input_stats is false"
        )
    batch, channels = (length_along(input.shape, dim) for dim in (0, 1))
    parameters = [
        None if parameter is None else repeat(parameter, (batch,))
        for parameter in (weight, bias, running_mean, running_var)
    ]
    together = reshape(input, (1, batch * channels, *input.shape[2:]))
    out = torch_batch_norm(together, *parameters, use_input_stats, momentum, eps, cudnn_enabled)
    for running, updated in zip((running_mean, running_var), parameters[2:], strict=True):
        if running is not None and updated is not None:
            if not batch:
                raise IndexError(
                    "select(): index 0 out of range for tensor of size [0] at dimension 0"
                )
            running._array[...] = updated._array.reshape(batch, channels).mean(0)
    return view(out, input.shape)


@composite(
    "nn.functional.instance_norm",
    samples=lambda r: [
        (r(2, 3, 4),),
        (r(2, 3, 4), None, None, r(3), r(3)),
        (r(2, 2, 3), fixed(r(2)), fixed(r(2, low=0.5)), r(2), None, False, 0.1, 0.1),
    ],
)
def instance_norm(
    input: Value,
    running_mean: Value | None = None,
    running_var: Value | None = None,
    weight: Value | None = None,
    bias: Value | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """batch_norm of every sample on its own."""
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size {input.shape}"
        )
    return torch_instance_norm(
        input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, True
    )

"""Normalization of groups of channels, and of channels by their neighbours.

Under `create_graph`, PyTorch differentiates group normalization through operators and not through
a backward kernel; its means and reciprocal standard deviations carry gradients of their own there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.scalars import div_scalar, mul_scalar
from gradcli.ops.algebra.sums import expand, sum_dim
from gradcli.ops.algebra.views import reshape, shape_of, unsqueeze, view
from gradcli.ops.layers.normalization import check_several, same_type, wide_array
from gradcli.table.declare import composite, row
from gradcli.table.registry import lookup
from gradcli.table.row import Row
from gradcli.tensor.shapes import length_along
from gradcli.typing import Array, Value


def _group_norm(
    input: Array,
    weight: Array | None,
    bias: Array | None,
    batch: int,
    channels: int,
    area: int,
    group: int,
    eps: float,
) -> tuple[Array, Array, Array]:
    """Group normalization, with the means and the reciprocal standard deviations."""
    same_type(input, (weight, bias), "mixed dtype (CPU): all inputs must share same datatype.")
    rows = wide_array(input).reshape(batch * group, channels // group * area)
    mean = rows.mean(1, keepdims=True)
    inverse = 1 / np.sqrt(rows.var(1, keepdims=True) + rows.dtype.type(eps))
    out = ((rows - mean) * inverse).reshape(batch, channels, area)
    if weight is not None:
        out = out * weight.reshape(channels, 1)
    if bias is not None:
        out = out + bias.reshape(channels, 1)
    statistics = (mean.reshape(batch, group), inverse.reshape(batch, group))
    return out.reshape(input.shape).astype(input.dtype), *statistics


def _through_statistics(
    by_mean: Any, by_inverse: Any, cells: Any, mean: Any, inverse: Any, count: int
) -> Any:
    """The gradient of the input by way of the means and the reciprocal standard deviations."""
    shape = shape_of(mean)
    found = None
    if by_inverse is not None:
        cubed = inverse * inverse * inverse
        by_variance = mul_scalar(cubed, -0.5) * view(by_inverse, shape)
        found = mul_scalar(by_variance, 2.0 / count) * (cells - mean)
    if by_mean is not None:
        spread = div_scalar(expand(view(by_mean, shape), shape_of(cells)), count)
        found = spread if found is None else found + spread
    return found


def _group_norm_vjp(
    grads: Any,
    input: Any,
    result1: Any,
    result2: Any,
    weight: Any,
    batch: int,
    channels: int,
    area: int,
    group: int,
    needs: Any,
) -> Any:
    grad, by_mean, by_inverse = grads
    depth = channels // group
    share = 1.0 / max(depth * area, 1)
    cells = reshape(input, (batch, group, depth, area))
    mean = reshape(result1, (batch, group, 1, 1))
    inverse = reshape(result2, (batch, group, 1, 1))
    found = by_weight = by_bias = None
    if needs[0]:
        found = _through_statistics(by_mean, by_inverse, cells, mean, inverse, depth * area)
    if grad is not None:
        grad = reshape(grad, (batch, group, depth, area))
        by_scale = unsqueeze(sum_dim(grad * cells, (3,)), -1)
        by_shift = unsqueeze(sum_dim(grad, (3,)), -1)
        if needs[0]:
            gamma = None if weight is None else reshape(weight, (1, group, depth, 1))
            slope = inverse if gamma is None else inverse * gamma
            scales = by_scale if gamma is None else by_scale * gamma
            shifts = by_shift if gamma is None else by_shift * gamma
            scales = unsqueeze(sum_dim(scales, (2,)), -2)
            shifts = unsqueeze(sum_dim(shifts, (2,)), -2)
            cubed = inverse * inverse * inverse
            bend = mul_scalar((shifts * mean - scales) * cubed, share)
            offset = -bend * mean - mul_scalar(shifts * inverse, share)
            direct = slope * grad + bend * cells + offset
            found = direct if found is None else direct + found
        if needs[1]:
            hats = sum_dim((by_scale - by_shift * mean) * inverse, (0,))
            by_weight = reshape(hats, shape_of(weight))
        if needs[2]:
            by_bias = reshape(sum_dim(by_shift, (0,)), (channels,))
    return (
        None if found is None else reshape(found, shape_of(input)),
        by_weight,
        by_bias,
    )


group_norm_row: Row = row(
    "aten.native_group_norm",
    _group_norm,
    kinds="f",
    kernel="GroupNormKernelImpl",
    joint=("input weight bias", _group_norm_vjp),
    samples=lambda r: [(r(2, 4, 3), r(4), r(4), 2, 4, 3, 2, 1e-5)],
)


@composite(
    "group_norm",
    samples=lambda r: [(r(2, 4, 3), 2, r(4), r(4)), (r(2, 4), 2, r(4), None, 0.5, False)],
)
def torch_group_norm(
    input: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Any:
    """Groups of channels shifted and scaled to mean 0 and variance 1, then by weight and bias."""
    batch, channels = (length_along(input.shape, dim) for dim in (0, 1))
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(input.shape)} and num_groups={num_groups}"
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and list(parameter.shape) != [channels]:
            # PyTorch shows the weight's shape for a bias too, where there is a weight.
            shown = parameter if weight is None else weight
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(shown.shape)} and input of shape "
                f"{list(input.shape)}"
            )
    area = math.prod(input.shape[2:])
    return group_norm_row(input, weight, bias, batch, channels, area, num_groups, eps)[0]


@composite(
    "nn.functional.group_norm",
    samples=lambda r: [(r(2, 4, 3), 2, r(4), r(4)), (r(3, 4), 1), (r(2, 4, 2), 4, r(4), None, 0.5)],
)
def group_norm(
    input: Value,
    num_groups: int,
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
) -> Any:
    """Groups of channels shifted and scaled to mean 0 and variance 1, then by weight and bias."""
    if input.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {input.ndim}"
        )
    if num_groups == 0:
        raise ZeroDivisionError("integer division or modulo by zero")
    size = [input.shape[0] * input.shape[1] // num_groups, num_groups, *input.shape[2:]]
    check_several(size)
    return torch_group_norm(input, num_groups, weight, bias, eps, True)


@composite(
    "nn.functional.local_response_norm",
    samples=lambda r: [(r(2, 4, 3), 2, 0.5), (r(1, 3, 2, 2), 3, 0.5, 0.5, 2.0)],
)
def local_response_norm(
    input: Value, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Any:
    """input divided by (k + alpha * the mean square of size neighbouring channels) ** beta."""
    if input.ndim < 3:
        raise ValueError(
            "Expected 3D or higher dimensionality"
            f"                          input (got {input.ndim} dimensions)"
        )
    if input.numel() == 0:
        return input
    pad: Any = lookup("nn.functional.pad")
    square = input * input
    around = (size // 2, (size - 1) // 2)
    if input.ndim == 3:
        pool: Any = lookup("nn.functional.avg_pool2d")
        padded = pad(unsqueeze(square, 1), (0, 0, *around))
        mean = pool(padded, (size, 1), stride=1).squeeze(1)
    else:
        pool = lookup("nn.functional.avg_pool3d")
        sizes = input.shape
        spread = view(square, (sizes[0], 1, sizes[1], sizes[2], -1))
        padded = pad(spread, (0, 0, 0, 0, *around))
        mean = view(pool(padded, (size, 1, 1), stride=1).squeeze(1), sizes)
    return input / (mean * alpha + k) ** beta

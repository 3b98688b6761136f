"""Normalization of layers, by their deviation or by their root mean square."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels import normalizing
from gradcli.kernels.blocks import row_blocks
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.elementary import pow_scalar, rsqrt
from gradcli.ops.algebra.scalars import add_scalar
from gradcli.ops.algebra.sums import expand, mean_dim, sum_dim
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.ops.layers.normalization import (
    first_backward,
    same_type,
    second_backward,
    sum_of,
    unit_weight,
    wide_array,
)
from gradcli.table.declare import composite, row
from gradcli.table.refusals import underived
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, fixed, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.tensor import raw
from gradcli.typing import Array, Value


def _split(shape: Sequence[int], normalized_shape: Sequence[int]) -> tuple[int, int]:
    """The counts of elements before and in the normalized dimensions."""
    axis = len(shape) - len(normalized_shape)
    return math.prod(shape[:axis]), math.prod(shape[axis:])


def _check_normalized(
    self: Array, normalized_shape: Sequence[int], named: dict[str, Array | None], star: str
) -> None:
    wanted = list(normalized_shape)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    for name, parameter in named.items():
        if parameter is not None and list(parameter.shape) != wanted:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(parameter.shape)} and normalized_shape = {wanted}"
            )
    if list(self.shape[max(self.ndim - len(wanted), 0) :]) != wanted or self.ndim < len(wanted):
        listed = ", ".join(map(str, wanted))
        raise RuntimeError(
            f"Given normalized_shape={wanted}, expected input with shape [*{star}{listed}], but "
            f"got input of size{list(self.shape)}"
        )


def _layer_norm(
    input: Array,
    normalized_shape: Sequence[int],
    weight: Array | None,
    bias: Array | None,
    eps: float,
) -> tuple[Array, Array, Array]:
    """Layer normalization, with the means and the reciprocal standard deviations."""
    _check_normalized(input, normalized_shape, {"weight": weight, "bias": bias}, ", ")
    require_kinds(input.dtype, "f", "LayerNormKernelImpl")
    same_type(
        input,
        (weight, bias),
        "mixed dtype (CPU): expect parameter to have scalar type of "
        f"{dtypes.of(input).scalar_name}",
    )
    rows, count = _split(input.shape, normalized_shape)
    flat = wide_array(input).reshape(rows, count)
    out = np.empty_like(flat)
    mean, inverse = np.empty((rows, 1), flat.dtype), np.empty((rows, 1), flat.dtype)
    for part in row_blocks(rows, count):
        block = out[part]
        _, mean[part], variance = normalizing.centered_moments(flat[None, part], block[None])
        inverse[part] = 1 / np.sqrt(variance + flat.dtype.type(eps))
        block *= inverse[part]
        if weight is not None:
            block *= weight.reshape(-1)
        if bias is not None:
            block += bias.reshape(-1)
    lead = (*input.shape[: input.ndim - len(normalized_shape)], *(1,) * len(normalized_shape))
    out = out.reshape(input.shape).astype(input.dtype, copy=False)
    return out, mean.reshape(lead), inverse.reshape(lead)


def _layer_norm_backward(
    grad_out: Array,
    input: Array,
    normalized_shape: Sequence[int],
    mean: Array,
    rstd: Array,
    weight: Array | None,
    bias: Array | None,
) -> tuple[Array, Array, Array]:
    """The gradients of layer_norm."""
    rows, count = _split(input.shape, normalized_shape)
    grad = wide_array(grad_out).reshape(rows, count)
    flat = wide_array(input).reshape(rows, count)
    mean, rstd = mean.reshape(rows, 1), rstd.reshape(rows, 1)
    full = np.empty_like(flat)
    by_weight, by_bias = np.zeros(count, flat.dtype), np.zeros(count, flat.dtype)
    for part in row_blocks(rows, count):
        hat = flat[part] - mean[part]
        hat *= rstd[part]
        scaled = grad[part] if weight is None else grad[part] * weight.reshape(1, count)
        normalizing.backward(scaled[None], hat[None], rstd[part], full[None, part])
        hat *= grad[part]
        by_weight += hat.sum(0)
        by_bias += grad[part].sum(0)
    return (
        full.reshape(input.shape).astype(input.dtype, copy=False),
        by_weight.reshape(normalized_shape).astype(input.dtype, copy=False),
        by_bias.reshape(normalized_shape).astype(input.dtype, copy=False),
    )


def _layer_norm_double(
    grads: Any,
    grad_out: Any,
    input: Any,
    normalized_shape: Sequence[int],
    mean: Any,
    rstd: Any,
    weight: Any,
) -> Any:
    rows, count = _split(shape_of(input), normalized_shape)
    shape, dims = (rows, count), (1,)
    kind = dtypes.of(raw(input))
    centered = reshape(input, shape) - to_dtype(reshape(mean, (rows, 1)), kind)
    inverse = to_dtype(reshape(rstd, (rows, 1)), kind)
    grad = reshape(grad_out, shape)
    gamma = unit_weight(input) if weight is None else reshape(weight, (1, count))
    seed = None if grads[0] is None else reshape(grads[0], shape)
    seed_gamma = None if grads[1] is None or weight is None else reshape(grads[1], (1, count))
    seed_beta = None if grads[2] is None or weight is None else reshape(grads[2], (1, count))

    by_input, by_weight, by_grad = [], None, []
    if seed is not None:
        by_input.append(second_backward(seed, grad * gamma, centered, inverse, dims, count))
        by_grad.append(first_backward(seed, centered, inverse, gamma, dims, count))
        if weight is not None:
            plain = first_backward(seed, centered, inverse, None, dims, count)
            by_weight = reshape(sum_dim(grad * plain, (0,)), shape_of(weight))
    if seed_gamma is not None:
        scaled = grad * seed_gamma
        by_input.append(first_backward(scaled, centered, inverse, None, dims, count))
        by_grad.append(seed_gamma * centered * inverse)
    if seed_beta is not None:
        by_grad.append(seed_beta)
    total, back = sum_of(by_input), sum_of(by_grad)
    return (
        None if back is None else reshape(expand(back, shape), shape_of(input)),
        None if total is None else reshape(total, shape_of(input)),
        by_weight,
    )


layer_norm_backward: Row = row(
    "aten.native_layer_norm_backward",
    _layer_norm_backward,
    joint=("grad_out input weight", _layer_norm_double),
    mean=underived("native_layer_norm_backward mean"),
    rstd=underived("native_layer_norm_backward rstd"),
    bias=lambda grad: None,
    samples=lambda r: [
        (r(3, 4), r(3, 4), (4,), fixed(r(3, 1)), fixed(r(3, 1, low=0.5)), kinked(r(4)), r(4)),
        (
            r(2, 2, 3),
            kinked(r(2, 2, 3)),
            (2, 3),
            fixed(r(2, 1, 1)),
            fixed(r(2, 1, 1, low=0.5)),
            None,
            None,
        ),
    ],
    pytorch=(
        "aten.native_layer_norm_backward(grad_out, input, normalized_shape, mean, rstd, weight, "
        "bias, (True, True, True))"
    ),
)


def _layer_norm_vjp(
    grad: Any,
    input: Any,
    normalized_shape: Sequence[int],
    result1: Any,
    result2: Any,
    weight: Any,
    bias: Any,
) -> Any:
    return layer_norm_backward(grad, input, normalized_shape, result1, result2, weight, bias)


layer_norm_row: Row = row(
    "aten.native_layer_norm",
    _layer_norm,
    joint=("input weight bias", _layer_norm_vjp),
    samples=lambda r: [
        (kinked(r(3, 4)), (4,), r(4), r(4), 0.5),
        (kinked(r(2, 2, 3)), (2, 3), None, None, 1e-5),
    ],
)


def _layer_samples(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4), (4,), r(4), r(4)), (r(2, 2, 3), (2, 3)), (r(2, 3), (3,), r(3))]


@composite("layer_norm|nn.functional.layer_norm", samples=_layer_samples)
def layer_norm(
    input: Value,
    normalized_shape: Sequence[int],
    weight: Value | None = None,
    bias: Value | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    """The last dimensions shifted and scaled to mean 0 and variance 1, then by weight and bias."""
    return layer_norm_row(input, normalized_shape, weight, bias, eps)[0]


@composite(
    "rms_norm|nn.functional.rms_norm",
    samples=lambda r: [(r(3, 4), (4,), r(4)), (r(2, 2, 3), (2, 3)), (r(2, 3), (3,), None, 0.5)],
)
def rms_norm(
    input: Value,
    normalized_shape: Sequence[int],
    weight: Value | None = None,
    eps: float | None = None,
) -> Any:
    """The last dimensions divided by the root of their mean square, times weight."""
    _check_normalized(input, normalized_shape, {"weight": weight}, "")
    require_kinds(input._array.dtype, "fc", "rms_norm")
    kind = input.dtype
    wide = to_dtype(input, dtypes.float32) if kind.is_half else input
    if eps is None:
        eps = float(np.finfo(wide._array.dtype).eps)
    dims = tuple(range(input.ndim - len(normalized_shape), input.ndim))
    square = mean_dim(pow_scalar(wide, 2), dims, True)
    out = wide * rsqrt(add_scalar(square, eps))
    return to_dtype(out if weight is None else out * weight, kind)

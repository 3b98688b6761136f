"""Activation functions of `torch.nn.functional` that are one formula per element.

Formulas, saved values and subgradients at kinks are those of PyTorch's `derivatives.yaml` and CPU
kernels; at nan they are those of the kernels' scalar loops, which the vectorized ones do not always
share. A backward kernel that PyTorch differentiates again is a row of its own here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import gt, logical_and, lt, where_, zeros_like
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.scalars import div_scalar, mul_scalar
from gradcli.table.declare import row
from gradcli.table.entry import NEITHER
from gradcli.table.refusals import without_second_derivative
from gradcli.table.row import COMMON, ITSELF, Row
from gradcli.table.samples import binary, pointwise
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import raw
from gradcli.typing import Array, Real, Scalar


def type_as(mask: Any, like: Any) -> Any:
    """A comparison's result as zeros and ones of the type of `like`."""
    array = raw(like)
    return to_dtype(mask, dtypes.of(array))


_NEGATIVE_LIMITS = "cannot do hardtanh on an unsigned type with negative limits"


def _threshold(input: Array, threshold: Scalar, value: Scalar) -> Array:
    """Elements up to the threshold replaced by a value."""
    kind = dtypes.of(input)
    limit = dtypes.cast_number(threshold, kind)
    return np.where(input <= limit, dtypes.convert(value, kind), input)


threshold_backward: Row = row(
    "aten.threshold_backward(Tensor grad_output, Tensor self, Scalar threshold)",
    lambda grad_output, self, threshold: np.where(
        self <= self.dtype.type(threshold), grad_output.dtype.type(0), grad_output
    ),
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=zeros_like,
    samples=lambda r: [(r(3, 4), r(3, 4), 0), (r(), r(), 0.5)],
    doc="The gradient where self exceeds the threshold, zero elsewhere.",
)
threshold_row: Row = row(
    "threshold|aten.threshold",
    _threshold,
    half_numbers="threshold value",
    promote=COMMON,
    kinds="fiu",
    node="ThresholdBackward0",
    input=lambda grad, input, threshold: threshold_backward(grad, input, threshold),
    samples=lambda r: [(r(3, 4), 0.5, -1.0), (r(), -1, 3)],
    kink="0 at the threshold.",
)


def _relu(self: Array) -> Array:
    """max(self, 0)."""
    if self.dtype.kind == "b":
        raise RuntimeError("Boolean inputs not supported for relu")
    _refuse_complex(self)
    return np.maximum(self.dtype.type(0), self)


def _refuse_complex(self: Array) -> None:
    if self.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")


relu_row: Row = row(
    "relu",
    _relu,
    promote=COMMON,
    self=lambda grad, result: threshold_backward(grad, result, 0),
    samples=pointwise(),
    kink="0 at 0.",
)


def _hardtanh(self: Array, min_val: Scalar = -1, max_val: Scalar = 1) -> Array:
    """self limited to [min_val, max_val]."""
    if self.dtype.kind == "b":
        raise RuntimeError("Bool inputs not supported for hardtanh")
    if self.dtype.kind == "u" and (int(min_val) < 0 or int(max_val) < 0):
        raise RuntimeError(_NEGATIVE_LIMITS)
    _refuse_complex(self)
    kind = self.dtype.type
    return np.minimum(kind(max_val), np.maximum(kind(min_val), self))


def _hardtanh_backward(grad_output: Array, self: Array, min_val: Scalar, max_val: Scalar) -> Array:
    """The gradient strictly between the limits, zero elsewhere."""
    flat = (self <= self.dtype.type(min_val)) | (self >= self.dtype.type(max_val))
    return np.where(flat, grad_output.dtype.type(0), grad_output)


hardtanh_backward: Row = row(
    "aten.hardtanh_backward",
    _hardtanh_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=zeros_like,
    samples=lambda r: [(r(3, 4), r(3, 4), -1.1, 0.9), (r(3), r(3), 0.1, 1)],
)
hardtanh_row: Row = row(
    "aten.hardtanh",
    _hardtanh,
    half_numbers="min_val max_val",
    promote=COMMON,
    self=hardtanh_backward,
    samples=lambda r: [(r(3, 4),), (r(3), -0.6, 0.4)],
    kink="0 at the limits.",
)


def _leaky_relu(self: Array, negative_slope: Scalar = 0.01) -> Array:
    """self, scaled by a slope where it is negative."""
    return np.where(self > 0, self, self * self.dtype.type(negative_slope))


leaky_relu_backward: Row = row(
    "aten.leaky_relu_backward(Tensor grad_output, Tensor self, Scalar negative_slope)",
    lambda grad_output, self, negative_slope: np.where(
        self > 0, grad_output, grad_output * grad_output.dtype.type(negative_slope)
    ),
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=zeros_like,
    samples=lambda r: [(r(3, 4), r(3, 4), 0.1)],
    doc="The gradient where self is positive, scaled by the slope elsewhere.",
    pytorch="aten.leaky_relu_backward(grad_output, self, negative_slope, False)",
)
leaky_relu_row: Row = row(
    "aten.leaky_relu",
    _leaky_relu,
    promote=COMMON,
    kinds="f",
    self=leaky_relu_backward,
    samples=lambda r: [(r(3, 4),), (r(3), 0.3)],
    kink="The slope of the negative side at 0.",
)


def _hardshrink(self: Array, lambd: Scalar = 0.5) -> Array:
    """self, replaced by zero inside [-lambd, lambd]."""
    limit = dtypes.convert(lambd, dtypes.of(self))
    return np.where((self >= -limit) & (self <= limit), self.dtype.type(0), self)


def _shrink_backward(grad: Array, self: Array, lambd: float) -> Array:
    limit = self.dtype.type(lambd)
    return np.where((self >= -limit) & (self <= limit), grad.dtype.type(0), grad)


hardshrink_backward: Row = row(
    "aten.hardshrink_backward(Tensor grad_out, Tensor self, Scalar lambd)",
    _shrink_backward,
    promote=COMMON,
    linear="grad_out",
    grad_out=ITSELF,
    self=zeros_like,
    samples=lambda r: [(r(3, 4), r(3, 4), 0.5)],
    doc="The gradient outside [-lambd, lambd], zero inside.",
)
hardshrink: Row = row(
    "hardshrink|nn.functional.hardshrink",
    _hardshrink,
    half_numbers="lambd",
    promote=COMMON,
    kinds="f",
    self=hardshrink_backward,
    samples=lambda r: [(r(3, 4),), (r(3), 0.9)],
    kink="0 at -lambd and lambd.",
    inplace=NEITHER,
)


def _softshrink(self: Array, lambd: Real = 0.5) -> Array:
    """self moved towards zero by lambd, zero inside [-lambd, lambd]."""
    if not 0 <= lambd <= float(np.finfo(self.dtype).max):
        word = dtypes.of(self).scalar_name
        raise RuntimeError(
            f"lambda must be in range [0, {float(np.finfo(self.dtype).max):g}] for input dtype "
            f"{word}, but found {lambd:g}"
        )
    limit = self.dtype.type(lambd)
    # The product keeps nan.
    return np.where(
        self > limit, self - limit, np.where(self < -limit, self + limit, self * self.dtype.type(0))
    )


softshrink_backward: Row = row(
    "aten.softshrink_backward(Tensor grad_output, Tensor self, Scalar lambd)",
    _shrink_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=zeros_like,
    samples=lambda r: [(r(3, 4), r(3, 4), 0.5)],
    doc="The gradient outside [-lambd, lambd], zero inside.",
)
softshrink: Row = row(
    "nn.functional.softshrink",
    _softshrink,
    promote=COMMON,
    kinds="f",
    kernel="softshrink_check",
    self=softshrink_backward,
    samples=lambda r: [(r(3, 4),), (r(3), 0.9)],
    kink="0 at -lambd and lambd.",
)


def _hardsigmoid(self: Array) -> Array:
    """self / 6 + 1 / 2, limited to [0, 1]."""
    kind = self.dtype.type
    return np.minimum(np.maximum(self + kind(3), kind(0)), kind(6)) / kind(6)


hardsigmoid_backward: Row = row(
    "aten.hardsigmoid_backward(Tensor grad_output, Tensor self)",
    lambda grad_output, self: np.where(
        (self > -3) & (self < 3), grad_output / grad_output.dtype.type(6), grad_output.dtype.type(0)
    ),
    promote=COMMON,
    linear="grad_output",
    **without_second_derivative("hardsigmoid_backward"),
    samples=binary(-4.0, 4.0),
    doc="The gradient of hardsigmoid; PyTorch cannot differentiate it again.",
)
hardsigmoid_row: Row = row(
    "aten.hardsigmoid",
    _hardsigmoid,
    promote=COMMON,
    kinds="f",
    self=hardsigmoid_backward,
    samples=pointwise(-4.0, 4.0),
    kink="0 at -3 and 3.",
)


def _hardswish(self: Array) -> Array:
    """self * hardsigmoid(self)."""
    kind = self.dtype.type
    return self * np.minimum(np.maximum(self + kind(3), kind(0)), kind(6)) / kind(6)


def _hardswish_backward(grad_output: Array, self: Array) -> Array:
    """The gradient of hardswish."""
    kind = self.dtype.type
    slope = grad_output * (self / kind(3) + kind(0.5))
    return np.where(self <= -3, kind(0), np.where(self < 3, slope, grad_output))


hardswish_backward: Row = row(
    "aten.hardswish_backward",
    _hardswish_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=lambda grad, grad_output, self: where_(
        logical_and(gt(self, -3.0), lt(self, 3.0)), div_scalar(grad * grad_output, 3.0), 0.0
    ),
    samples=binary(-4.0, 4.0),
)
hardswish_row: Row = row(
    "aten.hardswish",
    _hardswish,
    promote=COMMON,
    kinds="f",
    self=hardswish_backward,
    samples=pointwise(-4.0, 4.0),
    kink="0 at -3, 1 at 3.",
)


def _elu(self: Array, alpha: Scalar = 1, scale: Scalar = 1, input_scale: Scalar = 1) -> Array:
    """self, and alpha * (exp(self) - 1) below zero."""
    kind = self.dtype.type
    bent = np.expm1(np.minimum(self, kind(0)) * kind(input_scale)) * kind(alpha * scale)
    return np.where(self < 0, bent, self * kind(scale))


def _elu_backward(
    grad_output: Array, alpha: Scalar, scale: Scalar, input_scale: Scalar, self: Array
) -> Array:
    """The gradient of elu."""
    kind = self.dtype.type
    falling = np.exp(np.minimum(self, kind(0)) * kind(input_scale))
    bent = grad_output * kind(input_scale) * kind(alpha * scale) * falling
    return np.where(self <= 0, bent, grad_output * kind(scale))


def _elu_double_backward(
    grad: Any, grad_output: Any, alpha: float, scale: float, input_scale: float, self: Any
) -> Any:
    seed = mul_scalar(grad * grad_output, input_scale)
    slope = elu_backward(seed, alpha, scale, input_scale, self)
    return slope * type_as(lt(self, 0), grad)


elu_backward: Row = row(
    "aten.elu_backward",
    _elu_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=_elu_double_backward,
    samples=lambda r: [(r(3, 4), 1.5, 1.1, 0.7, r(3, 4))],
    pytorch="aten.elu_backward(grad_output, alpha, scale, input_scale, False, self)",
)
elu_row: Row = row(
    "aten.elu",
    _elu,
    promote=COMMON,
    kinds="f",
    self=elu_backward,
    samples=lambda r: [(r(3, 4),), (r(3), 1.5, 1.1, 0.7)],
)


def _celu(self: Array, alpha: Scalar = 1.0) -> Array:
    """self, and alpha * (exp(self / alpha) - 1) below zero."""
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return elu_row.forward(self, alpha, 1.0, 1.0 / alpha)


celu_row: Row = row(
    "aten.celu",
    _celu,
    promote=COMMON,
    self=lambda grad, alpha, self: elu_backward(grad, alpha, 1, 1.0 / alpha, self),
    samples=lambda r: [(r(3, 4),), (r(3), 0.6)],
)

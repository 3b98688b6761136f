"""Activations without kinks: silu, mish, gelu, softplus, logsigmoid."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from gradcli.kernels import singles
from gradcli.ops.algebra.arithmetic import sub, true_div
from gradcli.ops.algebra.comparison import lt
from gradcli.ops.algebra.elementary import exp, log1p, pow_scalar, sigmoid, sigmoid_backward
from gradcli.ops.algebra.scalars import add_scalar, mul_scalar, sub_scalar
from gradcli.ops.algebra.trigonometry import cosh, tanh
from gradcli.ops.pointwise.activation import type_as
from gradcli.table.declare import row
from gradcli.table.row import COMMON, ITSELF, Row
from gradcli.table.samples import binary, pointwise
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.typing import Array, Scalar

_FEW: Final = 1 << 15


def error_function(self: Array) -> Array:
    """The error function; SciPy takes longer to import than a few elements take here."""
    if self.dtype == np.float32:
        return singles.erf(self)
    if self.size > _FEW:
        import scipy.special

        return scipy.special.erf(self)
    values = np.fromiter(map(math.erf, self.reshape(-1).tolist()), np.float64, self.size)
    return values.reshape(self.shape)


def _silu(self: Array) -> Array:
    """self * sigmoid(self)."""
    return self / (1 + np.exp(-self))


def _silu_vjp(grad: Any, self: Any) -> Any:
    gate = sigmoid(self)
    return grad * gate * add_scalar(self * sub(1.0, gate), 1.0)


silu_row: Row = row(
    "aten.silu",
    _silu,
    promote=COMMON,
    kinds="fc",
    self=_silu_vjp,
    complex_gradient=False,
    samples=pointwise(-4.0, 4.0),
)


def _mish(self: Array) -> Array:
    """self * tanh(softplus(self))."""
    return self * np.tanh(np.log1p(np.exp(self)))


def _mish_vjp(grad: Any, self: Any) -> Any:
    gate = sigmoid(self)
    squashed = tanh(log1p(exp(self)))
    return grad * (squashed + self * gate * sub(1.0, squashed * squashed))


mish_row: Row = row(
    "aten.mish", _mish, promote=COMMON, kinds="f", self=_mish_vjp, samples=pointwise(-4.0, 4.0)
)


def _gelu_kind(approximate: str) -> bool:
    """Whether the approximation by tanh is meant."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return approximate == "tanh"


_TANH_SCALE = math.sqrt(2.0 / math.pi)
_TANH_CUBIC = 0.044715


def _gelu(self: Array, *, approximate: str = "none") -> Array:
    """self times the normal distribution function of self, or its approximation by tanh."""
    by_tanh = _gelu_kind(approximate)
    require_kinds(self.dtype, "f", "GeluKernelImpl")
    if by_tanh:
        inner = _TANH_SCALE * (self + _TANH_CUBIC * self * self * self)
        return 0.5 * self * (1 + np.tanh(inner))
    return self * _normal_share(self)


def _gelu_backward(grad_output: Array, self: Array, *, approximate: str = "none") -> Array:
    """The gradient of gelu."""
    if _gelu_kind(approximate):
        square = self * self
        bent = np.tanh(_TANH_SCALE * (self + _TANH_CUBIC * self * square))
        steep = _TANH_SCALE * (1 + 3 * _TANH_CUBIC * square)
        return grad_output * (0.5 * (1 + bent) + 0.5 * self * (1 - bent * bent) * steep)
    exponent = self * self
    exponent *= -0.5
    slope = np.exp(exponent)
    slope *= 0.5 * _TANH_SCALE
    slope *= self
    slope += _normal_share(self)
    return grad_output * slope


def _normal_share(self: Array) -> Array:
    """The distribution function of the standard normal."""
    share = error_function(self * math.sqrt(0.5))
    share += 1
    share *= 0.5
    return share


def _gelu_double_backward(grad: Any, grad_output: Any, self: Any, approximate: str) -> Any:
    if approximate != "tanh":
        square = self * self
        density = mul_scalar(exp(mul_scalar(square, -0.5)), 0.5 * _TANH_SCALE)
        return grad * grad_output * (mul_scalar(density, 2) - square * density)
    cubed = mul_scalar(pow_scalar(self, 3), _TANH_CUBIC)
    inner = mul_scalar(self + cubed, _TANH_SCALE)
    bent = tanh(inner)
    sech = true_div(1, cosh(inner))
    half = mul_scalar(self, 0.5)
    drop = sub(1, bent * bent)
    square = mul_scalar(self, 3 * _TANH_CUBIC) * self
    steep = mul_scalar(add_scalar(square, 1), _TANH_SCALE)
    drop_slope = mul_scalar(sech, 2) * (-sech * bent) * steep
    steep_slope = mul_scalar(mul_scalar(self, 6 * _TANH_CUBIC), _TANH_SCALE)
    double = mul_scalar(mul_scalar(drop, 0.5) * steep, 2)
    bend = double + half * steep * drop_slope + half * drop * steep_slope
    return grad * grad_output * bend


gelu_backward: Row = row(
    "aten.gelu_backward",
    _gelu_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=_gelu_double_backward,
    samples=lambda r: [(r(3, 4), r(3, 4)), (r(3), r(3), {"approximate": "tanh"})],
)
gelu: Row = row(
    "nn.functional.gelu",
    _gelu,
    promote=COMMON,
    self=gelu_backward,
    samples=lambda r: [(r(3, 4),), (r(3), {"approximate": "tanh"})],
)


def _softplus(self: Array, beta: Scalar = 1, threshold: Scalar = 20) -> Array:
    """log(1 + exp(beta * self)) / beta; self where beta * self exceeds the threshold."""
    kind = dtypes.of(self)
    factor, limit = dtypes.convert(beta, kind), dtypes.convert(threshold, kind)
    scaled = self * factor
    linear = scaled > limit
    return np.where(
        linear, self, np.log1p(np.exp(np.where(linear, kind.np.type(0), scaled))) / factor
    )


def _softplus_backward(grad_output: Array, self: Array, beta: Scalar, threshold: Scalar) -> Array:
    """The gradient of softplus."""
    kind = self.dtype.type
    scaled = self * kind(beta)
    linear = scaled > kind(threshold)
    power = np.exp(np.where(linear, kind(0), scaled))
    return np.where(linear, grad_output, grad_output * power / (power + kind(1)))


def _softplus_double_backward(grad: Any, self: Any, beta: float, threshold: float) -> Any:
    scaled = mul_scalar(self, beta)
    slope = sigmoid_backward(grad, sigmoid(scaled))
    return mul_scalar(slope * type_as(lt(scaled, threshold), grad), beta)


softplus_backward: Row = row(
    "aten.softplus_backward",
    _softplus_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=lambda grad, grad_output, self, beta, threshold: _softplus_double_backward(
        grad * grad_output, self, beta, threshold
    ),
    samples=lambda r: [(r(3, 4), r(3, 4), 1, 20), (r(3), r(3), 1.5, 20.0)],
)
softplus: Row = row(
    "nn.functional.softplus",
    _softplus,
    promote=COMMON,
    kinds="f",
    self=softplus_backward,
    samples=lambda r: [(r(3, 4),), (r(3), 1.5, 20.0)],
)


def _log_sigmoid(self: Array) -> Array:
    """log(sigmoid(self)) without overflow."""
    return np.minimum(self, self.dtype.type(0)) - np.log1p(np.exp(-np.abs(self)))


def _log_sigmoid_backward(grad_output: Array, self: Array) -> Array:
    """The gradient of logsigmoid."""
    power = np.exp(-np.abs(self))
    share = power / (1 + power)
    return grad_output * np.where(self < 0, 1 - share, share)


def _log_sigmoid_double_backward(grad: Any, self: Any) -> Any:
    gate = sigmoid(self)
    return grad * sub_scalar(gate, 1) * gate


log_sigmoid_backward: Row = row(
    "aten.log_sigmoid_backward",
    _log_sigmoid_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=ITSELF,
    self=lambda grad, grad_output, self: _log_sigmoid_double_backward(grad * grad_output, self),
    samples=binary(),
    pytorch=(
        "aten.log_sigmoid_backward(grad_output, self, aten.log_sigmoid_forward(self.detach())[1])"
    ),
)
logsigmoid: Row = row(
    "nn.functional.logsigmoid",
    _log_sigmoid,
    promote=COMMON,
    kinds="f",
    kernel="log_sigmoid_cpu",
    node="LogSigmoidBackward0",
    self=log_sigmoid_backward,
    samples=pointwise(-4.0, 4.0),
)

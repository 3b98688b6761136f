"""Circular and hyperbolic functions, element by element; angles.
Formulas follow PyTorch's `derivatives.yaml`."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import neg, reciprocal, sub
from gradcli.ops.algebra.comparison import (
    conj,
    eq,
    filled,
    is_complex,
    where_,
)
from gradcli.ops.algebra.elementary import pow_scalar, rsqrt
from gradcli.ops.algebra.scalars import add_scalar, mul_scalar, sub_scalar
from gradcli.ops.algebra.slopes import sinc_slope
from gradcli.table.declare import row
from gradcli.table.entry import InPlace
from gradcli.table.row import COMMON, FLOAT, Row
from gradcli.table.samples import binary, pointwise
from gradcli.typing import Array

sin: Row = row(
    "sin(Tensor self)",
    np.sin,
    promote=FLOAT,
    self=lambda grad, self: grad * conj(cos(self)),
    samples=pointwise(),
    doc="The sine of radians.",
)
cos: Row = row(
    "cos(Tensor self)",
    np.cos,
    promote=FLOAT,
    self=lambda grad, self: grad * conj(-sin(self)),
    samples=pointwise(),
    doc="The cosine of radians.",
)
tan: Row = row(
    "tan(Tensor self)",
    np.tan,
    promote=FLOAT,
    self=lambda grad, result: grad * conj(add_scalar(pow_scalar(result, 2), 1)),
    samples=pointwise(-1.2, 1.2),
    doc="The tangent of radians.",
)
asin: Row = row(
    "asin|arcsin(Tensor self)",
    np.arcsin,
    promote=FLOAT,
    self=lambda grad, self: grad * conj(rsqrt(add_scalar(-self * self, 1))),
    samples=pointwise(-0.9, 0.9),
    doc="The inverse sine, in radians.",
)
acos: Row = row(
    "acos|arccos(Tensor self)",
    np.arccos,
    promote=FLOAT,
    self=lambda grad, self: grad * -conj(rsqrt(add_scalar(-self * self, 1))),
    samples=pointwise(-0.9, 0.9),
    doc="The inverse cosine, in radians.",
)
atan: Row = row(
    "atan|arctan(Tensor self)",
    np.arctan,
    promote=FLOAT,
    self=lambda grad, self: grad / conj(add_scalar(self * self, 1)),
    samples=pointwise(),
    doc="The inverse tangent, in radians.",
)


def _atan2_vjp(grad: Any, self: Any, other: Any, needs: tuple[bool, ...]) -> Any:
    squares = self * self + other * other
    inverse = filled(reciprocal(squares), eq(squares, 0), 0)
    return (
        grad * other * inverse if needs[0] else None,
        grad * neg(self) * inverse if needs[1] else None,
    )


atan2: Row = row(
    "atan2|arctan2(Tensor self, Tensor other)",
    np.arctan2,
    promote=FLOAT,
    kinds="f",
    joint=("self other", _atan2_vjp),
    samples=binary(0.2, 2.0),
    doc="The angle of the point (other, self), in radians.",
)
sinh: Row = row(
    "sinh(Tensor self)",
    np.sinh,
    promote=FLOAT,
    self=lambda grad, self: grad * conj(cosh(self)),
    samples=pointwise(),
    doc="The hyperbolic sine.",
)
cosh: Row = row(
    "cosh(Tensor self)",
    np.cosh,
    promote=FLOAT,
    self=lambda grad, self: grad * conj(sinh(self)),
    samples=pointwise(),
    doc="The hyperbolic cosine.",
)
tanh_backward: Row = row(
    "aten.tanh_backward(Tensor grad_output, Tensor output)",
    lambda grad_output, output: grad_output * conj(1 - output * output),
    linear="grad_output",
    elementwise=True,
    grad_output=lambda grad, output: tanh_backward(grad, conj(output)),
    output=lambda grad, grad_output, output: (
        conj(grad) * (mul_scalar(conj(output), -2) * grad_output)
    ),
    samples=binary(-0.9, 0.9),
    doc="The gradient of tanh from its result.",
)


def _tanh(self: Array) -> Array:
    """The hyperbolic tangent."""
    if self.dtype == np.float32 and self.size <= _FEW:
        # The nearest number is PyTorch's but for one in a thousand; NumPy's is often the next one.
        if not self.ndim:
            return np.float32(math.tanh(self))
        return np.tanh(self, dtype=np.float64).astype(np.float32)
    return np.tanh(self)


_FEW: Final = 256
"""Elements up to which single precision is computed in double."""


tanh: Row = row(
    "tanh",
    _tanh,
    promote=FLOAT,
    self=lambda grad, result: tanh_backward(grad, result),
    samples=pointwise(),
)
asinh: Row = row(
    "asinh|arcsinh(Tensor self)",
    np.arcsinh,
    promote=FLOAT,
    self=lambda grad, self: grad * conj(rsqrt(add_scalar(pow_scalar(self, 2), 1))),
    samples=pointwise(),
    doc="The inverse hyperbolic sine.",
    inplace=InPlace(functions=True, underived="asinh"),
)


def _acosh_vjp(grad: Any, self: Any) -> Any:
    if is_complex(self):
        return grad * conj(rsqrt(add_scalar(self, 1)) * rsqrt(sub_scalar(self, 1)))
    return grad * rsqrt(sub_scalar(self * self, 1))


acosh: Row = row(
    "acosh|arccosh(Tensor self)",
    np.arccosh,
    promote=FLOAT,
    self=_acosh_vjp,
    samples=pointwise(1.2, 3.0),
    doc="The inverse hyperbolic cosine.",
    inplace=InPlace(functions=True, underived="acosh"),
)
atanh: Row = row(
    "atanh|arctanh(Tensor self)",
    np.arctanh,
    promote=FLOAT,
    self=lambda grad, self: mul_scalar(grad, 1) / conj(sub(1, pow_scalar(self, 2))),
    samples=pointwise(-0.9, 0.9),
    doc="The inverse hyperbolic tangent.",
    inplace=InPlace(functions=True, underived="atanh"),
)


def _sinc(self: Array) -> Array:
    """sin(pi * self) / (pi * self), one at zero."""
    return np.sinc(self).astype(self.dtype)


def _sinc_vjp(grad: Any, self: Any) -> Any:
    chosen = eq(self, 0)
    if not is_complex(self):
        # There is nothing to choose, but the gradient's node is that of a choice.
        slope = grad * sinc_slope(1, self)
        return where_(chosen, slope, slope)
    angle = mul_scalar(self, math.pi)
    slope = grad * conj((angle * cos(angle) - sin(angle)) / mul_scalar(self * self, math.pi))
    return where_(chosen, 0.0, slope)


sinc: Row = row(
    "sinc|special.sinc", _sinc, promote=FLOAT, self=_sinc_vjp, samples=pointwise(0.2, 2.0)
)
hypot: Row = row(
    "hypot(Tensor self, Tensor other)",
    np.hypot,
    promote=COMMON,
    kinds="f",
    self=lambda grad, self, result: grad * self / result,
    other=lambda grad, other, result: grad * other / result,
    samples=binary(0.2, 2.0),
    doc="sqrt(self ** 2 + other ** 2) without overflow.",
)
deg2rad: Row = row(
    "deg2rad|bare.radians(Tensor self)",
    lambda self: np.multiply(self, math.pi / 180),
    promote=FLOAT,
    kinds="fiub",
    refusal=RuntimeError("deg2rad is not supported for complex tensors."),
    linear="self",
    self=lambda grad: mul_scalar(grad, math.pi / 180),
    samples=pointwise(),
    doc="Degrees as radians.",
)
rad2deg: Row = row(
    "rad2deg|bare.degrees(Tensor self)",
    lambda self: np.multiply(self, 180 / math.pi),
    promote=FLOAT,
    kinds="fiub",
    refusal=RuntimeError("rad2deg is not supported for complex tensors."),
    linear="self",
    self=lambda grad: mul_scalar(grad, 180 / math.pi),
    samples=pointwise(),
    doc="Radians as degrees.",
)

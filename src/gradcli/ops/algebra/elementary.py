"""Powers, exponentials and logarithms, element by element.
Formulas follow PyTorch's `derivatives.yaml`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.kernels import singles
from gradcli.ops.algebra.comparison import (
    conj,
    eq,
    filled,
    ge,
    is_complex,
    le,
    logical_and,
    where_,
    zeros_like,
)
from gradcli.ops.algebra.complex import real_part
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.scalars import add_scalar, mul_scalar, sub_scalar
from gradcli.table.declare import composite, row
from gradcli.table.entry import BOTH, METHOD, NEITHER
from gradcli.table.halves import in_single
from gradcli.table.row import COMMON, FLOAT, Row
from gradcli.table.samples import binary, pointwise
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import HALVES
from gradcli.tensor.errors import no_kernel, require_kinds
from gradcli.tensor.tensor import Tensor, raw, wrap
from gradcli.typing import Array, Operand, Scalar, Value

LN2 = math.log(2.0)
LN10 = math.log(10.0)


def _power(self: Array, exponent: Array) -> Array:
    if np.result_type(self, exponent).kind in "iu":
        negative = np.less(exponent, 0)
        if np.ndim(exponent) == 0 and negative and not hasattr(exponent, "astype"):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        if np.any(negative):
            # As in C: 1 and -1 keep their powers, everything else becomes zero.
            odd = np.where(np.remainder(exponent, 2) == 0, 1, -1)
            units = np.where(np.equal(self, 1), 1, np.where(np.equal(self, -1), odd, 0))
            powers = np.power(self, np.where(negative, 0, exponent))
            return np.where(negative, units, powers).astype(np.result_type(self, exponent))
    if np.result_type(self, exponent).kind == "c":
        return _complex_power(self, exponent)
    return np.power(self, exponent)


def _complex_power(self: Array, exponent: Array) -> Array:
    """exp(exponent * log(self)), as C's library has it, with what C says of infinite factors."""
    kind = np.result_type(self, exponent)
    factor, log = np.asarray(exponent, kind), np.log(np.asarray(self, kind))
    product = factor * log
    lost = np.isnan(product.real) & np.isnan(product.imag)
    if np.any(lost):
        product = np.where(lost, _recovered(factor, log), product)
    return np.exp(product).astype(kind, copy=False)


def _recovered(a: Array, b: Array) -> Array:
    """A product of complex numbers of which one is infinite (annex G of the C standard)."""
    infinite = [np.isinf(z.real) | np.isinf(z.imag) for z in (a, b)]
    x, y = _boxed(a, *infinite)
    u, v = _boxed(b, *infinite[::-1])
    size = np.where(infinite[0] | infinite[1], np.inf, np.nan).astype(a.real.dtype)
    answer = np.empty(size.shape, np.result_type(a, b))
    answer.real, answer.imag = size * (x * u - y * v), size * (x * v + y * u)
    return answer


def _boxed(number: Array, infinite: Array, other_infinite: Array) -> tuple[Array, Array]:
    """The parts of a factor: infinities become ones beside zeros, nan beside them zeros."""
    parts = []
    for part in (number.real, number.imag):
        ones = np.copysign(np.isinf(part).astype(part.dtype), part)
        zeros = np.where(np.isnan(part), np.copysign(part.dtype.type(0), part), part)
        parts.append(np.where(infinite, ones, np.where(other_infinite, zeros, part)))
    return parts[0], parts[1]


def _power_scalar(self: Array, exponent: Scalar) -> Array:
    """self ** exponent for a number as exponent."""
    kind = self.dtype.kind
    if self.dtype.char in HALVES:
        return _power_of_half(self, exponent)
    if kind != "f" or isinstance(exponent, complex):
        if kind in "iub" and type(exponent) is int and exponent < 0:
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        self = self.astype(dtypes.result_type([self, exponent]).np, copy=False)
    if exponent == 1:
        return +self if self.dtype != np.bool_ else self
    if exponent == 2:
        return self * self
    if exponent == 3:
        return self * self * self
    if exponent == 0.5 and self.dtype.kind == "c":
        return np.sqrt(self)
    if self.dtype.kind == "f":
        one = self.dtype.type(1)
        if exponent == 0.5:
            return np.sqrt(self)
        if exponent == -0.5:
            return one / np.sqrt(self)
        if exponent == -1:
            return one / self
        if exponent == -2:
            return one / (self * self)
    if self.dtype in (np.float32, np.float64):
        return _power(self, self.dtype.type(exponent))
    return _power(self, dtypes.convert(exponent, dtypes.of(self)))


def _power_of_half(self: Array, exponent: Scalar) -> Array:
    """Only of bfloat16 PyTorch rounds the steps of small powers."""
    if self.dtype.kind == "V" and exponent in (3, -2):
        square = self * self
        return square * self if exponent == 3 else self.dtype.type(1) / square
    if type(exponent) is float:
        exponent = float(dtypes.convert(exponent, dtypes.of(self)))
    return in_single(_power_scalar, (self, exponent), self.dtype)


def _two_bools(self: Array, exponent: Array) -> Array:
    if np.asarray(self).dtype == np.bool_ and np.asarray(exponent).dtype == np.bool_:
        raise no_kernel("pow", np.dtype(np.bool_))
    return _power(self, exponent)


def _pow_scalar_vjp(grad: Any, self: Any, exponent: complex) -> Any:
    if exponent == 0:
        return zeros_like(grad)
    # An array needs no copy as its first power, a tensor a node as PyTorch's has.
    power = self if exponent == 2 and type(self) is not Tensor else pow_scalar(self, exponent - 1)
    return grad * conj(mul_scalar(power, exponent))


pow_scalar: Row = row(
    "aten.pow_scalar",
    _power_scalar,
    plain=_power_scalar,
    halves=False,
    elementwise=True,
    node="PowBackward0",
    self=_pow_scalar_vjp,
    samples=lambda r: [(r(3, 4, low=0.5), p) for p in (0, 1, 2, 3, 0.5, -1.5)] + [(r(3), 2)],
    pytorch="torch.pow",
)


def _pow_exponent_vjp(grad: Any, self: Any, exponent: Any, result: Any) -> Any:
    # 0 ** p is flat in p for p >= 0, although log(0) is not finite.
    real = real_part(exponent) if is_complex(exponent) else exponent
    flat = logical_and(eq(self, 0), ge(real, 0))
    if is_complex(exponent) and not is_complex(self):
        kind = dtypes.result_type([raw(self), raw(exponent)])
        self = to_dtype(self, kind) if type(self) is Tensor else self.astype(kind.np)
    return grad * where_(flat, 0.0, conj(result * log(self)))


pow_tensor: Row = row(
    "aten.pow(Tensor self, Tensor exponent)",
    _two_bools,
    promote=COMMON,
    node="PowBackward1",
    self=lambda grad, self, exponent: where_(
        eq(exponent, 0),
        0.0,
        grad * conj(exponent * pow_tensor(self, sub_scalar(exponent, 1))),
    ),
    exponent=_pow_exponent_vjp,
    samples=lambda r: [(r(3, 4, low=0.5), r(3, 4)), (r(3, 1, low=0.5), r(4)), (r(low=0.5), r(2))],
    doc="self ** exponent, element by element.",
)


def _pow_base_vjp(grad: Any, self: complex, exponent: Any, result: Any) -> Any:
    if self == 0:
        flat = ge(exponent, 0)
        return grad * where_(flat, 0.0, mul_scalar(result, -math.inf))
    base = complex(self)
    number: complex = (
        math.log(base.real) if base.imag == 0 and base.real > 0 else complex(np.log(base))
    )
    if isinstance(number, complex) and not is_complex(exponent):
        number = math.nan
    return grad * conj(mul_scalar(result, number))


pow_base: Row = row(
    "aten.pow_base(Operand self, Tensor exponent)",
    _two_bools,
    promote=COMMON,
    node="PowBackward2",
    exponent=_pow_base_vjp,
    samples=lambda r: [(2.5, r(3, 4)), (1, r(3))],
    doc="self ** exponent for a number as base.",
    pytorch="torch.pow",
)


@composite(
    "pow",
    samples=lambda r: [(r(3, 4, low=0.5), r(4)), (r(3, 4, low=0.5), 3), (2, r(3))],
    inplace=METHOD,
)
def pow(self: Operand, exponent: Operand) -> Any:
    """self ** exponent."""
    if not isinstance(exponent, Tensor):
        if not isinstance(self, Tensor):
            return pow_scalar(wrap(np.asarray(self)), exponent)
        return pow_scalar(self, exponent)
    if not isinstance(self, Tensor):
        return pow_base(self, exponent)
    return pow_tensor(self, exponent)


@composite("square", samples=pointwise(), inplace=BOTH)
def square(self: Value) -> Any:
    """self ** 2."""
    return pow(self, 2)


@composite(
    "float_power",
    samples=lambda r: [(r(3, 4, low=0.5), r(4)), (r(3, 4, low=0.5), 3)],
    inplace=METHOD,
)
def float_power(self: Operand, exponent: Operand) -> Any:
    """self ** exponent, computed in double precision."""
    operands = [raw(value) for value in (self, exponent)]
    wide = (
        dtypes.complex128
        if dtypes.result_type(operands).category == dtypes.COMPLEX
        else dtypes.float64
    )
    self, exponent = (
        to_dtype(value, wide) if isinstance(value, Tensor) else wide.np.type(value).item()
        for value in (self, exponent)
    )
    return pow(self, exponent)


sqrt: Row = row(
    "sqrt(Tensor self)",
    np.sqrt,
    promote=FLOAT,
    self=lambda grad, result: grad / mul_scalar(conj(result), 2),
    samples=pointwise(0.5, 2.0),
    doc="The square root; nan below zero.",
)
rsqrt: Row = row(
    "rsqrt(Tensor self)",
    lambda self: np.true_divide(self.dtype.type(1), np.sqrt(self)),
    halves=False,
    promote=FLOAT,
    self=lambda grad, result: mul_scalar(grad, -0.5) * conj(pow_scalar(result, 3)),
    samples=pointwise(0.5, 2.0),
    doc="1 / sqrt(self).",
)

exp: Row = row(
    "exp(Tensor self)",
    np.exp,
    promote=FLOAT,
    self=lambda grad, result: grad * conj(result),
    samples=pointwise(),
    doc="e ** self.",
)
exp2: Row = row(
    "exp2|special.exp2(Tensor self)",
    np.exp2,
    promote=FLOAT,
    self=lambda grad, result: mul_scalar(grad * conj(result), LN2),
    samples=pointwise(),
    doc="2 ** self.",
)
expm1: Row = row(
    "expm1|special.expm1(Tensor self)",
    np.expm1,
    promote=FLOAT,
    self=lambda grad, result: grad * add_scalar(conj(result), 1),
    samples=pointwise(),
    doc="exp(self) - 1, accurate near zero.",
)
log: Row = row(
    "log|bare.log|bare.ln(Tensor self)",
    np.log,
    promote=FLOAT,
    self=lambda grad, self: grad / conj(self),
    samples=pointwise(0.5, 2.0),
    doc="The natural logarithm.",
)


@composite(
    "bare.log",
    samples=binary(0.5, 2.0),
    pytorch="torch.log(self) / torch.log(base)",
)
def log_to_base(self: Value, base: Value) -> Value:
    """The logarithm to a base."""
    found: Value = log(self) / log(base)
    return found


log2: Row = row(
    "log2(Tensor self)",
    np.log2,
    promote=FLOAT,
    self=lambda grad, self: grad / mul_scalar(conj(self), LN2),
    samples=pointwise(0.5, 2.0),
    doc="The logarithm to base 2.",
)
log10: Row = row(
    "log10(Tensor self)",
    np.log10,
    promote=FLOAT,
    self=lambda grad, self: grad / mul_scalar(conj(self), LN10),
    samples=pointwise(0.5, 2.0),
    doc="The logarithm to base 10.",
)
log1p: Row = row(
    "log1p|special.log1p(Tensor self)",
    np.log1p,
    promote=FLOAT,
    self=lambda grad, self: grad / conj(add_scalar(self, 1)),
    samples=pointwise(-0.5, 2.0),
    doc="log(1 + self), accurate near zero.",
)


def log_add_exp(self: Array, other: Array) -> Array:
    """log(exp(self) + exp(other)) without overflow."""
    # log(exp(self) + exp(other)), also of complex numbers.
    if self.dtype.kind != "c":
        return np.logaddexp(self, other)
    swap = self.real < other.real
    larger: Array = np.where(swap, other, self)
    smaller: Array = np.where(swap, self, other)
    return larger + np.log1p(np.exp(smaller - larger))


logaddexp: Row = row(
    "logaddexp",
    log_add_exp,
    promote=COMMON,
    kinds="fc",
    self=lambda grad, self, other: grad / conj(add_scalar(exp(other - self), 1)),
    other=lambda grad, self, other: grad / conj(add_scalar(exp(self - other), 1)),
    samples=binary(),
    inplace=NEITHER,
)
logaddexp2: Row = row(
    "logaddexp2(Tensor self, Tensor other)",
    np.logaddexp2,
    promote=COMMON,
    kinds="f",
    self=lambda grad, self, other: grad / add_scalar(pow_base(2, other - self), 1),
    other=lambda grad, self, other: grad / add_scalar(pow_base(2, self - other), 1),
    samples=binary(),
    doc="log2(2 ** self + 2 ** other) without overflow.",
    inplace=NEITHER,
)


def _xlogy(self: Operand, other: Operand) -> Array:
    """self * log(other), zero where self is zero."""
    require_kinds(np.result_type(self, other), "fiub", "xlogy_cpu")
    if not hasattr(other, "dtype"):
        other = self.dtype.type(other)
    product = np.multiply(self, np.log(other))
    return np.where(np.isnan(other), other, np.where(np.equal(self, 0), 0, product)).astype(
        product.dtype
    )


def _xlogy_self_vjp(grad: Any, self: Any, other: Any) -> Any:
    slope = xlogy(grad, other)
    if isinstance(other, (int, float)):
        return slope if other > 0 else filled(slope, eq(self, 0), 0)
    return filled(slope, logical_and(eq(self, 0), le(other, 0)), 0)


xlogy: Row = row(
    "xlogy|special.xlogy",
    _xlogy,
    halves=False,
    promote=FLOAT,
    number_nodes={"self": "XlogyBackward1", "other": "XlogyBackward2"},
    linear="self",
    self=_xlogy_self_vjp,
    other=lambda grad, self, other: grad * self / other,
    samples=binary(0.5, 2.0),
    inplace=BOTH,
)


def _sigmoid(self: Array) -> Array:
    """1 / (1 + exp(-self))."""
    if self.dtype == np.float32:
        return singles.sigmoid(self)
    return 1 / (1 + np.exp(-self))


def _sigmoid_backward(grad_output: Array, output: Array) -> Array:
    """The gradient of sigmoid from its result."""
    slope = 1 - output
    slope *= output
    return grad_output * (slope if slope.dtype.kind == "f" else np.conj(slope))


sigmoid_backward: Row = row(
    "aten.sigmoid_backward",
    _sigmoid_backward,
    linear="grad_output",
    elementwise=True,
    grad_output=lambda grad, output: sigmoid_backward(grad, conj(output)),
    output=lambda grad, grad_output, output: (
        conj(grad) * grad_output * add_scalar(mul_scalar(conj(output), -2), 1)
    ),
    samples=binary(0.1, 0.9),
)
sigmoid: Row = row(
    "sigmoid|special.expit|nn.functional.sigmoid",
    _sigmoid,
    promote=FLOAT,
    self=lambda grad, result: sigmoid_backward(grad, result),
    samples=pointwise(),
)

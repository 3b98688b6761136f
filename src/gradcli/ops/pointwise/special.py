"""Special functions, by `scipy.special`; formulas follow PyTorch's `derivatives.yaml`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import reciprocal
from gradcli.ops.algebra.comparison import eq, filled, le, logical_and, lt, where_
from gradcli.ops.algebra.elementary import exp, log, pow_scalar
from gradcli.ops.algebra.rounding import sgn
from gradcli.ops.algebra.scalars import add_scalar, div_scalar, mul_scalar
from gradcli.ops.algebra.slopes import BESSEL, airy_slope, erfcx_slope, i0_slope, i0e_slope
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import unsqueeze
from gradcli.ops.pointwise.smooth_activation import error_function
from gradcli.table.declare import composite, row
from gradcli.table.entry import METHOD, InPlace
from gradcli.table.refusals import underived
from gradcli.table.row import COMMON, FLOAT, Row
from gradcli.table.samples import binary, fixed, kinked, pointwise
from gradcli.tensor.clock import clock
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.memory import reserve
from gradcli.tensor.tensor import constant, raw
from gradcli.typing import Array, Operand, Value

_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


def scipy_function(name: str) -> Callable[..., Array]:
    """A function of `scipy.special`, imported when first called."""

    def forward(*args: Array) -> Array:
        import scipy.special

        # Formulas may pass integers, which the table promotes for users only.
        kind = np.result_type(*args)
        kind = kind if kind.kind in "fc" else np.dtype(np.float64)
        return np.asarray(getattr(scipy.special, name)(*args)).astype(kind, copy=False)

    return forward


erf: Row = row(
    "erf|special.erf(Tensor self)",
    error_function,
    promote=FLOAT,
    kinds="iubf",
    kernel="erf_vml_cpu",
    self=lambda grad, self: _TWO_OVER_SQRT_PI * exp(-pow_scalar(self, 2)) * grad,
    samples=pointwise(),
    doc="The error function.",
)
erfc: Row = row(
    "erfc|special.erfc(Tensor self)",
    scipy_function("erfc"),
    promote=FLOAT,
    kinds="iubf",
    kernel="erfc_vml_cpu",
    self=lambda grad, self: -_TWO_OVER_SQRT_PI * exp(-pow_scalar(self, 2)) * grad,
    samples=pointwise(),
    doc="1 - erf(self), accurate far out.",
)
erfcx: Row = row(
    "special.erfcx(Tensor self)",
    scipy_function("erfcx"),
    promote=FLOAT,
    kinds="iubd",
    self=lambda grad, self: erfcx_slope(1, self) * grad,
    samples=pointwise(),
    doc="exp(self ** 2) * erfc(self), without overflow.",
)
erfinv: Row = row(
    "erfinv|special.erfinv(Tensor self)",
    scipy_function("erfinv"),
    promote=FLOAT,
    kinds="iubf",
    kernel="erfinv_vml_cpu",
    self=lambda grad, self: 0.5 * math.sqrt(math.pi) * exp(pow_scalar(erfinv(self), 2)) * grad,
    samples=pointwise(-0.9, 0.9),
    doc="The inverse of the error function.",
    inplace=METHOD,
)


@composite("special.ndtr", samples=pointwise())
def ndtr(self: Value) -> Any:
    """The distribution function of the standard normal."""
    return mul_scalar(add_scalar(erf(mul_scalar(self, math.sqrt(0.5))), 1), 0.5)


ndtri: Row = row(
    "special.ndtri(Tensor self)",
    scipy_function("ndtri"),
    promote=FLOAT,
    kinds="iubd",
    self=lambda grad, result: grad * math.sqrt(2 * math.pi) * exp(pow_scalar(result, 2) / 2),
    samples=pointwise(0.1, 0.9),
    doc="The quantile function of the standard normal.",
)


def _log_ndtr_vjp(grad: Any, self: Any, result: Any) -> Any:
    """Below zero by erfcx: result and self ** 2 / 2 are nearly opposite there.

    Where the result is infinite, PyTorch's formula has the difference of infinities.
    """
    below = lt(self, 0)
    scaled = erfcx(mul_scalar(where_(below, self, 0.0), -math.sqrt(0.5)))
    tail = mul_scalar(reciprocal(scaled), math.sqrt(2 / math.pi))
    density = div_scalar(exp(-(result + pow_scalar(self, 2) / 2)), math.sqrt(2 * math.pi))
    return grad * where_(below, filled(tail, eq(result, -math.inf), math.nan), density)


log_ndtr: Row = row(
    "special.log_ndtr(Tensor self)",
    scipy_function("log_ndtr"),
    promote=FLOAT,
    kinds="iubd",
    self=_log_ndtr_vjp,
    samples=lambda r: [*pointwise()(r), (kinked([-1e200, -9.0]),)],
    doc="The logarithm of the standard normal's distribution function.",
)


def _digamma(self: Array) -> Array:
    """The derivative of lgamma."""
    require_kinds(np.result_type(self), "fiub", "digamma")
    values: Array = scipy_function("psi")(self)
    kind = values.dtype
    # The two sides of the pole at zero tend to opposite infinities.
    values = np.where(np.equal(self, 0), np.copysign(np.inf, -np.asarray(self)), values)
    poles = np.less(self, 0) & np.equal(self, np.floor(self))
    return np.where(poles, np.nan, values).astype(kind)


digamma: Row = row(
    "digamma|special.digamma|special.psi",
    _digamma,
    promote=FLOAT,
    kinds="iuf",
    kernel="digamma",
    self=lambda grad, self: grad * polygamma_row(1, self),
    samples=pointwise(0.5, 3.0),
    inplace=METHOD,
)


def _lgamma(self: Array) -> Array:
    """The logarithm of the absolute value of the gamma function."""
    values = scipy_function("gammaln")(self)
    return np.where(np.isneginf(self), np.inf, values).astype(values.dtype)


lgamma: Row = row(
    "lgamma|special.gammaln",
    _lgamma,
    promote=FLOAT,
    kinds="iubf",
    kernel="lgamma_vml_cpu",
    self=lambda grad, self: grad * digamma(self),
    samples=pointwise(0.5, 3.0),
    inplace=METHOD,
)


def _zeta(self: Array, other: Array) -> Array:
    """Hurwitz's zeta function with PyTorch's continuation to other <= 0 for whole self."""
    kind = np.result_type(self, other)
    self, other = np.broadcast_arrays(self, other)
    left = np.less_equal(other, 0)
    poles = left & np.equal(other, np.floor(other))
    # zeta(x, q) = q ** -x + zeta(x, q + 1), until the argument is positive.
    steps = np.where(left & ~poles & np.isfinite(other), np.ceil(1 - other), 0).astype(int)
    values = np.array(scipy_function("zeta")(self, np.where(left, other + steps, other)))
    for k in range(int(steps.max(initial=0))):
        values = values + np.where(k < steps, np.power(other + k, -self), 0)
    values = np.where(left & np.not_equal(self, np.floor(self)), np.nan, values)
    values = np.where(poles, np.inf, values)
    undefined = np.less(self, 1) | np.isposinf(other)
    return np.where(undefined, np.nan, np.where(np.equal(self, 1), np.inf, values)).astype(kind)


def _trigamma(self: Array) -> Array:
    """By reflection below one half, whose sine makes the poles large numbers as in PyTorch."""
    kind = self.dtype.type
    reflected = np.less(self, 0.5)
    regular = scipy_function("zeta")(kind(2), np.where(reflected, 1 - self, self))
    mirror = np.square(kind(np.pi) / np.sin(kind(np.pi) * self))
    return np.where(reflected, mirror - regular, regular).astype(self.dtype)


def _zeta_of_wide(self: Operand, other: Operand) -> Array:
    """Hurwitz's zeta function, the sum of (k + other) ** -self."""
    require_kinds(np.result_type(self, other), "iubd", "zeta_cpu")
    return _zeta(self, other)


zeta: Row = row(
    "special.zeta",
    _zeta_of_wide,
    halves=False,
    promote=FLOAT,
    number_nodes={"self": "SpecialZetaBackward1", "other": "SpecialZetaBackward2"},
    self=underived("zeta"),
    other=lambda grad, self, other: grad * -self * zeta(self + 1.0, other),
    samples=lambda r: [
        (2.5, r(3, 4, low=1.0, high=4.0)),
        (fixed(r(3, low=1.5, high=4.0)), r(3, low=1.0, high=4.0)),
        (fixed(r(3, low=1.5, high=4.0)), 2),
    ],
)


_LARGEST_FACTORIAL: Final = 170
"""The number whose factorial is the last that a double holds."""


def _polygamma(n: int, self: Array) -> Array:
    """The n-th derivative of digamma."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    require_kinds(self.dtype, "iubf", ("digamma", "trigamma", "polygamma")[min(n, 2)])
    if n == 0:
        return _digamma(self)
    if n == 1:
        return _trigamma(self)
    sign = 1.0 if n % 2 else -1.0
    order = self.dtype.type(n + 1)
    factorial = math.factorial(n) if n <= _LARGEST_FACTORIAL else math.inf
    return (sign * factorial * _zeta(order, self)).astype(self.dtype)


polygamma_row: Row = row(
    "polygamma|special.polygamma",
    _polygamma,
    promote=FLOAT,
    self=lambda grad, n, self: grad * polygamma_row(n + 1, self),
    samples=lambda r: [(n, r(3, low=0.5, high=3.0)) for n in (0, 1, 3)],
    inplace=InPlace(node="PolygammaBackward1", method=False),
)


@composite(
    "Tensor.polygamma",
    samples=lambda r: [(r(3, low=0.5, high=3.0), 1), (r(2, low=0.5, high=3.0), 2)],
    inplace=METHOD,
)
def polygamma_method(self: Value, n: int) -> Any:
    """The n-th derivative of digamma."""
    return polygamma_row(n, self)


_TERMS: Final = 1 << 16
"""Terms of mvlgamma that are added up between two looks at the clock."""


def _half_steps(p: int, start: int = 0) -> Array:
    return np.arange(start, p) * -0.5


def _mvlgamma(self: Array, p: int) -> Array:
    """The logarithm of the multivariate gamma function of dimension p."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    require_kinds(self.dtype, "f", "arange_cpu")
    reserve((*self.shape, min(p, _TERMS)), self.itemsize)
    total = p * (p - 1) / 4 * math.log(math.pi)
    column = np.expand_dims(self, -1)
    for start in range(0, p, _TERMS):
        clock.check(self.size * min(p - start, _TERMS))
        steps = _half_steps(min(p, start + _TERMS), start).astype(self.dtype)
        total = scipy_function("gammaln")(column + steps).sum(-1) + total
    return np.asarray(total).astype(self.dtype)


def _mvlgamma_vjp(grad: Any, self: Any, p: int) -> Any:
    steps = constant(_half_steps(p).astype(raw(self).dtype), self)
    return grad * sum_dim(digamma(unsqueeze(self, -1) + steps), (-1,), False)


def _refuse_bool(operands: Sequence[Array]) -> None:
    if operands[0].dtype == np.bool_:
        raise RuntimeError("The input tensor may not be a boolean tensor.")


mvlgamma: Row = row(
    "mvlgamma|special.multigammaln",
    _mvlgamma,
    promote=FLOAT,
    check=_refuse_bool,
    self=_mvlgamma_vjp,
    samples=lambda r: [(r(3, low=2.0, high=4.0), 3), (r(2, 2, low=1.0, high=2.0), 1)],
)


def _igamma(self: Array, other: Array) -> Array:
    values = scipy_function("gammainc")(self, other)
    # PyTorch looks at the end of the integral first: nothing is there, even for nan.
    nothing = np.isnan(self) & np.equal(other, 0)
    return np.where(nothing, 0, values).astype(values.dtype)


def _regularized(sign: float) -> Any:
    return lambda grad, self, other: (
        sign * grad * exp((self - 1) * log(other) - other - lgamma(self))
    )


igamma: Row = row(
    "igamma|special.gammainc(Tensor self, Tensor other)",
    _igamma,
    promote=COMMON,
    kinds="f",
    self=underived("igamma: input"),
    other=_regularized(1.0),
    samples=lambda r: [(r.ints(3, low=1, high=4), r(3, low=0.5, high=3.0))],
    doc="The regularized lower incomplete gamma function.",
)
igammac: Row = row(
    "igammac|special.gammaincc(Tensor self, Tensor other)",
    scipy_function("gammaincc"),
    promote=COMMON,
    kinds="f",
    self=underived("igammac: input"),
    other=_regularized(-1.0),
    samples=lambda r: [
        (fixed(r(3, low=0.5, high=3.0)), r(3, low=0.5, high=3.0)),
        (fixed(r(2, 1, low=0.5, high=3.0)), r(3, low=0.5, high=3.0)),
    ],
    doc="The regularized upper incomplete gamma function.",
)

i0: Row = row(
    "i0|special.i0(Tensor self)",
    scipy_function("i0"),
    promote=FLOAT,
    kinds="iubf",
    kernel="i0_vml_cpu",
    self=lambda grad, self: grad * i1(self),
    samples=pointwise(0.2, 2.0),
    doc="The modified Bessel function of the first kind of order 0.",
)
i0e: Row = row(
    "special.i0e(Tensor self)",
    scipy_function("i0e"),
    promote=FLOAT,
    kinds="iubf",
    self=lambda grad, self: grad * i0e_slope(1, self),
    samples=pointwise(0.2, 2.0),
    doc="exp(-|self|) * i0(self).",
)


def _i1_vjp(grad: Any, self: Any) -> Any:
    require_kinds(raw(self).dtype, "d", "i1_backward")
    return grad * i0_slope(2, self)


def _i1e_vjp(grad: Any, self: Any) -> Any:
    require_kinds(raw(self).dtype, "d", "i1e_backward")
    return grad * (i0e_slope(2, self) + sgn(self) * i0e_slope(1, self))


i1: Row = row(
    "special.i1(Tensor self)",
    scipy_function("i1"),
    promote=FLOAT,
    kinds="iubf",
    self=_i1_vjp,
    samples=pointwise(0.2, 2.0),
    doc="The modified Bessel function of the first kind of order 1.",
)
i1e: Row = row(
    "special.i1e(Tensor self)",
    scipy_function("i1e"),
    promote=FLOAT,
    kinds="iubf",
    self=_i1e_vjp,
    samples=pointwise(0.2, 2.0),
    doc="exp(-|self|) * i1(self).",
)

for _names, _function, _doc in (
    ("special.bessel_j0", "j0", "The Bessel function of the first kind of order 0."),
    ("special.bessel_j1", "j1", "The Bessel function of the first kind of order 1."),
    ("special.bessel_y0", "y0", "The Bessel function of the second kind of order 0."),
    ("special.bessel_y1", "y1", "The Bessel function of the second kind of order 1."),
    ("special.modified_bessel_i0", "i0", "The modified Bessel function I of order 0."),
    ("special.modified_bessel_i1", "i1", "The modified Bessel function I of order 1."),
    ("special.modified_bessel_k0", "k0", "The modified Bessel function K of order 0."),
    ("special.modified_bessel_k1", "k1", "The modified Bessel function K of order 1."),
    ("special.scaled_modified_bessel_k0", "k0e", "exp(self) * K of order 0."),
    ("special.scaled_modified_bessel_k1", "k1e", "exp(self) * K of order 1."),
):
    row(
        f"{_names}(Tensor self)",
        scipy_function(_function),
        promote=FLOAT,
        kinds="iubd",
        samples=lambda r: [(r(3, 4, low=0.1, high=5.0),), (r(low=0.1, high=20.0),)],
        slopes=BESSEL[_function],
        doc=_doc,
    )


def _airy(self: Array) -> Array:
    """Airy's function Ai."""
    import scipy.special

    return np.asarray(scipy.special.airy(self)[0]).astype(self.dtype)


row(
    "special.airy_ai",
    _airy,
    promote=FLOAT,
    kinds="iubd",
    samples=lambda r: [(r(3, 4, low=-5.0, high=5.0),)],
    slopes=airy_slope,
)


def _xlog1py(self: Operand, other: Operand) -> Array:
    """self * log1p(other), zero where self is zero."""
    require_kinds(np.result_type(self, other), "iubf", "xlog1py_cpu")
    product = np.multiply(self, np.log1p(other))
    zero = np.where(np.equal(self, 0), 0, product)
    return np.where(np.isnan(other), np.nan, zero).astype(product.dtype)


def _xlog1py_self_vjp(grad: Any, self: Any, other: Any) -> Any:
    slope = xlog1py(grad, other)
    if isinstance(other, (int, float)):
        return slope if other > -1 else filled(slope, eq(self, 0), 0)
    return filled(slope, logical_and(eq(self, 0), le(other, -1)), 0)


xlog1py: Row = row(
    "special.xlog1py",
    _xlog1py,
    promote=FLOAT,
    number_nodes={"self": "SpecialXlog1PyBackward1", "other": "SpecialXlog1PyBackward2"},
    linear="self",
    self=_xlog1py_self_vjp,
    other=lambda grad, self, other: grad * self / (other + 1),
    samples=binary(0.5, 2.0),
)


def _entr(self: Array) -> Array:
    """-self * log(self), zero at zero and -inf below."""
    values = -np.multiply(self, np.log(np.where(np.greater(self, 0), self, 1)))
    below = np.where(np.less(self, 0), -np.inf, np.where(np.equal(self, 0), 0.0, values))
    return np.where(np.isnan(self), self, below).astype(self.dtype)


entr: Row = row(
    "special.entr",
    _entr,
    halves=False,
    promote=FLOAT,
    kinds="iubf",
    self=lambda grad, self: grad * (-log(self) - 1),
    samples=pointwise(0.2, 2.0),
)

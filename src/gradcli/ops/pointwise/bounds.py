"""Elementwise operators that bound, blend or combine several tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import sub, true_div
from gradcli.ops.algebra.comparison import (
    conj,
    filled,
    ge,
    gt,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    lt,
    ne,
    where_,
    zeros_like,
)
from gradcli.ops.algebra.complex import conj_physical_row
from gradcli.ops.algebra.elementary import exp2, pow_base
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.table.declare import composite, row
from gradcli.table.entry import BOTH, METHOD, NEITHER, InPlace
from gradcli.table.row import COMMON, FLOAT, Row
from gradcli.table.samples import binary, kinked, pointwise
from gradcli.tensor import dtypes
from gradcli.tensor.errors import no_kernel, require_kinds
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import Tensor, raw
from gradcli.typing import Array, Scalar, Value

_IN_PLACE = InPlace(functions=True, c_types=True)
_AT_BOUND = "at a bound the gradient passes as if inside"


def _clipped(self: Array, min: Array | None = None, max: Array | None = None) -> Array:
    """The elements, raised to min and lowered to max."""
    # min(max(self, low), high): nan stays, the upper bound wins where they cross, and an element
    # that equals its bound keeps the sign of its zero: NumPy's limits return the second of equals.
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if self.dtype.kind == "c":
        raise NotImplementedError("clamp is not supported for complex types")
    if self.dtype == np.bool_ and min is not None and max is not None:
        raise no_kernel("clamp_cpu", self.dtype)
    out = self if min is None else np.maximum(min, self)
    return out if max is None else np.minimum(max, out)


def _inside(grad: Any, self: Any, min: Any, max: Any) -> Any:
    if min is not None and max is not None:
        kept = logical_and(ge(self, min), le(self, max))
    else:
        kept = ge(self, min) if max is None else le(self, max)
    return where_(kept, grad, 0.0)


clamp_numbers: Row = row(
    "clamp|clip(Tensor self, Scalar? min=None, Scalar? max=None)",
    lambda self, min=None, max=None: _clipped(*_common(self, min, max)),
    elementwise=True,
    half_numbers="min max",
    node="ClampBackward1",
    self=_inside,
    kink=_AT_BOUND,
    samples=lambda r: [
        (r(3, 4), -0.5, 0.7),
        (r(3), None, 0.3),
        (r(3), -0.1),
        (r.ints(4, high=9), 2, 5.5),
        (kinked([-0.5, 0.0, 0.7]), -0.5, 0.7),
        (r(3), 0.5, -0.5),
    ],
    doc="The elements, raised to min and lowered to max.",
    inplace=_IN_PLACE,
)


def _common(self: Array, *numbers: Any) -> list[Any]:
    """The tensor and its numeric bounds in the type that they have together."""
    given = [number for number in numbers if number is not None]
    target = dtypes.result_type([self, *given])
    cast = [None if number is None else dtypes.convert(number, target) for number in numbers]
    return [self.astype(target.np, copy=False), *cast]


def _below(grad: Any, self: Any, min: Any, max: Any) -> Any:
    outside = lt(self, min)
    if max is not None:
        outside = logical_and(outside, lt(min, max))
    return where_(outside, grad, 0.0)


def _above(grad: Any, self: Any, min: Any, max: Any) -> Any:
    outside = gt(self, max)
    if min is not None:
        outside = logical_or(outside, lt(max, min))
    return where_(outside, grad, 0.0)


clamp_tensors: Row = row(
    "clamp|clip",
    _clipped,
    promote=COMMON,
    elementwise=True,
    node="ClampBackward0",
    self=_inside,
    min=_below,
    max=_above,
    kink=_AT_BOUND,
    samples=lambda r: [
        (r(3, 4), r(4, high=-0.5), r(4, low=0.5)),
        (r(3), None, r(3)),
        (r(3), r(2, 1)),
        (kinked([0.5, 1.0]), kinked([0.5, 0.0]), kinked([1.0, 1.0])),
    ],
    inplace=BOTH,
)


def _one_sided(name: str, limit: Any, inside: Row, outside: Row) -> None:
    doc = f"The elements, {'raised' if name == 'min' else 'lowered'} to a bound."

    def order(bound: Any) -> tuple[Any, Any]:
        return (bound, None) if name == "min" else (None, bound)

    row(
        f"clamp_{name}(Tensor self, Scalar {name})",
        lambda self, bound: _clipped(*_common(self, *order(bound))),
        elementwise=True,
        self=_formula(name, lambda grad, self, bound: where_(inside(self, bound), grad, 0.0)),
        kink=_AT_BOUND,
        inplace=_IN_PLACE,
        samples=lambda r: [(r(3, 4), 0.1)],
        doc=doc,
    )
    gradients: dict[str, Any] = {
        name: _formula(name, lambda grad, self, bound: where_(outside(self, bound), grad, 0.0))
    }

    def compared(self: Array, bound: Array) -> Array:
        require_kinds(self.dtype, "biuf", f"{limit.__name__}_cpu")
        return limit(bound, self)

    row(
        f"clamp_{name}(Tensor self, Tensor {name})",
        compared,
        promote=COMMON,
        node=f"Clamp{name.title()}Backward1",
        self=_formula(name, lambda grad, self, bound: where_(inside(self, bound), grad, 0.0)),
        kink=_AT_BOUND,
        samples=binary(),
        doc=doc,
        **gradients,
    )


def _formula(name: str, body: Any) -> Any:
    """A formula whose last parameter bears the bound's name."""
    if name == "min":
        return lambda grad, self, min: body(grad, self, min)
    return lambda grad, self, max: body(grad, self, max)


_one_sided("min", np.maximum, ge, lt)
_one_sided("max", np.minimum, le, gt)


def _unless_nan(compare: Row, chosen: bool) -> Any:
    """Formulas of fmax and fmin: self is chosen where it wins, ties or other is nan."""

    def vjp(grad: Any, self: Any, other: Any) -> Any:
        mine = logical_or(compare(self, other), isnan(other))
        return filled(grad, logical_not(mine) if chosen else mine, 0)

    return vjp


for _name, _forward, _compare, _word in (
    ("fmax", np.fmax, ge, "larger"),
    ("fmin", np.fmin, le, "smaller"),
):
    row(
        f"{_name}(Tensor self, Tensor other)",
        _forward,
        promote=COMMON,
        kinds="fiub",
        refusal=RuntimeError(f"{_name} not implemented for complex tensors."),
        self=_unless_nan(_compare, True),
        other=_unless_nan(_compare, False),
        kink="at a tie the first operand has the gradient",
        inplace=NEITHER,
        samples=binary(),
        doc=f"The {_word} of two; a nan gives way to a number.",
    )

nextafter: Row = row(
    "nextafter(Tensor self, Tensor other)",
    np.nextafter,
    halves=False,
    promote=COMMON,
    kinds="f",
    self=lambda grad, self, other: where_(ne(self, other), grad, 0.0),
    other=zeros_like,
    samples=binary(),
    doc="The next representable number after self in the direction of other.",
)


def _lerp_between(self: Array, end: Array, weight: Array) -> Array:
    """Counted from the nearer end, which therefore is exact."""
    way = end - self
    near: Array = self + weight * way
    return np.where(np.abs(weight) < 0.5, near, end - way * (1 - weight)).astype(near.dtype)


def _same_type(self: Array, other: Array, name: str) -> None:
    if other.dtype != self.dtype:
        raise RuntimeError(
            f"expected dtype {dtypes.of(self).c_name} for `{name}` but got dtype "
            f"{dtypes.of(other).c_name}"
        )


def _lerp_by_number(self: Array, end: Array, weight: Scalar) -> Array:
    """self + weight * (end - self)."""
    _same_type(self, end, "end")
    require_kinds(self.dtype, "fc", "lerp_kernel_scalar")
    return _lerp_between(self, end, dtypes.convert(weight, dtypes.of(self)))


def _lerp(self: Array, end: Array, weight: Array) -> Array:
    """self + weight * (end - self)."""
    _same_type(self, end, "end")
    if weight.ndim:
        _same_type(self, weight, "weight")
    elif weight.dtype != self.dtype:
        common = dtypes.result_type([self, weight]).np
        self, end, weight = self.astype(common), end.astype(common), weight.astype(common)
    require_kinds(self.dtype, "fc", "lerp_kernel_tensor")
    return _lerp_between(self, end, weight)


lerp_number: Row = row(
    "lerp",
    _lerp_by_number,
    linear="self end",
    elementwise=True,
    self=lambda grad, weight: mul_scalar(grad, 1 - conj(weight)),
    end=lambda grad, weight: mul_scalar(grad, conj(weight)),
    samples=lambda r: [
        (r(3, 4), r(4), 0.4),
        (r(3), r(2, 1), 1.5),
        (r.complex(2), r.complex(2), 0.5),
    ],
    inplace=METHOD,
)
lerp_tensor: Row = row(
    "lerp",
    _lerp,
    node="LerpBackward1",
    linear="self end",
    elementwise=True,
    self=lambda grad, weight: grad * conj(sub(1, weight)),
    end=lambda grad, weight: grad * conj(weight),
    weight=lambda grad, self, end: grad * conj(end - self),
    samples=lambda r: [(r(3, 4), r(4), r(3, 1))],
    inplace=METHOD,
)


def _addcmul(self: Array, tensor1: Array, tensor2: Array, *, value: Scalar = 1) -> Array:
    """self + value * tensor1 * tensor2."""
    return self + dtypes.convert(value, dtypes.of(self)) * tensor1 * tensor2


addcmul: Row = row(
    "addcmul",
    _addcmul,
    promote=COMMON,
    kinds="fiuc",
    kernel="addcmul_cpu_out",
    linear="self tensor1, self tensor2",
    self=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: grad * conj(mul_scalar(tensor2, value)),
    tensor2=lambda grad, tensor1, value: grad * conj(mul_scalar(tensor1, value)),
    samples=lambda r: [
        (r(3, 4), r(4), r(3, 1), {"value": 0.5}),
        (r(3), r(3), r(3)),
        (r.ints(3, high=9), r.ints(3, high=9), r.ints(3, high=9), {"value": 2}),
    ],
)


def _addcdiv(self: Array, tensor1: Array, tensor2: Array, *, value: Scalar = 1) -> Array:
    """self + value * tensor1 / tensor2."""
    if tensor1.dtype.kind in "iub" and tensor2.dtype.kind in "iub":
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release "
            "addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv "
            "behavior can be implemented as (input + value * torch.trunc(tensor1 / "
            "tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter "
            "implementation: (input + value * tensor1 / tensor2), for all dtypes."
        )
    return self + dtypes.convert(value, dtypes.of(self)) * tensor1 / tensor2


addcdiv: Row = row(
    "addcdiv",
    _addcdiv,
    promote=COMMON,
    linear="self tensor1",
    self=lambda grad: grad,
    tensor1=lambda grad, tensor2, value: grad * conj(true_div(value, tensor2)),
    tensor2=lambda grad, tensor1, tensor2, value: (
        -grad * conj(mul_scalar(tensor1, value) / (tensor2 * tensor2))
    ),
    samples=lambda r: [(r(3, 4), r(4), r(3, 1), {"value": 0.5}), (r(3), r(3), r(3))],
)
ldexp: Row = row(
    "ldexp(Tensor self, Tensor other)",
    lambda self, other: self * np.exp2(other).astype(self.dtype),
    promote=FLOAT,
    linear="self",
    self=lambda grad, other: grad * conj(pow_base(2, other)),
    other=lambda grad, result: mul_scalar(grad * conj(result), math.log(2.0)),
    samples=binary(),
    doc="self * 2 ** other.",
    inplace=BOTH,
)


def _frexp(self: Array) -> tuple[Array, Array]:
    """Mantissa in [0.5, 1) and exponent."""
    if self.dtype.kind != "f":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    mantissa, exponent = np.frexp(self)
    return np.asarray(mantissa), np.asarray(exponent, np.int32)


frexp_row: Row = row(
    "aten.frexp",
    _frexp,
    self=lambda grad, result1: grad / exp2(result1),
    samples=lambda r: [(r(3, 4),)],
)


@composite("frexp", samples=pointwise())
def frexp(self: Value) -> Any:
    """Mantissa in [0.5, 1) and exponent of two."""
    return return_type("frexp", "mantissa exponent")(frexp_row(self))


def _logit(self: Array, eps: float | None = None) -> Array:
    """log(self / (1 - self))."""
    kept = self if eps is None else np.clip(self, eps, 1 - eps)
    return np.log(kept / (1 - kept)).astype(self.dtype)


def _logit_vjp(grad: Any, self: Any, eps: float | None) -> Any:
    low, high = (0.0, 1.0) if eps is None else (eps, 1.0 - eps)
    slope = grad / (self * sub(1.0, self))
    inside = logical_and(ge(self, low), le(self, high))
    return where_(inside, slope, math.nan if eps is None else 0.0)


logit: Row = row(
    "logit|special.logit",
    _logit,
    halves=False,
    promote=FLOAT,
    kinds="f",
    self=_logit_vjp,
    samples=lambda r: [
        (r(3, 4, low=0.1, high=0.9),),
        (r(3, 4, low=0.0, high=1.0), 0.25),
        (r(), 0.1),
    ],
    inplace=BOTH,
)


def _angle(self: Array) -> Array:
    """The argument of complex numbers, in radians; pi for negative reals."""
    if self.dtype.kind == "c":
        return np.angle(self).astype(self.real.dtype)
    turned = np.where(np.less(self, 0), np.pi, 0.0).astype(self.dtype)
    return np.where(np.isnan(self), self, turned).astype(self.dtype)


def _angle_vjp(grad: Any, self: Any) -> Any:
    array = raw(self)
    if array.dtype.kind != "c":
        return zeros_like(grad)
    size = (conj(self) * self).real
    zero = (size == 0) if type(self) is not Tensor else size.eq(0)
    return where_(zero, 0.0 * self, 1j * self * (grad / size))


angle: Row = row(
    "angle",
    _angle,
    promote=FLOAT,
    self=_angle_vjp,
    samples=lambda r: [
        (r(3, 4),),
        (r.complex(3),),
        (r.ints(3, high=5, low=-4),),
        (kinked([0.0, math.nan]),),
    ],
    inplace=NEITHER,
)


@composite(
    "conj_physical",
    samples=lambda r: [(r(3),), (r.complex(2, 2),), (r.ints(2, high=9),)],
    inplace=NEITHER,
)
def conj_physical_public(self: Value) -> Any:
    """The complex conjugate, computed at once."""
    array = raw(self)
    return conj_physical_row(self) if array.dtype.kind == "c" else self

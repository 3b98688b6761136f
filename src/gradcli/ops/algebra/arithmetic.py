"""Sums, products, quotients and remainders of elements.

Formulas follow PyTorch's `derivatives.yaml`, whose choice of saved values and subgradients they
share.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.comparison import (
    conj,
    eq,
    filled,
    gt,
    lt,
    where_,
    zeros_like,
)
from gradcli.ops.algebra.scalars import div_scalar, mul_scalar
from gradcli.table.declare import composite, row
from gradcli.table.entry import BOTH, METHOD, NEITHER
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.row import COMMON, FLOAT, Row
from gradcli.table.samples import binary, pointwise
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Operand, Scalar, Value

_VECTORS: Final = 64  # bytes that PyTorch's vector code works on at a time


def _weighted(other: Array, alpha: complex) -> Array:
    """`other * alpha` in the type of `other`."""
    kind = np.asarray(other).dtype.kind
    if alpha == 1 and type(alpha) is not bool and kind != "c":
        return other  # PyTorch's product of complex numbers with one spreads infinities and nan
    if type(alpha) is bool and kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if kind in "iub" and not isinstance(alpha, int):
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if kind != "c" and isinstance(alpha, complex):
        raise RuntimeError(
            "For non-complex input tensors, argument alpha must not be a complex number."
        )
    return other * _scalar_like(other, alpha)


def _add(self: Operand, other: Operand, *, alpha: Scalar = 1) -> Array:
    """self + alpha * other."""
    return self + _weighted(other, alpha)


def _sub(self: Operand, other: Operand, *, alpha: Scalar = 1) -> Array:
    """self - alpha * other."""
    if type(other) is bool or type(self) is bool:
        refuse_bool((self, other))
    return self - _weighted(other, alpha)


def added(total: Any, term: Any) -> Any:
    """A sum with one more term; None stands for no terms yet."""
    return term if total is None else total + term


def refuse_bool(operands: Sequence[Any]) -> None:
    """Bools are not subtracted, neither from each other nor from anything else."""
    truths = [
        operand.dtype == np.bool_ if hasattr(operand, "dtype") else type(operand) is bool
        for operand in operands[:2]
    ]
    if all(truths):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if any(truths):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )


def _scalar_like(array: Array, number: complex) -> Any:
    """A number of the array's own type, so that `alpha` does not promote."""
    return array.dtype.type(number) if hasattr(array, "dtype") else number


def scaled(grad: Any, factor: complex) -> Any:
    """`grad * factor`, or the gradient itself where the factor is one."""
    return grad if factor == 1 else mul_scalar(grad, conj(factor))


add: Row = row(
    "add",
    _add,
    plain=operator.add,
    half_numbers="alpha",
    promote=COMMON,
    linear="self other",
    self=lambda grad: grad,
    other=lambda grad, alpha: scaled(grad, alpha),
    samples=binary(),
)
sub: Row = row(
    "sub|subtract",
    _sub,
    half_numbers="alpha",
    promote=COMMON,
    check=refuse_bool,
    linear="self other",
    self=lambda grad: grad,
    other=lambda grad, alpha: scaled(-grad, alpha),
    samples=binary(),
)
rsub: Row = row(
    "rsub(Tensor self, Operand other, *, Scalar alpha=1)",
    lambda self, other, alpha=1: _sub(other, self, alpha=alpha),
    half_numbers="alpha",
    promote=COMMON,
    check=refuse_bool,
    number_nodes={"other": "RsubBackward1"},
    linear="self other",
    self=lambda grad, alpha: scaled(-grad, alpha),
    other=lambda grad: grad,
    samples=binary(),
    doc="other - alpha * self.",
    inplace=NEITHER,
)
mul: Row = row(
    "mul|multiply(Operand self, Operand other)",
    operator.mul,
    promote=COMMON,
    wide_numbers=True,
    linear="self, other",
    self=lambda grad, other: grad * conj(other),
    other=lambda grad, self: grad * conj(self),
    samples=binary(),
    doc="self * other.",
)


def _div_other(grad: Any, self: Any, other: Any) -> Any:
    return -grad * conj((self / other) / other)


true_div: Row = row(
    "aten.div(Operand self, Operand other)",
    operator.truediv,
    promote=FLOAT,
    wide_numbers=True,
    linear="self",
    self=lambda grad, other: grad / conj(other),
    other=_div_other,
    samples=binary(0.5, 2.0),
    doc="self / other.",
)


def _rounded_div(self: Operand, other: Operand, *, rounding_mode: str) -> Array:
    """self / other, rounded towards zero ('trunc') or minus infinity ('floor')."""
    if rounding_mode == "floor":
        return floor_division(self, other)
    _divisible(self, other, "div_trunc_cpu")
    if np.result_type(self, other).kind in "iu":
        _refuse_zero(self, other)
        quotient: Array = np.floor_divide(self, other)
        inexact = np.multiply(quotient, other) != self
        return quotient + ((quotient < 0) & inexact).astype(quotient.dtype)
    return np.trunc(np.true_divide(self, other))


def _divisible(self: Array, other: Array, name: str) -> None:
    kind = np.result_type(self, other)
    require_kinds(kind, "fiu", name)


def _refuse_zero(self: Array, divisor: Array) -> None:
    """Raises RuntimeError where an integer is divided by zero: nothing is, where there is none."""
    if np.any(np.equal(divisor, 0)) and np.broadcast(self, divisor).size:
        raise RuntimeError("ZeroDivisionError")


def floor_division(self: Operand, other: Operand) -> Array:
    """self / other, rounded towards minus infinity; PyTorch gives it no derivative."""
    # Division rounded towards minus infinity, with PyTorch's answers for zero divisors.
    _divisible(self, other, "div_floor_cpu")
    if np.result_type(self, other).kind in "iu":
        _refuse_zero(self, other)
        return np.floor_divide(self, other)
    whole: Array = np.floor_divide(self, other)
    finite: Array = np.where(np.equal(other, 0), np.true_divide(self, other), whole)
    return finite.astype(whole.dtype)


rounded_div: Row = row(
    "aten.div_mode",
    _rounded_div,
    promote=COMMON,
    node="DivBackward2",
    self=zeros_like,
    other=zeros_like,
    samples=lambda r: [(r(3, 4), r(4, low=0.5), "trunc"), (r(3), r(3, low=0.5), "floor")],
    pytorch="torch.div(self, other, rounding_mode=rounding_mode)",
)


floor_divide: Row = row(
    "floor_divide",
    floor_division,
    promote=COMMON,
    node=NOT_IMPLEMENTED,
    self=no_derivative("floor_divide"),
    other=no_derivative("floor_divide"),
    samples=lambda r: [(r.ints(3, low=1, high=9), r.ints(3, low=1, high=4))],
)


@composite("div|divide|true_divide", samples=binary(0.5, 2.0), inplace=METHOD)
def div(self: Operand, other: Operand, *, rounding_mode: str | None = None) -> Any:
    """self / other, optionally rounded ('trunc' or 'floor')."""
    if rounding_mode is None:
        return true_div(self, other)
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
            f"'{rounding_mode}'"
        )
    return rounded_div(self, other, rounding_mode=rounding_mode)


def _remainder(self: Array, other: Array) -> Array:
    _divisible(self, other, "remainder_cpu")
    if np.result_type(self, other).kind in "iu":
        _refuse_zero(self, other)
    if np.result_type(self, other).kind != "f":
        return np.remainder(self, other)
    # A remainder of zero keeps the sign of what was divided, as in C.
    rest = np.fmod(self, other)
    return np.where((rest != 0) & ((rest < 0) != (np.asarray(other) < 0)), rest + other, rest)


def _fmod(self: Array, other: Operand) -> Array:
    """C's modulus: the result has the dividend's sign."""
    _divisible(self, other, "fmod_cpu")
    if np.result_type(self, other).kind in "iu":
        _refuse_zero(self, other)
    return np.fmod(self, other)


remainder: Row = row(
    "remainder(Tensor self, Operand other)",
    _remainder,
    promote=COMMON,
    node="RemainderBackward1",
    number_nodes={"other": "RemainderBackward0"},
    self=lambda grad: grad,
    other=lambda grad, self, other: -grad * rounded_div(self, other, rounding_mode="floor"),
    samples=binary(0.5, 2.0),
    doc="Python's modulus: the result has the divisor's sign.",
)
remainder_of_number: Row = row(
    "remainder(Operand self, Tensor other)",
    _remainder,
    promote=COMMON,
    node=NOT_IMPLEMENTED,
    other=no_derivative("remainder"),
    samples=lambda r: [(2.5, r(2, 3, low=0.5)), (-7, r.ints(3, low=1, high=5))],
    doc="A number modulo the elements; PyTorch gives it no derivative.",
)


def remainder_by(self: Any, other: Any) -> Any:
    """`self % other` for the operator, where either may be a number."""
    return (remainder if isinstance(self, Tensor) else remainder_of_number)(self, other)


fmod: Row = row(
    "fmod",
    _fmod,
    promote=COMMON,
    node="FmodBackward1",
    number_nodes={"other": "FmodBackward0"},
    self=lambda grad: grad,
    other=lambda grad, self, other: -grad * rounded_div(self, other, rounding_mode="trunc"),
    samples=binary(0.5, 2.0),
)


def _whole(name: str, forward: Any, doc: str) -> Row:
    return row(
        f"{name}(Tensor self, Tensor other)",
        forward,
        promote=COMMON,
        kinds="iu",
        samples=lambda r: [
            (r.ints(2, 3, low=-12, high=12), r.ints(3, low=-12, high=12)),
            (np.array([0, 6, -4], np.int16), np.array(0)),
        ],
        inplace=BOTH,
        doc=doc,
    )


gcd: Row = _whole("gcd", np.gcd, "The greatest common divisor.")
lcm: Row = _whole(
    "lcm", lambda self, other: np.abs(np.lcm(self, other)), "The least common multiple."
)


def refuse_negation(array: Array) -> None:
    """Bools have no negative."""
    if array.dtype == np.bool_:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )


def _negative(self: Array) -> Array:
    """-self."""
    refuse_negation(self)
    found = np.negative(self)
    if self.dtype.kind == "c" and self.flags.forc:
        # PyTorch's vector code subtracts from zero, which has no sign then; the rest is negated.
        whole = self.size - self.size % (_VECTORS // self.itemsize)
        found.ravel("K")[:whole] = 0 - self.ravel("K")[:whole]
    return found


neg: Row = row(
    "neg|negative",
    _negative,
    plain=operator.neg,
    linear="self",
    elementwise=True,
    self=lambda grad: -grad,
    samples=pointwise(),
    inplace=BOTH,
)


@composite("positive", samples=pointwise())
def positive(self: Value) -> Any:
    """The tensor itself."""
    if self.dtype is dtypes.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return self


reciprocal: Row = row(
    "reciprocal(Tensor self)",
    lambda self: np.true_divide(self.dtype.type(1), self),
    promote=FLOAT,
    self=lambda grad, result: -grad * conj(result * result),
    samples=pointwise(0.5, 2.0),
    doc="1 / self.",
)


def _extreme_vjp(beaten: Row) -> tuple[Any, Any]:
    """The formulas of maximum and minimum, given the comparison that says who lost."""

    def shared(grad: Any, self: Any, other: Any) -> Any:
        return where_(eq(self, other), div_scalar(grad, 2), grad)

    return (
        lambda grad, self, other: filled(shared(grad, self, other), beaten(self, other), 0),
        lambda grad, self, other: filled(shared(grad, self, other), beaten(other, self), 0),
    )


_max_self, _max_other = _extreme_vjp(lt)
_min_self, _min_other = _extreme_vjp(gt)

maximum: Row = row(
    "maximum(Tensor self, Tensor other)",
    np.maximum,
    promote=COMMON,
    kinds="fiub",
    refusal=RuntimeError("maximum not implemented for complex tensors."),
    self=_max_self,
    other=_max_other,
    samples=binary(),
    doc="The larger of two; nan if either is. A tie shares the gradient.",
    inplace=NEITHER,
)
minimum: Row = row(
    "minimum(Tensor self, Tensor other)",
    np.minimum,
    promote=COMMON,
    kinds="fiub",
    refusal=RuntimeError("minimum not implemented for complex tensors."),
    self=_min_self,
    other=_min_other,
    samples=binary(),
    doc="The smaller of two; nan if either is. A tie shares the gradient.",
    inplace=NEITHER,
)

"""Comparison, logic and selection, and the small rows that formulas everywhere are built from."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.samples import pointwise
from gradcli.ops.table import COMMON, Row, row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor

Array = Any

# --- building blocks of formulas


def conj(value: Any) -> Any:
    """The conjugate of a complex value; a real one as it is, without a node."""
    kind = type(value)
    if kind is float or kind is int:
        return value
    if kind is complex:
        return value.conjugate()
    array = value._array if kind is Tensor else value
    return conj_physical(value) if array.dtype.kind == "c" else value


conj_physical: Row = row(
    "aten.conj(Tensor self)",
    np.conj,
    self=lambda grad: conj(grad),
    samples=pointwise(),
    doc="The complex conjugate.",
)


zeros_like: Row = row(
    "aten.zeros_like(Tensor self)", np.zeros_like, doc="Zeros in the shape and type of self."
)


def _where(condition: Array, self: Array, other: Array) -> Array:
    return np.where(condition, self, other)


where_: Row = row(
    "aten.where(Tensor condition, Operand self, Operand other)",
    _where,
    node="WhereBackward0",
    self=lambda grad, condition: where_(condition, grad, 0.0),
    other=lambda grad, condition: where_(condition, 0.0, grad),
    samples=lambda r: [(r.mask(3, 4), r(3, 4), r(4))],
    doc="Elements of self where the condition holds, of other elsewhere.",
)


def is_complex(value: Any) -> bool:
    array = value._array if type(value) is Tensor else value
    return bool(array.dtype.kind == "c")


def _real(self: Array) -> Array:
    return self.real


real_part: Row = row(
    "aten.real(Tensor self)",
    _real,
    self=lambda grad: grad,
    samples=pointwise(),
    doc="The real part.",
)
# --- comparison and logic: no gradients


def _comparison(names: str, forward: Any, doc: str) -> Row:
    return row(f"{names}(Operand self, Operand other)", forward, promote=COMMON, doc=doc)


eq: Row = _comparison("eq", np.equal, "self == other, element by element.")
ne: Row = _comparison("ne|not_equal", np.not_equal, "self != other, element by element.")
lt: Row = _comparison("lt|less", np.less, "self < other, element by element.")
le: Row = _comparison("le|less_equal", np.less_equal, "self <= other, element by element.")
gt: Row = _comparison("gt|greater", np.greater, "self > other, element by element.")
ge: Row = _comparison("ge|greater_equal", np.greater_equal, "self >= other, element by element.")
logical_and: Row = _comparison("logical_and", np.logical_and, "Whether both are non-zero.")
logical_or: Row = _comparison("logical_or", np.logical_or, "Whether either is non-zero.")
logical_xor: Row = _comparison("logical_xor", np.logical_xor, "Whether just one is non-zero.")
logical_not: Row = row(
    "logical_not(Tensor self)", np.logical_not, doc="Whether an element is zero."
)
isnan: Row = row("isnan(Tensor self)", np.isnan, doc="Whether an element is nan.")
isinf: Row = row("isinf(Tensor self)", np.isinf, doc="Whether an element is infinite.")
isfinite: Row = row("isfinite(Tensor self)", np.isfinite, doc="Whether an element is finite.")
isposinf: Row = row("isposinf(Tensor self)", np.isposinf, doc="Whether an element is +inf.")
isneginf: Row = row("isneginf(Tensor self)", np.isneginf, doc="Whether an element is -inf.")
isreal: Row = row("isreal(Tensor self)", np.isreal, doc="Whether an element has no imaginary part.")
signbit: Row = row(
    "signbit(Tensor self)",
    lambda self: np.signbit(self) if self.dtype.kind == "f" else np.less(self, 0),
    doc="Whether the sign bit is set (also of -0.).",
)


def _bitwise(name: str, symbol: str, forward: Any, doc: str) -> Row:
    def checked(self: Array, other: Array) -> Array:
        for operand in (self, other):
            if np.asarray(operand).dtype.kind not in "iub":
                word = dtypes.of(np.asarray(operand)).scalar_name
                raise NotImplementedError(f"\"{symbol}_cpu\" not implemented for '{word}'")
        return forward(self, other)

    return row(f"{name}(Operand self, Operand other)", checked, promote=COMMON, doc=doc)


bitwise_and: Row = _bitwise("bitwise_and", "bitwise_and", np.bitwise_and, "self & other.")
bitwise_or: Row = _bitwise("bitwise_or", "bitwise_or", np.bitwise_or, "self | other.")
bitwise_xor: Row = _bitwise("bitwise_xor", "bitwise_xor", np.bitwise_xor, "self ^ other.")
left_shift: Row = _bitwise("bitwise_left_shift", "lshift", np.left_shift, "self << other.")
right_shift: Row = _bitwise("bitwise_right_shift", "rshift", np.right_shift, "self >> other.")


def _invert(self: Array) -> Array:
    if self.dtype.kind not in "iub":
        word = dtypes.of(self).scalar_name
        raise NotImplementedError(f"\"bitwise_not_cpu\" not implemented for '{word}'")
    return np.invert(self)


bitwise_not: Row = row("bitwise_not(Tensor self)", _invert, doc="~self.")

"""Comparison, logic and selection, and the small rows that formulas everywhere are built from."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.table.declare import composite, row
from gradcli.table.entry import METHOD, InPlace
from gradcli.table.row import COMMON, Row
from gradcli.table.samples import Sampler, fixed, pointwise
from gradcli.tensor import dtypes
from gradcli.tensor.errors import no_kernel, serves
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, constant, raw
from gradcli.typing import Array, Operand, Value

_REAL: Final = frozenset((float, int, bool, np.float32, np.float64))


def conj(value: Any) -> Any:
    """The conjugate of a complex value; a real one as it is, without a node."""
    kind = type(value)
    if kind in _REAL:
        return value
    if kind is complex:
        return value.conjugate()
    array = value._array if kind is Tensor else value
    return conj_physical(value) if array.dtype.kind == "c" else value


conj_physical: Row = row(
    "aten.conj(Tensor self)",
    np.conj,
    linear="self",
    elementwise=True,
    self=conj,
    samples=lambda r: [(r(3, 4) + 1j * r(3, 4),), (r(3) + 1j * r(3),)],
    doc="The complex conjugate.",
    pytorch="aten._conj",
)


zeros_like: Row = row(
    "aten.zeros_like(Tensor self)",
    np.zeros_like,
    elementwise=True,
    samples=pointwise(),
    doc="Zeros in the shape and type of self.",
)


def _where(condition: Array, self: Operand, other: Operand) -> Array:
    """Elements of self where the condition holds, of other elsewhere."""
    chosen: Array = np.where(condition, self, other)
    if hasattr(self, "dtype") or hasattr(other, "dtype"):
        return chosen
    return chosen.astype(dtypes.default.dtype.np)


where_: Row = row(
    "aten.where",
    _where,
    node="WhereBackward0",
    linear="self other",
    elementwise=True,
    self=lambda grad, condition: where_(condition, grad, 0.0),
    other=lambda grad, condition: where_(condition, 0.0, grad),
    samples=lambda r: [(r.mask(3, 4), r(3, 4), r(4))],
)


filled: Row = row(
    "aten.masked_fill(Tensor self, Tensor mask, Scalar value)",
    lambda self, mask, value: np.where(mask, self.dtype.type(value), self),
    halves=False,
    elementwise=True,
    self=lambda grad, mask: filled(grad, mask, 0),
    samples=lambda r: [(r(3, 4), r.mask(3, 4), 0.5)],
    doc="A number where the mask holds, elements of self elsewhere.",
    inplace=InPlace(coincide=True, method=False),
)


filled_with: Row = row(
    "aten.masked_fill_tensor(Tensor self, Tensor mask, Tensor value)",
    lambda self, mask, value: np.asarray(np.where(mask, value, self), self.dtype),
    node="MaskedFillBackward1",
    linear="self value",
    elementwise=True,
    self=lambda grad, mask: filled(grad, mask, 0),
    value=lambda grad, mask: where_(mask, grad, 0.0),
    samples=lambda r: [(r(3, 4), r.mask(3, 4), r())],
    doc="One value where the mask holds, elements of self elsewhere.",
    pytorch="torch.masked_fill",
)


def ones_like(value: Any) -> Any:
    """Ones in the shape and type of a tensor or an array, with no history."""
    return constant(np.ones_like(raw(value)), value)


def is_complex(value: Any) -> bool:
    return bool(raw(value).dtype.kind == "c")


def _samples_of_operands(r: Sampler) -> list[tuple[Any, ...]]:
    numbers = r.ints(3, 4, high=3)
    return [(numbers, fixed(r.ints(4, high=3))), (numbers, 1.5), (numbers, 1), (r.mask(3), True)]


def _samples_of_extremes(r: Sampler) -> list[tuple[Any, ...]]:
    values = np.array([1.5, -0.0, np.nan, np.inf, -np.inf])
    return [(values,), (values.astype(np.float32),), (r.ints(2, 2, low=-1, high=2),)]


def _comparison(names: str, forward: Any, doc: str, kinds: str = "") -> Row:
    return row(
        f"{names}(Tensor self, Operand other)",
        forward,
        promote=COMMON,
        kinds=kinds,
        inplace=InPlace(erases=True),
        samples=_samples_of_operands,
        doc=doc,
    )


def _order(names: str, forward: Any, doc: str) -> Row:
    """A comparison that complex numbers do not have."""
    return _comparison(names, forward, doc, "fiub")


eq: Row = _comparison("eq", np.equal, "self == other, element by element.")
ne: Row = _comparison("ne|not_equal", np.not_equal, "self != other, element by element.")
lt: Row = _order("lt|less", np.less, "self < other, element by element.")
le: Row = _order("le|less_equal", np.less_equal, "self <= other, element by element.")
gt: Row = _order("gt|greater", np.greater, "self > other, element by element.")
ge: Row = _order("ge|greater_equal", np.greater_equal, "self >= other, element by element.")


def _logic(name: str, forward: Any, doc: str) -> Row:
    return row(
        f"{name}(Tensor self, Tensor other)",
        forward,
        promote=COMMON,
        inplace=InPlace(smooth=False),
        samples=lambda r: [
            (r.ints(3, 4, high=2), r.ints(4, high=2) + 0.0),
            (r.mask(5), r.mask(5)),
            (np.array([np.nan, 0.0]), np.array([0.0, 0.5])),
        ],
        doc=doc,
    )


logical_and: Row = _logic("logical_and", np.logical_and, "Whether both are non-zero.")
logical_or: Row = _logic("logical_or", np.logical_or, "Whether either is non-zero.")
logical_xor: Row = _logic("logical_xor", np.logical_xor, "Whether just one is non-zero.")
logical_not: Row = row(
    "logical_not(Tensor self)",
    np.logical_not,
    elementwise=True,
    samples=lambda r: [(np.array([0.0, -0.5, np.nan]),), (r.ints(2, 3, high=2),), (r.mask(3),)],
    doc="Whether an element is zero.",
    inplace=InPlace(smooth=False),
)
isnan: Row = row(
    "isnan(Tensor self)",
    np.isnan,
    elementwise=True,
    samples=_samples_of_extremes,
    doc="Whether an element is nan.",
)
isinf: Row = row(
    "isinf(Tensor self)",
    np.isinf,
    elementwise=True,
    samples=_samples_of_extremes,
    doc="Whether an element is infinite.",
)
isfinite: Row = row(
    "isfinite(Tensor self)",
    np.isfinite,
    elementwise=True,
    samples=_samples_of_extremes,
    doc="Whether an element is finite.",
)
isposinf: Row = row(
    "isposinf(Tensor self)",
    np.isposinf,
    kinds="fiub",
    refusal=RuntimeError("isposinf does not support complex inputs."),
    elementwise=True,
    samples=_samples_of_extremes,
    doc="Whether an element is +inf.",
)
isneginf: Row = row(
    "isneginf(Tensor self)",
    np.isneginf,
    kinds="fiub",
    refusal=RuntimeError("isneginf does not support complex inputs."),
    elementwise=True,
    samples=_samples_of_extremes,
    doc="Whether an element is -inf.",
)
isreal: Row = row(
    "isreal(Tensor self)",
    np.isreal,
    elementwise=True,
    samples=lambda r: [(np.array([1 + 0j, 2j, np.nan + 0j]),), (r(2, 2),), (r.ints(2, high=5),)],
    doc="Whether an element has no imaginary part.",
)
signbit: Row = row(
    "signbit(Tensor self)",
    lambda self: np.signbit(self) if self.dtype.kind == "f" else np.less(self, 0),
    kinds="fiub",
    refusal=NotImplementedError("signbit is not implemented for complex tensors."),
    elementwise=True,
    samples=lambda r: [*_samples_of_extremes(r), (np.array([-3, 0], np.int8),), (r.mask(2),)],
    doc="Whether the sign bit is set (also of -0.).",
)


def _bitwise(name: str, symbol: str, forward: Any, doc: str, kinds: str = "iub") -> Row:
    def checked(self: Operand, other: Operand) -> Array:
        dtype = np.result_type(self, other)
        if not serves(kinds, dtype):
            common_shape([np.shape(self), np.shape(other)])  # is looked at first
            raise no_kernel(f"{symbol}_cpu", dtype)
        return forward(self, other)

    def samples(r: Sampler) -> list[tuple[Any, ...]]:
        calls: list[tuple[Any, ...]] = [
            (r.ints(3, 4, low=-20, high=20), r.ints(4, high=8)),
            (r.ints(4, low=-20, high=20), 3),
            (5, r.ints(4, high=4)),
            (np.array([200, 7], np.uint8), np.array([1, 3], np.int16)),
        ]
        return calls + [(r.mask(5), r.mask(5))] * ("b" in kinds)

    return row(name, checked, promote=COMMON, halves=False, samples=samples, doc=doc)


bitwise_and: Row = _bitwise("bitwise_and", "bitwise_and", np.bitwise_and, "self & other.")
bitwise_or: Row = _bitwise("bitwise_or", "bitwise_or", np.bitwise_or, "self | other.")
bitwise_xor: Row = _bitwise("bitwise_xor", "bitwise_xor", np.bitwise_xor, "self ^ other.")
left_shift: Row = _bitwise("bitwise_left_shift", "lshift", np.left_shift, "self << other.", "iu")
right_shift: Row = _bitwise("bitwise_right_shift", "rshift", np.right_shift, "self >> other.", "iu")


bitwise_not: Row = row(
    "bitwise_not(Tensor self)",
    np.invert,
    kinds="iub",
    elementwise=True,
    samples=lambda r: [
        (r.ints(2, 3, low=-9, high=9),),
        (r.mask(3),),
        (np.array([0, 200], np.uint8),),
    ],
    doc="~self.",
    inplace=METHOD,
)


@composite(
    "equal",
    samples=lambda r: [
        (np.ones(2), np.ones(2)),
        (np.ones(2), np.ones((1, 2))),
        (r(2), r(2)),
        (np.array([np.nan]),) * 2,
        (r(0, 2), r(0, 2)),
    ],
)
def equal(self: Value, other: Value) -> bool:
    """Whether shapes and all elements are equal."""
    return np.array_equal(looked_at(self), looked_at(other))


def _samples_of_close(r: Sampler) -> list[tuple[Any, ...]]:
    values = np.array([1.0, np.inf, 100.0])
    near = np.array([1.0 + 5e-6, np.inf, 100.002])
    return [
        (values, near),
        (near, values, 1e-4),
        (np.array([0.0, 1e-9]), np.array([1e-9, 0.0])),
        (values, values - 0.5, 0.0, 0.5),
        (np.array([np.nan]), np.array([np.nan]), 1e-5, 1e-8, True),
        (np.array([np.nan]), np.array([np.nan])),
        (r.ints(2, 3, high=3), r.ints(3, high=3)),
    ]


def _check_tolerance(self: Any, other: Any, rtol: float, atol: float) -> None:
    if self.dtype is not other.dtype:
        raise RuntimeError(f"{self.dtype.scalar_name} did not match {other.dtype.scalar_name}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")


def _close(self: Array, other: Array, rtol: float, atol: float, equal_nan: bool) -> Array:
    """Whether elements are equal within atol + rtol * |other|."""
    # |self - other| <= atol + rtol * |other|; infinities are close to themselves only.
    close: Array = np.equal(self, other)
    if equal_nan and self.dtype.kind in "fc":
        close = close | (np.isnan(self) & np.isnan(other))
    if rtol == 0 and atol == 0:
        return close
    scale: Array = other
    if other.dtype.kind not in "fc":
        scale = other.astype(dtypes.default.dtype.np)
    error = np.abs(self - scale)
    return close | (np.isfinite(error) & (error <= atol + np.abs(rtol * scale)))


_isclose: Row = row(
    "aten.isclose",
    _close,
    elementwise=True,
    samples=lambda r: [
        (np.array([1.0, np.inf, np.nan]), np.array([1.05, np.inf, np.nan]), 0.1, 0.0, False),
        (r(3), r(3), 0.0, 1.5, True),
    ],
)


@composite("isclose", samples=_samples_of_close)
def isclose(
    self: Value, other: Value, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Any:
    """Whether elements are equal within atol + rtol * |other|."""
    _check_tolerance(self, other, rtol, atol)
    return _isclose(self, other, rtol, atol, equal_nan)


@composite("allclose", samples=_samples_of_close)
def allclose(
    self: Value, other: Value, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are equal within atol + rtol * |other|."""
    return bool(np.all(looked_at(isclose(self, other, rtol, atol, equal_nan))))

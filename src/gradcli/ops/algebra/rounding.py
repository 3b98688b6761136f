"""Signs, absolute values and rounding."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.comparison import (
    conj,
    eq,
    filled,
    is_complex,
    isfinite,
    zeros_like,
)
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.table.declare import row
from gradcli.table.entry import BOTH, METHOD, InPlace
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.row import FLOAT, Row
from gradcli.table.samples import binary, pointwise
from gradcli.tensor.dtypes import HALVES, INEXACT
from gradcli.tensor.limits import float_limits
from gradcli.typing import Array


def _sign(self: Array) -> Array:
    """-1, 0 or 1."""
    if self.dtype == np.bool_:
        return self.copy()
    # Not np.sign: to PyTorch nan is neither positive nor negative.
    return np.greater(self, 0).astype(self.dtype) - np.less(self, 0)


def _absolute(self: Array) -> Array:
    """The absolute value; of single precision parts the nearest number, as PyTorch has it."""
    if self.dtype != np.complex64:
        return np.abs(self)
    parts = np.real(self).astype(np.float64), np.imag(self).astype(np.float64)
    return np.hypot(*parts).astype(np.float32)


def _sgn(self: Array) -> Array:
    """self / |self|, zero at zero."""
    if self.dtype.kind != "c":
        return _sign(self)
    size = _absolute(self)
    size = np.where(size == 0, 1, size)
    if self.dtype != np.complex64:
        return np.where(self == 0, 0, self / size)
    made = np.empty(self.shape, self.dtype)
    flat, values, sizes = made.reshape(-1), np.ravel(self), np.ravel(size)
    whole = self.size // _VECTOR * _VECTOR
    factors = 1 / sizes[whole:]
    for part in ("real", "imag"):
        old, new = getattr(values, part), getattr(flat, part)
        new[:whole] = old[:whole] / sizes[:whole]
        new[whole:] = old[whole:] * factors
    far = ~np.isfinite(sizes)
    flat[far] = values[far] / sizes[far]
    flat[values == 0] = 0
    return made


_VECTOR: Final = 8
"""Complex numbers that PyTorch's kernels divide at a time; the rest is multiplied by inverses."""


def _sgn_vjp(grad: Any, self: Any, result: Any) -> Any:
    if not is_complex(self):
        return zeros_like(grad)
    size = absolute(self)
    across = grad - result * result * conj(grad)
    return filled(across / mul_scalar(size, 2), eq(size, 0), 0)


sgn: Row = row("sgn", _sgn, elementwise=True, self=_sgn_vjp, samples=pointwise(), inplace=METHOD)
sign: Row = row(
    "sign",
    _sign,
    kinds="fiub",
    elementwise=True,
    refusal=NotImplementedError(
        "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn "
        "instead."
    ),
    self=zeros_like,
    samples=pointwise(),
    inplace=METHOD,
)


absolute: Row = row(
    "abs|absolute|bare.fabs(Tensor self)",
    _absolute,
    kinds="fiuc",
    elementwise=True,
    self=lambda grad, self: grad * sgn(self),
    samples=pointwise(),
    doc="The absolute value; its gradient at 0 is 0.",
    inplace=InPlace(functions=("abs",)),
)


def _rounding(forward: Any) -> Any:
    """Whole numbers stay as they are."""
    return lambda self: forward(self) if self.dtype.kind == "f" else self.copy()


ceil: Row = row(
    "ceil(Tensor self)",
    _rounding(np.ceil),
    kinds="fiu",
    elementwise=True,
    kernel="ceil_vml_cpu",
    refusal=NotImplementedError("ceil is not supported for complex inputs"),
    self=zeros_like,
    samples=pointwise(),
    doc="Rounded up.",
    inplace=BOTH,
)
floor: Row = row(
    "floor(Tensor self)",
    _rounding(np.floor),
    kinds="fiu",
    elementwise=True,
    kernel="floor_vml_cpu",
    refusal=NotImplementedError("floor is not supported for complex inputs"),
    self=zeros_like,
    samples=pointwise(),
    doc="Rounded down.",
    inplace=BOTH,
)
trunc: Row = row(
    "trunc|fix(Tensor self)",
    _rounding(np.trunc),
    kinds="fiu",
    elementwise=True,
    kernel="trunc_vml_cpu",
    refusal=NotImplementedError("trunc is not supported for complex inputs"),
    self=zeros_like,
    samples=pointwise(),
    doc="Rounded towards zero.",
    inplace=BOTH,
)


def _round(self: Array, decimals: int = 0) -> Array:
    if decimals == 0:
        return np.rint(self) if self.dtype.kind == "f" else self.copy()
    scale = self.dtype.type(np.power(10.0, abs(decimals)))
    if decimals > 0:
        return np.rint(self * scale) / scale
    return np.rint(self / scale) * scale


round_whole: Row = row(
    "round|special.round(Tensor self)",
    _round,
    kinds="fiu",
    elementwise=True,
    kernel="round_vml_cpu",
    self=zeros_like,
    samples=pointwise(),
    doc="Rounded to the nearest, ties to even.",
    inplace=BOTH,
)
round_decimals: Row = row(
    "round|special.round(Tensor self, *, int decimals)",
    _round,
    kinds="f",
    elementwise=True,
    node="RoundBackward1",
    self=zeros_like,
    samples=lambda r: [(r(3, 4), {"decimals": 1})],
    doc="Rounded to a number of decimals, ties to even.",
    inplace=BOTH,
)
frac: Row = row(
    "frac(Tensor self)",
    lambda self: self - np.trunc(self),
    kinds="f",
    elementwise=True,
    self=lambda grad: grad,
    samples=pointwise(),
    doc="self - trunc(self).",
    inplace=BOTH,
)


def _copysign_vjp(grad: Any, self: Any, result: Any) -> Any:
    return grad * filled(result / self, eq(self, 0), 0)


copysign: Row = row(
    "copysign(Tensor self, Operand other)",
    np.copysign,
    promote=FLOAT,
    kinds="f",
    number_nodes={"other": "CopysignBackward1"},
    self=_copysign_vjp,
    other=zeros_like,
    samples=binary(0.2, 2.0),
    doc="The size of self with the sign of other.",
)


def _nan_to_num(
    self: Array, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Array:
    """Replaces nan and infinities by numbers."""
    if self.dtype.kind not in INEXACT:
        return self.copy()
    limits = float_limits(self.dtype)
    highest = float(limits.max) if posinf is None else posinf
    lowest = float(limits.min) if neginf is None else neginf
    wide = self.astype(np.float32) if self.dtype.char in HALVES else self
    found = np.nan_to_num(wide, nan=nan or 0.0, posinf=highest, neginf=lowest)
    return found.astype(self.dtype, copy=False)


nan_to_num: Row = row(
    "nan_to_num",
    _nan_to_num,
    halves=False,
    linear="self",
    elementwise=True,
    self=lambda grad, self: grad * isfinite(self),
    complex_gradient=False,
    samples=pointwise(),
    inplace=BOTH,
)


def _heaviside(self: Array, values: Array) -> Array:
    """0 below zero, 1 above, values at zero; PyTorch gives it no derivative."""
    if self.dtype.kind == "c" or values.dtype.kind == "c":
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if self.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return np.where(np.equal(self, 0), values, np.greater(self, 0).astype(self.dtype))


heaviside: Row = row(
    "heaviside",
    _heaviside,
    elementwise=True,
    node=NOT_IMPLEMENTED,
    self=no_derivative("heaviside"),
    values=no_derivative("heaviside"),
    samples=lambda r: [(r(2, 3), r(3)), (np.array([-2, 0, 3]), np.array(5)), (np.zeros(2), r(2))],
    inplace=METHOD,
)

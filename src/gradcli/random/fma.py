"""Fused multiply-add: `a * b + c` with a single rounding, which NumPy does not offer.

Compiled for AVX2 and later, PyTorch's kernels contract a product and a sum into one instruction, so
their last bit differs from that of two separately rounded operations.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float32s: TypeAlias = NDArray[np.float32]
Float64s: TypeAlias = NDArray[np.float64]

_SPLITTER = 134217729.0  # 2**27 + 1 cuts a double into two halves of 26 bits (Veltkamp)


def fma32(a: Float32s, b: np.float32, c: np.float32) -> Float32s:
    """`a * b + c` in single precision, rounded once.

    The product of two singles is exact in double precision; the sum is rounded to odd there, which
    makes the second rounding, to single, correct (Boldo and Melquiond 2008).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        product = a.astype(np.float64) * float(b)
        return _sum_to_odd(product, np.float64(c)).astype(np.float32)


def fma64(a: Float64s, b: float, c: float) -> Float64s:
    """`a * b + c` in double precision, rounded once (Boldo and Melquiond 2008, figure 5)."""
    with np.errstate(over="ignore", invalid="ignore"):
        product = a * b
        a_high, a_low = _split(a)
        b_high, b_low = _split(np.float64(b))
        product_error = a_low * b_low - (
            ((product - a_high * b_high) - a_low * b_high) - a_high * b_low
        )
        low_sum, low_error = _two_sum(np.float64(c), product_error)
        high_sum, high_error = _two_sum(product, low_sum)
        fused: Float64s = high_sum + _sum_to_odd(low_error, high_error)
        # Splitting overflows near the end of the range, where the plain sum is all there is.
        return np.where(np.isfinite(fused), fused, product + c)


def _split(x: Any) -> tuple[Any, Any]:
    scaled = x * _SPLITTER
    high = scaled - (scaled - x)
    return high, x - high


def _two_sum(x: Any, y: Any) -> tuple[Any, Any]:
    """The rounded sum and its exact error (Knuth)."""
    total = x + y
    y_part = total - x
    return total, (x - (total - y_part)) + (y - y_part)


def _sum_to_odd(x: Any, y: Any) -> Float64s:
    """`x + y` rounded to odd: an inexact sum becomes the neighbour whose last bit is set."""
    total, error = _two_sum(x, y)
    bits = total.view(np.int64)
    must_move = (np.abs(error) > 0) & (bits & 1 == 0)  # no error is known where it is nan
    # As integers, doubles of one sign are ordered by magnitude.
    step = np.where((error > 0) == (total > 0), 1, -1)
    odd: Float64s = (bits + must_move * step).view(np.float64)
    return odd

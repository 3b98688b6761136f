"""The Box-Muller transform in the single precision arithmetic of PyTorch's AVX2 kernel.

The kernel evaluates the logarithm, sine and cosine by the Cephes polynomials (S. L. Moshier,
*Methods and Programs for Mathematical Functions*, 1989), whose last bit no library function
reproduces. Here every intermediate value is a double that holds a single, so that a product is
exact and a multiply-add is rounded once, as the fused instruction does.
"""

from __future__ import annotations

import numpy as np

from gradcli.random.fma import Float32s, Float64s, fma32

_CHUNK = 8192  # pairs worked on at a time: a dozen temporaries stay in the cache


def _single(value: float) -> float:
    """The double that holds the single nearest to `value`."""
    return float(np.float32(value))


_TWO_PI = _single(2 * np.pi)
_SQRT_HALF = _single(0.707106781186547524)
_LOG_POLYNOMIAL = [
    _single(c)
    for c in (
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    )
]
# log(2) in two parts, the first so short that its multiples are exact.
_LOG2_LOW = _single(-2.12194440e-4)
_LOG2_HIGH = _single(0.693359375)
_FOUR_OVER_PI = _single(1.27323954473516)
# -pi/4 in three parts, to reduce an angle to its octant.
_OCTANT = [_single(c) for c in (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)]
_SIN_POLYNOMIAL = [_single(c) for c in (-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)]
_COS_POLYNOMIAL = [
    _single(c) for c in (2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
]


def box_muller32(uniforms: Float32s, mean: float, std: float) -> Float32s:
    """Turns blocks of 16 uniforms on [0, 1) into normals, as PyTorch fills 16 and more elements.

    `uniforms` has the shape `(blocks, 2, 8)`: within a block the first 8 give the radii, the
    other 8 the angles. The result has the same shape: 8 cosine branches, then 8 sine branches.
    """
    normals = np.empty_like(uniforms)
    step = _CHUNK // 8
    for start in range(0, len(uniforms), step):
        chunk = uniforms[start : start + step]
        # 1 - u is exact, and leaves (0, 1] for the logarithm.
        log = _log(1.0 - chunk[:, 0].astype(np.float64))
        radius = _rounded(np.sqrt(-2.0 * log))
        sine, cosine = _sincos(_rounded(_TWO_PI * chunk[:, 1].astype(np.float64)))
        normals[start : start + step, 0] = radius * cosine
        normals[start : start + step, 1] = radius * sine
    if mean == 0 and std == 1:
        return normals
    return fma32(normals, np.float32(std), np.float32(mean))


def _rounded(x: Float64s) -> Float64s:
    """Rounds doubles to single precision."""
    return x.astype(np.float32).astype(np.float64)


def _horner(x: Float64s, coefficients: list[float]) -> Float64s:
    y = _rounded(coefficients[0] * x + coefficients[1])
    for coefficient in coefficients[2:]:
        y = _rounded(y * x + coefficient)
    return y


def _log(x: Float64s) -> Float64s:
    """The logarithm of singles in (0, 1]."""
    mantissa, exponent = np.frexp(x)
    below = mantissa < _SQRT_HALF
    e = (exponent - below).astype(np.float64)
    x = np.where(below, 2.0 * mantissa, mantissa) - 1.0
    z = _rounded(x * x)
    y = _rounded(_horner(x, _LOG_POLYNOMIAL) * x)
    y = _rounded(y * z + _rounded(e * _LOG2_LOW))
    y = _rounded(y - 0.5 * z)
    return _rounded(e * _LOG2_HIGH + _rounded(x + y))


def _sincos(x: Float64s) -> tuple[Float64s, Float64s]:
    """Sine and cosine of singles in [0, 2 pi)."""
    octant = _rounded(x * _FOUR_OVER_PI).astype(np.int64) + 1 & ~1
    y = octant.astype(np.float64)
    for part in _OCTANT:
        x = _rounded(y * part + x)
    z = _rounded(x * x)
    cosine = _rounded(_horner(z, _COS_POLYNOMIAL) * z)
    cosine = _rounded(_rounded(cosine * z - 0.5 * z) + 1.0)
    sine = _rounded(_horner(z, _SIN_POLYNOMIAL) * z)
    sine = _rounded(sine * x + x)
    swap = octant & 2 != 0
    flip_sine = np.where(octant & 4 != 0, -1.0, 1.0)
    flip_cosine = np.where(octant + 2 & 4 != 0, -1.0, 1.0)
    return (
        np.where(swap, cosine, sine) * flip_sine,
        np.where(swap, sine, cosine) * flip_cosine,
    )

"""Derivatives of any order of special functions that lose digits with every order by their usual
formulas, which divide by the argument or subtract what is nearly the same.

Each function takes the order and an array of double precision. What it sums has one sign, wherever
the derivative allows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np

from gradcli.typing import Array

_ENOUGH: Final = float(np.finfo(np.float64).eps) / 16
"""Terms of a sum that are smaller than this part of it change nothing."""


def i0_slope(n: int, x: Array) -> Array:
    """Of Bessel's I of order 0, the mean of exp(x * cos(t)) over a turn.

    Powers of the cosine are sums of cosines of multiples, which give I of other orders.
    """
    from scipy.special import iv

    total = np.zeros_like(x)
    for k in range(n // 2 + 1):
        weight = math.comb(n, k) / 2**n * (1 if 2 * k == n else 2)
        total += weight * iv(n - 2 * k, x)
    return total


def i0e_slope(n: int, x: Array) -> Array:
    """Of exp(-|x|) * I of order 0; at the kink at zero the slope of |x| counts as zero."""
    from scipy.special import i0e, i1e

    if n < 2:
        return i0e(x) if n == 0 else i1e(x) - np.sign(x) * i0e(x)
    size = np.abs(x)
    far = size > min(max(50, 3 * n), 300)
    found = _parted(far, lambda y: _i0e_far(n, y), lambda y: _i0e_near(n, y), size)
    found = found if n % 2 == 0 else -np.sign(x) * found
    return np.where(x == 0, i0_slope(n, np.zeros_like(x)), found)


def _i0e_near(n: int, y: Array) -> Array:
    """The size of a derivative for y > 0, by the series of Kummer's M(1/2, n + 1, 2y)."""
    term = np.ldexp(math.comb(2 * n, n) / 4**n, n) * np.exp(-2 * y)
    total = term.copy()
    j = 0
    while np.any(term > _ENOUGH * total):
        term *= (j + 0.5) / (n + 1 + j) / (j + 1) * 2 * y
        total += term
        j += 1
    return total


def _i0e_far(n: int, y: Array) -> Array:
    """The same by the asymptotic series, as long as its terms fall."""
    term = np.exp(math.lgamma(n + 0.5) - (n + 0.5) * np.log(y)) / (math.pi * math.sqrt(2))
    total = np.zeros_like(y)
    j = 0
    while np.any(term > _ENOUGH * total):
        total += term
        ratio = (n + 0.5 + j) * (0.5 + j) / (j + 1) / (2 * y)
        term = np.where(ratio < 1, term * ratio, 0)
        j += 1
    return total


def sinc_slope(n: int, x: Array) -> Array:
    """Of sin(pi * x) / (pi * x), the mean of cos(pi * x * s) over 0 < s < 1."""
    far = np.abs(x) * math.pi > n
    found = _parted(far, lambda y: _sinc_far(n, y), lambda y: _sinc_near(n, y), x)
    return found * np.power(math.pi, float(n))


def _sinc_near(n: int, x: Array) -> Array:
    z = math.pi * x
    total = np.zeros_like(z)
    wave = np.cos if n % 2 == 0 else np.sin
    for node, weight in zip(*_gauss(n + 16), strict=True):
        total += weight * node**n * wave(z * node)
    return total if (n + 1) // 2 % 2 == 0 else -total


def _sinc_far(n: int, x: Array) -> Array:
    """By a recurrence, which is stable for orders below pi * x."""
    z, turned = math.pi * x, math.pi * np.fmod(x, 2)
    sine, cosine = np.sin(turned), np.cos(turned)
    waves = (sine, cosine, -sine, -cosine)
    found = sine / z
    for k in range(1, n + 1):
        found = (waves[k % 4] - k * found) / z
    return found


@cache
def _gauss(size: int) -> tuple[list[float], list[float]]:
    """Gauss's nodes and weights between 0 and 1."""
    nodes, weights = np.polynomial.legendre.leggauss(size)
    return ((nodes + 1) / 2).tolist(), (weights / 2).tolist()


_STEP: Final = 1 / 14
"""Between nodes of the integral for erfcx."""


def erfcx_slope(n: int, x: Array) -> Array:
    """Of exp(x**2) * erfc(x)."""
    far = (x * math.sqrt(n) > 1.5) & (n > 1)
    return _parted(far, lambda y: _erfcx_far(n, y), lambda y: _erfcx_near(n, y), x)


def _erfcx_near(n: int, x: Array) -> Array:
    """By a recurrence, of which the terms have one sign below zero."""
    from scipy.special import erfcx

    found = np.asarray(erfcx(x))
    slope = 2 * x * found - 2 / math.sqrt(math.pi)
    for k in range(1, n + 1):
        found, slope = slope, 2 * x * slope + 2 * k * found
    return found


def _erfcx_far(n: int, x: Array) -> Array:
    """By the integral of 2 / sqrt(pi) * (-2s)**n * exp(-s**2 - 2xs) over s > 0: the trapezoidal
    rule in log(s), around the integrand's peak.
    """
    peak = np.log((n + 1) / (x + np.sqrt(x * x + 2 * (n + 1))))
    total = np.zeros_like(x)
    for k in range(-math.ceil((40 / (n + 1) + 1) / _STEP), math.ceil(3.3 / _STEP)):
        u = peak + k * _STEP
        s = np.exp(u)
        total += np.exp((n + 1) * u - s * (s + 2 * x))
    total = np.ldexp(total, n) * (_STEP * 2 / math.sqrt(math.pi))
    return total if n % 2 == 0 else -total


def _parted(
    where: Array, yes: Callable[[Array], Array], no: Callable[[Array], Array], x: Array
) -> Array:
    """A function by two ways."""
    found = np.empty_like(x)
    for mask, way in ((where, yes), (~where, no)):
        if np.any(mask):
            found[mask] = way(x[mask])
    return found

"""Derivatives of any order of special functions that lose digits with every order by their usual
formulas, which divide by the argument or subtract what is nearly the same.

Each function takes the order and an array of double precision. What it sums has one sign, wherever
the derivative allows it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from gradcli.typing import Array

_ENOUGH: Final = float(np.finfo(np.float64).eps) / 16
"""Terms of a sum that are smaller than this part of it change nothing."""


def bessel_i_slope(order: int, n: int, x: Array) -> Array:
    """Of Bessel's I of an order."""
    from scipy.special import iv

    return _neighbours(order, n, lambda m: iv(m, x), 1, 1)


def bessel_k_slope(order: int, n: int, x: Array) -> Array:
    """Of Bessel's K of an order."""
    from scipy.special import kv

    return (-1) ** n * _neighbours(order, n, lambda m: kv(m, x), 1, 1)


def bessel_j_slope(order: int, n: int, x: Array) -> Array:
    """Of Bessel's J of an order."""
    from scipy.special import jv

    return _neighbours(order, n, lambda m: jv(m, x), -1, -1)


def bessel_y_slope(order: int, n: int, x: Array) -> Array:
    """Of Bessel's Y of an order."""
    from scipy.special import yn

    return _neighbours(order, n, lambda m: yn(m, x), -1, -1)


def _neighbours(
    order: int, n: int, function: Callable[[int], Array], sign: int, mirror: int
) -> Array:
    """The n-th derivative of a function whose derivative is half that of the order below, and, with
    a sign, half that of the order above (DLMF 10.6.1, 10.29.1).

    The function of order -m is that of order m, times `mirror` where m is odd.
    """
    total: Any = 0.0
    for k in range(n + 1):
        m = order - n + 2 * k
        weight = math.comb(n, k) / 2**n * sign**k * (mirror**m if m < 0 else 1)
        total = total + weight * function(abs(m))
    return np.asarray(total)


_FINE: Final = 1 / 8
"""Between nodes of the integrals for scaled K."""


def scaled_bessel_k_slope(order: int, n: int, x: Array) -> Array:
    """Of exp(x) * K of order 0 or 1: the integral of (1 - cosh(t))**n * cosh(order * t) *
    exp(x - x * cosh(t)) over t > 0, by the trapezoidal rule.
    """
    found = _parted(
        x > 2, lambda y: _scaled_k_far(order, n, y), lambda y: _scaled_k_near(order, n, y), x
    )
    found = found if n % 2 == 0 else -found
    return np.where(x > 0, found, np.where(x == 0, np.copysign(np.inf, found), np.nan))


def _scaled_k_near(order: int, n: int, x: Array) -> Array:
    least = np.min(x, where=x > 0, initial=2.0)
    last = math.log(2 * (800 + 40 * n)) - math.log(least)
    total = np.zeros_like(x)
    for k in range(math.ceil(last / _FINE) + 1):
        high = 2 * math.sinh(k * _FINE / 2) ** 2
        if k or not n:
            power = n * math.log(high) if n else 0.0
            part = np.exp(power - x * high) * (high + 1 if order else 1)
            total += part if k else part / 2
    return total * _FINE


def _scaled_k_far(order: int, n: int, x: Array) -> Array:
    """With w**2 = x * (cosh(t) - 1) in the place of t."""
    total = np.zeros_like(x)
    for k in range(math.ceil((math.sqrt(n) + 8) / _FINE) + 1):
        w = k * _FINE
        high = w * w / x
        part = high**n * (math.exp(-w * w) * 2) / np.sqrt(2 * x + w * w)
        part = part * (high + 1) if order else part
        total += part if k else part / 2
    return total * _FINE


def airy_slope(n: int, x: Array) -> Array:
    """Of Airy's Ai, of which the second derivative is x * Ai."""
    from scipy.special import airy

    orders = [*airy(x)[:2]]
    for k in range(n - 1):
        orders.append(x * orders[k] + (k * orders[k - 1] if k else 0.0))
    return np.asarray(orders[n])


def i0e_slope(n: int, x: Array) -> Array:
    """Of exp(-|x|) * I of order 0; at the kink at zero the slope of |x| counts as zero."""
    from scipy.special import i0e, i1e

    if n < 2:
        return i0e(x) if n == 0 else i1e(x) - np.sign(x) * i0e(x)
    size = np.abs(x)
    far = size > min(max(50, 3 * n), 300)
    found = _parted(far, lambda y: _i0e_far(n, y), lambda y: _i0e_near(n, y), size)
    found = found if n % 2 == 0 else -np.sign(x) * found
    return np.where(x == 0, bessel_i_slope(0, n, np.zeros_like(x)), found)


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

"""Eigenvectors of small symmetric matrices with the signs that PyTorch's LAPACK gives them.

An eigenvector is unique up to its sign, which comes from the steps of the algorithm: the reduction
to tridiagonal form by reflections, then implicit QL steps (Dubrulle, Martin and Wilkinson, 1968).
LAPACK changed the signs of its plane rotations in version 3.10; PyTorch is built with a library
that kept the older convention, NumPy with one that did not. So these steps are taken here, for
matrices of up to `LARGEST` rows; beyond, LAPACK divides and conquers, where they do not show.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from gradcli.kernels.lapack import lapack
from gradcli.typing import Array

Numbers = list[float]

LARGEST: Final = 25
"""LAPACK's limit for solving a tridiagonal problem by QL steps alone."""
_STEPS_PER_ROW: Final = 30
_TINY: Final = float(np.finfo(np.float64).tiny)


class NotConverged(Exception):
    """The QL steps did not come to an end; `code` counts what is left, as LAPACK's does."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def rotation(f: float, g: float) -> tuple[float, float, float]:
    """c, s and r with [[c, s], [-s, c]] [f, g] = [r, 0], signs as LAPACK's before 3.10."""
    if g == 0:
        return 1.0, 0.0, f
    if f == 0:
        return 0.0, 1.0, g
    r = math.hypot(f, g)
    c, s = f / r, g / r
    if abs(f) > abs(g) and c < 0:
        return -c, -s, -r
    return c, s, r


def _two_by_two(a: float, b: float, c: float) -> tuple[float, float, float, float]:
    """The eigenvalues of [[a, b], [b, c]], the larger in size first, and that one's vector."""
    total, gap, double = a + c, a - c, b + b
    root = math.hypot(gap, double)
    large, small = (a, c) if abs(a) > abs(c) else (c, a)
    if total == 0:
        first, second, sign = 0.5 * root, -0.5 * root, 1
    else:
        sign = 1 if total > 0 else -1
        first = 0.5 * (total + sign * root)
        second = (large / first) * small - (b / first) * b
    other = 1 if gap >= 0 else -1
    cosine = gap + other * root
    if abs(cosine) > abs(double):
        ratio = -double / cosine
        sine = 1 / math.sqrt(1 + ratio * ratio)
        cosine = ratio * sine
    elif double == 0:
        cosine, sine = 1.0, 0.0
    else:
        ratio = -cosine / double
        cosine = 1 / math.sqrt(1 + ratio * ratio)
        sine = ratio * cosine
    if sign == other:
        cosine, sine = -sine, cosine
    return first, second, cosine, sine


def _turn(vectors: Array, i: int, j: int, c: float, s: float) -> None:
    """Rotates two eigenvectors (rows here) into each other."""
    first, second = vectors[i].copy(), vectors[j].copy()
    vectors[i] = c * first - s * second
    vectors[j] = s * first + c * second


def _sweep(d: Numbers, e: Numbers, start: int, end: int, step: int, vectors: Array) -> None:
    """One implicit QL step with Wilkinson's shift on the block from `start` to `end`.

    `step` is 1, or -1 for the mirror image of the block (a QR step). `e` at the lower index of
    two neighbours couples them.
    """

    def couple(k: int) -> int:
        return k if step == 1 else k - 1

    shift = (d[start + step] - d[start]) / (2 * e[couple(start)])
    root = math.hypot(shift, 1.0)
    g = d[end] - d[start] + e[couple(start)] / (shift + math.copysign(root, shift))
    s = c = 1.0
    p = 0.0
    turns: list[tuple[int, float, float]] = []
    i = end - step
    while True:
        f, b = s * e[couple(i)], c * e[couple(i)]
        c, s, r = rotation(g, f)
        if i != end - step:
            e[couple(i + step)] = r
        g = d[i + step] - p
        r = (d[i] - g) * s + 2 * c * b
        p = s * r
        d[i + step] = g + p
        g = c * r - b
        turns.append((i, c, s))
        if i == start:
            break
        i -= step
    for i, cosine, sine in turns:
        _turn(vectors, i, i + step, cosine, sine)
    d[start] -= p
    e[couple(start)] = g


def _solve_block(
    d: Numbers, e: Numbers, first: int, last: int, epsilon: float, vectors: Array, left: int
) -> int:
    """Diagonalises an unreduced block; returns how many steps are left."""
    step = 1
    start, end = first, last
    if abs(d[end]) < abs(d[start]):
        start, end, step = end, start, -1
    while (end - start) * step >= 0:
        here = start
        while here != end:
            at = here if step == 1 else here - 1
            limit = epsilon * epsilon * abs(d[here]) * abs(d[here + step]) + _TINY
            if e[at] * e[at] <= limit:
                e[at] = 0.0
                break
            here += step
        if here == start:
            start += step
        elif here == start + step:
            low = min(start, here)
            d[low], d[low + 1], c, s = _two_by_two(d[low], e[low], d[low + 1])
            _turn(vectors, low, low + 1, c, -s)
            e[low] = 0.0
            start += 2 * step
        elif left == 0:
            raise NotConverged(sum(value != 0 for value in e))
        else:
            left -= 1
            _sweep(d, e, start, here, step, vectors)
    return left


def _diagonalised(d: Numbers, e: Numbers, epsilon: float) -> tuple[Array, Array]:
    """The eigenvalues in ascending order and the eigenvectors (rows) of a tridiagonal matrix."""
    n = len(d)
    vectors = np.eye(n)
    left = n * _STEPS_PER_ROW
    first = 0
    while first < n:
        last = first
        while last < n - 1:
            size = abs(e[last])
            if size == 0:
                break
            if size <= math.sqrt(abs(d[last])) * math.sqrt(abs(d[last + 1])) * epsilon:
                e[last] = 0.0
                break
            last += 1
        if last > first:
            left = _solve_block(d, e, first, last, epsilon, vectors, left)
        first = last + 1
    for i in range(n - 1):
        k = min(range(i, n), key=lambda j: (d[j], j))
        if k != i:
            d[i], d[k] = d[k], d[i]
            vectors[[i, k]] = vectors[[k, i]]
    return np.array(d), vectors


def eigen_of_small(a: Array, lower: bool) -> tuple[Array, Array]:
    """Eigenvalues, ascending, and eigenvectors (columns) of one symmetric or Hermitian matrix."""
    n = len(a)
    if n == 1:
        return a[0].real.copy(), np.ones((1, 1), a.dtype)
    reduce = lapack("hetrd" if a.dtype.kind == "c" else "sytrd", a)
    reflections, d, e, tau, _ = reduce(a, lower=lower)
    epsilon = float(np.finfo(a.dtype).eps) / 2
    values, rows = _diagonalised([float(v) for v in d], [*map(float, e), 0.0], epsilon)
    vectors = rows.T.astype(a.dtype)
    # Back from the tridiagonal matrix: the reflections, the last one first.
    for k in range(n - 2, -1, -1) if lower else range(n - 1):
        v = np.zeros(n, a.dtype)
        if lower:
            v[k + 1] = 1
            v[k + 2 :] = reflections[k + 2 :, k]
        else:
            v[k] = 1
            v[:k] = reflections[:k, k + 1]
        vectors -= tau[k] * np.outer(v, v.conj() @ vectors)
    return values.astype(d.dtype), vectors

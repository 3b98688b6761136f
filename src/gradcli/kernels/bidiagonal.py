"""Singular value decompositions with the signs that PyTorch's LAPACK gives the vectors.

Singular vectors are unique up to a sign per pair, which comes from the steps of the algorithm.
LAPACK as such factorises tall matrices first (QR) and wide ones (LQ); the library that PyTorch is
built with does the former from another ratio of rows to columns on, and the latter never: it always
reduces a wide real matrix to a lower bidiagonal one. That is done here before NumPy's routine is
called. Complex matrices have the same signs in both.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.kernels.lapack import each, lapack, qr_of_one
from gradcli.typing import Array


def _rotation(f: float, g: float) -> tuple[float, float, float]:
    """c >= 0, s and r with [[c, s], [-s, c]] [f, g] = [r, 0]."""
    if g == 0:
        return 1.0, 0.0, f
    if f == 0:
        return 0.0, math.copysign(1.0, g), abs(g)
    r = math.copysign(math.hypot(f, g), f)
    return f / r, g / r, r


def _reflection(x: Array) -> tuple[Array, Any, Any]:
    """v with v[0] = 1, tau and beta so that (I - tau v v^T) x = [beta, 0, ...]."""
    alpha, rest = x[0], np.linalg.norm(x[1:])
    v = x.copy()
    v[0] = 1
    if rest == 0:
        v[1:] = 0
        return v, x.dtype.type(0), alpha
    beta = -np.copysign(np.hypot(alpha, rest), alpha)
    v[1:] /= alpha - beta
    return v, (beta - alpha) / beta, beta


def _lower_bidiagonal(a: Array) -> tuple[Array, Array, Array, Array]:
    """Q, P and the two diagonals of B with A = Q B P^T, for a matrix wider than high."""
    m, n = a.shape
    a = a.copy()
    q, p = np.eye(m, dtype=a.dtype), np.eye(n, dtype=a.dtype)
    diagonal, below = np.zeros(m, a.dtype), np.zeros(max(m - 1, 0), a.dtype)
    for k in range(m):
        v, tau, diagonal[k] = _reflection(a[k, k:])
        a[k + 1 :, k:] -= tau * np.outer(a[k + 1 :, k:] @ v, v)
        p[:, k:] -= tau * np.outer(p[:, k:] @ v, v)
        if k < m - 1:
            v, tau, below[k] = _reflection(a[k + 1 :, k])
            a[k + 1 :, k + 1 :] -= tau * np.outer(v, v @ a[k + 1 :, k + 1 :])
            q[:, k + 1 :] -= tau * np.outer(q[:, k + 1 :] @ v, v)
    return q, p, diagonal, below


def _decomposed(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """LAPACK's own decomposition, in the precision of the matrix."""
    u, values, vh, _ = lapack("gesdd", a)(a, full_matrices=full)
    return u, values, vh


def _wide(a: Array) -> tuple[Array, Array, Array]:
    """U, S and V^T (all of its rows) of a real matrix with more columns than rows."""
    m, n = a.shape
    q, p, d, e = _lower_bidiagonal(a)
    # Rotations of the rows make the lower bidiagonal matrix an upper one.
    turns = []
    for k in range(m - 1):
        c, s, r = _rotation(float(d[k]), float(e[k]))
        d[k], e[k], d[k + 1] = r, s * d[k + 1], c * d[k + 1]
        turns.append((k, c, s))
    u, values, vt = _decomposed(np.diag(d) + np.diag(e, 1), True)
    for k, c, s in reversed(turns):
        first, second = u[k].copy(), u[k + 1].copy()
        u[k], u[k + 1] = c * first - s * second, s * first + c * second
    whole = np.eye(n, dtype=a.dtype)
    whole[:m, :m] = vt
    return q @ u, values, whole @ p.T


def _tall(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """The same for a real matrix with many more rows than columns."""
    m, n = a.shape
    q, r = qr_of_one(a, full)
    u, values, vt = _decomposed(r[:n], True)
    inner = np.eye(q.shape[1], n if not full else m, dtype=a.dtype)
    inner[:n, :n] = u
    return q @ inner, values, vt


def singular_values(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """U, S and V^H of a batch of matrices; all columns of U and rows of V^H if `full`."""
    m, n = a.shape[-2:]
    k = min(m, n)
    if not a.size:
        lead = a.shape[:-2]
        u = np.broadcast_to(
            np.eye(m, m if full else k, dtype=a.dtype), (*lead, m, m if full else k)
        )
        vh = np.broadcast_to(
            np.eye(n if full else k, n, dtype=a.dtype), (*lead, n if full else k, n)
        )
        return u.copy(), np.zeros((*lead, k), a.real.dtype), vh.copy()
    if a.dtype.kind == "c" or n <= m < n * 3 // 2 or m == n:
        u, values, vh = each(lambda one: _decomposed(one, full), a)
        return u, values, vh
    if m > n:
        return each(lambda one: _tall(one, full), a)
    u, values, vh = each(_wide, a)
    return u, values, vh if full else vh[..., :m, :]

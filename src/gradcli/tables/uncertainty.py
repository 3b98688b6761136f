"""Uncertainties by the first terms of the Taylor series about the means of the inputs.

With slopes s, curvatures H and the covariances C of the inputs, the variance to first order is
s C s; the mean of the output is off by tr(H C) / 2, and where the inputs are normal the quadratic
terms add tr(H C H C) / 2 to the variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from gradcli.typing import Array

NONLINEAR: Final = 0.1
"""The part of the first-order term above which the second-order one is told."""

Slopes = Mapping[str, Array]
Curves = Mapping[tuple[str, str], Array]


class Inputs(NamedTuple):
    """What is known of the inputs of a formula.

    Attributes:
        sigmas: standard uncertainties by variable.
        correlations: of pairs of variables; others are 0.
    """

    sigmas: Mapping[str, Array]
    correlations: Mapping[frozenset[str], float]

    def correlation(self, left: str, right: str) -> float:
        return 1.0 if left == right else self.correlations.get(frozenset((left, right)), 0.0)


def is_possible(names: Sequence[str], inputs: Mapping[frozenset[str], float]) -> bool:
    """Whether inputs can have such correlations: the matrix has no negative eigenvalue."""
    matrix = correlations_of(names, Inputs({}, inputs))
    return bool(np.linalg.eigvalsh(matrix).min(initial=0.0) > -1e-12)


def correlations_of(names: Sequence[str], inputs: Inputs) -> Array:
    """The correlations of all pairs, as a square matrix."""
    found = [inputs.correlation(left, right) for left in names for right in names]
    return np.array(found, np.float64).reshape(len(names), len(names))


def contributions(slopes: Slopes, inputs: Inputs) -> dict[str, Array]:
    """What each input adds to the variance, by variable; with correlations it may be negative."""
    moves = {name: slope * inputs.sigmas[name] for name, slope in slopes.items()}
    return {
        name: move
        * sum(
            (inputs.correlation(name, other) * moved for other, moved in moves.items()),
            np.zeros_like(move),
        )
        for name, move in moves.items()
    }


def sigma_of(parts: Mapping[str, Array], rows: int) -> Array:
    """The standard uncertainty to first order."""
    total = sum(parts.values(), np.zeros(rows))
    # Rounding may leave a little less than nothing where inputs cancel each other.
    return np.sqrt(np.where(total < 0, 0.0, total))


def share_of(part: Array, parts: Mapping[str, Array], rows: int) -> Array:
    """The part of the variance that one input brings; nan where there is no variance."""
    return part / sum(parts.values(), np.zeros(rows))


def correction_of(curves: Curves, inputs: Inputs, rows: int) -> Array:
    """By how much the mean of the output differs from the output of the means, to second order."""
    found = np.zeros(rows)
    for (left, right), curve in curves.items():
        term = curve * inputs.sigmas[left] * inputs.sigmas[right] * inputs.correlation(left, right)
        found = found + (term / 2 if left == right else term)
    return found


def is_nonlinear(curves: Curves, inputs: Inputs, sigma: Array) -> Array:
    """Where the second-order term of the series is more than a tenth of the first-order one.

    Its size is half the root of tr(H C H C), or the correction of the mean if that is larger; of
    one input both are the quadratic term at one standard uncertainty.
    """
    names = [*inputs.sigmas]
    rows = len(sigma)
    bent = np.zeros((rows, len(names), len(names)))  # H, in units of the inputs' uncertainties
    for (left, right), curve in curves.items():
        i, j = names.index(left), names.index(right)
        bent[:, i, j] = bent[:, j, i] = curve * inputs.sigmas[left] * inputs.sigmas[right]
    turned = bent @ correlations_of(names, inputs)
    squares = np.einsum("kij,kji->k", turned, turned)
    size = np.maximum(
        np.sqrt(np.maximum(squares, 0.0)) / 2, np.abs(np.einsum("kii->k", turned)) / 2
    )
    return size > NONLINEAR * sigma

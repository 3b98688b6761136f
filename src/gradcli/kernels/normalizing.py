"""Shifting and scaling to mean 0 and variance 1, over the first and the last of three axes.

The middle axis counts what is normalized on its own: channels of a batch, or rows, of which the
first axis then has one. Its means and deviations have a last axis of length one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def _count(values: Array) -> int:
    return int(values.shape[0] * values.shape[2])


def _total(values: Array) -> Array:
    return np.asarray(np.add.reduce(np.add.reduce(values, 2, keepdims=True), 0))


def _dot(values: Array, others: Array) -> Array:
    return np.asarray(np.add.reduce(np.vecdot(values, others)[..., None], 0))


def centered_moments(values: Array, out: Array | None = None) -> tuple[Array, Array, Array]:
    """Elements without their mean, the means and the variances."""
    mean = _total(values) / values.dtype.type(_count(values))
    centered = np.subtract(values, mean, out=out)
    return centered, mean, _dot(centered, centered) / values.dtype.type(_count(values))


def backward(
    grad: Array, hat: Array, inverse: Array, out: Array | None = None
) -> tuple[Array, Array, Array]:
    """The gradient before normalization, from that of what was normalized, `hat`, and the inverse
    deviations; and the sums of the gradient times `hat` and of the gradient.
    """
    along, total = _dot(grad, hat), _total(grad)
    count = grad.dtype.type(_count(grad))
    full = np.multiply(hat, along / count, out=out)
    full += total / count
    np.subtract(grad, full, out=full)
    full *= inverse
    return full, along, total

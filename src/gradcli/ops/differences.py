"""Finite differences and integrals of sampled functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.joining import cat
from gradcli.ops.reduction import sum_dim
from gradcli.ops.scalars import div_scalar, mul_scalar
from gradcli.ops.scans import cumsum
from gradcli.ops.shape import clone, unsqueeze
from gradcli.ops.slicing import slice_
from gradcli.ops.table import composite
from gradcli.tensor.tensor import Tensor, wrap, wrap_dim


def _steps(self: Any, dim: int) -> Any:
    """The differences of neighbours along a dimension."""
    length = self.shape[dim]
    above = slice_(self, dim, 1, length, 1)
    below = slice_(self, dim, 0, max(length - 1, 0), 1)
    if self._array.dtype == np.bool_:
        return above.logical_xor(below)
    return above - below


@composite(
    "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None)",
    samples=lambda r: [(r(3, 4),), (r(5), 2)],
    doc="The n-th differences of neighbours along a dimension.",
)
def diff(self: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    if self.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    where = wrap_dim(dim, self.ndim)
    parts = [part for part in (prepend, self, append) if part is not None]
    joined = cat(parts, where) if len(parts) > 1 else self
    if n == 0:
        return clone(joined, copies=True)
    for _ in range(min(n, joined.shape[where])):
        joined = _steps(joined, where)
    return joined


# --- numerical gradient


def _spacings(spacing: Any, count: int) -> list[Any]:
    if spacing is None:
        return [1.0] * count
    listed = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * count
    if len(listed) != count:
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"{count}, but got a list of length {len(listed)}"
        )
    return listed


def _uniform(self: Any, dim: int, step: float, edge_order: int) -> Any:
    n = self.shape[dim]

    def part(start: int, length: int) -> Any:
        return slice_(self, dim, start, start + length, 1)

    middle = div_scalar(part(2, n - 2) - part(0, n - 2), 2 * step)
    if edge_order == 1:
        first = div_scalar(part(1, 1) - part(0, 1), step)
        last = div_scalar(part(n - 1, 1) - part(n - 2, 1), step)
    else:
        first = div_scalar(-3 * part(0, 1) + 4 * part(1, 1) - part(2, 1), 2 * step)
        last = div_scalar(part(n - 3, 1) - 4 * part(n - 2, 1) + 3 * part(n - 1, 1), 2 * step)
    return cat([first, middle, last], dim)


def _at_points(self: Any, dim: int, points: Any, edge_order: int) -> Any:
    n = self.shape[dim]
    shape = [-1 if k == dim else 1 for k in range(self.ndim)]
    gaps = points.diff().reshape(shape)

    def part(value: Any, start: int, length: int) -> Any:
        return slice_(value, dim, start, start + length, 1)

    before, after = part(gaps, 0, n - 2), part(gaps, 1, n - 2)
    a = -after / (before * (before + after))
    b = (after - before) / (before * after)
    c = before / (after * (before + after))
    middle = a * part(self, 0, n - 2) + b * part(self, 1, n - 2) + c * part(self, 2, n - 2)
    if edge_order == 1:
        first = (part(self, 1, 1) - part(self, 0, 1)) / part(gaps, 0, 1)
        last = (part(self, n - 1, 1) - part(self, n - 2, 1)) / part(gaps, n - 2, 1)
    else:
        h, k = part(gaps, 0, 1), part(gaps, 1, 1)
        first = (
            -(2 * h + k) / (h * (h + k)) * part(self, 0, 1)
            + (h + k) / (h * k) * part(self, 1, 1)
            - h / (k * (h + k)) * part(self, 2, 1)
        )
        h, k = part(gaps, n - 3, 1), part(gaps, n - 2, 1)
        last = (
            k / (h * (h + k)) * part(self, n - 3, 1)
            - (h + k) / (h * k) * part(self, n - 2, 1)
            + (2 * k + h) / (k * (h + k)) * part(self, n - 1, 1)
        )
    return cat([first, middle, last], dim)


@composite(
    "gradient(Tensor self, *, any spacing=None, any dim=None, int edge_order=1)",
    samples=lambda r: [(r(5),), (r(4, 5), {"edge_order": 2})],
    doc="The slopes of a sampled function, by central differences.",
)
def gradient(
    self: Any, spacing: Any = None, dim: Any = None, edge_order: int = 1
) -> tuple[Any, ...]:
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if dim is None:
        dims = list(range(self.ndim))
    else:
        dims = [wrap_dim(d, self.ndim) for d in (dim if isinstance(dim, (tuple, list)) else [dim])]
    for where in dims:
        if self.shape[where] < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )
    found = []
    for where, step in zip(dims, _spacings(spacing, len(dims)), strict=True):
        if isinstance(step, Tensor) and step.ndim:
            found.append(_at_points(self, where, step, edge_order))
        else:
            found.append(_uniform(self, where, float(step), edge_order))
    return tuple(found)


# --- integrals


def _neighbours(self: Any, dim: int) -> tuple[Any, Any]:
    length = self.shape[dim]
    return slice_(self, dim, 0, length - 1, 1), slice_(self, dim, 1, length, 1)


def _widths(x: Any, y: Any, dim: int) -> Any:
    """The distances of sample points, shaped like the samples."""
    if x.ndim == 1 and y.ndim > 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError("trapezoid: There must be one `x` value for each sample point")
        shape = [-1 if k == dim else 1 for k in range(y.ndim)]
        return _steps(x, 0).reshape(shape)
    points = x
    while points.ndim < y.ndim:
        points = unsqueeze(points, 0)
    return _steps(points, dim)


@composite(
    "trapezoid|trapz(Tensor y, Tensor x, *, int dim=-1)",
    samples=lambda r: [(r(3, 4), r(4))],
    doc="The integral by trapezoids over sample points.",
)
def trapezoid_over(y: Any, x: Any, dim: int = -1) -> Any:
    where = wrap_dim(dim, y.ndim)
    left, right = _neighbours(y, where)
    return div_scalar(sum_dim((right + left) * _widths(x, y, where), (where,)), 2.0)


@composite(
    "trapezoid|trapz(Tensor y, *, Scalar dx=1, int dim=-1)",
    samples=lambda r: [(r(3, 4),)],
    doc="The integral by trapezoids of equal width.",
)
def trapezoid(y: Any, dx: Any = 1, dim: int = -1) -> Any:
    where = wrap_dim(dim, y.ndim)
    if y.shape[where] == 0:
        return wrap(np.zeros(y.sum(where)._array.shape, y._array.dtype))
    first, last = y.select(where, 0), y.select(where, -1)
    return mul_scalar(sum_dim(y, (where,)) - (first + last) * 0.5, dx)


@composite(
    "cumulative_trapezoid(Tensor y, Tensor x, *, int dim=-1)",
    samples=lambda r: [(r(3, 4), r(4))],
    doc="The running integral by trapezoids over sample points.",
)
def cumulative_over(y: Any, x: Any, dim: int = -1) -> Any:
    where = wrap_dim(dim, y.ndim)
    left, right = _neighbours(y, where)
    return div_scalar(cumsum((right + left) * _widths(x, y, where), where), 2.0)


@composite(
    "cumulative_trapezoid(Tensor y, *, Scalar dx=1, int dim=-1)",
    samples=lambda r: [(r(3, 4),)],
    doc="The running integral by trapezoids of equal width.",
)
def cumulative(y: Any, dx: Any = 1, dim: int = -1) -> Any:
    where = wrap_dim(dim, y.ndim)
    left, right = _neighbours(y, where)
    return cumsum(mul_scalar(right + left, dx / 2.0), where)

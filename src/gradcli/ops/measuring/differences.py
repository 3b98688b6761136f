"""Finite differences and integrals of sampled functions.

Expressions that PyTorch writes in C++ are evaluated from right to left here too: gradients arrive
in the order in which slices were made, and so does the sum of them that `create_graph` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.parts import slice_
from gradcli.ops.algebra.scalars import div_scalar, mul_scalar
from gradcli.ops.algebra.scans import cumsum
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import clone, view
from gradcli.table.declare import composite
from gradcli.table.samples import Sampler, Samples
from gradcli.tensor import dtypes
from gradcli.tensor.shapes import wrap_dim, wrap_dims
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Scalar, Value


def _part(value: Any, dim: int, start: int, stop: int | None = None) -> Any:
    """`value[start:stop]` along a dimension."""
    if not value.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    length = value.shape[dim]
    first, last, _ = slice(start, stop).indices(length)
    return slice_(value, dim, first, max(first, last), 1)


def _steps(self: Any, dim: int) -> Any:
    """The differences of neighbours along a dimension."""
    below = _part(self, dim, 0, -1)
    above = _part(self, dim, 1)
    if self.dtype is dtypes.bool_:
        return above.logical_xor(below)
    return above - below


def _check_neighbour(self: Any, other: Any, dim: int) -> None:
    if other.ndim != self.ndim:
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for where in range(self.ndim):
        if where != dim and other.shape[where] != self.shape[where]:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input "
                f"except along the differencing dimension; input.size({where}) = "
                f"{self.shape[where]}, but got tensor.size({where}) = {other.shape[where]}"
            )


@composite(
    "diff",
    samples=lambda r: [
        (r(3, 4),),
        (r(5), 2),
        (r(3, 4), 1, 0, r(1, 4), r(2, 4)),
        (r.ints(4, high=9), 2, -1, {"append": r.ints(1, high=9)}),
        (r.mask(4),),
        (r(3), 0),
    ],
)
def diff(
    self: Value,
    n: int = 1,
    dim: int = -1,
    prepend: Value | None = None,
    append: Value | None = None,
) -> Any:
    """The n-th differences of neighbours along a dimension."""
    if self.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    where = wrap_dim(dim, self.ndim)
    for other in (prepend, append):
        if other is not None:
            _check_neighbour(self, other, where)
    if n == 0:
        return clone(self, copies=True)
    parts = [part for part in (prepend, self, append) if part is not None]
    joined = cat(parts, where) if len(parts) > 1 else self
    for _ in range(min(n, joined.shape[where])):
        joined = _steps(joined, where)
    return joined


def _uniform(self: Any, dim: int, step: float, edge_order: int) -> Any:
    """Slopes at points of equal distance."""

    def part(start: int, stop: int | None = None) -> Any:
        return _part(self, dim, start, stop)

    before, after = part(0, -2), part(2)
    center = div_scalar(after - before, step)
    if edge_order == 1:
        before, after = part(0, 1), part(1, 2)
        first = div_scalar(after - before, step)
        before, after = part(-2, -1), part(-1)
        last = div_scalar(after - before, step)
    else:
        third = mul_scalar(part(2, 3), 0.5)
        second = mul_scalar(part(1, 2), 2)
        first = div_scalar(mul_scalar(part(0, 1), -1.5) + second - third, step)
        third = mul_scalar(part(-1), 1.5)
        second = mul_scalar(part(-2, -1), 2)
        last = div_scalar(mul_scalar(part(-3, -2), 0.5) - second + third, step)
    return cat([first, div_scalar(center, 2), last], dim)


def _weighted(weights: Sequence[Any], parts: Sequence[Callable[[], Any]]) -> Any:
    """A sum of three products, whose parts are made from the last to the first."""
    products = [w * part() for w, part in zip(reversed(weights), reversed(parts), strict=True)]
    return products[2] + products[1] + products[0]


def _at_points(self: Any, dim: int, points: Any, edge_order: int) -> Any:
    """Slopes at given points, by parabolas through three neighbours."""
    if points.ndim != 1:
        raise RuntimeError(
            "torch.gradient expected each element of spacing to have one dimension, but got an "
            f"element with {points.ndim} dimensions!"
        )
    gaps = points.diff(1, 0)
    dx1, dx2 = _part(gaps, 0, 0, -1), _part(gaps, 0, 1)
    shape = [-1 if k == dim else 1 for k in range(self.ndim)]
    weights = [
        (-dx2 / (dx1 * (dx1 + dx2))).reshape(shape),
        ((dx2 - dx1) / (dx1 * dx2)).reshape(shape),
        (dx1 / (dx2 * (dx1 + dx2))).reshape(shape),
    ]

    def part(start: int, stop: int | None = None) -> Callable[[], Any]:
        return lambda: _part(self, dim, start, stop)

    center = _weighted(weights, [part(0, -2), part(1, -1), part(2)])
    if edge_order == 1:
        before, after = part(0, 1)(), part(1, 2)()
        first = (after - before) / gaps[0]
        before, after = part(-2, -1)(), part(-1)()
        last = (after - before) / gaps[-1]
    else:
        a, b = gaps[0], gaps[1]
        weights = [
            -(mul_scalar(a, 2.0) + b) / (a * (a + b)),
            (a + b) / (a * b),
            -a / (b * (a + b)),
        ]
        first = _weighted(weights, [part(0, 1), part(1, 2), part(2, 3)])
        a, b = gaps[-1], gaps[-2]
        weights = [
            a / (b * (a + b)),
            -(a + b) / (a * b),
            (mul_scalar(a, 2) + b) / (a * (a + b)),
        ]
        last = _weighted(weights, [part(-3, -2), part(-2, -1), part(-1)])
    return cat([first, center, last], dim)


def _check_gradient(self: Any, spacings: int | None, dims: Any, edge_order: int) -> None:
    if self.dtype is dtypes.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    if spacings is not None and dims is None and spacings != self.ndim:
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar, or a list of length "
            f"equal to 'self.dim() = {self.ndim}', since dim argument was not given, but got a "
            f"list of length {spacings}"
        )
    if spacings is not None and dims is not None and spacings != len(dims):
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim "
            f"arguments to have the same length, but got a spacing argument of length {spacings} "
            f"and a dim argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    chosen = range(self.ndim) if dims is None else dims
    wrap_dims(chosen, self.ndim)
    for dim in chosen:
        if _length(self, dim) < edge_order + 1:
            raise RuntimeError(
                "torch.gradient expected each dimension size to be at least edge_order+1"
            )


def _length(self: Any, dim: int) -> int:
    if not self.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return int(self.shape[wrap_dim(dim, self.ndim)])


def _gradient(self: Any, spacing: Any, dim: Any, edge_order: int) -> tuple[Any, ...]:
    dims = [dim] if isinstance(dim, int) else dim
    listed = isinstance(spacing, (list, tuple))
    count = self.ndim if dims is None else len(dims)
    _check_gradient(self, len(spacing) if listed else None, dims, edge_order)
    steps = spacing if listed else [1 if spacing is None else spacing] * count
    found = []
    for where, step in zip(range(self.ndim) if dims is None else dims, steps, strict=True):
        slopes = _at_points if isinstance(step, Tensor) else _uniform
        found.append(slopes(self, wrap_dim(where, self.ndim), step, edge_order))
    return tuple(found)


def _points(r: Sampler, count: int) -> Array:
    """Ascending points of unequal distance."""
    points: Array = np.sort(r(count))
    return points


def _second(spacing: Any, dim: Any) -> dict[str, Any]:
    return {"spacing": spacing, "dim": dim, "edge_order": 2}


def _sampled(spacings: Any, listed: bool) -> Samples:
    """Calls of `gradient`; `spacings` gives one spacing for each of some lengths."""

    def samples(r: Sampler) -> list[tuple[Any, ...]]:
        one = {"spacing": spacings(r, (4,)), "dim": [1] if listed else 1, "edge_order": 1}
        if listed:
            return [(r(3, 4), one), (r(3, 5), _second(spacings(r, (5, 3)), (-1, 0)))]
        return [(r(3, 4), one), (r(3, 4), _second(spacings(r, (3, 4)), None))]

    return samples


for _spacing, _given in (
    ("Scalar? spacing=None", lambda r, lengths: None if lengths == (3, 4) else 0.5),
    ("Scalar[] spacing", lambda r, lengths: [0.5, 2][: len(lengths)]),
    ("Tensor[] spacing", lambda r, lengths: [_points(r, length) for length in lengths]),
):
    for _dim in ("int? dim=None", "int[] dim"):
        composite(
            f"gradient(Tensor self, *, {_spacing}, {_dim}, int edge_order=1)",
            samples=_sampled(_given, _dim == "int[] dim"),
            doc="The slopes of a sampled function, by central differences.",
        )(_gradient)


def _refuse_bool(name: str, words: str, *values: Any) -> None:
    if any(value.dtype is dtypes.bool_ for value in values):
        raise RuntimeError(f"{name}: received a bool input for {words}, but bool is not supported")


def _check_step(name: str, y: Any, dx: Any) -> None:
    _refuse_bool(name, "`y`", y)
    if isinstance(dx, (bool, complex)):
        raise RuntimeError(f"{name}: Currently, we only support dx as a real number.")


def _widths(name: str, x: Any, y: Any, dim: int) -> Any:
    """The distances of sample points, shaped like the samples."""
    points = x
    if x.ndim == 1:
        if x.shape[0] != y.shape[dim]:
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        points = view(x, [-1 if k == dim else 1 for k in range(y.ndim)])
    elif x.ndim < y.ndim:
        points = view(x, [1] * (y.ndim - x.ndim) + list(x.shape))
    left = _part(points, dim, 0, -1)
    right = _part(points, dim, 1)
    return right - left


def _pair_sums(y: Any, dim: int) -> Any:
    left = _part(y, dim, 0, -1)
    right = _part(y, dim, 1)
    return right + left


def _no_samples(y: Any, dim: int) -> Tensor:
    shape = [length for k, length in enumerate(y.shape) if k != dim]
    return wrap(np.zeros(shape, y._array.dtype))


@composite(
    "trapezoid|trapz",
    samples=lambda r: [(r(3, 4), r(4)), (r(3, 4), r(3), {"dim": 0}), (r(2, 3), r(2, 3))],
)
def trapezoid_over(y: Value, x: Value, *, dim: int = -1) -> Any:
    """The integral by trapezoids over sample points."""
    length, where = _length(y, dim), wrap_dim(dim, y.ndim)
    if not length:
        return _no_samples(y, where)
    _refuse_bool("trapezoid", "`x` or `y`", x, y)
    widths = _widths("trapezoid", x, y, where)
    return div_scalar(sum_dim(_pair_sums(y, where) * widths, (where,)), 2.0)


@composite(
    "trapezoid|trapz",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), {"dx": 0.5, "dim": 0}),
        (r.ints(4, high=9), {"dx": 2}),
    ],
)
def trapezoid(y: Value, *, dx: Scalar = 1, dim: int = -1) -> Any:
    """The integral by trapezoids of equal width."""
    length, where = _length(y, dim), wrap_dim(dim, y.ndim)
    if not length:
        return _no_samples(y, where)
    _check_step("trapezoid", y, dx)
    last, first = y.select(where, -1), y.select(where, 0)
    ends = mul_scalar(first + last, 0.5)
    return mul_scalar(sum_dim(y, (where,)) - ends, float(dx))


@composite(
    "cumulative_trapezoid",
    samples=lambda r: [(r(3, 4), r(4)), (r(3, 4), r(3), {"dim": 0}), (r(2, 3), r(2, 3))],
)
def cumulative_over(y: Value, x: Value, *, dim: int = -1) -> Any:
    """The running integral by trapezoids over sample points."""
    where = wrap_dim(dim, y.ndim)
    _refuse_bool("cumulative_trapezoid", "`x` or `y`", x, y)
    widths = _widths("cumulative_trapezoid", x, y, where)
    left = _part(y, where, 0, -1)
    right = _part(y, where, 1)
    return div_scalar(cumsum((left + right) * widths, where), 2.0)


@composite(
    "cumulative_trapezoid",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), {"dx": 0.5, "dim": 0}),
        (r.ints(4, high=9), {"dx": 2}),
    ],
)
def cumulative(y: Value, *, dx: Scalar = 1, dim: int = -1) -> Any:
    """The running integral by trapezoids of equal width."""
    _check_step("cumulative_trapezoid", y, dx)
    where = wrap_dim(dim, y.ndim)
    left = _part(y, where, 0, -1)
    right = _part(y, where, 1)
    return cumsum(mul_scalar(left + right, dx / 2.0), where)

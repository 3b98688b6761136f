"""Images sampled at the points of a grid.

A sample is a sum over taps: elements of the image near a point, each weighted by a product of one
polynomial per dimension in the point's distance from the element grid. Its derivatives in the
point are sums of the same kind, with derivatives of the polynomials as weights. So two rows, the
sum for any order of derivative and its transpose, are closed under differentiation, and sampling
has derivatives of every order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.ops.algebra.arithmetic import added
from gradcli.ops.algebra.joining import stack
from gradcli.ops.algebra.parts import select
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import shape_of, unsqueeze, view
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import length_along
from gradcli.typing import Array, Value

Sizes = Sequence[int]

_MODES: Final = ("bilinear", "nearest", "bicubic")
_NEAREST: Final = 1
_PADDINGS: Final = ("zeros", "border", "reflection")

_A: Final = -0.75
_LINEAR: Final = (1.0, -1.0)
_NEAR: Final = (1.0, 0.0, -(_A + 3), _A + 2)
_FAR: Final = (-4 * _A, 8 * _A, -5 * _A, _A)
_TAPS: Final[tuple[list[tuple[int, float, int, tuple[float, ...]]], ...]] = (
    [(0, 0.0, 1, _LINEAR), (1, 0.0, 1, (0.0, 1.0))],
    [(0, 0.0, 1, (1.0,))],
    [(-1, 1.0, 1, _FAR), (0, 0.0, 1, _NEAR), (1, 1.0, -1, _NEAR), (2, 2.0, -1, _FAR)],
)
"""For each mode, its taps along a dimension: the position relative to the point's, how far from the
point that is at a fraction of zero and in which direction the fraction changes it, and the
coefficients of the weight as a polynomial of that distance, constant first."""


class Sampling(NamedTuple):
    """How to sample: the numbers of mode and padding are those of `torch.grid_sampler`."""

    mode: int
    padding: int
    align_corners: bool


class _Line(NamedTuple):
    """The taps along one dimension: positions (-1 is outside), and what their weights need."""

    positions: list[Array]
    fraction: Array
    slope: Array
    mode: int

    def weight(self, tap: int, order: int) -> Array | None:
        """The derivative of a tap's weight in the grid's coordinate; None if it is zero."""
        _, start, sign, polynomial = _TAPS[self.mode][tap]
        coefficients = list(polynomial)
        for _ in range(order):
            coefficients = [sign * k * c for k, c in enumerate(coefficients)][1:]
        if not any(coefficients):
            return None
        value: Array = np.full_like(self.fraction, coefficients[-1])
        distance = self.fraction if sign > 0 else -self.fraction
        if start:
            distance = distance + self.fraction.dtype.type(start)
        for coefficient in reversed(coefficients[:-1]):
            value = value * distance + self.fraction.dtype.type(coefficient)
        return value * self.slope**order if order else value


def _reflect(places: Array, size: int, align_corners: bool) -> tuple[Array, Array]:
    """Positions folded back and forth into the image, and by which sign they move."""
    low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
    span = high - low
    if span <= 0:
        return np.zeros_like(places), np.zeros_like(places)
    offset = places - places.dtype.type(low)
    sign = np.where(offset < 0, -1, 1).astype(places.dtype)
    offset = np.abs(offset)
    rest = np.fmod(offset, span)
    odd = np.floor(offset / span) % 2 == 1
    folded = np.where(odd, span - rest, rest).astype(places.dtype) + places.dtype.type(low)
    return folded, np.where(odd, -sign, sign)


def _into_image(places: Array, size: int, how: Sampling) -> tuple[Array, Array]:
    """Positions after padding, and the slope of that map."""
    slope = np.ones_like(places)
    if how.padding == 0:
        return places, slope
    if how.padding == 2:
        places, slope = _reflect(places, size, how.align_corners)
    inside = (places > 0) & (places < size - 1)
    return np.clip(places, 0, size - 1), np.where(inside, slope, 0)


def _line(coordinates: Array, size: int, how: Sampling) -> _Line:
    kind = coordinates.dtype.type
    if how.align_corners:
        places, slope = (coordinates + 1) / 2 * kind(size - 1), kind(size - 1) / 2
    else:
        places, slope = ((coordinates + 1) * kind(size) - 1) / 2, kind(size) / 2
    slopes = np.full_like(places, slope)
    if how.mode != 2:
        places, folding = _into_image(places, size, how)
        slopes = slopes * folding
    start = np.rint(places) if how.mode == _NEAREST else np.floor(places)
    fraction = places - start
    taps: list[Array] = []
    for offset, *_ in _TAPS[how.mode]:
        place = start + kind(offset)
        if how.mode == 2:
            place, _ = _into_image(place, size, how)
        inside = (place >= 0) & (place <= size - 1)
        taps.append(np.where(inside, place, -1).astype(np.int64))
    finite = np.isfinite(fraction)
    return _Line(taps, np.where(finite, fraction, 0), np.where(finite, slopes, 0), how.mode)


class _Points:
    """The taps of all points of a grid (N, *out, dims) in images (N, C, *size)."""

    def __init__(self, shape: Sizes, grid: Array, how: Sampling) -> None:
        self.shape = shape
        self.dims = grid.shape[-1]
        self.size = tuple(shape[2:])
        self.out = grid.shape[1:-1]
        points = grid.reshape(grid.shape[0], prod(self.out), self.dims)
        # The grid's first coordinate runs along the images' last dimension.
        self.lines = [_line(points[..., k], self.size[-1 - k], how) for k in range(self.dims)]
        self.planes = np.arange(shape[0] * shape[1]).reshape(shape[0], shape[1], 1)

    @property
    def empty(self) -> int:
        """The place that stands for everything outside of the images."""
        return prod(self.shape)

    def taps(self) -> Iterator[tuple[tuple[int, ...], Array]]:
        """Each combination of taps along the dimensions, and its places in the flat images."""
        volume = prod(self.size)
        for taps in product(*(range(len(line.positions)) for line in self.lines)):
            place: Array = 0
            outside: Array = False
            for tap, line, step in zip(taps, self.lines, self._steps(), strict=True):
                position = line.positions[tap]
                place = place + position * step
                outside = outside | (position < 0)
            places = place[:, None, :] + self.planes * volume
            yield taps, np.where(outside[:, None, :], self.empty, places)

    def _steps(self) -> list[int]:
        return [prod(self.size[self.dims - k :]) for k in range(self.dims)]

    def weight(self, taps: tuple[int, ...], orders: Sizes) -> Array | None:
        """The derivative of the product of weights, of shape (N, 1, points)."""
        value: Array = None
        for line, tap, order in zip(self.lines, taps, orders, strict=True):
            factor = line.weight(tap, order)
            if factor is None:
                return None
            value = factor if value is None else value * factor
        return value[:, None, :]

    def gather(self, images: Array, several: Sequence[Sizes]) -> list[Array]:
        """For each tuple of orders of derivative, the sums at all points: (N, C, points)."""
        flat = np.append(images.ravel(), images.dtype.type(0))
        shape = (*images.shape[:2], prod(self.out))
        sums: list[Array] = [np.zeros(shape, images.dtype) for _ in several]
        for taps, places in self.taps():
            values: Array = None
            for total, orders in zip(sums, several, strict=True):
                weight = self.weight(taps, orders)
                if weight is not None:
                    values = flat.take(places) if values is None else values
                    total += values * weight
        return sums

    def scatter(self, values: Array, orders: Sizes) -> Array:
        """The transpose of `gather`: values (N, C, points) to flat images (N, C, size)."""
        flat = np.zeros(self.empty + 1, values.dtype)
        for taps, places in self.taps():
            weight = self.weight(taps, orders)
            if weight is not None:
                np.add.at(flat, places.ravel(), (values * weight).ravel())
        return _flat(flat[:-1].reshape(self.shape))


def _flat(values: Array) -> Array:
    return values.reshape(*values.shape[:2], prod(values.shape[2:]))


def _unit(dims: int, axis: int) -> tuple[int, ...]:
    return tuple(int(k == axis) for k in range(dims))


def _plus(orders: Sizes, axis: int) -> tuple[int, ...]:
    return tuple(order + (k == axis) for k, order in enumerate(orders))


def _sum(input: Array, grid: Array, how: Sampling, orders: Sequence[int]) -> Array:
    """Images sampled at the points of a grid, or a derivative of that in the grid."""
    points = _Points(input.shape, grid, how)
    (total,) = points.gather(input, [orders])
    return total.reshape(*input.shape[:2], *points.out)


def _transposed_sum(
    values: Array, grid: Array, input_size: Sequence[int], how: Sampling, orders: Sequence[int]
) -> Array:
    """Values at points of a grid spread over the flat images that they were sampled from."""
    return _Points(input_size, grid, how).scatter(_flat(values), orders)


def _grid_slope(values: Any, images: Any, grid: Any, how: Sampling, orders: Sizes) -> Any:
    """How the sums of images, weighted by values, move with each coordinate of the grid."""
    dims = len(orders)
    slopes = [tap_sum(images, grid, how, _plus(orders, axis)) for axis in range(dims)]
    return stack([sum_dim(values * slope, (1,)) for slope in slopes], -1)


tap_sum: Row = row(
    "aten.grid_sampler_taps",
    _sum,
    linear="input",
    input=lambda grad, grid, input_shape, how, orders: view(
        transposed_tap_sum(grad, grid, input_shape, how, orders), input_shape
    ),
    grid=lambda grad, input, grid, how, orders: _grid_slope(grad, input, grid, how, orders),
    samples=lambda r: [
        (r(1, 2, 3, 4), r(1, 2, 2, 2, low=-0.9, high=0.9), how, orders)
        for how, orders in ((Sampling(0, 0, True), (0, 1)), (Sampling(2, 1, False), (1, 1)))
    ],
    untested="a piece of the gradients of grid_sampler_2d and grid_sampler_3d",
)
transposed_tap_sum: Row = row(
    "aten.grid_sampler_taps_transposed",
    _transposed_sum,
    linear="values",
    values=lambda grad, grid, input_size, how, orders: tap_sum(
        view(grad, input_size), grid, how, orders
    ),
    grid=lambda grad, values, grid, input_size, how, orders: _grid_slope(
        values, view(grad, input_size), grid, how, orders
    ),
    samples=lambda r: [
        (r(1, 2, 2, 2), r(1, 2, 2, 2, low=-0.9, high=0.9), (1, 2, 3, 4), how, orders)
        for how, orders in ((Sampling(0, 0, True), (0, 1)), (Sampling(2, 1, False), (1, 1)))
    ],
    untested="a piece of the gradients of grid_sampler_2d and grid_sampler_3d",
)


def _check(input: Array, grid: Array, dims: int, mode: int) -> None:
    given = f"input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}"
    if length_along(input.shape, 0) != length_along(grid.shape, 0):
        raise RuntimeError(
            f"grid_sampler(): expected grid and input to have same batch size, but got {given}"
        )
    if grid.shape[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but "
            f"got grid with sizes {list(grid.shape)}"
        )
    for dim in range(2, input.ndim):
        if input.shape[dim] == 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input "
                f"has sizes {list(input.shape)} with dimension {dim} being empty"
            )
    if input.ndim != dims + 2 or grid.ndim != input.ndim:
        raise RuntimeError(
            f"grid_sampler(): expected {dims + 2}D input and grid with same number of dimensions, "
            f"but got {given}"
        )
    if dims == 3 and mode == 2:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    kind = dtypes.of(input).scalar_name
    name = "grid_sampler_2d_cpu_kernel_impl" if dims == 2 else "grid_sampler3d_cpu"
    require_kinds(input.dtype, "f", name)
    if input.dtype != grid.dtype:
        raise RuntimeError(f"expected scalar type {kind} but found {dtypes.of(grid).scalar_name}")


def _sampling(mode: int, padding: int, align_corners: bool) -> Sampling:
    """Numbers that name no mode or padding mean the last one, as in PyTorch's kernels."""
    return Sampling(
        mode if mode in (0, 1, 2) else 2, padding if padding in (0, 1, 2) else 2, align_corners
    )


def _backward(
    grad_output: Array, input: Array, grid: Array, how: Sampling, needs: tuple[bool, ...]
) -> tuple[Array, Array]:
    """Gradients of input and grid; an empty array for one that is not wanted."""
    points = _Points(input.shape, grid, how)
    dims, values = points.dims, _flat(grad_output)
    grad_input = grad_grid = np.empty(0, input.dtype)
    if needs[0]:
        grad_input = points.scatter(values, (0,) * dims).reshape(input.shape)
    if needs[1]:
        slopes = points.gather(input, [_unit(dims, axis) for axis in range(dims)])
        parts = [(values * slope).sum(axis=1) for slope in slopes]
        grad_grid = np.stack(parts, -1).reshape(grid.shape)
    return grad_input, grad_grid


def _double_backward(
    grads: tuple[Any, Any],
    grad_output: Any,
    input: Any,
    grid: Any,
    how: Sampling,
    needs: tuple[bool, ...],
) -> tuple[Any, Any, Any]:
    of_input, of_grid = grads
    dims = shape_of(grid)[-1]
    sample, backward = _rows[dims]
    found: list[Any] = [None, None, None]
    if of_input is not None:
        if needs[0]:
            found[0] = sample(of_input, grid, *how)
        if needs[2]:
            found[2] = backward(grad_output, of_input, grid, how, (False, True))[1]
    if of_grid is None or how.mode == _NEAREST:
        return found[0], found[1], found[2]
    for axis in range(dims):
        orders = _unit(dims, axis)
        share = unsqueeze(select(of_grid, -1, axis), 1)
        if needs[0]:
            found[0] = added(found[0], tap_sum(input, grid, how, orders) * share)
        if needs[1]:
            moved = transposed_tap_sum(grad_output * share, grid, shape_of(input), how, orders)
            found[1] = added(found[1], moved)
        if needs[2]:
            bent = _grid_slope(grad_output * share, input, grid, how, orders)
            found[2] = added(found[2], bent)
    if found[1] is not None:
        found[1] = view(found[1], shape_of(input))
    return found[0], found[1], found[2]


def _grid_rows(dims: int) -> tuple[Row, Row]:
    name = f"grid_sampler_{dims}d"
    size, out = (4, 3, 2)[:dims], (2, 3, 1)[:dims]

    def sample(
        input: Array, grid: Array, interpolation_mode: int, padding_mode: int, align_corners: bool
    ) -> Array:
        """Images sampled at the points of a grid whose coordinates run from -1 to 1."""
        _check(input, grid, dims, interpolation_mode)
        how = _sampling(interpolation_mode, padding_mode, align_corners)
        return _sum(input, grid, how, (0,) * dims)

    def differentiate(
        grad: Any,
        input: Any,
        grid: Any,
        interpolation_mode: int,
        padding_mode: int,
        align_corners: bool,
        needs: tuple[bool, ...],
    ) -> Any:
        how = _sampling(interpolation_mode, padding_mode, align_corners)
        return backward(grad, input, grid, how, needs)

    def calls(r: Any) -> list[tuple[Any, ...]]:
        options = [(0, 0, False), (1, 1, True), (2 if dims == 2 else 0, 2, False), (0, 1, True)]
        return [(r(1, 2, *size), r(1, *out, dims, low=-1.4, high=1.4), *each) for each in options]

    # PyTorch's kernels round each step to half precision.
    forward = row(
        name,
        sample,
        halves=False,
        linear="input",
        joint=("input grid", differentiate),
        samples=calls,
    )
    backward = row(
        f"aten.{name}_backward(Tensor grad_output, Tensor input, Tensor grid, any how, "
        "bool[] output_mask)",
        _backward,
        halves=False,
        linear="grad_output",
        joint=("grad_output input grid", _double_backward),
        samples=lambda r: [
            (r(1, 2, *out), *call[:2], _sampling(*call[2:]), (True, True)) for call in calls(r)
        ],
        doc="The gradients of sampling in the images and in the grid.",
        pytorch=(
            f"aten.{name}_backward(grad_output, input, grid, how.mode, how.padding, "
            "how.align_corners, output_mask)"
        ),
    )
    return forward, backward


_rows: Final = {dims: _grid_rows(dims) for dims in (2, 3)}


@composite(
    "grid_sampler",
    samples=lambda r: [(r(1, 1, 3, 3), r(1, 2, 2, 2, low=-0.9, high=0.9), 0, 0, False)],
)
def grid_sampler(
    input: Value, grid: Value, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Any:
    """Images of two or three dimensions sampled at the points of a grid."""
    dims = 3 if len(shape_of(input)) == 5 else 2
    return _rows[dims][0](input, grid, interpolation_mode, padding_mode, align_corners)


@composite(
    "nn.functional.grid_sample",
    samples=lambda r: [
        (r(1, 1, 3, 3), r(1, 2, 2, 2, low=-0.9, high=0.9), "bicubic", "border"),
        (r(1, 1, 2, 3, 3), r(1, 1, 2, 2, 3, low=-1.4, high=1.4), "bilinear", "reflection", True),
    ],
)
def grid_sample(
    input: Value,
    grid: Value,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """Images (N, C, ...) sampled at the points of a grid (N, ..., 2 or 3)."""
    if mode not in _MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
            f"but got: '{mode}'"
        )
    if padding_mode not in _PADDINGS:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or "
            f"'reflection', but got: '{padding_mode}'"
        )
    numbers = _MODES.index(mode), _PADDINGS.index(padding_mode)
    return grid_sampler(input, grid, *numbers, bool(align_corners))

"""Grids of affine maps: where they take the pixels of an image."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from gradcli.ops.algebra.creation import checked_size
from gradcli.ops.algebra.products import bmm
from gradcli.ops.algebra.views import reshape, shape_of, transpose
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import constant, raw
from gradcli.typing import Array, Value

Sizes = Sequence[int]


def _steps(count: int, align_corners: bool, dtype: Any) -> Array:
    """The centres of `count` pixels from -1 to 1; of the outer ones, if corners are aligned."""
    if count <= 1:
        return np.zeros(count, dtype)
    require_kinds(dtype, "iufc", "linspace_cpu")
    number = np.arange(count)
    step = dtype.type(2.0 / (count - 1))
    line = np.where(number < count // 2, -1 + step * number, 1 - step * (count - 1 - number))
    line = line.astype(dtype)
    return line if align_corners else line * dtype.type(count - 1) / dtype.type(count)


def _base_grid(size: Sizes, align_corners: bool, dtype: Any) -> Array:
    """Homogeneous coordinates (*size, dims + 1) of the pixels of an image."""
    grid = np.ones((*size, len(size) + 1), dtype)
    for axis, count in enumerate(reversed(size)):
        line = _steps(count, align_corners, dtype)
        grid[..., axis] = line.reshape(-1, *(1,) * axis)
    return grid


def _affine_grid(theta: Array, size: Sequence[int], align_corners: bool) -> Array:
    if len(size) not in (4, 5):
        raise RuntimeError("AffineGridGenerator needs 4d (spatial) or 5d (volumetric) inputs.")
    checked_size((size[0], *size[2:], len(size) - 1), dtypes.of(theta))
    base = _base_grid(size[2:], align_corners, theta.dtype)
    for dim in (1, 2):
        wrap_dim(dim, theta.ndim)
    if theta.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    if (theta.shape[0], theta.shape[2]) != (size[0], base.shape[-1]):
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{size[0]}, {base.shape[-1]}] but got: [{theta.shape[0]}, {theta.shape[2]}]."
        )
    points = base.reshape(-1, base.shape[-1]) @ theta.swapaxes(1, 2)
    return points.reshape(size[0], *size[2:], theta.shape[1])


def _affine_grid_backward(grad: Any, size: Sizes, align_corners: bool) -> Any:
    dims = len(size) - 2
    array = raw(grad)
    base = _base_grid(size[2:], align_corners, array.dtype).reshape(-1, dims + 1)
    turned: Any = np.broadcast_to(base.T, (size[0], *base.T.shape))
    flat = reshape(grad, (size[0], prod(size[2:]), dims))
    slope = bmm(constant(turned, grad), flat)
    return transpose(slope, 1, 2)


affine_grid_generator: Row = row(
    "affine_grid_generator",
    _affine_grid,
    linear="theta",
    theta=_affine_grid_backward,
    complex_gradient=False,
    samples=lambda r: [(r(2, 2, 3), (2, 1, 3, 2), False), (r(1, 3, 4), (1, 1, 2, 1, 3), True)],
    doc="Where affine maps take the pixels of an image.",
)


@composite("nn.functional.affine_grid", samples=lambda r: [(r(2, 2, 3), (2, 1, 3, 2))])
def affine_grid(theta: Value, size: Sequence[int], align_corners: bool | None = None) -> Any:
    """A grid for grid_sample, from matrices (N, 2, 3) or (N, 3, 4) of affine maps."""
    shape, told = shape_of(theta), f"({', '.join(map(str, size))})"
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {told}."
        )
    dims = len(size) - 2
    if len(shape) != 3 or tuple(shape[1:]) != (dims, dims + 1):
        raise ValueError(
            f"Expected a batch of {dims}D affine matrices of shape Nx{dims}x{dims + 1} for size "
            f"{told}. Got torch.Size({list(shape)})."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {told}")
    return affine_grid_generator(theta, size, bool(align_corners))

"""Interpolation of images to another size: nearest, linear, cubic, area, and with antialiasing.

Images have the shape (N, C, *size). Every mode is separable and linear: along each dimension an
output is a weighted sum of a few inputs, its taps. The gradient is the transposed sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.kernels.windows import Windows, picked, selector
from gradcli.ops.algebra.views import shape_of
from gradcli.ops.images.adaptive_pooling import averages_of
from gradcli.ops.images.resampling_checks import fitted, requested
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor.errors import no_kernel
from gradcli.tensor.memory import reserve
from gradcli.tensor.tensor import raw
from gradcli.typing import Array, Value

Sizes = Sequence[int]


class Resampling(NamedTuple):
    """What an interpolation was asked for: one number per spatial dimension.

    `scales` are the factors by which a user scaled; with None they follow from the sizes.
    """

    size: tuple[int, ...]
    out: tuple[int, ...]
    scales: tuple[float, ...] | None = None
    align_corners: bool = False


class Tap(NamedTuple):
    """One input of every output along a dimension: its position and its weight."""

    positions: Array
    weights: Array | None


class Axis(NamedTuple):
    """Everything that the taps of one dimension depend on."""

    size: int
    out: int
    scale: float | None
    align_corners: bool
    dtype: Any


def _ratio(axis: Axis) -> Any:
    """The distance between neighbouring outputs, in inputs."""
    real = axis.dtype.type
    if axis.align_corners:
        return real(axis.size - 1) / real(axis.out - 1) if axis.out > 1 else real(0)
    if axis.scale is not None and axis.scale > 0:
        return real(1.0 / axis.scale)
    return real(axis.size) / real(axis.out)


def _centres(axis: Axis) -> Array:
    """Where each output's centre lies among the inputs."""
    number = np.arange(axis.out, dtype=axis.dtype)
    if axis.align_corners:
        return _ratio(axis) * number
    half = axis.dtype.type(0.5)
    return _ratio(axis) * (number + half) - half


def _floor(positions: Array) -> Array:
    """Rounded down after rounding to single precision, as PyTorch's kernels do."""
    return np.floor(positions.astype(np.float32)).astype(np.int64)


def _nearest(axis: Axis) -> list[Tap]:
    places = _ratio(axis) * np.arange(axis.out, dtype=axis.dtype)
    return [Tap(np.minimum(_floor(places), axis.size - 1), None)]


def _nearest_exact(axis: Axis) -> list[Tap]:
    half = axis.dtype.type(0.5)
    places = np.maximum(_centres(axis), 0) + half
    return [Tap(np.minimum(_floor(places), axis.size - 1), None)]


def _single(axis: Axis) -> Axis:
    """The same dimension with positions in single precision."""
    return axis._replace(dtype=np.dtype(np.float32))


def _nearest_single(axis: Axis) -> list[Tap]:
    """The positions as PyTorch's gradients and its kernel for small images take them."""
    if axis.out in (axis.size, 2 * axis.size):
        return [Tap(np.arange(axis.out) * axis.size // axis.out, None)]
    return _nearest(_single(axis))


def _nearest_exact_single(axis: Axis) -> list[Tap]:
    single = _single(axis)
    places = (np.arange(axis.out, dtype=np.float32) + np.float32(0.5)) * _ratio(single)
    return [Tap(np.minimum(_floor(places), axis.size - 1), None)]


def _linear(axis: Axis) -> list[Tap]:
    if axis.size == axis.out:
        places = np.arange(axis.out, dtype=axis.dtype)
    else:
        places = _centres(axis)
        if not axis.align_corners:
            places = np.maximum(places, 0)
    left = np.minimum(_floor(places), axis.size - 1)
    share = np.clip(places - left.astype(axis.dtype), 0, 1)
    return [Tap(left, 1 - share), Tap(np.minimum(left + 1, axis.size - 1), share)]


def cubic_weights(share: Array, sharpness: float) -> list[Array]:
    """Keys' cubic convolution: the weights of the four elements around a position.

    `share` is the position's distance from the second of them, in [0, 1).
    """
    a = sharpness

    def near(x: Array) -> Array:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Array) -> Array:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(share + 1), near(share), near(1 - share), far(2 - share)]


def _cubic(axis: Axis) -> list[Tap]:
    places = _centres(axis)
    left = np.floor(places)
    weights = cubic_weights(places - left, -0.75)
    start = left.astype(np.int64) - 1
    return [Tap(np.clip(start + k, 0, axis.size - 1), weight) for k, weight in enumerate(weights)]


def _triangle(x: Array) -> Array:
    return np.maximum(1 - np.abs(x), 0)


def _smooth_cubic(x: Array) -> Array:
    """Keys' kernel with the sharpness that is usual for images, -0.5."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = -0.5 * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(x: Array) -> Array:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


def _antialiased(kernel: Callable[[Array], Array], reach: float) -> Callable[[Axis], list[Tap]]:
    """Taps from a kernel that is as wide as an output where that is wider than an input."""

    def taps(axis: Axis) -> list[Tap]:
        ratio = _ratio(axis)
        width = max(ratio, axis.dtype.type(1))
        centre = ratio * (np.arange(axis.out, dtype=axis.dtype) + axis.dtype.type(0.5))
        start = np.maximum((centre - width * reach + 0.5).astype(np.int64), 0)
        stop = np.minimum((centre + width * reach + 0.5).astype(np.int64), axis.size)
        count = int((stop - start).max())
        offsets = start + np.arange(count)[:, None]
        distance = (offsets - centre + axis.dtype.type(0.5)) * (1 / width)
        weights = np.where(offsets < stop, kernel(distance), 0)
        weights = (weights / weights.sum(axis=0)).astype(axis.dtype)
        places = np.minimum(offsets, stop - 1)
        return [Tap(*each) for each in zip(places, weights, strict=True)]

    return taps


_MODES: Final[dict[str, Callable[[Axis], list[Tap]]]] = {
    "nearest": _nearest,
    "nearest-exact": _nearest_exact,
    "nearest single": _nearest_single,
    "nearest-exact single": _nearest_exact_single,
    "linear": _linear,
    "cubic": _cubic,
    "linear antialiased": _antialiased(_triangle, 1),
    "cubic antialiased": _antialiased(_smooth_cubic, 2),
    "lanczos antialiased": _antialiased(_lanczos, 3),
}


@lru_cache(maxsize=256)
def _taps(mode: str, axis: Axis) -> list[tuple[Any, Array | None, Windows]]:
    """Positions and weights of each tap, and for each input the outputs that a tap brings it to."""
    made = []
    for positions, weights in _MODES[mode](axis):
        covering = Windows(axis.size, positions, positions + 1).transposed
        made.append((selector(positions), weights, covering))
    return made


def _axes(plan: Resampling, dtype: Any) -> list[Axis]:
    scales = plan.scales or (None,) * len(plan.size)
    pairs = zip(plan.size, plan.out, scales, strict=True)
    return [Axis(size, out, scale, plan.align_corners, dtype) for size, out, scale in pairs]


_SMALL: Final = 128
"""PyTorch has a kernel of its own for images whose height and width add up to this at most."""


def _weighted(values: Array, weights: Array | None, axis: int) -> Array:
    if weights is None:
        return values
    return values * weights.reshape(-1, *(1,) * (-axis - 1))


def _resample(self: Array, plan: Resampling, mode: str) -> Array:
    if mode.startswith("nearest") and len(plan.out) == 2 and sum(plan.out) <= _SMALL:
        mode += " single"
    kind = self.dtype if self.dtype.kind == "f" else np.dtype(np.float32)
    given = self
    for axis, along_it in zip(
        range(-1, -len(plan.size) - 1, -1), reversed(_axes(plan, kind)), strict=True
    ):
        if mode.endswith("antialiased") and along_it.size == along_it.out:
            continue
        total: Array = None
        for positions, weights, _ in _taps(mode, along_it):
            part = _weighted(picked(self, axis, positions), weights, axis)
            if total is None:
                is_view = weights is None and isinstance(positions, slice)
                total = part.copy() if is_view else part
            else:
                total += part
        self = total
    return self.copy() if self is given else self


def _resample_backward(grad_output: Array, plan: Resampling, mode: str) -> Array:
    if mode.startswith("nearest"):
        mode += " single"
    for axis, along_it in zip(
        range(-1, -len(plan.size) - 1, -1), reversed(_axes(plan, grad_output.dtype)), strict=True
    ):
        total: Array = None
        for _, weights, covering in _taps(mode, along_it):
            part = covering.sum(_weighted(grad_output, weights, axis), axis)
            total = part if total is None else total + part
        grad_output = total
    return grad_output


def _check(shape: Sizes, plan: Resampling) -> None:
    dims = len(plan.size)
    if min(*plan.size, *plan.out) <= 0:
        given, made = (
            ", ".join(f"{name}: {n}" for name, n in zip("DHW"[-dims:], lengths, strict=True))
            for lengths in (plan.size, plan.out)
        )
        joint = " and" if dims == 1 else ""
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({given}){joint} "
            f"output ({made})"
        )
    if 0 in shape[1:]:
        raise RuntimeError(
            f"Non-empty {dims + 2}D data tensor expected but got a tensor with sizes {list(shape)}"
        )


def _kernel_name(mode: str, dims: int) -> str:
    """Which of PyTorch's kernels complains about an element type."""
    if mode.startswith("nearest"):
        return (
            f"upsample_nearest{dims}d_channels_last"
            if dims > 1
            else ("compute_indices_weights_nearest")
        )
    if mode.endswith("antialiased"):
        return "compute_index_ranges_weights"
    if mode == "linear" and dims == 2:
        return "upsample_bilinear2d_channels_last"
    return f"compute_indices_weights_{mode}"


def _make_row(name: str, mode: str, dims: int) -> Row:
    """The rows of one interpolation, `aten.NAME` and its gradient, `aten.NAME_backward`."""
    size, out = (3, 4, 2)[:dims], (5, 2, 3)[:dims]
    options = "" if mode.startswith("nearest") else "plan.align_corners, "
    plans = [Resampling(size, out), Resampling(size, out, (1.7, 0.6, 1.5)[:dims])]
    if mode in ("linear", "cubic"):
        plans.append(Resampling(size, out, None, True))

    def compute(self: Array, plan: Resampling) -> Array:
        _check(self.shape, plan)
        if self.dtype.kind != "f" and not (mode.startswith("nearest") and self.dtype == np.uint8):
            raise no_kernel(_kernel_name(mode, dims), self.dtype)
        return _resample(self, plan, mode)

    forward = row(
        f"aten.{name}",
        compute,
        linear="self",
        self=lambda grad, plan: backward(grad, plan),
        samples=lambda r: [(r(1, 2, *size), plan) for plan in plans],
        doc=f"Images of another size, by {mode} interpolation.",
        pytorch=f"aten.{name}(self, plan.out, {options}*(plan.scales or ()))",
    )
    backward = row(
        f"aten.{name}_backward(Tensor grad_output, any plan)",
        lambda grad_output, plan: _resample_backward(grad_output, plan, mode),
        linear="grad_output",
        grad_output=lambda grad, plan: forward(grad, plan),
        samples=lambda r: [(r(1, 2, *out), plan) for plan in plans],
        doc=f"The gradient of {mode} interpolation.",
        pytorch=(
            f"aten.{name}_backward(grad_output, plan.out, [*grad_output.shape[:2], *plan.size], "
            f"{options}*(plan.scales or ()))"
        ),
    )
    return forward


_ROWS: Final = {
    ("nearest", 1, False): _make_row("upsample_nearest1d", "nearest", 1),
    ("nearest", 2, False): _make_row("upsample_nearest2d", "nearest", 2),
    ("nearest", 3, False): _make_row("upsample_nearest3d", "nearest", 3),
    ("nearest-exact", 1, False): _make_row("_upsample_nearest_exact1d", "nearest-exact", 1),
    ("nearest-exact", 2, False): _make_row("_upsample_nearest_exact2d", "nearest-exact", 2),
    ("nearest-exact", 3, False): _make_row("_upsample_nearest_exact3d", "nearest-exact", 3),
    ("linear", 1, False): _make_row("upsample_linear1d", "linear", 1),
    ("bilinear", 2, False): _make_row("upsample_bilinear2d", "linear", 2),
    ("trilinear", 3, False): _make_row("upsample_trilinear3d", "linear", 3),
    ("bicubic", 2, False): _make_row("upsample_bicubic2d", "cubic", 2),
    ("bilinear", 2, True): _make_row("_upsample_bilinear2d_aa", "linear antialiased", 2),
    ("bicubic", 2, True): _make_row("_upsample_bicubic2d_aa", "cubic antialiased", 2),
    ("lanczos", 2, True): _make_row("_upsample_lanczos2d_aa", "lanczos antialiased", 2),
}
"""By (mode, spatial dimensions, antialias)."""


_MESSAGES: Final = {
    ("linear", 2): "Got 4D input, but linear mode needs 3D input",
    ("linear", 3): "Got 5D input, but linear mode needs 3D input",
    ("bilinear", 1): "Got 3D input, but bilinear mode needs 4D input",
    ("bilinear", 3): "Got 5D input, but bilinear mode needs 4D input",
    ("trilinear", 1): "Got 3D input, but trilinear mode needs 5D input",
    ("trilinear", 2): "Got 4D input, but trilinear mode needs 5D input",
}


def _check_options(size: Any, scale_factor: Any, mode: str, align_corners: bool | None) -> None:
    """The complaints about options that do not go together."""
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear "
            "| bicubic | trilinear"
        )
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")


@composite(
    "nn.functional.interpolate",
    samples=lambda r: [
        (r(1, 2, 3), 5),
        (r(1, 1, 3, 4), (5, 3), None, "bilinear", True),
        (r(1, 1, 4, 3), None, 1.7, "bicubic"),
        (r(1, 1, 5, 6), None, (0.5, 0.4), "bilinear", False, True, True),
        (r(1, 1, 2, 3, 2), 3, None, "trilinear"),
        (r(1, 1, 5, 4), (2, 3), None, "area"),
    ],
)
def interpolate(
    input: Value,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Any:
    """Images (N, C, ...) of another size, given as such or as a scale factor."""
    shape = shape_of(input)
    dims = len(shape) - 2
    _check_options(size, scale_factor, mode, align_corners)
    recompute = bool(recompute_scale_factor)
    if recompute and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    out, scales = requested(shape, size, scale_factor, recompute or mode == "area")
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and dims == 2):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    if mode == "lanczos" and not antialias:
        raise ValueError("Lanczos mode requires antialias=True")
    if mode == "area" and dims in (1, 2, 3):
        return averages_of(input, out, dims)
    if (mode, dims) in _MESSAGES:
        raise NotImplementedError(_MESSAGES[mode, dims])
    if (mode, dims, antialias) not in _ROWS:
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {dims + 2}D) for the "
            "modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | "
            f"nearest-exact (got {mode})"
        )
    made = _ROWS[mode, dims, antialias]
    corners = not mode.startswith("nearest")
    lengths, factors = fitted(made.names[0].removeprefix("aten."), shape, corners, out, scales)
    reserve((*shape[:2], *lengths), raw(input).itemsize)
    return made(input, Resampling(tuple(shape[2:]), lengths, factors, bool(align_corners)))


@composite(
    "nn.functional.upsample",
    samples=lambda r: [(r(1, 1, 3), 5), (r(1, 1, 2, 3), None, 2, "bilinear")],
)
def upsample(
    input: Value,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """An older name of interpolate."""
    return interpolate(input, size, scale_factor, mode, align_corners)


@composite("nn.functional.upsample_nearest", samples=lambda r: [(r(1, 1, 3), 5)])
def upsample_nearest(input: Value, size: Any = None, scale_factor: Any = None) -> Any:
    """An older name of interpolate with mode 'nearest'."""
    return interpolate(input, size, scale_factor, "nearest")


@composite("nn.functional.upsample_bilinear", samples=lambda r: [(r(1, 1, 3, 2), 5)])
def upsample_bilinear(input: Value, size: Any = None, scale_factor: Any = None) -> Any:
    """An older name of interpolate with mode 'bilinear' and aligned corners."""
    return interpolate(input, size, scale_factor, "bilinear", True)

"""Images cut into sliding blocks and put together again; shuffles between channels and pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final

import numpy as np

from gradcli.kernels.windows import (
    Geometry,
    add_patches,
    count_windows,
    pad,
    patches,
    unpad,
)
from gradcli.ops.algebra.views import shape_of
from gradcli.ops.images.spatial import repeated
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import length_along
from gradcli.typing import Array, Value

Sizes = Sequence[int]

_MOST: Final = (1 << 63) - 1


def _check_pairs(names: str, *sizes: Sizes) -> None:
    for name, values in zip(names.split(), sizes, strict=True):
        if len(values) != 2:
            raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(values)}")


def _geometry(
    size: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Geometry:
    """The windows over an image of `size`, after PyTorch's checks of the numbers."""
    for word, values, name in (
        ("kernel size", kernel, "kernel"),
        ("dilation", dilation, "dilation"),
        ("padding", padding, "pad"),
        ("stride", stride, "stride"),
    ):
        if min(values) < (0 if word == "padding" else 1):
            bound = "non-negative" if word == "padding" else "greater than zero"
            raise RuntimeError(
                f"{word} should be {bound}, but got {name}_height: {values[0]} {name}_width: "
                f"{values[1]}"
            )
    options = (tuple(kernel), tuple(stride), tuple(padding), tuple(dilation))
    out = tuple(map(count_windows, size, *options))
    return Geometry(tuple(size), out, *options)


def _told(geometry: Geometry) -> str:
    named = zip(
        ("kernel_size", "dilation", "padding"),
        (geometry.kernel, geometry.dilation, geometry.padding),
        strict=True,
    )
    return ", ".join(f"{name}=({a}, {b})" for name, (a, b) in named)


def _im2col(
    self: Array,
    kernel_size: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Array:
    """The sliding blocks of images, one a column."""
    _check_pairs("kernel_size dilation padding stride", kernel_size, dilation, padding, stride)
    shape = list(self.shape)
    if self.ndim not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {shape}"
        )
    geometry = _geometry(shape[-2:], kernel_size, dilation, padding, stride)
    if min(geometry.out) < 1:
        raise RuntimeError(
            f"Given input with spatial size ({shape[-2]}, {shape[-1]}), {_told(geometry)}, "
            f"calculated shape of the array of sliding blocks as ({geometry.out[0]}, "
            f"{geometry.out[1]}), but its components must be at least one."
        )
    require_kinds(self.dtype, "fcb", "im2col_out_cpu")
    images = self if self.ndim == 4 else self[None]
    blocks = patches(pad(images, geometry), geometry).transpose(3, 0, 1, 2, 4, 5)
    height = shape[-3] * prod(geometry.kernel)
    return blocks.reshape(*shape[:-3], height, prod(geometry.out))


def _check_blocks(shape: Sizes, geometry: Geometry) -> None:
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {list(shape)}"
        )
    lead = len(shape) - 2
    if shape[-2] % prod(geometry.kernel):
        raise RuntimeError(
            f"Expected size of input's dimension {lead} to be divisible by the product of "
            f"kernel_size, but got input.size({lead})={shape[-2]} and "
            f"kernel_size=({geometry.kernel[0]}, {geometry.kernel[1]})."
        )
    rows, columns = (max(count, 0) for count in geometry.out)
    if shape[-1] != rows * columns:
        (height, width), (down, right) = geometry.size, geometry.stride
        raise RuntimeError(
            f"Given output_size=({height}, {width}), {_told(geometry)}, stride=({down}, {right}), "
            f"expected size of input's dimension {lead + 1} to match the calculated number of "
            f"sliding blocks {rows} * {columns} = {rows * columns}, but got "
            f"input.size({lead + 1})={shape[-1]}."
        )


def _col2im(
    self: Array,
    output_size: Sequence[int],
    kernel_size: Sequence[int],
    dilation: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int],
) -> Array:
    """Images from sliding blocks, one a column; overlaps add up."""
    sizes = (output_size, kernel_size, dilation, padding, stride)
    _check_pairs("output_size kernel_size dilation padding stride", *sizes)
    geometry = _geometry(output_size, kernel_size, dilation, padding, stride)
    _check_blocks(self.shape, geometry)
    require_kinds(self.dtype, "fcb", "col2im_out_cpu")
    blocks = self if self.ndim == 3 else self[None]
    channels = blocks.shape[1] // prod(geometry.kernel)
    columns = blocks.reshape(blocks.shape[0], channels, *geometry.kernel, *geometry.out)
    images = np.zeros((blocks.shape[0], channels, *geometry.padded), self.dtype)
    add_patches(images, columns.transpose(1, 2, 3, 0, 4, 5), geometry)
    images = np.ascontiguousarray(unpad(images, geometry))
    return images if self.ndim == 3 else images[0]


im2col: Row = row(
    "aten.im2col",
    _im2col,
    linear="self",
    self=lambda grad, self_shape, kernel_size, dilation, padding, stride: col2im(
        grad, self_shape[-2:], kernel_size, dilation, padding, stride
    ),
    samples=lambda r: [
        (r(1, 2, 4, 5), (2, 3), (1, 1), (0, 1), (1, 2)),
        (r(2, 4, 4), (2, 2), (2, 1), (1, 0), (1, 1)),
    ],
)
col2im: Row = row(
    "aten.col2im",
    _col2im,
    linear="self",
    self=im2col,
    samples=lambda r: [
        (r(1, 8, 9), (4, 4), (2, 2), (1, 1), (0, 0), (1, 1)),
        (r(4, 6), (3, 2), (2, 2), (1, 1), (1, 1), (2, 1)),
    ],
)


@composite(
    "nn.functional.unfold", samples=lambda r: [(r(1, 2, 3, 4), 2), (r(2, 3, 4), (1, 2), 1, 1, 2)]
)
def unfold(
    input: Value, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The sliding blocks of images (N, C, H, W), as columns (N, C * taps, blocks)."""
    sizes = (repeated(values, 2) for values in (kernel_size, dilation, padding, stride))
    fitted = im2col.signature.fit(input, *sizes)
    shape = shape_of(input)
    if len(shape) < 3:
        length_along(shape, len(shape) or 1)
    return im2col(*fitted)


@composite(
    "nn.functional.fold", samples=lambda r: [(r(1, 8, 6), (3, 4), 2), (r(4, 4), 3, 2, 2, 1, 2)]
)
def fold(
    input: Value,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Images (N, C, *output_size) from columns (N, C * taps, blocks); overlaps add up."""
    sizes = (output_size, kernel_size, dilation, padding, stride)
    return col2im(*col2im.signature.fit(input, *(repeated(values, 2) for values in sizes)))


def _check_pixels(self: Array, factor: int, name: str, argument: str) -> None:
    if self.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {self.ndim} "
            "dimension(s)"
        )
    if factor**2 > _MOST and name == "pixel_shuffle":
        raise ValueError(
            f"upscale factor is too large, (upscale_factor)^2 overflowed: upscale_factor={factor}"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {argument}, but got {factor}")


def _pixel_shuffle(self: Array, upscale_factor: int) -> Array:
    _check_pixels(self, upscale_factor, "pixel_shuffle", "upscale_factor")
    factor, (*lead, channels, height, width) = upscale_factor, self.shape
    if channels % factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={channels} is not divisible by {factor**2}"
        )
    left = channels // factor**2
    parts = self.reshape(*lead, left, factor, factor, height, width)
    mixed = np.moveaxis(parts, (-4, -3), (-3, -1))
    return mixed.reshape(*lead, left, height * factor, width * factor)


def _pixel_unshuffle(self: Array, downscale_factor: int) -> Array:
    _check_pixels(self, downscale_factor, "pixel_unshuffle", "downscale_factor")
    factor, (*lead, channels, height, width) = downscale_factor, self.shape
    for word, length, dim in (("height", height, -2), ("width", width, -1)):
        if length % factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {word} to be divisible by downscale_factor, but "
                f"input.size({dim})={length} is not divisible by {factor}"
            )
    parts = self.reshape(*lead, channels, height // factor, factor, width // factor, factor)
    mixed = np.moveaxis(parts, (-3, -1), (-4, -3))
    return mixed.reshape(*lead, channels * factor**2, height // factor, width // factor)


def _once_copied(forward: Callable[..., Array]) -> Callable[..., Array]:
    """Makes sure that a rearrangement never shares its operand's memory."""

    def computed(self: Array, factor: int) -> Array:
        made = forward(self, factor)
        return made.copy() if np.may_share_memory(made, self) else made

    return computed


pixel_shuffle: Row = row(
    "pixel_shuffle|nn.functional.pixel_shuffle(Tensor input, int upscale_factor)",
    _once_copied(_pixel_shuffle),
    linear="input",
    input=lambda grad, upscale_factor: pixel_unshuffle(grad, upscale_factor),
    samples=lambda r: [(r(1, 8, 2, 3), 2), (r(9, 1, 2), 3)],
    doc="Channels moved into finer pixels: (C * r * r, H, W) to (C, H * r, W * r).",
)
pixel_unshuffle: Row = row(
    "pixel_unshuffle|nn.functional.pixel_unshuffle(Tensor input, int downscale_factor)",
    _once_copied(_pixel_unshuffle),
    linear="input",
    input=lambda grad, downscale_factor: pixel_shuffle(grad, downscale_factor),
    samples=lambda r: [(r(1, 2, 4, 2), 2), (r(1, 3, 6), 3)],
    doc="Pixels moved into channels: (C, H * r, W * r) to (C * r * r, H, W).",
)


def _channel_shuffle(self: Array, groups: int) -> Array:
    if self.ndim <= 2:
        raise RuntimeError(
            f"channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{list(self.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    batch, channels, *size = self.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} "
            "groups."
        )
    parts = self.reshape(batch, groups, channels // groups, *size)
    return parts.swapaxes(1, 2).reshape(self.shape)


channel_shuffle: Row = row(
    "channel_shuffle|nn.functional.channel_shuffle(Tensor input, int groups)",
    _once_copied(_channel_shuffle),
    linear="input",
    input=lambda grad, groups: channel_shuffle(grad, shape_of(grad)[1] // groups),
    samples=lambda r: [(r(1, 6, 2), 2), (r(2, 4, 1, 2), 4)],
    doc="Channels dealt out: those of each group take every `groups`-th place.",
)

"""Windows that slide over arrays: the array work behind convolutions, pools and resampling.

Images are arrays of shape (N, C, *size), a batch of N with C channels each. A convolution gathers
its windows into columns, so that it becomes a matrix product; its two adjoints multiply first and
scatter afterwards. All three work through the batch in blocks that fit the processor's cache, so
they need little memory beyond their result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from gradcli.typing import Array

BLOCK_BYTES: Final = 1 << 22
"""Bytes of gathered columns that are worked on at a time."""


class Geometry(NamedTuple):
    """How the windows of a convolution lie over an image: one number per spatial dimension.

    `size` is the image's, `out` counts the windows; both belong to the direction from image
    to windows, whichever of the two a caller computes.
    """

    size: tuple[int, ...]
    out: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def padded(self) -> tuple[int, ...]:
        return tuple(n + 2 * p for n, p in zip(self.size, self.padding, strict=True))

    @property
    def is_pointwise(self) -> bool:
        """Whether each window is the one element it stands on."""
        return prod(self.kernel) == 1 and self.size == self.out and not any(self.padding)


def count_windows(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """How many windows fit along a dimension."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def pad(images: Array, geometry: Geometry) -> Array:
    """The images with zeros around them; themselves where no padding is wanted."""
    if not any(geometry.padding):
        return images
    room: Array = np.zeros(images.shape[:2] + geometry.padded, images.dtype)
    room[(..., *_inside(geometry))] = images
    return room


def unpad(padded: Array, geometry: Geometry) -> Array:
    """A view of the images within their padding."""
    return padded[(..., *_inside(geometry))]


def _inside(geometry: Geometry) -> tuple[slice, ...]:
    """Where the image lies within its padding."""
    return tuple(slice(p, p + n) for n, p in zip(geometry.size, geometry.padding, strict=True))


def _jump(step: int, times: int, count: int) -> int:
    """Bytes from each of `count` places to the next; of a single one, any number will do."""
    return step * times if count > 1 else 0


def patches(padded: Array, geometry: Geometry) -> Array:
    """A view of the windows of padded images (N, C, *padded) of shape (C, *kernel, N, *out)."""
    batch, channel, *steps = padded.strides
    return as_strided(
        padded,
        (padded.shape[1], *geometry.kernel, padded.shape[0], *geometry.out),
        (
            channel,
            *map(_jump, steps, geometry.dilation, geometry.kernel),
            batch,
            *map(_jump, steps, geometry.stride, geometry.out),
        ),
        writeable=False,
    )


def add_patches(padded: Array, columns: Array, geometry: Geometry, first: int = 0) -> None:
    """Adds columns (C, *kernel, N, rows, ...) to the places that `patches` would take them from.

    `first` is the first of the rows of windows along the first spatial dimension.
    """
    target = padded.swapaxes(0, 1)
    starts = (first * geometry.stride[0],) + (0,) * (len(geometry.kernel) - 1)
    counts = columns.shape[len(geometry.kernel) + 2 :]
    for tap in product(*map(range, geometry.kernel)):
        begins = [a + t * d for a, t, d in zip(starts, tap, geometry.dilation, strict=True)]
        where = tuple(
            slice(begin, begin + (count - 1) * step + 1, step)
            for begin, count, step in zip(begins, counts, geometry.stride, strict=True)
        )
        target[(slice(None), slice(None), *where)] += columns[(slice(None), *tap)]


class _Block(NamedTuple):
    """Some images of a batch, or some rows of windows of one image."""

    images: slice
    rows: slice

    @property
    def length(self) -> int:
        return int(self.images.stop - self.images.start)


def _blocks(batch: int, rows: int, image_bytes: int) -> Iterator[_Block]:
    """Cuts a batch so that the columns of each block take about BLOCK_BYTES."""
    if image_bytes <= BLOCK_BYTES:
        step = max(1, BLOCK_BYTES // max(image_bytes, 1))
        for start in range(0, batch, step):
            yield _Block(slice(start, min(start + step, batch)), slice(0, rows))
        return
    step = max(1, rows * BLOCK_BYTES // image_bytes)
    for image in range(batch):
        for start in range(0, rows, step):
            yield _Block(slice(image, image + 1), slice(start, min(start + step, rows)))


class _Columns:
    """Gathers windows into matrices of shape (groups, C / groups * taps, windows)."""

    def __init__(self, images: Array, geometry: Geometry, groups: int) -> None:
        self.images, self.geometry, self.groups = images, geometry, groups
        self.height = images.shape[1] * prod(geometry.kernel)
        self._room: Array = None
        self._padded: Array = None
        self._start = -1

    def blocks(self) -> Iterator[_Block]:
        out = self.geometry.out
        image_bytes = self.height * prod(out) * self.images.itemsize
        return _blocks(self.images.shape[0], out[0], image_bytes)

    def gather(self, block: _Block) -> Array:
        if self.geometry.is_pointwise and block.length == 1:
            image = self.images[block.images.start][:, block.rows]
            return image.reshape(self.groups, self.height // self.groups, prod(image.shape[1:]))
        if block.images.start != self._start:
            self._padded = pad(self.images[block.images], self.geometry)
            self._start = block.images.start
        view = patches(self._padded, self.geometry)
        spatial = len(self.geometry.kernel)
        view = view[(slice(None),) * (spatial + 2) + (block.rows,)]
        if self._room is None:
            self._room = np.empty(view.size, view.dtype)
        room = self._room[: view.size].reshape(view.shape)
        np.copyto(room, view)
        windows = prod(view.shape[spatial + 1 :])
        return room.reshape(self.groups, self.height // self.groups, windows)


def _outputs(maps: Array, block: _Block, groups: int) -> Array:
    """A block of maps (N, O, *out) as matrices (groups, O / groups, windows); a view of one image.

    The rows of one image are a view into the maps, so results can be written through it.
    """
    channels = maps.shape[1]
    if block.length != 1:
        return maps[block.images].swapaxes(0, 1).reshape(groups, channels // groups, -1)
    row = prod(maps.shape[3:])
    flat = maps[block.images.start].reshape(groups, channels // groups, -1)
    return flat[:, :, block.rows.start * row : block.rows.stop * row]


def correlate(images: Array, weight: Array, geometry: Geometry, groups: int) -> Array:
    """Slides kernels (O, C / groups, *kernel) over images (N, C, *size): (N, O, *out)."""
    channels = weight.shape[0]
    matrix = weight.reshape(groups, channels // groups, prod(weight.shape[1:]))
    maps = np.empty((images.shape[0], channels, *geometry.out), images.dtype)
    columns = _Columns(images, geometry, groups)
    for block in columns.blocks():
        gathered = columns.gather(block)
        if block.length == 1:
            np.matmul(matrix, gathered, out=_outputs(maps, block, groups))
        else:
            made = np.matmul(matrix, gathered).reshape(channels, block.length, *geometry.out)
            maps[block.images] = made.swapaxes(0, 1)
    return maps


def correlate_images(maps: Array, weight: Array, geometry: Geometry, groups: int) -> Array:
    """The adjoint of `correlate` in its images: maps (N, O, *out) to (N, C, *size).

    It is what a transposed convolution computes.
    """
    channels = weight.shape[1] * groups
    mirrored = _mirrored_geometry(geometry)
    if mirrored is not None and weight.shape[0] <= channels:
        # Gathering is quicker than scattering, where there is no more to gather.
        return correlate(maps, _mirrored(weight, groups), mirrored, groups)
    matrix = weight.reshape(groups, weight.shape[0] // groups, prod(weight.shape[1:]))
    matrix = matrix.swapaxes(1, 2)
    maps = np.ascontiguousarray(maps)
    padding = any(geometry.padding)
    images = np.zeros((maps.shape[0], channels, *geometry.size), maps.dtype)
    image_bytes = channels * prod(geometry.kernel) * prod(geometry.out) * maps.itemsize
    room: Array = None
    padded: Array = None
    for block in _blocks(maps.shape[0], geometry.out[0], image_bytes):
        if block.rows.start == 0:
            padded = images[block.images]
            if padding:
                padded = np.zeros((block.length, channels, *geometry.padded), maps.dtype)
        operand = _outputs(maps, block, groups)
        shape = (groups, matrix.shape[1], operand.shape[2])
        if room is None:
            room = np.empty(prod(shape), maps.dtype)
        made = np.matmul(matrix, operand, out=room[: prod(shape)].reshape(shape))
        rows = block.rows.stop - block.rows.start
        made = made.reshape(channels, *geometry.kernel, block.length, rows, *geometry.out[1:])
        add_patches(padded, made, geometry, block.rows.start)
        if padding and block.rows.stop == geometry.out[0]:
            images[block.images] = unpad(padded, geometry)
    return images


def _mirrored_geometry(geometry: Geometry) -> Geometry | None:
    """The windows that gather what windows of stride one scatter, where there are such."""
    margin = tuple(
        d * (k - 1) - p
        for d, k, p in zip(geometry.dilation, geometry.kernel, geometry.padding, strict=True)
    )
    mirrored = geometry._replace(size=geometry.out, out=geometry.size, padding=margin)
    each = (mirrored.size, mirrored.kernel, mirrored.stride, margin, mirrored.dilation)
    if max(geometry.stride) > 1 or min(margin) < 0:
        return None
    return mirrored if tuple(map(count_windows, *each)) == mirrored.out else None


def _mirrored(weight: Array, groups: int) -> Array:
    """Kernels (O, C / groups, *kernel) turned around, as (C, O / groups, *kernel)."""
    channels, inner, *kernel = weight.shape
    backwards = weight[(slice(None), slice(None), *(slice(None, None, -1) for _ in kernel))]
    grouped = backwards.reshape(groups, channels // groups, inner, *kernel).swapaxes(1, 2)
    return grouped.reshape(inner * groups, channels // groups, *kernel)


def correlate_weight(images: Array, maps: Array, geometry: Geometry, groups: int) -> Array:
    """The adjoint of `correlate` in its kernels: (O, C / groups, *kernel)."""
    channels, inner = maps.shape[1], images.shape[1] // groups
    maps = np.ascontiguousarray(maps)
    slope = np.zeros((groups, channels // groups, inner * prod(geometry.kernel)), maps.dtype)
    columns = _Columns(images, geometry, groups)
    for block in columns.blocks():
        slope += np.matmul(_outputs(maps, block, groups), columns.gather(block).swapaxes(1, 2))
    return slope.reshape(channels, inner, *geometry.kernel)


Selector = Any  # a slice, or an array of positions


def selector(positions: Array) -> Selector:
    """Ascending positions as a slice where they are evenly spaced: slices are views."""
    if len(positions) == 0:
        return slice(0, 0)
    start, stop = int(positions[0]), int(positions[-1]) + 1
    if len(positions) == 1:
        return slice(start, stop)
    step = int(positions[1]) - start
    if step > 0 and np.array_equal(positions, np.arange(start, stop, step)):
        return slice(start, stop, step)
    return positions


class Windows:
    """Windows over a dimension of length `size`.

    Window k covers `first[k]`, `first[k] + step`, ... as far as they are at least 0 and less
    than `stop[k]`. Both ascend.
    """

    __slots__ = ("_taps", "_transposed", "first", "length", "size", "step", "stop")

    def __init__(self, size: int, first: Array, stop: Array, step: int = 1) -> None:
        self.size, self.first, self.step = size, first, step
        self.stop = np.minimum(stop, size)
        spans = self.stop - first
        # The number of taps of the longest window.
        self.length = max(0, -(-int(spans.max()) // step)) if len(spans) else 0
        self._taps: list[tuple[int, Selector, Selector]] | None = None
        self._transposed: Windows | None = None

    @property
    def taps(self) -> list[tuple[int, Selector, Selector]]:
        """For each tap: its number, the windows that have it, and the positions it falls on."""
        if self._taps is None:
            self._taps = []
            for tap in range(self.length):
                positions = self.first + tap * self.step
                (present,) = np.nonzero((positions >= 0) & (positions < self.stop))
                if len(present):
                    self._taps.append((tap, selector(present), selector(positions[present])))
        return self._taps

    @property
    def transposed(self) -> Windows:
        """For each position, the windows that cover it; only for windows without gaps."""
        if self._transposed is None:
            positions = np.arange(self.size)
            first = np.searchsorted(self.stop, positions, "right")
            stop = np.searchsorted(self.first, positions, "right")
            self._transposed = Windows(len(self.first), first, stop)
        return self._transposed

    def sum(self, values: Array, axis: int) -> Array:
        """The sum over each window along an axis (counted from the back)."""
        shape = list(values.shape)
        shape[axis] = len(self.first)
        total: Array = None
        for _, windows, positions in self.taps:
            part = picked(values, axis, positions)
            if total is None:
                if part.shape == tuple(shape):
                    total = part.copy() if isinstance(positions, slice) else part
                    continue
                total = np.zeros(shape, values.dtype)
            total[along(axis, windows)] += part
        return np.zeros(shape, values.dtype) if total is None else total

    def spread(self, values: Array, axis: int) -> Array:
        """The transpose of `sum`: adds a value to each position that its window covers."""
        if not all(isinstance(positions, slice) for _, _, positions in self.taps):
            return self.transposed.sum(values, axis)
        shape = list(values.shape)
        shape[axis] = self.size
        total: Array = np.zeros(shape, values.dtype)
        for _, windows, positions in self.taps:
            total[along(axis, positions)] += picked(values, axis, windows)
        return total


def along(axis: int, where: Selector) -> tuple[Any, ...]:
    """An index that selects on one axis, counted from the back."""
    return (..., where) + (slice(None),) * (-axis - 1)


def picked(values: Array, axis: int, where: Selector) -> Array:
    """A part of an array along one axis, counted from the back; of a slice, a view."""
    return values[along(axis, where)] if isinstance(where, slice) else values.take(where, axis)


@lru_cache(maxsize=256)
def sliding_windows(
    size: int, kernel: int, stride: int, padding: int, dilation: int, count: int
) -> Windows:
    """`count` equal windows, the first of which starts `padding` before the first element."""
    first = np.arange(count) * stride - padding
    return Windows(size, first, first + dilation * (kernel - 1) + 1, dilation)


@lru_cache(maxsize=256)
def adaptive_windows(size: int, count: int) -> Windows:
    """`count` windows of nearly equal length that cover everything."""
    number = np.arange(count)
    return Windows(size, number * size // max(count, 1), -(-(number + 1) * size // max(count, 1)))


def sum_windows(values: Array, windows: Sequence[Windows]) -> Array:
    """Sums over boxes: one list of windows per trailing dimension."""
    for axis in range(-1, -len(windows) - 1, -1):
        values = windows[axis].sum(values, axis)
    return values


def spread_windows(values: Array, windows: Sequence[Windows]) -> Array:
    """The transpose of `sum_windows`."""
    for axis in range(-len(windows), 0):
        values = windows[axis].spread(values, axis)
    return values


def largest_in_windows(values: Array, windows: Sequence[Windows]) -> tuple[Array, Array]:
    """The largest elements of boxes, one list of windows per trailing dimension; with indices.

    An index counts the elements of the trailing dimensions. Of equal elements the first counts, of
    nans the last. Which tap of a window won is found by comparing and multiplying whole arrays,
    many times faster than choosing element by element: a hit of tap t among T counts as T - t,
    the largest count belongs to the first hit, and the counts of several dimensions are the digits
    of one small number.
    """
    best, code = _winners(values, windows, nan=False)
    index = _decode(code, windows, lambda digit, taps: taps - digit)
    if best.dtype.kind == "f" and np.isnan(best).any():
        _, last = _winners(values, windows, nan=True)
        of_nan = _decode(last, windows, lambda digit, taps: digit - 1)
        index = np.where(np.isnan(best), of_nan, index)
    return best, index


def _winners(values: Array, windows: Sequence[Windows], nan: bool) -> tuple[Array, Array]:
    """The largest elements, and the code of the first equal (or the last nan) among its taps."""
    kind = np.min_scalar_type(prod(each.length + 1 for each in windows))
    lowest = -np.inf if values.dtype.kind == "f" else np.iinfo(values.dtype).min
    unit = 1
    code: Array = None
    for axis in range(-1, -len(windows) - 1, -1):
        each = windows[axis]
        shape = list(values.shape)
        shape[axis] = len(each.first)
        best: Array = np.full(shape, lowest, values.dtype)
        for _, places, positions in each.taps:
            where = along(axis, places)
            best[where] = np.maximum(best[where], picked(values, axis, positions))
        combined = np.zeros(shape, kind)
        for tap, places, positions in each.taps:
            where = along(axis, places)
            found = picked(values, axis, positions)
            hits = np.isnan(found) if nan else found == best[where]
            digit = kind.type((tap + 1 if nan else each.length - tap) * unit)
            counts = hits * (digit if code is None else picked(code, axis, positions) + digit)
            combined[where] = np.maximum(combined[where], counts)
        values, code = best, combined
        unit *= each.length + 1
    return values, code


def _decode(
    code: Array, windows: Sequence[Windows], tap_of: Callable[[Array, int], Array]
) -> Array:
    """The index of the winner in its plane, from the code of its taps."""
    offsets: Array = np.zeros(1, np.int64)
    start: Array = np.zeros((), np.int64)
    for each in windows:
        taps = np.clip(tap_of(np.arange(each.length + 1), each.length), 0, each.length - 1)
        offsets = np.add.outer(offsets * each.size, taps * each.step).ravel()
        start = np.add.outer(start * each.size, each.first)
    return offsets.take(code) + start

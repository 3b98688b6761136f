"""Images: the batch joins that of the images, or their channels."""

from __future__ import annotations

import re
from typing import Any, Final

from gradcli.ops.algebra.views import reshape, shape_of, transpose
from gradcli.readings.batched.dimensions import filled, lifted
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor.tensor import Tensor

_SPATIAL: Final = re.compile(r"([123])d")
_LEADING: Final = ("pixel_shuffle", "pixel_unshuffle")


def planes(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Operators that take each image for itself: samples are more images."""
    name = row.names[0]
    if name in _LEADING:
        return level.wrapped(level.out(row, *lifted(level, args)))
    found = _SPATIAL.search(name)
    return _by_planes(level, row, args, 0 if found is None else int(found[1]))


def _by_planes(level: Level, row: Row, args: tuple[Any, ...], dims: int) -> Any:
    ndims = {len(shape_of(value)) for value in args if type(value) is Tensor}
    if dims and ndims == {dims + 1} and level.size:
        return level.wrapped(level.out(row, *lifted(level, args)))  # one image is as good as many
    return folded(level, row, args) if ndims == {dims + 2} else one_by_one(level, row, args)


def folded(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Operators whose operands and results have a batch in their first dimension."""
    empty = [value for value in args if type(value) is Tensor and not shape_of(value)[0]]
    if empty or not level.size:
        return one_by_one(level, row, args)
    physical = [
        level.out(joined, value, 0) if type(value) is Tensor else value
        for value in lifted(level, args)
    ]
    made = level.out(row, *physical)
    if type(made) is tuple:
        return tuple(level.wrap(level.out(parted, part, 0, level.size)) for part in made)
    return level.wrap(level.out(parted, made, 0, level.size))


def joined(value: Tensor, dim: int) -> Any:
    """The first dimension joined with dimension `dim` of the others, before that."""
    if dim:
        value = transpose(value, 0, 1)
    shape = shape_of(value)
    return reshape(value, (*shape[:dim], shape[dim] * shape[dim + 1], *shape[dim + 2 :]))


def parted(value: Tensor, dim: int, size: int) -> Any:
    """What `joined` joined, apart."""
    shape = shape_of(value)
    found = reshape(value, (*shape[:dim], size, shape[dim] // size, *shape[dim + 1 :]))
    return transpose(found, 0, 1) if dim else found


def _im2col(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    return _by_planes(level, row, args, 2)


def _col2im(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    return _by_planes(level, row, args, 1)


def _convolution(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Images of all samples at once where they share the kernels, else kernels in groups."""
    values = filled(row, args)
    image, weight, bias = values[:3]
    if not level.size:
        return one_by_one(level, row, args)
    if level.of(weight) is None and (bias is None or level.of(bias) is None):
        physical = level.out(joined, level.physical(image), 0)
        made = level.out(row, physical, weight, bias, *values[3:])
        return level.wrap(level.out(parted, made, 0, level.size))
    values[0] = level.out(joined, level.physical(image), 1)
    values[1] = level.out(joined, level.physical(weight), 0)
    if bias is not None:
        values[2] = level.out(joined, level.physical(bias), 0)
    values[-1] *= level.size
    return level.wrap(level.out(parted, level.out(row, *values), 1, level.size))


def _convolution_backward(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    values = filled(row, args)
    if not level.size:
        return one_by_one(level, row, args)
    values[0] = level.out(joined, level.physical(values[0]), 1)
    values[1] = level.out(joined, level.physical(values[1]), 1)
    values[2] = level.out(joined, level.physical(values[2]), 0)
    groups = row.signature.index["groups"]
    values[groups] *= level.size
    made = level.out(row, *values)
    dims = (1, 0, 0)
    return tuple(
        None if part is None else level.wrap(level.out(parted, part, dim, level.size))
        for part, dim in zip(made, dims, strict=False)
    )


RULES: Final[dict[str, Any]] = {
    "convolution": _convolution,
    "aten.convolution_backward": _convolution_backward,
    "channel_shuffle": one_by_one,
    "aten.im2col": _im2col,
    "aten.col2im": _col2im,
    **{
        f"aten.{kind}_pad{dims}d{suffix}": planes
        for kind in ("reflection", "replication")
        for dims in (1, 2, 3)
        for suffix in ("", "_backward")
    },
}

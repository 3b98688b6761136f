"""Layers of networks: normalization, embeddings, attention, bilinear forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import add, mul
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.readings.batched.dimensions import filled, lifted
from gradcli.readings.batched.images import folded, joined, parted
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.matrices import native
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor.tensor import Tensor, wrap


def _scaled(found: Any, weight: Any, bias: Any, shape: Sequence[int]) -> Any:
    """Normalized values with a factor and an offset each, which `shape` makes broadcast."""
    if weight is not None:
        found = mul(found, reshape(weight, shape))
    return found if bias is None else add(found, reshape(bias, shape))


def _layer_norm(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    own, shape, weight, bias, eps = filled(row, args)
    if level.has((weight, bias)):
        found, *rest = row(own, shape, None, None, eps)
        return (_scaled(found, weight, bias, shape), *rest)
    return level.wrapped(level.out(row, level.physical(own), shape, weight, bias, eps))


def _group_norm(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    own, weight, bias, batch, channels, area, group, eps = filled(row, args)
    if level.has((weight, bias)):
        found, *rest = row(own, None, None, batch, channels, area, group, eps)
        ones = (1,) * (len(shape_of(own)) - 2)
        return (_scaled(found, weight, bias, (channels, *ones)), *rest)
    if not level.size or not batch:
        return one_by_one(level, row, args)
    physical = level.out(joined, level.physical(own), 0)
    made = level.out(row, physical, weight, bias, level.size * batch, channels, area, group, eps)
    return tuple(level.wrap(level.out(parted, part, 0, level.size)) for part in made)


def _batch_norm(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Channels are normalized for themselves, so samples are more channels."""
    own, weight, bias, mean, variance, training, momentum, eps = filled(row, args)
    if not level.size or (training and mean is not None):
        return one_by_one(level, row, args)
    physical = level.out(joined, level.physical(own), 1)
    others = [
        None if part is None else level.out(joined, level.physical(part), 0)
        for part in (weight, bias, mean, variance)
    ]
    found, *rest = level.out(row, physical, *others, training, momentum, eps)
    return (
        level.wrap(level.out(parted, found, 1, level.size)),
        *[level.wrap(level.out(parted, part, 0, level.size)) for part in rest],
    )


def _offset(level: Level, indices: Any, rows: int) -> Tensor:
    """Places in one table that holds those of all samples, one after the other."""
    physical = level.physical(indices)
    ones = (1,) * (len(shape_of(physical)) - 1)
    starts = wrap((np.arange(level.size) * rows).reshape(-1, *ones))
    return level.out(add, physical, starts)  # type: ignore[no-any-return]


def _embedding(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    weight, indices, padding, scaled, sparse = filled(row, args)
    batched = level.of(weight)
    if batched is None:
        return level.wrapped(level.out(row, weight, level.physical(indices), *args[2:]))
    if padding >= 0 or scaled or not level.size or len(shape_of(weight)) != 2:
        return one_by_one(level, row, args)
    table = level.out(joined, batched.physical, 0)
    places = _offset(level, indices, shape_of(weight)[0])
    return level.wrap(level.out(row, table, places, padding, scaled, sparse))


def _embedding_backward(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    grad, indices, rows, padding, scaled = filled(row, args)
    if padding >= 0 or scaled or not level.size:
        return one_by_one(level, row, args)
    places = _offset(level, indices, rows)
    made = level.out(row, level.physical(grad), places, rows * level.size, padding, scaled)
    return level.wrap(level.out(parted, made, 0, level.size))


def _attention(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    values = filled(row, args)
    mask = values[row.signature.index["attn_mask"]]
    return folded(level, row, tuple(values)) if mask is None else one_by_one(level, row, args)


def _trilinear(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    first, second, third, *dims = lifted(level, filled(row, args))
    moved = [tuple(dim + 1 for dim in places) for places in dims]
    return level.wrap(level.out(row, first, second, third, *moved))


RULES: Final[dict[str, Any]] = {
    "aten.native_layer_norm": _layer_norm,
    "aten.native_group_norm": _group_norm,
    "aten.native_batch_norm": _batch_norm,
    "aten.embedding": _embedding,
    "aten.embedding_dense_backward": _embedding_backward,
    "aten._scaled_dot_product_flash_attention_for_cpu": _attention,
    "aten._trilinear": _trilinear,
    "aten._cdist_forward": native,
    "aten._cdist_backward": native,
    "aten._euclidean_dist": native,
}

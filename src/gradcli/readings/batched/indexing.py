"""Elements that are picked, and put back, by tensors of indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.comparison import filled_with
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.gathering import gather
from gradcli.ops.algebra.indexing import index_select
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import permute, reshape, shape_of, unsqueeze
from gradcli.readings.batched.dimensions import filled, moved
from gradcli.readings.batched.elements import pointwise
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import dynamic, one_by_one
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap


class Places:
    """Indices of a sample as indices of its physical tensor.

    What they pick comes out in NumPy's order of dimensions, which `order` puts right: the batch
    first, then as for a sample. `lifted`: the tensor that is indexed has the batch dimension.
    """

    def __init__(self, level: Level, indices: Sequence[Any], lifted: bool) -> None:
        given = [k for k, index in enumerate(indices) if index is not None]
        self._wide = len(np.broadcast_shapes(*[shape_of(indices[k]) for k in given]))
        found = [self._aligned(level, index, self._wide) for index in indices]
        whole = given == list(range(given[0], given[-1] + 1))
        before = given[0] if whole else 0
        # Where the batch comes out, and how many dimensions of a sample belong before the picked
        # ones, which come out before them.
        self._first, self._moves = 0, 0
        self.indices: tuple[Any, ...] = tuple(found)
        if not any(level.of(indices[k]) is not None for k in given):
            self.indices = (None, *found)
            self._first = 0 if whole else self._wide
        elif lifted:
            counted = np.arange(level.size).reshape(-1, *(1,) * self._wide)
            self.indices = (wrap(counted), *found)
            self._moves = before
        else:
            self._first = before

    @staticmethod
    def _aligned(level: Level, index: Any, wide: int) -> Any:
        batched = level.of(index)
        if batched is None:
            return index
        if batched.shadow.dtype.kind == "b" or batched.shadow.dtype == np.uint8:
            raise RuntimeError(
                "vmap: We do not support batching operators that can support dynamic shape. "
                "Attempting to batch over indexing with a boolean mask."
            )
        found = batched.physical
        for _ in range(wide - len(batched.shadow.shape)):
            found = level.out(unsqueeze, found, 1)
        return found

    def order(self, ndim: int) -> tuple[int, ...]:
        """The dimensions of a result that has `ndim`, in order."""
        rest = [k for k in range(ndim) if k != self._first]
        if self._moves:
            picked, others = rest[: self._wide], rest[self._wide :]
            rest = others[: self._moves] + picked + others[self._moves :]
        return (self._first, *rest)


def _masked(level: Level, indices: Sequence[Any]) -> bool:
    """Whether there are masks that all samples share."""
    return any(
        index._array.dtype.name in ("bool", "uint8")
        for index in indices
        if index is not None and level.of(index) is None
    )


def _ordered(level: Level, found: Tensor, places: Places) -> Any:
    order = places.order(found._array.ndim)
    return level.wrap(level.out(permute, found, order) if order != tuple(sorted(order)) else found)


def _index(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, indices = args
    batched = level.of(tensor)
    if _masked(level, indices) and len([i for i in indices if i is not None]) > 1:
        return one_by_one(level, row, args)
    if _masked(level, indices):
        if level.has(indices):
            return one_by_one(level, row, args)
        assert batched is not None
        return level.wrap(level.out(row, batched.physical, (None, *indices)))
    places = Places(level, indices, batched is not None)
    whole = tensor if batched is None else batched.physical
    return _ordered(level, level.out(row, whole, places.indices), places)


def _back(order: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(place) for place in np.argsort(order))


def _index_backward(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    grad, sizes, indices = args
    if _masked(level, indices):
        return one_by_one(level, row, args)
    places = Places(level, indices, True)
    physical = level.physical(grad)
    order = _back(places.order(physical._array.ndim))
    physical = level.out(permute, physical, order)
    return level.wrap(level.out(row, physical, (level.size, *sizes), places.indices))


def _index_put(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, indices, values, accumulate = filled(row, args)
    if _masked(level, indices) or tensor._array.dtype != values._array.dtype:
        return one_by_one(level, row, args)
    given = [index for index in indices if index is not None]
    wide = len(np.broadcast_shapes(*[shape_of(index) for index in given]))
    ndim = wide + len(shape_of(tensor)) - len(given)
    if len(shape_of(values)) > ndim:
        return one_by_one(level, row, args)
    places = Places(level, indices, True)
    physical = level.physical(values)
    for _ in range(ndim - len(shape_of(values))):
        physical = level.out(unsqueeze, physical, 1)
    physical = level.out(permute, physical, _back(places.order(ndim + 1)))
    return level.wrap(level.out(row, level.physical(tensor), places.indices, physical, accumulate))


def _spread_index(level: Level, index: Tensor, dim: int, shape: Sequence[int]) -> Tensor:
    """A vector of places along a dimension, for each sample, as places of all elements."""
    batched = level.of(index)
    assert batched is not None
    size, count = shape_of(batched.physical)
    ones = [1] * len(shape)
    ones[dim] = count
    full = [*shape]
    full[dim] = count
    made: Tensor = level.out(reshape, batched.physical, (size, *ones))
    return level.out(expand, made, (size, *full))  # type: ignore[no-any-return]


def _index_select(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, dim, index = args
    shape = shape_of(tensor)
    if not shape or len(shape_of(index)) != 1:
        return one_by_one(level, row, args)
    where = moved(dim, len(shape))
    if level.of(index) is None:
        return level.wrap(level.out(row, level.physical(tensor), where, index))
    places = _spread_index(level, index, where - 1, shape)
    return level.wrap(level.out(gather, level.physical(tensor), where, _long(level, places)))


def _long(level: Level, index: Tensor) -> Tensor:
    if index.dtype is dtypes.int64:
        return index
    return level.out(to_dtype, index, dtypes.int64)  # type: ignore[no-any-return]


def _index_write(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """index_add, index_copy, index_fill, index_reduce: places that all samples share."""
    values = filled(row, args)
    tensor, dim, index = values[:3]
    shape = shape_of(tensor)
    if not shape or level.of(index) is not None or len(shape_of(index)) > 1:
        return one_by_one(level, row, args)
    rest = values[3:]
    if type(rest[0]) is Tensor:
        if level.of(rest[0]) is not None and row.names[0] == "index_fill":
            return one_by_one(level, row, args)
        if row.names[0] != "index_fill":
            if len(shape_of(rest[0])) != len(shape):
                return one_by_one(level, row, args)
            rest[0] = level.physical(rest[0])
    found = level.out(row, level.physical(tensor), moved(dim, len(shape)), index, *rest)
    return level.wrap(found)


def _take(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, index = args
    if level.of(tensor) is None:
        batched = level.of(index)
        assert batched is not None
        return level.wrap(level.out(row, tensor, batched.physical))
    line = level.out(reshape, level.physical(tensor), (level.size, Tensor.numel(tensor)))
    shape = shape_of(index)
    if level.of(index) is None and index._array.dtype == np.int64 and Tensor.numel(tensor):
        flat = level.out(reshape, index, (-1,)) if Tensor.numel(index) else None
        if flat is not None and index._array.min() >= 0:
            found = level.out(index_select, line, 1, flat)
            return level.wrap(level.out(reshape, found, (level.size, *shape)))
    return one_by_one(level, row, args)


def _one_hot(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, classes = filled(row, args)
    if classes < 0:
        raise RuntimeError(
            "When vmap-ing torch.nn.functional.one_hot, please provide an explicit positive "
            "num_classes argument."
        )
    return level.wrap(level.out(row, level.physical(tensor), classes))


_MASK: Final = (
    "vmap: Attempted to vmap over `mask` in torch.masked_select(self, mask) We cannot support this "
    "because for each batch this would return a differently shaped Tensor. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues if you need this feature."
)


def _masked_select(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if level.of(args[1]) is not None:
        raise RuntimeError(_MASK)
    return one_by_one(level, row, args)


def _masked_fill(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, mask, value = args
    if type(value) is not Tensor or level.of(value) is None or shape_of(value):
        return pointwise(level, row, args)
    return filled_with(tensor, mask, value)


def _dynamic(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    raise dynamic(row.names[0].removeprefix("aten."))


RULES: Final[dict[str, Any]] = {
    "aten.index": _index,
    "aten.index_backward": _index_backward,
    "aten.index_put": _index_put,
    "index_select": _index_select,
    "index_add": _index_write,
    "index_copy": _index_write,
    "index_fill": _index_write,
    "index_reduce": _index_write,
    "take": _take,
    "put": one_by_one,
    "nn.functional.one_hot": _one_hot,
    "masked_select": _masked_select,
    "masked_fill": _masked_fill,
    "aten._unique2": _dynamic,
}

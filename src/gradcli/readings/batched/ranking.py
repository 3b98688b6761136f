"""Compositions that rank elements: quantiles, and places in sorted sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.ops.algebra.views import movedim, reshape, shape_of
from gradcli.readings.batched.dimensions import moved
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.entry import Entry
from gradcli.tensor.tensor import Tensor


def _quantile(level: Level, entry: Entry, *args: Any) -> Any:
    """The quantiles come first, before the dimensions that are left."""
    own, q, dim, keepdim, *rest = [*args, *entry.signature.defaults[len(args) :]]
    ndim = len(shape_of(own))
    if level.of(own) is None or level.of(q) is not None or (dim is None and keepdim) or not ndim:
        return one_by_one(level, entry, args)
    physical = level.physical(own)
    if dim is None:
        physical, where = level.out(reshape, physical, (level.size, Tensor.numel(own))), 1
    else:
        where = moved(dim, ndim)
    found = level.out(entry, physical, q, where, keepdim, *rest)
    if type(q) is Tensor and shape_of(q):
        found = level.out(movedim, found, 1, 0)
    return level.wrap(found)


def _searchsorted(level: Level, entry: Entry, *args: Any) -> Any:
    """Sequences of samples are rows, in which the values of each sample are one row."""
    sequence, values, *rest = args
    sorter = entry.signature.index["sorter"]
    if type(values) is not Tensor or (sorter < len(args) and args[sorter] is not None):
        return one_by_one(level, entry, args)
    shape = shape_of(values)
    if len(shape_of(sequence)) != 1:
        return one_by_one(level, entry, args)
    if level.of(sequence) is None:
        return level.wrap(level.out(entry, sequence, level.physical(values), *rest))
    line = level.out(reshape, level.physical(values), (level.size, Tensor.numel(values)))
    found = level.out(entry, level.physical(sequence), line, *rest)
    return level.wrap(level.out(reshape, found, (level.size, *shape)))


def _among(level: Level, entry: Entry, own: Any, others: Any, *rest: Any) -> Any:
    """Where each element lies among elements that all samples share."""
    if type(own) is not Tensor or level.of(own) is None or level.of(others) is not None:
        return one_by_one(level, entry, (own, others, *rest))
    return level.wrap(level.out(entry, level.physical(own), others, *rest))


RULES: Final[dict[str, Callable[..., Any]]] = {
    "quantile": _quantile,
    "nanquantile": _quantile,
    "searchsorted": _searchsorted,
    "bucketize": _among,
    "isin": _among,
}

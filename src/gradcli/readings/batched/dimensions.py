"""Rows that work along dimensions they are told: these are one further on in physical tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor

DIMENSIONS: Final = frozenset(("dim", "dims", "dim0", "dim1", "dim2", "dimension"))
"""What parameters are called that count dimensions."""

SIZES: Final = frozenset(("input_sizes", "size"))
"""What parameters are called that hold the shape of a result."""

_ADDING: Final = {"unsqueeze": 1, "unsqueeze_copy": 1, "stack": 1, "diag_embed": 1}
"""Rows whose dimensions are those of their result, and how many more that has."""

_NONE_IS_NONE: Final = frozenset(("squeeze", "squeeze_copy", "roll"))


def filled(row: Row, args: tuple[Any, ...]) -> list[Any]:
    """All arguments of a row, with defaults."""
    return [*args, *row.signature.defaults[len(args) :]]


def lifted(level: Level, values: Sequence[Any]) -> list[Any]:
    """Physical tensors for tensors, also in lists; other values as they are."""
    return [
        level.physical(value)
        if type(value) is Tensor
        else type(value)(lifted(level, value))
        if type(value) in (list, tuple) and any(type(item) is Tensor for item in value)
        else value
        for value in values
    ]


def moved(dim: Any, span: int) -> Any:
    """Dimensions of a sample as dimensions of its physical tensor."""
    if isinstance(dim, (tuple, list)):
        return tuple(wrap_dim(item, span) + 1 for item in dim)
    return wrap_dim(dim, span) + 1


def along(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Dimensions count from the second one on."""
    values = filled(row, args)
    index = row.signature.index
    operand = next(
        value[0] if type(value) in (list, tuple) else value
        for value in values
        if type(value) is Tensor or (type(value) in (list, tuple) and level.has(value))
    )
    ndim = len(shape_of(operand))
    if "input_sizes" in index:
        ndim = len(values[index["input_sizes"]])
    span = ndim + _ADDING.get(row.names[0], 0)
    physical = lifted(level, values)
    if _counts_all(row, values):
        return _in_one(level, row, values, physical, ndim)
    if not span:
        return one_by_one(level, row, args)
    for name, place in index.items():
        if name in DIMENSIONS:
            dims = values[place]
            if dims is None or (isinstance(dims, (tuple, list)) and not dims):
                dims = dims if row.names[0] in _NONE_IS_NONE else tuple(range(span))
            physical[place] = None if dims is None else moved(dims, span)
        elif name in SIZES and type(values[place]) is not int:
            physical[place] = (level.size, *values[place])
    return level.wrapped(level.out(row, *physical))


def _counts_all(row: Row, values: Sequence[Any]) -> bool:
    """Whether a row that takes one dimension is told none: it counts all elements in a line."""
    place = row.signature.index.get("dim")
    if place is None or values[place] is not None:
        return False
    return row.signature.parameters[place].base == "int"


def _in_one(
    level: Level, row: Row, values: Sequence[Any], physical: Sequence[Any], ndim: int
) -> Any:
    index = row.signature.index
    line = [
        level.out(reshape, value, (level.size, -1 if level.size else 0))
        if type(value) is Tensor
        else value
        for value in physical
    ]
    line[index["dim"]] = 1
    found = level.out(row, *line)
    if "keepdim" in index and values[index["keepdim"]]:
        shape = (level.size, *(1,) * ndim)
        if type(found) is tuple:
            found = tuple(level.out(reshape, part, shape) for part in found)
        else:
            found = level.out(reshape, found, shape)
    return level.wrapped(found)

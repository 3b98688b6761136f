"""Rows that act element by element: the hidden dimension is one more that broadcasts."""

from __future__ import annotations

from typing import Any

from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.views import shape_of, unsqueeze
from gradcli.readings.batched.dimensions import lifted
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.formats import MemoryFormat
from gradcli.tensor.tensor import Tensor, raw


def pointwise(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """The hidden dimension before all others; operands get as many dimensions as their result."""
    tensors = [arg for arg in args if type(arg) is Tensor]
    ndim = max(len(shape_of(tensor)) for tensor in tensors)
    several = len(tensors) > 1
    target = None
    if any(type(arg) is MemoryFormat and arg.order for arg in args):
        return one_by_one(level, row, args)
    physical = list(args)
    for place, arg in enumerate(args):
        batched = level.of(arg)
        if batched is None:
            continue
        found, missing = batched.physical, ndim - batched.physical._array.ndim + 1
        if missing and row.promote and several and missing == ndim:
            # A tensor without dimensions counts less where operands get one type.
            target = target or dtypes.result_type([raw(arg) for arg in tensors])
            if found.dtype is not target:
                found = level.out(to_dtype, found, target)
        for _ in range(missing):
            found = level.out(unsqueeze, found, 1)
        physical[place] = found
    found = level.out(row, *physical)
    if (found[0] if type(found) is tuple else found)._array.ndim != ndim + 1:
        # The result does not depend on the operands that are batched.
        found = level.out(row, *lifted(level, args))
    return level.wrapped(found)

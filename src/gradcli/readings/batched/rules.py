"""How rows and compositions run on batched tensors.

A rule says what a row does on physical tensors, whose first dimension runs over the samples. One
rule serves a family of rows, to which a row belongs by what its entry in the table says: that it
acts element by element, what its parameters are called, where it is declared. Where no rule fits,
samples are taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.views import shape_of, unsqueeze
from gradcli.readings.batched.compositions import change, compose
from gradcli.readings.batched.families import images, indexing, losses, products, views
from gradcli.readings.batched.families.dimensions import DIMENSIONS, along
from gradcli.readings.batched.families.matrices import native
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.random import drawn
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, raw

Rule = Callable[[Level, Row, tuple[Any, ...]], Any]

NAMED: Final[dict[str, Rule]] = (
    views.RULES | indexing.RULES | products.RULES | losses.RULES | images.RULES
)
"""Rules of rows by their first name, where no fact of theirs tells it."""

_known: Final[dict[str, Rule]] = {}


def pointwise(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """The hidden dimension before all others; operands get as many dimensions as their result."""
    tensors = [arg for arg in args if type(arg) is Tensor]
    ndim = max(len(shape_of(tensor)) for tensor in tensors)
    several = len(tensors) > 1
    target = None
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
    return level.wrapped(level.out(row, *physical))


def rule_of(row: Row) -> Rule:
    """The rule of the family that a row belongs to."""
    name = row.names[0]
    known = _known.get(row.node_name + name + row.parameters)
    if known is None:
        known = _known[row.node_name + name + row.parameters] = _chosen(name, row)
    return known


def _chosen(name: str, row: Row) -> Rule:
    index = row.signature.index
    if name in NAMED:
        return NAMED[name]
    if "generator" in index:
        return drawn
    if row.elementwise:
        return pointwise
    if "reduction" in index:
        return losses.reduced
    if row.module.startswith("gradcli.ops.linalg"):
        return native
    if not DIMENSIONS.isdisjoint(index):
        return along
    if row.module.startswith("gradcli.ops.images"):
        return images.planes
    return one_by_one


def call(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Runs a row on tensors, of which some may be batched."""
    if level.has(args):
        return rule_of(row)(level, row, args)
    if "generator" in row.signature.index:
        return drawn(level, row, args)
    return level.out(row.record, args)


__all__ = ["call", "change", "compose"]

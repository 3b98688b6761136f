"""How rows and compositions run on batched tensors.

A rule says what a row does on physical tensors, whose first dimension runs over the samples. One
rule serves a family of rows, to which a row belongs by what its entry in the table says: that it
acts element by element, what its parameters are called, where it is declared. Where no rule fits,
samples are taken one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.readings.batched import images, indexing, layers, losses, products, views
from gradcli.readings.batched.compositions import change, compose
from gradcli.readings.batched.customs import call as custom
from gradcli.readings.batched.dimensions import DIMENSIONS, along
from gradcli.readings.batched.drawing import drawn
from gradcli.readings.batched.elements import pointwise
from gradcli.readings.batched.gradients import differentiate
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.matrices import RULES as MATRICES
from gradcli.readings.batched.matrices import native
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row

Rule = Callable[[Level, Row, tuple[Any, ...]], Any]

NAMED: Final[dict[str, Rule]] = (
    views.RULES
    | indexing.RULES
    | products.RULES
    | losses.RULES
    | images.RULES
    | layers.RULES
    | MATRICES
)
"""Rules of rows by their first name, where no fact of theirs tells it."""

_known: Final[dict[str, Rule]] = {}


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
    return level.out(row, *args)


__all__ = ["call", "change", "compose", "custom", "differentiate"]

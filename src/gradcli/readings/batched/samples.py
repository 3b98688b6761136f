"""One sample after another: what serves where a family of rows has no rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np

from gradcli.ops.algebra.joining import stack
from gradcli.ops.algebra.parts import select
from gradcli.readings.batched.level import Level
from gradcli.readings.trees import flatten
from gradcli.table.entry import name_in_messages
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor, wrap

SAME: Final = (
    "Vmap does not currently support same randomness with a batched tensor input. Please file an "
    "issue with functorch"
)

notes: Final[set[str]] = set()
"""The names of what has been run sample by sample."""


def _refuse_same() -> None:
    raise RuntimeError(SAME)


def dynamic(name: str) -> RuntimeError:
    """The error of an operator whose result's shape depends on the elements."""
    return RuntimeError(
        "vmap: We do not support batching operators that can output dynamic shape. Attempted to "
        f"vmap over aten::{name}. Please file an issue at "
        "https://github.com/pytorch/pytorch/issues if you need this feature."
    )


class Called(Protocol):
    """What is called on each sample."""

    names: list[str]

    def __call__(self, /, *args: Any) -> Any: ...


def one_by_one(level: Level, entry: Called, args: tuple[Any, ...]) -> Any:
    """Runs a row or a composition on each sample and stacks the results."""
    notes.add(entry.names[0])
    drawing = mode.drawing
    if level.randomness == "same":
        mode.drawing = _refuse_same
    try:
        run = level.draw if level.randomness == "different" else level.out
        if not level.size:
            return _of_none(level, run(entry, *picked(level, args, None)))
        rows = [run(entry, *picked(level, args, k)) for k in range(level.size)]
    finally:
        mode.drawing = drawing
    return _stacked(level, entry, rows)


def picked(level: Level, values: Sequence[Any], number: int | None) -> list[Any]:
    """The values of one sample; for None, zeros in their shapes."""
    found: list[Any] = []
    for value in values:
        batched = level.of(value)
        if batched is not None:
            if number is None:
                array = batched.shadow
                found.append(wrap(np.zeros(array.shape, array.dtype)))
            else:
                found.append(level.out(select, batched.physical, 0, number))
        elif type(value) in (list, tuple):
            found.append(type(value)(picked(level, value, number)))
        else:
            found.append(value)
    return found


def _stacked(level: Level, entry: Called, rows: Sequence[Any]) -> Any:
    flat = [flatten(row) for row in rows]
    columns = zip(*[leaves for leaves, _ in flat], strict=True)
    return flat[0][1].unflatten([_joined(level, entry, column) for column in columns])


def _joined(level: Level, entry: Called, column: Sequence[Any]) -> Any:
    name = name_in_messages(entry.names[0].removeprefix("aten."))
    if any(type(item) is not Tensor for item in column):
        if all(item is None for item in column):
            return None
        raise RuntimeError(
            f"Batching rule not implemented for aten::{name}. We could not generate a fallback."
        )
    if any(item._array.shape != column[0]._array.shape for item in column):
        raise dynamic(name)
    return level.wrap(level.out(stack, list(column), 0))


def _of_none(level: Level, found: Any) -> Any:
    """What an empty batch gives where one sample gives `found`."""
    leaves, spec = flatten(found)
    made = [
        level.wrap(wrap(np.zeros((0, *leaf._array.shape), leaf._array.dtype)))
        if type(leaf) is Tensor
        else leaf
        for leaf in leaves
    ]
    return spec.unflatten(made)

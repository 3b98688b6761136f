"""Backward passes on batched tensors, and with batches of gradients.

The tape holds ordinary tensors, so a pass through a function of batched tensors is one through
their physical ones: samples do not touch each other, and each gets its own gradient. Where only the
gradients are batched, the formulas of the nodes run on batched tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.autograd.passes import grad, pull
from gradcli.ops.algebra.joining import stack
from gradcli.ops.algebra.parts import select
from gradcli.ops.algebra.views import movedim
from gradcli.readings.batched.level import Level
from gradcli.tensor.shadow import Unbatchable
from gradcli.tensor.tensor import Tensor

Found = Sequence[Tensor | None]


def differentiate(
    level: Level,
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Any],
    options: dict[str, Any],
) -> Found:
    """`grad` while a function is mapped over a batch.

    Raises:
        RuntimeError: gradients are wanted of what all samples share.
    """
    if level.has(outputs) or level.has(inputs):
        return _of_samples(level, outputs, inputs, seeds, options)
    if not level.has(seeds):
        found: Found = level.out(_grad, outputs, inputs, seeds, options)
        return found
    outer = level.outer
    if outer is None or not (outer.has(outputs) or outer.has(inputs)):
        return _pulled(level, outputs, inputs, seeds, options)
    # Dimensions that are hidden further out are seen while these gradients pass through.
    sunk = [None if seed is None else _sunk(level, outer, seed) for seed in seeds]
    below = [level.out(outer.physical, tensor) for tensor in outputs]
    points = [level.out(outer.physical, tensor) for tensor in inputs]
    with level.beside(outer):
        parts = differentiate(level, below, points, sunk, options)
    return [None if part is None else _raised(level, outer, part) for part in parts]


def _grad(
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Any],
    options: dict[str, Any],
) -> Found:
    return grad(outputs, inputs, seeds, **options)


def _of_samples(
    level: Level,
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Any],
    options: dict[str, Any],
) -> Found:
    """One pass through the physical tensors."""
    if any(level.of(tensor) is None for tensor in inputs):
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    for output, seed in zip(outputs, seeds, strict=True):
        if seed is None and output._array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
    ones = [
        level.physical(output).detach() * 0 + 1 if seed is None else level.physical(seed)
        for output, seed in zip(outputs, seeds, strict=True)
    ]
    below = [level.physical(output) for output in outputs]
    points = [level.physical(tensor) for tensor in inputs]
    found: Found = level.out(_grad, below, points, ones, options)
    return [None if part is None else level.wrap(part) for part in found]


def _sunk(level: Level, outer: Level, seed: Tensor) -> Tensor:
    """A seed of which the samples of `outer` lie in its first dimension."""
    found = level.out(outer.physical, level.physical(seed))
    return level.wrap(level.out(outer.out, movedim, found, 1, 0))


def _raised(level: Level, outer: Level, part: Tensor) -> Tensor:
    """A gradient with its first dimension hidden again, as the samples of `outer`."""
    found = level.out(outer.out, movedim, level.physical(part), 1, 0)
    return level.wrap(outer.wrap(found))


def _pulled(
    level: Level,
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    seeds: Sequence[Any],
    options: dict[str, Any],
) -> Found:
    """One pass in which gradients are batched and the tape is not; else one for each sample."""
    try:
        return pull(outputs, inputs, seeds, options)
    except Unbatchable:
        pass
    rows = []
    for k in range(level.size):
        own = [
            None if seed is None else level.out(select, level.physical(seed), 0, k)
            for seed in seeds
        ]
        rows.append(level.out(_grad, outputs, inputs, own, options | {"retain_graph": True}))
    return [
        None if column[0] is None else level.wrap(level.out(stack, list(column), 0))
        for column in zip(*rows, strict=True)
    ]

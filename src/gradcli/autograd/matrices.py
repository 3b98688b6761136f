"""Whole Jacobians: every row or every column in one batched backward pass.

A block has the shape of its output followed by that of its input. By rows (reverse mode) the pass
carries one seed per element of the output. By columns (forward mode) it carries one tangent per
element of the input, through the graph of the vector-Jacobian product, which is linear in its
vector: that graph is twice as long, so columns pay off where they are less than half as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.views import movedim, reshape, view
from gradcli.tensor.leaf import set_flag
from gradcli.tensor.memory import reserve
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor, wrap

BATCH: Final = 1 << 22
"""Elements of the largest tensor that a pass should carry, unless it is told how many rows."""

COLUMN_COST: Final = 2
"""How much longer a pass for columns takes."""


def rows(
    output: Tensor,
    inputs: Sequence[Tensor],
    create_graph: bool = False,
    chunk_size: int | None = None,
) -> list[Tensor | None]:
    """The Jacobian of one output with respect to each input, by rows.

    None where the output does not depend on an input. `chunk_size` rows are computed at a time, or
    as many as fit.
    """
    count = output.numel()
    if not output.requires_grad:
        return [None] * len(inputs)
    if not count:
        return [zeros_for(output, point) for point in inputs]
    if count == 1:
        ones = wrap(np.ones(output.shape, output.dtype.np))
        found = [_pass(output, inputs, ones, create_graph, batched=False)]
    else:
        widest = max(count, *(point.numel() for point in inputs))
        found = [
            _pass(output, inputs, basis, create_graph)
            for basis in _bases(output, chunk_size or max(1, BATCH // widest))
        ]
    blocks: list[Tensor | None] = []
    for position, point in enumerate(inputs):
        parts = [part for chunk in found if (part := chunk[position]) is not None]
        if not parts:
            blocks.append(None)
            continue
        whole = parts[0] if len(parts) == 1 else cat(parts)
        blocks.append(reshape(whole, (*output.shape, *point.shape)))
    return blocks


def columns(
    product: Multiplier, inputs: Sequence[Tensor], create_graph: bool = False
) -> list[list[Tensor | None]]:
    """The Jacobian of each output with respect to each input, by columns."""
    outputs = product.outputs
    blocks: list[list[Tensor | None]] = [[None] * len(inputs) for _ in outputs]
    for position, point in enumerate(inputs):
        if not point.numel():
            continue
        widest = max(point.numel(), *(output.numel() for output in outputs))
        found = [
            product.with_vector({position: basis}, create_graph, batched=True)
            for basis in _bases(point, max(1, BATCH // widest))
        ]
        for number, output in enumerate(outputs):
            parts = [part for chunk in found if (part := chunk[number]) is not None]
            if parts:
                whole = parts[0] if len(parts) == 1 else cat(parts)
                shape = (*output.shape, *point.shape)
                blocks[number][position] = view(movedim(whole, 0, -1), shape)
    return blocks


def blocks_of(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], create_graph: bool = False
) -> list[list[Tensor | None]]:
    """The Jacobian of each output with respect to each input, by whichever is shorter."""
    if takes_columns(outputs, inputs):
        return columns(Product(outputs, inputs), inputs, create_graph)
    return [rows(output, inputs, create_graph) for output in outputs]


def takes_columns(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> bool:
    """Whether a Jacobian is so much taller than wide that columns are computed faster."""
    height = sum(output.numel() for output in outputs)
    return height > COLUMN_COST * sum(point.numel() for point in inputs)


class Multiplier(Protocol):
    """What multiplies the Jacobian of outputs with vectors; see `Product.with_vector`."""

    @property
    def outputs(self) -> Sequence[Tensor]: ...

    def with_vector(
        self, vector: dict[int, Tensor], create_graph: bool, batched: bool = False
    ) -> list[Tensor | None]: ...


class Product:
    """The product of a Jacobian with vectors, from one recorded backward pass.

    The vector-Jacobian product is computed for a vector of zeros, `seeds`; differentiating it with
    respect to that vector transposes it.
    """

    def __init__(self, outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
        self.outputs = outputs
        self.moved = [number for number, output in enumerate(outputs) if output.requires_grad]
        self.seeds = [zeros_like(outputs[number]) for number in self.moved]
        for seed in self.seeds:
            set_flag(seed, True)
        self.slopes: Sequence[Tensor | None] = [None] * len(inputs)
        if self.moved:
            ends = [outputs[number] for number in self.moved]
            self.slopes = grad(ends, inputs, self.seeds, create_graph=True, allow_unused=True)

    def with_vector(
        self, vector: dict[int, Tensor], create_graph: bool, batched: bool = False
    ) -> list[Tensor | None]:
        """The product, one tensor for each output; None where no part of the vector moves it.

        `vector` has a tangent for some inputs by position, or with `batched` several of them, along
        a first dimension that the products have, too.
        """
        found: list[Tensor | None] = [None] * len(self.outputs)
        pairs = [
            (slope, tangent)
            for position, tangent in vector.items()
            if (slope := self.slopes[position]) is not None and slope.requires_grad
        ]
        if pairs:
            products = grad(
                [slope for slope, _ in pairs],
                self.seeds,
                [tangent for _, tangent in pairs],
                retain_graph=True,
                create_graph=create_graph,
                allow_unused=True,
                is_grads_batched=batched,
            )
            for number, product in zip(self.moved, products, strict=True):
                found[number] = product
        return found


def zeros_for(output: Tensor, point: Tensor, like: Tensor | None = None) -> Tensor:
    """A block of the Jacobian of what does not depend on an input, in the type of that or `like`
    another."""
    shape = (*output.shape, *point.shape)
    dtype = (point if like is None else like).dtype.np
    reserve(shape, dtype.itemsize)
    return wrap(np.zeros(shape, dtype))


def _pass(
    output: Tensor,
    inputs: Sequence[Tensor],
    seed: Tensor,
    create_graph: bool,
    batched: bool = True,
) -> tuple[Tensor | None, ...]:
    return grad(
        [output],
        inputs,
        [seed],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
        is_grads_batched=batched,
    )


def _bases(tensor: Tensor, length: int) -> Iterator[Tensor]:
    """The unit vectors of a tensor's shape, `length` at a time along a first dimension."""
    count, shape, dtype = tensor.numel(), Size(tensor.shape), tensor.dtype.np
    for start in range(0, count, length):
        many = min(length, count - start)
        reserve((many, count), dtype.itemsize)
        basis = np.zeros((many, count), dtype)
        basis[np.arange(many), np.arange(start, start + many)] = 1
        yield wrap(basis.reshape(many, *shape))

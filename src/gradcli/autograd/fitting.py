"""Gradients in the shape and type of what they belong to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.table.halves import is_half
from gradcli.tensor import dtypes
from gradcli.tensor.graph import Node
from gradcli.tensor.tensor import Tensor, raw, wrap


def fit(
    gradient: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    recorded: bool,
    words: Callable[[], str],
) -> Any:
    """A gradient in the shape and type of its operand: undoes broadcasting and promotion.

    Raises:
        RuntimeError: the shape does not broadcast to the gradient's, which `words` calls by name.
    """
    array = gradient._array if recorded else gradient
    if array.shape == shape and array.dtype is dtype:
        return gradient
    from gradcli.ops.algebra.creation import to_dtype
    from gradcli.ops.algebra.sums import sum_to

    if not recorded and is_half(gradient):
        fitted: Tensor = fit(wrap(gradient), shape, dtype, True, words)
        return fitted._array
    found = raw(gradient).shape
    if found != shape:
        if not _expands(shape, found):
            raise RuntimeError(
                f"{words()} - got {list(found)} but expected shape compatible with {list(shape)}"
            )
        gradient = sum_to(gradient, shape)
    found_dtype = raw(gradient).dtype
    if found_dtype != dtype:
        if found_dtype.kind == "c" and dtype.kind != "c":
            from gradcli.ops.algebra.complex import real_part

            gradient = real_part(gradient)
        if recorded:
            gradient = to_dtype(gradient, dtypes.from_numpy(dtype))
        else:
            gradient = gradient.astype(dtype, copy=False)
    return gradient


def named(node: Node, outgoing: Sequence[Any], gradient: Any, successor: Node) -> str:
    """What messages call a gradient that goes from a node to a successor."""
    edges = zip(outgoing, node.successors, strict=True)
    index = next(k for k, (g, s) in enumerate(edges) if g is gradient and s is successor)
    return f"Function {node.name()} returned an invalid gradient at index {index}"


def _expands(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether `shape` broadcasts to `target`."""
    lead = len(target) - len(shape)
    return lead >= 0 and all(a in (1, b) for a, b in zip(shape, target[lead:], strict=True))

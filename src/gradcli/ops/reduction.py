"""Operators that reduce dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.shape import expand, reshape, shape_of, unsqueeze
from gradcli.ops.table import Row, row
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import Tensor, wrap_dim

Array = Any


def axes(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions that ``dim`` (None or empty: all) means, counted from the front."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    wrapped = tuple(wrap_dim(d, ndim) for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    for position, where in enumerate(wrapped):
        if where in wrapped[:position]:
            raise RuntimeError(f"dim {where} appears multiple times in the list of dims")
    return wrapped if ndim else ()


def _accumulator(self: Array, dtype: DType | None) -> Any:
    """Sums of integers and booleans are int64."""
    if dtype is not None:
        return dtype.np
    return np.dtype(np.int64) if self.dtype.kind in "iub" else self.dtype


def unreduce(grad: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """A gradient of a reduction, spread over the shape that was reduced."""
    if not keepdim and shape:
        for where in sorted(axes(dim, len(shape))):
            grad = unsqueeze(grad, where)
    return expand(grad, shape)


sum_all: Row = row(
    "sum(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: np.sum(self, dtype=_accumulator(self, dtype)),
    self=lambda grad, self_shape: expand(grad, self_shape),
    samples=lambda r: [(r(3, 4),), (r(),), (r(0, 2),)],
    doc="The sum of all elements.",
)
sum_dim: Row = row(
    "sum(Tensor self, int[1]? dim, bool keepdim=False, *, dtype? dtype=None)",
    lambda self, dim, keepdim=False, dtype=None: np.sum(
        self, axis=axes(dim, self.ndim), keepdims=keepdim, dtype=_accumulator(self, dtype)
    ),
    node="SumBackward1",
    self=lambda grad, self_shape, dim, keepdim: unreduce(grad, self_shape, dim, keepdim),
    samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, -1), True), (r(), (0,))],
    doc="The sum along dimensions.",
)


def sum_to(value: Any, shape: tuple[int, ...]) -> Any:
    """Sums the dimensions along which ``shape`` was broadcast."""
    found = shape_of(value)
    lead = len(found) - len(shape)
    dims = list(range(lead))
    dims += [lead + k for k, n in enumerate(shape) if n == 1 and found[lead + k] != 1]
    if type(value) is not Tensor:
        return np.sum(value, axis=tuple(dims), keepdims=True).reshape(shape)
    summed = sum_dim(value, tuple(dims), True) if dims else value
    return reshape(summed, shape) if lead else summed


def _mean_type(self: Array, dtype: DType | None) -> Any:
    if dtype is not None:
        return dtype.np
    if self.dtype.kind in "iub":
        word = dtypes.of(self).scalar_name
        raise RuntimeError(
            "mean(): could not infer output dtype. Input dtype must be either a floating point or "
            f"complex dtype. Got: {word}"
        )
    return self.dtype


def _count(shape: Sequence[int], dim: Any) -> int:
    count = 1
    for where in axes(dim, len(shape)):
        count *= shape[where]
    return count


mean_all: Row = row(
    "mean(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: np.true_divide(
        np.sum(self, dtype=_mean_type(self, dtype)), self.size
    ).astype(_mean_type(self, dtype)),
    self=lambda grad, self_shape: expand(grad, self_shape) / _count(self_shape, None),
    samples=lambda r: [(r(3, 4),), (r(),)],
    doc="The mean of all elements.",
)

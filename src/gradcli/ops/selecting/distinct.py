"""Sets of values: distinct elements, membership, places in sorted sequences."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.table.declare import composite, row
from gradcli.table.refusals import underived
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor, raw, wrap
from gradcli.typing import Array, Operand, Value


def _runs(changes: Array) -> tuple[Array, Array, Array]:
    """From where each slice differs from the one before: run starts, numbers and lengths."""
    starts = np.flatnonzero(changes)
    numbers = np.cumsum(changes) - 1
    return starts, numbers, np.diff(np.append(starts, len(changes)))


def _changes(rows: Array) -> Array:
    """Whether each row differs from the one before; the first one does."""
    differs = rows[1:] != rows[:-1]
    if rows.ndim > 1:
        differs = differs.any(1)
    return np.concatenate([np.ones(min(len(rows), 1), bool), differs])


def _distinct(rows: Array, order: Array | None) -> tuple[Array, Array, Array]:
    """Places of the first of each group of equal rows, the group of each row, and group sizes."""
    arranged = rows if order is None else rows[order]
    starts, numbers, counts = _runs(_changes(arranged))
    if order is None:
        return starts, numbers, counts
    groups = np.empty(len(rows), np.int64)
    groups[order] = numbers
    return order[starts], groups, counts


def _along(self: Array, dim: int) -> Array:
    """The slices along a dimension as rows of a matrix."""
    moved = np.moveaxis(self, dim, 0)
    return moved.reshape(moved.shape[0], math.prod(moved.shape[1:]))


def _refuse_empty(self: Array, dim: int, name: str) -> None:
    zeros = sum(length == 0 for length in self.shape)
    if self.shape[dim] == 0:
        if zeros > 1:
            raise RuntimeError(
                f"Number of zero sized dimensions is more than one, so {name} cannot be applied "
            )
    elif zeros:
        raise RuntimeError(
            f"There are 0 sized dimensions, and they aren't selected, so {name} cannot be applied"
        )


def _unique(self: Array) -> tuple[Array, Array, Array]:
    """The distinct elements in ascending order, which one each element is, and how often."""
    flat = self.reshape(-1)
    places, groups, counts = _distinct(flat, np.argsort(flat, kind="stable"))
    return flat[places], groups.reshape(self.shape), counts


def _unique_dim(self: Array, dim: int) -> tuple[Array, Array, Array]:
    """The distinct slices along a dimension in ascending order, with places and counts."""
    where = wrap_dim(dim, self.ndim)
    if not self.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    _refuse_empty(self, where, "unique")
    rows = _along(self, where)
    order = np.lexsort(rows.T[::-1]) if rows.shape[1] else np.arange(len(rows))
    places, groups, counts = _distinct(rows, order)
    return np.take(self, places, where), groups, counts


def _unique_consecutive(self: Array, dim: int | None = None) -> tuple[Array, Array, Array]:
    """One element (or slice) of each run of equal ones, with places and run lengths."""
    if dim is None:
        flat = self.reshape(-1)
        places, groups, counts = _distinct(flat, None)
        return flat[places], groups.reshape(self.shape), counts
    where = wrap_dim(dim, self.ndim)
    if not self.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    _refuse_empty(self, where, "unique_consecutive")
    places, groups, counts = _distinct(_along(self, where), None)
    return np.take(self, places, where), groups, counts


unique_row: Row = row(
    "aten._unique2",
    _unique,
    kinds="fiub",
    kernel="unique",
    node="Unique2Backward0",
    self=underived("_unique2"),
    samples=lambda r: [(r.ints(3, 4, high=5),), (np.array([0.5, -1.0, 0.5, 2.0]),)],
    pytorch="aten._unique2(self, True, True, True)",
)
unique_dim_row: Row = row(
    "aten.unique_dim",
    _unique_dim,
    self=underived("unique_dim"),
    samples=lambda r: [
        (r.ints(4, 2, high=2), 0),
        (np.array([[0.5, 0.5, -1.0], [1.0, 1.0, 2.0]]), -1),
    ],
)
unique_consecutive_row: Row = row(
    "aten.unique_consecutive",
    _unique_consecutive,
    kinds="fiub",
    kernel="unique",
    self=underived("unique_consecutive"),
    samples=lambda r: [(r.ints(3, 4, high=2),), (np.array([[0.5, 0.5, -1.0], [1.0, 1.0, 2.0]]), 1)],
    pytorch="aten.unique_consecutive(self, True, True, dim)",
)


def _requested(found: Any, return_inverse: bool, return_counts: bool) -> Any:
    values, inverse, counts = found
    wanted = [values] + [inverse] * return_inverse + [counts] * return_counts
    return tuple(wanted) if len(wanted) > 1 else values


@composite(
    "unique",
    samples=lambda r: [
        (r.ints(3, 4, high=5),),
        (r.ints(3, 4, high=5), True, True, True),
        (r.ints(4, 2, high=2), True, False, True, 0),
        (np.array([0.5, -1.0, 0.5, 2.0]), {"return_inverse": True}),
        (
            np.array([[True, False], [True, True], [True, False]]),
            {"dim": 0, "return_inverse": True},
        ),
    ],
)
def unique(
    self: Value,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements, or slices along a dimension, in ascending order."""
    found = unique_row(self) if dim is None else unique_dim_row(self, dim)
    return _requested(found, return_inverse, return_counts)


@composite(
    "unique_consecutive",
    samples=lambda r: [
        (r.ints(3, 4, high=2),),
        (r.ints(6, high=2), True, True),
        (np.array([[0.5, 0.5, -1.0], [1.0, 1.0, 2.0]]), {"return_counts": True, "dim": -1}),
        (np.zeros(0),),
    ],
)
def unique_consecutive(
    self: Value, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """One element, or slice along a dimension, of each run of equal ones."""
    return _requested(unique_consecutive_row(self, dim), return_inverse, return_counts)


@composite(
    "isin",
    samples=lambda r: [
        (r.ints(3, 4, high=5), np.array([1, 3])),
        (r.ints(4, high=5), 2, {"invert": True}),
        (1, np.array([1, 3]), {"assume_unique": True}),
        (np.array([0.5, 1.0, -1.0]), np.array([1, -1])),
    ],
)
def isin(
    elements: Operand, test_elements: Operand, *, assume_unique: bool = False, invert: bool = False
) -> Tensor:
    """Whether each element is among the test elements."""
    arrays: list[Any] = [raw(x) for x in (elements, test_elements)]
    for array in arrays:
        kind = dtypes.of(array) if hasattr(array, "dtype") else dtypes.of_number(array)
        if kind.category in (dtypes.BOOL, dtypes.COMPLEX):
            raise RuntimeError(f"Unsupported input type encountered for isin(): {kind.scalar_name}")
    common = dtypes.result_type(arrays).np
    candidates, tests = (np.asarray(array).astype(common) for array in arrays)
    return wrap(np.isin(candidates, tests, assume_unique=assume_unique, invert=invert))


def _insertion(boundaries: Array, values: Array, right: bool) -> Array:
    """Where values belong in ascending boundaries; nan behind everything."""
    found: Array = np.searchsorted(boundaries, values, "right" if right else "left")
    if values.dtype.kind == "f":
        found = np.where(np.isnan(values), len(boundaries), found)
    return np.asarray(found)


def _search(boundaries: Array, values: Array, right: bool, out_int32: bool) -> Tensor:
    common = np.result_type(boundaries, values)
    require_kinds(common, "fiu", "searchsorted_out_cpu")
    boundaries, values = boundaries.astype(common), values.astype(common)
    if boundaries.ndim == 1:
        found = _insertion(boundaries, values, right)
    else:
        found = np.empty(values.shape, np.int64)
        for place in np.ndindex(boundaries.shape[:-1]):
            found[place] = _insertion(boundaries[place], values[place], right)
    return wrap(found.astype(np.int32 if out_int32 else np.int64))


def _side(right: bool, side: str | None) -> bool:
    if side not in (None, "left", "right"):
        raise RuntimeError(
            f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}"
        )
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left "
            "while right was True"
        )
    return right or side == "right"


def _sorted_by(boundaries: Array, sorter: Any) -> Array:
    if sorter is None:
        return boundaries
    order = sorter._array
    if order.shape != boundaries.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary "
            f"tensor {list(boundaries.shape)}and got sorter tensor {list(order.shape)}"
        )
    if order.dtype != np.int64:
        raise RuntimeError(
            "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype "
            f"{dtypes.of(order).scalar_name}"
        )
    if order.size and not (order.min() >= 0 and order.max() < boundaries.shape[-1]):
        raise RuntimeError("torch.searchsorted(): sorter index out of range")
    return np.take_along_axis(boundaries, order, -1)


@composite(
    "searchsorted",
    samples=lambda r: [
        (np.array([-1.0, 0.0, 0.0, 1.5]), np.array([[0.0, -3.0], [2.0, 1.0]])),
        (np.array([[1, 3, 5], [2, 4, 6]]), np.array([[3, 6], [4, 1]]), {"right": True}),
        (
            np.array([3, 1, 5]),
            3,
            {"out_int32": True, "side": "right", "sorter": np.array([1, 0, 2])},
        ),
        (np.array([1, 3, 5]), np.array([0.5, math.nan, 3.0])),
    ],
)
def searchsorted(
    sorted_sequence: Value,
    self: Operand,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Value | None = None,
) -> Tensor:
    """Where values would be inserted into sorted sequences."""
    boundaries = sorted_sequence._array
    values = self._array if isinstance(self, Tensor) else np.asarray(self)
    right = _side(right, side)
    if boundaries.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 "
            "dimension"
        )
    if boundaries.ndim != 1 and values.ndim == 0:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
            f"dimension is 1, but we got boundaries tensor dim({boundaries.ndim}) and input "
            "value's dim(0) numel(1)"
        )
    if boundaries.ndim != 1 and boundaries.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 "
            "dimensions of boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(boundaries.shape)} and input value tensor "
            f"{list(values.shape)}"
        )
    return _search(_sorted_by(boundaries, sorter), values, right, out_int32)


@composite(
    "bucketize",
    samples=lambda r: [
        (np.array([[0.0, -3.0], [2.0, 1.0]]), np.array([-1.0, 0.0, 0.0, 1.5])),
        (np.array([1, 3, 6]), np.array([1, 3, 5]), {"right": True, "out_int32": True}),
        (3, np.array([1, 3, 5])),
    ],
)
def bucketize(
    self: Operand, boundaries: Value, *, out_int32: bool = False, right: bool = False
) -> Tensor:
    """Which of the intervals between ascending boundaries holds each element."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    values = self._array if isinstance(self, Tensor) else np.asarray(self)
    return _search(boundaries._array, values, right, out_int32)

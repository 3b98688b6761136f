"""Operators that select by order: sorting, medians, modes, the k-th value.

At a tie the gradient goes to the element that was selected.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.kernels import partial_sort
from gradcli.ops.selecting.extremes import _chosen, _nonempty, evenly, selected
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Samples, kinked
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import wrap_dim
from gradcli.typing import Array, Value


def _order(self: Array, where: int, descending: bool) -> Array:
    """Places in sorted order, stable; nan counts as largest."""
    if not descending:
        return np.argsort(self, axis=where, kind="stable")
    flipped = np.flip(self, where)
    order = np.flip(np.argsort(flipped, axis=where, kind="stable"), where)
    return self.shape[where] - 1 - order


_LONG = 10_000
"""Slices longer than this are not searched for the element that PyTorch picks among equal ones."""


def _ranks(line: Array, descending: bool) -> list[int]:
    """Whole numbers that order a slice, nan as the largest value; equal values have equal ones."""
    groups = np.unique(line, return_inverse=True)[1]
    return (-groups if descending else groups).tolist()  # type: ignore[no-any-return]


def _along(self: Array, where: int, count: int, pick: Any) -> Array:
    """Places picked from each slice, `count` of them, along a dimension."""
    moved = np.moveaxis(self, where, -1)
    lines = moved.reshape(math.prod(moved.shape[:-1]), moved.shape[-1])
    found = np.array([pick(line) for line in lines], np.int64)
    return np.moveaxis(found.reshape(*moved.shape[:-1], count), -1, where)


def _has_ties(self: Array, where: int) -> bool:
    ordered = np.sort(self, axis=where)
    count = self.shape[where]
    above, below = (
        np.take(ordered, range(*part), axis=where) for part in ((1, count), (0, count - 1))
    )
    tied = above == below
    if self.dtype.kind == "f":
        tied |= np.isnan(below)
    return bool(tied.any())


def _unstable_order(line: Array, descending: bool) -> list[int]:
    keys, places = _ranks(line, descending), list(range(len(line)))
    partial_sort.sort(keys, places)
    return places


def _sort(
    self: Array, dim: int = -1, descending: bool = False, stable: bool = False
) -> tuple[Array, Array]:
    """The elements in ascending order along a dimension, and where they stood."""
    where = wrap_dim(dim, self.ndim)
    if self.dtype.kind == "c":
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    length = self.shape[where]
    # Short slices are sorted by insertion, which is stable.
    if stable or length <= partial_sort.SHORT or length > _LONG or not _has_ties(self, where):
        order = _order(self, where, descending)
    else:
        order = _along(self, where, length, lambda line: _unstable_order(line, descending))
    return np.take_along_axis(self, order, where), order


def _sort_row(name: str, node: str, pytorch: str) -> Row:
    return row(
        f"aten.{name}",
        _sort,
        node=node,
        self=lambda grad, self_shape, result1, dim: selected(grad, dim, result1, self_shape, True),
        samples=lambda r: [(r(3, 4), 1), (r(4),), (r(3, 4), 0, True)],
        pytorch=pytorch,
    )


sort_row = _sort_row("sort", "SortBackward0", "aten.sort(self, dim, descending)")
stable_sort_row = _sort_row(
    "stable_sort",
    "SortBackward1",
    "torch.sort(self, dim=dim, descending=descending, stable=stable)",
)


@composite(
    "sort",
    samples=lambda r: [
        (r(3, 4), {"stable": True}),
        (r.ints(20, high=3), {"stable": True, "descending": True}),
        (r(3, 4), {"stable": False, "dim": 0}),
    ],
)
def sort_stably(
    self: Value, *, stable: bool | None, dim: int = -1, descending: bool = False
) -> Any:
    """The elements in ascending order along a dimension, and where they stood."""
    found = stable_sort_row(self, dim, descending, bool(stable))
    return return_type("sort", "values indices")(found)


@composite(
    "sort",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), 0, True),
        (r.ints(2, 5, high=3),),
        (r.ints(20, high=3), -1, True),
        (kinked([1.0, math.nan, -1.0]), 0, True),
        (r(),),
    ],
)
def sort(self: Value, dim: int = -1, descending: bool = False) -> Any:
    """The elements in ascending order along a dimension, and where they stood."""
    return return_type("sort", "values indices")(sort_row(self, dim, descending))


@composite("argsort", samples=lambda r: [(r(3, 4),), (r(3, 4), 0, True), (r.ints(20, high=3),)])
def argsort(self: Value, dim: int = -1, descending: bool = False) -> Any:
    """The places of the elements in ascending order."""
    return sort_row(self, dim, descending)[1]


@composite(
    "argsort",
    samples=lambda r: [
        (r(3, 4), {"stable": True}),
        (r.ints(20, high=3), {"stable": True, "descending": True}),
        (r.ints(2, 3, high=3), {"stable": False, "dim": 0}),
    ],
)
def argsort_stably(self: Value, *, stable: bool, dim: int = -1, descending: bool = False) -> Any:
    """The places of the elements in ascending order."""
    return sort_row(self, dim, descending, stable)[1]


@composite("msort", samples=lambda r: [(r(3, 4),)])
def msort(self: Value) -> Any:
    """Sorted along dimension 0."""
    return sort_row(self, 0)[0]


def _largest(line: Array, k: int, largest: bool, in_order: bool) -> list[int]:
    """The places of the k largest (smallest) elements, in the order that PyTorch leaves them."""
    keys, places = _ranks(line, largest), list(range(len(line)))
    if k * 64 <= len(line):
        partial_sort.partial_sort(keys, places, k)
    else:
        partial_sort.nth_element(keys, places, k - 1)
        if in_order:
            partial_sort.sort(keys, places, k - 1)
    return places[:k]


def _topk(
    self: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> tuple[Array, Array]:
    """The k largest elements along a dimension, and where they stand."""
    where = wrap_dim(dim, self.ndim)
    length = self.shape[where] if self.ndim else 1
    if not 0 <= k <= length:
        raise RuntimeError("selected index k out of range")
    if self.dtype.kind == "c":
        raise RuntimeError(" topk does not support complex dtypes on CPU")
    if self.dtype == np.bool_:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    if k and length <= _LONG and (not sorted or _has_ties(self, where)):
        kept = _along(self, where, k, lambda line: _largest(line, k, largest, sorted))
    else:
        kept = np.take(_order(self, where, largest), np.arange(k), axis=where)
    return np.take_along_axis(self, kept, where), kept


topk_row: Row = row(
    "aten.topk",
    _topk,
    self=lambda grad, self_shape, result1, dim: selected(grad, dim, result1, self_shape, True),
    samples=lambda r: [(r(3, 4), 2), (r(4, 3), 2, 0, False)],
)


@composite(
    "topk",
    samples=lambda r: [
        (r(3, 4), 2),
        (r(4, 3), 2, 0, False),
        (r.ints(2, 8, high=3), 3, 1, True, False),
        (r(), 1),
        (kinked([1.0, math.nan, 2.0]), 2),
    ],
)
def topk(self: Value, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) elements along a dimension, and where they stand."""
    return return_type("topk", "values indices")(topk_row(self, k, dim, largest, sorted))


def _kth_place(line: Array, k: int) -> int:
    places = list(range(len(line)))
    partial_sort.quick_select(_ranks(line, False), places, k - 1)
    return places[k - 1]


def _kthvalue(self: Array, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "kthvalue", dim)
    length = self.shape[where] if self.ndim else 1
    if not 1 <= k <= length:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {where}")
    require_kinds(self.dtype, "fiu", "kthvalue_cpu")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    if length <= _LONG and _has_ties(self, where):
        order = np.squeeze(_along(self, where, 1, lambda line: _kth_place(line, k)), where)
    else:
        order = np.take(_order(self, where, False), k - 1, axis=where)
    return _chosen(self, order, where, keepdim)


def _median(self: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "median", dim)
    require_kinds(self.dtype, "fiu", "median_out")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    order = _order(self, where, False)
    middle = np.take(order, (self.shape[where] - 1) // 2, axis=where)
    if self.dtype.kind == "f":
        # A nan anywhere is the median; the first one is chosen.
        bad = np.isnan(self)
        middle = np.where(bad.any(where), np.argmax(bad, axis=where), middle)
    return _chosen(self, middle, where, keepdim)


def _nanmedian(self: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "median", dim)
    require_kinds(self.dtype, "fiu", "median_out")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    order = _order(self, where, False)
    bad = np.isnan(self) if self.dtype.kind == "f" else np.zeros(self.shape, bool)
    good = self.shape[where] - bad.sum(where, keepdims=True)
    place_ = np.maximum(good - 1, 0) // 2
    middle = np.squeeze(np.take_along_axis(order, place_, where), where)
    return _chosen(self, middle, where, keepdim)


def _most_frequent(line: Array) -> int:
    """The place of the most frequent value, of the smallest of several; nan equals nothing."""
    if len(line) > _LONG:
        values, counts = np.unique(line, return_counts=True, equal_nan=False)
        return int(np.flatnonzero(line == values[np.argmax(counts)])[-1])
    keys, places = line.tolist(), list(range(len(line)))
    partial_sort.sort(keys, places)
    best, most, run = places[0], 0, 0
    for number, place in enumerate(places):
        run += 1
        if number + 1 == len(places) or keys[place] != keys[places[number + 1]]:
            if run > most:
                best, most = place, run
            run = 0
    return best


def _mode(self: Array, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "mode", dim)
    require_kinds(self.dtype, "fiub", "mode_cpu")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    order = np.squeeze(_along(self, where, 1, _most_frequent), where)
    return _chosen(self, order, where, keepdim)


def _statistic(name: str, forward: Any, samples: Samples, doc: str, node: str) -> None:
    made = row(
        f"aten.{name}_dim",
        forward,
        node=node,
        self=lambda grad, self_shape, result1, dim, keepdim: selected(
            grad, dim, result1, self_shape, keepdim
        ),
        kink="the gradient goes to the element that was selected",
        samples=samples,
        doc=doc,
        pytorch=f"torch.{name}",
    )

    composite(f"{name}({made.parameters})", samples=samples, doc=doc)(
        lambda *args: return_type(name, "values indices")(made(*args))
    )


_statistic(
    "kthvalue",
    _kthvalue,
    lambda r: [
        (r(3, 4), 2),
        (r(3, 4), 1, 0, True),
        (r.ints(2, 6, high=3), 4, -1),
        (r(), 1),
        (kinked([3.0, math.nan, 1.0]), 3),
    ],
    "The k-th smallest elements along a dimension, and where they stand.",
    "KthvalueBackward0",
)
_statistic(
    "mode",
    _mode,
    lambda r: [(r(3, 4),), (r(3, 4), 0, True), (r.ints(3, 6, high=3), 1), (r(),)],
    "The most frequent elements along a dimension, and where the last of them stand.",
    "ModeBackward0",
)


def _median_all(name: str, along: Any, doc: str) -> None:
    def forward(self: Array) -> Array:
        if self.size == 0:
            return np.asarray(np.nan, self.dtype)
        return along(self.reshape(-1), 0)[0]

    row(
        name,
        forward,
        kinds="fiu",
        kernel="median_cpu",
        node=f"{name.title()}Backward0",
        self=evenly,
        kink="elements that equal the median share the gradient evenly",
        samples=lambda r: [
            (r(3, 4),),
            (r(5),),
            (kinked([1.0, 3.0, 1.0, 1.0]),),
            (kinked([3.0, math.nan, 1.0, 2.0]),),
        ],
        doc=doc,
    )


_median_all("median", _median, "The lower median of all elements.")
_median_all("nanmedian", _nanmedian, "The lower median of the elements that are not nan.")
for _name, _function in (("median", _median), ("nanmedian", _nanmedian)):
    _statistic(
        _name,
        _function,
        lambda r: [
            (r(3, 4), 1),
            (r(3, 5), 0, True),
            (r.ints(2, 6, high=4), -1),
            (kinked([[3.0, math.nan, 1.0, 2.0]]), 1),
            (r(), 0),
        ],
        "The lower median along a dimension, and where it stands.",
        f"{_name.title()}Backward1",
    )

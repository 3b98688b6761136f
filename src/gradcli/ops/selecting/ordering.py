"""Operators that select by order: extremes with their places, sorting, medians, the k-th value.

At a tie the gradient goes to the element that was selected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels import partial_sort
from gradcli.ops.algebra.arithmetic import added, maximum, minimum
from gradcli.ops.algebra.comparison import eq, filled_with, isnan, zeros_like
from gradcli.ops.algebra.indexing import scatter_src
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.sums import axes, shared_evenly, sum_all
from gradcli.ops.algebra.views import unsqueeze
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Samples, binary, kinked
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import raw
from gradcli.typing import Array, Value

# --- moving gradients to selected places


def selected(grad: Any, dim: int, indices: Any, sizes: Sequence[int], keepdim: bool) -> Any:
    """A gradient of selected values as one of what they were selected from."""
    if sizes and not keepdim:
        where = wrap_dim(dim, len(sizes))
        grad, indices = unsqueeze(grad, where), unsqueeze(indices, where)
    return scatter_src(blank(sizes, grad), dim, indices, grad)


def evenly(grad: Any, self: Any, result: Any) -> Any:
    """A gradient of one value, shared by all elements that equal it."""
    lost = bool(np.isnan(raw(result)))
    tied = isnan(self) if lost else eq(self, result)
    return filled_with(zeros_like(self), tied, grad / sum_all(tied))


def _nonempty(self: Array, name: str, dim: int) -> int:
    where = wrap_dim(dim, self.ndim)
    if self.ndim and self.shape[where] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {where} to have non-zero size.")
    return where


def _chosen(self: Array, indices: Array, where: int, keepdim: bool) -> tuple[Array, Array]:
    """Values and places of one element per slice."""
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    kept = np.expand_dims(indices, where)
    values = np.take_along_axis(self, kept, where)
    return (values, kept) if keepdim else (np.squeeze(values, where), indices)


# --- maximum and minimum


def _extreme_all(name: str, function: Any, doc: str) -> None:
    def forward(self: Array) -> Array:
        if self.size == 0:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                "Specify the reduction dim with the 'dim' argument."
            )
        require_kinds(self.dtype, "fiub", f"{name}_all")
        return np.asarray(function(self))

    row(
        name,
        forward,
        node=f"{name.title()}Backward1",
        self=evenly,
        kink="elements that tie for the extreme share the gradient evenly",
        samples=lambda r: [
            (r(3, 4),),
            (r(),),
            (np.array([1.0, 3.0, 3.0]),),
            (r.ints(3, high=9),),
            (kinked([1.0, math.nan]),),
        ],
        doc=doc,
    )


def _extreme_dim(name: str, find: Any, doc: str) -> None:
    def forward(self: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
        where = _nonempty(self, name, dim)
        if self.dtype.kind == "c":
            raise RuntimeError(f"{name}(): does not support complex input")
        return _chosen(self, find(self, axis=where) if self.ndim else None, where, keepdim)

    made = row(
        f"aten.{name}_dim",
        forward,
        node=f"{name.title()}Backward0",
        self=lambda grad, self_shape, result1, dim, keepdim: selected(
            grad, dim, result1, self_shape, keepdim
        ),
        kink="of elements that tie the first has the gradient",
        samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0, True)],
        doc=doc,
        pytorch=f"torch.{name}",
    )

    def body(self: Value, dim: int, keepdim: bool = False) -> Any:
        return return_type(name, "values indices")(made(self, dim, keepdim))

    composite(
        name,
        samples=lambda r: [
            (r(3, 4), 1),
            (r(3, 4), 0, True),
            (r.ints(3, 4, high=3), -1),
            (r(), 0),
            (kinked([[1.0, math.nan, math.nan], [2.0, 2.0, 1.0]]), 1),
        ],
        doc=doc,
    )(body)


def _extreme_two(name: str, pairwise: Row, doc: str) -> None:
    composite(f"{name}(Tensor self, Tensor other)", samples=binary(), doc=doc)(
        lambda self, other: pairwise(self, other)
    )


_extreme_all("max", np.max, "The largest element.")
_extreme_all("min", np.min, "The smallest element.")
_extreme_dim("max", np.argmax, "The largest elements along a dimension, and where they stand.")
_extreme_dim("min", np.argmin, "The smallest elements along a dimension, and where they stand.")
_extreme_two("max", maximum, "The larger of two, element by element.")
_extreme_two("min", minimum, "The smaller of two, element by element.")


def _argument(name: str, find: Any, doc: str) -> None:
    def forward(self: Array, dim: int | None = None, keepdim: bool = False) -> Array:
        for kind, word in (("c", "complex"), ("b", "bool")):
            if self.dtype.kind == kind:
                raise RuntimeError(f"{name}(): does not support {word} input")
        if dim is None:
            if self.size == 0:
                raise IndexError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
                )
            found = np.asarray(find(self))
            return found.reshape((1,) * self.ndim) if keepdim else found
        where = _nonempty(self, name, dim)
        return find(self, axis=where, keepdims=keepdim) if self.ndim else np.zeros((), np.int64)

    row(
        name,
        forward,
        samples=lambda r: [
            (r(3, 4),),
            (r(3, 4), 0),
            (r.ints(3, 4, high=3), -1, True),
            (kinked([1.0, math.nan, 2.0, math.nan]),),
            (r(), 0),
        ],
        doc=doc,
    )


_argument("argmax", np.argmax, "Where the largest element stands.")
_argument("argmin", np.argmin, "Where the smallest element stands.")


@composite(
    "aminmax",
    samples=lambda r: [
        (r(3, 4), {"dim": 1}),
        (r(3, 4), {"dim": 0, "keepdim": True}),
        (np.array([[1.0, 3.0, 3.0, 1.0]]),),
        (r.ints(4, high=9),),
    ],
)
def aminmax(self: Value, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest elements."""
    return return_type("aminmax", "min max")(_aminmax(self, dim, keepdim))


def _aminmax_forward(
    self: Array, dim: int | None = None, keepdim: bool = False
) -> tuple[Array, Array]:
    """The smallest and the largest elements."""
    if self.size == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    where = axes(dim, self.ndim)
    if dim is not None and self.ndim and self.shape[where[0]] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {where[0]} to have non-zero size.")
    require_kinds(self.dtype, "fiub", "aminmax_cpu")
    return (
        np.asarray(np.min(self, axis=where, keepdims=keepdim)),
        np.asarray(np.max(self, axis=where, keepdims=keepdim)),
    )


def _aminmax_vjp(
    grads: Any, self: Any, self_shape: Any, result0: Any, result1: Any, dim: Any, keepdim: bool
) -> Any:
    total: Any = None
    where = None if dim is None else (dim,)
    for grad, result in zip(grads, (result0, result1), strict=True):
        if grad is not None:
            total = added(total, shared_evenly(grad, self, result, self_shape, where, keepdim))
    return total


_aminmax: Row = row(
    "aten.aminmax",
    _aminmax_forward,
    self=_aminmax_vjp,
    kink="elements that tie for the extreme share the gradient evenly",
    samples=lambda r: [(r(3, 4), 1), (r(3, 4),), (r(3, 4), 0, True)],
    pytorch="aten.aminmax(self, dim=dim, keepdim=keepdim)",
)

# --- sorting


def _order(self: Array, where: int, descending: bool) -> Array:
    """Places in sorted order, stable; nan counts as largest."""
    if not descending:
        return np.argsort(self, axis=where, kind="stable")
    flipped = np.flip(self, where)
    order = np.flip(np.argsort(flipped, axis=where, kind="stable"), where)
    return self.shape[where] - 1 - order


#: Slices longer than this are not searched for the element that PyTorch picks among equal ones.
_LONG = 10_000


def _ranks(line: Array, descending: bool) -> list[int]:
    """Whole numbers that order a slice, nan as the largest value; equal values have equal ones."""
    groups = np.unique(line, return_inverse=True)[1]
    return (-groups if descending else groups).tolist()  # type: ignore[no-any-return]


def _along(self: Array, where: int, count: int, pick: Any) -> Array:
    """Places picked from each slice, ``count`` of them, along a dimension."""
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


# --- order statistics


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

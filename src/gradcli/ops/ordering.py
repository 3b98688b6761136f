"""Operators that select by order: extremes with their places, sorting, medians, the k-th value.

At a tie the gradient goes to the element that was selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.arithmetic import maximum, minimum
from gradcli.ops.comparison import eq, isnan, logical_and, logical_or
from gradcli.ops.reduction import axes, sum_all
from gradcli.ops.shape import unsqueeze
from gradcli.ops.table import Row, composite, row
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.tensor import wrap_dim

Array = Any

# --- moving gradients to selected places


def _place(self: Array, dim: int, indices: Array, sizes: Sequence[int]) -> Array:
    full = np.zeros(sizes, self.dtype)
    np.put_along_axis(full, indices, self, dim)
    return full


place: Row = row(
    "aten.place_along(Tensor self, int dim, Tensor indices, int[] sizes)",
    _place,
    node="ScatterBackward0",
    self=lambda grad, dim, indices: pick(grad, dim, indices),
    samples=lambda r: [(r(2, 2), 1, np.array([[0, 2], [1, 0]]), (2, 3))],
    doc="Zeros, but for the elements of self at the given places along a dimension.",
)


def _add_at(self: Array, dim: int, indices: Array, sizes: Sequence[int]) -> Array:
    full = np.zeros(sizes, self.dtype)
    grid = list(np.indices(self.shape, sparse=True))
    grid[dim] = indices
    np.add.at(full, tuple(grid), self)
    return full


add_along: Row = row(
    "aten.add_along(Tensor self, int dim, Tensor indices, int[] sizes)",
    _add_at,
    node="ScatterAddBackward0",
    self=lambda grad, dim, indices: pick(grad, dim, indices),
    samples=lambda r: [(r(2, 2), 1, np.array([[0, 0], [1, 0]]), (2, 3))],
    doc="Zeros plus the elements of self at the given places along a dimension.",
)


pick: Row = row(
    "aten.pick_along(Tensor self, int dim, Tensor indices)",
    lambda self, dim, indices: np.take_along_axis(self, indices, dim),
    node="GatherBackward0",
    self=lambda grad, self_shape, dim, indices: add_along(grad, dim, indices, self_shape),
    samples=lambda r: [(r(2, 3), 1, np.array([[0, 2], [1, 1]]))],
    doc="The elements of self at the given places along a dimension.",
)


def selected(grad: Any, dim: int, indices: Any, sizes: Sequence[int], keepdim: bool) -> Any:
    """A gradient of selected values as one of what they were selected from."""
    if not sizes:
        return grad
    where = wrap_dim(dim, len(sizes))
    if not keepdim:
        grad, indices = unsqueeze(grad, where), unsqueeze(indices, where)
    return place(grad, where, indices, sizes)


def _nonempty(self: Array, name: str, dim: int) -> int:
    where = wrap_dim(dim, self.ndim)
    if self.ndim and self.shape[where] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {where} to have non-zero size.")
    return where


def _squeezed(values: Array, where: int, keepdim: bool, ndim: int) -> Array:
    return values if keepdim or not ndim else np.squeeze(values, where)


def _chosen(self: Array, indices: Array, where: int, keepdim: bool) -> tuple[Array, Array]:
    """Values and places of one element per slice."""
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    kept = np.expand_dims(indices, where)
    values = np.take_along_axis(self, kept, where)
    return (
        _squeezed(values, where, keepdim, self.ndim),
        _squeezed(kept, where, keepdim, self.ndim),
    )


# --- maximum and minimum


def _extreme_all(name: str, function: Any, doc: str) -> None:
    def forward(self: Array) -> Array:
        if self.size == 0:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                "Specify the reduction dim with the 'dim' argument."
            )
        return np.asarray(function(self))

    def vjp(grad: Any, self: Any, result: Any) -> Any:
        tied = eq(self, result)
        if isinstance(result, float) and result != result:
            tied = isnan(self)
        tied = logical_or(tied, logical_and(isnan(self), isnan(result)))
        return tied * (grad / sum_all(tied))

    row(
        f"{name}(Tensor self)",
        forward,
        node=f"{name.title()}Backward1",
        self=vjp,
        kink="elements that tie for the extreme share the gradient evenly",
        samples=lambda r: [(r(3, 4),), (r(),)],
        doc=doc,
    )


def _extreme_dim(name: str, find: Any, doc: str) -> None:
    def forward(self: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
        where = _nonempty(self, name, dim)
        return _chosen(self, find(self, axis=where) if self.ndim else None, where, keepdim)

    made = row(
        f"aten.{name}_dim(Tensor self, int dim, bool keepdim=False)",
        forward,
        node=f"{name.title()}Backward0",
        self=lambda grad, self_shape, result1, dim, keepdim: selected(
            grad, dim, result1, self_shape, keepdim
        ),
        kink="of elements that tie the first has the gradient",
        samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0, True)],
        doc=doc,
    )

    def body(self: Any, dim: int, keepdim: bool = False) -> Any:
        return return_type(name, "values indices")(made(self, dim, keepdim))

    composite(f"{name}(Tensor self, int dim, bool keepdim=False)", doc=doc)(body)


def _extreme_two(name: str, pairwise: Row, doc: str) -> None:
    composite(f"{name}(Tensor self, Tensor other)", doc=doc)(
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
        if dim is None:
            if self.size == 0:
                raise IndexError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                    "Specify the reduction dim with the 'dim' argument."
                )
            found = np.asarray(find(self))
            return found.reshape((1,) * self.ndim) if keepdim else found
        where = _nonempty(self, name, dim)
        return find(self, axis=where, keepdims=keepdim) if self.ndim else np.zeros((), np.int64)

    row(f"{name}(Tensor self, int? dim=None, bool keepdim=False)", forward, doc=doc)


_argument("argmax", np.argmax, "Where the largest element stands.")
_argument("argmin", np.argmin, "Where the smallest element stands.")


@composite(
    "aminmax(Tensor self, *, int? dim=None, bool keepdim=False)",
    samples=lambda r: [(r(3, 4), 1)],
    doc="The smallest and the largest elements.",
)
def aminmax(self: Any, dim: int | None = None, keepdim: bool = False) -> Any:
    return return_type("aminmax", "min max")(_aminmax(self, dim, keepdim))


def _aminmax_forward(
    self: Array, dim: int | None = None, keepdim: bool = False
) -> tuple[Array, Array]:
    where = axes(dim, self.ndim) if dim is not None else tuple(range(self.ndim))
    if self.size == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    return (
        np.asarray(np.min(self, axis=where, keepdims=keepdim)),
        np.asarray(np.max(self, axis=where, keepdims=keepdim)),
    )


def _aminmax_vjp(
    grads: Any, self: Any, self_shape: Any, result0: Any, result1: Any, dim: Any, keepdim: bool
) -> Any:
    from gradcli.ops.reduction import _shared

    total: Any = None
    for grad, result in zip(grads, (result0, result1), strict=True):
        if grad is not None:
            part = _shared(grad, self, result, self_shape, () if dim is None else dim, keepdim)
            total = part if total is None else total + part
    return total


_aminmax: Row = row(
    "aten.aminmax(Tensor self, int? dim=None, bool keepdim=False)",
    _aminmax_forward,
    self=_aminmax_vjp,
    kink="elements that tie for the extreme share the gradient evenly",
    samples=lambda r: [(r(3, 4), 1), (r(3, 4),)],
    doc="The smallest and the largest elements.",
)

# --- sorting


def _order(self: Array, where: int, descending: bool) -> Array:
    """Places in sorted order, stable; nan counts as largest."""
    if not descending:
        return np.argsort(self, axis=where, kind="stable")
    flipped = np.flip(self, where)
    order = np.flip(np.argsort(flipped, axis=where, kind="stable"), where)
    return self.shape[where] - 1 - order


def _sort(self: Array, dim: int = -1, descending: bool = False) -> tuple[Array, Array]:
    if not self.ndim:
        wrap_dim(dim, 0)
        return self.copy(), np.zeros((), np.int64)
    where = wrap_dim(dim, self.ndim)
    order = _order(self, where, descending)
    return np.take_along_axis(self, order, where), order


def _sort_row(name: str, node: str) -> Row:
    return row(
        f"aten.{name}(Tensor self, int dim=-1, bool descending=False)",
        _sort,
        node=node,
        self=lambda grad, self_shape, result1, dim: selected(grad, dim, result1, self_shape, True),
        samples=lambda r: [(r(3, 4), 1), (r(4),), (r(3, 4), 0, True)],
        doc="The elements in ascending order along a dimension, and where they stood.",
    )


sort_row = _sort_row("sort", "SortBackward0")
stable_sort_row = _sort_row("stable_sort", "SortBackward1")


@composite(
    "sort(Tensor self, int dim=-1, bool descending=False, bool? stable=None)",
    doc="The elements in ascending order along a dimension, and where they stood.",
)
def sort(self: Any, dim: int = -1, descending: bool = False, stable: bool | None = None) -> Any:
    made = sort_row if stable is None else stable_sort_row
    return return_type("sort", "values indices")(made(self, dim, descending))


@composite(
    "argsort(Tensor self, int dim=-1, bool descending=False, bool stable=False)",
    doc="The places of the elements in ascending order.",
)
def argsort(self: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    return sort_row(self, dim, descending)[1]


@composite("msort(Tensor self)", samples=lambda r: [(r(3, 4),)], doc="Sorted along dimension 0.")
def msort(self: Any) -> Any:
    return sort_row(self, 0)[0]


def _topk(
    self: Array, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> tuple[Array, Array]:
    where = wrap_dim(dim, self.ndim)
    length = self.shape[where] if self.ndim else 1
    if not 0 <= k <= length:
        raise RuntimeError("selected index k out of range")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    order = _order(self, where, largest)
    kept = np.take(order, np.arange(k), axis=where)
    return np.take_along_axis(self, kept, where), kept


topk_row: Row = row(
    "aten.topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)",
    _topk,
    self=lambda grad, self_shape, result1, dim: selected(grad, dim, result1, self_shape, True),
    samples=lambda r: [(r(3, 4), 2), (r(4, 3), 2, 0, False)],
    doc="The k largest elements along a dimension, and where they stand.",
)


@composite(
    "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)",
    doc="The k largest (or smallest) elements along a dimension, and where they stand.",
)
def topk(self: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    return return_type("topk", "values indices")(topk_row(self, k, dim, largest, sorted))


# --- order statistics


def _kthvalue(self: Array, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "kthvalue", dim)
    length = self.shape[where] if self.ndim else 1
    if not 1 <= k <= length:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {where}")
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    order = np.take(_order(self, where, False), k - 1, axis=where)
    return _chosen(self, order, where, keepdim)


def _median(self: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "median", dim)
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
    where = _nonempty(self, "nanmedian", dim)
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    order = _order(self, where, False)
    bad = np.isnan(self) if self.dtype.kind == "f" else np.zeros(self.shape, bool)
    good = self.shape[where] - bad.sum(where, keepdims=True)
    place_ = np.maximum(good - 1, 0) // 2
    middle = np.squeeze(np.take_along_axis(order, place_, where), where)
    return _chosen(self, middle, where, keepdim)


def _mode(self: Array, dim: int = -1, keepdim: bool = False) -> tuple[Array, Array]:
    where = _nonempty(self, "mode", dim)
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    moved = np.moveaxis(self, where, -1)
    flat = moved.reshape(-1, moved.shape[-1])
    found = np.empty(len(flat), np.int64)
    for number, line in enumerate(flat):
        values, counts = np.unique(line, return_counts=True)
        found[number] = np.flatnonzero(line == values[np.argmax(counts)])[-1]
    return _chosen(self, found.reshape(moved.shape[:-1]), where, keepdim)


def _statistic(name: str, forward: Any, signature: str, samples: Any, doc: str, node: str) -> None:
    made = row(
        f"aten.{name}_dim({signature})",
        forward,
        node=node,
        self=lambda grad, self_shape, result1, dim, keepdim: selected(
            grad, dim, result1, self_shape, keepdim
        ),
        kink="the gradient goes to the element that was selected",
        samples=samples,
        doc=doc,
    )

    def body(*args: Any) -> Any:
        return return_type(name, "values indices")(made(*args))

    composite(f"{name}({signature})", doc=doc)(body)


_statistic(
    "kthvalue",
    _kthvalue,
    "Tensor self, int k, int dim=-1, bool keepdim=False",
    lambda r: [(r(3, 4), 2), (r(3, 4), 1, 0, True)],
    "The k-th smallest elements along a dimension, and where they stand.",
    "KthvalueBackward0",
)
_statistic(
    "mode",
    _mode,
    "Tensor self, int dim=-1, bool keepdim=False",
    lambda r: [(r(3, 4),), (r(3, 4), 0, True)],
    "The most frequent elements along a dimension, and where the last of them stand.",
    "ModeBackward0",
)


def _median_all(name: str, along: Any, doc: str) -> None:
    def forward(self: Array) -> Array:
        if self.size == 0:
            return np.asarray(np.nan, self.dtype)
        return along(self.reshape(-1), 0)[0]

    def vjp(grad: Any, self: Any, self_shape: Any, result: Any) -> Any:
        chosen = logical_or(eq(self, result), logical_and(isnan(self), isnan(result)))
        return chosen * (grad / sum_all(chosen))

    row(
        f"{name}(Tensor self)",
        forward,
        node=f"{name.title()}Backward0",
        self=vjp,
        kink="elements that equal the median share the gradient evenly",
        samples=lambda r: [(r(3, 4),), (r(5),)],
        doc=doc,
    )


_median_all("median", _median, "The lower median of all elements.")
_median_all("nanmedian", _nanmedian, "The lower median of the elements that are not nan.")
for _name, _function in (("median", _median), ("nanmedian", _nanmedian)):
    _statistic(
        _name,
        _function,
        "Tensor self, int dim, bool keepdim=False",
        lambda r: [(r(3, 4), 1), (r(3, 5), 0, True)],
        "The lower median along a dimension, and where it stands.",
        f"{_name.title()}Backward1",
    )

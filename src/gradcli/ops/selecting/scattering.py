"""Reductions into given places: `scatter_reduce` and `index_reduce`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradcli.kernels.places import combine_along, places_of_slices, put_along
from gradcli.ops.algebra.comparison import bitwise_and, eq, filled, ones_like, where_, zeros_like
from gradcli.ops.algebra.gathering import (
    check_scatter,
    cut,
    gather,
    scatter_add,
    scatter_room,
    scatter_value,
)
from gradcli.ops.algebra.indexing import check_slices, index_add, index_fill_number, index_select
from gradcli.table.declare import row
from gradcli.table.entry import APART
from gradcli.table.row import Row
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.tensor import Tensor, raw
from gradcli.typing import Array

_UFUNCS: dict[str, Any] = {
    "sum": np.add,
    "mean": np.add,
    "prod": np.multiply,
    "amax": np.maximum,
    "amin": np.minimum,
}


class Access(NamedTuple):
    """How an operator addresses its places: reading, adding, clearing; what it cannot do."""

    pick: Callable[[Any, int, Any], Any]
    add: Callable[[Any, int, Any, Any], Any]
    clear: Callable[[Any, int, Any], Any]
    second_order: str


_UNSUPPORTED = (
    "{0}(): Double backward is unsupported for {1} when >1 zeros in {1} are scattered to the same "
    "position in self"
)
SCATTER = Access(
    gather,
    scatter_add,
    lambda value, dim, index: scatter_value(value, dim, index, 0),
    _UNSUPPORTED.format("scatter_reduce", "src"),
)
INDEX = Access(
    index_select,
    index_add,
    lambda value, dim, index: index_fill_number(value, dim, index, 0),
    _UNSUPPORTED.format("index_reduce", "source"),
)


def _like(value: Any, like: Any) -> Any:
    """Booleans as numbers of the type of `like`, differentiable through nothing."""
    array = raw(like)
    return where_(value, array.dtype.type(1), array.dtype.type(0))


delayed_error: Row = row(
    "aten.delayed_error(Tensor self, str message)",
    lambda self, message: self.copy(),
    node="torch::autograd::DelayedError",
    linear="self",
    elementwise=True,
    self=lambda grad, message: _fail(message),
    samples=lambda r: [(r(3), "it cannot be differentiated twice, and that is not implemented")],
    doc="The tensor itself, whose gradient is an error.",
    untested="what scatter_reduce and index_reduce answer to a second derivative",
)


def _fail(message: str) -> Any:
    raise RuntimeError(message)


def _reduce_vjp(
    access: Access,
    grad: Any,
    self: Any,
    dim: int,
    index: Any,
    src: Any,
    reduce: str,
    include_self: bool,
    result: Any,
    again: Callable[..., Any],
) -> tuple[Any, Any]:
    """The gradients of `self` and `src`; ties of amax and amin share evenly."""
    pick, add, clear = access.pick, access.add, access.clear
    if reduce == "sum":
        grad_self, grad_src = grad, pick(grad, dim, index)
    elif reduce == "mean":
        count = add(
            ones_like(grad) if include_self else zeros_like(grad), dim, index, ones_like(src)
        )
        count = filled(count, eq(count, 0), 1)
        grad_self = grad / count
        grad_src = pick(grad, dim, index) / pick(count, dim, index)
    elif reduce == "prod":
        safe_self = filled(self, eq(self, 0), 1)
        others = again(safe_self, dim, index, src, reduce, include_self)
        grad_self = grad * others / safe_self
        zero = eq(src, 0)
        zeros = pick(add(zeros_like(self), dim, index, _like(zero, self)), dim, index)
        single = bitwise_and(zero, eq(zeros, 1))
        without = again(self, dim, index, filled(src, single, 1), reduce, include_self)
        grad_src = where_(
            single,
            pick(grad * without, dim, index),
            pick(grad * result, dim, index) / filled(src, zero, 1),
        )
        if type(grad) is Tensor and (looked_at(zeros) > 1).any():
            grad_src = delayed_error(grad_src, access.second_order)
    else:
        mine = _like(eq(self, result), self)
        theirs = _like(eq(src, pick(result, dim, index)), src)
        shared = grad / add(mine, dim, index, theirs)
        grad_self = mine * shared
        grad_src = theirs * pick(shared, dim, index)
    if not include_self:
        grad_self = clear(grad_self, dim, index)
    return grad_self, grad_src


def _identity(reduce: str, dtype: Any) -> Any:
    if reduce in ("amax", "amin"):
        if dtype.kind == "f":
            return -np.inf if reduce == "amax" else np.inf
        limits = np.iinfo(dtype)
        return limits.min if reduce == "amax" else limits.max
    return 1 if reduce == "prod" else 0


def _reduced(
    full: Array, where: int, index: Array, src: Array, reduce: str, include_self: bool
) -> Array:
    """Combines `src` with the elements of `full` at given places, in its memory."""
    if not include_self:
        put_along(full, where, index, np.asarray(_identity(reduce, full.dtype), full.dtype))
    combine_along(_UFUNCS[reduce], full, where, index, src)
    if reduce == "mean":
        count = np.full(full.shape, int(include_self), np.int64)
        combine_along(np.add, count, where, index, 1)
        count = np.maximum(count, 1)
        divide = np.true_divide if full.dtype.kind in "fc" else np.floor_divide
        full = divide(full, count).astype(full.dtype)
    return full


def _scatter_reduce(
    self: Array, dim: int, index: Array, src: Array, reduce: str, *, include_self: bool = True
) -> Array:
    """self combined with the elements of src at given places along a dimension."""
    where = check_scatter(self, dim, index, src)
    if reduce not in _UFUNCS:
        raise RuntimeError(
            "reduce argument must be either sum, prod, mean, amax or amin, got " + reduce
        )
    if not index.size:
        return self.copy()
    full, places = scatter_room(self, index)
    reduced = _reduced(full, where, places, cut(src, index), reduce, include_self)
    return reduced.reshape(self.shape)


scatter_reduce: Row = row(
    "scatter_reduce",
    _scatter_reduce,
    joint=(
        "self src",
        lambda grad, self, dim, index, src, reduce, include_self, result: _reduce_vjp(
            SCATTER, grad, self, dim, index, src, reduce, include_self, result, scatter_reduce
        ),
    ),
    complex_gradient=False,
    kink="elements that tie for amax or amin share the gradient evenly",
    samples=lambda r: [
        *(
            (r(3, 4), 1, np.array([[0, 2], [1, 1], [2, 0]]), r(3, 2), how, {"include_self": kept})
            for how in ("sum", "prod", "mean", "amax", "amin")
            for kept in (True, False)
        ),
        (r(4, 2), 0, np.array([[3, 0], [3, 3]]), np.array([[0.0, 0.5], [2.0, 0.0]]), "prod"),
        (np.array([1.0, 2.0]), 0, np.array([0, 0, 1]), np.array([3.0, 3.0, 2.0]), "amax"),
        (np.array([1, 9]), 0, np.array([0, 0, 1]), np.array([4, 2, 4]), "mean"),
    ],
    inplace=APART,
)


def _index_reduce(
    self: Array, dim: int, index: Array, source: Array, reduce: str, *, include_self: bool = True
) -> Array:
    """self combined with slices of source at given places along a dimension."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got "
            f"{reduce}."
        )
    where = check_slices("index_reduce_", self, dim, index, source)
    length = self.shape[where] if self.ndim else 1
    if index.size and (index.min() < 0 or index.max() >= length):
        raise IndexError("index out of range in self")
    full, source = np.atleast_1d(self.copy()), np.atleast_1d(source)
    places = places_of_slices(index, source.shape, where)
    return _reduced(full, where, places, source, reduce, include_self).reshape(self.shape)


index_reduce: Row = row(
    "index_reduce",
    _index_reduce,
    joint=(
        "self source",
        lambda grad, self, dim, index, source, reduce, include_self, result: _reduce_vjp(
            INDEX, grad, self, dim, index, source, reduce, include_self, result, index_reduce
        ),
    ),
    complex_gradient=False,
    kink="elements that tie for amax or amin share the gradient evenly",
    samples=lambda r: [
        *(
            (r(3, 4), 1, np.array([0, 2, 2]), r(3, 3), how, {"include_self": kept})
            for how in ("prod", "mean", "amax", "amin")
            for kept in (True, False)
        ),
        (r(3, 2), 0, np.array([2, 2]), np.array([[0.0, 0.5], [2.0, 0.0]]), "prod"),
        (np.array([1, 9]), 0, np.array([0, 0, 1]), np.array([4, 2, 4]), "mean"),
    ],
    inplace=APART,
)

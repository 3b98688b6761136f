"""Gathering elements along a dimension, and its adjoint, scattering."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.kernels.places import combine_along, put_along, take_along
from gradcli.ops.algebra.arithmetic import remainder
from gradcli.ops.algebra.indexing import check_integers, check_range
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.table.declare import composite, row
from gradcli.table.entry import APART
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.shapes import common_shape, wrap_dim
from gradcli.tensor.tensor import raw
from gradcli.typing import Array, Scalar, Value


def _gather(self: Array, dim: int, index: Array, *, sparse_grad: bool = False) -> Array:
    """The elements at given places along a dimension."""
    where = wrap_dim(dim, self.ndim)
    if not index.size:
        return np.empty(index.shape, self.dtype)  # the dimensions need not agree
    check_integers("gather", index)
    if (index.ndim or 1) != (self.ndim or 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    for k, (wanted, own) in enumerate(zip(index.shape, self.shape, strict=False)):
        if k != where and wanted > own:
            raise RuntimeError(
                f"Size does not match at dimension {k} expected index {list(index.shape)} to be no "
                f"larger than self {list(self.shape)} apart from dimension {where}"
            )
    check_range(index, where, self.shape[where] if self.ndim else 1)
    if self.ndim and index.ndim:
        return take_along(self, where, index)
    return self.reshape(-1)[index]


gather: Row = row(
    "gather",
    _gather,
    linear="self",
    self=lambda grad, self_shape, dim, index: scatter_add(
        blank(self_shape, grad), dim, index, grad
    ),
    samples=lambda r: [(r(3, 4), 1, r.ints(3, 2, high=4)), (r(3, 4), 0, r.ints(2, 4, high=3))],
)


def check_scatter(
    self: Array, dim: int, index: Array, src: Array | None, name: str = "scatter"
) -> int:
    """Checks the operands of a scatter; the dimension from the front."""
    where = wrap_dim(dim, self.ndim)
    if not index.size:
        return where
    check_integers(name, index)
    if src is not None and src.dtype != self.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if (index.ndim or 1) != (self.ndim or 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if src is not None and (index.ndim or 1) != (src.ndim or 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    for k, wanted in enumerate(index.shape):
        beyond = k != where and self.ndim and wanted > self.shape[k]
        if src is None and beyond:
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self "
                f"{list(self.shape)} apart from dimension {where}"
            )
        if src is not None and (beyond or (src.ndim and wanted > src.shape[k])):
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self {list(self.shape)} "
                f"apart from dimension {where} and to be no larger size than src "
                f"{list(src.shape)}"
            )
    check_range(index, where, self.shape[where] if self.ndim else 1)
    return where


def scatter_room(self: Array, index: Array) -> tuple[Array, Array]:
    """A copy of `self` and `index`, both with at least one dimension."""
    return np.atleast_1d(self.copy()), np.atleast_1d(index)


def cut(src: Array, index: Array) -> Array:
    """The elements of `src` that an index of another shape speaks of."""
    return np.atleast_1d(src)[tuple(slice(0, n) for n in np.atleast_1d(index).shape)]


def _scatter(self: Array, dim: int, index: Array, src: Array) -> Array:
    """A copy of self with elements of src at given places along a dimension."""
    where = check_scatter(self, dim, index, src)
    if not index.size:
        return self.copy()
    full, places = scatter_room(self, index)
    put_along(full, where, places, cut(src, index))
    return full.reshape(self.shape)


scatter_src: Row = row(
    "scatter",
    _scatter,
    halves=False,
    linear="self src",
    self=lambda grad, dim, index: scatter_value(grad, dim, index, 0),
    src=lambda grad, dim, index: gather(grad, dim, index),
    samples=lambda r: [(r(3, 4), 1, np.array([[0, 2], [1, 3], [2, 0]]), r(3, 2))],
    inplace=APART,
)


def _scatter_value(self: Array, dim: int, index: Array, value: Scalar) -> Array:
    """A copy of self with a number at given places along a dimension."""
    where = check_scatter(self, dim, index, None)
    if not index.size:
        return self.copy()
    full, places = scatter_room(self, index)
    put_along(full, where, places, np.asarray(dtypes.convert(value, dtypes.of(self)), self.dtype))
    return full.reshape(self.shape)


scatter_value: Row = row(
    "scatter",
    _scatter_value,
    node="ScatterBackward1",
    self=lambda grad, dim, index: scatter_value(grad, dim, index, 0),
    samples=lambda r: [(r(3, 4), 1, np.array([[0, 2], [1, 3], [2, 0]]), 1.5)],
    inplace=APART,
)


def _scatter_combining(self: Array, dim: int, index: Array, src: Any, reduce: str) -> Array:
    operand = src if isinstance(src, np.ndarray) else None
    where = check_scatter(self, dim, index, operand)
    ufunc = {"add": np.add, "multiply": np.multiply}.get(reduce)
    if ufunc is None:
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not index.size:
        return self.copy()
    full, places = scatter_room(self, index)
    values = self.dtype.type(src) if operand is None else cut(operand, index)
    combine_along(ufunc, full, where, places, values)
    return full.reshape(self.shape)


def _combining(operand: str, name: str, doc: str) -> Row:
    operands = ("self", "src") if name == "src" else ("self",)
    formulas = {operand: no_derivative("scatter") for operand in operands}
    made: Row = row(
        f"scatter(Tensor self, int dim, Tensor index, {operand} {name}, *, str reduce)",
        _scatter_combining,
        node=NOT_IMPLEMENTED,
        samples=lambda r: [
            (r(3, 4), dim, index, r(3, 4) if name == "src" else 1.5, {"reduce": reduce})
            for dim, index, reduce in (
                (1, np.array([[0, 2], [1, 1], [3, 0]]), "add"),
                (0, np.array([[0, 2, 0], [0, 1, 2]]), "multiply"),
            )
        ],
        doc=doc,
        **formulas,
    )
    return made


_combining("Tensor", "src", "scatter that adds or multiplies ('multiply') instead of writing.")
_combining("Scalar", "value", "scatter that adds a number to given places or multiplies them.")


def _scatter_add(self: Array, dim: int, index: Array, src: Array) -> Array:
    """self plus the elements of src at given places along a dimension."""
    where = check_scatter(self, dim, index, src)
    if not index.size:
        return self.copy()
    full, places = scatter_room(self, index)
    combine_along(np.add, full, where, places, cut(src, index))
    return full.reshape(self.shape)


scatter_add: Row = row(
    "scatter_add",
    _scatter_add,
    linear="self src",
    self=lambda grad: grad,
    src=lambda grad, dim, index: gather(grad, dim, index),
    samples=lambda r: [(r(3, 4), 1, np.array([[0, 2], [1, 1], [2, 0]]), r(3, 2))],
    inplace=APART,
)


@composite("take_along_dim", samples=lambda r: [(r(3, 4), r.ints(3, 2, high=4), 1)])
def take_along_dim(self: Value, indices: Value, dim: int | None = None) -> Any:
    """The elements at given places along a dimension, shapes broadcasting."""
    dtype = raw(indices).dtype
    if dtype != np.int64:
        word = dtypes.from_numpy(dtype).scalar_name
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {word}"
        )
    if dim is None:
        return gather(reshape(self, (-1,)), 0, reshape(indices, (-1,)))
    own, given = shape_of(self), shape_of(indices)
    if len(own) != len(given):
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, "
            f"but got {len(own)} dimensions for input, and {len(given)} dimensions for indices"
        )
    where = wrap_dim(dim, len(own))
    whole = common_shape([(*s[:where], 1, *s[where + 1 :]) if s else s for s in (own, given)])
    if not own:
        return gather(self, where, indices)
    wide = expand(indices, (*whole[:where], given[where], *whole[where + 1 :]))
    return gather(
        expand(self, (*whole[:where], own[where], *whole[where + 1 :])),
        where,
        remainder(wide, own[where]),
    )

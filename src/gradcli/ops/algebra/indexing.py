"""Operators that read and write elements by index, along one dimension or in a flat tensor.

The reductions `scatter_reduce` and `index_reduce` are in `scattering`, masks in `masking`,
subscripts in `subscripts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels.places import add_slices
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.sums import expand, sum_all, sum_type
from gradcli.ops.algebra.views import reshape
from gradcli.table.declare import composite, row
from gradcli.table.entry import APART, InPlace
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.classes import type_of
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor, constant, raw, wrap
from gradcli.typing import Array, Scalar


def check_integers(name: str, index: Array) -> None:
    if index.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def _check_long(name: str, index: Array) -> None:
    if index.dtype != np.int64:
        word = dtypes.of(index).scalar_name
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {word}")


def _out_of_range(index: Array, length: int, low: int = 0) -> Array | None:
    """The first index outside [low, length), or None."""
    if index.size and (index.min() < low or index.max() >= length):
        bad: Array = index[(index < low) | (index >= length)].flat[0]
        return bad
    return None


def check_range(index: Array, where: int, length: int, low: int = 0) -> None:
    bad = _out_of_range(index, length, low)
    if bad is not None:
        raise RuntimeError(f"index {bad} is out of bounds for dimension {where} with size {length}")


def check_slices(name: str, self: Array, dim: int, index: Array, source: Array) -> int:
    """Checks the operands of `index_add` and `index_reduce`; the dimension from the front."""
    where = wrap_dim(dim, self.ndim)
    if index.ndim > 1:
        word = dtypes.of(index).scalar_name
        raise IndexError(
            f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim} with type: "
            f"{word} and size: {list(index.shape)}"
        )
    if index.dtype.name not in ("int64", "int32"):
        word = dtypes.of(index).scalar_name
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {word}")
    if source.dtype != self.dtype:
        own, other = dtypes.of(self).scalar_name, dtypes.of(source).scalar_name
        raise RuntimeError(
            f"{name}(): self ({own}) and source ({other}) must have the same scalar type"
        )
    if where and where >= source.ndim:
        raise RuntimeError(
            f"{name}(): Indexing dim {where} is out of bounds of the source tensor with dim "
            f"{source.ndim}"
        )
    length = source.shape[where] if source.ndim else 1
    if index.size != length:
        raise RuntimeError(
            f"{name}(): Number of indices ({index.size}) should be equal to source.size(dim): "
            f"({length}), for dim: {where}"
        )
    kept, given = list(self.shape), list(source.shape)
    del kept[where : where + 1], given[where : where + 1]
    if kept != given or bool(self.ndim) != bool(source.ndim):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. "
            f"Got self.shape = {list(self.shape)} source.shape = {list(source.shape)}"
        )
    return where


def _slot(where: int, index: Array) -> tuple[Any, ...]:
    """NumPy's index for slices along a dimension."""
    return (slice(None),) * where + (index.reshape(-1),)


def _index_select(self: Array, dim: int, index: Array) -> Array:
    """Slices along a dimension at given places."""
    where = wrap_dim(dim, self.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype.name not in ("int64", "int32"):
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not self.ndim and index.size != 1:
        raise RuntimeError(
            f"index_select(): Index to scalar can have only 1 value, got {index.size} value(s)"
        )
    if _out_of_range(index, self.shape[where] if self.ndim else 1) is not None:
        raise IndexError("index out of range in self")
    return np.take(self, index.reshape(-1), axis=where) if self.ndim else self.copy()


index_select: Row = row(
    "index_select",
    _index_select,
    linear="self",
    self=lambda grad, self_shape, dim, index: index_add(blank(self_shape, grad), dim, index, grad),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2, 2]))],
)


def _index_add(self: Array, dim: int, index: Array, source: Array, *, alpha: Scalar = 1) -> Array:
    """self plus slices of source at given places along a dimension."""
    where = check_slices("index_add_", self, dim, index, source)
    if not self.ndim and _out_of_range(index, 1) is not None:
        raise IndexError("index out of range in self")
    check_range(index, where, self.shape[where] if self.ndim else 1)
    part = source if alpha == 1 else source * self.dtype.type(alpha)
    if not self.ndim:
        return self + part
    full = self.copy()
    add_slices(full, index, part, where)
    return full


index_add: Row = row(
    "index_add",
    _index_add,
    linear="self source",
    self=lambda grad: grad,
    source=lambda grad, dim, index, source_shape, alpha: _scaled(
        _slices(grad, dim, index, source_shape), alpha
    ),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2, 2]), r(3, 3))],
    inplace=APART,
)


def _slices(grad: Any, dim: int, index: Any, shape: Sequence[int]) -> Any:
    """The gradient of slices, in the shape that they had."""
    slices = index_select(grad, dim, index)
    return expand(slices, shape) if shape else slices


def _scaled(grad: Any, alpha: complex) -> Any:
    return grad if alpha == 1 else grad * alpha


def _index_copy(self: Array, dim: int, index: Array, source: Array) -> Array:
    """A copy of self with slices of source at given places along a dimension."""
    where = wrap_dim(dim, self.ndim)
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if not source.ndim and index.size != 1:
        raise IndexError(
            "index_copy_(): When source is scalar, index should have one element (got "
            f"{index.size})"
        )
    if source.ndim != self.ndim and source.ndim and self.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must "
            f"match. Source dimensionality ({source.ndim}), destination dimensionality "
            f"({self.ndim})"
        )
    _check_long("index_copy_", index)
    if self.dtype != source.dtype:
        own, other = dtypes.of(self).scalar_name, dtypes.of(source).scalar_name
        raise RuntimeError(
            "index_copy_(): self and source expected to have the same dtype, but got (self) "
            f"{own} and (source) {other}"
        )
    kept, given = list(self.shape), list(source.shape)
    del kept[where : where + 1], given[where : where + 1]
    if kept != given:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination "
            f"slice shape: {' '.join(map(str, kept))} at dimension {where} and source slice shape: "
            f"{' '.join(map(str, given))} at dimension 0."
        )
    if source.ndim and index.size != source.shape[where]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.size}) should be equal to source.size(dim) "
            f"({source.shape[where]})"
        )
    bad = _out_of_range(index, self.shape[where] if self.ndim else 1)
    if bad is not None:
        raise IndexError(
            f"index_copy_(): index {bad} is out of bounds for dimension {where} with size "
            f"{self.shape[where] if self.ndim else 1}"
        )
    if not self.ndim:
        return source.reshape(()).copy()
    full = self.copy()
    full[_slot(where, index)] = source
    return full


index_copy: Row = row(
    "index_copy",
    _index_copy,
    linear="self source",
    self=lambda grad, dim, index: index_fill_number(grad, dim, index, 0),
    source=lambda grad, dim, index, source_shape: _slices(grad, dim, index, source_shape),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2]), r(3, 2))],
    inplace=APART,
)


def _index_fill(self: Array, dim: int, index: Array, value: Any) -> Array:
    where = wrap_dim(dim, self.ndim)
    if index.dtype != np.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if isinstance(value, np.ndarray):
        if value.ndim:
            raise RuntimeError(
                "index_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                f"{value.ndim} dimension(s)."
            )
        value = value.item()
    if isinstance(value, complex) and self.dtype.kind != "c":
        raise RuntimeError(
            "index_fill_(): Converting complex Scalar to non-complex type is not supported"
        )
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    length = self.shape[where] if self.ndim else 1
    bad = _out_of_range(index, length, -length)
    if bad is not None:
        raise IndexError(f"index {bad} is out of bounds for dimension {where} with size {length}")
    full = np.atleast_1d(self.copy())
    full[_slot(where, index)] = dtypes.convert(value, dtypes.of(self))
    return full.reshape(self.shape)


def _once(index: Any) -> Any:
    """The places of an index without repetition: a slice is filled once however often named."""
    array = raw(index)
    places = np.unique(array)
    return constant(places, index)


index_fill_number: Row = row(
    "index_fill(Tensor self, int dim, Tensor index, Scalar value)",
    _index_fill,
    halves=False,
    self=lambda grad, dim, index: index_fill_number(grad, dim, index, 0),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2]), 1.5)],
    doc="A copy of self with one value in slices along a dimension.",
    inplace=InPlace(coincide=True, apart=True),
)
index_fill_tensor: Row = row(
    "index_fill(Tensor self, int dim, Tensor index, Tensor value)",
    _index_fill,
    node="IndexFillBackward1",
    linear="self value",
    self=lambda grad, dim, index: index_fill_number(grad, dim, index, 0),
    value=lambda grad, dim, index: sum_all(index_select(grad, dim, _once(index))),
    samples=lambda r: [(r(3, 4), 1, np.array([0, 2]), r())],
    doc="A copy of self with one value in slices along a dimension.",
    inplace=InPlace(coincide=True, apart=True),
)


def _check_flat(name: str, self: Array, index: Array) -> None:
    _check_long(name, index)
    bad = _out_of_range(index, self.size, -self.size)
    if bad is not None:
        raise IndexError(
            f"out of range: tried to access index {bad} on a tensor of {self.size} elements."
        )


def _take(self: Array, index: Array) -> Array:
    """The elements at places of the flattened tensor."""
    _check_long("take", index)
    if not self.size and index.size:
        raise IndexError("take(): tried to take from an empty tensor")
    _check_flat("take", self, index)
    return np.take(self.reshape(-1), index)


take: Row = row(
    "take",
    _take,
    linear="self",
    self=lambda grad, self_shape, index: put(blank(self_shape, grad), index, grad, True),
    samples=lambda r: [(r(3, 4), np.array([[0, 5], [5, 11]]))],
)


def _put(self: Array, index: Array, source: Array, accumulate: bool = False) -> Array:
    """A copy of self with the elements of source at places of the flattened tensor."""
    _check_long("put_", index)
    if self.dtype != source.dtype:
        own, other = dtypes.of(self).scalar_name, dtypes.of(source).scalar_name
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{own} and source.dtype = {other}"
        )
    if index.size != source.size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got "
            f"source.numel() = {source.size}, index.numel() = {index.size}"
        )
    _check_flat("put_", self, index)
    full = np.array(self, order="C")
    flat = full.reshape(-1)
    if accumulate:
        np.add.at(flat, index.reshape(-1), source.reshape(-1))
    else:
        flat[index.reshape(-1)] = source.reshape(-1)
    return full


put: Row = row(
    "put",
    _put,
    linear="self source",
    self=lambda grad, index, source_shape, accumulate: (
        grad if accumulate else put(grad, index, blank(source_shape, grad), False)
    ),
    source=lambda grad, index, source_shape: reshape(take(grad, index), source_shape),
    samples=lambda r: [(r(3, 4), np.array([0, 5]), r(2)), (r(3), np.array([1, 1]), r(2), True)],
    inplace=APART,
)


@composite(
    "unravel_index",
    samples=lambda r: [
        (np.array([0, 5, 7]), (2, 4)),
        (np.array(3), 5),
        (np.array([[1, 23]]), (2, 3, 4)),
    ],
)
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """Places of the flattened tensor of a shape as an index tensor per dimension."""
    if indices._array.dtype.kind not in "iu":
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if isinstance(shape, int):
        shape = (shape,)
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type_of(shape)}")
    for length in shape:
        if not isinstance(length, int):
            raise TypeError(
                f"expected 'shape' sequence to only contain ints, but got {type_of(length)}"
            )
        if length >> 63 > 0:
            raise ValueError("Overflow when unpacking long long")
    if any(length < 0 for length in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {tuple(shape)}")
    if 0 in shape and indices._array.size:
        raise RuntimeError("ZeroDivisionError")
    places = indices._array.astype(np.int64)
    found = np.empty((*places.shape, len(shape)), np.int64)
    for dim in reversed(range(len(shape))):
        found[..., dim] = np.remainder(places, shape[dim])
        places = np.floor_divide(places, shape[dim])
    return tuple(wrap(found[..., dim]) for dim in range(len(shape)))


def _trace(self: Array) -> Array:
    """The sum of a matrix's diagonal."""
    if self.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {self.ndim}")
    return np.asarray(np.trace(self, dtype=sum_type(self, None)))


def _trace_vjp(grad: Any, self_shape: Sequence[int]) -> Any:
    rows, columns = self_shape
    array = raw(grad)
    blank: Any = np.zeros(rows * columns, array.dtype)
    places: Any = np.arange(min(rows, columns)) * (columns + 1)
    if type(grad) is Tensor:
        blank, places = wrap(blank), wrap(places)
    return reshape(index_fill_tensor(blank, 0, places, grad), self_shape)


trace: Row = row(
    "trace",
    _trace,
    kinds="fciu",
    kernel="trace",
    linear="self",
    self=_trace_vjp,
    samples=lambda r: [(r(3, 3),), (r(2, 3),), (r(3, 2),)],
)

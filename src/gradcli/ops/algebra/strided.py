"""Views of a tensor's storage with sizes, strides and an offset of one's own choice.

A *geometry* is a triple (sizes, strides, offset) in elements of the storage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from gradcli.ops.algebra.creation import checked_size, leaf, requested, with_type
from gradcli.ops.algebra.views import contiguous
from gradcli.table.declare import composite, row
from gradcli.table.entry import InPlace
from gradcli.table.row import ITSELF, Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, raw
from gradcli.typing import Array, Value

Geometry: TypeAlias = tuple[tuple[int, ...], tuple[int, ...], int]


def storage_of(array: Array) -> Array:
    """All of the memory that an array is a view of, in one dimension."""
    root = array
    while root.base is not None:
        base = root.base
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # NumPy keeps some bases in a wrapper
            if not isinstance(base, np.ndarray):
                break
        root = base
    order = sorted(range(root.ndim), key=lambda dim: -root.strides[dim])
    return np.reshape(root.transpose(order), -1, copy=False).view(array.dtype)


def _geometry(array: Array) -> Geometry:
    """Where an array's elements lie in its storage."""
    first = array.__array_interface__["data"][0]
    offset = (first - storage_of(array).__array_interface__["data"][0]) // array.itemsize
    return array.shape, tuple(stride // array.itemsize for stride in array.strides), offset


def storage_offset_of(array: Array) -> int:
    """The place of an array's first element in its storage."""
    return _geometry(array)[2]


def _extent(geometry: Geometry) -> int:
    """How many elements a storage needs for a geometry."""
    sizes, strides, offset = geometry
    if 0 in sizes:
        return 0
    return offset + 1 + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))


def _places(geometry: Geometry) -> Array:
    """The position in the storage of each element."""
    sizes, strides, offset = geometry
    places = np.full(sizes, offset)
    for dim, (length, step) in enumerate(zip(sizes, strides, strict=True)):
        places += (np.arange(length) * step).reshape(-1, *(1,) * (len(sizes) - dim - 1))
    return places


def _check(size: Sequence[int], stride: Sequence[int], offset: int) -> None:
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise RuntimeError(
            "as_strided: Negative strides are not supported at the moment, got strides: "
            f"{list(stride)}"
        )
    if any(length < 0 for length in size):
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")


def _as_strided(
    self: Array, size: Sequence[int], stride: Sequence[int], storage_offset: int, source: Geometry
) -> Array:
    """A view with given sizes and strides; `source` is the operand's own geometry."""
    storage = storage_of(self)
    itemsize = self.itemsize
    needed = _extent((tuple(size), tuple(stride), storage_offset)) * itemsize
    if needed > storage.nbytes:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, "
            f"storage offset {storage_offset}, and itemsize {itemsize} requiring a storage "
            f"size of {needed} are out of bounds for storage of size {storage.nbytes}"
        )
    return np.ndarray(
        tuple(size),
        self.dtype,
        buffer=storage,
        offset=min(storage_offset * itemsize, storage.nbytes),
        strides=[step * itemsize for step in stride],
    )


def _restride(grad: Array, source: Geometry, target: Geometry, shared: Geometry) -> Array:
    """A gradient at one geometry of a storage as one at another."""
    # Adds up in a storage what lies at `source` and reads it at `target`. Where the operand
    # itself overlapped, the elements of `shared`, those at one place share what arrives there.
    storage = np.zeros(max(_extent(source), _extent(target)), grad.dtype)
    np.add.at(storage, _places(source), grad)
    count = np.zeros(storage.size, np.int64)
    places = _places(shared)
    np.add.at(count, places[places < storage.size], 1)
    return (storage / np.maximum(count, 1).astype(grad.real.dtype))[_places(target)]


as_strided_backward: Row = row(
    "aten.as_strided_backward",
    _restride,
    node="AsStridedBackward0",
    linear="grad",
    grad=lambda grad, source, target, shared: as_strided_backward(grad, target, source, shared),
    samples=lambda r: [
        (r(2, 2), ((2, 2), (1, 1), 0), ((3,), (1,), 0), ((3,), (1,), 0)),
        (r(3), ((3,), (1,), 0), ((2, 3), (0, 1), 0), ((2, 3), (0, 1), 0)),
    ],
    inplace=InPlace(node="AsStridedBackward1", method=False),
    untested="a piece of the gradient of as_strided",
)
as_strided_row: Row = row(
    "aten.as_strided",
    _as_strided,
    view=True,
    linear="self",
    self=lambda grad, size, stride, storage_offset, source: as_strided_backward(
        grad, (size, stride, storage_offset), source, source
    ),
    samples=lambda r: [(r(2, 3), (2, 2), (1, 2), 0, ((2, 3), (3, 1), 0))],
    inplace=InPlace(node="AsStridedBackward1", method=False),
    pytorch="torch.as_strided(self, size, stride, storage_offset)",
)


@composite(
    "as_strided",
    samples=lambda r: [
        (r(2, 3), (2, 2), (1, 2)),
        (r(6), (2, 3), (1, 1), 1),
        (r(4), (), (), 2),
        (r(3), (2, 3), (0, 1)),
    ],
    inplace=InPlace(functions=True, rearranges=True),
)
def as_strided(
    self: Value, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None
) -> Any:
    """A view of a tensor's storage with given sizes, strides and offset, in elements."""
    source = _geometry(raw(self))
    offset = source[2] if storage_offset is None else storage_offset
    _check(size, stride, offset)
    return as_strided_row(self, tuple(size), tuple(stride), offset, source)


def _as_strided_scatter(
    self: Array,
    src: Array,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int,
    source: Geometry,
) -> Array:
    """A copy with a strided part replaced; `source` is the operand's own geometry."""
    source = _geometry(self)
    storage = storage_of(self).copy()
    part = _as_strided(storage, size, stride, storage_offset, source)
    if part.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)},"
            f" slice size = {list(part.shape)}"
        )
    part[...] = src
    return _as_strided(storage, *source, source)


def _kept(self: Array, size: Sequence[int], stride: Sequence[int], storage_offset: int) -> Array:
    """The elements that as_strided would show, zeros elsewhere."""
    # Zeros but for a strided part.
    out = np.zeros_like(self, order="C")
    source = _geometry(out)
    part = _as_strided(np.ascontiguousarray(self), size, stride, storage_offset, source)
    _as_strided(out, size, stride, storage_offset, source)[...] = part
    return out


keep_strided: Row = row(
    "aten.keep_strided",
    _kept,
    node="AsStridedBackward0",
    linear="self",
    self=ITSELF,
    samples=lambda r: [(r(2, 3), (2, 2), (1, 2), 0)],
    inplace=InPlace(node="AsStridedBackward1", method=False),
    untested="a piece of the gradient of as_strided_scatter",
)
# PyTorch's gradient of self is that of the part that was overwritten, not of the rest.
as_strided_scatter_row: Row = row(
    "aten.as_strided_scatter",
    _as_strided_scatter,
    self=keep_strided,
    src=lambda grad, size, stride, storage_offset: as_strided(
        contiguous(grad), size, stride, storage_offset
    ),
    samples=lambda r: [
        (kinked(r(2, 3)), r(2, 2), (2, 2), (1, 2), 0, ((2, 3), (3, 1), 0)),
        (kinked(r(4)), r(2), (2,), (2,), 1, ((4,), (1,), 0)),
    ],
    pytorch="torch.as_strided_scatter(self, src, size, stride, storage_offset)",
)


@composite(
    "as_strided_scatter",
    samples=lambda r: [
        (kinked(r(2, 3)), r(2, 2), (2, 2), (1, 2)),
        (kinked(r(4)), r(2), (2,), (2,), 1),
    ],
)
def as_strided_scatter(
    self: Value,
    src: Value,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Any:
    """A copy in which the part that as_strided would show is replaced."""
    source = _geometry(raw(self))
    offset = source[2] if storage_offset is None else storage_offset
    _check(size, stride, offset)
    return as_strided_scatter_row(self, src, tuple(size), tuple(stride), offset, source)


@composite(
    "empty_strided",
    samples=lambda r: [
        ((2, 0), (1, 2)),
        ((0,), (1,), {"dtype": dtypes.int64}),
        ((0,), (3,), {"requires_grad": True}),
    ],
)
def empty_strided(size: Sequence[int], stride: Sequence[int], *options: Any) -> Tensor:
    """A tensor of a shape with given strides; its values are zeros."""
    dtype, requires_grad = requested(options)
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    _check(size, stride, 0)
    geometry = (tuple(size), tuple(stride), 0)
    storage = np.zeros(_extent(geometry), (dtype or dtypes.default.dtype).np)
    return leaf(_as_strided(storage, size, stride, 0, geometry), requires_grad)


@composite(
    "Tensor.new_empty_strided",
    samples=lambda r: [
        (r(2), (2, 0), (1, 2)),
        (r.ints(2, high=3), (0,), (1,)),
        (r(2), (0,), (3,), {"dtype": dtypes.int64}),
    ],
)
def new_empty_strided(
    self: Tensor, size: Sequence[int], stride: Sequence[int], *options: Any
) -> Tensor:
    """A tensor of a shape with given strides, in this one's type; its values are zeros."""
    made: Tensor = empty_strided(size, stride, *with_type(self.dtype, options))
    return made


@composite(
    "empty_permuted",
    samples=lambda r: [
        ((2, 0), (1, 0)),
        ((0,), (0,), {"dtype": dtypes.int64}),
        ((0, 2, 3), (2, 0, 1), {"requires_grad": True}),
    ],
)
def empty_permuted(size: Sequence[int], physical_layout: Sequence[int], *options: Any) -> Tensor:
    """A tensor whose dimensions lie in memory in a given order; its values are zeros."""
    dtype, requires_grad = requested(options)
    shape = checked_size(size, dtype or dtypes.default.dtype)
    if len(physical_layout) != len(shape):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(shape)} is not equal to len(physical_layout) = "
            f"{len(physical_layout)}"
        )
    order = list(physical_layout)
    if sorted(order) != list(range(len(shape))):
        raise RuntimeError("Duplicate dim not allowed")
    kind = (dtype or dtypes.default.dtype).np
    made = np.zeros([shape[dim] for dim in order], kind)
    return leaf(made.transpose([order.index(dim) for dim in range(len(shape))]), requires_grad)

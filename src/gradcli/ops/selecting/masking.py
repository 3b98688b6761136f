"""Masks: selecting, filling and merging by condition, and the places of non-zero elements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import where_
from gradcli.ops.algebra.creation import cast
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.ops.inplace.derive import in_place
from gradcli.table.declare import composite, row
from gradcli.table.entry import InPlace
from gradcli.table.row import Row
from gradcli.table.samples import Samples
from gradcli.tensor import dtypes
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, raw, wrap
from gradcli.typing import Array, Scalar, Value


def _broadcast(mask: Array, self: Array) -> tuple[Array, Array]:
    shape = common_shape([mask.shape, self.shape])
    return np.broadcast_to(mask, shape), np.broadcast_to(self, shape)


def _filled(self: Array, mask: Array, value: Any) -> Array:
    if mask.dtype != np.bool_:
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{dtypes.of(mask).c_name}"
        )
    mask, self = _broadcast(mask, self)
    return np.asarray(np.where(mask, value, self), self.dtype)


masked_fill_number: Row = row(
    "masked_fill(Tensor self, Tensor mask, Scalar value)",
    lambda self, mask, value: _filled(self, mask, dtypes.convert(value, dtypes.of(self))),
    elementwise=True,
    self=lambda grad, mask: masked_fill_number(grad, mask, 0),
    samples=lambda r: [
        (r(3, 4), r.mask(3, 4), 1.5),
        (r(3, 4), r.mask(4), 0),
        (r.ints(3, high=9), r.mask(3), 2.7),
        (r(3), r.mask(2, 3), -3),
    ],
    doc="A copy of self with a number where the mask holds.",
    inplace=InPlace(coincide=True),
)


def _masked_fill(self: Array, mask: Array, value: Array) -> Array:
    """A copy of self with one value where the mask holds."""
    if value.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    return _filled(self, mask, cast(value, dtypes.of(self)))


masked_fill_tensor: Row = row(
    "masked_fill",
    _masked_fill,
    node="MaskedFillBackward1",
    linear="self value",
    elementwise=True,
    self=lambda grad, mask: masked_fill_number(grad, mask, 0),
    value=lambda grad, mask: where_(mask, grad, 0.0),
    samples=lambda r: [
        (r(3, 4), r.mask(3, 4), r()),
        (r(3), r.mask(2, 3), r()),
        (r(2), r.mask(2), np.array(3)),
    ],
    inplace=InPlace(coincide=True),
)


def _masked_select(self: Array, mask: Array) -> Array:
    """The elements where the mask holds, as a vector."""
    if mask.dtype != np.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    mask, self = _broadcast(mask, self)
    return self[mask].reshape(-1)


masked_select: Row = row(
    "masked_select",
    _masked_select,
    linear="self",
    self=lambda grad, self_shape, mask: masked_scatter(
        blank(common_shape([self_shape, shape_of(mask)]), grad), mask, grad
    ),
    samples=lambda r: [
        (r(3, 4), np.array([[True, False, True, True]] * 3)),
        (r(3, 1), np.array([True, False, True])),
        (r(), np.array(True)),
    ],
)


def _masked_scatter(self: Array, mask: Array, source: Array) -> Array:
    """A copy of self with the elements of source, in order, where the mask holds."""
    if self.dtype != source.dtype:
        own, other = dtypes.of(self).scalar_name, dtypes.of(source).scalar_name
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{own} and {other}"
        )
    mask, self = _broadcast(mask, self)
    if mask.dtype != np.bool_:
        raise RuntimeError(
            "masked_scatter_ only supports boolean masks, but got mask with dtype "
            f"{dtypes.of(mask).scalar_name}"
        )
    count = int(np.count_nonzero(mask))
    if source.size < count:
        raise RuntimeError("Number of elements of source < number of ones in mask")
    full = np.array(self)
    full[mask] = source.reshape(-1)[:count]
    return full


def _source_gradient(grad: Any, mask: Any, shape: Sequence[int]) -> Any:
    """The gradient of the source of `masked_scatter`, zero where nothing was taken."""
    picked = masked_select(grad, mask)
    count = 1
    for length in shape:
        count *= length
    missing = count - shape_of(picked)[0]
    if missing:
        picked = cat([picked, blank((missing,), grad)], 0)
    return reshape(picked, shape)


masked_scatter: Row = row(
    "masked_scatter",
    _masked_scatter,
    linear="self source",
    self=lambda grad, mask: masked_fill_number(grad, mask, 0),
    source=lambda grad, mask, source_shape: _source_gradient(grad, mask, source_shape),
    samples=lambda r: [
        (r(3, 4), r.mask(3, 4), r(12)),
        (r(3), np.array([[True, False, True], [False, True, True]]), r(5)),
    ],
)


@composite(
    "Tensor.masked_scatter_",
    samples=lambda r: [(r(3, 4), r.mask(3, 4), r(12)), (r(3, 4), r.mask(4), r(3, 4))],
)
def masked_scatter_(self: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Writes the elements of source, in order, where the mask holds."""
    wide = mask if mask.shape == self.shape else wrap(expand.forward(mask._array, self.shape))
    return in_place(masked_scatter, (self, wide, source))


def _where(condition: Tensor, self: Any, other: Any) -> Any:
    """`where` of operands that are tensors or numbers."""
    kind = condition._array.dtype
    if kind not in (np.bool_, np.uint8):
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{condition.dtype.scalar_name}"
        )
    mask = condition if kind == np.bool_ else wrap(condition._array.astype(bool))
    operands = [raw(v) for v in (self, other)]
    target = dtypes.result_type(operands)
    common_shape([shape_of(v) for v in (condition, self, other)])
    return where_(
        mask,
        *(
            v.to(target) if type(v) is Tensor else wrap(np.asarray(v, target.np))
            for v in (self, other)
        ),
    )


def _overload(parameters: str, samples: Samples) -> None:
    composite(
        f"where({parameters})",
        samples=samples,
        doc="Elements of self where the condition holds, of other elsewhere.",
    )(_where)


@composite(
    "where",
    samples=lambda r: [
        (r.mask(3, 4), r(3, 4), r(4)),
        (r.ints(3, high=2).astype(np.uint8), r.ints(3, high=9), r(3)),
        (r.mask(2, 1), r(), r(3)),
    ],
)
def where(condition: Value, self: Value, other: Value) -> Any:
    """Elements of self where the condition holds, of other elsewhere."""
    return _where(condition, self, other)


_overload(
    "Tensor condition, Scalar self, Tensor other",
    lambda r: [(r.mask(3, 4), 2, r(4)), (r.mask(3), 0.5, r.ints(3, high=9))],
)
_overload(
    "Tensor condition, Tensor self, Scalar other",
    lambda r: [(r.mask(3, 4), r(3, 1), 2), (r.mask(3), r.ints(3, high=9), 1j)],
)
_overload(
    "Tensor condition, Scalar self, Scalar other",
    lambda r: [(r.mask(3, 4), 2, 3), (r.mask(3), 2, 0.5), (r.mask(2), True, False)],
)


@composite(
    "where", samples=lambda r: [(r.ints(3, 4, high=2),), (np.array(1.5),), (np.zeros((0, 2)),)]
)
def where_nonzero(condition: Value) -> Any:
    """The places of non-zero elements, a tensor a dimension."""
    return nonzero(condition, as_tuple=True)


@composite(
    "Tensor.where",
    samples=lambda r: [(r(3, 1), r.mask(3, 4), r(4)), (r.ints(3, high=9), r.mask(3), r(3))],
)
def where_method(self: Value, condition: Value, other: Value) -> Any:
    """Elements of self where the condition holds, of other elsewhere."""
    return _where(condition, self, other)


@composite(
    "Tensor.where",
    samples=lambda r: [(r(3, 1), r.mask(3, 4), 2), (r.ints(3, high=9), r.mask(3), 0.5)],
)
def where_method_number(self: Value, condition: Value, other: Scalar) -> Any:
    """Elements of self where the condition holds, a number elsewhere."""
    return _where(condition, self, other)


@composite(
    "nonzero",
    samples=lambda r: [
        (r.ints(3, 4, high=2),),
        (r.mask(2, 3), {"as_tuple": True}),
        (np.array(2.0),),
        (np.array(0),),
    ],
)
def nonzero(self: Value, *, as_tuple: bool = False) -> Any:
    """The places of non-zero elements, one a row (or a tensor a dimension)."""
    array = self._array
    if as_tuple:
        found = np.nonzero(np.atleast_1d(array))
        return tuple(wrap(np.asarray(part, np.int64)) for part in found)
    if not array.ndim:
        return wrap(np.zeros((int(bool(array)), 0), np.int64))
    return wrap(np.argwhere(array).astype(np.int64))


@composite("argwhere", samples=lambda r: [(r.ints(3, 4, high=2),), (np.array([0j, 1j, 0.5]),)])
def argwhere(self: Value) -> Any:
    """The places of non-zero elements, one a row."""
    return nonzero(self)


@composite(
    "nonzero_static",
    samples=lambda r: [
        (np.array([[0.5, 0.0], [2.0, 1.0]]), {"size": 2}),
        (np.array([1, 0, 1]), {"size": 4, "fill_value": 7}),
    ],
)
def nonzero_static(self: Value, *, size: int, fill_value: int = -1) -> Any:
    """The first `size` places of non-zero elements, one a row, filled up with fill_value."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    found = nonzero(self)._array[:size]
    places = np.full((size, found.shape[1]), fill_value, np.int64)
    places[: len(found)] = found
    return wrap(places)

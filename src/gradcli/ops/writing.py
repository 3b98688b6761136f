"""Operators that exist only in place, or mainly: filling, copying, resizing, detaching."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.comparison import zeros_like
from gradcli.ops.creation import cast, fill_value
from gradcli.ops.inplace import in_place
from gradcli.ops.reduction import sum_all
from gradcli.ops.shape import common_shape
from gradcli.ops.table import Row, composite, row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor

Array = Any


def _filled(self: Array, value: complex) -> Array:
    return np.full_like(self, fill_value(value, dtypes.of(self), "value"))


def _filled_from(self: Array, value: Array) -> Array:
    if value.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value.ndim} dimensions."
        )
    return np.full_like(self, cast(value, dtypes.of(self)))


def _fill_rows(name: str, nodes: tuple[str, str]) -> tuple[Row, Row]:
    by_number: Row = row(
        f"{name}(Tensor self, Scalar value)",
        _filled,
        node=nodes[0],
        self=lambda grad: zeros_like(grad),
        samples=lambda r: [(r(2, 3), 2.5)],
        doc="A tensor like self, filled with one value.",
    )
    by_tensor: Row = row(
        f"{name}(Tensor self, Tensor value)",
        _filled_from,
        node=nodes[1],
        self=lambda grad: zeros_like(grad),
        value=lambda grad: sum_all(grad),
        samples=lambda r: [(r(2, 3), r())],
        doc="A tensor like self, filled with the value of another.",
    )
    return by_number, by_tensor


fill_number, fill_tensor = _fill_rows("fill", ("FillBackward0", "FillBackward1"))
_fill_number_, _fill_tensor_ = _fill_rows("aten.fill_", ("FillBackward2", "FillBackward3"))
_zero: Row = row(
    "aten.zero(Tensor self)",
    np.zeros_like,
    self=lambda grad: zeros_like(grad),
    samples=lambda r: [(r(2, 3),)],
    doc="Zeros like self.",
)


def _copied(self: Array, src: Array) -> Array:
    try:
        wide = np.broadcast_to(src, np.broadcast_shapes(self.shape, src.shape))
    except ValueError:
        common_shape([self.shape, src.shape])
        raise
    return cast(wide, dtypes.of(self)) if wide.dtype != self.dtype else wide.copy()


_copy: Row = row(
    "aten.copy_into(Tensor self, Tensor src)",
    _copied,
    node="torch::autograd::CopyBackwards",
    self=lambda grad: zeros_like(grad),
    src=lambda grad: grad,
    samples=lambda r: [(r(2, 3), r(3))],
    doc="The values of src, in the shape and type of self.",
)


@composite("fill_(Tensor self, Scalar value)", doc="Writes one number to every element.")
def fill_(self: Tensor, value: complex) -> Tensor:
    return in_place(_fill_number_, (self, value), coincide=True)


@composite("fill_(Tensor self, Tensor value)", doc="Writes one value to every element.")
def fill_from_(self: Tensor, value: Tensor) -> Tensor:
    return in_place(_fill_tensor_, (self, value), coincide=True)


@composite("zero_(Tensor self)", doc="Writes zeros to every element.")
def zero_(self: Tensor) -> Tensor:
    return in_place(_zero, (self,), coincide=True)


@composite(
    "Tensor.copy_(Tensor self, Tensor src, bool non_blocking=False)",
    doc="Writes the elements of another tensor, which broadcasts and is cast.",
)
def copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    return in_place(_copy, (self, src))

"""Sums of exponentials and what divides by them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.kernels.blocks import LARGE, row_blocks
from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.elementary import exp
from gradcli.ops.algebra.sums import (
    axes,
    restore,
    sum_dim,
)
from gradcli.table.declare import composite, row
from gradcli.table.entry import NEITHER
from gradcli.table.row import FLOAT, ITSELF, Row
from gradcli.table.samples import kinked, soft_samples
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import FLOATS, HALVES, DType
from gradcli.tensor.errors import no_kernel
from gradcli.tensor.shapes import implicit_dim, wrap_dim
from gradcli.typing import Array, Single


def _logsumexp(self: Array, dim: Single, keepdim: bool = False) -> Array:
    """log(sum(exp(self))) without overflow."""
    where = axes(dim, self.ndim)
    peak = np.max(self, axis=where, keepdims=True, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0).astype(self.dtype)
    total = np.log(_total(np.exp(self - peak), where)) + peak
    return total if keepdim else np.squeeze(total, where)


def _total(values: Array, where: tuple[int, ...]) -> Array:
    """The sum along dimensions, which stay; of half precision in single, rounded."""
    wide = np.float32 if values.dtype.char in HALVES else values.dtype
    return np.sum(values, axis=where, keepdims=True, dtype=wide).astype(values.dtype)


logsumexp: Row = row(
    "logsumexp|special.logsumexp",
    _logsumexp,
    promote=FLOAT,
    elementwise=False,
    halves=False,  # PyTorch composes it of operators that round
    self=lambda grad, self, self_shape, result, dim, keepdim: (
        restore(grad, self_shape, dim, keepdim)
        * conj(exp(self - restore(result, self_shape, dim, keepdim)))
    ),
    samples=lambda r: [
        (r(3, 4), (1,)),
        (r(3, 4), (0, 1), True),
        (r(), (0,)),
        (kinked([-math.inf, -math.inf]), (0,)),
        (r.ints(3, high=5), (0,)),
    ],
    inplace=NEITHER,
)


def _check_soft(self: Array, dim: int, name: str) -> None:
    if self.dtype.kind not in FLOATS:
        last = wrap_dim(dim, self.ndim) >= self.ndim - 1
        raise no_kernel(f"{name}{'_lastdim' * last}_kernel_impl", self.dtype)


def _is_last(dim: int, ndim: int) -> bool:
    return wrap_dim(dim, ndim) >= ndim - 1


def _along(function: Callable[..., None], dim: int, *operands: Array) -> Array:
    """What a function of operands of one shape, room for the result and axes writes: many rows in
    blocks.
    """
    shape = operands[0].shape
    found = np.empty(shape, operands[0].dtype)
    if found.size <= LARGE or not _is_last(dim, len(shape)):
        function(*operands, found, axes(dim, len(shape)))
        return found
    *rows, out = (array.reshape(-1, shape[-1]) for array in (*operands, found))
    for part in row_blocks(len(out), shape[-1]):
        function(*(array[part] for array in rows), out[part], (1,))
    return found


def _shift(values: Array, out: Array, where: tuple[int, ...]) -> None:
    """Lowers values, so that the largest are zero."""
    np.subtract(values, np.max(values, axis=where, keepdims=True, initial=-np.inf), out=out)


def _softmax(self: Array, dim: int, half_to_float: bool = False) -> Array:
    """exp(self), divided by its sum along a dimension."""
    _check_soft(self, dim, "softmax")

    def block(values: Array, out: Array, where: tuple[int, ...]) -> None:
        _shift(values, out, where)
        np.exp(out, out=out)
        out /= np.sum(out, axis=where, keepdims=True)

    return _along(block, dim, self)


def _log_softmax(self: Array, dim: int, half_to_float: bool = False) -> Array:
    """The logarithm of softmax."""
    _check_soft(self, dim, "log_softmax")
    half = self.dtype.char in HALVES
    wide = self.astype(np.float32) if half else self
    # PyTorch's kernel for the last dimension keeps these in half precision.
    kept = self.dtype if _is_last(dim, self.ndim) else wide.dtype

    def block(values: Array, out: Array, where: tuple[int, ...]) -> None:
        _shift(values, out, where)
        totals = np.sum(np.exp(out), axis=where, keepdims=True)
        out -= np.log(totals.astype(kept, copy=False))

    return _along(block, dim, wide).astype(self.dtype, copy=False)


def _dot(values: Any, dim: int) -> Any:
    return sum_dim(values, (dim,), True)


def _softmax_slope(grad_output: Array, output: Array, dim: int) -> Array:
    """The gradient of softmax from its result."""

    def block(grad: Array, result: Array, out: Array, where: tuple[int, ...]) -> None:
        if where == (result.ndim - 1,):
            np.subtract(grad, np.vecdot(grad, result)[..., None], out=out)
        else:
            np.multiply(grad, result, out=out)
            np.subtract(grad, np.sum(out, axis=where, keepdims=True), out=out)
        out *= result

    return _along(block, dim, grad_output, output)


softmax_backward: Row = row(
    "aten._softmax_backward_data",
    _softmax_slope,
    linear="grad_output",
    grad_output=ITSELF,
    output=lambda grad, grad_output, output, dim: (
        grad * grad_output
        - grad * _dot(grad_output * output, dim)
        - grad_output * _dot(grad * output, dim)
    ),
    samples=lambda r: [(r(3, 4), r(3, 4), 1), (r(3, 2), r(3, 2), 0)],
    pytorch="aten._softmax_backward_data(grad_output, output, dim, output.dtype)",
)
softmax_row: Row = row(
    "aten._softmax",
    _softmax,
    self=lambda grad, result, dim: softmax_backward(grad, result, dim),
    samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0)],
)


def _log_softmax_slope(grad_output: Array, output: Array, dim: int) -> Array:
    """The gradient of log_softmax from its result."""

    def block(grad: Array, result: Array, out: Array, where: tuple[int, ...]) -> None:
        np.exp(result, out=out)
        out *= np.sum(grad, axis=where, keepdims=True)
        np.subtract(grad, out, out=out)

    return _along(block, dim, grad_output, output)


log_softmax_backward: Row = row(
    "aten._log_softmax_backward_data",
    _log_softmax_slope,
    linear="grad_output",
    grad_output=lambda grad, output, dim: grad - _dot(grad * exp(output), dim),
    output=lambda grad, grad_output, output, dim: -exp(output) * grad * _dot(grad_output, dim),
    samples=lambda r: [(r(3, 4), r(3, 4), 1), (r(3, 2), r(3, 2), 0)],
    pytorch="aten._log_softmax_backward_data(grad_output, output, dim, output.dtype)",
)
log_softmax_row: Row = row(
    "aten._log_softmax",
    _log_softmax,
    halves=False,
    self=lambda grad, result, dim: log_softmax_backward(grad, result, dim),
    samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0)],
)


def _soft(made: Row) -> Any:
    def body(
        self: Any, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
    ) -> Any:
        where = wrap_dim(implicit_dim(self.ndim) if dim is None else dim, self.ndim)
        if dtype is not None:
            self = to_dtype(self, dtype)
        return made(self, where)

    return body


for _name, _row, _doc in (
    ("softmax", softmax_row, "exp(self), divided by its sum along a dimension."),
    ("log_softmax", log_softmax_row, "The logarithm of softmax, accurate far out."),
):
    _body = _soft(_row)
    composite(
        f"{_name}|special.{_name}(Tensor self, int dim, dtype? dtype=None)",
        samples=lambda r: [
            (r(3, 4), 1, None),
            (r(2, 3, 2), 0, None),
            (r.ints(3, high=5), -1, dtypes.float64),
            (r(), 0, None),
        ],
        doc=_doc,
    )(lambda self, dim, dtype, body=_body: body(self, dim, 3, dtype))
    composite(
        f"nn.functional.{_name}(Tensor input, int? dim=None, int _stacklevel=3, dtype? dtype=None)",
        samples=soft_samples,
        doc=_doc,
    )(_body)

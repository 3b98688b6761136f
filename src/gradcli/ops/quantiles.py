"""Quantiles: sorted values, interpolated."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.bounds import lerp_tensor
from gradcli.ops.comparison import where_
from gradcli.ops.ordering import pick, sort_row
from gradcli.ops.shape import reshape, squeeze_in_place, transpose, unsqueeze
from gradcli.ops.table import composite
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap, wrap_dim

_MODES = ("linear", "lower", "higher", "midpoint", "nearest")


def _checked(self: Any, q: Any, name: str, interpolation: str) -> Any:
    if self._array.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if self.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if isinstance(q, Tensor):
        if q.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
        if q.dtype is not self.dtype:
            raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    elif not 0 <= q <= 1:
        raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
    if interpolation not in _MODES:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if isinstance(q, Tensor):
        if not np.all((q._array >= 0) & (q._array <= 1)):
            raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
        return q
    return wrap(np.asarray(q, self._array.dtype))


def _quantile(
    self: Any,
    q: Any,
    dim: int | None,
    keepdim: bool,
    interpolation: str,
    ignore_nan: bool,
    name: str,
) -> Any:
    q = _checked(self, q, name, interpolation)
    ndim = self.ndim
    if dim is None:
        ordered = sort_row(reshape(self, (-1,)), -1)[0]
        kept = [1] * ndim if keepdim else []
    else:
        where = wrap_dim(dim, ndim)
        kept = list(self.shape)
        kept[where : where + 1] = [1] if keepdim and ndim else []
        last = where == ndim - 1 or not ndim
        ordered = sort_row(self if last else transpose(unsqueeze(self, -1), where, -1), -1)[0]
    length = ordered.shape[-1] if ordered.ndim else 1
    ordered = reshape(ordered, (*kept, length))
    bad = np.isnan(ordered._array)
    kind = ordered._array.dtype
    points = reshape(q, (-1,))
    if ignore_nan:
        counts = np.maximum((~bad).sum(-1, keepdims=True) - 1, 0)
        ranks = points * wrap(counts.astype(kind))
    else:
        ranks = where_(wrap(bad[..., -1:]), float(length - 1), points * (length - 1))
    if interpolation in ("lower", "higher", "nearest"):
        rounding: Any = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}[interpolation]
        ranks = wrap(rounding(ranks._array))
    below = np.floor(ranks._array)
    last_dim = ordered.ndim - 1
    values = pick(ordered, last_dim, wrap(below.astype(np.int64)))
    if interpolation in ("linear", "midpoint"):
        weight = wrap(np.full_like(below, 0.5))
        if interpolation == "linear":
            weight = ranks - wrap(below)
        above = np.ceil(ranks._array).astype(np.int64)
        values = lerp_tensor(values, pick(ordered, last_dim, wrap(above)), weight)
    if q.ndim:
        values = transpose(unsqueeze(values, 0), 0, -1)
    return squeeze_in_place(values, -1)


def _enter(name: str, ignore_nan: bool, doc: str) -> None:
    def body(
        self: Any,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        interpolation: str = "linear",
    ) -> Any:
        return _quantile(self, q, dim, keepdim, interpolation, ignore_nan, name)

    composite(
        f"{name}(Tensor self, Operand q, int? dim=None, bool keepdim=False, *, "
        "str interpolation='linear')",
        samples=lambda r: [(r(3, 4), 0.4), (r(3, 4), 0.3, 1)],
        doc=doc,
    )(body)


_enter("quantile", False, "Quantiles along a dimension, interpolated.")
_enter("nanquantile", True, "Quantiles of the elements that are not nan.")

"""Quantiles: sorted values, interpolated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import filled
from gradcli.ops.algebra.gathering import gather
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.ops.algebra.sums import broadcast_tensors
from gradcli.ops.algebra.views import flatten, squeeze_in_place, transpose, unsqueeze, view
from gradcli.ops.pointwise.bounds import lerp_tensor
from gradcli.ops.selecting.ordering import sort_row
from gradcli.table.declare import composite
from gradcli.table.samples import Sampler, fixed, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor, wrap

_MODES = ("linear", "lower", "higher", "midpoint", "nearest")
_ROUNDING: dict[str, Any] = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}


def _checked(self: Any, q: Any, interpolation: str) -> Any:
    """The probabilities as a tensor."""
    if interpolation not in _MODES:
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, "
            f"but got {interpolation}"
        )
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
        q = wrap(np.asarray(q, self._array.dtype))
    if self._array.size == 0:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if self.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if q.dtype is not self.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    return q


def _sorted(self: Any, dim: int | None) -> Any:
    if dim is None:
        return sort_row(flatten(self), -1)[0]
    where = wrap_dim(dim, self.ndim)
    if where == self.ndim - 1:
        return sort_row(self, -1)[0]
    return sort_row(transpose(unsqueeze(self, -1), where, -1), -1)[0]


def _ranks(q: Any, ordered: Any, ignore_nan: bool) -> Any:
    """Where the quantiles lie in sorted slices, counted from zero; nan in a slice leads to nan."""
    bad = np.isnan(ordered._array)
    if ignore_nan:
        counts = np.sum(~bad, axis=-1, keepdims=True) - 1
        ranks = q * wrap(counts)
        return filled(ranks, ranks < 0, 0)
    last = ordered.shape[-1] - 1
    spoilt = wrap(bad.any(-1, keepdims=True))
    ranks, spoilt = broadcast_tensors([mul_scalar(q, last), spoilt])
    return filled(ranks, spoilt, last)


def _quantile(
    self: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    q = _checked(self, q, interpolation)
    ndim = self.ndim
    where = None if dim is None else wrap_dim(dim, ndim)
    if not np.all((looked_at(q) >= 0) & (q._array <= 1)):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    if where is None:
        kept = [1] * ndim if keepdim else []
    else:
        kept = list(self.shape)
        kept[where : where + 1] = [1] if keepdim and ndim else []
    ordered = _sorted(self, dim)
    ordered = view(ordered, (*kept, ordered.shape[-1] if ordered.ndim else 1))
    ranks = _ranks(q, ordered, ignore_nan)
    if interpolation in _ROUNDING:
        ranks = wrap(_ROUNDING[interpolation](ranks._array))
    below = wrap(ranks._array.astype(np.int64))
    values = gather(ordered, -1, below)
    if interpolation in ("linear", "midpoint"):
        weights = wrap(np.full_like(ranks._array, 0.5))
        if interpolation == "linear":
            weights = ranks - below
        above = wrap(np.ceil(ranks._array).astype(np.int64))
        values = lerp_tensor(values, gather(ordered, -1, above), weights)
    if q.ndim:
        values = transpose(unsqueeze(values, 0), 0, -1)
    return squeeze_in_place(values, -1)


def _samples(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (r(3, 4), 0.4),
        (r(3, 4), 0.3, 1),
        *((r(2, 4), 0.4, -1, False, {"interpolation": mode}) for mode in _MODES[1:]),
        (kinked([1.0, math.nan, 3.0, 0.0]), 0.6),
    ]


def _samples_of_tensors(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4), fixed([0.1, 0.75]), 0, True)]


def _enter(name: str, ignore_nan: bool, doc: str) -> None:
    def body(
        self: Any,
        q: Any,
        dim: int | None = None,
        keepdim: bool = False,
        interpolation: str = "linear",
    ) -> Any:
        return _quantile(self, q, dim, keepdim, interpolation, ignore_nan)

    rest = "int? dim=None, bool keepdim=False, *, str interpolation='linear')"
    composite(f"{name}(Tensor self, Tensor q, {rest}", samples=_samples_of_tensors, doc=doc)(body)
    composite(f"{name}(Tensor self, float q, {rest}", samples=_samples, doc=doc)(body)


_enter("quantile", False, "Quantiles along a dimension, interpolated.")
_enter("nanquantile", True, "Quantiles of the elements that are not nan.")

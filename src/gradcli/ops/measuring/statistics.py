"""Variances, covariances and correlations."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import conj, eq, filled, where_
from gradcli.ops.algebra.complex import complex_, imag_of, real_of
from gradcli.ops.algebra.products import mm
from gradcli.ops.algebra.scalars import mul_scalar, sub_scalar
from gradcli.ops.algebra.sums import (
    axes,
    count_of,
    mean_all,
    mean_backward,
    mean_dim,
    restore,
    sum_all,
    sum_dim,
)
from gradcli.ops.algebra.views import squeeze_all, t, unsqueeze, view
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, fixed
from gradcli.tensor import dtypes
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import wrap
from gradcli.typing import Array, Scalar, Single, Value


def _variance(
    self: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False
) -> Array:
    return _wide_variance(self, dim, correction, keepdim).astype(self.real.dtype)


def _wide_variance(self: Array, dim: Any, correction: float | None, keepdim: bool) -> Array:
    """The variance in double, as PyTorch accumulates it."""
    where = axes(dim, self.ndim)
    wide = self.astype(np.complex128 if self.dtype.kind == "c" else np.float64, copy=False)
    centred = wide - np.mean(wide, axis=where, keepdims=True)
    squares: Array = np.sum((centred * np.conj(centred)).real, axis=where, keepdims=keepdim)
    freedom = count_of(self.shape, dim) - (1 if correction is None else correction)
    return squares / np.float64(max(freedom, 0))


def _running_mean(self: Array, where: tuple[int, ...], keepdim: bool) -> Array:
    """The mean as PyTorch finds it beside a variance: element by element, of either part alone.

    The distance to a mean that is infinite already is nan: an infinity survives only as the last.
    """
    mean: Array = np.mean(self, axis=where, keepdims=keepdim)
    if np.isfinite(mean).all() or not self.size:
        return mean
    if self.dtype.kind == "c":
        mean = np.asarray(mean)
        mean.real = _running_mean(self.real, where, keepdim)
        mean.imag = _running_mean(self.imag, where, keepdim)
        return mean
    rows = np.moveaxis(self, where, range(-len(where), 0)).reshape(-1, count_of(self.shape, where))
    last = rows[:, -1]
    alone = np.isinf(last) & np.isfinite(rows[:, :-1]).all(1)
    shares = np.sum(rows / rows.dtype.type(rows.shape[1]), axis=1)  # which do not overflow
    found = np.where(np.isfinite(rows).all(1), shares, np.where(alone, last, np.nan))
    return found.reshape(np.shape(mean)).astype(mean.dtype)


def _deviation(
    self: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False
) -> Array:
    return np.sqrt(_wide_variance(self, dim, correction, keepdim)).astype(self.real.dtype)


def _var_vjp(
    grad: Any, self: Any, self_shape: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    correction = 1 if correction is None else correction
    if dim is None or not self_shape:
        mean = mean_all(self)
        freedom = math.prod(self_shape) - correction
        if freedom <= 0:
            return grad * where_(eq(self, mean), math.nan, math.inf)
        return mul_scalar(grad, 2.0 / freedom) * (self - mean)
    freedom = math.prod(self_shape[wrap_dim(d, len(self_shape))] for d in dim) - correction
    scale = 2.0 / freedom if freedom else math.inf
    grad = restore(grad, self_shape, dim, keepdim)
    return mul_scalar(grad, scale) * (self - mean_dim(self, dim, True))


def _std_vjp(
    grad: Any, self: Any, self_shape: Any, result: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    slope = filled(grad / mul_scalar(result, 2), eq(result, 0), 0)
    return _var_vjp(slope, self, self_shape, dim, correction, keepdim)


def _of_var(
    grad: Any, self: Any, self_shape: Any, result: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    return _var_vjp(grad, self, self_shape, dim, correction, keepdim)


def _spreads(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (r(3, 4), (1,)),
        (r(5), None, 0),
        (r(2, 3, 4), (0, -1), 1.5, True),
        (r.complex(3, 2), (0,)),
    ]


def _overloads(name: str, first: str, made: Row, doc: str) -> None:
    """The three ways to say what is to be subtracted from the number of elements."""
    composite(
        f"{name}(Tensor {first}, int[1]? dim, bool unbiased=True, bool keepdim=False)",
        samples=lambda r: [(r(3, 4), (1,), True, False), (r(2, 3), (0, 1), False, True)],
        doc=doc,
    )(lambda self, dim, unbiased, keepdim: made(self, dim, int(unbiased), keepdim))
    composite(
        f"{name}(Tensor {first}, int[1]? dim=None, *, Real? correction=None, bool keepdim=False)",
        samples=lambda r: [
            (r(3, 4), (1,), {"correction": 0, "keepdim": True}),
            (r(5), None, {"correction": 1.5, "keepdim": False}),
            (r(3, 4), (0, -1), {"correction": None, "keepdim": False}),
        ],
        doc=doc,
    )(lambda self, dim, correction, keepdim: made(self, dim, correction, keepdim))
    composite(
        f"{name}(Tensor {first}, bool unbiased=True)",
        samples=lambda r: [(r(3, 4), True), (r(5), False), (r.complex(4), True)],
        doc=doc,
    )(lambda self, unbiased: made(self, None, int(unbiased), False))


def _spread_row(name: str, forward: Any, slope: Any, doc: str) -> None:
    """var or std, and the function that answers the mean too: two outputs of one node."""

    def checked(
        self: Array,
        dim: Single | None = None,
        correction: Scalar | None = None,
        keepdim: bool = False,
    ) -> Array:
        if self.dtype.kind not in "fc":
            raise RuntimeError("std and var only support floating point and complex dtypes")
        return forward(self, dim, correction, keepdim)

    plain = row(
        f"aten.{name}",
        checked,
        self=_var_vjp if slope is _of_var else _std_vjp,
        samples=_spreads,
        doc=doc,
        pytorch=f"torch.{name}(self, dim, correction=correction, keepdim=keepdim)",
    )

    def with_mean(
        self: Array,
        dim: Single | None = None,
        correction: Scalar | None = None,
        keepdim: bool = False,
    ) -> tuple[Array, Array]:
        if self.dtype.kind not in "fc":
            raise RuntimeError(f"{name}_mean only support floating point and complex dtypes")
        mean = _running_mean(self, axes(dim, self.ndim), keepdim)
        return np.asarray(forward(self, dim, correction, keepdim)), np.asarray(mean)

    def with_mean_vjp(
        grads: Any,
        self: Any,
        self_shape: Any,
        result0: Any,
        dim: Any,
        correction: Any,
        keepdim: bool,
    ) -> Any:
        total: Any = None
        if grads[0] is not None:
            total = slope(grads[0], self, self_shape, result0, dim, correction, keepdim)
        if grads[1] is not None:
            part = mean_backward(grads[1], self_shape, dim, keepdim)
            total = part if total is None else total + part
        return total

    both = row(
        f"aten.{name}_mean",
        with_mean,
        self=with_mean_vjp,
        samples=_spreads,
        doc=f"{doc[:-1]} and the mean.",
        pytorch=f"torch.{name}_mean(self, dim, correction=correction, keepdim=keepdim)",
    )
    _overloads(name, "self", plain, doc)
    _overloads(f"{name}_mean", "input", both, f"{doc[:-1]} and the mean.")


_spread_row("var", _variance, _of_var, "The variance.")
_spread_row("std", _deviation, _std_vjp, "The standard deviation.")


def _checked_weights(name: str, weights: Any, wanted: int, count: int) -> Any:
    """Weights of observations; `wanted` is the category that their type must have."""
    if weights.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with "
            f"{weights.ndim} dimensions"
        )
    if weights.dtype.category != wanted:
        kind = "integral" if wanted == dtypes.INTEGRAL else "floating point"
        raise RuntimeError(
            f"cov(): expected {name} to have {kind} dtype but got {name} with "
            f"{weights.dtype.scalar_name} dtype"
        )
    if weights.numel() != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the "
            f"input but got {weights.numel()} != {count}"
        )
    if weights.numel() and np.min(looked_at(weights)) < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")
    return weights


@composite(
    "cov",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), {"correction": 0, "fweights": np.array([1, 2, 0, 3]), "aweights": r(4, low=0.1)}),
        (r(2, 3), {"correction": 2, "aweights": fixed([0.5, 1.0, 2.0])}),
        (r(5),),
        (r.complex(2, 3),),
    ],
)
def cov(
    self: Value,
    *,
    correction: int = 1,
    fweights: Value | None = None,
    aweights: Value | None = None,
) -> Any:
    """The covariance matrix of the variables in the rows."""
    if self.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{self.ndim} dimensions"
        )
    if self.dtype is dtypes.bool_:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    values = view(self, (1, -1)) if self.ndim < 2 else self
    count = values.shape[1]
    weights: Any = None
    if fweights is not None:
        weights = _checked_weights("fweights", fweights, dtypes.INTEGRAL, count)
    if aweights is not None:
        _checked_weights("aweights", aweights, dtypes.FLOATING, count)
        weights = aweights if weights is None else weights * aweights
    total: Any = wrap(np.asarray(count)) if weights is None else sum_all(weights)
    if weights is not None and total.item() == 0:
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = sum_dim(values if weights is None else values * weights, (1,), False) / total
    norm = total
    if aweights is not None and correction != 0:
        norm = total - mul_scalar(sum_all(weights * aweights), correction) / total
    elif correction != 0:
        norm = sub_scalar(total, correction)
    if norm.item() <= 0:
        warnings.warn(
            "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number "
            "of observations.",
            stacklevel=2,
        )
        norm = wrap(np.zeros_like(norm._array))
    centred = values - unsqueeze(mean, 1)
    weighted = centred if weights is None else centred * weights
    return squeeze_all(mm(centred, conj(t(weighted))) / norm)


@composite("corrcoef", samples=lambda r: [(r(3, 4),), (r(4),), (r.complex(2, 4),)])
def corrcoef(self: Value) -> Any:
    """The matrix of correlation coefficients of the variables in the rows."""
    if self.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{self.ndim} dimensions"
        )
    found = cov(self)
    if found.ndim == 0:
        return found / found
    spread = found.diag().sqrt()
    scaled = found / view(spread, (-1, 1)) / view(spread, (1, -1))
    if scaled.is_complex():
        return complex_(real_of(scaled).clamp(-1, 1), imag_of(scaled).clamp(-1, 1))
    return scaled.clamp(-1, 1)

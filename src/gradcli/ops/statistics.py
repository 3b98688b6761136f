"""Moments, norms and soft maxima."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.arithmetic import absolute, reciprocal, sgn
from gradcli.ops.comparison import conj, eq, filled, gt, isnan, logical_or, where_
from gradcli.ops.elementary import exp, pow_scalar
from gradcli.ops.matmul import mm
from gradcli.ops.reduction import (
    axes,
    count_of,
    mean_all,
    mean_dim,
    restore,
    sum_dim,
    unreduce,
)
from gradcli.ops.shape import reshape, shape_of, squeeze_all, t, unsqueeze
from gradcli.ops.table import FLOAT, Row, composite, lookup, row
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.tensor import wrap_dim

Array = Any

# --- variance and standard deviation


def _variance(self: Array, dim: Any, correction: float, keepdim: bool) -> Array:
    where = axes(dim, self.ndim)
    count = count_of(self.shape, dim)
    centred = self - np.mean(self, axis=where, keepdims=True)
    squares = np.sum((centred * np.conj(centred)).real, axis=where, keepdims=keepdim)
    divisor = max(count - correction, 0)
    return (squares / squares.dtype.type(divisor)).astype(self.real.dtype)


def _floating(self: Array, name: str) -> None:
    if self.dtype.kind not in "fc":
        raise RuntimeError(f"{name} and {name}_mean only support floating point and complex dtypes")


def _var_forward(
    self: Array, dim: Any = None, correction: Any = None, keepdim: bool = False
) -> Array:
    return _variance(self, dim, 1 if correction is None else correction, keepdim)


def _std_forward(
    self: Array, dim: Any = None, correction: Any = None, keepdim: bool = False
) -> Array:
    return np.sqrt(_var_forward(self, dim, correction, keepdim))


def _var_vjp(
    grad: Any, self: Any, self_shape: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    freedom = count_of(self_shape, dim) - (1 if correction is None else correction)
    scale = 2.0 / freedom if freedom else math.inf
    centre = mean_dim(self, dim, True) if self_shape else mean_all(self)
    return scale * restore(grad, self_shape, dim, keepdim) * (self - centre)


def _std_vjp(
    grad: Any, self: Any, self_shape: Any, result: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    slope = where_(eq(result, 0), 0.0, grad / (result * 2))
    return _var_vjp(slope, self, self_shape, dim, correction, keepdim)


_SPREAD = "Tensor self, int[1]? dim=None, Scalar? correction=None, bool keepdim=False"
var_row: Row = row(
    f"aten.var({_SPREAD})",
    _var_forward,
    self=_var_vjp,
    samples=lambda r: [(r(3, 4), (1,)), (r(5), None, 0)],
    doc="The variance.",
)
std_row: Row = row(
    f"aten.std({_SPREAD})",
    _std_forward,
    self=_std_vjp,
    samples=lambda r: [(r(3, 4), (1,)), (r(5), None, 0)],
    doc="The standard deviation.",
)
for _name, _row, _doc in (
    ("var", var_row, "The variance."),
    ("std", std_row, "The standard deviation."),
):

    def _by_bias(
        self: Any,
        dim: Any = None,
        unbiased: bool = True,
        keepdim: bool = False,
        made: Row = _row,
    ) -> Any:
        return made(self, dim, int(unbiased), keepdim)

    composite(f"{_name}(Tensor self, bool unbiased)", doc=_doc)(
        lambda self, unbiased, made=_row: made(self, None, int(unbiased), False)
    )
    composite(f"{_name}(Tensor self, int[1]? dim, bool unbiased, bool keepdim=False)", doc=_doc)(
        _by_bias
    )
    composite(
        f"{_name}(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False)",
        doc=_doc,
    )(
        lambda self, dim=None, correction=None, keepdim=False, made=_row: made(
            self, dim, correction, keepdim
        )
    )


def _with_mean(name: str, forward: Any, vjp: Any, doc: str) -> None:
    """var_mean and std_mean: two outputs of one node."""

    def both(
        self: Array, dim: Any = None, correction: Any = None, keepdim: bool = False
    ) -> tuple[Array, Array]:
        _floating(self, name)
        where = axes(dim, self.ndim)
        return (
            np.asarray(forward(self, dim, correction, keepdim)),
            np.asarray(np.mean(self, axis=where, keepdims=keepdim)),
        )

    def gradient(
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
            total = vjp(grads[0], self, self_shape, result0, dim, correction, keepdim)
        if grads[1] is not None:
            mean = unreduce(grads[1], self_shape, dim, keepdim) / count_of(self_shape, dim)
            total = mean if total is None else total + mean
        return total

    made = row(
        f"aten.{name}_mean({_SPREAD})",
        both,
        self=gradient,
        samples=lambda r: [(r(3, 4), (1,)), (r(5), None, 0)],
        doc=doc,
    )
    composite(f"{name}_mean(Tensor self, bool unbiased)", doc=doc)(
        lambda self, unbiased: made(self, None, int(unbiased), False)
    )
    composite(f"{name}_mean(Tensor self, int[1]? dim, bool unbiased, bool keepdim=False)", doc=doc)(
        lambda self, dim, unbiased, keepdim: made(self, dim, int(unbiased), keepdim)
    )
    composite(
        f"{name}_mean(Tensor self, int[1]? dim=None, *, Scalar? correction=None, "
        "bool keepdim=False)",
        doc=doc,
    )(lambda self, dim=None, correction=None, keepdim=False: made(self, dim, correction, keepdim))


def _var_slope(
    grad: Any, self: Any, self_shape: Any, result: Any, dim: Any, correction: Any, keepdim: bool
) -> Any:
    return _var_vjp(grad, self, self_shape, dim, correction, keepdim)


_with_mean("var", _var_forward, _var_slope, "The variance and the mean.")
_with_mean("std", _std_forward, _std_vjp, "The standard deviation and the mean.")


@composite(
    "cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None)",
    samples=lambda r: [(r(3, 4),)],
    doc="The covariance matrix of the variables in the rows.",
)
def cov(self: Any, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    if self.ndim > 2:
        raise RuntimeError(
            "cov(): expected input to have two or fewer dimensions but got an input with "
            f"{self.ndim} dimensions"
        )
    values = reshape(self, (1, -1)) if self.ndim < 2 else self
    count = values.shape[1]
    weights = fweights
    if aweights is not None:
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        mean = sum_dim(values, (1,), False) / count if count else sum_dim(values, (1,), False)
        total: Any = count
        scatter = values - unsqueeze(mean, 1)
        product = mm(scatter, conj(t(scatter)))
        norm: Any = count - correction
    else:
        total = weights.sum()
        mean = sum_dim(values * weights, (1,), False) / total
        scatter = values - unsqueeze(mean, 1)
        product = mm(scatter, conj(t(scatter * weights)))
        if aweights is None or correction == 0:
            norm = total - correction
        else:
            norm = total - correction * (weights * aweights).sum() / total
    floor = max(norm, 0) if isinstance(norm, (int, float)) else norm.clamp(min=0)
    return squeeze_all(product / floor)


@composite(
    "corrcoef(Tensor self)",
    samples=lambda r: [(r(3, 4),)],
    doc="The matrix of correlation coefficients of the variables in the rows.",
)
def corrcoef(self: Any) -> Any:
    if self.ndim > 2:
        raise RuntimeError(
            "corrcoef(): expected input to have two or fewer dimensions but got an input with "
            f"{self.ndim} dimensions"
        )
    found = cov(self)
    if found.ndim == 0:
        return found / found
    spread = found.diagonal().sqrt()
    scaled = found / unsqueeze(spread, 1) / unsqueeze(spread, 0)
    return scaled.clamp(-1, 1)


# --- soft maxima


def _logsumexp(self: Array, dim: Any, keepdim: bool = False) -> Array:
    where = axes(dim, self.ndim)
    peak = np.max(self, axis=where, keepdims=True, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0).astype(self.dtype)
    total = np.log(np.sum(np.exp(self - peak), axis=where, keepdims=True)) + peak
    return total if keepdim else np.squeeze(total, where)


logsumexp: Row = row(
    "logsumexp|special.logsumexp(Tensor self, int[1] dim, bool keepdim=False)",
    _logsumexp,
    promote=FLOAT,
    self=lambda grad, self, self_shape, result, dim, keepdim: (
        restore(grad, self_shape, dim, keepdim)
        * conj(exp(self - restore(result, self_shape, dim, keepdim)))
    ),
    samples=lambda r: [(r(3, 4), (1,)), (r(3, 4), (0, 1), True)],
    doc="log(sum(exp(self))) without overflow.",
)


def _softmax(self: Array, dim: int, half_to_float: bool = False) -> Array:
    where = axes(dim, self.ndim)
    powers = np.exp(self - np.max(self, axis=where, keepdims=True, initial=-np.inf))
    return powers / np.sum(powers, axis=where, keepdims=True)


def _log_softmax(self: Array, dim: int, half_to_float: bool = False) -> Array:
    where = axes(dim, self.ndim)
    shifted = self - np.max(self, axis=where, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=where, keepdims=True))


def _dot(values: Any, dim: int) -> Any:
    return sum_dim(values, (dim,), True)


softmax_backward: Row = row(
    "aten._softmax_backward_data(Tensor grad_output, Tensor output, int dim)",
    lambda grad_output, output, dim: (
        grad_output * output
        - output * np.sum(grad_output * output, axis=axes(dim, output.ndim), keepdims=True)
    ),
    grad_output=lambda grad, output, dim: softmax_backward(grad, output, dim),
    output=lambda grad, grad_output, output, dim: (
        grad * grad_output
        - grad * _dot(grad_output * output, dim)
        - grad_output * _dot(grad * output, dim)
    ),
    samples=lambda r: [(r(3, 4), r(3, 4), 1)],
    doc="The gradient of softmax from its result.",
)
softmax_row: Row = row(
    "aten._softmax(Tensor self, int dim, bool half_to_float=False)",
    _softmax,
    self=lambda grad, result, dim: softmax_backward(grad, result, dim),
    samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0)],
    doc="exp(self), divided by its sum along a dimension.",
)
log_softmax_backward: Row = row(
    "aten._log_softmax_backward_data(Tensor grad_output, Tensor output, int dim)",
    lambda grad_output, output, dim: (
        grad_output
        - np.exp(output) * np.sum(grad_output, axis=axes(dim, output.ndim), keepdims=True)
    ),
    grad_output=lambda grad, output, dim: grad - _dot(grad * exp(output), dim),
    output=lambda grad, grad_output, output, dim: -exp(output) * grad * _dot(grad_output, dim),
    samples=lambda r: [(r(3, 4), r(3, 4), 1)],
    doc="The gradient of log_softmax from its result.",
)
log_softmax_row: Row = row(
    "aten._log_softmax(Tensor self, int dim, bool half_to_float=False)",
    _log_softmax,
    self=lambda grad, result, dim: log_softmax_backward(grad, result, dim),
    samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0)],
    doc="The logarithm of softmax.",
)


def _implicit_dim(ndim: int) -> int:
    return 0 if ndim in (0, 1, 3) else 1


def _soft(made: Row) -> Any:
    def body(
        self: Any, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
    ) -> Any:
        from gradcli.ops.creation import to_dtype

        where = wrap_dim(_implicit_dim(self.ndim) if dim is None else dim, self.ndim)
        if dtype is not None:
            self = to_dtype(self, dtype)
        if self.dtype.category != dtypes.FLOATING:
            kernel = (
                "softmax_kernel_impl" if made is softmax_row else "log_softmax_lastdim_kernel_impl"
            )
            raise NotImplementedError(
                f"\"{kernel}\" not implemented for '{self.dtype.scalar_name}'"
            )
        return made(self, where)

    return body


for _name, _row, _doc in (
    ("softmax", softmax_row, "exp(self), divided by its sum along a dimension."),
    ("log_softmax", log_softmax_row, "The logarithm of softmax, accurate far out."),
):
    _body = _soft(_row)
    composite(f"{_name}|special.{_name}(Tensor self, int dim, dtype? dtype=None)", doc=_doc)(
        lambda self, dim, dtype, body=_body: body(self, dim, 3, dtype)
    )
    composite(
        f"nn.functional.{_name}(Tensor input, int? dim=None, int _stacklevel=3, dtype? dtype=None)",
        doc=_doc,
    )(_body)

# --- norms


def _vector_norm(
    self: Array, ord: float = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Array:
    where = axes(dim, self.ndim)
    size = np.abs(self if dtype is None else self.astype(dtype.np))
    kind = size.dtype
    if ord == math.inf:
        found = np.max(size, axis=where, keepdims=keepdim, initial=0)
    elif ord == -math.inf:
        found = np.min(size, axis=where, keepdims=keepdim)
    elif ord == 0:
        found = np.sum(size != 0, axis=where, keepdims=keepdim)
    elif ord == 1:
        found = np.sum(size, axis=where, keepdims=keepdim)
    elif ord == 2:
        found = np.sqrt(np.sum(size * size, axis=where, keepdims=keepdim))
    else:
        found = np.sum(size**ord, axis=where, keepdims=keepdim) ** (1 / ord)
    return np.asarray(found).astype(kind)


def _norm_vjp(
    grad: Any, self: Any, self_shape: Any, result: Any, ord: float, dim: Any, keepdim: bool
) -> Any:
    grad = restore(grad, self_shape, dim, keepdim)
    norm = restore(result, self_shape, dim, keepdim)
    if ord == 0:
        return None
    if ord == 1:
        return sgn(self) * grad
    if ord == 2:
        return grad * filled(self / norm, eq(norm, 0), 0)
    size = absolute(self)
    if math.isinf(ord):
        hits = logical_or(eq(size, norm), isnan(size))
        return sgn(self) * (grad / sum_dim(hits, dim or (), True) * hits)
    if ord < 1:
        powers = sgn(self) * filled(pow_scalar(size, ord - 1), eq(self, 0), 0)
        return powers * grad * pow_scalar(norm, 1 - ord)
    scale = filled(grad / pow_scalar(norm, ord - 1), eq(norm, 0), 0)
    if ord < 2:
        return sgn(self) * pow_scalar(size, ord - 1) * scale
    return self * pow_scalar(size, ord - 2) * scale


vector_norm: Row = row(
    "linalg.vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, "
    "dtype? dtype=None)",
    _vector_norm,
    self=_norm_vjp,
    kink="the norm of zeros has the gradient zero",
    samples=lambda r: [(r(3, 4), p, (1,)) for p in (0, 1, 2, 3, 0.5, 1.5, math.inf)] + [(r(5),)],
    doc="The norm of vectors along dimensions.",
)


def _dist(self: Array, other: Array, p: float = 2) -> Array:
    return _vector_norm(np.asarray(self - other), p)


dist: Row = row(
    "dist(Tensor self, Tensor other, Scalar p=2)",
    _dist,
    promote=FLOAT,
    self=lambda grad, self, other, result, p: _dist_vjp(grad, self - other, result, p),
    other=lambda grad, self, other, result, p: _negative(_dist_vjp(grad, self - other, result, p)),
    kink="at distance zero the gradient is zero",
    samples=lambda r: [(r(3, 4), r(4)), (r(5), r(5), 3)],
    doc="The norm of the difference.",
)


def _negative(slope: Any) -> Any:
    if slope is None:
        raise RuntimeError(
            "Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #0 "
            "'self'"
        )
    return -slope


def _dist_vjp(grad: Any, difference: Any, result: Any, p: float) -> Any:
    shape = shape_of(difference)
    return _norm_vjp(grad, difference, shape, result, p, None, False)


def _factors(self: Array, p: float, dim: int, maxnorm: float) -> Array:
    others = tuple(k for k in range(self.ndim) if k != wrap_dim(dim, self.ndim))
    norms = _vector_norm(self, p, others, True)
    return np.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1).astype(norms.dtype)


def _renorm_vjp(grad: Any, self: Any, p: float, dim: int, maxnorm: float) -> Any:
    shape = shape_of(self)
    others = tuple(k for k in range(len(shape)) if k != wrap_dim(dim, len(shape)))
    norm = vector_norm(self, p, others, True)
    along = sum_dim(self * grad, others, True)
    slope = _norm_vjp(along, self, shape, norm, p, others, True)
    inverse = reciprocal(norm + 1e-7)
    shrunk = maxnorm * inverse * (grad - inverse * slope)
    return where_(gt(norm, maxnorm), shrunk, grad)


renorm: Row = row(
    "renorm(Tensor self, Scalar p, int dim, Scalar maxnorm)",
    lambda self, p, dim, maxnorm: self * _factors(self, p, dim, maxnorm),
    self=_renorm_vjp,
    samples=lambda r: [(r(3, 4), 2, 0, 0.5), (r(3, 4), 1, 1, 3)],
    doc="Slices along a dimension, shrunk to a norm of at most maxnorm.",
)


@composite(
    "norm(Tensor self, any p='fro', any dim=None, bool keepdim=False, dtype? dtype=None)",
    samples=lambda r: [(r(3, 4),), (r(3, 4), 1, 1)],
    doc="The norm of all elements or along dimensions.",
)
def norm(
    self: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    if p == "nuc":
        nuclear: Any = lookup("linalg.matrix_norm")
        return nuclear(self, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    return vector_norm(self, 2 if p in ("fro", None) else p, dim, keepdim, dtype)

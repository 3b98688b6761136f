"""Moments, norms and soft maxima."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import absolute, reciprocal, refuse_bool, sgn
from gradcli.ops.algebra.comparison import conj, eq, filled, gt, isnan, logical_or, where_
from gradcli.ops.algebra.complex import complex_, imag_of, real_of, real_part
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.elementary import exp, pow_scalar
from gradcli.ops.algebra.products import mm
from gradcli.ops.algebra.scalars import add_scalar, mul_scalar, sub_scalar
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
from gradcli.ops.algebra.views import shape_of, squeeze_all, t, unsqueeze, view
from gradcli.table.declare import composite, row
from gradcli.table.entry import METHOD, NEITHER
from gradcli.table.registry import lookup
from gradcli.table.row import COMMON, FLOAT, ITSELF, Row
from gradcli.table.samples import Sampler, fixed, kinked, soft_samples
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import no_kernel
from gradcli.tensor.shapes import implicit_dim, wrap_dim
from gradcli.tensor.tensor import wrap
from gradcli.typing import Array, Scalar, Single, Value

# --- variance and standard deviation


def _variance(
    self: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False
) -> Array:
    where = axes(dim, self.ndim)
    centred = self - np.mean(self, axis=where, keepdims=True)
    squares = np.sum((centred * np.conj(centred)).real, axis=where, keepdims=keepdim)
    freedom = count_of(self.shape, dim) - (1 if correction is None else correction)
    return (squares / squares.dtype.type(max(freedom, 0))).astype(self.real.dtype)


def _deviation(
    self: Array, dim: Any = None, correction: float | None = None, keepdim: bool = False
) -> Array:
    return np.sqrt(_variance(self, dim, correction, keepdim))


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
        f"{name}(Tensor {first}, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False)",
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
        mean = np.mean(self, axis=axes(dim, self.ndim), keepdims=keepdim)
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

# --- covariance


def _checked_weights(name: str, weights: Any, wanted: int, count: int) -> Any:
    """Weights of observations; ``wanted`` is the category that their type must have."""
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
    if weights.numel() and np.min(weights._array) < 0:
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


# --- soft maxima


def _logsumexp(self: Array, dim: Single, keepdim: bool = False) -> Array:
    """log(sum(exp(self))) without overflow."""
    where = axes(dim, self.ndim)
    peak = np.max(self, axis=where, keepdims=True, initial=-np.inf)
    peak = np.where(np.isfinite(peak), peak, 0).astype(self.dtype)
    total = np.log(np.sum(np.exp(self - peak), axis=where, keepdims=True)) + peak
    return total if keepdim else np.squeeze(total, where)


logsumexp: Row = row(
    "logsumexp|special.logsumexp",
    _logsumexp,
    promote=FLOAT,
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
    if self.dtype.kind != "f":
        last = wrap_dim(dim, self.ndim) >= self.ndim - 1
        raise no_kernel(f"{name}{'_lastdim' * last}_kernel_impl", self.dtype)


def _softmax(self: Array, dim: int, half_to_float: bool = False) -> Array:
    """exp(self), divided by its sum along a dimension."""
    _check_soft(self, dim, "softmax")
    where = axes(dim, self.ndim)
    # In one buffer: what a large temporary costs is the fresh memory, not the arithmetic.
    powers: Array = np.asarray(self - np.max(self, axis=where, keepdims=True, initial=-np.inf))
    np.exp(powers, out=powers)
    powers /= np.sum(powers, axis=where, keepdims=True)
    return powers


def _log_softmax(self: Array, dim: int, half_to_float: bool = False) -> Array:
    """The logarithm of softmax."""
    _check_soft(self, dim, "log_softmax")
    where = axes(dim, self.ndim)
    shifted = self - np.max(self, axis=where, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=where, keepdims=True))


def _dot(values: Any, dim: int) -> Any:
    return sum_dim(values, (dim,), True)


def _softmax_slope(grad_output: Array, output: Array, dim: int) -> Array:
    """The gradient of softmax from its result."""
    weighted: Array = np.asarray(grad_output * output)
    total = np.sum(weighted, axis=axes(dim, output.ndim), keepdims=True)
    np.subtract(grad_output, total, out=weighted)
    weighted *= output
    return weighted


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
log_softmax_backward: Row = row(
    "aten._log_softmax_backward_data(Tensor grad_output, Tensor output, int dim)",
    lambda grad_output, output, dim: (
        grad_output
        - np.exp(output) * np.sum(grad_output, axis=axes(dim, output.ndim), keepdims=True)
    ),
    linear="grad_output",
    grad_output=lambda grad, output, dim: grad - _dot(grad * exp(output), dim),
    output=lambda grad, grad_output, output, dim: -exp(output) * grad * _dot(grad_output, dim),
    samples=lambda r: [(r(3, 4), r(3, 4), 1), (r(3, 2), r(3, 2), 0)],
    doc="The gradient of log_softmax from its result.",
    pytorch="aten._log_softmax_backward_data(grad_output, output, dim, output.dtype)",
)
log_softmax_row: Row = row(
    "aten._log_softmax",
    _log_softmax,
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

# --- norms


def check_norm_dtype(name: str, dtype: DType | None, kind: DType) -> None:
    """Refuses types to compute a norm in that lose something of the input's."""
    if dtype is None:
        return
    if dtype.category < dtypes.FLOATING:
        raise RuntimeError(
            f"{name}: dtype should be floating point or complex, but got {dtype.scalar_name}"
        )
    if dtype.category != kind.category:
        word = "complex" if kind.category == dtypes.COMPLEX else "real"
        raise RuntimeError(
            f"{name}: dtype should be {word} for {word} inputs, but got {dtype.scalar_name}"
        )
    if dtypes.promote_types(kind, dtype) is not dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({kind.scalar_name}) should be convertible without "
            f"narrowing to the specified dtype ({dtype.scalar_name})"
        )


def _check_norm(self: Array, ord: float, dim: Any, dtype: DType | None) -> None:
    kind = dtypes.of(self)
    name = "linalg.vector_norm"
    if kind.category < dtypes.FLOATING:
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {kind.scalar_name}"
        )
    check_norm_dtype(name, dtype, kind)
    if self.size or not (ord < 0 or ord == math.inf):
        return
    if not dim:
        raise RuntimeError(
            f"{name} cannot compute the {ord:g} norm on an empty tensor because the operation does "
            "not have an identity"
        )
    for where in dim:
        if self.shape[wrap_dim(where, self.ndim)] == 0:
            raise RuntimeError(
                f"{name} cannot compute the {ord:g} norm on the dimension {where}because this "
                "dimension is empty and the operation does not have an identity"
            )


def lengths(self: Array, ord: float, where: tuple[int, ...], keepdim: bool) -> Array:
    """The norms of vectors along axes."""
    size = np.abs(self)
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
    return np.asarray(found, size.dtype)


def _vector_norm(
    self: Array,
    ord: Scalar = 2,
    dim: Single | None = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Array:
    """The norm of vectors along dimensions."""
    where = axes(dim, self.ndim)
    _check_norm(self, ord, dim, dtype)
    return lengths(self if dtype is None else self.astype(dtype.np), ord, where, keepdim)


def norm_backward(
    grad: Any, self: Any, self_shape: Any, result: Any, ord: float, dim: Any, keepdim: bool
) -> Any:
    """The gradient of a p-norm, zero where the norm is zero; none at all for p = 0."""
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
        attained = logical_or(eq(size, norm), isnan(size))
        return sgn(self) * (grad / sum_dim(attained, dim or (), True) * attained)
    if ord < 1:
        powers = sgn(self) * filled(pow_scalar(size, ord - 1), eq(self, 0), 0)
        return powers * grad * pow_scalar(norm, 1 - ord)
    powers = sgn(self) * pow_scalar(size, ord - 1) if ord < 2 else self * pow_scalar(size, ord - 2)
    return powers * filled(grad / pow_scalar(norm, ord - 1), eq(norm, 0), 0)


vector_norm: Row = row(
    "linalg.vector_norm",
    _vector_norm,
    self=norm_backward,
    kink="the norm of zeros has the gradient zero",
    samples=lambda r: [
        *((r(3, 4), p, (1,)) for p in (0, 1, 2, 3, 0.5, 1.5, math.inf, -math.inf, -1)),
        (r(5),),
        (r(2, 3), 3, (0, 1), True),
        (r(3), 2, None, False, {"dtype": dtypes.float64}),
        (r.complex(3, 2), 2, (0,)),
        *((kinked([0.0, 0.0]), p) for p in (1, 2, 1.5, math.inf)),
    ],
)


def _dist(self: Array, other: Array, p: Scalar = 2) -> Array:
    """The norm of the difference."""
    refuse_bool((self, other))
    difference = np.asarray(self - other)
    if difference.dtype.kind not in "fc":
        word = dtypes.of(difference).scalar_name
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {word} instead."
        )
    return _vector_norm(difference, p)


def _dist_vjp(grad: Any, self: Any, other: Any, result: Any, p: float) -> Any:
    difference = self - other
    return norm_backward(grad, difference, shape_of(difference), result, p, None, False)


def _dist_other_vjp(grad: Any, self: Any, other: Any, result: Any, p: float) -> Any:
    found = _dist_vjp(grad, self, other, result, p)
    if found is None:
        # For p = 0 PyTorch negates a gradient that it does not have.
        raise RuntimeError(
            "Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #0 "
            "'self'"
        )
    return -found


dist: Row = row(
    "dist",
    _dist,
    promote=COMMON,
    check=refuse_bool,
    self=_dist_vjp,
    other=_dist_other_vjp,
    kink="at distance zero the gradient is zero",
    samples=lambda r: [
        (r(3, 4), r(4)),
        (r(5), r(5), 3),
        (r(3), r(3), 1),
        (r(2, 2), r(2, 1), math.inf),
        (kinked([1.0, 2.0]), kinked([1.0, 2.0])),
    ],
    inplace=NEITHER,
)


def _renorm(self: Array, p: Scalar, dim: int, maxnorm: Scalar) -> Array:
    """Slices along a dimension, shrunk to a norm of at most maxnorm."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    if self.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {self.ndim} dimensions")
    norms = _vector_norm(self, p, _all_but(dim, self.ndim), True)
    factors = np.where(norms > maxnorm, maxnorm / (norms + norms.dtype.type(1e-7)), 1)
    return self * factors.astype(norms.dtype)


def _all_but(dim: int, ndim: int) -> tuple[int, ...]:
    return tuple(k for k in range(ndim) if k != wrap_dim(dim, ndim))


def _renorm_vjp(grad: Any, self: Any, self_shape: Any, p: float, dim: int, maxnorm: float) -> Any:
    others = _all_but(dim, len(self_shape))
    norm = vector_norm(self, p, others, True)
    along = sum_dim(real_part(conj(self) * grad), others, True)
    slope = norm_backward(along, self, self_shape, norm, p, others, True)
    inverse = reciprocal(add_scalar(norm, 1e-7))
    shrunk = mul_scalar(inverse, maxnorm) * (grad - inverse * slope)
    return where_(gt(norm, maxnorm), shrunk, grad)


renorm: Row = row(
    "renorm",
    _renorm,
    self=_renorm_vjp,
    samples=lambda r: [(r(3, 4), 2, 0, 0.5), (r(3, 4), 1, 1, 3), (r(2, 3, 2), 3, -1, 1.5)],
    inplace=METHOD,
)


@composite(
    "norm",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), 1, 1),
        (r(3, 4), "fro", (0, 1), True),
        (r(3, 4), "nuc", (0, 1)),
        (r(2, 3), 2, None, True),
        (r(3), 3, 0, {"dtype": dtypes.float64}),
    ],
)
def norm(
    self: Value, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: DType | None = None
) -> Any:
    """The norm of all elements or along dimensions."""
    if isinstance(p, str):
        if p != "fro" or (isinstance(dim, (tuple, list)) and len(dim) > 2):
            dims = (dim,) if isinstance(dim, int) else dim
            dims = tuple(range(self.ndim)) if dim is None else dims
            matrix_norm: Any = lookup("linalg.matrix_norm")
            return matrix_norm(self, p, dims, keepdim, dtype=dtype)
        p = 2
    public: Any = lookup("linalg.vector_norm")
    return public(self, 2.0 if p is None else p, dim, keepdim, dtype=dtype)

"""`torch.masked`: reductions and normalizations that leave masked-out elements aside.

Each fills the masked-out elements with the operation's identity and calls the ordinary operation,
as PyTorch does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import where_
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.sums import sum_type
from gradcli.table.declare import composite
from gradcli.table.registry import lookup
from gradcli.table.samples import Sampler, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.shapes import wrap_dim
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Real, Scalar, Value


def _mask() -> Array:
    """Keeps some elements of every row and column of three rows and four columns."""
    return np.array([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]], bool)


def _reductions(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (r(3, 4), 1, {"mask": _mask()}),
        (r(3, 4), (0, -1), {"keepdim": True, "mask": _mask()}),
        (r(3, 4), None, {"dtype": dtypes.float64, "mask": _mask()[0]}),
        (r(3, 4),),
    ]


def _alongs(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (kinked(r(3, 4)), 1, {"mask": _mask()}),
        (kinked(r(3, 4)), 0, {"dtype": dtypes.float64, "mask": _mask()[:, :1]}),
        (r(3, 4), -1),
    ]


def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """Sorted dimensions; None means all of them."""
    if dim is None:
        return tuple(range(ndim))
    listed = dim if isinstance(dim, (tuple, list)) else (dim,)
    wrapped = [wrap_dim(d, ndim) for d in listed]
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError("dim appears multiple times in the list of dims")
    return tuple(sorted(wrapped))


def _spread(mask: Tensor, like: Tensor) -> Tensor:
    """A mask in the shape of what it masks."""
    if mask.ndim > like.ndim:
        raise IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the "
            "input)"
        )
    if mask.shape != like.shape:
        mask = mask.expand(like.shape)
    return mask if mask.dtype is dtypes.bool_ else mask.to(dtypes.bool_)


def _limit(dtype: DType, name: str, sign: int) -> float:
    """The largest number of a type times a sign, which an operator is not changed by."""
    if dtype.category == dtypes.FLOATING or (dtype.is_complex and name == "logsumexp"):
        return sign * math.inf
    if dtype is dtypes.bool_:
        raise NotImplementedError(f"identity of {name} on {dtype} input")
    if dtype.is_complex:
        raise TypeError(
            "torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'"
        )
    limits = np.iinfo(dtype.np)
    return int(limits.max if sign > 0 else limits.min)


def _bounded(input: Tensor, mask: Tensor | None, name: str, sign: int) -> Tensor:
    """The input with its masked-out elements replaced by a limit of its type."""
    return input if mask is None else _filled(input, mask, _limit(input.dtype, name, sign))


def _filled(input: Tensor, mask: Tensor | None, identity: complex) -> Tensor:
    """The input with its masked-out elements replaced."""
    if mask is None:
        return input
    fill = wrap(np.asarray(identity, input._array.dtype))
    filled: Tensor = where_(_spread(mask, input), input, fill)
    return filled


def _sum(input: Any, dim: Any, keepdim: Any, dtype: DType | None, mask: Tensor | None) -> Any:
    filled = _filled(input, mask, 0)
    return filled.sum(
        _dims(dim, input.ndim),
        bool(keepdim),
        dtype=dtypes.from_numpy(sum_type(input._array, dtype)),
    )


@composite(
    "masked.sum", samples=lambda r: [*_reductions(r), (r.ints(3, 4, high=9), 0, {"mask": _mask()})]
)
def masked_sum(
    input: Value,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The sum of the elements that the mask keeps."""
    return _sum(input, dim, keepdim, dtype, mask)


@composite(
    "masked.prod", samples=lambda r: [*_reductions(r), (r.ints(3, 4, high=9), 0, {"mask": _mask()})]
)
def masked_prod(
    input: Value,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The product of the elements that the mask keeps."""
    result: Any = to_dtype(
        _filled(input, mask, 1), dtypes.from_numpy(sum_type(input._array, dtype))
    )
    for where in reversed(_dims(dim, input.ndim)):
        result = result.prod(where, bool(keepdim))
    return result


def _extreme(name: str, sign: int, doc: str) -> None:
    def body(
        input: Value,
        dim: Any = None,
        *,
        keepdim: bool | None = False,
        dtype: DType | None = None,
        mask: Value | None = None,
    ) -> Any:
        filled = _bounded(input, mask, name, sign)
        found = getattr(filled, name)(_dims(dim, input.ndim), bool(keepdim))
        return to_dtype(found, dtype or input.dtype)

    composite(
        f"masked.{name}",
        samples=lambda r: [*_reductions(r), (r.ints(3, 4, high=9), 0, {"mask": _mask()})],
        doc=doc,
    )(body)


_extreme("amax", -1, "The largest of the elements that the mask keeps.")
_extreme("amin", 1, "The smallest of the elements that the mask keeps.")


def _position(name: str, sign: int, doc: str) -> None:
    def body(
        input: Value,
        dim: int | None = None,
        *,
        keepdim: bool | None = False,
        dtype: DType | None = None,
        mask: Value | None = None,
    ) -> Any:
        filled = _bounded(input, mask, name, sign)
        return to_dtype(getattr(filled, name)(dim, bool(keepdim)), dtype or input.dtype)

    composite(
        f"masked.{name}",
        samples=lambda r: [
            (r(3, 4), 1, {"mask": _mask()}),
            (r.ints(3, 4, high=9), 0, {"keepdim": True, "mask": _mask()}),
            (r(3, 4), {"mask": _mask()}),
        ],
        doc=doc,
    )(body)


_position("argmax", -1, "Where the largest of the kept elements stands.")
_position("argmin", 1, "Where the smallest of the kept elements stands.")


def _scan(name: str, identity: int, doc: str) -> None:
    def body(
        input: Value, dim: int, *, dtype: DType | None = None, mask: Value | None = None
    ) -> Any:
        filled: Any = _filled(input, mask, identity)
        (where,) = _dims(dim, input.ndim)
        return getattr(filled, name)(where, dtype=dtype or input.dtype)

    composite(
        f"masked.{name}",
        samples=lambda r: [*_alongs(r), (r.ints(3, 4, high=9), 0, {"mask": _mask()})],
        doc=doc,
    )(body)


_scan("cumsum", 0, "The cumulative sum of the elements that the mask keeps.")
_scan("cumprod", 1, "The cumulative product of the elements that the mask keeps.")


def _count(input: Any, dim: Any, keepdim: Any, mask: Tensor | None) -> Any:
    kept = mask
    if kept is None:
        kept = wrap(np.ones(input._array.shape, np.int64))
    return kept.sum(_dims(dim, input.ndim), bool(keepdim))


@composite(
    "masked.mean",
    samples=lambda r: [
        *_reductions(r),
        (r.ints(3, 4, high=9), 0, {"dtype": dtypes.float32, "mask": _mask()}),
    ],
)
def masked_mean(
    input: Value,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The mean of the elements that the mask keeps."""
    kind = dtype or input.dtype
    if kind.category < dtypes.FLOATING:
        source = "Optional" if dtype else "Input"
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point "
            f"or complex dtype. Got: {kind}"
        )
    kept = None if mask is None else _spread(mask, input)
    return _sum(input, dim, keepdim, kind, kept) / _count(input, dim, keepdim, kept)


@composite(
    "masked.median",
    samples=lambda r: [
        (r(3, 4), {"mask": _mask()}),
        (r(3, 4), 0, {"keepdim": True}),
        (r.ints(3, 4, high=9), 1, {"mask": _mask()}),
    ],
)
def masked_median(
    input: Value,
    dim: int = -1,
    *,
    keepdim: bool = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The lower median of the elements that the mask keeps."""
    floating = input.dtype.category == dtypes.FLOATING
    values: Any = input if floating else to_dtype(input, dtypes.float32)
    (where,) = _dims(dim, input.ndim)
    found = _filled(values, mask, math.nan).nanmedian(where, keepdim).values
    if floating:
        return found
    if np.isnan(looked_at(found)).any():
        raise ValueError(
            "masked median expects no fully masked out rows if dtype is not floating point"
        )
    return to_dtype(found, dtype or input.dtype)


@composite("masked.logsumexp", samples=_reductions)
def masked_logsumexp(
    input: Value,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """logsumexp of the elements that the mask keeps."""
    filled: Any = _bounded(input, mask, "logsumexp", -1)
    found = filled.logsumexp(_dims(dim, input.ndim), bool(keepdim))
    return to_dtype(found, dtype or input.dtype)


@composite(
    "masked.logaddexp",
    samples=lambda r: [
        (kinked(r(3, 4)), r(3, 4), {"input_mask": _mask(), "other_mask": ~_mask()}),
        (kinked(r(3, 4)), r(4), {"dtype": dtypes.float64, "input_mask": _mask()}),
        (r(3, 1), r(3, 4)),
    ],
)
def masked_logaddexp(
    input: Value,
    other: Value,
    *,
    dtype: DType | None = None,
    input_mask: Value | None = None,
    other_mask: Value | None = None,
) -> Any:
    """logaddexp, masked-out operands counting as minus infinity."""
    left: Any = _bounded(input, input_mask, "logaddexp", -1)
    found = left.logaddexp(_bounded(other, other_mask, "logaddexp", -1))
    return to_dtype(found, dtype or input.dtype)


def _norm(
    input: Any, ord: Any, dim: Any, keepdim: Any, dtype: DType | None, mask: Tensor | None
) -> Any:
    identity = math.inf if ord == -math.inf else 0
    vector_norm: Any = lookup("linalg.vector_norm")
    return vector_norm(
        _filled(input, mask, identity),
        ord,
        _dims(dim, input.ndim),
        bool(keepdim),
        dtype=dtype or input.dtype,
    )


@composite(
    "masked.norm",
    samples=lambda r: [
        (r(3, 4), 2.0, 1, {"mask": _mask()}),
        (r(3, 4), 1, None, {"keepdim": True, "mask": _mask()}),
        (r(3, 4), -math.inf, (0,), {"dtype": dtypes.float64, "mask": _mask()}),
        (r(3, 4), 3),
    ],
)
def masked_norm(
    input: Value,
    ord: Scalar | None = 2.0,
    dim: Any = None,
    *,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The vector norm of the elements that the mask keeps."""
    return _norm(input, ord, dim, keepdim, dtype, mask)


def _variance(
    input: Any,
    dim: Any,
    unbiased: bool | None,
    correction: float | None,
    keepdim: Any,
    dtype: DType | None,
    mask: Tensor | None,
) -> Any:
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    if correction is None:
        correction = 0.0 if unbiased is False else 1.0
    kind = dtype or (input.dtype if input.dtype.category >= dtypes.FLOATING else dtypes.float32)
    kept = None if mask is None else _spread(mask, input)
    count = _count(input, dim, True, kept)
    deviation = input - _sum(input, dim, True, kind, kept) / count
    total = _sum(deviation * deviation.conj(), dim, keepdim, kind, kept)
    if not keepdim:
        count = count.reshape(total.shape)
    if correction != 0:
        count = to_dtype(count, kind.to_real()) - float(correction)
        count = count.maximum(wrap(np.zeros((), count._array.dtype)))
    return to_dtype(total / count, kind)


def _spreads(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (r(3, 4), 1, {"mask": _mask()}),
        (r(3, 4), (0, 1), False, {"keepdim": True, "mask": _mask()}),
        (r(3, 4), 0, {"correction": 0.5, "dtype": dtypes.float64, "mask": _mask()[:, :1]}),
        (r(3, 4), None, True),
        (r.ints(3, 4, high=9), 1, {"mask": _mask()}),
    ]


@composite("masked.var", samples=_spreads)
def masked_var(
    input: Value,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: Real | None = None,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The variance of the elements that the mask keeps."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask)


@composite("masked.std", samples=_spreads)
def masked_std(
    input: Value,
    dim: Any = None,
    unbiased: bool | None = None,
    *,
    correction: Real | None = None,
    keepdim: bool | None = False,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The standard deviation of the kept elements."""
    return _variance(input, dim, unbiased, correction, keepdim, dtype, mask).sqrt()


def _softmax(name: str, method: str, limit: str, sign: int) -> None:
    def body(
        input: Value, dim: int, *, dtype: DType | None = None, mask: Value | None = None
    ) -> Any:
        filled: Any = _bounded(input, mask, limit, -sign)
        (where,) = _dims(dim, input.ndim)
        return getattr(filled if sign > 0 else -filled, method)(where, dtype=dtype or input.dtype)

    composite(
        f"masked.{name}", samples=_alongs, doc=f"{name} over the elements that the mask keeps."
    )(body)


_softmax("softmax", "softmax", "amax", 1)
_softmax("log_softmax", "log_softmax", "amax", 1)
_softmax("softmin", "softmax", "amin", -1)


@composite(
    "masked.normalize",
    samples=lambda r: [
        (r(3, 4), 2.0, 1, {"mask": _mask()}),
        (r(3, 4), 1, 0, {"dtype": dtypes.float64, "eps": 5.0, "mask": _mask()}),
        (r(3, 4), 3, -1),
    ],
)
def masked_normalize(
    input: Value,
    ord: Scalar,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: DType | None = None,
    mask: Value | None = None,
) -> Any:
    """The elements that the mask keeps, divided by their norm."""
    norm = _norm(input, ord, dim, True, dtype, mask)
    floor = norm.maximum(wrap(np.asarray(eps, norm._array.dtype)))
    return _filled(input, mask, 0) / floor

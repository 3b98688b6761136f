"""Linear and bilinear layers, and attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.products import addmm
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.ops.algebra.views import reshape, t, transpose, view
from gradcli.ops.layers.dropout import torch_dropout
from gradcli.ops.measuring.softmax import softmax_backward, softmax_row
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, fixed, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import common_shape, length_along, wrap_dim
from gradcli.tensor.tensor import wrap
from gradcli.typing import Array, Value


@composite(
    "nn.functional.linear",
    samples=lambda r: [(r(2, 3), r(4, 3), r(4)), (r(2, 2, 3), r(4, 3)), (r(3), r(4, 3), r(4))],
)
def linear(input: Value, weight: Value, bias: Value | None = None) -> Any:
    """input @ weight.T + bias, along the last dimension."""
    if input.ndim == 0 or weight.ndim == 0:
        raise RuntimeError(
            "both arguments to linear need to be at least 1D, but they are "
            f"{input.ndim}D and {weight.ndim}D"
        )
    if bias is None:
        return matmul(input, t(weight))
    if input.ndim == 2:
        return addmm(bias, input, t(weight))
    if input.is_contiguous():
        flat = view(input, (math.prod(input.shape[:-1]), input.shape[-1]))
        product = addmm(bias, flat, t(weight))
        return view(product, (*input.shape[:-1], product.shape[1]))
    return matmul(input, t(weight)) + bias


def _trilinear(
    i1: Array,
    i2: Array,
    i3: Array,
    expand1: Sequence[int],
    expand2: Sequence[int],
    expand3: Sequence[int],
    sumdim: Sequence[int],
) -> Array:
    """The product of three tensors with dimensions of length one put in, summed along some."""
    require_kinds(i1.dtype, "iufc", "bmm")
    ndim = i1.ndim + len(expand1)
    axes = [[k for k in range(ndim) if k not in gone] for gone in (expand1, expand2, expand3)]
    kept = [k for k in range(ndim) if k not in sumdim]
    return np.einsum(i1, axes[0], i2, axes[1], i3, axes[2], kept, optimize=True)


def _trilinear_vjp(
    grad: Any,
    i1: Any,
    i2: Any,
    i3: Any,
    expand1: Sequence[int],
    expand2: Sequence[int],
    expand3: Sequence[int],
    sumdim: Sequence[int],
    needs: Sequence[bool],
) -> tuple[Any, ...]:
    return (
        trilinear(grad, i2, i3, sumdim, expand2, expand3, expand1) if needs[0] else None,
        trilinear(i1, grad, i3, expand1, sumdim, expand3, expand2) if needs[1] else None,
        trilinear(i1, i2, grad, expand1, expand2, sumdim, expand3) if needs[2] else None,
    )


trilinear: Row = row(
    "aten._trilinear",
    _trilinear,
    linear="i1, i2, i3",
    joint=("i1 i2 i3", _trilinear_vjp),
    complex_gradient=False,
    samples=lambda r: [(r(2, 3), r(2, 3, 4), r(2, 4), (1, 3), (0,), (1, 2), (2, 3))],
)


@composite(
    "bilinear|nn.functional.bilinear",
    samples=lambda r: [(r(2, 3), r(2, 4), r(2, 3, 4), r(2)), (r(3), r(2), r(4, 3, 2))],
)
def bilinear(input1: Value, input2: Value, weight: Value, bias: Value | None = None) -> Any:
    """input1 @ weight[k] @ input2 + bias[k] for each k."""
    operands = {"input1": input1, "input2": input2, "weight": weight, "bias": bias}
    kinds = {name: x.dtype for name, x in operands.items() if x is not None}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name}: {kind.c_name}" for name, kind in kinds.items())
        raise RuntimeError(f"All tensors must have the same dtype, got {told}")
    if input1.ndim != input2.ndim:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}"
        )
    for dim, (a, b) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if a != b:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {dim}: got {a} and {b}"
            )
    for name, given, wanted in (
        ("input1", length_along(input1.shape, -1), length_along(weight.shape, 1)),
        ("input2", length_along(input2.shape, -1), length_along(weight.shape, 2)),
        ("bias", weight.shape[0] if bias is None else length_along(bias.shape, 0), weight.shape[0]),
    ):
        if given != wanted:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {given} but expected "
                f"{wanted}"
            )
    if weight.ndim != 3:
        raise RuntimeError("number of dimensions must match")
    rows = [reshape(x, (-1, x.shape[-1])) for x in (input1, input2)]
    product = trilinear(rows[0], weight, rows[1], (1, 3), (0,), (1, 2), (2, 3))
    out = reshape(product, (*input1.shape[:-1], weight.shape[0]))
    return out if bias is None else out + bias


def _safe_softmax(self: Array, dim: int) -> Array:
    """softmax, and zeros where all elements are minus infinity."""
    # Where everything is masked, the weights are zero and not nan.
    empty = np.all(self == -np.inf, axis=dim, keepdims=True)
    return np.where(empty, self.dtype.type(0), softmax_row.forward(self, dim))


safe_softmax: Row = row(
    "aten._safe_softmax",
    _safe_softmax,
    self=lambda grad, result, dim: softmax_backward(grad, result, dim),
    samples=lambda r: [(r(3, 4), 1), (kinked([[-math.inf, -math.inf], [1.0, 2.0]]), -1)],
)


def _causal(rows: int, columns: int, dtype: Any) -> Array:
    """What is added to scores so that nothing attends to what comes later."""
    return np.where(np.tri(rows, columns, dtype=bool), 0, -np.inf).astype(dtype)


def _grouped(value: Array, heads: int) -> Array:
    """Heads of keys and values, repeated for the groups of query heads that share them."""
    return value if value.shape[1] == heads else np.repeat(value, heads // value.shape[1], 1)


def _weights(
    query: Array, key: Array, attn_mask: Array | None, is_causal: bool, scale: float
) -> Array:
    scores = np.matmul(query, _grouped(key, query.shape[1]).swapaxes(-1, -2)) * scale
    if attn_mask is not None:
        scores = scores + attn_mask
    if is_causal:
        scores = scores + _causal(scores.shape[-2], scores.shape[-1], scores.dtype)
    return _safe_softmax(scores.astype(query.dtype), -1)


def _flash(
    query: Array, key: Array, value: Array, attn_mask: Array | None, is_causal: bool, scale: float
) -> Array:
    """Attention of several heads in one kernel."""
    weights = _weights(query, key, attn_mask, is_causal, scale)
    return np.matmul(weights, _grouped(value, query.shape[1]))


def _flash_backward(
    grad_out: Array,
    query: Array,
    key: Array,
    value: Array,
    out: Array,
    attn_mask: Array | None,
    is_causal: bool,
    scale: float,
) -> tuple[Array, Array, Array]:
    """The gradients of attention; PyTorch cannot differentiate them again."""
    heads = query.shape[1]
    weights = _weights(query, key, attn_mask, is_causal, scale)
    by_weights = np.matmul(grad_out, _grouped(value, heads).swapaxes(-1, -2))
    by_scores = weights * (by_weights - (grad_out * out).sum(-1, keepdims=True)) * scale
    by_key = np.matmul(by_scores.swapaxes(-1, -2), query)
    by_value = np.matmul(weights.swapaxes(-1, -2), grad_out)
    return (
        np.matmul(by_scores, _grouped(key, heads)).astype(query.dtype),
        _ungrouped(by_key, key.shape).astype(query.dtype),
        _ungrouped(by_value, value.shape).astype(query.dtype),
    )


def _ungrouped(gradient: Array, shape: Sequence[int]) -> Array:
    batch, heads, *rest = shape
    shares = gradient.shape[1] // max(heads, 1)
    return gradient.reshape(batch, heads, shares, *rest).sum(2)


_underived = no_derivative("_scaled_dot_product_flash_attention_for_cpu_backward", every=True)
flash_backward: Row = row(
    "aten._scaled_dot_product_flash_attention_for_cpu_backward",
    _flash_backward,
    node=NOT_IMPLEMENTED,
    linear="grad_out",
    query=_underived,
    key=_underived,
    value=_underived,
    out=_underived,
    samples=lambda r: [
        (r(1, 2, 3, 4), *_heads(r)[0], r(1, 2, 3, 4), None, True, 0.5),
        (r(1, 2, 3, 4), *_heads(r)[0], r(1, 2, 3, 4), fixed(r(3, 2)), False, 0.3),
    ],
    pytorch=(
        "aten._scaled_dot_product_flash_attention_for_cpu_backward(grad_out, query, key, value, "
        "out, aten._scaled_dot_product_flash_attention_for_cpu(query.detach(), key.detach(), "
        "value.detach(), 0.0, is_causal, attn_mask=attn_mask, scale=scale)[1], 0.0, is_causal, "
        "attn_mask=attn_mask, scale=scale)"
    ),
)


def _flash_vjp(
    grad: Any,
    query: Any,
    key: Any,
    value: Any,
    result: Any,
    attn_mask: Any,
    is_causal: bool,
    scale: float,
) -> Any:
    return flash_backward(grad, query, key, value, result, attn_mask, is_causal, scale)


def _heads(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(1, 2, 3, 4), r(1, 2, 2, 4), r(1, 2, 2, 4))]


flash: Row = row(
    "aten._scaled_dot_product_flash_attention_for_cpu",
    _flash,
    linear="value",
    joint=("query key value", _flash_vjp),
    samples=lambda r: [
        (*_heads(r)[0], None, True, 0.5),
        (*_heads(r)[0], fixed(r(3, 2)), False, 0.3),
    ],
    pytorch=(
        "aten._scaled_dot_product_flash_attention_for_cpu(query, key, value, 0.0, is_causal, "
        "attn_mask=attn_mask, scale=scale)[0]"
    ),
)


def _additive(mask: Any, dtype: Any) -> Any:
    """A mask as what is added to scores: booleans say where to attend."""
    if mask is None or mask.dtype is not dtypes.bool_:
        return mask
    return wrap(np.where(mask._array, 0, -np.inf).astype(dtype))


def _flat_enough(query: Any, key: Any, value: Any, mask: Any, dropout_p: float, gqa: bool) -> bool:
    """Whether PyTorch runs its one kernel for this."""
    if dropout_p or not query.ndim == key.ndim == value.ndim == 4:
        return False
    if mask is not None and (mask.requires_grad or mask.ndim not in (2, 4)):
        return False
    if not query.shape[-1] == key.shape[-1] == value.shape[-1]:
        return False
    if not (query.shape[-2] and key.shape[-2]):
        return False
    same_heads = gqa or query.shape[1] == key.shape[1] == value.shape[1]
    return bool(same_heads and query.shape[0] == key.shape[0] == value.shape[0])


def _shares(query: Any, other: Any) -> bool:
    """Whether the heads of a key or value serve the same number of heads of the query each."""
    heads, served = (length_along(x.shape, -3) for x in (other, query))
    return heads == served or (heads > 0 and served % heads == 0)


def _check_attention(query: Any, key: Any, value: Any, mask: Any) -> None:
    inputs = (query, key, value)
    if not query.dtype is key.dtype is value.dtype:
        kinds = [x.dtype.c_name for x in inputs]
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{kinds[0]} key.dtype: {kinds[1]} and value.dtype: {kinds[2]} instead."
        )
    if min(x.ndim for x in inputs) < 2:
        dims = [x.ndim for x in inputs]
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{dims[0]} key.dim: {dims[1]} and value.dim: {dims[2]} instead."
        )
    if mask is not None:
        wrap_dim(-2, mask.ndim)
    if mask is not None and mask.dtype not in (dtypes.bool_, dtypes.float32, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {mask.dtype.c_name} and  query.dtype: {query.dtype.c_name} instead."
        )


@composite(
    "nn.functional.scaled_dot_product_attention",
    samples=lambda r: [
        (r(2, 3, 4), r(2, 5, 4), r(2, 5, 4)),
        *_heads(r),
        (*_heads(r)[0], r(3, 2), {"scale": 0.3}),
        (*_heads(r)[0], np.array([[True, False], [True, True], [False, True]])),
        (r(3, 4), r(3, 4), r(3, 2), None, 0.0, True),
        (r(2, 3, 4), r(2, 5, 4), r(2, 5, 4), None, 0.4),
        (r(1, 4, 3, 2), r(1, 2, 3, 2), r(1, 2, 3, 2), {"enable_gqa": True}),
    ],
)
def scaled_dot_product_attention(
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """softmax(query @ key.T * scale + mask) @ value; the scale is 1 / sqrt(length of a query)."""
    _check_attention(query, key, value, attn_mask)
    factor = scale
    if factor is None:
        factor = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else math.inf
    mask = _additive(attn_mask, query._array.dtype)
    if enable_gqa and not all(_shares(query, x) for x in (key, value)):
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    if _flat_enough(query, key, value, attn_mask, dropout_p, enable_gqa):
        if mask is not None:
            common_shape([(*query.shape[:-1], key.shape[-2]), mask.shape])
        return flash(query, key, value, mask, is_causal, factor)
    kind = query.dtype
    if kind.is_half:
        query, key, value = (to_dtype(x, dtypes.float32) for x in (query, key, value))
    # Both operands are scaled by the root, which keeps the product in range.
    root = math.sqrt(abs(factor))
    if is_causal:
        if attn_mask is not None:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when "
                "is_causal=True"
            )
        mask = wrap(_causal(query.shape[-2], key.shape[-2], query._array.dtype))
    if enable_gqa:
        key, value = (
            x.repeat_interleave(query.shape[-3] // max(x.shape[-3], 1), -3) for x in (key, value)
        )
    query = mul_scalar(query, -root if factor < 0 else root)
    scores = matmul(query, mul_scalar(transpose(key, -2, -1), root))
    weights = safe_softmax(scores if mask is None else scores + mask, -1)
    if dropout_p:
        weights = torch_dropout(weights, dropout_p, True)
    return to_dtype(matmul(weights, value), kind)

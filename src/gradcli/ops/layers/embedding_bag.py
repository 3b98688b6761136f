"""Rows of a table, reduced bag by bag."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.kernels.places import add_slices
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.ops.layers.embedding import MAX, MEAN, SUM, _check_indices, _check_type, _renormalize
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative, underived
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import constant, raw, wrap
from gradcli.typing import Array, Value


def _bags(indices: Array, offsets: Array, include_last_offset: bool) -> tuple[Array, int]:
    """The bag of every index, and how many bags there are."""
    if include_last_offset and not offsets.size:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if offsets.size and offsets[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {offsets[0]}"
        )
    if offsets.size and offsets[-1] > indices.size:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {indices.size} but got "
            f"offsets[-1] of {offsets[-1]}"
        )
    # The last bag runs to the end, wherever the last offset is.
    starts = offsets[:-1] if include_last_offset else offsets
    bags = np.searchsorted(starts, np.arange(indices.size), side="right") - 1
    return bags, len(starts)


def _kept(indices: Array, bags: Array, padding_idx: int) -> Array:
    return (bags >= 0) & (indices != padding_idx)


def _check_range(weight: Array, indices: Array, mode: int) -> None:
    """Refuses indices that are none of a row, in the words of the kernel that would run."""
    outside = np.flatnonzero((indices < 0) | (indices >= len(weight)))
    if outside.size:
        place = int(outside[0])
        if weight.dtype != np.float32 or mode == MAX:
            raise RuntimeError(
                "embedding_bag: Expected idx >= 0 && idx < num_embeddings but found idx to be "
                f"{int(indices[place])}"
            )
        raise RuntimeError(
            f"Index {place} of input takes value {int(indices[place])} which is not in the valid "
            f"range [0, {len(weight)})"
        )


def _check_ranks(
    weight: Array, indices: Array, offsets: Array, per_sample_weights: Array | None
) -> None:
    for word, array, ranks in (
        ("input", indices, "1D or 2D"),
        ("offsets", offsets, "1D"),
        ("weight", weight, "2D"),
    ):
        if f"{array.ndim}D" not in ranks.split(" or "):
            raise RuntimeError(
                f"{word} has to be a {ranks} Tensor, but got Tensor of dimension {array.ndim}"
            )
    if per_sample_weights is None:
        return
    for fits, fact in (
        (per_sample_weights.ndim == 1, "dim() == 1"),
        (per_sample_weights.size == indices.size, "numel() == indices.numel()"),
    ):
        if not fits:
            raise RuntimeError(
                f"Expected per_sample_weights.value().{fact} to be true, but got false.  (Could "
                "this error message be improved?  If so, please report an enhancement request to "
                "PyTorch.)"
            )


def _embedding_bag(
    weight: Array,
    indices: Array,
    offsets: Array,
    scale_grad_by_freq: bool = False,
    mode: int = SUM,
    sparse: bool = False,
    per_sample_weights: Array | None = None,
    include_last_offset: bool = False,
    padding_idx: int = -1,
) -> tuple[Array, Array, Array, Array]:
    """The sum, mean or maximum of the rows in each bag of indices; the bag of every index, the
    sizes of bags and, of maxima, the indices.
    """
    _check_ranks(weight, indices, offsets, per_sample_weights)
    indices = indices.reshape(-1)
    _check_indices(indices, "embedding_bag")
    _check_indices(offsets, "embedding_bag")
    _check_type(weight, "weight", ("Half", "BFloat16", "Float", "Double"), "embedding_bag")
    _check_range(weight, indices, mode)
    if per_sample_weights is not None and per_sample_weights.dtype != weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument "
            f"#1 'per_sample_weights'; but type torch.{dtypes.of(weight).tensor_name} does not "
            f"equal torch.{dtypes.of(per_sample_weights).tensor_name} (while checking arguments "
            "for embedding_bag)"
        )
    if mode not in (SUM, MEAN, MAX):
        raise RuntimeError("`mode` must be sum, mean, or max.")
    if per_sample_weights is not None and mode != SUM:
        raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
    bags, count = _bags(indices, offsets, include_last_offset)
    kept = _kept(indices, bags, padding_idx)
    rows, owners = weight[indices[kept]], bags[kept]
    sizes = np.bincount(owners, minlength=count)
    if mode == MAX:
        winners = np.full((count, weight.shape[1]), -1, np.int64)
        best = np.full((count, weight.shape[1]), -np.inf)
        for place, owner in zip(np.flatnonzero(kept).tolist(), owners.tolist(), strict=True):
            row_values = weight[indices[place]]
            better = (row_values > best[owner]) | (winners[owner] < 0)
            winners[owner][better] = indices[place]
            best[owner][better] = row_values[better]
        out = np.where(winners < 0, 0, best).astype(weight.dtype)
        return out, bags, sizes, winners
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[kept][:, None]
    out = np.zeros((count, weight.shape[1]), weight.dtype)
    add_slices(out, owners, rows)
    if mode == MEAN:
        out = out / np.maximum(sizes, 1)[:, None].astype(weight.dtype)
        return out, bags, sizes, sizes
    if weight.dtype != np.float64 and weight.strides[1] == weight.itemsize and padding_idx < 0:
        # PyTorch's kernel that adds up rows as they lie in memory does not look for the bags.
        bags = bags[:0]
    sizes = np.zeros_like(sizes)
    return out, bags, sizes, sizes


def _embedding_bag_backward(
    grad: Array,
    indices: Array,
    offset2bag: Array,
    bag_size: Array,
    maximum_indices: Array,
    num_weights: int,
    scale_grad_by_freq: bool,
    mode: int,
    per_sample_weights: Array | None,
    padding_idx: int,
) -> Array:
    """The gradient of the table; PyTorch cannot differentiate it again."""
    indices = indices.reshape(-1)
    full = np.zeros((num_weights, grad.shape[1]), grad.dtype)
    if mode == MAX:
        bag, feature = np.nonzero(maximum_indices >= 0)
        np.add.at(full, (maximum_indices[bag, feature], feature), grad[bag, feature])
        return full
    kept = _kept(indices, offset2bag, padding_idx)
    owners, index = offset2bag[kept], indices[kept]
    rows = grad[owners]
    if per_sample_weights is not None:
        rows = rows * per_sample_weights[kept][:, None]
    if mode == MEAN:
        rows = rows / bag_size[owners][:, None].astype(rows.dtype)
    if scale_grad_by_freq:
        rows = rows / _frequencies(indices, index)[:, None].astype(rows.dtype)
    add_slices(full, index, rows)
    return full


def _frequencies(indices: Array, index: Array) -> Array:
    """What PyTorch divides by: for the k-th distinct index, the count of the k-th in order."""
    distinct = np.unique(indices)
    ordered = np.sort(indices)
    counts = np.bincount(indices)[ordered[: len(distinct)]]
    return counts[np.searchsorted(distinct, index)]


def _weights_backward(
    grad: Array, weight: Array, indices: Array, offset2bag: Array, padding_idx: int
) -> Array:
    """The gradient of the weights of indices; PyTorch cannot differentiate it again."""
    indices = indices.reshape(-1)
    kept = _kept(indices, offset2bag, padding_idx)
    dots = (grad[np.where(kept, offset2bag, 0)] * weight[indices]).sum(1)
    return np.where(kept, dots, 0).astype(weight.dtype)


embedding_bag_backward: Row = row(
    "aten._embedding_bag_backward",
    _embedding_bag_backward,
    linear="grad",
    grad=underived("_embedding_bag_backward"),
    per_sample_weights=underived("_embedding_bag_backward"),
    samples=lambda r: (
        [
            (
                r(2, 3),
                np.array([1, 3, 1]),
                np.array([0, 0, 1]),
                np.array([2, 1]),
                np.array([2, 1]),
                4,
                False,
                mode,
                None,
                -1,
            )
            for mode in (SUM, MEAN)
        ]
        + [
            (
                r(2, 2),
                np.array([1, 3, 1]),
                np.array([0, 0, 1]),
                np.array([2, 1]),
                np.array([[1, 3], [1, 1]]),
                4,
                False,
                MAX,
                None,
                -1,
            ),
            (
                r(2, 3),
                np.array([1, 3, 1]),
                np.array([0, 0, 1]),
                np.array([2, 1]),
                np.array([2, 1]),
                4,
                True,
                SUM,
                r(3),
                3,
            ),
        ]
    ),
    pytorch=(
        "aten._embedding_bag_backward(grad, indices, indices[:0], offset2bag, bag_size, "
        "maximum_indices, num_weights, scale_grad_by_freq, mode, False, per_sample_weights, "
        "padding_idx)"
    ),
)
embedding_bag_weights_backward: Row = row(
    "aten._embedding_bag_per_sample_weights_backward",
    _weights_backward,
    node=NOT_IMPLEMENTED,
    linear="grad, weight",
    weight=no_derivative("_embedding_bag_per_sample_weights_backward"),
    samples=lambda r: [
        (r(2, 3), r(4, 3), np.array([1, 3, 1]), np.array([0, 0, 1]), -1),
        (r(2, 3), r(4, 3), np.array([1, 3, 1]), np.array([0, 0, 1]), 3),
    ],
    pytorch=(
        "aten._embedding_bag_per_sample_weights_backward(grad, weight, indices, indices[:0], "
        "offset2bag, 0, padding_idx)"
    ),
)


def _bags_again(offset2bag: Any, indices: Any, offsets: Any, count: int) -> Any:
    """The bag of every index, which a forward pass may have left out."""
    if len(raw(offset2bag)) == len(raw(indices)):
        return offset2bag
    bags, _ = _bags(raw(indices), raw(offsets)[:count], False)
    return constant(bags, offset2bag)


def _bag_table(
    grad: Any,
    indices: Any,
    offsets: Any,
    result1: Any,
    result2: Any,
    result3: Any,
    weight_shape: Any,
    scale_grad_by_freq: bool,
    mode: int,
    per_sample_weights: Any,
    padding_idx: int,
) -> Any:
    return embedding_bag_backward(
        grad,
        indices,
        _bags_again(result1, indices, offsets, shape_of(grad)[0]),
        result2,
        result3,
        weight_shape[0],
        scale_grad_by_freq,
        mode,
        per_sample_weights,
        padding_idx,
    )


embedding_bag_row: Row = row(
    "aten._embedding_bag",
    _embedding_bag,
    weight=_bag_table,
    per_sample_weights=lambda grad, weight, indices, offsets, result1, padding_idx: (
        embedding_bag_weights_backward(
            grad,
            weight,
            indices,
            _bags_again(result1, indices, offsets, shape_of(grad)[0]),
            padding_idx,
        )
    ),
    samples=lambda r: [
        *(
            (r(4, 3), np.array([1, 3, 1]), np.array([0, 2]), False, mode)
            for mode in (SUM, MEAN, MAX)
        ),
        (r(4, 3), np.array([1, 3, 1, 0]), np.array([0, 1, 4]), False, SUM, False, r(4), True, 3),
        (kinked(r(4, 3)), np.array([1, 3, 1, 0]), np.array([0, 2, 2]), True, MEAN),
    ],
)


@composite(
    "embedding_bag",
    samples=lambda r: [
        (r(4, 3), np.array([1, 3, 1]), np.array([0, 2])),
        (r(4, 3), np.array([1, 3, 1, 0]), np.array([0, 1, 4]), False, SUM, False, r(4), True, -1),
        (kinked(r(4, 3)), np.array([1, 3, 1, 0]), np.array([0, 2, 2]), True, MEAN),
    ],
)
def torch_embedding_bag(
    weight: Value,
    indices: Value,
    offsets: Value,
    scale_grad_by_freq: bool = False,
    mode: int = SUM,
    sparse: bool = False,
    per_sample_weights: Value | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The sum, mean or maximum of the rows in each bag of indices; the bag of every index, the
    sizes of bags and, of maxima, the indices.
    """
    count = weight.shape[0] if weight.ndim else 0
    if padding_idx is None:
        padding_idx = -1
    elif not -count <= padding_idx < count:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{count} through {count - 1}, "
            f"but got {padding_idx}"
        )
    else:
        padding_idx %= count
    return embedding_bag_row(
        weight,
        indices,
        offsets,
        scale_grad_by_freq,
        mode,
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )


_MODES: Final = {"sum": SUM, "mean": MEAN, "max": MAX}


def _mode_number(mode: str, scale_grad_by_freq: bool, sparse: bool) -> int:
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    return _MODES[mode]


@composite(
    "nn.functional.embedding_bag",
    samples=lambda r: [
        (np.array([[1, 3], [1, 0]]), r(4, 3)),
        (np.array([1, 3, 1]), r(4, 3), np.array([0, 2]), {"mode": "max"}),
    ],
)
def embedding_bag(
    input: Value,
    weight: Value,
    offsets: Value | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Value | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Any:
    """The mean, sum or maximum of the rows of weight at each bag of indices."""
    if weight.dtype is dtypes.int64 and input.is_floating_point():
        weight, input = input, weight  # the order of arguments in PyTorch's early days
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then "
            f"it must have the same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                "of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>"
            )
        rows, length = input.shape
        offsets = wrap(np.arange(rows, dtype=input._array.dtype) * length)
        include_last_offset = False
        input = reshape(input, (-1,))
        if per_sample_weights is not None:
            per_sample_weights = reshape(per_sample_weights, (-1,))
    elif input.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    elif offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    elif offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    number = _mode_number(mode, scale_grad_by_freq, sparse)
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and number != SUM:
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    return torch_embedding_bag(
        weight,
        input,
        offsets,
        scale_grad_by_freq,
        number,
        sparse,
        per_sample_weights,
        include_last_offset,
        padding_idx,
    )[0]

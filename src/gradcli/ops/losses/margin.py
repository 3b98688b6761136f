"""Losses with a margin between classes, or between vectors that belong together or do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import minimum, sub
from gradcli.ops.algebra.comparison import eq, where_
from gradcli.ops.algebra.elementary import sqrt
from gradcli.ops.algebra.scalars import add_scalar, sub_scalar
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.losses.reduction import (
    MEAN,
    NONE,
    reduce_array,
    reduced,
    reducible,
    reduction_code,
)
from gradcli.ops.measuring.distance import pairwise_distance
from gradcli.ops.pointwise.smooth_activation import logsigmoid
from gradcli.table.declare import composite, row
from gradcli.table.refusals import constants, without_second_derivative
from gradcli.table.registry import lookup
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, fixed
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.public import handed_in
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Scalar, Value


def _batch(self: Array) -> tuple[int, int]:
    """How many samples of how many classes; a scalar is one sample of one class."""
    if self.ndim > 2 or (self.size == 0 and not (self.ndim == 2 and self.shape[1])):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(self.shape)}"
        )
    if self.ndim == 2:
        return self.shape[0], self.shape[1]
    return 1, max(self.size, 1)


def _long(target: Array) -> None:
    if target.dtype != np.int64:
        raise RuntimeError(f"expected scalar type Long but found {dtypes.of(target).scalar_name}")


def _per_sample(losses: Array, self: Array, reduction: int) -> Array:
    """Losses of samples reduced; of a single sample, the loss has no dimensions."""
    if reduction == NONE and self.ndim < 2:
        return losses.reshape(())
    return np.asarray(reduce_array(losses, reduction))


def _spread(grad: Array, self: Array, reduction: int, count: int) -> Array:
    """The gradient of every sample's loss, as a column."""
    if reduction == NONE:
        return np.reshape(grad, (-1, 1))
    return np.reshape(grad / count if reduction == MEAN else grad, (1, 1))


def _multi_margin_gaps(
    self: Array, target: Array, margin: Scalar, weight: Array | None
) -> tuple[Array, Array, Array]:
    """Violations per class (zero at the target), the targets, and the factor of each sample."""
    count, classes = _batch(self)
    if target.ndim > 1 or target.size != count:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{count}], but got {list(target.shape)}. "
            f"Input has shape {list(self.shape)}."
        )
    if weight is not None and (weight.ndim > 1 or weight.size != classes):
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    _long(target)
    chosen = target.reshape(count)
    if ((chosen < 0) | (chosen >= classes)).any():
        raise RuntimeError("target out of range")
    rows = self.reshape(count, classes)
    gaps = np.maximum(margin - rows[np.arange(count), chosen][:, None] + rows, 0)
    gaps[np.arange(count), chosen] = 0
    factor = np.full(count, 1 / classes, self.dtype)
    return gaps, chosen, factor if weight is None else factor * weight[chosen]


def _multi_margin(
    self: Array,
    target: Array,
    p: Scalar = 1,
    margin: Scalar = 1,
    weight: Array | None = None,
    reduction: int = MEAN,
) -> Array:
    """How far other classes come within the margin of the target's, to the power p."""
    gaps, _, factor = _multi_margin_gaps(self, target, margin, weight)
    require_kinds(self.dtype, "d", "multi_margin_loss_cpu_kernel")
    losses = (gaps if p == 1 else gaps * gaps).sum(1, dtype=self.dtype) * factor
    return _per_sample(losses.astype(self.dtype), self, reduction)


def _multi_margin_backward(
    grad_output: Array,
    self: Array,
    target: Array,
    p: Scalar,
    margin: Scalar,
    weight: Array | None,
    reduction: int,
) -> Array:
    """The gradient of multi_margin_loss; PyTorch cannot differentiate it again."""
    gaps, chosen, factor = _multi_margin_gaps(self, target, margin, weight)
    slopes = ((gaps > 0) if p == 1 else 2 * gaps) * factor[:, None]
    slopes[np.arange(len(chosen)), chosen] = -slopes.sum(1)
    full = slopes * _spread(grad_output, self, reduction, len(chosen))
    return full.reshape(self.shape).astype(self.dtype)


def _class_samples(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4), np.array([2, 0, 3])), (r(4), np.array(1))]


multi_margin_backward: Row = row(
    "aten.multi_margin_loss_backward",
    _multi_margin_backward,
    linear="grad_output",
    **without_second_derivative("multi_margin_loss_backward"),
    samples=lambda r: [
        (r(), r(3, 4), np.array([2, 0, 3]), 1, 1, None, 1),
        (r(3), r(3, 4), np.array([2, 0, 3]), 2, 0.5, r(4), 0),
        (r(), r(4), np.array(1), 1, 1, None, 2),
    ],
)
multi_margin_row: Row = row(
    "aten.multi_margin_loss",
    _multi_margin,
    halves=False,
    self=multi_margin_backward,
    samples=lambda r: [
        *_class_samples(r),
        (r(3, 4), np.array([2, 0, 3]), 2, 0.5, fixed(r(4, low=0.1)), 0),
        (r(3, 4), np.array([1, 0, 3]), 1, 1, None, 2),
    ],
)


@reducible(
    "nn.functional.multi_margin_loss",
    samples=lambda r: [
        *_class_samples(r),
        (r(3, 4), np.array([2, 0, 3]), 2, 0.5, fixed(r(4, low=0.1)), {"reduction": "none"}),
        (r(3, 4), np.array([1, 0, 3]), {"reduction": "sum"}),
    ],
    kink="0 at the margin.",
)
def multi_margin_loss(
    input: Value,
    target: Value,
    p: int = 1,
    margin: float = 1.0,
    weight: Value | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over samples of max(0, margin - input[target] + input[i]) ** p, averaged over
    classes i.
    """
    code = reduction_code(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    constants("multi_margin_loss", weight=weight)
    return multi_margin_row(input, target, p, margin, weight, code)


def _multilabel_gaps(self: Array, target: Array) -> tuple[Array, Array]:
    """Violations [sample, target position, class], and the targets up to the first -1."""
    count, classes = _batch(self)
    if target.shape != self.shape and not (self.ndim == 0 and target.size == 1):
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(self.shape)}"
        )
    _long(target)
    labels = target.reshape(count, classes)
    if ((labels < -1) | (labels >= classes)).any():
        raise RuntimeError("argument #2 'target' is out of range")
    rows = self.reshape(count, classes)
    listed = np.cumprod(labels >= 0, axis=1).astype(bool)
    safe = np.where(listed, labels, 0)
    wanted = np.zeros((count, classes + 1), bool)
    np.put_along_axis(wanted, np.where(listed, labels, classes), True, 1)
    gaps = 1 - np.take_along_axis(rows, safe, 1)[:, :, None] + rows[:, None, :]
    active = listed[:, :, None] & ~wanted[:, None, :classes] & (gaps > 0)
    return np.where(active, gaps, 0), safe


def _multilabel_margin(self: Array, target: Array, reduction: int = 1) -> Array:
    """How far other classes come within 1 of the listed ones."""
    gaps, _ = _multilabel_gaps(self, target)
    require_kinds(self.dtype, "d", "multilabel_margin_loss_forward_out_frame")
    losses = gaps.sum((1, 2), dtype=self.dtype) / gaps.shape[-1]
    return _per_sample(losses.astype(self.dtype), self, reduction)


def _multilabel_margin_backward(
    grad_output: Array, self: Array, target: Array, reduction: int
) -> Array:
    """The gradient of multilabel_margin_loss; PyTorch cannot differentiate it again."""
    gaps, safe = _multilabel_gaps(self, target)
    slopes = (gaps > 0).astype(self.dtype) / gaps.shape[-1]
    full = slopes.sum(1)
    rows = np.arange(len(full))[:, None]
    np.subtract.at(full, (rows, safe), slopes.sum(2))
    full = full * _spread(grad_output, self, reduction, len(full))
    return full.reshape(self.shape).astype(self.dtype)


def _label_samples(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(2, 4), np.array([[2, 0, -1, 1], [3, -1, -1, -1]])), (r(3), np.array([1, 2, -1]))]


multilabel_margin_backward: Row = row(
    "aten.multilabel_margin_loss_backward",
    _multilabel_margin_backward,
    linear="grad_output",
    **without_second_derivative("multilabel_margin_loss_backward"),
    samples=lambda r: [
        (r(), r(2, 4), np.array([[2, 0, -1, 1], [3, -1, -1, -1]]), 1),
        (r(2), r(2, 4), np.array([[2, 0, -1, 1], [3, -1, -1, -1]]), 0),
        (r(), r(3), np.array([1, 2, -1]), 2),
    ],
    pytorch=(
        "aten.multilabel_margin_loss_backward(grad_output, self, target, reduction, "
        "aten.multilabel_margin_loss_forward(self.detach(), target, reduction)[1])"
    ),
)
multilabel_margin_row: Row = row(
    "aten.multilabel_margin_loss",
    _multilabel_margin,
    halves=False,
    self=multilabel_margin_backward,
    samples=lambda r: [*((*call, code) for code in (0, 1, 2) for call in _label_samples(r))],
)


@reducible(
    "nn.functional.multilabel_margin_loss",
    samples=lambda r: [
        *_label_samples(r),
        *((*call, {"reduction": how}) for how in ("none", "sum") for call in _label_samples(r)),
    ],
    kink="0 at the margin.",
)
def multilabel_margin_loss(
    input: Value,
    target: Value,
    reduction: str = "mean",
) -> Any:
    """The mean over samples of max(0, 1 - input[t] + input[i]) over targets t and other classes i;
    targets end at the first -1.
    """
    code = reduction_code(reduction)
    return multilabel_margin_row(input, target, code)


@reducible(
    "nn.functional.multilabel_soft_margin_loss",
    samples=lambda r: [
        (r(3, 4), r.ints(3, 4, high=2)),
        (r(3, 4), r(3, 4, low=0.0, high=1.0), r(4), {"reduction": "sum"}),
        (r(3, 4), r.ints(3, 4, high=2), {"reduction": "none"}),
    ],
)
def multilabel_soft_margin_loss(
    input: Value,
    target: Value,
    weight: Value | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean over classes and samples of the logistic loss of every class."""
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    if input.ndim == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    loss = sum_dim(loss, (input.ndim - 1,)) / input.shape[-1]
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    return reduced(loss, reduction_code(reduction))


@composite(
    "cosine_embedding_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4), np.array([1, -1, 1])),
        (r(4), r(4), np.array(-1), -0.5),
        (r(3, 4), r(3, 4), np.array([1, -1, -1]), -0.9, 1),
        (r(3, 4), r(3, 4), np.array([1, -1, -1]), -0.9, 2),
    ],
)
def torch_cosine_embedding_loss(
    input1: Value, input2: Value, target: Value, margin: float = 0.0, reduction: int = NONE
) -> Any:
    """1 - cosine where the target is 1, max(0, cosine - margin) where it is -1."""
    dim = target.ndim
    if dim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != dim + 1 or input2.ndim != dim + 1:
        raise RuntimeError(
            f"{dim}D target tensor expects {dim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    along = (dim,)
    product = sum_dim(input1 * input2, along)
    size1 = add_scalar(sum_dim(input1 * input1, along), 1e-12)
    size2 = add_scalar(sum_dim(input2 * input2, along), 1e-12)
    cosine = product / sqrt(size1 * size2)
    zeros = wrap(np.zeros_like(cosine._array))
    together = where_(eq(target, 1), sub(1, cosine), zeros)
    apart = where_(eq(target, -1), sub_scalar(cosine, margin).clamp_min(0), zeros)
    return reduced(together + apart, reduction)


@reducible(
    "nn.functional.cosine_embedding_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4), np.array([1, -1, 1])),
        (r(4), r(4), np.array(-1), -0.5),
        (r(3, 4), r(3, 4), np.array([1, -1, -1]), -0.9, {"reduction": "sum"}),
        (r(3, 4), r(3, 4), np.array([1, -1, -1]), -0.9, {"reduction": "none"}),
    ],
)
def cosine_embedding_loss(
    input1: Value,
    input2: Value,
    target: Value,
    margin: float = 0,
    reduction: str = "mean",
) -> Any:
    """The mean of: 1 - cosine where the target is 1, max(0, cosine - margin) where it is -1."""
    code = reduction_code(reduction)
    return torch_cosine_embedding_loss(input1, input2, target, margin, code)


def _same_dims(anchor: Any, positive: Any, negative: Any) -> None:
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative "
            f"{negative.ndim}D inputs"
        )


@composite(
    "triplet_margin_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4), r(3, 4), 4.0),
        (r(3, 4), r(3, 4), r(3, 4), 5.0, 3.0, 0.1, True, 1),
        (r(3, 4), r(3, 4), r(3, 4), 4.0, 1.0, 1e-6, False, 2),
    ],
)
def torch_triplet_margin_loss(
    anchor: Value,
    positive: Value,
    negative: Value,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = NONE,
) -> Any:
    """max(0, margin + |anchor - positive| - |anchor - negative|), norms of order p."""
    _same_dims(anchor, positive, negative)
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced((add_scalar(near, margin) - far).clamp_min(0), reduction)


def _positive(margin: float) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")


@reducible(
    "nn.functional.triplet_margin_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4), r(3, 4), 4.0),
        (r(3, 4), r(3, 4), r(3, 4), 5.0, 3.0, 0.1, True, {"reduction": "none"}),
        (r(4), r(4), r(4), 4.0, 1.0, {"reduction": "sum"}),
    ],
)
def triplet_margin_loss(
    anchor: Value,
    positive: Value,
    negative: Value,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """The mean of max(0, margin + |anchor - positive| - |anchor - negative|), norms of order p."""
    code = reduction_code(reduction)
    _positive(margin)
    return torch_triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, code)


@composite(
    "nn.functional.triplet_margin_with_distance_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4), r(3, 4), {"margin": 4.0}),
        (r(3, 4), r(3, 4), r(3, 4), {"margin": 5.0, "swap": True, "reduction": "none"}),
        (r(3, 4), r(3, 4), r(3, 4), {"margin": 4.0, "reduction": "sum"}),
    ],
)
def triplet_margin_with_distance_loss(
    anchor: Value,
    positive: Value,
    negative: Value,
    *,
    distance_function: Any = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """triplet_margin_loss with a distance of one's own."""
    code = reduction_code(reduction)
    _positive(margin)
    _same_dims(anchor, positive, negative)
    distance = pairwise_distance if distance_function is None else handed_in(distance_function)
    near, far = distance(anchor, positive), distance(anchor, negative)
    least: Any = lookup("minimum")
    rectified: Any = lookup("clamp_min")
    if swap:
        far = least(far, distance(positive, negative))
    for found in (near, far):
        if not isinstance(found, (Tensor, int, float, complex)):
            kinds = f"'{type_name(margin)}' and '{type_name(found)}'"
            raise TypeError(f"unsupported operand type(s) for +: {kinds}")
    return reduced(rectified(margin + near - far, 0), code)

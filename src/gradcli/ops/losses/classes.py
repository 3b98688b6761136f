"""Losses of classification: negative log-likelihood and cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import neg
from gradcli.ops.algebra.comparison import filled, zeros_like
from gradcli.ops.algebra.scalars import add_scalar, div_scalar, mul_scalar
from gradcli.ops.algebra.sums import sum_all, sum_dim
from gradcli.ops.algebra.views import reshape, view
from gradcli.ops.losses.reduction import MEAN, NONE, SUM, reducible, reduction_code
from gradcli.table.declare import row
from gradcli.table.refusals import constants
from gradcli.table.row import Row
from gradcli.table.samples import fixed
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.tensor import wrap
from gradcli.typing import Array, Value


def _check_target_type(target: Array) -> None:
    if target.dtype not in (np.int64, np.uint8):
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {dtypes.of(target).scalar_name}"
        )


def _check_weight(self: Array, weight: Array | None, classes: int, plane: bool) -> None:
    if weight is None:
        return
    if weight.ndim != 1 or weight.size != classes:
        if plane:
            raise RuntimeError("weight tensor should be defined either for all or no classes")
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {list(weight.shape)}"
        )
    if weight.dtype != self.dtype:
        raise RuntimeError(
            f"expected scalar type {dtypes.of(self).scalar_name} but found "
            f"{dtypes.of(weight).scalar_name}"
        )


def _chosen(target: Array, classes: int, ignore_index: int) -> tuple[Array, Array]:
    """Which targets count, and the targets with 0 for those that do not."""
    counts = target != ignore_index
    outside = counts & ((target < 0) | (target >= classes))
    if outside.any():
        raise IndexError(f"Target {int(target[outside].flat[0])} is out of bounds.")
    return counts, np.where(counts, target, 0).astype(np.int64)


def _class_weights(target: Array, counts: Array, weight: Array | None, dtype: Any) -> Array:
    """The weight of every target, zero where it does not count."""
    if weight is None:
        return counts.astype(dtype)
    return np.where(counts, weight[target], 0).astype(dtype)


def _nll(
    self: Array, target: Array, weight: Array | None, reduction: int, ignore_index: int
) -> tuple[Array, Array]:
    """The loss and the sum of the weights that counted; classes are in dimension 1, or 0 of 1.

    PyTorch leaves the sum at zero where losses of a batch are not reduced.
    """
    class_dim = 1 if self.ndim > 1 else 0
    require_kinds(self.dtype, "f", "nll_loss_out_frame")
    counts, index = _chosen(target, self.shape[class_dim], ignore_index)
    weights = _class_weights(index, counts, weight, self.dtype)
    picked = np.take_along_axis(self, np.expand_dims(index, class_dim), class_dim)
    losses = -np.squeeze(picked, class_dim) * weights
    # An ignored element may hold nan or infinity.
    losses = np.where(counts, losses, self.dtype.type(0))
    if reduction == NONE and self.ndim > 1:
        return losses, np.zeros((), self.dtype)
    total = np.sum(weights, dtype=self.dtype)
    if reduction == NONE:
        # The total serves means only; PyTorch computes it for a single sample.
        return losses, np.asarray(total if self.ndim == 1 else np.zeros_like(total))
    loss = np.sum(losses, dtype=self.dtype)
    return (np.asarray(loss / total) if reduction == MEAN else np.asarray(loss)), np.asarray(total)


def _nll_flat(
    self: Array, target: Array, weight: Array | None, reduction: int, ignore_index: int
) -> tuple[Array, Array]:
    """The negative log-probabilities of targets, and the sum of their weights."""
    if not 0 < self.ndim <= 2:
        raise RuntimeError("input tensor should be 1D or 2D")
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if self.ndim == 1 and target.ndim == 1 and target.size != 1:
        raise ValueError(
            f"For 1D input, 1D target must have size 1, but got target size: {target.size}"
        )
    if self.ndim == 2 and (target.ndim == 0 or len(self) != len(target)):
        raise RuntimeError(
            f"size mismatch (got input: {list(self.shape)}, target: {list(target.shape)})"
        )
    _check_weight(self, weight, self.shape[-1], plane=False)
    _check_target_type(target)
    if self.ndim == 1:
        target = target.reshape(())
    return _nll(self, target, weight, reduction, ignore_index)


def _nll_plane(
    self: Array, target: Array, weight: Array | None, reduction: int, ignore_index: int
) -> tuple[Array, Array]:
    """nll_loss of a class per pixel."""
    if target.ndim != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{target.ndim}"
        )
    if self.ndim != 4:
        raise RuntimeError(
            "only batches of spatial inputs supported (4D tensors), but got input of dimension: "
            f"{self.ndim}"
        )
    _check_weight(self, weight, self.shape[1], plane=True)
    if (self.shape[0], *self.shape[2:]) != target.shape:
        raise RuntimeError(
            f"size mismatch (got input: {list(self.shape)} , target: {list(target.shape)}"
        )
    _check_target_type(target)
    return _nll(self, target, weight, reduction, ignore_index)


def _nll_backward(
    grad_output: Array,
    self: Array,
    target: Array,
    weight: Array | None,
    reduction: int,
    ignore_index: int,
    total_weight: Array,
) -> Array:
    class_dim = 1 if self.ndim > 1 else 0
    if self.ndim == 1:
        target = target.reshape(())
    counts, index = _chosen(target, self.shape[class_dim], ignore_index)
    weights = _class_weights(index, counts, weight, self.dtype)
    slopes = -weights * grad_output
    if reduction == MEAN:
        slopes = slopes / total_weight
    slopes = np.where(counts, slopes, 0).astype(self.dtype)
    full = np.zeros_like(self, order="C")
    np.put_along_axis(
        full, np.expand_dims(index, class_dim), np.expand_dims(slopes, class_dim), class_dim
    )
    return full


nll_backward: Row = row(
    "aten.nll_loss_backward",
    _nll_backward,
    linear="grad_output",
    grad_output=lambda grad, target, weight, reduction, ignore_index: nll_row(
        grad, target, weight, reduction, ignore_index
    )[0],
    self=zeros_like,
    samples=lambda r: [(r(3), r(3, 4), np.array([2, 0, 3]), None, NONE, -100, fixed(3.0))],
    doc="The gradient of nll_loss.",
)
nll_row: Row = row(
    "aten.nll_loss_forward",
    _nll_flat,
    node="NllLossBackward0",
    self=lambda grad, self, target, weight, reduction, ignore_index, result1: nll_backward(
        grad, self, target, weight, reduction, ignore_index, result1
    ),
    samples=lambda r: [
        (r(3, 4), np.array([2, 0, 3]), fixed(r(4, low=0.1)), 1, -100),
        (r(3, 4), np.array([2, 0, 3]), fixed(r(4, low=0.1)), 0, 0),
        (r(4), np.array(1), None, 2, -100),
        (r(4), np.array(1), fixed(r(4, low=0.1)), 0, -100),
        (r(3, 4), np.array([2, 0, 3]), fixed(r(4, low=0.1)), 2, 3),
    ],
)
nll2d_backward: Row = row(
    "aten.nll_loss2d_backward",
    _nll_backward,
    node="NllLoss2DBackwardBackward0",
    linear="grad_output",
    grad_output=lambda grad, target, weight, reduction, ignore_index: nll2d_row(
        grad, target, weight, reduction, ignore_index
    )[0],
    self=zeros_like,
    samples=lambda r: [
        (r(1, 1, 2), r(1, 3, 1, 2), np.array([[[2, 0]]]), None, NONE, -100, fixed(2.0))
    ],
    doc="The gradient of nll_loss of images.",
)
nll2d_row: Row = row(
    "aten.nll_loss2d_forward",
    _nll_plane,
    node="NllLoss2DBackward0",
    self=lambda grad, self, target, weight, reduction, ignore_index, result1: nll2d_backward(
        grad, self, target, weight, reduction, ignore_index, result1
    ),
    samples=lambda r: [
        (r(1, 3, 2, 2), np.array([[[0, 2], [1, 1]]]), fixed(r(3, low=0.1)), code, 2)
        for code in (1, 0, 2)
    ],
)


def _nll_loss(self: Any, target: Any, weight: Any, reduction: int, ignore_index: int) -> Any:
    """Picks the kernel by the number of dimensions."""
    shape = self.shape
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if self.ndim > 1 and (target.ndim == 0 or shape[0] != target.shape[0]):
        found = target.shape[0] if target.ndim else 1
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size ({found})."
        )
    constants("nll_loss_forward" if self.ndim <= 2 else "nll_loss2d_forward", weight=weight)
    if self.ndim <= 2:
        return nll_row(self, target, weight, reduction, ignore_index)[0]
    if self.ndim == 4:
        return nll2d_row(self, target, weight, reduction, ignore_index)[0]
    batch, classes, *rest = shape
    if list(target.shape[1:]) != rest:
        raise RuntimeError(f"Expected target size {[batch, *rest]}, got {list(target.shape)}")
    tail = -1 if self.numel() else 0
    plane = reshape(self, (batch, classes, 1, tail) if tail else (batch, classes, 0, 0))
    targets = reshape(target, (batch, 1, tail) if tail else (batch, 0, 0))
    loss = nll2d_row(plane, targets, weight, reduction, ignore_index)[0]
    return loss if reduction != NONE else view(loss, (batch, *rest))


@reducible(
    "nn.functional.nll_loss",
    average_before="ignore_index",
    samples=lambda r: [
        (r(3, 4), np.array([2, 0, 3])),
        *(
            (r(3, 4), np.array([2, 0, 3]), fixed(r(4, low=0.1)), None, 0, {"reduction": how})
            for how in ("mean", "sum", "none")
        ),
        (r(2, 3, 2), np.array([[0, 2], [1, 1]]), fixed(r(3, low=0.1)), {"reduction": "sum"}),
        (r(4), np.array(1)),
        (r(3, 4), np.array([2, 0, 3]), None, False),
    ],
)
def nll_loss(
    input: Value,
    target: Value,
    weight: Value | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """The mean of -input at the target classes; input holds log-probabilities."""
    code = reduction_code(reduction)
    return _nll_loss(input, target, weight, code, ignore_index)


def _check_smoothing(label_smoothing: float) -> None:
    if label_smoothing > 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")


def _spread(weight: Any, ndim: int) -> Any:
    """Weights of classes in the shape that broadcasts along dimension 1."""
    return weight if ndim == 1 else view(weight, (1, weight.numel(), *[1] * (ndim - 2)))


def _of_probabilities(
    self: Any, target: Any, weight: Any, reduction: int, label_smoothing: float
) -> Any:
    class_dim = 0 if self.ndim <= 1 else 1
    classes = self.shape[class_dim] if self.ndim else 1
    if weight is not None and (weight.ndim != 1 or weight.numel() != classes):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or "
            f"no classes but got weight tensor of shape: {list(weight.shape)}"
        )
    logs = self.log_softmax(class_dim)
    if label_smoothing > 0:
        _check_smoothing(label_smoothing)
        target = add_scalar(mul_scalar(target, 1 - label_smoothing), label_smoothing / classes)
    product = logs * target
    if weight is not None:
        product = product * _spread(weight, self.ndim)
    if reduction == NONE:
        return neg(sum_dim(product, (class_dim,)))
    loss = neg(sum_all(product))
    if reduction == SUM:
        return loss
    if self.numel() == 0:
        loss._array[...] = np.nan
        return loss
    return div_scalar(loss, self.numel() // classes)


def _of_smoothed_labels(
    self: Any, target: Any, weight: Any, reduction: int, ignore_index: int, label_smoothing: float
) -> Any:
    _check_smoothing(label_smoothing)
    class_dim = 0 if self.ndim == 1 else 1
    logs = self.log_softmax(class_dim)
    sharp = _nll_loss(logs, target, weight, reduction, ignore_index)
    weighted = logs if weight is None else logs * _spread(weight, logs.ndim)
    ignored = target == ignore_index
    smooth = filled(neg(sum_dim(weighted, (class_dim,))), ignored, 0.0)
    if reduction != NONE:
        smooth = sum_all(smooth)
    if reduction == MEAN:
        kept = target._array[~ignored._array]
        count = kept.size if weight is None else weight._array[kept].sum()
        smooth = smooth / wrap(np.asarray(count, logs._array.dtype))
    return mul_scalar(sharp, 1 - label_smoothing) + mul_scalar(
        smooth, label_smoothing / self.shape[class_dim]
    )


@reducible(
    "nn.functional.cross_entropy",
    average_before="ignore_index",
    samples=lambda r: [
        (r(3, 4), np.array([2, 0, 3])),
        *(
            (
                r(3, 4),
                np.array([2, 0, 3]),
                fixed(r(4, low=0.1)),
                {"ignore_index": 0, "label_smoothing": 0.3, "reduction": how},
            )
            for how in ("mean", "sum", "none")
        ),
        (r(2, 3, 2), np.array([[0, 2], [1, 1]]), {"reduction": "sum"}),
        (r(4), np.array(1)),
        *(
            (
                r(3, 4),
                r.probabilities(3, 4),
                fixed(r(4, low=0.1)),
                {"label_smoothing": 0.2, "reduction": how},
            )
            for how in ("mean", "sum", "none")
        ),
        (r(3, 4), np.array([2, 0, 3]), fixed(r(4, low=0.1))),
        (r(3, 4), np.array([2, 0, 3]), None, False),
    ],
)
def cross_entropy(
    input: Value,
    target: Value,
    weight: Value | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """The mean of -log_softmax(input) at the target classes, or weighted by
    target probabilities.
    """
    code = reduction_code(reduction)
    if input.shape == target.shape:
        if not target.is_floating_point():
            raise RuntimeError(
                "Expected floating point type for target with class probabilities, got "
                f"{target.dtype.scalar_name}"
            )
        if ignore_index >= 0:
            raise RuntimeError("ignore_index is not supported for floating point target")
        return _of_probabilities(input, target, weight, code, label_smoothing)
    if label_smoothing > 0:
        return _of_smoothed_labels(input, target, weight, code, ignore_index, label_smoothing)
    logs = input.log_softmax(0 if input.ndim <= 1 else 1)
    return _nll_loss(logs, target, weight, code, ignore_index)

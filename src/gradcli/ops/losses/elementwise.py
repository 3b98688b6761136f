"""Losses of `torch.nn.functional` that compare an input with a target element by element.

Formulas follow PyTorch's `derivatives.yaml`.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import neg, refuse_negation, sub
from gradcli.ops.algebra.comparison import lt, ne, ones_like, where_
from gradcli.ops.algebra.elementary import exp, pow_scalar
from gradcli.ops.algebra.rounding import absolute
from gradcli.ops.algebra.scalars import add_scalar, div_scalar, mul_scalar
from gradcli.ops.algebra.sums import broadcast_tensors, mean_all, sum_all
from gradcli.ops.losses.reduction import (
    MEAN,
    NONE,
    SUM,
    divided,
    reduce_array,
    reduced,
    reducible,
    reduction_code,
    share,
)
from gradcli.ops.pointwise.activation import type_as
from gradcli.table.declare import composite, row
from gradcli.table.refusals import constants
from gradcli.table.row import COMMON, ITSELF, Row
from gradcli.table.samples import Sampler
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_cast, require_kinds
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import raw, wrap
from gradcli.typing import Array, Value


def _same_size(input: Any, target: Any) -> None:
    """Warns of sizes that only agree after broadcasting."""
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            stacklevel=4,
        )


def _weighted(loss: Any, weight: Any, input: Any, reduction: str, average: bool) -> Any:
    """A weighted loss; `average` divides by the sum of the weights, not by their number."""
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    weighted = loss * weight
    if reduction == "none":
        return weighted
    if reduction == "sum":
        return sum_all(weighted)
    if reduction == "mean":
        return sum_all(weighted) / sum_all(weight) if average else mean_all(weighted)
    raise ValueError(f"Invalid reduction mode: {reduction}. Expected one of 'none', 'mean', 'sum'.")


def _in_grad_output(
    backward: Row, grad: Any, grad_output: Any, self: Any, target: Any, reduction: int, *own: float
) -> Any:
    """The gradient of a backward row in `grad_output`; where it was reduced, as PyTorch sums it."""
    if reduction == NONE:
        return backward(grad, self, target, reduction, *own)
    return sum_all(backward(ones_like(grad_output), self, target, reduction, *own) * grad)


def _kernel_pairs(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4), r(3, 4), code) for code in (NONE, MEAN, SUM)]


def _backward_pairs(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4), r(3, 4), r(3, 4), NONE), (r(), r(3), r(3), MEAN), (r(), r(3), r(3), SUM)]


def _mse(self: Array, target: Array, reduction: int = MEAN) -> Array:
    """The squared differences."""
    difference = self - target
    return reduce_array(difference * difference, reduction)


mse_backward: Row = row(
    "aten.mse_loss_backward(Tensor grad_output, Tensor self, Tensor target, int reduction)",
    lambda grad_output, self, target, reduction: (
        2 * share(reduction, self) * (self - target) * grad_output
    ).astype(self.dtype),
    linear="grad_output, self target",
    grad_output=ITSELF,
    self=lambda grad, grad_output, self, reduction: _mse_double_backward(
        grad * grad_output, self, reduction
    ),
    target=lambda grad, grad_output, target, reduction: (
        -_mse_double_backward(grad * grad_output, target, reduction)
    ),
    samples=_backward_pairs,
    doc="The gradient of mse_loss.",
)


def _mse_double_backward(grad: Any, self: Any, reduction: int) -> Any:
    return divided(mul_scalar(grad, 2), reduction, self)


mse_row: Row = row(
    "aten.mse_loss",
    _mse,
    promote=COMMON,
    kinds="f",
    elementwise=False,
    kernel="mse_cpu",
    self=mse_backward,
    target=lambda grad, self, target, reduction: mse_backward(grad, target, self, reduction),
    samples=_kernel_pairs,
)


@reducible(
    "nn.functional.mse_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4)),
        *(
            (r(3), r(3), {"reduction": how, "weight": weight})
            for how in ("sum", "none", "mean")
            for weight in (None, r(3, low=0.1))
        ),
        (r(3), r(3), False),
        (r(3), r(3), None, False),
        (r(3), r(3), False, None, "mean", r(3, low=0.1)),
    ],
)
def mse_loss(
    input: Value,
    target: Value,
    reduction: str = "mean",
    weight: Value | None = None,
) -> Any:
    """The mean squared difference."""
    _same_size(input, target)
    a, b = broadcast_tensors((input, target))
    if weight is not None:
        return _weighted(pow_scalar(a - b, 2), weight, input, reduction, average=True)
    return mse_row(a, b, reduction_code(reduction))


@reducible(
    "nn.functional.l1_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4)),
        *(
            (r(3), r(3), {"reduction": how, "weight": weight})
            for how in ("sum", "none", "mean")
            for weight in (None, r(3, low=0.1))
        ),
        (r(3), r(3), False),
    ],
    kink="0 where input and target agree.",
)
def l1_loss(
    input: Value,
    target: Value,
    reduction: str = "mean",
    weight: Value | None = None,
) -> Any:
    """The mean absolute difference."""
    _same_size(input, target)
    a, b = broadcast_tensors((input, target))
    distance = absolute(a - b)
    if weight is not None:
        return _weighted(distance, weight, input, reduction, average=True)
    return reduced(distance, reduction_code(reduction))


def _smooth_l1(self: Array, target: Array, reduction: int = MEAN, beta: float = 1.0) -> Array:
    """Squares of small differences, absolute values of large ones."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    require_kinds(self.dtype, "f", "smooth_l1_cpu")
    distance = np.abs(self - target)
    near = distance < beta
    loss = np.where(near, 0.5 * distance * distance / beta, distance - 0.5 * beta)
    return reduce_array(loss, reduction)


def _smooth_l1_backward(
    grad_output: Array, self: Array, target: Array, reduction: int, beta: float
) -> Array:
    """The gradient of smooth_l1_loss."""
    difference = self - target
    norm = difference.dtype.type(share(reduction, self))
    slope = np.where(np.abs(difference) < beta, difference / beta, np.sign(difference))
    return (norm * slope * grad_output).astype(self.dtype)


def _smooth_l1_double_backward(
    grad: Any, self: Any, target: Any, reduction: int, beta: float
) -> Any:
    near = type_as(lt(absolute(self - target), beta), grad)
    return divided(div_scalar(grad * near, beta), reduction, self)


smooth_l1_backward: Row = row(
    "aten.smooth_l1_loss_backward",
    _smooth_l1_backward,
    linear="grad_output",
    grad_output=ITSELF,
    self=lambda grad, grad_output, self, target, reduction, beta: _smooth_l1_double_backward(
        grad * grad_output, self, target, reduction, beta
    ),
    target=lambda grad, grad_output, self, target, reduction, beta: (
        -_smooth_l1_double_backward(grad * grad_output, self, target, reduction, beta)
    ),
    samples=lambda r: [(*call, 1.5) for call in _backward_pairs(r)],
)
smooth_l1_row: Row = row(
    "aten.smooth_l1_loss",
    _smooth_l1,
    promote=COMMON,
    elementwise=False,
    self=smooth_l1_backward,
    target=lambda grad, self, target, reduction, beta: smooth_l1_backward(
        grad, target, self, reduction, beta
    ),
    samples=lambda r: [(*call, 1.5) for call in _kernel_pairs(r)],
)


@reducible(
    "nn.functional.smooth_l1_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4)),
        (r(3, 4), r(3, 4), {"reduction": "sum", "beta": 0.7}),
        (r(3, 4), r(3, 4), {"reduction": "none", "beta": 0.7}),
    ],
)
def smooth_l1_loss(
    input: Value,
    target: Value,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Any:
    """The mean of d ** 2 / (2 * beta) for differences d below beta, of |d| -
    beta / 2 for others.
    """
    _same_size(input, target)
    code = reduction_code(reduction)
    a, b = broadcast_tensors((input, target))
    if beta == 0:
        return reduced(absolute(a - b), code)
    return smooth_l1_row(a, b, code, beta)


def _huber(self: Array, target: Array, reduction: int = MEAN, delta: float = 1.0) -> Array:
    """Half the squares of small differences, absolute values of large ones."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    require_kinds(dtypes.result_type([self, target]).np, "f", "huber_cpu")
    distance = np.abs(self - target)
    near = distance <= delta
    loss = np.where(near, 0.5 * distance * distance, delta * (distance - 0.5 * delta))
    return reduce_array(loss.astype(self.dtype), reduction)


def _huber_backward(
    grad_output: Array, self: Array, target: Array, reduction: int, delta: float
) -> Array:
    """The gradient of huber_loss."""
    if self.dtype != target.dtype:
        expected, found = dtypes.of(self), dtypes.of(target)
        raise RuntimeError(f"Found dtype {found.scalar_name} but expected {expected.scalar_name}")
    difference = self - target
    norm = difference.dtype.type(share(reduction, self))
    return norm * np.minimum(np.maximum(difference, -delta), delta) * grad_output


def _huber_double_backward(grad: Any, self: Any, target: Any, reduction: int, delta: float) -> Any:
    return divided(grad * lt(absolute(self - target), delta), reduction, self)


huber_backward: Row = row(
    "aten.huber_loss_backward",
    _huber_backward,
    linear="grad_output",
    grad_output=lambda grad, grad_output, self, target, reduction, delta: _in_grad_output(
        huber_backward, grad, grad_output, self, target, reduction, delta
    ),
    self=lambda grad, grad_output, self, target, reduction, delta: _huber_double_backward(
        grad * grad_output, self, target, reduction, delta
    ),
    target=lambda grad, grad_output, self, target, reduction, delta: (
        -_huber_double_backward(grad * grad_output, self, target, reduction, delta)
    ),
    samples=lambda r: [(*call, 1.5) for call in _backward_pairs(r)],
)
huber_row: Row = row(
    "aten.huber_loss",
    _huber,
    self=huber_backward,
    target=lambda grad, self, target, reduction, delta: huber_backward(
        grad, target, self, reduction, delta
    ),
    samples=lambda r: [(*call, 1.5) for call in _kernel_pairs(r)],
)


@composite(
    "nn.functional.huber_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4)),
        *(
            (r(3), r(3), {"reduction": how, "delta": 0.7, "weight": weight})
            for how in ("sum", "none", "mean")
            for weight in (None, r(3, low=0.1))
        ),
    ],
)
def huber_loss(
    input: Value,
    target: Value,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Value | None = None,
) -> Any:
    """The mean of d ** 2 / 2 for differences d up to delta, of delta * (|d| - delta / 2) for
    others.
    """
    _same_size(input, target)
    a, b = broadcast_tensors((input, target))
    require_cast(dtypes.result_type([raw(a), raw(b)]), input.dtype)
    if weight is not None:
        return _weighted(huber_row(a, b, NONE, delta), weight, input, reduction, average=False)
    return huber_row(a, b, reduction_code(reduction), delta)


def _soft_margin(self: Array, target: Array, reduction: int = MEAN) -> Array:
    """log(1 + exp(-target * self))."""
    target = target.astype(self.dtype)
    return reduce_array(np.log1p(np.exp(-target * self)), reduction)


def _soft_margin_backward(grad_output: Array, self: Array, target: Array, reduction: int) -> Array:
    """The gradient of soft_margin_loss."""
    target = target.astype(self.dtype)
    power = np.exp(-target * self)
    return -share(reduction, self) * target * power / (1 + power) * grad_output


def _soft_margin_double_self(
    grad: Any, grad_output: Any, self: Any, target: Any, reduction: int
) -> Any:
    power = exp(self * -target)
    beyond = add_scalar(power, 1)
    slope = (grad * grad_output) * (target * target) * power / (beyond * beyond)
    return divided(slope, reduction, self)


soft_margin_backward: Row = row(
    "aten.soft_margin_loss_backward",
    _soft_margin_backward,
    linear="grad_output",
    grad_output=lambda grad, grad_output, self, target, reduction: _in_grad_output(
        soft_margin_backward, grad, grad_output, self, target, reduction
    ),
    self=_soft_margin_double_self,
    complex_gradient=False,
    samples=lambda r: [
        (r(3, 4), r(3, 4), np.ones((3, 4), int), 0),
        (r(), r(3), np.array([1, -1, 1]), 1),
        (r(), r(3), np.array([1, -1, 1]), 2),
    ],
)
soft_margin_row: Row = row(
    "aten.soft_margin_loss",
    _soft_margin,
    self=soft_margin_backward,
    complex_gradient=False,
    samples=lambda r: [(r(4), np.array([1, -1, 1, 1]), code) for code in (1, 0, 2)],
)


@reducible(
    "nn.functional.soft_margin_loss",
    samples=lambda r: [
        (r(4), np.array([1, -1, 1, 1]), {"reduction": how}) for how in ("mean", "none", "sum")
    ],
)
def soft_margin_loss(
    input: Value,
    target: Value,
    reduction: str = "mean",
) -> Any:
    """The mean of log(1 + exp(-target * input)); targets are 1 and -1."""
    code = reduction_code(reduction)
    shape = common_shape([input.shape, target.shape])
    if shape != tuple(input.shape):
        raise RuntimeError(
            f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(shape)}"
        )
    refuse_negation(input._array)
    kind = dtypes.result_type([input._array, target._array])
    if kind.category < dtypes.FLOATING:
        kind = dtypes.default.dtype
    require_cast(kind, input.dtype)
    constants("soft_margin_loss", target=target)
    return soft_margin_row(input, target, code)


@composite(
    "hinge_embedding_loss",
    samples=lambda r: [
        (r(4), np.array([1, -1, 1, -1])),
        (r(3), np.array([-1, 1, -1]), 0.5, 1),
        (r(3), np.array([-1, 1, -1]), 0.5, 2),
    ],
)
def torch_hinge_embedding_loss(
    input: Value, target: Value, margin: float = 1.0, reduction: int = NONE
) -> Any:
    """input where the target is 1, max(0, margin - input) where it is -1."""
    zeros = wrap(np.zeros_like(input._array))
    # PyTorch takes the margin as a number of the input's type.
    bound = wrap(np.asarray(margin).astype(input._array.dtype))
    apart = where_(ne(target, 1), sub(bound, input).clamp_min(0), zeros)
    return reduced(apart + where_(ne(target, -1), input, zeros), reduction)


@reducible(
    "nn.functional.hinge_embedding_loss",
    samples=lambda r: [
        (r(4), np.array([1, -1, 1, -1])),
        (r(3), np.array([-1, 1, -1]), 0.5, {"reduction": "none"}),
        (r(3), np.array([-1, 1, -1]), 0.5, {"reduction": "sum"}),
    ],
    kink="That of the sloping side where input equals the margin.",
)
def hinge_embedding_loss(
    input: Value,
    target: Value,
    margin: float = 1.0,
    reduction: str = "mean",
) -> Any:
    """The mean of: input where the target is 1, max(0, margin - input) where it is -1."""
    code = reduction_code(reduction)
    return torch_hinge_embedding_loss(input, target, margin, code)


@composite(
    "margin_ranking_loss",
    samples=lambda r: [
        (r(3), r(3), np.array([1, -1, 1])),
        (r(3), r(3), np.array([1, -1, 1]), 0.5, 1),
        (r(2), r(2), np.array([1, -1]), 2.5, 2),
    ],
)
def torch_margin_ranking_loss(
    input1: Value, input2: Value, target: Value, margin: float = 0.0, reduction: int = NONE
) -> Any:
    """max(0, margin - target * (input1 - input2))."""
    order = neg(target) * (input1 - input2)
    return reduced(add_scalar(order, margin).clamp_min(0), reduction)


@reducible(
    "nn.functional.margin_ranking_loss",
    samples=lambda r: [
        (r(3), r(3), np.array([1, -1, 1])),
        (r(3), r(3), np.array([1, -1, 1]), 0.5, {"reduction": "none"}),
        (r(2), r(2), np.array([1, -1]), 2.5, {"reduction": "sum"}),
    ],
    kink="That of the sloping side at the margin.",
)
def margin_ranking_loss(
    input1: Value,
    input2: Value,
    target: Value,
    margin: float = 0,
    reduction: str = "mean",
) -> Any:
    """The mean of max(0, margin - target * (input1 - input2)); targets are 1 and -1."""
    code = reduction_code(reduction)
    if input1.ndim != input2.ndim or input1.ndim != target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return torch_margin_ranking_loss(input1, input2, target, float(margin), code)

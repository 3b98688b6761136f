"""Losses that are negative log-likelihoods: of classes, of probabilities, of distributions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import mul, refuse_bool, sub
from gradcli.ops.algebra.comparison import filled, le, lt, ones_like
from gradcli.ops.algebra.elementary import exp, log, pow_scalar, sigmoid, xlogy
from gradcli.ops.algebra.scalars import add_scalar, mul_scalar
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import clone_row, unsqueeze
from gradcli.ops.losses.reduction import (
    MEAN,
    NONE,
    divided,
    reduce_array,
    reduced,
    reducible,
    reduction_code,
    reduction_name,
)
from gradcli.ops.pointwise.bounds import clamp_numbers, logit
from gradcli.ops.pointwise.smooth_activation import logsigmoid
from gradcli.table.declare import composite, row
from gradcli.table.refusals import constants
from gradcli.table.row import Row
from gradcli.table.samples import fixed
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_cast, require_kinds
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, hold, raw
from gradcli.typing import Array, Operand, Value

_EPSILON = 1e-12


def _bce(self: Array, target: Array, weight: Array | None = None, reduction: int = MEAN) -> Array:
    """-(target * log(self) + (1 - target) * log(1 - self)), the logarithms at least -100."""
    if target.dtype != self.dtype:
        raise RuntimeError(
            f"Found dtype {dtypes.of(target).scalar_name} but expected "
            f"{dtypes.of(self).scalar_name}"
        )
    require_kinds(self.dtype, "f", "binary_cross_entropy")
    for name, values in (("input", self), ("target", target)):
        if not ((values >= 0) & (values <= 1)).all():
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    # Logarithms are bounded, so that a certain mistake costs 100 and not infinity.
    no, yes = np.maximum(np.log1p(-self), -100), np.maximum(np.log(self), -100)
    loss = (target - 1) * no - target * yes
    return reduce_array(loss if weight is None else loss * weight.astype(loss.dtype), reduction)


def _bce_backward(
    grad_output: Array, self: Array, target: Array, weight: Array | None, reduction: int
) -> Array:
    """The gradient of binary_cross_entropy."""
    slope = (self - target) / np.maximum((1 - self) * self, _EPSILON)
    weight = None if weight is None else weight.astype(slope.dtype)
    return _bce_scaled(grad_output * slope, weight, reduction, self)


def _bce_scaled(grad: Any, weight: Any, reduction: int, self: Any) -> Any:
    return divided(grad if weight is None else grad * weight, reduction, self)


def _bce_double_backward(
    grad: Any, grad_output: Any, self: Any, target: Any, weight: Any, reduction: int
) -> Any:
    raised = add_scalar(self, _EPSILON)
    lowered = add_scalar(sub(1, self), _EPSILON)
    bend = (self * self - mul_scalar(self, 2) * target + target) / (
        pow_scalar(raised, 2) * pow_scalar(lowered, 2)
    )
    return _bce_scaled(bend * (grad * grad_output), weight, reduction, self)


def _bce_double_target(grad: Any, grad_output: Any, self: Any, weight: Any, reduction: int) -> Any:
    scaled = -grad * grad_output
    if weight is not None:
        scaled = scaled * weight
    array = raw(self)
    spread = sub(1, self) * self
    # The bound is no part of what is differentiated.
    lifted = np.maximum((1 - array) * array, _EPSILON)
    if type(spread) is Tensor:
        hold(spread, lifted)
    else:
        spread = lifted
    return divided(scaled / spread, reduction, self)


def _bce_double_grad_output(grad: Any, self: Any, target: Any, weight: Any, reduction: int) -> Any:
    spread = add_scalar(self, _EPSILON) * add_scalar(sub(1, self), _EPSILON)
    return _bce_scaled((self - target) / spread * grad, weight, reduction, self)


def _bce_target(grad: Any, self: Any, weight: Any, reduction: int) -> Any:
    return _bce_scaled(-logit(self) * grad, weight, reduction, self)


bce_backward: Row = row(
    "aten.binary_cross_entropy_backward",
    _bce_backward,
    linear="grad_output",
    grad_output=_bce_double_grad_output,
    self=_bce_double_backward,
    target=_bce_double_target,
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=0.9), r(3, 4, low=0.1, high=0.9), None, 0),
        (r(), r(3, low=0.1, high=0.9), r(3, low=0.1, high=0.9), None, 1),
        (r(), r(3, low=0.1, high=0.9), r(3, low=0.1, high=0.9), fixed(r(3)), 2),
    ],
)
bce_row: Row = row(
    "aten.binary_cross_entropy",
    _bce,
    linear="weight",
    self=bce_backward,
    target=_bce_target,
    samples=lambda r: [
        (r(3, 4, low=0.1, high=0.9), r(3, 4, low=0.1, high=0.9), fixed(r(4)), code)
        for code in (1, 0, 2)
    ],
)


@reducible(
    "nn.functional.binary_cross_entropy",
    samples=lambda r: [
        (r(3, 4, low=0.1, high=0.9), r(3, 4, low=0.1, high=0.9)),
        *(
            (
                r(3, 4, low=0.1, high=0.9),
                r(3, 4, low=0.1, high=0.9),
                fixed(r(3, 4)),
                {"reduction": how},
            )
            for how in ("none", "sum")
        ),
    ],
)
def binary_cross_entropy(
    input: Value,
    target: Value,
    weight: Value | None = None,
    reduction: str = "mean",
) -> Any:
    """The mean of -(target * log(input) + (1 - target) * log(1 - input)), where the logarithms are
    at least -100.
    """
    code = reduction_code(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if weight is not None:
        shape = common_shape([target.shape, weight.shape])
        if shape != tuple(input.shape):
            raise RuntimeError(
                f"output with shape {list(input.shape)} doesn't match the broadcast shape "
                f"{list(shape)}"
            )
        weight = expand(weight, shape)
    constants("binary_cross_entropy", weight=weight)
    return bce_row(input, target, weight, code)


def _bce_logits(
    self: Array,
    target: Array,
    weight: Array | None = None,
    pos_weight: Array | None = None,
    reduction: int = MEAN,
) -> Array:
    """binary_cross_entropy of sigmoid(self), without overflow."""
    gate = logsigmoid.forward(self)
    if pos_weight is not None:
        gate = ((pos_weight - 1) * target + 1) * gate
    refuse_bool([target, target])
    # PyTorch multiplies and subtracts in place, which keeps the target's type.
    kind = dtypes.of(target)
    require_cast(dtypes.result_type([target, self]), kind)
    loss = ((1 - target) * self).astype(kind.np)
    loss = (loss - gate).astype(kind.np)
    return reduce_array(loss if weight is None else (loss * weight).astype(kind.np), reduction)


def _bce_logits_backward(
    grad: Any, self: Any, target: Any, weight: Any, pos_weight: Any, reduction: int
) -> Any:
    if pos_weight is None:
        slope = sigmoid(self) - target
    else:
        positive = pos_weight * target
        slope = (add_scalar(positive, 1) - target) * sigmoid(self) - positive
    return _bce_scaled(slope * grad, weight, reduction, self)


def _bce_logits_target(
    grad: Any, self: Any, target_shape: Sequence[int], weight: Any, pos_weight: Any, reduction: int
) -> Any:
    if pos_weight is None:
        slope = -self * grad
    else:
        slope = (logsigmoid(-self) - logsigmoid(self) * pos_weight) * grad
    return _bce_scaled(slope, weight, reduction, self)


bce_logits_row: Row = row(
    "aten.binary_cross_entropy_with_logits",
    _bce_logits,
    self=_bce_logits_backward,
    target=_bce_logits_target,
    samples=lambda r: [
        *(
            (r(3, 4), r(3, 4, low=0.1, high=0.9), fixed(r(4)), fixed(r(4, low=0.1)), code)
            for code in (1, 0)
        ),
        (r(3), r(3, low=0.1, high=0.9), None, None, 2),
    ],
)


@composite(
    "binary_cross_entropy_with_logits",
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=0.9)),
        *(
            (r(3, 4), r(3, 4, low=0.1, high=0.9), fixed(r(4)), fixed(r(4, low=0.1)), code)
            for code in (1, 2)
        ),
    ],
)
def torch_binary_cross_entropy_with_logits(
    input: Value,
    target: Value,
    weight: Value | None = None,
    pos_weight: Value | None = None,
    reduction: int = NONE,
) -> Any:
    """binary_cross_entropy of sigmoid(self), without overflow."""
    constants("binary_cross_entropy_with_logits", weight=weight, pos_weight=pos_weight)
    shape = common_shape([target.shape, input.shape])
    if shape != tuple(target.shape):
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(shape)}"
        )
    return bce_logits_row(input, target, weight, pos_weight, reduction)


@reducible(
    "nn.functional.binary_cross_entropy_with_logits",
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=0.9)),
        *(
            (
                r(3, 4),
                r(3, 4, low=0.1, high=0.9),
                fixed(r(4)),
                {"reduction": how, "pos_weight": fixed(r(4, low=0.1))},
            )
            for how in ("none", "sum")
        ),
    ],
)
def binary_cross_entropy_with_logits(
    input: Value,
    target: Value,
    weight: Value | None = None,
    reduction: str = "mean",
    pos_weight: Value | None = None,
) -> Any:
    """The mean binary_cross_entropy of sigmoid(input), without overflow."""
    code = reduction_code(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    if input.dtype.is_half:  # the row sees it as single precision
        refuse_bool([raw(target), raw(target)])
        require_cast(dtypes.result_type([raw(target), raw(input)]), target.dtype)
    return torch_binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)


@composite(
    "kl_div",
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=0.9)),
        (r(3, 4), r(3, 4, low=0.1, high=0.9), 1),
        (r(2, 3), r(2, 3), 2, {"log_target": True}),
    ],
)
def torch_kl_div(
    input: Value, target: Value, reduction: int = NONE, *, log_target: bool = False
) -> Any:
    """target * (log(target) - input), the pointwise Kullback-Leibler divergence."""
    kinds = {input.dtype.category, target.dtype.category}
    if dtypes.COMPLEX in kinds:
        raise RuntimeError("kl_div: Complex inputs not supported.")
    if dtypes.INTEGRAL in kinds or dtypes.BOOL in kinds:
        raise RuntimeError("kl_div: Integral inputs not supported.")
    # PyTorch's compiler evaluates the right operand first, which orders the graph.
    if log_target:
        difference = target - input
        return reduced(exp(target) * difference, reduction)
    product = target * input
    return reduced(xlogy(target, target) - product, reduction)


@composite(
    "nn.functional.kl_div",
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=0.9)),
        (r(3, 4), r(3, 4, low=0.1, high=0.9), {"reduction": "sum"}),
        (r(3, 4), r(3, 4, low=0.1, high=0.9), {"reduction": "none"}),
        (r(2, 3), r(2, 3), {"log_target": True, "reduction": "batchmean"}),
    ],
)
def kl_div(
    input: Value,
    target: Value,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Any:
    """The mean of target * (log(target) - input); input holds log-probabilities."""
    # Asked for by its name, it is taken whatever the deprecated keywords say.
    by_batch = reduction == "batchmean"
    name = reduction_name("sum" if by_batch else reduction, size_average, reduce)
    divergence = torch_kl_div(input, target, reduction_code(name), log_target)
    return divergence / input.shape[0] if by_batch and input.ndim else divergence


@composite(
    "poisson_nll_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=4.0), True, True, 1e-8, 1),
        (r(3, low=0.1), r(3, low=0.1), False, False, 0.5, 0),
        (r(3), r(3, low=0.1), True, False, 1e-8, 2),
    ],
)
def torch_poisson_nll_loss(
    input: Value, target: Value, log_input: bool, full: bool, eps: float, reduction: int
) -> Any:
    """The negative log-likelihood of counts under the Poisson distribution."""
    if log_input:
        product = target * input
        loss = exp(input) - product
    else:
        loss = input - target * log(add_scalar(input, eps))
    if full:
        # Stirling's approximation of log(target!).
        root = mul_scalar(log(mul_scalar(target, 2 * math.pi)), 0.5)
        stirling = target * log(target) - target + root
        loss = loss + filled(stirling, le(target, 1), 0)
    return reduced(loss, reduction)


@reducible(
    "nn.functional.poisson_nll_loss",
    average_before="eps",
    samples=lambda r: [
        (r(3, 4), r(3, 4, low=0.1, high=4.0)),
        (r(3, low=0.1), r(3, low=0.1), False, {"eps": 0.5, "reduction": "none"}),
        (r(3), r(3, low=0.1, high=4.0), True, True, {"reduction": "sum"}),
    ],
)
def poisson_nll_loss(
    input: Value,
    target: Value,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """The mean negative log-likelihood of counts under the Poisson distribution; input is the rate
    or its logarithm.
    """
    code = reduction_code(reduction)
    return torch_poisson_nll_loss(input, target, log_input, full, eps, code)


def _fits(input: Any, var: Any) -> bool:
    """Whether one dimension at most of a variance is broadcast."""
    if input.ndim != var.ndim:
        return False
    return bool(sum(n for m, n in zip(input.shape, var.shape, strict=True) if m != n) == 1)


@composite(
    "nn.functional.gaussian_nll_loss",
    samples=lambda r: [
        (r(3, 4), r(3, 4), r(3, 4, low=0.1)),
        (r(3, 4), r(3, 4), r(3, low=0.1), True, {"reduction": "sum"}),
        (r(3, 4), r(3, 4), 0.7, {"reduction": "none"}),
    ],
)
def gaussian_nll_loss(
    input: Value,
    target: Value,
    var: Operand,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """The mean negative log-likelihood of targets under normal distributions."""
    number = not isinstance(var, Tensor)
    if isinstance(var, complex):
        raise TypeError("'<' not supported between instances of 'complex' and 'int'")
    if var < 0 if number else bool(lt(var, 0).any()):
        raise ValueError("var has negative entry/entries")
    if number:
        var = mul(var, ones_like(input))
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = unsqueeze(var, -1)
        elif not _fits(input, var):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    # The bound is no part of what is differentiated.
    var = clone_row(var)
    bounded = clamp_numbers.forward(var._array, eps)
    if not dtypes.can_cast(dtypes.of(bounded), var.dtype):
        raise RuntimeError(
            f"result type {dtypes.of(bounded).scalar_name} can't be cast to the desired output "
            f"type {var.dtype.c_name}"
        )
    var._array[...] = bounded
    difference = input - target
    loss = 0.5 * (log(var) + difference**2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction_code(reduction))

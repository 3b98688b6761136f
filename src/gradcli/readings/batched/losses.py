"""Losses: element by element for all samples, then reduced for each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import neg
from gradcli.ops.algebra.comparison import ne, where_
from gradcli.ops.algebra.creation import to_dtype
from gradcli.ops.algebra.gathering import gather, scatter_src
from gradcli.ops.algebra.indexing import index_select
from gradcli.ops.algebra.sums import mean_all, sum_all
from gradcli.ops.algebra.views import reshape, shape_of, squeeze_dim, unsqueeze
from gradcli.ops.losses.reduction import MEAN, NONE, divided
from gradcli.readings.batched.dimensions import filled
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, wrap

_ELEMENTWISE: Final = (
    "aten.mse_loss",
    "aten.smooth_l1_loss",
    "aten.huber_loss",
    "aten.soft_margin_loss",
    "aten.binary_cross_entropy",
    "aten.binary_cross_entropy_with_logits",
)


def reduced(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """The loss of each element, reduced as for one sample."""
    name = row.names[0]
    if name.removesuffix("_backward") not in _ELEMENTWISE:
        return one_by_one(level, row, args)
    values = filled(row, args)
    place = row.signature.index["reduction"]
    how = values[place]
    tensors = [value for value in values if type(value) is Tensor]
    if name.endswith("_backward"):
        operand = values[1]
        values[0] = divided(values[0], how, operand)
    values[place] = NONE
    shape = common_shape([shape_of(tensor) for tensor in tensors])
    for k, value in enumerate(values):
        if type(value) is Tensor:
            found = level.physical(value)
            for _ in range(len(shape) - len(shape_of(value))):
                found = level.out(unsqueeze, found, 1)
            values[k] = found
    loss = level.wrap(level.out(row, *values))
    if how == NONE or name.endswith("_backward"):
        return loss
    return mean_all(loss) if how == MEAN else sum_all(loss)


def _nll(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """The probabilities that targets pick, weighted."""
    own, target, weight, how, ignored = filled(row, args)
    shape = shape_of(own)
    if len(shape) not in (1, 2) or shape_of(target) != shape[:-1] or not Tensor.numel(own):
        return one_by_one(level, row, args)
    counts, index, weights = _targets(level, own, target, weight, ignored)
    last = len(shape) - 1
    picked = neg(squeeze_dim(gather(own, last, unsqueeze(index, last)), last))
    losses = where_(counts, picked * weights, 0.0)
    total = sum_all(weights)
    if how == NONE:
        return losses, total if len(shape) == 1 else total * 0
    loss = sum_all(losses)
    return (loss / total if how == MEAN else loss), total


def _targets(level: Level, own: Tensor, target: Tensor, weight: Any, ignored: int) -> Any:
    """Which targets count, the classes that they are, and the weights of these."""
    counts = ne(target, ignored)
    index = where_(counts, target, 0)
    weights = to_dtype(counts, own.dtype)
    if weight is not None:
        chosen = index_select(level.detached(weight), 0, reshape(index, (-1,)))
        weights = weights * reshape(chosen, shape_of(target))
    return counts, index, weights


def _nll_backward(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Gradients of the probabilities that targets pick; the others have none."""
    grad, own, target, weight, how, ignored, total = filled(row, args)
    shape = shape_of(own)
    if len(shape) not in (1, 2) or shape_of(target) != shape[:-1] or not Tensor.numel(own):
        return one_by_one(level, row, args)
    counts, index, weights = _targets(level, own, target, weight, ignored)
    slope = neg(grad * weights)
    slope = where_(counts, slope / total if how == MEAN else slope, 0.0)
    last = len(shape) - 1
    zeros = where_(wrap(np.array(True)), 0.0, own)  # which do depend on the probabilities
    return scatter_src(zeros, last, unsqueeze(index, last), unsqueeze(slope, last))


RULES: Final[dict[str, Any]] = {
    "aten.nll_loss_forward": _nll,
    "aten.nll_loss_backward": _nll_backward,
}

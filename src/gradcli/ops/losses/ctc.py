"""Connectionist temporal classification (Graves et al. 2006): the loss of sequences whose alignment
with their labels is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import true_div
from gradcli.ops.algebra.comparison import eq, where_
from gradcli.ops.algebra.sums import mean_all, sum_all
from gradcli.ops.algebra.views import squeeze_dim, unsqueeze
from gradcli.ops.losses.reduction import MEAN, NONE, SUM, reduction_code
from gradcli.table.declare import composite, row
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative
from gradcli.table.registry import lookup
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, kinked
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Value

Lengths = Sequence[int]

_CHECKING = "(while checking arguments for ctc_loss_allocate_outputs)"


def _check(
    log_probs: Array, targets: Array, input_lengths: Lengths, target_lengths: Lengths, blank: int
) -> None:
    for place, (word, array, ranks) in enumerate(
        (("log_probs", log_probs, (3,)), ("targets", targets, (1, 2))), 1
    ):
        if array.ndim not in ranks:
            wanted = "1 to 2 dimensions" if len(ranks) > 1 else "3-dimensional tensor"
            raise RuntimeError(
                f"Expected {wanted}, but got {array.ndim}-dimensional tensor for argument "
                f"#{place} '{word}' {_CHECKING}"
            )
    steps, batch, labels = log_probs.shape
    if not 0 <= blank < labels:
        raise RuntimeError("blank must be in label range")
    if len(input_lengths) != batch:
        raise RuntimeError("input_lengths must be of size batch_size")
    if len(target_lengths) != batch:
        raise RuntimeError("target_lengths must be of size batch_size")
    for word, lengths in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        least = min(lengths, default=0)
        if least < 0:
            raise RuntimeError(
                f"Expected {word} to have value at least 0, but got value {least} {_CHECKING}"
            )
    if targets.ndim == 1:
        if targets.size != sum(target_lengths):
            raise RuntimeError(
                f"Expected tensor to have size {sum(target_lengths)} at dimension 0, but got size "
                f"{targets.size} for argument #2 'targets' {_CHECKING}"
            )
    elif targets.shape[0] != batch:
        raise RuntimeError(
            f"Expected tensor to have size {batch} at dimension 0, but got size "
            f"{targets.shape[0]} for argument #2 'targets' {_CHECKING}"
        )
    elif targets.shape[1] < max(target_lengths, default=0):
        raise RuntimeError(
            f"Expected tensor to have size at least {max(target_lengths)} at dimension 1, but got "
            f"size {targets.shape[1]} for argument #2 'targets' {_CHECKING}"
        )
    longest = max(input_lengths, default=0)
    if longest > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {longest} "
            f"{_CHECKING}"
        )


def _with_blanks(
    targets: Array, target_lengths: Lengths, sample: int, blank: int, count: int
) -> Array:
    """The labels of a sample with a blank before, between and behind them.

    Raises:
        RuntimeError: a label is none of `count`; PyTorch reads what lies elsewhere in memory.
    """
    length = target_lengths[sample]
    if targets.ndim == 1:
        start = sum(target_lengths[:sample])
        labels = targets[start : start + length]
    else:
        labels = targets[sample, :length]
    labels = labels.real.astype(np.int64)
    for label in labels[(labels < 0) | (labels >= count)]:
        raise RuntimeError(f"Expected targets to be labels from 0 to {count - 1}, but got {label}")
    full = np.full(2 * length + 1, blank, np.int64)
    full[1::2] = labels
    return full


def _forward_variables(probabilities: Array, states: Array) -> Array:
    """Logarithms of the probability of each prefix of the states, [step, state]."""
    alpha = np.full((len(probabilities), len(states)), -np.inf, probabilities.dtype)
    alpha[0, :2] = probabilities[0, states[:2]]
    # A state may follow the one two before it, unless the labels are the same: so blanks never do.
    skips = np.zeros(len(states), bool)
    skips[2:] = states[2:] != states[:-2]
    for step in range(1, len(probabilities)):
        previous = alpha[step - 1]
        total = previous.copy()
        total[1:] = np.logaddexp(total[1:], previous[:-1])
        total[2:] = np.where(skips[2:], np.logaddexp(total[2:], previous[:-2]), total[2:])
        alpha[step] = total + probabilities[step, states]
    return alpha


def _sample_loss(probabilities: Array, states: Array) -> Array:
    if not len(probabilities):
        return probabilities.dtype.type(0 if len(states) == 1 else np.inf)
    return -np.logaddexp.reduce(_forward_variables(probabilities, states)[-1, -2:])


def _ctc(
    log_probs: Array,
    targets: Array,
    input_lengths: Sequence[int],
    target_lengths: Sequence[int],
    blank: int = 0,
    zero_infinity: bool = False,
) -> Array:
    """The negative log-probability of each sequence of labels. Its gradient is that of the logits,
    of which log_probs is taken to be the log_softmax.
    """
    _check(log_probs, targets, input_lengths, target_lengths, blank)
    losses = [
        _sample_loss(
            log_probs[:steps, sample],
            _with_blanks(targets, target_lengths, sample, blank, log_probs.shape[2]),
        )
        for sample, steps in enumerate(input_lengths)
    ]
    return np.array(losses, log_probs.dtype)


def _ctc_backward(
    grad: Array,
    log_probs: Array,
    targets: Array,
    input_lengths: Sequence[int],
    target_lengths: Sequence[int],
    neg_log_likelihood: Array,
    blank: int,
    zero_infinity: bool,
) -> Array:
    """The gradient of ctc_loss; PyTorch cannot differentiate it again."""
    full = np.zeros_like(log_probs)
    for sample, steps in enumerate(input_lengths):
        loss = neg_log_likelihood[sample]
        if not steps or (zero_infinity and loss == np.inf):
            continue
        chosen = log_probs[:steps, sample]
        states = _with_blanks(targets, target_lengths, sample, blank, log_probs.shape[2])
        alpha = _forward_variables(chosen, states)
        beta = _forward_variables(chosen[::-1], states[::-1])[::-1, ::-1]
        through = np.full_like(chosen, -np.inf)
        for state, label in enumerate(states):
            through[:, label] = np.logaddexp(through[:, label], alpha[:, state] + beta[:, state])
        full[:steps, sample] = (np.exp(chosen) - np.exp(through + loss - chosen)) * grad[sample]
    return full


def _log_probs(r: Sampler, steps: int, batch: int, labels: int) -> Array:
    """Logarithms of probabilities; gradients of their losses are those of logits."""
    return kinked(np.log(r.probabilities(steps, batch, labels)))


ctc_backward: Row = row(
    "aten._ctc_loss_backward",
    _ctc_backward,
    node=NOT_IMPLEMENTED,
    linear="grad",
    log_probs=no_derivative("_ctc_loss_backward"),
    neg_log_likelihood=no_derivative("_ctc_loss_backward"),
    samples=lambda r: [
        (
            r(2),
            _log_probs(r, 5, 2, 4),
            np.array([[1, 2], [3, 3]]),
            (5, 4),
            (2, 1),
            r(2, low=1.0, high=5.0),
            0,
            False,
        )
    ],
    pytorch=(
        "aten._ctc_loss_backward(grad, log_probs, targets, input_lengths, target_lengths, "
        "neg_log_likelihood, aten._ctc_loss(log_probs.detach(), targets, input_lengths, "
        "target_lengths, blank)[1], blank, zero_infinity)"
    ),
)


def _ctc_vjp(
    grad: Any,
    log_probs: Any,
    targets: Any,
    input_lengths: Lengths,
    target_lengths: Lengths,
    result: Any,
    blank: int,
    zero_infinity: bool,
) -> Any:
    return ctc_backward(
        grad, log_probs, targets, input_lengths, target_lengths, result, blank, zero_infinity
    )


ctc_row: Row = row(
    "aten._ctc_loss",
    _ctc,
    kinds="d",
    kernel="ctc_loss_cpu",
    log_probs=_ctc_vjp,
    samples=lambda r: [
        (_log_probs(r, 5, 2, 4), np.array([[1, 2], [3, 3]]), (5, 4), (2, 1)),
        (_log_probs(r, 4, 2, 3), np.array([0, 1, 1]), (4, 2), (1, 2), 2, True),
    ],
    pytorch=(
        "aten._ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)[0]"
    ),
)


def _lengths(name: str, value: Tensor) -> list[int]:
    if value._array.dtype.kind not in "iu":
        raise RuntimeError(f"{name} must be integral")
    return [int(length) for length in looked_at(value).reshape(-1)]


@composite(
    "ctc_loss",
    samples=lambda r: [
        (_log_probs(r, 5, 2, 4), np.array([[1, 2], [3, 3]]), (5, 4), (2, 1), 0, 1),
        (_log_probs(r, 4, 2, 3), np.array([[1], [2]]), (4, 3), (1, 1)),
    ],
)
def torch_ctc_loss(
    log_probs: Value,
    targets: Value,
    input_lengths: Sequence[int],
    target_lengths: Sequence[int],
    blank: int = 0,
    reduction: int = NONE,
    zero_infinity: bool = False,
) -> Any:
    """The negative log-probability of each sequence of labels. Its gradient is that of the logits,
    of which log_probs is taken to be the log_softmax.
    """
    batched = log_probs.ndim == 3
    if not batched:
        log_probs = unsqueeze(log_probs, 1)
        targets = unsqueeze(targets, 0)
    loss = ctc_row(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    if zero_infinity:
        loss = where_(eq(loss, np.inf), wrap(np.zeros((), loss._array.dtype)), loss)
    if reduction == MEAN:
        counts = np.maximum(target_lengths, 1).astype(loss._array.dtype)
        return mean_all(true_div(loss, wrap(counts)))
    if reduction == SUM:
        return sum_all(loss)
    return loss if batched else squeeze_dim(loss, 0)


@composite(
    "ctc_loss",
    samples=lambda r: [
        (
            _log_probs(r, 4, 2, 3),
            np.array([0, 1, 1]),
            np.array([4, 2]),
            np.array([1, 2]),
            2,
            2,
            True,
        ),
    ],
)
def ctc_loss_of_tensors(
    log_probs: Value,
    targets: Value,
    input_lengths: Tensor,
    target_lengths: Tensor,
    blank: int = 0,
    reduction: int = NONE,
    zero_infinity: bool = False,
) -> Any:
    """The same with lengths in tensors."""
    lengths = (
        _lengths("input_lengths", input_lengths),
        _lengths("target_lengths", target_lengths),
    )
    return torch_ctc_loss(log_probs, targets, *lengths, blank, reduction, zero_infinity)


@composite(
    "nn.functional.ctc_loss",
    samples=lambda r: [
        (_log_probs(r, 5, 2, 4), np.array([[1, 2], [3, 3]]), (5, 4), (2, 1)),
        (
            _log_probs(r, 4, 2, 3),
            np.array([0, 1, 1]),
            np.array([4, 2]),
            np.array([1, 2]),
            2,
            "sum",
            True,
        ),
        (_log_probs(r, 4, 2, 3), np.array([[1], [2]]), (4, 3), (1, 1), {"reduction": "none"}),
    ],
)
def ctc_loss(
    log_probs: Value,
    targets: Value,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:
    """The negative log-probability of sequences of labels, divided by their lengths and averaged.
    Its gradient is that of the logits, of which log_probs is taken to be the log_softmax.
    """
    code = reduction_code(reduction)
    chosen: Any = lookup("ctc_loss")
    return chosen(log_probs, targets, input_lengths, target_lengths, blank, code, zero_infinity)

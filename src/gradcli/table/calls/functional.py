"""What PyTorch writes in Python in `torch.nn.functional`: heads, and what is done with arguments
until the first thing that refuses one. See `gradcli.table.calls.wrong`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.table.calls.parsed import Parsed, Written

torch = Parsed("")
nn = Parsed("nn.")
written = Written()


def _reduction(reduction: Any, size_average: Any = None, reduce: Any = None) -> int:
    """The number of a reduction, which old keywords may name."""
    if size_average is not None or reduce is not None:
        bool(size_average is None or size_average) and bool(reduce is None or reduce)
        return 0
    if reduction not in ("none", "mean", "elementwise_mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return 0


def _probability(p: Any) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def _activation(plain: Callable[..., None], inplace_: Callable[..., None]) -> Callable[..., None]:
    def head(input: Any, inplace: Any = False) -> None:
        (inplace_ if inplace else plain)(input)

    return head


written.like(_activation(torch.relu, torch.relu_), "relu")
written.like(_activation(torch.selu, torch.selu_), "selu")
written.like(_activation(nn.relu6, nn.relu6_), "relu6")
written.like(_activation(nn.silu, nn.silu_), "silu")
written.like(_activation(nn.mish, nn.mish_), "mish")
written.like(_activation(nn.hardsigmoid, nn.hardsigmoid_), "hardsigmoid")
written.like(_activation(nn.hardswish, nn.hardswish_), "hardswish")


@written
def elu(input: Any, alpha: Any = 1.0, inplace: Any = False) -> None:
    (nn.elu_ if inplace else nn.elu)(input, alpha)


@written
def celu(input: Any, alpha: Any = 1.0, inplace: Any = False) -> None:
    (torch.celu_ if inplace else torch.celu)(input, alpha)


@written
def leaky_relu(input: Any, negative_slope: Any = 0.01, inplace: Any = False) -> None:
    (nn.leaky_relu_ if inplace else nn.leaky_relu)(input, negative_slope)


@written
def hardtanh(input: Any, min_val: Any = -1.0, max_val: Any = 1.0, inplace: Any = False) -> None:
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    (nn.hardtanh_ if inplace else nn.hardtanh)(input, min_val, max_val)


@written
def rrelu(
    input: Any, lower: Any = 1 / 8, upper: Any = 1 / 3, training: Any = False, inplace: Any = False
) -> None:
    (torch.rrelu_ if inplace else torch.rrelu)(input, lower, upper, training)


def _threshold(input: Any, threshold: Any, value: Any, inplace: Any = False) -> None:
    (torch.threshold_ if inplace else torch.threshold)(input, threshold, value)


written.like(_threshold, "threshold", "_threshold")


@written
def glu(input: Any, dim: Any = -1) -> None:
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    nn.glu(input, dim)


@written
def sigmoid(input: Any) -> None:
    input.sigmoid()


@written
def tanh(input: Any) -> None:
    input.tanh()


@written
def tanhshrink(input: Any) -> None:
    input - input.tanh()


@written
def softsign(input: Any) -> None:
    input / (input.abs() + 1)


def _softmax(method: str, sign: int = 1) -> Callable[..., None]:
    def head(input: Any, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> None:
        if dim is None:
            dim = input.dim() - 1
        options = {} if dtype is None else {"dtype": dtype}
        getattr(-input if sign < 0 else input, method)(dim, **options)

    return head


written.like(_softmax("softmax"), "softmax")
written.like(_softmax("log_softmax"), "log_softmax")
written.like(_softmax("softmax", -1), "softmin")


@written
def gumbel_softmax(
    logits: Any, tau: Any = 1, hard: Any = False, eps: Any = 1e-10, dim: Any = -1
) -> None:
    torch.empty_like(logits)
    torch.div(logits, tau)
    torch.softmax(logits, dim)


@written
def dropout(input: Any, p: Any = 0.5, training: Any = True, inplace: Any = False) -> None:
    _probability(p)
    (torch.dropout_ if inplace else torch.dropout)(input, p, training)


def _alpha_dropout(
    plain: Callable[..., None], inplace_: Callable[..., None]
) -> Callable[..., None]:
    def head(input: Any, p: Any = 0.5, training: Any = False, inplace: Any = False) -> None:
        _probability(p)
        (inplace_ if inplace else plain)(input, p, training)

    return head


def _feature_dropout() -> Callable[..., None]:
    def head(input: Any, p: Any = 0.5, training: Any = True, inplace: Any = False) -> None:
        _probability(p)
        input.dim()
        (torch.feature_dropout_ if inplace else torch.feature_dropout)(input, p, training)

    return head


written.like(_alpha_dropout(torch.alpha_dropout, torch.alpha_dropout_), "alpha_dropout")
written.like(
    _alpha_dropout(torch.feature_alpha_dropout, torch.feature_alpha_dropout_),
    "feature_alpha_dropout",
)
for _dims in (1, 2, 3):
    written.like(_feature_dropout(), f"dropout{_dims}d")


@written
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    _reduction(reduction, size_average, reduce)
    target.size()
    input.size()
    if weight is not None:
        weight.size()


@written
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    pos_weight: Any = None,
) -> None:
    number = _reduction(reduction, size_average, reduce)
    target.size()
    input.size()
    torch.binary_cross_entropy_with_logits(input, target, weight, pos_weight, number)


def _two_inputs_loss(check: Callable[..., None], sized: bool) -> Callable[..., None]:
    def head(
        input1: Any,
        input2: Any,
        target: Any,
        margin: Any = 0,
        size_average: Any = None,
        reduce: Any = None,
        reduction: Any = "mean",
    ) -> None:
        number = _reduction(reduction, size_average, reduce)
        if sized:
            input1.dim(), input2.dim(), target.dim()
        check(input1, input2, target, margin, number)

    return head


def _margin_loss(check: Callable[..., None]) -> Callable[..., None]:
    def head(
        input: Any,
        target: Any,
        size_average: Any = None,
        reduce: Any = None,
        reduction: Any = "mean",
    ) -> None:
        check(input, target, _reduction(reduction, size_average, reduce))

    return head


def _weighted_loss(check: Callable[..., None]) -> Callable[..., None]:
    def head(
        input: Any,
        target: Any,
        size_average: Any = None,
        reduce: Any = None,
        reduction: Any = "mean",
        weight: Any = None,
    ) -> None:
        target.size()
        input.size()
        if weight is not None:
            weight.size()
        check(input, target, _reduction(reduction, size_average, reduce))

    return head


written.like(_two_inputs_loss(torch.cosine_embedding_loss, False), "cosine_embedding_loss")
written.like(_two_inputs_loss(torch.margin_ranking_loss, True), "margin_ranking_loss")
written.like(_margin_loss(nn.multilabel_margin_loss), "multilabel_margin_loss")
written.like(_margin_loss(nn.soft_margin_loss), "soft_margin_loss")
written.like(_weighted_loss(nn.l1_loss), "l1_loss")
written.like(_weighted_loss(nn.mse_loss), "mse_loss")


@written
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = -100,
    reduce: Any = None,
    reduction: Any = "mean",
    label_smoothing: Any = 0.0,
) -> None:
    number = _reduction(reduction, size_average, reduce)
    nn.cross_entropy_loss(input, target, weight, number, ignore_index, label_smoothing)


@written
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: Any = 0,
    reduction: Any = "mean",
    zero_infinity: Any = False,
) -> None:
    number = _reduction(reduction)
    torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, number, zero_infinity)


@written
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: Any = False,
    eps: Any = 1e-06,
    reduction: Any = "mean",
) -> None:
    if not isinstance(var, float):
        var < 0  # noqa: B015 - which is what may fail
        var.size()
    input.size()
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    torch.sub(input, target)


@written
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: Any = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    number = _reduction(reduction, size_average, reduce)
    torch.hinge_embedding_loss(input, target, margin, number)


@written
def huber_loss(
    input: Any, target: Any, reduction: Any = "mean", delta: Any = 1.0, weight: Any = None
) -> None:
    target.size()
    input.size()
    if weight is None:
        nn.huber_loss(input, target, _reduction(reduction), delta)
    else:
        weight.size()


@written
def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    log_target: Any = False,
) -> None:
    if size_average is not None or reduce is not None or reduction != "batchmean":
        _reduction(reduction, size_average, reduce)
    torch.kl_div(input, target, 0, log_target=log_target)


@written
def smooth_l1_loss(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    beta: Any = 1.0,
) -> None:
    target.size()
    input.size()
    nn.smooth_l1_loss(input, target, _reduction(reduction, size_average, reduce), beta)


@written
def multi_margin_loss(
    input: Any,
    target: Any,
    p: Any = 1,
    margin: Any = 1.0,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    number = _reduction(reduction, size_average, reduce)
    if p != 1 and p != 2:
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    nn.multi_margin_loss(input, target, p, margin, weight, number)


@written
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = -100,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    number = _reduction(reduction, size_average, reduce)
    nn.nll_loss_nd(input, target, weight, number, ignore_index)


@written
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: Any = True,
    full: Any = False,
    size_average: Any = None,
    eps: Any = 1e-08,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    number = _reduction(reduction, size_average, reduce)
    torch.poisson_nll_loss(input, target, log_input, full, eps, number)


@written
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: Any = 1.0,
    p: Any = 2,
    eps: Any = 1e-06,
    swap: Any = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    number = _reduction(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    torch.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, number)


@written
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Any = None,
    margin: Any = 1.0,
    swap: Any = False,
    reduction: Any = "mean",
) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    for tensor in (anchor, positive, negative):
        tensor.ndim  # noqa: B018 - which is what may fail


@written
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> None:
    if size_average is not None or reduce is not None:
        _reduction("mean", size_average, reduce)
    nn.log_sigmoid(input)
    target * input

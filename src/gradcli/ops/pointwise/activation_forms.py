"""Activation functions with parameters, halves or random slopes, and the callable forms of
``torch.nn.functional``, most of which take ``inplace``."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import absolute, sub
from gradcli.ops.algebra.comparison import ge, where_, zeros_like
from gradcli.ops.algebra.elementary import sigmoid, tanh
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.parts import narrow
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.ops.inplace.derive import apply_in_place
from gradcli.ops.pointwise.activation import (
    celu_row,
    elu_row,
    hardsigmoid_row,
    hardswish_row,
    hardtanh_row,
    leaky_relu_backward,
    leaky_relu_row,
    mish_row,
    relu_row,
    silu_row,
    threshold_row,
)
from gradcli.random.generator import default_generator
from gradcli.table.declare import composite, row
from gradcli.table.entry import Composite
from gradcli.table.row import COMMON, ITSELF, Row
from gradcli.table.samples import Sampler, Samples, fixed, kinked, pointwise, soft_samples
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import implicit_dim, wrap_dim
from gradcli.tensor.tensor import Tensor, constant, raw, wrap
from gradcli.typing import Array, Scalar, Value

# From Klambauer et al., "Self-Normalizing Neural Networks" (2017), in PyTorch's digits.
SELU_ALPHA: Final = 1.6732632423543772848170429916717
SELU_SCALE: Final = 1.0507009873554804934193349852946

# --- one slope per channel


def _prelu_kernel(self: Array, weight: Array) -> Array:
    """self, times a weight where it is negative."""
    return np.where(self > 0, self, weight * self)


def _prelu_kernel_backward(grad_output: Array, self: Array, weight: Array) -> Any:
    """The gradients of prelu, that of the weight not yet summed."""
    positive = self > 0
    zero = self.dtype.type(0)
    return (
        np.where(positive, grad_output, weight * grad_output),
        np.where(positive, zero, self * grad_output),
    )


def _prelu_double_grad_output(grads: Any, self: Any, weight: Any) -> Any:
    by_self, by_weight = grads
    positive = ge(self, 0)
    if by_self is None:
        return where_(positive, 0.0, by_weight * self)
    below = by_self * weight
    return where_(positive, by_self, below if by_weight is None else below + by_weight * self)


def _prelu_double_self(grads: Any, grad_output: Any, self: Any) -> Any:
    if grads[1] is None:
        return zeros_like(self)
    return where_(ge(self, 0), 0.0, grad_output * grads[1])


def _prelu_double_weight(grads: Any, grad_output: Any, self: Any) -> Any:
    if grads[0] is None:
        return zeros_like(self)
    return where_(ge(self, 0), 0.0, grad_output * grads[0])


prelu_kernel_backward: Row = row(
    "aten._prelu_kernel_backward",
    _prelu_kernel_backward,
    promote=COMMON,
    linear="grad_output",
    grad_output=_prelu_double_grad_output,
    self=_prelu_double_self,
    weight=_prelu_double_weight,
    samples=lambda r: [(r(3, 4), r(3, 4), r(1, 4))],
)
prelu_kernel: Row = row(
    "aten._prelu_kernel",
    _prelu_kernel,
    promote=COMMON,
    kinds="f",
    kernel="prelu_cpu",
    joint=("self weight", prelu_kernel_backward),
    samples=lambda r: [(r(3, 4), r(1, 4)), (r(), r())],
    kink="The weight at 0.",
)


@composite(
    "prelu|nn.functional.prelu",
    samples=lambda r: [(r(2, 3, 4), r(3)), (r(3), r(1)), (r(2, 3), r(1))],
)
def prelu(self: Value, weight: Value) -> Any:
    """self, times a weight (one, or one per channel) where it is negative."""
    if self.dtype is not weight.dtype:
        raise RuntimeError(
            "prelu: Type promoting not supported. Got "
            f"{self.dtype.scalar_name} and {weight.dtype.scalar_name}"
        )
    if weight.numel() != 1:
        if self.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = self.shape[1] if self.ndim > 1 else 1
        if channels != weight.numel():
            raise RuntimeError(
                "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
                f"{weight.numel()} and channel size = {channels}."
            )
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}"
        )
    if self.ndim != weight.ndim:
        shape = [1] * self.ndim
        if self.ndim > 1:
            shape[1] = weight.numel()
        weight = reshape(weight, shape)
    return prelu_kernel(self, weight)


# --- random slopes


def _rrelu(
    self: Array, noise: Array, lower: Scalar = 0.125, upper: Scalar = 1 / 3, training: bool = False
) -> Array:
    """self, times its noise where it is negative; times the mean slope when not training."""
    if training:
        return np.where(self <= 0, self * noise, self)
    return leaky_relu_row.forward(self, (lower + upper) / 2)


def _rrelu_backward(
    grad_output: Array, self: Array, noise: Array, lower: Scalar, upper: Scalar, training: bool
) -> Array:
    """The gradient of rrelu."""
    if training:
        return noise * grad_output
    return leaky_relu_backward.forward(grad_output, self, (lower + upper) / 2)


rrelu_backward: Row = row(
    "aten.rrelu_with_noise_backward",
    _rrelu_backward,
    linear="grad_output",
    grad_output=ITSELF,
    self=zeros_like,
    samples=lambda r: [
        (r(3, 4), r(3, 4), fixed(np.ones((3, 4))), 0.1, 0.3, False),
        (r(3, 4), kinked(r(3, 4)), fixed(r(3, 4, low=0.1)), 0.1, 0.3, True),
    ],
    pytorch=(
        "aten.rrelu_with_noise_backward(grad_output, self, noise, lower, upper, training, False)"
    ),
)
rrelu_with_noise: Row = row(
    "aten.rrelu_with_noise",
    _rrelu,
    self=rrelu_backward,
    samples=lambda r: [(r(3, 4), fixed(np.ones((3, 4))), 0.1, 0.3, False)],
)


def _slopes(input: Any, lower: float, upper: float, training: bool, generator: Any) -> Tensor:
    """The slopes that a call draws; none are needed when not training."""
    for name, bound in (("lower", lower), ("upper", upper)):
        if not math.isfinite(bound):
            raise RuntimeError(f"rrelu: {name} bound must be finite, got {bound:g}")
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    array = input._array
    if not training:
        return wrap(np.zeros_like(array))
    return wrap((generator or default_generator).rrelu_slopes(array, lower, upper))


def _random_slopes(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4),), (r(3), 0.1, 0.3), (r(3, 4), 0.1, 0.7, True)]


@composite("rrelu", samples=_random_slopes)
def torch_rrelu(
    input: Value,
    lower: Scalar = 0.125,
    upper: Scalar = 0.3333333333333333,
    training: bool = False,
    generator: Any = None,
) -> Any:
    """input, times a random slope in [lower, upper) where it is negative; the mean slope when not
    training.
    """
    slopes = _slopes(input, lower, upper, training, generator)
    return rrelu_with_noise(input, slopes, lower, upper, training)


@composite("rrelu_|nn.functional.rrelu_", samples=_random_slopes)
def torch_rrelu_(
    input: Value,
    lower: Scalar = 0.125,
    upper: Scalar = 0.3333333333333333,
    training: bool = False,
    generator: Any = None,
) -> Any:
    """rrelu in place."""
    slopes = _slopes(input, lower, upper, training, generator)
    return _in_place(rrelu_twin, input, slopes, lower, upper, training)


# --- gates of halves


def _half(shape: tuple[int, ...], dim: int) -> int:
    """The length of a half along ``dim``."""
    if not shape:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    length = shape[wrap_dim(dim, len(shape))]
    if length % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {wrap_dim(dim, len(shape))} is size "
            f"{length}"
        )
    return length // 2


def _halves(self: Array, dim: int) -> tuple[Array, Array]:
    half = _half(self.shape, dim)
    lead = (slice(None),) * wrap_dim(dim, self.ndim)
    return self[(*lead, slice(0, half))], self[(*lead, slice(half, None))]


def _glu(self: Array, dim: int = -1) -> Array:
    """The first half of a dimension times the sigmoid of the second."""
    first, second = _halves(self, dim)
    require_kinds(self.dtype, "f", "glu_cpu")
    return first * sigmoid.forward(second)


def _glu_backward(grad_output: Array, self: Array, dim: int) -> Array:
    """The gradient of glu."""
    first, second = _halves(self, dim)
    gate = sigmoid.forward(second)
    return np.concatenate(
        (gate * grad_output, (1 - gate) * gate * first * grad_output), wrap_dim(dim, self.ndim)
    )


def _glu_double_grad_output(grad: Any, self: Any, dim: int) -> Any:
    shape = list(shape_of(self))
    where, half = wrap_dim(dim, len(shape)), _half(tuple(shape), dim)
    shape[where] = half
    array = raw(self)
    ones = np.ones(shape, array.dtype)
    terms = grad * glu_backward(constant(ones, self), self, dim)
    return narrow(terms, where, 0, half) + narrow(terms, where, half, half)


def _glu_double_self(grad: Any, grad_output: Any, self: Any, dim: int) -> Any:
    where, half = wrap_dim(dim, len(shape_of(self))), _half(shape_of(self), dim)
    first = narrow(self, where, 0, half)
    gate = sigmoid(narrow(self, where, half, half))
    shut = sub(1, gate)
    slope = gate * shut
    by_first = narrow(grad, where, 0, half)
    by_second = narrow(grad, where, half, half)
    bend = slope * shut - gate * slope
    return cat(
        [
            by_second * grad_output * slope,
            by_second * first * grad_output * bend + by_first * grad_output * slope,
        ],
        where,
    )


glu_backward: Row = row(
    "aten.glu_backward",
    _glu_backward,
    linear="grad_output",
    grad_output=_glu_double_grad_output,
    self=_glu_double_self,
    samples=lambda r: [(r(3, 2), r(3, 4), 1)],
)
glu: Row = row(
    "nn.functional.glu",
    _glu,
    self=glu_backward,
    samples=lambda r: [(r(3, 4),), (r(4, 3), 0), (r(2),)],
)

# --- the forms that users call


def _in_place(kernel: Row, input: Any, *args: Any) -> Any:
    """Writes what a row makes of a tensor into its memory."""
    return apply_in_place(input, lambda values: kernel(values, *args))


def _run(kernel: Row, twin: Row, inplace: bool, input: Any, *args: Any) -> Any:
    """What a row makes of a tensor; with ``inplace`` the tensor changed as its twin does."""
    return _in_place(twin, input, *args) if inplace else kernel(input, *args)


def _twin(kernel: Row, node: str) -> Row:
    """The same row under the name that PyTorch's node of the in-place function has."""
    name = kernel.names[-1].rpartition(".")[2]
    ((_, formula),) = kernel.formulas
    first, *rest = kernel.signature.index
    formulas: dict[str, Any] = {kernel.signature.parameters[0].name: formula}
    made: Row = row(
        f"aten.{name}_in_place({kernel.parameters})",
        kernel.forward,
        promote=kernel.promote,
        node=node,
        samples=kernel.samples,
        doc=f"{name} as its in-place function records it.",
        pytorch=f"aten.{name}_({first}.clone(), {', '.join(rest)})",
        **formulas,
    )
    return made


elu_twin = _twin(elu_row, "EluBackward1")
celu_twin = _twin(celu_row, "CeluBackward1")
leaky_relu_twin = _twin(leaky_relu_row, "LeakyReluBackward1")
threshold_twin = _twin(threshold_row, "ThresholdBackward1")
rrelu_twin = _twin(rrelu_with_noise, "RreluWithNoiseBackward1")


def _like(
    name: str, kernel: Row, samples: Samples | None = None
) -> Callable[[Callable[..., Any]], Composite]:
    """Decorates ``nn.functional.NAME``, which calls a row and has its words."""
    return composite(
        f"nn.functional.{name}", samples=samples or kernel.samples, doc=kernel.doc, kink=kernel.kink
    )


@_like("relu", relu_row)
def relu(input: Value, inplace: bool = False) -> Any:
    return _run(relu_row, relu_row, inplace, input)


@_like("threshold", threshold_row)
def threshold(input: Value, threshold: float, value: float, inplace: bool = False) -> Any:
    return _run(threshold_row, threshold_twin, inplace, input, threshold, value)


@_like("leaky_relu", leaky_relu_row)
def leaky_relu(input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return _run(leaky_relu_row, leaky_relu_twin, inplace, input, negative_slope)


@_like("elu", elu_row, lambda r: [(r(3, 4),), (r(3), 1.5)])
def elu(input: Value, alpha: float = 1.0, inplace: bool = False) -> Any:
    return _run(elu_row, elu_twin, inplace, input, alpha)


@_like("celu", celu_row)
def celu(input: Value, alpha: float = 1.0, inplace: bool = False) -> Any:
    return _run(celu_row, celu_twin, inplace, input, alpha)


@_like("hardsigmoid", hardsigmoid_row)
def hardsigmoid(input: Value, inplace: bool = False) -> Any:
    return _run(hardsigmoid_row, hardsigmoid_row, inplace, input)


@_like("hardswish", hardswish_row)
def hardswish(input: Value, inplace: bool = False) -> Any:
    return _run(hardswish_row, hardswish_row, inplace, input)


@_like("silu", silu_row)
def silu(input: Value, inplace: bool = False) -> Any:
    return _run(silu_row, silu_row, inplace, input)


@_like("mish", mish_row)
def mish(input: Value, inplace: bool = False) -> Any:
    return _run(mish_row, mish_row, inplace, input)


@composite("celu", samples=celu_row.samples)
def torch_celu(input: Value, alpha: Scalar = 1.0) -> Any:
    """self, and alpha * (exp(self / alpha) - 1) below zero."""
    return celu_row(input, alpha)


@composite("selu", samples=pointwise())
def torch_selu(input: Value) -> Any:
    """elu with the parameters that keep mean and variance through many layers."""
    return elu_row(input, SELU_ALPHA, SELU_SCALE)


@composite("nn.functional.selu", samples=pointwise())
def selu(input: Value, inplace: bool = False) -> Any:
    """elu with the parameters that keep mean and variance through many layers."""
    return _run(elu_row, elu_twin, inplace, input, SELU_ALPHA, SELU_SCALE)


@composite("nn.functional.rrelu", samples=torch_rrelu.samples)
def rrelu(
    input: Value,
    lower: float = 0.125,
    upper: float = 0.3333333333333333,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """input, times a random slope in [lower, upper) where it is negative; the mean slope when not
    training.
    """
    if inplace:
        return torch_rrelu_(input, lower, upper, training)
    return torch_rrelu(input, lower, upper, training)


@_like("hardtanh", hardtanh_row)
def hardtanh(
    input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return _run(hardtanh_row, hardtanh_row, inplace, input, min_val, max_val)


def _underscored(parameters: str, kernel: Row, *fixed: Any, samples: Samples | None = None) -> None:
    """Enters the in-place function of a row, such as ``torch.relu_``."""

    def changed(input: Any, *args: Any) -> Any:
        return _in_place(kernel, input, *args, *fixed)

    name = parameters.partition("(")[0].rpartition(".")[2]
    composite(
        parameters, samples=samples or kernel.samples, doc=f"{name.removesuffix('_')} in place."
    )(changed)


_underscored("relu_|nn.functional.relu_(Tensor input)", relu_row)
_underscored(
    "selu_|nn.functional.selu_(Tensor input)", elu_twin, SELU_ALPHA, SELU_SCALE, samples=pointwise()
)
_underscored("celu_|nn.functional.celu_(Tensor input, Scalar alpha=1.0)", celu_twin)
_underscored(
    "threshold_|nn.functional.threshold_(Tensor input, Scalar threshold, Scalar value)",
    threshold_twin,
)
_underscored(
    "nn.functional.elu_(Tensor input, Scalar alpha=1.0)",
    elu_twin,
    samples=lambda r: [(r(3, 4),), (r(3), 1.5)],
)
_underscored("nn.functional.leaky_relu_(Tensor input, Scalar negative_slope=0.01)", leaky_relu_twin)
_underscored(
    "nn.functional.hardtanh_(Tensor input, Scalar min_val=-1, Scalar max_val=1)", hardtanh_row
)


@composite("nn.functional.relu6", samples=pointwise(-2.0, 8.0), kink=hardtanh_row.kink)
def relu6(input: Value, inplace: bool = False) -> Any:
    """input limited to [0, 6]."""
    return _run(hardtanh_row, hardtanh_row, inplace, input, 0, 6)


@composite("nn.functional.tanh", samples=pointwise())
def functional_tanh(input: Value) -> Any:
    """The hyperbolic tangent."""
    return tanh(input)


@composite("nn.functional.tanhshrink", samples=pointwise())
def tanhshrink(input: Value) -> Any:
    """input - tanh(input)."""
    return input - tanh(input)


@composite("nn.functional.softsign", samples=pointwise())
def softsign(input: Value) -> Any:
    """input / (1 + |input|)."""
    return input / (absolute(input) + 1)


@composite("nn.functional.softmin", samples=soft_samples)
def softmin(
    input: Value, dim: int | None = None, _stacklevel: int = 3, dtype: DType | None = None
) -> Any:
    """softmax(-input)."""
    where = implicit_dim(input.ndim) if dim is None else dim
    return (-input).softmax(where) if dtype is None else (-input).softmax(where, dtype=dtype)


@composite(
    "nn.functional.gumbel_softmax",
    samples=lambda r: [
        (r(3, 4),),
        (r(3, 4), 0.5, False, 1e-10, 0),
        (kinked(r(2, 3)), 2.0, True),
    ],
)
def gumbel_softmax(
    logits: Value, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Any:
    """A random sample of the relaxed categorical distribution; with ``hard`` a one-hot one whose
    gradient is that of the relaxed one.
    """
    array = logits._array
    noise = -np.log(default_generator.exponential(array.shape, 1.0, array.dtype))
    soft = ((logits + wrap(noise)) / tau).softmax(dim)
    if not hard:
        return soft
    where = wrap_dim(dim, array.ndim)
    winners = np.expand_dims(soft._array.argmax(where), where)
    one_hot = np.zeros_like(array)
    np.put_along_axis(one_hot, winners, 1, where)
    return wrap(one_hot) - soft.detach() + soft

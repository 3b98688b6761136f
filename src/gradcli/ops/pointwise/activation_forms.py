"""Gated activations, and the callable forms of
`torch.nn.functional`, most of which take `inplace`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import sub
from gradcli.ops.algebra.elementary import sigmoid
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.parts import narrow
from gradcli.ops.algebra.rounding import absolute
from gradcli.ops.algebra.trigonometry import tanh
from gradcli.ops.algebra.views import shape_of
from gradcli.ops.pointwise.activation import (
    celu_row,
    elu_row,
    hardsigmoid_row,
    hardswish_row,
    hardtanh_row,
    leaky_relu_row,
    relu_row,
    threshold_row,
)
from gradcli.ops.pointwise.smooth_activation import mish_row, silu_row
from gradcli.ops.pointwise.twins import in_place_of, run_twin, twin_of
from gradcli.random.generator import default_generator
from gradcli.table.declare import composite, row
from gradcli.table.entry import Composite
from gradcli.table.row import Row
from gradcli.table.samples import Samples, kinked, pointwise, soft_samples
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import implicit_dim, wrap_dim
from gradcli.tensor.tensor import constant, raw, wrap
from gradcli.typing import Array, Scalar, Value

# From Klambauer et al., "Self-Normalizing Neural Networks" (2017), in PyTorch's digits.
SELU_ALPHA: Final = 1.6732632423543772848170429916717
SELU_SCALE: Final = 1.0507009873554804934193349852946


def _half(shape: tuple[int, ...], dim: int) -> int:
    """The length of a half along `dim`."""
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


elu_twin = twin_of(elu_row, "EluBackward1")
celu_twin = twin_of(celu_row, "CeluBackward1")
leaky_relu_twin = twin_of(leaky_relu_row, "LeakyReluBackward1")
threshold_twin = twin_of(threshold_row, "ThresholdBackward1")


def _like(
    name: str, kernel: Row, samples: Samples | None = None
) -> Callable[[Callable[..., Any]], Composite]:
    """Decorates `nn.functional.NAME`, which calls a row and has its words."""
    return composite(
        f"nn.functional.{name}", samples=samples or kernel.samples, doc=kernel.doc, kink=kernel.kink
    )


@_like("relu", relu_row)
def relu(input: Value, inplace: bool = False) -> Any:
    return run_twin(relu_row, relu_row, inplace, input)


@_like("threshold", threshold_row)
def threshold(input: Value, threshold: float, value: float, inplace: bool = False) -> Any:
    return run_twin(threshold_row, threshold_twin, inplace, input, threshold, value)


@_like("leaky_relu", leaky_relu_row)
def leaky_relu(input: Value, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    return run_twin(leaky_relu_row, leaky_relu_twin, inplace, input, negative_slope)


@_like("elu", elu_row, lambda r: [(r(3, 4),), (r(3), 1.5)])
def elu(input: Value, alpha: float = 1.0, inplace: bool = False) -> Any:
    return run_twin(elu_row, elu_twin, inplace, input, alpha)


@_like("celu", celu_row)
def celu(input: Value, alpha: float = 1.0, inplace: bool = False) -> Any:
    return run_twin(celu_row, celu_twin, inplace, input, alpha)


@_like("hardsigmoid", hardsigmoid_row)
def hardsigmoid(input: Value, inplace: bool = False) -> Any:
    return run_twin(hardsigmoid_row, hardsigmoid_row, inplace, input)


@_like("hardswish", hardswish_row)
def hardswish(input: Value, inplace: bool = False) -> Any:
    return run_twin(hardswish_row, hardswish_row, inplace, input)


@_like("silu", silu_row)
def silu(input: Value, inplace: bool = False) -> Any:
    return run_twin(silu_row, silu_row, inplace, input)


@_like("mish", mish_row)
def mish(input: Value, inplace: bool = False) -> Any:
    return run_twin(mish_row, mish_row, inplace, input)


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
    return run_twin(elu_row, elu_twin, inplace, input, SELU_ALPHA, SELU_SCALE)


@_like("hardtanh", hardtanh_row)
def hardtanh(
    input: Value, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Any:
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    return run_twin(hardtanh_row, hardtanh_row, inplace, input, min_val, max_val)


def _underscored(parameters: str, kernel: Row, *fixed: Any, samples: Samples | None = None) -> None:
    """Enters the in-place function of a row, such as `torch.relu_`."""

    def changed(input: Any, *args: Any) -> Any:
        return in_place_of(kernel, input, *args, *fixed)

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
    return run_twin(hardtanh_row, hardtanh_row, inplace, input, 0, 6)


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
    """A random sample of the relaxed categorical distribution; with `hard` a one-hot one whose
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

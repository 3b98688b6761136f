"""Dropout: random elements or channels become zero, or the value that keeps mean and variance.

The noise is drawn as PyTorch draws it, so that the elements dropped after `manual_seed` are the
same; where nothing is dropped the input itself is returned and nothing is drawn.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.views import squeeze_dim, unsqueeze
from gradcli.random.generator import default_generator
from gradcli.table.declare import composite
from gradcli.table.samples import Sampler
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import wrap
from gradcli.typing import Value

# The limit of selu for large negative inputs is -_LIMIT (Klambauer et al. 2017).
_LIMIT: Final = 1.7580993408473766


def _check(p: float, error: type[Exception]) -> None:
    if not 0 <= p <= 1:
        raise error(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(
    input: Any,
    p: float,
    train: bool,
    *,
    features: bool = False,
    alpha: bool = False,
    inplace: bool = False,
) -> Any:
    """Multiplies by noise, of whole channels if `features`; `alpha` keeps the variance."""
    _check(p, RuntimeError)
    if p == 0 or not train or input.numel() == 0:
        return input
    array = input._array
    multiply = input.mul_ if inplace else input.mul
    if p == 1:
        return multiply(wrap(np.zeros((), array.dtype)))
    shape = array.shape
    if features:
        if len(shape) < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        shape = (*shape[:2], *(1,) * (len(shape) - 2))
    noise: Any = wrap(default_generator.bernoulli(shape, 1 - p, array.dtype))
    if not input.is_floating_point():
        # Arithmetic with a number, of which alpha dropout has some, turns booleans into integers.
        named = dtypes.int64 if alpha and input.dtype is dtypes.bool_ else input.dtype
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {named.scalar_name}"
        )
    if not alpha:
        return multiply(noise / (1 - p))
    scale = 1.0 / math.sqrt((_LIMIT * _LIMIT * p + 1) * (1 - p))
    offset = (noise - 1) * (_LIMIT * scale) + _LIMIT * scale * p
    scaled = multiply(noise * scale)
    return scaled.add_(offset) if inplace else scaled.add(offset)


def _calls(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (r(3, 4), 0.3, True),
        (r(2, 3, 4), 0.5, True),
        (r(3, 4), 0.0, True),
        (r(3, 4), 0.5, False),
        (r(3, 4), 1.0, True),
    ]


@composite("dropout", samples=_calls)
def torch_dropout(input: Value, p: float, train: bool) -> Any:
    """Each element zero with probability p, else divided by 1 - p."""
    return _drop(input, p, train)


@composite("feature_dropout", samples=_calls)
def torch_feature_dropout(input: Value, p: float, train: bool) -> Any:
    """Each channel zero with probability p, else divided by 1 - p."""
    return _drop(input, p, train, features=True)


@composite("alpha_dropout", samples=_calls)
def torch_alpha_dropout(input: Value, p: float, train: bool) -> Any:
    """Dropout that keeps the mean and variance of standardized inputs."""
    return _drop(input, p, train, alpha=True)


@composite("feature_alpha_dropout", samples=_calls)
def torch_feature_alpha_dropout(input: Value, p: float, train: bool) -> Any:
    """alpha_dropout of whole channels."""
    return _drop(input, p, train, features=True, alpha=True)


def _underscored(name: str, features: bool, alpha: bool) -> None:
    """Enters `torch.NAME_`, which drops in place."""

    def changed(input: Value, p: float, train: bool) -> Any:
        return _drop(input, p, train, features=features, alpha=alpha, inplace=True)

    composite(f"{name}_", samples=_calls, doc=f"{name} in place.")(changed)


for _features in (False, True):
    for _alpha in (False, True):
        _name = "feature_" * _features + "alpha_" * _alpha + "dropout"
        _underscored(_name, _features, _alpha)


@composite("nn.functional.dropout", samples=_calls)
def dropout(input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each element zero with probability p, else divided by 1 - p."""
    _check(p, ValueError)
    return _drop(input, p, training, inplace=inplace)


@composite("nn.functional.alpha_dropout", samples=_calls)
def alpha_dropout(
    input: Value, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """Dropout that keeps the mean and variance of standardized inputs."""
    _check(p, ValueError)
    return _drop(input, p, training, alpha=True, inplace=inplace)


@composite("nn.functional.feature_alpha_dropout", samples=_calls)
def feature_alpha_dropout(
    input: Value, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Any:
    """alpha_dropout of whole channels."""
    _check(p, ValueError)
    return _drop(input, p, training, features=True, alpha=True, inplace=inplace)


def _batched(input: Any, p: float, training: bool, inplace: bool, batched: bool) -> Any:
    """Drops channels; a sample without a batch dimension gets one meanwhile."""
    if batched:
        return _drop(input, p, training, features=True, inplace=inplace)
    if inplace:
        dropped = _drop(input.unsqueeze_(0), p, training, features=True, inplace=True)
        return dropped.squeeze_(0)
    return squeeze_dim(_drop(unsqueeze(input, 0), p, training, features=True), 0)


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)


@composite(
    "nn.functional.dropout1d",
    samples=lambda r: [(r(2, 3, 4), 0.3), (r(3, 4), 0.4), (r(3, 4), 0.5, False)],
)
def dropout1d(input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each channel of (N, C, L) or (C, L) zero with probability p, else divided by 1 - p."""
    _check(p, ValueError)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _batched(input, p, training, inplace, input.ndim == 3)


def _deprecated(name: str, ndim: int, spatial: int) -> str:
    return (
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an "
        "error in a future release. To retain the behavior and silence this warning, please use "
        f"dropout instead. Note that {name} exists to provide channel-wise dropout on inputs with "
        f"{spatial} spatial dimensions, a channel dimension, and an optional batch dimension (i.e. "
        f"{spatial + 1}D or {spatial + 2}D inputs)."
    )


@composite(
    "nn.functional.dropout2d", samples=lambda r: [(r(2, 3, 2, 2), 0.3), (r(2, 3, 2, 2), 0.5, False)]
)
def dropout2d(input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each channel of (N, C, ...) zero with probability p, else divided by 1 - p."""
    _check(p, ValueError)
    if input.ndim not in (3, 4):
        _warn(_deprecated("dropout2d", input.ndim, 2))
    if input.ndim == 3:
        _warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout "
            "behavior is desired - input is interpreted as shape (N, C, L), where C is the channel "
            "dim. This behavior will change in a future release to interpret the input as one "
            "without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
            "dropout behavior, please switch to using dropout1d instead."
        )
    return _batched(input, p, training, inplace, True)


@composite(
    "nn.functional.dropout3d",
    samples=lambda r: [(r(1, 2, 2, 2, 2), 0.3), (r(2, 2, 2, 2), 0.4), (r(2, 2, 2, 2), 0.5, False)],
)
def dropout3d(input: Value, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Each channel of (N, C, D, H, W) or (C, D, H, W) zero with probability p, else divided by 1 -
    p.
    """
    _check(p, ValueError)
    if input.ndim not in (4, 5):
        _warn(_deprecated("dropout3d", input.ndim, 3))
    return _batched(input, p, training, inplace, input.ndim == 5)

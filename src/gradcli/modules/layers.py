"""Layers."""

from __future__ import annotations

import math
from typing import Any

from gradcli.autograd.modes import no_grad
from gradcli.modules.module import Module
from gradcli.table.registry import lookup
from gradcli.tensor.public import public
from gradcli.tensor.tensor import Tensor


@public(
    name="Linear",
    label="torch.nn.modules.linear.Linear",
    calls=True,
)
class Linear(Module):
    """`x @ weight.T + bias`.

    `weight` (`out_features`, `in_features`) and `bias` begin as uniform numbers between
    plus and minus `1 / sqrt(in_features)`.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        options = {"device": device, "dtype": dtype}
        self.weight = _parameter((out_features, in_features), options)
        self.register_parameter("bias", _parameter((out_features,), options) if bias else None)
        # He et al., 2015, with a slope of sqrt(5).
        slope = math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))
        if in_features and out_features:
            _fill(self.weight, math.sqrt(3.0) * (slope / math.sqrt(in_features)))
        if bias:
            _fill(self.bias, 1 / math.sqrt(in_features) if in_features else 0)

    def forward(self, input: Tensor) -> Tensor:
        found: Tensor = _function("nn.functional.linear")(input, self.weight, self.bias)
        return found

    def extra_repr(self) -> str:
        with_bias = self.bias is not None
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={with_bias}"


def _function(name: str) -> Any:
    return lookup(name)


def _parameter(shape: tuple[int, ...], options: dict[str, Any]) -> Tensor:
    made: Tensor = _function("nn.Parameter")(_function("empty")(shape, **options))
    return made


def _fill(tensor: Tensor, bound: float) -> None:
    with no_grad():
        tensor.uniform_(-bound, bound)

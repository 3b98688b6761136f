"""Describes the answer to a call in plain values, for PyTorch and for this project alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.corner_calls import FIXED, named

REFUSALS = (RuntimeError, NotImplementedError, ValueError, IndexError, TypeError)
Description = dict[str, Any]


class Engine:
    """What describing needs of a tensor library.

    ``make`` turns an array into a tensor (that wants gradients or not), ``array`` a tensor into an
    array; ``gradients`` is ``torch.autograd.grad``, ``names`` are what expressions may use.
    """

    def __init__(
        self,
        names: dict[str, Any],
        kind: type,
        make: Callable[[Any, bool], Any],
        array: Callable[[Any], Any],
        gradients: Callable[..., Any],
    ) -> None:
        self.names = names
        self.kind = kind
        self.make = make
        self.array = array
        self.gradients = gradients

    def leaves(self, expression: str) -> dict[str, Any]:
        """The tensors that an expression names; floating ones want gradients."""
        return {
            name: self.make(array, array.dtype.kind in "fc" and name not in FIXED)
            for name, array in named(expression).items()
        }

    def tensors(self, value: Any) -> list[Any]:
        """The tensors in a result, also in tuples."""
        if isinstance(value, self.kind):
            return [value]
        if isinstance(value, (tuple, list)):
            return [tensor for item in value for tensor in self.tensors(item)]
        return []

    def describe(self, expression: str) -> Description:
        """Outputs, gradients under a weighting, and the gradients' nodes; or the error."""
        tensors = self.leaves(expression)
        try:
            value = eval(expression, dict(self.names), dict(tensors))
        except REFUSALS as error:
            return {"error": [type(error).__name__, str(error).split("\n")[0]]}
        outputs = self.tensors(value)
        made: Description = {
            "kind": type(value).__name__ if isinstance(value, tuple) else "",
            "outputs": [self._output(tensor) for tensor in outputs],
        }
        wanted = [tensor for tensor in outputs if tensor.requires_grad]
        leaves = [tensor for tensor in tensors.values() if tensor.requires_grad]
        if not (wanted and leaves):
            return made
        try:
            seeds = [self._seed(tensor) for tensor in wanted]
            found = self.gradients(wanted, leaves, seeds, create_graph=True, allow_unused=True)
        except REFUSALS as error:
            return made | {"refused": [type(error).__name__, str(error).split("\n")[0]]}
        made["slopes"] = [None if one is None else self._output(one) for one in found]
        return made

    def _seed(self, tensor: Any) -> Any:
        array = self.array(tensor)
        weights = np.cos(np.arange(array.size) + 1.0).reshape(array.shape)
        return self.make(weights.astype(array.dtype), True)

    def _output(self, tensor: Any) -> list[Any]:
        array = self.array(tensor)
        node = tensor.grad_fn
        return [
            str(tensor.dtype).removeprefix("torch."),
            list(array.shape),
            [_plain(value) for value in array.ravel().tolist()],
            None if node is None else node.name(),
        ]


def _plain(value: Any) -> Any:
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    if isinstance(value, float):
        return float(f"{value:.8g}") if math.isfinite(value) else str(value)
    return value


def differs(ours: Any, theirs: Any) -> bool:
    """Whether two descriptions differ by more than rounding."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() != theirs.keys() or any(differs(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) != len(theirs) or any(map(differs, ours, theirs))
    if isinstance(ours, float) and isinstance(theirs, float):
        return not math.isclose(ours, theirs, rel_tol=2e-6, abs_tol=1e-7)
    return type(ours) is not type(theirs) or bool(ours != theirs)

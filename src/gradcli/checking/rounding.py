"""How much rounding there is in an evaluation: the same with every operand a little off.

That of the value alone would not do: where an expression computes `1 - tanh(x)**2`, the rounding is
that of a number near one, however small what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.arithmetic import mul
from gradcli.table.row import Row
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

TRIALS: Final = 8
"""Evaluations whose operands are off."""

_DOUBLE: Final = (np.float64, np.complex128)
_EPSILON: Final = float(np.finfo(np.float64).eps)


class Rounding:
    """Listens to rows and rounds their operands at random: `with Rounding(rng): ...`."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._outer: Any = None

    def __enter__(self) -> None:
        self._outer = mode.listener
        mode.listener = self

    def __exit__(self, *_: object) -> None:
        mode.listener = self._outer

    def __call__(self, row: Row, args: tuple[Any, ...]) -> Any:
        """Runs a row; a view computes nothing, nor does a comparison, so that these have nothing to
        round: a variable that is compared with a number is what it is.
        """
        mode.listener = None
        try:
            is_exact = row.view or not row.differentiable
            return row.record(args if is_exact else tuple(map(self._rounded, args)))
        finally:
            mode.listener = self

    def _rounded(self, arg: Any) -> Any:
        if type(arg) is not Tensor or arg._array.dtype not in _DOUBLE:
            return arg
        off = 1 + _EPSILON * self._rng.integers(-1, 2, arg._array.shape)
        return mul(arg, wrap(np.asarray(off)))

    def read(self, tensor: Tensor) -> None:
        """What is read is as it is."""

    def opaque(self, name: str, node: Any, call: Any = None) -> None:
        """What is no row calls rows, which are heard of."""


def rounding(evaluated: Callable[[], Array]) -> Array:
    """How far each number of an evaluation may be off; infinite where that is not known."""
    rng = np.random.default_rng(0)
    exact = evaluated()
    found = np.zeros(exact.shape)
    for _ in range(TRIALS):
        with Rounding(rng):
            found = np.maximum(found, np.abs(evaluated() - exact))
    return np.where(np.isfinite(found), found, np.inf)

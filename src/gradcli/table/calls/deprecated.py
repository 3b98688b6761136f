"""Overloads that PyTorch takes with a warning: the factor stands before the tensors that it scales.

`x.add_(alpha, other)` is `x.add_(other, alpha=alpha)` (PyTorch's tools/autograd/deprecated.yaml).
"""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.tensor import Tensor
from gradcli.tensor.warn import warn

_FACTORS: Final = {"add": "alpha", "sub": "alpha", "addcmul": "value", "addcdiv": "value"}
_SCALED: Final = {
    "add": "Tensor other",
    "sub": "Tensor other",
    "addcmul": "Tensor tensor1, Tensor tensor2",
    "addcdiv": "Tensor tensor1, Tensor tensor2",
}


def modern(
    name: str, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """The arguments of such a call as they are given now, with PyTorch's warning; None for others.

    The tensor before the dot is the first of a method's `args`.
    """
    base = name.removesuffix("_")
    if base not in _FACTORS or kwargs or len(args) != 3 + _SCALED[base].count(","):
        return None
    first, factor, *scaled = args
    numbers = (int, float, complex)
    if type(first) is not Tensor or not isinstance(factor, numbers):
        return None
    if not all(type(value) is Tensor or isinstance(value, numbers) for value in scaled):
        return None
    tensors, parameter = _SCALED[base], f"Number {_FACTORS[base]}"
    before, after = ("", "") if method else ("Tensor input, ", ", Tensor out = None")
    old = f"{name}({before}{parameter}, {tensors}{', *' + after if after else ''})"
    new = f"{name}({before}{tensors}, *, {parameter} = 1{after})"
    warn(
        f"This overload of {name} is deprecated:\n\t{old}\n"
        f"Consider using one of the following signatures instead:\n\t{new}",
        once=True,
    )
    return (first, *scaled), {_FACTORS[base]: factor}

"""A tensor of one element as a Python number."""

from __future__ import annotations

from math import isfinite, isnan
from typing import Any

from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import looked_at
from gradcli.tensor.warn import LOSES_GRADIENT, warn


class Conversions:
    """What makes a Python number of a tensor."""

    __slots__ = ()

    _array: Any
    _value: Any

    @property
    def requires_grad(self) -> bool:
        raise NotImplementedError

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._value is not None and mode.listener is None:
            return self._value.item()
        if self._array.size != 1:
            raise RuntimeError(
                f"a Tensor with {self._array.size} elements cannot be converted to Scalar"
            )
        return looked_at(self).item()

    def __bool__(self) -> bool:
        if self._array.size == 1:
            return bool(looked_at(self))
        if self._array.size == 0:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
        raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")

    def __float__(self) -> float:
        if self.requires_grad:
            warn(LOSES_GRADIENT, once=True)
        return float(self._number("double"))

    def __int__(self) -> int:
        value = self._number("int64_t")
        if isinstance(value, float) and not isfinite(value):
            if isnan(value):
                raise ValueError("cannot convert float NaN to integer")
            raise OverflowError("cannot convert float infinity to integer")
        return int(value)

    def __complex__(self) -> complex:
        if self.requires_grad:
            warn(LOSES_GRADIENT, once=True)
        return complex(self._number(""))

    def _number(self, kind: str) -> Any:
        """The only element for a conversion; what `kind` names in PyTorch's words is real."""
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        value = looked_at(self).item()
        if isinstance(value, complex) and kind:
            if value.imag:
                raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
            return value.real
        return value

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(looked_at(self).item())

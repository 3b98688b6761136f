"""`torch.autograd.Variable`, from the time when tensors did not record by themselves."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.dtypes import INEXACT
from gradcli.tensor.public import public, word_of
from gradcli.tensor.tensor import Tensor, share

_NAME: Final = "torch.autograd.variable.Variable"


@public("__name__", name="VariableMeta", label="torch.autograd.variable.VariableMeta", calls=True)
class VariableType:
    """What makes such tensors, and serves as their type: all tensors are of it."""

    __slots__ = ()

    __name__ = "Variable"

    def __call__(self, data: Tensor, requires_grad: bool = False) -> Tensor:
        """A leaf over the memory of `data`, as old programs make it.

        Raises:
            TypeError: `data` is no tensor.
            RuntimeError: its type cannot require grad.
        """
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {word_of(data)}")
        leaf = share(data, data._array, differentiable=False)
        if requires_grad:
            if data._array.dtype.kind not in INEXACT:
                raise RuntimeError(
                    "Only Tensors of floating point and complex dtype can require gradients"
                )
            leaf._requires_grad = True
        return leaf

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Tensor)

    def __repr__(self) -> str:
        return f"<class '{_NAME}'>"


Variable: Final = VariableType()

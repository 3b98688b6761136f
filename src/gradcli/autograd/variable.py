"""`torch.autograd.Variable`, from the time when tensors did not record by themselves."""

from __future__ import annotations

from gradcli.tensor.dtypes import INEXACT
from gradcli.tensor.tensor import Tensor, share


def Variable(data: Tensor, requires_grad: bool = False) -> Tensor:
    """A leaf over the memory of `data`, as old programs make it.

    Raises:
        TypeError: `data` is no tensor.
        RuntimeError: its type cannot require grad.
    """
    if not isinstance(data, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
    leaf = share(data, data._array, differentiable=False)
    if requires_grad:
        if data._array.dtype.kind not in INEXACT:
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients"
            )
        leaf._requires_grad = True
    return leaf

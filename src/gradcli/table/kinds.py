"""Checks that kernels of PyTorch share, with PyTorch's messages."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from gradcli.tensor import dtypes
from gradcli.tensor.errors import no_kernel
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor

Array = Any

#: The node of an operator without a derivative.
NOT_IMPLEMENTED: Final = "torch::autograd::NotImplemented"


def kinds_only(array: Array, kernel: str, kinds: str) -> None:
    """Refuses types of other kinds (NumPy's letters) than those that PyTorch's kernel serves."""
    if array.dtype.kind not in kinds:
        raise no_kernel(kernel, array.dtype)


def floating_only(array: Array, kernel: str, complex_too: bool = False) -> None:
    """Refuses integers and booleans (and complex numbers) as a kernel without them does."""
    kinds_only(array, kernel, "fc" if complex_too else "f")


def refuse_complex(array: Array, kernel: str) -> None:
    """Refuses complex numbers, which have no order."""
    kinds_only(array, kernel, "fiub")


def numbers_only(array: Array, kernel: str) -> None:
    """Refuses booleans."""
    kinds_only(array, kernel, "fciu")


def kernel(name: str, kinds: str, forward: Any) -> Any:
    """A forward function that refuses types whose kinds (NumPy's letters) its kernel lacks."""

    def checked(self: Array, *rest: Any, **options: Any) -> Any:
        kinds_only(self, name, kinds)
        return forward(self, *rest, **options)

    return checked


def real_only(message: str, forward: Any, error: type[Exception] = RuntimeError) -> Any:
    """A forward function that refuses complex numbers with a message of its own."""

    def checked(self: Array, *rest: Any, **options: Any) -> Any:
        if self.dtype.kind == "c":
            raise error(message)
        return forward(self, *rest, **options)

    return checked


def convert(number: complex, kind: np.dtype[Any]) -> Any:
    """A Python number as a NumPy scalar, converted as in C; RuntimeError where it does not fit."""
    fits = True
    if kind.kind == "c":
        return kind.type(number)
    if isinstance(number, complex):
        fits, number = number.imag == 0, number.real
    if kind.kind in "iu" and math.isfinite(number):
        whole = int(number)
        limits = np.iinfo(kind)
        low = -int(limits.max) if kind.kind == "u" else int(limits.min)
        fits = fits and low <= whole <= int(limits.max)
        if fits:
            return np.asarray(whole).astype(kind)[()]
    if not fits:
        word = dtypes.from_numpy(kind).overflow_name
        raise RuntimeError(f"value cannot be converted to type {word} without overflow")
    return kind.type(number)


def constants(function: str, **arguments: Any) -> None:
    """Refuses tensors that require grad for arguments that a function has no formula for."""
    for name, value in arguments.items():
        if type(value) is Tensor and value._requires_grad and mode.enabled:
            raise RuntimeError(
                f"The function '{function}' is not differentiable with respect to argument "
                f"'{name}'. This input cannot have requires_grad True."
            )


def _failing(error: type[Exception], message: str, every: bool) -> Any:
    def fail_for_every(grads: Any) -> Any:
        raise error(message)

    def fail(grad: Any) -> Any:
        raise error(message)

    return fail_for_every if every else fail


def underived(what: str, every: bool = False) -> Any:
    """The formula of an argument that PyTorch has no derivative for, in an operator that has some.

    It fails where the first output has a gradient; with ``every``, where any has.
    """
    message = f"the derivative for '{what}' is not implemented."
    return _failing(NotImplementedError, message, every)


def no_derivative(name: str, every: bool = False) -> Any:
    """The formula of an operator that PyTorch has no derivative for; see ``underived``.

    Its node is called ``NOT_IMPLEMENTED``.
    """
    return _failing(RuntimeError, f"derivative for aten::{name} is not implemented", every)


def without_second_derivative(name: str) -> dict[str, Any]:
    """What a row says whose operator PyTorch has no derivative for: it fails when walked."""
    return {"node": NOT_IMPLEMENTED, "self": no_derivative(name)}

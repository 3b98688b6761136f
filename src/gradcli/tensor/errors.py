"""Errors that Python has no type for, and what kernels of PyTorch say about types they lack."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.tensor import dtypes


class _LinAlgError(RuntimeError):
    """A factorisation that does not exist: singular, not positive definite, not converging."""


class GradcheckError(RuntimeError):
    """A gradient that differs from what values say."""


def no_kernel(name: str, dtype: np.dtype[Any]) -> NotImplementedError:
    """The error of PyTorch's kernel `name`, which was not compiled for a type."""
    word = dtypes.from_numpy(dtype).scalar_name
    return NotImplementedError(f"\"{name}\" not implemented for '{word}'")


def serves(kinds: str, dtype: np.dtype[Any]) -> bool:
    """Whether a type is of some kinds: NumPy's letters, and "d" for floating ones but halves."""
    kind = dtype.kind
    if kind == "V":
        return "f" in kinds
    return kind in kinds or (kind == "f" and "d" in kinds and dtype.itemsize > 2)


def require_kinds(dtype: np.dtype[Any], kinds: str, kernel: str) -> None:
    """Refuses types of other kinds (see `serves`) than those that PyTorch's kernel serves.

    A row whose kernel is looked for before anything else says so by its key `kinds`.
    """
    if not serves(kinds, dtype):
        raise no_kernel(kernel, dtype)


def require_cast(source: dtypes.DType, target: dtypes.DType) -> None:
    """Refuses to write what is computed in one type to a tensor of a lower kind of type.

    Raises:
        RuntimeError: `target` is of a lower kind.
    """
    if not dtypes.can_cast(source, target):
        raise RuntimeError(
            f"result type {source.scalar_name} can't be cast to the desired output type "
            f"{target.scalar_name}"
        )

"""Errors that Python has no type for, and what kernels of PyTorch say about types they lack."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.tensor import dtypes


class _LinAlgError(RuntimeError):
    """A factorisation that does not exist: singular, not positive definite, not converging."""


def no_kernel(name: str, dtype: np.dtype[Any]) -> NotImplementedError:
    """The error of PyTorch's kernel ``name``, which was not compiled for a type."""
    word = dtypes.from_numpy(dtype).scalar_name
    return NotImplementedError(f"\"{name}\" not implemented for '{word}'")

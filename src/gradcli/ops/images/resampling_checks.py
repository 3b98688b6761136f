"""What interpolations are given: sizes and scale factors, checked in PyTorch's order and words."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.random.bounds import whole_number
from gradcli.table.schema import Mismatch, Signature
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes
from gradcli.tensor.classes import type_of
from gradcli.tensor.tensor import Tensor

Sizes = Sequence[int]


def _listed(given: Any, shape: Sizes, what: str, word: str, letter: str) -> list[Any]:
    """A size or scale for each spatial dimension, from one for all or a list."""
    dims = len(shape) - 2
    if not isinstance(given, (list, tuple)):
        return [given] * dims
    if len(given) != dims:
        told = "output size" if what == "output" else what
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(shape[2:])} and {word} {given}. Please provide input "
            f"tensor in (N, C, d1, d2, ...,dK) format and {told} in ({letter}1, {letter}2, "
            f"...,{letter}K) format."
        )
    return list(given)


def requested(
    shape: Sizes, size: Any, scale_factor: Any, recompute: bool
) -> tuple[list[Any] | None, list[Any] | None]:
    """The size to make or, where the taps follow from it, the scale factor; both unchecked."""
    if size is not None:
        sizes = _listed(size, shape, "output", "output size of", "o")
        if isinstance(size, (list, tuple)) and not all(map(_is_whole, sizes)):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, "
                f"int, int], but got size with types {[type_of(n) for n in sizes]}"
            )
        return sizes, None
    scales = _listed(scale_factor, shape, "scale_factor", "scale_factor of shape", "s")
    if not recompute:
        return None, scales
    return [_recomputed(n, scale) for n, scale in zip(shape[2:], scales, strict=True)], None


def _is_whole(value: Any) -> bool:
    """Whether a value can be a length: an integer, or a tensor of integers."""
    return isinstance(value, int) or (isinstance(value, Tensor) and value._array.dtype.kind in "iu")


def _recomputed(length: int, scale: Any) -> int:
    """The length that a scale factor makes, in Python's arithmetic and words as in PyTorch."""
    if isinstance(scale, Tensor):
        if scale.numel() != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        scale = scale.item()
    if not isinstance(scale, (int, float, complex, str, list, tuple)):
        raise TypeError(f"unsupported operand type(s) for *: 'int' and '{type_name(scale)}'")
    return whole_number(length * scale)


def _is_vast(number: float) -> bool:
    """Whether an integer is larger than every float."""
    return isinstance(number, int) and number.bit_length() > sys.float_info.max_exp


def _factors(name: str, scales: list[Any]) -> tuple[float, ...]:
    """The scale factors as numbers."""
    factors: list[float] = []
    for place, scale in enumerate(scales):
        if not isinstance(scale, (int, float)) or _is_vast(scale):
            raise TypeError(
                f"{name}(): argument 'scale_factors' must be tuple of floats, but found element "
                f"of type {type_name(scale)} at pos {place + 1}"
            )
        factors.append(float(scale))
    return tuple(factors)


def fitted(
    name: str, shape: Sizes, corners: bool, sizes: list[Any] | None, scales: list[Any] | None
) -> tuple[tuple[int, ...], tuple[float, ...] | None]:
    """The sizes and scale factors that a row takes, checked as PyTorch's binding does."""
    invalid = TypeError(
        f"{name}() received an invalid combination of arguments - got (Tensor, "
        f"{'NoneType' if sizes is None else 'list'}, {'bool, ' * corners}"
        f"{'NoneType' if scales is None else 'list'}), but expected one of:\n * (Tensor input, "
        f"tuple of ints output_size, {'bool align_corners, ' * corners}tuple of floats "
        "scale_factors)"
    )
    if sizes is not None:
        try:
            return Signature(name, "int[] output_size").bind((sizes,), {}, False)[0], None
        except Mismatch:
            raise invalid from None
    assert scales is not None
    if not isinstance(scales[0], (int, float, complex)):
        raise invalid
    factors = _factors(name, scales)
    products = [float(np.float32(n * s)) for n, s in zip(shape[2:], factors, strict=True)]
    return tuple(int(dtypes.convert(length, dtypes.int64)) for length in products), factors

"""What the random functions accept: bounds by element type, and PyTorch's errors about them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import FLOATS, HALVES
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.limits import float_limits

INT64_MIN: Final = -(2**63)
MANTISSA_BITS: Final = {"bfloat16": 8, "float16": 11, "float32": 24, "float64": 53}
"""The bits of a significand, the hidden one included."""


def scalar_name(dtype: np.dtype[Any]) -> str:
    """The name that messages give to a type: `Float`, `Long`."""
    return dtypes.from_numpy(dtype).scalar_name


def continuous_only(distribution: str, type_name: str) -> str:
    """The message of a distribution that has no integers."""
    return (
        f"{distribution} distribution is a continuous probability distribution. dtype must be a "
        f"floating point but you specified {type_name}"
    )


def check_uniform_bounds(low: float, high: float, dtype: np.dtype[Any]) -> None:
    """Raises unless `[low, high)` is an interval of the type."""
    largest = float(float_limits(dtype).max)
    for name, bound in (("from", low), ("to", high)):
        if not -largest <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {dtypes.from_numpy(dtype).c_name}")
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}"
        )
    if high - low > largest:
        name = scalar_name(dtype)
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{name}>::max(), but found "
            f"to={high:g} and from={low:g} which result in to-from to exceed the limit"
        )


def integer_bounds(low: int, high: int | None, dtype: np.dtype[Any]) -> tuple[int, int]:
    """The first and the last integer to draw for a type, or PyTorch's error."""
    if dtype.kind == "c":
        where = "random_from_to_impl" if high is None else "check_random_bounds"
        raise RuntimeError(f"{where} handles only integral, floating-point and boolean types")
    if dtype.kind in FLOATS:
        least, largest = -float(float_limits(dtype).max), float(float_limits(dtype).max)
        low = _representable_low(low, dtype)
        if high is None:
            last = 2 ** MANTISSA_BITS[dtype.name]
            if low >= last:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' "
                    f"casted to dtype, but got from={low} > to_inc={last}"
                )
        else:
            high = _representable_high(high, dtype)
            if low >= high:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, "
                    f"but got from={low} >= to={high}"
                )
            last = high - 1
    else:
        least, largest = (0, 1) if dtype.kind == "b" else _integer_limits(dtype)
        last = int(largest) if high is None else high - 1
    for name, bound in (("from", low), ("to - 1", last)):
        if not least <= bound <= largest:
            raise RuntimeError(f"{name} is out of bounds for {dtypes.from_numpy(dtype).c_name}")
    return low, last


def _integer_limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    limits = np.iinfo(dtype)
    return int(limits.min), int(limits.max)


def _through(value: int, dtype: np.dtype[Any]) -> int:
    """An integer to the floating type and back, kept within int64."""
    single = np.float32(value) if dtype.char in HALVES else value
    with np.errstate(over="ignore"):
        there = float(dtype.type(single))
    return INT64_MIN if not -(2.0**63) <= there < 2.0**63 else int(there)


def _representable_low(low: int, dtype: np.dtype[Any]) -> int:
    """Moves `low` up to a value that the floating type does not round below it."""
    rounded = _through(low + 1, dtype)
    if rounded < low:
        return rounded + (1 << (abs(low + 1).bit_length() - MANTISSA_BITS[dtype.name]))
    return low


def _representable_high(high: int, dtype: np.dtype[Any]) -> int:
    """Moves `high` down so that no drawn integer is rounded up to it."""
    rounded = _through(high - 1, dtype)
    if rounded >= high:
        return rounded - (1 << (abs(high - 1).bit_length() - MANTISSA_BITS[dtype.name]))
    return high


def check_permutation(n: int, dtype: np.dtype[Any]) -> None:
    """Raises unless the type holds the integers from 0 to n - 1."""
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if dtype.kind in "iu" and n > int(np.iinfo(dtype).max) + 1:
        raise RuntimeError(f"value cannot be converted to type {dtype.name}_t without overflow")
    if dtype.kind in FLOATS and n > 2 ** MANTISSA_BITS[dtype.name] + 1:
        name = scalar_name(dtype)
        limit = 2 ** MANTISSA_BITS[dtype.name] + 1
        raise RuntimeError(f"n cannot be greater than {limit} for {name} type.")
    require_kinds(dtype, "iuf", "randperm")


def whole_number(value: Any) -> int:
    """The value as `int` takes it; what that says about others is said here."""
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(str(error)) from None

"""`torch.testing.assert_close`: a comparison that says how far apart two values are."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.table.declare import composite
from gradcli.tensor import dtypes
from gradcli.tensor.public import handed_in
from gradcli.tensor.tensor import Tensor

TOLERANCES: Final = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5),
    "complex128": (1e-7, 1e-7),
}
"""Relative and absolute tolerances by type; other types must be equal."""


@composite(
    "testing.assert_close",
    samples=lambda r: [
        (np.ones(2), np.ones(2)),
        ([np.ones(2), 1.0], [np.ones(2) + 0.01, 1.0], {"rtol": 0.1, "atol": 0.0}),
        (np.array([np.nan]), np.array([np.nan]), {"equal_nan": True}),
        (np.ones(2), np.ones(2, np.int64), {"check_dtype": False}),
    ],
)
def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Any = None,
) -> None:
    """Raises AssertionError unless two tensors (or lists or dicts of them) are close."""
    if (rtol is None) != (atol is None):
        missing = "atol" if atol is None else "rtol"
        raise ValueError(
            "Both 'rtol' and 'atol' must be either specified or omitted, but got no "
            + missing
            + "."
        )
    complaint = _compare(actual, expected, (rtol, atol), equal_nan, check_dtype, check_stride, "")
    if complaint:
        raise AssertionError(handed_in(msg)(complaint) if callable(msg) else msg or complaint)


def _compare(
    actual: Any,
    expected: Any,
    given: tuple[float | None, float | None],
    equal_nan: bool,
    check_dtype: bool,
    check_stride: bool,
    path: str,
) -> str:
    """What is wrong, or an empty text."""
    rest = (given, equal_nan, check_dtype, check_stride)
    if isinstance(actual, dict) and isinstance(expected, dict):
        if actual.keys() != expected.keys():
            return "The keys of the mappings do not match."
        pairs = [(repr(key), actual[key], expected[key]) for key in actual]
    elif isinstance(actual, (list, tuple)) and isinstance(expected, (list, tuple)):
        if len(actual) != len(expected):
            return f"The length of the sequences mismatch: {len(actual)} != {len(expected)}"
        pairs = [(str(k), a, e) for k, (a, e) in enumerate(zip(actual, expected, strict=True))]
    else:
        complaint = _compare_leaves(actual, expected, *rest)
        return complaint + (
            f"\n\nThe failure occurred for item {path}" if complaint and path else ""
        )
    for key, one, other in pairs:
        complaint = _compare(one, other, *rest, f"{path}[{key}]")
        if complaint:
            return complaint
    return ""


def _compare_leaves(
    actual: Any,
    expected: Any,
    given: tuple[float | None, float | None],
    equal_nan: bool,
    check_dtype: bool,
    check_stride: bool,
) -> str:
    tensors = isinstance(actual, Tensor), isinstance(expected, Tensor)
    numbers = all(isinstance(value, (int, float, complex)) for value in (actual, expected))
    if not all(tensors) and not numbers:
        raise TypeError(
            "No comparison pair was able to handle inputs of type "
            f"{_class(actual)} and {_class(expected)}."
        )
    if all(tensors):
        if actual.shape != expected.shape:
            return _attribute("shape", actual.shape, expected.shape)
        if check_dtype and actual.dtype is not expected.dtype:
            return _attribute("dtype", actual.dtype, expected.dtype)
        if check_stride and actual.stride() != expected.stride():
            return _attribute("stride()", actual.stride(), expected.stride())
        a, e = actual._array, expected._array
        names = [actual.dtype.name, expected.dtype.name]
    else:
        a, e = np.asarray(actual), np.asarray(expected)
        names = [_number_type(actual), _number_type(expected)]
    limits = [TOLERANCES.get(name, (0.0, 0.0)) for name in names]
    default = max(limits)
    rtol = default[0] if given[0] is None else given[0]
    atol = default[1] if given[1] is None else given[1]
    return _distance(a, e, rtol, atol, equal_nan)


def _class(value: Any) -> str:
    return "<class 'torch.Tensor'>" if isinstance(value, Tensor) else str(type(value))


def _number_type(value: complex) -> str:
    if isinstance(value, (bool, int)):
        return "int64"
    return "float64" if isinstance(value, float) else "complex128"


def _attribute(name: str, a: Any, e: Any) -> str:
    return f"The values for attribute '{name}' do not match: {a!r} != {e!r}."


def _distance(a: Any, e: Any, rtol: float, atol: float, equal_nan: bool) -> str:
    if a.dtype.kind == "b":
        a, e = a.astype(np.int64), e.astype(np.int64)
    common = dtypes.promote_types(dtypes.of(a), dtypes.of(e)).np
    a, e = a.astype(common), e.astype(common)
    near = np.isclose(a, e, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if near.all():
        return ""
    away = np.abs(a - e)
    # As in PyTorch, whole numbers divide to single precision.
    kind = away.dtype if common.kind in dtypes.INEXACT else np.dtype(np.float32)
    relative = away.astype(kind) / np.abs(e).astype(kind)
    exact = rtol == 0 and atol == 0
    word = "equal" if exact else "close"
    allowed = ["", ""] if exact else [f" (up to {limit} allowed)" for limit in (atol, rtol)]
    if a.ndim == 0:
        share = away.item() / abs(e.item()) if e.item() else np.inf
        return (
            f"Scalars are not {word}!\n\nExpected {e.item()} but got {a.item()}.\n"
            f"Absolute difference: {away.item()}{allowed[0]}\n"
            f"Relative difference: {share}{allowed[1]}"
        )
    away_there = np.where(near, 0, away)
    relative_there = np.where(near, 0, relative)
    lines = [
        f"Tensor-likes are not {word}!\n",
        f"Mismatched elements: {(~near).sum()} / {near.size} ({(~near).mean():.1%})",
    ]
    for label, values, limit in (
        ("absolute", away_there, allowed[0]),
        ("relative", relative_there, allowed[1]),
    ):
        where = np.unravel_index(int(np.argmax(values)), values.shape)
        index = tuple(int(k) for k in where)
        lines.append(f"Greatest {label} difference: {values[index].item()} at index {index}{limit}")
    return "\n".join(lines)

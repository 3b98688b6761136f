"""Tensors of regular values: ranges, windows of signal processing, indices of triangles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.creation import leaf, requested
from gradcli.table.declare import composite
from gradcli.table.samples import Sampler
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import no_kernel
from gradcli.tensor.memory import reserve
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array, Operand, Scalar

_MOST: Final = (1 << 63) - 1


def _progression(start: float, step: float, count: int, dtype: DType) -> Array:
    """start, start + step, ... computed in double precision and rounded once."""
    reserve((count,), dtype.np.itemsize)
    places = np.arange(count)
    if dtype.category == dtypes.INTEGRAL:
        first, stride = (dtypes.convert(number, dtypes.int64) for number in (start, step))
        return (first + stride * places).astype(dtype.np)
    return (float(start) + float(step) * places).astype(dtype.np)


def _check_range(start: complex, end: complex, step: complex) -> None:
    if isinstance(start, complex) or isinstance(end, complex) or isinstance(step, complex):
        raise RuntimeError("value cannot be converted to type double without overflow")
    if not (step > 0 or step < 0):
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start:g} -> {end:g}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def _arange(start: Any, end: Any, step: Any, *options: Any) -> Tensor:
    dtype, requires_grad = requested(options)
    whole = all(isinstance(bound, int) for bound in (start, end, step))
    kind = dtype or (dtypes.int64 if whole else dtypes.default.dtype)
    if kind.category in (dtypes.BOOL, dtypes.COMPLEX):
        raise no_kernel("arange_cpu", kind.np)
    _check_range(start, end, step)
    if kind is dtypes.int64:
        start, end, step = (int(dtypes.convert(bound, kind)) for bound in (start, end, step))
        _check_range(start, end, step)
        count = -((start - end) // step)
    else:
        count = math.ceil((end - start) / step)
    if count > _MOST:
        raise RuntimeError("invalid size, possible overflow?")
    return leaf(_progression(start, step, count, kind), requires_grad)


@composite(
    "arange",
    samples=lambda r: [
        (4,),
        (2.5,),
        (0,),
        (3, {"dtype": dtypes.float64}),
        (3.0, {"requires_grad": True}),
    ],
)
def arange(end: Scalar, *options: Any) -> Tensor:
    """The numbers from 0 to below `end`: integers, unless a bound is fractional."""
    return _arange(0, end, 1, *options)


@composite(
    "arange",
    samples=lambda r: [
        (1, 4),
        (5, -2, -2),
        (0.5, 2.0, 0.3),
        (1, 2, 0.25),
        (1, 5, 2, {"dtype": dtypes.float64}),
    ],
)
def arange_from(start: Scalar, end: Scalar, step: Scalar = 1, *options: Any) -> Tensor:
    """The numbers from `start` to below `end` in steps."""
    return _arange(start, end, step, *options)


@composite(
    "range",
    samples=lambda r: [(1, 4), (0.5, 2.0, 0.3), (5, 1, -2), (1, 5, 2, {"dtype": dtypes.int64})],
)
def range_(start: Scalar, end: Scalar, step: Scalar = 1, *options: Any) -> Tensor:
    """The numbers from `start` to `end`, which is included, in steps."""
    dtype, requires_grad = requested(options)
    kind = dtype or dtypes.default.dtype
    _check_range(start, end, step)
    if kind.category in (dtypes.BOOL, dtypes.COMPLEX):
        raise no_kernel("range_cpu", kind.np)
    if kind is dtypes.int64:
        start, end, step = (int(dtypes.convert(bound, kind)) for bound in (start, end, step))
        _check_range(start, end, step)
    count = math.floor((end - start) / step) + 1
    return leaf(_progression(start, step, count, kind), requires_grad)


def _bound(value: Any, name: str, function: str) -> Any:
    """A bound that may be a tensor without dimensions."""
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"{function} only supports 0-dimensional start and end tensors, but got {name} with"
                f" {value.ndim} dimension(s)."
            )
        return value.item()
    return value


def _spaced(start: complex, end: complex, steps: int, dtype: DType, name: str) -> Array:
    """Points at equal distances, counted from both ends towards the middle as PyTorch does."""
    work = dtype.np
    reserve((steps,), work.itemsize)
    if steps == 0:
        return np.empty(0, work)
    if dtype.category == dtypes.BOOL and steps > 1:
        raise no_kernel(f"{name}_cpu", work)
    first, last = dtypes.convert(start, dtype), dtypes.convert(end, dtype)
    if dtype.category == dtypes.INTEGRAL:
        work = np.dtype(np.float64)
        first, last = work.type(first), work.type(last)
    if steps == 1:
        return np.array([first], work)
    step = (last - first) / work.type(steps - 1)
    places = np.arange(steps)
    if work.kind == "f":
        places = places.astype(work)
    rising = first + step * places
    falling = last - step * places[::-1]
    points: Array = np.where(np.arange(steps) < steps // 2, rising, falling)
    return points.astype(work)


def _spacing_type(dtype: DType | None, start: complex, end: complex, name: str) -> DType:
    inferred = dtypes.default.dtype
    if isinstance(start, complex) or isinstance(end, complex):
        inferred = inferred.to_complex()
        if dtype is not None and dtype.category != dtypes.COMPLEX:
            raise RuntimeError(
                f"torch.{name}(): inferred dtype {inferred.c_name} can't be safely cast to passed "
                f"dtype {dtype.scalar_name}"
            )
    return dtype or inferred


@composite(
    "linspace",
    samples=lambda r: [
        (0, 1, 5),
        (3.0, -2, 4),
        (2, 9, 1),
        (0, 1, 0),
        (0, 10, 4, {"dtype": dtypes.int64}),
        (0, 1, 4, {"dtype": dtypes.float64, "requires_grad": True}),
        (0, 1 + 1j, 3),
    ],
)
def linspace(start: Scalar, end: Scalar, steps: int, *options: Any) -> Tensor:
    """`steps` numbers at equal distances from `start` to `end`."""
    made: Tensor = linspace_between(start, end, steps, *options)
    return made


@composite(
    "linspace",
    samples=lambda r: [
        (r(), 3.0, 4),
        (-1, r(), 5),
        (np.array(2), r(), 3, {"dtype": dtypes.float64}),
    ],
)
def linspace_between(start: Operand, end: Operand, steps: int, *options: Any) -> Tensor:
    """The same with bounds in tensors without dimensions."""
    dtype, requires_grad = requested(options)
    first, last = _bound(start, "start", "linspace"), _bound(end, "end", "linspace")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = _spacing_type(dtype, first, last, "linspace")
    return leaf(_spaced(first, last, steps, kind, "linspace").astype(kind.np), requires_grad)


@composite(
    "logspace",
    samples=lambda r: [
        (0, 2, 5),
        (-1.0, 1, 4, 2.0),
        (np.array(0.5), 1, 3),
        (0, 3, 4, 2, {"dtype": dtypes.int64}),
        (0, 1, 1, {"dtype": dtypes.float64}),
    ],
)
def logspace(start: Operand, end: Operand, steps: int, base: float = 10.0, *options: Any) -> Tensor:
    """`base` to the powers of equally spaced exponents."""
    dtype, requires_grad = requested(options)
    first, last = _bound(start, "start", "logspace"), _bound(end, "end", "logspace")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = _spacing_type(dtype, first, last, "logspace")
    exponents = _spaced(first, last, steps, kind, "logspace")
    with np.errstate(all="ignore"):
        if exponents.dtype.kind == "f":
            exponents = exponents.astype(np.float64)
        powers = np.power(exponents.dtype.type(base), exponents)
    return leaf(powers.astype(kind.np), requires_grad)


def _window(
    name: str,
    length: int,
    periodic: bool,
    options: Sequence[Any],
    values: Any,
) -> Tensor:
    """A window: `values(places, last)` are its heights at 0, ..., `last`."""
    dtype, requires_grad = requested(options)
    if length < 0:
        raise RuntimeError(
            f"{name} requires non-negative window_length, got window_length={length}"
        )
    kind = dtype or dtypes.default.dtype
    if kind.category != dtypes.FLOATING:
        raise RuntimeError(
            f"{name} expects floating point dtypes, got: TensorOptions(dtype={kind.c_name}, "
            "device=cpu, layout=Strided (default), requires_grad=false (default), "
            "pinned_memory=false, memory_format=(nullopt))"
        )
    if length <= 1:
        return leaf(np.ones(length, kind.np), requires_grad)
    whole = length + 1 if periodic else length
    reserve((whole,), kind.np.itemsize)
    heights = values(np.arange(whole, dtype=kind.np), whole - 1)
    return leaf(heights[:length].astype(kind.np), requires_grad)


def _raised_cosine(alpha: float, beta: float) -> Any:
    def values(places: Array, last: int) -> Array:
        scalar = places.dtype.type
        turns = np.cos(places * scalar(2 * math.pi / last))
        return turns * scalar(-beta) + scalar(alpha)

    return values


def _samples_of_windows(r: Sampler) -> list[tuple[Any, ...]]:
    return [(5,), (4, False), (1,), (0,), (4, {"dtype": dtypes.float64, "requires_grad": True})]


@composite(
    "hamming_window",
    samples=lambda r: [
        (5,),
        (4, False),
        (4, True, 0.6, 0.3),
        (1,),
        (0,),
        (4, {"dtype": dtypes.float64}),
    ],
)
def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *options: Any,
) -> Tensor:
    """alpha - beta * cos(2 pi n / N)."""
    values = _raised_cosine(alpha, beta)
    return _window("hamming_window", window_length, periodic, options, values)


@composite("hann_window", samples=_samples_of_windows)
def hann_window(window_length: int, periodic: bool = True, *options: Any) -> Tensor:
    """(1 - cos(2 pi n / N)) / 2."""
    values = _raised_cosine(0.5, 0.5)
    return _window("hann_window", window_length, periodic, options, values)


def _bartlett(places: Array, last: int) -> Array:
    scalar = places.dtype.type
    heights = places * scalar(2 / last)
    half = last // 2 + 1
    heights[half:] = scalar(2) - heights[half:]
    return heights


@composite("bartlett_window", samples=_samples_of_windows)
def bartlett_window(window_length: int, periodic: bool = True, *options: Any) -> Tensor:
    """A triangle: 1 - |2 n / N - 1|."""
    return _window("bartlett_window", window_length, periodic, options, _bartlett)


def _blackman(places: Array, last: int) -> Array:
    scalar = places.dtype.type
    angles = places * scalar(math.pi / last)
    fast = np.cos(angles * scalar(4)) * scalar(0.08)
    slow = np.cos(angles * scalar(2)) * scalar(0.5)
    return fast - slow + scalar(0.42)


@composite("blackman_window", samples=_samples_of_windows)
def blackman_window(window_length: int, periodic: bool = True, *options: Any) -> Tensor:
    """0.42 - 0.5 cos(2 pi n / N) + 0.08 cos(4 pi n / N)."""
    return _window("blackman_window", window_length, periodic, options, _blackman)


@composite("kaiser_window", samples=lambda r: [*_samples_of_windows(r), (4, True, 5.0)])
def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *options: Any
) -> Tensor:
    """I0(beta sqrt(1 - (2 n / N - 1)^2)) / I0(beta), I0 the modified Bessel function."""

    def values(places: Array, last: int) -> Array:
        from scipy.special import i0

        middle = places * places.dtype.type(2 / last) - 1
        return i0(beta * np.sqrt(1 - middle.astype(np.float64) ** 2)) / i0(beta)

    return _window("kaiser_window", window_length, periodic, options, values)


def _triangle_indices(name: str, row: int, col: int, offset: int, options: Sequence[Any]) -> Tensor:
    dtype, _ = requested(options)
    for word, length in (("row", row), ("col", col)):
        if length < 0:
            raise RuntimeError(f"{word} must be non-negative, got{length}")
    kind = dtype or dtypes.int64
    if kind not in (dtypes.int32, dtypes.int64):
        raise no_kernel(name, kind.np)
    if 0 in (row, col):
        return wrap(np.empty((2, 0), kind.np))
    reserve((2, row, col), kind.np.itemsize // 2)
    offset = min(max(offset, -row), col)  # further out there is nothing
    pick = np.tril_indices if name == "tril_indices" else np.triu_indices
    return wrap(np.array(pick(row, offset, col), kind.np))


def _samples_of_triangles(r: Sampler) -> list[tuple[Any, ...]]:
    return [(3, 3), (2, 4, 1), (4, 2, -1), (0, 2), (3, 2, {"dtype": dtypes.int32})]


@composite("tril_indices", samples=_samples_of_triangles)
def tril_indices(row: int, col: int, offset: int = 0, *options: Any) -> Tensor:
    """Rows and columns of the elements on and below a diagonal."""
    return _triangle_indices("tril_indices", row, col, offset, options)


@composite("triu_indices", samples=_samples_of_triangles)
def triu_indices(row: int, col: int, offset: int = 0, *options: Any) -> Tensor:
    """Rows and columns of the elements on and above a diagonal."""
    return _triangle_indices("triu_indices", row, col, offset, options)

"""Fourier transforms, by `numpy.fft`.

As in PyTorch there are three rows (real to complex, complex to real, complex to complex), of which
all public functions are compositions. `normalization` is what the sum is divided by: nothing,
the square root of the number of points, or that number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.complex import conj_physical_row, real_part
from gradcli.ops.algebra.creation import leaf, requested, to_dtype
from gradcli.ops.algebra.padding import constant_pad
from gradcli.ops.algebra.parts import slice_
from gradcli.ops.algebra.placement import roll
from gradcli.ops.algebra.views import shape_of
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, Samples
from gradcli.tensor import dtypes
from gradcli.tensor.shapes import length_along, wrap_dim
from gradcli.tensor.tensor import Tensor, constant
from gradcli.typing import Array, Single

BY_NOTHING: Final = 0
BY_ROOT: Final = 1
BY_COUNT: Final = 2


def _normalized(values: Array, normalization: int, count: int) -> Array:
    if normalization == BY_NOTHING:
        return values
    divisor = math.sqrt(count) if normalization == BY_ROOT else count
    return values / values.real.dtype.type(divisor)


def _points(shape: Sequence[int], dim: Sequence[int]) -> int:
    return math.prod(shape[where] for where in dim)


def _c2c(self: Array, dim: Sequence[int], normalization: int, forward: bool) -> Array:
    """The transform of complex values."""
    if forward:
        values = np.fft.fftn(self, axes=dim)
    else:
        values = np.fft.ifftn(self, axes=dim, norm="forward")
    return _normalized(values, normalization, _points(self.shape, dim))


def _r2c(self: Array, dim: Sequence[int], normalization: int, onesided: bool) -> Array:
    """The transform of real values; onesided leaves out the redundant half."""
    values = np.fft.rfftn(self, axes=dim) if onesided else np.fft.fftn(self, axes=dim)
    return _normalized(values, normalization, _points(self.shape, dim))


def _c2r(self: Array, dim: Sequence[int], normalization: int, last_dim_size: int) -> Array:
    """The inverse transform of half a spectrum, real."""
    values = self
    if len(dim) > 1:
        values = np.fft.ifftn(values, axes=dim[:-1], norm="forward")
    values = np.fft.irfft(values, n=last_dim_size, axis=dim[-1], norm="forward")
    return _normalized(values, normalization, _points(values.shape, dim))


def _r2c_vjp(
    grad: Any, self_shape: Any, dim: Sequence[int], normalization: int, onesided: bool
) -> Any:
    if onesided:
        missing = self_shape[dim[-1]] - shape_of(grad)[dim[-1]]
        grad = constant_pad(grad, _padding(len(self_shape), dim[-1], missing))
    return real_part(fft_c2c(grad, dim, normalization, False))


def _c2r_vjp(grad: Any, dim: Sequence[int], normalization: int) -> Any:
    spectrum = fft_r2c(grad, dim, normalization, True)
    half, full = shape_of(spectrum)[dim[-1]], shape_of(grad)[dim[-1]]
    # Bins that stand for two of the full spectrum count twice.
    weights = np.ones(half, np.float64)
    weights[1 : 1 + full - half] = 2.0
    shape = [half if where == dim[-1] else 1 for where in range(len(shape_of(grad)))]
    scale = weights.reshape(shape)
    return spectrum * constant(scale, grad)


def _padding(ndim: int, where: int, missing: int) -> tuple[int, ...]:
    """The argument of `constant_pad_nd` that appends `missing` zeros along a dimension."""
    return (0, 0) * (ndim - 1 - where) + (0, missing)


fft_r2c: Row = row(
    "aten._fft_r2c",
    _r2c,
    linear="self",
    self=_r2c_vjp,
    samples=lambda r: [(r(3, 4), (0, 1), 0, True), (r(5), (0,), 1, True), (r(4), (0,), 2, False)],
)
fft_c2r: Row = row(
    "aten._fft_c2r",
    _c2r,
    linear="self",
    self=_c2r_vjp,
    samples=lambda r: [(r.complex(3, 3), (0, 1), 2, 4), (r.complex(3, 2), (0,), 1, 5)],
)
fft_c2c: Row = row(
    "aten._fft_c2c",
    _c2c,
    linear="self",
    self=lambda grad, dim, normalization, forward: fft_c2c(grad, dim, normalization, not forward),
    samples=lambda r: [(r.complex(3, 4), (0, 1), 1, True), (r.complex(3, 2), (0,), 2, False)],
)


def _normalization(norm: str | None, forward: bool) -> int:
    if norm is None or norm == "backward":
        return BY_NOTHING if forward else BY_COUNT
    if norm == "forward":
        return BY_COUNT if forward else BY_NOTHING
    if norm == "ortho":
        return BY_ROOT
    raise RuntimeError(f'Invalid normalization mode: "{norm}"')


def _floating(self: Tensor, complex_wanted: bool = False) -> Tensor:
    """The input in a type that can be transformed."""
    found = self.dtype
    if found.is_half:
        raise RuntimeError(f"Unsupported dtype {found.scalar_name}")
    if found.category < dtypes.FLOATING:
        found = dtypes.default.dtype
    return to_dtype(self, found.to_complex() if complex_wanted else found)  # type: ignore[no-any-return]


def _real_only(self: Tensor, name: str) -> Tensor:
    if self.is_complex():
        raise RuntimeError(
            f"{name} expects a real input tensor, but got {self.dtype.scalar_name}"
            if not name.endswith("n")
            else f"{name} expects a real-valued input tensor, but got {self.dtype.scalar_name}"
        )
    return _floating(self)


def _check_points(count: int) -> None:
    if count < 1:
        raise RuntimeError(f"Invalid number of data points ({count}) specified")


def _resized(self: Tensor, dim: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """The input cut or padded with zeros to `sizes` along `dim`."""
    padding = [0, 0] * self.ndim
    for where, size in zip(dim, sizes, strict=True):
        if self.shape[where] < size:
            padding[2 * (self.ndim - 1 - where) + 1] = size - self.shape[where]
        elif self.shape[where] > size:
            self = slice_(self, where, 0, size, 1)
    return constant_pad(self, tuple(padding)) if any(padding) else self


def _one_dim(self: Tensor, dim: int) -> int:
    if self.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, self.ndim)


def _one(self: Tensor, n: int | None, dim: int) -> tuple[Tensor, tuple[int]]:
    where = _one_dim(self, dim)
    size = self.shape[where] if n is None else n
    _check_points(size)
    return _resized(self, (where,), (size,)), (where,)


def _fft(self: Tensor, n: int | None, dim: int, norm: str | None, forward: bool) -> Any:
    self, where = _one(_floating(self), n, dim)
    scale = _normalization(norm, forward)
    if self.is_complex():
        return fft_c2c(self, where, scale, forward)
    spectrum = fft_r2c(self, where, scale, False)
    return spectrum if forward else conj(spectrum)


def _half(self: Tensor, n: int | None, dim: int, norm: str | None, forward: bool) -> Any:
    """irfft, or hfft when `forward`: a real result of n points from half a spectrum."""
    self = _floating(self, complex_wanted=True)
    where = _one_dim(self, dim)
    size = 2 * (self.shape[where] - 1) if n is None else n
    _check_points(size)
    self = _resized(self, (where,), (size // 2 + 1,))
    if forward:
        self = conj(self)
    return fft_c2r(self, (where,), _normalization(norm, forward), size)


def _arguments(
    self: Tensor, s: Sequence[int] | None, dim: Sequence[int] | None
) -> tuple[list[int], list[int]]:
    """Dimensions and sizes of a transform over several dimensions."""
    ndim = self.ndim
    if dim is not None:
        wrapped = [wrap_dim(d, ndim) for d in dim]
        if len(set(wrapped)) != len(wrapped):
            raise RuntimeError("FFT dims must be unique")
    if s is not None:
        if dim is not None and len(dim) != len(s):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
        if len(s) > ndim:
            raise RuntimeError(
                f"Got shape with {len(s)} values but input tensor only has {ndim} dimensions."
            )
        if dim is None:
            wrapped = list(range(ndim - len(s), ndim))
        sizes = [
            length_along(self.shape, w) if n == -1 else n for n, w in zip(s, wrapped, strict=True)
        ]
    else:
        if dim is None:
            wrapped = list(range(ndim))
        sizes = [length_along(self.shape, where) for where in (wrapped if dim is None else dim)]
    for size in sizes:
        _check_points(size)
    return wrapped, sizes


def _fftn(self: Tensor, s: Any, dim: Any, norm: str | None, forward: bool) -> Any:
    self = _floating(self, complex_wanted=True)
    where, sizes = _arguments(self, s, dim)
    return fft_c2c(
        _resized(self, where, sizes), tuple(where), _normalization(norm, forward), forward
    )


def _rfftn(self: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    self = _real_only(self, "rfftn")
    where, sizes = _arguments(self, s, dim)
    if not where:
        raise RuntimeError("rfftn must transform at least one axis")
    return fft_r2c(_resized(self, where, sizes), tuple(where), _normalization(norm, True), True)


def _half_n(
    self: Tensor, s: Any, dim: Any, norm: str | None, forward: bool
) -> tuple[Tensor, list[int], int]:
    """Input, dimensions and last size of irfftn and hfftn."""
    self = _floating(self, complex_wanted=True)
    where, sizes = _arguments(self, s, dim)
    name = "hfftn" if forward else "irfftn"
    if not where:
        raise RuntimeError(f"{name} must transform at least one axis")
    last = 2 * (self.shape[where[-1]] - 1) if s is None or s[-1] == -1 else sizes[-1]
    _check_points(last)
    sizes[-1] = last // 2 + 1
    return _resized(self, where, sizes), where, last


def _irfftn(self: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    spectrum, where, last = _half_n(self, s, dim, norm, False)
    return fft_c2r(spectrum, tuple(where), _normalization(norm, False), last)


def _hfftn(self: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    spectrum, where, last = _half_n(self, s, dim, norm, True)
    scale = _normalization(norm, True)
    if len(where) > 1:
        spectrum = fft_c2c(spectrum, tuple(where[:-1]), scale, True)
    return fft_c2r(conj(spectrum), (where[-1],), scale, last)


def _ihfftn(self: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Any:
    if self.is_complex():
        raise RuntimeError(
            f"Only supports floating-point dtypes, but found: {self.dtype.scalar_name}"
        )
    self = _floating(self)
    where, sizes = _arguments(self, s, dim)
    if not where:
        raise RuntimeError("ihfftn must transform at least one axis")
    scale = _normalization(norm, False)
    half = fft_r2c(_resized(self, where, sizes), (where[-1],), scale, True)
    if len(where) == 1:
        return conj(half)
    return fft_c2c(conj_physical_row(half), tuple(where[:-1]), scale, False)


def _line(r: Sampler) -> list[tuple[Any, ...]]:
    """Calls of transforms of real values along one dimension."""
    return [
        (r(5),),
        (r(3, 4), 6, 0, "ortho"),
        (r(2, 5), 4, -1, "forward"),
        (r.ints(4, high=9), None, 0, "backward"),
    ]


def _complex_line(r: Sampler) -> list[tuple[Any, ...]]:
    """Calls of transforms of complex values along one dimension."""
    return [
        (r(4),),
        (r.complex(3, 4), 6, 0, "ortho"),
        (r.complex(2, 5), 4, -1, "forward"),
        (r.complex(4), 5),
    ]


def _grid(r: Sampler) -> list[tuple[Any, ...]]:
    """Calls of transforms of real values along several dimensions."""
    return [
        (r(3, 4),),
        (r(3, 4), (4, 3), (1, 0), "ortho"),
        (r(2, 3, 4), (3, 5), (0, -1), "forward"),
        (r.ints(2, 3, high=9), (-1, 4)),
    ]


def _complex_grid(r: Sampler) -> list[tuple[Any, ...]]:
    """Calls of transforms of complex values along several dimensions."""
    return [
        (r(3, 4),),
        (r.complex(3, 4), (4, 3), (1, 0), "ortho"),
        (r.complex(2, 3, 4), (3, 5), (0, -1), "forward"),
        (r.complex(2, 3), (-1, 4)),
    ]


_TWO = "Tensor self, int[1]? s=None, int[1] dim=(-2, -1), str? norm=None"
_MANY = "Tensor self, int[1]? s=None, int[1]? dim=None, str? norm=None"
_SPECTRUM = "The discrete Fourier transform"


@composite("fft.fft", samples=lambda r: [*_complex_line(r), *_line(r)])
def fft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The discrete Fourier transform of one dimension."""
    return _fft(self, n, dim, norm, True)


@composite("fft.ifft", samples=lambda r: [*_complex_line(r), *_line(r)])
def ifft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of fft."""
    return _fft(self, n, dim, norm, False)


@composite("fft.rfft", samples=_line)
def rfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """Half the transform of reals."""
    self, where = _one(_real_only(self, "rfft"), n, dim)
    return fft_r2c(self, where, _normalization(norm, True), True)


@composite("fft.irfft", samples=_complex_line)
def irfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of rfft."""
    return _half(self, n, dim, norm, False)


@composite("fft.hfft", samples=_complex_line)
def hfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The transform of a signal that is symmetric, given by half of it; real."""
    return _half(self, n, dim, norm, True)


@composite("fft.ihfft", samples=_line)
def ihfft(self: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Any:
    """The inverse of hfft."""
    self, where = _one(_real_only(self, "ihfft"), n, dim)
    return conj(fft_r2c(self, where, _normalization(norm, False), True))


def _several(name: str, many: Any, doc: str, samples: Samples = _complex_grid) -> None:
    """Enters the transform over given dimensions and the one over the last two."""
    composite(f"fft.{name}n({_MANY})", samples=samples, doc=doc)(many)
    composite(f"fft.{name}2({_TWO})", samples=samples, doc=f"{doc[:-1]}, the last two.")(many)


_several(
    "fft",
    lambda self, s=None, dim=None, norm=None: _fftn(self, s, dim, norm, True),
    f"{_SPECTRUM} over several dimensions.",
)
_several(
    "ifft",
    lambda self, s=None, dim=None, norm=None: _fftn(self, s, dim, norm, False),
    "The inverse of fftn over several dimensions.",
)
_several("rfft", _rfftn, "Half the transform of reals over several dimensions.", _grid)
_several("irfft", _irfftn, "The inverse of rfftn over several dimensions.")
_several("hfft", _hfftn, "The real transform of a symmetric signal over several dimensions.")
_several("ihfft", _ihfftn, "The inverse of hfftn over several dimensions.", _grid)


def _shift(self: Tensor, dim: Any, inverse: bool) -> Any:
    where = range(self.ndim) if dim is None else [wrap_dim(d, self.ndim) for d in dim]
    halves = [(self.shape[w] + inverse) // 2 for w in where]
    return roll(self, tuple(halves), tuple(where))


@composite("fft.fftshift", samples=lambda r: [(r(4, 5),), (r(4, 5), (1,)), (r(4, 5), (-2, 1))])
def fftshift(self: Tensor, dim: Single | None = None) -> Any:
    """Moves the zero frequency to the middle."""
    return _shift(self, dim, False)


@composite("fft.ifftshift", samples=lambda r: [(r(4, 5),), (r(4, 5), (1,)), (r(4, 5), (-2, 1))])
def ifftshift(self: Tensor, dim: Single | None = None) -> Any:
    """Undoes fftshift."""
    return _shift(self, dim, True)


def _frequencies(name: str, bins: Array, n: int, d: float, options: Sequence[Any]) -> Tensor:
    dtype, requires_grad = requested(options)
    kind = dtype or dtypes.default.dtype
    if kind.category < dtypes.FLOATING:
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    return leaf((bins * (1.0 / (n * d)) if n else bins).astype(kind.np), requires_grad)


@composite(
    "fft.fftfreq",
    samples=lambda r: [(5,), (4, 0.5), (3, {"dtype": dtypes.float64, "requires_grad": True})],
)
def fftfreq(n: int, d: float = 1.0, *options: Any) -> Tensor:
    """The frequencies of fft's bins."""
    bins = np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return _frequencies("fftfreq", bins, n, d, options)


@composite(
    "fft.rfftfreq",
    samples=lambda r: [(5,), (4, 0.5), (3, {"dtype": dtypes.float64, "requires_grad": True})],
)
def rfftfreq(n: int, d: float = 1.0, *options: Any) -> Tensor:
    """The frequencies of rfft's bins."""
    return _frequencies("rfftfreq", np.arange(n // 2 + 1), n, d, options)

"""PyTorch's random numbers on the CPU: the same stream, the same values.

How many bits a call takes and how they become values follows PyTorch's kernels for AVX2 and later,
so that any sequence of calls stays in step with PyTorch after `manual_seed`. (On processors by
Intel, PyTorch may hand `bernoulli_(p)` and `exponential_` to a generator of the MKL; here they
go the way of all others.)

Everything works on shapes and NumPy arrays. A shape is filled in row-major order. An empty shape
draws nothing, but bad parameters are still errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, SupportsFloat, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gradcli.random.bitstream import BitStream
from gradcli.random.bounds import (
    INT64_MIN,
    MANTISSA_BITS,
    check_permutation,
    check_uniform_bounds,
    continuous_only,
    integer_bounds,
    scalar_name,
)
from gradcli.random.boxmuller import box_muller32
from gradcli.random.fma import Float64s, fma32, fma64
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import FLOATS, HALVES
from gradcli.tensor.errors import no_kernel, require_kinds
from gradcli.tensor.public import public

Array: TypeAlias = NDArray[Any]
Shape: TypeAlias = tuple[int, ...]

_NO_MASS: Final = "invalid multinomial distribution (sum of probabilities <= 0)"


def _libm(function: Callable[[float], float], values: Float64s) -> Float64s:
    """Applies a function of the C library, as PyTorch does; NumPy's own differ in the last bit."""
    return np.fromiter(map(function, values.tolist()), np.float64, values.size)


def _affine64(values: Float64s, scale: float, offset: float) -> Float64s:
    """`values * scale + offset` rounded once."""
    if offset == 0 or abs(math.frexp(scale)[0]) == 0.5:  # at most one of the two steps rounds
        return values * scale + offset
    return fma64(values, scale, offset)


def _cast(values: Array, dtype: np.dtype[Any], shape: Shape) -> Array:
    """Converts doubles or int64 as C++ does: to half by way of single."""
    if dtype.char in HALVES:
        values = values.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        return values.astype(dtype, copy=False).reshape(shape)


@public(name="torch._C.Generator")
class Generator(BitStream):
    """A stream of random numbers, `torch.Generator` for the CPU."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<torch._C.Generator object at {id(self):#x}>"

    def rand(self, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """Uniforms on [0, 1), `torch.rand`: of 53 bits if double, else of 24."""
        return self.uniform(shape, 0.0, 1.0, dtype)

    def uniform(
        self, shape: Shape, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32
    ) -> Array:
        """Uniforms on [low, high), `uniform_`; complex types get them as parts."""
        dtype = np.dtype(dtype)
        if dtype.kind == "c":
            parts = self.uniform((*shape, 2), low, high, dtypes.from_numpy(dtype).to_real().np)
            return parts.view(dtype).reshape(shape)
        require_kinds(dtype, "f", "check_uniform_bounds")
        standard = low == 0 and high == 1
        if not standard:
            check_uniform_bounds(low, high, dtype)
        count = math.prod(shape)
        if dtype == np.float64:
            doubles = self._uniform64(count)
            if not standard:
                doubles = _affine64(doubles, high - low, low)
                doubles[doubles == high] = low  # rounded up to the excluded end
            return doubles.reshape(shape)
        singles = self._uniform32(count)
        if standard and dtype == np.float32:
            return singles.reshape(shape)
        low32, high32 = np.float32(low), np.float32(high)
        values = fma32(singles, high32 - low32, low32).astype(dtype, copy=False)
        values[values == high32.astype(dtype)] = low32.astype(dtype)
        return values.reshape(shape)

    def randn(self, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """Standard normals, `torch.randn`; complex ones have variance 1/2 in either part."""
        return self.normal(shape, 0.0, 1.0, dtype)

    def normal(
        self,
        shape: Shape,
        mean: float = 0.0,
        std: float = 1.0,
        dtype: DTypeLike = np.float32,
        *,
        contiguous: bool = True,
    ) -> Array:
        """Normals, `normal_`.

        Contiguous tensors of 16 and more elements are filled in blocks of 16, and an incomplete
        last block redraws the last 16 values. Fewer elements, or strided ones
        (`contiguous=False`), are drawn in pairs in double precision; the unused second value of
        a pair is kept for the next such call.
        """
        dtype = np.dtype(dtype)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
        count = math.prod(shape)
        if dtype.kind == "c":
            real = dtypes.from_numpy(dtype).to_real().np
            parts = self.normal((*shape, 2), mean, std / math.sqrt(2), real, contiguous=contiguous)
            return parts.view(dtype).reshape(shape)
        if count == 0:
            return np.empty(shape, dtype)
        require_kinds(dtype, "f", "normal_kernel_cpu")
        if count < 16 or not contiguous:
            return _cast(_affine64(self._normal_pairs(count), std, mean), dtype, shape)
        # Single precision draws for all elements, then for the last 16 again; half precision skips
        # the elements of the incomplete block.
        skipped = count % 16 if dtype.char in HALVES else 0
        redrawn = 16 if count % 16 else 0
        drawn = count - skipped + redrawn
        if dtype == np.float64:
            doubles = self._uniform64(drawn)
            return _fill_blocks(doubles, count, lambda u: _box_muller64(u, mean, std), shape)
        singles = self._uniform32(drawn)
        filled = _fill_blocks(singles, count, lambda u: box_muller32(u, mean, std), shape)
        return filled.astype(dtype, copy=False)

    def _normal_pairs(self, count: int) -> Float64s:
        """Standard normals by Box-Muller in double precision, the kept value first."""
        values = []
        if self._normal is not None and count:
            values.append(self._normal)
            self._normal = None
        pairs = (count - len(values) + 1) // 2
        words = self._take(4 * pairs).tolist()
        for i in range(0, 4 * pairs, 4):
            angle = 2 * math.pi * (((words[i] & 0x1FFFFF) << 32 | words[i + 1]) * 2.0**-53)
            u = ((words[i + 2] & 0x1FFFFF) << 32 | words[i + 3]) * 2.0**-53
            radius = math.sqrt(-2.0 * math.log1p(-u))
            values.append(radius * math.cos(angle))
            values.append(radius * math.sin(angle))
        if len(values) > count:
            self._normal = values.pop()
        return np.array(values)

    def normal_like(self, mean: Array | float, std: Array | float) -> Array:
        """`torch.normal` with a tensor for the mean, the standard deviation or both.

        The tensors broadcast; the result has the type of `mean`, or of `std` if that is the
        only tensor. One standard normal per element is drawn, then scaled and shifted in that type.
        """
        if not isinstance(std, np.ndarray):
            assert isinstance(mean, np.ndarray), "one of the two is a tensor"
            return _in_place(np.add, self.normal(mean.shape, 0.0, std, mean.dtype), mean)
        if std.dtype.kind == "c":
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.size and not std.min() >= 0:
            raise RuntimeError("normal expects all elements of std >= 0.0")
        if not isinstance(mean, np.ndarray):
            mean = np.asarray(mean, std.dtype)
            draws = self.randn(std.shape, std.dtype)
        else:
            draws = self.randn(np.broadcast_shapes(mean.shape, std.shape), mean.dtype)
        return _in_place(np.add, _in_place(np.multiply, draws, std), mean)

    # Integers

    def randint(
        self, low: int, high: int | None, shape: Shape, dtype: DTypeLike = np.int64
    ) -> Array:
        """Integers on [low, high), `torch.randint` and `random_(low, high)`.

        `high=None` stands for all that the type holds above `low`. Ranges from 2**28 on take
        two words an element, smaller ones one; the remainder is taken, a slight bias included.
        """
        dtype = np.dtype(dtype)
        if high is not None and low >= high:
            raise RuntimeError(
                f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
            )
        if high is None and low == INT64_MIN:
            return self._random_full_range(shape, dtype)
        low, last = integer_bounds(low, high, dtype)
        span = last - low + 1
        count = math.prod(shape)
        if span >= 2**28:
            remainders = self.random64(count) % np.uint64(span)
        else:
            remainders = (self._take(count) % np.uint32(span)).astype(np.uint64)
        # Unsigned so that the sum wraps where the span exceeds what int64 holds.
        return _cast((remainders + np.uint64(low % 2**64)).view(np.int64), dtype, shape)

    def _random_full_range(self, shape: Shape, dtype: np.dtype[Any]) -> Array:
        count = math.prod(shape)
        if count == 0:
            return np.empty(shape, dtype)
        if dtype.kind not in "iufV" or dtype == np.float16:
            raise no_kernel("random_full_64_bits_range_kernel_cpu", dtype)
        if dtype.itemsize != 8 and dtype.char not in "fE":
            raise RuntimeError(
                "random_full_64_bits_range_kernel_cpu handles only "
                "int64, double, float and bfloat16"
            )
        return _cast(self.random64(count).view(np.int64), dtype, shape)

    def random(self, shape: Shape, dtype: DTypeLike = np.float32) -> Array:
        """`random_()`: from 0 to the largest integer of the type, or to 2**mantissa bits."""
        dtype = np.dtype(dtype)
        count = math.prod(shape)
        if count == 0:
            return np.empty(shape, dtype)
        if dtype.kind in FLOATS:
            span = 2 ** MANTISSA_BITS[dtype.name] + 1
        elif dtype.kind in "iu":
            span = int(np.iinfo(dtype).max) + 1
        elif dtype.kind == "b":
            span = 2
        else:
            raise no_kernel("random_kernel_cpu", dtype)
        if dtype in (np.float64, np.int64):
            return _cast((self.random64(count) % np.uint64(span)).view(np.int64), dtype, shape)
        return _cast((self._take(count) % np.uint32(span)).astype(np.int64), dtype, shape)

    def randperm(self, n: int, dtype: DTypeLike = np.int64) -> Array:
        """A permutation of 0 to n - 1, `torch.randperm`: a Fisher-Yates shuffle.

        From 2**32 / 20 elements on PyTorch shuffles otherwise; this does not.
        """
        dtype = np.dtype(dtype)
        check_permutation(n, dtype)
        places = np.arange(max(n - 1, 0), dtype=np.int64)
        partners = (places + self._take(places.size) % (n - places)).tolist()
        order = list(range(n))
        for i, j in enumerate(partners):
            order[i], order[j] = order[j], order[i]
        return np.array(order, np.int64).astype(dtype)

    # Discrete

    def bernoulli(self, shape: Shape, p: Array | float, dtype: DTypeLike = np.float32) -> Array:
        """Ones with probability `p`, else zeros: `torch.bernoulli` and `bernoulli_`.

        A number draws 53 bits an element. A tensor, which broadcasts to the shape, draws 53 bits if
        it is double and 24 if it is single or half. This is also the noise of dropout, which draws
        `bernoulli(x.shape, 1 - p, x.dtype)` and divides it by `1 - p`.
        """
        dtype = np.dtype(dtype)
        by_number = not isinstance(p, np.ndarray)
        if by_number and not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        count = math.prod(shape)
        if count == 0:
            return np.empty(shape, dtype)
        kernel = "bernoulli_scalar_cpu_" if by_number else "bernoulli_tensor_cpu_self_"
        require_kinds(dtype, "fiub", kernel)
        if not isinstance(p, np.ndarray):
            return _cast(self._uniform64(count) < p, dtype, shape)
        require_kinds(p.dtype, "f", "bernoulli_tensor_cpu_p_")
        words = 2 if p.dtype == np.float64 else 1
        chances = np.broadcast_to(p, shape).ravel()
        wrong = np.flatnonzero(~((chances >= 0) & (chances <= 1)))
        if wrong.size:
            self._take(words * int(wrong[0]))  # the elements before it were drawn
            raise RuntimeError(
                "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error "
                "message be improved?  If so, please report an enhancement request to PyTorch.)"
            )
        if words == 2:
            return _cast(self._uniform64(count) < chances, dtype, shape)
        return _cast(self._uniform32(count) < chances, dtype, shape)

    def geometric(self, shape: Shape, p: float, dtype: DTypeLike = np.float32) -> Array:
        """Trials up to the first success of probability `p`, `geometric_`."""
        dtype = np.dtype(dtype)
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p:g}")
        count = math.prod(shape)
        if count:
            require_kinds(dtype, "iuf", "geometric_cpu")
        uniforms = self._uniform64(count)
        logs = _libm(lambda u: math.log(u) if u else -math.inf, uniforms)
        return _cast(np.ceil(logs / math.log1p(-p)), dtype, shape)

    def multinomial(self, weights: Array, num_samples: int, replacement: bool = False) -> Array:
        """Indices drawn by `weights`, `torch.multinomial`.

        `weights` is a floating vector or a matrix of one distribution a row; the result is int64
        of shape `(num_samples,)` or `(rows, num_samples)`. Without replacement the largest of
        weight / exponential win; where weights of zero have to fill up, their order is ours.
        """
        if not 0 < weights.ndim <= 2:
            raise RuntimeError("prob_dist must be 1 or 2 dim")
        if weights.dtype.kind not in FLOATS:
            raise RuntimeError(
                "multinomial only supports floating-point dtypes for input, got: "
                + scalar_name(weights.dtype)
            )
        if num_samples <= 0:
            raise RuntimeError("cannot sample n_sample <= 0 samples")
        categories = weights.shape[-1]
        if not replacement and num_samples > categories:
            raise RuntimeError(
                "cannot sample n_sample > prob_dist.size(-1) samples without replacement"
            )
        rows = np.atleast_2d(weights)
        shape = (*weights.shape[:-1], num_samples)
        if len(rows) == 0:
            return np.empty(shape, np.int64)
        if replacement and num_samples > 1:
            drawn = [self._replacing(row, num_samples) for row in rows]
            return np.array(drawn, np.int64).reshape(shape)
        if categories == 0:
            raise RuntimeError(
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has "
                "no identity."
            )
        if not (np.isfinite(rows) & (rows >= 0)).all():
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
        if not rows.any(1).all():
            raise RuntimeError(_NO_MASS)
        with np.errstate(divide="ignore", over="ignore"):
            races = rows / self.exponential(rows.shape, 1.0, weights.dtype)
        return np.argsort(-races, axis=1, kind="stable")[:, :num_samples].reshape(shape)

    def _replacing(self, weights: Array, count: int) -> Array:
        """Indices into one distribution, by inverting its cumulative sum."""
        wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
        if wrong.size:
            fault = "= infinity or NaN" if weights[wrong[0]] == np.inf else "< 0"
            raise RuntimeError(
                f"invalid multinomial distribution (encountering probability entry {fault})"
            )
        if not weights.any():
            raise RuntimeError(_NO_MASS)
        cumulative: Array = np.cumsum(weights, dtype=np.result_type(weights, np.float32))
        cumulative /= cumulative[-1]
        cumulative[-1] = 1
        return np.searchsorted(cumulative.astype(np.float64), self._uniform64(count))

    def poisson(self, rates: Array) -> Array:
        """Poisson counts in the type of `rates`, `torch.poisson`; element by element."""
        require_kinds(rates.dtype, "f", "poisson_cpu")
        counts = [self._poisson(rate) for rate in rates.ravel().tolist()]
        return _cast(np.array(counts, np.float64), rates.dtype, rates.shape)

    def _next_uniform64(self) -> float:
        high, low = self._take(2).tolist()
        return float(((high & 0x1FFFFF) << 32 | low) * 2.0**-53)

    def _poisson(self, rate: float) -> int:
        if not rate >= 0:
            raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
        if rate == 0:
            return 0
        if rate < 10:  # multiply uniforms (Knuth)
            threshold = math.exp(-rate)
            product = self._next_uniform64()
            count = 0
            while product > threshold:
                count += 1
                product *= self._next_uniform64()
            return count
        # Transformed rejection with squeeze (Hörmann 1993, PTRS).
        b = 0.931 + 2.53 * math.sqrt(rate)
        a = -0.059 + 0.02483 * b
        log_inverse_alpha = math.log(1.1239 + 1.1328 / (b - 3.4))
        squeeze = 0.9277 - 3.6224 / (b - 2)
        while True:
            u = self._next_uniform64() - 0.5
            v = self._next_uniform64()
            distance = 0.5 - abs(u)
            reach = 2 * a / distance if distance else math.inf
            estimate = (reach + b) * u + rate + 0.43
            # What the conversion to int64 makes of a value outside its range.
            count = math.floor(estimate) if abs(estimate) < 2.0**63 else INT64_MIN
            if distance >= 0.07 and v <= squeeze:
                return count
            if count < 0 or (distance < 0.013 and v > distance):
                continue
            log_v = math.log(v) if v else -math.inf
            if log_v + log_inverse_alpha - math.log(a / (distance * distance) + b) <= (
                -rate + count * math.log(rate) - math.lgamma(count + 1.0)
            ):
                return count

    # Continuous

    def exponential(self, shape: Shape, lambd: float = 1.0, dtype: DTypeLike = np.float32) -> Array:
        """Exponentials of rate `lambd`, `exponential_`."""
        dtype = np.dtype(dtype)
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}")
        count = math.prod(shape)
        if count and dtype.kind not in FLOATS:
            raise RuntimeError(continuous_only("Exponential", scalar_name(dtype)))
        logs = _libm(math.log1p, -self._uniform64(count))
        return _cast(-1.0 / lambd * logs, dtype, shape)

    def cauchy(
        self, shape: Shape, median: float = 0.0, sigma: float = 1.0, dtype: DTypeLike = np.float32
    ) -> Array:
        """Cauchy values of the given median and half-width, `cauchy_`."""
        dtype = np.dtype(dtype)
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")
        if dtype.kind not in FLOATS:
            raise RuntimeError(continuous_only("Cauchy", dtypes.from_numpy(dtype).c_name))
        uniforms = self._uniform64(math.prod(shape))
        tangents = _libm(math.tan, math.pi * (uniforms - 0.5))
        return _cast(_affine64(tangents, sigma, median), dtype, shape)

    def log_normal(
        self, shape: Shape, mean: float = 1.0, std: float = 2.0, dtype: DTypeLike = np.float32
    ) -> Array:
        """Exponentials of normals, `log_normal_`; always drawn in pairs, whatever the size."""
        dtype = np.dtype(dtype)
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std:g}")
        count = math.prod(shape)
        if count:
            require_kinds(dtype, "f", "log_normal_cpu")
        normals = _affine64(self._normal_pairs(count), std, mean)
        return _cast(_libm(_exp, normals), dtype, shape)

    def rrelu_slopes(self, x: Array, lower: float, upper: float) -> Array:
        """The noise of `F.rrelu` in training: uniforms where x <= 0, ones elsewhere."""
        if x.dtype not in (np.float32, np.float64):
            raise no_kernel("rrelu_with_noise_out_cpu", x.dtype)
        low, high = float(x.dtype.type(lower)), float(x.dtype.type(upper))
        slopes = np.ones_like(x)
        negative = x <= 0
        uniforms = self._uniform64(int(np.count_nonzero(negative)))
        slopes[negative] = uniforms * (high - low) + low
        return slopes


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _fill_blocks(
    uniforms: Array, count: int, transform: Callable[[Any], Array], shape: Shape
) -> Array:
    """Transforms whole blocks of 16 uniforms; a last, incomplete one by the 16 drawn at the end."""
    whole = count - count % 16
    if whole == count:
        return transform(uniforms.reshape(-1, 2, 8)).reshape(shape)
    blocks = np.concatenate((uniforms[:whole], uniforms[-16:])).reshape(-1, 2, 8)
    transformed = transform(blocks).ravel()
    values = np.empty(count, transformed.dtype)
    values[:whole] = transformed[:whole]
    values[-16:] = transformed[-16:]
    return values.reshape(shape)


def _box_muller64(uniforms: Float64s, mean: float, std: float) -> Float64s:
    """Blocks of shape `(n, 2, 8)`: 8 radii and 8 angles become 8 cosines and 8 sines."""
    angles = (2 * math.pi * uniforms[:, 1]).ravel()
    radii = np.sqrt(-2.0 * _libm(math.log, (1.0 - uniforms[:, 0]).ravel()))
    normals = np.empty_like(uniforms)
    normals[:, 0] = (radii * _libm(math.cos, angles)).reshape(-1, 8)
    normals[:, 1] = (radii * _libm(math.sin, angles)).reshape(-1, 8)
    return _affine64(normals, std, mean)


def _in_place(operation: Callable[[Any, Any], Any], values: Array, operand: Array) -> Array:
    """`values.add_(operand)` and the like: in the common type, back to the type of `values`."""
    common = dtypes.result_type([values, operand]).np
    result = operation(values.astype(common, copy=False), operand.astype(common, copy=False))
    return _cast(np.asarray(result), values.dtype, values.shape)


default_generator: Final = Generator()
"""The stream behind every call that names no generator; its first seed is nobody's choice."""
default_generator.seed()


def manual_seed(seed: SupportsIndex | SupportsFloat | str) -> Generator:
    """Seeds the default generator, `torch.manual_seed`: whatever `int` takes is a seed."""
    return default_generator.manual_seed(int(seed))  # type: ignore[arg-type]

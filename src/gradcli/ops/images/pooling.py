"""What pools are, and the pools that average: plain averages and averages of powers.

Images have the shape (N, C, *size) or (C, *size). A pool over boxes is computed as one pool along
each dimension. Pools of one dimension are pools of two, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.kernels.windows import (
    Windows,
    count_windows,
    sliding_windows,
    spread_windows,
    sum_windows,
)
from gradcli.ops.algebra.arithmetic import mul
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.elementary import pow as power
from gradcli.ops.algebra.rounding import absolute, sign
from gradcli.ops.algebra.views import shape_of, squeeze_dim, unsqueeze
from gradcli.ops.images.spatial import spread
from gradcli.ops.pointwise.activation import relu_row
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import wrap_dim
from gradcli.typing import Array, Pair, Single, Triple, Value

Sizes = Sequence[int]

_NUMBERS: Final = {2: "two ints", 3: "three ints"}
_LETTERS: Final = {2: "HW", 3: "THW"}


class Pool(NamedTuple):
    """The windows that a pool was asked for: one number per spatial dimension."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    ceil_mode: bool
    count_include_pad: bool = True
    divisor_override: int | None = None

    @property
    def dims(self) -> int:
        return len(self.kernel)

    @property
    def overlaps(self) -> bool:
        """Whether an element can lie in two windows."""
        spans = zip(self.stride, self.dilation, self.kernel, strict=True)
        return any(s < d * (k - 1) + 1 for s, d, k in spans)


def is_absent(stride: Any) -> bool:
    return stride is None or (not isinstance(stride, int) and len(stride) == 0)


def request(
    name: str,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    *average: Any,
) -> Pool:
    """The arguments of a pool over two or three dimensions, of which each may be one number."""
    dims = int(name[-2])

    def each(values: Any, argument: str) -> tuple[int, ...]:
        values = spread(values, dims)
        if len(values) not in (1, dims):
            must = "must" if name == "avg_pool3d" else "must either"
            extra = "omitted, " if argument == "stride" else ""
            be = "must be either" if argument == "dilation" else f"{must} be {extra}".rstrip()
            raise RuntimeError(
                f"{name}: {argument} {be} a single int, or a tuple of {_NUMBERS[dims]}"
            )
        return tuple(values) * (dims // len(values))

    kernel = each(kernel_size, "kernel_size")
    steps = kernel if is_absent(stride) else each(stride, "stride")
    room = each(padding, "padding")
    return Pool(kernel, steps, room, each(dilation, "dilation"), ceil_mode, *average)


def pooled_length(
    size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool
) -> int:
    """The number of windows; rounded up, the last one must not start behind the elements."""
    extra = stride - 1 if ceil_mode else 0
    count = count_windows(size + extra, kernel, stride, padding, dilation)
    if ceil_mode and (count - 1) * stride >= size + padding:
        count -= 1
    return count


def pool_windows(shape: Sizes, pool: Pool, name: str) -> list[Windows]:
    """The windows along each trailing dimension, after PyTorch's checks in its order."""
    dims = pool.dims
    if 0 in pool.stride:
        raise RuntimeError("stride should not be zero")
    for pad, taps, step in zip(pool.padding, pool.kernel, pool.dilation, strict=True):
        if pad < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
        if pad > _half(step * (taps - 1) + 1):
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={pad}, kernel_size={taps} and dilation={step}"
            )
    for word, values, letter in (
        ("kernel size", pool.kernel, "k"),
        ("stride", pool.stride, "d"),
        ("dilation", pool.dilation, "dilation"),
    ):
        if min(values) <= 0:
            axes = zip(_LETTERS[dims], values, strict=True)
            listed = " ".join(f"{letter}{axis}: {value}" for axis, value in axes)
            raise RuntimeError(f"{word} should be greater than zero, but got {listed}")
    _check_shape(shape, pool, name)
    options = (shape[-dims:], pool.kernel, pool.stride, pool.padding, pool.dilation)
    counts = [pooled_length(*each, pool.ceil_mode) for each in zip(*options, strict=True)]
    if min(counts) < 1:
        channels = shape[-dims - 1]
        given, made = (
            "x".join(map(str, (channels, *lengths))) for lengths in (shape[-dims:], counts)
        )
        raise RuntimeError(
            f"Given input size: ({given}). Calculated output size: ({made}). Output size is too "
            "small"
        )
    return [sliding_windows(*each) for each in zip(*options, counts, strict=True)]


def _half(length: int) -> int:
    """Half of a length, rounded towards zero as in C."""
    return int(length / 2)


def _check_shape(shape: Sizes, pool: Pool, name: str) -> None:
    dims = pool.dims
    if dims == 2:
        if 0 in shape[-3:]:
            raise RuntimeError(
                "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, "
                f"but got:{list(shape)}"
            )
        return
    if 0 in shape[-4:]:
        raise RuntimeError(
            f"{name}: Expected input's non-batch dimensions to have positive length, but input "
            f"has a shape of {list(shape)} and non-batch dimension 0 has length zero!"
        )
    averages = name.startswith("avg")
    if averages and any(n < k for n, k in zip(shape[-3:], pool.kernel, strict=True)):
        image, kernel = (
            " ".join(f"{letter}{axis}: {n}" for axis, n in zip("THW", lengths, strict=True))
            for letter, lengths in (("", shape[-3:]), ("k", pool.kernel))
        )
        raise RuntimeError(f"input image ({image}) smaller than kernel size ({kernel})")


def check_line(self: Any, name: str) -> None:
    ndim = len(shape_of(self))
    if ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {name})"
        )


def one_number(values: Any, name: str, argument: str) -> int:
    """The number of an argument of a one-dimensional pool."""
    if isinstance(values, int):
        return values
    if len(values) != 1:
        raise RuntimeError(
            f"{name}() argument '{argument}' should contain one int (got {len(values)})"
        )
    return int(values[0])


def request_line(
    name: str,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    *average: Any,
) -> Pool:
    """The arguments of a one-dimensional pool, as those of a pool over planes of one row."""
    check_line(input, name)
    kernel = one_number(kernel_size, name, "kernel_size")
    step = kernel if is_absent(stride) else one_number(stride, name, "stride")
    room = one_number(padding, name, "padding")
    gap = one_number(dilation, name, "dilation")
    return Pool((1, kernel), (1, step), (0, room), (1, gap), ceil_mode, *average)


def _divisors(windows: Sequence[Windows], pool: Pool) -> Array:
    """How many elements each window counts, for the array of windows."""
    if pool.divisor_override is not None:
        return pool.divisor_override
    total: Array = np.ones((), np.int64)
    for each, taps, pad in zip(windows, pool.kernel, pool.padding, strict=True):
        if pool.count_include_pad:
            counts = np.minimum(each.first + taps, each.size + pad) - each.first
        else:
            counts = np.minimum(each.first + taps, each.size) - np.maximum(each.first, 0)
        total = total[..., None] * counts
    return total


def quotient(values: Array, divisors: Array) -> Array:
    """In the type of the values; integers are divided as in C."""
    if values.dtype.kind == "f":
        return values / np.asarray(divisors, values.dtype)
    return np.trunc(values / divisors).astype(values.dtype)


def _avg_pool(self: Array, pool: Pool) -> Array:
    windows = pool_windows(self.shape, pool, "avg_pool3d()")
    if self.dtype != np.int64 and pool.dims == 2:
        require_kinds(self.dtype, "f", "avg_pool2d")
    elif self.dtype != np.int64:
        require_kinds(self.dtype, "d", "avg_pool3d_out_frame")
    return _averages(self, pool, windows)


def _averages(self: Array, pool: Pool, windows: Sequence[Windows]) -> Array:
    return quotient(sum_windows(self, windows), _divisors(windows, pool))


def _avg_pool_backward(grad_output: Array, self: Array, pool: Pool) -> Array:
    windows = pool_windows(self.shape, pool, "avg_pool3d_backward()")
    shares = quotient(grad_output, _divisors(windows, pool))
    return spread_windows(shares, windows)


def _average_rows(dims: int) -> tuple[Row, Row]:
    """The rows of an average pool over `dims` dimensions and of its gradient."""
    size = (5, 4, 3)[:dims]
    plain = Pool((2,) * dims, (2,) * dims, (0,) * dims, (1,) * dims, False)
    padded = Pool((3, 2, 2)[:dims], (1, 2, 2)[:dims], (1,) * dims, (1,) * dims, True, False)
    divided = Pool((3,) * dims, (1,) * dims, (1,) * dims, (1,) * dims, False, True, 2)
    options = (
        "pool.kernel, pool.stride, pool.padding, pool.ceil_mode, pool.count_include_pad, "
        "pool.divisor_override"
    )
    forward = row(
        f"aten.avg_pool{dims}d(Tensor self, any pool)",
        _avg_pool,
        halves=dims == 2,
        linear="self",
        self=lambda grad, self, pool: backward(grad, self, pool),
        samples=lambda r: [(r(2, *size), pool) for pool in (plain, padded, divided)],
        doc="The averages of windows.",
        pytorch=f"aten.avg_pool{dims}d(self, {options})",
    )
    backward = row(
        f"aten.avg_pool{dims}d_backward(Tensor grad_output, Tensor self, any pool)",
        _avg_pool_backward,
        linear="grad_output",
        grad_output=lambda grad, pool: forward(grad, pool),
        self=zeros_like,
        samples=lambda r: [
            (r(*_avg_pool(r(2, *size), pool).shape), r(2, *size), pool)
            for pool in (plain, padded, divided)
        ],
        doc="The gradient of an average pool.",
        pytorch=f"aten.avg_pool{dims}d_backward(grad_output, self, {options})",
    )
    return forward, backward


avg_rows: Final = {dims: _average_rows(dims) for dims in (2, 3)}


@composite(
    "avg_pool1d|nn.functional.avg_pool1d",
    samples=lambda r: [(r(1, 2, 5), 2), (r(2, 6), 3, 2, 1, True, False)],
)
def avg_pool1d(
    input: Value,
    kernel_size: Single,
    stride: Single | None = None,
    padding: Single = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The averages of windows over (N, C, L) or (C, L)."""
    options = (kernel_size, stride, padding, 1, ceil_mode, count_include_pad)
    pool = request_line("avg_pool1d", input, *options)
    return squeeze_dim(avg_rows[2][0](unsqueeze(input, -2), pool), -2)


def _average(name: str, input: Any, *arguments: Any) -> Any:
    kernel_size, stride, padding, ceil_mode, include, override = arguments
    pool = request(name, kernel_size, stride, padding, 1, ceil_mode, include, override)
    if override == 0:
        raise RuntimeError("divisor must be not zero")
    ndim = len(shape_of(input))
    if pool.dims == 2:
        wrap_dim(-3, ndim)
    if pool.dims == 2 and ndim > 4:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but "
            f"got:{list(shape_of(input))}"
        )
    if pool.dims == 3 and ndim not in (4, 5):
        raise RuntimeError("non-empty 4D or 5D (batch mode) tensor expected for input")
    return avg_rows[pool.dims][0](input, pool)


@composite(
    "nn.functional.avg_pool2d",
    samples=lambda r: [(r(1, 2, 4, 5), 2), (r(2, 5, 4), (3, 2), 2, 1, True, False, 2)],
)
def avg_pool2d(
    input: Value,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The averages of windows over (N, C, H, W) or (C, H, W)."""
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _average("avg_pool2d", input, *options)


@composite(
    "nn.functional.avg_pool3d",
    samples=lambda r: [(r(1, 2, 4, 3, 3), (2, 1, 3), 1), (r(1, 4, 4, 3), 3, 2, 1, True, False)],
)
def avg_pool3d(
    input: Value,
    kernel_size: Triple,
    stride: Triple | None = None,
    padding: Triple = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The averages of windows over (N, C, D, H, W) or (C, D, H, W)."""
    options = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _average("avg_pool3d", input, *options)


_POWER: Final = (
    "(Tensor input, Scalar norm_type, int[{0}] kernel_size, int[{0}]? stride=None, "
    "bool ceil_mode=False)"
)


def _power_average(averages: Any, norm_type: float, count: Any) -> Any:
    """(sum of powers) ** (1 / p) from their averages, zero where the sum is not positive."""
    sums = mul(mul(sign(averages), relu_row(absolute(averages))), count)
    return power(sums, 1.0 / norm_type)


def _power_pool(dims: int) -> None:
    average = (avg_pool1d, avg_pool2d, avg_pool3d)[dims - 1]
    size = (5, 4, 3)[:dims]

    def pool(
        input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> Any:
        kernel = spread(kernel_size, dims)
        if len(kernel) < dims:
            raise ValueError(f"not enough values to unpack (expected {dims}, got {len(kernel)})")
        if len(kernel) > dims:
            raise ValueError(f"too many values to unpack (expected {dims})")
        if norm_type == 0:
            raise ZeroDivisionError("float division by zero")
        averages = average(power(input, norm_type), kernel_size, stride, 0, ceil_mode)
        return _power_average(averages, norm_type, prod(kernel))

    composite(
        f"nn.functional.lp_pool{dims}d" + _POWER.format(dims),
        doc="The p-norms of windows: (sum of x ** p) ** (1 / p).",
        samples=lambda r: [(r(1, 2, *size, low=0.5), 2, 2), (r(2, *size, low=0.5), 3, 2, 1, True)],
    )(pool)


for _dims in (1, 2, 3):
    _power_pool(_dims)

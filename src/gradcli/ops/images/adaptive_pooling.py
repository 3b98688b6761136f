"""Pools that make an output of a given size, from windows of nearly equal length.

Images have the shape (N, C, *size) or (C, *size); None in an output size keeps the input's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.kernels.windows import (
    Windows,
    adaptive_windows,
    largest_in_windows,
    spread_windows,
    sum_windows,
)
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.sums import mean_dim
from gradcli.ops.algebra.views import shape_of, squeeze_dim, unsqueeze
from gradcli.ops.images.max_pooling import gathered, scattered
from gradcli.ops.images.pooling import check_line, one_number, quotient
from gradcli.ops.images.spatial import SHAPES, length_of
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.schema import Signature
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.memory import reserve
from gradcli.typing import Array, Single, Value

Sizes = Sequence[int]

_INDEX: Final = 8  # bytes of a place


def _windows(shape: Sizes, output_size: Sizes) -> list[Windows]:
    dims = len(output_size)
    reserve((*shape[:-dims], *output_size), _INDEX)
    sizes = shape[-dims:]
    return [adaptive_windows(n, count) for n, count in zip(sizes, output_size, strict=True)]


def _refuse_empty(shape: Sizes, name: str, first: int) -> None:
    for dim in range(first, len(shape)):
        if shape[dim] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but "
                f"input has sizes {list(shape)} with dimension {dim} being empty"
            )


def _counts(windows: Sequence[Windows]) -> Array:
    """The number of elements of each window."""
    total: Array = np.ones((), np.int64)
    for each in windows:
        total = total[..., None] * (each.stop - each.first)
    return total


def _average(self: Array, output_size: Sizes) -> Array:
    dims = len(output_size)
    name = f"adaptive_avg_pool{dims}d"
    if min(output_size) < 0:
        joint = (", ", ",")
        listed = "".join(
            f"{joint[k - 1] if k else ''}{length}" for k, length in enumerate(output_size)
        )
        raise RuntimeError(
            f"{name}: elements of output_size must be greater than or equal to 0 but received "
            f"{{{listed}}}"
        )
    if self.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got {list(self.shape)}"
        )
    _refuse_empty(self.shape, name, self.ndim - dims)
    require_kinds(self.dtype, "f", name + "_cpu" * (dims == 3))
    windows = _windows(self.shape, output_size)
    return quotient(sum_windows(self, windows), _counts(windows))


def _spread(grad_output: Array, shape: Sizes, dims: int) -> Array:
    windows = _windows(shape, grad_output.shape[-dims:])
    shares = quotient(grad_output, _counts(windows))
    return spread_windows(shares, windows)


def _average_row(dims: int) -> Row:
    size = (5, 4, 3)[:dims]
    forward = row(
        f"aten._adaptive_avg_pool{dims}d(Tensor self, int[] output_size)",
        _average,
        linear="self",
        self=lambda grad, self: backward(grad, self),
        samples=lambda r: [(r(2, *size), (3, 2, 2)[:dims]), (r(1, 1, *size), (6, 4, 1)[:dims])],
        doc="The averages of windows of nearly equal length.",
    )
    backward = row(
        f"aten._adaptive_avg_pool{dims}d_backward(Tensor grad_output, Tensor self)",
        lambda grad_output, self: _spread(grad_output, self.shape, dims),
        linear="grad_output",
        grad_output=lambda grad, grad_output_shape: forward(grad, grad_output_shape[-dims:]),
        self=zeros_like,
        samples=lambda r: [(r(2, *(3, 2, 2)[:dims]), r(2, *size))],
        doc="The gradient of an adaptive average pool.",
    )
    return forward


_average_rows: Final = {dims: _average_row(dims) for dims in (2, 3)}


def averages(input: Any, output_size: Sizes) -> Any:
    """A mean where one window covers everything, as in PyTorch."""
    dims = len(output_size)
    if all(length == 1 for length in output_size) and len(shape_of(input)) > dims:
        order = (-1, -2) if dims == 2 else (-1, -2, -3)
        return mean_dim(input, order, True)
    return _average_rows[dims](input, output_size)


@composite(
    "adaptive_avg_pool1d|nn.functional.adaptive_avg_pool1d",
    samples=lambda r: [(r(1, 2, 5), 3), (r(2, 5), 1)],
)
def adaptive_avg_pool1d(input: Value, output_size: Single) -> Any:
    """The averages of `output_size` windows over (N, C, L) or (C, L)."""
    name = "adaptive_avg_pool1d"
    check_line(input, name)
    length = one_number(output_size, name, "output_size")
    return squeeze_dim(averages(unsqueeze(input, -2), (1, length)), -2)


def _completed(input: Any, output_size: Any, sizes: Signature) -> tuple[int, ...]:
    """An output size with the input's lengths in the places of None."""
    if not isinstance(output_size, int):
        shape, count = shape_of(input), length_of(output_size)
        if len(shape) <= count:
            raise ValueError(f"Input dimension should be at least {count + 1}")
        own = shape[len(shape) - count :]
        output_size = [
            n if length is None else length for length, n in zip(output_size, own, strict=True)
        ]
    lengths: tuple[int, ...] = sizes.fit(input, output_size)[1]
    return lengths


def _sizes(name: str, dims: int) -> Signature:
    """What an adaptive pool says about a completed output size."""
    return Signature(name, f"Operand input, int[{dims}] output_size")


_averaged: Final = {dims: _sizes(f"adaptive_avg_pool{dims}d", dims) for dims in (1, 2, 3)}


def averages_of(input: Any, output_size: Any, dims: int) -> Any:
    """The averages of as many windows as asked for, after PyTorch's checks."""
    if dims == 1:
        return adaptive_avg_pool1d(*_averaged[1].fit(input, output_size))
    lengths = _completed(input, output_size, _averaged[dims])
    if len(lengths) != dims:
        raise RuntimeError(f"adaptive_avg_pool{dims}d: output_size must be {dims}")
    return averages(input, lengths)


def _register_average(dims: int) -> None:
    name, size = f"adaptive_avg_pool{dims}d", (5, 4, 3)[:dims]

    def pool(input: Value, output_size: Any) -> Any:
        return averages_of(input, output_size, dims)

    composite(
        f"nn.functional.{name}",
        doc=f"The averages of windows over {SHAPES[dims]}, as many as asked for.",
        samples=lambda r: [
            (r(1, 2, *size), (3, None, 2)[:dims]),
            (r(2, *size), 2),
            (r(1, 2, *size), 1),
        ],
    )(pool)


def _check_images(shape: Sizes, name: str, dims: int) -> None:
    if len(shape) not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"{name}(): Expected {dims + 1}D or {dims + 2}D tensor, but got: {list(shape)}"
        )
    _refuse_empty(shape, name, len(shape) - dims - 1)


def _largest(self: Array, output_size: Sequence[int]) -> tuple[Array, Array]:
    """The largest elements of windows of nearly equal length, and their indices."""
    dims = len(output_size)
    name = f"adaptive_max_pool{dims}d"
    _check_images(self.shape, name, dims)
    if min(output_size) < 0:
        shape = [*self.shape[:-dims], *output_size]
        wrong = next(length for length in output_size if length < 0)
        raise RuntimeError(f"Trying to create tensor with negative dimension {wrong}: {shape}")
    require_kinds(self.dtype, "f", name + "_cpu" * (dims == 3))
    return largest_in_windows(self, _windows(self.shape, output_size))


def _largest_backward(grad_output: Array, self: Array, indices: Array, dims: int) -> Array:
    sizes = zip(self.shape[-dims:], indices.shape[-dims:], strict=True)
    overlaps = any(count == 0 or n % count for n, count in sizes)
    return scattered(grad_output, self.shape, indices, dims, overlaps)


def _max_row(dims: int) -> Row:
    size, out = (5, 4, 3)[:dims], (3, 2, 2)[:dims]
    forward = row(
        f"aten.adaptive_max_pool{dims}d",
        _largest,
        self=lambda grad, self, result1: backward(grad, self, result1),
        samples=lambda r: [(r(2, *size), out)],
        kink="All of it to the first of equal elements.",
    )
    backward = row(
        f"aten.adaptive_max_pool{dims}d_backward(Tensor grad_output, Tensor self, Tensor indices)",
        lambda grad_output, self, indices: _largest_backward(grad_output, self, indices, dims),
        linear="grad_output",
        grad_output=lambda grad, indices: gathered(grad, indices, dims),
        self=zeros_like,
        samples=lambda r: [_backward_call(r, size, out)],
        doc="The gradient of an adaptive maximum pool.",
    )
    return forward


def _backward_call(r: Any, size: Sizes, out: Sizes) -> tuple[Any, ...]:
    images = r(2, *size)
    return r(2, *out), images, _largest(images, out)[1]


_max_rows: Final = {dims: _max_row(dims) for dims in (2, 3)}


def _register_max(dims: int) -> None:
    name, size = f"adaptive_max_pool{dims}d", (5, 4, 3)[:dims]
    sizes = _sizes(name, dims)

    def largest(input: Any, output_size: Any) -> tuple[Any, Any]:
        if dims == 1:
            check_line(input, name)
            length = one_number(output_size, name, "output_size")
            _refuse_empty(shape_of(input), name, len(shape_of(input)) - 2)
            best, indices = _max_rows[2](unsqueeze(input, -2), (1, length))
            return squeeze_dim(best, -2), squeeze_dim(indices, -2)
        lengths = _completed(input, output_size, sizes)
        if len(lengths) != dims:
            _check_images(shape_of(input), name, dims)
            raise RuntimeError(f"{name}(): internal error: output_size.size() must be {dims}")
        best, indices = _max_rows[dims](input, lengths)
        return best, indices

    def pool(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        best, indices = largest(input, output_size)
        return (best, indices) if return_indices else best

    def with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        return largest(input, output_size)

    kind = "int[1]" if dims == 1 else "any"
    doc = "The largest elements of windows, as many as asked for."
    composite(
        f"nn.functional.{name}(Tensor input, {kind} output_size, bool return_indices=False)",
        doc=doc,
        samples=lambda r: [(r(1, 2, *size), 3), (r(2, *size), 2, True)],
    )(pool)
    composite(
        f"nn.functional.{name}_with_indices(Tensor input, {kind} output_size, "
        "bool return_indices=False)",
        doc=doc,
        samples=lambda r: [(r(1, 2, *size), 3)],
    )(with_indices)
    if dims == 1:
        composite(
            f"{name}(Tensor input, int[1] output_size)",
            doc=doc,
            samples=lambda r: [(r(1, 2, *size), 3)],
        )(with_indices)


for _dims in (2, 3):
    _register_average(_dims)
for _dims in (1, 2, 3):
    _register_max(_dims)

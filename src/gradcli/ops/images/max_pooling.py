"""Maximum pools and their inverse.

Images have the shape (N, C, *size) or (C, *size). Pools of one dimension are pools of two, as in
PyTorch; the indices count the elements of a plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Final

import numpy as np

from gradcli.kernels.windows import largest_in_windows
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.gathering import gather
from gradcli.ops.algebra.views import reshape, shape_of, squeeze_dim, unsqueeze
from gradcli.ops.images.pooling import (
    Pool,
    is_absent,
    pool_windows,
    pooled_length,
    request,
    request_line,
)
from gradcli.ops.images.spatial import SHAPES, length_of, spread
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array

Sizes = Sequence[int]


def _max_pool(self: Array, pool: Pool) -> tuple[Array, Array]:
    """The largest elements of windows, and where they stand in their plane."""
    name = "max_pool3d_with_indices_out_cpu_template()"
    windows = pool_windows(self.shape, pool, name)
    require_kinds(self.dtype, "fiu", f"max_pool{pool.dims}d")
    return largest_in_windows(self, windows)


def scattered(grad_output: Array, shape: Sizes, indices: Array, dims: int, overlaps: bool) -> Array:
    """Puts gradients back to the elements that were chosen within each plane."""
    volume = prod(shape[-dims:])
    spread: Array = np.zeros(prod(shape), grad_output.dtype)
    planes = np.arange(prod(shape[:-dims])).reshape(*shape[:-dims], *(1,) * dims)
    places = (indices + planes * volume).ravel()
    if overlaps:
        np.add.at(spread, places, grad_output.ravel())
    else:
        spread[places] = grad_output.ravel()
    return spread.reshape(shape)


def gathered(grad: Any, indices: Any, dims: int) -> Any:
    """The elements of planes at the indices: what undoes `scattered` and unpooling."""
    shape, planes = shape_of(indices), shape_of(grad)
    flat = reshape(grad, (*planes[:-dims], prod(planes[-dims:])))
    places = reshape(indices, (*shape[:-dims], prod(shape[-dims:])))
    return reshape(gather(flat, -1, places), shape)


def _max_rows(dims: int) -> tuple[Row, Row]:
    """The rows of a maximum pool over `dims` dimensions and of its gradient."""
    size = (5, 4, 3)[:dims]
    plain = Pool((2,) * dims, (2,) * dims, (0,) * dims, (1,) * dims, False)
    padded = Pool((3, 2, 2)[:dims], (1, 2, 2)[:dims], (1,) * dims, (2, 1, 1)[:dims], True)
    options = "pool.kernel, pool.stride, pool.padding, pool.dilation, pool.ceil_mode"
    forward = row(
        f"aten.max_pool{dims}d_with_indices",
        _max_pool,
        self=lambda grad, self, pool, result1: backward(grad, self, pool, result1),
        samples=lambda r: [(r(2, *size), pool) for pool in (plain, padded)],
        kink="All of it to the first of equal elements.",
        pytorch=f"aten.max_pool{dims}d_with_indices(self, {options})",
    )
    backward = row(
        f"aten.max_pool{dims}d_with_indices_backward(Tensor grad_output, Tensor self, any pool, "
        "Tensor indices)",
        lambda grad_output, self, pool, indices: scattered(
            grad_output, self.shape, indices, pool.dims, pool.overlaps
        ),
        linear="grad_output",
        grad_output=lambda grad, indices, pool: gathered(grad, indices, pool.dims),
        self=zeros_like,
        samples=lambda r: [_backward_call(r, size, pool) for pool in (plain, padded)],
        doc="The gradient of a maximum pool.",
        pytorch=(
            f"aten.max_pool{dims}d_with_indices_backward(grad_output, self, {options}, indices)"
        ),
    )
    return forward, backward


def _backward_call(r: Any, size: Sizes, pool: Pool) -> tuple[Any, ...]:
    images = r(2, *size)
    best, indices = _max_pool(images, pool)
    return r(*best.shape), images, pool, indices


max_rows: Final = {dims: _max_rows(dims) for dims in (2, 3)}

_MAXIMUM: Final = (
    "(Tensor input, int[{0}] kernel_size, int[{0}]? stride=None, int[{0}] padding=0, "
    "int[{0}] dilation=1, bool ceil_mode=False{1})"
)


def _max_with_indices(dims: int, input: Any, *arguments: Any) -> tuple[Any, Any]:
    """A pool with indices, of one, two or three dimensions."""
    if dims == 1:
        pool = request_line("max_pool1d", input, *arguments)
        best, indices = max_rows[2][0](unsqueeze(input, -2), pool)
        return squeeze_dim(best, -2), squeeze_dim(indices, -2)
    pool = request(f"max_pool{dims}d", *arguments)
    if len(shape_of(input)) not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"non-empty {dims + 1}D or {dims + 2}D (batch mode) tensor expected for input"
        )
    best, indices = max_rows[dims][0](input, pool)
    return best, indices


def _check_max_pool1d(input: Any, *arguments: Any) -> None:
    """The complaints of the one-dimensional pool that gives no indices."""
    shape = shape_of(input)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for "
            f"input, but got:{list(shape)}"
        )
    names = ("kernel_size", "stride", "padding", "dilation")
    numbers: list[int] = []
    for name, value in zip(names, arguments, strict=False):
        if name == "stride" and is_absent(value):
            value = numbers[0]
        if not isinstance(value, int) and len(value) != 1:
            kinds = "None, " * (name == "stride") + "an int, list of ints"
            kinds += "," * (name in ("stride", "padding"))
            raise RuntimeError(
                f"max_pool1d() {name} must be {kinds} or tuple of ints of size 1 but got size "
                f"{len(value)}"
            )
        numbers.append(value if isinstance(value, int) else value[0])
    kernel, stride, padding, dilation = numbers
    for name, value in (("kernel_size", kernel), ("stride", stride)):
        if value <= 0:
            raise RuntimeError(f"max_pool1d() {name} must be greater than zero, but got {value}")
    if padding < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {padding}")
    if padding > kernel // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={padding} and kernel_size={kernel}"
        )
    if dilation <= 0:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {dilation}")
    count = pooled_length(shape[-1], kernel, stride, padding, dilation, arguments[4])
    if count <= 0:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {count}")
    wants = type(input) is Tensor and input.requires_grad
    if not wants:
        require_kinds(input._array.dtype, "f", "max_pool1d_impl")


def _register(dims: int) -> None:
    """Enters the public names of the pool over `dims` dimensions."""
    name, size = f"max_pool{dims}d", (5, 4, 3)[:dims]

    def pool(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        arguments = (kernel_size, stride, padding, dilation, ceil_mode)
        if dims == 1 and not return_indices:
            _check_max_pool1d(input, *arguments)
        best, indices = _max_with_indices(dims, input, *arguments)
        return (best, indices) if return_indices else best

    def with_indices(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = True,
    ) -> Any:
        return _max_with_indices(dims, input, kernel_size, stride, padding, dilation, ceil_mode)

    def calls(r: Any) -> list[tuple[Any, ...]]:
        return [(r(1, 2, *size), 2), (r(2, *size), 3, 2, 1, 1, True)]

    doc = f"The largest elements of windows over {SHAPES[dims]}."
    asked = ", bool return_indices=False"
    composite(name + _MAXIMUM.format(dims, ""), doc=doc, samples=calls)(pool)
    composite(f"nn.functional.{name}{_MAXIMUM.format(dims, asked)}", doc=doc, samples=calls)(pool)
    functional = f"nn.functional.{name}_with_indices{_MAXIMUM.format(dims, asked)}"
    composite(functional, doc=doc, samples=calls)(with_indices)
    if dims == 1:
        composite(f"{name}_with_indices{_MAXIMUM.format(dims, '')}", doc=doc, samples=calls)(
            with_indices
        )


for _dims in (1, 2, 3):
    _register(_dims)


def _max_unpool(self: Array, indices: Array, output_size: Sequence[int]) -> Array:
    """Zeros, with the elements put to their indices in each plane."""
    dims = len(output_size)
    if indices.dtype != np.int64:
        kind = dtypes.of(indices).scalar_name
        raise RuntimeError(
            "elements in indices should be type int64" + f" but got: {kind}" * (dims == 2)
        )
    if self.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Input to max_unpooling{dims}d should be a {dims + 1}d or {dims + 2}d Tensor, but got "
            f"a tensor with {self.ndim} dimensions."
        )
    if self.shape != indices.shape:
        raise RuntimeError(
            "Expected shape of indices to be same as that of the input tensor "
            f"({list(self.shape)}) but got indices tensor with shape: {list(indices.shape)}"
        )
    for dim in range(self.ndim - dims - 1, self.ndim):
        if self.shape[dim] == 0:
            raise RuntimeError(
                f"max_unpooling{dims}d_forward_out_cpu(): Expected input to have non-zero size for "
                f"non-batch dimensions, but got {list(self.shape)} with dimension {dim} being "
                "empty."
            )
    require_kinds(self.dtype, "f", f"max_unpool{dims}d")
    volume = prod(output_size)
    wrong = indices[(indices < 0) | (indices >= volume)]
    if len(wrong):
        raise RuntimeError(
            f"Found an invalid max index: {wrong[0]} (output volumes are of size "
            f"{'x'.join(map(str, output_size))})"
        )
    return scattered(self, (*self.shape[:-dims], *output_size), indices, dims, False)


def _unpool_row(dims: int) -> Row:
    def calls(r: Any) -> list[tuple[Any, ...]]:
        shape = (2, *(2,) * dims)
        places = np.stack([np.arange(2**dims), np.arange(2**dims) + 1]).reshape(shape)
        return [(r(*shape), places, (3,) * dims)]

    return row(
        f"aten.max_unpool{dims}d",
        _max_unpool,
        linear="self",
        self=lambda grad, indices, output_size: gathered(grad, indices, len(output_size)),
        samples=calls,
        pytorch="aten.max_unpool3d(self, indices, output_size, (1, 1, 1), (0, 0, 0))"
        if dims == 3
        else "",
    )


_unpool_rows: Final = {dims: _unpool_row(dims) for dims in (2, 3)}


def _unpooled_size(
    shape: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, wanted: Any
) -> tuple[int, ...]:
    """The size of what was pooled: the least that fits unless another is asked for."""
    dims = len(kernel)
    if len(shape) < dims:
        raise IndexError("tuple index out of range")
    plain = tuple(
        (n - 1) * s + k - 2 * p
        for n, k, s, p in zip(shape[-dims:], kernel, stride, padding, strict=True)
    )
    if wanted is None:
        return plain
    if length_of(wanted) == dims + 2:
        wanted = wanted[2:]
    if len(wanted) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it "
            f"has a length of '{len(wanted)}'"
        )
    for length in wanted:
        if not isinstance(length, int):
            raise TypeError(
                f"max_unpool{dims}d(): argument 'output_size' must be tuple of ints, but found "
                f"element of type {type_name(length)}"
            )
    for dim, (length, middle, step) in enumerate(zip(wanted, plain, stride, strict=True)):
        if not middle - step < length < middle + step:
            raise ValueError(
                f'invalid output_size "{wanted}" (dim {dim} must be between {middle - step} and '
                f"{middle + step})"
            )
    return tuple(wanted)


def _refuse_negative(size: Sizes) -> None:
    for dim, length in enumerate(size):
        if length < 0:
            raise ValueError(
                "max_unpooling: output_size must contain non-negative spatial dimensions, but got "
                f"output_size[{dim}]={length}"
            )


def _register_inverse(dims: int) -> None:
    def unpool(
        input: Any,
        indices: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        output_size: Any = None,
    ) -> Any:
        def each(values: Any) -> tuple[int, ...]:
            listed = tuple(spread(values, dims))
            if len(listed) != dims:
                raise IndexError("tuple index out of range")
            return listed

        kernel = each(kernel_size)
        steps = kernel if stride is None else each(stride)
        size = _unpooled_size(shape_of(input), kernel, steps, each(padding), output_size)
        _refuse_negative(size)
        if dims == 1:
            column, places = unsqueeze(input, -1), unsqueeze(indices, -1)
            return squeeze_dim(_unpool_rows[2](column, places, (*size, 1)), -1)
        if dims == 3 and min(steps) <= 0:
            raise RuntimeError(
                f"strides should be greater than zero, but got stride: {list(steps)}"
            )
        return _unpool_rows[dims](input, indices, size)

    ints = f"int[{dims}]"
    composite(
        f"nn.functional.max_unpool{dims}d(Tensor input, Tensor indices, {ints} kernel_size, "
        f"{ints}? stride=None, {ints} padding=0, any output_size=None)",
        doc="Undoes a maximum pool: zeros, with the maxima where they came from.",
        samples=lambda r: [
            (r(1, 1, *(2,) * dims), np.arange(2**dims).reshape(1, 1, *(2,) * dims), 2)
        ],
    )(unpool)


for _dims in (1, 2, 3):
    _register_inverse(_dims)

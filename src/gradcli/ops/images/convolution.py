"""Convolutions and transposed convolutions in one, two and three dimensions.

Every public name ends in one row, `convolution`; its backward is a row too, whose own derivative
is composed of convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.kernels.windows import (
    Geometry,
    correlate,
    correlate_images,
    correlate_weight,
    count_windows,
)
from gradcli.ops.algebra.arithmetic import added
from gradcli.ops.algebra.complex import view_as_real
from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.padding import constant_pad
from gradcli.ops.algebra.parts import narrow, select
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import reshape, shape_of, squeeze_dim, transpose, unsqueeze
from gradcli.ops.images.convolution_checks import check, check_ranks
from gradcli.ops.images.spatial import spread
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array

Sizes = Sequence[int]


def _per_dimension(values: int | Sequence[int], name: str, dims: int) -> tuple[int, ...]:
    """One number per spatial dimension."""
    if isinstance(values, int):
        return (values,) * dims
    if len(values) == 1:
        return tuple(values) * dims
    if len(values) != dims:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {dims} values to match the "
            f"convolution dimensions, but got {name}={list(values)}"
        )
    return tuple(values)


def _options(
    stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int], dims: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    return (
        _per_dimension(stride, "stride", dims),
        _per_dimension(padding, "padding", dims),
        _per_dimension(dilation, "dilation", dims),
    )


def _geometry(
    input: Sizes,
    weight: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
) -> Geometry:
    """The windows of a convolution; those of a transposed one lie over its output."""
    kernel, given = tuple(weight[2:]), tuple(input[2:])
    rest = (kernel, tuple(stride), tuple(padding), tuple(dilation))
    if transposed:
        size = tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + extra + 1
            for n, k, s, p, d, extra in zip(given, *rest, output_padding, strict=True)
        )
        return Geometry(size, given, *rest)
    return Geometry(given, tuple(map(count_windows, given, *rest)), *rest)


def _convolution(
    input: Array,
    weight: Array,
    bias: Array | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Array:
    """Slides kernels over images, or, transposed, spreads each element over a window."""
    dims = weight.ndim - 2
    if dims <= 0:
        raise RuntimeError("weight should have at least three dimensions")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    steps, padding, dilation = _options(stride, padding, dilation, dims)
    output_padding = _per_dimension(output_padding, "output_padding", dims)
    check_ranks(input.shape, weight.shape)
    geometry = _geometry(
        input.shape,
        weight.shape,
        [max(step, 1) for step in steps],
        padding,
        dilation,
        transposed,
        output_padding,
    )._replace(stride=steps)
    check(input, weight, bias, geometry, transposed, output_padding, groups)
    slide = correlate_images if transposed else correlate
    out = slide(input, weight, geometry, groups)
    if bias is not None:
        out += bias.astype(out.dtype, copy=False).reshape(-1, *(1,) * dims)
    return out


def _convolution_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
    output_mask: Sequence[bool],
) -> tuple[Array, Array, Array]:
    """The gradients of a convolution's input, weight and bias; empty where not wanted."""
    dims = weight.ndim - 2
    options = _options(stride, padding, dilation, dims)
    extra = _per_dimension(output_padding, "output_padding", dims)
    geometry = _geometry(input.shape, weight.shape, *options, transposed, extra)
    grad_output = grad_output.astype(input.dtype, copy=False)
    images, maps = (grad_output, input) if transposed else (input, grad_output)
    grad_input = grad_weight = grad_bias = np.empty(0, input.dtype)
    if output_mask[0]:
        slide = correlate if transposed else correlate_images
        grad_input = slide(grad_output, weight, geometry, groups)
    if output_mask[1]:
        grad_weight = correlate_weight(images, maps, geometry, groups)
    if output_mask[2]:
        grad_bias = grad_output.sum(axis=(0, *range(2, grad_output.ndim)))
    return grad_input, grad_weight, grad_bias


def _convolution_vjp(
    grad: Any,
    input: Any,
    weight: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
    needs: tuple[bool, ...],
) -> Any:
    options = (stride, padding, dilation, transposed, output_padding, groups)
    return convolution_backward(grad, input, weight, *options, needs)


convolution: Row = row(
    "convolution",
    _convolution,
    linear="input bias, weight bias",
    joint=("input weight bias", _convolution_vjp),
    samples=lambda r: [
        (r(2, 4, 5), r(3, 4, 2), r(3), (2,), (1,), (1,), False, (0,), 1),
        (r(1, 4, 5, 4), r(4, 2, 2, 3), None, (2, 1), (1, 0), (1, 1), False, (0, 0), 2),
        (r(1, 4, 3, 2), r(4, 2, 2, 3), r(4), (2, 1), (0, 1), (1, 2), True, (1, 0), 2),
        (r(1, 1, 2, 3, 3), r(2, 1, 1, 2, 2), r(2), (1,), (0,), (1,), False, (0,), 1),
    ],
)


def _narrowed(value: Any, limits: Sizes) -> Any:
    """The beginning of each spatial dimension, where it is longer than `limits`."""
    for dim, limit in enumerate(limits[2:], 2):
        if shape_of(value)[dim] > limit:
            value = narrow(value, dim, 0, limit)
    return value


def _weight_term(
    grad_grad_input: Any,
    grad_output: Any,
    weight_shape: Sizes,
    options: tuple[Sizes, Sizes, Sizes],
    transposed: bool,
    groups: int,
) -> Any:
    """Correlates gradients of the input with the gradient of the output, as kernels.

    The batch takes the place of the channels, and stride and dilation change places.
    """
    stride, padding, dilation = options
    maps, images = transpose(grad_output, 0, 1), transpose(grad_grad_input, 0, 1)
    if transposed:
        maps, images = images, maps
    zeros = (0,) * (len(weight_shape) - 2)
    parts = []
    for group in range(groups):
        pair = [images, maps]
        if groups > 1:
            share = [shape_of(value)[0] // groups for value in pair]
            pair = [narrow(v, 0, group * n, n) for v, n in zip(pair, share, strict=True)]
        parts.append(convolution(*pair, None, dilation, padding, stride, False, zeros, 1))
    joined = parts[0] if groups == 1 else cat(parts, 1)
    return _narrowed(transpose(joined, 0, 1), weight_shape)


def _input_term(
    grad_grad_weight: Any,
    grad_output: Any,
    input_shape: Sizes,
    options: tuple[Sizes, Sizes, Sizes],
    transposed: bool,
    groups: int,
) -> Any:
    """What gradients of the kernels contribute to the gradient of the input."""
    zeros = (0,) * (len(input_shape) - 2)
    call = (grad_output, grad_grad_weight, None, *options)
    if transposed:
        return _narrowed(convolution(*call, False, zeros, groups), input_shape)
    plain = _geometry(shape_of(grad_output), shape_of(grad_grad_weight), *options, True, zeros)
    missing = tuple(a - b for a, b in zip(input_shape[2:], plain.size, strict=True))
    return convolution(*call, True, missing, groups)


def _double_backward(
    grads: tuple[Any, Any, Any],
    grad_output: Any,
    input: Any,
    weight: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
    needs: tuple[bool, ...],
) -> tuple[Any, Any, Any]:
    of_input, of_weight, of_bias = grads
    dims = len(shape_of(weight)) - 2
    options = _options(stride, padding, dilation, dims)
    rest = (*options, transposed, output_padding, groups)
    found: list[Any] = [None, None, None]
    if needs[0]:
        if of_input is not None:
            found[0] = convolution(of_input, weight, None, *rest)
        if of_weight is not None:
            found[0] = added(found[0], convolution(input, of_weight, None, *rest))
        if of_bias is not None:
            spread = reshape(of_bias, (1, -1, *(1,) * dims))
            found[0] = added(found[0], expand(spread, shape_of(grad_output)))
    if needs[1] and of_weight is not None:
        found[1] = _input_term(of_weight, grad_output, shape_of(input), options, transposed, groups)
    if needs[2] and of_input is not None:
        found[2] = _weight_term(
            of_input, grad_output, shape_of(weight), options, transposed, groups
        )
    return found[0], found[1], found[2]


convolution_backward: Row = row(
    "aten.convolution_backward",
    _convolution_backward,
    linear="grad_output",
    joint=("grad_output input weight", _double_backward),
    samples=lambda r: [
        (r(1, 3, 3), r(1, 2, 4), r(3, 2, 2), (1,), (0,), (1,), False, (0,), 1, (True,) * 3),
        (
            *(r(1, 4, 2, 4), r(1, 4, 4, 3), r(4, 2, 3, 2), (2, 1), (1, 1), (1, 1)),
            *(False, (0, 0), 2, (True,) * 3),
        ),
        (
            *(r(1, 4, 4, 2), r(1, 2, 2, 2), r(2, 2, 2, 3), (2, 1), (0, 1), (1, 1)),
            *(True, (0, 0), 2, (True,) * 3),
        ),
    ],
    pytorch=(
        "aten.convolution_backward(grad_output, input, weight, "
        "[weight.shape[1] * groups if transposed else weight.shape[0]], stride, padding, dilation, "
        "transposed, output_padding, groups, output_mask)"
    ),
)


def _batched(input: Any, dims: int, name: str) -> tuple[Any, bool]:
    """The input with a batch dimension, and whether it had one."""
    ndim = len(shape_of(input))
    if ndim not in (dims + 1, dims + 2):
        raise RuntimeError(
            f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {name}, but got "
            f"input of size: {list(shape_of(input))}"
        )
    return (input, True) if ndim == dims + 2 else (unsqueeze(input, 0), False)


def _convolve(input: Any, weight: Any, bias: Any, *options: Any) -> Any:
    """A convolution; of complex numbers it is made of three real ones."""
    if not (type(input) is Tensor and input._array.dtype.kind == "c"):
        return convolution(input, weight, bias, *options)
    for operand, word in ((weight, "weight"), (bias, "bias")):
        if operand is not None and operand.dtype is not input.dtype:
            kinds = [dtypes.of(t._array).scalar_name for t in (input, operand)]
            device = "CPUComplex" + kinds[0].removeprefix("Complex")
            raise RuntimeError(
                f"Input type ({device}Type) and {word} type ({kinds[1]}Tensor) should be the same"
            )
    input_real, input_imag = _parts(input)
    weight_real, weight_imag = _parts(weight)
    bias_real, bias_sum = None, None
    if bias is not None:
        bias_real, bias_imag = _parts(bias)
        bias_sum = bias_real + bias_imag
    both_real = convolution(input_real, weight_real, bias_real, *options)
    both_imag = convolution(input_imag, weight_imag, None, *options)
    mixed = convolution(input_real + input_imag, weight_real + weight_imag, bias_sum, *options)
    return both_real - both_imag + mul_scalar(mixed - both_real - both_imag, 1j)


def _parts(value: Any) -> tuple[Any, Any]:
    pairs = view_as_real(value)
    return select(pairs, -1, 0), select(pairs, -1, 1)


def _same_padding(
    input: Any, weight: Any, stride: Sizes, dilation: Sizes
) -> tuple[Any, tuple[int, ...]]:
    """The input and the padding with which a convolution keeps the input's size.

    An odd total puts the larger half behind, as explicit zeros.
    """
    if any(step != 1 for step in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    if len(shape_of(weight)) < 3:
        raise RuntimeError("weight should have at least three dimensions")
    check_ranks(shape_of(input), shape_of(weight), "")
    totals = [d * (k - 1) for d, k in zip(dilation, shape_of(weight)[2:], strict=True)]
    if any(total % 2 for total in totals):
        behind = [amount for total in reversed(totals) for amount in (0, total % 2)]
        input = constant_pad(input, behind, 0)
    return input, tuple(total // 2 for total in totals)


_OPERANDS: Final = "(Tensor input, Tensor weight, Tensor? bias=None, "


def _enter_plain(dims: int) -> None:
    """Enters `conv{dims}d` with numbers for padding."""
    name, ints, zeros = f"conv{dims}d", f"int[{dims}]", (0,) * dims
    size, taps = (6, 5, 4)[:dims], (3, 2, 2)[:dims]

    @composite(
        f"{name}|nn.functional.{name}{_OPERANDS}{ints} stride=1, {ints} padding=0, "
        f"{ints} dilation=1, int groups=1)",
        samples=lambda r: [
            (r(1, 2, *size), r(2, 2, *taps), r(2), 2, 1),
            (r(2, *size), r(4, 1, *taps), None, 1, 0, 1, 2),
        ],
    )
    def plain(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        """Slides kernels over images of shape (N, C, ...) or (C, ...)."""
        images, batched = _batched(input, dims, name)
        windows = [spread(values, dims) for values in (stride, padding, dilation)]
        out = _convolve(images, weight, bias, *windows, False, zeros, groups)
        return out if batched else squeeze_dim(out, 0)


def _enter_named(dims: int) -> None:
    """Enters `conv{dims}d` with a word for padding."""
    name, ints, zeros = f"conv{dims}d", f"int[{dims}]", (0,) * dims
    size, taps = (6, 5, 4)[:dims], (3, 2, 2)[:dims]

    @composite(
        f"{name}|nn.functional.{name}{_OPERANDS}{ints} stride=1, str padding='valid', "
        f"{ints} dilation=1, int groups=1)",
        samples=lambda r: [(r(1, 2, *size), r(1, 2, *taps), r(1), 1, "same")],
    )
    def named(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: str = "valid",
        dilation: Any = 1,
        groups: int = 1,
    ) -> Any:
        """Slides kernels over images, with padding 'valid' (none) or 'same' (the same size)."""
        images, batched = _batched(input, dims, name)
        stride = _per_dimension(stride, "stride", dims)
        dilation = _per_dimension(dilation, "dilation", dims)
        room = zeros
        if padding == "same":
            images, room = _same_padding(images, weight, stride, dilation)
        elif padding != "valid":
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        out = _convolve(images, weight, bias, stride, room, dilation, False, zeros, groups)
        return out if batched else squeeze_dim(out, 0)


def _enter_transposed(dims: int) -> None:
    """Enters `conv_transpose{dims}d`."""
    name, ints, taps = f"conv_transpose{dims}d", f"int[{dims}]", (3, 2, 2)[:dims]

    @composite(
        f"{name}|nn.functional.{name}{_OPERANDS}{ints} stride=1, {ints} padding=0, "
        f"{ints} output_padding=0, int groups=1, {ints} dilation=1)",
        samples=lambda r: [(r(1, 2, *taps), r(2, 1, *taps), r(2), 2, 1, 1, 2)],
    )
    def transposed(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Any:
        """Spreads each element over a window: the gradient of a convolution as a function."""
        images, batched = _batched(input, dims, name)
        windows = [spread(values, dims) for values in (stride, padding, dilation)]
        extra = spread(output_padding, dims)
        out = _convolve(images, weight, bias, *windows, True, extra, groups)
        return out if batched else squeeze_dim(out, 0)


for _dims in (1, 2, 3):
    _enter_plain(_dims)
    _enter_named(_dims)
    _enter_transposed(_dims)

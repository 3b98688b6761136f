"""PyTorch's complaints about the arguments of a convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gradcli.kernels.windows import Geometry
from gradcli.tensor import dtypes
from gradcli.tensor.errors import no_kernel
from gradcli.typing import Array

Sizes = Sequence[int]

_CPP_NAMES: Final = {
    "Float": "float",
    "Double": "double",
    "Half": "c10::Half",
    "Long": "long int",
    "Int": "int",
    "Short": "short int",
    "Char": "signed char",
    "Byte": "unsigned char",
    "ComplexFloat": "c10::complex<float>",
    "ComplexDouble": "c10::complex<double>",
    "Bool": "bool",
}
"""What C++ calls the element types that its message about biases names."""


def _times(lengths: Sequence[int]) -> str:
    """`(2 x 3)`."""
    return f"({' x '.join(map(str, lengths))})"


def check_ranks(input: Sizes, weight: Sizes, gap: str = " ") -> None:
    """PyTorch's complaint about images and kernels of different numbers of dimensions.

    `gap` is what its message has before the weight's shape.
    """
    ndim = len(weight)
    if len(input) != ndim:
        raise RuntimeError(
            f"Expected {ndim}-dimensional input for {ndim}-dimensional weight{gap}{list(weight)}, "
            f"but got {len(input)}-dimensional input of size {list(input)} instead"
        )


def check(
    input: Array,
    weight: Array,
    bias: Array | None,
    geometry: Geometry,
    transposed: bool,
    output_padding: Sizes,
    groups: int,
) -> None:
    """PyTorch's complaints about the arguments of a convolution, in its order."""
    shape, image = list(weight.shape), list(input.shape)
    if min(geometry.padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if min(geometry.stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {shape} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{shape}] instead"
        )
    wanted = shape[0] if transposed else shape[1] * groups
    if image[1] != wanted:
        kind = "transposed=1" if transposed else f"groups={groups}"
        raise RuntimeError(
            f"Given {kind}, weight of size {shape}, expected input{image} to have {wanted} "
            f"channels, but got {image[1]} channels instead"
        )
    made = shape[1] * groups if transposed else shape[0]
    if bias is not None and bias.shape != (made,):
        raise RuntimeError(
            f"Given {'transposed=1, ' * transposed}weight of size {shape}, expected bias to be "
            f"1-dimensional with {made} elements, but got bias of size {list(bias.shape)} instead"
        )
    if not transposed:
        spans = [d * (k - 1) + 1 for d, k in zip(geometry.dilation, geometry.kernel, strict=True)]
        if any(span > room for span, room in zip(spans, geometry.padded, strict=True)):
            raise RuntimeError(
                f"Calculated padded input size per channel: {_times(geometry.padded)}. Kernel "
                f"size: {_times(spans)}. Kernel size can't be greater than actual input size"
            )
    if min(geometry.dilation) <= 0:
        raise RuntimeError(
            f"dilation should be greater than zero, but got {list(geometry.dilation)}"
        )
    if min(geometry.kernel) <= 0:
        raise RuntimeError(
            "kernel size should be greater than zero, but got " + _sides("kernel", geometry.kernel)
        )
    if transposed:
        _check_transposed(geometry, output_padding)
    _check_types(input, weight, bias, transposed, max(geometry.dilation) > 1)


def _sides(word: str, lengths: Sequence[int], otherwise: int = 1) -> str:
    """`kernel_height: 3 kernel_width: 3`; one dimension is the width of a plane.

    `otherwise` is the height of that plane.
    """
    sides = lengths if len(lengths) > 1 else (otherwise, *lengths)
    names = ("depth", "height", "width")[-len(sides) :]
    return " ".join(f"{word}_{name}: {n}" for name, n in zip(names, sides, strict=True))


def _check_transposed(geometry: Geometry, output_padding: Sizes) -> None:
    steps = zip(output_padding, geometry.stride, geometry.dilation, strict=True)
    if any(extra >= s and extra >= d for extra, s, d in steps):
        raise RuntimeError(
            "output padding must be smaller than either stride or dilation, but got "
            + f"{_sides('output_padding', output_padding, 0)} {_sides('stride', geometry.stride)} "
            + _sides("dilation", geometry.dilation)
        )
    if min(geometry.size) < 1:
        given, size = geometry.out, geometry.size
        if len(size) == 1:
            given, size = (1, *given), (1, *size)
        raise RuntimeError(
            f"Given input size per channel: {_times(given)}. Calculated output size per channel: "
            f"{_times(size)}. Output size is too small"
        )


def _check_types(
    input: Array, weight: Array, bias: Array | None, transposed: bool, dilated: bool
) -> None:
    kind, dims = dtypes.of(input).scalar_name, max(2, input.ndim - 2)
    narrow_integers = transposed and input.dtype.kind in "iu" and kind != "Long"
    if input.dtype.kind in "bc" or narrow_integers:
        if transposed:
            name = f"slow_conv_transpose{dims}d_out_cpu"
        elif dilated:
            name = "slow_conv_dilated<>"
        else:
            name = "compute_columns3d" if dims == 3 else "slow_conv2d_cpu"
        raise no_kernel(name, input.dtype)
    if weight.dtype != input.dtype:
        raise RuntimeError(f"expected scalar type {kind} but found {dtypes.of(weight).scalar_name}")
    if bias is None or bias.dtype == input.dtype:
        return
    other = dtypes.of(bias).scalar_name
    if not transposed:
        raise RuntimeError(
            f"Input type ({_CPP_NAMES[kind]}) and bias type ({_CPP_NAMES[other]}) should be the "
            "same"
        )
    if dims == 3:
        raise RuntimeError(f"expected scalar type {kind} but found {other}")
    if bias.dtype.kind > input.dtype.kind and input.dtype.kind in "iu":
        raise RuntimeError(f"result type {other} can't be cast to the desired output type {kind}")

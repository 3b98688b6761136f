"""Convolutions: naive values, blocks, derivatives of the derivative, complaints."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from gradcli.autograd.passes import grad
from gradcli.kernels import windows
from gradcli.tensor.tensor import wrap
from tests.ops.images import call, names_below

Array = np.ndarray[Any, Any]


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def slide(
    images: Array, weight: Array, stride: int, padding: int, dilation: int, groups: int
) -> Array:
    """A two-dimensional convolution, element by element."""
    room = np.pad(images, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    kernel, inner = weight.shape[2:], weight.shape[1]
    out = [
        (n - dilation * (k - 1) - 1) // stride + 1
        for n, k in zip(room.shape[2:], kernel, strict=True)
    ]
    made = np.zeros((len(images), len(weight), *out))
    for n, o, y, x in np.ndindex(made.shape):
        group = o // (len(weight) // groups)
        for c, i, j in np.ndindex(weight.shape[1:]):
            place = (y * stride + i * dilation, x * stride + j * dilation)
            made[n, o, y, x] += weight[o, c, i, j] * room[n, group * inner + c, *place]
    return made


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"),
    [(1, 0, 1, 1), (1, 1, 1, 2), (2, 1, 1, 1), (1, 2, 2, 1), (3, 2, 2, 2)],
)
@pytest.mark.parametrize("block_bytes", [1, 1000, 1 << 22])
def test_blocks_of_any_size_give_the_naive_sum(
    monkeypatch: pytest.MonkeyPatch,
    stride: int,
    padding: int,
    dilation: int,
    groups: int,
    block_bytes: int,
) -> None:
    monkeypatch.setattr(windows, "BLOCK_BYTES", block_bytes)
    images, weight = numbers(3, 4, 7, 6), numbers(2, 4 // groups, 3, 2, seed=1)
    made = call("conv2d", images, weight, None, stride, padding, dilation, groups)
    expected = slide(images, weight, stride, padding, dilation, groups)
    np.testing.assert_allclose(made._array, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("block_bytes", [1, 1000, 1 << 22])
@pytest.mark.parametrize(
    ("stride", "outputs", "groups", "extra"),
    [(1, 2, 2, 0), (1, 8, 1, 0), (2, 4, 2, 1), (1, 4, 1, 1)],
)
def test_both_adjoints_pair_with_the_convolution(
    monkeypatch: pytest.MonkeyPatch,
    stride: int,
    outputs: int,
    groups: int,
    extra: int,
    block_bytes: int,
) -> None:
    monkeypatch.setattr(windows, "BLOCK_BYTES", block_bytes)
    out = (5, 3)
    size = tuple(
        (n - 1) * stride + d * (k - 1) + 1 + extra - 2
        for n, k, d in zip(out, (3, 2), (2, 3), strict=True)
    )
    geometry = windows.Geometry(size, out, (3, 2), (stride, stride), (1, 1), (2, 3))
    images, maps = numbers(2, 4, *size), numbers(2, outputs, *out, seed=1)
    weight = numbers(outputs, 4 // groups, 3, 2, seed=2)
    paired = np.vdot(windows.correlate(images, weight, geometry, groups), maps)
    back = windows.correlate_images(maps, weight, geometry, groups)
    assert back.shape == images.shape
    assert np.vdot(back, images) == pytest.approx(paired)
    kernels = windows.correlate_weight(images, maps, geometry, groups)
    assert kernels.shape == weight.shape
    assert np.vdot(kernels, weight) == pytest.approx(paired)


def test_gathered_columns_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    largest = 0
    copy = np.copyto

    def watch(target: Array, source: Array) -> None:
        nonlocal largest
        largest = max(largest, target.nbytes)
        copy(target, source)

    monkeypatch.setattr(np, "copyto", watch)
    call("conv2d", numbers(4, 8, 200, 200).astype(np.float32), np.ones((2, 8, 5, 5), np.float32))
    assert 0 < largest <= windows.BLOCK_BYTES


def test_half_precision_accumulates_in_single_precision() -> None:
    images = np.full((1, 4096, 1, 1), 1, np.float16)
    made = call("conv2d", images, np.full((1, 4096, 1, 1), 1, np.float16))
    assert made._array.dtype == np.float16
    assert made.item() == 4096


def test_integers_convolve_exactly() -> None:
    images = np.arange(25).reshape(1, 1, 5, 5)
    made = call("conv2d", images, np.ones((1, 1, 3, 3), np.int64))
    assert made._array.tolist() == [[[[54, 63, 72], [99, 108, 117], [144, 153, 162]]]]


def test_complex_convolution_is_linear_in_both() -> None:
    images, weight = numbers(1, 2, 5) + 1j * numbers(1, 2, 5, seed=1), numbers(3, 2, 2)
    bias = numbers(3) * (1 + 2j)
    made = call("conv1d", images, weight * (1 - 2j), bias)
    parts = [call("conv1d", part, weight)._array for part in (images.real, images.imag)]
    expected = (1 - 2j) * (parts[0] + 1j * parts[1]) + bias[:, None]
    np.testing.assert_allclose(made._array, expected, rtol=1e-12)


def test_no_images_and_unbatched_images() -> None:
    weight = numbers(2, 3, 3, 3)
    assert call("conv2d", numbers(0, 3, 5, 5), weight).shape == (0, 2, 3, 3)
    images = numbers(1, 3, 5, 5)
    np.testing.assert_array_equal(
        call("conv2d", images[0], weight)._array, call("conv2d", images, weight)._array[0]
    )


def test_nodes_of_the_first_and_second_pass() -> None:
    images, weight, bias = (
        wrap(array, True) for array in (numbers(1, 2, 5), numbers(3, 2, 3), numbers(3))
    )
    made = call("conv1d", images, weight, bias)
    assert names_below(made.grad_fn) == "ConvolutionBackward0(leaf,leaf,leaf)"
    seed = wrap(np.ones(made.shape), True)
    slopes = grad(made, (images, weight, bias), seed, create_graph=True)
    for slope in slopes:
        assert slope is not None
        assert names_below(slope.grad_fn) == "ConvolutionBackwardBackward0(leaf,leaf,leaf)"
    of_images = slopes[0]
    assert of_images is not None
    second = grad(of_images, (images, weight), wrap(np.ones(of_images.shape)), allow_unused=True)
    assert second[0] is None
    assert second[1] is not None


def test_an_unbatched_image_is_squeezed() -> None:
    made = call("conv2d", wrap(numbers(2, 4, 4), True), numbers(3, 2, 2, 2))
    assert (
        names_below(made.grad_fn)
        == "SqueezeBackward1(ConvolutionBackward0(UnsqueezeBackward0(leaf),-,-))"
    )


def test_same_padding_pads_the_end_when_the_total_is_odd() -> None:
    images = wrap(numbers(1, 1, 4), True)
    made = call("conv1d", images, np.array([[[1.0, 10.0]]]), padding="same")
    ahead = np.append(images._array[0, 0, 1:], 0)
    np.testing.assert_allclose(made._array[0, 0], images._array[0, 0] + 10 * ahead)
    assert names_below(made.grad_fn) == "ConvolutionBackward0(ConstantPadNdBackward0(leaf),-,-)"


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("groups", [1, 2])
def test_third_derivatives(transposed: bool, groups: int) -> None:
    """Of a cubic function of one number that scales images and kernels."""
    images, weight = numbers(1, 2, 4), numbers(2, 2 // groups, 2)
    scale = wrap(np.array(0.7), True)
    name = "conv_transpose1d" if transposed else "conv1d"
    made = call(name, scale * wrap(images), scale * scale * wrap(weight), groups=groups)
    value = made.sum()
    for order in range(1, 4):
        (value,) = grad(value, (scale,), create_graph=True)
        factor = {1: 3 * 0.7**2, 2: 6 * 0.7, 3: 6}[order]
        plain = call(name, images, weight, groups=groups)._array.sum()
        assert value is not None
        assert value.item() == pytest.approx(factor * plain)


COMPLAINTS = [
    (
        ("conv2d", (1, 4, 5, 5), (2, 3, 3, 3)),
        {},
        "Given groups=1, weight of size [2, 3, 3, 3], expected input[1, 4, 5, 5] to have 3 "
        "channels, but got 4 channels instead",
    ),
    (
        ("conv2d", (1, 3, 5, 5), (2, 3, 3, 3), (3,)),
        {},
        "Given weight of size [2, 3, 3, 3], expected bias to be 1-dimensional with 2 elements, "
        "but got bias of size [3] instead",
    ),
    (
        ("conv2d", (1, 3, 2, 5), (2, 3, 3, 3)),
        {},
        "Calculated padded input size per channel: (2 x 5). Kernel size: (3 x 3). Kernel size "
        "can't be greater than actual input size",
    ),
    (
        ("conv2d", (3, 5), (2, 3, 3, 3)),
        {},
        "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [3, 5]",
    ),
    (
        ("conv2d", (1, 3, 5, 5), (2, 3, 3, 3)),
        {"stride": (1, 2, 3)},
        "expected stride to be a single integer value or a list of 2 values to match the "
        "convolution dimensions, but got stride=[1, 2, 3]",
    ),
    (("conv2d", (1, 3, 5, 5), (2, 3, 3, 3)), {"stride": 0}, "non-positive stride is not supported"),
    (("conv2d", (1, 3, 5, 5), (2, 3, 3, 3)), {"padding": -1}, "negative padding is not supported"),
    (
        ("conv2d", (1, 3, 5, 5), (2, 3, 3, 3)),
        {"dilation": 0},
        "dilation should be greater than zero, but got [0, 0]",
    ),
    (
        ("conv2d", (1, 4, 5, 5), (3, 2, 3, 3)),
        {"groups": 2},
        "Given groups=2, expected weight to be divisible by 2 at dimension 0, but got weight of "
        "size [[3, 2, 3, 3]] instead",
    ),
    (
        ("conv2d", (1, 3, 5, 5), (2, 3, 3, 3)),
        {"padding": "same", "stride": 2},
        "padding='same' is not supported for strided convolutions",
    ),
    (
        ("conv2d", (1, 3, 5, 5), (2, 3, 3, 3)),
        {"padding": "full"},
        "Invalid padding string: 'full'",
    ),
    (
        ("conv_transpose2d", (1, 4, 5, 5), (3, 2, 3, 3)),
        {},
        "Given transposed=1, weight of size [3, 2, 3, 3], expected input[1, 4, 5, 5] to have 3 "
        "channels, but got 4 channels instead",
    ),
    (
        ("conv_transpose1d", (1, 3, 5), (3, 2, 3)),
        {"stride": 2, "output_padding": 2},
        "output padding must be smaller than either stride or dilation, but got "
        "output_padding_height: 0 output_padding_width: 2 stride_height: 1 stride_width: 2 "
        "dilation_height: 1 dilation_width: 1",
    ),
    (
        ("conv_transpose2d", (1, 3, 1, 1), (3, 2, 1, 1)),
        {"padding": 1},
        "Given input size per channel: (1 x 1). Calculated output size per channel: (-1 x -1). "
        "Output size is too small",
    ),
]


@pytest.mark.parametrize(("shapes", "options", "message"), COMPLAINTS)
def test_complaints_about_shapes(
    shapes: tuple[Any, ...], options: dict[str, Any], message: str
) -> None:
    name, *rest = shapes
    with pytest.raises(RuntimeError) as caught:
        call(name, *(np.zeros(shape) for shape in rest), **options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("kinds", "error", "message"),
    [
        (("f8", "f4", None), RuntimeError, "expected scalar type Double but found Float"),
        (
            ("f4", "f4", "f8"),
            RuntimeError,
            "Input type (float) and bias type (double) should be the same",
        ),
        (
            ("c8", "f4", None),
            RuntimeError,
            "Input type (CPUComplexFloatType) and weight type (FloatTensor) should be the same",
        ),
        (("?", "?", None), NotImplementedError, "\"slow_conv2d_cpu\" not implemented for 'Bool'"),
    ],
)
def test_complaints_about_element_types(
    kinds: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    shapes = ((1, 3, 5), (2, 3, 3), (2,))
    arrays = [
        None if kind is None else np.zeros(s, kind) for s, kind in zip(shapes, kinds, strict=True)
    ]
    with pytest.raises(error) as caught:
        call("conv1d", *arrays)
    assert str(caught.value) == message


def test_names_of_torch_are_those_of_the_functional_module() -> None:
    from gradcli.table.registry import lookup

    for dims, kind in product((1, 2, 3), ("conv", "conv_transpose")):
        name = f"{kind}{dims}d"
        plain, functional = lookup(name), lookup(f"nn.functional.{name}")
        assert plain is not None
        assert functional is not None
        assert plain.entries == functional.entries

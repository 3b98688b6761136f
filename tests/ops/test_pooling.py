"""Pools: ties, nans and infinities, indices, complaints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.autograd.passes import grad
from gradcli.tensor.tensor import wrap
from tests.ops.images import call, names_below

Array = np.ndarray[Any, Any]
NAN, INF = float("nan"), float("inf")


def slope_of(name: str, values: Any, *args: Any, **kwargs: Any) -> list[Any]:
    """The gradient of the sum of a pool of one channel."""
    leaf = wrap(np.array(values, dtype=np.float64)[None], True)
    made = call(name, leaf, *args, **kwargs)
    (slope,) = grad(made, (leaf,), wrap(np.ones(made.shape)))
    assert slope is not None
    found: list[Any] = slope._array[0].tolist()
    return found


def test_the_first_of_equal_maxima_takes_the_gradient() -> None:
    assert slope_of("max_pool1d", [2, 2, 1, 3, 0, 3], 3) == [1, 0, 0, 1, 0, 0]
    plane = [[1, 5, 5], [5, 0, 5]]
    assert slope_of("max_pool2d", plane, (2, 3)) == [[0, 1, 0], [0, 0, 0]]


def test_overlapping_windows_add_up() -> None:
    assert slope_of("max_pool1d", [0, 4, 1, 2], 3, 1) == [0, 2, 0, 0]
    assert slope_of("avg_pool1d", [1, 2, 3, 4], 2, 1) == [0.5, 1, 1, 0.5]


def test_the_last_nan_is_the_maximum() -> None:
    best, index = call(
        "max_pool2d", np.array([[[NAN, 1.0, 2.0], [NAN, 3.0, 0.0]]]), (2, 3), return_indices=True
    )
    assert np.isnan(best.item())
    assert index.item() == 3


def test_infinities_do_not_leak_from_padding_or_into_other_windows() -> None:
    best, index = call(
        "max_pool1d", np.array([[-INF, -INF, 1.0, INF]]), 2, 2, 1, return_indices=True
    )
    assert best._array.tolist() == [[-INF, 1, INF]]
    assert index._array.tolist() == [[0, 2, 3]]
    averages = call("adaptive_avg_pool1d", np.array([[1.0, 3.0, NAN, 1.0]]), 2)
    assert averages._array[0, 0] == 2
    assert np.isnan(averages._array[0, 1])


@pytest.mark.parametrize("dims", [2, 3])
def test_indices_find_the_maxima_in_large_windows(dims: int) -> None:
    images = np.random.default_rng(0).standard_normal((2, 3, *(17,) * dims))
    best, index = call(f"max_pool{dims}d", images, 17, return_indices=True)
    flat = images.reshape(2, 3, -1)
    np.testing.assert_array_equal(best._array.reshape(2, 3), flat.max(-1))
    np.testing.assert_array_equal(index._array.reshape(2, 3), flat.argmax(-1))


def test_integers_are_pooled() -> None:
    images = np.array([[[1, -7], [3, 2]]])
    best, index = call("max_pool2d", images, 2, return_indices=True)
    assert (best.item(), index.item()) == (3, 2)
    averages = call("avg_pool2d", np.array([[[1, -7], [0, -1]]]), 2)
    assert averages._array.dtype == np.int64
    assert averages.item() == -1


def test_ceil_mode_drops_a_window_that_starts_in_the_padding() -> None:
    assert call("avg_pool1d", np.ones((1, 5)), 2, 2, 1, True).shape == (1, 3)
    assert call("avg_pool1d", np.ones((1, 6)), 2, 2, 1, True).shape == (1, 4)
    assert call("avg_pool1d", np.ones((1, 4)), 1, 3, 0, True).shape == (1, 2)


def test_what_averages_are_divided_by() -> None:
    ones = np.ones((1, 1, 2, 2))
    corners = call("avg_pool2d", ones, 2, 2, 1)
    assert corners._array.ravel().tolist() == [0.25] * 4
    inside = call("avg_pool2d", ones, 2, 2, 1, False, False)
    assert inside._array.ravel().tolist() == [1] * 4
    overridden = call("avg_pool2d", ones, 2, divisor_override=-8)
    assert overridden.item() == -0.5


def test_an_adaptive_pool_to_one_element_is_a_mean() -> None:
    leaf = wrap(np.arange(8.0).reshape(1, 2, 2, 2), True)
    made = call("adaptive_avg_pool2d", leaf, 1)
    assert made._array.ravel().tolist() == [1.5, 5.5]
    assert names_below(made.grad_fn) == "MeanBackward1(leaf)"
    line = call("adaptive_avg_pool1d", wrap(np.arange(3.0)[None], True), 1)
    assert names_below(line.grad_fn) == "SqueezeBackward1(MeanBackward1(UnsqueezeBackward0(leaf)))"


def test_adaptive_pools_may_enlarge_and_keep_a_length() -> None:
    made = call("adaptive_avg_pool2d", np.array([[[1.0, 2.0], [3.0, 4.0]]]), (None, 3))
    assert made._array.tolist() == [[[1, 1.5, 2], [3, 3.5, 4]]]
    assert slope_of("adaptive_max_pool1d", [1, 2], 3) == [1, 2]


@pytest.mark.parametrize(
    ("name", "shape", "options", "below"),
    [
        ("avg_pool2d", (1, 1, 4, 4), (2,), "AvgPool2DBackward0(leaf)"),
        (
            "avg_pool1d",
            (1, 1, 4),
            (2,),
            "SqueezeBackward1(AvgPool2DBackward0(UnsqueezeBackward0(leaf)))",
        ),
        ("max_pool3d", (1, 1, 2, 2, 2), (2,), "MaxPool3DWithIndicesBackward0(leaf)"),
        (
            "max_pool1d",
            (1, 4),
            (2,),
            "SqueezeBackward1(MaxPool2DWithIndicesBackward0(UnsqueezeBackward0(leaf)))",
        ),
        ("adaptive_max_pool2d", (1, 4, 4), (2,), "AdaptiveMaxPool2DBackward0(leaf)"),
        ("adaptive_avg_pool3d", (1, 4, 4, 4), (2,), "AdaptiveAvgPool3DBackward0(leaf)"),
        (
            "lp_pool2d",
            (1, 4, 4),
            (2, 2),
            "PowBackward0(MulBackward0(MulBackward0(SignBackward0(AvgPool2DBackward0("
            "PowBackward0(leaf))),ReluBackward0(AbsBackward0(AvgPool2DBackward0(PowBackward0("
            "leaf))))),-))",
        ),
    ],
)
def test_nodes(name: str, shape: tuple[int, ...], options: tuple[Any, ...], below: str) -> None:
    values = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    assert names_below(call(name, wrap(values, True), *options).grad_fn) == below


def test_the_second_pass_of_a_maximum_pool_gathers() -> None:
    leaf = wrap(np.array([[[1.0, 4.0], [3.0, 2.0]]]), True)
    seed = wrap(np.ones((1, 1, 1)), True)
    (slope,) = grad(call("max_pool2d", leaf, 2), (leaf,), seed, create_graph=True)
    assert slope is not None
    assert names_below(slope.grad_fn) == "MaxPool2DWithIndicesBackwardBackward0(leaf,leaf)"
    (back,) = grad(slope, (seed,), wrap(np.array([[[1.0, 2.0], [3.0, 4.0]]])), create_graph=False)
    assert back is not None
    assert back._array.tolist() == [[[2.0]]]


def test_unpooling_puts_maxima_back() -> None:
    images = np.array([[[1.0, 2, 3, 4], [5, 6, 8, 7]]])
    best, index = call("max_pool2d", images, 2, return_indices=True)
    made = call("max_unpool2d", wrap(best._array, True), index, 2)
    assert made._array.tolist() == [[[0, 0, 0, 0], [0, 6, 8, 0]]]
    assert names_below(made.grad_fn) == "MaxUnpool2DBackward0(leaf)"
    wider = call("max_unpool2d", best._array, index._array, 2, output_size=(2, 5))
    assert wider._array.tolist() == [[[0, 0, 0, 0, 0], [6, 8, 0, 0, 0]]]


Z = np.zeros
COMPLAINTS: list[tuple[Any, ...]] = [
    (
        RuntimeError,
        "Given input size: (2x5x5). Calculated output size: (2x0x0). Output size is too small",
        ("avg_pool2d", Z((1, 2, 5, 5)), 6),
    ),
    (RuntimeError, "stride should not be zero", ("max_pool2d", Z((1, 2, 5, 5)), 2, 0)),
    (
        RuntimeError,
        "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and "
        "dilation=1",
        ("avg_pool2d", Z((1, 2, 5, 5)), 2, 2, 2),
    ),
    (
        RuntimeError,
        "pad must be non-negative, but got pad: -1",
        ("max_pool3d", Z((1, 2, 5, 5, 5)), 3, 2, -1),
    ),
    (
        RuntimeError,
        "kernel size should be greater than zero, but got kH: 1 kW: 0",
        ("avg_pool1d", Z((1, 2, 5)), 0, 1),
    ),
    (
        RuntimeError,
        "dilation should be greater than zero, but got dilationT: 0 dilationH: 0 dilationW: 0",
        ("max_pool3d", Z((1, 2, 5, 5, 5)), 3, 2, 0, 0),
    ),
    (
        IndexError,
        "Dimension out of range (expected to be in range of [-2, 1], but got -3)",
        ("avg_pool2d", Z((5, 5)), 2),
    ),
    (
        RuntimeError,
        "non-empty 3D or 4D (batch mode) tensor expected for input",
        ("max_pool2d", Z((5, 5)), 2),
    ),
    (
        RuntimeError,
        "input image (T: 5 H: 5 W: 5) smaller than kernel size (kT: 6 kH: 6 kW: 6)",
        ("avg_pool3d", Z((1, 2, 5, 5, 5)), 6),
    ),
    (
        RuntimeError,
        "avg_pool2d: stride must either be omitted, a single int, or a tuple of two ints",
        ("avg_pool2d", Z((1, 2, 5, 5)), 2, (1, 2, 3)),
    ),
    (
        RuntimeError,
        "avg_pool3d: kernel_size must be a single int, or a tuple of three ints",
        ("avg_pool3d", Z((1, 2, 5, 5, 5)), (2, 2)),
    ),
    (
        RuntimeError,
        "max_pool2d: dilation must be either a single int, or a tuple of two ints",
        ("max_pool2d", Z((1, 2, 5, 5)), 2, 2, 0, (1, 1, 1)),
    ),
    (
        RuntimeError,
        "divisor must be not zero",
        ("avg_pool2d", Z((1, 2, 5, 5)), 2, 2, 0, False, True, 0),
    ),
    (
        NotImplementedError,
        "\"avg_pool2d\" not implemented for 'Int'",
        ("avg_pool2d", Z((1, 2, 5, 5), np.int32), 2),
    ),
    (
        RuntimeError,
        "avg_pool1d() argument 'kernel_size' should contain one int (got 2)",
        ("avg_pool1d", Z((1, 2, 5)), (2, 2)),
    ),
    (
        RuntimeError,
        "Expected 2 to 3 dimensions, but got 1-dimensional tensor for argument #1 'self' (while "
        "checking arguments for avg_pool1d)",
        ("avg_pool1d", Z(5), 2),
    ),
    (
        RuntimeError,
        "max_pool1d() Invalid computed output size: 0",
        ("max_pool1d", Z((1, 2, 5)), 6),
    ),
    (
        RuntimeError,
        "max_pool1d() padding should be at most half of kernel size, but got padding=2 and "
        "kernel_size=2",
        ("max_pool1d", Z((1, 2, 5)), 2, 2, 2),
    ),
    (
        RuntimeError,
        "adaptive_avg_pool2d: elements of output_size must be greater than or equal to 0 but "
        "received {2, -1}",
        ("adaptive_avg_pool2d", Z((1, 2, 5, 5)), (2, -1)),
    ),
    (
        RuntimeError,
        "adaptive_max_pool2d(): Expected input to have non-zero size for non-batch dimensions, "
        "but input has sizes [1, 0, 5, 5] with dimension 1 being empty",
        ("adaptive_max_pool2d", Z((1, 0, 5, 5)), 2),
    ),
    (
        RuntimeError,
        "elements in indices should be type int64 but got: Double",
        ("max_unpool2d", Z((1, 2, 3, 3)), Z((1, 2, 3, 3)), 2),
    ),
    (
        RuntimeError,
        "Found an invalid max index: 99 (output volumes are of size 6x6)",
        ("max_unpool2d", Z((1, 2, 3, 3)), np.full((1, 2, 3, 3), 99), 2),
    ),
    (
        ValueError,
        'invalid output_size "(9, 9)" (dim 0 must be between 4 and 8)',
        ("max_unpool2d", Z((1, 2, 3, 3)), Z((1, 2, 3, 3), np.int64), 2, None, 0, (9, 9)),
    ),
]


@pytest.mark.parametrize(("error", "message", "arguments"), COMPLAINTS)
def test_complaints(error: type[Exception], message: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(error) as caught:
        call(*arguments)
    assert str(caught.value) == message

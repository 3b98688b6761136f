"""Interpolation, sampling at grids, sliding blocks and shuffles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.autograd.passes import grad
from gradcli.kernels import windows
from gradcli.tensor.tensor import wrap
from tests.ops.images import call, names_below

Array = np.ndarray[Any, Any]
Z = np.zeros


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("align_corners", [False, True])
def test_the_same_size_changes_nothing(mode: str, align_corners: bool) -> None:
    images = np.arange(24.0).reshape(1, 2, 3, 4)
    made = call("interpolate", images, size=(3, 4), mode=mode, align_corners=align_corners)
    np.testing.assert_allclose(made._array, images, rtol=1e-14)
    assert not np.shares_memory(made._array, images)


def test_aligned_corners_interpolate_a_line_exactly() -> None:
    line = call("interpolate", np.array([[[0.0, 3.0]]]), size=4, mode="linear", align_corners=True)
    np.testing.assert_allclose(line._array, [[[0, 1, 2, 3]]], atol=1e-15)


def test_a_given_scale_differs_from_the_ratio_of_sizes() -> None:
    images = np.arange(5.0).reshape(1, 1, 5)
    scaled = call("interpolate", images, scale_factor=1.7, mode="linear")
    sized = call("interpolate", images, size=8, mode="linear")
    again = call(
        "interpolate", images, scale_factor=1.7, mode="linear", recompute_scale_factor=True
    )
    assert scaled.shape == sized.shape == (1, 1, 8)
    assert abs(scaled._array - sized._array).max() > 0.01
    np.testing.assert_array_equal(sized._array, again._array)


def test_infinities_stay_with_their_neighbours() -> None:
    images = np.array([[[1.0, 2.0, np.inf, 4.0, 5.0]]])
    made = call("interpolate", images, scale_factor=2, mode="linear")
    assert np.isfinite(made._array[0, 0, [0, 1, 2, 7, 8, 9]]).all()


def test_nearest_does_not_change_its_operand() -> None:
    room = np.arange(12.0).reshape(1, 1, 12)
    made = call("interpolate", room[:, :, ::2], size=6)
    made._array[...] = -1
    assert room.min() == 0


@pytest.mark.parametrize(
    ("mode", "dims", "node"),
    [
        ("nearest", 1, "UpsampleNearest1DBackward0"),
        ("nearest", 3, "UpsampleNearest3DBackward0"),
        ("nearest-exact", 2, "UpsampleNearestExact2DBackward0"),
        ("linear", 1, "UpsampleLinear1DBackward0"),
        ("bilinear", 2, "UpsampleBilinear2DBackward0"),
        ("trilinear", 3, "UpsampleTrilinear3DBackward0"),
        ("bicubic", 2, "UpsampleBicubic2DBackward0"),
    ],
)
def test_nodes_of_both_passes(mode: str, dims: int, node: str) -> None:
    leaf = wrap(np.arange(2.0**dims).reshape(1, 1, *(2,) * dims), True)
    made = call("interpolate", leaf, size=3, mode=mode)
    assert names_below(made.grad_fn) == f"{node}(leaf)"
    seed = wrap(np.ones(made.shape), True)
    (slope,) = grad(made, (leaf,), seed, create_graph=True)
    assert slope is not None
    assert slope.grad_fn is not None
    assert slope.grad_fn.name() == node.replace("Backward0", "BackwardBackward0")


def test_interpolation_saves_no_tensor() -> None:
    leaf = wrap(np.ones((1, 1, 2)), True)
    made = call("interpolate", leaf, size=4).sum()
    for _ in range(2):
        (slope,) = grad(made, (leaf,))
        assert slope is not None
        assert slope._array.tolist() == [[[2, 2]]]


def test_the_identity_grid_gives_the_image_back() -> None:
    images = np.arange(12.0).reshape(1, 1, 3, 4)
    theta = np.array([[[1.0, 0, 0], [0, 1, 0]]])
    for align_corners in (False, True):
        grid = call("affine_grid", theta, (1, 1, 3, 4), align_corners=align_corners)
        made = call("grid_sample", images, grid, align_corners=align_corners)
        np.testing.assert_allclose(made._array, images, atol=1e-14)


def test_an_affine_grid_moves_points() -> None:
    theta = wrap(np.array([[[0.0, 1, 0.5], [1, 0, 0]]]), True)
    grid = call("affine_grid", theta, (1, 1, 2, 3), align_corners=True)
    assert grid._array[0, :, :, 0].tolist() == [[-0.5] * 3, [1.5] * 3]
    assert grid._array[0, :, :, 1].tolist() == [[-1, 0, 1], [-1, 0, 1]]
    assert names_below(grid.grad_fn) == "AffineGridGeneratorBackward0(leaf)"


def test_points_that_are_no_numbers_are_outside() -> None:
    grid = np.array([[[[np.nan, 0.0], [np.inf, 0.0], [0.0, 0.0]]]])
    made = call("grid_sample", np.ones((1, 1, 3, 3)), grid, align_corners=True)
    assert made._array.ravel().tolist() == [0, 0, 1]


def test_an_infinity_outside_of_the_taps_does_no_harm() -> None:
    images = np.array([[[[np.inf, 1.0], [1.0, 1.0]]]])
    made = call("grid_sample", images, np.array([[[[3.0, 3.0]]]]))
    assert made.item() == 0


def test_sampling_has_third_derivatives() -> None:
    """Along a line of cubic pieces, the third derivative of a bicubic sample is constant."""
    images = np.random.default_rng(0).standard_normal((1, 1, 6, 6))

    def third(x: float) -> float:
        point = wrap(np.array([[[[x, 0.1]]]]), True)
        value: Any = call("grid_sample", images, point, mode="bicubic").sum()
        for _ in range(3):
            (slope,) = grad(value, (point,), create_graph=True)
            assert slope is not None
            value = (slope * wrap(np.array([1.0, 0.0]))).sum()
        return float(value.item())

    assert third(0.2) == pytest.approx(third(0.3))
    assert third(0.2) != pytest.approx(0)


def test_the_nodes_of_sampling() -> None:
    images, grid = wrap(np.ones((1, 1, 2, 2)), True), wrap(Z((1, 1, 1, 2)), True)
    made = call("grid_sample", images, grid)
    assert names_below(made.grad_fn) == "GridSampler2DBackward0(leaf,leaf)"
    seed = wrap(np.ones(made.shape), True)
    for slope in grad(made, (images, grid), seed, create_graph=True):
        assert slope is not None
        assert names_below(slope.grad_fn) == "GridSampler2DBackwardBackward0(leaf,leaf,leaf)"


def test_unfolding_lists_the_blocks() -> None:
    images = np.arange(9.0).reshape(1, 1, 3, 3)
    made = call("unfold", wrap(images, True), 2)
    assert made._array.tolist() == [[[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]]
    assert names_below(made.grad_fn) == "Im2ColBackward0(leaf)"
    back = call("fold", made, (3, 3), 2)
    counts = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    np.testing.assert_array_equal(back._array[0, 0], images[0, 0] * counts)
    assert names_below(back.grad_fn) == "Col2ImBackward0(Im2ColBackward0(leaf))"


def test_folding_is_the_transpose_of_unfolding() -> None:
    random = np.random.default_rng(0)
    options = {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)}
    images = random.standard_normal((2, 3, 5, 6))
    blocks = call("unfold", images, **options)
    weights = random.standard_normal(blocks.shape)
    back = call("fold", weights, (5, 6), **options)
    assert np.vdot(blocks._array, weights) == pytest.approx(np.vdot(images, back._array))


def test_shuffles_undo_each_other() -> None:
    images = np.arange(36.0).reshape(1, 9, 2, 2)
    finer = call("pixel_shuffle", wrap(images, True), 3)
    assert finer.shape == (1, 1, 6, 6)
    assert finer._array[0, 0, 0, :4].tolist() == [0, 4, 8, 1]
    again = call("pixel_unshuffle", finer, 3)
    np.testing.assert_array_equal(again._array, images)
    assert names_below(again.grad_fn) == "PixelUnshuffleBackward0(PixelShuffleBackward0(leaf))"
    dealt = call("channel_shuffle", np.arange(6.0).reshape(1, 6, 1), 2)
    assert dealt._array.ravel().tolist() == [0, 3, 1, 4, 2, 5]


def test_shuffles_of_nothing_to_do_make_copies() -> None:
    images = np.ones((1, 2, 2, 2))
    for name in ("pixel_shuffle", "pixel_unshuffle", "channel_shuffle"):
        assert not np.shares_memory(call(name, images, 1)._array, images)


@pytest.mark.parametrize(
    "along",
    [
        windows.sliding_windows(7, 3, 2, 1, 1, 4),
        windows.sliding_windows(5, 3, 1, 1, 1, 5),
        windows.adaptive_windows(7, 3),
        windows.adaptive_windows(3, 5),
        windows.Windows(4, np.array([0, 0, 2, 3]), np.array([1, 1, 3, 4])),
    ],
)
def test_spreading_is_the_transpose_of_summing(along: windows.Windows) -> None:
    random = np.random.default_rng(0)
    values = random.standard_normal((2, along.size, 3))
    weights = random.standard_normal((2, len(along.first), 3))
    summed, spread = along.sum(values, -2), along.spread(weights, -2)
    for window, total in enumerate(np.moveaxis(summed, 1, 0)):
        inside = slice(max(along.first[window], 0), along.stop[window])
        np.testing.assert_allclose(total, values[:, inside].sum(1))
    assert np.vdot(summed, weights) == pytest.approx(np.vdot(values, spread))


COMPLAINTS: list[tuple[Any, ...]] = [
    (
        ValueError,
        "either size or scale_factor should be defined",
        ("interpolate", Z((1, 2, 4, 4))),
    ),
    (
        ValueError,
        "only one of size or scale_factor should be defined",
        ("interpolate", Z((1, 2, 4, 4)), 2, 2),
    ),
    (
        ValueError,
        "Input and output must have the same number of spatial dimensions, but got input with "
        "spatial dimensions of [4, 4] and output size of (2,). Please provide input tensor in (N, "
        "C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.",
        ("interpolate", Z((1, 2, 4, 4)), (2,)),
    ),
    (
        NotImplementedError,
        "Got 4D input, but linear mode needs 3D input",
        ("interpolate", Z((1, 2, 4, 4)), 2, None, "linear"),
    ),
    (
        ValueError,
        "align_corners option can only be set with the interpolating modes: linear | bilinear | "
        "bicubic | trilinear",
        ("interpolate", Z((1, 2, 4, 4)), 2, None, "nearest", True),
    ),
    (
        RuntimeError,
        "Input and output sizes should be greater than 0, but got input (H: 4, W: 4) output (H: "
        "0, W: 0)",
        ("interpolate", Z((1, 2, 4, 4)), None, 0.1),
    ),
    (
        NotImplementedError,
        "\"compute_indices_weights_cubic\" not implemented for 'Long'",
        ("interpolate", Z((1, 2, 4, 4), np.int64), 2, None, "bicubic"),
    ),
    (
        ValueError,
        "nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but "
        "got: 'cubic'",
        ("grid_sample", Z((1, 2, 4, 4)), Z((1, 3, 3, 2)), "cubic"),
    ),
    (
        RuntimeError,
        "grid_sampler(): expected grid to have size 2 in last dimension, but got grid with sizes "
        "[1, 3, 3, 3]",
        ("grid_sample", Z((1, 2, 4, 4)), Z((1, 3, 3, 3))),
    ),
    (
        RuntimeError,
        "grid_sampler(): bicubic interpolation only supports 4D input",
        ("grid_sample", Z((1, 2, 4, 4, 4)), Z((1, 3, 3, 3, 3)), "bicubic"),
    ),
    (
        ValueError,
        "Expected a batch of 2D affine matrices of shape Nx2x3 for size (1, 2, 4, 4). Got "
        "torch.Size([2, 3]).",
        ("affine_grid", Z((2, 3)), (1, 2, 4, 4)),
    ),
    (
        RuntimeError,
        "Given input with spatial size (4, 4), kernel_size=(5, 5), dilation=(1, 1), padding=(0, "
        "0), calculated shape of the array of sliding blocks as (0, 0), but its components must "
        "be at least one.",
        ("unfold", Z((1, 2, 4, 4)), 5),
    ),
    (
        RuntimeError,
        "Given output_size=(4, 4), kernel_size=(2, 2), dilation=(1, 1), padding=(0, 0), "
        "stride=(1, 1), expected size of input's dimension 2 to match the calculated number of "
        "sliding blocks 3 * 3 = 9, but got input.size(2)=8.",
        ("fold", Z((1, 8, 8)), (4, 4), 2),
    ),
    (
        RuntimeError,
        "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
        "upscale_factor, but input.size(-3)=6 is not divisible by 4",
        ("pixel_shuffle", Z((1, 6, 2, 2)), 2),
    ),
    (
        RuntimeError,
        "Number of channels must be divisible by groups. Got 4 channels and 3 groups.",
        ("channel_shuffle", Z((1, 4, 2, 2)), 3),
    ),
]


@pytest.mark.parametrize(("error", "message", "arguments"), COMPLAINTS)
def test_complaints(error: type[Exception], message: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(error) as caught:
        call(*arguments)
    assert str(caught.value) == message

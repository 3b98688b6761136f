"""Fourier transforms: laws, the three conventions of scaling, gradients, messages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.table.registry import lookup
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import wrap
from tests.table.checks import check_gradients

X = np.arange(24.0).reshape(4, 6) % 7 - 2.5
Z = X + 1j * (np.arange(24.0).reshape(4, 6) % 5)


def fft(name: str) -> Any:
    return lookup("fft." + name)


@pytest.mark.parametrize("norm", [None, "forward", "backward", "ortho"])
@pytest.mark.parametrize("name", ["fft", "fft2", "fftn", "rfft", "rfft2", "rfftn", "hfft", "hfftn"])
def test_as_numpy_scales(name: str, norm: str | None) -> None:
    argument = X if name.startswith("r") else Z
    # NumPy has no hfftn; along one dimension it is hfft.
    keywords = {"axes": (-1,)} if name == "hfftn" else {}
    ours = fft(name)(wrap(argument), norm=norm, **({"dim": (-1,)} if keywords else {}))
    theirs = np.fft.hfft(argument, norm=norm) if name == "hfftn" else None
    expected = getattr(np.fft, name)(argument, norm=norm) if theirs is None else theirs
    np.testing.assert_allclose(ours._array, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("there", "back"), [("fft", "ifft"), ("rfft", "irfft"), ("ihfft", "hfft"), ("fftn", "ifftn")]
)
def test_inverses(there: str, back: str) -> None:
    middle = fft(there)(wrap(X))
    keywords = {"n": 6} if back in ("irfft", "hfft") else {}
    np.testing.assert_allclose(fft(back)(middle, **keywords)._array, X, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", ["irfft", "irfftn", "hfft", "hfft2"])
def test_gradients_of_real_results(name: str, order: int) -> None:
    check_gradients(lambda x: fft(name)(x, norm="ortho"), [X], order=order)


@pytest.mark.parametrize("n", [5, 8])
def test_gradient_through_cutting_and_padding(n: int) -> None:
    magnitude = lookup("abs")
    assert magnitude is not None
    check_gradients(lambda x: magnitude(fft("rfft")(x, n=n)), [X])


@pytest.mark.parametrize(
    ("name", "keywords", "kind", "message"),
    [
        ("fft", {"n": 0}, RuntimeError, "Invalid number of data points (0) specified"),
        ("fft", {"norm": "foo"}, RuntimeError, 'Invalid normalization mode: "foo"'),
        ("fftn", {"dim": (0, 0)}, RuntimeError, "FFT dims must be unique"),
        (
            "fftn",
            {"s": (1, 2, 3)},
            RuntimeError,
            "Got shape with 3 values but input tensor only has 2 dimensions.",
        ),
        (
            "fft",
            {"dim": 3},
            IndexError,
            "Dimension out of range (expected to be in range of [-2, 1], but got 3)",
        ),
    ],
)
def test_messages(name: str, keywords: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        fft(name)(wrap(X), **keywords)
    assert str(caught.value) == message


def test_rfft_refuses_complex_input() -> None:
    with pytest.raises(RuntimeError, match="rfft expects a real input tensor, but got Complex"):
        fft("rfft")(wrap(Z))


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies_are_floats_on_the_cpu(name: str) -> None:
    with pytest.raises(RuntimeError, match=f"^{name} requires a floating point or complex dtype$"):
        fft(name)(4, dtype=dtypes.int64)
    with pytest.raises(AssertionError, match=r"^Torch not compiled with CUDA enabled$"):
        fft(name)(4, device="cuda")

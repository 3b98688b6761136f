"""Sigmoid and error function of single precision, as near to PyTorch's as its last bits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gradcli.kernels.singles import erf, sigmoid
from gradcli.language import Machine, compile_text

# fmt: off
RECORDED = {
    sigmoid: [
        0.006692850962281227, 0.012431650422513485, 0.022977370768785477, 0.042087726294994354,
        0.07585817575454712, 0.13296423852443695, 0.22270013391971588, 0.3486451208591461,
        0.5, 0.6513549089431763, 0.7772998809814453, 0.8670357465744019,
        0.9241418242454529, 0.957912266254425, 0.977022647857666, 0.9875683188438416,
        0.9933071732521057,
    ],
    erf: [
        -1.0, -1.0, -0.9999998807907104, -0.9999901056289673,
        -0.9995930194854736, -0.9919900298118591, -0.9229001402854919, -0.6232408881187439,
        0.0, 0.6232408881187439, 0.9229001402854919, 0.9919900298118591,
        0.9995930194854736, 0.9999901056289673, 0.9999998807907104, 1.0,
        1.0,
    ],
}
# fmt: on
"""By function, what PyTorch answers to every 250th element of `torch.arange(-2000, 2001) / 400`."""

EXACT: dict[Callable[[Any], Any], Callable[[float], float]] = {
    sigmoid: lambda x: 1 / (1 + math.exp(-x)),
    erf: math.erf,
}


def units(found: Any, wanted: Any) -> Any:
    """The distances between numbers of one sign, in units in the last place."""
    return np.abs(found.view(np.int32).astype(np.int64) - wanted.view(np.int32))


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """What NumPy says of overflow, the package ignores."""
    with np.errstate(all="ignore"):
        yield


@pytest.fixture(params=RECORDED, ids=lambda function: function.__name__)
def function(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("every", [1, 250])
def test_answers_are_those_of_pytorch(function: Any, every: int) -> None:
    values = np.arange(-2000, 2001).astype(np.float32) / np.float32(400)
    found = function(values[::every])[:: 250 // every]
    assert units(found, np.array(RECORDED[function], np.float32)).max() <= 1


@pytest.mark.parametrize("count", [100, 40_000])
def test_few_and_many_elements_are_near_the_exact_value(function: Any, count: int) -> None:
    values = np.random.default_rng(0).normal(0, 3, count).astype(np.float32)
    exact = np.array([EXACT[function](x) for x in values.tolist()], np.float32)
    assert units(function(values), exact).max() <= 2


@pytest.mark.parametrize("count", [1, 10_000])
def test_special_values(function: Any, count: int) -> None:
    inf, nan = np.inf, np.nan
    special = [inf, -inf, 100, -100, 0.0, -0.0, nan]
    values = np.tile(np.array(special, np.float32), count)
    low = 0 if function is sigmoid else -1
    middle = (0.5, 0.5) if function is sigmoid else (0.0, -0.0)
    wanted = np.array([1, low, 1, low, *middle, nan], np.float32)
    found = function(values)
    assert np.array_equal(found, np.tile(wanted, count), equal_nan=True)
    assert np.array_equal(np.signbit(found[:6]), np.signbit(wanted[:6]))


def test_tiny_results_are_not_lost() -> None:
    for count in (1, 10_000):
        values = np.tile(np.array([-88.5, -87.2, -103], np.float32), count)
        wanted = np.array([3.672301610145117e-39, 1.347480475763651e-38, 0], np.float32)
        assert np.allclose(sigmoid(values)[:3], wanted, rtol=1e-6, atol=0)
        small = np.tile(np.array([1e-40, 1e-45], np.float32), count)
        assert erf(small)[0] == np.float32(1.1283675624282725e-40)


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0), (70, 600)])
def test_shapes_are_kept(function: Any, shape: tuple[int, ...]) -> None:
    assert function(np.ones(shape, np.float32)).shape == shape
    across = np.asfortranarray(np.random.default_rng(0).random((70, 600), np.float32))
    assert np.array_equal(function(across), function(np.ascontiguousarray(across)))


def test_tanh_is_that_of_pytorch_near_its_limits() -> None:
    values = "[7.9, 7.8, 7.6, -6.5, 3.25, 0.3]"
    found = Machine().run(compile_text(f"torch.tensor({values}).tanh().tolist()"))
    assert found == [
        0.9999997019767761,
        0.9999996423721313,
        0.9999995231628418,
        -0.9999954700469971,
        0.9969976544380188,
        0.29131263494491577,
    ]

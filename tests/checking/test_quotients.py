"""Derivatives from values: right, with an honest error, and kinks known as kinks."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gradcli.checking.quotients import Quotients, quotients


def at(function: Callable[[float], float], position: float) -> Quotients:
    """Difference quotients of a function of numbers, which may raise outside of its domain."""

    def outputs(x: float) -> np.ndarray:
        try:
            return np.array([function(x)])
        except ValueError:
            return np.array([math.nan])

    return quotients(outputs, position)


@pytest.mark.parametrize(
    ("function", "position", "slope"),
    [
        (math.sin, 1.0, math.cos(1.0)),
        (math.sin, 1e5, math.cos(1e5)),
        (math.exp, 0.0, 1.0),
        (math.exp, 20.0, math.exp(20.0)),
        (math.log, 1e-9, 1e9),
        (math.sqrt, 1e-4, 50.0),
        (math.tanh, 1e-3, 1 - math.tanh(1e-3) ** 2),
        (lambda x: math.sin(1000 * x), 0.3, 1000 * math.cos(300.0)),
        (lambda x: x**3, -2.0, 12.0),
        (lambda x: 1e-30 * x**2, 3.0, 6e-30),
        (abs, 1e-3, 1.0),
        (lambda x: max(x, 5.0), 4.9, 0.0),
        (lambda x: 7.0, 2.0, 0.0),
        (lambda x: math.sqrt(x) ** 5, 0.0, 0.0),
        (lambda x: 1 / x, 1e-100, -1e200),
        (lambda x: 2e-25 / x, 5e-7, -2e-25 / 25e-14),
        (lambda x: math.exp(-((x / 1e-6) ** 2)), 5e-7, -1e6 * math.exp(-0.25)),
        (lambda x: math.exp(min(math.exp(x / 2), 700.0)), 9.6, math.exp(math.exp(4.8) + 4.8) / 2),
        (math.acosh, 1.0 + 1e-6, 1 / math.sqrt((1 + 1e-6) ** 2 - 1)),
    ],
)
def test_a_slope_is_within_its_error(
    function: Callable[[float], float], position: float, slope: float
) -> None:
    found = at(function, position)
    error = float(found.error[0])
    assert abs(found.slope[0] - slope) <= 10 * error
    assert error <= (1e-6 * abs(slope) if slope else 1e-9)
    assert not found.kinks[0]
    assert not found.jumps[0]


@pytest.mark.parametrize(
    ("function", "position", "below", "above"),
    [
        (abs, 0.0, -1.0, 1.0),
        (lambda x: max(x, 5.0), 5.0, 0.0, 1.0),
        (lambda x: math.sin(x) + 1e-3 * abs(x - 2), 2.0, math.cos(2) - 1e-3, math.cos(2) + 1e-3),
        (lambda x: abs(x) ** 3 + 2 * abs(x), 0.0, -2.0, 2.0),
    ],
)
def test_a_kink_has_two_slopes(
    function: Callable[[float], float], position: float, below: float, above: float
) -> None:
    found = at(function, position)
    assert found.kinks[0]
    assert not found.jumps[0]
    assert found.below[0] == pytest.approx(below, abs=2e-3 * abs(above - below))
    assert found.above[0] == pytest.approx(above, abs=2e-3 * abs(above - below))


@pytest.mark.parametrize("position", [0.0, 2.0])
def test_a_jump_is_no_kink(position: float) -> None:
    found = at(lambda x: math.floor(x) + x, position)
    assert found.jumps[0]
    assert not found.kinks[0]


@pytest.mark.parametrize("function", [lambda x: x * abs(x), lambda x: abs(x) ** 1.5, math.atan])
def test_what_is_differentiable_has_no_kink(function: Callable[[float], float]) -> None:
    found = at(function, 0.0)
    assert not found.kinks[0]
    assert not found.jumps[0]


def test_noise_makes_a_slope_uncertain() -> None:
    found = quotients(lambda x: np.array([x]), 1.0, noise=1e-6)
    assert found.slope[0] == pytest.approx(1.0)
    assert found.error[0] >= 1e-6


def test_a_function_without_values_has_no_slope() -> None:
    found = quotients(lambda x: np.array([math.nan]), 1.0)
    assert not np.isfinite(found.error[0])

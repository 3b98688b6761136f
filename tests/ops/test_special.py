"""Special functions at their poles, far out and in the values that PyTorch gives there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gradcli.autograd.passes import grad
from gradcli.table.registry import lookup
from gradcli.tensor.tensor import Tensor, wrap

INF, NAN = math.inf, math.nan

# (function, argument, value, slope); recorded from PyTorch 2.13.0.
POINTS = [
    ("digamma", 0.0, -INF, INF),
    ("digamma", -0.0, INF, INF),
    ("digamma", -1.0, NAN, 6.580790147320947e32),
    ("digamma", INF, INF, 0.0),
    ("lgamma", 0.0, INF, -INF),
    ("lgamma", -INF, INF, NAN),
    ("special.i1", 0.0, 0.0, 0.5),
    ("special.i1e", 0.0, 0.0, 0.5),
    ("special.i0e", 0.0, 1.0, 0.0),
    ("special.entr", 0.0, 0.0, INF),
    ("special.entr", -1.0, -INF, NAN),
    ("special.log_ndtr", -30.0, -454.32124395634327, 30.03325966743577),
    ("special.erfcx", 30.0, 0.018795888861416754, -0.0006258354105073138),
    ("erfinv", 1.0, INF, INF),
    ("special.ndtri", 0.0, -INF, INF),
]


@pytest.mark.parametrize(("name", "at", "value", "slope"), POINTS)
def test_special_points(name: str, at: float, value: float, slope: float) -> None:
    x = wrap(np.array(at, dtype=np.float64), True)
    y = lookup(name)(x)  # type: ignore[misc]
    assert y.item() == pytest.approx(value, rel=1e-9, nan_ok=True)
    (g,) = grad(y, x)
    assert isinstance(g, Tensor)
    assert g.item() == pytest.approx(slope, rel=1e-6, nan_ok=True)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_polygamma_left_of_zero(order: int) -> None:
    x = wrap(np.array([-2.5, -0.5]))
    expected = {
        1: [9.53924664493752, 8.934802200117687],
        2: [-0.1082040516417282, -0.82879664423432],
        3: [194.74787621918756, 193.40909103400242],
    }
    got = lookup("polygamma")(order, x)  # type: ignore[misc]
    np.testing.assert_allclose(got._array, expected[order], rtol=1e-9)


@pytest.mark.parametrize("name", ["igamma", "igammac", "special.zeta"])
def test_an_argument_without_a_derivative_says_so(name: str) -> None:
    a, b = wrap(np.array(1.5), True), wrap(np.array(2.5), True)
    value = lookup(name)(a, b)  # type: ignore[misc]
    with pytest.raises(NotImplementedError, match="the derivative for '"):
        grad(value, [a, b])


def test_mvlgamma_refuses_a_dimension_below_one() -> None:
    with pytest.raises(RuntimeError, match="p has to be greater than or equal to 1"):
        lookup("mvlgamma")(wrap(np.array(2.0)), 0)  # type: ignore[misc]

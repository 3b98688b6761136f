"""Taylor coefficients: against 50 digits, far out, from Python and programs, and of bad input."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.readings.series.derivatives import Derivatives
from gradcli.readings.trace import record
from gradcli.table.registry import lookup
from tests.readings.record_taylor import ANSWERS, FUNCTIONS, ORDER
from tests.transcripts import perform

RECORDED = json.loads(ANSWERS.read_text("utf-8"))

PREFIXES = ("", "special.", "nn.functional.")


def _function(text: str) -> Any:
    """The function of x that a text means with gradcli's operators."""
    names = {
        name: next(filter(None, (lookup(prefix + name) for prefix in PREFIXES)))
        for name in compile(text, text, "eval").co_names
        if name != "x"
    }
    return eval(f"lambda x: {text}", names)


def _coefficients(function: Any, point: float, order: int) -> list[float]:
    x = gradcli.tensor(point, dtype=gradcli.float64)
    return [float(part) for part in gradcli.taylor(function, x, order)]


def test_every_function_is_recorded() -> None:
    recorded = {text: tuple(map(float, points)) for text, points in RECORDED.items()}
    assert recorded == FUNCTIONS
    assert len(FUNCTIONS) >= 20


@pytest.mark.parametrize(
    ("text", "point"), [(text, point) for text, points in RECORDED.items() for point in points]
)
def test_coefficients_have_the_digits_of_50(text: str, point: str) -> None:
    found = _coefficients(_function(text), float(point), ORDER)
    expected = [*map(float, RECORDED[text][point])]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("order", [150, 300, 600])
def test_derivatives_of_entire_functions_stay_in_range(order: int) -> None:
    x = gradcli.tensor(0.5, dtype=gradcli.float64, requires_grad=True)
    for function, cycle in (
        (gradcli.exp, [math.exp(0.5)]),
        (gradcli.sin, [math.sin(0.5), math.cos(0.5), -math.sin(0.5), -math.cos(0.5)]),
    ):
        found = _derivatives(function, x, order)
        expected = [cycle[k % len(cycle)] for k in range(1, order + 1)]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("order", [150, 300])
def test_derivatives_are_infinite_where_doubles_end_and_not_before(order: int) -> None:
    x = gradcli.tensor(0.5, dtype=gradcli.float64, requires_grad=True)
    found = _derivatives(lambda x: 1 / (1 - x), x, order)
    for k, own in enumerate(found, 1):
        exact = math.factorial(k) * 2 ** (k + 1)
        if exact < 2**1024:
            assert own == pytest.approx(float(exact), rel=1e-12)
        else:
            assert own == math.inf


def test_derivatives_far_beyond_doubles_are_no_numbers() -> None:
    x = gradcli.tensor(0.5, dtype=gradcli.float64, requires_grad=True)
    found = _derivatives(lambda x: gradcli.exp(gradcli.sin(x)), x, 20000)
    assert np.all(np.isfinite(found[:200]))
    assert not np.any(np.isfinite(found[300:]))
    found = _derivatives(gradcli.exp, x, 4000)
    finite = np.isfinite(found)
    np.testing.assert_allclose(np.array(found)[finite], math.exp(0.5), rtol=1e-12)
    assert np.all(finite[:1000])


def test_products_of_many_coefficients_have_their_digits() -> None:
    x = gradcli.tensor(0.5, dtype=gradcli.float64)
    found = gradcli.taylor(lambda x: gradcli.exp(gradcli.log(1 - x) * 0.5), x, 400)
    expected = math.sqrt(0.5)
    for k, own in enumerate(found):
        assert float(own) == pytest.approx(expected, rel=1e-10)
        expected *= 2 * (k - 0.5) / (k + 1)


def test_derivatives_of_vectors_stay_in_range() -> None:
    x = gradcli.tensor([0.5, 1.0], dtype=gradcli.float64, requires_grad=True)
    found = _derivatives(gradcli.exp, x, 300)
    np.testing.assert_allclose(found[-1], np.exp([0.5, 1.0]), rtol=1e-12)
    found = _derivatives(lambda x: x**3, x, 300)
    assert not np.any(found[-1])


def _derivatives(function: Any, x: Any, order: int) -> list[Any]:
    trace = record(function, x)
    end = trace.values[trace.outputs]
    return Derivatives(trace, x, [end], [np.ones(end.shape)]).up_to(order)


@pytest.mark.parametrize("order", [-1, 2.0, True, "3", None])
def test_an_order_is_a_whole_number(order: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^taylor\(\): the order must be"):
        gradcli.taylor(gradcli.sin, 0.5, order)


def test_the_gradient_of_a_coefficient_is_the_next_one_times_its_number() -> None:
    x = gradcli.tensor([0.5, 2.0], dtype=gradcli.float64, requires_grad=True)
    found = gradcli.taylor(lambda x: gradcli.exp(gradcli.sin(x)), x, 5)
    for k in range(5):
        (slope,) = gradcli.autograd.grad(found[k].sum(), x, retain_graph=True, create_graph=True)
        np.testing.assert_allclose(slope.tolist(), ((k + 1) * found[k + 1]).tolist(), rtol=1e-12)
        (curve,) = gradcli.autograd.grad(slope.sum(), x)
        if k < 4:
            expected = (k + 1) * (k + 2) * found[k + 2]
            np.testing.assert_allclose(curve.tolist(), expected.tolist(), rtol=1e-12)


IN_PLACE = """
def f(t):
    y = zeros(2)
    y[0], y[1] = sin(w[0] * t), w[1] * t * t
    return y
"""


@pytest.mark.parametrize(
    "function",
    ["lambda t: sin(w * t) * norm(w * t)", "lambda t: logcumsumexp(w * t, 0)", IN_PLACE],
)
def test_gradients_of_coefficients_are_those_of_what_they_are_made_of(function: str) -> None:
    begin = f"{function}\n" if function is IN_PLACE else f"f = {function}\n"
    text = (
        "def total(w, x):\n    v = w * 2\n    def g(w):\n"
        + "".join(f"        {line}\n" for line in begin.splitlines())
        + "        return taylor(f, x, 3)\n"
        "    return sum([part.sum() * (k + 1) for k, part in enumerate(g(v))])\n"
        "w, x = tensor([0.7, 1.2]), tensor(0.5)\n"
        "torch.autograd.gradcheck(total, (w.requires_grad_(), x.requires_grad_()))"
    )
    assert perform(f"gradcli eval --dtype float64 '{text}'") == "True"


def test_what_cuts_gradients_cuts_them_from_coefficients() -> None:
    x = gradcli.tensor(0.5, requires_grad=True)
    assert not gradcli.taylor(gradcli.sin, x.detach(), 3)[1].requires_grad
    with gradcli.no_grad():
        assert not gradcli.taylor(gradcli.sin, x, 3)[1].requires_grad
    first, second = gradcli.taylor(lambda t: (t * t).detach() * t, x, 1)
    assert second.tolist() == 0.25
    assert gradcli.autograd.grad(second, x, retain_graph=True)[0].tolist() == 0.0
    assert gradcli.autograd.grad(first, x)[0].tolist() == 0.25


def test_coefficients_of_coefficients() -> None:
    inner = gradcli.taylor(lambda t: gradcli.taylor(gradcli.exp, t, 2)[2], 0.5, 3)
    expected = [math.exp(0.5) / 2 / math.factorial(k) for k in range(4)]
    np.testing.assert_allclose([float(part) for part in inner], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("bessel_j1(x) * bessel_y0(x) - bessel_j0(x) * bessel_y1(x)", 2 / math.pi),
        (
            "modified_bessel_i0(x) * modified_bessel_k1(x)"
            " + modified_bessel_i1(x) * modified_bessel_k0(x)",
            1.0,
        ),
        (
            "(modified_bessel_i0(x) * scaled_modified_bessel_k1(x)"
            " + modified_bessel_i1(x) * scaled_modified_bessel_k0(x)) * exp(0 - x)",
            1.0,
        ),
    ],
)
@pytest.mark.parametrize("point", [0.3, 1.9, 2.1, 6.0])
def test_functions_without_a_gradient_have_series(text: str, product: float, point: float) -> None:
    """The determinants of Bessel's functions are multiples of 1/x."""
    found = _coefficients(_function(text), point, 10)
    expected = [product * (-1) ** k / point ** (k + 1) for k in range(11)]
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_logarithm_of_running_sums_has_its_second_derivative() -> None:
    """Also where a gradient is zero, whose logarithm its formula takes."""
    slopes = gradcli.tensor([0.7, -1.1, 1.6], dtype=gradcli.float64)
    found = _coefficients(lambda x: gradcli.logcumsumexp(slopes * x, 0)[2], 1.41, 2)
    h, values = slopes.numpy(), np.exp(slopes.numpy() * 1.41)
    mean = np.sum(h * values) / np.sum(values)
    variance = np.sum(h * h * values) / np.sum(values) - mean**2
    np.testing.assert_allclose(found[1:], [mean, variance / 2], rtol=1e-12)


def test_absurd_orders_of_coefficients_are_refused() -> None:
    with pytest.raises(OverflowError, match="take about"):
        gradcli.taylor(gradcli.sin, 0.5, 10**12)


def test_functions_must_give_tensors() -> None:
    with pytest.raises(TypeError, match=r"^taylor\(\): the function must give a tensor"):
        gradcli.taylor(lambda x: 1.0, 0.5, 2)


def test_what_does_not_depend_on_the_point_has_one_coefficient() -> None:
    assert [float(c) for c in gradcli.taylor(lambda x: gradcli.tensor(2.0), 0.5, 2)] == [2, 0, 0]


def test_elements_have_coefficients_of_their_own() -> None:
    first, second, third = gradcli.taylor(lambda x: x * x, [1.0, 3.0], 2)
    assert first.tolist() == [1, 9]
    assert second.tolist() == [2, 6]
    assert third.tolist() == [1, 1]


def test_programs_have_taylor() -> None:
    answer = perform('gradcli eval "taylor(lambda x: exp(2*x), 0.0, 3)"')
    assert [line.split("(")[1].rstrip(")") for line in answer.splitlines()] == [
        "1.",
        "2.",
        "2.",
        "1.3333",
    ]


def test_long_series_obey_the_timeout() -> None:
    command = 'gradcli eval "exp(sin(x)) / (1.5 - x)" --x 0.5 --order 100000 --timeout 0.5'
    answer = perform(command)
    assert "stopped after 0.5 s" in answer


def test_absurd_orders_are_refused_by_what_they_take() -> None:
    answer = perform('gradcli eval "exp(x)" --x 0.5 --order 1000000000000')
    assert "take about" in answer


def test_infinite_derivatives_are_told_from_too_large_ones() -> None:
    answer = perform('gradcli eval "1/(1-x)" --x 0.5 --order 30 --get d30/dx30')
    assert answer.endswith("note: x: the derivative of order 29 is too large for float32")
    answer = perform('gradcli eval "sqrt(x)" --x 0 --order 3 --get d3/dx3')
    assert answer.endswith("note: x: sqrt has a derivative of order 1 that is not finite here")


def test_rows_beside_numbers_go_by_the_name_of_their_operator() -> None:
    answer = perform('gradcli eval "2**x" --x 5000 --order 3 --get d3/dx3')
    assert answer.endswith("note: x: pow is not finite here")

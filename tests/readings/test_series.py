"""Series against nested backward passes and vector-Jacobian products, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from gradcli.autograd.passes import grad
from gradcli.evaluation import compile_expression
from gradcli.language.running.machine import Machine
from gradcli.readings.series.derivatives import Derivatives, NoSeries
from gradcli.readings.series.orders import differentiate
from gradcli.readings.series.products import pushed
from gradcli.readings.trace import Trace, record
from gradcli.table.registry import entries
from gradcli.table.row import Row
from gradcli.tensor.tensor import Tensor, wrap
from tests.table.test_table import calls_of, name_of

ORDER = 4

ROWS = [
    entry
    for entry in entries()
    if isinstance(entry, Row) and entry.samples is not None and entry.differentiable
]

WITHOUT = {
    "aten._embedding_bag": "its gradient has no derivative",
    "aten.grid_sampler_2d_backward": "its formula applies it to a gradient as the input",
    "aten.grid_sampler_3d_backward": "its formula applies it to a gradient as the input",
    "aten.native_batch_norm": "its formula reads a result without a derivative",
    "aten.native_layer_norm": "its formula reads a result without a derivative",
    "cumprod": "its formula changes a tensor in place where there are zeros",
    "prod": "its formula changes a tensor in place where there are zeros",
    "matrix_exp": "its formula changes a tensor in place",
    "linalg.householder_product": "its formula changes a tensor in place",
    "ormqr": "its formula changes a tensor in place",
}
"""Rows that have no series for some of their samples, and why: nested passes serve these."""

ROUGH = {"aten.linalg_pinv": 1e-3}
"""Relative errors for samples that are next to singular, where both ways lose digits."""

NO_SLOPES = {
    "aten.embedding": "scales gradients by how often a row is used",
    "aten.native_batch_norm_backward": "takes for a constant what belongs to its input",
    "aten.native_layer_norm_backward": "takes for a constant what belongs to its input",
    "aten.linalg_cholesky_ex": "reads one triangle: its gradients are symmetric by convention",
    "cholesky": "reads one triangle: its gradients are symmetric by convention",
}
"""Rows whose gradients are not the slopes of their values in every direction."""


class Call(NamedTuple):
    """A call of a row on one of its samples, by one of its operands."""

    trace: Trace
    leaf: Tensor
    ends: list[Tensor]
    seeds: list[Any]


def traced(row: Row) -> Iterator[Call]:
    """The row's samples, each as a function of each floating operand."""
    for call, args in calls_of(row):
        for place, arg in enumerate(args):
            if isinstance(arg, np.ndarray) and arg.dtype.kind in "fc" and arg.size:
                given = [
                    [wrap(np.array(item)) for item in value]
                    if type(value) is list and value and isinstance(value[0], np.ndarray)
                    else wrap(np.array(value))
                    if isinstance(value, np.ndarray)
                    else value
                    for value in args
                ]
                leaf = given[place]
                leaf.requires_grad_()
                try:
                    trace = record(lambda _, call=call, given=given: call(*given), leaf)
                except RuntimeError:
                    if row.complex_gradient:
                        raise
                    continue
                slots = trace.outputs if isinstance(trace.outputs, tuple) else (trace.outputs,)
                ends = [trace.values[slot] for slot in slots if type(slot) is not Tensor]
                ends = [end for end in ends if end.requires_grad]
                random = np.random.default_rng(len(ends))
                seeds = [random.uniform(0.5, 1.5, end._array.shape) for end in ends]
                seeds = [
                    np.asarray(seed).astype(end._array.dtype)
                    for seed, end in zip(seeds, ends, strict=True)
                ]
                if ends:
                    yield Call(trace, leaf, ends, seeds)


def _nested(call: Call) -> list[Any] | None:
    """The derivatives by nested passes; None where PyTorch has none."""
    try:
        found = differentiate(None, call.ends, [*map(wrap, call.seeds)], {"x": call.leaf}, ORDER)
    except (NotImplementedError, RuntimeError):
        return None
    return [part._array for part in found["x"]]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_series_give_the_derivatives_of_nested_passes(row: Row) -> None:
    for call in traced(row):
        expected = _nested(call)
        if expected is None:
            continue
        try:
            found = Derivatives(call.trace, call.leaf, call.ends, call.seeds).up_to(ORDER)
        except NoSeries:
            assert name_of(row) in WITHOUT
            continue
        if name_of(row) in NO_SLOPES:
            found, expected = found[:1], expected[:1]
        for own, other in zip(found, expected, strict=True):
            assert own.shape == other.shape
            # Where nested passes multiply zero by infinity, series need not.
            other = np.where(np.isnan(other), own, other)
            size = np.max(np.abs(other), initial=1e-2, where=np.isfinite(other))
            rough = ROUGH.get(name_of(row), 1e-6)
            np.testing.assert_allclose(own, other, rtol=rough, atol=rough * size)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_forward_mode_is_the_transpose_of_backward(row: Row) -> None:
    if name_of(row) in NO_SLOPES:
        pytest.skip(NO_SLOPES[name_of(row)])
    for call in traced(row):
        tangent = np.random.default_rng(1).normal(size=call.leaf._array.shape)
        tangent = np.asarray(tangent).astype(call.leaf._array.dtype)
        try:
            (slope,) = grad(
                call.ends, [call.leaf], [*map(wrap, call.seeds)], True, allow_unused=True
            )
            products = pushed(call.trace, [(call.leaf, tangent)], call.ends)
        except (NoSeries, NotImplementedError, RuntimeError):
            continue  # told by the test before
        backward = 0.0 if slope is None else np.sum(np.conj(slope._array) * tangent).real
        forward = sum(
            np.sum(np.conj(seed) * product).real
            for seed, product in zip(call.seeds, products, strict=True)
            if product is not None
        )
        if np.isfinite(backward) and not (row.kink and np.isnan(forward)):
            np.testing.assert_allclose(forward, backward, rtol=1e-9, atol=1e-9)


COMPOSITIONS = [
    "((tensor(1) + x) * x).sum()",
    "exp(tensor(3) - x).sum()",
    "(add(x, tensor([True, False, True]), alpha=2) * x).sum()",
    "(add(x * c, True) ** 3).sum()",
    "(cat([tensor([1, 2, 3]), x * c]) ** 2).sum()",
    "(stack([x * c, tensor([1, 2, 3])]) ** 3).prod()",
    "sigmoid(addcmul(x, c, x, value=0.5)).sum()",
    "exp(addcmul(x * c, x, tensor([1, 2, 3]), value=2)).sum()",
    "exp(addcdiv(x * c, x, c, value=2)).sum()",
    "exp(lerp(x * c, c, x)).sum()",
    "(diff(x * c, prepend=tensor([1])) ** 3).sum()",
    "exp(x + c).sum()",
    "(tanh(c + x) * abs(x)).sum()",
    "torch.linalg.pinv(outer(c, sin(x * c)) + torch.diag(c)).sum()",
    "exp((x * c).expand(2, 3).t().reshape(-1)[1:5].view(2, 2).t() @ (x * c)[1:]).sum()",
]


@pytest.mark.parametrize("point", [0.4, [0.4, 0.9, -0.3]], ids=["number", "vector"])
@pytest.mark.parametrize("text", COMPOSITIONS)
def test_compositions_have_the_derivatives_of_nested_passes(text: str, point: Any) -> None:
    trace, leaf, ends = _evaluated(text, point)
    expected = differentiate(None, ends, None, {"x": leaf}, ORDER)["x"]
    found = Derivatives(trace, leaf, ends, [np.ones(())]).up_to(ORDER)
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own, other._array, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        "torch.linalg.eigvals(outer(c, sin(x * c)) - torch.diag(c.flip(0))).abs().sum()",
        "(lambda unused: sin(x))(x // 0.7)",
    ],
)
def test_what_a_formula_refuses_is_left_to_nested_passes(text: str) -> None:
    trace, leaf, ends = _evaluated(text, 0.4)
    expected = differentiate(None, ends, None, {"x": leaf}, ORDER)["x"]
    found = differentiate(trace, ends, None, {"x": leaf}, ORDER)["x"]
    for own, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(own._array, other._array, rtol=1e-9)


def test_what_is_no_number_has_no_derivative() -> None:
    trace, leaf, ends = _evaluated("torch.special.i1e(logit(x)).sum()", [-0.1, 0.3])
    found = Derivatives(trace, leaf, ends, [np.ones(())]).up_to(ORDER)
    np.testing.assert_array_equal(np.isnan(found), [[True, False]] * ORDER)


def _evaluated(text: str, point: Any) -> tuple[Trace, Tensor, list[Tensor]]:
    """The trace of an expression, x, and what it gave."""
    code, machine = compile_expression(text), Machine()
    leaf = wrap(np.array(point), True)
    machine.globals.update(c=wrap(np.array([0.5, -1.2, 0.8])), x=leaf)
    trace = record(lambda _: machine.run(code), leaf)
    return trace, leaf, [trace.values[trace.outputs]]


@pytest.mark.parametrize(
    "text",
    [
        "(w @ tanh(A @ (b + x * c) + d)).sum()",
        "exp(sin(x)) * x + pow(x, 3) / (1 + x * x)",
        "stack([x, x * x]).prod()",
        "where(x > 0, x ** 2, -x)",
        "lgamma(x) * 2.5",
        "x ** 25 + (x * x) ** 13 * sum(b)",
        "(x.expand(3) ** 2 * d[:3]).cumsum(0)[1] * 7",
        "relu(x) ** 3 + abs(x * x * x) + clamp(x, -0.2, 2) ** 2",
        "exp(x + b).sum() + atan(b - x)[0]",
        "(tanh(A @ (b + x * c)) * abs(x)).sum()",
        "F.poisson_nll_loss(b * x, b + x)",
        "sigmoid(d * tanh(d + x)).prod() * erf(x)",
    ],
)
def test_a_form_that_comes_again_gives_the_same(text: str) -> None:
    """The first traces of a form go row by row, later ones by a program where there is one."""
    random = np.random.default_rng(0)
    names = {
        name: wrap(random.normal(size=shape))
        for name, shape in {"A": (4, 3), "b": 3, "c": 3, "d": 4, "w": 4}.items()
    }
    code = compile_expression(text)
    found = []
    for point in 4 * (0.3, 0.7, 0.3, -0.4, 0.7, -1.3):
        machine = Machine()
        leaf = wrap(np.array(point), True)
        machine.globals.update(names, x=leaf)
        trace = record(lambda _, machine=machine: machine.run(code), leaf)
        end = trace.values[trace.outputs]
        found.append(Derivatives(trace, leaf, [end], [np.ones(end.shape)]).up_to(8))
        direct = Derivatives(trace, leaf, [end], [np.ones(end.shape)], remarked=True).up_to(8)
        np.testing.assert_allclose(found[-1], direct, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[0], found[2], rtol=1e-9, atol=1e-9)
    assert not np.allclose(found[0], found[1])

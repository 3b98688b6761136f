"""Compares neural-network functions with what PyTorch answered (see ``tests.record_nn``)."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.autograd.backward import grad
from gradcli.tensor.tensor import Tensor, wrap
from tests.nn_calls import tensors_for

RECORDED = Path(__file__).parent / "data" / "nn.json.gz"
Answer = dict[str, Any]
REFUSALS = (RuntimeError, ValueError, IndexError, TypeError, AssertionError)


@cache
def _recorded() -> dict[str, list[Answer]]:
    answers: dict[str, list[Answer]] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return answers


def answers(group: str) -> list[Any]:
    """The recorded answers of a group, as parameters of a test."""
    return [pytest.param(answer, id=answer["expr"]) for answer in _recorded()[group]]


def run(expression: str) -> tuple[Any, list[Tensor]]:
    """The value of an expression and the leaves that it names."""
    gradcli.manual_seed(0)
    tensors = tensors_for(expression, wrap)
    names = {"torch": gradcli, "F": gradcli.nn.functional, "inf": math.inf}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = eval(expression, names, dict(tensors))
    return value, [tensor for tensor in tensors.values() if tensor.requires_grad]


def _assert_close(tensor: Any, recorded: list[Any] | None) -> None:
    if tensor is None or recorded is None:
        assert tensor is None
        assert recorded is None
        return
    wanted = np.array([float(value) for value in recorded])
    found = tensor._array.astype(np.float64).ravel()
    np.testing.assert_allclose(found, wanted, rtol=1e-7, atol=1e-8)


def _node(tensor: Any) -> str | None:
    return tensor.grad_fn.name() if tensor.grad_fn is not None else None


def check(answer: Answer) -> None:
    """Value, type and node, gradients with theirs, and second gradients; or the error."""
    if "error" in answer:
        kind, message = answer["error"]
        with pytest.raises(REFUSALS) as caught:
            run(answer["expr"])
        assert (type(caught.value).__name__, str(caught.value).split("\n")[0]) == (kind, message)
        return
    out, leaves = run(answer["expr"])
    assert (list(out.shape), repr(out.dtype)) == (answer["shape"], answer["dtype"])
    _assert_close(out, answer["value"])
    assert _node(out) == answer["node"]
    if "slopes" not in answer:
        assert not out.requires_grad
        return
    seed = wrap(np.cos(np.arange(out.numel(), dtype=np.float64)).reshape(out.shape))
    plain = grad(out, leaves, seed, retain_graph=True, allow_unused=True)
    slopes = grad(out, leaves, seed, create_graph=True, allow_unused=True)
    for raw, slope, values, node in zip(
        plain, slopes, answer["slopes"], answer["slope_nodes"], strict=True
    ):
        _assert_close(raw, values)
        _assert_close(slope, values)
        assert slope is None or _node(slope) == node
    for slope, bends in zip(slopes, answer["bends"], strict=True):
        _check_bend(slope, leaves, bends)


def _check_bend(slope: Any, leaves: list[Tensor], bends: Any) -> None:
    if bends is None:
        assert slope is None or not slope.requires_grad
        return
    seed = wrap(np.ones(slope.shape))
    if isinstance(bends, str):
        with pytest.raises((RuntimeError, NotImplementedError)) as caught:
            grad(slope, leaves, seed, retain_graph=True, allow_unused=True)
        assert str(caught.value) == bends
        return
    found = grad(slope, leaves, seed, retain_graph=True, allow_unused=True)
    for one, values in zip(found, bends, strict=True):
        _assert_close(one, values)

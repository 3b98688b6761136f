"""What the tests of operators on images share."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli.ops.inplace.python  # noqa: F401  (gives tensors their arithmetic)
from gradcli.autograd.backward import grad
from gradcli.table.registry import lookup
from gradcli.tensor.tensor import Tensor, wrap
from tests.image_calls import Call, make_arguments

RECORDED = Path(__file__).parent / "data" / "images.json.gz"


@cache
def recorded_calls() -> list[Call]:
    calls: list[Call] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return calls


def calls_named(*parts: str) -> list[Call]:
    """The recorded calls whose function's name contains one of the parts."""
    return [call for call in recorded_calls() if any(part in call["name"] for part in parts)]


def call_id(call: Call) -> str:
    shapes = [argument["shape"] for argument in call["args"] if isinstance(argument, dict)]
    return f"{call['name']}-{shapes}-{call['kwargs']}"


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    """Calls ``torch.nn.functional.NAME`` with arrays as tensors that do not want gradients."""
    function = lookup(f"nn.functional.{name}")
    assert function is not None
    tensors = [wrap(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
    return function(*tensors, **kwargs)


def check_recorded(recorded: Call) -> None:
    """Makes a recorded call and compares outputs, the node's name and gradients with PyTorch's."""
    leaves = make_arguments(recorded, lambda array: wrap(array, True))
    function = lookup(f"nn.functional.{recorded['name']}")
    assert function is not None
    if "error" in recorded:
        with pytest.raises(RuntimeError) as caught:
            function(*leaves, **recorded["kwargs"])
        assert str(caught.value) == recorded["error"]
        return
    result = function(*leaves, **recorded["kwargs"])
    outputs = result if isinstance(result, tuple) else (result,)
    for out, wanted in zip(outputs, recorded["outputs"], strict=True):
        assert list(out.shape) == wanted["shape"]
        np.testing.assert_allclose(out._array.ravel(), wanted["array"], rtol=1e-7, atol=1e-8)
    first = outputs[0]
    assert first.grad_fn.name() == recorded["grad_fn"]
    weights = np.cos(np.arange(first.numel(), dtype=np.float64)).reshape(first.shape)
    tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    slopes = grad(first, tensors, wrap(weights))
    for slope, values in zip(slopes, recorded["grads"], strict=True):
        assert slope is not None
        np.testing.assert_allclose(slope._array.ravel(), values, rtol=1e-7, atol=1e-8)


def names_below(node: Any) -> str:
    """A node and what it leads to, as ``A(B(leaf),leaf)``; ``-`` for no edge."""
    if node is None:
        return "-"
    if node.name().endswith("AccumulateGrad"):
        return "leaf"
    name = node.name()
    return f"{name}({','.join(names_below(successor) for successor in node.successors)})"

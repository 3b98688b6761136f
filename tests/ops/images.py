"""What the tests of operators on images share."""

from __future__ import annotations

from typing import Any

import numpy as np

import gradcli.ops.inplace.python  # noqa: F401  (gives tensors their arithmetic)
from gradcli.table.registry import lookup
from gradcli.tensor.tensor import wrap


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    """Calls `torch.nn.functional.NAME` with arrays as tensors that do not want gradients."""
    function = lookup(f"nn.functional.{name}")
    assert function is not None
    tensors = [wrap(arg) if isinstance(arg, np.ndarray) else arg for arg in args]
    return function(*tensors, **kwargs)


def names_below(node: Any) -> str:
    """A node and what it leads to, as `A(B(leaf),leaf)`; `-` for no edge."""
    if node is None:
        return "-"
    if node.name().endswith("AccumulateGrad"):
        return "leaf"
    name = node.name()
    return f"{name}({','.join(names_below(successor) for successor in node.successors)})"

"""Calls at special points: ties, zeros, nan, infinities, no elements, no dimensions, every type.

``python -m tests.record_corners`` asks PyTorch what they give; the tests ask this project.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
INF, NAN = float("inf"), float("nan")

#: Every tensor by its name; the floating ones are leaves that want gradients.
TENSORS: dict[str, Array] = {
    "ties": np.array([3.0, 1, 3, 2, 1, 0, 0, -1]),
    "square": np.array([[1.0, 2, 2], [0, -1, 0], [3, 3, -3]]),
    "holes": np.array([[1.0, NAN, 2], [NAN, NAN, NAN], [INF, -INF, 0]]),
    "line": np.array([1.0, NAN, 3, -INF, INF]),
    "zeros": np.zeros(3),
    "zero": np.array([2.0, 0, 3]),
    "scalar": np.array(2.5),
    "one": np.array([4.0]),
    "none": np.zeros(0),
    "empty": np.zeros((2, 0, 3)),
    "single": np.array([1, 2.5, -3, 2.5], np.float32),
    "far": np.array([1000.0, -1000, 0]),
    "low": np.array([-INF, 0, 1]),
    "lowest": np.array([-INF, -INF]),
    "complex": np.array([1 + 2j, -1 + 0.5j]),
    "whole": np.array([3, -1, 0, 7, 3]),
    "matrix": np.array([[1, 2], [3, 4], [0, 4]]),
    "bytes": np.array([200, 100, 3], np.uint8),
    "truth": np.array([True, False, True]),
    "truths": np.array([[True, False], [True, True]]),
    # Many equal elements: which of them is picked depends on the algorithm.
    "tied": np.arange(90) * 37 % 11 / 1.0,
    "crowd": (np.arange(400) * 89 % 23).reshape(2, 200),
    # Pointwise corners, and partners for them.
    "x": np.array([-2.5, -1, -0.5, -0.0, 0, 0.5, 1, 2, 3.7, NAN, INF, -INF]),
    "y": np.array([3.0, -1, 0.5, 0, -0.0, 2, 1, -2, 1.7, NAN, INF, 1]),
    "p": np.array(0.7),
    "points": np.array([0.0, 1, 3]),
    "weights": np.array([0.5, 1, 2]),
    "counts": np.array([1, 2, 3]),
    "rows": np.array([[0.0, 0], [3, 4], [0, 0], [1, -1]]),
}
FIXED = {"q": np.array([0.1, 0.9])}
_NAME = re.compile(r"(?<![\w.])([a-z]+)(?![\w(=])")


def named(expression: str) -> dict[str, Array]:
    """Copies of the tensors that an expression names."""
    known = TENSORS | FIXED
    return {
        name: known[name].copy()
        for name in dict.fromkeys(_NAME.findall(expression))
        if name in known
    }


def _each(function: str, tensors: str, arguments: str) -> list[str]:
    """The function of each tensor with each list of arguments; ``|`` separates those."""
    return [
        f"torch.{function}({tensor}{', ' * bool(rest)}{rest})"
        for tensor in tensors.split()
        for rest in (part.strip() for part in arguments.split("|"))
    ]


_MOST = "ties square holes scalar none empty one single complex whole truth bytes"
_REAL = "ties square line scalar none single whole truth"


def _reductions() -> list[str]:
    calls = []
    for name in ("sum", "mean", "nansum", "nanmean"):
        calls += _each(name, _MOST, "| 0 | dim=(0, 1) | -1, True | dim=None, keepdim=True")
    for name in ("prod",):
        calls += _each(name, _MOST + " zero zeros", "| 0 | -1, True | 5")
    for name in ("all", "any", "amax", "amin", "count_nonzero"):
        calls += _each(name, _MOST + " truths", "| 0 | (0, 1) | 1 | ()")
    for name in ("max", "min", "median", "nanmedian"):
        calls += _each(name, _MOST + " line", "| 0 | -1, True | 3")
    for name in ("argmax", "argmin"):
        calls += _each(name, _MOST + " line", "| 0 | None, True | 1, True")
    calls += _each("aminmax", _MOST, "| dim=0 | dim=1, keepdim=True")
    calls += _each("trace", "square matrix ties truths", "")
    calls += _each("logsumexp", "ties square far low lowest none whole line", "0 | (0,), True")
    return [*calls, "torch.sum(ties, 'a')", "torch.max(ties, 0.5)", "torch.sum(ties, (0, 0))"]


def _orders() -> list[str]:
    calls = []
    calls += _each("sort", _MOST, "| 0, True | dim=0, stable=True, descending=True | 4")
    calls += _each("argsort", _REAL, "| 0, True | dim=0, stable=True")
    calls += _each("msort", _REAL, "")
    calls += _each("topk", _MOST, "1 | 2, 0 | 2, 0, False | 9 | k=2, dim=0, sorted=False")
    calls += _each("kthvalue", _MOST, "1 | 2, 0 | 2, -1, True | 9")
    calls += _each("mode", _MOST, "| 0 | -1, True")
    calls += _each("unique", _REAL, "| return_inverse=True, return_counts=True")
    calls += _each("unique", "ties square scalar whole", "dim=0 | dim=-1, return_counts=True")
    calls += _each("unique_consecutive", _REAL, "| True, True | dim=0, return_counts=True")
    calls += _each(
        "quantile", "ties square holes scalar none single whole", "0.3 | 0.5, 0, True | q"
    )
    calls += _each("nanquantile", "ties holes scalar", "0.3 | q, -1 | 0.5, interpolation='nearest'")
    calls += _each(
        "quantile",
        "ties",
        "1.5 | 0.3, interpolation='lower' | 0.3, interpolation='higher' | 0.3, 4 | "
        "0.3, interpolation='midpoint' | 0.3, interpolation='x'",
    )
    for name in ("sort", "argsort", "mode", "median", "cummax", "argmin"):
        calls += _each(name, "tied crowd", "-1")
    calls += _each("sort", "tied crowd", "-1, True | dim=0, stable=True")
    calls += _each("topk", "tied crowd", "1 | 3 | 40 | 3, -1, False | 40, -1, False, False")
    calls += _each("kthvalue", "tied crowd", "1 | 7 | 45 | 90")
    calls += _each("histc", "ties whole one none", "4 | 4, 0, 3 | 0 | 4, 3, 1")
    calls += _each("histogram", "ties one none whole", "4 | points | 4, range=(0., 2.) | 0")
    calls += _each("bincount", "whole matrix counts ties", "| counts | minlength=5")
    return calls


def _scans() -> list[str]:
    calls = []
    for name in ("cumsum", "logcumsumexp", "cummax", "cummin"):
        calls += _each(name, _MOST + " zero far low", "0 | -1 | 3")
    # Under create_graph PyTorch writes gradients around zeros in place: there the nodes differ.
    calls += _each("cumprod", "scalar none empty one single complex whole truth", "0 | -1 | 3")
    calls += _each("diff", _REAL + " matrix", "| 2 | 1, 0 | 0 | -1 | 9")
    calls += _each("diff", "square", "prepend=square | append=one | 0, 0, square")
    calls += _each(
        "gradient", "ties square scalar truth one", "| spacing=2. | edge_order=2 | dim=0"
    )
    calls += _each("gradient", "square", "spacing=(points, points) | spacing=(points,)")
    for name in ("trapezoid", "cumulative_trapezoid"):
        calls += _each(name, "ties square scalar truth none", "| dx=2. | dim=0")
        calls += _each(name, "square", "points | points, dim=0 | one")
    return calls


def _statistics() -> list[str]:
    calls = []
    for name in ("var", "std"):
        calls += _each(name, _MOST + " zeros", "| 0 | correction=0 | 0, False | correction=9")
    for name in ("var_mean", "std_mean"):
        calls += _each(name, "ties square one none whole", "| 0, True, True | correction=0")
    for order in ("2", "0", "1", "3", "0.5", "inf", "-inf", "-1", "'fro'"):
        calls += _each(
            "norm", "ties square zeros none complex whole", f"{order} | {order}, 0, True"
        )
        calls += _each("dist", "ties", f"ties, {order}" if order != "'fro'" else "one")
    calls += _each("linalg.vector_norm", "square zeros empty line", "1 | 2, 0 | inf, (0, 1), True")
    calls += _each("renorm", "square ties rows", "2, 0, 1. | 1, 1, 1. | 2, 0, -1. | -1, 0, 1.")
    for name in ("softmax", "log_softmax"):
        calls += _each(name, "ties square far low lowest none scalar whole line", "0 | -1 | 4")
    calls += _each("cov", "ties square scalar truth", "| correction=0")
    calls += _each(
        "cov",
        "square",
        "fweights=counts | aweights=weights | fweights=counts, aweights=weights | aweights=counts",
    )
    calls += _each("corrcoef", "ties square scalar", "")
    for order in ("0.", "0.7", "1.", "2.", "3.", "inf"):
        calls += _each("cdist", "rows", f"rows, {order}")
    calls += _each(
        "cdist", "rows", "rows, 2., 'use_mm_for_euclid_dist' | square | ties | rows, -1."
    )
    return calls


def _pointwise() -> list[str]:
    calls = []
    for name in [
        "abs",
        "neg",
        "sgn",
        "sign",
        "ceil",
        "floor",
        "trunc",
        "round",
        "frac",
        "reciprocal",
        "sqrt",
        "rsqrt",
        "square",
        "exp",
        "exp2",
        "expm1",
        "log",
        "log2",
        "log10",
        "log1p",
        "sigmoid",
        "sin",
        "cos",
        "tan",
        "asin",
        "acos",
        "atan",
        "sinh",
        "cosh",
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "sinc",
        "deg2rad",
        "isfinite",
        "signbit",
        "logit",
        "angle",
        "frexp",
    ]:
        calls += _each(name, "x p single complex whole truth", "")
    for name in [
        "add",
        "sub",
        "mul",
        "div",
        "remainder",
        "fmod",
        "floor_divide",
        "pow",
        "atan2",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "hypot",
        "logaddexp",
        "logaddexp2",
        "copysign",
        "nextafter",
        "xlogy",
        "ldexp",
        "heaviside",
    ]:
        calls += (
            _each(name, "x", "y | p | x") + _each(name, "whole", "whole") + [f"torch.{name}(p, x)"]
        )
    for name in [
        "add",
        "sub",
        "rsub",
        "mul",
        "div",
        "remainder",
        "fmod",
        "pow",
        "copysign",
        "xlogy",
        "eq",
        "lt",
    ]:
        calls += _each(name, "x whole bytes truth single", "2 | 0 | -1 | 2.5 | True | 300")
    calls += _each(
        "clamp", "x whole bytes", "0., 1 | 1., 0. | min=-0.5 | max=x | None, None | p, p"
    )
    calls += _each("lerp", "x", "y, 0.3 | y, 0.7 | y, p | whole, 0.3")
    calls += _each("addcmul", "x", "y, p | y, y, value=0.5") + _each(
        "addcdiv", "x", "y, p, value=2"
    )
    calls += _each("nan_to_num", "x whole truth", "| 2. | posinf=3., neginf=-4.")
    calls += [f"x ** {power}" for power in ("0", "0.5", "-0.5", "-1", "-2", "3", "1.5", "-0.3")]
    calls += [f"{base} ** x" for base in ("0", "2", "-2", "0.5", "1")]
    calls += ["5 % x", "5 // x", "1 - x", "2 / x", "x // 2", "truth - truth", "whole - truth"]
    return calls


GROUPS: dict[str, Callable[[], list[str]]] = {
    "reductions": _reductions,
    "orders": _orders,
    "scans": _scans,
    "statistics": _statistics,
    "pointwise": _pointwise,
}


def calls(group: str) -> list[str]:
    """The calls of a group, each once."""
    return list(dict.fromkeys(GROUPS[group]()))

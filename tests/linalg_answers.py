"""Compares products and linear algebra with what PyTorch answered (see ``tests.record_linalg``)."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gradcli
from gradcli.autograd.backward import grad
from gradcli.tensor.tensor import wrap
from tests.linalg_calls import answer, told
from tests.recorded.conformance import same_text

RECORDED = Path(__file__).parent / "data" / "linalg.json.gz"


@cache
def recorded() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return answers


def cases(kind: str, group: str) -> list[Any]:
    """The recorded answers of a group, as parameters of a test."""
    answers = recorded()[kind][group]
    return [pytest.param(call, theirs, id=call) for call, theirs in answers.items()]


def near(ours: Any, theirs: Any) -> bool:
    """Whether lists of numbers, in text, are the same but for rounding; None counts as zeros."""
    if ours is None or theirs is None:
        return not any(map(float, ours or theirs or ()))
    return len(ours) == len(theirs) and all(
        a == b or math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-7)
        for a, b in zip(ours, theirs, strict=True)
    )


def check_call(call: str, theirs: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = answer(call, gradcli, lambda array: wrap(array, True), grad)
    assert ours.get("error") == theirs.get("error")
    assert ours.get("told") == theirs.get("told")
    assert ours.get("slope_nodes") == theirs.get("slope_nodes")
    for fact in ("values", "slopes", "plain", "bends"):
        pairs = zip(ours.get(fact, ()), theirs.get(fact, ()), strict=True)
        for number, (mine, wanted) in enumerate(pairs):
            assert near(mine, wanted), f"{fact}[{number}]: {mine}, not {wanted}"


def check_refusal(call: str, theirs: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = told(call, gradcli)
    assert ours[0] == theirs[0], ours
    assert ours[1] == theirs[1] or (not ours[0] and same_text(ours[1], theirs[1])), ours[1]

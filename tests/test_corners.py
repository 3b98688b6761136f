"""Reductions, orders, scans, statistics and pointwise operators at their special points."""

from __future__ import annotations

import gzip
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradcli
from gradcli.autograd.backward import grad
from gradcli.tensor.tensor import Tensor, wrap
from tests.corner_answers import Engine, differs
from tests.corner_calls import GROUPS, calls

RECORDED: dict[str, dict[str, Any]] = json.loads(
    gzip.decompress((Path(__file__).parent / "data" / "corners.json.gz").read_bytes())
)
ENGINE = Engine(
    {"torch": gradcli, "inf": math.inf}, Tensor, wrap, lambda tensor: tensor._array, grad
)


@pytest.mark.parametrize("group", GROUPS)
def test_answers_are_those_of_pytorch(group: str) -> None:
    faults = []
    assert list(RECORDED[group]) == calls(group), "record the new calls"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for call, theirs in RECORDED[group].items():
            ours = ENGINE.describe(call)
            if differs(ours, theirs):
                faults.append(f"{call}\n    ours   {ours}\n    theirs {theirs}")
    assert not faults, f"{len(faults)} of {len(RECORDED[group])}:\n" + "\n".join(faults[:8])

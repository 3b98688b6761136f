"""Whatever can be called works as the first and only call of a process."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest

from gradcli.table import index
from gradcli.table.functions import Attribute
from gradcli.table.registry import BARE, entries, lookup_method
from gradcli.table.samples import Fixed
from gradcli.tensor.dtypes import DType
from tests.recorded.table import calls_of
from tests.table.fresh import Call, Data, Type, answer

TEXTS = """\
torch.Tensor([1.0, 2.0]) | torch.Tensor(2, 3) | torch.FloatTensor([1]) | torch.Size([2, 3])
torch.device('cpu') | torch.float64 | torch.finfo(torch.float32).eps | torch.Generator()
torch.no_grad() | torch.set_grad_enabled(True) | torch.is_grad_enabled() | torch.inference_mode()
torch.set_printoptions(precision=4) | torch.manual_seed(1) | torch.set_default_dtype(torch.float32)
x + 1 | 1 - x | x * x | x / 2 | x // 2 | x % 2 | x ** 2 | 2 ** x | x @ x | -x | +x | abs(x)
x > 1 | x == x | ~(x > 1) | (x > 1) & (x < 2) | x[0] | x[:, None] | x[[1, 0]] | x[x > 1]
list(x) | len(x) | sum(x) | max(x) | sorted(x) | str(x) | f'{x}' | x.tolist() | x.numpy()
x.T | x.mT | x.shape | x.dtype | x.grad | x.data | x.is_leaf | (x * 2).grad_fn | x.requires_grad_()
y = x.detach(); y[0] = 1; y | y = x.detach(); y += 1; y | y = x.detach(); y *= x.detach(); y
x.sum().backward(); x.grad | torch.autograd.backward(x, x) | torch.autograd.grad(x.sum(), x)
torch.autograd.functional.jacobian(lambda v: v * v, x) | torch.autograd.Variable(x)
torch.autograd.functional.hessian(lambda v: v.sum() ** 2, x) | x.register_hook(lambda g: g)
sqrt(2) | max(2, 3) | log(8, 2) | gcd(12, 18) | maximum(x, 0) | isinstance(x, torch.Tensor)
from torch import *; sin(x) | from torch import sin; sin(x) | from math import *; sin(1)
"""


def written(value: Any) -> Any:
    """An argument of a sample as a process of its own can read it.

    Raises:
        TypeError: it cannot.
    """
    if isinstance(value, np.ndarray):
        wants = value.dtype.kind in "fc" and not isinstance(value, Fixed)
        return Data(np.asarray(value), wants)
    if isinstance(value, DType):
        return Type(value.name)
    if type(value) in (list, tuple):
        return type(value)(map(written, value))
    if isinstance(value, dict):
        return {key: written(item) for key, item in value.items()}
    if value is None or type(value) in (bool, int, float, complex, str):
        return value
    raise TypeError


def calls_of_the_table() -> Iterator[Call]:
    """The first sample of every operator that can be written, as a method where it is one."""
    functions, methods = index.read()
    for entry in entries():
        for sample in calls_of(entry)[:1]:
            try:
                args, kwargs = written(sample.args), written(sample.kwargs)
            except TypeError:
                continue
            name = entry.names[0]
            method = name.removeprefix("Tensor.")
            if method in methods and (method != name or entry.is_method):
                field = isinstance(lookup_method(method), Attribute)
                text = f"a[0].{method}" if field else f"torch.Tensor.{method}(*a, **k)"
                yield Call(text, methods[method], args, kwargs)
            elif not name.startswith("aten."):
                text = name.removeprefix(BARE) if name.startswith(BARE) else f"torch.{name}"
                yield Call(f"{text}(*a, **k)", functions[name], args, kwargs)


@cache
def calls() -> list[Call]:
    """All calls."""
    x = [Data(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), True)]
    parts = (part.strip() for line in TEXTS.splitlines() for part in line.split(" | "))
    texts = [Call(f"x = a[0]\n{text}", "", x, {}) for text in parts]
    return [*texts, *calls_of_the_table()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_every_first_call_is_like_every_later_one() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "tests.table.fresh"],
        input=pickle.dumps(calls()),
        capture_output=True,
        check=True,
        timeout=300,
    )
    lines = process.stdout.decode().splitlines()
    alone = {int(number): text for number, _, text in (line.partition(" ") for line in lines)}
    found = [
        f"{call.text}: alone {alone.get(number)}, later {later}"
        for number, call in enumerate(calls())
        if alone.get(number) != (later := answer(call))
    ]
    assert not found, f"{len(found)} of {len(calls())}\n" + "\n".join(found[:20])

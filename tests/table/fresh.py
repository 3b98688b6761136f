"""Calls made in processes that have loaded nothing but what every command loads.

A call is a text and what `a` (positional arguments) and `k` (keywords) hold in it. The processes
are forks: of one that has imported `gradcli.wiring` only, by way of one that has the module that
the table's index names, as a look-up of the name would import it. A call that loads a module is the
last one of its process; one that loads none leaves all as it was, and the next is a first one, too.

    python -m tests.table.fresh < CALLS > ANSWERS
"""

from __future__ import annotations

import gc
import json
import os
import pickle
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

import gradcli.wiring  # noqa: F401
from gradcli.language import Machine, compile_text
from gradcli.tensor.dtypes import DTYPES, DType
from gradcli.tensor.tensor import Tensor, wrap

LONGEST = 400
"""Characters of an answer; a longer one would not go into a pipe in one piece."""
MOST = 100
"""Calls that one process answers, whose number is its exit code."""


class Call(NamedTuple):
    """A text to run, the module that its name would load ("" for none), and its arguments."""

    text: str
    module: str
    args: Any
    kwargs: Any


class Data(NamedTuple):
    """An array as an argument, and whether it wants a gradient."""

    array: Any
    wants: bool


class Type(NamedTuple):
    """A type of tensors, by its name."""

    name: str


def given(value: Any) -> Any:
    """An argument as it is passed."""
    if isinstance(value, Data):
        return wrap(np.array(value.array), requires_grad=value.wants)
    if isinstance(value, Type):
        return DTYPES[value.name]
    if type(value) in (list, tuple):
        return type(value)(map(given, value))
    if isinstance(value, dict):
        return {key: given(item) for key, item in value.items()}
    return value


def told(value: Any) -> Any:
    """A result without its numbers: memory that nobody wrote to may hold any."""
    if isinstance(value, Tensor):
        node = value.grad_fn
        return [str(value.dtype), list(value.shape), None if node is None else node.name()]
    if isinstance(value, (list, tuple)):
        return [told(item) for item in value]
    return repr(value) if isinstance(value, (bool, str, DType)) else type(value).__name__


def answer(call: Call) -> str:
    """What a call gives, in words."""
    variables = {"a": list(given(call.args)), "k": given(call.kwargs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = told(Machine(variables).run(compile_text(call.text)))
        except Exception as error:
            found = f"{type(error).__name__}: {error}"
    return json.dumps(found)[:LONGEST]


def forked(work: Callable[[], int]) -> int:
    """Does some work in a process of its own; what it returns, 0 where the process ended in it."""
    child = os.fork()
    if child:
        return max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
    code = 0
    try:
        code = work()
    finally:
        os._exit(code)


def of_module(module: str, calls: list[tuple[int, Call]]) -> int:
    """Makes calls whose names stand in one module, each as the first."""
    if module:
        import_module(module)
    while calls:
        made = forked(lambda: say(calls[:MOST]))  # noqa: B023 - it is called at once
        calls = calls[max(made, 1) :]
    return 0


def say(calls: list[tuple[int, Call]]) -> int:
    """Writes the answers to calls up to the first that loads a module; how many these are."""
    loaded = len(sys.modules)
    for count, (number, call) in enumerate(calls, 1):
        os.write(1, f"{number} {answer(call)}\n".encode())
        if len(sys.modules) != loaded:
            return count
    return len(calls)


def main() -> None:
    """Reads calls, and answers them in any order."""
    for name in ("scipy.linalg", "scipy.special"):  # what is not ours is loaded once
        import_module(name)
    compile_text("f(x)")  # and so is the parser
    gc.disable()  # it would touch, and so copy, the memory that forks share
    calls = sorted(enumerate(pickle.load(sys.stdin.buffer)), key=lambda item: item[1].module)
    for module, group in groupby(calls, key=lambda item: item[1].module):
        chosen = list(group)
        forked(lambda: of_module(module, chosen))  # noqa: B023 - it is called at once


if __name__ == "__main__":
    # Calls were written by whoever imported this module under its name.
    sys.modules["tests.table.fresh"] = sys.modules[__name__]
    main()

"""Joins the layers for a process that evaluates: whoever does imports this module.

Tensors have `backward()` and Python's operators, they print by way of `gradcli.views`, programs
find `torch.set_printoptions`, and NumPy keeps quiet about overflow, division by zero and invalid
values, which PyTorch answers with inf and nan and no warning.
"""

from __future__ import annotations

import numpy as np

import gradcli.autograd.passes
import gradcli.ops.inplace.python  # noqa: F401
from gradcli.language.allowed.namespace import default_namespace
from gradcli.language.running.place import running_place
from gradcli.tensor.graph import mode
from gradcli.tensor.tensor import Tensor
from gradcli.views.printing import set_printoptions
from gradcli.views.tensors import represent


def _running_line() -> str:
    """The line of the program that runs just now, or Python's stack, as tracebacks show them."""
    place = running_place()
    if place is None:
        from traceback import format_stack

        return "".join(format_stack())
    number = place.text.count("\n", 0, place.start) + 1
    line = place.text.splitlines()[number - 1].strip()
    return f'  File "{place.origin}", line {number}\n    {line}\n'


Tensor._represent = represent
mode.where = _running_line
default_namespace().found["torch", "set_printoptions"] = set_printoptions
np.seterr(all="ignore")

"""Joins the layers for a process that evaluates: whoever does imports this module.

Tensors have `backward()` and Python's operators, they print by way of `gradcli.views`, programs
find its print options under PyTorch's names, and NumPy keeps quiet about overflow, division by zero
and invalid values, which PyTorch answers with inf and nan and no warning.
"""

from __future__ import annotations

from contextlib import _GeneratorContextManager

import numpy as np

import gradcli.autograd.passes
import gradcli.ops.inplace.python  # noqa: F401
from gradcli.language.allowed.namespace import default_namespace
from gradcli.tensor.public import REGISTRY, Public
from gradcli.tensor.tensor import Tensor
from gradcli.views import printing
from gradcli.views.tensors import represent

Tensor._represent = represent
for name in ("set_printoptions", "printoptions"):
    default_namespace().found["torch", name] = getattr(printing, name)
# What `printoptions()` gives; it would also decorate functions, past the gate for calls.
REGISTRY[_GeneratorContextManager] = Public(name="contextlib._GeneratorContextManager")
np.seterr(all="ignore")

"""Words for the arguments of operators, used where the language's own do not tell enough.

Code lives in three worlds. Users hold tensors (`Tensor`); forward functions and kernels compute on
what NumPy has (`Array`); formulas and many compositions serve both (`Value`). The type checker
takes all but the first for `Any`: NumPy's stubs do not follow arithmetic between arrays, NumPy's
scalars and Python's numbers, whose results may be any of the three.

The operator table reads these words in the heads of functions (`gradcli.table.schema`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Array: TypeAlias = Any
"""A NumPy array or, with no dimensions, a NumPy scalar."""

Value: TypeAlias = Any
"""A tensor or an array: what works on one works on the other."""

Operand: TypeAlias = Any
"""A value, or a Python number that acts as one."""

Scalar: TypeAlias = Any
"""A Python number: a bool, an int, a float or a complex."""

Real: TypeAlias = Any
"""A Python number that PyTorch takes as a double: any but a complex one with an imaginary part."""

Single: TypeAlias = Any
"""Several integers, or one alone."""

Pair: TypeAlias = Any
"""Two integers, or one that stands for both."""

Triple: TypeAlias = Any
"""Three integers, or one that stands for all."""

VarTensors: TypeAlias = Sequence[Any]
"""Tensors in a list, or each as an argument of its own."""

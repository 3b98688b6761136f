"""Arithmetic with a number that never became a tensor.

PyTorch's Python operators turn numbers into tensors, its C++ formulas do not: there `x * 2` is
`mul.Scalar`, whose node is `MulBackward1`. Compositions and formulas that PyTorch wrote in C++
use these rows. A number before the operator is `sub(1, x)` or `true_div(1, x)`.
"""

from __future__ import annotations

import operator
from typing import Any

from gradcli.ops.algebra.comparison import conj
from gradcli.table.declare import row
from gradcli.table.row import COMMON, FLOAT, Row
from gradcli.table.samples import Sampler


def _samples(r: Sampler) -> list[tuple[Any, ...]]:
    return [(r(3, 4), 1.5), (r(), 3)]


add_scalar: Row = row(
    "aten.add_scalar(Tensor self, Operand other)",
    operator.add,
    promote=COMMON,
    node="AddBackward1",
    linear="self other",
    self=lambda grad: grad,
    samples=_samples,
    doc="self + other for a number.",
    pytorch="aten.add.Scalar",
)
sub_scalar: Row = row(
    "aten.sub_scalar(Tensor self, Operand other)",
    operator.sub,
    promote=COMMON,
    node="SubBackward1",
    linear="self other",
    self=lambda grad: grad,
    samples=_samples,
    doc="self - other for a number.",
    pytorch="aten.sub.Scalar",
)
mul_scalar: Row = row(
    "aten.mul_scalar(Tensor self, Operand other)",
    operator.mul,
    wide_numbers=True,
    promote=COMMON,
    node="MulBackward1",
    linear="self, other",
    self=lambda grad, other: mul_scalar(grad, conj(other)),
    samples=_samples,
    doc="self * other for a number.",
    pytorch="aten.mul.Scalar",
)
div_scalar: Row = row(
    "aten.div_scalar(Tensor self, Operand other)",
    operator.truediv,
    wide_numbers=True,
    promote=FLOAT,
    node="DivBackward1",
    linear="self",
    self=lambda grad, other: div_scalar(grad, conj(other)),
    samples=_samples,
    doc="self / other for a number.",
    pytorch="aten.div.Scalar",
)

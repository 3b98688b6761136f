"""What mathematics has a name for and PyTorch has not: reached by bare names only.

`log` of two arguments stands beside `log`, and what is PyTorch's under another name is one more
name of its row.
"""

from __future__ import annotations

import numpy as np

from gradcli.ops.algebra.arithmetic import reciprocal
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.ops.algebra.trigonometry import cos, sin, tan
from gradcli.ops.pointwise.special import digamma, scipy_function
from gradcli.table.declare import composite, row
from gradcli.table.row import FLOAT, Row
from gradcli.table.samples import pointwise
from gradcli.typing import Value

cbrt: Row = row(
    "bare.cbrt(Tensor self)",
    np.cbrt,
    promote=FLOAT,
    kinds="f",
    node="CbrtBackward0",
    self=lambda grad, result: grad / mul_scalar(result * result, 3),
    samples=pointwise(),
    doc="The real cube root, also of negative numbers.",
    pytorch="torch.sign(self) * torch.abs(self) ** (1 / 3)",
)

gamma: Row = row(
    "bare.gamma(Tensor self)",
    scipy_function("gamma"),
    promote=FLOAT,
    kinds="f",
    node="GammaBackward0",
    self=lambda grad, self, result: grad * result * digamma(self),
    samples=lambda r: [
        (r(3, 4, low=0.5, high=4.0),),
        (r(3, low=-0.9, high=-0.1),),
        (r(low=-1.9, high=-1.1),),
        (r(0, 2),),
    ],
    doc="The gamma function, with its sign for negative numbers: (self - 1)! of a whole one.",
    pytorch=(
        "(1 - 2 * torch.remainder(torch.floor(self.clamp(max=0)), 2)) "
        "* torch.exp(torch.lgamma(self))"
    ),
)


@composite("bare.cot", samples=pointwise(0.3, 1.3), pytorch="torch.reciprocal(torch.tan(self))")
def cot(self: Value) -> Value:
    """The cotangent: 1 / tan(self)."""
    found: Value = reciprocal(tan(self))
    return found


@composite("bare.sec", samples=pointwise(-1.3, 1.3), pytorch="torch.reciprocal(torch.cos(self))")
def sec(self: Value) -> Value:
    """The secant: 1 / cos(self)."""
    found: Value = reciprocal(cos(self))
    return found


@composite("bare.csc", samples=pointwise(0.3, 2.8), pytorch="torch.reciprocal(torch.sin(self))")
def csc(self: Value) -> Value:
    """The cosecant: 1 / sin(self)."""
    found: Value = reciprocal(sin(self))
    return found

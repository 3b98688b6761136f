"""Derivatives of any order of special functions, of which each is the formula of the one before.

They serve functions for which PyTorch's own formulas lose digits with every order, or which have no
gradient there (see `gradcli.kernels.slopes`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from gradcli.kernels import slopes
from gradcli.table.declare import row
from gradcli.table.row import FLOAT, Row
from gradcli.typing import Array


def _slope(name: str, function: Callable[[int, Array], Array], low: float, high: float) -> Row:
    """The row of a function's n-th derivative."""

    def forward(n: int, self: Array) -> Array:
        wide = np.array(self, np.float64)
        with np.errstate(all="ignore"):
            return np.asarray(function(n, wide)).astype(np.asarray(self).dtype)

    made: Row = row(
        f"aten.{name}_slope(int n, Tensor self)",
        forward,
        promote=FLOAT,
        self=lambda grad, n, self: grad * made(n + 1, self),
        samples=lambda r: [(n, r(3, low=low, high=high)) for n in (0, 1, 2, 5)],
        untested="a piece of gradients",
        doc="The n-th derivative.",
    )
    return made


i0_slope: Final = _slope("i0", partial(slopes.bessel_i_slope, 0), -2.0, 2.0)
i0e_slope: Final = _slope("i0e", slopes.i0e_slope, 0.2, 9.0)
sinc_slope: Final = _slope("sinc", slopes.sinc_slope, -2.0, 2.0)
erfcx_slope: Final = _slope("erfcx", slopes.erfcx_slope, -1.0, 9.0)
airy_slope: Final = _slope("airy_ai", slopes.airy_slope, -5.0, 5.0)

BESSEL: Final = {
    f"{kind}{order}{scaled}": _slope(
        f"bessel_{kind}{order}{scaled}", partial(function, order), 0.1, 9.0
    )
    for kind, scaled, function in (
        ("j", "", slopes.bessel_j_slope),
        ("y", "", slopes.bessel_y_slope),
        ("i", "", slopes.bessel_i_slope),
        ("k", "", slopes.bessel_k_slope),
        ("k", "e", slopes.scaled_bessel_k_slope),
    )
    for order in (0, 1)
}
"""Those of Bessel's functions of order 0 and 1, by SciPy's names of these."""

"""Records Taylor coefficients of functions to order 20, from 50 digits of mpmath.

    python -m tests.readings.record_taylor

mpmath is needed for recording only. Functions are written once for both: names are looked up among
mpmath's functions and those below here, and among gradcli's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ORDER = 20

ANSWERS = Path(__file__).with_name("taylor.json")

FUNCTIONS = {
    "exp(sin(x))": (0.5,),
    "tan(x)": (0.7,),
    "tanh(x)": (-0.4,),
    "asinh(x)": (0.3,),
    "acosh(x)": (2.5,),
    "log(x)": (1e-8, 1.7),
    "sqrt(x)": (1e-8, 1.3),
    "sigmoid(x)": (0.6,),
    "softplus(x)": (-0.8,),
    "lgamma(x)": (0.3, 1.6, 30.0),
    "digamma(x)": (1e-8, 2.3, 30.0),
    "erf(x)": (0.4,),
    "erfinv(x)": (0.3, -0.95),
    "erfcx(x)": (-1.0, 0.0, 1e-8, 0.7, 5.0, 30.0),
    "ndtr(x)": (0.9,),
    "log_ndtr(x)": (-30.0, -5.0, -0.5, 0.0, 1.0, 5.0),
    "gelu(x)": (0.0, 0.8),
    "silu(x)": (-1.1,),
    "mish(x)": (0.6,),
    "square(sin(x))": (0.9,),
    "pow(x, sin(x))": (1.4,),
    "logaddexp(x, x*x)": (0.6,),
    "atan2(x, 1 + x*x)": (0.7,),
    "hypot(x, cos(x))": (0.8,),
    "xlog1py(x, sin(x))": (0.5,),
    "i0(x)": (0.0, 1e-8, 0.3, 1.0, 5.0, 30.0),
    "i1(x)": (0.0, 1e-8, 0.3, 1.0, 5.0, 30.0),
    "i0e(x)": (1e-8, 0.3, 1.0, 5.0, 30.0),
    "i1e(x)": (1e-8, 0.3, 1.0, 5.0, 30.0),
    "i1(sin(x))": (0.0, 0.3),
    "sinc(x)": (0.0, 1e-8, 0.3, 1.2, 5.3, 30.2),
    "polygamma(2, x)": (0.3, 5.0, 30.0),
    "zeta(2.5, x)": (0.3, 5.0, 30.0),
    "entr(x)": (1e-8, 0.3, 5.0),
    "ndtri(x)": (0.01, 0.3),
    "bessel_j0(x)": (0.0, 0.3, 5.0),
    "bessel_j1(x)": (0.0, 0.3, 5.0),
    "modified_bessel_i1(x)": (0.3,),
    "airy_ai(x)": (-5.0, 0.3, 5.0),
}
"""The points at which coefficients are recorded, by function."""


def own(mp: Any) -> dict[str, Any]:
    """What mpmath has under other names, or not at all."""

    def ndtr(x: Any) -> Any:
        return mp.erfc(-x / mp.sqrt(2)) / 2

    def softplus(x: Any) -> Any:
        return mp.log(1 + mp.exp(x))

    return {
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": softplus,
        "lgamma": mp.loggamma,
        "erfcx": lambda x: mp.exp(x * x) * mp.erfc(x),
        "ndtr": ndtr,
        "log_ndtr": lambda x: mp.log(ndtr(x)),
        "gelu": lambda x: x * ndtr(x),
        "silu": lambda x: x / (1 + mp.exp(-x)),
        "mish": lambda x: x * mp.tanh(softplus(x)),
        "square": lambda x: x * x,
        "pow": mp.power,
        "logaddexp": lambda x, y: mp.log(mp.exp(x) + mp.exp(y)),
        "atan2": lambda y, x: mp.atan(y / x),
        "hypot": lambda x, y: mp.sqrt(x * x + y * y),
        "xlog1py": lambda x, y: x * mp.log(1 + y),
        "i0": lambda x: mp.besseli(0, x),
        "i1": lambda x: mp.besseli(1, x),
        "i0e": lambda x: mp.exp(-x) * mp.besseli(0, x),
        "i1e": lambda x: mp.exp(-x) * mp.besseli(1, x),
        "bessel_j0": lambda x: mp.besselj(0, x),
        "bessel_j1": lambda x: mp.besselj(1, x),
        "modified_bessel_i1": lambda x: mp.besseli(1, x),
        "airy_ai": mp.airyai,
        "sinc": lambda x: mp.sinc(mp.pi * x),
        "entr": lambda x: -x * mp.log(x),
        "ndtri": lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1),
    }


def main() -> None:
    import mpmath

    mpmath.mp.dps = 50
    names = {name: getattr(mpmath.mp, name) for name in dir(mpmath.mp)} | own(mpmath.mp)
    found = {}
    for text, points in FUNCTIONS.items():
        function = eval(f"lambda x: {text}", names)
        found[text] = {
            str(point): [
                mpmath.nstr(mpmath.chop(part, 1e-45), 25)
                for part in mpmath.taylor(function, mpmath.mpf(point), ORDER)
            ]
            for point in points
        }
    ANSWERS.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()

"""SymPy as a second opinion, where it is installed."""

from __future__ import annotations

import math

import pytest

from gradcli.formulas import formula

sympy = pytest.importorskip("sympy")

SOURCES = (
    "(x**2 + 1)/(x**2 - 3*x + 5)",
    "x**2*sin(x)*exp(x)",
    "sqrt(1 + sqrt(1 + x**2))",
    "x**x",
    "exp(-(x - m)**2/(2*s**2))/(s*sqrt(2*pi))",
    "K/(1 + (K - a)/a*exp(-r*x))",
    "x**n/(K**n + x**n)",
    "A*exp(-g*x)*cos(w*x + p)",
    "P*(1 + r/x)**(x*t)",
    "asin(n*sin(x)/3)",
    "log(tan(x/2))",
    "atan(x**2)/cosh(x)",
    "x/(1 + x/(1 + x))",
    "erf(x)*log(x)**2",
)
POINT = {"m": 0.3, "s": 1.2, "K": 2.5, "a": 0.8, "r": 0.6, "n": 1.7, "A": 2.0}
POINT |= {"g": 0.4, "w": 1.9, "p": 0.2, "P": 3.0, "t": 1.1}


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("source", SOURCES)
def test_both_derive_the_same(source: str, order: int) -> None:
    ours = sympy.sympify(formula(source, "x", order=order).text, sympy_names(source))
    theirs = sympy.diff(sympy.sympify(source, sympy_names(source)), "x", order)
    for x in (0.37, 0.91, 1.43):
        point = {sympy.Symbol(name): value for name, value in {**POINT, "x": x}.items()}
        expected = float(theirs.subs(point).evalf(30))
        assert math.isclose(float(ours.subs(point).evalf(30)), expected, rel_tol=1e-12)


def sympy_names(source: str) -> dict[str, object]:
    """Names that SymPy takes for something else."""
    return {name: sympy.Symbol(name) for name in POINT if name in source}

"""Which columns an output depends on, whatever statements it comes of."""

from __future__ import annotations

import pytest

from tests.tables.test_rows import fine

FUNCTION = "def f(t): return t*x\n"


@pytest.mark.parametrize(
    ("text", "titles", "row"),
    [
        (FUNCTION + "g = f(y)", "g,dg_dx,dg_dy", "6.0,3.0,2.0"),
        (FUNCTION + "f(2)", "value,d_dx", "4.0,2.0"),
        (
            "def f(t): return t*k\nk = x*5\ng = f(y)",
            "k,dk_dx,g,dg_dx,dg_dy",
            "10.0,5.0,30.0,15.0,10.0",
        ),
        (
            "def f(t): return h(t)*2\ndef h(t): return t*x\ng = f(3)",
            "g,dg_dx",
            "12.0,6.0",
        ),
        (
            "def f(t): return f(t - 1)*x if t > 0 else y\ng = f(2)",
            "g,dg_dx,dg_dy",
            "12.0,12.0,4.0",
        ),
        ("class A:\n  def m(self): return x\ng = A().m()*4", "g,dg_dx", "8.0,4.0"),
        (
            "if y > 0: f = lambda t: t*x\nelse: f = lambda t: t\ng = f(3)",
            "g,dg_dy,dg_dx",
            "6.0,0.0,3.0",
        ),
        (
            "g = (w := x*2) + 1; h = w*y",
            "g,dg_dx,h,dh_dx,dh_dy",
            "5.0,2.0,12.0,6.0,4.0",
        ),
        ("f = lambda t: t*x; g = f(y)", "g,dg_dx,dg_dy", "6.0,3.0,2.0"),
        ("assert (w := x*2) > 0; h = w", "h,dh_dx", "4.0,2.0"),
    ],
)
def test_derivatives(text: str, titles: str, row: str) -> None:
    assert fine(text, stdin="x,y\n2,3\n") == f"x,y,{titles}\n2,3,{row}\n"


def test_uncertainties() -> None:
    out = fine(FUNCTION + "g = f(y)", "--sigma", "x=0.1", "--no-grad", stdin="x,y\n2,3\n")
    assert out == "x,y,g,g_sigma\n2,3,6.0,0.30000000000000004\n"


def test_empty_cells() -> None:
    assert fine(FUNCTION + "g = f(2)", stdin="x,y\n,3\n") == "x,y,g,dg_dx\n,3,,\n"

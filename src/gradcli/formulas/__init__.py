"""Derivatives of texts as formulas: `formula("x*exp(-x)", "x").text` is `(1 - x)*exp(-x)`.

`same` says of two formulas whether they are one: both have the same canonical form. That they have
not proves nothing.
"""

from __future__ import annotations

from gradcli.formulas.deriving import Formula, expression_of, formula, same
from gradcli.readings.symbolic.operands import NoFormula

__all__ = ["Formula", "NoFormula", "expression_of", "formula", "same"]

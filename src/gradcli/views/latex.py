"""Formulas in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from gradcli.readings.symbolic.writing import (
    ADDED,
    ATOM,
    COMPARED,
    DECIMAL,
    FACTORS,
    FUNCTION,
    INTEGER,
    MULTIPLIED,
    NAME,
    NEGATIVE,
    POWER,
    QUOTIENT,
    RAISED,
    SIGNED,
    TERMS,
    Layout,
    Piece,
    folded,
    rank,
    stands_alone,
)

_GREEK: Final = frozenset(
    (
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
    )
)
_FUNCTIONS: Final = {
    **{
        name: f"\\{name}"
        for name in ["sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "det"]
    },
    "asin": r"\arcsin",
    "acos": r"\arccos",
    "atan": r"\arctan",
    "sigmoid": r"\sigma",
    "lgamma": r"\log\Gamma",
    "digamma": r"\psi",
    "sign": r"\mathrm{sgn}",
    "maximum": r"\max",
    "minimum": r"\min",
}
_COMPARED: Final = {
    "gt": ">",
    "ge": r"\geq",
    "lt": "<",
    "le": r"\leq",
    "eq": "=",
    "ne": r"\neq",
    "logical_and": r"\wedge",
    "logical_or": r"\vee",
}
_INFIX: Final = ("gt", "ge", "lt", "le", "eq", "ne", "logical_and", "logical_or")


def latex(layout: Layout) -> str:
    """A formula in LaTeX, without the dollars."""
    found: Piece = folded(layout, _piece)
    return found[0]


def name_in_latex(name: str) -> str:
    """A variable: Greek where its name is, with an index where it ends in a number."""
    found = re.fullmatch(r"([^\W\d_]+)_?(\d+|(?<=_)\w+)?", name)
    if found is None:
        return r"\mathrm{" + name.replace("_", r"\_") + "}"
    stem, index = found.groups()
    if stem in _GREEK:
        stem = "\\" + stem
    elif len(stem) > 1:
        stem = r"\mathrm{" + stem + "}"
    if index and len(index) > 1 and not index.isdigit():
        index = rf"\mathrm{{{index}}}"
    return f"{stem}_{{{index}}}" if index else stem


def _fenced(piece: Piece, least: int) -> str:
    return piece[0] if piece[1] >= least else rf"\left({piece[0]}\right)"


def _piece(layout: Layout, of: Callable[[Any], Piece]) -> Piece:
    kind, parts = layout.kind, layout.parts
    if kind == NAME:
        return ("\\infty" if layout.text == "inf" else name_in_latex(layout.text)), ATOM
    if kind == DECIMAL:
        mantissa, _, exponent = layout.text.partition("e")
        if exponent:
            return rf"{mantissa} \cdot 10^{{{int(exponent)}}}", MULTIPLIED
        return mantissa, ATOM
    if kind == INTEGER:
        return layout.text, ATOM
    if kind == NEGATIVE:
        return f"-{_fenced(of(parts[0]), MULTIPLIED)}", ADDED
    if kind == TERMS:
        return _sum(parts, of), ADDED
    if kind == FACTORS:
        return _product(parts, of), MULTIPLIED
    if kind == QUOTIENT:
        return rf"\frac{{{of(parts[0])[0]}}}{{{of(parts[1])[0]}}}", SIGNED
    if kind == POWER:
        return _power(parts[0], of(parts[1])[0], of), RAISED
    assert kind == FUNCTION
    return _function(layout, of)


def _sum(parts: Any, of: Callable[[Any], Piece]) -> str:
    pieces = []
    for place, (negative, body) in enumerate(parts):
        sign = ("-" if negative else "") if not place else (" - " if negative else " + ")
        pieces.append(sign + _fenced(of(body), MULTIPLIED))
    return "".join(pieces)


def _product(parts: Any, of: Callable[[Any], Piece]) -> str:
    text = ""
    shaped = False
    for part, alone in zip(parts, stands_alone(parts), strict=True):
        piece = _fenced(of(part), SIGNED if alone else MULTIPLIED)
        both = shaped and rank(part) > 0
        shaped = shaped or rank(part) > 0
        if text:
            text += r" \odot " if both else r" \cdot " if piece[:1].isdigit() else r" \, "
        is_condition = part.kind == FUNCTION and part.text in _INFIX
        text += rf"\left[{of(part)[0]}\right]" if is_condition else piece
    return text


def _power(base: Layout, exponent: str, of: Callable[[Any], Piece]) -> str:
    if base.kind == FUNCTION and base.text == "sqrt":
        return rf"{_fenced(of(base.parts[0]), ATOM)}^{{\frac{{{exponent}}}{{2}}}}"
    if base.kind == FUNCTION and base.text in _FUNCTIONS and base.text != "exp":
        return rf"{_FUNCTIONS[base.text]}^{{{exponent}}}{_arguments(base, of)}"
    return f"{_fenced(of(base), ATOM)}^{{{exponent}}}"


def _arguments(layout: Layout, of: Callable[[Any], Piece]) -> str:
    inner = ", ".join([_argument(part, of)[0] for part in layout.parts])
    return rf"\left({inner}\right)"


def _argument(part: Any, of: Callable[[Any], Piece]) -> Piece:
    if type(part) is Layout:
        return of(part)
    if type(part) in (tuple, list):
        inner = ", ".join([_argument(item, of)[0] for item in part])
        return rf"\left[{inner}\right]", ATOM
    return rf"\mathrm{{{part}}}" if type(part) is str else str(part), ATOM


def _function(layout: Layout, of: Callable[[Any], Piece]) -> Piece:
    name, parts = layout.text, layout.parts
    if name in _INFIX:
        left, right = (_fenced(_argument(part, of), ADDED) for part in parts)
        return f"{left} {_COMPARED[name]} {right}", COMPARED
    pieces = [_argument(part, of) for part in parts]
    if name == "exp":
        return f"e^{{{pieces[0][0]}}}", RAISED
    if name == "sqrt":
        return rf"\sqrt{{{pieces[0][0]}}}", ATOM
    if name == "abs":
        return rf"\left|{pieces[0][0]}\right|", ATOM
    if name == "norm":
        return rf"\left\|{pieces[0][0]}\right\|", ATOM
    if name in ("log2", "log10"):
        return rf"\log_{{{name[3:]}}}{_arguments(layout, of)}", ATOM
    if name == "where":
        condition, yes, no = (piece[0] for piece in pieces)
        rows = rf"{yes} & {condition} \\ {no} & \mathrm{{otherwise}}"
        return rf"\begin{{cases}} {rows} \end{{cases}}", SIGNED
    if name == "matmul":
        left, right = (
            _fenced(piece, SIGNED if part.kind == FACTORS else MULTIPLIED)
            for piece, part in zip(pieces, parts, strict=True)
        )
        if rank(parts[0]) == 1:
            left = rf"{_fenced(pieces[0], ATOM)}^{{\top}}"
        return rf"{left} \, {right}", MULTIPLIED
    if name == "outer":
        left = _fenced(pieces[0], SIGNED if parts[0].kind == FACTORS else MULTIPLIED)
        return rf"{left} \, {_fenced(pieces[1], ATOM)}^{{\top}}", MULTIPLIED
    if name == "t":
        return rf"{_fenced(pieces[0], ATOM)}^{{\top}}", RAISED
    if name == "sum" and len(parts) == 1:
        return rf"\sum {_fenced(pieces[0], MULTIPLIED)}", MULTIPLIED
    if name == "select":
        dim, index = parts[1:]
        place = ", ".join([r"\cdot"] * dim + [str(index)])
        return rf"{_fenced(pieces[0], ATOM)}_{{{place}}}", ATOM
    spelt = _FUNCTIONS.get(name) or rf"\mathrm{{{name.rpartition('.')[2]}}}".replace("_", r"\_")
    return spelt + _arguments(layout, of), ATOM

"""Formulas of numbers as programs in C99 that stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from gradcli.formulas.golden import Golden
from gradcli.readings.symbolic.operands import NoFormula
from gradcli.readings.symbolic.writing import (
    ATOM,
    COMPARED,
    DECIMAL,
    FUNCTION,
    INTEGER,
    MULTIPLIED,
    NAME,
    POWER,
    Layout,
    Piece,
    bracketed,
    folded,
    text_piece,
)
from gradcli.views.modules import Program, renamed

_CONSTANTS: Final = {"inf": "INFINITY", "nan": "NAN"}

_OWN: Final = {"pi": "3.14159265358979323846", "e": "2.71828182845904523536"}
"""Constants that C99 has no names for."""

_FUNCTIONS: Final = {
    **{
        name: name
        for name in re.findall(
            r"\w+",
            """sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh atan2 exp exp2 expm1 log
            log2 log10 log1p sqrt cbrt hypot erf erfc lgamma floor ceil trunc isnan""",
        )
    },
    "abs": "fabs",
    "maximum": "fmax",
    "minimum": "fmin",
    "round": "rint",
    "pow": "pow",
}

_HELPERS: Final = {
    "sign": "return (x > 0.0) - (x < 0.0);",
    "sigmoid": "return 1.0/(1.0 + exp(-x));",
    "softplus": "return fmax(x, 0.0) + log1p(exp(-fabs(x)));",
    "logsigmoid": "return fmin(x, 0.0) - log1p(exp(-fabs(x)));",
    "relu": "return fmax(x, 0.0);",
    "frac": "return x - trunc(x);",
    "sinc": "return x == 0.0 ? 1.0 : sin(pi*x)/(pi*x);",
    "deg2rad": "return x*(pi/180.0);",
    "rad2deg": "return x*(180.0/pi);",
    "logit": "return log(x/(1.0 - x));",
    "entr": "return x == 0.0 ? 0.0 : -x*log(x);",
    "digamma": """double less = 0.0;
    if (x < 0.0)
        return digamma(1.0 - x) - pi/tan(pi*x);
    for (; x < 12.0; x += 1.0)
        less += 1.0/x;
    const double s = 1.0/(x*x);
    return log(x) - 0.5/x - less
        - s*(1.0/12 - s*(1.0/120 - s*(1.0/252 - s*(1.0/240 - s*(1.0/132 - s*691.0/32760)))));""",
    "xlogy": "return x == 0.0 ? 0.0 : x*log(y);",
    "xlog1py": "return x == 0.0 ? 0.0 : x*log1p(y);",
    "logaddexp": "return fmax(x, y) + log1p(exp(-fabs(x - y)));",
}
"""The bodies of functions that C99 lacks."""

_BINARY: Final = ("xlogy", "xlog1py", "logaddexp")
_LOGICAL: Final = {"logical_and": "&&", "logical_or": "||"}

_TAKEN: Final = frozenset(
    (
        *_FUNCTIONS.values(),
        *_HELPERS,
        *_OWN,
        *re.findall(
            r"\w+",
            """auto break case char const continue default do double else enum extern float for goto
            if inline int long register restrict return short signed sizeof static struct switch
            typedef union unsigned void volatile while _Bool _Complex _Imaginary
            main printf derivative found INFINITY NAN""",
        ),
    )
)
"""Names that a variable cannot have."""


class _Spelling:
    """Spells layouts in C, and notes which functions and constants that takes."""

    def __init__(self, variables: Sequence[str]) -> None:
        self.variables = renamed(variables, _TAKEN)
        self.helpers: dict[str, None] = {}
        self.constants: dict[str, None] = {}

    def text(self, layout: Layout) -> str:
        found: Piece = folded(layout, self._piece)
        return found[0]

    def _piece(self, layout: Layout, of: Callable[[Any], Piece]) -> Piece:
        kind, parts = layout.kind, layout.parts
        if kind in (INTEGER, DECIMAL):
            # A quotient of whole numbers would be one, too.
            return layout.text if re.search(r"[.e]", layout.text) else f"{layout.text}.0", ATOM
        if kind == NAME:
            return self._name(layout.text), ATOM
        if kind == POWER:
            base, exponent = parts
            if base.kind == NAME and exponent.text == "2":
                return f"{of(base)[0]}*{of(base)[0]}", MULTIPLIED
            return f"pow({of(base)[0]}, {of(exponent)[0]})", ATOM
        if kind == FUNCTION:
            return self._function(layout, of)
        return text_piece(layout, of)

    def _name(self, name: str) -> str:
        if name not in self.variables and name in _OWN:
            self.constants[name] = None
        return self.variables.get(name, _CONSTANTS.get(name, name))

    def _function(self, layout: Layout, of: Callable[[Any], Piece]) -> Piece:
        """A call.

        Raises:
            NoFormula: of a function that C does not have.
        """
        if layout.text in ("gt", "ge", "lt", "le", "eq", "ne"):
            return text_piece(layout, of)
        if any(type(part) is not Layout for part in layout.parts):
            raise _unknown(layout.text)
        pieces = [of(part) for part in layout.parts]
        if layout.text == "where":
            condition, *branches = [bracketed(piece, COMPARED) for piece in pieces]
            return f"({condition} ? {branches[0]} : {branches[1]})", ATOM
        if layout.text in _LOGICAL:
            both = f" {_LOGICAL[layout.text]} ".join([bracketed(p, COMPARED) for p in pieces])
            return f"({both})", ATOM
        if layout.text == "logical_not":
            return f"!{bracketed(pieces[0], ATOM)}", ATOM
        name = layout.text.rpartition(".")[2]
        if name in _HELPERS:
            self.helpers[name] = None
            self.constants |= dict.fromkeys(["pi"] if "pi" in _HELPERS[name] else [])
        elif name not in _FUNCTIONS:
            raise _unknown(name)
        return f"{_FUNCTIONS.get(name, name)}({', '.join([text for text, _ in pieces])})", ATOM


def _unknown(name: str) -> NoFormula:
    return NoFormula(f"{name} in a program in C")


def c_program(program: Program) -> str:
    """A program with one function of the variables, that checks itself when it is run.

    Raises:
        NoFormula: C has none of something.
    """
    spelling = _Spelling([*program.variables, *[name for name, _ in program.lets]])
    body = [
        f"    const double {spelling.variables[name]} = {spelling.text(layout)};"
        for name, layout in program.lets
    ]
    returned = [spelling.text(layout) for _, layout in program.formulas]
    given = ", ".join([f"double {spelling.variables[name]}" for name in program.variables])
    if len(returned) == 1:
        head = f"double derivative({given})"
        body.append(f"    return {returned[0]};")
    else:
        head = f"void derivative({given}, double found[{len(returned)}])"
        body += [f"    found[{place}] = {text};" for place, text in enumerate(returned)]
    told = ["for " + condition for condition in program.conditions]
    told.insert(0, ", ".join([name for name, _ in program.formulas]))
    lines = [f"/* {_commented(program.heading)}", " *", *[f" *     {_commented(t)}" for t in told]]
    lines += [" */", "", "#include <math.h>", "#include <stdio.h>", ""]
    for name in spelling.constants:
        lines += [f"static const double {name} = {_OWN[name]};", ""]
    for name in spelling.helpers:
        arguments = "double x, double y" if name in _BINARY else "double x"
        lines += [f"static double {name}({arguments})", "{", f"    {_HELPERS[name]}", "}", ""]
    lines += [head, "{", *body, "}", ""]
    return "\n".join([*lines, *_main(program.golden, len(returned))]) + "\n"


def _commented(text: str) -> str:
    """A text as it stands in a comment, which it cannot end."""
    return re.sub(r"\*(?=/)|/(?=\*)|\?(?=\?)", r"\g<0> ", text)


def _main(golden: Sequence[Golden], count: int) -> list[str]:
    """The check of values that were computed without the formula."""
    if not golden:
        return ["int main(void)", "{", r'    printf("0 points are right\n");', "    return 0;", "}"]
    size = len(golden[0].point)
    points = [_row(list(point.values())) for point, _ in golden]
    values = [_row(values) for _, values in golden]
    given = ", ".join([f"points[i][{place}]" for place in range(size)])
    if count == 1:
        called = [f"        const double found[1] = {{derivative({given})}};"]
    else:
        called = [f"        double found[{count}];", f"        derivative({given}, found);"]
    return [
        "/* Points, and the derivatives there, computed without the formula. */",
        f"static const double points[{len(golden)}][{size}] = {{{', '.join(points)}}};",
        f"static const double values[{len(golden)}][{count}] = {{{', '.join(values)}}};",
        "",
        "int main(void)",
        "{",
        f"    for (int i = 0; i < {len(golden)}; i++) {{",
        *called,
        f"        for (int k = 0; k < {count}; k++) {{",
        "            const double value = values[i][k];",
        "            if (!(fabs(found[k] - value) <= 1e-12 + 1e-9*fabs(value))) {",
        r'                printf("point %d, derivative %d: %.17g, not %.17g\n", i, k, found[k],'
        " value);",
        "                return 1;",
        "            }",
        "        }",
        "    }",
        rf'    printf("{len(golden)} points are right\n");',
        "    return 0;",
        "}",
    ]


def _row(numbers: Sequence[Any]) -> str:
    return f"{{{', '.join([repr(float(number)) for number in numbers])}}}"

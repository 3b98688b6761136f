"""Formulas as programs that stand alone: Python with NumPy, or with PyTorch.

A program checks itself: it holds values of the derivative that were computed without the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.formulas.golden import Golden
from gradcli.readings.symbolic.writing import (
    ATOM,
    FUNCTION,
    NAME,
    Layout,
    Piece,
    argument_piece,
    folded,
    text_piece,
)

_CONSTANTS: Final = {"pi": "math.pi", "e": "math.e", "inf": "math.inf", "nan": "math.nan"}


class Dialect(NamedTuple):
    """How a program spells what a formula is made of.

    Attributes:
        module: the name of the module that has most functions, and how it is imported.
        names: functions that it calls otherwise.
        helpers: definitions of those that it lacks.
        imported: the statement that a helper needs.
    """

    module: str
    imports: str
    names: Mapping[str, str]
    helpers: Mapping[str, str]
    imported: Mapping[str, str]
    compare: str
    array: str


_NUMPY: Final = Dialect(
    "np",
    "import numpy as np",
    {
        "asin": "arcsin",
        "acos": "arccos",
        "atan": "arctan",
        "asinh": "arcsinh",
        "acosh": "arccosh",
        "atanh": "arctanh",
        "atan2": "arctan2",
        "pow": "power",
        "sgn": "sign",
    },
    {
        "sigmoid": "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))",
        "softplus": "def softplus(x):\n    return np.logaddexp(0, x)",
        "relu": "def relu(x):\n    return np.maximum(x, 0)",
        "rad2deg": "rad2deg = np.rad2deg",
        "softmax": (
            "def softmax(x, axis):\n    e = np.exp(x - np.max(x, axis, keepdims=True))\n"
            "    return e / np.sum(e, axis, keepdims=True)"
        ),
        "log_softmax": (
            "def log_softmax(x, axis):\n    x = x - np.max(x, axis, keepdims=True)\n"
            "    return x - np.log(np.sum(np.exp(x), axis, keepdims=True))"
        ),
        "logsumexp": (
            "def logsumexp(x, axis):\n    most = np.max(x, axis, keepdims=True)\n"
            "    return np.log(np.sum(np.exp(x - most), axis)) + np.squeeze(most, axis)"
        ),
        "norm": "norm = np.linalg.norm",
        "expand": "expand = np.broadcast_to",
        "one_hot": "def one_hot(index, size):\n    return np.eye(size)[index]",
        "unsqueeze": "unsqueeze = np.expand_dims",
        "tensor": "tensor = np.array",
        **{
            name: f"{name} = special.{scipy}"
            for name, scipy in {
                "erf": "erf",
                "erfc": "erfc",
                "erfinv": "erfinv",
                "digamma": "digamma",
                "lgamma": "gammaln",
                "polygamma": "polygamma",
                "i0": "i0",
                "i1": "i1",
                "i0e": "i0e",
                "i1e": "i1e",
                "ndtri": "ndtri",
                "log_ndtr": "log_ndtr",
                "erfcx": "erfcx",
            }.items()
        },
    },
    {"special.": "from scipy import special"},
    "np.allclose(found, expected, rtol=1e-9, atol=1e-12)",
    "np.array({}, dtype=float)",
)

_TORCH: Final = Dialect(
    "torch",
    "import torch",
    {
        "log_softmax": "log_softmax",
        "norm": "linalg.vector_norm",
        "softplus": "nn.functional.softplus",
        "gelu": "nn.functional.gelu",
        "i1": "special.i1",
        "i0e": "special.i0e",
        "i1e": "special.i1e",
        "expand": "broadcast_to",
    },
    {
        "one_hot": (
            "def one_hot(index, size):\n    return torch.eye(size, dtype=torch.float64)[index]"
        ),
        "tensor": ("def tensor(numbers):\n    return torch.tensor(numbers, dtype=torch.float64)"),
    },
    {},
    "torch.allclose(torch.as_tensor(found, dtype=torch.float64), expected, rtol=1e-9, atol=1e-12)",
    "torch.tensor({}, dtype=torch.float64)",
)

DIALECTS: Final = {"python": _NUMPY, "torch": _TORCH}


class _Spelling:
    """Spells layouts in a dialect, and notes which functions that takes."""

    def __init__(self, dialect: Dialect, variables: Sequence[str]) -> None:
        self.dialect = dialect
        self.variables = frozenset(variables)
        self.helpers: dict[str, None] = {}

    def text(self, layout: Layout) -> str:
        found: Piece = folded(layout, self._piece)
        return found[0]

    def _piece(self, layout: Layout, of: Callable[[Any], Piece]) -> Piece:
        if layout.kind == NAME:
            known = layout.text in self.variables
            return layout.text if known else _CONSTANTS.get(layout.text, layout.text), ATOM
        if layout.kind != FUNCTION or layout.text in ("gt", "ge", "lt", "le", "eq", "ne"):
            return text_piece(layout, of)
        name = layout.text
        if name in ("matmul", "t", "select"):
            return text_piece(layout, of)
        arguments = ", ".join([argument_piece(part, of)[0] for part in layout.parts])
        if not self._has_variables(layout) and name in _PLAIN:
            return f"math.{name}({arguments})", ATOM
        stem = name.rpartition(".")[2]
        if stem in self.dialect.helpers:
            self.helpers[stem] = None
            return f"{stem}({arguments})", ATOM
        if name == "where" and self.dialect is _TORCH:
            pieces = [argument_piece(part, of) for part in layout.parts]
            condition, yes, no = (piece[0] for piece in pieces)
            return f"torch.where({condition}, {yes}, {no})", ATOM
        spelt = self.dialect.names.get(stem, name.removeprefix("torch."))
        return f"{self.dialect.module}.{spelt}({arguments})", ATOM

    def _has_variables(self, layout: Layout) -> bool:
        todo: list[Any] = [layout]
        while todo:
            part = todo.pop()
            if type(part) in (tuple, list):
                todo += part
            elif type(part) is Layout:
                if part.kind == NAME and part.text not in _CONSTANTS:
                    return True
                todo += part.parts
        return False


_PLAIN: Final = frozenset(
    ["sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "tanh", "sinh", "cosh", "erf"]
)


def module(
    language: str,
    heading: str,
    variables: Sequence[str],
    lets: Sequence[tuple[str, Layout]],
    formulas: Sequence[tuple[str, Layout]],
    conditions: Sequence[str],
    golden: Sequence[Golden],
) -> str:
    """A program with one function of the variables, that checks itself when it is run.

    Args:
        formulas: the derivatives with their names.
    """
    dialect = DIALECTS[language]
    spelling = _Spelling(dialect, [*variables, *[name for name, _ in lets]])
    body = [f"    {name} = {spelling.text(layout)}" for name, layout in lets]
    returned = [spelling.text(layout) for _, layout in formulas]
    if len(formulas) == 1:
        body.append(f"    return {returned[0]}")
    else:
        body += ["    return (", *[f"        {text}," for text in returned], "    )"]
    helpers = [dialect.helpers[name] for name in spelling.helpers]
    imports = ["import math"] if any("math." in text for text in (*body, *helpers)) else []
    imports.append(dialect.imports)
    imports += [
        statement
        for needed, statement in dialect.imported.items()
        if any(needed in helper for helper in helpers)
    ]
    names = ", ".join([name for name, _ in formulas])
    told = [f'"""{heading}', "", f"    {names}"]
    told += [f"    for {condition}" for condition in conditions]
    lines = [*told, '"""', "", *imports, ""]
    for helper in helpers:
        lines += ["", helper, ""] if "\n" in helper else [helper]
    lines += ["", f"def derivative({', '.join(variables)}):", *body, "", ""]
    lines += _checks(dialect, golden, len(formulas) == 1)
    return "\n".join(lines) + "\n"


def _checks(dialect: Dialect, golden: Sequence[Golden], single: bool) -> list[str]:
    lines = ["GOLDEN = ["]
    for point, values in golden:
        given = ", ".join([_literal(value) for value in point.values()])
        found = ", ".join([_literal(value) for value in values])
        lines.append(f"    (({given}{',' * (len(point) == 1)}), ({found},)),")
    lines += [
        "]",
        '"""Points, and the derivatives there, computed without the formula."""',
        "",
        "",
        "def check():",
        "    for point, values in GOLDEN:",
        f"        point = [{dialect.array.format('part')} for part in point]",
        f"        results = {'[derivative(*point)]' if single else 'derivative(*point)'}",
        "        for found, value in zip(results, values):",
        f"            expected = {dialect.array.format('value')}",
        f"            assert {dialect.compare}, (point, found, value)",
        "",
        "",
        'if __name__ == "__main__":',
        "    check()",
        '    print(f"{len(GOLDEN)} points are right")',
    ]
    return lines


def _literal(value: Any) -> str:
    return repr(np.asarray(value, dtype=np.float64).tolist())

"""Formulas as programs that stand alone: Python with NumPy, or with PyTorch.

A program checks itself: it holds values of the derivative that were computed without the formula.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.formulas.golden import Golden
from gradcli.readings.symbolic.expressions import CONDITIONS
from gradcli.readings.symbolic.operands import NoFormula
from gradcli.readings.symbolic.writing import (
    ATOM,
    FACTORS,
    FUNCTION,
    NAME,
    Layout,
    Piece,
    argument_piece,
    folded,
    text_piece,
)

_MODULES: Final = frozenset(("np", "torch", "math", "special"))
"""Names that a program imports."""

_CONSTANTS: Final = {"pi": "math.pi", "e": "math.e", "inf": "math.inf", "nan": "math.nan"}


class Dialect(NamedTuple):
    """How a program spells what a formula is made of.

    Attributes:
        module: the name of the module that has most functions, and how it is imported.
        names: functions that it calls otherwise.
        helpers: definitions of those that it lacks.
        lacking: those that it lacks altogether.
        imported: the statement that a helper needs.
    """

    module: str
    imports: str
    names: Mapping[str, str]
    helpers: Mapping[str, str]
    imported: Mapping[str, str]
    lacking: frozenset[str]
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
        "pad": "pad = np.pad",
        "ones": "def ones(*shape):\n    return np.ones(shape)",
        "clamp": "def clamp(x, low=None, high=None):\n    return np.clip(x, low, high)",
        "frac": "def frac(x):\n    return x - np.trunc(x)",
        "logsigmoid": "def logsigmoid(x):\n    return -np.logaddexp(0, -x)",
        "zeta": "zeta = special.zeta",
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
                "xlogy": "xlogy",
                "xlog1py": "xlog1py",
                "entr": "entr",
                "logit": "logit",
            }.items()
        },
    },
    {"special.": "from scipy import special"},
    frozenset(
        ["addcdiv", "addcmul", "fill", "gamma", "gelu", "igamma", "igammac", "lerp", "mvlgamma"]
    ),
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
        "pad": "nn.functional.pad",
        "logsigmoid": "nn.functional.logsigmoid",
        "softshrink": "nn.functional.softshrink",
    },
    {
        "cbrt": "def cbrt(x):\n    return torch.sign(x)*torch.abs(x)**(1/3)",
        "ones": "def ones(*shape):\n    return torch.ones(shape, dtype=torch.float64)",
        "eye": "def eye(size):\n    return torch.eye(size, dtype=torch.float64)",
        "one_hot": (
            "def one_hot(index, size):\n    return torch.eye(size, dtype=torch.float64)[index]"
        ),
        "tensor": ("def tensor(numbers):\n    return torch.tensor(numbers, dtype=torch.float64)"),
    },
    {},
    frozenset(("gamma", "fill")),
    "torch.allclose(torch.as_tensor(found, dtype=torch.float64), expected, rtol=1e-9, atol=1e-12)",
    "torch.tensor({}, dtype=torch.float64)",
)

DIALECTS: Final = {"python": _NUMPY, "torch": _TORCH}


class _Spelling:
    """Spells layouts in a dialect, and notes which functions that takes."""

    def __init__(self, dialect: Dialect, variables: Sequence[str]) -> None:
        self.dialect = dialect
        self.variables = renamed(variables, {*keyword.kwlist, *_MODULES, *dialect.helpers})
        self.helpers: dict[str, None] = {}

    def text(self, layout: Layout) -> str:
        found: Piece = folded(layout, self._piece)
        return found[0]

    def _piece(self, layout: Layout, of: Callable[[Any], Piece]) -> Piece:
        if layout.kind == FACTORS and self.dialect is _TORCH:
            return self._product(layout, of)
        if layout.kind == NAME:
            constant = _CONSTANTS.get(layout.text, layout.text)
            return self.variables.get(layout.text, constant), ATOM
        if layout.kind != FUNCTION or layout.text in ("gt", "ge", "lt", "le", "eq", "ne"):
            return text_piece(layout, of)
        name = layout.text
        if name in ("matmul", "t", "select", "slice"):
            return text_piece(layout, of)
        arguments = ", ".join([argument_piece(part, of)[0] for part in layout.parts])
        if not self._has_variables(layout) and name in _PLAIN:
            return f"math.{name}({arguments})", ATOM
        if name == "sum" and len(layout.parts) > 1 and self.dialect is _NUMPY:
            # The third argument is something else there, and dimensions are no list.
            _, dims, *kept = layout.parts
            summed = argument_piece(layout.parts[0], of)[0]
            options = ", keepdims=True" if kept else ""
            return f"np.sum({summed}, {dims}{options})", ATOM
        stem = name.rpartition(".")[2]
        if stem in self.dialect.helpers:
            self.helpers[stem] = None
            return f"{stem}({arguments})", ATOM
        if self.dialect is _TORCH and name not in _BOUNDED:
            arguments = ", ".join(self._tensors(layout, of))
        return f"{self._written(name)}({arguments})", ATOM

    def _written(self, name: str) -> str:
        """How the dialect calls a function.

        Raises:
            NoFormula: it has none.
        """
        spelt = self.dialect.names.get(name.rpartition(".")[2], name.removeprefix("torch."))
        if spelt in self.dialect.lacking or (self.dialect is _NUMPY and "special." in spelt):
            raise NoFormula(f"{name} in a program with {self.dialect.imports.split()[1]}")
        return f"{self.dialect.module}.{spelt}"

    def _product(self, layout: Layout, of: Callable[[Any], Piece]) -> Piece:
        """A product, in which conditions have a type where nothing else gives it one."""
        plain = [part for part in layout.parts if not _is_condition(part)]
        if len(plain) == len(layout.parts) or any(map(self._has_variables, plain)):
            return text_piece(layout, of)

        def typed(part: Layout) -> Piece:
            found = of(part)
            return (f"({found[0]}).double()", ATOM) if _is_condition(part) else found

        return text_piece(layout, typed)

    def _tensors(self, layout: Layout, of: Callable[[Any], Piece]) -> list[str]:
        """Arguments; PyTorch takes no numbers where it wants tensors."""
        spelt = []
        for part in layout.parts:
            text = argument_piece(part, of)[0]
            if type(part) is Layout and not self._has_variables(part):
                self.helpers["tensor"] = None
                text = f"tensor({text})"
            spelt.append(text)
        return spelt

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


def _is_condition(layout: Layout) -> bool:
    return layout.kind == FUNCTION and layout.text in CONDITIONS


def renamed(names: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Names of variables as a program may have them: not those that are taken."""
    found: dict[str, str] = {}
    for name in names:
        spelt = name
        while spelt in taken or (spelt != name and spelt in names):
            spelt += "_"
        found[name] = spelt
    return found


def _quoted(text: str) -> str:
    """A text as it stands between triple quotes, which it cannot end."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


_BOUNDED: Final = frozenset(
    re.findall(
        r"\w+",
        """clamp cumsum flip log_softmax logsumexp norm outer pad polygamma prod reshape softmax sum
        trace unsqueeze""",
    )
)
"""Functions of PyTorch whose numbers are bounds, orders and sizes."""

_PLAIN: Final = frozenset(
    ["sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "tanh", "sinh", "cosh", "erf"]
)


class Program(NamedTuple):
    """What a program is made of.

    Attributes:
        heading: what it is said to be.
        variables: of its one function.
        lets: names of common parts, and what they stand for.
        formulas: the derivatives with their names.
        conditions: under which they hold.
        golden: what it checks itself with.
    """

    heading: str
    variables: Sequence[str]
    lets: Sequence[tuple[str, Layout]]
    formulas: Sequence[tuple[str, Layout]]
    conditions: Sequence[str]
    golden: Sequence[Golden]


def module(language: str, program: Program) -> str:
    """A program with one function of the variables, that checks itself when it is run."""
    heading, variables, lets, formulas, conditions, golden = program
    dialect = DIALECTS[language]
    spelling = _Spelling(dialect, [*variables, *[name for name, _ in lets]])
    body = [f"    {spelling.variables[name]} = {spelling.text(layout)}" for name, layout in lets]
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
    told = [f'"""{_quoted(heading)}', "", f"    {names}"]
    told += [f"    for {_quoted(condition)}" for condition in conditions]
    lines = [*told, '"""', "", *imports, ""]
    for helper in helpers:
        lines += ["", helper, ""] if "\n" in helper else [helper]
    given = ", ".join([spelling.variables[name] for name in variables])
    lines += ["", f"def derivative({given}):", *body, "", ""]
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

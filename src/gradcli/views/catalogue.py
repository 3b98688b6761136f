"""What can be called, told from the operator table: signature, derivative formula, example.

Nothing here is written twice: formulas are the source text of the rows' own functions.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gradcli.language.allowed.builtins import PYTHON
from gradcli.table.entry import Composite, Entry
from gradcli.table.functions import Attribute
from gradcli.table.node import Formula, Plan, parameter_names
from gradcli.table.registry import internal, lookup, lookup_method, method_names, names
from gradcli.table.row import Row
from gradcli.table.samples import Fixed, Sampler

_SPELLED = ("float64", "complex128", "int64", "bool")
"""The types that lists of numbers become in the command line, single or double."""
_VARIABLES = "xyzuvwabcdefgh"

_TITLES = {
    "algebra": "arithmetic",
    "algebra.comparison": "comparison and logic",
    "algebra.complex": "complex numbers",
    "algebra.creation": "making tensors",
    "algebra.elementary": "elementary functions",
    "algebra.gathering": "indexing and scattering",
    "algebra.indexing": "indexing and scattering",
    "algebra.joining": "joining and repeating",
    "algebra.matmul": "matrix products",
    "algebra.padding": "padding and placing",
    "algebra.parts": "shapes and views",
    "algebra.placement": "padding and placing",
    "algebra.products": "matrix products",
    "algebra.scans": "running sums and products",
    "algebra.strided": "shapes and views",
    "algebra.sums": "sums, means and extremes",
    "algebra.trigonometry": "elementary functions",
    "algebra.views": "shapes and views",
    "contracting": "matrix products",
    "images": "images: convolution",
    "images.adaptive_pooling": "images: pooling",
    "images.grid_sampling": "images: resizing",
    "images.max_pooling": "images: pooling",
    "images.pooling": "images: pooling",
    "images.rearranging": "images: resizing",
    "images.resampling": "images: resizing",
    "inplace": "changing tensors in place",
    "layers": "neural network layers",
    "linalg": "linear algebra",
    "losses": "losses",
    "making": "making tensors",
    "making.conversion": "types and copies",
    "making.copies": "types and copies",
    "making.queries": "questions about tensors",
    "making.sampling": "random numbers",
    "making.streams": "random numbers",
    "making.testing": "questions about tensors",
    "measuring": "distances and differences",
    "measuring.fft": "Fourier transforms",
    "measuring.softmax": "activations",
    "measuring.statistics": "statistics",
    "pointwise": "special functions",
    "pointwise.activation": "activations",
    "pointwise.activation_forms": "activations",
    "pointwise.slopes": "activations",
    "pointwise.smooth_activation": "activations",
    "pointwise.twins": "activations",
    "pointwise.bounds": "clamping and interpolation",
    "selecting": "indexing and scattering",
    "selecting.counting": "statistics",
    "selecting.distinct": "sorting and searching",
    "selecting.extremes": "sums, means and extremes",
    "selecting.masked": "sums, means and extremes",
    "selecting.ordering": "sorting and searching",
    "selecting.quantiles": "statistics",
    "selecting.splitting": "joining and repeating",
}
"""What users call a module of operators, or all modules of a folder that are not listed."""


def groups() -> dict[str, list[str]]:
    """Every public name by the group that it stands in, the groups in reading order."""
    found: dict[str, list[str]] = {}
    for name in names():
        function = lookup(name)
        assert function is not None
        found.setdefault(_group(function.entries[0]), []).append(name)
    for name in method_names():
        if lookup(name) is None and not name.startswith("_"):
            function = lookup_method(name)
            assert function is not None
            found.setdefault(_group(function.entries[0]), []).append(f"Tensor.{name}")
    return {group: sorted(found[group]) for group in sorted(found, key=str.lower)}


def _group(entry: Entry) -> str:
    module = entry.module.removeprefix("gradcli.ops.")
    return _TITLES.get(module) or _TITLES[module.partition(".")[0]]


def summary(name: str) -> str:
    """One sentence on what a function computes."""
    return entries_of(name)[0].doc.strip().split("\n\n")[0].replace("\n", " ")


def entries_of(name: str) -> list[Entry]:
    """The overloads under a name, or an empty list.

    A method is `Tensor.view`; a row that only formulas call is `aten.tanh_backward`.
    """
    if name.startswith("Tensor."):
        function = lookup_method(name.removeprefix("Tensor."))
    elif name.startswith("aten."):
        function = internal(name)
    else:
        function = lookup(name)
    return [] if function is None else function.entries


def search(text: str) -> dict[str, list[str]]:
    """The groups with only those names that contain the text, or whose description does."""
    wanted = text.lower()
    matches: dict[str, list[str]] = {}
    for group, members in groups().items():
        kept = [n for n in members if wanted in n.lower() or wanted in summary(n).lower()]
        if kept:
            matches[group] = kept
    return matches


def describe(name: str) -> dict[str, Any]:
    """Everything that the table knows about a public name, ready for JSON."""
    entries = entries_of(name)
    return {
        "name": name,
        "group": _group(entries[0]),
        "method": lookup_method(name.removeprefix("Tensor.")) is not None,
        "overloads": [_overload(name, entry) for entry in entries],
    }


def _overload(name: str, entry: Entry) -> dict[str, Any]:
    short = name.removeprefix("Tensor.").removeprefix("aten.")
    told: dict[str, Any] = {
        "signature": f"{short}{entry.signature.describe()}",
        "computes": entry.doc.strip(),
        "subgradient": entry.kink or None,
        "example": None if name.startswith("aten.") else example(name, entry),
    }
    if isinstance(entry, Composite):
        told["composed_of"] = [
            {"name": row.names[0].removeprefix("aten."), **_differential(row)}
            for row in _rows_in(entry)
        ]
    elif isinstance(entry, Row):
        told |= _differential(entry)
    return told


def _differential(row: Row) -> dict[str, Any]:
    """The node's name, the formulas and what they save; no node where nothing is differentiable."""
    if not row.differentiable:
        return {"grad_fn": None, "derivatives": {}, "saves": []}
    plan = Plan(row, (True,) * len(row.differentiable))
    parameters = row.signature.parameters
    derivatives = {}
    for edges, formula in row.formulas:
        positions = edges if isinstance(edges, tuple) else (edges,)
        arguments = ", ".join(parameters[row.differentiable[k]].name for k in positions)
        derivatives[arguments] = formula_text(formula)
    saves = [
        name
        for name, (_, _, fact) in zip(plan.names, plan.saves, strict=True)
        if fact in ("tensor", "list")
    ]
    return {"grad_fn": row.node_name, "derivatives": derivatives, "saves": saves}


def _rows_in(entry: Composite) -> list[Row]:
    """The differentiable rows that a composition names."""
    scope = entry.body.__globals__
    called = [scope.get(name) for name in entry.body.__code__.co_names]
    return [row for row in called if isinstance(row, Row) and row.differentiable]


@cache
def _tree(path: str) -> tuple[str, list[ast.Lambda | ast.FunctionDef]]:
    source = Path(path).read_text(encoding="utf-8")
    nodes = ast.walk(ast.parse(source))
    return source, [node for node in nodes if isinstance(node, (ast.Lambda, ast.FunctionDef))]


def formula_text(formula: Formula) -> str:
    """A derivative formula as it is written in the table's source.

    A lambda is shown as its expression; a function of several lines with its whole body.
    """
    wanted = parameter_names(formula)
    if isinstance(formula, Row):
        called = ", ".join(("grad", *wanted[1:]))
        return f"{formula.names[0].removeprefix('aten.')}({called})"
    code = formula.__code__
    source, functions = _tree(code.co_filename)
    for node in functions:
        decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
        if (decorators[0] if decorators else node).lineno != code.co_firstlineno:
            continue
        if tuple(argument.arg for argument in node.args.args) != wanted:
            continue
        if isinstance(node, ast.Lambda):
            return _normal(ast.unparse(node.body))
        returns = [part for part in node.body if not _is_docstring(part)]
        if len(returns) == 1 and isinstance(returns[0], ast.Return) and returns[0].value:
            return _normal(ast.unparse(returns[0].value))
        return _without_types(ast.get_source_segment(source, node) or node.name)
    return getattr(formula, "__name__", "?")


def _without_types(text: str) -> str:
    """The source of a formula whose head has the names only."""
    head, colon, rest = text.partition(":\n")
    head = re.sub(r" -> [^:]*$", "", head)
    return re.sub(r"(\w+): [\w |\[\], ]+?(?=[,)=]| =)", r"\1", head) + colon + rest


def _is_docstring(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def _normal(text: str) -> str:
    return " ".join(text.split())


def example(name: str, entry: Entry) -> str | None:
    """A command that calls the function with the smallest of its own plain samples."""
    if entry.samples is None:
        return None
    calls = sorted(entry.samples(Sampler()), key=_weight)
    for call in calls:
        text = _command(name, entry, call)
        if text is not None:
            return text
    return None


def _weight(call: Sequence[Any]) -> tuple[bool, bool, int]:
    arrays = _arrays(call)
    sizes = [value.size for value in arrays]
    # Corners such as nan and arguments that are no floats tell a newcomer little.
    corner = not all(value.dtype.kind == "f" and np.isfinite(value).all() for value in arrays)
    return not sizes or 0 in sizes or sum(sizes) < 2, corner, sum(sizes)


def _arrays(call: Any) -> list[Any]:
    found = []
    for value in call:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _arrays(value)
    return found


def _spoken(name: str) -> str:
    """The shortest way to write a function of `torch` that means nothing else."""
    if name.startswith("nn.functional."):
        return name.replace("nn.functional.", "F.")
    return f"torch.{name}" if "." in name or name in PYTHON else name


def _can_be_spelled(call: Sequence[Any]) -> bool:
    """Whether a command line has a way to write the arguments: no functions, no rare types."""
    return all(array.dtype.name in _SPELLED for array in _arrays(call)) and not any(
        callable(value) for value in call
    )


def _command(name: str, entry: Entry, call: Sequence[Any]) -> str | None:
    *args, keywords = call if call and isinstance(call[-1], dict) else (*call, {})
    if not _can_be_spelled(call):
        return None
    options: list[str] = []
    # A leaf that requires grad must not be changed.
    changed = args[0] if name.endswith("_") else None

    def spell(value: Any) -> str:
        if isinstance(value, np.ndarray):
            variable = _VARIABLES[len(options)]
            rounded = np.round(value, 1) if value.dtype.kind in "fc" else value
            text = str(rounded.tolist()).replace(" ", "")
            if value.dtype.kind == "f" and value is not changed and not isinstance(value, Fixed):
                options.append(f'--{variable} "{text}"')
            else:
                options.append(f'--const "{variable}={text}"')
            return variable
        if isinstance(value, (list, tuple)):
            inner = ", ".join(spell(item) for item in value)
            return (
                f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
            )
        return repr(value)

    positional = entry.signature.positional
    words = [spell(value) for value in args]
    words[positional:] = [
        f"{parameter.name}={word}"
        for parameter, word in zip(
            entry.signature.parameters[positional:], words[positional:], strict=False
        )
    ]
    if name.startswith("Tensor."):
        short = name.removeprefix("Tensor.")
        first, *parts = words
        head = f"{first}.{short}"
        if isinstance(lookup_method(short), Attribute):
            return " ".join([f'gradcli eval "{head}"', *options])
    else:
        head, parts = _spoken(name), words
    parts += [f"{key}={spell(value)}" for key, value in keywords.items() if value is not None]
    if changed is not None and changed.dtype.kind == "f":
        options.append("--dtype float64")
    if len(options) > len(_VARIABLES):
        return None
    return " ".join([f'gradcli eval "{head}({", ".join(parts)})"', *options])


def full_name(name: str) -> str | None:
    """The name in the table that a user means: `torch.sin`, `F.relu`, `relu`, `x.view`."""
    bare = name.removeprefix("torch.")
    bare = "nn.functional." + bare[2:] if bare.startswith("F.") else bare
    for candidate in (bare, f"nn.functional.{bare}", f"Tensor.{bare}", f"aten.{bare}"):
        if entries_of(candidate):
            return candidate
    return None


def nearest(name: str) -> str:
    """A hint with the names that are spelled much like this one, or ""."""
    from gradcli.language.telling.suggest import did_you_mean

    everything = [member for members in groups().values() for member in members]
    return did_you_mean(name, everything + [member.rpartition(".")[2] for member in everything])


def listing(found: dict[str, list[str]]) -> list[dict[str, Any]]:
    """A listing ready for JSON: one object a function."""
    return [
        {"name": name, "group": group, "computes": summary(name)}
        for group, members in found.items()
        for name in members
    ]

"""What can be called, told from the operator table: signature, derivative formula, example.

Nothing here is written twice: formulas are the source text of the rows' own functions.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

from gradcli.table.entry import Composite, Entry
from gradcli.table.node import Formula, Plan, parameter_names
from gradcli.table.registry import (
    BARE,
    bare_names,
    internal,
    lookup,
    lookup_method,
    method_names,
    names,
)
from gradcli.table.row import Row
from gradcli.views.examples import example, recorded

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
    "pointwise.mathematics": "elementary functions",
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


def shown(name: str) -> str:
    """A name without what says that no module has it."""
    return name.removeprefix("aten.").removeprefix(BARE)


def groups() -> dict[str, list[str]]:
    """Every public name by the group that it stands in, the groups in reading order."""
    found: dict[str, list[str]] = {}
    for name in {*names(), *bare_names()}:
        found.setdefault(_group(entries_of(name)[0]), []).append(name)
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
    return _spoken(entries_of(name)[0].doc.strip().split("\n\n")[0].replace("\n", " "))


def entries_of(name: str) -> list[Entry]:
    """The overloads under a name, or an empty list.

    A method is `Tensor.view`; a row that only formulas call is `aten.tanh_backward`. What
    PyTorch lacks has its bare name: `cbrt`.
    """
    if name.startswith("Tensor."):
        function = lookup_method(name.removeprefix("Tensor."))
    elif name.startswith("aten."):
        function = internal(name)
    else:
        # A bare name may have an overload more than PyTorch's function: log(x, base).
        function = lookup(BARE + name) or lookup(name)
    return [] if function is None else function.entries


def search(text: str) -> dict[str, list[str]]:
    """The groups with only those names that contain the text, or whose description does.

    A group's own title finds all of it, the name of a node what records it.
    """
    wanted = text.lower()
    matches: dict[str, list[str]] = {}
    for group, members in groups().items():
        if "backward" in wanted:
            kept = [name for name in members if wanted in " ".join(_nodes(name)).lower()]
        elif wanted in group.lower():
            kept = members
        else:
            kept = [n for n in members if wanted in n.lower() or wanted in summary(n).lower()]
        if kept:
            matches[group] = kept
    return matches


def _nodes(name: str) -> set[str]:
    """The names of the nodes that a function records."""
    found: set[str] = set()
    for entry in entries_of(name):
        if isinstance(entry, Composite):
            found.update(row.node_name for row in _rows_in(entry))
        elif isinstance(entry, Row) and entry.differentiable:
            found.add(entry.node_name)
    return found


def describe(name: str) -> dict[str, Any]:
    """Everything that the table knows about a public name, ready for JSON."""
    entries = entries_of(name)
    return {
        "name": name,
        "group": _group(entries[0]),
        "bare": name in bare_names() and lookup(name) is None,
        "method": lookup_method(name.removeprefix("Tensor.")) is not None,
        "overloads": [_overload(name, entry) for entry in entries],
    }


def _overload(name: str, entry: Entry) -> dict[str, Any]:
    short = shown(name.removeprefix("Tensor."))
    told: dict[str, Any] = {
        "signature": f"{short}{entry.signature.describe()}",
        "computes": _spoken(entry.doc.strip()),
        "subgradient": entry.kink or None,
        "example": None if name.startswith("aten.") else example(name, entry),
    }
    if isinstance(entry, Composite):
        told["composed_of"] = [
            {"name": shown(row.names[0]), **_differential(row)} for row in _rows_in(entry)
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
        derivatives[_spoken(arguments)] = _spoken(formula_text(formula))
    saves = [
        name
        for name, (_, _, fact) in zip(plan.names, plan.saves, strict=True)
        if fact in ("tensor", "list")
    ]
    saves = [_spoken(name) for name in saves]
    return {"grad_fn": row.node_name, "derivatives": derivatives, "saves": saves}


def _spoken(text: str) -> str:
    """Arguments by the names that signatures show: the first tensor is `input` there."""
    return re.sub(r"\bself\b", "input", text)


def _rows_in(entry: Composite) -> list[Row]:
    """The rows that a composition's samples record; without samples, those that it names."""
    if entry.samples is not None:
        return recorded(entry)
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
        return f"{shown(formula.names[0])}({called})"
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
        return _without_types(source, node)
    return getattr(formula, "__name__", "?")


def _without_types(source: str, node: ast.FunctionDef) -> str:
    """The source of a formula whose head has the names only."""
    first = node.body[0]
    body = source.splitlines()[first.lineno - 1 : node.end_lineno]
    names = ", ".join(argument.arg for argument in node.args.args)
    margin = " " * node.col_offset
    lines = [line.removeprefix(margin) for line in body]
    return "\n".join([f"def {node.name}({names}):", *lines])


def _is_docstring(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)


def _normal(text: str) -> str:
    return " ".join(text.split())


def full_name(name: str) -> str | None:
    """The name in the table that a user means: `torch.sin`, `F.relu`, `relu`, `x.view`."""
    bare = name.removeprefix("torch.")
    bare = "nn.functional." + bare[2:] if bare.startswith("F.") else bare
    for prefix in ("", "nn.functional.", "Tensor.", "aten."):
        candidate = prefix + bare
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

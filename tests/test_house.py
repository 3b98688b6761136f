"""The house: what may import what, and how long files and functions are.

Imports inside functions and those for type checkers count as any other.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import gradcli

SOURCE = Path(gradcli.__file__).parent

ROOMS = (
    "gradcli",
    "gradcli.__main__",
    "gradcli.api",
    "gradcli.cli.commands",
    "gradcli.cli",
    "gradcli.batch",
    "gradcli.tables",
    "gradcli.wiring",
    "gradcli.views",
    "gradcli.checking",
    "gradcli.matrices",
    "gradcli.formulas",
    "gradcli.domain",
    "gradcli.evaluation",
    "gradcli.language",
    "gradcli.language.compiling",
    "gradcli.language.running",
    "gradcli.language.allowed.modules",
    "gradcli.language.allowed",
    "gradcli.language.reading",
    "gradcli.language.reading.ast",
    "gradcli.language.telling",
    "gradcli.readings.transforms",
    "gradcli.readings.symbolic",
    "gradcli.readings.batched",
    "gradcli.readings.series",
    "gradcli.readings",
    "gradcli.modules",
    "gradcli.autograd",
    "gradcli.ops.images",
    "gradcli.ops.layers",
    "gradcli.ops.losses",
    "gradcli.ops.linalg",
    "gradcli.ops.making",
    "gradcli.ops.selecting",
    "gradcli.ops.pointwise",
    "gradcli.ops.measuring",
    "gradcli.ops.contracting",
    "gradcli.ops.inplace",
    "gradcli.ops.algebra",
    "gradcli.ops",
    "gradcli.table",
    "gradcli.table.calls",
    "gradcli.random",
    "gradcli.kernels",
    "gradcli.tensor",
    "gradcli.typing",
    "gradcli.process",
)
"""Folders, and files at the top, from the roof to the ground: each imports what stands below it."""

FUNCTION_LINES = 60

LATE = {
    ("gradcli.ops.inplace.python", "gradcli.ops.inplace.subscripts"): "with the first subscript",
    ("gradcli.ops.inplace.python", "gradcli.ops.algebra.elementary"): "with the first power",
}
"""What operators import when they are called, besides scipy, because it takes long."""

LONG_FUNCTIONS = {
    "gradcli.language.running.machine.Machine.execute": "the machine's loop",
    "gradcli.autograd.passes._walk": "the walk's loop",
    "gradcli.cli.commands.check.command": "a list of options",
    "gradcli.cli.commands.eval.command": "a list of options",
    "gradcli.cli.commands.diff.command": "a list of options",
    "gradcli.cli.commands.map.command": "a list of options",
    "gradcli.table.declare.row": "a list of options",
    "gradcli.ops.layers.embedding_bag.embedding_bag": "a list of options",
}
"""Functions that may be longer, and why."""

FILE_LINES = 520


class Import(NamedTuple):
    """One module's import of another, `inside` a function or not."""

    source: str
    target: str
    inside: bool


@cache
def files() -> dict[str, Path]:
    """The file of each module."""
    found = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(files()[module].read_text(encoding="utf-8"))


def named(node: ast.AST) -> Iterator[str]:
    """The modules that a statement or a call of `import_module` imports.

    A submodule that is imported through its package is that module.
    """
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            yield inner if inner in files() else str(node.module)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name == "import_module":
            yield str(node.args[0].value)


def imports(module: str) -> Iterator[Import]:
    """What a module imports, from wherever."""
    waiting: list[tuple[ast.AST, bool]] = [(tree(module), False)]
    while waiting:
        node, inside = waiting.pop()
        for target in named(node):
            if target != module:
                yield Import(module, target, inside)
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting += [(child, inside) for child in ast.iter_child_nodes(node)]


@cache
def own_imports() -> list[Import]:
    """Imports between the modules of the house."""
    return [found for module in files() for found in imports(module) if found.target in files()]


def room(module: str) -> str:
    """The folder of a module; a file at the top is a room of its own."""
    path = files()[module]
    return module if path.name == "__init__.py" or path.parent == SOURCE else module_of(path.parent)


def module_of(folder: Path) -> str:
    return ".".join(folder.relative_to(SOURCE.parent).parts)


def circle(arrows: Mapping[str, set[str]]) -> list[str]:
    """Some names that lead to each other in a circle, or nothing."""
    left = {name: set(targets) for name, targets in arrows.items()}
    while True:
        ends = {name for name, targets in left.items() if not targets & left.keys()}
        if not ends:
            break
        left = {name: targets for name, targets in left.items() if name not in ends}
    path: list[str] = []
    name = min(left, default="")
    while name and name not in path:
        path.append(name)
        name = min(left[name] & left.keys())
    return path[path.index(name) :] if path else []


def functions(module: str) -> Iterator[tuple[str, int]]:
    """Every function's full name and lines."""
    waiting: list[tuple[str, ast.AST]] = [(module, tree(module))]
    while waiting:
        outer, parent = waiting.pop()
        for node in ast.iter_child_nodes(parent):
            name = outer
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{outer}.{node.name}"
                if not isinstance(node, ast.ClassDef):
                    yield name, (node.end_lineno or 0) - node.lineno + 1
            waiting.append((name, node))


def test_circles_are_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert circle({"a": {"b"}, "b": {"c", "d"}, "c": {"b"}, "d": set()}) == ["b", "c"]


def test_files_import_in_no_circle() -> None:
    arrows: dict[str, set[str]] = {module: set() for module in files()}
    for found in own_imports():
        arrows[found.source].add(found.target)
    assert circle(arrows) == []


def test_rooms_import_in_no_circle() -> None:
    arrows: dict[str, set[str]] = {}
    for found in own_imports():
        if room(found.source) != room(found.target):
            arrows.setdefault(room(found.source), set()).add(room(found.target))
    assert circle(arrows) == []


def test_rooms_import_what_stands_below_them() -> None:
    assert {room(module) for module in files()} <= set(ROOMS)
    height = {name: place for place, name in enumerate(ROOMS)}
    upwards = [
        (found.source, found.target)
        for found in own_imports()
        if height[room(found.source)] > height[room(found.target)]
    ]
    assert upwards == []


def test_operators_import_nothing_late_but_scipy() -> None:
    late = {
        (found.source, found.target)
        for module in files()
        if module.startswith("gradcli.ops.")
        for found in imports(module)
        if found.inside and found.target.partition(".")[0] != "scipy"
    }
    assert late == LATE.keys()


def test_functions_are_short() -> None:
    long = {
        name for module in files() for name, lines in functions(module) if lines > FUNCTION_LINES
    }
    assert long == LONG_FUNCTIONS.keys()


def test_files_are_short() -> None:
    long = {
        module
        for module, path in files().items()
        if len(path.read_text(encoding="utf-8").splitlines()) > FILE_LINES
    }
    assert not long


def test_docs_speak_one_dialect() -> None:
    # Single back quotes, docstrings after assignments, no roles and no banners.
    strange = re.compile(
        r"``|:(?:func|class|data|meth|mod|attr):`|^\s*#:|^\s*# -{2,}", re.MULTILINE
    )
    found = {module for module, path in files().items() if strange.search(path.read_text("utf-8"))}
    assert found == set()

"""Which module of `gradcli.ops` declares a name, so that one operator loads one module.

The index is a text beside this file, a line a module: its name, then the names that it declares.
`sin.` is a function and a method, `zeros` a function only, `.view` a method only. It is written
from the table itself::

    python -m gradcli.table

A name that is missing there is looked for in all modules, so a new operator works before it is
listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from os.path import dirname, join
from typing import Final

PATH: Final = join(dirname(__file__), "index.txt")
ROOT: Final = "gradcli.ops"


@cache
def read() -> tuple[dict[str, str], dict[str, str]]:
    """The modules of functions and of methods, by name."""
    functions: dict[str, str] = {}
    methods: dict[str, str] = {}
    with open(PATH, encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        module, *names = line.split()
        for name in names:
            bare = name.strip(".")
            if not name.startswith("."):
                functions[bare] = module
            if name != bare:
                methods[bare] = module
    return functions, methods


def modules() -> Iterable[str]:
    """All modules below `gradcli.ops`, in alphabetical order."""
    import pkgutil  # a start that finds its names in the index does not need it

    package = import_module(ROOT)
    for found in pkgutil.walk_packages(package.__path__, f"{ROOT}."):
        if not found.ispkg:
            yield found.name


def written(functions: dict[str, str], methods: dict[str, str]) -> str:
    """The index of names whose modules are given."""
    lines: dict[str, list[str]] = {}
    for name in sorted({*functions, *methods}):
        where, method = functions.get(name), methods.get(name)
        if where is not None:
            lines.setdefault(where, []).append(name + "." * (method == where))
        if method is not None and method != where:
            lines.setdefault(method, []).append(f".{name}")
    return "".join(f"{module} {' '.join(lines[module])}\n" for module in sorted(lines))

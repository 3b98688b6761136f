"""What the grammar's rule of classes builds."""

from __future__ import annotations

import re
from typing import Any, Final

from gradcli.language.reading import ast
from gradcli.language.reading.expressions import Reader, build_call

_PRIVATE: Final = re.compile(r"\b__\w*[^\W_]_?\b")


def build_class(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    """A class; its arguments are checked as those of a call, its private names made its own."""
    reader.scopes = True
    name, *arguments, body = children
    build_call(reader, [None, *arguments], start, end)
    if _PRIVATE.search(reader.text, body.start, body.end):
        make_private(body, name)
    return ast.Class(start, end, name, arguments, body)


def make_private(body: ast.Node, name: str) -> None:
    """Put the class's name before names that begin with two underscores and do not end so.

    Those of a class within were given its name when it was built.
    """
    owner = f"_{name.lstrip('_')}"
    if owner == "_":
        return
    waiting: list[Any] = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting.extend(node)
        elif isinstance(node, ast.Node):
            for field in type(node).__slots__:
                value = getattr(node, field)
                if field == "name" and is_private(value):
                    setattr(node, field, owner + value)
                elif field == "names" and isinstance(node, ast.Scope):
                    node.names = [owner + each if is_private(each) else each for each in value]
                elif not isinstance(value, str):
                    waiting.append(value)


def is_private(name: str) -> bool:
    """Whether a name is one that a class keeps to itself."""
    return name[:2] == "__" and name[-2:] != "__"

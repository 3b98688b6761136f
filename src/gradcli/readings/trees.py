"""Trees: lists, tuples and dicts of values, as functions of `torch.func` take and give them.

A tree is flattened to its leaves and a `Spec`, which says how to put leaves together again. As in
PyTorch, None is a leaf, and so is whatever is no list, tuple or dict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from gradcli.tensor.nesting import MAX_ITEMS, too_large, unfolded
from gradcli.tensor.public import word_of


class Spec:
    """The structure of a tree: `kind` is the class of its root, None of a leaf; `context` holds the
    keys of a dict, or the class of a named tuple."""

    __slots__ = ("children", "context", "kind", "leaves")

    leaves: int

    def __init__(self, kind: type | None, context: Any, children: Sequence[Spec]) -> None:
        self.kind = kind
        self.context = context
        self.children = children
        self.leaves: int = sum(child.leaves for child in children) if kind is not None else 1

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """The tree of so many leaves."""
        return self._taken(iter(leaves))

    def _taken(self, leaves: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(leaves)
        parts = [child._taken(leaves) for child in self.children]
        if self.kind is dict:
            return dict(zip(self.context, parts, strict=True))
        if self.kind is list:
            return parts
        return tuple(parts) if self.context is None else tuple.__new__(self.context, parts)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is Spec
            and self.kind is other.kind
            and self.context == other.context
            and self.children == other.children
        )

    __hash__ = None  # type: ignore[assignment]

    def drawn(self) -> str:
        """The tree with stars at its leaves, as some of PyTorch's messages show it."""
        if self.kind is None:
            return "*"
        inner = [child.drawn() for child in self.children]
        if self.kind is dict:
            pairs = zip(self.context, inner, strict=True)
            return "{" + ", ".join(f"{key!r}: {child}" for key, child in pairs) + "}"
        if self.kind is list:
            return f"[{', '.join(inner)}]"
        return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"

    def __str__(self) -> str:
        return self._told(0)

    def _told(self, indent: int) -> str:
        if self.kind is None:
            return "*"
        indent += 2
        inner = (",\n" + " " * indent).join(child._told(indent) for child in self.children)
        name = "namedtuple" if self.kind is tuple and self.context else self.kind.__name__
        return f"TreeSpec({name}, {self.context}, [{inner}])"


MAX_DEPTH: Final = 100
"""Levels of a tree that is gone through; PyTorch's own code ends where Python does."""

_LEAF = Spec(None, None, ())


def _opened(tree: Any) -> tuple[type, Any, Sequence[Any]] | None:
    """The class, the context and the parts of a tree's root; None of a leaf."""
    kind = type(tree)
    if kind is list or kind is tuple:
        return kind, None, tree
    if kind is dict:
        return kind, [*tree], [*tree.values()]
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return tuple, kind, tree
    return None


def flatten(tree: Any) -> tuple[list[Any], Spec]:
    """The leaves of a tree, from left to right, and its structure.

    Raises:
        OverflowError: it holds too much to be gone through.
        RecursionError: it is too deep, or holds itself.
    """
    count, depth = unfolded(tree)
    if count > MAX_ITEMS:
        raise too_large("the leaves of nested collections")
    leaves: list[Any] = []
    return leaves, _gathered(tree, leaves, MAX_DEPTH if depth <= MAX_DEPTH else 0)


def _gathered(tree: Any, leaves: list[Any], left: int) -> Spec:
    if not left:
        raise RecursionError("maximum recursion depth exceeded")
    opened = _opened(tree)
    if opened is None:
        leaves.append(tree)
        return _LEAF
    kind, context, parts = opened
    return Spec(kind, context, [_gathered(part, leaves, left - 1) for part in parts])


def broadcast(tree: Any, spec: Spec) -> list[Any] | None:
    """A leaf of `tree` for each leaf of a structure, whose leaves below one share it; None where
    the two do not match.
    """
    opened = _opened(tree)
    if opened is None:
        return [tree] * spec.leaves
    kind, context, parts = opened
    if kind is not spec.kind or context != spec.context or len(parts) != len(spec.children):
        return None
    found: list[Any] = []
    for part, child in zip(parts, spec.children, strict=True):
        inner = broadcast(part, child)
        if inner is None:
            return None
        found += inner
    return found


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree of what a function makes of the leaves."""
    leaves, spec = flatten(tree)
    return spec.unflatten([function(leaf) for leaf in leaves])


def name_of(function: Any) -> str:
    """What messages call a function that was handed in."""
    return getattr(function, "__name__", None) or word_of(function)

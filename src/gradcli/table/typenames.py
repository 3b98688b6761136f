"""Types of values as PyTorch's messages call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.tensor.arrays import Numbers
from gradcli.tensor.public import REGISTRY, class_name


def type_name(value: Any) -> str:
    """The type of a value as PyTorch's messages call it."""
    if isinstance(value, Numbers):
        return f"numpy.{type(value._array).__name__}"
    entry = REGISTRY.get(type(value))
    return type(value).__name__ if entry is None else class_name(entry, value)


def describe_types(args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """The given types as PyTorch's "invalid combination" message lists them."""
    parts = [type_name(value) for value in args]
    named = [f"{name}={type_name(value)}" for name, value in sorted(kwargs.items())]
    if named and not parts:
        named.append("")  # PyTorch's list of keywords ends in a comma then
    return f"({', '.join(parts + named)})"

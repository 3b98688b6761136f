"""Objects of the engine that keep what a program sets on them apart from what they are."""

from __future__ import annotations

from typing import Any

from gradcli.tensor.classes import Class, token
from gradcli.tensor.public import REGISTRY, label_of, missing_name, word_of


class OwnNames:
    """What answers for the names of such objects: `Public.reads` first, then what was set.

    The class of the objects has `__setattr__`, `__getattr__` and `__delattr__` over a dictionary
    that `own_names()` gives.
    """

    def read(self, value: Any, name: str) -> Any:
        if name == "__class__":
            return self.kind(value)
        names = value.own_names()
        if name not in names:
            raise missing_name(value, name)
        return names[name]

    def write(self, value: Any, name: str, new: Any) -> None:
        self._check(value, name)
        setattr(value, name, new)

    def delete(self, value: Any, name: str) -> None:
        self._check(value, name)
        delattr(value, name)

    def names(self, value: Any) -> list[str]:
        return sorted({*REGISTRY[type(value)].reads, *value.own_names()})

    def kind(self, value: Any) -> Class:
        return token(label_of(value), type(value))

    def supports(self, value: Any, method: str) -> bool:
        return hasattr(type(value), method)

    def _check(self, value: Any, name: str) -> None:
        """Refuses to change what is the engine's."""
        if name in REGISTRY[type(value)].reads or name.startswith("__"):
            raise AttributeError(
                f"attribute '{name}' of '{word_of(value)}' objects is not writable"
            )


OWN_NAMES = OwnNames()

"""What goes through objects that have items and no iterator."""

from __future__ import annotations

from typing import Any

from gradcli.tensor.public import REGISTRY, Public


class SequenceIterator:
    """What iterates over an object that has `__getitem__` and no `__iter__`."""

    __slots__ = ("index", "of")

    def __init__(self, of: Any) -> None:
        self.of = of
        self.index = 0

    def __iter__(self) -> SequenceIterator:
        return self

    def __next__(self) -> Any:
        if self.of is None:
            raise StopIteration
        try:
            value = self.of[self.index]
        except (IndexError, StopIteration):
            self.of = None
            raise StopIteration from None
        self.index += 1
        return value


class BackwardIterator:
    """What `reversed()` gives of an object that has a length and no `__reversed__`."""

    __slots__ = ("index", "of")

    def __init__(self, of: Any) -> None:
        self.index = len(of)
        self.of = of

    def __iter__(self) -> BackwardIterator:
        return self

    def __next__(self) -> Any:
        if self.index <= 0:
            raise StopIteration
        self.index -= 1
        try:
            return self.of[self.index]
        except (IndexError, StopIteration):
            self.index = 0
            raise StopIteration from None


for _kind, _name in ((SequenceIterator, "iterator"), (BackwardIterator, "reversed")):
    REGISTRY[_kind] = Public(name=_name)
    _kind.__name__ = _kind.__qualname__ = _name
    _kind.__module__ = "builtins"

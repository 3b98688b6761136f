"""Who hears of rows as they run, one around the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradcli.tensor.graph import Listener, Node, mode


@contextmanager
def unheard() -> Iterator[None]:
    """Inside, nothing is recorded and nobody listens."""
    before = mode.enabled, mode.listener
    mode.enabled, mode.listener = False, None
    try:
        yield
    finally:
        mode.enabled, mode.listener = before


class Observer:
    """A listener that lets the one before it run the rows, and adds to that."""

    outer: Listener | None = None
    """Who listened before."""

    def enter(self) -> None:
        """From now on it hears of rows."""
        self.outer = mode.listener
        mode.listener = self

    def leave(self) -> None:
        """It no longer does, whoever came in between."""
        if mode.listener is self:
            mode.listener = self.outer
            return
        inner: Any = mode.listener
        while inner is not None and inner.outer is not self:
            inner = inner.outer
        if inner is not None:
            inner.outer = self.outer

    def __call__(self, row: Any, args: tuple[Any, ...]) -> Any:
        found = self.run(row, args)
        self.ran(row, args, found)
        return found

    def run(self, row: Any, args: tuple[Any, ...]) -> Any:
        """Runs a row as if it did not listen."""
        listener = mode.listener
        mode.listener = self.outer
        try:
            return row.observed(args)
        finally:
            mode.listener = listener

    def ran(self, row: Any, args: tuple[Any, ...], found: Any) -> None:
        """A row was run."""

    def read(self, tensor: Any) -> None:
        if self.outer is not None:
            self.outer.read(tensor)

    def opaque(self, name: str, node: Node | None, call: Any = None) -> None:
        if self.outer is not None:
            self.outer.opaque(name, node, call)

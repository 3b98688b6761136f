"""What is remembered of things that others choose: up to so many bytes, whoever chooses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Bounded(Generic[Item]):
    """Items by key. What was asked for longest ago is forgotten first.

    Args:
        limit: the bytes that all items may take, by what `add` is told.
    """

    __slots__ = ("items", "left", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.left = limit
        self.items: OrderedDict[Hashable, tuple[Item, int]] = OrderedDict()

    def get(self, key: Hashable) -> Item | None:
        """The item of a key, or None."""
        found = self.items.get(key)
        if found is None:
            return None
        self.items.move_to_end(key)
        return found[0]

    def add(self, key: Hashable, item: Item, size: int) -> None:
        """Remembers a new key's item, which takes `size` bytes with its key, unless that is more
        than there are.
        """
        if size > self.limit:
            return
        self.left -= size
        while self.left < 0:
            self.left += self.items.popitem(last=False)[1][1]
        self.items[key] = item, size

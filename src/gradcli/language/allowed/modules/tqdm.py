"""What programs find in `tqdm`: loops that show no progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from gradcli.tensor.classes import token_of
from gradcli.tensor.public import public, supports


@public("close desc n refresh set_description set_postfix total update", name="tqdm.std.tqdm")
class Progress:
    """What is gone through; nothing is shown of it."""

    __slots__ = ("desc", "iterable", "n", "total")

    def __init__(
        self, iterable: Any = None, desc: Any = None, total: Any = None, **options: Any
    ) -> None:
        self.iterable = iterable
        self.desc = desc
        self.total = len(iterable) if total is None and supports(iterable, "__len__") else total
        self.n: Any = 0

    def __iter__(self) -> Iterator[Any]:
        for value in self.iterable:
            yield value
            self.n += 1

    def __len__(self) -> int:
        return len(self.iterable)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to be shown."""

    def update(self, n: Any = 1) -> None:
        """Counts steps."""
        self.n += n

    def set_description(self, desc: Any = None, refresh: Any = True) -> None:
        """Says what is done."""
        self.desc = desc

    def set_postfix(self, ordered_dict: Any = None, refresh: Any = True, **named: Any) -> None:
        """Says how it goes."""

    def close(self) -> None:
        """Ends what is shown."""

    def refresh(self) -> None:
        """Shows it anew."""


def trange(*arguments: Any, **options: Any) -> Progress:
    """`tqdm(range(...))`."""
    return Progress(range(*arguments), **options)


MEMBERS: Final[dict[str, Any]] = {"tqdm": token_of(Progress, Progress), "trange": trange}
"""By name."""

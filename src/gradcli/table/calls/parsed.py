"""What the functions that PyTorch writes in Python call: its parsed functions, asked whether they
take the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from gradcli.table.calls.overloads import signatures_of
from gradcli.table.calls.parser import refuse

F = TypeVar("F", bound=Callable[..., None])


class Written(dict[str, Callable[..., None]]):
    """The functions of one module that PyTorch writes in Python, by the names of programs."""

    def __call__(self, function: F) -> F:
        """Adds a function, as a decorator."""
        self[function.__name__] = function
        return function

    def like(self, head: Callable[..., None], name: str, shown: str = "") -> None:
        """Adds a function that has a head which it shares with others.

        `shown` is its name in Python's messages, where that is another one.
        """
        head.__name__ = head.__qualname__ = shown or name
        self[name] = head


class Parsed:
    """`torch`, `torch._C._nn` (with the prefix `nn.`) or the methods of a tensor, without that:
    its functions only check arguments.
    """

    def __init__(self, prefix: str, methods: bool = False) -> None:
        self.prefix = prefix
        self.methods = methods

    def __getattr__(self, name: str) -> Callable[..., None]:
        def check(*args: Any, **kwargs: Any) -> None:
            refuse(name, signatures_of(self.prefix + name, self.methods), args, kwargs)

        return check


def several(value: Any, count: int) -> list[Any]:
    """A list as it is, any other value `count` times."""
    return list(value) if isinstance(value, Iterable) else [value] * count

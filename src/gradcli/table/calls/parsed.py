"""What the functions that PyTorch writes in Python call: its parsed functions, asked whether they
take the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gradcli.table.calls.overloads import signatures_of
from gradcli.table.calls.parser import refuse


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

"""What programs find in Python's `contextlib`."""

from __future__ import annotations

from typing import Any, Final

from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.public import public


@public("enter_result", name="nullcontext", label="contextlib.nullcontext")
class NullContext:
    """A context that does nothing."""

    __slots__ = ("enter_result",)

    def __init__(self, enter_result: Any = None) -> None:
        self.enter_result = enter_result

    def __enter__(self) -> Any:
        return self.enter_result

    def __exit__(self, *_: object) -> None:
        """Nothing was done."""


@public(name="suppress", label="contextlib.suppress")
class Suppress:
    """A context that ends where one of some errors is raised inside of it."""

    __slots__ = ("kinds",)

    def __init__(self, *kinds: Any) -> None:
        self.kinds = kinds

    def __enter__(self) -> None:
        """Nothing is to be done."""

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if error is None:
            return False
        return any(isinstance(each, Class) and each.has(error) for each in self.kinds)


MEMBERS: Final[dict[str, Any]] = {
    "nullcontext": token_of(NullContext, NullContext),
    "suppress": token_of(Suppress, Suppress),
}
"""By name."""

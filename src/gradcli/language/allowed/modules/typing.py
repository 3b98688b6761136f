"""What programs find in Python's `typing`: names for annotations, which say nothing here."""

from __future__ import annotations

import typing
from typing import Any, Final

from gradcli.tensor.public import Fixed, public


@public(name="typing._GenericAlias", calls=True)
class Form(Fixed):
    """Something that annotations are made of: `List`, `Optional[int]`."""

    __slots__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        self._fix(text=text)

    def __getitem__(self, inner: Any) -> Form:
        return Form(self.text)

    def __or__(self, other: Any) -> Form:
        return self

    __ror__ = __or__

    def __call__(self, /, *arguments: Any, **named: Any) -> Form:
        return self

    def __repr__(self) -> str:
        return self.text


def cast(kind: Any, value: Any) -> Any:
    """`typing.cast(kind, value)`: the value."""
    return value


_LEFT_OUT: Final = frozenset(("NamedTuple", "TypedDict"))
"""What makes classes rather than annotations."""

MEMBERS: Final[dict[str, Any]] = {
    **{name: Form(f"typing.{name}") for name in {*typing.__all__} - _LEFT_OUT if name[0].isupper()},
    "TYPE_CHECKING": False,
    "cast": cast,
}
"""By name."""

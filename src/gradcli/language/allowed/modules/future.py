"""What programs find in Python's `__future__`: the language has it all."""

from __future__ import annotations
import __future__

from typing import Any, Final

from gradcli.tensor.public import Fixed, public


@public(name="__future__._Feature")
class Feature(Fixed):
    """A feature of Python that is there."""

    __slots__ = ("text",)
    text: str

    def __init__(self, text: str) -> None:
        self._fix(text=text)

    def __repr__(self) -> str:
        return self.text


MEMBERS: Final[dict[str, Any]] = {
    name: Feature(repr(getattr(__future__, name))) for name in __future__.all_feature_names
}
"""By name."""

"""The named tuples of tensors that functions such as `torch.max(x, 0)` return."""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import Any, ClassVar

from gradcli.tensor.public import public


@public("count index n_fields n_sequence_fields n_unnamed_fields")
class ReturnType(tuple[Any, ...]):
    """A tuple whose items are also attributes; subclasses say how they are called.

    It is made of one iterable, as a tuple is, and prints one field a line::

        torch.return_types.max(
        values=tensor([3., 4.]),
        indices=tensor([1, 1]))
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    n_unnamed_fields: ClassVar[int] = 0

    @property
    def n_fields(self) -> int:
        return len(self)

    @property
    def n_sequence_fields(self) -> int:
        return len(self)

    def __repr__(self) -> str:
        body = ",\n".join(f"{name}={item!r}" for name, item in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{body})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self).__name__, " ".join(self._fields), tuple(self))


class FieldTuple(ReturnType):
    """One that is written out as a class, and prints its fields on one line: `Name(a=1, b=2)`."""

    __slots__ = ()

    def __repr__(self) -> str:
        fields = zip(self._fields, self, strict=True)
        return (
            f"{type(self).__name__}({', '.join([f'{name}={value!r}' for name, value in fields])})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self),)


@cache
def return_type(name: str, fields: str) -> type[ReturnType]:
    """The type `torch.return_types.NAME` with the given field names, separated by blanks."""
    members: dict[str, Any] = {"__slots__": (), "__module__": "torch.return_types"}
    names = tuple(fields.split())
    for position, field in enumerate(names):
        members[field] = property(itemgetter(position))
    members["_fields"] = names
    return public(fields, name=f"torch.return_types.{name}")(type(name, (ReturnType,), members))


def _restore(name: str, fields: str, items: tuple[Any, ...]) -> ReturnType:
    return return_type(name, fields)(items)

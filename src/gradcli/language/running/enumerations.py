"""What programs find in Python's `enum`."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.running.descriptors import ClassMethod, Descriptor, GetSet, StaticMethod
from gradcli.language.running.functions import Function
from gradcli.language.running.methods import Builtin, invoke
from gradcli.language.running.objects import Instance, ProgramClass, make, native
from gradcli.tensor.classes import token_of
from gradcli.tensor.public import public


@public(name="enum.auto")
class Auto:
    """The value one above the last."""

    __slots__ = ()


def define(class_: ProgramClass, /) -> None:
    """Make members of what the body of a class binds."""
    for base in class_.mro[1:]:
        if isinstance(base, ProgramClass) and base.items:
            raise TypeError(f"{class_!r} cannot extend {base!r}")
    class_.noun = "enum"
    members: dict[str, Any] = {}
    class_.items = members
    class_.calling = find
    last = 0
    for name, value in list(class_.names.items()):
        if name[:1] == "_" or isinstance(value, Function | Descriptor | Builtin):
            continue
        if isinstance(value, Auto):
            value = last + 1
        last = value if isinstance(value, int) else last
        member = next((each for each in members.values() if each._native[1] == value), None)
        if member is None:
            member = members[name] = make(class_)
            member._native = (name, value)
            initialise = class_.special("__init__")
            if initialise is not None:
                given = value if isinstance(value, tuple) else (value,)
                invoke(class_.bind(initialise, member), *given)
        class_.change(name, member)
    if members:
        class_.change("__members__", dict(members))


def find(class_: ProgramClass, value: Any, /) -> Any:
    """`Class(value)`: the member of that value.

    Raises:
        ValueError: there is none.
    """
    for member in (class_.items or {}).values():
        if member is value or member._native[1] == value:
            return member
    raise ValueError(f"{value!r} is not a valid {class_.__qualname__}")


def shown(self: Instance, /) -> str:
    """`repr(member)`."""
    name, value = self._native
    return f"<{self._class.__name__}.{name}: {value!r}>"


ENUM: Final = native(
    "Enum",
    {
        "__new__": StaticMethod(Builtin(find, "__new__", "Enum")),
        "__init_subclass__": ClassMethod(Builtin(define, "__init_subclass__", "Enum")),
        "__repr__": shown,
        "__str__": lambda self, /: f"{self._class.__name__}.{self._native[0]}",
        "__hash__": lambda self, /: hash(self._native[0]),
        "__copy__": lambda self, /: self,
        "__deepcopy__": lambda self, memo, /: self,
        "name": GetSet("name", lambda self: self._native[0]),
        "value": GetSet("value", lambda self: self._native[1]),
    },
    module="enum",
)


def unique(class_: Any, /) -> Any:
    """`enum.unique`: a class none of whose members goes by two names."""
    for name, value in class_.names.items():
        if type(value) is Instance and value._class is class_ and value._native[0] != name:
            raise ValueError(f"duplicate values found in {class_!r}: {name} -> {value._native[0]}")
    return class_


MEMBERS: Final[dict[str, Any]] = {"Enum": ENUM, "auto": token_of(Auto, Auto), "unique": unique}
"""By name."""

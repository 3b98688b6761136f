"""What programs find in Python's `enum`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gradcli.language.allowed.limits import check_printable
from gradcli.language.running.derived import form, show
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
    take_back(class_)
    members: dict[str, Any] = {}
    named: dict[str, Any] = {}
    class_.items = members
    class_.calling = find
    last = 0
    for name, value in list(class_.names.items()):
        if name[:1] == "_" or isinstance(value, Function | Descriptor | Builtin):
            continue
        if isinstance(value, Auto):
            value = name.lower() if STR_ENUM in class_.mro else last + 1
        last = value if isinstance(value, int) else last
        member = with_value(members, value)
        if member is None:
            member = members[name] = made_of(class_, name, value)
        named[name] = member
        class_.change(name, member)
    if members:
        class_.change("__members__", named)


def made_of(class_: ProgramClass, name: str, value: Any) -> Instance:
    """A member, which has a value of the type that the class is derived from, too."""
    given = value if isinstance(value, tuple) else (value,)
    new = class_.special("__new__")
    plain = new is ENUM.names["__new__"]
    member: Instance = make(class_) if plain else invoke(new.__func__, class_, *given)
    member._values.update(_name_=name)
    member._values.setdefault("_value_", value)
    initialise = class_.special("__init__")
    if initialise is not None:
        invoke(class_.bind(initialise, member), *given)
    return member


def with_value(members: Mapping[str, Any], value: Any) -> Any:
    """The member that has a value, or None."""
    for member in members.values():
        if member._values["_value_"] == value:
            return member
    return None


def take_back(class_: ProgramClass) -> None:
    """Show members as `Enum` does, not as the type that the class is derived from."""
    enum = next(
        base for base in class_.mro[1:] if isinstance(base, ProgramClass) and ENUM in base.mro
    )
    for name in ("__repr__", "__str__", "__format__"):
        if name not in class_.names:
            class_.names[name] = enum.find(name)


def find(class_: ProgramClass, value: Any, /) -> Any:
    """`Class(value)`: the member of that value.

    Raises:
        ValueError: there is none.
    """
    if type(value) is Instance and value._class is class_:
        return value
    member = with_value(class_.items or {}, value)
    if member is not None:
        return member
    raise ValueError(f"{value!r} is not a valid {class_.__qualname__}")


def shown(self: Instance, /) -> str:
    """`repr(member)`."""
    check_printable(self._values["_value_"])
    return f"<{self._class.__name__}.{self._values['_name_']}: {self._values['_value_']!r}>"


def text(self: Instance, /) -> str:
    """`str(member)`."""
    return f"{self._class.__name__}.{self._values['_name_']}"


def by_name(class_: ProgramClass, name: Any, /) -> Any:
    """`Class[name]`."""
    return class_.names.get("__members__", {})[name]


def refuse(name: str) -> Callable[[Any, Any], None]:
    """What setting a name of a member does."""

    def change(self: Instance, value: Any) -> None:
        raise AttributeError(f"<enum 'Enum'> cannot set attribute '{name}'")

    return change


ENUM: Final = native(
    "Enum",
    {
        "__new__": StaticMethod(Builtin(find, "__new__", "Enum")),
        "__init_subclass__": ClassMethod(Builtin(define, "__init_subclass__", "Enum")),
        "__repr__": shown,
        "__str__": text,
        "__format__": lambda self, spec, /: format(str(self), spec),
        "__hash__": lambda self, /: hash(self._values["_name_"]),
        "__class_getitem__": ClassMethod(Builtin(by_name, "__getitem__", "EnumType")),
        "__copy__": lambda self, /: self,
        "__deepcopy__": lambda self, memo, /: self,
        "name": GetSet("name", lambda self: self._values["_name_"], refuse("name")),
        "value": GetSet("value", lambda self: self._values["_value_"], refuse("value")),
    },
    module="enum",
)


def unique(class_: Any, /) -> Any:
    """`enum.unique`: a class none of whose members goes by two names."""
    for name, value in class_.names.items():
        if type(value) is Instance and value._class is class_ and value._values["_name_"] != name:
            alias = f"{name} -> {value._values['_name_']}"
            raise ValueError(f"duplicate values found in {class_!r}: {alias}")
    return class_


INT_ENUM: Final = native(
    "IntEnum",
    {"__repr__": shown, "__str__": show, "__format__": form},
    bases=(token_of(int), ENUM),
    module="enum",
)
STR_ENUM: Final = native(
    "StrEnum",
    {"__repr__": shown, "__str__": lambda self, /: self._native, "__format__": form},
    bases=(token_of(str), ENUM),
    module="enum",
)

MEMBERS: Final[dict[str, Any]] = {
    "Enum": ENUM,
    "IntEnum": INT_ENUM,
    "StrEnum": STR_ENUM,
    "auto": token_of(Auto, Auto),
    "unique": unique,
}
"""By name."""

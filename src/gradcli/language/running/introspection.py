"""Python's built-in names that are about classes and their objects."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.attributes import attribute, delete_attribute, set_attribute
from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import bounded, comparable
from gradcli.language.running import descriptors, root
from gradcli.language.running.methods import invoke
from gradcli.language.running.objects import (
    ABSENT,
    OBJECT,
    Instance,
    ProgramClass,
    bound,
    look_through,
    own_method,
)
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.public import REGISTRY, Public, word_of

_MISSING: Final[Any] = object()


class SuperModel:
    """What answers for the names of `super()`."""

    def read(self, value: Super, name: str) -> Any:
        if name == "__class__":
            return self.kind(value)
        order = value.owner.mro
        found = look_through(order[order.index(value.start) + 1 :], name)
        if found is ABSENT:
            raise AttributeError(f"'super' object has no attribute '{name}'")
        return bound(found, value.instance, value.owner)

    def write(self, value: Super, name: str, new: Any) -> None:
        raise AttributeError(f"'super' object has no attribute '{name}'")

    def delete(self, value: Super, name: str) -> None:
        raise AttributeError(f"'super' object has no attribute '{name}'")

    def names(self, value: Super) -> list[str]:
        return []

    def kind(self, value: Super) -> Class:
        return SUPER

    def supports(self, value: Super, method: str) -> bool:
        return False


class Super:
    """`super(start, of)`: the names of the classes after `start` in the order of those of `of`."""

    __slots__ = ("instance", "owner", "start")

    instance: Any
    owner: ProgramClass

    def __init__(self, *arguments: Any) -> None:
        if not arguments:
            raise RuntimeError("super(): no arguments")
        if len(arguments) != 2:
            raise TypeError("super() takes a class and an object in the language")
        self.start, of = arguments
        if not isinstance(self.start, Class):
            what = word_of(self.start)
            raise TypeError(f"super() argument 1 must be a type, not {what}")
        if type(of) is Instance and self.start in of._class.mro:
            self.instance, self.owner = of, of._class
        elif isinstance(of, ProgramClass) and self.start in of.mro:
            self.instance, self.owner = None, of
        else:
            raise TypeError("super(type, obj): obj must be an instance or subtype of type")

    def __repr__(self) -> str:
        return f"<super: {self.start!r}, <{self.owner.__name__} object>>"


REGISTRY[Super] = Public(name="super", model=SuperModel())
SUPER: Final = token_of(Super, Super)
SUPER.label = SUPER.__name__ = "super"


def get_attribute(value: Any, name: Any, /, *default: Any) -> Any:
    """`getattr(value, name, default)`."""
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not '{word_of(name)}'")
    if len(default) > 1:
        raise TypeError(f"getattr expected at most 3 arguments, got {2 + len(default)}")
    try:
        return attribute(value, name)
    except AttributeError:
        if not default:
            raise
        return default[0]


def has_attribute(value: Any, name: Any, /) -> bool:
    """`hasattr(value, name)`."""
    return get_attribute(value, name, _MISSING) is not _MISSING


def change_attribute(value: Any, name: Any, new: Any, /) -> None:
    """`setattr(value, name, new)`."""
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not '{word_of(name)}'")
    set_attribute(value, name, new)


def remove_attribute(value: Any, name: Any, /) -> None:
    """`delattr(value, name)`."""
    if not isinstance(name, str):
        raise TypeError(f"attribute name must be string, not '{word_of(name)}'")
    delete_attribute(value, name)


def names_of(value: Any, /) -> list[str]:
    """`dir(value)`: the names that a program finds on a value."""
    if type(value) is Instance and value._class.special("__dir__") is not None:
        return sorted(comparable(bounded(invoke(own_method(value, "__dir__")))))
    entry = REGISTRY.get(type(value))
    if entry is None:
        return []
    if entry.model is not None:
        return entry.model.names(value)
    found = {*entry.reads, *entry.guards}
    if entry.finds is not None:
        found.update(name for name in dir(value) if entry.finds(name))
    return sorted(found)


def variables_of(value: Any, /) -> Any:
    """`vars(value)`."""
    entry = REGISTRY.get(type(value))
    if isinstance(value, Instance | ProgramClass) or (entry is not None and entry.held is not None):
        return attribute(value, "__dict__")
    raise TypeError("vars() argument must have __dict__ attribute")


def is_subclass(class_: Any, kinds: Any, /) -> bool:
    """`issubclass(class_, kinds)`."""
    if not isinstance(class_, Class):
        raise TypeError("issubclass() arg 1 must be a class")
    if type(kinds) is tuple:
        return any(is_subclass(class_, kind) for kind in kinds)
    if not isinstance(kinds, Class):
        raise TypeError("issubclass() arg 2 must be a class, a tuple of classes, or a union")
    if kinds is OBJECT or class_ is kinds or class_.derives(kinds):
        return True
    programs = isinstance(class_, ProgramClass) or isinstance(kinds, ProgramClass)
    return not programs and issubclass(class_.of, kinds.of)


def can_be_called(value: Any, /) -> bool:
    """`callable(value)`."""
    if type(value) is Instance:
        return value._class.special("__call__") is not None
    return isinstance(value, Class) or callable(value)


BUILTINS: Final[dict[str, Any]] = {
    "callable": can_be_called,
    "delattr": remove_attribute,
    "dir": names_of,
    "getattr": get_attribute,
    "hasattr": has_attribute,
    "issubclass": is_subclass,
    "setattr": change_attribute,
    "super": SUPER,
    "vars": variables_of,
    **root.BUILTINS,
    **descriptors.BUILTINS,
}
"""By name."""
for _name, _function in BUILTINS.items():
    present(_function, _name)

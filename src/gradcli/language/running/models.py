"""What answers for the names of objects and of classes (see `public.Model`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.running.descriptors import GetSet
from gradcli.language.running.methods import Builtin, Method, invoke
from gradcli.language.running.objects import (
    ABSENT,
    Instance,
    ProgramClass,
    bound,
    delete,
    names_in,
    read,
    write,
)
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.public import REGISTRY, Public, word_of

TYPE: Final[Class] = token_of(type)


class Metaclass(Class):
    """The class of classes that is none of a program's own."""

    __slots__ = ()

    def derives(self, other: Class) -> bool:
        return other is TYPE


ABSTRACT_TYPE: Final = Metaclass("abc.ABCMeta", ProgramClass)
REGISTRY[Metaclass] = REGISTRY[Class]


class InstanceModel:
    """What answers for the names of objects."""

    def read(self, value: Instance, name: str) -> Any:
        class_ = value._class
        reader = class_.special("__getattribute__")
        hook = class_.special("__getattr__")
        if hook is None:
            return read(value, name) if reader is None else invoke(reader, value, name)
        try:
            return read(value, name) if reader is None else invoke(reader, value, name)
        except AttributeError:
            pass
        return invoke(bound(hook, value, class_), name)

    def write(self, value: Instance, name: str, new: Any) -> None:
        setter = value._class.special("__setattr__")
        if setter is None:
            write(value, name, new)
        else:
            invoke(bound(setter, value, value._class), name, new)

    def delete(self, value: Instance, name: str) -> None:
        deleter = value._class.special("__delattr__")
        if deleter is None:
            delete(value, name)
        else:
            invoke(bound(deleter, value, value._class), name)

    def names(self, value: Instance) -> list[str]:
        return sorted({*value._values, *class_names(value._class)})

    def kind(self, value: Instance) -> ProgramClass:
        return value._class

    def supports(self, value: Instance, method: str) -> bool:
        class_ = value._class
        if class_.special(method) is not None:
            return True
        if method == "__iter__" and class_.find(method) is ABSENT:
            return class_.special("__getitem__") is not None
        return False


def class_names(class_: ProgramClass) -> set[str]:
    """The names that are found through a class."""
    return {name for each in class_.mro for name in names_in(each)}


class ClassModel:
    """What answers for the names of classes."""

    def read(self, value: ProgramClass, name: str) -> Any:
        about = ABOUT.get(name)
        if about is not None:
            return about.get(value, None)
        found = value.find(name)
        if found is ABSENT:
            text = f"type object '{value.__name__}' has no attribute '{name}'"
            raise AttributeError(name if value.noun == "enum" else text)
        return bound(found, None, value)

    def write(self, value: ProgramClass, name: str, new: Any) -> None:
        if value.fixed:
            raise TypeError(f"cannot set '{name}' attribute of immutable type '{value.__name__}'")
        if value.items and name in value.items:
            raise AttributeError(f"cannot reassign member '{name}'")
        about = ABOUT.get(name)
        if about is None:
            value.change(name, new)
        else:
            about.set(value, new)

    def delete(self, value: ProgramClass, name: str) -> None:
        if value.fixed:
            raise TypeError(
                f"cannot delete '{name}' attribute of immutable type '{value.__name__}'"
            )
        if name not in value.names:
            raise AttributeError(f"type object '{value.__name__}' has no attribute '{name}'")
        value.change(name, ABSENT)

    def names(self, value: ProgramClass) -> list[str]:
        return sorted(class_names(value))

    def kind(self, value: ProgramClass) -> Class:
        return ABSTRACT_TYPE if value.checked else TYPE

    def supports(self, value: ProgramClass, method: str) -> bool:
        return value.items is not None


def rename(class_: ProgramClass, name: Any) -> None:
    """`class_.__name__ = name`."""
    if not isinstance(name, str):
        raise TypeError(
            f"can only assign string to {class_.__name__}.__name__, not '{word_of(name)}'"
        )
    class_.__name__ = name


def doc_of(class_: ProgramClass) -> Any:
    """`class_.__doc__`."""
    found = class_.names.get("__doc__")
    return None if type(found) is GetSet else found


def shown_names(class_: ProgramClass) -> dict[str, Any]:
    """`class_.__dict__`, of which what a program changes is its own copy."""
    return {name: value for name, value in class_.names.items() if type(value) is not GetSet}


def _of_type(function: Callable[[ProgramClass], Any], name: str) -> Builtin:
    """A method of classes."""
    return Builtin(function, name, "type", lambda value: isinstance(value, ProgramClass))


_MRO: Final[Any] = _of_type(lambda class_: list(class_.mro), "mro")
_SUBCLASSES: Final[Any] = _of_type(
    lambda class_: list(class_.subclasses.values()), "__subclasses__"
)
ABOUT: Final[dict[str, GetSet]] = {
    name: GetSet(name, of, change)
    for name, of, change in (
        ("__name__", lambda class_: class_.__name__, rename),
        ("__qualname__", lambda class_: class_.__qualname__, None),
        ("__module__", lambda class_: class_.module, None),
        ("__doc__", doc_of, None),
        ("__mro__", lambda class_: class_.mro, None),
        ("__bases__", lambda class_: class_.bases, None),
        ("__base__", lambda class_: class_.bases[0] if class_.bases else None, None),
        ("__class__", ClassModel().kind, None),
        ("__dict__", shown_names, None),
        ("__subclasses__", lambda class_: Method(_SUBCLASSES, class_), None),
        ("mro", lambda class_: Method(_MRO, class_), None),
    )
}
"""What is read of a class itself, before its names."""


REGISTRY[Instance] = Public(
    name=lambda value: value._class.__name__,
    label=lambda value: value._class.label,
    model=InstanceModel(),
)
REGISTRY[ProgramClass] = Public(name="type", label="type", model=ClassModel())

"""What every object has from `object`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.language.running import objects
from gradcli.language.running.descriptors import ClassMethod, GetSet, StaticMethod
from gradcli.language.running.methods import Builtin
from gradcli.language.running.models import class_names, doc_of
from gradcli.language.running.objects import OBJECT, Instance, ProgramClass, fresh, names_in
from gradcli.tensor.identity import number_of, without_addresses
from gradcli.tensor.public import word_of


def new(class_: Any = None, /, *arguments: Any, **named: Any) -> Instance:
    """`object.__new__(class_)`."""
    if not isinstance(class_, ProgramClass):
        raise TypeError(f"object.__new__(X): X is not a type object ({word_of(class_)})")
    maker = maker_of(class_)
    if maker is not None:
        raise TypeError(f"object.__new__({class_.__name__}) is not safe, use {maker}()")
    if arguments or named:
        if class_.special("__new__") is not None:
            raise TypeError("object.__new__() takes exactly one argument (the type to instantiate)")
        if class_.special("__init__") is None:
            raise TypeError(f"{class_.__name__}() takes no arguments")
    return fresh(class_)


def maker_of(class_: ProgramClass) -> str | None:
    """What makes an object with the data that a class of ours keeps with it."""
    for each in class_.mro[:-1]:
        found = names_in(each).get("__new__")
        if type(found) is StaticMethod and type(found.__func__) is Builtin:
            return found.__func__.__qualname__
    return None


def initialise(self: Instance, /, *arguments: Any, **named: Any) -> None:
    """`object.__init__(self)`."""
    if arguments or named:
        if self._class.special("__init__") is not None:
            raise TypeError(
                "object.__init__() takes exactly one argument (the instance to initialize)"
            )
        raise TypeError(f"{self._class.__name__}() takes no arguments")


def show(self: Instance, /) -> str:
    """`object.__repr__(self)`."""
    return without_addresses(f"<{self._class.label} object at {id(self):#x}>")


def form(self: Instance, spec: str, /) -> str:
    """`object.__format__(self, spec)`."""
    if spec:
        raise TypeError(f"unsupported format string passed to {self._class.__name__}.__format__")
    return str(self)


def equal(self: Any, other: Any, /) -> Any:
    """`object.__eq__(self, other)`."""
    return True if self is other else NotImplemented


def unequal(self: Any, other: Any, /) -> Any:
    """`object.__ne__(self, other)`."""
    answer = self == other if isinstance(self, Instance) else NotImplemented
    return answer if answer is NotImplemented else not answer


def told(class_: Any, /, **named: Any) -> None:
    """`object.__init_subclass__()`."""
    if named:
        name = class_.__qualname__
        raise TypeError(f"{name}.__init_subclass__() takes no keyword arguments")


def undecided(self: Any, other: Any, /) -> Any:
    """`object.__lt__(self, other)` and its kind."""
    return NotImplemented


METHODS: dict[str, Callable[..., Any]] = {
    "__init__": initialise,
    "__repr__": show,
    "__str__": lambda self, /: without_addresses(repr(self)),
    "__format__": form,
    "__eq__": equal,
    "__ne__": unequal,
    "__hash__": lambda self, /: hash(number_of(self)),
    "__getattribute__": lambda self, name, /: objects.read(self, name),
    "__setattr__": lambda self, name, value, /: objects.write(self, name, value),
    "__delattr__": lambda self, name, /: objects.delete(self, name),
    "__dir__": lambda self, /: sorted({*self._values, *class_names(self._class)}),
    **{f"__{name}__": undecided for name in ("lt", "le", "gt", "ge")},
}


def values(self: Instance) -> dict[str, Any]:
    """`self.__dict__`."""
    if self._class.slots is not None:
        raise AttributeError(f"'{self._class.__name__}' object has no attribute '__dict__'")
    return self._values


def is_instance(value: Any) -> bool:
    """Whether a value is an object of a program's class, which is what the methods here treat."""
    return type(value) is Instance


OBJECT.names.update(
    {name: Builtin(function, name, "object", is_instance) for name, function in METHODS.items()}
)
OBJECT.names.update(
    {
        "__new__": StaticMethod(Builtin(new, "__new__", "object")),
        "__init_subclass__": ClassMethod(Builtin(told, "__init_subclass__", "object")),
        "__class__": GetSet("__class__", lambda self: self._class),
        "__dict__": GetSet("__dict__", values),
        "__doc__": GetSet("__doc__", lambda self: doc_of(self._class)),
        "__module__": GetSet("__module__", lambda self: self._class.module),
    }
)
BUILTINS = {"object": OBJECT}

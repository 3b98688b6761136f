"""What the instructions of a class statement do, and what a class finds when it is made."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from weakref import WeakSet

from gradcli.language.allowed.absent import Absent
from gradcli.language.allowed.attributes import INHERITED
from gradcli.language.allowed.modules.collections import RecordType
from gradcli.language.running import derived, errors, root
from gradcli.language.running.code import Cell
from gradcli.language.running.descriptors import CachedProperty, ClassMethod, Property, StaticMethod
from gradcli.language.running.functions import Function, Runner
from gradcli.language.running.methods import Builtin, invoke
from gradcli.language.running.objects import (
    OBJECT,
    Instance,
    ProgramClass,
    bound,
    look_through,
)
from gradcli.language.running.records import inherit, named_tuple, record_of
from gradcli.tensor.classes import Class
from gradcli.tensor.public import word_of

Stack = list[Any]
assert root
assert errors  # like the one before and the one after, it tells what classes have from Python's
assert derived
ABSTRACT: Final[WeakSet[Function]] = WeakSet()
"""Functions that were marked as methods yet to be written."""


class Definition(NamedTuple):
    """A class whose body runs.

    Attributes:
        function: the body.
        bases: the classes that stand in brackets.
        options: the keywords beside them.
        names: what the body binds.
    """

    function: Function
    bases: list[Any]
    options: dict[str, Any]
    names: dict[str, Any]


def begin_class(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    """From a body, bases and keywords to a definition and a call of the body."""
    function, bases, options = stack[-3:]
    names = {"__module__": "__main__", "__qualname__": function.__qualname__}
    stack[-3:] = [Definition(function, bases, options, names), function, names]


def finish_class(machine: Runner, stack: Stack, variables: Stack, argument: None) -> None:
    """Make the class, and put it where its methods look for it."""
    cell = stack.pop()
    stack[-1] = made = make_class(stack[-1])
    if type(cell) is Cell:
        cell.value = made


def push_cell(machine: Runner, stack: Stack, variables: Stack, slot: int) -> None:
    stack.append(variables[slot])


def annotate(machine: Runner, stack: Stack, variables: Stack, argument: tuple[str, str]) -> None:
    name, text = argument
    variables[0].setdefault("__annotations__", {})[name] = text


FORM: Final = "typing._GenericAlias"
MEANINGLESS: Final = ("typing.Generic", "typing.Protocol")
"""What `typing` has for bases that add nothing when a program runs."""


SAME: Final = Builtin(lambda class_, _: class_, "__class_getitem__", "Generic")
"""`Class[int]` of a generic class: what it is made of says nothing here."""


def is_form(base: Any) -> bool:
    """Whether a base adds nothing but that the class may be written with brackets."""
    return word_of(base) == FORM and repr(base) in MEANINGLESS


def checked_bases(bases: list[Any]) -> list[Class]:
    """What a class may be derived from.

    Raises:
        TypeError: something else is among the bases.
    """
    found: list[Class] = []
    for base in bases:
        if is_form(base):
            continue
        if isinstance(base, Absent):
            base.used(base.name)
        if not isinstance(base, Class):
            raise TypeError(f"deriving a class from a '{word_of(base)}' object")
        if base in found:
            raise TypeError(f"duplicate base class {base.__name__}")
        if isinstance(base, RecordType):
            inherit(base)
        elif not isinstance(base, ProgramClass) and base.of not in INHERITED:
            if base.of in (bool, type(None), slice, range):
                raise TypeError(f"type '{base.__name__}' is not an acceptable base type")
            raise TypeError(f"deriving a class from '{base.__name__}' is not part of the language")
        found.append(base)
    return found


def make_class(definition: Definition) -> ProgramClass:
    """The class that a class statement defines.

    Raises:
        TypeError: it cannot be derived from its bases.
    """
    function, bases, options, names = definition
    metaclass = options.pop("metaclass", None)
    if metaclass is not None and not is_plain(metaclass):
        raise TypeError("a metaclass is not part of the language")
    names.pop("__module__", None)
    if named_tuple in bases:
        bases = [record_of(function.__name__, names)]
    parents = checked_bases(bases) or [OBJECT]
    qualified = names.pop("__qualname__", function.__qualname__)
    if not isinstance(qualified, str):
        raise TypeError(f"type __qualname__ must be a str, not {word_of(qualified)}")
    names.setdefault("__doc__", None)
    if "__eq__" in names:
        names.setdefault("__hash__", None)
    for name in ("__init_subclass__", "__class_getitem__"):
        if isinstance(names.get(name), Function):
            names[name] = ClassMethod(names[name])
    if isinstance(names.get("__new__"), Function):
        names["__new__"] = StaticMethod(names["__new__"])
    made = ProgramClass(
        function.__name__, parents, names, qualified=qualified, machine=function.machine
    )
    if any(is_form(base) for base in bases) and made.special("__class_getitem__") is None:
        made.change("__class_getitem__", ClassMethod(SAME))
    made.checked = made.checked or metaclass is not None
    made.abstract = abstract_names(made)
    for name, value in list(names.items()):
        set_name(value, made, name)
    told = bound(look_through(made.mro[1:], "__init_subclass__"), None, made)
    invoke(told, **options)
    return made


def is_plain(metaclass: Any) -> bool:
    """Whether a metaclass is one of Python's that adds nothing which the language lacks."""
    return isinstance(metaclass, Class) and metaclass.__name__ in ("type", "ABCMeta")


def set_name(value: Any, owner: ProgramClass, name: str) -> None:
    """Tell what a class binds to a name about it, if that wants to know."""
    if type(value) is Property:
        value.name = name
    elif type(value) is CachedProperty:
        value.attrname = name
    elif type(value) is Instance:
        method = value._class.special("__set_name__")
        if method is not None:
            invoke(value._class.bind(method, value), owner, name)


def abstract_names(class_: ProgramClass) -> frozenset[str]:
    """The names of abstract methods that a class leaves so."""
    names = {name for name, value in class_.names.items() if is_abstract(value)}
    for base in class_.bases:
        if isinstance(base, ProgramClass):
            names |= {name for name in base.abstract if is_abstract(class_.find(name))}
    return frozenset(names)


def is_abstract(value: Any) -> bool:
    """Whether a method, or one that it is made of, was marked as yet to be written."""
    if type(value) is Property:
        return any(map(is_abstract, (value.fget, value.fset, value.fdel)))
    if type(value) in (StaticMethod, ClassMethod):
        return is_abstract(value.__func__)
    return isinstance(value, Function) and value in ABSTRACT

"""Classes that are derived from named tuples, and `typing.NamedTuple`."""

from __future__ import annotations

from typing import Any

from gradcli.language.allowed.limits import bounded
from gradcli.language.allowed.modules.collections import RecordType, namedtuple
from gradcli.language.running.descriptors import ClassMethod, GetSet, StaticMethod
from gradcli.language.running.methods import Builtin
from gradcli.language.running.objects import Instance, ProgramClass, fresh
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.public import word_of


def named_tuple(typename: Any, fields: Any = (), /) -> RecordType:
    """`typing.NamedTuple(typename, [(name, type), ...])`."""
    return namedtuple(typename, [name for name, _ in map(tuple, bounded(fields))])


def record_of(name: str, names: dict[str, Any]) -> RecordType:
    """The named tuple of the fields that a class's body annotates; it takes their values away.

    Raises:
        TypeError: a field without a value follows one that has one.
    """
    annotated = names.get("__annotations__", {})
    fields = list(annotated) if type(annotated) is dict else []
    given = [field for field in fields if field in names]
    for place, field in enumerate(fields):
        if field not in names and fields[:place] and fields[place - 1] in names:
            plural = "s" if len(given) > 1 else ""
            raise TypeError(
                f"Non-default namedtuple field {field} cannot follow default field{plural} "
                f"{', '.join(given)}"
            )
    return namedtuple(name, fields, defaults=[names.pop(field) for field in given])


def fixed(self: Instance, value: Any) -> None:
    """What setting a field does."""
    raise AttributeError("can't set attribute")


def field_at(name: str, place: int) -> GetSet:
    """What reads a field."""
    return GetSet(name, lambda self: self._native[place], fixed)


def inherit(kind: RecordType) -> None:
    """Give a named tuple the names that classes derived from it have from there."""
    if kind.names is not None:
        return
    fields = kind._fields

    def remade(class_: ProgramClass, values: Any) -> Instance:
        made = fresh(class_)
        made._native = tuple(kind._make(values))
        return made

    def new(class_: Any, /, *arguments: Any, **named: Any) -> Instance:
        if not isinstance(class_, ProgramClass) or kind not in class_.mro:
            raise TypeError(f"{kind.__name__}.__new__(X): X is no subtype ({word_of(class_)})")
        return remade(class_, kind(*arguments, **named))

    def show(self: Instance, /) -> str:
        pairs = zip(fields, self._native, strict=True)
        shown = ", ".join(f"{name}={value!r}" for name, value in pairs)
        return without_addresses(f"{self._class.__name__}({shown})")

    def replace(self: Instance, /, **named: Any) -> Instance:
        changed = dict(zip(fields, self._native, strict=True))
        unknown = [name for name in named if name not in changed]
        if unknown:
            raise ValueError(f"Got unexpected field names: {unknown!r}")
        return remade(self._class, (changed | named).values())

    methods = {
        "__repr__": show,
        "_asdict": lambda self, /: dict(zip(fields, self._native, strict=True)),
        "_replace": replace,
    }
    kind.names = {
        **{name: field_at(name, place) for place, name in enumerate(fields)},
        **{key: Builtin(function, key, kind.__name__) for key, function in methods.items()},
        "__new__": StaticMethod(Builtin(new, "__new__", kind.__name__)),
        "_make": ClassMethod(Builtin(remade, "_make", kind.__name__)),
        "_fields": fields,
        "_field_defaults": kind._field_defaults,
        "__match_args__": fields,
        "__slots__": (),
    }

"""What programs may reach of the engine's objects: a list of names per class.

A program's text decides nothing here. A class is known by its identity, because a module's or a
class's name is a string that anybody can write; and what a list does not name does not exist.

    @public("name next_functions", writes="")
    class Node: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType, MethodType
from typing import Any, Final, NoReturn, Protocol, TypeVar

Class = TypeVar("Class", bound=type)


class Model(Protocol):
    """What answers for objects whose names are a program's own."""

    def read(self, value: Any, name: str) -> Any:
        """`value.name`."""

    def write(self, value: Any, name: str, new: Any) -> None:
        """`value.name = new`."""

    def delete(self, value: Any, name: str) -> None:
        """`del value.name`."""

    def names(self, value: Any) -> list[str]:
        """`dir(value)`."""

    def kind(self, value: Any) -> Any:
        """`type(value)`."""

    def supports(self, value: Any, method: str) -> bool:
        """Whether a value has one of the methods that Python asks for."""


class Public:
    """The names that programs find on a class's objects.

    Attributes:
        reads: names that may be read.
        writes: names that may be set.
        deletes: names that may be deleted.
        finds: whether a name is one of those too many to list.
        reader: what reads, where an object's names are none of Python's attributes.
        sees: functions that tell what programs read under a name, where that is not the attribute.
        guards: functions that stand for methods; they take the object first.
        held: given an object, the attributes that a program gave it.
        name: the class in messages; given an object, for classes whose objects go by many names.
        holder: what messages say has an attribute that is not writable.
        label: the class as `type()` prints it, where that is not `name`; given an object too.
        kind: given an object, what `type()` gives, where that is no class of ours.
        narrower: given an object, what `type()` prints if it is of a narrower kind than its class.
        model: what answers in the place of these lists.
    """

    __slots__ = (
        "deletes",
        "finds",
        "guards",
        "held",
        "holder",
        "kind",
        "label",
        "model",
        "name",
        "narrower",
        "reader",
        "reads",
        "sees",
        "writes",
    )

    def __init__(
        self,
        reads: Iterable[str] = (),
        *,
        writes: Iterable[str] = (),
        deletes: Iterable[str] = (),
        finds: Callable[[str], bool] | None = None,
        reader: Callable[[Any, str], Any] | None = None,
        guards: dict[str, Callable[..., Any]] | None = None,
        name: str | Callable[[Any], str] = "",
        holder: str = "",
        label: str | Callable[[Any], str] = "",
        model: Model | None = None,
        kind: Callable[[Any], Any] | None = None,
        held: Callable[[Any], dict[str, Any]] | None = None,
    ) -> None:
        self.kind = kind
        self.held = held
        self.model = model
        self.reads = set(reads)
        self.writes = frozenset(writes)
        self.deletes = frozenset(deletes)
        self.finds = finds
        self.reader = reader
        self.sees: dict[str, Callable[[Any], Any]] = {}
        self.guards = {} if guards is None else guards
        self.name = name
        self.holder = holder
        self.label = label
        self.narrower: Callable[[Any], str] | None = None

    def has(self, name: str) -> bool:
        """Whether programs see an attribute of that name."""
        return (
            name in self.reads
            or name in self.guards
            or (self.finds is not None and self.finds(name))
        )


REGISTRY: Final[dict[type, Public]] = {}
"""By the class itself; subclasses have entries of their own."""


def public(
    reads: str = "",
    *,
    writes: str = "",
    deletes: str = "",
    finds: Callable[[str], bool] | None = None,
    reader: Callable[[Any, str], Any] | None = None,
    name: str | Callable[[Any], str] = "",
    holder: str = "",
    label: str | Callable[[Any], str] = "",
    calls: bool = False,
    model: Model | None = None,
    held: Callable[[Any], dict[str, Any]] | None = None,
) -> Callable[[Class], Class]:
    """Registers a class with the names that programs find on its objects (see `Public`).

    Names are separated by blanks. Those of base classes that are registered come on top. `calls`:
    programs may call its objects.
    """

    def enter(class_: Class) -> Class:
        known = [REGISTRY[base] for base in class_.__mro__ if base in REGISTRY]
        nearest = known[0] if known else Public()
        REGISTRY[class_] = Public(
            set(reads.split()).union(*(base.reads for base in known)),
            writes=set(writes.split()).union(*(base.writes for base in known)),
            deletes=set(deletes.split()).union(*(base.deletes for base in known)),
            finds=finds or nearest.finds,
            reader=reader or nearest.reader,
            name=name or nearest.name,
            holder=holder,
            label=label or nearest.label,
            model=model or nearest.model,
            held=held or nearest.held,
        )
        if isinstance(name, str) and name.rpartition(".")[2] not in ("", class_.__name__):
            class_.__name__ = name  # as Python's own messages show it
        if getattr(class_, "__repr__") is object.__repr__:  # noqa: B009 - a type has a method there
            setattr(class_, "__repr__", _shown)  # noqa: B010
        if calls:
            CALLABLE.add(class_)
        return class_

    return enter


CALLABLE: Final[set[type]] = {
    partial,
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
}
"""Classes whose objects may be called for a program."""


def admit(function: Any) -> Any:
    """The gate: what is called for a program, by the machine, by an operator or by a backward pass,
    goes through here.

    A class is never called, whatever metaclass it has: programs hold tokens (`classes.Class`).
    What has a `__call__` written in Python and is not registered belongs to whoever uses the engine
    as a library; no program comes by such an object.

    Raises:
        TypeError: it cannot be called, or not by a program.
    """
    kind = type(function)
    if kind in CALLABLE:
        return function
    if kind in REGISTRY or isinstance(function, type):
        raise TypeError(f"'{word_of(function)}' object is not callable")
    if type(getattr(kind, "__call__", None)) is not FunctionType:  # noqa: B004 - its kind matters
        raise TypeError(f"'{word_of(function)}' object is not callable")
    return function


def has_model(value: Any) -> bool:
    """Whether the names of a value are a program's own."""
    entry = REGISTRY.get(type(value))
    return entry is not None and entry.model is not None


def supports(value: Any, method: str) -> bool:
    """Whether a value has one of the methods that Python asks for, such as `__iter__`."""
    entry = REGISTRY.get(type(value))
    if entry is not None and entry.model is not None:
        return entry.model.supports(value, method)
    return hasattr(value, method)


def handed_in(function: Any) -> Callable[..., Any]:
    """What a program gave to an operator, to be called by that: through the gate, and with a frame
    of its own where it is written in C. So its errors are told apart from the engine's.

    Raises:
        TypeError: as `admit`.
    """
    admitted: Callable[..., Any] = admit(function)
    if type(admitted) not in (BuiltinFunctionType, MethodDescriptorType):
        return admitted
    return lambda *arguments, **named: admitted(*arguments, **named)


class Fixed:
    """A value that everybody shares: nothing of it changes once it is made."""

    __slots__ = ()

    def _fix(self, **values: Any) -> None:
        """Sets attributes while the object is made."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"attribute '{name}' of '{word_of(self)}' objects is not writable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"attribute '{name}' of '{word_of(self)}' objects is not writable")


def _shown(value: Any) -> str:
    return f"<{label_of(value)} object at {id(value):#x}>"


def label_of(value: Any) -> str:
    """How `type(value)` is printed, without `<class ''>`."""
    entry = REGISTRY.get(type(value))
    if entry is None:
        return type(value).__name__
    label = (entry.narrower and entry.narrower(value)) or entry.label
    if label:
        return label if isinstance(label, str) else label(value)
    return class_name(entry, value)


def word_of(value: Any) -> str:
    """What messages call the class of a value."""
    entry = REGISTRY.get(type(value))
    return type(value).__name__ if entry is None else class_name(entry, value)


def missing_name(value: Any, name: str) -> AttributeError:
    """Python's error for an attribute that does not exist."""
    return AttributeError(f"'{word_of(value)}' object has no attribute '{name}'")


def class_name(entry: Public, value: Any) -> str:
    """What messages call the class of a value with such an entry."""
    name = entry.name
    return (name if isinstance(name, str) else name(value)) or type(value).__name__

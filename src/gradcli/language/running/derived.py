"""What objects of classes that are derived from Python's own types have from these.

Such an object keeps a value of the type, on which the methods work that it has from there: they do
what the language lets them do to such values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.attributes import INHERITED, attribute
from gradcli.language.allowed.limits import (
    bounded,
    check_hashable,
    check_items,
    check_printable,
    check_width,
)
from gradcli.language.allowed.modules.collections import Counter, DefaultDict, OrderedDict
from gradcli.language.allowed.operators import BINARY, COMPARISONS, INPLACE, SEQUENCES, contains
from gradcli.language.running.descriptors import GetSet, StaticMethod
from gradcli.language.running.methods import Builtin, invoke
from gradcli.language.running.objects import Instance, ProgramClass, fresh
from gradcli.language.running.protocols import ARITHMETIC
from gradcli.tensor.classes import token_of
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.nesting import HOLDERS, plain
from gradcli.tensor.public import REGISTRY, word_of

NUMBERS: Final = (int, float)
MAPPINGS: Final = (dict, OrderedDict, DefaultDict, Counter)
CHANGING: Final = (list, set, *MAPPINGS)
COPIED: Final = (set, OrderedDict, DefaultDict, Counter)
"""Those whose objects name their class, and copy it."""
TYPES: Final = (*NUMBERS, str, tuple, *CHANGING)
"""Python's types from which programs may derive classes, `bool` apart."""

UNARY: Final = (
    *("neg", "pos", "invert", "abs", "bool", "len", "iter", "reversed"),
    *("int", "float", "index", "trunc", "floor", "ceil"),
)
"""Methods that take nothing beside the object."""


HOLDERS[Instance] = lambda value: value._native if type(value._native) in TYPES else value


OPERATORS: Final = {**BINARY, "divmod()": divmod}


def kept(self: Any, kind: type, name: str) -> Any:
    """The value of a type that an object keeps, or that is given itself.

    Raises:
        TypeError: there is none.
    """
    value = plain(self)
    if not isinstance(value, kind):
        raise TypeError(
            f"descriptor '{name}' requires a '{kind.__name__}' object but received a "
            f"'{word_of(self)}'"
        )
    return value


def method(kind: type, name: str) -> Callable[..., Any]:
    """A method that has a name of its own: `append`."""

    def call(self: Any, /, *arguments: Any, **named: Any) -> Any:
        given = map(plain, arguments) if kind is str else arguments
        return attribute(kept(self, kind, name), name)(*given, **named)

    return call


def prefix(kind: type, name: str) -> Callable[..., Any]:
    """`__len__` and its kind."""
    function = getattr(kind, name)

    def operate(self: Any, /) -> Any:
        return function(kept(self, kind, name))

    return operate


def direct(kind: type, name: str, symbol: str) -> Callable[..., Any]:
    """`__add__` and its kind."""
    function, guarded = getattr(kind, name), OPERATORS[symbol]

    def operate(self: Any, other: Any, /, *modulus: Any) -> Any:
        value, other = kept(self, kind, name), plain(other)
        if modulus or (kind in NUMBERS and not isinstance(other, (*NUMBERS, complex, *SEQUENCES))):
            return function(value, other, *modulus)
        if kind in NUMBERS and type(other) in SEQUENCES and symbol != "*":
            return NotImplemented
        return guarded(value, other)

    return operate


def mirrored(kind: type, name: str, symbol: str) -> Callable[..., Any]:
    """`__radd__` and its kind; of sequences too, which Python asks in another way."""
    guarded = OPERATORS[symbol]

    def operate(self: Any, other: Any, /, *modulus: Any) -> Any:
        other = plain(other)
        if type(other) not in (*TYPES, bool, complex):
            return NotImplemented
        if symbol != "*" and (type(other) in NUMBERS or type(other) is bool) is not (
            kind in NUMBERS
        ):
            return NotImplemented
        return guarded(other, kept(self, kind, name))

    return operate


def in_place(kind: type, name: str, symbol: str) -> Callable[..., Any]:
    """`__iadd__` and its kind, of what changes."""
    guarded = INPLACE[symbol]

    def operate(self: Any, other: Any, /) -> Any:
        value = kept(self, kind, name)
        guarded(value, plain(other))
        return self

    return operate


def comparing(kind: type, name: str, symbol: str) -> Callable[..., Any]:
    """`__eq__` and its kind."""
    function, guarded = getattr(kind, name), COMPARISONS[symbol]

    def operate(self: Any, other: Any, /) -> Any:
        value, other = kept(self, kind, name), plain(other)
        if isinstance(other, kind) or (kind in NUMBERS and isinstance(other, NUMBERS)):
            return guarded(value, other)
        return function(value, other)

    return operate


def show(self: Any, /) -> str:
    """`repr(object)`."""
    value = plain(self)
    check_printable(value)
    text, kind = without_addresses(repr(value)), type(value)
    if kind in COPIED and type(self) is Instance:
        shown = text.removeprefix(word_of(value).rpartition(".")[2])
        text = self._class.__name__ + (f"({shown})" if shown[0] == "{" else shown)
    return text


def copy(self: Any, /) -> Any:
    """`object.copy()`, which makes another object of its class."""
    value = plain(self)
    if type(self) is not Instance:
        return value.copy()
    factory = (value.default_factory,) if type(value) is DefaultDict else ()
    return self._class(*factory, value)


def form(self: Any, spec: str, /) -> str:
    """`format(object, spec)`."""
    if not spec:
        return str(self)
    value = plain(self)
    if type(value) not in (*NUMBERS, str):
        return object.__format__(self, spec)
    check_width(spec)
    return format(value, spec)


def get_item(self: Any, key: Any, /) -> Any:
    """`object[key]`."""
    value = plain(self)
    if type(value) not in MAPPINGS:
        return value[key]
    check_hashable(key)
    missing = self._class.special("__missing__") if type(self) is Instance else None
    if missing is None or key in value:
        return value[key]
    return invoke(self._class.bind(missing, self), key)


def set_item(self: Any, key: Any, item: Any, /) -> None:
    """`object[key] = item`."""
    value = plain(self)
    if type(value) in MAPPINGS:
        check_hashable(key)
    elif type(key) is slice:
        item = list(bounded(item))
        check_items(len(value) + len(item))
    value[key] = item


def delete_item(self: Any, key: Any, /) -> None:
    """`del object[key]`."""
    value = plain(self)
    if type(value) in MAPPINGS:
        check_hashable(key)
    del value[key]


def fill(self: Instance, /, *arguments: Any, **named: Any) -> None:
    """`__init__` of what changes."""
    value = plain(self)
    made: Any = token_of(type(value))(*arguments, **named)
    if type(value) is DefaultDict:
        value.default_factory = made.default_factory
    value.clear()
    (value.extend if type(value) is list else value.update)(made)


def maker(kind: type) -> Callable[..., Any]:
    """`__new__` of a type: objects of a class that is derived from it."""

    def new(class_: Any, /, *arguments: Any, **named: Any) -> Any:
        if not isinstance(class_, ProgramClass) or not class_.derives(token_of(kind)):
            raise TypeError(f"{kind.__name__}.__new__({class_!r}): {class_!r} is no subtype")
        made = fresh(class_)
        if kind in CHANGING:
            made._native = kind()
        else:
            made._native = token_of(kind)(*arguments, **named)
        return made

    return new


def names_of(kind: type) -> dict[str, Any]:
    """What classes derived from a type have from it."""
    found: dict[str, Any] = {"__repr__": show, "__format__": form}
    own = {name for name in dir(kind) if getattr(kind, name) is not getattr(object, name, None)}
    listed = {*REGISTRY[kind].reads, *REGISTRY[kind].guards}
    for name in listed:
        if callable(getattr(kind, name)):
            found[name] = method(kind, name)
    for short in UNARY:
        if f"__{short}__" in own:
            found[f"__{short}__"] = prefix(kind, f"__{short}__")
    for short, shown in (*ARITHMETIC.items(), ("divmod", "divmod()")):
        name, symbol = f"__{short}__", shown.partition(" ")[0]
        if name in own:
            found[name] = direct(kind, name, symbol)
            found[f"__r{short}__"] = mirrored(kind, f"__r{short}__", symbol)
        if f"__i{short}__" in own:
            found[f"__i{short}__"] = in_place(kind, f"__i{short}__", symbol)
    for name, symbol in COMPARED.items():
        if name in own:
            found[name] = comparing(kind, name, symbol)
    if kind in (list, tuple, str, *MAPPINGS):
        found["__getitem__"] = get_item
    if kind in (list, *MAPPINGS):
        found.update(__setitem__=set_item, __delitem__=delete_item)
    if kind in CHANGING:
        found["__init__"] = fill
    if kind in COPIED and kind is not set:
        found["copy"] = copy
    if kind not in NUMBERS:
        found["__contains__"] = lambda self, item, /: contains(item, plain(self))
    if kind is str:
        found["__str__"] = lambda self, /: plain(self)
    if "__round__" in own:
        found["__round__"] = lambda self, /, *digits: round(plain(self), *digits)
    if kind not in CHANGING:
        found["__hash__"] = lambda self, /: hash(plain(self))
    names: dict[str, Any] = {
        name: Builtin(function, name, kind.__name__, lambda value: isinstance(plain(value), kind))
        for name, function in found.items()
    }
    names["__new__"] = StaticMethod(Builtin(maker(kind), "__new__", kind.__name__))
    names["__slots__"] = ()
    names.setdefault("__hash__", None)
    for name in listed - names.keys():
        names[name] = part(name)
    return names


def part(name: str) -> GetSet:
    """What is read of the value that an object keeps: `real`."""
    return GetSet(name, lambda self: getattr(self._native, name))


COMPARED: Final = {
    f"__{name}__": symbol
    for name, symbol in zip(
        ("lt", "le", "gt", "ge", "eq", "ne"), ("<", "<=", ">", ">=", "==", "!="), strict=True
    )
}
for _kind in TYPES:
    INHERITED[_kind] = names_of(_kind)

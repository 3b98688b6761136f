"""What a program may reach through a dot.

One function decides (`attribute`), for reading; two more for setting and deleting. Classes are
known by identity (`gradcli.tensor.public`): the engine's list what their objects offer where they
are defined, Python's are listed here, and what is not listed offers nothing.
"""

from __future__ import annotations

from types import FunctionType, MethodDescriptorType, MethodType
from typing import Any, Final

from gradcli.language.allowed.exceptions import CHAIN, TRACEBACK, entry_of, told
from gradcli.language.allowed.methods import guarded
from gradcli.tensor.classes import Class, type_of
from gradcli.tensor.guard import final
from gradcli.tensor.public import CALLABLE, REGISTRY, Public, missing_name, word_of

SEQUENCE = "count index"
TEXT = (
    "capitalize casefold center count endswith expandtabs find format index isalnum isalpha "
    "isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper "
    "join ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex "
    "rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title translate "
    "upper zfill"
)
NUMBERS = "real imag conjugate"
WHOLE = f"{NUMBERS} bit_length bit_count numerator denominator as_integer_ratio"
SETS = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"

PYTHON: Final[dict[type, frozenset[str]]] = {
    str: frozenset(TEXT.split()),
    list: frozenset(f"{SEQUENCE} append clear copy extend insert pop remove reverse sort".split()),
    tuple: frozenset(SEQUENCE.split()),
    dict: frozenset(
        [
            "clear",
            "copy",
            "fromkeys",
            "get",
            "items",
            "keys",
            "pop",
            "popitem",
            "setdefault",
            "update",
            "values",
        ]
    ),
    set: frozenset(
        f"{SETS} add clear discard difference_update intersection_update pop remove "
        "symmetric_difference_update update".split()
    ),
    frozenset: frozenset(SETS.split()),
    int: frozenset(WHOLE.split()),
    bool: frozenset(WHOLE.split()),
    float: frozenset(f"{NUMBERS} as_integer_ratio fromhex hex is_integer".split()),
    complex: frozenset(NUMBERS.split()),
    range: frozenset(f"{SEQUENCE} start stop step".split()),
    slice: frozenset(["start", "stop", "step", "indices"]),
    type({}.keys()): frozenset(("isdisjoint",)),
    type({}.items()): frozenset(("isdisjoint",)),
    type(None): frozenset(),
}
"""Methods of Python's types."""


METHODS_OF_OBJECTS: Final = frozenset((MethodDescriptorType, FunctionType))

INHERITED: Final[dict[type, dict[str, Any]]] = {}
"""What classes of Python give to those that programs derive from them."""


def attribute(value: Any, name: str) -> Any:
    """`value.name`.

    Raises:
        AttributeError: there is no such attribute, or a program may not have it.
    """
    type_ = type(value)
    entry = REGISTRY.get(type_)
    if entry is None:
        if isinstance(value, BaseException):
            entry_of(type_)
            return attribute(value, name)
        raise refused_or_missing(value, name)
    if name in entry.reads:
        see = entry.sees.get(name)
        return getattr(value, name) if see is None else see(value)
    if entry.model is not None:
        return entry.model.read(value, name)
    if name == "__class__":
        return type_of(value)
    if type_ is Class:
        return attribute_of_class(value, name)
    guard = entry.guards.get(name)
    if guard is not None:
        return MethodType(guard, value)
    if entry.reader is not None and name[0] != "_":
        return entry.reader(value, name)
    if entry.finds is not None and entry.finds(name):
        return getattr(value, name)
    if name in CHAIN and isinstance(value, BaseException):
        return told(getattr(value, name))
    if name == "__traceback__" and isinstance(value, BaseException):
        return TRACEBACK if hasattr(value, "place") else None
    if entry.held is not None:
        given = entry.held(value)
        if name in given:
            return given[name]
        if name == "__dict__":
            return given
    raise refused_or_missing(value, name)


def attribute_of_class(class_: Class, name: str) -> Any:
    """`class.name`: a method of its objects (`str.upper`), nothing else that a class holds."""
    type_ = class_.of
    entry = REGISTRY.get(type_)
    if entry is not None:
        guard = entry.guards.get(name)
        inherited = INHERITED.get(type_, {}).get(name)
        if inherited is not None and type(getattr(type_, name, None)) in METHODS_OF_OBJECTS:
            return inherited
        if guard is not None:
            return MethodType(guard, class_) if name == "fromkeys" else guard
        if entry.has(name):
            found = getattr(type_, name, None)
            if type(found) in CALLABLE:
                return found
            raise refused(name)
    for base in type_.__mro__:
        inherited = INHERITED.get(base, {}).get(name)
        if type(inherited) in CALLABLE:
            return getattr(inherited, "__func__", inherited)  # a static method is its function
    if name[0] == "_" or (is_pythons(type_) and hasattr(type_, name)):
        raise refused(name)
    raise AttributeError(f"type object '{class_.__name__}' has no attribute '{name}'")


def refused(name: str) -> AttributeError:
    """The error for an attribute that exists in Python and not here."""
    return final(AttributeError(f"attribute '{name}' is not part of the language"))


def refused_or_missing(value: Any, name: str) -> AttributeError:
    """Which of the two it is: what the engine keeps to itself does not exist in PyTorch either."""
    type_ = type(value)
    if hasattr(type_, name) if is_pythons(type_) else name.startswith("_"):
        return refused(name)
    return missing_name(value, name)


def is_pythons(type_: type) -> bool:
    """Whether a class is not the engine's."""
    return type_ in PYTHON or type_ not in REGISTRY or issubclass(type_, BaseException)


def names_of(word: str) -> list[str]:
    """Every listed name of the objects of a class that messages call `word`."""
    return sorted(
        name
        for type_, entry in REGISTRY.items()
        if word in (entry.name, type_.__name__)
        for name in {*entry.reads, *entry.guards}
    )


NAMES: Final = ("__name__", "__qualname__")
"""What names the value that it is read of."""


def set_attribute(target: Any, name: str, value: Any) -> None:
    """`target.name = value`, where the class of `target` lists the name as one to write.

    Raises:
        AttributeError: otherwise.
    """
    entry = REGISTRY.get(type(target))
    if entry is not None and entry.model is not None:
        entry.model.write(target, name, value)
        return
    if entry is not None and name in entry.writes:
        if name in NAMES and not isinstance(value, str):
            raise TypeError(f"{name} must be set to a string object")
        setattr(target, name, value)
    elif entry is not None and may_hold(entry, name):
        assert entry.held is not None
        entry.held(target)[name] = value
    else:
        raise not_writable(target, name)


def delete_attribute(target: Any, name: str) -> None:
    """`del target.name`, under the same terms."""
    entry = REGISTRY.get(type(target))
    if entry is not None and entry.model is not None:
        entry.model.delete(target, name)
        return
    if entry is not None and name in entry.deletes:
        delattr(target, name)
    elif entry is not None and entry.held is not None and name in entry.held(target):
        del entry.held(target)[name]
    elif entry is not None and may_hold(entry, name):
        raise missing_name(target, name)
    else:
        raise not_writable(target, name)


def may_hold(entry: Public, name: str) -> bool:
    """Whether a program may give an object an attribute of that name: none that Python knows."""
    return entry.held is not None and not entry.has(name) and name[:2] != "__"


def not_writable(target: Any, name: str) -> AttributeError:
    """The error for an attribute that cannot be set or deleted."""
    type_ = type(target)
    entry = REGISTRY.get(type_)
    if isinstance(target, tuple) and entry is not None and entry.reader is not None:
        entry.reader(target, name)
        return AttributeError("can't set attribute")
    if type_ in PYTHON:
        if not hasattr(type_, name):
            return missing_name(target, name)
        if name[0] != "_" and target is not None:
            return AttributeError(f"'{type_.__name__}' object attribute '{name}' is read-only")
    elif entry is not None and entry.reader is None and name[0] != "_":
        if not entry.has(name):
            return missing_name(target, name)
        holder = entry.holder or word_of(target)
        return AttributeError(f"attribute '{name}' of '{holder}' objects is not writable")
    return final(AttributeError(f"setting attribute '{name}' is not part of the language"))


def register(guards: dict[type, dict[str, Any]]) -> None:
    """Enters Python's types; `guards` are the functions that stand for some of their methods."""
    for type_, names in PYTHON.items():
        guarded_here = guards.get(type_, {})
        REGISTRY[type_] = Public(names - guarded_here.keys(), guards=guarded_here)


register(guarded(attribute))

"""What a program may reach through a dot.

One function decides (`attribute`), for reading; two more for setting and deleting. Names that begin
with an underscore are closed, except a few of PyTorch's on tensors and graph nodes; Python's own
types offer a list of methods; the engine's objects offer their public names without those in their
class's `INTERNAL`; everything else offers nothing.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, GenericAlias, MethodType
from typing import Any, Final

from gradcli.language.allowed.methods import GUARDED
from gradcli.language.running.functions import Function, Generator

SEQUENCE = "count index"
TEXT = (
    "capitalize casefold center count endswith expandtabs find format index isalnum isalpha "
    "isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper "
    "join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill"
)
NUMBERS = "real imag conjugate"
WHOLE = f"{NUMBERS} bit_length bit_count numerator denominator as_integer_ratio"
SETS = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"

ALLOWED: Final[dict[type, frozenset[str]]] = {
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
}
"""Methods of Python's types."""

OPENED: Final = frozenset(("_version", "_base", "_is_view"))
"""PyTorch's underscored names that notes look at, on the engine's objects, besides `_saved_...`."""

OPEN_MODULES: Final = ("gradcli.tensor.", "gradcli.random.", "gradcli.autograd.", "torch.")
"""Where classes come from whose objects show their public names; a class elsewhere shows them if it
has an `INTERNAL`.
"""

CLOSED: Final = 0
LISTED: Final = 1
ENGINE: Final = 2
MODULE: Final = 3
TYPE: Final = 4

_kinds: dict[type, int] = dict.fromkeys(ALLOWED, LISTED)
_kinds.update({Function: CLOSED, Generator: CLOSED, type: TYPE, type(None): CLOSED})
_passed: dict[type, set[str]] = {}
"""Names that were found to be open, by type."""

_callable: set[type] = {BuiltinFunctionType, FunctionType, MethodType}
_NOTHING: frozenset[str] = frozenset()


def kind_of(type_: type) -> int:
    """How attributes of a type's values are looked up; kept per type."""
    kind = CLOSED
    if getattr(type_, "LANGUAGE_MODULE", False):
        kind = MODULE
    elif issubclass(type_, type):
        kind = TYPE
    elif hasattr(type_, "INTERNAL") or any(from_engine(base) for base in type_.__mro__):
        kind = ENGINE
    _kinds[type_] = kind
    return kind


def from_engine(type_: type) -> bool:
    """Whether a class belongs to the engine."""
    module = type_.__module__
    if not isinstance(module, str):
        return False
    return module.startswith(OPEN_MODULES)


def attribute(value: Any, name: str) -> Any:
    """`value.name`.

    Raises:
        AttributeError: there is no such attribute, or a program may not have it.
    """
    type_ = type(value)
    passed = _passed.get(type_)
    if passed is not None and name in passed:
        return getattr(value, name)
    kind = _kinds.get(type_)
    if kind is None:
        kind = kind_of(type_)
    if kind == ENGINE:
        if name[0] == "_" and name not in OPENED and not name.startswith("_saved_"):
            raise refused(name)
        if name == "INTERNAL" or name in getattr(type_, "INTERNAL", _NOTHING):
            raise missing(value, name)
        _passed.setdefault(type_, set()).add(name)
        return getattr(value, name)
    if kind == MODULE:
        if name[0] == "_":
            raise refused(name)
        return value.member(name)
    if kind == LISTED:
        if name in ALLOWED[type_]:
            guard = GUARDED.get((type_, name))
            if guard is not None:
                return MethodType(guard, value)
            _passed.setdefault(type_, set()).add(name)
            return getattr(value, name)
    elif kind == TYPE:
        return attribute_of_type(value, name)
    elif isinstance(value, BaseException) and name == "args":
        return value.args
    elif name == "__name__" and type_ in (Function, FunctionType, BuiltinFunctionType):
        return value.__name__
    raise refused_or_missing(value, name)


def attribute_of_type(type_: type, name: str) -> Any:
    """`type.name`: its name, and its methods (`str.upper`)."""
    if name == "__name__":
        return type_.__name__
    if name in ALLOWED.get(type_, ()):
        guard = GUARDED.get((type_, name))
        if guard is None:
            return getattr(type_, name)
        return MethodType(guard, type_) if name == "fromkeys" else guard
    if name[0] != "_" and from_engine(type_) and name not in getattr(type_, "INTERNAL", _NOTHING):
        return getattr(type_, name)
    if name[0] == "_" or hasattr(type_, name):
        raise refused(name)
    raise AttributeError(f"type object '{type_.__name__}' has no attribute '{name}'")


def refused(name: str) -> AttributeError:
    """The error for an attribute that exists in Python and not here."""
    return AttributeError(f"attribute '{name}' is not part of the language")


def missing(value: Any, name: str) -> AttributeError:
    """Python's error for an attribute that does not exist."""
    return AttributeError(f"'{type(value).__name__}' object has no attribute '{name}'")


def refused_or_missing(value: Any, name: str) -> AttributeError:
    """Which of the two it is."""
    if name.startswith("_") or hasattr(type(value), name):
        return refused(name)
    return missing(value, name)


def set_attribute(target: Any, name: str, value: Any) -> None:
    """`target.name = value`: on the engine's objects, public names only.

    Raises:
        AttributeError: otherwise.
    """
    if writable(target, name):
        setattr(target, name, value)


def delete_attribute(target: Any, name: str) -> None:
    """`del target.name`, under the same terms."""
    if writable(target, name):
        delattr(target, name)


def writable(target: Any, name: str) -> bool:
    """True, or an error."""
    type_ = type(target)
    kind = _kinds.get(type_)
    if kind is None:
        kind = kind_of(type_)
    internal = getattr(type_, "INTERNAL", _NOTHING)
    if kind == ENGINE and name[0] != "_" and name != "INTERNAL" and name not in internal:
        return True
    if (kind == LISTED or target is None) and not hasattr(type_, name):
        raise missing(target, name)
    if kind == LISTED and name[0] != "_":
        raise AttributeError(f"'{type_.__name__}' object attribute '{name}' is read-only")
    raise AttributeError(f"setting attribute '{name}' is not part of the language")


def callable_types() -> set[type]:
    """Types whose values may be called without a question; `check_callable` adds to them."""
    return _callable


def check_callable(function: Any) -> None:
    """Refuse to call what is no function of the program, no class, and not callable from here.

    Raises:
        TypeError: it cannot be called, or not from a program.
    """
    type_ = type(function)
    if type_ is GenericAlias or not callable(function):
        raise TypeError(f"'{type_.__name__}' object is not callable")
    _callable.add(type_)

"""What objects of a program's exception classes have from Python's.

What is raised, and keeps the arguments and the chain, is the carrier of the object, which is made
with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.attributes import INHERITED
from gradcli.language.allowed.exceptions import EXCEPTIONS, TRACEBACK, Carrier, raisable, told
from gradcli.language.running.descriptors import GetSet, StaticMethod
from gradcli.language.running.methods import Builtin
from gradcli.language.running.objects import Instance, ProgramClass, fresh
from gradcli.tensor.classes import token_of
from gradcli.tensor.identity import without_addresses


def new(class_: Any, /, *arguments: Any, **named: Any) -> Instance:
    """`Exception.__new__(class_, *arguments)`.

    Raises:
        TypeError: `class_` is no class of a program's exceptions.
    """
    if not isinstance(class_, ProgramClass) or not class_.derives(token_of(BaseException)):
        raise TypeError(f"{ALL}.__new__(X): X is not a subtype of {ALL}")
    made = fresh(class_)
    made._native = carrier = Carrier(made)
    carrier.given = arguments
    return made


def initialise(self: Instance, /, *arguments: Any, **named: Any) -> None:
    """`Exception.__init__(self, *arguments)`."""
    if named:
        raise TypeError(f"{self._class.__name__}() takes no keyword arguments")
    self._native.given = arguments


def text(self: Instance, /) -> str:
    """`str(error)`."""
    given = self._native.given
    return without_addresses(str(given[0] if len(given) == 1 else given)) if given else ""


def key_text(self: Instance, /) -> str:
    """`str(error)` of a `KeyError`."""
    given = self._native.given
    return without_addresses(repr(given[0])) if len(given) == 1 else text(self)


def shown(self: Instance, /) -> str:
    """`repr(error)`."""
    given = self._native.given
    inside = f"({given[0]!r})" if len(given) == 1 else repr(given)
    return without_addresses(f"{self._class.__name__}{inside}")


def give(self: Instance, values: Any) -> None:
    """`error.args = values`."""
    self._native.given = tuple(values)


def add_note(self: Instance, note: Any, /) -> None:
    """`error.add_note(note)`."""
    if not isinstance(note, str):
        raise TypeError("note must be a str")
    self._values.setdefault("__notes__", []).append(note)


def same(self: Instance, traceback: Any, /) -> Instance:
    """`error.with_traceback(traceback)`."""
    return self


def link(name: str) -> GetSet:
    """`__cause__` or `__context__`."""

    def change(self: Instance, value: Any) -> None:
        setattr(self._native, name, None if value is None else raisable(value))
        if name == "__cause__":
            self._native.caused = True

    return GetSet(name, lambda self: told(getattr(self._native, name)), change)


def first(self: Instance) -> Any:
    """The first argument, or None."""
    return self._native.given[0] if self._native.given else None


def has_carrier(value: Any) -> bool:
    """Whether a value is an object of a program's exception class."""
    return type(value) is Instance and type(value._native) is Carrier


def methods(kind: str, **functions: Callable[..., Any]) -> dict[str, Any]:
    """Functions as methods of a class."""
    return {
        name: Builtin(function, name, kind, has_carrier) for name, function in functions.items()
    }


ALL: Final = "BaseException"
for _kind in EXCEPTIONS:
    INHERITED[_kind] = {}
INHERITED[BaseException] = {
    **methods(ALL, __init__=initialise, __str__=text, __repr__=shown),
    **methods(ALL, add_note=add_note, with_traceback=same),
    "__new__": StaticMethod(Builtin(new, "__new__", ALL)),
    "args": GetSet("args", lambda self: self._native.given, give),
    "__cause__": link("__cause__"),
    "__context__": link("__context__"),
    "__suppress_context__": GetSet(
        "__suppress_context__", lambda self: self._native.__suppress_context__
    ),
    "__traceback__": GetSet(
        "__traceback__", lambda self: TRACEBACK if hasattr(self._native, "place") else None
    ),
}
INHERITED[KeyError] = methods("KeyError", __str__=key_text)
INHERITED[StopIteration] = {"value": GetSet("value", first)}
INHERITED[SystemExit] = {"code": GetSet("code", first)}

"""Functions that a program defines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from gradcli.language.allowed.namespace import Namespace
from gradcli.language.running.code import UNBOUND, Cell, Code
from gradcli.tensor.public import public


class Runner(Protocol):
    """What functions, generators and the rarer instructions ask of the machine."""

    globals: dict[str, Any]
    declared: dict[str, Any]
    instead: dict[str, Any]
    namespace: Namespace

    def call(self, function: Any, *arguments: Any, **named: Any) -> Any:
        """Call a function as the program would."""

    def variable(self, name: str) -> Any:
        """The global variable, or the language's own name."""

    def note_deleted(self, name: str) -> None:
        """A global variable was deleted."""

    def import_all(self, module: str) -> None:
        """Bind every name of a module."""

    def run_function(
        self, function: Function, arguments: Sequence[Any], named: dict[str, Any]
    ) -> Any:
        """Run a program's function."""


@public(
    "__name__ __qualname__ __doc__ __module__ __defaults__ __kwdefaults__",
    writes="__name__ __qualname__ __doc__",
    name="function",
    calls=True,
    held=lambda function: function.attributes(),
)
class Function:
    """A function of a program. The machine runs it on its own stack; anybody else may call it as
    any other callable.
    """

    __slots__ = (
        "__name__",
        "__qualname__",
        "__weakref__",
        "arity",
        "cells",
        "code",
        "defaults",
        "doc",
        "held",
        "machine",
        "named_defaults",
        "template",
    )

    def __init__(
        self,
        machine: Runner,
        code: Code,
        defaults: tuple[Any, ...],
        named_defaults: dict[str, Any],
        cells: list[Cell],
    ) -> None:
        self.machine = machine
        self.code = code
        self.defaults = defaults
        self.named_defaults = named_defaults
        self.cells = cells
        self.arity = -1 if not code.simple or code.cells else len(code.positional)
        """Positional arguments that need no binding, or -1."""
        self.template = [*cells, *[UNBOUND] * (len(code.slots) - code.fixed - len(cells))]
        self.__name__ = code.name
        self.__qualname__ = code.qualified_name
        self.doc: Any = code.doc
        self.held: dict[str, Any] | None = None

    @property
    def __doc__(self) -> Any:
        return self.doc

    @__doc__.setter
    def __doc__(self, text: Any) -> None:
        self.doc = text

    @property
    def __module__(self) -> str:  # type: ignore[override]
        return "__main__"

    @property
    def __defaults__(self) -> tuple[Any, ...] | None:
        return self.defaults or None

    @property
    def __kwdefaults__(self) -> dict[str, Any] | None:
        return dict(self.named_defaults) or None

    def attributes(self) -> dict[str, Any]:
        """What the program gave it."""
        if self.held is None:
            self.held = {}
        return self.held

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        return self.machine.run_function(self, arguments, named)

    def named_after(self, other: Any) -> None:
        """Takes the name of another function, whose place it takes."""
        self.__name__ = getattr(other, "__name__", self.__name__)
        self.__qualname__ = getattr(other, "__qualname__", self.__name__)
        self.doc = getattr(other, "doc", self.doc)
        if isinstance(other, Function) and other.held:
            self.attributes().update(other.held)
        self.attributes()["__wrapped__"] = other

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"


def bind(function: Function, arguments: Sequence[Any], named: dict[str, Any]) -> list[Any]:
    """The variables of a call, in slots.

    Raises:
        TypeError: the arguments do not fit; Python's words.
    """
    code = function.code
    positional = code.positional
    given = len(arguments)
    if code.simple and given == len(positional) and not named:
        variables = [*arguments, *function.template]
    else:
        variables = [*fill(function, arguments, named), *function.template]
    for slot in code.cells:
        variables[slot] = Cell(variables[slot])
    return variables


def fill(function: Function, arguments: Sequence[Any], named: dict[str, Any]) -> list[Any]:
    """The values of the parameters, in order."""
    code = function.code
    positional, name = code.positional, f"{code.qualified_name}()"
    count = len(positional)
    values: dict[str, Any] = dict(zip(positional, arguments, strict=False))
    others: dict[str, Any] = {}
    allowed = {*positional[code.positional_only :], *code.keyword_only}
    for key, value in named.items():
        if key not in allowed:
            if code.keywords:
                others[key] = value
                continue
            wrong = [other for other in positional[: code.positional_only] if other in named]
            if wrong:
                raise TypeError(
                    f"{name} got some positional-only arguments passed as keyword arguments: "
                    f"'{', '.join(wrong)}'"
                )
            raise TypeError(f"{name} got an unexpected keyword argument '{key}'")
        if key in values:
            raise TypeError(f"{name} got multiple values for argument '{key}'")
        values[key] = value
    defaults = function.defaults
    if len(arguments) > count and not code.rest:
        raise TypeError(too_many(code, name, len(arguments), len(defaults), named))
    for key, value in zip(positional[count - len(defaults) :], defaults, strict=True):
        values.setdefault(key, value)
    require(name, "positional", [key for key in positional if key not in values])
    for key, value in function.named_defaults.items():
        values.setdefault(key, value)
    require(name, "keyword-only", [key for key in code.keyword_only if key not in values])
    filled = [values[key] for key in positional]
    filled += [values[key] for key in code.keyword_only]
    if code.rest:
        filled.append(tuple(arguments[count:]))
    if code.keywords:
        filled.append(others)
    return filled


def too_many(code: Code, name: str, given: int, defaults: int, named: dict[str, Any]) -> str:
    """Python's words for too many positional arguments."""
    count = len(code.positional)
    takes = f"from {count - defaults} to {count}" if defaults else str(count)
    plural = "" if count == 1 and not defaults else "s"
    extra = sum(key in named for key in code.keyword_only)
    if extra:
        were = (
            f"{given} positional argument{'' if given == 1 else 's'} "
            f"(and {extra} keyword-only argument{'' if extra == 1 else 's'}) were"
        )
    else:
        were = f"{given} {'was' if given == 1 else 'were'}"
    return f"{name} takes {takes} positional argument{plural} but {were} given"


def require(name: str, kind: str, missing: list[str]) -> None:
    """Raise Python's error for arguments that are missing."""
    if not missing:
        return
    quoted = [f"'{key}'" for key in missing]
    if len(quoted) == 1:
        listed = quoted[0]
    elif len(quoted) == 2:
        listed = " and ".join(quoted)
    else:
        listed = f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    plural = "" if len(quoted) == 1 else "s"
    raise TypeError(f"{name} missing {len(quoted)} required {kind} argument{plural}: {listed}")

"""What programs find in Python's `warnings`: warnings of their own, and which are shown."""

from __future__ import annotations

import warnings
from typing import Any, Final

from gradcli.language.allowed.afresh import undone_by
from gradcli.language.allowed.builtins import present, text_of
from gradcli.language.allowed.limits import check_printable
from gradcli.language.allowed.modules import re
from gradcli.tensor.classes import Class, token_of, type_of
from gradcli.tensor.public import public

WARNING: Final = token_of(Warning)
ACTIONS: Final = ("error", "ignore", "always", "default", "module", "once")

_before: list[Any] = []
"""A copy of the filters that stood when a program first changed them."""


def _keep() -> None:
    if not _before:
        _before.append(warnings.filters[:])


def _reset() -> None:
    if _before:
        warnings.filters[:] = _before.pop()  # type: ignore[index]
        warnings._filters_mutated()  # type: ignore[attr-defined]


undone_by(_reset)


def _category(category: Any) -> type[Warning]:
    if type(category) is not Class or not issubclass(category.of, Warning):
        raise TypeError(f"category must be a Warning subclass, not '{category!r}'")
    return category.of


def warn(message: Any, category: Any = None, stacklevel: Any = 1, source: Any = None) -> None:
    """`warnings.warn(message, category)`; where it is shown is where the program runs."""
    kind = UserWarning if category is None else _category(category)
    if not isinstance(message, Warning):
        check_printable(message)
        message = text_of(message)
    warnings.warn(message, kind, stacklevel=2)


def simplefilter(
    action: Any, category: Any = WARNING, lineno: Any = 0, append: Any = False
) -> None:
    """`warnings.simplefilter(action, category)`."""
    filterwarnings(action, "", category, "", lineno, append)


def filterwarnings(
    action: Any,
    message: Any = "",
    category: Any = WARNING,
    module: Any = "",
    lineno: Any = 0,
    append: Any = False,
) -> None:
    """`warnings.filterwarnings(action, message, category)`; all is the program's module.

    Raises:
        ValueError: there is no such action.
    """
    if action not in ACTIONS:
        raise AssertionError(f"invalid action: {action!r}")
    if type(message) is not str:
        raise AssertionError("message must be a string")
    if message:
        re.check_pattern(message)
    _keep()
    warnings.filterwarnings(action, message, _category(category), append=bool(append))


def resetwarnings() -> None:
    """`warnings.resetwarnings()`."""
    _keep()
    warnings.resetwarnings()


@public(
    "category filename lineno line message", name="WarningMessage", label="warnings.WarningMessage"
)
class Recorded:
    """A warning that a program records."""

    __slots__ = ("category", "filename", "line", "lineno", "message")

    def __init__(self, message: Warning) -> None:
        self.message = message
        self.category = type_of(message)
        self.filename = "<program>"
        self.lineno = 0
        self.line = None


@public(name="catch_warnings", label="warnings.catch_warnings")
class Catching:
    """A context after which the filters are what they were before; it may record warnings."""

    __slots__ = ("action", "category", "inner", "record")

    def __init__(self, *, record: Any = False, action: Any = None, category: Any = WARNING) -> None:
        self.record = bool(record)
        self.action = action
        self.category = category
        self.inner: warnings.catch_warnings[Any] | None = None

    def __enter__(self) -> list[Recorded] | None:
        if self.inner is not None:
            raise RuntimeError(f"Cannot enter {self!r} twice")
        self.inner = warnings.catch_warnings()
        self.inner.__enter__()
        if self.action is not None:
            simplefilter(self.action, self.category)
        if not self.record:
            return None
        recorded: list[Recorded] = []

        def show(message: Any, category: Any, *_: Any, **__: Any) -> None:
            recorded.append(Recorded(message))

        warnings.showwarning = show
        return recorded

    def __exit__(self, *error: Any) -> None:
        if self.inner is None:
            raise RuntimeError(f"Cannot exit {self!r} without entering first")
        self.inner.__exit__(*error)


for _function in (warn, simplefilter, filterwarnings, resetwarnings):
    present(_function, _function.__name__)

MEMBERS: Final[dict[str, Any]] = {
    "catch_warnings": token_of(Catching, Catching),
    "filterwarnings": filterwarnings,
    "resetwarnings": resetwarnings,
    "simplefilter": simplefilter,
    "warn": warn,
}
"""By name."""

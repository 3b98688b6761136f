"""What programs find in Python's `contextlib`, with what knows their objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.exceptions import raisable, told
from gradcli.language.allowed.modules import contextlib
from gradcli.language.running import root  # noqa: F401 - what all classes have
from gradcli.language.running.descriptors import StaticMethod
from gradcli.language.running.exceptions import chain, methods_of
from gradcli.language.running.methods import Builtin, invoke
from gradcli.language.running.objects import Instance, fresh, native
from gradcli.tensor.classes import type_of
from gradcli.tensor.guard import is_final
from gradcli.tensor.public import admit, public, supports

Leave = Callable[..., Any]


def new(class_: Any, /, *arguments: Any, **named: Any) -> Instance:
    """A stack with nothing to leave."""
    made = fresh(class_)
    made._native = []
    return made


def enter_context(self: Instance, manager: Any, /) -> Any:
    """Enter a context that is left with the others."""
    enter, leave = methods_of(manager)
    value = invoke(enter)
    self._native.append(lambda *error: invoke(leave, *error))
    return value


def push(self: Instance, manager: Any, /) -> Any:
    """Leave a context with the others, or call a function as if that left one."""
    leave = methods_of(manager)[1] if supports(manager, "__exit__") else admit(manager)
    self._native.append(lambda *error: invoke(leave, *error))
    return manager


def callback(self: Instance, function: Any, /, *arguments: Any, **named: Any) -> Any:
    """Call a function when the contexts are left."""
    admit(function)

    def leave(*error: Any) -> None:
        invoke(function, *arguments, **named)

    self._native.append(leave)
    return function


def pop_all(self: Instance, /) -> Instance:
    """Another stack that leaves the contexts of this one, which does not any more."""
    made = fresh(self._class)
    made._native, self._native = self._native, []
    return made


def leave_all(self: Instance, kind: Any, error: Any, trace: Any, /) -> bool:
    """Leave the contexts, the last first, each with the error that those after it let through."""
    given, raised = error, False
    while self._native:
        leave: Leave = self._native.pop()
        try:
            if error is None:
                leave(None, None, None)
            elif leave(type_of(error), error, trace):
                error, raised = None, False
        except Exception as failure:
            if is_final(failure):
                raise
            if error is not None:
                chain(failure, raisable(error))
            error, raised = told(failure), True
    if raised:
        raise raisable(error)
    return given is not None and error is None


EXIT_STACK: Final = native(
    "ExitStack",
    {
        "__new__": StaticMethod(Builtin(new, "__new__", "ExitStack")),
        "__enter__": lambda self, /: self,
        "__exit__": leave_all,
        "callback": callback,
        "close": lambda self, /: leave_all(self, None, None, None) and None,
        "enter_context": enter_context,
        "pop_all": pop_all,
        "push": push,
    },
    module="contextlib",
)


@public("__name__ __wrapped__", name="function", calls=True)
class Inside:
    """A function each of whose calls is inside a context."""

    __slots__ = ("__name__", "__wrapped__", "context")

    def __init__(self, context: Any, function: Any) -> None:
        self.context = context
        self.__wrapped__ = admit(function)
        self.__name__ = getattr(function, "__name__", "")

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        enter, leave = methods_of(self.context)
        invoke(enter)
        try:
            value = invoke(self.__wrapped__, *arguments, **named)
        except Exception as failure:
            error = told(failure)
            if is_final(failure) or not invoke(leave, type_of(error), error, None):
                raise
            return None
        invoke(leave, None, None, None)
        return value


CONTEXT_DECORATOR: Final = native(
    "ContextDecorator",
    {"__call__": lambda self, function, /: Inside(self, function)},
    module="contextlib",
)
ABSTRACT: Final = native(
    "AbstractContextManager",
    {"__enter__": lambda self, /: self, "__exit__": lambda self, *error: None},
    module="contextlib",
)

MEMBERS: Final[dict[str, Any]] = {
    **contextlib.MEMBERS,
    "AbstractContextManager": ABSTRACT,
    "ContextDecorator": CONTEXT_DECORATOR,
    "ExitStack": EXIT_STACK,
}
"""By name."""

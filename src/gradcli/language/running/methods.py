"""Functions together with the object that they take first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.attributes import attribute
from gradcli.language.running.functions import Function
from gradcli.tensor.classes import Class, token
from gradcli.tensor.public import CALLABLE, REGISTRY, Public, admit, public, word_of


def invoke(function: Any, /, *arguments: Any, **named: Any) -> Any:
    """Call what a program may call."""
    if type(function) is Function:
        return function.machine.run_function(function, arguments, named)
    return admit(function)(*arguments, **named)


@public("__name__ __qualname__", name="wrapper_descriptor", calls=True)
class Builtin:
    """A method that is written in Python, for the classes that programs find; it takes the object
    first.

    Attributes:
        takes: whether a value is an object that the function knows how to treat; None is any.
    """

    __slots__ = ("__name__", "__qualname__", "function", "takes")

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        owner: str,
        takes: Callable[[Any], bool] | None = None,
    ) -> None:
        self.function = function
        self.__name__ = name
        self.__qualname__ = f"{owner}.{name}"
        self.takes = takes

    @property
    def owner(self) -> str:
        """The name of its class."""
        return self.__qualname__.rpartition(".")[0]

    @property
    def is_slot(self) -> bool:
        """Whether Python calls it for an operator or a built-in function."""
        return self.__name__[:2] == "__"

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        if not arguments:
            name, owner = self.__name__, self.owner
            raise TypeError(
                f"descriptor '{name}' of '{owner}' object needs an argument"
                if self.is_slot
                else f"unbound method {self.__qualname__}() needs an argument"
            )
        if self.takes is not None and not self.takes(arguments[0]):
            name, owner, word = self.__name__, self.owner, word_of(arguments[0])
            raise TypeError(
                f"descriptor '{name}' requires a '{owner}' object but received a '{word}'"
                if self.is_slot
                else f"descriptor '{name}' for '{owner}' objects doesn't apply to a '{word}' object"
            )
        return self.function(*arguments, **named)

    def __repr__(self) -> str:
        what = "slot wrapper" if self.is_slot else "method"
        return f"<{what} '{self.__name__}' of '{self.owner}' objects>"


class Method:
    """A function together with the object that it takes first."""

    __slots__ = ("__func__", "__self__", "__weakref__")

    def __init__(self, function: Any, of: Any) -> None:
        self.__func__ = function
        self.__self__ = of

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        return invoke(self.__func__, self.__self__, *arguments, **named)

    def __eq__(self, other: object) -> bool:
        if type(other) is not Method:
            return NotImplemented
        return self.__self__ is other.__self__ and self.__func__ is other.__func__

    def __hash__(self) -> int:
        return hash((id(self.__self__), id(self.__func__)))

    def __repr__(self) -> str:
        if type(self.__func__) is Builtin:
            name = self.__func__.__name__
            what, of = word_of(self.__self__), id(self.__self__)
            return f"<method-wrapper '{name}' of {what} object at {of:#x}>"
        name = getattr(self.__func__, "__qualname__", "?")
        return f"<bound method {name} of {self.__self__!r}>"


class MethodModel:
    """What answers for the names of methods: their functions do, but for what makes them one."""

    def read(self, value: Method, name: str) -> Any:
        if name == "__class__":
            return self.kind(value)
        if name in ("__self__", "__func__"):
            return getattr(value, name)
        return attribute(value.__func__, name)

    def write(self, value: Method, name: str, new: Any) -> None:
        raise AttributeError(f"'method' object has no attribute '{name}'")

    def delete(self, value: Method, name: str) -> None:
        raise AttributeError(f"'method' object has no attribute '{name}'")

    def names(self, value: Method) -> list[str]:
        return ["__func__", "__self__"]

    def kind(self, value: Method) -> Class:
        return METHOD

    def supports(self, value: Method, method: str) -> bool:
        return method == "__call__"


METHOD: Final = token("method", Method)
REGISTRY[Method] = Public(name="method", label="method", model=MethodModel())
CALLABLE.add(Method)

"""What a program holds in the place of a class.

`type(x)`, `int` and `torch.Tensor` are tokens: they can be compared, hashed, printed and asked
about, and called where something was entered to be called. No program ever holds a class of Python,
so none reaches a metaclass, bases, or a constructor that nobody has listed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

from gradcli.tensor.public import REGISTRY, Public, label_of, public


@public("__name__", name="type", label="type", calls=True)
class Class:
    """A class as programs see it; one object per label, so that `is` and `==` compare classes.

    Attributes:
        label: what is printed: `torch.Tensor`, `MulBackward0`, `int`.
        of: the class behind it; objects of several classes may print one label.
        build: what a call runs, or None.
        wide: whether the objects of all narrower classes are of it.
        base: a class of Python from which it is derived there, or None.
    """

    __slots__ = ("__name__", "base", "build", "label", "of", "wide")

    def __init__(self, label: str, of: type) -> None:
        self.label = label
        self.of = of
        self.build: Callable[..., Any] | None = None
        self.wide = False
        self.base: type | None = None
        self.__name__ = label if label.startswith("torch.return") else label.rpartition(".")[2]

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        return self.builder()(*arguments, **named)

    def builder(self) -> Callable[..., Any]:
        """What a call runs.

        Raises:
            TypeError: nothing.
        """
        if self.build is None:
            raise TypeError(f"cannot create '{self.label}' instances")
        return self.build

    def has(self, value: Any) -> bool:
        """Whether a value is of the class: `isinstance(value, token)`."""
        kind = type_of(value)
        if kind is self or kind.derives(self):
            return True
        return (self.wide or not self._shared()) and isinstance(value, self.of)

    def derives(self, other: Class) -> bool:
        """Whether `other` is among the bases of the class."""
        return self.base is not None and other.of is self.base

    def _shared(self) -> bool:
        """Whether the class behind the token goes by several labels."""
        entry = REGISTRY.get(self.of)
        return entry is not None and (callable(entry.label) or callable(entry.name))

    def __repr__(self) -> str:
        return f"<class '{self.label}'>"


_TOKENS: Final[dict[str, Class]] = {}


def type_of(value: Any) -> Class:
    """`type(value)`."""
    kind = type(value)
    entry = REGISTRY.get(kind)
    if entry is not None:
        kind_of = entry.kind if entry.model is None else entry.model.kind
        if kind_of is not None:
            found: Class = kind_of(value)
            return found
    return token(label_of(value), kind)


def token_of(class_: type, build: Callable[..., Any] | None = None) -> Class:
    """The token of a class that goes by one label.

    `build`: what a call of it runs from now on.
    """
    entry = REGISTRY.get(class_)
    label = "" if entry is None else entry.label or entry.name
    found = token(label if isinstance(label, str) and label else class_.__name__, class_)
    if build is not None:
        found.build = build
    return found


def token(label: str, class_: type) -> Class:
    """The token with a label."""
    found = _TOKENS.get(label)
    if found is None:
        found = _TOKENS[label] = Class(label, class_)
    return found


def _function(value: Any) -> str:
    """Functions of ours stand for many that Python has built in."""
    built_in = getattr(value, "__module__", None) in ("builtins", "math")
    return "builtin_function_or_method" if built_in else "function"


def _method(value: Any) -> str:
    """Guards are bound to Python's own values, hooks and names to the engine's."""
    return "method" if type(value.__self__) in REGISTRY else "builtin_function_or_method"


REGISTRY[FunctionType] = Public(("__name__",), label=_function)
REGISTRY[BuiltinFunctionType] = Public(("__name__",))
REGISTRY[MethodType] = Public((), label=_method)

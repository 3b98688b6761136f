"""What a class of a program holds that is more than a value when it is read through a dot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.language.running.functions import Function
from gradcli.language.running.methods import Method, invoke
from gradcli.tensor.classes import token_of
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.public import REGISTRY, Public, public, word_of


class Descriptor:
    """What gives something else when it is read through an object or a class.

    Attributes:
        data: whether an object's own value of the name is not asked first.
    """

    __slots__ = ()
    data = False

    def get(self, instance: Any, owner: Any) -> Any:
        """What is read through `instance`, or, where that is None, through its class `owner`."""
        raise NotImplementedError

    def set(self, instance: Any, value: Any) -> None:
        """`instance.name = value`."""
        raise NotImplementedError

    def delete(self, instance: Any) -> None:
        """`del instance.name`."""
        raise NotImplementedError


class GetSet(Descriptor):
    """An attribute of a class that is written in Python."""

    __slots__ = ("change", "name", "of")
    data = True

    def __init__(
        self,
        name: str,
        of: Callable[[Any], Any],
        change: Callable[[Any, Any], None] | None = None,
    ) -> None:
        self.name = name
        self.of = of
        self.change = change

    def get(self, instance: Any, owner: Any) -> Any:
        return None if instance is None else self.of(instance)

    def set(self, instance: Any, value: Any) -> None:
        if self.change is None:
            raise AttributeError(
                f"attribute '{self.name}' of '{word_of(instance)}' objects is not writable"
            )
        self.change(instance, value)

    def delete(self, instance: Any) -> None:
        raise AttributeError(f"attribute '{self.name}' cannot be deleted")


class Member(Descriptor):
    """A name that a class lists in its `__slots__`."""

    __slots__ = ("name", "owner")
    data = True

    def __init__(self, name: str, owner: Any) -> None:
        self.name = name
        self.owner = owner

    def get(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        if self.name not in instance._values:
            raise AttributeError(
                f"'{instance._class.__name__}' object has no attribute '{self.name}'"
            )
        return instance._values[self.name]

    def set(self, instance: Any, value: Any) -> None:
        instance._values[self.name] = value

    def delete(self, instance: Any) -> None:
        if self.name not in instance._values:
            raise AttributeError(self.name)
        del instance._values[self.name]

    def __repr__(self) -> str:
        return f"<member '{self.name}' of '{self.owner.__name__}' objects>"


REGISTRY[Member] = Public(name="member_descriptor", label="member_descriptor")


@public("fget fset fdel getter setter deleter __doc__", name="property")
class Property(Descriptor):
    """`property(fget, fset, fdel, doc)`."""

    __slots__ = ("doc", "fdel", "fget", "fset", "name")
    data = True

    def __init__(self, fget: Any = None, fset: Any = None, fdel: Any = None, doc: Any = None):
        self.fget = fget
        self.fset = fset
        self.fdel = fdel
        self.name = ""
        self.doc = fget.__doc__ if doc is None and isinstance(fget, Function) else doc

    @property
    def __doc__(self) -> Any:  # type: ignore[override]
        return self.doc

    def getter(self, function: Any, /) -> Property:
        """The same with another function that reads."""
        return Property(function, self.fset, self.fdel)

    def setter(self, function: Any, /) -> Property:
        """The same with another function that sets."""
        return Property(self.fget, function, self.fdel)

    def deleter(self, function: Any, /) -> Property:
        """The same with another function that deletes."""
        return Property(self.fget, self.fset, function)

    def get(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        return invoke(self.chosen(self.fget, instance, "getter"), instance)

    def set(self, instance: Any, value: Any) -> None:
        invoke(self.chosen(self.fset, instance, "setter"), instance, value)

    def delete(self, instance: Any) -> None:
        invoke(self.chosen(self.fdel, instance, "deleter"), instance)

    def chosen(self, function: Any, instance: Any, what: str) -> Any:
        """One of the three functions.

        Raises:
            AttributeError: there is none; Python's words.
        """
        if function is None:
            name = f"property '{self.name}'" if self.name else "property"
            raise AttributeError(f"{name} of '{instance._class.__qualname__}' object has no {what}")
        return function


class Wrapping(Descriptor):
    """A descriptor around a function."""

    __slots__ = ("__func__",)

    def __init__(self, function: Any, /) -> None:
        self.__func__ = function

    def __repr__(self) -> str:
        return without_addresses(f"<{type(self).__name__}({self.__func__!r})>")


@public("__func__", name="staticmethod", calls=True)
class StaticMethod(Wrapping):
    """`staticmethod(function)`."""

    __slots__ = ()

    def get(self, instance: Any, owner: Any) -> Any:
        return self.__func__

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        return invoke(self.__func__, *arguments, **named)


@public("__func__", name="classmethod")
class ClassMethod(Wrapping):
    """`classmethod(function)`."""

    __slots__ = ()

    def get(self, instance: Any, owner: Any) -> Any:
        return Method(self.__func__, owner)


@public("func attrname", name="functools.cached_property")
class CachedProperty(Descriptor):
    """`functools.cached_property(function)`."""

    __slots__ = ("attrname", "func")

    def __init__(self, function: Any, /) -> None:
        self.func = function
        self.attrname: str | None = None

    def get(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return self
        if self.attrname is None:
            raise TypeError(
                "Cannot use cached_property instance without calling __set_name__ on it."
            )
        value = invoke(self.func, instance)
        instance._values[self.attrname] = value
        return value


DESCRIPTORS: Final = frozenset(
    (GetSet, Member, Property, StaticMethod, ClassMethod, CachedProperty)
)

BUILTINS: Final[dict[str, Any]] = {
    "property": token_of(Property, Property),
    "staticmethod": token_of(StaticMethod, StaticMethod),
    "classmethod": token_of(ClassMethod, ClassMethod),
}
"""By the names that programs use."""
CACHED_PROPERTY: Final = token_of(CachedProperty, CachedProperty)

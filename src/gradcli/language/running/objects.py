"""Classes of a program, and their objects.

No class of Python is made of a program's text: an object is an `Instance`, whatever its class, and
the class a record of names. What Python's own code asks of an object (`sorted`, `print`, a dict)
goes through the methods of `gradcli.language.running.protocols` back to the machine, where all
limits hold.

A class that programs derive theirs from may be one of ours, which is a record as well: its names
are `Builtin` methods (see `native`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from gradcli.language.allowed.afresh import undone_by
from gradcli.language.allowed.attributes import INHERITED
from gradcli.language.allowed.limits import bounded
from gradcli.language.running.descriptors import DESCRIPTORS, Member, StaticMethod
from gradcli.language.running.functions import Function, Runner
from gradcli.language.running.methods import Builtin, Method, invoke
from gradcli.language.running.protocols import WORD, Operators
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.public import CALLABLE, REGISTRY, word_of

ABSENT: Final[Any] = object()
"""What a class's names lack."""

MAX_CACHED: Final = 4096
"""Names of a class that are remembered."""

BINDING: Final = frozenset(("function", "functools._lru_cache_wrapper"))
"""What the classes are called whose objects take an object of the class that holds them first."""

_MISSING: Final[Any] = object()
_NOTHING: Final[dict[str, Any]] = {}


class Instance(Operators):
    """An object of a program's class.

    Attributes:
        _class: its class.
        _values: what it holds, by name.
        _native: what a class of ours keeps with it.
    """

    __slots__ = ("__weakref__", "_class", "_native", "_values")

    _class: ProgramClass
    _values: dict[str, Any]
    _native: Any


Instance.__name__ = WORD


def make(class_: ProgramClass) -> Instance:
    """A new object, as `object.__new__(class_)` makes it."""
    made = Instance()
    made._class = class_
    made._values = {}
    made._native = None
    return made


class ProgramClass(Class):
    """A class that a program defines, or finds to derive from.

    Attributes:
        names: what its body binds.
        mro: the classes in which names are looked for, itself first.
        slots: the only names that its objects may hold, or None.
        abstract: names of methods that are yet to be written.
        subclasses: the program's classes that are derived from it, in the order of their making.
        fixed: whether it is not the program's own.
        checked: whether abstract methods keep it from having objects, as `ABCMeta` does.
        calling: what calling it runs in the place of making an object.
        extra: what decorators of ours keep with it.
        items: what `class[name]`, `len(class)` and the like look at, or None.
        noun: what it is called where it is printed.
        machine: what runs its program.
    """

    checked: bool

    __slots__ = (
        "__qualname__",
        "__weakref__",
        "abstract",
        "bases",
        "cache",
        "calling",
        "checked",
        "extra",
        "fixed",
        "items",
        "machine",
        "module",
        "mro",
        "names",
        "noun",
        "slots",
        "special_names",
        "subclasses",
    )

    def __init__(
        self,
        name: str,
        bases: Sequence[Class],
        names: dict[str, Any],
        module: str = "__main__",
        qualified: str = "",
        fixed: bool = False,
        machine: Runner | None = None,
    ) -> None:
        self.machine = machine
        self.noun = "class"
        self.__qualname__ = qualified or name
        self.module = module
        label = self.__qualname__ if module == "builtins" else f"{module}.{self.__qualname__}"
        super().__init__(label, Instance)
        self.__name__ = name
        self.build = self.__call__
        self.bases = tuple(bases)
        self.names = names
        self.fixed = fixed
        self.extra: dict[str, Any] = {}
        self.cache: dict[str, Any] = {}
        self.special_names: dict[str, Any] = {}
        self.subclasses: WeakValueDictionary[int, ProgramClass] = WeakValueDictionary()
        if fixed:
            undone_by(self.subclasses.clear)
        self.calling: Callable[..., Any] | None = None
        self.items: Mapping[str, Any] | None = None
        self.checked = any(base.checked for base in bases if isinstance(base, ProgramClass))
        self.abstract: frozenset[str] = frozenset()
        self.mro: tuple[Class, ...] = (self, *merged([*map(mro_of, bases), list(bases)]))
        self.slots = slots_of(self.mro)
        self.add_members(listed_slots(names))
        for base in bases:
            if isinstance(base, ProgramClass):
                if not fixed:
                    base.subclasses[id(self)] = self
                self.calling = self.calling or base.calling

    def add_members(self, listed: Iterable[Any]) -> None:
        """Bind the names in `__slots__` to what reads them.

        Raises:
            ValueError: one has a value already.
        """
        for name in listed:
            if name in ("__dict__", "__weakref__"):
                continue
            if name in self.names:
                raise ValueError(f"{name!r} in __slots__ conflicts with class variable")
            self.names[name] = Member(name, self)

    def restrict(self, names: list[str]) -> None:
        """Let its objects hold these names only, whatever the class bound to them."""
        for name in names:
            self.names.pop(name, None)
        self.change("__slots__", tuple(names))
        self.add_members(names)
        self.slots = slots_of(self.mro)

    def find(self, name: str) -> Any:
        """What the class, or one that it is derived from, binds to a name, or `ABSENT`."""
        found = self.cache.get(name, _MISSING)
        if found is _MISSING:
            found = look_through(self.mro, name)
            if len(self.cache) < MAX_CACHED:
                self.cache[name] = found
        return found

    def special(self, name: str) -> Any:
        """The same of what `object` does not have already, or None."""
        found = self.special_names.get(name, _MISSING)
        if found is _MISSING:
            found = look_through(self.mro[:-1], name)
            self.special_names[name] = found = None if found is ABSENT else found
        return found

    def bind(self, found: Any, instance: Any) -> Any:
        """What the class binds to a name, as its object finds it."""
        return bound(found, instance, self)

    def derives(self, other: Class) -> bool:
        return other in self.mro

    def has(self, value: Any) -> bool:
        return self is OBJECT or (type(value) is Instance and self in value._class.mro)

    def change(self, name: str, value: Any) -> None:
        """`class.name = value`, or, of `ABSENT`, `del class.name`."""
        if value is ABSENT:
            del self.names[name]
        else:
            self.names[name] = value
        waiting = [self]
        while waiting:
            class_ = waiting.pop()
            class_.cache.clear()
            class_.special_names.clear()
            waiting += class_.subclasses.values()

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        if self.calling is not None:
            return self.calling(self, *arguments, **named)
        return construct(self, *arguments, **named)

    def __iter__(self) -> Any:
        return iter(list(self.members("is not iterable").values()))

    def __reversed__(self) -> Any:
        return reversed(list(self.members("is not reversible").values()))

    def __len__(self) -> int:
        return len(self.members("has no len()", "object of type 'type'"))

    def __getitem__(self, name: Any) -> Any:
        method = self.special("__class_getitem__")
        if method is not None:
            return invoke(bound(method, None, self), name)
        return self.members("is not subscriptable", f"type '{self.__name__}'")[name]

    def __contains__(self, value: Any) -> bool:
        return value in self.members("is not iterable", "argument of type 'type'").values()

    def members(self, problem: str, what: str = "'type' object") -> Mapping[str, Any]:
        """What the class holds as a collection.

        Raises:
            TypeError: it is none.
        """
        if self.items is None:
            raise TypeError(f"{what} {problem}")
        return self.items

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{self.noun} '{self.label if self.noun == 'class' else self.__name__}'>"


def look_through(classes: Iterable[Class], name: str) -> Any:
    """What the first of the classes that binds a name binds to it, or `ABSENT`."""
    for class_ in classes:
        names = names_in(class_)
        if name in names:
            return names[name]
    return ABSENT


def names_in(class_: Class) -> dict[str, Any]:
    """The names that a class itself binds."""
    names: dict[str, Any] | None = getattr(class_, "names", None)
    return INHERITED.get(class_.of, _NOTHING) if names is None else names


def mro_of(class_: Class) -> list[Class]:
    """The order in which a class's names are looked for."""
    if isinstance(class_, ProgramClass):
        return list(class_.mro)
    bases = class_.of.__mro__[1:]
    return [class_, *(token_of(each) for each in bases if each is not object), OBJECT]


def merged(orders: list[list[Class]]) -> list[Class]:
    """One order that agrees with all of these (C3).

    Raises:
        TypeError: there is none.
    """
    bases = orders[-1]
    found: list[Class] = []
    while orders := [order for order in orders if order]:
        for order in orders:
            first = order[0]
            if not any(first in other[1:] for other in orders):
                break
        else:
            names = ", ".join(base.__name__ for base in bases)
            raise TypeError(
                f"Cannot create a consistent method resolution\norder (MRO) for bases {names}"
            )
        found.append(first)
        orders = [order[1:] if order[0] is first else order for order in orders]
    return found


def slots_of(mro: Sequence[Class]) -> frozenset[str] | None:
    """The only names that objects may hold, or None where a class does not restrict them."""
    names: set[str] = set()
    for class_ in mro[:-1]:
        names.update(listed_slots(names_in(class_), ("__dict__",)))
    return None if "__dict__" in names else frozenset(names)


def listed_slots(names: Mapping[str, Any], default: Sequence[str] = ()) -> list[str]:
    """What a class that binds these names has in its `__slots__`.

    Raises:
        TypeError: something else than names.
    """
    listed = names.get("__slots__", default)
    found = [listed] if isinstance(listed, str) else list(bounded(listed))
    for name in found:
        if not isinstance(name, str):
            raise TypeError(f"__slots__ items must be strings, not '{word_of(name)}'")
    return found


def construct(class_: ProgramClass, /, *arguments: Any, **named: Any) -> Any:
    """`class_(*arguments, **named)`."""
    new = class_.special("__new__")
    if new is None:
        if (arguments or named) and class_.special("__init__") is None:
            raise TypeError(f"{class_.__name__}() takes no arguments")
        made = fresh(class_)
    else:
        new = new.__func__ if type(new) is StaticMethod else new
        made = invoke(new, class_, *arguments, **named)
        if not class_.has(made):
            return made
    initialise = made._class.special("__init__")
    if initialise is None:
        return made
    answer = invoke(bound(initialise, made, class_), *arguments, **named)
    if answer is not None:
        raise TypeError(f"__init__() should return None, not '{word_of(answer)}'")
    return made


def fresh(class_: ProgramClass) -> Instance:
    """A new object, unless methods of the class are yet to be written.

    Raises:
        TypeError: they are.
    """
    if class_.abstract and class_.checked:
        names = sorted(class_.abstract)
        plural = "s" if len(names) > 1 else ""
        raise TypeError(
            f"Can't instantiate abstract class {class_.__name__} with abstract "
            f"method{plural} {', '.join(names)}"
        )
    return make(class_)


def bound(found: Any, instance: Any, owner: ProgramClass) -> Any:
    """What a class binds to a name, read through an object of it or, of None, through itself."""
    kind = type(found)
    if kind is Function or kind is Builtin:
        return found if instance is None else Method(found, instance)
    if kind in DESCRIPTORS:
        return found.get(instance, owner)
    if kind is Instance:
        getter = found._class.special("__get__")
        if getter is not None:
            return invoke(getter, found, instance, owner)
    if instance is not None and kind in REGISTRY and REGISTRY[kind].name in BINDING:
        return Method(found, instance)
    return found


def own_method(instance: Instance, name: str) -> Any:
    """A method that Python asks for, which the class of an object has."""
    return bound(instance._class.special(name), instance, instance._class)


def is_data(found: Any) -> bool:
    """Whether what a class binds to a name comes before what its objects hold."""
    kind = type(found)
    if kind in DESCRIPTORS:
        return bool(found.data)
    return kind is Instance and any(
        found._class.special(name) is not None for name in ("__set__", "__delete__")
    )


def read(instance: Instance, name: str) -> Any:
    """`instance.name`, as `object.__getattribute__` reads it.

    Raises:
        AttributeError: there is no such attribute.
    """
    class_ = instance._class
    found = class_.find(name)
    values = instance._values
    if found is ABSENT:
        if name in values:
            return values[name]
        raise lacks(instance, name)
    if name in values and not is_data(found):
        return values[name]
    return bound(found, instance, class_)


def write(instance: Instance, name: str, value: Any) -> None:
    """`instance.name = value`, as `object.__setattr__` sets it."""
    class_ = instance._class
    found = class_.find(name)
    if found is not ABSENT and is_data(found):
        if type(found) is not Instance:
            found.set(instance, value)
            return
        setter = found._class.special("__set__")
        if setter is None:
            raise AttributeError("__set__")
        invoke(setter, found, instance, value)
        return
    if class_.slots is not None and name not in class_.slots:
        raise lacks(instance, name, found)
    instance._values[name] = value


def delete(instance: Instance, name: str) -> None:
    """`del instance.name`, as `object.__delattr__` deletes it."""
    found = instance._class.find(name)
    if found is not ABSENT and is_data(found):
        if type(found) is not Instance:
            found.delete(instance)
            return
        deleter = found._class.special("__delete__")
        if deleter is None:
            raise AttributeError("__delete__")
        invoke(deleter, found, instance)
        return
    if name not in instance._values:
        raise lacks(instance, name)
    del instance._values[name]


def lacks(instance: Instance, name: str, found: Any = ABSENT) -> AttributeError:
    """Python's error for an attribute that an object has not, or that is its class's alone."""
    begin = f"'{instance._class.__name__}' object"
    if found is not ABSENT:
        return AttributeError(f"{begin} attribute '{name}' is read-only")
    return AttributeError(f"{begin} has no attribute '{name}'", name=name, obj=instance)


def native(
    name: str,
    methods: Mapping[str, Any],
    bases: Sequence[Class] = (),
    module: str = "builtins",
) -> ProgramClass:
    """A class of ours that programs may derive from.

    Args:
        name: without its module.
        methods: what it binds to names: functions become methods, which take the object first (its
            own data is in `_native`); descriptors stay what they are. A `StaticMethod` `__new__`
            makes objects, `__setattr__` and `__call__` are what those of a program's class would
            be, and a `ClassMethod` `__init_subclass__` is told of each class derived from it.
        bases: other such classes; by default `object`.
    """
    names = {
        key: Builtin(value, key, name) if type(value) is _FUNCTION else value
        for key, value in methods.items()
    }
    made = ProgramClass(name, bases or (OBJECT,), names, module, fixed=True)
    for each in names.values():
        if type(each) is Builtin:
            each.takes = made.has
    return made


_FUNCTION: Final = type(native)
CALLABLE.update((Instance, ProgramClass))
OBJECT: Final = ProgramClass("object", (), {}, "builtins", fixed=True)
"""`object`, from which all are derived; its names come from `gradcli.language.running.root`."""

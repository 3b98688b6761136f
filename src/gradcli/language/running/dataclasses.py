"""What programs find in Python's `dataclasses`.

The methods that a dataclass gets are functions of the language's machine, whose only instruction
calls one of Python's here; so arguments are bound, and errors about them worded, as those of any
other method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, Final, NamedTuple

from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import check_items, check_printable, check_text
from gradcli.language.running import objects
from gradcli.language.running.code import OTHER, RETURN, UNBOUND, Code
from gradcli.language.running.functions import Function, Runner
from gradcli.language.running.methods import Builtin, invoke
from gradcli.language.running.models import InstanceModel
from gradcli.language.running.objects import Instance, ProgramClass
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.identity import hash_of, without_addresses
from gradcli.tensor.public import public, word_of

Stack = list[Any]


@public(name="dataclasses._MISSING_TYPE")
class Missing:
    """What a field without a default has in its place."""

    __slots__ = ()


@public(name="dataclasses._HAS_DEFAULT_FACTORY_CLASS")
class Made:
    """The default of an argument whose field has a factory."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<factory>"


MISSING: Final = Missing()
MADE: Final = Made()
KW_ONLY: Final = "KW_ONLY"


@public(
    "name type default default_factory init repr hash compare metadata kw_only",
    name="dataclasses.Field",
)
class Field:
    """`dataclasses.field(...)`, and what `fields()` gives."""

    __slots__ = (
        "compare",
        "default",
        "default_factory",
        "hash",
        "init",
        "kw_only",
        "metadata",
        "name",
        "pseudo",
        "repr",
        "type",
    )

    def __init__(
        self,
        *,
        default: Any = MISSING,
        default_factory: Any = MISSING,
        init: bool = True,
        repr: bool = True,
        hash: Any = None,
        compare: bool = True,
        metadata: Any = None,
        kw_only: Any = MISSING,
    ) -> None:
        if default is not MISSING and default_factory is not MISSING:
            raise ValueError("cannot specify both default and default_factory")
        self.name = ""
        self.type = ""
        self.default = default
        self.default_factory = default_factory
        self.init = init
        self.repr = repr
        self.hash = hash
        self.compare = compare
        self.metadata = {} if metadata is None else metadata
        self.kw_only = kw_only
        self.pseudo = False

    @property
    def needed(self) -> bool:
        """Whether an argument must be given."""
        return self.default is MISSING and self.default_factory is MISSING


class Options(NamedTuple):
    """What `@dataclass` was told."""

    init: bool = True
    repr: bool = True
    eq: bool = True
    order: bool = False
    unsafe_hash: bool = False
    frozen: bool = False
    match_args: bool = True
    kw_only: bool = False
    slots: bool = False
    weakref_slot: bool = False


def field(**options: Any) -> Field:
    """`dataclasses.field(...)`."""
    return Field(**options)


def dataclass(class_: Any = None, /, **options: Any) -> Any:
    """`@dataclass`, with and without options."""
    for name in options:
        if name not in Options._fields:
            raise TypeError(f"dataclass() got an unexpected keyword argument '{name}'")
    chosen = Options(**options)
    if class_ is not None:
        return process(class_, chosen)

    def decorate(class_: Any, /) -> Any:
        return process(class_, chosen)

    present(decorate, "wrap")
    return decorate


def process(class_: Any, options: Options) -> ProgramClass:
    """Give a class its fields and their methods."""
    if not isinstance(class_, ProgramClass) or class_.fixed:
        raise TypeError(f"dataclass() takes a class of the program, not '{word_of(class_)}'")
    check_frozen(class_, options)
    found = collect(class_, options)
    class_.extra[FIELDS] = found
    if options.init:
        class_.change("__init__", UNBOUND)
    class_.extra[PARAMETERS] = options
    fields = [each for each in found.values() if not each.pseudo]
    add = Adder(class_)
    if options.init:
        add.initialiser(list(found.values()), options)
    if options.repr:
        add("__repr__", lambda self: shown(self, [each.name for each in fields if each.repr]))
    compared = [each.name for each in fields if each.compare]
    if options.eq:
        add("__eq__", lambda self, other: equal(self, other, compared), ["self", "other"])
    if options.order:
        if not options.eq:
            raise ValueError("eq must be true if order is true")
        for name, symbol in ORDERS.items():
            if name in class_.names:
                raise TypeError(
                    f"Cannot overwrite attribute {name} in class {class_.__name__}. "
                    "Consider using functools.total_ordering"
                )
            add(name, ordering(compared, symbol), ["self", "other"])
    if options.frozen:
        freeze(class_, {each.name for each in fields})
    hashed = [each.name for each in fields if (each.compare if each.hash is None else each.hash)]
    own_hash = class_.names.get("__hash__")
    explicit = own_hash is not None
    if options.unsafe_hash and explicit:
        raise TypeError(f"Cannot overwrite attribute __hash__ in class {class_.__name__}")
    if options.unsafe_hash or (options.eq and options.frozen and not explicit):
        class_.change("__hash__", UNBOUND)
        add("__hash__", lambda self: hash_of(values_of(self, hashed)))
    elif options.eq and not options.frozen and not explicit:
        class_.change("__hash__", None)
    if options.slots:
        class_.restrict([name for name in found if name in class_.names["__annotations__"]])
    if class_.names.get("__doc__") is None:
        class_.change("__doc__", described(class_, found.values()))
    positional = [each.name for each in found.values() if each.init and not each.kw_only]
    class_.change("__match_args__", tuple(positional))
    return class_


def described(class_: ProgramClass, fields: Iterable[Field]) -> str:
    """The documentation of a class that has none: how it is called."""
    texts = []
    star = False
    for each in sorted((each for each in fields if each.init), key=lambda each: each.kw_only):
        if each.kw_only and not star:
            star = True
            texts.append("*")
        default = MADE if each.default is MISSING else each.default
        texts.append(f"{each.name}: {each.type}" + ("" if each.needed else f" = {default!r}"))
    return without_addresses(f"{class_.__name__}({', '.join(texts)})")


FIELDS: Final = "fields"
PARAMETERS: Final = "options"
ORDERS: Final = {"__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">="}


def check_frozen(class_: ProgramClass, options: Options) -> None:
    """Refuse to mix dataclasses that change with those that do not."""
    for base in class_.mro[1:]:
        known = base.extra.get(PARAMETERS) if isinstance(base, ProgramClass) else None
        if known is not None and known.frozen is not options.frozen:
            if options.frozen:
                raise TypeError("cannot inherit frozen dataclass from a non-frozen one")
            raise TypeError("cannot inherit non-frozen dataclass from a frozen one")


def collect(class_: ProgramClass, options: Options) -> dict[str, Field]:
    """The fields of a class by name, those of its bases first."""
    found: dict[str, Field] = {}
    for base in reversed(class_.mro[1:]):
        if isinstance(base, ProgramClass):
            found.update(base.extra.get(FIELDS, {}))
    keyword_only = options.kw_only
    annotations = class_.names.get("__annotations__", {})
    for name, text in annotations.items() if type(annotations) is dict else ():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError("the annotations of a dataclass are names and texts")
        kind = text.strip("'\"").partition("[")[0].rpartition(".")[2]
        if kind == KW_ONLY:
            keyword_only = True
            continue
        if kind == "ClassVar":
            continue
        default = class_.find(name)
        default = MISSING if default is objects.ABSENT else default
        made = default if isinstance(default, Field) else Field(default=default)
        made.name, made.type, made.pseudo = name, text, kind == "InitVar"
        if made.kw_only is MISSING:
            made.kw_only = keyword_only
        if made is default and made.default is not MISSING:
            class_.change(name, made.default)
        elif made is default:
            class_.change(name, objects.ABSENT)
        if type(made.default) in (list, dict, set):
            raise ValueError(
                f"mutable default <class '{type(made.default).__name__}'> for field {name} is not "
                "allowed: use default_factory"
            )
        if type(made.default) is Instance and made.default._class.find("__hash__") is None:
            raise ValueError(
                f"mutable default {made.default._class!r} for field {name} is not "
                "allowed: use default_factory"
            )
        found[name] = made
    for name, value in class_.names.items():
        if isinstance(value, Field) and name not in annotations:
            raise TypeError(f"{name!r} is a field but has no type annotation")
    return found


def run(machine: Runner, stack: Stack, variables: Stack, function: Callable[..., Any]) -> None:
    """The instruction of a dataclass's methods, which take the object first."""
    if type(variables[0]) is not Instance:
        raise TypeError(f"a method of a dataclass takes its object, not '{word_of(variables[0])}'")
    stack.append(function(*variables))


class Adder:
    """Adds methods to a class."""

    def __init__(self, class_: ProgramClass) -> None:
        self.class_ = class_
        assert class_.machine is not None
        self.machine = class_.machine

    def __call__(
        self,
        name: str,
        function: Callable[..., Any],
        parameters: list[str] | None = None,
        keyword_only: tuple[str, ...] = (),
        defaults: dict[str, Any] | None = None,
    ) -> None:
        """Add a method, unless the class's body has one of that name."""
        if self.class_.names.get(name, UNBOUND) is not UNBOUND:
            return
        given = parameters or ["self"]
        defaults = defaults or {}
        code = Code(f"{self.class_.__qualname__}.{name}", "", "", None)
        code.positional = given
        code.keyword_only = list(keyword_only)
        code.simple = not keyword_only
        code.slots = [*given, *keyword_only]
        code.fixed = len(code.slots)
        code.instructions = [(OTHER, (run, function)), (RETURN, None)]
        code.starts = code.ends = [0, 0]
        made = Function(
            self.machine,
            code,
            tuple(defaults[key] for key in given if key in defaults),
            {key: defaults[key] for key in keyword_only if key in defaults},
            [],
        )
        made.__name__ = name
        self.class_.change(name, made)

    def initialiser(self, fields: list[Field], options: Options) -> None:
        """Add `__init__`."""
        given = [each for each in fields if each.init and not each.kw_only]
        named = [each for each in fields if each.init and each.kw_only]
        seen = ""
        for each in given:
            if not each.needed:
                seen = each.name
            elif seen:
                raise TypeError(f"non-default argument {each.name!r} follows default argument")
        defaults = {
            each.name: MADE if each.default is MISSING else each.default
            for each in fields
            if not each.needed
        }
        after = self.class_.find("__post_init__") is not objects.ABSENT
        names = [each.name for each in (*given, *named)]

        def initialise(self: Instance, *values: Any) -> None:
            held = dict(zip(names, values, strict=True))
            extra: list[Any] = []
            for each in fields:
                value = held.get(each.name, each.default)
                if value is MADE or (not each.init and each.default_factory is not MISSING):
                    value = invoke(each.default_factory)
                if each.pseudo:
                    extra.append(value)
                elif value is not MISSING:
                    if options.frozen:
                        objects.write(self, each.name, value)
                    elif each.init or options.slots or each.default_factory is not MISSING:
                        MODEL.write(self, each.name, value)
            if after:
                invoke(MODEL.read(self, "__post_init__"), *extra)

        self(
            "__init__",
            initialise,
            ["self", *(each.name for each in given)],
            tuple(each.name for each in named),
            defaults,
        )


MODEL: Final = InstanceModel()


def values_of(self: Instance, names: list[str]) -> tuple[Any, ...]:
    """The values of fields."""
    return tuple([MODEL.read(self, name) for name in names])


_shown: set[int] = set()


def shown(self: Instance, names: list[str]) -> str:
    """`repr(self)`."""
    if id(self) in _shown:
        return "..."
    _shown.add(id(self))
    try:
        texts = []
        for name, value in zip(names, values_of(self, names), strict=True):
            check_printable(value)
            texts.append(f"{name}={without_addresses(repr(value))}")
            check_text(sum(map(len, texts)))
        return f"{self._class.__qualname__}({', '.join(texts)})"
    finally:
        _shown.discard(id(self))


def equal(self: Instance, other: Any, names: list[str]) -> Any:
    """`self == other`."""
    if type(other) is not Instance or other._class is not self._class:
        return NotImplemented
    return values_of(self, names) == values_of(other, names)


def ordering(names: list[str], symbol: str) -> Callable[..., Any]:
    """`self < other` and its kind."""
    from gradcli.language.allowed.operators import COMPARISONS

    compare = COMPARISONS[symbol]

    def order(self: Instance, other: Any) -> Any:
        if type(other) is not Instance or other._class is not self._class:
            return NotImplemented
        return compare(values_of(self, names), values_of(other, names))

    return order


def freeze(class_: ProgramClass, names: set[str]) -> None:
    """Let nothing of an object be set or deleted."""

    def refuse(verb: str) -> Callable[..., Any]:
        def change(self: Instance, name: str, *value: Any) -> None:
            if self._class is class_ or name in names:
                from dataclasses import FrozenInstanceError

                raise FrozenInstanceError(f"cannot {verb} field {name!r}")
            (objects.write if value else objects.delete)(self, name, *value)

        return change

    for name, verb in (("__setattr__", "assign to"), ("__delattr__", "delete")):
        if name in class_.names:
            raise TypeError(f"Cannot overwrite attribute {name} in class {class_.__name__}")
        class_.change(name, Builtin(refuse(verb), name, class_.__qualname__, class_.has))


def all_fields(value: Any) -> dict[str, Field] | None:
    """The fields of a dataclass or of an object of one, those that only `__init__` sees among
    them; None of anything else.
    """
    class_ = value._class if type(value) is Instance else value
    if isinstance(class_, ProgramClass):
        for base in class_.mro:
            if isinstance(base, ProgramClass) and FIELDS in base.extra:
                found: dict[str, Field] = base.extra[FIELDS]
                return found
    return None


def fields_of(value: Any) -> dict[str, Field]:
    """The fields of a dataclass or of an object of one.

    Raises:
        TypeError: it is none.
    """
    found = all_fields(value)
    if found is None:
        raise TypeError("must be called with a dataclass type or instance")
    return {name: each for name, each in found.items() if not each.pseudo}


def fields(value: Any, /) -> tuple[Field, ...]:
    """`dataclasses.fields(value)`."""
    return tuple(fields_of(value).values())


def is_dataclass(value: Any, /) -> bool:
    """`dataclasses.is_dataclass(value)`."""
    return all_fields(value) is not None


def replace(value: Any, /, **changes: Any) -> Any:
    """`dataclasses.replace(value, **changes)`."""
    found = all_fields(value)
    if type(value) is not Instance or found is None:
        raise TypeError("replace() should be called on dataclass instances")
    for name, each in found.items():
        if not each.init:
            if name in changes:
                raise ValueError(
                    f"field {name} is declared with init=False, it cannot be specified with "
                    "replace()"
                )
        elif name not in changes:
            if each.pseudo and each.default is MISSING:
                raise ValueError(f"InitVar {name!r} must be specified with replace()")
            changes[name] = MODEL.read(value, name)
    return value._class(**changes)


def unfold(value: Any, whole: Callable[[list[tuple[str, Any]]], Any], count: Iterator[int]) -> Any:
    """A value in which objects of dataclasses are what `whole` makes of their fields; `count`
    counts what is gone through.
    """
    check_items(next(count))
    if type(value) is Instance and is_dataclass(value):
        pairs = [(name, unfold(MODEL.read(value, name), whole, count)) for name in fields_of(value)]
        return whole(pairs)
    if type(value) in (list, tuple):
        return type(value)([unfold(each, whole, count) for each in value])
    if type(value) is dict:
        return {
            unfold(key, whole, count): unfold(each, whole, count) for key, each in value.items()
        }
    return value


def as_dict(value: Any, /) -> Any:
    """`dataclasses.asdict(value)`."""
    if type(value) is not Instance or not is_dataclass(value):
        raise TypeError("asdict() should be called on dataclass instances")
    return unfold(value, dict, count())


def as_tuple(value: Any, /) -> Any:
    """`dataclasses.astuple(value)`."""
    if type(value) is not Instance or not is_dataclass(value):
        raise TypeError("astuple() should be called on dataclass instances")
    return unfold(value, lambda pairs: tuple([each for _, each in pairs]), count())


MEMBERS: Final[dict[str, Any]] = {
    "dataclass": dataclass,
    "field": field,
    "fields": fields,
    "is_dataclass": is_dataclass,
    "replace": replace,
    "asdict": as_dict,
    "astuple": as_tuple,
    "MISSING": MISSING,
    "KW_ONLY": token_of(Made),
    "Field": token_of(Field),
    "InitVar": token_of(Missing),
}
"""By name."""
for _name, _member in MEMBERS.items():
    if not isinstance(_member, Class):
        present(_member, _name)

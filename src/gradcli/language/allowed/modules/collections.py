"""What programs find in Python's `collections`, with giants refused."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from itertools import repeat
from keyword import iskeyword
from reprlib import recursive_repr
from typing import Any, Final

from gradcli.language.allowed.attributes import PYTHON
from gradcli.language.allowed.limits import (
    bounded,
    check_comparable,
    check_hashable,
    check_items,
    check_text,
    hashable_pairs,
    hashables,
)
from gradcli.language.allowed.methods import METHODS
from gradcli.language.allowed.operators import check_repeat
from gradcli.tensor.classes import Class, token_of
from gradcli.tensor.nesting import COMPOUND, CONTAINERS
from gradcli.tensor.public import REGISTRY, Public, admit, public

MAX_FIELDS: Final = 255
"""Fields of a named tuple."""

_DEQUE: Final = (
    "append appendleft clear copy extend extendleft insert maxlen pop popleft reverse rotate"
)
_DICT: Final = PYTHON[dict] - {"fromkeys"}
_GUARDED: Final = {name: METHODS[dict][name] for name in ("get", "pop", "setdefault", "update")}


class Keyed(dict[Any, Any]):
    """A dict whose keys are looked at before they are hashed, whoever asks for them."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        check_hashable(key)
        return dict.__getitem__(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        check_hashable(key)
        dict.__setitem__(self, key, value)

    def __delitem__(self, key: Any) -> None:
        check_hashable(key)
        dict.__delitem__(self, key)

    def __contains__(self, key: object) -> bool:
        check_hashable(key)
        return dict.__contains__(self, key)


class DefaultDict(Keyed):
    """`collections.defaultdict`."""

    __slots__ = ("default_factory",)

    def __init__(self, default_factory: Any = None, /, *pairs: Any, **named: Any) -> None:
        if default_factory is not None and not callable(default_factory):
            raise TypeError("first argument must be callable or None")
        self.default_factory = None if default_factory is None else admit(default_factory)
        super().__init__(*map(hashable_pairs, pairs), **named)

    def __missing__(self, key: Any) -> Any:
        if self.default_factory is None:
            raise KeyError(key)
        self[key] = value = self.default_factory()
        return value

    def copy(self) -> DefaultDict:
        return DefaultDict(self.default_factory, self)

    @recursive_repr()
    def __repr__(self) -> str:
        return f"defaultdict({self.default_factory!r}, {dict.__repr__(self)})"


class OrderedDict(Keyed):
    """`collections.OrderedDict`."""

    __slots__ = ()

    def __init__(self, *pairs: Any, **named: Any) -> None:
        super().__init__(*map(hashable_pairs, pairs), **named)

    def move_to_end(self, key: Any, last: Any = True) -> None:
        """Puts a key last, or first."""
        value = self.pop(key)
        if last:
            self[key] = value
            return
        others = [*self.items()]
        self.clear()
        self[key] = value
        super().update(others)

    def popitem(self, last: Any = True) -> tuple[Any, Any]:
        if not self:
            raise KeyError("dictionary is empty")
        key = next(reversed(self) if last else iter(self))
        return key, self.pop(key)

    def copy(self) -> OrderedDict:
        return OrderedDict(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, OrderedDict):
            return dict.__eq__(self, other) and [*self] == [*other]
        return dict.__eq__(self, other)

    __hash__ = None  # type: ignore[assignment]

    @recursive_repr()
    def __repr__(self) -> str:
        made = collections.OrderedDict(self)
        return repr(made) if made else "OrderedDict()"


class Counter(Keyed):
    """`collections.Counter`."""

    __slots__ = ()

    def __init__(self, iterable: Any = None, /, **named: Any) -> None:
        super().__init__()
        self.update(iterable, **named)

    def __missing__(self, key: Any) -> int:
        return 0

    def __delitem__(self, key: Any) -> None:
        if key in self:
            super().__delitem__(key)

    def _combined(self, iterable: Any, named: dict[str, Any], sign: int) -> None:
        if isinstance(iterable, dict):
            for key, count in iterable.items():
                self[key] = self.get(key, 0) + count * sign
        elif iterable is not None:
            for key in hashables(iterable, "dict"):
                dict.__setitem__(self, key, self.get(key, 0) + sign)
        for key, count in named.items():
            self[key] = self.get(key, 0) + count * sign

    def update(self, iterable: Any = None, /, **named: Any) -> None:
        """Adds counts."""
        self._combined(iterable, named, 1)

    def subtract(self, iterable: Any = None, /, **named: Any) -> None:
        """Subtracts counts."""
        self._combined(iterable, named, -1)

    def most_common(self, n: int | None = None) -> list[tuple[Any, Any]]:
        """The elements and their counts, the most frequent first."""
        check_items(len(self))
        ordered = sorted(self.items(), key=lambda pair: pair[1], reverse=True)
        return ordered if n is None else ordered[: max(0, n)]

    def total(self) -> Any:
        """The sum of the counts."""
        return sum(self.values())

    def elements(self) -> Iterator[Any]:
        """Each element as often as it was counted."""
        return (key for key, count in self.items() for _ in repeat(None, count))

    def copy(self) -> Counter:
        return Counter(self)

    def _kept(self, counts: Callable[[Any, Any], Any], other: Any) -> Any:
        if not isinstance(other, Counter):
            return NotImplemented
        made = Counter()
        for key in [*self, *(key for key in other if key not in self)]:
            count = counts(self[key], other[key])
            if count > 0:
                made[key] = count
        return made

    def __add__(self, other: Any) -> Any:
        return self._kept(lambda left, right: left + right, other)

    def __sub__(self, other: Any) -> Any:
        return self._kept(lambda left, right: left - right, other)

    def __or__(self, other: Any) -> Any:
        return self._kept(max, other)

    def __and__(self, other: Any) -> Any:
        return self._kept(min, other)

    def __pos__(self) -> Any:
        return self + Counter()

    def __neg__(self) -> Any:
        return Counter() - self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Counter):
            return NotImplemented
        return all(self[key] == other[key] for both in (self, other) for key in both)

    __hash__ = None  # type: ignore[assignment]

    @recursive_repr()
    def __repr__(self) -> str:
        if not self:
            return "Counter()"
        return f"Counter({dict(self.most_common())!r})"


class Deque(collections.deque[Any]):
    """`collections.deque`."""

    __slots__ = ()

    def __init__(self, iterable: Any = (), maxlen: int | None = None) -> None:
        super().__init__(bounded(iterable, "deque"), maxlen)

    def extend(self, iterable: Any) -> None:
        super().extend(bounded(iterable, "deque"))
        check_items(len(self), "deque")

    def extendleft(self, iterable: Any) -> None:
        super().extendleft(bounded(iterable, "deque"))
        check_items(len(self), "deque")

    def __add__(self, other: Any) -> Deque:
        check_items(len(self) + len(other), "deque")
        return super().__add__(other)

    def __iadd__(self, other: Any) -> Deque:
        self.extend(other)
        return self

    def __mul__(self, times: int) -> Deque:
        check_repeat(self, times)
        return super().__mul__(times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Deque:
        check_repeat(self, times)
        return super().__imul__(times)


def _by_item(name: str) -> Callable[..., Any]:
    method = getattr(collections.deque, name)

    def guarded(values: Deque, item: Any, /, *bounds: Any) -> Any:
        check_comparable(item, values, len(values))
        return method(values, item, *bounds)

    return guarded


for _class, _name, _more in (
    (DefaultDict, "defaultdict", "default_factory"),
    (OrderedDict, "OrderedDict", "move_to_end"),
    (Counter, "Counter", "elements most_common subtract total"),
):
    _guards = {key: guard for key, guard in _GUARDED.items() if key not in _class.__dict__}
    REGISTRY[_class] = Public(
        {*_DICT, *_more.split()} - _guards.keys(),
        writes=["default_factory"] if _class is DefaultDict else (),
        guards=_guards,
        name=_name if _class is Counter else f"collections.{_name}",
        label=f"collections.{_name}",
    )
    _class.__name__ = _name
REGISTRY[Deque] = Public(
    _DEQUE.split(),
    guards={name: _by_item(name) for name in ("count", "index", "remove")},
    name="collections.deque",
)
Deque.__name__ = "deque"


@public("_fields _field_defaults _make", calls=True)
class RecordType(Class):
    """What `namedtuple` makes: the names of a tuple's items, and what makes such tuples."""

    __slots__ = ("_field_defaults", "_fields", "names")

    def __init__(self, name: str, fields: tuple[str, ...], defaults: dict[str, Any]) -> None:
        super().__init__(f"__main__.{name}", Record)
        self.build = self.__call__
        self._fields = fields
        self._field_defaults = defaults
        self.names: dict[str, Any] | None = None
        """What classes derived from it have from here, once there are any."""

    def __call__(self, /, *arguments: Any, **named: Any) -> Record:
        call = f"{self.__name__}.__new__()"
        if len(arguments) > len(self._fields):
            takes = len(self._fields) + 1
            least = takes - len(self._field_defaults)
            span = f"from {least} to {takes}" if least != takes else f"{takes}"
            raise TypeError(
                f"{call} takes {span} positional arguments but {len(arguments) + 1} were given"
            )
        given = dict(zip(self._fields, arguments, strict=False))
        for name, value in named.items():
            if name in given:
                raise TypeError(f"{call} got multiple values for argument '{name}'")
            if name not in self._fields:
                raise TypeError(f"{call} got an unexpected keyword argument '{name}'")
            given[name] = value
        given = {**self._field_defaults, **given}
        missing = [f"'{name}'" for name in self._fields if name not in given]
        if missing:
            several = "s" if len(missing) > 1 else ""
            listed = missing[0]
            if len(missing) == 2:
                listed = " and ".join(missing)
            elif len(missing) > 2:
                listed = f"{', '.join(missing[:-1])}, and {missing[-1]}"
            raise TypeError(
                f"{call} missing {len(missing)} required positional argument{several}: {listed}"
            )
        return Record(self, [given[name] for name in self._fields])

    def has(self, value: Any) -> bool:
        return type(value) is Record and value.kind is self

    def _make(self, values: Any, /) -> Record:
        """A tuple of as many values as there are names."""
        items = list(bounded(values, "tuple"))
        if len(items) != len(self._fields):
            raise TypeError(f"Expected {len(self._fields)} arguments, got {len(items)}")
        return Record(self, items)


def _field(record: Record, name: str) -> Any:
    """A named item of a record."""
    fields = record.kind._fields
    if name not in fields:
        raise AttributeError(f"'{record.kind.__name__}' object has no attribute '{name}'")
    return record[fields.index(name)]


class Record(tuple[Any, ...]):
    """A named tuple; `kind` says which names its items have."""

    kind: RecordType

    def __new__(cls, kind: RecordType, items: Any) -> Record:
        made = super().__new__(cls, items)
        made.kind = kind
        return made

    @property
    def _fields(self) -> tuple[str, ...]:
        return self.kind._fields

    def remade(self, items: Any) -> Record:
        """A record of the same kind."""
        return Record(self.kind, items)

    def __repr__(self) -> str:
        pairs = zip(self.kind._fields, self, strict=True)
        return f"{self.kind.__name__}({', '.join(f'{name}={item!r}' for name, item in pairs)})"


def _asdict(record: Record) -> dict[str, Any]:
    return dict(zip(record.kind._fields, record, strict=True))


def _replace(record: Record, /, **named: Any) -> Record:
    unknown = [name for name in named if name not in record.kind._fields]
    if unknown:
        raise ValueError(f"Got unexpected field names: {unknown!r}")
    return Record(record.kind, (_asdict(record) | named).values())


REGISTRY[Record] = Public(
    ["_fields"],
    guards={**METHODS[tuple], "_asdict": _asdict, "_replace": _replace},
    reader=_field,
    name=lambda record: record.kind.__name__,
    kind=lambda record: record.kind,
)


CONTAINERS.update((DefaultDict, OrderedDict, Counter, Deque, Record))
COMPOUND.update((DefaultDict, OrderedDict, Counter, Deque, Record))


def namedtuple(
    typename: Any, field_names: Any, *, rename: Any = False, defaults: Any = None
) -> RecordType:
    """`collections.namedtuple(typename, field_names)`.

    Raises:
        ValueError: a name is none, or is there twice.
        TypeError: there are more defaults than fields.
    """
    if isinstance(field_names, str):
        check_text(len(field_names))
        field_names = field_names.replace(",", " ").split()
    names = [str(name) for name in bounded(field_names)]
    if len(names) > MAX_FIELDS:
        raise ValueError(f"more than {MAX_FIELDS} fields")
    if rename:
        for place, name in enumerate(names):
            if not _is_field(name) or name in names[:place]:
                names[place] = f"_{place}"
    for name in (str(typename), *names):
        if not name.isidentifier():
            raise ValueError(f"Type names and field names must be valid identifiers: {name!r}")
        if iskeyword(name):
            raise ValueError(f"Type names and field names cannot be a keyword: {name!r}")
    for place, name in enumerate(names):
        if name.startswith("_") and not rename:
            raise ValueError(f"Field names cannot start with an underscore: {name!r}")
        if name in names[:place]:
            raise ValueError(f"Encountered duplicate field name: {name!r}")
    given = () if defaults is None else tuple(bounded(defaults))
    if len(given) > len(names):
        raise TypeError("Got more default values than field names")
    last = names[len(names) - len(given) :]
    return RecordType(str(typename), tuple(names), dict(zip(last, given, strict=True)))


def _is_field(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and not name.startswith("_")


MEMBERS: Final[dict[str, Any]] = {
    "Counter": token_of(Counter, Counter),
    "OrderedDict": token_of(OrderedDict, OrderedDict),
    "defaultdict": token_of(DefaultDict, DefaultDict),
    "deque": token_of(Deque, Deque),
    "namedtuple": namedtuple,
}
"""By name."""

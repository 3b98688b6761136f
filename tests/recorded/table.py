"""The calls that samples of the operator table make, how PyTorch spells them, and what differs.

Each call is made as it stands, with its arrays in other types, and in place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from gradcli.table.entry import Entry
from gradcli.table.registry import BARE, entries, lookup_method
from gradcli.table.row import Row
from gradcli.table.samples import Fixed, Sampler
from gradcli.tensor.dtypes import DTYPES
from tests.recorded import store
from tests.recorded.answers import Answer, Array, Engine, describe, differences
from tests.recorded.library import LIBRARY

TYPES = ("float32", "float16", "bfloat16", "complex64", "int64", "bool")
"""Types that the first call of an entry is also made with."""
DIGITS = {"bfloat16": 4, "float16": 5, "float32": 7, "complex64": 7}
"""The significant digits that answers keep, and how far they may be apart."""
TOLERANCES = {"float32": (2e-5, 2e-6), "complex64": (2e-5, 2e-6)}
TOLERANCES["float16"], TOLERANCES["bfloat16"] = (2e-3, 2e-3), (1.6e-2, 1e-2)
TOLERANCES["int64"] = TOLERANCES["bool"] = TOLERANCES["float32"]
"""Functions of integers compute in the default type."""
EXACT = (1e-6, 1e-8)


class Call(NamedTuple):
    """A call of an entry. `first` says that it is made in all ways."""

    entry: Entry
    args: list[Any]
    kwargs: dict[str, Any]
    first: bool

    @property
    def key(self) -> str:
        """What tells calls of one name apart; arrays count up to rounding."""
        text = self.entry.pytorch + plain([self.args, self.kwargs, self.first])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def name_of(entry: Entry) -> str:
    """An entry's first name."""
    return entry.names[0]


def calls_of(entry: Entry) -> list[Call]:
    """The calls that an entry's samples make."""
    made = []
    for call in entry.samples(Sampler()) if entry.samples is not None else ():
        *args, last = call if call and isinstance(call[-1], dict) else (*call, {})
        made.append(Call(entry, list(args), last, not made))
    return made


@cache
def asked() -> dict[str, list[Entry]]:
    """The entries that are compared, by their first names."""
    found: dict[str, list[Entry]] = {}
    for entry in entries():
        if not entry.untested:
            found.setdefault(name_of(entry), []).append(entry)
    return found


def plain(value: Any) -> str:
    """Arguments as text that is the same everywhere."""
    if isinstance(value, np.ndarray):
        exact = value.dtype.kind not in "fc"
        array = value if exact else np.round(value, 8) + 0
        word = "fixed " * isinstance(value, Fixed)
        return f"{word}{value.dtype}{value.shape}{array.ravel().tolist()}"
    if type(value) in (list, tuple):
        return f"{type(value).__name__}({', '.join(map(plain, value))})"
    if isinstance(value, dict):
        return f"dict({', '.join(f'{key}={plain(item)}' for key, item in value.items())})"
    return getattr(value, "__qualname__", None) or repr(value)


class Way(NamedTuple):
    """A way to make a call: with which function and arguments, and what to compare."""

    name: str
    function: Callable[..., Any]
    args: list[Any]
    kwargs: dict[str, Any]
    order: int


def ways(engine: Engine, call: Call, internal: bool) -> Iterator[Way]:
    """All ways to make a call; `internal` where rows are called by their own names."""
    function = resolve(engine, call.entry, internal)
    yield Way("as is", function, _fixed(call.entry, call.args), call.kwargs, 2)
    if not call.first:
        return
    for dtype in TYPES[:1] if name_of(call.entry).startswith("aten.") else TYPES:
        args, kwargs = _in_type([call.args, call.kwargs], dtype)
        if plain([args, kwargs]) != plain([call.args, call.kwargs]):
            yield Way(dtype, function, _fixed(call.entry, args), kwargs, 1)
    changing = in_place(engine, call)
    if changing is not None:
        yield Way("in place", changing, call.args, call.kwargs, 1)


def _fixed(entry: Entry, args: list[Any]) -> list[Any]:
    """Arguments of which those want no gradient for which an internal row has no formula.

    Of a public row, PyTorch is asked about gradients for all.
    """
    if not isinstance(entry, Row) or not name_of(entry).startswith("aten."):
        return args
    return [
        arg.view(Fixed)
        if isinstance(arg, np.ndarray) and place not in entry.differentiable
        else arg
        for place, arg in enumerate(args)
    ]


def resolve(engine: Engine, entry: Entry, internal: bool) -> Callable[..., Any]:
    """The function that an entry's first name means.

    Raises:
        AttributeError: there is none.
    """
    name = name_of(entry)
    if entry.pytorch and not internal:
        return _spelled(engine, entry)
    if internal and name.startswith(BARE):
        return entry
    if name.startswith("aten."):
        whole = entry if internal else _whole(entry, attrgetter(name[5:])(engine.torch.ops.aten))
        return _copied_if(name.endswith("_"), whole)
    if name.startswith("Tensor."):
        return _copied_if(name.endswith("_"), _method(name[7:]))
    function = attrgetter(name)(engine.torch)
    first = entry.signature.parameters[0] if entry.signature.parameters else None
    if first is not None and first.base == "Tensor[]" and first.variadic:
        return lambda tensors, **kwargs: function(*tensors, **kwargs)
    return _copied_if(name.endswith("_"), function)


def _method(name: str) -> Callable[..., Any]:
    """A method, or a field, of the first argument."""

    def run(first: Any, *rest: Any, **kwargs: Any) -> Any:
        found = getattr(first, name)
        return found(*rest, **kwargs) if callable(found) else found

    return run


def _copied_if(changes: bool, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that may change its first argument, on one that is no leaf."""

    def run(first: Any, *rest: Any, **kwargs: Any) -> Any:
        return function(first.clone() if first.requires_grad else first, *rest, **kwargs)

    return run if changes else function


def _values(entry: Entry, args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Every argument of a call by its name, also those that are left out."""
    signature = entry.signature
    names = [parameter.name for parameter in signature.parameters]
    values = dict(zip(names, signature.defaults, strict=True))
    return values | dict(zip(names, args, strict=False)) | kwargs


def _whole(entry: Entry, operator: Callable[..., Any]) -> Callable[..., Any]:
    """An operator of PyTorch's dispatcher, which is given every argument of an entry."""
    keywords = {p.name for p in entry.signature.parameters if p.keyword_only}

    def run(*args: Any, **kwargs: Any) -> Any:
        values = _values(entry, args, kwargs)
        named = {name: values.pop(name) for name in keywords}
        return operator(*values.values(), **named)

    return run


def _spelled(engine: Engine, entry: Entry) -> Callable[..., Any]:
    """The expression that says how PyTorch spells a call, as a function."""
    known = {"torch": engine.torch, "aten": engine.torch.ops.aten}

    def run(*args: Any, **kwargs: Any) -> Any:
        found = eval(entry.pytorch, known | _values(entry, args, kwargs))
        return found(*args, **kwargs) if callable(found) else found

    return run


def in_place(engine: Engine, call: Call) -> Callable[..., Any] | None:
    """The function that writes a call's result to its first argument, where there may be one."""
    name = name_of(call.entry)
    if not (call.args and isinstance(call.args[0], np.ndarray)) or name.endswith("_"):
        return None
    if name.startswith("nn.functional.") and "inplace" in call.entry.signature.index:
        function = attrgetter(name)(engine.torch)
        return _copied_if(True, lambda *args, **kwargs: function(*args, **kwargs, inplace=True))
    name = name.removeprefix("Tensor.")
    if "." in name or lookup_method(name) is None:
        return None
    return _copied_if(True, _method(name + "_"))


def _in_type(value: Any, dtype: str) -> Any:
    """Arguments with arrays of numbers in another type: floating ones, or integers without any."""
    kinds = "fc" if any(array.dtype.kind in "fc" for array in _arrays(value)) else "iub"

    def change(item: Any) -> Any:
        if isinstance(item, np.ndarray):
            return _cast(item, dtype) if item.dtype.kind in kinds else item
        if type(item) in (list, tuple):
            return type(item)(map(change, item))
        if isinstance(item, dict):
            return {key: change(part) for key, part in item.items()}
        return item

    return change(value)


def _arrays(value: Any) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        yield value
    elif type(value) in (list, tuple, dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _arrays(item)


def _cast(array: Array, dtype: str) -> Array:
    if dtype == "bool":
        return np.asarray(array.real > 0)
    if dtype == "complex64" and array.dtype.kind == "f":
        return np.asanyarray(array * (1 + 0.5j)).astype(dtype)
    if array.dtype.kind == "c":
        return array.astype("complex64") if "float" in dtype else array.real.astype(dtype)
    return array.astype(DTYPES[dtype].np)


def answers(engine: Engine, call: Call, internal: bool) -> dict[str, Answer]:
    """What an engine answers to a call, for every way to make it."""
    found = {}
    for way in ways(engine, call, internal):
        digits = DIGITS.get(way.name, 9)
        answer = describe(
            engine, way.function, way.args, way.kwargs, digits=digits, order=way.order
        )
        if name_of(call.entry).startswith("aten."):
            answer.pop("kind", None)
        if name_of(call.entry).startswith(BARE):
            _forget_nodes(answer)
        found[way.name] = answer
    return found


def _forget_nodes(answer: Answer) -> None:
    """Leaves out the nodes: PyTorch is asked for a composition where the table may have a row."""
    for output in answer.get("outputs", ()):
        output[2:3] = []
    for slope in answer.get("recorded", ()):
        slope[1:] = []


def faults(name: str) -> list[str]:
    """What is wrong with the entries of a name, but for differences that are known."""
    found: list[str] = []
    different: dict[str, list[str]] = {}
    known = store.read().get(name, {})
    for entry in asked()[name]:
        calls = calls_of(entry)
        if not calls:
            found.append(f"({entry.parameters}) has no samples: write some or say untested='why'")
        for call in calls:
            theirs = known.get(call.key)
            if theirs is None:
                what = f"{call.args} {call.kwargs}"
                found.append(f"{what} is not recorded: run `{store.COMMAND} {name}`")
                continue
            ours = answers(LIBRARY, call, True)
            for way in theirs.keys() | ours.keys():
                if not _has_types(theirs.get(way, {})):
                    continue
                told = differences(
                    ours.get(way, {}), theirs.get(way, {}), *TOLERANCES.get(way, EXACT)
                )
                different.setdefault(way, []).extend(
                    f"{way}, {call.args} {call.kwargs}\n    {difference}" for difference in told
                )
    for way, messages in different.items():
        if f"{name} {way}" not in store.known_differences():
            found += messages
        elif not messages:
            found.append(f"{way} {store.AGREES}")
    return found


def _has_types(answer: Answer) -> bool:
    """Whether all results are of types that NumPy has, unlike `complex32`, which is left out."""
    outputs = answer.get("outputs", ())
    return all(output[0] in DTYPES for output in outputs if isinstance(output, list))

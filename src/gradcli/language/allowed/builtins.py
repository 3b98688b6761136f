"""Python's built-in functions, as far as notes use them, with giants refused."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Final, NoReturn

from gradcli.language.allowed.exceptions import EXCEPTIONS, raisable
from gradcli.language.allowed.limits import (
    MAX_MODULAR_BITS,
    MAX_NESTING,
    bounded,
    by_compared_key,
    check_hashable,
    check_nesting,
    check_printable,
    check_text,
    check_width,
    comparable,
    compared,
    counted,
    hashable_pairs,
    hashables,
)
from gradcli.language.allowed.operators import SEQUENCES, add, power
from gradcli.language.allowed.streams import STDOUT, Stream
from gradcli.tensor.classes import Class, token_of, type_of
from gradcli.tensor.guard import final
from gradcli.tensor.identity import hash_of, number_of, without_addresses
from gradcli.tensor.nesting import check_unfolded, is_compound, too_large
from gradcli.tensor.public import REGISTRY, Public, admit, supports

REFUSED: Final = frozenset(
    [
        "open",
        "eval",
        "exec",
        "compile",
        "__import__",
        "globals",
        "locals",
        "input",
        "memoryview",
        "bytes",
        "bytearray",
        "breakpoint",
        "help",
        "__builtins__",
        "__build_class__",
        "__debug__",
        "copyright",
        "credits",
        "license",
        "aiter",
        "anext",
    ]
)
"""Python's own names that the language leaves out."""


def printer(write: Callable[[str], object]) -> Callable[..., None]:
    """`print` to `write`."""

    def print(
        *values: Any,
        sep: str | None = " ",
        end: str | None = "\n",
        file: Any = None,
        flush: bool = False,
        **unknown: Any,
    ) -> None:
        for key in unknown:
            raise TypeError(f"'{key}' is an invalid keyword argument for print()")
        for key, text in (("sep", sep), ("end", end)):
            if text is not None and not isinstance(text, str):
                raise TypeError(f"{key} must be None or a string, not {type(text).__name__}")
        if not (file is None or type(file) is Stream):
            raise final(TypeError("printing to a file is not part of the language"))
        between = " " if sep is None else sep
        texts: list[str] = []
        count = 0
        for value in values:
            check_printable(value)
            texts.append(text_of(value))
            count += len(texts[-1]) + len(between)
            if len(texts) > 1:  # one value may be a tensor of any size
                check_text(count)
        text = between.join(texts) + ("\n" if end is None else end)
        if file is None or file is STDOUT:
            write(text)
        else:
            file.write(text)

    present(print, "print")
    return print


def over(function: Callable[..., Any], kind: str = "list") -> Callable[..., Any]:
    """A function of an iterable that refuses giants."""

    def guarded(*arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and iterable(arguments[0]):
            return function(bounded(arguments[0], kind), **options)
        return function(*arguments, **options)

    return guarded


def ordering(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of an iterable, or of several values, that puts them into an order."""

    def guarded(*arguments: Any, **options: Any) -> Any:
        if options.get("key") is not None:
            options["key"] = by_compared_key(options["key"])
        elif len(arguments) > 1:
            arguments = tuple(map(compared, arguments))
        if len(arguments) != 1 or not iterable(arguments[0]):
            return function(*arguments, **options)
        values = bounded(arguments[0])
        return function(values if options.get("key") else comparable(values), **options)

    return guarded


def text_of(value: Any) -> str:
    """`str(value)`."""
    return value if type(value) is str else without_addresses(str(value))


def printed(function: Callable[..., str]) -> Callable[..., str]:
    """A function that writes out a value, and refuses giants and addresses."""

    def guarded(*arguments: Any, **options: Any) -> str:
        if arguments:
            check_printable(arguments[0])
            if type(arguments[0]) is not str:
                return without_addresses(function(*arguments, **options))
        return function(*arguments, **options)

    return guarded


def iterable(value: Any) -> bool:
    """Whether a value can be iterated over."""
    return supports(value, "__iter__")


def the_type(value: Any, /) -> Class:
    """`type(value)`, with one argument only."""
    return type_of(value)


def make_map(function: Any, *iterables: Any) -> Any:
    """`map(function, iterables)`."""
    return MAP(admit(function), *iterables)


def make_filter(function: Any, iterable: Any) -> Any:
    """`filter(function, iterable)`."""
    return FILTER(function if function is None else admit(function), iterable)


def nestable(kind: type) -> type:
    """An iterator over iterators that knows how deep they are nested, since Python's own code asks
    one after the other without counting.
    """

    def build(cls: type, *arguments: Any, **options: Any) -> Any:
        made: Any = kind.__new__(cls, *arguments, **options)
        made.depth = 1 + max((each.depth for each in arguments if type(each) in LAZY), default=0)
        if made.depth > MAX_NESTING:
            raise RecursionError("maximum recursion depth exceeded")
        return made

    body = {"__slots__": ("depth",), "__new__": build, "__module__": "builtins"}
    return type(kind.__name__, (kind,), body)


ZIP, ENUMERATE, MAP, FILTER = (nestable(kind) for kind in (zip, enumerate, map, filter))
LAZY: Final = frozenset((ZIP, ENUMERATE, MAP, FILTER))


def make_slice(*bounds: Any) -> slice:
    """`slice(start, stop, step)`."""
    for bound in bounds:
        check_nesting(bound, slice)
    return slice(*bounds)


def keyed(function: Callable[..., Any], checked: Callable[[Any], Any]) -> Callable[..., Any]:
    """A constructor that hashes what it takes from an iterable, once that is checked."""

    def make(*arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and iterable(arguments[0]):
            return function(checked(arguments[0]), **options)
        return function(*arguments, **options)

    return make


CONSTRUCTORS: Final[dict[type, Callable[..., Any]]] = {
    kind: kind
    for kind in (
        *(bool, int, float, complex, range, slice, ZIP, ENUMERATE, reversed),
        *EXCEPTIONS,
    )
}
"""What calling a type runs."""
CONSTRUCTORS.update(
    {
        list: over(list),
        tuple: over(tuple, "tuple"),
        set: keyed(set, hashables),
        frozenset: keyed(frozenset, hashables),
        dict: keyed(dict, hashable_pairs),
    }
)
CONSTRUCTORS[str] = printed(str)
CONSTRUCTORS[slice] = make_slice
CONSTRUCTORS[MAP] = make_map
CONSTRUCTORS[FILTER] = make_filter
CONSTRUCTORS[type] = the_type

for _kind in CONSTRUCTORS:
    if _kind not in REGISTRY:
        REGISTRY[_kind] = Public()
_PLAIN: Final[dict[Any, Any]] = {}
_ITERATED: Final[tuple[Any, ...]] = (
    *("", "ä", [], (), set(), frozenset(), range(0), range(10**30)),
    *(_PLAIN.keys(), _PLAIN.values(), _PLAIN.items()),
)
_REVERSED: Final[tuple[Any, ...]] = ([], range(0), _PLAIN, _PLAIN.values(), _PLAIN.items())
_OTHERS: Final[tuple[Any, ...]] = (
    *(None, ..., NotImplemented, _PLAIN.values(), iter(int, 1), counted(iter(()), "list")),
    *(reversed(value) for value in _REVERSED),
    *(iter(value) for value in _ITERATED),
)
for _value in _OTHERS:
    REGISTRY.setdefault(type(_value), Public())

CLASSES: Final[dict[str, Class]] = {
    kind.__name__: token_of(kind, build) for kind, build in CONSTRUCTORS.items()
}
CLASSES["EnvironmentError"] = CLASSES["IOError"] = CLASSES["OSError"]
"""Python's classes, as programs hold them."""


def is_instance(*arguments: Any) -> bool:
    """`isinstance(value, kinds)`."""
    if len(arguments) != 2:
        return isinstance(*arguments)
    value, kinds = arguments
    if type(kinds) is tuple and is_compound(kinds):
        check_unfolded(kinds, "a tuple of types")
    return _is_of(value, kinds)


def _is_of(value: Any, kinds: Any) -> bool:
    if type(kinds) is tuple:
        return any(_is_of(value, kind) for kind in kinds)
    if isinstance(kinds, Class):
        return kinds.has(value)
    if hasattr(type(kinds), "__instancecheck__") and not isinstance(kinds, type):
        return isinstance(value, kinds)
    raise TypeError("isinstance() arg 2 must be a type, a tuple of types, or a union")


def total(*arguments: Any, **options: Any) -> Any:
    """`sum(values, start)`."""
    if arguments and iterable(arguments[0]):
        start = arguments[1] if len(arguments) == 2 else options.get("start", 0)
        if type(start) in SEQUENCES and type(start) is not str and len(arguments) <= 2:
            for value in bounded(arguments[0]):
                start = add(start, value)
            return start
        return sum(bounded(arguments[0]), *arguments[1:], **options)
    return sum(*arguments, **options)


def rounded(*arguments: Any, **named: Any) -> Any:
    """`round(number, ndigits)`."""
    if len(arguments) == 2:
        number, digits = arguments
        if type(number) is int and type(digits) is int and -digits > number.bit_length():
            return 0  # beyond all digits; Python would compute 10 ** -digits first
    return round(*arguments, **named)


def raised(*arguments: Any, **named: Any) -> Any:
    """`pow(base, exp, mod)`."""
    names = ("base", "exp", "mod")
    given = {**dict(zip(names, arguments, strict=False)), **named}
    once = len(given) == len(arguments) + len(named)
    if once and given.get("mod") is None and given.keys() - {"mod"} == {"base", "exp"}:
        return power(given["base"], given["exp"])
    for value in (*arguments, *named.values()):
        if type(value) is int and value.bit_length() > MAX_MODULAR_BITS:
            raise too_large(f"a power of numbers of {value.bit_length()} bits")
    return pow(*arguments, **named)


def formatted(value: Any, spec: str = "", /) -> str:
    """`format(value, spec)`."""
    if isinstance(spec, str):
        check_width(spec)
    check_printable(value)
    text = format(value, spec)
    return text if type(value) is str else without_addresses(text)


def iterator(values: Any, /, *sentinel: Any) -> Any:
    """`iter(values)`, or `iter(function, sentinel)`."""
    return iter(admit(values) if sentinel else values, *map(compared, sentinel))


def hashed(value: Any, /) -> int:
    """`hash(value)`."""
    check_hashable(value)
    return hash_of(value)


def leave(status: Any = None, /) -> NoReturn:
    """`exit(status)`: ends the program, unless it catches `SystemExit`."""
    raise raisable(SystemExit(status))


LATE: Final = frozenset(
    [
        "callable",
        "classmethod",
        "delattr",
        "dir",
        "getattr",
        "hasattr",
        "issubclass",
        "object",
        "property",
        "setattr",
        "staticmethod",
        "super",
        "vars",
    ]
)
"""Built-in names that need to know the objects of programs; `listed.late` tells what they are."""

PYTHON: Final[dict[str, Any]] = {
    "abs": abs,
    "all": over(all),
    "any": over(any),
    "ascii": printed(ascii),
    "bin": bin,
    "chr": chr,
    "divmod": divmod,
    "format": formatted,
    "hash": hashed,
    "hex": hex,
    "id": number_of,
    "isinstance": is_instance,
    "iter": iterator,
    "len": len,
    "max": ordering(max),
    "min": ordering(min),
    "next": next,
    "oct": oct,
    "ord": ord,
    "pow": raised,
    "quit": leave,
    "exit": leave,
    "repr": printed(repr),
    "round": rounded,
    "sorted": ordering(sorted),
    "sum": total,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    **CLASSES,
}
"""Built-in names."""


def is_pythons(name: str) -> bool:
    """Whether a name is built into Python."""
    return name in PYTHON or name in LATE or name == "print"


def present(function: Any, name: str) -> None:
    """Give a function of ours the name that errors show."""
    if isinstance(function, FunctionType):
        function.__name__ = function.__qualname__ = name
        function.__module__ = "builtins"


for _name, _function in PYTHON.items():
    present(_function, _name)
present(the_type, "type")

INSTEAD: Final[dict[str, str]] = {
    "comb": "exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1))",
    "dist": "norm(x - y)",
    "factorial": "gamma(n + 1)",
    "fsum": "sum(x)",
    "isqrt": "floor(sqrt(x))",
    "modf": "frac(x) and trunc(x)",
    "perm": "exp(lgamma(n + 1) - lgamma(n - k + 1))",
    "sumprod": "dot(x, y)",
}
"""What has a derivative in the place of functions of `math` that have none."""


def without_derivative(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `math` as its bare name means it: it cuts no gradient without a word."""

    def guarded(*arguments: Any, **options: Any) -> Any:
        for value in (*arguments, *options.values()):
            parts = value if type(value) in (list, tuple) else (value,)
            if any(getattr(part, "requires_grad", False) is True for part in parts):
                instead = f"use {INSTEAD[name]}, or " if name in INSTEAD else ""
                raise RuntimeError(
                    f"{name}() has no derivative: {instead}detach() what requires grad"
                )
        return function(*arguments, **options)

    present(guarded, name)
    return guarded

"""Python's built-in functions, as far as notes use them, with giants refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from gradcli.language.limits import bounded, check_bits, check_width
from gradcli.language.operators import multiply, power

EXCEPTIONS: Final[tuple[type[Exception], ...]] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    Exception,
    FloatingPointError,
    IndexError,
    KeyError,
    LookupError,
    MemoryError,
    NameError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    StopIteration,
    TypeError,
    UnboundLocalError,
    ValueError,
    ZeroDivisionError,
)

REFUSED: Final = frozenset(
    [
        "open",
        "eval",
        "exec",
        "compile",
        "__import__",
        "getattr",
        "setattr",
        "delattr",
        "hasattr",
        "globals",
        "locals",
        "vars",
        "dir",
        "input",
        "super",
        "object",
        "classmethod",
        "staticmethod",
        "property",
        "memoryview",
        "bytes",
        "bytearray",
        "breakpoint",
        "help",
        "exit",
        "quit",
        "issubclass",
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


class TypeFunction:
    """`type`, with one argument only."""

    __slots__ = ()

    def __call__(self, value: Any) -> Any:
        return type(value)

    def __repr__(self) -> str:
        return "<class 'type'>"


TYPE: Final = TypeFunction()


def printer(write: Callable[[str], object]) -> Callable[..., None]:
    """`print` to `write`."""

    def print(
        *values: Any,
        sep: str | None = " ",
        end: str | None = "\n",
        file: None = None,
        flush: bool = False,
    ) -> None:
        for key, text in (("sep", sep), ("end", end)):
            if text is not None and not isinstance(text, str):
                raise TypeError(f"{key} must be None or a string, not {type(text).__name__}")
        if file is not None:
            raise TypeError("printing to a file is not part of the language")
        between = " " if sep is None else sep
        write(between.join(map(str, values)) + ("\n" if end is None else end))

    return print


def called(function: Any) -> Any:
    """A function that Python will call by itself: a type becomes its guarded constructor."""
    if isinstance(function, type):
        build = CONSTRUCTORS.get(function)
        if build is None:
            raise TypeError(f"'{function.__name__}' cannot be used as a function here")
        return build
    return function


def make_list(*values: Any) -> list[Any]:
    """`list(values)`."""
    return list(*(bounded(value) for value in values))


def make_tuple(*values: Any) -> tuple[Any, ...]:
    """`tuple(values)`."""
    return tuple(*(bounded(value, "tuple") for value in values))


def make_set(*values: Any) -> set[Any]:
    """`set(values)`."""
    return set(*(bounded(value, "set") for value in values))


def make_frozenset(*values: Any) -> frozenset[Any]:
    """`frozenset(values)`."""
    return frozenset(*(bounded(value, "set") for value in values))


def make_dict(*values: Any, **named: Any) -> dict[Any, Any]:
    """`dict(values, name=value)`."""
    return dict(*(bounded(value, "dict") for value in values), **named)


def make_map(function: Any, *iterables: Any) -> Any:
    """`map(function, iterables)`."""
    return map(called(function), *iterables)


def make_filter(function: Any, iterable: Any) -> Any:
    """`filter(function, iterable)`."""
    return filter(called(function), iterable)


CONSTRUCTORS: Final[dict[type, Callable[..., Any]]] = {
    kind: kind
    for kind in (
        *(bool, int, float, complex, str, range, slice, zip, enumerate, reversed),
        *EXCEPTIONS,
    )
}
"""What calling a type runs."""
CONSTRUCTORS.update(
    {
        list: make_list,
        tuple: make_tuple,
        set: make_set,
        frozenset: make_frozenset,
        dict: make_dict,
        map: make_map,
        filter: make_filter,
    }
)


def is_instance(value: Any, kinds: Any) -> bool:
    """`isinstance(value, kinds)`."""
    if kinds is TYPE:
        kinds = type
    elif type(kinds) is tuple:
        kinds = tuple(type if kind is TYPE else kind for kind in kinds)
    return isinstance(value, kinds)


def sort(values: Any, /, *, key: Any = None, reverse: bool = False) -> list[Any]:
    """`sorted(values)`."""
    return sorted(bounded(values), key=called(key), reverse=reverse)


def total(values: Any, /, start: Any = 0) -> Any:
    """`sum(values, start)`."""
    return sum(bounded(values), start)


def smallest(*values: Any, **options: Any) -> Any:
    """`min(values)`."""
    return extreme(min, values, options)


def largest(*values: Any, **options: Any) -> Any:
    """`max(values)`."""
    return extreme(max, values, options)


def extreme(choose: Any, values: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """`min` or `max`."""
    if "key" in options:
        options["key"] = called(options["key"])
    if len(values) == 1:
        values = (bounded(values[0]),)
    return choose(*values, **options)


def some(values: Any, /) -> bool:
    """`any(values)`."""
    return any(bounded(values))


def every(values: Any, /) -> bool:
    """`all(values)`."""
    return all(bounded(values))


def rounded(number: Any, ndigits: Any = None) -> Any:
    """`round(number, ndigits)`."""
    if type(number) is int and type(ndigits) is int and -ndigits > number.bit_length():
        return 0  # beyond all digits; Python would compute 10 ** -ndigits first
    return round(number, ndigits)


def raised(base: Any, exp: Any, mod: Any = None) -> Any:
    """`pow(base, exp, mod)`."""
    if mod is None:
        return power(base, exp)
    if type(base) is int and type(exp) is int and type(mod) is int:
        check_bits(16 * max(base.bit_length(), exp.bit_length(), mod.bit_length()))
    return pow(base, exp, mod)


def formatted(value: Any, spec: str = "", /) -> str:
    """`format(value, spec)`."""
    if isinstance(spec, str):
        check_width(spec)
    return format(value, spec)


def iterator(values: Any, /, *sentinel: Any) -> Any:
    """`iter(values)`, or `iter(function, sentinel)`."""
    return iter(called(values) if sentinel else values, *sentinel)


PYTHON: Final[dict[str, Any]] = {
    "abs": abs,
    "all": every,
    "any": some,
    "ascii": ascii,
    "bin": bin,
    "callable": callable,
    "chr": chr,
    "divmod": divmod,
    "format": formatted,
    "hash": hash,
    "hex": hex,
    "id": id,
    "isinstance": is_instance,
    "iter": iterator,
    "len": len,
    "max": largest,
    "min": smallest,
    "next": next,
    "oct": oct,
    "ord": ord,
    "pow": raised,
    "repr": repr,
    "round": rounded,
    "sorted": sort,
    "sum": total,
    "type": TYPE,
    "Ellipsis": ...,
    "NotImplemented": NotImplemented,
    **{
        kind.__name__: kind
        for kind in (
            *(bool, int, float, complex, str, list, tuple, set, frozenset, dict),
            *(range, slice, zip, enumerate, reversed, map, filter),
            *EXCEPTIONS,
        )
    },
}
"""Built-in names."""

SHARED: Final = ("abs", "all", "any", "max", "min", "round", "sum")
"""Names that mean PyTorch's function where the first argument is a tensor."""


def product(values: Any, /, *, start: Any = 1) -> Any:
    """`math.prod(values)`."""
    for value in bounded(values):
        start = multiply(start, value)
    return start


def factorial(n: Any, /) -> int:
    """`math.factorial(n)`."""
    if type(n) is int and n > 0:
        check_bits(n * n.bit_length() // 2)
    return math.factorial(n)


def combinations(n: Any, k: Any, /) -> int:
    """`math.comb(n, k)`."""
    if type(n) is int and type(k) is int and 0 <= k <= n:
        check_bits(min(k, n - k) * n.bit_length())
    return math.comb(n, k)


def permutations(n: Any, k: Any = None, /) -> int:
    """`math.perm(n, k)`."""
    if k is None:
        return factorial(n)
    if type(n) is int and type(k) is int and 0 <= k <= n:
        check_bits(k * n.bit_length())
    return math.perm(n, k)


def multiple(*values: Any) -> int:
    """`math.lcm(values)`."""
    check_bits(sum(value.bit_length() for value in values if type(value) is int))
    return math.lcm(*values)


def float_sum(values: Any, /) -> float:
    """`math.fsum(values)`."""
    return math.fsum(bounded(values))


MATH: Final[dict[str, Callable[..., Any]]] = {
    "comb": combinations,
    "factorial": factorial,
    "fsum": float_sum,
    "lcm": multiple,
    "perm": permutations,
    "prod": product,
}
"""Functions of `math` that could make giants."""

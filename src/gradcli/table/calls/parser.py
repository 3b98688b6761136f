"""How PyTorch's parser of arguments looks at a call, for its words about a wrong one.

The table checks calls itself (`schema`), faster and with fewer overloads. Of a call that it
refuses PyTorch's parser is asked what is wrong: it tries the overloads in turn and explains the
only one that takes so many arguments, or lists them all. `torch/csrc/utils/python_arg_parser.cpp`
and `invalid_arguments.cpp` are the originals.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.random.bitstream import BitStream
from gradcli.table.calls.overloads import FACTORY
from gradcli.tensor.arrays import unwrapped
from gradcli.tensor.classes import Class
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import Device, Layout, MemoryFormat
from gradcli.tensor.public import word_of
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor

_ARGUMENT: Final = re.compile(
    r"(?P<kind>\w+)(?P<inner>\?(?=\[))?(?P<list>\[(?P<size>[\d*]*)\])?(?P<nullable>\??) "
    r"(?P<name>\w+)(=(?P<default>.+))?"
)
_NUMPY_NAMES: Final = {
    "dim": ("axis",),
    "keepdim": ("keepdims",),
    "input": ("x", "a", "x1"),
    "other": ("x2",),
}
"""NumPy's names of arguments, which PyTorch takes too."""
_NUMBERS_AS_TENSORS: Final = frozenset(
    f"{name}{suffix}"
    for name in (
        *("add", "div", "divide", "floor_divide", "mul", "multiply"),
        *("sub", "subtract", "true_divide"),
    )
    for suffix in ("", "_")
) | {"to", "copy_"}
"""Functions that take a number for every tensor."""
_WORDS: Final = {
    "Operand": "Tensor",
    "Scalar": "Number",
    "Real": "Number",
    "SymInt": "int",
    "DeviceIndex": "int",
    "dtype": "torch.dtype",
    "layout": "torch.layout",
    "device": "torch.device",
    "MemoryFormat": "torch.memory_format",
    "Generator": "torch.Generator",
    "generator": "torch.Generator",
    "memory_format": "torch.memory_format",
    "any": "object",
}
_MISSING: Final = object()
_BITS: Final = (1 << 64) - 1
_FACTOR: Final = 0xC6A4A7935BD1E995
_SEED: Final = 0xC70F6907
_BUCKETS: Final = 13
_BECAUSE: Final = "      didn't match because some of the"


class Argument:
    """One argument of an overload."""

    __slots__ = ("default", "keyword_only", "kind", "listed", "name", "names", "nullable", "size")

    def __init__(self, text: str, keyword_only: bool) -> None:
        match = _ARGUMENT.fullmatch(text)
        if match is None:
            raise ValueError(f"unreadable argument {text!r}")
        self.kind = match["kind"]
        self.listed = match["list"] is not None
        self.size = int(match["size"]) if (match["size"] or "*") != "*" else 0
        is_self = match["name"] == "self" and self.kind == "Tensor"
        self.name = "input" if is_self else match["name"]
        self.names = (self.name, *_NUMPY_NAMES.get(self.name, ()))
        self.default = match["default"]
        self.nullable = bool(match["nullable"]) or self.default == "None"
        self.keyword_only = keyword_only

    def word(self) -> str:
        """The type in messages."""
        if self.listed:
            inner = {"SymInt": "int", "Operand": "Tensor"}.get(self.kind, self.kind)
            return f"tuple of {inner}s"
        return _WORDS.get(self.kind, self.kind)

    def shown(self) -> str:
        """The argument as lists of overloads have it."""
        text = f"{self.word()} {self.name}"
        return text if self.default is None else f"{text} = {self.default}"


class Wrong(TypeError):
    """A call that does not fit; the message is PyTorch's."""


class Overload:
    """One signature, `(Tensor input, *, Scalar alpha=1)` or the same with `|deprecated`."""

    __slots__ = ("arguments", "hidden", "least", "name", "positional")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.hidden = text.endswith("|deprecated")
        self.arguments: list[Argument] = []
        keyword_only = False
        for part in _split(text.removesuffix("|deprecated")[1:-1].replace("$factory", FACTORY)):
            if part == "*":
                keyword_only = True
            else:
                self.arguments.append(Argument(part, keyword_only))
        self.least = sum(argument.default is None for argument in self.arguments)
        self.positional = sum(not argument.keyword_only for argument in self.arguments)

    @property
    def parts(self) -> list[Argument | None]:
        """The arguments as PyTorch counts them: also the star before those that need their names,
        and nothing between brackets, which are None here.
        """
        parts: list[Argument | None] = [*self.arguments] or [None]
        if self.positional < len(self.arguments):
            parts.insert(self.positional, None)
        return parts

    def shown(self) -> str:
        """`(Tensor input, Tensor other, *, Number alpha = 1)`."""
        texts = ["*" if part is None else part.shown() for part in self.parts]
        return f"({', '.join(texts)})" if self.arguments else "()"

    def refuse(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Compares a call with the overload.

        Raises:
            Wrong: it does not fit, and so others are tried.
            TypeError: it does not fit, and no other overload is.
        """
        alone = self.positional == 1 and self.arguments[0].kind in ("int", "SymInt")
        spread = alone and self.arguments[0].listed
        if len(args) > self.positional and not spread:
            raise self._surplus(len(args))
        at, used = 0, 0
        for number, argument in enumerate(self.arguments):
            named = at >= len(args)
            if named:
                value = next((kwargs[key] for key in argument.names if key in kwargs), _MISSING)
            elif argument.keyword_only:
                raise self._surplus(len(args))
            else:
                value = args[at]
            if value is _MISSING and argument.default is None:
                raise self._missing(number)
            if value is not _MISSING and not (value is None and argument.nullable):
                failed = check(argument, value, number, self.name in _NUMBERS_AS_TENSORS)
                if failed is not None:
                    if spread and not named and check(argument, tuple(args), 0, False) is None:
                        at = len(args)
                        continue
                    if len(args) > self.positional:
                        raise self._surplus(len(args))
                    raise self._unfit(argument, value, failed, None if named else at + 1)
            if not named:
                at += 1
            elif value is not _MISSING:
                used += 1
        if at < len(args):
            raise self._surplus(len(args))
        if used < len(kwargs):
            raise self._unknown(kwargs, len(args))

    def _surplus(self, given: int) -> Wrong:
        if self.least != self.positional:
            return Wrong(
                f"{self.name}() takes from {self.least} to {self.positional} positional arguments "
                f"but {given} were given"
            )
        return Wrong(
            f"{self.name}() takes {self.positional} positional argument"
            f"{'s' * (self.positional != 1)} but {given} {'was' if given == 1 else 'were'} given"
        )

    def _missing(self, first: int) -> Wrong:
        names = [f'"{part.name}"' for part in self.arguments[first:] if part.default is None]
        # The plural is PyTorch's.
        return Wrong(
            f"{self.name}() missing {len(names)} required positional argument"
            f"{'s' * (len(names) == 1)}: {', '.join(names)}"
        )

    def _unfit(self, argument: Argument, value: Any, failed: int, position: int | None) -> Wrong:
        where = f" (position {position})" if position else ""
        text = f"{self.name}(): argument '{argument.name}'{where} must be {argument.word()}, "
        if failed < 0 or not position:
            return Wrong(f"{text}not {word_of(value)}")
        found = word_of(value[failed])
        return Wrong(f"{text}but found element of type {found} at pos {failed}")

    def _unknown(self, kwargs: dict[str, Any], given: int) -> Wrong:
        places = {argument.name: place for place, argument in enumerate(self.arguments)}
        for key in kwargs:
            if key not in places:
                return Wrong(f"{self.name}() got an unexpected keyword argument '{key}'")
            if places[key] < given:
                return Wrong(f"{self.name}() got multiple values for argument '{key}'")
        return Wrong("invalid keyword arguments")


def _split(text: str) -> Iterable[str]:
    """The parts between commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    parts.append(text[start:].strip())
    return filter(None, parts)


def _whole(value: Any) -> bool:
    return isinstance(unwrapped(value), (int, np.integer)) and not isinstance(value, bool)


def _index(value: Any) -> bool:
    """What has an `__index__`: whole numbers and tensors of one."""
    if isinstance(value, Tensor):
        return value._array.size == 1 and value._array.dtype.kind in "iub"
    return _whole(value)


def _number(value: Any) -> bool:
    """A real number; a tensor of one without dimensions, of which no gradient is wanted."""
    if isinstance(value, Tensor):
        return not value.requires_grad and not value._array.ndim
    return isinstance(unwrapped(value), (int, float, np.floating, np.integer))


def _scalar(value: Any) -> bool:
    return isinstance(unwrapped(value), complex) or _number(value)


def _int(value: Any) -> bool:
    if isinstance(value, Tensor):
        return _number(value) and value._array.dtype.kind in "iu"
    return _whole(value)


def _dtype(value: Any) -> bool:
    kind = value.of if isinstance(value, Class) else value
    return isinstance(value, DType) or kind in (float, int, bool, complex)


_CHECKS: Final[dict[str, Callable[[Any], bool]]] = {
    "Tensor": lambda value: isinstance(value, Tensor),
    "Operand": lambda value: isinstance(value, Tensor) or _scalar(value),
    "Scalar": _scalar,
    "Real": _scalar,
    "float": _number,
    "int": _int,
    "DeviceIndex": _int,
    "SymInt": _index,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "dtype": _dtype,
    "device": lambda value: isinstance(value, (str, Device)) or _whole(value),
    "layout": lambda value: isinstance(value, Layout),
    "memory_format": lambda value: isinstance(value, MemoryFormat),
    "generator": lambda value: isinstance(value, BitStream),
    "MemoryFormat": lambda value: isinstance(value, MemoryFormat),
    "Generator": lambda value: isinstance(value, BitStream),
}
"""What is an argument of each type; one that is missing takes everything."""


def check(argument: Argument, value: Any, number: int, numbers: bool) -> int | None:
    """None if a value fits an argument, else the place of the element that does not, or -1.

    `number` is the argument's, `numbers` says that a number may be a tensor.

    Raises:
        TypeError: a list of tensors has something else in it, which no other overload mends.
    """
    kind = argument.kind
    if not argument.listed:
        fits = _CHECKS.get(kind)
        good = fits is None or fits(value) or (numbers and kind == "Tensor" and _scalar(value))
        return None if good else -1
    if not isinstance(value, (list, tuple, Size)):
        return None if argument.size and kind in ("int", "SymInt") and _index(value) else -1
    if kind == "Tensor":
        for place, item in enumerate(value):
            if not isinstance(item, Tensor):
                raise TypeError(
                    f"expected Tensor as element {place} in argument {number}, but got "
                    f"{word_of(item)}"
                )
        return None
    # Only the first element tells what a list is.
    fits = {
        "int": _index,
        "SymInt": _index,
        "float": _scalar,
    }.get(kind, _scalar)
    return None if not len(value) or fits(value[0]) else 0


def _place(key: str) -> int:
    """The bucket of a keyword in the hash table from which C++ lists keywords."""
    data = key.encode()
    whole = len(data) & ~7
    hashed = _SEED ^ (len(data) * _FACTOR & _BITS)
    for start in range(0, whole, 8):
        part = int.from_bytes(data[start : start + 8], "little") * _FACTOR & _BITS
        hashed = (hashed ^ ((part ^ (part >> 47)) * _FACTOR & _BITS)) * _FACTOR & _BITS
    if data[whole:]:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _BITS
    hashed = (hashed ^ (hashed >> 47)) * _FACTOR & _BITS
    return (hashed ^ (hashed >> 47)) % _BUCKETS


def _keywords(kwargs: dict[str, Any]) -> list[str]:
    """The keywords in the order of that table, which puts what is new in front."""
    buckets: dict[int, list[str]] = {}
    for key in kwargs:
        buckets.setdefault(_place(key), []).insert(0, key)
    return [key for bucket in reversed(buckets.values()) for key in bucket]


def _given(args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    parts = [word_of(value) for value in args]
    parts += [f"{key}={word_of(kwargs[key])}" for key in _keywords(kwargs)]
    if kwargs and not args:
        parts.append("")  # PyTorch cuts the last comma only after arguments without a name
    return f"({', '.join(parts)})"


def refuse(name: str, signatures: Iterable[str], args: Sequence[Any], kwargs: Any) -> None:
    """Tells what is wrong with a call of `name`, whose overloads are given.

    The tensor before the dot of a method is none of `args`.

    Raises:
        TypeError: in PyTorch's words, unless an overload takes the arguments.
    """
    overloads = [Overload(name, text) for text in signatures]
    for overload in overloads:
        try:
            return overload.refuse(args, kwargs)
        except Wrong as wrong:
            if len(overloads) == 1:
                raise TypeError(str(wrong)) from None
    given = len(args) + len(kwargs)
    shown = [overload for overload in overloads if not overload.hidden]
    plausible = [each for each in shown if each.least <= given <= len(each.arguments)]
    if len(plausible) == 1:
        try:
            plausible[0].refuse(args, kwargs)
        except Wrong as wrong:
            raise TypeError(str(wrong)) from None
    text = f"{name}() received an invalid combination of arguments - got "
    if len(shown) == 1:
        unknown = _unknown(shown[0], kwargs)
        if unknown:
            raise TypeError(f"{text}unrecognized keyword arguments: {', '.join(unknown)}")
        takes = len(shown[0].parts) == given
        found = _marked(shown[0], args, kwargs) if takes else _given(args, kwargs)
        raise TypeError(f"{text}{found}, but expected {shown[0].shown()}")
    lines = [f"{text}{_given(args, kwargs)}, but expected one of:"]
    for each in shown:
        lines.append(f" * {each.shown()}")
        if len(each.parts) != given:
            continue
        unknown = _unknown(each, kwargs)
        if unknown:
            lines.append(f"{_BECAUSE} keywords were incorrect: {', '.join(unknown)}")
        else:
            types = _marked(each, args, kwargs)
            lines.append(f"{_BECAUSE} arguments have invalid types: {types}")
    raise TypeError("\n".join(lines))


def _unknown(overload: Overload, kwargs: dict[str, Any]) -> list[str]:
    """The keywords of a call that PyTorch does not find in an overload."""
    # It looks among as many last arguments, and only at those without default.
    parts = overload.parts
    last = parts[max(len(parts) - len(kwargs), 0) :]
    known = {part.name for part in last if part is not None and part.default is None}
    return [key for key in _keywords(kwargs) if key not in known]


def _marked(overload: Overload, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
    """The types of a call with marks at those that differ, as in `(Tensor, !str!)`."""
    parts = overload.parts
    # A default is taken for a part of the type, which then fits nothing.
    words = ["" if part is None or part.default else part.word() for part in parts]
    names = [part.name for part in parts[len(args) :] if part is not None and part.name in kwargs]
    found = [(_described(value), word_of(value)) for value in args]
    found += [(f"{name}={_described(kwargs[name])}", word_of(kwargs[name])) for name in names]
    shown = [
        text if kind == word or (kind, word) == ("int", "float") else f"!{text}!"
        for (text, kind), word in zip(found, words, strict=True)
    ]
    if kwargs and not args:
        shown.append("")
    return f"({', '.join(shown)})"


def _described(value: Any) -> str:
    """The type of a value, with those of the elements of lists: `tuple of (int, str)`."""
    kind = word_of(value)
    if not isinstance(value, (list, tuple)):
        return kind
    inner = ", ".join(map(word_of, value))
    if isinstance(value, list):
        return f"{kind} of [{inner}]"
    return f"{kind} of ({inner}{',' * (len(value) == 1)})"

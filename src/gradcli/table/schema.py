"""Signatures of operators, and the one place where arguments are checked against them.

A signature is written the way PyTorch documents one::

    add(Operand self, Operand other, *, Scalar alpha=1)
    acos|arccos(Tensor self)
    nn.functional.relu(Tensor input, bool inplace=False)
    Tensor.view(Tensor self, int[] size)

or it is the head of a function, and only the names are written::

    @composite("add")
    def add(self: Operand, other: Operand, *, alpha: Scalar = 1) -> Value: ...

Names before the parenthesis are alternatives. A plain name whose first parameter is `self` is a
function of `torch` and a method; a plain name without it is a function; `Tensor.` marks a
method only; other dotted names live in that module of `torch`; `aten.` names are internal.

Types: `Tensor`, `Operand` (a tensor, or a number that acts as one), `Scalar`, `Real`, `int`,
`float`, `bool`, `str`, `dtype`, `device`, `layout`, `memory_format`, `generator`, `any`, lists such
as `int[]`, `int[2]` (one number stands for all), `Tensor[]`, `Tensor[*]` (a list that may also be
written without brackets), and `?` behind a type that may be None. `$factory` stands for the
keyword arguments that all functions share that make new tensors.

In the head of a function the types are Python's and those of `gradcli.typing` (`_KINDS`),
`Sequence[X]` and `X | None`; any other takes every value. `*options` stands for `$factory`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import FunctionType
from typing import Any, Final

import numpy as np

from gradcli.random.bitstream import BitStream
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes
from gradcli.tensor.arrays import Scalar
from gradcli.tensor.classes import Class
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import Device, Layout, MemoryFormat
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor

_FACTORY: Final = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
    "bool? requires_grad=False"
)
_PARAMETER: Final = re.compile(
    r"\s*(?P<type>\w+(\[[\d*]*\])?\??)\s+(?P<name>\w+)\s*(=\s*(?P<default>.+?))?\s*$"
)
# PyTorch also takes NumPy's spelling of these keywords.
_NUMPY_NAMES: Final = {"axis": "dim", "keepdims": "keepdim", "x": "self", "input": "self"}
_MISSING: Final = object()
_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1
_FLOAT_BITS: Final = 1023  # an integer of so many bits is a float
_LONGEST: Final = 1 << 20
_OVERFLOW: Final = "Overflow when unpacking long long"
_VARARGS: Final = 0x04  # the flag of code that takes `*args`
_KINDS: Final = {
    "Tensor": "Tensor",
    "Array": "Tensor",
    "Value": "Tensor",
    "Operand": "Operand",
    "Scalar": "Scalar",
    "Real": "Real",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "DType": "dtype",
    "Device": "device",
    "Layout": "layout",
    "MemoryFormat": "memory_format",
    "Generator": "generator",
    "Single": "int[1]",
    "Pair": "int[2]",
    "Triple": "int[3]",
    "VarTensors": "Tensor[*]",
    "Any": "any",
}
"""What annotations mean; those met in heads of functions are added."""
_WORDS: Final = {
    "Tensor": "Tensor",
    "Operand": "Tensor",
    "Scalar": "Number",
    "Real": "Number",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "str": "str",
    "dtype": "torch.dtype",
    "device": "torch.device",
    "layout": "torch.layout",
    "memory_format": "torch.memory_format",
    "generator": "torch.Generator",
    "int[]": "tuple of ints",
    "float[]": "tuple of floats",
    "bool[]": "tuple of bools",
    "Tensor[]": "tuple of Tensors",
    "Scalar[]": "tuple of Scalars",
}

_CLASSES: Final[dict[str, type | tuple[type, ...]]] = {
    "bool": bool,
    "str": str,
    "dtype": DType,
    "device": (Device, str, int),  # a number is that of an accelerator
    "layout": Layout,
    "memory_format": MemoryFormat,
    "generator": BitStream,
}
"""What values of the other types are instances of."""


class Mismatch(TypeError):
    """The arguments do not fit a signature; the message is PyTorch's."""


class Parameter:
    """One argument of an operator."""

    __slots__ = (
        "base",
        "default",
        "keyword_only",
        "length",
        "name",
        "nullable",
        "required",
        "variadic",
    )

    def __init__(self, text: str, keyword_only: bool) -> None:
        match = _PARAMETER.match(text)
        if match is None:
            raise ValueError(f"unreadable parameter {text!r}")
        kind = match["type"]
        self.nullable = kind.endswith("?")
        kind = kind.rstrip("?")
        length = re.search(r"\[(\d+)\]", kind)
        self.length = int(length[1]) if length else 0
        self.base = re.sub(r"\[[\d*]+\]", "[]", kind)
        self.variadic = kind == "int[]" or kind.endswith("[*]")
        self.name = match["name"]
        self.keyword_only = keyword_only
        self.required = match["default"] is None
        self.default: Any = None if self.required else _literal(match["default"])

    @property
    def is_tensor(self) -> bool:
        return self.base in ("Tensor", "Operand")

    def word(self) -> str:
        """The expected type in PyTorch's words."""
        return _WORDS.get(self.base, self.base)

    def describe(self) -> str:
        """The parameter as PyTorch's messages list it."""
        name = "input" if self.name == "self" else self.name
        text = f"{self.word()} {name}"
        if not self.required:
            default = f'"{self.default}"' if isinstance(self.default, str) else self.default
            text += f" = {default}"
        return text


def _literal(text: str) -> Any:
    """The value of a default as written in a signature."""
    words: dict[str, Any] = {"None": None, "True": True, "False": False, "inf": float("inf")}
    if text in words:
        return words[text]
    if text[0] in "'\"":
        return text[1:-1]
    if text[0] in "([":
        return tuple(_literal(part.strip()) for part in text[1:-1].split(",") if part.strip())
    return float(text) if any(mark in text for mark in ".e") else int(text)


def split_signature(text: str) -> tuple[list[str], str | None]:
    """The alternative names of a signature, and its parameter list as text, if it has one."""
    names, bracket, parameters = text.partition("(")
    return names.strip().split("|"), parameters.rstrip()[:-1] if bracket else None


def kind_of(annotation: str) -> str:
    """The type that the text of an annotation means: `Sequence[int] | None` is `int[]?`."""
    kind = _KINDS.get(annotation)
    if kind is None:
        inner = annotation.removesuffix(" | None")
        if inner != annotation:
            kind = kind_of(inner).removesuffix("?") + "?"
        elif annotation.startswith("Sequence["):
            kind = kind_of(annotation[9:-1]) + "[]"
        else:
            kind = "any"
        _KINDS[annotation] = kind
    return kind


def outline(signature: str | FunctionType) -> list[tuple[str, str]]:
    """The types and names of the parameters, cheaply: without lengths of lists and defaults."""
    if isinstance(signature, str):
        parts = [part.split("=")[0].split() for part in signature.split(",")]
        return [(part[0], part[1]) for part in parts if len(part) == 2]
    code, annotations = signature.__code__, signature.__annotations__
    count = code.co_argcount + code.co_kwonlyargcount
    return [(kind_of(annotations[name]), name) for name in code.co_varnames[:count]]


def parameters_of(function: FunctionType) -> str:
    """The parameters of a function in its signature's words: `Tensor self, *, Scalar alpha=1`."""
    code = function.__code__
    known = function.__defaults__ or ()
    defaults = dict(zip(code.co_varnames[code.co_argcount - len(known) :], known, strict=False))
    defaults |= function.__kwdefaults__ or {}
    parts = [
        f"{kind} {name}={defaults[name]!r}" if name in defaults else f"{kind} {name}"
        for kind, name in outline(function)
    ]
    if code.co_flags & _VARARGS:
        parts.append("$factory")
    if len(parts) > code.co_argcount:
        parts.insert(code.co_argcount, "*")
    return ", ".join(parts)


def by_position(function: FunctionType) -> FunctionType:
    """The function with its keyword-only arguments as positional ones, as entries are called."""
    code, keywords = function.__code__, function.__kwdefaults__ or {}
    if not code.co_kwonlyargcount:
        return function
    count = code.co_argcount + code.co_kwonlyargcount
    defaults = list(function.__defaults__ or ())
    for name in code.co_varnames[code.co_argcount : count]:
        if name in keywords:
            defaults.append(keywords[name])
        else:
            defaults.clear()  # Python has no default before a parameter without one
    return FunctionType(
        code.replace(co_argcount=count, co_kwonlyargcount=0),
        function.__globals__,
        function.__name__,
        tuple(defaults),
        function.__closure__,
    )


class Signature:
    """The parameters of an operator in order, and how arguments are fitted to them."""

    __slots__ = ("defaults", "index", "name", "operands", "parameters", "positional", "required")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parameters: list[Parameter] = []
        keyword_only = False
        for part in _split(text.replace("$factory", _FACTORY)):
            if part == "*":
                keyword_only = True
            else:
                self.parameters.append(Parameter(part, keyword_only))
        self.index = {parameter.name: k for k, parameter in enumerate(self.parameters)}
        self.positional = sum(not parameter.keyword_only for parameter in self.parameters)
        self.required = sum(parameter.required for parameter in self.parameters)
        # Where numbers may stand for tensors, if nothing else is one.
        bases = [parameter.base for parameter in self.parameters if parameter.required]
        tensors = any(base.startswith("Tensor") for base in bases)
        self.operands = () if tensors else tuple(k for k, b in enumerate(bases) if b == "Operand")
        self.defaults = tuple(parameter.default for parameter in self.parameters)

    def describe(self) -> str:
        """`(Tensor input, Tensor other, *, Number alpha = 1)`."""
        parts = [parameter.describe() for parameter in self.parameters]
        if self.positional < len(parts):
            parts.insert(self.positional, "*")
        return f"({', '.join(parts)})"

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any], method: bool) -> list[Any]:
        """The arguments in the order of the parameters, with defaults; `Mismatch` if not.

        `method`: the first argument is the tensor before the dot and does not count in messages.
        """
        parameters, skipped = self.parameters, int(method)
        values: list[Any] = [_MISSING] * len(parameters)
        args = self._gather(args, skipped)
        if len(args) > self.positional:
            takes, gave = self.positional - skipped, len(args) - skipped
            least = self.required - skipped
            if least != takes:
                takes_text = f"from {least} to {takes} positional arguments"
            else:
                takes_text = f"{takes} positional argument{'s' * (takes != 1)}"
            raise Mismatch(
                f"{self.name}() takes {takes_text} but {gave} {'was' if gave == 1 else 'were'} "
                "given"
            )
        for position, value in enumerate(args):
            parameter = parameters[position]
            values[position] = self._check(parameter, value, position + 1 - skipped)
        unknown: str | None = None
        for keyword, value in kwargs.items():
            found = self._find(keyword)
            if found is None:
                unknown = unknown or keyword
                continue
            if values[found] is not _MISSING:
                raise Mismatch(f"{self.name}() got multiple values for argument '{keyword}'")
            values[found] = self._check(parameters[found], value, None)
        missing = []
        for position, value in enumerate(values):
            if value is _MISSING:
                if parameters[position].required:
                    missing.append(parameters[position].name)
                values[position] = parameters[position].default
        if missing:
            # The plural is PyTorch's.
            raise Mismatch(
                f"{self.name}() missing {len(missing)} required positional "
                f"argument{'s' * (len(missing) == 1)}: "
                + ", ".join(f'"{"input" if name == "self" else name}"' for name in missing)
            )
        if unknown is not None:
            raise Mismatch(f"{self.name}() got an unexpected keyword argument '{unknown}'")
        return values

    def fit(self, *args: Any) -> list[Any]:
        """What one operator hands on to another, checked as a user's arguments are.

        Raises:
            TypeError: they do not fit; the message names the second operator, as PyTorch's does.
        """
        try:
            return self.bind(args, {}, False)
        except Mismatch as failure:
            raise TypeError(str(failure)) from None

    def _gather(self, args: Sequence[Any], skipped: int) -> Sequence[Any]:
        """Turns `x.view(2, 3)` into `x.view((2, 3))`."""
        for position in range(skipped, min(len(args), self.positional)):
            parameter = self.parameters[position]
            if not parameter.variadic:
                continue
            if parameter.base == "int[]":
                alone = position == skipped and self.positional == position + 1
                wanted = alone and _is_int(args[position])
            else:
                wanted = _is_tensor(args[position])
            if wanted:
                return [*args[:position], tuple(args[position:])]
        return args

    def _find(self, keyword: str) -> int | None:
        position = self.index.get(keyword)
        if position is None:
            position = self.index.get(_NUMPY_NAMES.get(keyword, ""))
        return position

    def _check(self, parameter: Parameter, value: Any, position: int | None) -> Any:
        if value is None and parameter.nullable:
            return None
        fitted = _fit(parameter, value)
        if fitted is _MISSING:
            raise self._complaint(parameter, value, position)
        if parameter.base == "Real":
            return _real(fitted)
        if type(fitted) is int:
            return _bounded(parameter.base, fitted)
        if parameter.base == "int[]":
            for place, item in enumerate(fitted):
                if not _LEAST <= item <= _MOST:
                    if isinstance(value, int):
                        raise ValueError(_OVERFLOW)
                    name = "input" if parameter.name == "self" else parameter.name
                    raise TypeError(
                        f"{self.name}(): argument '{name}' failed to unpack the object at pos "
                        f'{place + 1} with error "{_OVERFLOW}'
                    )
        return fitted

    def _complaint(self, parameter: Parameter, value: Any, position: int | None) -> TypeError:
        """What is wrong with an argument.

        PyTorch looks at the first element only when it chooses an overload: a later one of a wrong
        type is an error of the call, not a `Mismatch`.
        """
        name = "input" if parameter.name == "self" else parameter.name
        wrong = _wrong_element(parameter, value)
        if wrong is not None and parameter.base == "Tensor[]":
            return TypeError(
                f"expected Tensor as element {wrong[0]} in argument {(position or 1) - 1}, but got "
                f"{type_name(wrong[1])}"
            )
        if wrong is not None and parameter.base == "int[]" and wrong[0] > 0:
            return TypeError(
                f"{self.name}(): argument '{name}' failed to unpack the object at pos "
                f'{wrong[0] + 1} with error "type must be {parameter.word()},but got '
                f'{type_name(wrong[1])}"'
            )
        where = f"(position {position}) " if position is not None else ""
        text = f"{self.name}(): argument '{name}' {where}must be {parameter.word()}, "
        if wrong is None:
            return Mismatch(f"{text}not {type_name(value)}")
        return Mismatch(f"{text}but found element of type {type_name(wrong[1])} at pos {wrong[0]}")


def _wrong_element(parameter: Parameter, value: Any) -> tuple[int, Any] | None:
    """The position and value of the element that spoils a list."""
    if not parameter.base.endswith("[]") or not isinstance(value, (list, tuple)):
        return None
    element = Parameter.__new__(Parameter)
    element.base, element.length, element.nullable = parameter.base[:-2], 0, False
    for position, item in enumerate(value):
        if _fit(element, item) is _MISSING:
            return position, item
    return None


def _split(text: str) -> list[str]:
    """Splits a parameter list at its commas, not at those inside brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def _is_int(value: Any) -> bool:
    return type(value) is int or (
        type(value) is Tensor and value._array.ndim == 0 and value._array.dtype.kind in "iu"
    )


def _is_tensor(value: Any) -> bool:
    return type(value) is Tensor


def _bounded(kind: str, number: int) -> Any:
    """An integer that fits the type of a parameter; a float where integers do not reach so far.

    Raises:
        ValueError, OverflowError: PyTorch's, where it does not fit.
    """
    if _LEAST <= number <= _MOST or kind == "any":
        return number
    if kind == "int":
        raise ValueError(_OVERFLOW)
    if kind == "float":
        if number.bit_length() > _FLOAT_BITS:
            raise OverflowError("int too large to convert to float")
        return float(number)
    if number < _LEAST:
        raise OverflowError("can't convert negative int to unsigned")
    if number > 2 * _MOST + 1:
        raise OverflowError("int too big to convert")
    return number


def _fit(parameter: Parameter, value: Any) -> Any:
    """The value as the parameter's type, or _MISSING where it is none."""
    kind = parameter.base
    if kind == "any":
        return value
    if kind in ("Tensor", "Operand"):
        if type(value) is Tensor:
            return value
        return value if kind == "Operand" and isinstance(value, (int, float, complex)) else _MISSING
    if kind.endswith("[]"):
        return _fit_list(parameter, kind[:-2], value)
    if type(value) is Tensor and kind in ("Scalar", "Real", "int", "float", "bool"):
        if value._array.ndim or value._requires_grad:
            return _MISSING
        value = value.item()
    elif isinstance(value, (np.generic, Scalar)):
        value = value.item() if isinstance(value, np.generic) else value._array.item()
    if kind in ("Scalar", "Real"):
        return value if isinstance(value, (int, float, complex)) else _MISSING
    if kind == "int":
        return value if isinstance(value, int) and not isinstance(value, bool) else _MISSING
    if kind == "float":
        return value if isinstance(value, (int, float)) else _MISSING
    if kind == "dtype" and isinstance(value, (Class, type)):
        value = _python_dtype(value.of if isinstance(value, Class) else value)
    if kind == "device" and isinstance(value, bool):
        return _MISSING
    return value if isinstance(value, _CLASSES[kind]) else _MISSING


def _real(number: complex) -> float:
    """A number as what holds doubles."""
    if isinstance(number, complex):
        if number.imag:
            raise RuntimeError("value cannot be converted to type double without overflow")
        return number.real
    return number


def _python_dtype(kind: type) -> Any:
    """`dtype=float` and the like mean PyTorch's widest type of that category."""
    table: dict[type, DType] = {
        float: dtypes.float64,
        int: dtypes.int64,
        bool: dtypes.bool_,
        complex: dtypes.complex128,
    }
    return table.get(kind)


def _fit_list(parameter: Parameter, element: str, value: Any) -> Any:
    if isinstance(value, Size):
        return value if element in ("int", "float", "Scalar") else _MISSING
    if parameter.length and not isinstance(value, (list, tuple)):
        value = (value,) * parameter.length
    if isinstance(value, range):
        # No shape has so many dimensions; a longer range is not worth the memory.
        value = tuple(value[:_LONGEST])
    if not isinstance(value, (list, tuple)):
        return _MISSING
    inner = Parameter.__new__(Parameter)
    inner.base, inner.length, inner.nullable = element, 0, False
    fitted = tuple(_fit(inner, item) for item in value)
    return _MISSING if any(item is _MISSING for item in fitted) else fitted

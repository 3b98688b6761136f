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
method only; other dotted names live in that module of `torch`; `aten.` names are internal, and
`bare.` names are those of mathematics that PyTorch lacks: programs have them without a module.

Types: `Tensor`, `Operand` (a tensor, or a number that acts as one), `Scalar`, `Real`, `int`,
`float`, `bool`, `str`, `dtype`, `device`, `layout`, `memory_format`, `generator`, `any`, lists such
as `int[]`, `int[2]` (one number stands for all), `Tensor[]`, `Tensor[*]` (a list that may also be
written without brackets), and `?` behind a type that may be None. `$factory` stands for the
keyword arguments that all functions share that make new tensors.

In the head of a function the types are Python's and those of `gradcli.typing` (`_KINDS`),
`Sequence[X]` and `X | None`; any other takes every value. `*options` stands for `$factory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType
from typing import Any, Final

from gradcli.table.parameter import (
    MISSING,
    Parameter,
    bounded,
    fit,
    is_int,
    is_tensor,
    real,
    wrong_element,
)
from gradcli.tensor.integers import LEAST, MOST, OVERFLOW
from gradcli.tensor.public import word_of

_FACTORY: Final = (
    "dtype? dtype=None, layout? layout=None, device? device=None, bool? pin_memory=False, "
    "bool? requires_grad=False"
)
# PyTorch also takes NumPy's spelling of these keywords.
_NUMPY_NAMES: Final = {"axis": "dim", "keepdims": "keepdim", "x": "self", "input": "self"}
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


class Mismatch(TypeError):
    """The arguments do not fit a signature; `gradcli.table.calls` says why."""


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


def required_kinds(signature: str | FunctionType) -> tuple[str, ...]:
    """The types of the parameters that have no default."""
    if isinstance(signature, str):
        return tuple(
            kind for part in signature.split(",") if "=" not in part for kind, _ in outline(part)
        )
    known = len(signature.__defaults__ or ()) + len(signature.__kwdefaults__ or ())
    parts = outline(signature)
    return tuple(kind for kind, _ in parts[: len(parts) - known])


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

    __slots__ = (
        "defaults",
        "index",
        "name",
        "operands",
        "parameters",
        "positional",
        "required",
        "text",
    )

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
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

    def bind(
        self, args: Sequence[Any], kwargs: dict[str, Any], method: bool, loosely: bool = False
    ) -> list[Any]:
        """The arguments in the order of the parameters, with defaults; `Mismatch` if not.

        `method`: the first argument is the tensor before the dot. `loosely`: anything is a flag, as
        in Python.
        """
        parameters, skipped = self.parameters, int(method)
        values: list[Any] = [MISSING] * len(parameters)
        args = self._gather(args, skipped)
        if len(args) > self.positional:
            raise Mismatch
        for position, value in enumerate(args):
            values[position] = self._check(parameters[position], value, loosely)
        for keyword, value in kwargs.items():
            found = self.find(keyword)
            if found is None or values[found] is not MISSING:
                raise Mismatch
            values[found] = self._check(parameters[found], value, loosely)
        for position, value in enumerate(values):
            if value is MISSING:
                if parameters[position].required:
                    raise Mismatch
                values[position] = parameters[position].default
        return values

    def fit(self, *args: Any) -> list[Any]:
        """What one operator hands on to another, checked as a user's arguments are.

        Raises:
            TypeError: they do not fit; the message names the second operator, as PyTorch's does.
        """
        try:
            return self.bind(args, {}, False)
        except Mismatch:
            from gradcli.table.calls.wrong import refuse_own

            refuse_own(self.name, [f"({self.text})"], args, {}, False)

    def _gather(self, args: Sequence[Any], skipped: int) -> Sequence[Any]:
        """Turns `x.view(2, 3)` into `x.view((2, 3))`."""
        for position in range(skipped, min(len(args), self.positional)):
            parameter = self.parameters[position]
            if not parameter.variadic:
                continue
            if parameter.base == "int[]":
                alone = position == skipped and self.positional == position + 1
                wanted = alone and is_int(args[position])
            else:
                wanted = is_tensor(args[position])
            if wanted:
                return [*args[:position], tuple(args[position:])]
        return args

    def find(self, keyword: str) -> int | None:
        """The place of the parameter that a keyword names."""
        position = self.index.get(keyword)
        if position is None:
            position = self.index.get(_NUMPY_NAMES.get(keyword, ""))
        return None if keyword == "self" else position

    def _check(self, parameter: Parameter, value: Any, loosely: bool) -> Any:
        if value is None and parameter.nullable:
            return None
        fitted = fit(parameter, value)
        if fitted is MISSING:
            if loosely and parameter.base == "bool":
                return bool(value)
            raise self._complaint(parameter, value)
        if parameter.base == "Real":
            return real(fitted)
        if type(fitted) is int:
            return bounded(parameter.base, fitted)
        if parameter.base == "int[]":
            for place, item in enumerate(fitted):
                if not LEAST <= item <= MOST:
                    if isinstance(value, int):
                        raise ValueError(OVERFLOW)
                    raise self._unpacked(parameter, place, OVERFLOW)
        return fitted

    def _complaint(self, parameter: Parameter, value: Any) -> TypeError:
        """The error of an argument that does not fit.

        PyTorch looks at the first element only when it chooses an overload: a later one of a wrong
        type is an error of the call, not a `Mismatch`.
        """
        wrong = wrong_element(parameter, value)
        if wrong is None or parameter.base != "int[]" or wrong[0] == 0:
            return Mismatch()
        word = word_of(wrong[1])
        return self._unpacked(parameter, wrong[0], f'type must be tuple of ints,but got {word}"')

    def _unpacked(self, parameter: Parameter, place: int, why: str) -> TypeError:
        name = "input" if parameter.name == "self" else parameter.name
        return TypeError(
            f"{self.name}(): argument '{name}' failed to unpack the object at pos {place + 1} "
            f'with error "{why}'
        )


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

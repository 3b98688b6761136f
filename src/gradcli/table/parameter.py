"""One parameter of an operator: its kind, and the values that fit it."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from gradcli.random.bitstream import BitStream
from gradcli.tensor import dtypes
from gradcli.tensor.arrays import Scalar
from gradcli.tensor.classes import Class
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import Device, Layout, MemoryFormat
from gradcli.tensor.integers import LEAST, MOST, index64, refuse_number
from gradcli.tensor.leaf import batched_of, looked_at
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor

_PARAMETER: Final = re.compile(
    r"\s*(?P<type>\w+(\[[\d*]*\])?\??)\s+(?P<name>\w+)\s*(=\s*(?P<default>.+?))?\s*$"
)
MISSING: Final = object()
_LONGEST: Final = 1 << 20
_FLOAT_BITS: Final = 1023  # an integer of so many bits is a float
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


def wrong_element(parameter: Parameter, value: Any) -> tuple[int, Any] | None:
    """The position and value of the element that spoils a list."""
    if not parameter.base.endswith("[]") or not isinstance(value, (list, tuple)):
        return None
    element = Parameter.__new__(Parameter)
    element.base, element.length, element.nullable = parameter.base[:-2], 0, False
    for position, item in enumerate(value):
        if fit(element, item) is MISSING:
            return position, item
    return None


def is_int(value: Any) -> bool:
    return type(value) is int or (
        type(value) is Tensor and value._array.ndim == 0 and value._array.dtype.kind in "iu"
    )


def is_tensor(value: Any) -> bool:
    return type(value) is Tensor


def bounded(kind: str, number: int) -> Any:
    """An integer that fits the type of a parameter; a float where integers do not reach so far.

    Raises:
        ValueError, OverflowError: PyTorch's, where it does not fit.
    """
    if LEAST <= number <= MOST or kind == "any":
        return number
    if kind == "int":
        return index64(number)
    if kind == "float":
        if number.bit_length() > _FLOAT_BITS:
            raise OverflowError("int too large to convert to float")
        return float(number)
    refuse_number(number)
    return number


def fit(parameter: Parameter, value: Any) -> Any:
    """The value as the parameter's type, or MISSING where it is none."""
    kind = parameter.base
    if kind == "any":
        return value
    if kind in ("Tensor", "Operand"):
        if type(value) is Tensor:
            return value
        return value if kind == "Operand" and isinstance(value, (int, float, complex)) else MISSING
    if kind.endswith("[]"):
        return _fit_list(parameter, kind[:-2], value)
    if type(value) is Tensor and kind in ("Scalar", "Real", "int", "float"):
        if value._array.ndim or value.requires_grad or batched_of(value) is not None:
            return MISSING
        value = value.item()
    elif isinstance(value, (np.generic, Scalar)):
        value = value.item() if isinstance(value, np.generic) else looked_at(value).item()
    if kind in ("Scalar", "Real"):
        return value if isinstance(value, (int, float, complex)) else MISSING
    if kind == "int":
        return value if isinstance(value, int) and not isinstance(value, bool) else MISSING
    if kind == "float":
        return value if isinstance(value, (int, float)) else MISSING
    if kind == "dtype" and isinstance(value, (Class, type)):
        value = _python_dtype(value.of if isinstance(value, Class) else value)
    if kind == "device" and isinstance(value, bool):
        return MISSING
    return value if isinstance(value, _CLASSES[kind]) else MISSING


def real(number: complex) -> float:
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
        return value if element in ("int", "float", "Scalar") else MISSING
    if parameter.length and not isinstance(value, (list, tuple)):
        value = (value,) * parameter.length
    if isinstance(value, range):
        # No shape has so many dimensions; a longer range is not worth the memory.
        value = tuple(value[:_LONGEST])
    if not isinstance(value, (list, tuple)):
        return MISSING
    inner = Parameter.__new__(Parameter)
    inner.base, inner.length, inner.nullable = element, 0, False
    fitted = tuple(fit(inner, item) for item in value)
    if any(item is MISSING for item in fitted):
        if element == "int" and fitted[0] is not MISSING and bool in map(type, value):
            # PyTorch looks for integers in the first place only, and then takes flags.
            whole = [int(item) if type(item) is bool else item for item in value]
            return _fit_list(parameter, element, whole)
        return MISSING
    return fitted

"""Strict JSON for tensors: written with the fewest digits, read back to the same value.

A number is written as the shortest text that gives the same value in its own dtype, so that the
float32 nearest to 0.1 is `0.1`. What JSON has no numbers for is written, and read, as the strings
`"NaN"`, `"Infinity"` and `"-Infinity"`, and a complex number as `{"re": 1.0, "im": 2.0}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import isfinite, prod
from types import NoneType
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from gradcli.language.allowed.limits import check_items
from gradcli.tensor.dtypes import BOOL, DTYPES, FLOATING, FLOATS, INTEGRAL, DType
from gradcli.tensor.nesting import MAX_ITEMS

__all__ = [
    "JsonSyntaxError",
    "Leaf",
    "decode_array",
    "decode_leaf",
    "dumps",
    "encode_array",
    "loads",
]

_NONFINITE_NAMES: Final = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}
_NONFINITE_VALUES: Final = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
# Valid in a JSON string, but many readers take them for the end of a line.
_LINE_BREAKS: Final = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_MAX_DIMENSIONS: Final = 64
_LARGE: Final = 65504.0
"""The largest number that every floating type holds."""

_BFLOAT16_DIGITS: Final = 4
"""How many digits tell one bfloat16 from all others."""


class JsonSyntaxError(ValueError):
    """A text that is not JSON; `line` and `column` count from 1, where they are known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Leaf:
    """A variable's values and whether it requires grad."""

    array: NDArray[Any]
    requires_grad: bool


def dumps(value: object) -> str:
    """One line of JSON for nested dicts, lists and tuples, with NumPy arrays anywhere inside.

    Keys keep their order. The text can always be encoded as UTF-8. Raises TypeError for a key that
    is no string and for a value that JSON has no form for.
    """
    parts: list[str] = []
    # The containers that are open around the innermost: what is left of each, and what ends it.
    outer: list[tuple[Iterator[Any], str]] = []
    items: Iterator[Any] = iter((value,))
    end = separator = ""
    while True:
        for item in items:
            if end == "}":
                key, current = item
                if not isinstance(key, str):
                    raise TypeError(f"a JSON key must be a string, not {type(key).__name__}")
                parts.append(f"{separator}{_encode_string(key)}: ")
            else:
                current = item
                parts.append(separator)
            encode = _SCALARS.get(type(current))
            if encode is None and isinstance(current, dict | list | tuple):
                outer.append((items, end))
                if isinstance(current, dict):
                    items, separator, end = iter(current.items()), "{", "}"
                else:
                    items, separator, end = iter(current), "[", "]"
                parts.append(separator)
                separator = ""
                break
            parts.append((encode or _encode_scalar)(current))
            separator = ", "
        else:
            parts.append(end)
            if not outer:
                return "".join(parts)
            items, end = outer.pop()
            separator = ", "


def encode_array(array: NDArray[Any]) -> str:
    """An array as nested JSON lists, one with no dimensions as a bare number."""
    if not array.ndim and array.dtype.kind == "f":
        return _encode_float(_shortest_of(array[()]))
    if not 0 < array.size <= MAX_ITEMS:
        _check_size(array.shape)
    kind = array.dtype.kind
    if array.size == 0 or kind in "iu":
        return repr(array.tolist())
    if kind == "b":
        return repr(array.tolist()).lower()
    if array.dtype == np.float64 and np.isfinite(array).all():
        return repr(array.tolist())
    if kind == "c":
        real, imag = _float_texts(array.real), _float_texts(array.imag)
        texts = [f'{{"re": {re}, "im": {im}}}' for re, im in zip(real, imag, strict=True)]
    elif kind in FLOATS:
        texts = _float_texts(array)
    else:
        raise TypeError(f"an array of {array.dtype} cannot be written as JSON")
    for size in reversed(array.shape):
        texts = [f"[{', '.join(texts[i : i + size])}]" for i in range(0, len(texts), size)]
    return texts[0]


def _check_size(shape: tuple[int, ...]) -> None:
    """Refuse an array of too many numbers or lists: one of stride 0 is small in memory only."""
    count = 1
    for size in shape:
        count *= size
        check_items(count, "JSON list")


def loads(text: str) -> Any:
    """The value of a JSON text; raises JsonSyntaxError where it is not strictly JSON.

    Of equal keys in an object the last one counts.
    """
    try:
        return _decoder()(text)
    except JsonSyntaxError:
        raise
    except RecursionError:
        raise JsonSyntaxError("not valid JSON: nested too deeply") from None
    except ValueError as error:
        message = getattr(error, "msg", None)
        if message is None:
            raise JsonSyntaxError("not valid JSON: an integer has too many digits") from None
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        message = message[:1].lower() + message[1:]
        raise JsonSyntaxError(f"not valid JSON: {message}", line, column) from None


def decode_array(
    value: object, dtype_name: str | None = None, *, default_dtype_name: str = "float32"
) -> NDArray[Any]:
    """The array of a JSON number or of nested lists of numbers.

    Args:
        value: numbers, truth values, the names of non-finite numbers, and `{"re", "im"}` objects.
        dtype_name: PyTorch's name of the dtype, with or without `torch.`; None infers it as
            `torch.tensor` does: bool, else int64, else the default dtype or its complex type.
        default_dtype_name: the name of the default dtype.

    Raises:
        ValueError: for ragged lists, for anything that is no number and for numbers that the dtype
            cannot hold, in the words of `torch.tensor` where it has some.
    """
    target = None if dtype_name is None else _dtype(dtype_name)
    return _decode(value, target, _dtype(default_dtype_name))


def decode_leaf(value: Any, *, default_dtype_name: str = "float32") -> Leaf:
    """A variable as a record gives it: bare numbers, or an object with `data`.

    The object may also have `dtype`, `shape` and `requires_grad`. Where `requires_grad` is left
    out, a variable requires grad unless its dtype cannot. Where `dtype` is left out, it is the
    default dtype (or its complex type) for a variable that requires grad, else the inferred one.
    `shape` is needed only for what lists cannot express, such as [0, 3]; data may also be flat.

    Raises ValueError for unknown keys and for contents that do not fit together.
    """
    if type(value) is float and -_LARGE < value < _LARGE:  # what most leaves are, made in one step
        default = _dtype(default_dtype_name)
        if default.np.kind == "f":
            return Leaf(np.array(value, default.np), True)
    fields: dict[str, Any]
    if isinstance(value, dict) and not (value and value.keys() <= {"re", "im"}):
        fields = value
    else:
        fields = {"data": value}
    for key in fields:
        if key not in ("data", "dtype", "shape", "requires_grad"):
            raise ValueError(
                f"unknown key {_encode_string(key)}: "
                "a variable has data, dtype, shape and requires_grad"
            )
    if "data" not in fields:
        raise ValueError('a variable given as an object needs "data"')
    dtype_name = fields.get("dtype")
    if dtype_name is not None and not isinstance(dtype_name, str):
        raise ValueError(f"dtype must be a string, not {_describe(dtype_name)}")
    requires_grad = fields.get("requires_grad")
    if requires_grad is None:
        requires_grad = dtype_name is None or _dtype(dtype_name).category >= FLOATING
    elif not isinstance(requires_grad, bool):
        raise ValueError(f"requires_grad must be true or false, not {_describe(requires_grad)}")

    dtype = None if dtype_name is None else _dtype(dtype_name)
    if requires_grad and dtype is not None and dtype.category < FLOATING:
        raise ValueError("Only Tensors of floating point and complex dtype can require gradients")
    array = _decode(fields["data"], dtype, _dtype(default_dtype_name), as_float=requires_grad)
    if fields.get("shape") is not None:
        array = _reshape(array, fields["shape"])
    return Leaf(array, requires_grad)


def _encode_scalar(value: object) -> str:
    for kind, encode in _SCALARS.items():
        if isinstance(value, kind):
            return encode(value)
    if isinstance(value, complex | np.generic):
        return encode_array(np.asarray(value))
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _encode_float(value: float) -> str:
    text = float.__repr__(value)
    return text if isfinite(value) else _NONFINITE_NAMES[text]


def _encode_string(text: str) -> str:
    encoded = _string_encoder()(text)
    if encoded.isascii():
        return encoded
    # A surrogate on its own has no UTF-8; escaped it is valid JSON.
    return encoded.translate(_LINE_BREAKS).encode("utf-8", "backslashreplace").decode("utf-8")


_SCALARS: Final[dict[type, Callable[[Any], str]]] = {
    str: _encode_string,
    NoneType: lambda value: "null",
    bool: lambda value: "true" if value else "false",
    int: int.__repr__,
    float: _encode_float,
    np.ndarray: encode_array,
}
"""How what is no container is written; a class before those that it inherits from."""


def _float_texts(array: NDArray[Any]) -> list[str]:
    """The shortest text of each element, in row-major order."""
    flat = array.ravel()
    numbers: Iterable[float] = flat.tolist()
    if array.dtype.kind == "V":
        numbers = [_shortest(number, array.dtype) for number in flat.tolist()]
    elif array.dtype != np.float64:
        numbers = map(_shortest_of, flat)
    texts = list(map(float.__repr__, numbers))
    if np.isfinite(flat).all():
        return texts
    return [_NONFINITE_NAMES.get(text, text) for text in texts]


def _shortest_of(scalar: Any) -> float:
    """The float of the fewest digits that is a NumPy scalar in its type.

    NumPy's scalars know how few digits they need, Python's floats the common notation.
    """
    return float(str(scalar))


def _shortest(number: float, dtype: np.dtype[Any]) -> float:
    """The float of the fewest digits that is `number` in a type whose scalars print more."""
    texts = [f"{number:.{digits}g}" for digits in range(1, _BFLOAT16_DIGITS + 1)]
    return next((float(text) for text in texts if np.array(float(text), dtype) == number), number)


# The json package takes 2 ms to import, which a command that only prints tensors need not wait for.
@cache
def _string_encoder() -> Callable[[str], str]:
    from json.encoder import encode_basestring

    return encode_basestring


@cache
def _decoder() -> Callable[[str], Any]:
    import json

    return json.JSONDecoder(parse_constant=_reject_constant).decode


def _reject_constant(name: str) -> NoReturn:
    raise JsonSyntaxError(f'not valid JSON: write "{name}", with quotes, for {name}')


def _dtype(name: str) -> DType:
    dtype = DTYPES.get(name.removeprefix("torch."))
    if dtype is None:
        raise ValueError(f"unknown dtype {_encode_string(name)}: one of {', '.join(DTYPES)}")
    return dtype


def _decode(
    value: object, target: DType | None, default: DType, *, as_float: bool = False
) -> NDArray[Any]:
    """The array of nested lists; `as_float` infers a floating dtype for integers, too."""
    shape, entries = _flatten(value)
    types = set(map(type, entries))
    if not types <= {bool, int, float}:
        entries = [
            entry if isinstance(entry, int | float) else _special_number(entry, i, shape)
            for i, entry in enumerate(entries)
        ]
        types = set(map(type, entries))
    if target is None:
        if complex in types:
            target = default.to_complex()
        elif as_float or float in types or not entries:
            target = default
        else:
            target = DTYPES["int64" if int in types else "bool"]
    return _array_of(entries, types, target).reshape(shape)


def _flatten(value: object) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested lists, and what is in them in row-major order."""
    shape: list[int] = []
    entries: list[Any] = [value]
    while entries and isinstance(entries[0], list):
        if len(shape) == _MAX_DIMENSIONS:
            raise ValueError(f"lists are nested more than {_MAX_DIMENSIONS} deep")
        size = len(entries[0])
        shape.append(size)
        if set(map(type, entries)) != {list} or set(map(len, entries)) != {size}:
            _reject_ragged(value)
        entries = list(chain.from_iterable(entries))
    return tuple(shape), entries


def _reject_ragged(value: Any) -> None:
    """Report the first list, depth first, that is not as long as the first one at its depth."""
    shape: list[int] = []
    first = value
    while isinstance(first, list) and len(shape) < _MAX_DIMENSIONS:
        shape.append(len(first))
        first = first[0] if first else None

    def check(node: Any, dim: int) -> None:
        if dim == len(shape):
            return
        if not isinstance(node, list) or len(node) != shape[dim]:
            got = len(node) if isinstance(node, list) else f"{_describe(node)}, which is no list"
            raise ValueError(f"expected sequence of length {shape[dim]} at dim {dim} (got {got})")
        for child in node:
            check(child, dim + 1)

    check(value, 0)


def _special_number(entry: object, position: int, shape: tuple[int, ...]) -> complex:
    """A number that is no JSON number: a non-finite one by name, or a complex one."""
    if isinstance(entry, str) and entry in _NONFINITE_VALUES:
        return _NONFINITE_VALUES[entry]
    if isinstance(entry, dict) and entry.keys() == {"re", "im"}:
        parts = [
            _NONFINITE_VALUES.get(part, part) if isinstance(part, str) else part
            for part in (entry["re"], entry["im"])
        ]
        if all(type(part) in (int, float) for part in parts):
            try:
                return complex(*parts)
            except OverflowError as error:
                raise ValueError(str(error)) from None
    index = np.unravel_index(position, shape)
    place = " at " + "".join(f"[{i}]" for i in index) if index else ""
    raise ValueError(
        'expected a number, "NaN", "Infinity", "-Infinity" or {"re": …, "im": …}, '
        f"got {_describe(entry)}{place}"
    )


def _describe(value: object) -> str:
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    text = _encode_scalar(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _array_of(entries: list[Any], types: set[type], target: DType) -> NDArray[Any]:
    """Numbers as a flat array of the dtype, converted as `torch.tensor` does."""
    if target.category == BOOL:
        return np.array(list(map(bool, entries)), np.bool_)
    if target.category == INTEGRAL:
        if complex in types:
            raise ValueError("'complex' object cannot be interpreted as an integer")
        if float in types:
            entries = [_truncated(entry, target) for entry in entries]
        return _integers(entries, target)
    if complex in types and target.category == FLOATING:
        raise ValueError("must be real number, not complex")
    # By way of double precision, where large integers are rounded first.
    try:
        if complex in types:
            array = np.array(list(map(complex, entries)), np.complex128)
        else:
            array = np.array(list(map(float, entries)), np.float64)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    with np.errstate(over="ignore"):
        return array.astype(target.np, copy=False)


def _truncated(entry: float, target: DType) -> int:
    limits = np.iinfo(target.np)
    if isinstance(entry, float) and not int(limits.min) <= entry <= int(limits.max):
        raise ValueError(_overflow_message(target))
    return int(entry)


def _integers(entries: list[int], target: DType) -> NDArray[Any]:
    try:
        array = np.array(entries, np.int64)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None
    if array.size:
        high = int(np.iinfo(target.np).max)
        # PyTorch lets negative numbers wrap around in an unsigned type.
        low = int(np.iinfo(target.np).min) or -high
        if int(array.min()) < low or int(array.max()) > high:
            raise ValueError(_overflow_message(target))
    return array.astype(target.np, copy=False)


def _overflow_message(target: DType) -> str:
    return f"value cannot be converted to type {target.name} without overflow"


def _reshape(array: NDArray[Any], shape: object) -> NDArray[Any]:
    if not isinstance(shape, list) or not all(
        type(size) is int and 0 <= size < 2**63 for size in shape
    ):
        raise ValueError("shape must be a list of sizes")
    if prod(shape) != array.size:
        raise ValueError(f"shape '{shape}' is invalid for input of size {array.size}")
    if array.size and array.ndim > 1 and list(array.shape) != shape:
        raise ValueError(f"data is nested as {list(array.shape)}, but shape is {shape}")
    return array.reshape(shape)

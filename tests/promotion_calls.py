"""Every pair of operands that type promotion distinguishes, and Python's operators on them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "float32",
    "float64",
    "complex64",
    "complex128",
)
NUMBERS = (True, 2, 2.5, 1 + 2j)
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

#: A tensor is (dtype, values); a number stands for itself.
Operand = Any


def operands() -> list[Operand]:
    """Tensors of every type with and without dimensions, and numbers of every kind."""
    found: list[Operand] = []
    for dtype in DTYPES:
        found.append((dtype, [7, 2]))
        found.append((dtype, 3))
    return [*found, *NUMBERS]


def pairs() -> Iterator[tuple[Operand, Operand]]:
    """Ordered pairs of operands of which one at least is a tensor."""
    for left in operands():
        for right in operands():
            if isinstance(left, tuple) or isinstance(right, tuple):
                yield left, right


def plain(value: Any) -> Any:
    """Numbers, also inside lists, as JSON can hold them."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, complex):
        return [repr(value.real), repr(value.imag)]
    return repr(value) if isinstance(value, float) else value


def answer(call: Callable[[], Any]) -> list[Any]:
    """The type and values of a result, or the type and first line of an error."""
    try:
        result = call()
    except (RuntimeError, NotImplementedError, TypeError) as error:
        return ["error", type(error).__name__, str(error).split("\n")[0]]
    return [str(result.dtype), plain(result.tolist())]

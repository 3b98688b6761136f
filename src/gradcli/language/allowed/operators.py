"""Python's operators, with the size of results checked where they can grow."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.limits import (
    MAX_WIDTH,
    bounded,
    check_bits,
    check_comparable,
    check_hashable,
    check_items,
    check_printable,
    check_text,
    check_width,
)
from gradcli.tensor.identity import without_addresses
from gradcli.tensor.nesting import COMPOUND, VIEWS, plain, too_large
from gradcli.tensor.public import has_model, supports

Operator = Callable[[Any, Any], Any]

SEQUENCES: Final = frozenset((str, list, tuple))
HASHED: Final = frozenset((dict, set, frozenset))
PLAIN: Final = frozenset((int, bool, float, str))
SIMPLE: Final = frozenset((int, bool, float, str, list, tuple, dict, set, type(None)))


def check_length(kind: type, count: int) -> None:
    """Refuse a string, list or tuple of that length; tuples have subclasses."""
    if kind is str:
        check_text(count)
    else:
        check_items(count, kind.__name__)


def add(left: Any, right: Any) -> Any:
    """`left + right`."""
    kind = type(left)
    if isinstance(left, tuple):
        if isinstance(right, tuple):
            check_length(kind, len(left) + len(right))
    elif kind in SEQUENCES and type(right) is kind:
        check_length(kind, len(left) + len(right))
    return left + right


def add_in_place(left: Any, right: Any) -> Any:
    """`left += right`."""
    kind = type(left)
    if kind in SEQUENCES:
        if type(right) is kind:
            check_length(kind, len(left) + len(right))
        elif kind is list:
            left += bounded(right)
            check_items(len(left))
            return left
    left += right
    return left


def multiply(left: Any, right: Any) -> Any:
    """`left * right`."""
    kind, other = type(left), type(right)
    if kind is int and other is int:
        if left.bit_length() + right.bit_length() > 64:
            check_bits(left.bit_length() + right.bit_length())
    elif kind in SEQUENCES or isinstance(left, tuple):
        check_repeat(left, right)
    elif other in SEQUENCES or isinstance(right, tuple):
        check_repeat(right, left)
    return left * right


def multiply_in_place(left: Any, right: Any) -> Any:
    """`left *= right`."""
    kind = type(left)
    sequence = kind in SEQUENCES or type(right) in SEQUENCES or isinstance(left, tuple)
    if kind is int or (sequence and not has_model(left)):
        if kind is list:
            check_repeat(left, right)
            left *= right
            return left
        return multiply(left, right)
    left *= right
    return left


def check_repeat(sequence: Any, count: Any) -> None:
    """Refuse to repeat a sequence into a giant."""
    try:
        times = operator.index(count)
    except (TypeError, RuntimeError):
        return
    check_length(type(sequence), len(sequence) * max(0, times))


def power(left: Any, right: Any) -> Any:
    """`left ** right`."""
    if isinstance(left, int) and isinstance(right, int) and right > 0 and not -2 < left < 2:
        check_bits((left.bit_length() - 1) * right)
    return left**right


def power_in_place(left: Any, right: Any) -> Any:
    """`left **= right`."""
    if type(left) is int:
        return power(left, right)
    left **= right
    return left


def shift_left(left: Any, right: Any) -> Any:
    """`left << right`."""
    if isinstance(left, int) and isinstance(right, int) and left and right > 0:
        check_bits(left.bit_length() + right)
    return left << right


def shift_left_in_place(left: Any, right: Any) -> Any:
    """`left <<= right`."""
    if isinstance(left, int):
        return shift_left(left, right)
    left <<= right
    return left


DIRECTIVE = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(\*|\d+)?(?:\.(\*|\d+)?)?")


def remainder(left: Any, right: Any) -> Any:
    """`left % right`; of a string, formatting."""
    if type(left) is str:
        right = kept if isinstance(kept := plain(right), tuple | dict) else right
        if has_model(right) and not supports(right, "__getitem__"):
            right = (right,)  # what Python finds on it does not make it a mapping
        values = right if type(right) is tuple else (right,)
        width = 0
        for match in DIRECTIVE.finditer(left):
            if "*" in match.groups():
                for value in values:
                    if type(value) is int and abs(value) > MAX_WIDTH:
                        raise too_large(f"a format {abs(value)} characters wide")
            check_width(match[0])
            width += sum(int(digits) for digits in match.groups() if digits and digits != "*")
        check_printable(right)
        texts = right.values() if type(right) is dict else values
        count = left.count("%") if type(right) is dict else 1
        lengths = [len(value) for value in texts if type(value) is str]
        check_text(len(left) + width + count * sum(lengths))
        if not all(type(value) in PLAIN for value in texts):
            return without_addresses(left % right)
    return left % right


def remainder_in_place(left: Any, right: Any) -> Any:
    """`left %= right`."""
    if type(left) is str:
        return remainder(left, right)
    left %= right
    return left


def contains(item: Any, container: Any) -> bool:
    """`item in container`."""
    kind = type(container)
    if kind in HASHED:
        check_hashable(item)
    elif kind is str and type(kept := plain(item)) is str:
        item = kept
    if kind not in SIMPLE and (kind is not range or type(item) is not int):
        container = searchable(container)
    if type(item) in COMPOUND:
        check_comparable(item, container, len_or_one(container))
    return item in container


def len_or_one(container: Any) -> int:
    """How often a search through a container compares, where that is known."""
    return len(container) if type(container) in COMPOUND and type(container) is not slice else 1


def lacks(item: Any, container: Any) -> bool:
    """`item not in container`."""
    return not contains(item, container)


def searchable(container: Any) -> Any:
    """The container, or for a bare iterator one that gives up."""
    if hasattr(container, "__contains__") and type(container) is not range:
        return container
    if supports(container, "__iter__"):
        return bounded(container)
    return container


def of_views(operation: Operator) -> Operator:
    """An operator that the views of a dict have too: they make a set of what the other operand
    gives.
    """

    def operate(left: Any, right: Any) -> Any:
        if type(right) in VIEWS:
            left = bounded(left, "set")
        elif type(left) in VIEWS:
            right = bounded(right, "set")
        return operation(left, right)

    return operate


def unite_in_place(left: Any, right: Any) -> Any:
    """`left |= right`; a dict takes pairs, whatever gives them."""
    if type(left) is dict:
        right = bounded(right, "dict")
    elif type(left) in VIEWS or type(right) in VIEWS:
        return BINARY["|"](left, right)
    left |= right
    return left


def comparison(compare: Operator) -> Operator:
    """An operator that compares, and refuses giants in collections."""

    def operate(left: Any, right: Any) -> Any:
        if type(left) in COMPOUND and type(right) in COMPOUND:
            check_comparable(left, right)
        return compare(left, right)

    return operate


def same(left: Any, right: Any) -> bool:
    """`left is right`."""
    return left is right


def different(left: Any, right: Any) -> bool:
    """`left is not right`."""
    return left is not right


BINARY: Final[dict[str, Operator]] = {
    "+": add,
    "-": of_views(operator.sub),
    "*": multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": remainder,
    "@": operator.matmul,
    "**": power,
    "<<": shift_left,
    ">>": operator.rshift,
    "&": of_views(operator.and_),
    "|": of_views(operator.or_),
    "^": of_views(operator.xor),
}

INPLACE: Final[dict[str, Operator]] = {
    "+": add_in_place,
    "-": of_views(operator.isub),
    "*": multiply_in_place,
    "/": operator.itruediv,
    "//": operator.ifloordiv,
    "%": remainder_in_place,
    "@": operator.imatmul,
    "**": power_in_place,
    "<<": shift_left_in_place,
    ">>": operator.irshift,
    "&": of_views(operator.iand),
    "|": unite_in_place,
    "^": of_views(operator.ixor),
}

COMPARISONS: Final[dict[str, Operator]] = {
    "<": comparison(operator.lt),
    ">": comparison(operator.gt),
    "==": comparison(operator.eq),
    ">=": comparison(operator.ge),
    "<=": comparison(operator.le),
    "!=": comparison(operator.ne),
    "in": contains,
    "not in": lacks,
    "is": same,
    "is not": different,
}

UNARY: Final[dict[str, Callable[[Any], Any]]] = {
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
    "not": operator.not_,
}


def with_lists(
    symbol: str, function: Operator, kind: type, convert: Callable[[Any, Any, str], Any]
) -> Operator:
    """An operator that takes lists beside values of a kind.

    Args:
        convert: what makes an operand of a list, the value beside it and the words of an error.
    """
    unsupported = f"unsupported operand type(s) for {symbol}:"

    def operate(left: Any, right: Any) -> Any:
        if type(left) is list:
            if type(right) is kind:
                left = convert(left, right, f"{unsupported} 'list' and 'Tensor'")
        elif type(right) is list and type(left) is kind:
            right = convert(right, left, f"{unsupported} 'Tensor' and 'list'")
        return function(left, right)

    return operate


SYMBOLS: Final[dict[Any, str]] = {
    function: symbol for symbol, function in (*INPLACE.items(), *BINARY.items())
}
"""The symbols of the arithmetic operators' functions, for errors that show the operands' shapes."""

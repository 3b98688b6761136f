"""What programs find in Python's `operator`, with giants refused."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from gradcli.language.allowed.attributes import attribute
from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import check_hashable
from gradcli.language.allowed.operators import BINARY, COMPARISONS, UNARY, contains

SYMBOLS: Final = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "matmul": "@",
    "pow": "**",
    "and_": "&",
    "or_": "|",
    "xor": "^",
    "lshift": "<<",
    "rshift": ">>",
}
ORDER: Final = {"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "ge": ">=", "gt": ">"}
SIGNS: Final = {"neg": "-", "pos": "+", "invert": "~", "not_": "not"}


def itemgetter(*items: Any) -> Callable[[Any], Any]:
    """`operator.itemgetter(items)`."""
    if not items:
        raise TypeError("itemgetter expected 1 argument, got 0")
    for item in items:
        check_hashable(item)

    def get(value: Any, /) -> Any:
        found = tuple([value[item] for item in items])
        return found if len(found) > 1 else found[0]

    present(get, "itemgetter")
    return get


def attrgetter(*names: Any) -> Callable[[Any], Any]:
    """`operator.attrgetter(names)`; the names go the language's way."""
    if not names:
        raise TypeError("attrgetter expected 1 argument, got 0")
    for name in names:
        if type(name) is not str:
            raise TypeError("attribute name must be a string")

    def reach(value: Any, path: str) -> Any:
        for name in path.split("."):
            value = attribute(value, name)
        return value

    def get(value: Any, /) -> Any:
        found = tuple([reach(value, name) for name in names])
        return found if len(found) > 1 else found[0]

    present(get, "attrgetter")
    return get


def getitem(values: Any, index: Any, /) -> Any:
    """`operator.getitem(values, index)`."""
    check_hashable(index)
    return values[index]


def holds(values: Any, item: Any, /) -> bool:
    """`operator.contains(values, item)`."""
    return contains(item, values)


present(holds, "contains")

MEMBERS: Final[dict[str, Any]] = {
    **{name: BINARY[symbol] for name, symbol in SYMBOLS.items()},
    **{name: COMPARISONS[symbol] for name, symbol in ORDER.items()},
    **{name: UNARY[symbol] for name, symbol in SIGNS.items()},
    "abs": abs,
    "attrgetter": attrgetter,
    "contains": holds,
    "getitem": getitem,
    "index": operator.index,
    "is_": COMPARISONS["is"],
    "is_not": COMPARISONS["is not"],
    "itemgetter": itemgetter,
    "truth": operator.truth,
}
"""By name."""

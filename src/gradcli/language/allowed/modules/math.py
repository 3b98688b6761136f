"""What programs find in Python's `math`, with giants refused."""

from __future__ import annotations

import math
import sys
from typing import Any, Final

from gradcli.language.allowed.limits import bounded, check_bits
from gradcli.language.allowed.operators import multiply


def product(values: Any, /, *, start: Any = 1) -> Any:
    """`math.prod(values)`."""
    for value in bounded(values):
        start = multiply(start, value)
    return start


def factorial(n: Any, /) -> int:
    """`math.factorial(n)`."""
    if type(n) is int and 0 < n <= sys.maxsize:
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


def distance(p: Any, q: Any, /) -> float:
    """`math.dist(p, q)`."""
    return math.dist(bounded(p, "tuple"), bounded(q, "tuple"))


def float_sum(values: Any, /) -> float:
    """`math.fsum(values)`."""
    return math.fsum(bounded(values))


MEMBERS: Final[dict[str, Any]] = {
    **{name: getattr(math, name) for name in dir(math) if not name.startswith("_")},
    "comb": combinations,
    "dist": distance,
    "factorial": factorial,
    "fsum": float_sum,
    "lcm": multiple,
    "perm": permutations,
    "prod": product,
}
"""By name; functions that could make giants are ours."""

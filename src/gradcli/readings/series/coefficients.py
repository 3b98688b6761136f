"""Power series whose coefficients are worked out when they are asked for.

The k-th coefficient is the k-th derivative over k!, so that those of a function with poles around
grow like a geometric series, and not like factorials. Without dimensions coefficients are Python's
numbers, which compute several times faster than NumPy's; else they are arrays, in double precision.
None stands for zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradcli.typing import Array

ENDLESS: Final = 1 << 60
"""The degree of a series that is no polynomial, or not known to be one."""

More = Callable[[int], Any]

ONE: Final = np.float64(1.0)
"""Stands for an operand in the place of which a row is asked what it multiplies that by."""

LITERALS: Final = {(): ONE, (1,): np.ones(1)}
"""Ones of the shapes that a single number has: constants that kernels know."""

SUM: Final = "sum"
MULTIPLES: Final = "multiples"
PRODUCT: Final = "product"
SCALED: Final = "scaled"
RATE: Final = "rate"
INTEGRAL: Final = "integral"
CALL: Final = "call"
DOT: Final = "dot"


class Series:
    """A power series: coefficients so far, and what makes the next one.

    `more(k)` may ask for coefficients of other series, and for those of this one before the k-th;
    `extend(k)`, where there is one, appends all that are missing up to that.
    Beyond `degree` all are zero. `first` is the value at the point as rows take it, `origin` the
    row that gave it with its operands. `rule` says what `more` does, where it is one of these:

        (MULTIPLES, ((factor, series), ...))   their sum
        (SUM, ((factor, series), ...))   the same, and a constant
        (PRODUCT, (a, b, factor))        in kernels SCALED where a is constant
        (RATE, a)                        the derivative
        (INTEGRAL, function)             that gives the derivative
        (CALL, (place, operands))        the row of the origin, called on coefficients of that one;
                                         in kernels DOT where the result is one number
    """

    __slots__ = ("coefficients", "degree", "extend", "first", "more", "origin", "rule")

    def __init__(
        self, first: Array, more: More | None = None, degree: int = ENDLESS, origin: Any = None
    ) -> None:
        self.first = first
        self.coefficients: list[Any] = [stored(first)]
        self.more = more
        self.extend: Callable[[int], None] | None = None
        self.degree = degree
        self.origin = origin
        self.rule: tuple[str, Any] | None = None

    def __getitem__(self, k: int) -> Any:
        found = self.coefficients
        if self.extend is not None and len(found) <= k:
            self.extend(min(k, self.degree))
        while len(found) <= k:
            place = len(found)
            found.append(None if place > self.degree or self.more is None else self.more(place))
        return found[k]

    @property
    def shape(self) -> tuple[int, ...]:
        shape: tuple[int, ...] = np.shape(self.first)
        return shape

    def up_to(self, k: int) -> list[Any]:
        """The coefficients up to the k-th, as far as they are known not to vanish."""
        self[k]
        return self.coefficients[: k + 1]

    def whole(self, k: int) -> Array:
        """The k-th coefficient as an array of the series' shape, and in memory as its first one."""
        found, first = self[k], np.asarray(self.first)
        if found is None:
            return np.zeros_like(first)
        array = np.asarray(found, first.dtype)
        if array.shape != first.shape:
            return np.broadcast_to(array, first.shape)
        if array.ndim > 1 and array.strides != first.strides:
            array, given = np.empty_like(first), array
            array[...] = given
        return array


def stored(array: Array) -> Any:
    """An array or a NumPy scalar as a coefficient."""
    return array if np.ndim(array) else array.item()


def passed(coefficient: Any) -> Any:
    """A coefficient as rows take it."""
    kind = type(coefficient)
    if kind is float:
        return np.float64(coefficient)
    return np.complex128(coefficient) if kind is complex else coefficient


def plus(a: Any, b: Any) -> Any:
    """The sum of two coefficients."""
    return b if a is None else a if b is None else a + b


def times(a: Any, b: Any) -> Any:
    """The product of two coefficients."""
    return None if a is None or b is None else a * b


def product(a: Series, b: Series, k: int) -> Any:
    """The k-th coefficient of a product."""
    a[k], b[k]
    xs, ys = a.coefficients, b.coefficients
    low, high = (0 if b.degree >= k else k - b.degree), min(k, a.degree)
    total = None
    for i in range(low, high + 1):
        x, y = xs[i], ys[k - i]
        if x is not None and y is not None:
            total = x * y if total is None else total + x * y
    return total


def derivative(a: Series) -> Any:
    """The series of a'."""

    def more(k: int) -> Any:
        found = a[k + 1]
        return None if found is None else (k + 1) * found

    found = Series(a.whole(1)[()], more, max(a.degree - 1, 0))
    found.rule = RATE, a
    return found


def expanded(a: Any, shape: tuple[int, ...]) -> Any:
    """A series, or a constant, whose coefficients have a shape that its own broadcasts to."""
    if type(a) is not Series:
        return a if np.shape(a) == shape else np.broadcast_to(a, shape)
    if a.shape == shape:
        return a

    def more(k: int) -> Any:
        found = a[k]
        return None if found is None else np.broadcast_to(found, shape)

    found = Series(np.broadcast_to(a.first, shape), more, a.degree)
    found.rule = MULTIPLES, ((1.0, a),)
    return found

"""Rows that are linear in operands: sums of multiples, and Cauchy's products."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import Any, Final

import numpy as np

from gradcli.readings.series.coefficients import (
    CALL,
    ENDLESS,
    MULTIPLES,
    ONE,
    PRODUCT,
    SUM,
    Series,
    product,
    stored,
    times,
)
from gradcli.readings.series.formulas import at_point
from gradcli.readings.series.kernels import is_value
from gradcli.table.row import Row

_ZERO: Final = np.float64(0.0)


def make_linear(
    row: Row,
    operands: Sequence[Any],
    groups: Sequence[frozenset[int]],
    moving: Sequence[int],
    made: tuple[Any, ...],
    real: bool,
) -> None:
    """Coefficients of a row that is linear in each of several groups of operands."""
    alone = all(
        type(operands[place]) is Series and sum(place in group for group in groups) == 1
        for place in moving
    )
    if alone and len(made) == 1 and real and len(moving) == len(groups):
        flat = all(not operands[place].shape for place in moving) and not made[0].shape
        if len(moving) <= 2 and (flat or (row.elementwise and len(moving) == 2)):
            _scaled(row, operands, groups, moving, made[0])
            return
    if real and len(groups) == 1 and row.elementwise and len(made) == 1:
        flat = all(not operands[place].shape for place in moving) and not made[0].shape
        if flat or (row.promote and not _looks_at_values(operands, groups[0])):
            _combined(row, operands, groups[0], moving, made[0])
            return
    if len(groups) == len(moving) == len(made) == 1 and type(operands[moving[0]]) is Series:
        _called(row, operands, groups[0], moving[0], made[0])
        return
    _by_calls(row, operands, groups, moving, made)


def _zero(value: Any) -> Any:
    """What stands for an operand without the part that is constant."""
    if type(value) in (list, tuple):
        return [_zero(item) for item in value]
    if type(value) is Series:
        return np.zeros_like(value.first)
    if is_value(value):
        return np.zeros_like(value)
    return None if value is None else 0.0


def _looks_at_values(operands: Sequence[Any], group: Container[int]) -> bool:
    """Whether what a row multiplies a group of operands by is made from others."""
    return any(
        type(operand) is Series or isinstance(operand, np.ndarray | np.generic)
        for place, operand in enumerate(operands)
        if place not in group
    )


def _has_constants(operands: Sequence[Any], group: Container[int], moving: Container[int]) -> bool:
    """Whether operands of a group do not move."""
    return any(
        place in group and place not in moving and operand is not None
        for place, operand in enumerate(operands)
    )


def slope_of(row: Row, operands: Sequence[Any], group: frozenset[int], own: Sequence[int]) -> Any:
    """The result for ones in the place of the operands `own`, and zeros for others in the group."""
    args = [
        ONE
        if place in own
        else _zero(operand if isinstance(operand, bool) or np.isscalar(operand) else _ZERO)
        if place in group
        else at_point(operand)
        for place, operand in enumerate(operands)
    ]
    return stored(bare(row(*args)))


def _scaled(
    row: Row,
    operands: Sequence[Any],
    groups: Sequence[frozenset[int]],
    moving: Sequence[int],
    result: Series,
) -> None:
    """A number times one operand, or times the product of two, element by element."""
    inside = frozenset().union(*groups)
    factor = slope_of(row, operands, inside, moving)
    first, last = operands[moving[0]], operands[moving[-1]]
    if not _looks_at_values(operands, inside):
        kind = SUM if _has_constants(operands, inside, moving) else MULTIPLES
        alone = len(moving) == 1
        result.rule = (kind, ((factor, first),)) if alone else (PRODUCT, (first, last, factor))
    if len(moving) == 1:
        result.more = (lambda k: first[k]) if factor == 1 else lambda k: times(first[k], factor)
        result.degree = first.degree
        return
    if type(factor) is float and factor == 1:
        result.more = lambda k: product(first, last, k)
    else:
        result.more = lambda k: times(product(first, last, k), factor)
    result.degree = min(first.degree + last.degree, ENDLESS)


def _combined(
    row: Row, operands: Sequence[Any], group: frozenset[int], moving: Sequence[int], result: Series
) -> None:
    """A sum of numbers times operands without dimensions."""
    parts = []
    for place in moving:
        factor = slope_of(row, operands, group, (place,))
        if factor != 0:
            parts.append((operands[place], factor))
    result.degree = max((part.degree for part, _ in parts), default=0)
    if not _looks_at_values(operands, group):
        kind = SUM if _has_constants(operands, group, moving) else MULTIPLES
        result.rule = kind, tuple([(factor, part) for part, factor in parts])

    def more(k: int) -> Any:
        total = None
        for part, factor in parts:
            found = part[k]
            if found is not None:
                total = factor * found if total is None else total + factor * found
        return total

    result.more = more


def _called(
    row: Row, operands: Sequence[Any], group: frozenset[int], place: int, result: Series
) -> None:
    """Coefficients by calls of the row on those of one operand."""
    moving = operands[place]
    args = [
        _zero(operand) if at in group else at_point(operand) for at, operand in enumerate(operands)
    ]

    def more(k: int) -> Any:
        if moving[k] is None:
            return None
        args[place] = moving.whole(k)
        return stored(bare(row(*args)))

    result.more = more
    result.degree = moving.degree
    if group == {place}:
        result.rule = CALL, (place, operands)


def _by_calls(
    row: Row,
    operands: Sequence[Any],
    groups: Sequence[frozenset[int]],
    moving: Sequence[int],
    made: tuple[Any, ...],
) -> None:
    """Coefficients by calls of the row on coefficients."""
    everywhere = frozenset.intersection(*groups)
    inside = frozenset().union(*groups)
    zeros = [
        _zero(operand) if place in inside else operand for place, operand in enumerate(operands)
    ]
    own = [
        [place for place in group - everywhere if place < len(operands)]
        if len(groups) > 1
        else list(moving)
        for group in groups
    ]
    shared = [place for place in moving if place in everywhere]
    found: list[Any] = [None]

    def call(k: int) -> Any:
        total: Any = None
        if shared and len(groups) > 1:
            total = _call(row, zeros, operands, dict.fromkeys(shared, k))
        if len(groups) == 1:
            return _call(row, zeros, operands, dict.fromkeys(moving, k))
        for split in _splits(k, len(groups)):
            orders = {
                place: order for places, order in zip(own, split, strict=True) for place in places
            }
            part = _call(row, zeros, operands, orders, own)
            if part is not None:
                total = part if total is None else tuple(map(np.add, total, part))
        return total

    def more(number: int, k: int) -> Any:
        while len(found) <= k:
            found.append(call(len(found)))
        return None if found[k] is None else stored(bare(found[k][number]))

    degrees = [
        max(
            [_degree(operands[place]) for place in [*places, *shared] if place in moving], default=0
        )
        for places in own
    ]
    for number, result in enumerate(made):
        if type(result) is Series:
            result.more = lambda k, number=number: more(number, k)
            result.degree = min(sum(degrees), ENDLESS)


def _splits(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as a sum of so many."""
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _splits(total - first, parts - 1):
            yield (first, *rest)


def _degree(operand: Any) -> int:
    if type(operand) is Series:
        return operand.degree
    return max(item.degree for item in operand if type(item) is Series)


def _call(
    row: Row,
    zeros: Sequence[Any],
    operands: Sequence[Any],
    orders: dict[int, int],
    factors: Sequence[Sequence[int]] = (),
) -> Any:
    """The results for certain coefficients of operands; None where they are zeros.

    `factors` are groups of which none may be zero.
    """
    args = list(zeros)
    present = set()
    for place, order in orders.items():
        operand = operands[place]
        if not moves(operand):
            if order == 0:
                present.add(place)
                args[place] = operand
            continue
        if type(operand) is Series:
            if operand[order] is not None:
                present.add(place)
                args[place] = operand.whole(order)
            continue
        items = list(args[place])
        for number, item in enumerate(operand):
            if type(item) is not Series:
                if order == 0:
                    items[number] = item
            elif item[order] is not None:
                present.add(place)
                items[number] = item.whole(order)
        args[place] = items
    if not present or any(present.isdisjoint(places) for places in factors):
        return None
    found = row(*args)
    return found if type(found) is tuple else (found,)


def bare(value: Any) -> Any:
    return value[()] if type(value) is np.ndarray else value


def moves(operand: Any) -> bool:
    kind = type(operand)
    return kind is Series or (
        kind in (list, tuple) and any(type(item) is Series for item in operand)
    )


def is_real(value: Any) -> bool:
    first = at_point(value)
    if type(first) is list:
        return all(map(is_real, first))
    return np.asarray(first).dtype.kind == "f"

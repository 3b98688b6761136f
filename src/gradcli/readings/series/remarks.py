"""What is to be said about the point at which derivatives are taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.readings.series.coefficients import Series
from gradcli.table.row import Row


def remarks(applied: Sequence[Series]) -> list[str]:
    """Which row is the first that leaves the numbers, and which have a kink at the point."""
    found: list[str] = []
    lost = False
    for series in applied:
        if series.origin is None:
            continue
        row, operands = series.origin
        name = _word(row)
        order = None if lost else _first_lost(series)
        if order is not None:
            lost = True
            what = "is" if order == 0 else f"has a derivative of order {order} that is"
            found.append(f"{name} {what} not finite here")
        if has_kink(row, operands):
            told = f": {row.kink.rstrip('.')}" if row.kink else ""
            found.append(f"{name} has a kink here{told}")
    return list(dict.fromkeys(found))


def _word(row: Row) -> str:
    """What users call a row: `pow` is that of numbers, `pow_scalar`, too, as nodes say."""
    name = row.stem
    stem = row.node_name.rpartition("Backward")[0].lower()
    return stem if name.startswith(f"{stem}_") else name


def _first_lost(series: Series) -> int | None:
    """The first order at which a series is not finite."""
    for order, coefficient in enumerate(series.coefficients):
        if coefficient is not None and not np.all(np.isfinite(coefficient)):
            return order
    return None


def has_kink(row: Row, operands: Sequence[Any]) -> bool:
    """Whether the slopes of a row on both sides of the point differ, and go on to closer by."""
    if not (row.kink or row.elementwise):
        return False

    def moved(step: float) -> Any:
        found = row(*[_moved(operand, step) for operand in operands])
        return np.asarray(found[0] if type(found) is tuple else found)

    def bend(step: float) -> Any:
        return (moved(step) + moved(-step) - 2 * moved(0.0)) / step

    try:
        far, near = bend(2.0**-12), bend(2.0**-20)
    except (RuntimeError, ValueError, ArithmeticError):
        return False
    return bool(np.any((np.abs(near) > 1e-3) & (np.abs(far - near) < 0.1 * np.abs(near))))


def _moved(operand: Any, step: float) -> Any:
    kind = type(operand)
    if kind is Series:
        return operand.first + step * operand.whole(1)
    if kind is list or kind is tuple:
        return kind([_moved(item, step) for item in operand])
    return operand

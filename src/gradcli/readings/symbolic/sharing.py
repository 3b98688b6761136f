"""Names for the parts that formulas have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.expressions import PRODUCT, Expression
from gradcli.readings.symbolic.writing import Layout, Writer

_NAMES: Final = "abcdfghkmnpqrstuvw"
_SAVED: Final = 6
"""How much shorter a formula must get for a name."""


def shared(
    expressions: Sequence[Expression], writer: Writer, taken: Collection[str]
) -> tuple[list[tuple[str, Layout]], list[Layout]]:
    """Names with what they stand for, each made of those before it, and formulas that use them.

    Args:
        taken: names that are something else.
    """
    free = [name for name in _NAMES if name not in taken]
    free += [f"{name}{number}" for number in range(1, 100) for name in _NAMES]
    chosen: dict[Expression, str] = {}
    while free:
        part = _most_worth(expressions, writer, chosen)
        if part is None:
            break
        chosen[part] = next(name for name in free if name not in taken)
        free.remove(chosen[part])
    return _laid_out(expressions, writer, chosen)


def _laid_out(
    expressions: Sequence[Expression], writer: Writer, chosen: dict[Expression, str]
) -> tuple[list[tuple[str, Layout]], list[Layout]]:
    lines: list[tuple[str, Layout]] = []
    names = [*chosen.values()]
    known: dict[Expression, str] = {}
    for part in _in_order(expressions):
        if part in chosen:
            name = names[len(lines)]
            lines.append((name, Writer(writer.decimals, known).layout(part)))
            known = {**known, part: name}
    last = Writer(writer.decimals, known)
    return lines, [last.layout(expression) for expression in expressions]


def _most_worth(
    expressions: Sequence[Expression], writer: Writer, chosen: dict[Expression, str]
) -> Expression | None:
    """The part that saves most if it gets a name; None where none saves enough."""
    prints = _prints(expressions, chosen)
    best, most = None, _SAVED - 1
    named = Writer(writer.decimals, chosen)
    for part, count in prints.items():
        if count < 2 or part in chosen or not part.children() or part.is_constant:
            continue
        if part.kind == ex.CALL and part.name in ex.CONDITIONS:
            # A variable is a number, and no condition.
            continue
        saved = (count - 1) * named.cost(part) - count - 2
        if saved > most:
            best, most = part, saved
    return best


def _prints(
    expressions: Sequence[Expression], chosen: dict[Expression, str]
) -> dict[Expression, int]:
    """How often each part is written, where those that have names are written once."""
    prints: dict[Expression, int] = {}
    for expression in expressions:
        prints[expression] = prints.get(expression, 0) + 1
    for part in reversed(_in_order(expressions)):
        count = 1 if part in chosen else prints.get(part, 0)
        for child in _written_parts(part):
            prints[child] = prints.get(child, 0) + count
    return prints


def _in_order(expressions: Sequence[Expression]) -> list[Expression]:
    """Everything that is written, each after its parts."""
    order: dict[Expression, None] = {}
    todo = [(expression, False) for expression in reversed(expressions)]
    while todo:
        part, ready = todo.pop()
        if part in order:
            continue
        if ready:
            order[part] = None
        else:
            todo.append((part, True))
            todo += [(child, False) for child in _written_parts(part)]
    return [*order]


def _written_parts(part: Expression) -> Sequence[Expression]:
    """The parts of an expression; in a product powers as they stand over or under the line."""
    if part.kind != PRODUCT:
        return [*part.children()]
    (base, exponent), *rest = part.parts
    if not rest and part.value == 1 and (base is ex.E or not ex.is_negative(exponent)):
        return [base, exponent]
    return [
        ex.power(
            base,
            ex.negated(exponent) if base is not ex.E and ex.is_negative(exponent) else exponent,
        )
        for base, exponent in part.parts
    ]

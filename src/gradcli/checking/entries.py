"""`gradcheck` and `gradgradcheck` entry by entry: derivatives against difference quotients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.matrices import blocks_of, zeros_for
from gradcli.checking.points import lost_at, moved
from gradcli.checking.quotients import Outputs, Quotients, quotients
from gradcli.checking.rounding import rounding
from gradcli.checking.subject import Run, Subject
from gradcli.domain import Point, weights_of
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array

TOLERANCE: Final = 1e-6
"""How far a derivative may be from a difference quotient without errors, relative to its size."""

DOUBT: Final = 10.0
"""How often the estimated error of a difference quotient it may be wrong."""

BLUNT: Final = 1e-3
"""The relative error from which on a difference quotient says nothing."""

OTHER_STEPS: Final = 0.7
"""By what steps differ where two ladders are compared."""

RIGHT, UNSURE, KINK, JUMP, WRONG = "right", "unsure", "kink", "jump", "wrong"
GRAVITY: Final = (UNSURE, RIGHT, KINK, JUMP, WRONG)
"""What may be said of an entry; the last of what is said at several points is told."""


class Entry(NamedTuple):
    """One derivative at one point.

    Attributes:
        name: such as `d/dx`, `d[0]/dx[1,2]`, `d2/dx[0]dy`.
        point: where it was worst.
        error: of the numeric one, how much it differs from the analytic one.
        slopes: on both sides, where that is what is to be said.
        remark: which operator is the reason, where that is known.
    """

    name: str
    point: Point
    analytic: float
    numeric: float
    error: float
    step: float
    verdict: str
    slopes: tuple[float, float]
    remark: str = ""


def check_entries(subject: Subject, points: Sequence[Point], order: int) -> list[Entry]:
    """Each derivative of each order up to the one given (1 or 2), at the first point where it is
    wrong, or else where it differs most.

    Raises:
        Exception: whatever the text or PyTorch's rules raise.
        LimitError: time is over.
    """
    worst: dict[str, Entry] = {}
    for point in points:
        run = subject.run(point)
        found = list(_first(subject, run, point))
        if order > 1:
            bent = any(entry.verdict in (KINK, JUMP) for entry in found)
            second = _second(subject, run, point)
            found += map(_excused, second) if bent else second
        for entry in found:
            known = worst.get(entry.name)
            if known is None or badness(entry) > badness(known):
                worst[entry.name] = entry
    told: dict[int, str] = {}
    for name, entry in worst.items():
        if entry.verdict in (KINK, JUMP):
            if id(entry.point) not in told:
                told[id(entry.point)] = lost_at(subject, entry.point)
            worst[name] = entry._replace(remark=told[id(entry.point)])
    return list(worst.values())


def _excused(entry: Entry) -> Entry:
    """A second derivative at a kink of the first: where it is not a number, there is none."""
    is_none = entry.verdict == WRONG and not np.isfinite(entry.analytic)
    return entry._replace(verdict=KINK) if is_none else entry


def first_wrong(entries: Sequence[Entry], points: Sequence[Point]) -> Entry | None:
    """The first entry that is wrong at the first point where any is."""
    for point in points:
        for entry in entries:
            if entry.verdict == WRONG and entry.point is point:
                return entry
    return None


def badness(entry: Entry) -> tuple[int, float]:
    gravity = GRAVITY.index(entry.verdict)
    if entry.verdict == WRONG:
        return gravity, 0.0
    size = max(abs(entry.analytic), abs(entry.numeric))
    return gravity, entry.error / size if size else 0.0


def _first(subject: Subject, run: Run, point: Point) -> Iterator[Entry]:
    """The entries of the Jacobian."""
    blocks = blocks_of(run.outputs, list(run.leaves.values()))
    lines = [
        _filled(line, output, list(run.leaves.values()))
        for line, output in zip(blocks, run.outputs, strict=True)
    ]
    names = [
        f"d{f'[{place}]' if run.several else ''}{_index(index)}"
        for place, output in enumerate(run.outputs)
        for index in np.ndindex(output._array.shape)
    ]
    count = len(names)

    def outputs(where: Point) -> Array:
        return subject.vector(where, count)

    for position, (name, index) in _coordinates(run):
        truths = np.concatenate([_column(line[position], index) for line in lines])
        told = [f"{head}/d{name}{_index(index)}" for head in names]
        yield from _compared(told, truths, outputs, outputs, point, name, index)


def _second(subject: Subject, run: Run, point: Point) -> Iterator[Entry]:
    """The entries of the Hessian of the weighed outputs."""
    weights = weights_of(run.outputs)
    rows = subject.gradients(run, weights, create_graph=True)
    leaves = list(run.leaves.values())
    blocks = blocks_of(rows, leaves)
    lines = [_filled(line, row, leaves) for line, row in zip(blocks, rows, strict=True)]
    heads = [(name, index) for _, (name, index) in _coordinates(run)]

    def gradient(where: Point) -> Array:
        return subject.gradient(where, weights, len(heads))

    def recorded(where: Point) -> Array:
        return subject.gradient(where, weights, len(heads), create_graph=True)

    for position, (name, index) in _coordinates(run):
        truths = np.concatenate([_column(line[position], index) for line in lines])
        told = [_second_name(*head, name, index) for head in heads]
        yield from _compared(told, truths, gradient, recorded, point, name, index)


def _second_name(first: str, index: tuple[int, ...], second: str, other: tuple[int, ...]) -> str:
    if first == second and not index:
        return f"d2/d{first}2"
    return f"d2/d{first}{_index(index)}d{second}{_index(other)}"


def _compared(
    names: Sequence[str],
    truths: Array,
    outputs: Callable[[Point], Array],
    recorded: Callable[[Point], Array],
    point: Point,
    name: str,
    index: tuple[int, ...],
) -> Iterator[Entry]:
    """The entries of one column: what derivatives and difference quotients say of it.

    `recorded` gives the outputs, too, by way of rows that all can be listened to.
    """
    start = float(point[name][index])

    def along(position: float) -> Array:
        return outputs(moved(point, name, index, position))

    found = quotients(along, start)
    verdicts = judged(truths, found, start)
    if WRONG in verdicts:
        found = scrutinized(along, start, rounding(lambda: recorded(point)))
        verdicts = judged(truths, found, start)
    for place, told in enumerate(names):
        slope = float("nan") if found.jumps[place] else float(found.slope[place])
        yield Entry(
            told,
            point,
            float(truths[place]),
            slope,
            abs(float(truths[place]) - slope),
            float(found.step[place]),
            verdicts[place],
            (float(found.below[place]), float(found.above[place])),
        )


def scrutinized(outputs: Outputs, position: float, noise: Array) -> Quotients:
    """Quotients of two ladders, which are at least as uncertain as these differ."""
    one = quotients(outputs, position, noise=noise)
    other = quotients(outputs, position, OTHER_STEPS, noise)
    apart = np.abs(one.slope - other.slope)
    return one._replace(error=np.maximum(one.error, np.where(np.isfinite(apart), apart, np.inf)))


def judged(truths: Array, found: Quotients, position: float) -> list[str]:
    """What is to be said of each derivative, given difference quotients."""
    finite = np.isfinite(truths)
    size = np.maximum(np.abs(np.where(finite, truths, 0.0)), np.abs(found.slope))
    allowed = TOLERANCE * size + DOUBT * found.error
    apart = np.abs(truths - found.slope)
    agrees = apart <= allowed
    natural = TOLERANCE * found.size / max(abs(position), 1.0)
    sharp = DOUBT * found.error <= BLUNT * size + natural
    margin = FLATNESS * np.abs(found.above - found.below)
    low, high = np.minimum(found.below, found.above), np.maximum(found.below, found.above)
    between = (low - margin <= truths) & (truths <= high + margin)
    fails = np.where(finite, ~agrees & (sharp | (apart > DOUBT * allowed)), sharp)
    verdicts = np.where(fails, WRONG, np.where(sharp & agrees, RIGHT, UNSURE))
    verdicts = np.where(found.kinks, np.where(between, KINK, WRONG), verdicts)
    return [str(verdict) for verdict in np.where(found.jumps, JUMP, verdicts)]


FLATNESS: Final = 0.01
"""How far from between the slopes of both sides a derivative at a kink may be."""


def _coordinates(run: Run) -> Iterator[tuple[int, tuple[str, tuple[int, ...]]]]:
    """The elements of all variables, each with the place of its variable."""
    for position, (name, leaf) in enumerate(run.leaves.items()):
        for index in np.ndindex(leaf._array.shape):
            yield position, (name, index)


def _column(block: Tensor, index: tuple[int, ...]) -> Array:
    """The part of a block that belongs to one element of the variable."""
    place: tuple[Any, ...] = (..., *index)
    return np.ravel(block._array[place]).astype(np.float64)


def _filled(blocks: Sequence[Tensor | None], row: Tensor, leaves: Sequence[Tensor]) -> list[Tensor]:
    """Zeros where an output does not depend on a variable."""
    pairs = zip(blocks, leaves, strict=True)
    return [zeros_for(row, leaf) if block is None else block for block, leaf in pairs]


def _index(index: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, index))}]" if index else ""

"""`gradcheck` and `gradgradcheck` entry by entry: derivatives against difference quotients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.matrices import blocks_of, rows
from gradcli.checking.points import lost_at, moved
from gradcli.checking.quotients import Outputs, Quotients, quotients
from gradcli.checking.rounding import rounding
from gradcli.checking.subject import Run, Subject, components, real
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


class Coordinate(NamedTuple):
    """A real number in a variable.

    Attributes:
        position: of the variable, among all.
        place: its index in the `components` of the variable.
        label: where it is, as `[0,1]` or `[2].imag`.
    """

    position: int
    name: str
    place: tuple[int, ...]
    label: str


def _first(subject: Subject, run: Run, point: Point) -> Iterator[Entry]:
    """The entries of the Jacobian."""
    lines = _blocks(run.real_outputs, list(run.leaves.values()))
    names = [
        f"d{f'[{place}]' if run.several else ''}{label}"
        for place, output in enumerate(run.outputs)
        for _, label in labelled(output._array)
    ]
    count = len(names)

    def outputs(where: Point) -> Array:
        return subject.vector(where, count)

    for coordinate in _coordinates(run):
        told = [f"{head}/d{coordinate.name}{coordinate.label}" for head in names]
        yield from _compared(told, _column(lines, coordinate), outputs, outputs, point, coordinate)


def _second(subject: Subject, run: Run, point: Point) -> Iterator[Entry]:
    """The entries of the Hessian of the weighed outputs."""
    weights = weights_of(run.real_outputs)
    slopes = subject.gradients(run, weights, create_graph=True)
    lines = _blocks([real(slope) for slope in slopes], list(run.leaves.values()))
    heads = list(_coordinates(run))

    def gradient(where: Point) -> Array:
        return subject.gradient(where, weights, len(heads))

    def recorded(where: Point) -> Array:
        return subject.gradient(where, weights, len(heads), create_graph=True)

    for coordinate in heads:
        told = [_second_name(head, coordinate) for head in heads]
        column = _column(lines, coordinate)
        yield from _compared(told, column, gradient, recorded, point, coordinate)


def _second_name(first: Coordinate, second: Coordinate) -> str:
    if first == second and not first.label:
        return f"d2/d{first.name}2"
    return f"d2/d{first.name}{first.label}d{second.name}{second.label}"


def _compared(
    names: Sequence[str],
    truths: Array,
    outputs: Callable[[Point], Array],
    recorded: Callable[[Point], Array],
    point: Point,
    coordinate: Coordinate,
) -> Iterator[Entry]:
    """The entries of one column: what derivatives and difference quotients say of it.

    `recorded` gives the outputs, too, by way of rows that all can be listened to.
    """
    name, place = coordinate.name, coordinate.place
    start = float(components(point[name])[place])

    def along(position: float) -> Array:
        return outputs(moved(point, name, place, position))

    found = quotients(along, start)
    verdicts = judged(truths, found, start)
    if WRONG in verdicts:
        found = scrutinized(along, start, rounding(lambda: recorded(point)))
        verdicts = judged(truths, found, start)
    for number, told in enumerate(names):
        slope = float("nan") if found.jumps[number] else float(found.slope[number])
        yield Entry(
            told,
            point,
            float(truths[number]),
            slope,
            abs(float(truths[number]) - slope),
            float(found.step[number]),
            verdicts[number],
            (float(found.below[number]), float(found.above[number])),
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


def _coordinates(run: Run) -> Iterator[Coordinate]:
    """The real numbers in all variables."""
    for position, (name, leaf) in enumerate(run.leaves.items()):
        for index, label in labelled(leaf._array):
            yield Coordinate(position, name, index, label)


def labelled(array: Array) -> Iterator[tuple[tuple[int, ...], str]]:
    """The indices in the `components` of an array, and how they are written."""
    for index in np.ndindex(array.shape):
        label = f"[{','.join(map(str, index))}]" if index else ""
        if array.dtype.kind != "c":
            yield index, label
        else:
            yield from (((*index, part), f"{label}.{word}") for part, word in enumerate(_PARTS))


_PARTS: Final = ("real", "imag")


def _blocks(outputs: Sequence[Tensor], leaves: Sequence[Tensor]) -> list[list[Array]]:
    """The Jacobian of each real output with respect to each variable, of which a complex one has
    the derivatives with respect to both of its parts; zeros where there is no dependence.
    """
    # A basis of columns, of tangents, would have the real directions only.
    by_rows = any(leaf.is_complex() for leaf in leaves)
    lines = [rows(end, leaves) for end in outputs] if by_rows else blocks_of(outputs, leaves)
    return [
        [_array_of(block, end, leaf) for block, leaf in zip(line, leaves, strict=True)]
        for line, end in zip(lines, outputs, strict=True)
    ]


def _array_of(block: Tensor | None, end: Tensor, leaf: Tensor) -> Array:
    if block is None:
        return np.zeros((*end.shape, *leaf.shape), leaf._array.dtype)
    return block._array


def _column(lines: Sequence[Sequence[Array]], coordinate: Coordinate) -> Array:
    """What belongs to one coordinate, of all outputs."""
    place: tuple[Any, ...] = (..., *coordinate.place)
    blocks = [components(np.ascontiguousarray(line[coordinate.position])) for line in lines]
    return np.concatenate([np.ravel(block[place]).astype(np.float64) for block in blocks])

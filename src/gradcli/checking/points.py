"""Points to check at: the given one, and random ones of the right domain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.checking.subject import FAILURES, Subject, components, of_components
from gradcli.domain import NOWHERE, Point, is_regular, kinds_of, search, weights_of
from gradcli.language.running.code import Code
from gradcli.tensor.clock import clock


def no_point(message: str, hint: str) -> ValueError:
    """The error where there is no point to check at."""
    error = ValueError(message)
    error.hint = hint  # type: ignore[attr-defined]
    return error


class Points(NamedTuple):
    """Points to check at; `given` is how many of them, the first, have the values given."""

    points: list[Point]
    given: int


def points_for(subject: Subject, count: int | None, least: int, seed: int) -> Points:
    """The given point, and random ones.

    Args:
        count: of random points; None for `least` of them, or `DEFAULT` where a variable has no
            value.

    Raises:
        ValueError: the given one is outside of the domain, or none is found in it.
        Exception: whatever the text raises.
    """
    rng = np.random.default_rng(seed)
    _begin(subject, rng)
    wanted = (DEFAULT if subject.drawn else least) if count is None else count
    points: list[Point] = []
    held = {name: value for name, value in subject.template.items() if name not in subject.drawn}
    given = 1 if held else 0
    if held and subject.drawn:
        points.append(_drawn(subject, rng, 0, held))
    elif held:
        points.append(held)
        _check_inside(subject, held)
    for number in range(wanted):
        points.append(_drawn(subject, rng, number))
    if not points:
        raise no_point("no variable has a value, and no point is to be drawn", "leave --points out")
    return Points(points, given)


DEFAULT: Final = 10
"""Random points where there is no other."""


def _begin(subject: Subject, rng: np.random.Generator) -> None:
    """Runs the text once, with whatever draws let it."""
    drawn = subject.drawn
    try:
        search(kinds_of(drawn), rng, subject.begin, lambda _: True)
    except (NameError, AttributeError):
        raise
    except Exception as error:
        if drawn and hasattr(error, "place") and not getattr(error, "hint", ""):
            error.hint = (  # type: ignore[attr-defined]
                f"where no value is given, numbers are drawn, as for {', '.join(drawn)}; a value "
                f'gives the shape, as --{drawn[0]} "randn(3)"'
            )
        raise


def _drawn(subject: Subject, rng: np.random.Generator, number: int, held: Point = NOWHERE) -> Point:
    """A point of the domain, with values that are held."""
    template = subject.template
    near = {name: components(value) for name, value in template.items() if name not in held}
    shapes = {name: value.shape for name, value in near.items()}

    def whole(point: Point) -> Point:
        drawn = {name: of_components(value, template[name]) for name, value in point.items()}
        return {**template, **drawn, **held}

    found = search(
        [shapes],
        rng,
        whole,
        lambda point: is_inside(subject, point),
        number,
        near,
    )
    if found.inside:
        return found.value
    told = lost_at(subject, found.value)
    raise no_point(
        "no random point was found where the expression and its derivatives are finite"
        + (f": {told} at {spelled(found.value)}" if told else ""),
        "give the variables values where it is",
    )


def points_about(subject: Subject, codes: Iterable[Code], points: Sequence[Point]) -> list[Point]:
    """Points of the domain where a variable is a number of the texts, or on either side of it.

    That is where a text may go another way, as `x if x < 100 else 0` does; the other variables are
    as they are in points that are known.
    """
    numbers = sorted({number for code in codes for number in _numbers(code)}, key=abs)
    found: list[Point] = []
    # The last points are drawn, and the first may be given.
    known = points[::-1]
    wanted = islice(product(numbers, OFFSETS, subject.template), MOST_ABOUT)
    for place, (number, offset, name) in enumerate(wanted):
        clock.check()
        if offset and abs(number) <= NEAR:
            continue
        point = known[place % len(known)]
        array = point[name].copy()
        if offset:
            spread = np.linspace(1.0, SPREAD, array.size).reshape(array.shape)
            array[...] = number + offset * max(abs(number), 1.0) * spread
        elif array.size:
            array.flat[0] = number
        moved_there = {**point, name: array}
        if is_inside(subject, moved_there):
            found.append(moved_there)
    return found


OFFSETS: Final = (0.0, 0.3, -0.2)
"""How far from a number of the texts coordinates are, relative to it."""

NEAR: Final = 2.0
"""The size of numbers that coordinates are drawn on both sides of in any case."""

SPREAD: Final = 1.1
"""How much further off the last element of a tensor is than the first."""

MOST_ABOUT: Final = 64
"""Points about numbers that are tried."""


def _numbers(code: Code) -> Iterator[float]:
    """The numbers in a text, and their negatives."""
    for value in code.constants:
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                continue
            if math.isfinite(number):
                yield from (number, -number)
    for inner in code.inner:
        yield from _numbers(inner)


def is_inside(subject: Subject, point: Point) -> bool:
    """Whether the expression and its gradient are finite at a point."""
    try:
        run = subject.run(point)
        return is_regular(run.outputs, list(run.leaves.values()))
    except FAILURES:
        return False


def _check_inside(subject: Subject, point: Point) -> None:
    for name, value in point.items():
        if not np.all(np.isfinite(value)):
            raise no_point(f"{name} is not finite: {spelled(point)}", "choose another point")
    if is_inside(subject, point):
        return
    run = subject.run(point)
    subject.gradients(run, weights_of(run.outputs))
    what = "derivative" if np.all(np.isfinite(run.vector())) else "value"
    told = lost_at(subject, point)
    message = f"the {what} is not finite at {spelled(point)}"
    raise no_point(f"{message}: {told}" if told else message, "choose a point of its domain")


def lost_at(subject: Subject, point: Point) -> str:
    """Which operator leaves the numbers at a point, or has a kink there; "" if unknown."""
    try:
        return subject.lost_at(point)
    except FAILURES as error:
        return str(error).partition("\n")[0]


def spelled(point: Mapping[str, Any]) -> str:
    """A point as text: `x = 1.5, y = [1, 2]`."""
    return ", ".join(f"{name} = {short(value)}" for name, value in point.items())


def short(value: Any) -> str:
    """A number, or nested lists of them, with some of many left out."""
    array = np.asarray(value)
    if not array.ndim:
        number = array.item()
        parts = f"{number.real:.6g}", f"{number.imag:+.6g}j" if array.dtype.kind == "c" else ""
        return "".join(parts)
    shown = [short(part) for part in array[:SHOWN]]
    return f"[{', '.join(shown)}{', ...' if len(array) > SHOWN else ''}]"


SHOWN: Final = 6
"""Elements of a list that are shown."""


def moved(point: Point, name: str, index: Sequence[int], position: float) -> Point:
    """A point with one real number changed; the index is one of `components`."""
    array = point[name].copy()
    components(array)[tuple(index)] = position
    return {**point, name: array}

"""Points to check at: the given one, and random ones of the right domain.

The domain of an expression is where it and its derivatives are finite. Nobody says where that is,
so points are drawn from several distributions in turn until one is within.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.checking.subject import FAILURES, Point, Subject, flat, weights_of
from gradcli.tensor.clock import clock
from gradcli.typing import Array

TRIES: Final = 400
"""Draws for a point before it is said that there is none."""

DIGITS: Final = 4
"""Of coordinates that are drawn, so that they can be typed again."""

NOWHERE: Final[Point] = {}
"""No coordinates."""

Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

_DRAWS: Final[tuple[Draw, ...]] = (
    lambda rng, shape: rng.uniform(-2, 2, shape),
    lambda rng, shape: rng.uniform(0.2, 3, shape),
    lambda rng, shape: rng.uniform(-0.9, 0.9, shape),
    lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    lambda rng, shape: rng.uniform(1.1, 4, shape),
    lambda rng, shape: rng.uniform(-4, 4, shape),
    lambda rng, shape: np.exp(rng.uniform(-3, 4, shape)),
    lambda rng, shape: -rng.uniform(0.2, 3, shape),
    lambda rng, shape: rng.uniform(2, 20, shape) * rng.choice([-1.0, 1.0], shape),
)


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
    failure: Exception | None = None
    for number in range(len(_DRAWS)):
        values = {name: float(_rounded(_DRAWS[number](rng, ()))) for name in subject.drawn}
        try:
            subject.begin(values)
            return
        except (*FAILURES, TypeError) as error:
            failure = failure or error
            if not subject.drawn:
                break
    assert failure is not None
    if subject.drawn and hasattr(failure, "place") and not getattr(failure, "hint", ""):
        names = ", ".join(subject.drawn)
        failure.hint = (  # type: ignore[attr-defined]
            f"where no value is given, a number is drawn, as for {names}; a value gives the shape, "
            f'as --{subject.drawn[0]} "randn(3)"'
        )
    raise failure


def _drawn(subject: Subject, rng: np.random.Generator, number: int, held: Point = NOWHERE) -> Point:
    """A point of the domain, with values that are held."""
    point: Point = {}
    for attempt in range(TRIES):
        clock.check()
        point = {**_candidate(subject.template, rng, number + attempt), **held}
        if is_inside(subject, point):
            return point
    told = lost_at(subject, point)
    raise no_point(
        "no random point was found where the expression and its derivatives are finite"
        + (f": {told} at {spelled(point)}" if told else ""),
        "give the variables values where it is",
    )


def _candidate(template: Point, rng: np.random.Generator, attempt: int) -> Point:
    """A point: near the given one, of one distribution, or each variable of its own."""
    if attempt % 4 == 3:
        return {
            name: _rounded(value + 0.2 * rng.uniform(-1, 1, value.shape) * (abs(value) + 0.1))
            for name, value in template.items()
        }
    alike = attempt < 2 * len(_DRAWS)
    draw = _DRAWS[attempt % len(_DRAWS)]
    found = {}
    for name, value in template.items():
        own = draw if alike else _DRAWS[rng.integers(len(_DRAWS))]
        found[name] = _rounded(own(rng, value.shape))
    return found


def is_inside(subject: Subject, point: Point) -> bool:
    """Whether the expression and its gradient are finite at a point."""
    try:
        run = subject.run(point)
        slopes = subject.gradients(run, weights_of(run.outputs))
    except FAILURES:
        return False
    return bool(np.all(np.isfinite(run.vector())) and np.all(np.isfinite(flat(slopes))))


def _check_inside(subject: Subject, point: Point) -> None:
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
        return f"{float(array):.6g}"
    shown = [short(part) for part in array[:SHOWN]]
    return f"[{', '.join(shown)}{', ...' if len(array) > SHOWN else ''}]"


SHOWN: Final = 6
"""Elements of a list that are shown."""


def _rounded(values: Any) -> Array:
    """Values of few digits."""
    array = np.asarray(values)
    found = [float(f"{value:.{DIGITS}g}") for value in array.ravel().tolist()]
    return np.array(found).reshape(array.shape)


def moved(point: Point, name: str, index: Sequence[int], position: float) -> Point:
    """A point with one coordinate changed."""
    array = point[name].copy()
    array[tuple(index)] = position
    return {**point, name: array}

"""Claims and assertions judged: is a formula the derivative, is a sentence true?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.autograd.passes import accumulate
from gradcli.checking.entries import DOUBT, scrutinized
from gradcli.checking.points import lost_at, moved, points_about, spelled
from gradcli.checking.proofs import Proof, proof_of
from gradcli.checking.quotients import Quotients
from gradcli.checking.rounding import rounding
from gradcli.checking.subject import Run, Subject, components, doubled
from gradcli.checking.texts import FILLED, Assertion, Claim, check_names
from gradcli.domain import Point
from gradcli.evaluation import Steps
from gradcli.ops.making.construction import tensor
from gradcli.random.generator import manual_seed
from gradcli.tensor.clock import LimitError, clock
from gradcli.tensor.tensor import Tensor, wrap
from gradcli.typing import Array

TOLERANCE: Final = 1e-7
"""How far a claim may be from the derivative, relative to the larger of both."""

RIGHT, UNDECIDED, WRONG = "right", "undecided", "wrong"

SAME: Final = 1e-6
"""How far what is the same at all points may be from point to point."""

FEWEST: Final = 3
"""Points from which on something is the same at all of them."""


class Verdict(NamedTuple):
    """What is to be said of a claim, or of an assertion.

    Attributes:
        text: the claim, as it is written.
        verdict: `right`, `wrong`, or `undecided`.
        points: at how many points it is right, where it is.
        point: where it is not, the counterexample; None where it is.
        values: what is to be compared there, by what it is called.
        remark: what else is to be said, the way out.
        proof: that it is right everywhere, where there is one.
        error: why it has no value there, where it has none; its place is in the claim.
    """

    text: str
    verdict: str
    points: int = 0
    point: Point | None = None
    values: Mapping[str, Any] = {}
    remark: str = ""
    proof: Proof | None = None
    error: Exception | None = None


def judge(
    subject: Subject,
    claim: Claim,
    points: Sequence[Point],
    tolerance: float = TOLERANCE,
    is_sought: bool = True,
) -> Verdict:
    """Compares a claim with the derivative at all points.

    Where it is right at these, and that is not proved for all, a counterexample is sought about the
    numbers that the texts have, if `is_sought`.

    Raises:
        UnknownName: it names what the expression does not have.
        Exception: whatever the text raises.
    """
    steps = claim.steps(subject.template)
    found: list[Compared] = []
    wrong: Compared | None = None
    for point in points:
        clock.check()
        compared = _compared(subject, claim, steps, point, tolerance, is_known=wrong is not None)
        found.append(compared)
        if compared.verdict == WRONG:
            wrong = wrong or compared
            if compared.error is not None or compared.value.shape != compared.truth.shape:
                break
    if wrong is not None:
        remark = wrong.remark or _what_is_missing(found)
        return _counterexample(claim, wrong._replace(remark=remark))
    right = [compared for compared in found if compared.verdict == RIGHT]
    if not right:
        return _counterexample(claim, found[0])
    shape = right[0].truth.shape

    def claimed(run: Run) -> Any:
        return _run(run, claim.code, _filled(claim, shape))

    proof = proof_of(subject, claim.code, claimed, steps, right[0].point)
    if proof is not None and not proof.conditions:
        return Verdict(claim.text, RIGHT, len(right), proof=proof)
    remarks: list[str] = []
    if is_sought:
        for point in points_about(subject, [*subject.codes, claim.code], points):
            compared = _compared(subject, claim, steps, point, tolerance)
            if compared.verdict == RIGHT:
                right.append(compared)
            elif not np.all(np.isfinite(compared.value)):
                remarks.append(f"it has no finite value at {spelled(point)}")
            elif compared.verdict == WRONG:
                return _counterexample(claim, compared)
    if proof is None and (inexact := _inexact(subject, claim, steps, right)):
        remarks.insert(0, inexact)
    remark = remarks[0] if remarks else ""
    return Verdict(claim.text, RIGHT, len(right), remark=remark, proof=proof)


def _inexact(subject: Subject, claim: Claim, steps: Steps, right: Sequence[Compared]) -> str:
    """What is to be said of a claim that is nearly the derivative, but off by more than rounding.

    It is off at most points: at a few, values may have lost digits in ways that are not heard of.
    """
    off = [_relative(compared.value, compared.truth) for compared in right]
    suspects = [place for place, size in enumerate(off) if size > EXACT]
    if 2 * len(suspects) <= len(right):
        return ""
    explained = 0
    for place in suspects:
        point, value, truth = right[place][:3]
        noise = _noise_of_derivative(subject, steps, point)
        noise = noise + _noise_of(claim, subject.run(point), truth)
        if np.all(np.abs(value - truth) <= np.maximum(DOUBT * noise, EXACT * np.abs(truth))):
            explained += 1
        if 2 * (len(suspects) - explained) <= len(right):
            return ""
    return f"not exactly: off by {max(off):.1e} of its size, more than rounding explains"


EXACT: Final = 1e-12
"""How far from the derivative, relative to it, a claim is not said to be off."""


def _noise_of_derivative(subject: Subject, steps: Steps, point: Point) -> Array:
    """How far the derivative at a point may be off, since what it is made of is rounded."""
    return rounding(lambda: _derivative(subject, subject.run(point), steps))


def _derivative(subject: Subject, run: Run, steps: Steps) -> Array:
    return doubled(subject.derivative_of(run, steps)._array)


class Compared(NamedTuple):
    """A claim and the derivative at a point; a claim that raises an error has no value."""

    point: Point
    value: Array
    truth: Array
    verdict: str
    remark: str = ""
    error: Exception | None = None


def _compared(
    subject: Subject,
    claim: Claim,
    steps: Steps,
    point: Point,
    tolerance: float,
    is_known: bool = False,
) -> Compared:
    """A claim and the derivative at a point; `is_known`: that the claim is wrong."""
    run = subject.run(point)
    truth = _derivative(subject, run, steps)
    check_names(claim.code, claim.written, claim.offset, run, ())
    try:
        value, is_number = _value_of(claim, run, truth)
    except LimitError:
        raise
    except Exception as error:
        return Compared(point, np.full_like(truth, np.nan), truth, WRONG, "", error)
    if value.shape != truth.shape and not is_number:
        return Compared(point, value, truth, WRONG, "the shapes differ")
    value = np.broadcast_to(value, truth.shape)
    if _agree(value, truth, tolerance):
        return Compared(point, value, truth, RIGHT)
    if is_known:
        return Compared(point, value, truth, WRONG)
    noise = _noise_of(claim, run, truth)
    verdict, remark = _looked_at(subject, steps, point, value, truth, tolerance, noise)
    return Compared(point, value, truth, verdict, remark)


def _noise_of(claim: Claim, run: Run, truth: Array) -> Array:
    """How far the value of a claim may be off after an evaluation, since it is rounded."""
    return rounding(lambda: np.broadcast_to(_value_of(claim, run, truth)[0], truth.shape))


def _counterexample(claim: Claim, compared: Compared) -> Verdict:
    """The verdict on a claim that is not right at a point."""
    point, value, truth, verdict, remark, error = compared
    values: dict[str, Any] = {"claim": value, claim.label: truth}
    if error is not None:
        del values["claim"]
    if value.shape != truth.shape:
        values = {f"shape of {name}": list(part.shape) for name, part in values.items()}
    return Verdict(claim.text, verdict, 0, point, values, remark, error=error)


def _value_of(claim: Claim, run: Run, truth: Array) -> tuple[Array, bool]:
    """The value of a claim after an evaluation, and whether it is a plain number."""
    try:
        found = _run(run, claim.code, _filled(claim, truth.shape))
        number = isinstance(found, int | float)
        if not isinstance(found, Tensor | int | float | complex | list | tuple):
            what = type(found).__name__
            raise TypeError(f"a claim is a number or a tensor, and this is of type {what}")
        if not isinstance(found, Tensor):
            found = tensor(found)
        if found.is_complex() and truth.dtype.kind != "c":
            raise TypeError("a claim is real, as the derivative is")
    except Exception as error:
        claim.written.locate(error, claim.offset)
        raise
    return np.array(found._array, truth.dtype), number


def _filled(claim: Claim, shape: tuple[int, ...]) -> dict[str, Any]:
    """The tensors that `ones` and `zeros` are as operands, and as whole claims."""
    made = {"ones": np.ones, "zeros": np.zeros}
    names = {*claim.code.operands, claim.code.text}
    return {name: wrap(made[name](shape)) for name in FILLED if name in names}


def _run(run: Run, code: Any, others: dict[str, Any]) -> Any:
    """The value of a text after an evaluation, with its variables and others; a random stream is
    always the same.
    """
    machine = run.machine
    manual_seed(0)
    machine.globals = {**others, **run.names()}
    return machine.run(code)


def _agree(value: Array, truth: Array, tolerance: float) -> bool:
    size = np.maximum(np.abs(value), np.abs(truth))
    return bool(np.all(np.abs(value - truth) <= tolerance * size))


def _relative(value: Array, truth: Array) -> float:
    """How far values are apart at most, relative to the larger of both."""
    size = np.maximum(np.abs(value), np.abs(truth))
    return float(np.max(np.abs(value - truth)[size > 0] / size[size > 0], initial=0.0))


def _looked_at(
    subject: Subject,
    steps: Steps,
    point: Point,
    value: Array,
    truth: Array,
    tolerance: float,
    noise: Array,
) -> tuple[str, str]:
    """The verdict where a claim is not the derivative, and what is to be said about it.

    Where difference quotients cannot tell them apart, for kinks or for rounding (`noise` is that of
    the claim), it is not wrong.
    """
    if not np.all(np.isfinite(truth)):
        told = lost_at(subject, point) or "its domain ends here"
        return UNDECIDED, f"the derivative is not finite: {told}"
    if not np.all(np.isfinite(value)):
        return WRONG, "the derivative is finite there"
    *path, (name, times) = steps
    before = (*path, (name, times - 1)) if times > 1 else tuple(path)
    bent = False
    values, truths = (components(np.array(array)) for array in (value, truth))
    for index in np.ndindex(truths.shape):
        claimed, other = float(values[index]), float(truths[index])
        doubt = DOUBT * noise[index[: noise.ndim]]
        if _agree(values[index], truths[index], tolerance):
            continue
        found = _slope(subject, before, point, name, index)
        slope, error = float(found.slope[0]), DOUBT * float(found.error[0])
        bent = bent or bool(found.kinks[0] or found.jumps[0])
        if bent:
            continue
        if abs(claimed - slope) > error + doubt + tolerance * abs(slope):
            return WRONG, ""
        if abs(other - slope) > error + tolerance * abs(slope):
            return WRONG, _CUT
    if bent:
        return UNDECIDED, f"there is a kink: {lost_at(subject, point) or 'slopes differ'}"
    return UNDECIDED, "rounding hides the difference"


_CUT: Final = "values agree with the claim, backward does not: is the gradient cut?"


def _slope(
    subject: Subject, before: Steps, point: Point, name: str, index: tuple[int, ...]
) -> Quotients:
    """Difference quotients of the derivative before the one that is claimed."""

    def along(position: float) -> Array:
        return subject.derivative(moved(point, name, index, position), before, 1)

    start = float(components(point[name])[index])
    return scrutinized(along, start, rounding(lambda: along(start)))


def _what_is_missing(found: Sequence[Compared]) -> str:
    """What a wrong claim lacks, where that is the same at all points: a sign, a factor, a term."""
    arrays = [array for compared in found for array in (compared.value, compared.truth)]
    if len(found) < FEWEST or any(array.ndim or array.dtype.kind == "c" for array in arrays):
        return ""
    values = np.array([float(compared.value) for compared in found])
    truths = np.array([float(compared.truth) for compared in found])
    ratios = truths / values
    factor = _constant(ratios)
    if factor is not None:
        return "its sign is wrong" if abs(factor + 1) < SAME else f"it lacks a factor {factor:.6g}"
    term = _constant(truths - values)
    if term is not None:
        return f"it lacks a term {term:.6g}"
    for name, coordinate in found[0].point.items():
        if coordinate.ndim or coordinate.dtype.kind == "c":
            continue
        numbers = np.array([float(compared.point[name]) for compared in found])
        for what, parts in ((name, ratios / numbers), (f"1/{name}", ratios * numbers)):
            factor = _constant(parts)
            if factor is not None:
                return f"it lacks a factor {_times(factor, what)}"
        for what, parts in ((name, numbers), (f"{name}**2", numbers**2)):
            term = _constant((truths - values) / parts)
            if term is not None:
                return f"it lacks a term {_times(term, what)}"
    return ""


def _times(factor: float, what: str) -> str:
    if what.startswith("1/"):
        return f"{factor:.6g}{what[1:]}"
    return what if abs(factor - 1) < SAME else f"{factor:.6g}*{what}"


def _constant(numbers: Array) -> float | None:
    """The number that all are; None where they differ, or are not finite."""
    if not np.all(np.isfinite(numbers)):
        return None
    middle = float(np.median(numbers))
    if abs(middle) < SAME or np.any(np.abs(numbers - middle) > SAME * abs(middle)):
        return None
    return middle


def hold(subject: Subject, assertion: Assertion, points: Sequence[Point]) -> Verdict:
    """Whether an assertion is true at all points.

    Raises:
        UnknownName: it names what the expression does not have.
        Exception: whatever the text or the assertion raises.
    """
    for point in points:
        clock.check()
        run = subject.run(point)
        names: dict[str, Any] = {
            name: subject.derivative_of(run, steps)
            for name, (_, steps) in assertion.derivatives.items()
        }
        own = [name for name in ("value", *names) if name not in run.names()]
        check_names(assertion.code, assertion.written, 0, run, own)
        _fill_gradients(subject, run)
        try:
            found = _run(run, assertion.code, {"value": run.value, **names})
            true = _truth(found)
        except Exception as error:
            assertion.written.locate(error, 0)
            raise
        if not true:
            values = _told(assertion, run, own, names)
            return Verdict(assertion.text, WRONG, 0, point, values)
    return Verdict(assertion.text, RIGHT, len(points))


def _truth(found: Any) -> bool:
    """Whether what an assertion gives is true, in all elements of a tensor.

    Raises:
        TypeError: it is neither true nor false.
    """
    if isinstance(found, bool):
        return found
    if isinstance(found, Tensor) and found._array.dtype == np.bool_:
        return bool(np.all(found._array))
    what = "a tensor of numbers" if isinstance(found, Tensor) else type(found).__name__
    error = TypeError(f"an assertion is true or false, and this is {what}")
    error.hint = "compare it, as x.grad > 0"  # type: ignore[attr-defined]
    raise error


def _fill_gradients(subject: Subject, run: Run) -> None:
    """Runs backward, so that `x.grad` holds the gradient."""
    ends = [output for output in run.outputs if output.requires_grad]
    if ends:
        seeds = [wrap(seed) for seed in subject.seeds(run)] or None
        accumulate(ends, seeds, True, False, None)


def _told(
    assertion: Assertion, run: Run, own: Sequence[str], names: dict[str, Any]
) -> dict[str, Any]:
    """The values of what an assertion speaks of; `own` are names that are no variables'."""
    text = assertion.text
    found: dict[str, Any] = {}
    if "value" in text and "value" in own:
        for place, output in enumerate(run.outputs):
            found[f"value[{place}]" if run.several else "value"] = output._array
    for name, leaf in run.leaves.items():
        gradient = leaf.grad
        if f"{name}.grad" in text and gradient is not None:
            found[f"{name}.grad"] = gradient._array
    for name, (written, _) in assertion.derivatives.items():
        found[written] = names[name]._array
    return found

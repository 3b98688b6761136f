"""In which operands a row is linear, and whether it acts element by element, by its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from itertools import combinations
from typing import Any

import numpy as np

from gradcli.autograd.passes import grad
from gradcli.table.row import Row
from gradcli.table.samples import Sampler
from gradcli.tensor.tensor import Tensor, wrap
from tests.table.checks import as_tensors

Group = tuple[int, ...]


def calls_of(row: Row) -> list[list[Any]]:
    """The calls of a row's samples, their arguments in the order of the parameters."""
    calls = []
    for call in row.samples(Sampler()) if row.samples is not None else ():
        *args, last = call if call and isinstance(call[-1], dict) else (*call, {})
        calls.append(list(row.positional(tuple(args), last)) if last else list(args))
    return calls


def linear_groups(row: Row) -> tuple[tuple[str, ...], ...]:
    """The largest sets of operands in which a row is linear jointly while the others stay.

    There its formulas must be the adjoint: by convention some gradients are not. Only operands
    count whose values the result depends on.
    """
    parameters = row.signature.parameters
    places = [
        k for k, parameter in enumerate(parameters) if parameter.base.removesuffix("[]") in _BASES
    ]
    calls = calls_of(row)
    moving = [k for k in places if any(_moves(row, args, k) for args in calls)]
    calls = [args for args in calls if all(_is_floating(args[k]) for k in moving if k < len(args))]
    found: list[Group] = []
    for size in range(len(moving), 0, -1):
        for group in combinations(moving, size):
            inside = any(set(group) <= set(larger) for larger in found)
            if (
                calls
                and not inside
                and all(_is_linear(row, args, group) for args in calls)
                and all(_has_adjoint(row, args, group) for args in calls)
            ):
                found.append(group)
    return tuple(tuple(parameters[k].name for k in group) for group in sorted(found))


def acts_on_elements(row: Row) -> bool | None:
    """Whether elements of the result are made of those in their place alone; None: hard to say.

    Then half of the places, backwards and in a line, give what they gave among the others.
    """
    found = None
    for args in calls_of(row):
        places = [k for k, arg in enumerate(args) if isinstance(arg, (np.ndarray, np.generic))]
        if not places or any(isinstance(arg, list) for arg in args):
            continue
        try:
            made = row(*[_mapped(copy, arg) for arg in args])
            shape = np.broadcast_shapes(*[np.shape(args[k]) for k in places])
        except (ArithmeticError, NotImplementedError, RuntimeError, ValueError):
            continue
        if isinstance(made, tuple) or np.shape(made) != shape:
            return False
        picked = np.arange(np.size(made))[::-1][: np.size(made) // 2 + 1]
        line = [
            np.broadcast_to(arg, shape).ravel()[picked] if k in places else arg
            for k, arg in enumerate(args)
        ]
        try:
            again = row(*line)
        except IndexError:
            return False  # it counts dimensions
        except (ArithmeticError, NotImplementedError, RuntimeError, ValueError):
            continue
        if np.shape(again) != picked.shape:
            return False
        if not np.allclose(again, np.ravel(made)[picked], 1e-12, 1e-12, equal_nan=True):
            return False
        found = found or (True if np.unique(made).size > 1 else None)
    return found


_BASES = ("Tensor", "Operand")


def _outputs(row: Row, args: Sequence[Any]) -> list[Any]:
    """The floating results of a call; the arguments are left alone."""
    made = row(*[_mapped(copy, arg) for arg in args])
    results = [np.asarray(part) for part in (made if isinstance(made, tuple) else (made,))]
    return [part for part in results if part.dtype.kind in "fc"]


def _is_floating(arg: Any) -> bool:
    """Whether an operand, where there is one, is of numbers that can be added and scaled."""
    if isinstance(arg, list):
        return all(map(_is_floating, arg))
    return (
        arg is None or isinstance(arg, float) or getattr(arg, "dtype", np.dtype(int)).kind in "fc"
    )


def _mapped(function: Callable[..., Any], arg: Any, *others: Any) -> Any:
    """A function of arrays applied to an operand, or to each item of a list; else the operand."""
    if isinstance(arg, list):
        return [_mapped(function, *items) for items in zip(arg, *others, strict=True)]
    return function(arg, *others) if arg is not None and _is_floating(arg) else arg


def _replaced(args: Sequence[Any], group: Iterable[int], function: Callable[[Any], Any]) -> Any:
    return [function(arg) if k in group else arg for k, arg in enumerate(args)]


def _another(arg: Any) -> Any:
    """An operand of the same shape and type and of other values, around zero."""

    def draw(array: Any) -> Any:
        random = np.random.default_rng(np.size(array))
        values = random.normal(size=np.shape(array))
        if np.iscomplexobj(array):
            values = values + 1j * random.normal(size=np.shape(array))
        return values.astype(array.dtype) if isinstance(array, np.ndarray) else float(values)

    return _mapped(draw, arg)


def _moves(row: Row, args: Sequence[Any], place: int) -> bool:
    """Whether the values of an operand matter."""
    if place >= len(args):
        return False
    try:
        before, after = _outputs(row, args), _outputs(row, _replaced(args, (place,), _another))
    except (ArithmeticError, RuntimeError, ValueError):
        return True
    return not all(map(_close, before, after))


def _is_linear(row: Row, args: Sequence[Any], group: Group) -> bool:
    """Whether sums and multiples of operands give the same sums and multiples of results."""
    others = _replaced(args, group, _another)
    summed = [
        _mapped(np.add, arg, other) if k in group else arg
        for k, (arg, other) in enumerate(zip(args, others, strict=True))
    ]
    opposite = _replaced(args, group, lambda arg: _mapped(lambda array: array * -2.0, arg))
    with np.errstate(all="ignore"):
        try:
            own = _outputs(row, args)
            return (
                bool(own)
                # Powers of two scale without rounding.
                and all(map(np.array_equal, _outputs(row, opposite), [part * -2.0 for part in own]))
                and all(map(_close, _outputs(row, summed), map(np.add, own, _outputs(row, others))))
            )
        except (ArithmeticError, RuntimeError, ValueError):
            return False


def _has_adjoint(row: Row, args: Sequence[Any], group: Group) -> bool:
    """Whether a row that is linear in some operands has the gradients of that."""
    places = [place for place in group if place < len(args)]
    if not set(places) <= set(row.differentiable):
        return True
    tensors = as_tensors(args, False)
    leaves = [
        leaf
        for place in places
        for leaf in (tensors[place] if isinstance(tensors[place], list) else [tensors[place]])
        if isinstance(leaf, Tensor)
    ]
    for leaf in leaves:
        leaf.requires_grad_()
    try:
        made = row(*tensors)
        ends = [end for end in (made if isinstance(made, tuple) else (made,)) if end.requires_grad]
        seeds = [_another(end._array) for end in ends]
        slopes = grad(ends, leaves, [wrap(np.asarray(seed)) for seed in seeds], allow_unused=True)
    except (NotImplementedError, RuntimeError):
        return True  # it has none
    inner = [np.vdot(end._array, seed).real for end, seed in zip(ends, seeds, strict=True)]
    outer = [
        np.vdot(leaf._array, slope._array).real
        for leaf, slope in zip(leaves, slopes, strict=True)
        if slope is not None
    ]
    return _close(sum(inner), sum(outer))


def _close(a: Any, b: Any) -> bool:
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-9, atol=1e-9))

"""What a tensor library answers to a call, in plain values: PyTorch and this project alike."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from gradcli.table.samples import Fixed

Array = np.ndarray[Any, Any]
Answer = dict[str, Any]


_MISFITS = re.compile("failed to match any schema|Declaration: aten::")


class Unasked(Exception):
    """PyTorch's operator does not take the arguments of the entry with its name."""


class Engine(Protocol):
    """A tensor library."""

    torch: Any
    """The module that PyTorch's names live in."""

    def leaf(self, array: Array, wants: bool) -> Any:
        """A tensor with the values of an array."""

    def array(self, tensor: Any) -> Array:
        """The values of a tensor."""

    def argument(self, value: Any) -> Any:
        """An argument that is neither an array nor a container, as the library has it."""


def arguments(engine: Engine, value: Any, made: list[Any]) -> Any:
    """Arguments with tensors in the place of arrays; `made` receives those that want gradients."""
    if isinstance(value, np.ndarray):
        wants = value.dtype.kind in "fc" and not isinstance(value, Fixed)
        tensor = engine.leaf(np.array(value), wants)
        if tensor.requires_grad:
            made.append(tensor)
        return tensor
    if type(value) in (list, tuple):
        return type(value)(arguments(engine, item, made) for item in value)
    if isinstance(value, dict):
        return {key: arguments(engine, item, made) for key, item in value.items()}
    return engine.argument(value)


def describe(
    engine: Engine,
    call: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    digits: int,
    order: int,
) -> Answer:
    """The outputs of a call, gradients of a weighted sum, and theirs; or the error.

    With `order` 2 gradients are asked for twice: as they are, and `recorded` under `create_graph`,
    with their nodes and the second derivatives. Numbers are rounded to so many `digits`.
    """
    leaves: list[Any] = []
    engine.torch.manual_seed(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        given = arguments(engine, list(args), leaves)
        named = arguments(engine, kwargs, leaves)
        try:
            value = call(*given, **named)
        except Exception as error:
            if _MISFITS.search(str(error)):
                raise Unasked(str(error).split("\n")[0]) from error
            return {"error": refusal(error)}
        found = list(_flat(value))
        tensors = [item for item in found if isinstance(item, engine.torch.Tensor)]
        answer: Answer = {
            "outputs": [
                _output(engine, item, digits)
                if isinstance(item, engine.torch.Tensor)
                else _text(item)
                for item in found
            ]
        }
        if isinstance(value, (tuple, list)):
            answer["kind"] = type(value).__name__
        wanted = [tensor for tensor in tensors if tensor.requires_grad]
        if not (wanted and leaves and order):
            return answer
        return answer | _derivatives(engine, wanted, leaves, digits, order)


def _derivatives(
    engine: Engine, outputs: list[Any], leaves: list[Any], digits: int, order: int
) -> Answer:
    grad = engine.torch.autograd.grad
    try:
        plain = grad(outputs, leaves, _seeds(engine, outputs), retain_graph=True, allow_unused=True)
        if order == 1:
            return {"gradients": [_values(engine, slope, digits) for slope in plain]}
        slopes = grad(
            outputs, leaves, _seeds(engine, outputs), create_graph=True, allow_unused=True
        )
    except Exception as error:
        return {"gradients": refusal(error)}
    made: Answer = {
        "gradients": [_values(engine, slope, digits) for slope in plain],
        "recorded": [
            None if slope is None else [_values(engine, slope, digits), _node(slope)]
            for slope in slopes
        ],
    }
    bent = [slope for slope in slopes if slope is not None and slope.requires_grad]
    if not bent:
        return made
    try:
        second = grad(bent, leaves, _seeds(engine, bent), allow_unused=True)
    except Exception as error:
        return made | {"second": refusal(error)}
    return made | {"second": [_values(engine, one, digits) for one in second]}


def _seeds(engine: Engine, tensors: list[Any]) -> list[Any]:
    """Weights of no special structure, one per element of each tensor."""
    seeds = []
    for tensor in tensors:
        array = engine.array(tensor)
        weights = np.cos(np.arange(array.size) + 1.0).reshape(array.shape)
        seeds.append(engine.leaf(weights.astype(array.dtype), False))
    return seeds


def refusal(error: Exception) -> list[str]:
    """The type of an error and the first line of its message."""
    return [type(error).__name__, str(error).split("\n")[0]]


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)) and type(value).__name__ != "Size":
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _text(value: Any) -> str:
    return repr(value) if not isinstance(value, float) else f"{value:.9g}"


def _output(engine: Engine, tensor: Any, digits: int) -> list[Any]:
    """Type, shape, node, values."""
    return [
        str(tensor.dtype).removeprefix("torch."),
        list(tensor.shape),
        _node(tensor),
        _values(engine, tensor, digits),
    ]


def _node(tensor: Any) -> str | None:
    return None if tensor.grad_fn is None else str(tensor.grad_fn.name())


def _values(engine: Engine, tensor: Any, digits: int) -> list[Any] | None:
    """The elements; of complex ones both parts, one after the other."""
    if tensor is None:
        return None
    array = engine.array(tensor)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], -1)
    return [_number(value, digits) for value in array.ravel().tolist()]


def _number(value: Any, digits: int) -> Any:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return str(value)
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def differences(ours: Any, theirs: Any, relative: float, absolute: float) -> Iterator[str]:
    """Where two answers differ by more than rounding."""
    for key in dict.fromkeys((*theirs, *ours)):
        a, b = ours.get(key), theirs.get(key)
        if not _same(a, b, relative, absolute):
            yield f"{key}: {a}, not {b}"


def _same(ours: Any, theirs: Any, relative: float, absolute: float) -> bool:
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(
            _same(a, b, relative, absolute) for a, b in zip(ours, theirs, strict=True)
        )
    if _is_number(ours) and _is_number(theirs):
        return math.isclose(ours, theirs, rel_tol=relative, abs_tol=absolute)
    return type(ours) is type(theirs) and bool(ours == theirs)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)

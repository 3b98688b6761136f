"""Which arguments a transform differentiates, and what functions may give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.readings.trees import flatten
from gradcli.tensor.classes import type_of
from gradcli.tensor.tensor import Tensor


def chosen(arguments: Sequence[Any], argnums: Any) -> Any:
    """The arguments that `argnums` names: one, or a tuple.

    Raises:
        RuntimeError: it names none, one twice, or is no number and no tuple of numbers.
    """
    places = _places(argnums, len(arguments))
    if isinstance(places, int):
        return arguments[places]
    return tuple([arguments[place] for place in places])


def replaced(arguments: Sequence[Any], argnums: Any, values: Any) -> tuple[Any, ...]:
    """The arguments with others in the place of those that `argnums` names."""
    places = _places(argnums, len(arguments))
    found = list(arguments)
    if isinstance(places, int):
        found[places] = values
    else:
        for place, value in zip(places, values, strict=True):
            found[place] = value
    return tuple(found)


def _places(argnums: Any, count: int) -> int | tuple[int, ...]:
    if isinstance(argnums, int):
        return _place(argnums, count)
    if type(argnums) is not tuple:
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type_of(argnums)}")
    places = tuple([_place(argnum, count) for argnum in argnums])
    if not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {places}")
    return places


def _place(argnum: Any, count: int) -> int:
    if not isinstance(argnum, int):
        raise RuntimeError(f"argnum must be int, got: {type_of(argnum)}")
    if not -count <= argnum < count:
        raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
    return argnum % count


def check_moving(what: str, value: Tensor) -> None:
    """Refuses what cannot move along a tangent, or be one.

    Raises:
        ValueError: it is neither floating nor complex.
    """
    if not (value.is_floating_point() or value.is_complex()):
        raise ValueError(
            f"Expected {what} to be floating point or complex, but got: {value.dtype!r}"
        )


def with_auxiliary(value: Any, caller: str) -> tuple[Any, Any]:
    """The output of a function and what it gives beside it.

    Raises:
        RuntimeError: it did not give a pair.
    """
    if type(value) is not tuple or len(value) != 2:
        raise RuntimeError(
            f"{caller}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return value[0], value[1]


def check_outputs(outputs: Sequence[Any], caller: str) -> None:
    """Refuses outputs that are not tensors.

    Raises:
        RuntimeError: one is none, or there is none.
    """
    if not outputs or (len(outputs) == 1 and outputs[0] is None):
        raise RuntimeError(
            f"{caller}: Expected f to be a function that has non-empty output (got output = "
            f"{list(outputs)})"
        )
    for output in outputs:
        if not isinstance(output, Tensor):
            raise RuntimeError(
                f"{caller}: expected f(*primals) to return only tensors, got unsupported type "
                f"{type_of(output)}"
            )


def refuse_complex(caller: str, tree: Any, what: str) -> None:
    """Refuses complex tensors, whose Jacobians PyTorch does not compute either.

    Raises:
        RuntimeError: there is one.
    """
    for number, leaf in enumerate(flatten(tree)[0]):
        if isinstance(leaf, Tensor) and leaf.is_complex():
            raise RuntimeError(
                f"{caller}: Expected all {what} to be real but received complex tensor at "
                f"flattened input idx: {number}"
            )

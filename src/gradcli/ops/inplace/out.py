"""`out=`: results that are written to tensors that are there already."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

from gradcli.ops.inplace.derive import check_memory, store
from gradcli.ops.inplace.history import bump, check_change
from gradcli.ops.inplace.writing import resize
from gradcli.table.entry import name_in_messages
from gradcli.table.functions import Function
from gradcli.table.out import FREELY, NEVER, casting_of
from gradcli.tensor.graph import mode, operator_name
from gradcli.tensor.namedtuples import ReturnType, return_type
from gradcli.tensor.tensor import Tensor


def call(function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call with `out=`, which returns what was given there.

    Raises:
        TypeError: `out` is no tensor, or no tuple of as many as there are results.
        RuntimeError: a result does not fit in type, PyTorch forbids the change of a tensor, or a
            gradient would be lost.
    """
    out = kwargs.pop("out")
    if out is None:
        return function(*args, **kwargs)
    first = function.entries[0]
    title = name_in_messages(first.names[0])
    results = function(*args, **kwargs)
    several = isinstance(results, tuple)
    if several != isinstance(out, (tuple, list)) or not all(map(_is_tensor, _each(out))):
        function.explain(args, {**kwargs, "out": out}, False)
        wanted = "tuple of Tensors" if several else "Tensor"
        raise TypeError(f"{title}(): argument 'out' must be {wanted}, not {type(out).__name__}")
    made, targets = tuple(_each(results)), tuple(_each(out))
    _refuse_recording(title, made, targets)
    casting = casting_of(function.name, first)
    operands = [*_tensors(args), *_tensors(kwargs.values())]
    _refuse_moving(first.stem, [*operands, *targets])
    for target, result in zip(targets, made, strict=True):
        if casting == FREELY:
            result = result.to(target.dtype)
        elif casting == NEVER and target.dtype is not result.dtype:
            raise RuntimeError(
                f"Expected out tensor to have dtype {result.dtype.c_name}, but got "
                f"{target.dtype.c_name} instead"
            )
        check_change(target, False)
        if target._array.shape != result._array.shape:
            _resize(target, result)
        check_memory(target, operands)
        store(target, result)
        bump(target)
    if isinstance(results, ReturnType):
        return return_type(f"{type(results).__name__}_out", " ".join(results._fields))(targets)
    return out


def _is_tensor(value: Any) -> bool:
    return type(value) is Tensor


def _each(value: Any) -> Any:
    return value if isinstance(value, (tuple, list)) else (value,)


def _tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among arguments, also those in lists."""
    for value in values:
        if type(value) is Tensor:
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)


def _refuse_recording(title: str, results: tuple[Tensor, ...], targets: tuple[Tensor, ...]) -> None:
    """Refuses to write where a gradient is expected to flow."""
    nodes = [result._grad_fn for result in results if result._grad_fn is not None]
    if nodes:
        words = re.sub(r"(?<!^)(?=[A-Z])", "_", operator_name(nodes[0]).rstrip("0123456789"))
        title = words.lower()
    elif not (mode.enabled and any(target.requires_grad for target in targets)):
        return
    raise RuntimeError(
        f"{title}(): functions with out=... arguments don't support automatic differentiation, "
        "but one of the arguments requires grad."
    )


def _refuse_moving(name: str, tensors: list[Tensor]) -> None:
    """Refuses to write what moves in forward mode."""
    if mode.forward is not None and any(mode.forward.tangent(t) is not None for t in tensors):
        raise NotImplementedError(
            f"Trying to use forward AD with {name}_out that does not support it because it is an "
            "out= function"
        )


def _resize(target: Tensor, result: Tensor) -> None:
    """Gives a tensor the shape of what is written to it, with a word where it held elements."""
    shape = target._array.shape
    if target._array.size:
        warnings.warn(
            "An output with one or more elements was resized since it had shape "
            f"{list(shape)}, which does not match the required output shape "
            f"{list(result._array.shape)}. This behavior is deprecated, and in a future PyTorch "
            "release outputs will not be resized unless they have zero elements. You can "
            "explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
            "t.resize_(0).",
            stacklevel=4,
        )
    resize(target, result._array.shape)

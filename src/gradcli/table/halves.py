"""Half precision: float16 and bfloat16 compute in single precision, and are rounded once.

PyTorch's kernels read such operands into floats, work on these and round what they return. So do
rows: their forward functions never see half precision, and none of them has to know it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from gradcli.tensor.dtypes import HALVES, INEXACT, DType, float32
from gradcli.typing import Array

_ARRAYS: Final = (np.ndarray, np.generic)


def is_half(value: Any) -> bool:
    """Whether something is an array of half precision."""
    return isinstance(value, _ARRAYS) and value.dtype.char in HALVES


def in_single(forward: Callable[..., Any], args: Sequence[Any], half: np.dtype[Any]) -> Any:
    """What a forward function makes of operands, some of which have the type `half`.

    Results have that type too. An argument that asks for a type is obeyed: operands are brought to
    it first, and so are results.
    """
    asked = [arg for arg in args if type(arg) is DType]
    if asked:
        result = asked[-1].np
        if result.char in HALVES:
            args = [_changed(arg, lambda array: _rounded(array, result)) for arg in args]
            half = result
    else:
        result = half
    wide = [
        float32 if type(arg) is DType and arg.is_half else _changed(arg, _widened) for arg in args
    ]
    try:
        found = forward(*wide)
    except RuntimeError:
        if any(array.dtype != half for arg in args for array in _arrays(arg)):
            forward(*args)  # a refusal names the types that were given
        raise
    return _changed(found, lambda array: _rounded(array, half)) if result is half else found


def other_types(args: Sequence[Any], half: np.dtype[Any]) -> bool:
    """Whether some operands are of floating types other than `half`, which nobody asked for."""
    if any(type(arg) is DType for arg in args):
        return False
    types = [array.dtype for arg in args for array in _arrays(arg)]
    return any(dtype != half and dtype.kind in INEXACT for dtype in types)


def _arrays(value: Any) -> Iterator[Array]:
    if isinstance(value, _ARRAYS):
        yield value
    elif type(value) in (list, tuple):
        for item in value:
            yield from _arrays(item)


def _changed(value: Any, change: Callable[[Array], Array]) -> Any:
    """A value with its arrays changed, those in lists and tuples too."""
    if isinstance(value, _ARRAYS):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)(_changed(item, change) for item in value)
    return value


def _widened(array: Array) -> Array:
    return array.astype(np.float32) if array.dtype.char in HALVES else array


def _rounded(array: Array, half: np.dtype[Any]) -> Array:
    if array.dtype != np.float32:
        return array
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(half)

"""Functions of NumPy as programs call them: on numbers and guarded arrays, with giants refused.

What a program gives becomes numbers, arrays of numbers, element types and a few words; what NumPy
answers is wrapped again (see `gradcli.tensor.arrays`). So no function gets hold of anything that it
could call, open or make an object of.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np

from gradcli.language.allowed.builtins import present
from gradcli.tensor.arrays import ArrayType, Numbers, dtype_of, told, wrapped
from gradcli.tensor.classes import Class
from gradcli.tensor.clock import clock
from gradcli.tensor.memory import NUMBER_SIZE, reserve
from gradcli.tensor.nesting import check_unfolded
from gradcli.tensor.public import word_of
from gradcli.tensor.tensor import Tensor, wrap

_WORDS: Final = (
    "A C F K all constant coefs edge equiv fixed fro full higher ij ignore inner left legacy "
    "linear lower maxprec maxprec_equal mergesort midpoint minlength nearest no nuc quicksort "
    "raise raw reduced reflect right same safe same_kind stable symmetric unsafe unique unscaled "
    "valid warn wrap xy"
)
WORDS: Final = frozenset(_WORDS.split())
"""Words that options are set to, beside the names of element types."""

TEXTS: Final = frozenset(("err_msg", "prefix", "separator"))
"""Arguments that are any text."""

LENGTHS: Final = frozenset(("shape", "size", "num", "N", "M", "deg", "d", "n"))
"""Arguments that say how large an answer is."""

Sizes = Callable[[Sequence[Any], dict[str, Any]], int]


def given(value: Any) -> Any:
    """An argument as NumPy may have it.

    Raises:
        TypeError: it is or holds anything but numbers, arrays, types and known words.
    """
    if value is None or value is ... or type(value) in (bool, int, float, complex):
        return value
    if isinstance(value, Numbers):
        return value._array
    if isinstance(value, Tensor):
        return value.numpy()
    if isinstance(value, (list, tuple, range)):
        check_unfolded(value, "an array of nested lists")
        return _nested(value)
    if isinstance(value, (ArrayType, Class)):
        return dtype_of(value)
    if type(value) is str:
        return value if value in WORDS else dtype_of(value)
    raise TypeError(f"a {word_of(value)} is no array of numbers")


def _nested(value: Any) -> Any:
    if isinstance(value, (list, tuple, range)):
        items = [_nested(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if type(value) is str:
        raise TypeError("a str is no number")
    return given(value)


def _arrays(values: Sequence[Any]) -> Iterator[Any]:
    """The arrays among arguments, and those in lists of them."""
    for value in values:
        if isinstance(value, (np.ndarray, np.generic)):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _arrays(value)


def count(length: Any) -> int:
    """The elements of an array whose shape or length is given."""
    if isinstance(length, np.ndarray):
        length = length.tolist()
    if isinstance(length, (list, tuple)):
        return math.prod([count(item) for item in length])
    return abs(int(length)) if isinstance(length, (int, np.integer)) else 1


def together(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """The elements of an answer that is as large as the operands together, or broadcast."""
    arrays = [*_arrays(arguments), *_arrays([*named.values()])]
    total = sum(array.size for array in arrays)
    with suppress(ValueError):  # what stacks arrays that do not broadcast has room for all
        total = max(total, math.prod(np.broadcast_shapes(*(array.shape for array in arrays))))
    lengths: list[int] = [count(named[name]) for name in LENGTHS & named.keys()]
    return max([int(total), *lengths])


def by_shape(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of an answer whose shape comes first."""
    return max(together((), named), count(arguments[0]) if arguments else 0)


def by_lengths(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of an answer whose lengths are the arguments."""
    return max(together((), named), count(arguments))


def by_square(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of `eye` and its kind, which are square where there is one length."""
    return max(map(count, (*arguments, *named.values())), default=0) ** 2


def by_range(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of `arange`."""
    bounds = [float(value) for value in arguments[:3]]
    if len(bounds) == 1:
        bounds = [0.0, *bounds]
    low = named.get("start", bounds[0] if bounds else 0)
    high = named.get("stop", bounds[1] if len(bounds) > 1 else 0)
    step = named.get("step", bounds[2] if len(bounds) > 2 else 1) or 1
    count = (high - low) / step
    return int(max(0, count)) if math.isfinite(count) else 0


def by_number(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of `linspace` and its kind: how many is the third argument."""
    points = arguments[2] if len(arguments) > 2 else 50
    return max(together(arguments[:2], {}) * count(points), together((), named))


def by_product(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of an answer with one element for each pair."""
    sizes = [np.size(value) for value in (*arguments, *named.values()) if _is_array(value)]
    return math.prod(sizes)


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, list, tuple))


def by_bins(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of `bincount`: the largest number says how many."""
    numbers = np.asarray([*arguments, *named.values()][0])
    most = int(numbers.max()) + 1 if numbers.size and numbers.dtype.kind in "iub" else 0
    return max(most, *map(count, (0, *arguments[2:], named.get("minlength", 0))))


def by_transform(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of a Fourier transform, of which the second argument gives some lengths; twice as many
    where it makes real numbers of half a spectrum.
    """
    operands = [*arguments, *named.values()]
    shape = np.shape(operands[0]) if operands else ()
    lengths = arguments[1] if len(arguments) > 1 else named.get("n", named.get("s"))
    if lengths is None:
        return 2 * math.prod(shape)
    # Which axes they belong to is not looked up: the shortest leave the most of the others.
    others = sorted(shape)[np.size(lengths) :]
    return 2 * int(math.prod(others)) * count(lengths)


def by_repeats(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of `tile`, `repeat` and their kind: the second argument says how often."""
    times = arguments[1] if len(arguments) > 1 else [*named.values(), 1][0]
    often = np.asarray(times)
    if often.dtype.kind not in "iub":
        return 0
    most = math.prod(int(number) for number in often.ravel()[:64]) if often.size < 64 else 0
    return max(1, np.size(arguments[0]) if arguments else 1) * max(most, int(often.sum()), 1)


def by_matrix(arguments: Sequence[Any], named: dict[str, Any]) -> int:
    """Those of a product of matrices."""
    shapes = [np.shape(value) for value in (*arguments, *named.values()) if _is_array(value)]
    return math.prod(
        [
            math.prod(shape[:-1]) if place == 0 else math.prod(shape[:-2]) * shape[-1]
            for place, shape in enumerate(shapes[:2])
            if shape
        ]
    )


def answer(value: Any) -> Any:
    """What NumPy answered, as a value of the language."""
    if type(value) is str:
        return value
    if isinstance(value, list):
        return [wrapped(item) for item in value]
    return wrapped(tuple(value) if isinstance(value, tuple) else value)


def as_tensors(value: Any) -> Any:
    """What PyTorch makes of an answer where an operand was a tensor; booleans are bytes there."""
    if isinstance(value, tuple):
        return tuple(map(as_tensors, value))
    array = np.asarray(value._array)
    return wrap(array.astype(np.uint8) if array.dtype == bool else array)


def face(name: str, function: Callable[..., Any], size: Sizes = together) -> Callable[..., Any]:
    """A function of NumPy, for programs."""
    elementwise = isinstance(function, np.ufunc)

    def call(*arguments: Any, **named: Any) -> Any:
        values = [given(value) for value in arguments]
        options = {
            key: value if key in TEXTS and type(value) is str else given(value)
            for key, value in named.items()
        }
        reserve((size(values, options),), NUMBER_SIZE)
        clock.check()
        found = answer(told(function, *values, **options))
        if elementwise and any(isinstance(value, Tensor) for value in arguments):
            return as_tensors(found)
        return found

    present(call, name)
    return call

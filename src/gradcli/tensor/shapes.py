"""Shapes and their arithmetic: dimensions, strides, broadcasting, an open length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from gradcli.tensor.integers import index64
from gradcli.tensor.public import public, word_of


@public("count index numel", name="torch.Size")
class Size(tuple[int, ...]):
    """A shape; a tuple of ints that prints as `torch.Size([2, 3])`."""

    __slots__ = ()

    def __new__(cls, *values: Iterable[int], **named: Any) -> Self:
        if named:
            raise TypeError("tuple() takes no keyword arguments")
        if len(values) > 1:
            raise TypeError(f"tuple expected at most 1 argument, got {len(values)}")
        try:
            made = super().__new__(cls, *values)
        except TypeError as error:
            # Raised here, on purpose: Python's own words are those of PyTorch.
            raise error.with_traceback(None) from None
        for item in made:
            if type(item) is not int:
                return super().__new__(cls, [_length(*pair) for pair in enumerate(made)])
        return made

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    def numel(self) -> int:
        """How many elements a tensor of this shape has."""
        product = 1
        for length in self:
            product *= length
        return product

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice) and not hasattr(index, "__index__"):
            raise TypeError(f"tuple indices must be integers or slices, not {word_of(index)}")
        try:
            found = tuple.__getitem__(self, index)
        except IndexError as error:
            raise IndexError(str(error)) from None  # the program's own, as of any other tuple
        return Size(found) if isinstance(index, slice) else found

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {word_of(other)}) to torch.Size")
        return Size(tuple.__add__(self, other))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    def __rmul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))


def _length(position: int, item: Any) -> int:
    try:
        return index64(item)
    except TypeError:
        raise TypeError(
            f"torch.Size() takes an iterable of 'int' (item {position} is '{word_of(item)}')"
        ) from None


def wrap_dim(dim: int, ndim: int) -> int:
    """A dimension counted from the front; IndexError with PyTorch's message outside the range."""
    span = max(ndim, 1)
    if not isinstance(dim, int):
        raise TypeError(f"'{word_of(dim)}' object cannot be interpreted as an integer")
    if not -span <= dim < span:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-span}, {span - 1}], "
            f"but got {dim})"
        )
    return dim + span if dim < 0 else dim


def length_along(shape: Sequence[int], dim: int) -> int:
    """What a shape, or strides, say of a dimension, as `x.size(dim)`.

    Raises:
        IndexError: there is no such dimension.
    """
    if not shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return shape[wrap_dim(dim, len(shape))]


def wrap_dims(dims: Iterable[int], ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front, each at most once; errors are PyTorch's."""
    wrapped: list[int] = []
    for dim in dims:
        where = wrap_dim(dim, ndim)
        if where in wrapped:
            raise RuntimeError(f"dim {where} appears multiple times in the list of dims")
        wrapped.append(where)
    return tuple(wrapped)


def infer_shape(size: Sequence[int], count: int) -> tuple[int, ...]:
    """A shape with its -1 replaced so that it holds `count` elements."""
    known, unknown = 1, None
    for position, length in enumerate(size):
        if length == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = position
        elif length < 0:
            raise RuntimeError(
                f"invalid shape dimension {length} at index {position} of shape {list(size)}"
            )
        else:
            known *= length
    if unknown is None:
        if known != count:
            raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
        return tuple(size)
    if known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if known == 0 or count % known:
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
    return tuple(count // known if length == -1 else length for length in size)


def common_shape(shapes: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The shape that tensors broadcast to, taken in pairs from the left as PyTorch does."""
    found: tuple[int, ...] = ()
    for shape in shapes:
        ndim = max(len(found), len(shape))
        a = (1,) * (ndim - len(found)) + found
        b = (1,) * (ndim - len(shape)) + tuple(shape)
        for position in reversed(range(ndim)):
            if a[position] != b[position] and 1 not in (a[position], b[position]):
                raise RuntimeError(
                    f"The size of tensor a ({a[position]}) must match the size of tensor b "
                    f"({b[position]}) at non-singleton dimension {position}"
                )
        found = tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
    return found


def contiguous_strides(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """Strides in elements; those of a dimension of length one or of an empty array as PyTorch's."""
    if array.flags.c_contiguous:
        strides, step = [], 1
        for length in reversed(array.shape):
            strides.append(step)
            step *= max(length, 1)
        return tuple(reversed(strides))
    return tuple(stride // array.itemsize for stride in array.strides)


def is_dense(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array fills its memory without gaps, in whatever order of dimensions."""
    step = array.itemsize
    for stride, length in sorted(zip(array.strides, array.shape, strict=True)):
        if length > 1:
            if stride != step:
                return False
            step *= length
    return True


def coincides(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array is expanded, so that several of its elements lie at one place."""
    return bool(array.size) and any(
        step == 0 and length > 1 for step, length in zip(array.strides, array.shape, strict=True)
    )


def refuse_coinciding(array: np.ndarray[Any, Any]) -> None:
    """Refuses to write to an expanded array.

    Raises:
        RuntimeError: it is one.
    """
    if coincides(array):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )


def implicit_dim(ndim: int) -> int:
    """The dimension that PyTorch, with a warning, takes for softmax with `dim=None`."""
    return 0 if ndim in (0, 1, 3) else 1

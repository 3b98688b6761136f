"""Operators that give the same elements another shape or another order of dimensions.

Nearly all are views of their operand's memory. Slices are in `slicing`, what copies elements to
new places in `placement`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.table.declare import attribute, composite, row
from gradcli.table.entry import InPlace
from gradcli.table.row import ITSELF, Row
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import MemoryFormat, arranged_copy, check_rank, contiguous_format
from gradcli.tensor.memory import refuse_giant
from gradcli.tensor.shapes import infer_shape, wrap_dim, wrap_dims
from gradcli.tensor.tensor import Tensor, share
from gradcli.typing import Array, Value

clone_row: Row = row(
    "clone(Tensor self, *, memory_format? memory_format=None)",
    arranged_copy,
    linear="self",
    elementwise=True,
    self=lambda grad: grad,
    samples=lambda r: [(r(2, 3),)],
    doc="A copy that gradients flow through.",
)
copy_backwards: Row = row(
    "aten.copy(Tensor self)",
    lambda self: self.copy(order="K"),
    linear="self",
    elementwise=True,
    self=lambda grad: grad,
    node="torch::autograd::CopyBackwards",
    samples=lambda r: [(r(2, 3),)],
    doc="The copy by which a leaf takes its first gradient under create_graph.",
    pytorch="torch.empty_like(self).copy_(self)",
)


def clone(self: Any, copies: bool = False) -> Any:
    """A copy that gradients flow through; `copies` names its node CopyBackwards."""
    return copy_backwards(self) if copies else clone_row(self)


@composite("Tensor.contiguous", samples=lambda r: [(r(2, 3),)])
def contiguous(self: Value, *, memory_format: MemoryFormat | None = None) -> Any:
    """The tensor itself if its elements lie in row-major order, else a copy where they do."""
    array = self._array if type(self) is Tensor else np.asarray(self)
    wanted = memory_format or contiguous_format
    if wanted.order:
        check_rank(array, wanted)
        array = array.transpose(wanted.order)
    if array.flags.c_contiguous:
        return self
    return clone_row(self, wanted)


alias: Row = row(
    "aten.alias(Tensor self)",
    lambda self: self[...],
    view=True,
    linear="self",
    elementwise=True,
    self=lambda grad: grad,
    samples=lambda r: [(r(2, 3),)],
    doc="The tensor again, as a view of itself.",
)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a tensor, an array or a number, as a plain tuple."""
    return value._array.shape if type(value) is Tensor else getattr(value, "shape", ())


def _view(self: Array, size: Sequence[int]) -> Array:
    shape = infer_shape(size, self.size)
    try:
        return np.reshape(self, shape, copy=False)
    except ValueError as error:
        refuse_giant(error)
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        ) from None


def back_to(grad: Any, shape: Sequence[int]) -> Any:
    """A gradient in the shape that its operand had."""
    return reshape(grad, shape)


view: Row = row(
    "Tensor.view",
    _view,
    view=True,
    linear="self",
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 6), (3, 4)), (r(4), (2, -1)), (r(), (1,))],
    doc="The same elements in another shape, without a copy.",
)
reshape_alias: Row = row(
    "aten._reshape_alias",
    _view,
    view=True,
    linear="self",
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 6), (3, 4))],
    doc="The view by which reshape answers where elements do not lie in row-major order.",
    pytorch="aten._reshape_alias(self, size, torch.empty(size).stride())",
)
unsafe_view: Row = row(
    "aten._unsafe_view(Tensor self, int[] size)",
    lambda self, size: np.reshape(self, size),
    linear="self",
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 6), (3, 4))],
    doc="A view of a fresh copy, which nobody else can see.",
)


@composite(
    "Tensor.view",
    samples=lambda r: [
        (r(2, 3), dtypes.int64),
        (r.ints(2, high=9), dtypes.int16),
        (r.complex(2), dtypes.float64),
        (np.array([1, 2, 3, 4], np.int16), dtypes.int32),
        (r(2), dtypes.float64),
    ],
)
def view_dtype(self: Tensor, dtype: DType) -> Tensor:
    """The same memory read as another type."""
    array = self._array
    old, new = array.dtype.itemsize, dtype.itemsize
    pair = f"{dtypes.of(array).scalar_name} as {dtype.scalar_name} (different element sizes)"
    if old != new:
        if array.ndim == 0:
            raise RuntimeError(f"self.dim() cannot be 0 to view {pair}")
        if array.shape[-1] > 1 and array.strides[-1] != old:
            raise RuntimeError(
                f"self.stride(-1) must be 1 to view {pair}, but got {array.strides[-1] // old}"
            )
        if old < new and array.shape[-1] % (new // old):
            raise RuntimeError(
                f"self.size(-1) must be divisible by {new // old} to view {pair}, but got "
                f"{array.shape[-1]}"
            )
    return share(self, array.view(dtype.np), differentiable=False)


@composite("reshape", samples=lambda r: [(r(2, 6), (3, 4)), (r(4), (2, -1))])
def reshape(self: Value, shape: Sequence[int]) -> Any:
    """The same elements in another shape; a view where the memory allows it."""
    array = self._array if type(self) is Tensor else np.asarray(self)
    size = infer_shape(shape, array.size)
    if type(self) is not Tensor:
        return np.reshape(array, size)
    if array.flags.c_contiguous:
        return view(self, size)
    try:
        return reshape_alias(self, size)
    except RuntimeError:
        return unsafe_view(clone_row(self, contiguous_format), size)


@composite("Tensor.view_as", samples=lambda r: [(r(2, 6), r(3, 4))])
def view_as(self: Value, other: Value) -> Any:
    """A view in the shape of other."""
    return view(self, shape_of(other))


@composite("Tensor.reshape_as", samples=lambda r: [(r(2, 6), r(3, 4))])
def reshape_as(self: Value, other: Value) -> Any:
    """Reshaped to the shape of other."""
    return reshape(self, shape_of(other))


@composite("flatten", samples=lambda r: [(r(2, 3, 4), 1), (r(2, 3, 4), 0, 1), (r(),)])
def flatten(self: Value, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Consecutive dimensions made one."""
    shape = shape_of(self)
    start, end = wrap_dim(start_dim, len(shape)), wrap_dim(end_dim, len(shape))
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not shape:
        return reshape(self, (1,))
    if start == end:
        return self
    count = 1
    for length in shape[start : end + 1]:
        count *= length
    return reshape(self, (*shape[:start], count, *shape[end + 1 :]))


@composite("unflatten", samples=lambda r: [(r(2, 6), 1, (3, 2)), (r(6, 2), 0, (-1, 2))])
def unflatten(self: Value, dim: int, sizes: Sequence[int]) -> Any:
    """One dimension divided into several."""
    shape = shape_of(self)
    if not shape:
        raise RuntimeError(
            "unflatten got an unexpected error:\nDimension specified as 0 but tensor has no "
            "dimensions"
        )
    where = wrap_dim(dim, len(shape))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        inferred = infer_shape(sizes, shape[where])
    except RuntimeError as error:
        if str(error).startswith("shape '"):
            raise RuntimeError(
                f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim "
                f"{where} ({shape[where]}) in the input tensor"
            ) from None
        raise RuntimeError(f"unflatten got an unexpected error:\n{error}") from None
    return view(self, (*shape[:where], *inferred, *shape[where + 1 :]))


@composite("ravel", samples=lambda r: [(r(2, 3),)])
def ravel(self: Value) -> Any:
    """All elements in one dimension."""
    return view(contiguous(self), (-1,))


def _permutation(dims: Sequence[int], ndim: int) -> tuple[int, ...]:
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {ndim} is not equal "
            f"to len(dims) = {len(dims)}"
        )
    order = tuple(wrap_dim(dim, ndim) for dim in dims)
    if len(set(order)) != len(order):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return order


permute: Row = row(
    "permute(Tensor self, int[] dims)",
    lambda self, dims: self.transpose(_permutation(dims, self.ndim)),
    view=True,
    linear="self",
    self=lambda grad, dims: permute(grad, inverse_permutation(dims)),
    samples=lambda r: [(r(2, 3, 4), (2, 0, 1)), (r(2, 3), (-1, 0))],
    doc="The dimensions in another order.",
)


def inverse_permutation(dims: Sequence[int]) -> tuple[int, ...]:
    """The order that undoes `dims`."""
    wrapped = [wrap_dim(dim, len(dims)) for dim in dims]
    return tuple(wrapped.index(position) for position in range(len(dims)))


def _moved(self: Any, source: Any, destination: Any) -> Any:
    """Dimensions moved to other places; the others keep their order."""
    sources = source if isinstance(source, (tuple, list)) else (source,)
    targets = destination if isinstance(destination, (tuple, list)) else (destination,)
    if len(sources) != len(targets):
        raise RuntimeError(
            "movedim: Invalid source or destination dims: source "
            f"({list(sources)} dims) should contain the same number of dims as destination "
            f"({list(targets)} dims)"
        )
    ndim = len(shape_of(self))
    starts = [wrap_dim(dim, ndim) for dim in sources]
    ends = [wrap_dim(dim, ndim) for dim in targets]
    for dims, word, given in ((starts, "source", sources), (ends, "destination", targets)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{word}` ({list(given)})")
    if not ndim:
        return alias(self)
    order = [-1] * ndim
    for start, end in zip(starts, ends, strict=True):
        order[end] = start
    rest = iter(dim for dim in range(ndim) if dim not in starts)
    return permute(self, tuple(next(rest) if dim < 0 else dim for dim in order))


@composite("movedim|moveaxis", samples=lambda r: [(r(2, 3, 4), 0, -1)])
def movedim(self: Value, source: int, destination: int) -> Any:
    """One dimension moved to another place."""
    return _moved(self, source, destination)


@composite("movedim|moveaxis", samples=lambda r: [(r(2, 3, 4), (0, 1), (2, 0))])
def movedims(self: Value, source: Sequence[int], destination: Sequence[int]) -> Any:
    """Dimensions moved to other places."""
    return _moved(self, source, destination)


def _transpose(self: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions swapped."""
    if self.ndim == 0:
        wrap_dim(dim0, 0), wrap_dim(dim1, 0)
        return self[...]
    return self.swapaxes(wrap_dim(dim0, self.ndim), wrap_dim(dim1, self.ndim))


transpose: Row = row(
    "transpose",
    _transpose,
    view=True,
    linear="self",
    self=ITSELF,
    samples=lambda r: [(r(2, 3, 4), 0, 2), (r(2, 3), -1, 0)],
    inplace=InPlace(node="TransposeBackward1", rearranges=True),
)


@composite("swapaxes", samples=lambda r: [(r(2, 3), 0, 1)], inplace=InPlace(rearranges=True))
def swapaxes(self: Value, axis0: int, axis1: int) -> Any:
    """Two dimensions swapped."""
    return transpose(self, axis0, axis1)


@composite("swapdims", samples=lambda r: [(r(2, 3), 0, 1)], inplace=InPlace(rearranges=True))
def swapdims(self: Value, dim0: int, dim1: int) -> Any:
    """Two dimensions swapped."""
    return transpose(self, dim0, dim1)


def _t(self: Array) -> Array:
    """The transpose of a matrix."""
    if self.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {self.ndim}D")
    return self.transpose()


t: Row = row(
    "t",
    _t,
    view=True,
    linear="self",
    self=ITSELF,
    samples=lambda r: [(r(2, 3),), (r(2),)],
    inplace=InPlace(node="TBackward1", rearranges=True),
)


def matrix_transposed(self: Any, word: str) -> Any:
    """The last two dimensions swapped; `word` names the operation in messages."""
    ndim = len(shape_of(self))
    if ndim == 1:
        raise RuntimeError(
            f"{word} is only supported on matrices or batches of matrices. Got 1-D tensor."
        )
    return transpose(self, -2, -1) if ndim else self


@attribute("Tensor.T", samples=lambda r: [(r(2, 3),)])
def reversed_dims(self: Value) -> Any:
    """The dimensions in reverse order."""
    return permute(self, tuple(reversed(range(len(shape_of(self))))))


@attribute("Tensor.mT", samples=lambda r: [(r(2, 3, 4),)])
def matrix_transpose(self: Value) -> Any:
    """The last two dimensions swapped."""
    return matrix_transposed(self, "tensor.mT")


def _unsqueeze(self: Array, dim: int) -> Array:
    """A new dimension of length one."""
    where = wrap_dim(dim, self.ndim + 1)
    return self.reshape((*self.shape[:where], 1, *self.shape[where:]), copy=False)


unsqueeze: Row = row(
    "unsqueeze",
    _unsqueeze,
    view=True,
    linear="self",
    self=lambda grad, dim: squeeze_dim(grad, dim),
    samples=lambda r: [(r(2, 3), 1), (r(), 0), (r(2), -1)],
    inplace=InPlace(node="UnsqueezeBackward1", rearranges=True),
)


def unsqueeze_to(grad: Any, shape: Sequence[int], dims: Sequence[int]) -> Any:
    """Puts back those of the dimensions `dims` that have length one in `shape`."""
    for where in sorted(wrap_dim(dim, len(shape)) for dim in dims):
        if shape and shape[where] == 1:
            grad = unsqueeze(grad, where)
    return grad


squeeze_all: Row = row(
    "squeeze(Tensor self)",
    lambda self: np.reshape(self, tuple(n for n in self.shape if n != 1), copy=False),
    view=True,
    linear="self",
    self=lambda grad, self_shape: unsqueeze_to(grad, self_shape, range(len(self_shape))),
    samples=lambda r: [(r(2, 1, 3),), (r(1, 1),)],
    doc="Without the dimensions of length one.",
    inplace=InPlace(node="SqueezeBackward3", rearranges=True),
)


def _squeeze(self: Array, dim: Sequence[int]) -> Array:
    """Without those of some dimensions that have length one."""
    where = wrap_dims(dim, self.ndim)
    shape = tuple(n for k, n in enumerate(self.shape) if n != 1 or k not in where)
    return np.reshape(self, shape, copy=False)


squeeze_dim: Row = row(
    "squeeze(Tensor self, int dim)",
    lambda self, dim: _squeeze(self, (dim,)),
    view=True,
    node="SqueezeBackward1",
    linear="self",
    self=lambda grad, self_shape, dim: unsqueeze_to(grad, self_shape, (dim,)),
    samples=lambda r: [(r(2, 1, 3), 1), (r(2, 3), 0)],
    doc="Without one dimension, if its length is one.",
    inplace=InPlace(node="SqueezeBackward4", rearranges=True),
)
squeeze_in_place: Row = row(
    "aten.squeeze_in_place(Tensor self, int dim)",
    lambda self, dim: _squeeze(self, (dim,)),
    view=True,
    node="SqueezeBackward4",
    linear="self",
    self=lambda grad, self_shape, dim: unsqueeze_to(grad, self_shape, (dim,)),
    samples=lambda r: [(r(2, 1, 3), 1)],
    doc="Without one dimension, under the name that squeeze_ gives its node.",
    pytorch="self.clone().squeeze_(dim)",
)
squeeze_dims: Row = row(
    "squeeze",
    _squeeze,
    view=True,
    node="SqueezeBackward2",
    linear="self",
    self=lambda grad, self_shape, dim: unsqueeze_to(grad, self_shape, dim),
    samples=lambda r: [(r(2, 1, 3, 1), (1, -1)), (r(2, 1), (0,)), (r(2, 1), ())],
    inplace=InPlace(node="SqueezeBackward5", rearranges=True),
)

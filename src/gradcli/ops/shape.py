"""Operators that rearrange elements; those that can are views of their operand's memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.table import Row, composite, row
from gradcli.tensor.tensor import Tensor, wrap_dim

Array = Any

clone_row: Row = row(
    "aten.clone(Tensor self)",
    lambda self: self.copy(order="K"),
    self=lambda grad: grad,
    samples=lambda r: [(r(2, 3),)],
    doc="A copy that gradients flow through.",
)
copy_backwards: Row = row(
    "aten.copy(Tensor self)",
    lambda self: self.copy(order="K"),
    self=lambda grad: grad,
    node="CopyBackwards",
    samples=lambda r: [(r(2, 3),)],
    doc="The copy by which a leaf takes its first gradient under create_graph.",
)


def clone(self: Any, copies: bool = False) -> Any:
    """A copy that gradients flow through; ``copies`` names its node CopyBackwards."""
    return copy_backwards(self) if copies else clone_row(self)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a tensor, an array or a number, as a plain tuple."""
    return value._array.shape if type(value) is Tensor else getattr(value, "shape", ())


def infer_shape(size: Sequence[int], count: int) -> tuple[int, ...]:
    """A shape with its -1 replaced so that it holds ``count`` elements."""
    known, unknown = 1, None
    for position, length in enumerate(size):
        if length == -1:
            if unknown is not None:
                raise RuntimeError("only one dimension can be inferred")
            unknown = position
        elif length < 0:
            raise RuntimeError(f"invalid shape dimension {length}")
        else:
            known *= length
    if unknown is not None and known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(size)} because the unspecified "
            "dimension size -1 can be any value and is ambiguous"
        )
    if (unknown is None and known != count) or (
        unknown is not None and (known == 0 or count % known)
    ):
        raise RuntimeError(f"shape '{list(size)}' is invalid for input of size {count}")
    return tuple(count // known if length == -1 else length for length in size)


def _view(self: Array, size: Sequence[int]) -> Array:
    shape = infer_shape(size, self.size)
    try:
        return np.reshape(self, shape, copy=False)
    except ValueError:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        ) from None


def back_to(grad: Any, shape: Sequence[int]) -> Any:
    """A gradient in the shape that its operand had."""
    return reshape(grad, shape)


view: Row = row(
    "Tensor.view(Tensor self, int[] size)",
    _view,
    view=True,
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 6), (3, 4)), (r(4), (2, -1)), (r(), (1,))],
    doc="The same elements in another shape, without a copy.",
)
unsafe_view: Row = row(
    "aten._unsafe_view(Tensor self, int[] size)",
    lambda self, size: np.reshape(self, size),
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 6), (3, 4))],
    doc="A view of a fresh copy, which nobody else can see.",
)


@composite(
    "reshape(Tensor self, int[] shape)",
    samples=lambda r: [(r(2, 6), (3, 4)), (r(4), (2, -1))],
    doc="The same elements in another shape; a view where the memory allows it.",
)
def reshape(self: Any, shape: Sequence[int]) -> Any:
    array = self._array if type(self) is Tensor else np.asarray(self)
    size = infer_shape(shape, array.size)
    if type(self) is not Tensor:
        return np.reshape(array, size)
    try:
        np.reshape(array, size, copy=False)
    except ValueError:
        return unsafe_view(clone_row(self), size)
    return view(self, size)


def _expand(self: Array, size: Sequence[int]) -> Array:
    lead = len(size) - self.ndim
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.{'FloatTensor'}{{{list(self.shape)}}}, size={list(size)}): the number "
            f"of sizes provided ({len(size)}) must be greater or equal to the number of dimensions "
            f"in the tensor ({self.ndim})"
        )
    shape = list(size)
    for position, length in enumerate(size):
        own = self.shape[position - lead] if position >= lead else 1
        if length == -1 and position >= lead:
            shape[position] = own
        elif own not in (1, length):
            raise RuntimeError(
                f"The expanded size of the tensor ({length}) must match the existing size ({own}) "
                f"at non-singleton dimension {position}.  Target sizes: {list(size)}.  Tensor "
                f"sizes: {list(self.shape)}"
            )
    return np.broadcast_to(self, shape)


expand: Row = row(
    "Tensor.expand(Tensor self, int[] size, *, bool implicit=False)",
    lambda self, size, implicit=False: _expand(self, size),
    view=True,
    self=lambda grad: grad,
    samples=lambda r: [(r(3, 1), (2, 3, 4)), (r(), (2,)), (r(3, 1), (-1, 4))],
    doc="Repeats dimensions of length one without a copy.",
)


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
    self=lambda grad, dims: permute(grad, inverse_permutation(dims)),
    samples=lambda r: [(r(2, 3, 4), (2, 0, 1)), (r(2, 3), (-1, 0))],
    doc="The dimensions in another order.",
)


def inverse_permutation(dims: Sequence[int]) -> tuple[int, ...]:
    """The order that undoes ``dims``."""
    wrapped = [wrap_dim(dim, len(dims)) for dim in dims]
    return tuple(wrapped.index(position) for position in range(len(dims)))


def _transpose(self: Array, dim0: int, dim1: int) -> Array:
    if self.ndim == 0:
        wrap_dim(dim0, 0), wrap_dim(dim1, 0)
        return self[...]
    return self.swapaxes(wrap_dim(dim0, self.ndim), wrap_dim(dim1, self.ndim))


transpose: Row = row(
    "transpose|swapaxes|swapdims(Tensor self, int dim0, int dim1)",
    _transpose,
    view=True,
    self=lambda grad, dim0, dim1: transpose(grad, dim0, dim1),
    samples=lambda r: [(r(2, 3, 4), 0, 2), (r(2, 3), -1, 0)],
    doc="Two dimensions swapped.",
)


def _t(self: Array) -> Array:
    if self.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {self.ndim}D")
    return self.transpose()


t: Row = row(
    "t(Tensor self)",
    _t,
    view=True,
    self=lambda grad: t(grad),
    samples=lambda r: [(r(2, 3),), (r(2),)],
    doc="The transpose of a matrix.",
)


def _unsqueeze(self: Array, dim: int) -> Array:
    return np.expand_dims(self, wrap_dim(dim, self.ndim + 1))


unsqueeze: Row = row(
    "unsqueeze(Tensor self, int dim)",
    _unsqueeze,
    view=True,
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 3), 1), (r(), 0), (r(2), -1)],
    doc="A new dimension of length one.",
)
squeeze_all: Row = row(
    "squeeze(Tensor self)",
    lambda self: np.reshape(self, tuple(n for n in self.shape if n != 1), copy=False),
    view=True,
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 1, 3),), (r(1, 1),)],
    doc="Without the dimensions of length one.",
)


def _squeeze_dim(self: Array, dim: int) -> Array:
    where = wrap_dim(dim, self.ndim)
    if self.ndim == 0 or self.shape[where] != 1:
        return self[...]
    return np.squeeze(self, where)


squeeze_dim: Row = row(
    "squeeze(Tensor self, int dim)",
    _squeeze_dim,
    view=True,
    node="SqueezeBackward1",
    self=lambda grad, self_shape: back_to(grad, self_shape),
    samples=lambda r: [(r(2, 1, 3), 1), (r(2, 3), 0)],
    doc="Without one dimension, if its length is one.",
)


def slices_along(ndim: int, dim: int, part: slice | int) -> tuple[Any, ...]:
    """An index that takes ``part`` of one dimension."""
    return (slice(None),) * dim + (part, Ellipsis)[: 2 if dim < ndim else 1]


# --- joining


def _stack(tensors: Sequence[Array], dim: int = 0) -> Array:
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    first = tensors[0].shape
    for position, tensor in enumerate(tensors):
        if tensor.shape != first:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(first)} at entry 0 and "
                f"{list(tensor.shape)} at entry {position}"
            )
    return np.stack(tensors, wrap_dim(dim, len(first) + 1))


def _unstack(grad: Any, tensors_shapes: Sequence[Any], dim: int) -> list[Any]:
    where = wrap_dim(dim, len(shape_of(grad)))
    return [select(grad, where, position) for position in range(len(tensors_shapes))]


stack: Row = row(
    "stack(Tensor[] tensors, int dim=0)",
    _stack,
    tensors=lambda grad, tensors_shape, dim: _unstack(grad, tensors_shape, dim),
    samples=lambda r: [([r(2, 3), r(2, 3)], 1), ([r(), r()],)],
    doc="Tensors of equal shape along a new dimension.",
)


def _select(self: Array, dim: int, index: int) -> Array:
    if self.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    where = wrap_dim(dim, self.ndim)
    length = self.shape[where]
    if not -length <= index < length:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(self.shape)} at "
            f"dimension {where}"
        )
    return self[(slice(None),) * where + (index, Ellipsis)]


def _select_backward(grad: Array, input_sizes: Sequence[int], dim: int, index: int) -> Array:
    full = np.zeros(input_sizes, grad.dtype)
    full[(slice(None),) * wrap_dim(dim, len(input_sizes)) + (index,)] = grad
    return full


select_backward: Row = row(
    "aten.select_backward(Tensor grad_output, int[] input_sizes, int dim, int index)",
    _select_backward,
    grad_output=lambda grad, dim, index: select(grad, dim, index),
    samples=lambda r: [(r(3), (2, 3), 0, 1)],
    doc="A gradient of one slice as one of the whole.",
)
select: Row = row(
    "select(Tensor self, int dim, int index)",
    _select,
    view=True,
    self=lambda grad, self_shape, dim, index: select_backward(grad, self_shape, dim, index),
    samples=lambda r: [(r(2, 3), 1, -1), (r(3), 0, 1)],
    doc="One slice, without its dimension.",
)

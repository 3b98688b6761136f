"""Operators that reduce dimensions to one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.kernels import summing
from gradcli.ops.algebra.comparison import eq, isnan, logical_not
from gradcli.ops.algebra.scalars import div_scalar
from gradcli.ops.algebra.views import reshape, shape_of, unsqueeze
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.dtypes import DType
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import common_shape, wrap_dim, wrap_dims
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Single, Value, VarTensors


def axes(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions that `dim` (None or empty: all) means, counted from the front."""
    if dim is None or (isinstance(dim, (tuple, list)) and not dim):
        return tuple(range(ndim))
    wrapped = wrap_dims(dim if isinstance(dim, (tuple, list)) else (dim,), ndim)
    return wrapped if ndim else ()


def sum_type(self: Array, dtype: DType | None) -> Any:
    """The type of sums and products: those of integers and booleans are int64."""
    if dtype is not None:
        return dtype.np
    return np.dtype(np.int64) if self.dtype.kind in "iub" else self.dtype


def unreduce(grad: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """A gradient of a reduction, spread over the shape that was reduced."""
    return expand(restore(grad, shape, dim, keepdim), shape)


def restore(value: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """The result of a reduction with its reduced dimensions put back, of length one.

    One number, the result of a reduction of all dimensions, broadcasts as it is.
    """
    if keepdim or not shape or dim is None or dim == ():
        return value
    for where in sorted(axes(dim, len(shape))):
        value = unsqueeze(value, where)
    return value


def _sum(
    self: Array, dim: Single | None, keepdim: bool = False, *, dtype: DType | None = None
) -> Array:
    """The sum along dimensions."""
    kind = sum_type(self, dtype)
    return add_up(self, axes(dim, self.ndim), keepdim, kind)


def add_up(self: Array, where: tuple[int, ...], keepdim: bool, kind: Any) -> Array:
    """Sums along axes."""
    if (
        self.dtype.char == "f"
        and kind == self.dtype
        and len(where) == self.ndim
        and 0 < self.size <= summing.LONGEST
        and self.flags.c_contiguous
    ):
        found: Array = summing.total(self.reshape(-1))
        return np.full((1,) * self.ndim, found) if keepdim else found
    total = np.sum(self, axis=where, keepdims=keepdim, dtype=kind)
    # NumPy keeps the memory order of the operand, PyTorch does not.
    return np.asarray(total, order="C") if total.ndim > 1 else total


def _expand(self: Array, size: Sequence[int]) -> Array:
    lead = len(size) - self.ndim
    if lead < 0:
        word = dtypes.type_word(dtypes.of(self))
        raise RuntimeError(
            f"expand({word}{{{list(self.shape)}}}, size={list(size)}): the "
            f"number of sizes provided ({len(size)}) must be greater or equal to the number of "
            f"dimensions in the tensor ({self.ndim})"
        )
    shape = list(size)
    for position in reversed(range(len(size))):
        length = size[position]
        own = self.shape[position - lead] if position >= lead else 1
        if length == -1 and self.ndim:
            if position < lead:
                raise RuntimeError(
                    "The expanded size of the tensor (-1) isn't allowed in a leading, "
                    f"non-existing dimension {position}"
                )
            shape[position] = own
        elif own not in (1, length):
            raise RuntimeError(
                f"The expanded size of the tensor ({length}) must match the existing size ({own}) "
                f"at non-singleton dimension {position}.  Target sizes: {list(size)}.  Tensor "
                f"sizes: {list(self.shape)}"
            )
    if any(length < 0 for length in shape):
        raise RuntimeError("numel: integer multiplication overflow")
    return np.broadcast_to(self, shape)


def _unexpand(grad: Any, shape: Sequence[int]) -> Any:
    """The engine adds up what was repeated; PyTorch also sums where there was nothing to repeat."""
    if shape:
        return grad
    return sum_all(grad)


expand: Row = row(
    "Tensor.expand(Tensor self, int[] size, *, bool implicit=False)",
    lambda self, size, implicit=False: _expand(self, size),
    view=True,
    linear="self",
    self=lambda grad, self_shape: _unexpand(grad, self_shape),
    samples=lambda r: [(r(3, 1), (2, 3, 4)), (r(), (2,)), (r(3, 1), (-1, 4)), (r(), ())],
    doc="Repeats dimensions of length one without a copy.",
)


@composite("Tensor.expand_as", samples=lambda r: [(r(3, 1), r(2, 3, 4))])
def expand_as(self: Value, other: Value) -> Any:
    """Expanded to the shape of other."""
    return expand(self, shape_of(other))


@composite("broadcast_to", samples=lambda r: [(r(3, 1), (2, 3, 4))])
def broadcast_to(self: Value, size: Sequence[int]) -> Any:
    """Expanded to a shape."""
    return expand(self, size)


@composite("broadcast_tensors", samples=lambda r: [([r(3, 1), r(4)],)])
def broadcast_tensors(tensors: VarTensors = ()) -> tuple[Any, ...]:
    """The tensors expanded to their common shape."""
    shape = common_shape([shape_of(tensor) for tensor in tensors])
    return tuple(
        tensor if shape_of(tensor) == shape else expand(tensor, shape) for tensor in tensors
    )


sum_all: Row = row(
    "sum(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: _sum(self, None, dtype=dtype),
    linear="self",
    self=lambda grad, self_shape: expand(grad, self_shape),
    samples=lambda r: [(r(3, 4),), (r(),), (r(0, 2),)],
    doc="The sum of all elements.",
)
sum_dim: Row = row(
    "sum",
    _sum,
    node="SumBackward1",
    linear="self",
    self=lambda grad, self_shape, dim, keepdim: unreduce(grad, self_shape, dim, keepdim),
    samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, -1), True), (r(), (0,))],
)


def sum_to(value: Any, shape: tuple[int, ...]) -> Any:
    """Sums the dimensions along which `shape` was broadcast."""
    found = shape_of(value)
    if not shape:
        return sum_all(value)
    lead = len(found) - len(shape)
    dims = list(range(lead))
    dims += [lead + k for k, n in enumerate(shape) if n == 1 and found[lead + k] != 1]
    if type(value) is not Tensor:
        return np.sum(value, axis=tuple(dims), keepdims=True).reshape(shape)
    summed = sum_dim(value, tuple(dims), True) if dims else value
    return reshape(summed, shape) if lead else summed


def _nansum(
    self: Array, dim: Single | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Array:
    """The sum of the elements that are not nan."""
    where = axes(dim, self.ndim)
    if self.dtype.kind == "c":
        raise RuntimeError("nansum on CPU does not support complex inputs")
    kind = sum_type(self, dtype)
    require_kinds(kind, "fiub", "nansum_cpu")
    return np.nansum(self, axis=where, keepdims=keepdim, dtype=kind)


nansum: Row = row(
    "nansum",
    _nansum,
    linear="self",
    self=lambda grad, self, self_shape, dim, keepdim: (
        unreduce(grad, self_shape, dim, keepdim) * logical_not(isnan(self))
    ),
    samples=lambda r: [(r(3, 4), (0,)), (r(3),)],
)


def _mean_type(self: Array, dtype: DType | None, name: str = "mean") -> Any:
    kind = dtypes.of(self) if dtype is None else dtype
    if kind.category < dtypes.FLOATING:
        which = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"{name}(): could not infer output dtype. {which} dtype must be either a floating "
            f"point or complex dtype. Got: {kind.scalar_name}"
        )
    return kind.np


def _mean(
    self: Array, dim: Single | None, keepdim: bool = False, *, dtype: DType | None = None
) -> Array:
    """The mean along dimensions."""
    kind = _mean_type(self, dtype)
    where = axes(dim, self.ndim)
    total = add_up(self, where, keepdim, kind)
    return np.true_divide(total, count_of(self.shape, dim)).astype(kind)


def count_of(shape: Sequence[int], dim: Any) -> int:
    """How many elements a reduction combines into one."""
    count = 1
    for where in axes(dim, len(shape)):
        count *= shape[where]
    return count


mean_all: Row = row(
    "mean(Tensor self, *, dtype? dtype=None)",
    lambda self, dtype=None: _mean(self, None, dtype=dtype),
    linear="self",
    self=lambda grad, self_shape: div_scalar(expand(grad, self_shape), count_of(self_shape, None)),
    samples=lambda r: [(r(3, 4),), (r(),)],
    doc="The mean of all elements.",
)
mean_dim: Row = row(
    "mean",
    _mean,
    node="MeanBackward1",
    linear="self",
    self=lambda grad, self_shape, dim, keepdim: mean_backward(grad, self_shape, dim, keepdim),
    samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, -1), True)],
)


def mean_backward(grad: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """The gradient of a mean, spread over what was averaged."""
    return div_scalar(unreduce(grad, shape, dim, keepdim), count_of(shape, dim))


@composite("nanmean", samples=lambda r: [(r(3, 4), (0,)), (r(3),)])
def nanmean(
    self: Value, dim: Single | None = None, keepdim: bool = False, *, dtype: DType | None = None
) -> Any:
    """The mean of the elements that are not nan."""
    if self.dtype.category < dtypes.FLOATING:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got "
            f"{self.dtype.scalar_name}"
        )
    if dtype is not None:
        _mean_type(self._array, dtype, "nanmean")
    kept = sum_dim(logical_not(isnan(self.detach())), dim, keepdim)
    return nansum(self, dim, keepdim, dtype) / kept


def _truth(function: Any) -> Any:
    def forward(self: Array, dim: Any = None, keepdim: bool = False) -> Array:
        # Unlike other reductions, one along no dimensions leaves every element for itself.
        where = () if dim == () else axes(dim, self.ndim)
        found = np.asarray(function(self, axis=where, keepdims=keepdim))
        return found.astype(np.uint8) if self.dtype == np.uint8 else found

    return forward


for _name, _function, _doc in (
    ("all", np.all, "Whether all elements are non-zero."),
    ("any", np.any, "Whether any element is non-zero."),
):
    row(
        f"{_name}(Tensor self)",
        _truth(_function),
        samples=lambda r: [(r.mask(2, 3),), (np.ones(2),), (np.zeros((2, 0)),), (r(),)],
        doc=_doc,
    )
    row(
        f"{_name}(Tensor self, int[1]? dim, bool keepdim=False)",
        _truth(_function),
        samples=lambda r: [
            (r.mask(2, 3), 1),
            (r.ints(2, 3, high=2), (0,), True),
            (r.mask(2, 2, 3), (0, 2)),
            (np.array([1, 0], np.uint8), -1),
            (r.mask(2, 3), None),
            (np.zeros((2, 0)), 0),
        ],
        doc=_doc,
    )


def reduced_view(value: Any, shape: tuple[int, ...], dim: Any, keepdim: bool) -> Any:
    """The result of a reduction, viewed with the reduced dimensions of length one."""
    if keepdim:
        return value
    if not shape and dim is not None and dim != ():
        return reshape(value, (1,))
    where = axes(dim, len(shape))
    return reshape(value, tuple(1 if k in where else n for k, n in enumerate(shape)))


def shared_evenly(
    grad: Any, self: Any, result: Any, shape: tuple[int, ...], dim: Any, keepdim: bool
) -> Any:
    """The gradient of an extreme, divided by the number of elements that attain it."""
    winners = eq(reduced_view(result, shape, dim, keepdim), self)
    count = sum_dim(winners, () if dim is None else dim, True)
    return reduced_view(grad, shape, dim, keepdim) / count * winners


def refuse_empty_dims(self: Array, dim: Any, name: str) -> None:
    """Extremes have no identity: they need at least one element."""
    if self.size:
        return
    if dim is None or dim == ():
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )
    for where in dim:
        if self.shape[wrap_dim(where, self.ndim)] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {where} to have non-zero size.")


def _amax(name: str, kernel: str, function: Any, doc: str) -> Row:
    def forward(self: Array, dim: Single | None = (), keepdim: bool = False) -> Array:
        refuse_empty_dims(self, dim, name)
        where = axes(dim, self.ndim)
        require_kinds(self.dtype, "fiub", kernel)
        return function(self, axis=where, keepdims=keepdim)

    return row(
        name,
        forward,
        self=lambda grad, self, self_shape, result, dim, keepdim: shared_evenly(
            grad, self, result, self_shape, dim, keepdim
        ),
        kink="elements that tie for the extreme share the gradient evenly",
        samples=lambda r: [(r(3, 4), (0,)), (r(2, 3, 4), (0, 2), True), (r(3),), (r(),)],
        doc=doc,
    )


amax = _amax("amax", "max_values_cpu", np.amax, "The largest elements along dimensions.")
amin = _amax("amin", "min_values_cpu", np.amin, "The smallest elements along dimensions.")

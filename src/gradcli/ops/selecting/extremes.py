"""The largest and smallest elements, and where they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import added, maximum, minimum
from gradcli.ops.algebra.comparison import eq, filled_with, isnan, zeros_like
from gradcli.ops.algebra.gathering import scatter_src
from gradcli.ops.algebra.parts import blank
from gradcli.ops.algebra.sums import axes, shared_evenly, sum_all
from gradcli.ops.algebra.views import unsqueeze
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import binary, kinked
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.namedtuples import return_type
from gradcli.tensor.shapes import wrap_dim
from gradcli.typing import Array, Value


def selected(grad: Any, dim: int, indices: Any, sizes: Sequence[int], keepdim: bool) -> Any:
    """A gradient of selected values as one of what they were selected from."""
    if sizes and not keepdim:
        where = wrap_dim(dim, len(sizes))
        grad, indices = unsqueeze(grad, where), unsqueeze(indices, where)
    return scatter_src(blank(sizes, grad), dim, indices, grad)


def evenly(grad: Any, self: Any, result: Any) -> Any:
    """A gradient of one value, shared by all elements that equal it."""
    lost = bool(isnan(result))
    tied = isnan(self) if lost else eq(self, result)
    return filled_with(zeros_like(self), tied, grad / sum_all(tied))


def _nonempty(self: Array, name: str, dim: int) -> int:
    where = wrap_dim(dim, self.ndim)
    if self.ndim and self.shape[where] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {where} to have non-zero size.")
    return where


def _chosen(self: Array, indices: Array, where: int, keepdim: bool) -> tuple[Array, Array]:
    """Values and places of one element per slice."""
    if not self.ndim:
        return self.copy(), np.zeros((), np.int64)
    kept = np.expand_dims(indices, where)
    values = np.take_along_axis(self, kept, where)
    return (values, kept) if keepdim else (np.squeeze(values, where), indices)


def _extreme_all(name: str, function: Any, doc: str) -> None:
    def forward(self: Array) -> Array:
        if self.size == 0:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
                "Specify the reduction dim with the 'dim' argument."
            )
        require_kinds(self.dtype, "fiub", f"{name}_all")
        return np.asarray(function(self))

    row(
        name,
        forward,
        node=f"{name.title()}Backward1",
        self=evenly,
        kink="elements that tie for the extreme share the gradient evenly",
        samples=lambda r: [
            (r(3, 4),),
            (r(),),
            (np.array([1.0, 3.0, 3.0]),),
            (r.ints(3, high=9),),
            (kinked([1.0, math.nan]),),
        ],
        doc=doc,
    )


def _extreme_dim(name: str, find: Any, doc: str) -> None:
    def forward(self: Array, dim: int, keepdim: bool = False) -> tuple[Array, Array]:
        where = _nonempty(self, name, dim)
        if self.dtype.kind == "c":
            raise RuntimeError(f"{name}(): does not support complex input")
        return _chosen(self, find(self, axis=where) if self.ndim else None, where, keepdim)

    made = row(
        f"aten.{name}_dim",
        forward,
        node=f"{name.title()}Backward0",
        self=lambda grad, self_shape, result1, dim, keepdim: selected(
            grad, dim, result1, self_shape, keepdim
        ),
        kink="of elements that tie the first has the gradient",
        samples=lambda r: [(r(3, 4), 1), (r(3, 4), 0, True)],
        doc=doc,
        pytorch=f"torch.{name}",
    )

    def body(self: Value, dim: int, keepdim: bool = False) -> Any:
        return return_type(name, "values indices")(made(self, dim, keepdim))

    composite(
        name,
        samples=lambda r: [
            (r(3, 4), 1),
            (r(3, 4), 0, True),
            (r.ints(3, 4, high=3), -1),
            (r(), 0),
            (kinked([[1.0, math.nan, math.nan], [2.0, 2.0, 1.0]]), 1),
        ],
        doc=doc,
    )(body)


def _extreme_two(name: str, pairwise: Row, doc: str) -> None:
    composite(f"{name}(Tensor self, Tensor other)", samples=binary(), doc=doc)(
        lambda self, other: pairwise(self, other)
    )


_extreme_all("max", np.max, "The largest element.")
_extreme_all("min", np.min, "The smallest element.")
_extreme_dim("max", np.argmax, "The largest elements along a dimension, and where they stand.")
_extreme_dim("min", np.argmin, "The smallest elements along a dimension, and where they stand.")
_extreme_two("max", maximum, "The larger of two, element by element.")
_extreme_two("min", minimum, "The smaller of two, element by element.")


def _argument(name: str, find: Any, doc: str) -> None:
    def forward(self: Array, dim: int | None = None, keepdim: bool = False) -> Array:
        for kind, word in (("c", "complex"), ("b", "bool")):
            if self.dtype.kind == kind:
                raise RuntimeError(f"{name}(): does not support {word} input")
        if dim is None:
            if self.size == 0:
                raise IndexError(
                    f"{name}(): Expected reduction dim to be specified for input.numel() == 0."
                )
            found = np.asarray(find(self))
            return found.reshape((1,) * self.ndim) if keepdim else found
        where = _nonempty(self, name, dim)
        return find(self, axis=where, keepdims=keepdim) if self.ndim else np.zeros((), np.int64)

    row(
        name,
        forward,
        samples=lambda r: [
            (r(3, 4),),
            (r(3, 4), 0),
            (r.ints(3, 4, high=3), -1, True),
            (kinked([1.0, math.nan, 2.0, math.nan]),),
            (r(), 0),
        ],
        doc=doc,
    )


_argument("argmax", np.argmax, "Where the largest element stands.")
_argument("argmin", np.argmin, "Where the smallest element stands.")


@composite(
    "aminmax",
    samples=lambda r: [
        (r(3, 4), {"dim": 1}),
        (r(3, 4), {"dim": 0, "keepdim": True}),
        (np.array([[1.0, 3.0, 3.0, 1.0]]),),
        (r.ints(4, high=9),),
    ],
)
def aminmax(self: Value, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """The smallest and the largest elements."""
    return return_type("aminmax", "min max")(_aminmax(self, dim, keepdim))


def _aminmax_forward(
    self: Array, dim: int | None = None, keepdim: bool = False
) -> tuple[Array, Array]:
    """The smallest and the largest elements."""
    if self.size == 0 and dim is None:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no "
            "identity."
        )
    where = axes(dim, self.ndim)
    if dim is not None and self.ndim and self.shape[where[0]] == 0:
        raise IndexError(f"aminmax: Expected reduction dim {where[0]} to have non-zero size.")
    require_kinds(self.dtype, "fiub", "aminmax_cpu")
    return (
        np.asarray(np.min(self, axis=where, keepdims=keepdim)),
        np.asarray(np.max(self, axis=where, keepdims=keepdim)),
    )


def _aminmax_vjp(
    grads: Any, self: Any, self_shape: Any, result0: Any, result1: Any, dim: Any, keepdim: bool
) -> Any:
    total: Any = None
    where = None if dim is None else (dim,)
    for grad, result in zip(grads, (result0, result1), strict=True):
        if grad is not None:
            total = added(total, shared_evenly(grad, self, result, self_shape, where, keepdim))
    return total


_aminmax: Row = row(
    "aten.aminmax",
    _aminmax_forward,
    self=_aminmax_vjp,
    kink="elements that tie for the extreme share the gradient evenly",
    samples=lambda r: [(r(3, 4), 1), (r(3, 4),), (r(3, 4), 0, True)],
    pytorch="aten.aminmax(self, dim=dim, keepdim=keepdim)",
)

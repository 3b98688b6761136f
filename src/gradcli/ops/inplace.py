"""In-place changes: one mechanism behind every method whose name ends in an underscore.

``x.add_(y)`` runs ``add`` on a stand-in that holds x's old values and x's place in the graph,
writes the result into x's memory, counts x's version up, and makes the new node x's history. Where
x is a view, the change belongs to the tensor whose memory it is: that one's history becomes a
``CopySlices`` node, and the histories of all its views are renewed when they are next asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.ops.comparison import zeros_like
from gradcli.ops.creation import to_dtype
from gradcli.ops.table import Function, Row, RowNode, Saved, lookup_method, row
from gradcli.tensor import dtypes
from gradcli.tensor.graph import Node, mode
from gradcli.tensor.tensor import Tensor, edge_of, versions_of, wrap

Array = Any

# --- views by the places that their elements have in the base


def places(view: Tensor) -> Array:
    """Where the elements of a view stand among the elements of its base, in logical order."""
    assert view._view is not None
    base = view._view.base._array
    numbers = np.empty_like(base, dtype=np.int64)
    numbers[...] = np.arange(base.size).reshape(base.shape)
    array = view._array
    step = base.itemsize
    offset = (array.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // step
    flat = np.lib.stride_tricks.as_strided(numbers, (numbers.size,), (8,))
    strides = tuple(stride // step * 8 for stride in array.strides)
    return np.lib.stride_tricks.as_strided(flat[offset:], array.shape, strides).copy()


gather_places: Row = row(
    "aten.gather_places(Tensor self, any places)",
    lambda self, places: self.reshape(-1)[places],
    node="AsStridedBackward0",
    self=lambda grad, self_shape, places: add_places(grad, places, self_shape),
    samples=lambda r: [(r(2, 3), np.array([[0, 4], [2, 2]]))],
    doc="The elements at the given places of the flattened tensor.",
)


def _add_places(self: Array, places: Array, sizes: Sequence[int]) -> Array:
    full = np.zeros(sizes, self.dtype)
    np.add.at(full.reshape(-1), places, self)
    return full


add_places: Row = row(
    "aten.add_places(Tensor self, any places, int[] sizes)",
    _add_places,
    self=lambda grad, places: gather_places(grad, places),
    samples=lambda r: [(r(2, 2), np.array([[0, 4], [2, 2]]), (2, 3))],
    doc="Zeros plus the elements of self at the given places.",
)


def _fill_places(self: Array, src: Array, places: Array) -> Array:
    full = np.array(self, order="C")
    full.reshape(-1)[places] = src
    return full


def _without(grad: Any, places: Array) -> Any:
    return fill_places(grad, zeros_like(gather_places(grad, places)), places)


fill_places: Row = row(
    "aten.fill_places(Tensor self, Tensor src, any places)",
    _fill_places,
    self=_without,
    src=lambda grad, places: gather_places(grad, places),
    samples=lambda r: [(r(2, 3), r(2), np.array([0, 4]))],
    doc="A copy of self with the elements of src at the given places.",
)


class CopySlices(Node):
    """The history of a tensor after an in-place change of one of its views.

    ``function`` is the node of the change as it would be of the view alone; the gradient of the
    rest passes by.
    """

    __slots__ = ("function", "places")
    label = "CopySlices"

    def __init__(self, base: Tensor, function: Node, where: Array) -> None:
        node, number = edge_of(base)
        self.function = function
        self.places = where
        self.successors = (node, *function.successors[1:])
        self.numbers = (number, *function.numbers[1:])
        self.shape = base._array.shape
        self.dtype = base._array.dtype
        self.others = ()
        self.hooks = None
        mode.sequence += 1
        self.sequence = mode.sequence

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        grad = grads[0]
        if grad is None:
            return [None] * len(self.successors)
        inner = gather_places(grad, self.places)
        first, *others = self.function.apply([inner], recorded)
        if first is None:
            first = zeros_like(inner)
        return [fill_places(grad, first, self.places), *others]

    def release(self) -> None:
        self.function.release()


def _renew(tensor: Tensor) -> None:
    """Gives a view whose base was changed in place its history anew."""
    view = tensor._view
    assert view is not None
    version = versions_of(tensor)[0]
    if view.version == version:
        return
    view.version = version
    base = view.base
    if not base._requires_grad:
        return
    was_enabled, was_inference = mode.enabled, mode.inference
    mode.enabled, mode.inference = True, False
    try:
        made = gather_places(base, places(tensor))
    finally:
        mode.enabled, mode.inference = was_enabled, was_inference
    tensor._grad_fn, tensor._nr, tensor._requires_grad = made._grad_fn, 0, True


Tensor._renew = _renew

# --- what may be changed


def check(tensor: Tensor, wants_grad: bool) -> None:
    """Refuses in-place changes that would falsify gradients, in PyTorch's words."""
    if not (wants_grad and mode.enabled):
        return
    view = tensor._view
    if view is not None:
        if view.creation == "multi":
            label = "UnbindBackward0" if tensor._grad_fn is None else tensor._grad_fn.label
            raise RuntimeError(
                f"Output {tensor._nr} of {label} is a view and is being modified inplace. This "
                "view is the output of a function that returns multiple views. Such functions do "
                "not allow the output views to be modified inplace. You should replace the inplace "
                "operation by an out-of-place one."
            )
        if view.creation == "no_grad" and view.base._requires_grad:
            raise RuntimeError(
                "A view was created in no_grad mode and is being modified inplace with grad mode "
                "enabled. Given that this use case is ambiguous and error-prone, it is forbidden. "
                "You can clarify your code by moving both the view and the inplace either both "
                "inside the no_grad block (if you don't want the inplace to be tracked) or both "
                "outside (if you want the inplace to be tracked)."
            )
        if view.base._requires_grad and view.base.grad_fn is None:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation."
            )
    if tensor._requires_grad and tensor.grad_fn is None:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation."
        )


def _stand_in(tensor: Tensor, copies: bool) -> Tensor:
    """A tensor with the same values and history, which an in-place change leaves alone."""
    node, number = (tensor.grad_fn, tensor._nr) if tensor._requires_grad else (None, 0)
    array = tensor._array.copy(order="K") if copies else tensor._array
    return wrap(array, tensor._requires_grad, node, number)


def write_back(tensor: Tensor, out: Tensor) -> Tensor:
    """Makes the result of an operation on a stand-in the new value and history of a tensor."""
    if out._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"output with shape {list(tensor._array.shape)} doesn't match the broadcast shape "
            f"{list(out._array.shape)}"
        )
    if out._array.dtype != tensor._array.dtype:
        if not dtypes.can_cast(out.dtype, tensor.dtype):
            raise RuntimeError(
                f"result type {out.dtype.scalar_name} can't be cast to the desired output type "
                f"{tensor.dtype.scalar_name}"
            )
        out = to_dtype(out, tensor.dtype)
    np.copyto(tensor._array, out._array)
    versions_of(tensor)[0] += 1
    node = out._grad_fn
    if node is None:
        return tensor
    if isinstance(node, RowNode) and node.saved:
        for saved in node.saved:
            if type(saved) is Saved and saved.array is out._array:
                saved.array = tensor._array
                saved.versions = versions_of(tensor)
                saved.version = saved.versions[0]
    _rebase(tensor, node, out._nr)
    return tensor


def _rebase(tensor: Tensor, node: Node, number: int) -> None:
    view = tensor._view
    if view is None:
        tensor._grad_fn, tensor._nr, tensor._requires_grad = node, number, True
        return
    base = view.base
    base._grad_fn, base._nr = CopySlices(base, node, places(tensor)), 0
    base._requires_grad = True
    view.version = -1
    _renew(tensor)


def _wants_grad(values: Sequence[Any]) -> bool:
    return any(
        value._requires_grad
        if isinstance(value, Tensor)
        else isinstance(value, (list, tuple)) and _wants_grad(value)
        for value in values
    )


def apply_in_place(
    tensor: Tensor, operation: Callable[[Tensor], Any], others: Sequence[Any] = ()
) -> Tensor:
    """Changes a tensor to what an operation makes of it, in its own memory."""
    wants = _wants_grad([tensor, *others])
    check(tensor, wants)
    return write_back(tensor, operation(_stand_in(tensor, copies=wants and mode.enabled)))


class InPlace(Function):
    """The method ``NAME_`` of the function NAME."""

    __slots__ = ("function",)

    def __init__(self, function: Function) -> None:
        super().__init__(function.name + "_")
        self.function = function
        self.entries = function.entries

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        return apply_in_place(
            args[0],
            lambda stand_in: self.function.call((stand_in, *args[1:]), kwargs, method),
            [*args[1:], *kwargs.values()],
        )


class Reshaping(InPlace):
    """An in-place method that changes what a tensor makes of its memory, not the memory."""

    __slots__ = ()

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        tensor = args[0]
        check(tensor, tensor._requires_grad)
        out = self.function.call((_stand_in(tensor, copies=False), *args[1:]), kwargs, method)
        tensor._array = out._array
        versions_of(tensor)[0] += 1
        if out._grad_fn is not None:
            tensor._grad_fn, tensor._nr = out._grad_fn, out._nr
        return tensor


_RESHAPING = frozenset({"squeeze", "unsqueeze", "t", "transpose", "swapaxes", "swapdims"})


def resolve(name: str) -> Function | None:
    """The in-place method of a name, if there is a function of that name without underscore."""
    if not name.endswith("_") or name.startswith("_"):
        return None
    function = lookup_method(name[:-1])
    if function is None:
        return None
    return Reshaping(function) if name[:-1] in _RESHAPING else InPlace(function)


Tensor._resolvers.append(resolve)

# --- rows that exist for their in-place methods


def _copied(self: Array, src: Array) -> Array:
    try:
        found = np.broadcast_to(src, self.shape)
    except ValueError:
        lead = f"The size of tensor a ({self.shape[-1] if self.ndim else 0}) must match"
        raise RuntimeError(
            f"{lead} the size of tensor b ({src.shape[-1] if src.ndim else 0}) at non-singleton "
            f"dimension {max(self.ndim - 1, 0)}"
        ) from None
    return found.astype(self.dtype)


copy: Row = row(
    "Tensor.copy(Tensor self, Tensor src, bool non_blocking=False)",
    lambda self, src, non_blocking=False: _copied(self, src),
    node="torch::autograd::CopyBackwards",
    self=lambda grad: zeros_like(grad),
    src=lambda grad: grad,
    samples=lambda r: [(r(2, 3), r(3))],
    doc="The elements of src in the shape and type of self; copy_ writes them into self.",
)
zero: Row = row(
    "Tensor.zero(Tensor self)",
    np.zeros_like,
    self=lambda grad: zeros_like(grad),
    samples=lambda r: [(r(2, 3),)],
    doc="Zeros; zero_ writes them into self.",
)
fill_number: Row = row(
    "fill(Tensor self, Scalar value)",
    lambda self, value: np.full_like(self, value),
    node="FillBackward0",
    self=lambda grad: zeros_like(grad),
    samples=lambda r: [(r(2, 3), 1.5)],
    doc="One value everywhere; fill_ writes it into self.",
)


def _fill_tensor(self: Array, value: Array) -> Array:
    if value.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value.ndim} dimensions."
        )
    return np.full_like(self, value)


fill_tensor: Row = row(
    "fill(Tensor self, Tensor value)",
    _fill_tensor,
    node="FillBackward1",
    self=lambda grad: zeros_like(grad),
    value=lambda grad: grad,
    samples=lambda r: [(r(2, 3), r())],
    doc="One value everywhere; fill_ writes it into self.",
)

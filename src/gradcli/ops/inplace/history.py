"""What in-place changes do to the graph: who may change what, and where gradients go afterwards.

A change of a tensor that is no view makes the change's node the tensor's `grad_fn`. A change of a
view rewrites a part of its base: the base's `grad_fn` becomes a `CopySlices`, which runs
the change's node on that part of the gradient. Every view of the base is stale from then on, which
the version counter tells; its `grad_fn` is made anew, as a window on the base, when next asked
for.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.strided import storage_offset_of
from gradcli.ops.algebra.views import clone_row
from gradcli.table.declare import row
from gradcli.table.entry import InPlace
from gradcli.table.node import RowNode, Saved
from gradcli.table.registry import lookup_method
from gradcli.table.row import Row
from gradcli.tensor.dtypes import FLOATS
from gradcli.tensor.graph import FREED, INFERENCE, Birth, Node, mode, operator_name
from gradcli.tensor.public import public
from gradcli.tensor.shapes import refuse_coinciding
from gradcli.tensor.tensor import Tensor, View, edge_of, share, versions_of, wrap
from gradcli.typing import Array

_CLARIFY = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your "
    "code by moving both the view and the inplace either both inside the {0} block (if you don't "
    "want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
_ADVICE = {
    "multi": (
        " This view is the output of a function that returns multiple views. Such functions do not "
        "allow the output views to be modified inplace. You should replace the inplace operation "
        "by an out-of-place one."
    ),
    "custom": (
        " This view was created inside a custom Function (or because an input was returned as-is) "
        "and the autograd logic to handle view+inplace would override the custom backward "
        "associated with the custom Function, leading to incorrect gradients. This behavior is "
        "forbidden. You can fix this by cloning the output of the custom Function."
    ),
    "no_grad": _CLARIFY.format("no_grad"),
    "inference": _CLARIFY.format("inference_mode"),
}


class Window:
    """Where the elements of a view lie among those of its base, in bytes from the base's first.

    The memory of a gradient of the base is laid out like the base, so that the same window shows
    the gradient of the view, also where the types differ (`real` of a complex tensor).
    """

    __slots__ = ("base", "dtype", "offset", "shape", "strides")

    def __init__(self, base: Array, view: Array) -> None:
        # The base's shape, strides and element type.
        self.base = base.shape, base.strides, base.dtype
        self.dtype = view.dtype
        self.shape = view.shape
        self.strides = view.strides
        self.offset = _distance(base, view) if view.size else 0

    def blank(self) -> tuple[Array, Array]:
        """Zeros laid out like the base, and the view of them."""
        shape, strides, dtype = self.base
        low, high = _extent(shape, strides, dtype.itemsize)
        first, last = _extent(self.shape, self.strides, self.dtype.itemsize)
        # A view made with as_strided may look beyond its base.
        start, end = min(low, first + self.offset), max(high, last + self.offset)
        memory = np.zeros(end - start, np.uint8)
        whole: Array = np.ndarray(shape, dtype, memory, -start, strides)
        return whole, np.ndarray(self.shape, self.dtype, memory, self.offset - start, self.strides)

    def add(self, part: Array, values: Array) -> None:
        """Adds `values` to a view made by `blank`, whose elements may coincide."""
        repeated = tuple(
            dim
            for dim, (length, step) in enumerate(zip(self.shape, self.strides, strict=True))
            if length > 1 and step == 0
        )
        if repeated:
            values = values.sum(repeated, keepdims=True)
            part = part[tuple(slice(1) if d in repeated else slice(None) for d in range(part.ndim))]
        if _distinct(part):
            part[...] = values
            return
        for index in np.ndindex(part.shape):
            part[index] += values[index]


def _distance(base: Array, view: Array) -> int:
    """Bytes from the first element of a base to that of a view: where `.data` gave one of them
    another memory, as each lies in its own.
    """
    if np.may_share_memory(base, view):
        start, place = (array.__array_interface__["data"][0] for array in (base, view))
    else:
        start, place = (storage_offset_of(array) * array.itemsize for array in (base, view))
    return int(place - start)


def _extent(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> tuple[int, int]:
    """The first byte of an array's elements, counted from its first element, and the end."""
    if 0 in shape:
        return 0, 0
    steps = [(n - 1) * step for n, step in zip(shape, strides, strict=True)]
    return sum(step for step in steps if step < 0), itemsize + sum(s for s in steps if s > 0)


def _distinct(array: Array) -> bool:
    """Whether no two elements of an array lie at one place."""
    reach = array.itemsize
    for step, length in sorted(zip(map(abs, array.strides), array.shape, strict=True)):
        if length > 1:
            if step < reach:
                return False
            reach = step * (length - 1) + reach
    return True


def _look(self: Array, window: Window) -> Array:
    """What a window shows of a tensor that is laid out like its base."""
    buffer, part = window.blank()
    buffer[...] = self
    return part.astype(self.dtype, copy=False) if window.dtype == window.base[2] else part


def _spread(grad: Array, window: Window) -> Array:
    """A tensor laid out like the base, with zeros outside the window."""
    buffer, view = window.blank()
    window.add(view, grad)
    return buffer.astype(grad.dtype, copy=False) if window.dtype == window.base[2] else buffer


def _sample_window() -> Window:
    base = np.zeros((2, 3))
    return Window(base, base[:, 1:])


look: Row = row(
    "aten.window",
    _look,
    node="AsStridedBackward0",
    linear="self",
    self=lambda grad, window: spread(grad, window),
    samples=lambda r: [(r(2, 3), _sample_window())],
    inplace=InPlace(node="AsStridedBackward1", method=False),
    untested="a piece of the history of views that were changed in place",
)
spread: Row = row(
    "aten.window_backward",
    _spread,
    node="AsStridedBackward0",
    linear="grad",
    grad=look,
    samples=lambda r: [(r(2, 2), _sample_window())],
    inplace=InPlace(node="AsStridedBackward1", method=False),
    untested="a piece of the history of views that were changed in place",
)


@public(calls=True)
class WindowNode(Node):
    """The `grad_fn` of a view that was made anew: a window on the base as it is now.

    Most are never walked, so where the view lies is found out when that happens.
    """

    __slots__ = ("arrays", "label")

    def __init__(self, tensor: Tensor, base: Tensor, label: str) -> None:
        node, number = edge_of(base)
        super().__init__((node,), (number,))
        self.label = label
        self.arrays = base._array, tensor._array
        self.fits(tensor._array.shape, tensor._array.dtype)

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        return (None if grads[0] is None else spread(grads[0], Window(*self.arrays)),)


@public(calls=True)
class CopySlices(Node):
    """The `grad_fn` of a tensor of which a view was changed in place.

    `function` is the node of the change. The gradient of the part that was changed goes through
    it; that of the rest goes on to what the base was before.
    """

    __slots__ = ("function", "window")
    label = "CopySlices"

    def __init__(self, base: Tensor, tensor: Tensor, function: Node) -> None:
        node, number = edge_of(base)
        super().__init__((node, *function.successors[1:]), (number, *function.numbers[1:]))
        self.function: Node | None = function
        self.window = Window(base._array, tensor._array)
        self.fits(base._array.shape, base._array.dtype)

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        if self.function is None:
            raise RuntimeError(FREED)
        grad = grads[0]
        if grad is None:
            return [None] * len(self.successors)
        whole, part = self.window.blank()
        if recorded:
            return self._apply_recorded(self.function, grad, wrap(whole), part)
        whole[...] = grad
        found = list(self.function.apply((part.copy(),), False))
        if found[0] is not None:
            refuse_coinciding(part)
            part[...] = found[0].real if part.dtype.kind in FLOATS else found[0]
            found[0] = whole
        return found

    def _apply_recorded(
        self, function: Node, grad: Tensor, whole: Tensor, part: Array
    ) -> Sequence[Any]:
        """The same with operators that are recorded, in-place ones like PyTorch's."""
        copy_ = lookup_method("copy_")
        assert copy_ is not None
        copy_(whole, grad)
        slot = look_at(whole, part, self.window)
        found = list(function.apply((clone_row(slot),), True))
        if found[0] is not None:
            copy_(slot, found[0])
            found[0] = whole
        return found

    def release(self) -> None:
        self.function = None


def look_at(whole: Tensor, part: Array, window: Window) -> Tensor:
    """`part`, which shows the memory of `whole` through `window`, as a view of it."""
    view = share(whole, part)
    if whole._grad_fn is not None:
        view._grad_fn = WindowNode(view, whole, "AsStridedBackward0")
    return view


def check_change(tensor: Tensor, recorded: bool) -> None:
    """Refuses in-place changes that PyTorch refuses; `recorded`: the change joins the graph."""
    if recorded:
        view = tensor._view
        if view is not None:
            _check_creation(tensor, view, "is being")
            if tensor.requires_grad and view.base._grad_fn is None:
                raise RuntimeError(
                    "a view of a leaf Variable that requires grad is being used in an in-place "
                    "operation."
                )
        if tensor.requires_grad and tensor.is_leaf:
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation."
            )
    if tensor._versions is INFERENCE and not mode.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed.You can make "
            "a clone to get a normal tensor before doing inplace update.See "
            "https://github.com/pytorch/rfcs/pull/17 for more details."
        )


_WRAPPING: Final = "add sub mul div floor_divide multiply subtract divide true_divide"
_COMPARING: Final = "eq ge gt le lt ne greater greater_equal less less_equal not_equal"
_OTHERS: Final = "fill masked_fill fmod lerp pow remainder copysign"
_BITWISE: Final = "bitwise_and bitwise_or bitwise_xor"
_OVERLOADS: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(_WRAPPING.split(), ("Tensor", "Tensor")),  # numbers become tensors
    **dict.fromkeys(f"{_COMPARING} {_OTHERS} {_BITWISE}".split(), ("Tensor", "Scalar")),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), ("Tensor", "Tensor_Scalar")),
    **dict.fromkeys(("clamp", "clamp_max", "clamp_min", "clip"), ("Tensor", "")),
    "bernoulli": ("Tensor", "float"),
    "index_fill": ("int_Tensor", "int_Scalar"),
    "scatter": ("src", "value"),
    "scatter_reduce": ("two", "two"),
    "set": ("source_Tensor", ""),
    "xlogy": ("Tensor", "Scalar_Other"),
}
"""The overloads of an in-place operator whose last operand is a tensor, or is none."""

_MODES: Final = {"Tensor": "Tensor_mode", "src": "reduce", "value": "value_reduce"}


def _overload(stem: str, others: Sequence[Any]) -> str:
    """The name of an overload in PyTorch's schemas; empty where it has none."""
    if stem == "random":
        return ("", "to", "from")[sum(type(value) is int for value in others)]
    if stem == "round":
        return "decimals" if others and others[0] else ""
    if stem == "squeeze":
        return "" if not others else "dim" if type(others[0]) is int else "dims"
    pair = _OVERLOADS.get(stem)
    if pair is None:
        return ""
    operands = [value for value in others if isinstance(value, (Tensor, int, float, complex))]
    name = pair[not (operands and isinstance(operands[-1], Tensor))]
    if any(type(value) is str for value in others):  # how to round, or to reduce
        return _MODES.get(name, name)
    return name


def _title(name: str, others: Sequence[Any]) -> str:
    """An in-place operator's name and that of its overload, as PyTorch's schemas have them."""
    stem = name.lower().removesuffix("_").removesuffix("_into")
    overload = _overload(stem, others)
    return f"{stem}_.{overload}" if overload else f"{stem}_"


def check_captured(tensor: Tensor, name: str, others: Sequence[Any] = ()) -> None:
    """Refuses that a function which is being transformed changes what it was not given.

    Raises:
        RuntimeError: the tensor was made before the function ran; the message names the
            operator, whose further operands are `others`.
    """
    birth = mode.birth
    # Where samples are mapped over inside the function, the physical tensor is asked about.
    if birth is not None and birth.level is mode.level and captured(tensor, birth):
        raise RuntimeError(
            "During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to "
            f"call in-place operation (aten::{_title(name, others)}) that would mutate a captured "
            "Tensor. This is not supported; please rewrite the function being transformed to "
            "explicitly accept the mutated Tensor(s) as inputs."
        )


def captured(tensor: Tensor, birth: Birth) -> bool:
    """Whether a tensor was made before a function began to run, and is no argument of it."""
    whole = tensor if tensor._view is None else tensor._view.base
    if any(given is tensor or given is whole for given in birth.given):
        return False
    node = whole._grad_fn
    recorded_since = node is not None and node.sequence > birth.run
    return not (recorded_since or birth.covers(whole._versions))


def _check_creation(tensor: Tensor, view: View, what: str) -> None:
    """Refuses a change of a view whose making left no history that could follow it."""
    creation = view.creation
    if creation == "default":
        return
    node = tensor._grad_fn
    if creation in ("multi", "custom") and node is not None:
        made = f"Output {tensor._nr} of {operator_name(node)}"
        message = f"{made} is a view and {what} modified inplace."
    else:
        made = "A view was created in"
        if node is not None:
            made = (
                f"Output {tensor._nr} of {operator_name(node)} is a view of a view which was "
                "created in"
            )
        if creation == "inference":
            message = f"{made} inference mode and {what} modified inplace in normal mode."
        else:
            message = f"{made} no_grad mode and {what} modified inplace with grad mode enabled."
    raise RuntimeError(message + _ADVICE[creation])


def bump(tensor: Tensor) -> None:
    """Counts an in-place change."""
    if tensor._versions is not INFERENCE:
        versions_of(tensor)[0] += 1


def renew(tensor: Tensor) -> None:
    """Makes the `grad_fn` of a view anew if its base has changed since."""
    view = tensor._view
    if view is None or (tensor._grad_fn is None and not view.base._requires_grad):
        return
    version = versions_of(tensor)[0]
    if view.version == version:
        return
    _check_creation(tensor, view, "its base or another view of its base has been")
    old, label = tensor._grad_fn, "AsStridedBackward0"
    if old is not None and tensor._array.dtype != view.base._array.dtype:
        label = old.label  # PyTorch repeats the operator where memory alone does not tell it
    set_history(tensor, WindowNode(tensor, view.base, label))
    view.version = version


def rebase(tensor: Tensor, node: RowNode) -> None:
    """Makes `node`, which was recorded for an in-place change of `tensor`, its history."""
    node.fits(tensor._array.shape, tensor._array.dtype)
    results = node.plan.results
    if results:
        node.saved = list(node.saved)
    for number in results:
        node.saved[number] = Saved(tensor, 0)
    replace_history(tensor, node)
    if tensor._view is None:
        return
    for number in results:
        assert tensor._grad_fn is not None
        node.saved[number].node = weakref.ref(tensor._grad_fn)


def replace_history(tensor: Tensor, node: Node) -> None:
    """Makes the node of an in-place change a tensor's history; a view's by way of its base."""
    view = tensor._view
    if view is None:
        set_history(tensor, node)
    else:
        set_history(view.base, CopySlices(view.base, tensor, node))
        renew(tensor)


def set_history(tensor: Tensor, node: Node) -> None:
    """Replaces `grad_fn`. Hooks stay with the old value, `retain_grad` follows the tensor."""
    old, number = tensor._grad_fn, tensor._nr
    tensor._grad_fn = node
    tensor._nr = 0
    tensor._requires_grad = True
    if old is not None and old.hooks is not None:
        kept = old.hooks.retain.get(number)
        if kept is not None and kept() is tensor:
            del old.hooks.retain[number]
            node.node_hooks().retain[0] = kept


def stand_in(tensor: Tensor) -> Tensor:
    """A tensor for the value that `tensor` has before an in-place change of it."""
    edge_of(tensor)  # makes the history of a stale view anew
    made = wrap(tensor._array, tensor.requires_grad, tensor._grad_fn, tensor._nr)
    if mode.forward is not None:
        mode.forward.follow(made, tensor)
    return made


def keep_original(node: RowNode, original: Tensor) -> None:
    """Lets a node that saved the stand-in keep a copy, made before the change."""
    if any(value is original for value in node.saved):
        copy = clone_row(original)
        node.saved = [copy if value is original else value for value in node.saved]


Tensor._renew = renew

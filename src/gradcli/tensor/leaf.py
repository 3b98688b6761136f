"""What belongs to leaves: the sink that their gradients flow into, and rare facts of a tensor."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Protocol

from gradcli.tensor.dtypes import INEXACT, DType
from gradcli.tensor.graph import FIRST, Handle, InferenceCounter, Node, mode
from gradcli.tensor.public import public, word_of
from gradcli.tensor.shadow import Batched


class Extras:
    """Facts that few tensors have, so that the others do not pay for them.

    Attributes:
        hooks: the hooks of a leaf, by the ids of their handles. The sink is held weakly, so the
            leaf itself keeps them.
        sink: a sink with post-accumulate hooks, which lives as long as its leaf does.
        grad_dtype: the type of the leaf's gradient where `has_grad_dtype`; None allows any.
        delayed: whether PyTorch would not have computed a conjugate (or the negation of its
            imaginary part) yet.
        parameter: whether it is a `torch.nn.Parameter`.
        batched: what makes it a batched tensor.
        level: the run of a function that made the leaf for itself (`gradcli.readings.transforms`).
        tangent: forward mode, and how the tensor moves there (None: not, whatever its base does).
    """

    __slots__ = (
        "batched",
        "delayed",
        "grad_dtype",
        "has_grad_dtype",
        "hooks",
        "level",
        "parameter",
        "sink",
        "tangent",
    )

    def __init__(self) -> None:
        self.hooks: dict[int, Callable[..., Any]] | None = None
        self.sink: AccumulateGrad | None = None
        self.grad_dtype: DType | None = None
        self.has_grad_dtype = False
        self.delayed = False
        self.parameter = False
        self.batched: Batched | None = None
        self.level: weakref.ref[Any] | None = None
        self.tangent: tuple[Any, Any] | None = None


class Leaf(Protocol):
    """What a sink asks of its tensor."""

    _array: Any
    _value: Any
    _grad: Any
    _extras: Extras | None
    _accumulator: weakref.ref[AccumulateGrad] | None
    _requires_grad: bool
    _grad_fn: Node | None
    _versions: Any

    @property
    def dtype(self) -> DType: ...


@public("variable", calls=True)
class AccumulateGrad(Node):
    """The sink of a leaf: adds what arrives to the leaf's `grad`."""

    __slots__ = ("post_accumulate", "variable")
    label = "AccumulateGrad"

    _accumulate: ClassVar[Callable[[AccumulateGrad, Any, bool], None]]
    """How a gradient is added: that lives above this layer and is put here by it."""

    def __init__(self, variable: Leaf) -> None:
        super().__init__((), ())
        self.variable: Any = variable
        value = contents(variable)
        self.fits(value.shape, value.dtype)
        self.post_accumulate: dict[int, Callable[..., Any]] | None = None
        self.sequence = FIRST

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        AccumulateGrad._accumulate(self, grads[0], recorded)
        return ()


def contents(tensor: Leaf) -> Any:
    """The array of a tensor, or the number that it is kept as."""
    return tensor._array if tensor._value is None else tensor._value


def extras_of(tensor: Leaf) -> Extras:
    """The rare facts of a tensor, to be changed."""
    if tensor._extras is None:
        tensor._extras = Extras()
    return tensor._extras


def accumulator(leaf: Leaf) -> AccumulateGrad:
    """The sink of a leaf. The graph owns it: the leaf refers to it weakly."""
    known = leaf._accumulator
    node = None if known is None else known()
    if node is None:
        batched = batched_of(leaf)
        if batched is not None:
            return accumulator(batched.physical)
        extras = leaf._extras
        node = AccumulateGrad(leaf)
        if extras is not None:
            node.fits(node.shape, (grad_dtype_of(leaf) or leaf.dtype).np)
            if extras.hooks is not None:
                node.node_hooks().tensor[0] = extras.hooks
        leaf._accumulator = weakref.ref(node)
    return node


def batched_of(tensor: Leaf) -> Batched | None:
    """What makes a tensor a batched one; None of any other."""
    return None if tensor._extras is None else tensor._extras.batched


def grad_of(tensor: Leaf) -> Any:
    """The gradient that a tensor has; where it is batched, that of each sample."""
    batched = batched_of(tensor)
    if batched is None:
        return tensor._grad
    found = batched.physical._grad if tensor._grad is None else tensor._grad
    return None if found is None else batched.owner.wrap(found)


def shadow_of(tensor: Leaf) -> Any:
    """What stands for the array of a batched tensor."""
    batched = batched_of(tensor)
    assert batched is not None
    return batched.shadow


def is_parameter(tensor: Leaf) -> bool:
    """Whether a tensor is a `torch.nn.Parameter`."""
    return tensor._extras is not None and tensor._extras.parameter


def add_hook(leaf: Leaf, hook: Callable[..., Any]) -> Handle:
    """Calls `hook(grad)` with the leaf's gradient."""
    extras = extras_of(leaf)
    if extras.hooks is None:
        extras.hooks = {}
    accumulator(leaf).node_hooks().tensor[0] = extras.hooks
    return Handle(extras.hooks, hook)


def add_post_accumulate_hook(leaf: Leaf, hook: Callable[..., Any]) -> Handle:
    """Calls `hook(leaf)` after the leaf's `grad` was updated."""
    node = accumulator(leaf)
    if node.post_accumulate is None:
        node.post_accumulate = {}
        extras_of(leaf).sink = node
    return Handle(node.post_accumulate, hook)


def grad_dtype_of(leaf: Leaf) -> DType | None:
    """The type of a leaf's gradient: the leaf's own unless it was set; None allows any."""
    extras = leaf._extras
    return leaf.dtype if extras is None or not extras.has_grad_dtype else extras.grad_dtype


def set_grad_dtype(leaf: Leaf, dtype: DType | None) -> None:
    """Chooses the type of a leaf's gradient; None allows any.

    Raises:
        RuntimeError: it is no type, or a gradient of another type is there already.
    """
    if dtype is not None:
        if not isinstance(dtype, DType):
            raise RuntimeError(
                f"grad_dtype must be a torch.dtype or None, but got {word_of(dtype)}"
            )
        if leaf._grad is not None and leaf._grad.dtype is not dtype:
            raise RuntimeError(
                f"Cannot set grad_dtype to '{dtype.scalar_name}' because there is already a "
                f"gradient with dtype '{leaf._grad.dtype.c_name}'. Please clear the gradient "
                "(.grad = None) before changing grad_dtype, or ensure the new grad_dtype "
                "matches the existing gradient's dtype."
            )
    extras = extras_of(leaf)
    extras.grad_dtype, extras.has_grad_dtype = dtype, True
    node = None if leaf._accumulator is None else leaf._accumulator()
    if node is not None:
        node.fits(node.shape, (dtype or leaf.dtype).np)


def looked_at(tensor: Any) -> Any:
    """The array of a tensor whose elements decide what is done next, or leave the tensors."""
    if mode.listener is not None and batched_of(tensor) is None:
        mode.listener.read(tensor)
    return tensor._array


def check_grad(leaf: Leaf, value: Leaf) -> None:
    """Refuses to make `value` the gradient of `leaf`.

    Raises:
        RuntimeError: it is the leaf itself, or it has another type or shape.
    """
    if value is leaf:
        raise RuntimeError("can't assign Variable as its own grad")
    kind = grad_dtype_of(leaf)
    if kind is not None and value.dtype is not kind:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{value.dtype.c_name}' to a "
            f"tensor with grad_dtype '{kind.scalar_name}'. The gradient must match the "
            "tensor's grad_dtype (defaults to the tensor's dtype). You can set the "
            "tensor's grad_dtype attribute with a specific dtype, or None to allow any "
            "dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its "
            "gradient may break downstream systems that assume they match."
        )
    if value._array.shape != leaf._array.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of "
            f"size '{list(leaf._array.shape)}'. Please ensure that the gradient and the tensor are "
            "the same size"
        )


_ONLY_LEAVES: Final = "you can only change requires_grad flags of leaf variables."
_DETACH_INSTEAD: Final = (
    " If you want to use a computed variable in a subgraph that doesn't require differentiation "
    "use var_no_grad = var.detach()."
)


def check_flag(tensor: Leaf, value: bool, is_leaf: bool) -> None:
    """Refuses what `tensor.requires_grad_(value)` refuses.

    Raises:
        TypeError: `value` is no bool.
        RuntimeError: the tensor is computed and would lose its history, or its type has no
            gradients.
    """
    if not isinstance(value, bool):
        raise TypeError(
            "requires_grad_(): argument 'requires_grad' (position 1) must be bool, not "
            f"{word_of(value)}"
        )
    if not (is_leaf or value):
        raise RuntimeError(_ONLY_LEAVES + _DETACH_INSTEAD)
    if value and tensor._array.dtype.kind not in INEXACT:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")


def check_flag_attribute(tensor: Leaf, value: bool, is_leaf: bool) -> None:
    """The same of `tensor.requires_grad = value`, where PyTorch refuses in other words and more."""
    if not isinstance(value, bool):
        raise RuntimeError("requires_grad must be a bool")
    if not is_leaf:
        raise RuntimeError(_ONLY_LEAVES + ("" if value else _DETACH_INSTEAD))
    if value and tensor._array.dtype.kind not in INEXACT:
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")


def set_flag(tensor: Leaf, requires_grad: bool) -> None:
    """`tensor.requires_grad_(requires_grad)`, also in a function that is being transformed."""
    check_flag(tensor, requires_grad, tensor._grad_fn is None)
    if requires_grad and type(tensor._versions) is InferenceCounter and not mode.inference:
        raise RuntimeError(
            "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
        )
    if tensor._grad_fn is None:
        tensor._requires_grad = requires_grad
        batched = batched_of(tensor)
        if batched is not None:
            set_flag(batched.physical, requires_grad)

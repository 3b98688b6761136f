"""`torch.autograd.Function`: operators whose forward and backward pass are somebody's own.

What a class of that kind says reaches the engine as a `Definition`, whether it is a class of Python
or one that a program wrote. `apply` runs the forward pass without recording, and makes one
node, a `CustomNode`, the history of what it gave; the walk hands that node's gradients to the
backward pass. Both passes get the same `Context`, which keeps tensors and whatever is set on it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import numpy as np

from gradcli.autograd.context import Context
from gradcli.autograd.observers import unheard
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.views import view_as
from gradcli.ops.inplace.history import bump, replace_history, set_history
from gradcli.table.node import Packed, Saved, modified, version_to_save
from gradcli.tensor import dtypes
from gradcli.tensor.graph import FREED, Node, mode
from gradcli.tensor.own_names import OWN_NAMES
from gradcli.tensor.public import handed_in, label_of, public, word_of
from gradcli.tensor.tensor import Tensor, View, edge_of, raw, wrap

Pass = Callable[..., Any]

NO_FORWARD: Final = "You must implement the forward function for custom autograd.Function."
NO_BACKWARD: Final = (
    "You must implement either the backward or vjp method for your custom autograd.Function to use "
    "it with backward mode AD."
)
NO_JVP: Final = (
    "You must implement the jvp function for custom autograd.Function to use it with forward mode "
    "AD."
)
NO_SETUP: Final = (
    "In order to use an autograd.Function with functorch transforms (vmap, grad, jvp, jacrev, "
    "...), it must override the setup_context staticmethod. For more details, please see "
    "https://pytorch.org/docs/main/notes/extending.func.html"
)
NO_VMAP: Final = (
    "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
    "generate_vmap_rule=True."
)
BOTH: Final = (
    "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only "
    "implement one of them."
)
LEAF: Final = "a leaf Variable that requires grad has been used in an in-place operation."
NOT_RETURNED: Final = (
    "Some elements marked as dirty during the forward method were not returned as output. The "
    "inputs that are modified inplace must all be outputs of the Function."
)


class Definition(Protocol):
    """What a custom Function says of itself."""

    name: str

    def find(self, name: str) -> Any:
        """A static method (`forward`, `backward`, `vjp`, `setup_context`, `jvp`, `vmap`) or another
        attribute of the class; None where it has none of its own.
        """

    def bind(
        self, args: tuple[Any, ...], named: dict[str, Any], without_context: bool
    ) -> tuple[Any, ...]:
        """Arguments in the order of the parameters of `forward`, after the context where that takes
        it; else with default values too.
        """


@public(
    "needs_input_grad saved_tensors saved_variables",
    reader=lambda node, name: OWN_NAMES.read(node.context, name),
    label=lambda node: f"torch.autograd.function.{node.label}",
)
class CustomNode(Node):
    """The node of a call of a custom Function: its backward pass."""

    __slots__ = ("context", "definition", "kinds", "label", "saved", "tensors", "versions")

    def __init__(self, definition: Definition, context: Context, inputs: Sequence[Any]) -> None:
        self.tensors = tuple([isinstance(value, Tensor) for value in inputs])
        edges = [edge_of(value) for value in inputs if isinstance(value, Tensor)]
        super().__init__(tuple([node for node, _ in edges]), tuple([number for _, number in edges]))
        self.label = f"{definition.name}Backward"
        self.definition = definition
        self.context = context
        self.kinds: tuple[bool, ...] = ()
        """Which of the outputs are tensors."""
        self.saved: tuple[Any, ...] | None = ()
        self.versions: tuple[int, ...] = ()
        context._keep("_node", weakref.ref(self))

    def __repr__(self) -> str:
        return f"<{label_of(self)} object at {id(self):#x}>"

    def named(self, gradient: str) -> str:
        return f"function {self.label} returned {gradient}"

    @property
    def needs_input_grad(self) -> Any:
        return self.context.needs_input_grad

    def __getattr__(self, name: str) -> Any:
        return getattr(self.context, name)

    def keep(self, outputs: Sequence[Any]) -> None:
        """Saves what the context was asked to.

        Raises:
            TypeError: something is neither a tensor nor None.
        """
        numbers = {id(out): k for k, out in enumerate(outputs) if isinstance(out, Tensor)}
        saved: list[Any] = []
        versions = []
        for position, value in enumerate(self.context._saved):
            if not (value is None or isinstance(value, Tensor)):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {position} is of "
                    f"type {word_of(value)}"
                )
            versions.append(0 if value is None else version_to_save(value))
            number = numbers.get(id(value))
            if value is not None and number is not None and value._grad_fn is self:
                saved.append(Saved(value, number))
            else:
                saved.append(value)
        self.saved, self.versions = tuple(saved), tuple(versions)
        self.context._keep("_saved", ())

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        if self.saved is None:
            raise RuntimeError(FREED)
        found: list[Tensor | None] = []
        for value, version in zip(self.saved, self.versions, strict=True):
            now: Tensor | None = value
            if type(value) is Packed:
                now = value.unpacked(self)
                version = now._version
            elif type(value) is Saved:
                now = wrap(value.array, True, (value.node and value.node()) or self, value.number)
                now._versions = value.versions
            if now is not None and now._version != version:
                raise modified(now, version)
            found.append(now)
        return tuple(found)

    saved_variables = saved_tensors

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        find = self.definition.find
        backward, vjp = find("backward"), find("vjp")
        if backward is not None and vjp is not None:
            raise RuntimeError(BOTH)
        if backward is None and vjp is None:
            raise NotImplementedError(NO_BACKWARD)
        run = handed_in(vjp if backward is None else backward)
        found = run(self.context, *self._arriving(grads, recorded))
        gradients = self._checked(found)
        return gradients if recorded else [raw(gradient) for gradient in gradients]

    def _arriving(self, grads: Sequence[Any], recorded: bool) -> list[Any]:
        """The gradients of the outputs, as the backward pass gets them."""
        arriving: list[Any] = []
        for grad, (shape, dtype), tensor in zip(grads, self.outputs, self.kinds, strict=True):
            if grad is not None:
                arriving.append(grad if recorded else wrap(grad))
            elif tensor and self.context._materialize:
                arriving.append(wrap(np.zeros(shape, dtype)))
            else:
                arriving.append(None)
        return arriving

    def _checked(self, found: Any) -> list[Any]:
        """The gradients of the inputs that are tensors.

        Raises:
            RuntimeError: there are not as many as inputs, one is none, or one is for what is no
                tensor.
        """
        gradients = found if type(found) is tuple else (found,)
        count = len(self.tensors)
        if len(gradients) > count and all(extra is None for extra in gradients[count:]):
            gradients = gradients[:count]
        if len(gradients) != count:
            raise RuntimeError(
                self.named(
                    f"an incorrect number of gradients (expected {count}, got {len(gradients)})"
                )
            )
        kept = []
        for position, (gradient, tensor) in enumerate(zip(gradients, self.tensors, strict=True)):
            if not tensor:
                if gradient is not None:
                    raise RuntimeError(
                        self.named(
                            f"a gradient different than None at position {position + 1}, but the "
                            "corresponding forward input was not a Variable"
                        )
                    )
                continue
            if not (gradient is None or isinstance(gradient, Tensor)):
                raise RuntimeError(f"expected Variable or None (got {word_of(gradient)})")
            kept.append(gradient)
        return kept

    def release(self) -> None:
        if self.saved:
            self.saved = None


class Call:
    """A call of a custom Function that was heard: what it was given, and what came of it."""

    __slots__ = ("args", "context", "definition", "outputs")

    def __init__(
        self,
        definition: Definition,
        context: Context,
        args: Sequence[Any],
        outputs: Sequence[Any],
    ) -> None:
        self.definition = definition
        self.context = context
        self.args = tuple(args)
        self.outputs = tuple(outputs)

    def pushed(self, tangents: Sequence[Tensor | None]) -> list[Tensor | None]:
        """How the outputs move when the arguments do, by the static method `jvp`, which finds in
        `ctx.saved_tensors` what was saved for it.

        Raises:
            NotImplementedError: there is no such method.
            RuntimeError: it does not give a tensor or None for each output.
        """
        jvp, context = self.definition.find("jvp"), self.context
        if jvp is None:
            raise NotImplementedError(NO_JVP)
        given = [
            zeros_like(arg) if tangent is None and self._wants_zeros(arg) else tangent
            for arg, tangent in zip(self.args, tangents, strict=True)
        ]
        context._keep("_shown", context._forward)
        try:
            found = handed_in(jvp)(context, *given)
        finally:
            context._keep("_shown", None)
        moves = list(found) if type(found) is tuple else [found]
        if len(moves) != len(self.outputs):
            raise RuntimeError(
                "Function's jvp returned an invalid number of forward gradients (expected "
                f"{len(self.outputs)} but got {len(moves)})"
            )
        for number, move in enumerate(moves):
            if not (move is None or isinstance(move, Tensor)):
                raise RuntimeError(
                    f"expected Variable or None (got {word_of(move)}) for grad output {number}."
                )
        return [
            move if self._moves(output) else None
            for output, move in zip(self.outputs, moves, strict=True)
        ]

    def _wants_zeros(self, arg: Any) -> bool:
        return isinstance(arg, Tensor) and bool(self.context._materialize)

    def _moves(self, output: Any) -> bool:
        return (
            isinstance(output, Tensor)
            and output._array.dtype.kind in dtypes.INEXACT
            and not _among(output, self.context._fixed)
        )


def apply(definition: Definition, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """`Function.apply(*args)`: what the forward pass gives, with the node as its history.

    Raises:
        NotImplementedError: there is no forward pass.
        RuntimeError: what it did to its inputs cannot be recorded.
    """
    forward, setup = definition.find("forward"), definition.find("setup_context")
    if forward is None:
        raise NotImplementedError(NO_FORWARD)
    if named or setup is not None:
        args = definition.bind(args, named, setup is not None)
    return call_bound(definition, args)


def call_bound(definition: Definition, args: tuple[Any, ...]) -> Any:
    """`apply` on arguments in the order of the forward pass's parameters."""
    if mode.transforms:
        return mode.transforms[-1].custom(definition, args)
    return run(definition, args)


@contextmanager
def beyond() -> Iterator[None]:
    """Inside, custom Functions are called as what lies around the innermost transform sees them."""
    inner = mode.transforms.pop()
    try:
        yield
    finally:
        mode.transforms.append(inner)


def differentiated(definition: Definition, args: tuple[Any, ...]) -> Any:
    """`call_bound` in a function whose gradient a transform takes."""
    require_context(definition)
    with beyond():
        return call_bound(definition, args)


def require_context(definition: Definition) -> None:
    """Refuses custom Functions that transforms cannot see through.

    Raises:
        RuntimeError: the forward pass takes the context.
    """
    if definition.find("setup_context") is None:
        raise RuntimeError(NO_SETUP)


def run(definition: Definition, args: tuple[Any, ...]) -> Any:
    """`call_bound` where no function is transformed."""
    forward, setup = definition.find("forward"), definition.find("setup_context")
    needs = tuple([isinstance(arg, Tensor) and arg.requires_grad for arg in args])
    context, node = Context(definition.name, needs), None
    recorded, listener = mode.enabled and any(needs), mode.listener
    with unheard():
        if setup is None:
            found = handed_in(forward)(context, *args)
        else:
            found = handed_in(forward)(*args)
            handed_in(setup)(context, args, found)
        several = type(found) is tuple
        outputs = list(found) if several else [found]
        if recorded:
            node = CustomNode(definition, context, args)
            _join(node, context, args, outputs)
        else:
            _leave(args, outputs, context._dirty)
    if listener is not None:
        call = Call(definition, context, args, outputs)
        listener.opaque(f"{definition.name}.apply", node, call)
    return tuple(outputs) if several else outputs[0]


def _leave(args: Sequence[Any], outputs: list[Any], dirty: Sequence[Any]) -> None:
    """Outputs of a call that is not recorded: an input that comes back does so as another tensor.

    Changes `outputs`.
    """
    for number, output in enumerate(outputs):
        if not isinstance(output, Tensor):
            continue
        returned = any(output is arg for arg in args)
        if returned and not _among(output, dirty):
            outputs[number] = output.detach() if output.requires_grad else view_as(output, output)
        elif output.requires_grad and not returned and output._view is None:
            output._grad_fn, output._requires_grad = None, False
    for tensor in dirty:
        bump(tensor)


def _join(node: CustomNode, context: Context, args: Sequence[Any], outputs: list[Any]) -> None:
    """Makes a node the history of outputs, and lets it save what it shall; changes `outputs`."""
    dirty, fixed = context._dirty, context._fixed
    if not all(_among(tensor, outputs) for tensor in dirty):
        raise RuntimeError(NOT_RETURNED)
    node.kinds = tuple([isinstance(output, Tensor) for output in outputs])
    metas = [
        (output._array.shape, output._array.dtype)
        if isinstance(output, Tensor)
        else ((), dtypes.float32.np)
        for output in outputs
    ]
    node.fits(*metas[0])
    node.others = tuple(metas[1:])
    originals = list(outputs)
    joining = [
        isinstance(output, Tensor)
        and output._array.dtype.kind in dtypes.INEXACT
        and not _among(output, fixed)
        for output in outputs
    ]
    for tensor in dirty:
        bump(tensor)
    for number, output in enumerate(originals):
        returned = any(output is arg for arg in args)
        changed = returned and _among(output, dirty)
        if not joining[number]:
            if isinstance(output, Tensor) and returned and not changed:
                outputs[number] = output.detach()
            continue
        if changed:
            _rebase(output, node, number, len(originals))
            continue
        if returned:
            output = outputs[number] = view_as(output, output)
        output._grad_fn, output._nr, output._requires_grad = node, number, True
        if output._view is not None:
            view = output._view
            creation = "multi" if sum(joining) > 1 else "custom"
            output._view = View(view.base, view.version, creation)
    node.keep(outputs)


def _rebase(tensor: Tensor, node: CustomNode, number: int, count: int) -> None:
    """Makes a node the history of an input that was changed in place.

    Raises:
        RuntimeError: it is a leaf that requires grad.
    """
    if tensor.requires_grad and tensor.is_leaf:
        raise RuntimeError(LEAF)
    if tensor._view is not None and count == 1:
        replace_history(tensor, node)
        return
    set_history(tensor, node)
    tensor._nr = number


def _among(value: Any, values: Sequence[Any]) -> bool:
    return any(value is other for other in values)

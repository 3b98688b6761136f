"""`torch.autograd.Function` as a class, and what is said beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ClassVar, Final

from gradcli.autograd.custom import NO_BACKWARD, NO_FORWARD, NO_JVP, NO_VMAP, apply
from gradcli.autograd.modes import no_grad
from gradcli.tensor.graph import FIRST, Node, mode
from gradcli.tensor.leaf import accumulator
from gradcli.tensor.public import handed_in, public
from gradcli.tensor.tensor import Tensor, wrap

Pass = Callable[..., Any]

LEGACY: Final = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style "
    "autograd function with static forward method. (Example: "
    "https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
)
NO_CONTEXT: Final = "setup_context is not implemented."
TWICE: Final = "trying to differentiate twice a function that was marked with @once_differentiable"


@public(label="torch::autograd::Error")
class ErrorNode(Node):
    """The history of what must not be differentiated: the walk fails there."""

    __slots__ = ()
    label = "Error"

    def __init__(self, leaf: Node) -> None:
        super().__init__((leaf,), (0,))
        self.sequence = FIRST

    def name(self) -> str:
        return "torch::autograd::Error"

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        raise RuntimeError(TWICE)


def once_differentiable(function: Pass) -> Pass:
    """A backward pass that is not recorded; what it gives cannot be differentiated."""

    @wraps(function, updated=())
    def wrapper(context: Any, /, *args: Any) -> Any:
        with no_grad():
            found = handed_in(function)(context, *args)
        if not (
            mode.enabled and any(isinstance(arg, Tensor) and arg.requires_grad for arg in args)
        ):
            return found
        outputs = found if type(found) is tuple else (found,)
        closed = tuple([_closed(output) for output in outputs])
        return closed if type(found) is tuple else closed[0]

    return wrapper


def _closed(output: Any) -> Any:
    """An output of a backward pass, with a history that fails."""
    if not isinstance(output, Tensor):
        return output
    node = ErrorNode(accumulator(wrap(output._array, True)))
    node.fits(output._array.shape, output._array.dtype)
    return wrap(output._array, True, node)


@public(name="Function", label="torch.autograd.function.Function", calls=True)
class Function:
    """An operator of one's own: subclasses have static methods `forward` and `backward`."""

    generate_vmap_rule: ClassVar[bool] = False

    def __init__(self, *args: Any, **named: Any) -> None:
        pass

    def __call__(self, *args: Any, **named: Any) -> Any:
        raise RuntimeError(LEGACY)

    @staticmethod
    def forward(*args: Any, **named: Any) -> Any:
        """What the operator computes from a context and its arguments."""
        raise NotImplementedError(NO_FORWARD)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Fills the context where `forward` does not take one."""
        raise NotImplementedError(NO_CONTEXT)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of the arguments, from those of the outputs."""
        raise NotImplementedError(NO_BACKWARD)

    vjp = backward

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """How the outputs move when the arguments move along tangents."""
        raise NotImplementedError(NO_JVP)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """What the operator does with batches: its outputs, and where the batch lies in them."""
        raise NotImplementedError(NO_VMAP)

    @classmethod
    def apply(cls, *args: Any, **named: Any) -> Any:
        """Calls the operator."""
        return apply(OfPython(cls), args, named)


class OfPython:
    """A class of Python as a definition."""

    __slots__ = ("name", "of")

    def __init__(self, of: type[Function]) -> None:
        self.of = of
        self.name = of.__name__

    def find(self, name: str) -> Any:
        found = getattr(self.of, name, None)
        return None if found is getattr(Function, name, None) else found

    def bind(
        self, args: tuple[Any, ...], named: dict[str, Any], without_context: bool
    ) -> tuple[Any, ...]:
        return bind(inspect.signature(self.of.forward), args, named, without_context)


def bind(
    signature: inspect.Signature,
    args: tuple[Any, ...],
    named: dict[str, Any],
    without_context: bool,
) -> tuple[Any, ...]:
    """See `Definition.bind`; the signature is that of `forward`."""
    try:
        if without_context:
            bound = signature.bind(*args, **named)
            bound.apply_defaults()
        else:  # what is missing, the pass itself will miss
            bound = signature.bind_partial(None, *args, **named)
    except TypeError as error:
        raise TypeError(f"{error}" if without_context else f"forward() {error}") from None
    for name in bound.kwargs:  # what can only be named
        raise TypeError(f"forward() got an unexpected keyword argument '{name}'")
    return bound.args if without_context else bound.args[1:]

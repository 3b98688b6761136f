"""The backward graph: its nodes, their hooks and the modes that decide what is recorded.

A node is made by one call of an operator. Its i-th edge says where the gradient of the i-th
differentiable operand goes: to the node that made that operand (None where nobody asked) and the
position among that node's outputs. Values pass along edges as raw NumPy arrays in an ordinary
backward pass, and as tensors under `create_graph`.

A graph may have millions of nodes, all watched by Python's garbage collector, so a node is made of
as few objects as will do: edges are two flat tuples, of which the one of output numbers is shared.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, Protocol, Self

import numpy as np

from gradcli.tensor.integers import MOST_UNSIGNED
from gradcli.tensor.public import public

FREED: Final = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


class InferenceCounter(list[int]):
    """The version counter of tensors that were made in inference mode, or detached from these."""

    __slots__ = ()


INFERENCE: Final = InferenceCounter([0])
"""That of all tensors made in inference mode: they have none of their own."""


class Count(list[int]):
    """The version counter of a tensor that was made while a function was transformed.

    `run` is the node sequence at which that began: what the function makes has a higher one.
    """

    __slots__ = ("run",)

    def __init__(self, run: int) -> None:
        super().__init__([0])
        self.run = run


class Birth(Count):
    """What stands for the counters of all tensors that a transformed function makes, until one gets
    its own; nobody counts with it.

    Attributes:
        level: the mapping over a batch around the transform.
        given: the tensors that stand for the function's arguments, while it runs.
    """

    __slots__ = ("given", "level")

    def __init__(self, level: Level | None) -> None:
        mode.sequence += 1
        super().__init__(mode.sequence)
        self.level = level
        self.given: Sequence[Any] = ()

    def covers(self, versions: Any) -> bool:
        """Whether a tensor with such versions was made since the function began to run."""
        return isinstance(versions, Count) and versions.run >= self.run


class Listener(Protocol):
    """What hears of an evaluation as it runs (`gradcli.readings.trace`)."""

    def __call__(self, row: Any, args: tuple[Any, ...]) -> Any:
        """Runs a row on tensors: `row.record(args)` while nobody listens."""

    def read(self, tensor: Any) -> None:
        """The elements of a tensor become Python numbers."""

    def opaque(self, name: str, node: Node | None, call: Any = None) -> None:
        """Something that is no row was called on tensors, and made others with such a history;
        `call` says more of a custom Function.
        """


class Level(Protocol):
    """A mapping of a function over a batch while that runs (`gradcli.readings.batched`)."""

    def __call__(self, row: Any, args: tuple[Any, ...]) -> Any:
        """Runs a row on tensors, of which some may be batched."""

    def lifted(self, value: Any) -> Any:
        """A tensor as one that is batched by this level and all those further out."""

    def compose(self, entry: Any, args: tuple[Any, ...]) -> Any:
        """Runs a composition that looked at the elements of a batched tensor."""

    def differentiate(
        self, outputs: Sequence[Any], inputs: Sequence[Any], seeds: Sequence[Any], options: Any
    ) -> Any:
        """The gradients of outputs that may be batched, as `torch.autograd.grad` gives them."""

    def change(
        self,
        tensor: Any,
        operation: Callable[[Any], Any],
        others: Sequence[Any],
        options: dict[str, Any],
    ) -> Any:
        """Changes a tensor in place to what an operation computes from its old value."""


class Transform(Protocol):
    """A function that is being transformed (`gradcli.readings`): mapped over a batch, or run to be
    differentiated.
    """

    number: int
    """How many transforms there are from the outermost one to this."""

    def custom(self, definition: Any, args: tuple[Any, ...]) -> Any:
        """Calls a custom Function on what the function has."""

    def wraps(self, tensor: Any) -> bool:
        """Whether a tensor is the function's own; batched ones know their mapping themselves."""

    def stands_for(self, tensor: Any) -> Any:
        """The tensor that an argument of the function stands for; None for any other."""

    def tracks(self, tensor: Any) -> bool:
        """Whether gradients go from a tensor to the function's arguments."""


class Forward(Listener, Protocol):
    """Forward mode while a program has begun it (`gradcli.readings.transforms.duals`)."""

    def tangent(self, tensor: Any) -> Any:
        """How a tensor moves; None where it does not."""

    def give(self, tensor: Any, tangent: Any) -> None:
        """Says how a tensor moves; None: not, whatever its base does."""

    def follow(self, made: Any, tensor: Any) -> None:
        """From now on a tensor moves as another does."""

    def changed(self, tensor: Any, result: Any) -> None:
        """A result was written to a tensor."""

    def left(self) -> None:
        """Forward mode ends."""


class Detector(Protocol):
    """What watches a backward pass while anomalies are looked for."""

    def failed(self, node: Node, error: RuntimeError) -> RuntimeError:
        """What is raised where the pass failed at a node."""

    def check(self, node: Node, gradients: Sequence[Any]) -> None:
        """Looks at what a node passes on."""


class _Mode:
    """What operators record just now; one mutable cell that hot code reads.

    `fresh` is the version counter of a new tensor: INFERENCE in inference mode, else `birth`: None,
    or what the innermost transform marks tensors with that are made inside.
    `listener` hears of every row that is called on tensors, and runs it.
    `level` is the innermost mapping over a batch, which runs the rows that are called on tensors,
    and `drawing` is asked before random numbers are drawn meanwhile.
    `detector` watches backward passes, `ending` is done when the one that runs has come to its end.
    `forward` is forward mode, which hears of what changes in place and has passes run on tensors.
    `unhooked` are the words of whoever forbids hooks of saved tensors.
    `where` says what is running just now, for tracebacks of forward calls.
    `transforms` are those of functions that run just now, from the outermost to the innermost.
    """

    __slots__ = (
        "birth",
        "detector",
        "drawing",
        "enabled",
        "ending",
        "forward",
        "fresh",
        "level",
        "listener",
        "sequence",
        "transforms",
        "unhooked",
        "where",
    )

    def __init__(self) -> None:
        self.enabled = True
        self.birth: Birth | None = None
        self.fresh: list[int] | None = None
        self.listener: Listener | None = None
        self.level: Level | None = None
        self.drawing: Callable[[], None] | None = None
        self.where: Callable[[], str] = lambda: ""
        self.detector: Detector | None = None
        self.forward: Forward | None = None
        self.ending: list[Callable[[], None]] = []
        self.unhooked: list[str] = []
        self.transforms: list[Transform] = []
        self.sequence = 0

    def restore(self) -> None:
        """Undoes what a program may have left switched on."""
        self.enabled, self.birth, self.fresh, self.sequence = True, None, None, 0
        self.listener = self.level = self.drawing = self.detector = self.forward = None
        for stack in (self.transforms, self.ending, self.unhooked):
            stack.clear()

    @property
    def depth(self) -> int:
        """The number of the innermost transform."""
        return self.transforms[-1].number if self.transforms else 0

    @property
    def inference(self) -> bool:
        return self.fresh is INFERENCE

    @inference.setter
    def inference(self, value: bool) -> None:
        self.fresh = INFERENCE if value else self.birth


mode: Final = _Mode()
SCALARS: Final = {np.dtype(kind): kind for kind in (np.float32, np.float64)}
"""Types whose single numbers take a short way, and NumPy's classes of these numbers."""
FIRST: Final = 1 << 62
"""The sequence of nodes that come before all others that are ready."""


@public(
    "_sequence_nr metadata name next_functions register_hook register_prehook",
    name=lambda node: node.label,
    calls=True,
)
class Node:
    """One step of the graph; subclasses know how to turn output gradients into input gradients.

    `shape` and `dtype` (NumPy's) are those of the first output, `others` holds such pairs for
    further outputs: gradients are fitted to them. A gradient of type `scalar` (NumPy's; None where
    the output is no single or double number) fits the first one as it is. `sequence` grows with
    creation time, or is `FIRST`: the walk takes the ready node with the highest one.
    """

    __slots__ = (
        "__weakref__",
        "dtype",
        "hooks",
        "numbers",
        "others",
        "scalar",
        "sequence",
        "shape",
        "successors",
    )

    label: str
    """What `print` shows; `qualified_name` is what `name()` returns."""
    successors: tuple[Node | None, ...]
    numbers: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: Any
    others: tuple[tuple[tuple[int, ...], Any], ...]
    scalar: type | None
    hooks: NodeHooks | None
    sequence: int

    _run: ClassVar[Callable[..., Any]]
    """What a call of a node does: it lives above this layer and is put here by it."""

    def __init__(self, successors: tuple[Node | None, ...], numbers: tuple[int, ...]) -> None:
        self.successors = successors
        self.numbers = numbers
        self.others = ()
        self.hooks = None
        mode.sequence += 1
        self.sequence = mode.sequence

    def __call__(self, /, *grads: Any) -> Any:
        return Node._run(self, *grads)

    def fits(self, shape: tuple[int, ...], dtype: Any) -> None:
        """Says what the first output's shape and type are."""
        self.shape, self.dtype = shape, dtype
        self.scalar = None if shape else SCALARS.get(dtype)

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        """The gradients of the edges, from one gradient (or None) per output.

        `recorded`: values are tensors and what is computed joins the graph.
        """
        raise NotImplementedError

    def release(self) -> None:
        """Forgets saved tensors after a backward pass that does not retain the graph."""

    def counter(self, tensor: Any) -> list[int]:
        """The version counter of an output that has none yet: one that is new, or that the node
        knows from a second tensor of the same output.
        """
        return started(tensor._versions)

    def memory(self, value: Any) -> Any:
        """The array of an output that is kept as a number: what the node saved of it lies there."""
        return np.asarray(value)

    def name(self) -> str:
        """PyTorch's name of the node."""
        return self.label

    def _sequence_nr(self) -> int:
        """When the node was recorded: how many were before it."""
        return MOST_UNSIGNED if self.sequence == FIRST else self.sequence - 1

    @property
    def outputs(self) -> tuple[tuple[tuple[int, ...], Any], ...]:
        """Shape and type of each output, to which gradients are fitted."""
        return ((self.shape, self.dtype), *self.others)

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """Where the gradients go: pairs of node (None: nowhere) and output number."""
        return tuple(zip(self.successors, self.numbers, strict=True))

    def node_hooks(self) -> NodeHooks:
        """The node's hooks, created when first asked for."""
        if self.hooks is None:
            self.hooks = NodeHooks()
        return self.hooks

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """Calls `hook(grad_inputs, grad_outputs)` after the node ran."""
        return Handle(self.node_hooks().post, hook)

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """Calls `hook(grad_outputs)` before the node runs."""
        return Handle(self.node_hooks().pre, hook)

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for whatever somebody wants to keep of the node."""
        return self.node_hooks().metadata

    def __repr__(self) -> str:
        return f"<{self.label} object at {hex(id(self))}>"


class StandIn:
    """What may be given to a backward pass for a tensor."""

    __slots__ = ()

    def stand_in(self) -> Any:
        """The tensor."""
        raise NotImplementedError


Edge = tuple[Node, int]
"""Where a gradient goes: a node, and which of its outputs."""


class NodeHooks:
    """Hooks of a node, and its metadata; the tensor hooks of output k are `tensor[k]`."""

    __slots__ = ("metadata", "post", "pre", "retain", "tensor")

    def __init__(self) -> None:
        self.metadata: dict[Any, Any] = {}
        self.pre: dict[int, Callable[..., Any]] = {}
        self.post: dict[int, Callable[..., Any]] = {}
        self.tensor: dict[int, dict[int, Callable[..., Any]]] = {}
        self.retain: dict[int, weakref.ref[Any]] = {}


class Removable:
    """What `remove()` takes back, and the end of a `with` block does, too."""

    __slots__ = ()

    def remove(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


@public("id remove", name="RemovableHandle", label="torch.utils.hooks.RemovableHandle")
class Handle(Removable):
    """What registering a hook returns: `remove()` takes the hook off again."""

    __slots__ = ("_hooks", "id")
    _next: ClassVar[int] = 0

    def __init__(self, hooks: dict[int, Callable[..., Any]], hook: Callable[..., Any]) -> None:
        self._hooks = hooks
        self.id = Handle._next
        Handle._next += 1
        hooks[self.id] = hook

    def remove(self) -> None:
        self._hooks.pop(self.id, None)


def operator_name(node: Node) -> str:
    """A node's name as PyTorch's messages about views and versions shorten it.

    `MulBackward0` is `Mul` there, `SumBackward1` is `Sum1`.
    """
    name = node.name()
    stem, mark, number = name.rpartition("Backward")
    if not mark or (number and not number.isdigit()):
        return name
    return stem + number.removeprefix("0")


def started(versions: Any) -> list[int]:
    """The own counter of a tensor that has had none so far, but perhaps a mark of its birth."""
    return [0] if versions is None else Count(versions.run)


def detached_counter(versions: Any) -> InferenceCounter | None:
    """What counts changes of a tensor with such versions once it is detached; None where it is not
    from inference mode.
    """
    if type(versions) is not InferenceCounter:
        return None
    return INFERENCE if mode.inference else InferenceCounter([0])

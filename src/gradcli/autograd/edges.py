"""Edges of the graph as values: `torch.autograd.graph.get_gradient_edge` and its relatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

import numpy as np

from gradcli.tensor import graph
from gradcli.tensor.classes import token
from gradcli.tensor.graph import Handle, Removable
from gradcli.tensor.leaf import AccumulateGrad
from gradcli.tensor.namedtuples import FieldTuple
from gradcli.tensor.public import handed_in, public, supports, word_of
from gradcli.tensor.tensor import Tensor, edge_of, versions_of, wrap

Hook = Callable[..., Any]

Node: Final = token("torch.autograd.graph.Node", graph.Node)
"""The class of all nodes, as programs see it."""
Node.wide = True


@public(
    "node output_nr ownership_token",
    name="GradientEdge",
    label="torch.autograd.graph.GradientEdge",
)
class GradientEdge(graph.StandIn, FieldTuple):
    """Where the gradient of a tensor arrives: it stands for the tensor in `grad` and `backward`."""

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ("node", "output_nr", "ownership_token")

    @property
    def node(self) -> graph.Node:
        found: graph.Node = self[0]
        return found

    @property
    def output_nr(self) -> int:
        found: int = self[1]
        return found

    @property
    def ownership_token(self) -> Any:
        return self[2]

    def stand_in(self) -> Tensor:
        """A tensor of the shape and type, with that history."""
        node, number = self.node, self.output_nr
        if isinstance(node, AccumulateGrad):
            leaf: Tensor = node.variable
            return leaf
        shape, dtype = node.outputs[number]
        return wrap(np.broadcast_to(np.zeros((), dtype), shape), True, node, number)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of a tensor arrives.

    Raises:
        AttributeError: it is no tensor; Python's words.
        RuntimeError: it requires none.
    """
    if not isinstance(tensor, Tensor):
        raise AttributeError(f"'{word_of(tensor)}' object has no attribute 'requires_grad'")
    if not tensor.requires_grad:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require "
            "gradients"
        )
    return GradientEdge((*edge_of(tensor), None))


class _Gathering:
    """The gradients of several tensors, as they arrive in one pass."""

    def __init__(self, count: int, fn: Hook, every: bool) -> None:
        self.fn = fn
        self.every = every
        self.count = count
        self.found: dict[int, Any] = {}

    def hook(self, place: int) -> Hook:
        """The hook of one of the tensors."""

        def arrived(gradient: Tensor) -> None:
            if not self.found:
                graph.mode.ending.append(self.ended)
                if not self.every:
                    self.fn(gradient)
            self.found[place] = gradient

        return arrived

    def ended(self) -> None:
        found, self.found = self.found, {}
        if self.every:
            self.fn([found.get(place) for place in range(self.count)])


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Hook, *, mode: str = "all") -> Any:
    """Calls `fn` once a pass: with the gradients of all tensors (None where there is none), or in
    the mode "any" with the first that arrives.

    Raises:
        ValueError: there is no such mode.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    gathering = _Gathering(len(tensors), handed_in(fn), mode == "all")
    return Handles(
        [tensor.register_hook(gathering.hook(place)) for place, tensor in enumerate(tensors)]
    )


@public("remove", name="_MultiHandle", label="torch.autograd.graph._MultiHandle")
class Handles(Removable):
    """Takes hooks off again."""

    __slots__ = ("_handles",)

    def __init__(self, handles: list[Handle]) -> None:
        self._handles = handles

    def remove(self) -> None:
        for handle in self._handles:
            handle.remove()


def increment_version(tensor: Tensor | Iterable[Tensor]) -> None:
    """Counts a change of a tensor, or of several, that nobody else sees.

    Raises:
        RuntimeError: it is none, or something else is among them.
    """
    if not isinstance(tensor, Tensor) and not supports(tensor, "__iter__"):
        raise RuntimeError("increment_version expect a Iterable[Tensor] as input")
    for one in [tensor] if isinstance(tensor, Tensor) else tensor:
        if not isinstance(one, Tensor):
            raise RuntimeError(
                "increment_version expects each element of the iterable to be a tensor"
            )
        versions_of(one)[0] += 1

"""How tensors look while functions are transformed: wrapped once for each transform they are in.

A mapping over a batch has batched what came from its samples. A run that is differentiated has
taken in its arguments and all that has been made since. The outermost wrapper of a tensor says what
a program sees of its history: a batched tensor has none, one that moves along a tangent neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from textwrap import indent
from typing import Any, Final

import numpy as np

from gradcli.tensor.graph import Node, Transform, mode
from gradcli.tensor.leaf import AccumulateGrad, batched_of
from gradcli.tensor.public import REGISTRY
from gradcli.tensor.shadow import Batched
from gradcli.tensor.tensor import Tensor, edge_of, wrap

WIDTH: Final = 80
"""Columns that the words of a tensor may take."""

_PLAIN: Final[list[Callable[[Tensor], str]]] = []
"""How tensors print otherwise."""


def install() -> None:
    """Lets tensors look so, from now on."""
    if Tensor._represent is not _represent:
        _PLAIN.append(Tensor._represent)
        Tensor._represent = _represent
        REGISTRY[Tensor].sees |= {
            "grad_fn": _grad_fn,
            "is_leaf": lambda tensor: _grad_fn(tensor) is None,
            "requires_grad": _requires_grad,
        }


def layers(tensor: Tensor) -> list[Tensor]:
    """A tensor, what it holds for a mapping over a batch, and so on to the one on the tape."""
    found = [tensor]
    while (batched := batched_of(found[-1])) is not None:
        found.append(batched.physical)
    return found


def nodes(tensor: Tensor) -> Iterator[Node]:
    """The nodes that the gradient of a tensor would come by."""
    start, _ = edge_of(layers(tensor)[-1])
    return behind([start])


def behind(starts: Sequence[Node | None]) -> Iterator[Node]:
    """Nodes and those that their gradients go on to, each once."""
    waiting = [*dict.fromkeys(start for start in starts if start is not None)]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        yield node
        for successor in node.successors:
            if successor is not None and successor not in seen:
                seen.add(successor)
                waiting.append(successor)


def _has_history(tensor: Tensor) -> bool:
    """Whether a tensor that requires a gradient does so for more than the leaves of transforms.

    No history leads to a view that was taken while nothing was recorded, nor through one whose base
    has changed: they have what they say themselves.
    """
    try:
        leaves = [node for node in nodes(tensor) if type(node) is AccumulateGrad]
    except RuntimeError:
        return True
    return not leaves or any(owner_of(node) is None for node in leaves)


def owner_of(node: AccumulateGrad) -> Any:
    """The reference to the transform that made a leaf for itself, given the leaf's sink."""
    extras = node.variable._extras
    return None if extras is None else extras.level


def _wrapper(tensor: Tensor, below: float = float("inf")) -> Transform | Batched | None:
    """The outermost wrapper among those of transforms whose numbers are less than one."""
    batched = batched_of(tensor)
    inner = 0 if batched is None else batched.owner.number
    for transform in reversed(mode.transforms):
        if inner < transform.number < below and transform.wraps(tensor):
            return transform
    return batched


def _requires_grad(tensor: Tensor) -> bool:
    """`tensor.requires_grad` as a program sees it."""
    wrapper = _wrapper(tensor)
    if wrapper is not None:
        return not isinstance(wrapper, Batched) and wrapper.tracks(tensor)
    return tensor.requires_grad and _has_history(tensor)


def _grad_fn(tensor: Tensor) -> Node | None:
    """`tensor.grad_fn` as a program sees it."""
    if not _requires_grad(tensor):
        return None
    return None if _stood_for(tensor) is not None else tensor.grad_fn


def _stood_for(tensor: Tensor) -> Tensor | None:
    """What stood before the argument that a tensor is."""
    for transform in reversed(mode.transforms):
        found: Tensor | None = transform.stands_for(tensor)
        if found is not None:
            return found
    return None


def _represent(tensor: Tensor) -> str:
    return _text(tensor, float("inf"), ())


def _text(tensor: Tensor, below: float, places: tuple[int, ...]) -> str:
    """The text of a tensor with those wrappers whose numbers are less than one; `places` are those
    that mappings further in say where their samples lie in it.
    """
    wrapper = _wrapper(tensor, below)
    if wrapper is None:
        return _innermost(tensor, places)
    if isinstance(wrapper, Batched):
        place, number = wrapper.place, wrapper.owner.number
        inner = _text(wrapper.physical, number, (*places, place))
        head = f"BatchedTensor(lvl={number}, bdim={place}"
    else:
        inner = _text(tensor, wrapper.number, places)
        head = f"GradTrackingTensor(lvl={wrapper.number}"
    return f"{head}, value=\n{indent(inner, '    ')}\n)"


def _innermost(tensor: Tensor, places: tuple[int, ...]) -> str:
    """The text of a tensor without its wrappers."""
    plain = _PLAIN[-1]
    tangent = None if mode.forward is None else mode.forward.tangent(tensor)
    if tangent is not None:
        return _with_tangent(plain(tensor), _told(tangent))
    if tensor.requires_grad:
        while (before := _stood_for(tensor)) is not None and before.shape == tensor.shape:
            tensor = before
        if not _has_history(tensor):
            tensor = wrap(tensor._array)
    if any(places):
        array = tensor._array
        for outer, place in zip(reversed(range(len(places))), places, strict=True):
            array = np.moveaxis(array, outer, outer + place)
        tensor = wrap(array, tensor.requires_grad, tensor.grad_fn, tensor._nr)
    return plain(tensor)


def _told(tangent: Tensor) -> str:
    """A tangent as PyTorch's text of the tensor has it: a single number as Python shows it."""
    return _PLAIN[-1](tangent) if tangent.dim() else str(tangent.item())


def _with_tangent(text: str, tangent: str) -> str:
    suffix = f"tangent={tangent}"
    last = text.rpartition("\n")[2] + " "  # as PyTorch counts
    between = " " if len(last) + len(suffix) + 2 <= WIDTH else "\n       "
    return f"{text[:-1]},{between}{suffix})"

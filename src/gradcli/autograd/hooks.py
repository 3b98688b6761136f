"""What hooks make of gradients on their way: of tensors, of nodes, of leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from gradcli.tensor import dtypes
from gradcli.tensor.graph import Node, NodeHooks
from gradcli.tensor.public import handed_in, word_of
from gradcli.tensor.tensor import Tensor, wrap

Hook = Callable[..., Any]


def before_node(hooks: NodeHooks, grads: list[Any], recorded: bool) -> list[Any]:
    """Applies tensor hooks and `retain_grad` to the gradients of a node's outputs."""
    for number, by_id in hooks.tensor.items():
        if grads[number] is not None:
            for hook in list(by_id.values()):
                before = _as_tensor(grads[number], recorded)
                answer = _called(hook, before, before)
                grads[number] = _as_value(answer, recorded)
    for number, reference in hooks.retain.items():
        tensor, grad = reference(), grads[number]
        if tensor is not None and grad is not None:
            kept = grad if recorded else wrap(np.array(grad))
            tensor._grad = kept if tensor._grad is None else tensor._grad + kept
    return grads


def apply_with_hooks(
    node: Node, hooks: NodeHooks, grads: Sequence[Any], recorded: bool
) -> Sequence[Any]:
    """The gradients that a node passes on, after its hooks have seen what comes and what goes."""
    grads = before_node(hooks, list(grads), recorded)
    if hooks.pre:
        tensors = _as_tensors(grads, recorded)
        for hook in list(hooks.pre.values()):
            tensors = _replaced(hook, tensors, handed_in(hook)(tensors))
        grads = [_as_value(tensor, recorded) for tensor in tensors]
    outgoing = node.apply(grads, recorded)
    if hooks.post:
        inputs, outputs = _as_tensors(outgoing, recorded), _as_tensors(grads, recorded)
        for hook in list(hooks.post.values()):
            inputs = _replaced(hook, inputs, handed_in(hook)(inputs, outputs))
        outgoing = [_as_value(tensor, recorded) for tensor in inputs]
    return outgoing


def after_leaf(hooks: dict[int, Hook], leaf: Tensor) -> None:
    """Tells hooks that a leaf's gradient was updated."""
    for hook in list(hooks.values()):
        _called(hook, leaf, leaf)


def _called(hook: Hook, argument: Tensor, before: Tensor) -> Tensor:
    """What a hook of a tensor makes of `before`."""
    answer = handed_in(hook)(argument)
    return before if answer is None else _checked(hook, before, answer)


def _replaced(hook: Hook, before: tuple[Any, ...], answer: Any) -> tuple[Any, ...]:
    """What a hook of a node, which answers nothing or a gradient for each, makes of gradients."""
    if answer is None:
        return before
    if not isinstance(answer, tuple):
        raise TypeError(f"expected tuple, but hook returned '{word_of(answer)}'")
    if len(answer) != len(before):
        raise RuntimeError(
            f"hook '{_name(hook)}' has returned an incorrect number of values (got {len(answer)}, "
            f"but expected {len(before)})"
        )
    pairs = zip(before, answer, strict=True)
    return tuple(None if after is None else _checked(hook, old, after) for old, after in pairs)


def _checked(hook: Hook, before: Any, after: Any) -> Tensor:
    """A hook's answer, if it can stand in for a gradient.

    Raises:
        TypeError: it is no tensor.
        RuntimeError: there was no gradient, or it has another type or shape.
    """
    if before is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not isinstance(after, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{word_of(after)}'")
    if after.dtype is not before.dtype:
        was, got = dtypes.type_word(before.dtype), dtypes.type_word(after.dtype)
        raise RuntimeError(
            f"hook '{_name(hook)}' has changed the type of value (was {was} got {got})"
        )
    if after._array.shape != before._array.shape:
        raise RuntimeError(f"hook '{_name(hook)}' has changed the size of value")
    return after


def _name(hook: Hook) -> str:
    return getattr(hook, "__name__", "<unknown>")


def _as_tensors(grads: Iterable[Any], recorded: bool) -> tuple[Any, ...]:
    return tuple(_as_tensor(grad, recorded) for grad in grads)


def _as_tensor(grad: Any, recorded: bool) -> Any:
    return grad if recorded or grad is None else wrap(np.asarray(grad))


def _as_value(tensor: Any, recorded: bool) -> Any:
    return tensor if recorded or tensor is None else tensor._array

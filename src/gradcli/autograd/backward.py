"""The backward walk: from outputs to leaves, iteratively, youngest node first.

An ordinary pass carries raw NumPy arrays along the edges and makes no tensor before a leaf is
reached; under `create_graph` the same formulas run on tensors and are recorded.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.autograd.arguments import inputs_of, outputs_of, roots_of, seeds_of, wanted_edge
from gradcli.ops.algebra.arithmetic import add
from gradcli.ops.algebra.views import clone
from gradcli.table.node import RowNode
from gradcli.tensor import dtypes
from gradcli.tensor.graph import Edge, Node, NodeHooks, mode
from gradcli.tensor.leaf import AccumulateGrad
from gradcli.tensor.public import admit
from gradcli.tensor.tensor import Tensor, versions_of, wrap


def walk(
    roots: Sequence[tuple[Edge, Any]],
    keep_graph: bool,
    recorded: bool,
    wanted: Sequence[Edge] | None = None,
    accumulate: bool = True,
) -> list[Any]:
    """Runs the backward pass from `roots` (edge and gradient pairs).

    With `wanted` only what leads to those edges runs: their gradients are returned (None where
    nothing arrived), unless `accumulate` adds them to leaves instead.
    """
    was_enabled = mode.enabled
    mode.enabled = recorded
    try:
        return _walk(roots, keep_graph, recorded, wanted, accumulate)
    finally:
        mode.enabled = was_enabled


def _walk(
    roots: Sequence[tuple[Edge, Any]],
    keep_graph: bool,
    recorded: bool,
    wanted: Sequence[Edge] | None,
    accumulate: bool,
) -> list[Any]:
    starts = [edge[0] for edge, _ in roots]
    pending = _count_incoming(starts)
    needed = None if wanted is None else _leading_to(starts, [edge[0] for edge in wanted])
    captures = _positions(wanted or ())
    captured: list[Any] = [None] * len(wanted or ())
    buffers = _seeded(roots)
    heap = [(-node.sequence, id(node), node) for node, count in pending.items() if not count]
    heapq.heapify(heap)
    following: Node | None = None
    while heap or following is not None:
        # Along a chain the one ready node need not pass through the heap.
        node = heapq.heappop(heap)[2] if following is None else following
        following = None
        grads = buffers.pop(node)
        hooks = node.hooks
        if hooks is not None:
            grads = _run_tensor_hooks(hooks, grads, recorded)
        if captures and node in captures:
            for number, position in captures[node]:
                captured[position] = grads[number]
        if needed is not None and node not in needed:
            continue
        if type(node) is AccumulateGrad:
            # Capturing replaces accumulation in grad(); in backward(inputs=...) it does not.
            if accumulate:
                accumulate_grad(node, grads[0], recorded)
            continue
        outgoing = (
            node.apply(grads, recorded)
            if hooks is None
            else _apply_with_hooks(node, hooks, grads, recorded)
        )
        if not keep_graph:
            node.release()
        for successor, number, gradient in zip(  # noqa: B905 - hot
            node.successors, node.numbers, outgoing
        ):
            if successor is None:
                continue
            buffer = buffers.get(successor)
            if buffer is None:
                buffer = buffers[successor] = [None] * (1 + len(successor.others))
            if gradient is not None and (
                needed is None or successor in needed or successor in captures
            ):
                if number:
                    shape, dtype = successor.others[number - 1]
                else:
                    shape, dtype = successor.shape, successor.dtype
                array = gradient._array if recorded else gradient
                if array.shape != shape or array.dtype is not dtype:
                    gradient = fit(gradient, shape, dtype, node, recorded, successor)
                known = buffer[number]
                if known is None:
                    buffer[number] = gradient
                else:
                    buffer[number] = add(known, gradient) if recorded else known + gradient
            left = pending[successor] - 1
            pending[successor] = left
            if left:
                continue
            if following is None and not heap:
                following = successor
                continue
            if following is not None:
                heapq.heappush(heap, (-following.sequence, id(following), following))
                following = None
            heapq.heappush(heap, (-successor.sequence, id(successor), successor))
    return captured


def _positions(wanted: Sequence[Edge]) -> dict[Node, list[tuple[int, int]]]:
    """Which outputs of a node are wanted, and their places among all that are."""
    found: dict[Node, list[tuple[int, int]]] = {}
    for position, (node, number) in enumerate(wanted):
        found.setdefault(node, []).append((number, position))
    return found


def _seeded(roots: Sequence[tuple[Edge, Any]]) -> dict[Node, list[Any]]:
    """The gradients that have arrived at nodes before the walk begins."""
    buffers: dict[Node, list[Any]] = {}
    for (node, number), grad in roots:
        buffer = buffers.setdefault(node, [None] * (1 + len(node.others)))
        known = buffer[number]
        buffer[number] = grad if known is None else known + grad
    return buffers


def _count_incoming(starts: Sequence[Node]) -> dict[Node, int]:
    """How many edges of the reachable graph lead to each of its nodes."""
    pending = dict.fromkeys(starts, 0)
    stack = list(pending)
    while stack:
        for successor in stack.pop().successors:
            if successor is not None:
                known = pending.get(successor)
                if known is None:
                    pending[successor] = 1
                    stack.append(successor)
                else:
                    pending[successor] = known + 1
    return pending


def _leading_to(starts: Sequence[Node], targets: Sequence[Node]) -> set[Node]:
    """The nodes that must run for gradients to reach the targets.

    A node is needed when one of its successors is a target or needed; sinks of leaves are needed
    when they are targets themselves.
    """
    goals = set(targets)
    needed: set[Node] = {node for node in goals if type(node) is AccumulateGrad}
    entered: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(node, False) for node in starts]
    while stack:
        node, done = stack.pop()
        if done:
            if any(s is not None and (s in goals or s in needed) for s in node.successors):
                needed.add(node)
        elif node not in entered:
            entered.add(node)
            stack.append((node, True))
            stack += [(s, False) for s in node.successors if s is not None and s not in entered]
    return needed


def fit(
    gradient: Any,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    node: Node,
    recorded: bool,
    successor: Node,
) -> Any:
    """A gradient in the shape and type of its operand: undoes broadcasting and promotion.

    It goes from `node` to `successor`.
    """
    from gradcli.ops.algebra.creation import to_dtype
    from gradcli.ops.algebra.sums import sum_to

    found = gradient._array.shape if recorded else gradient.shape
    if found != shape:
        if not _expands(shape, found):
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index "
                f"{node.successors.index(successor)} - got "
                f"{list(found)} but expected shape compatible with {list(shape)}"
            )
        gradient = sum_to(gradient, shape)
    found_dtype = gradient._array.dtype if recorded else gradient.dtype
    if found_dtype != dtype:
        if found_dtype.kind == "c" and dtype.kind != "c":
            from gradcli.ops.algebra.complex import real_part

            gradient = real_part(gradient)
        if recorded:
            gradient = to_dtype(gradient, dtypes.from_numpy(dtype))
        else:
            gradient = gradient.astype(dtype, copy=False)
    return gradient


def _expands(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Whether `shape` broadcasts to `target`."""
    lead = len(target) - len(shape)
    return lead >= 0 and all(a in (1, b) for a, b in zip(shape, target[lead:], strict=True))


def accumulate_grad(sink: AccumulateGrad, grad: Any, recorded: bool) -> None:
    """Adds a gradient to the leaf of a sink."""
    if grad is None:
        return
    leaf = sink.variable
    known = leaf._grad
    if recorded:
        # PyTorch clones here, which is why a first .grad under create_graph is a copy.
        leaf._grad = clone(grad, copies=True) if known is None else add(known, grad)
    elif known is None:
        # The array may be a view of another gradient, so the leaf gets one of its own.
        leaf._grad = wrap(np.array(grad, dtype=sink.dtype))
    elif known._requires_grad:
        leaf._grad = wrap(known._array + grad)
    else:
        known._array += grad
        versions_of(known)[0] += 1
    if sink.post_accumulate:
        for hook in list(sink.post_accumulate.values()):
            admit(hook)(leaf)


def _run_tensor_hooks(hooks: NodeHooks, grads: list[Any], recorded: bool) -> list[Any]:
    """Applies pre-hooks, tensor hooks and retain_grad to the gradients of a node's outputs."""
    for number, by_id in hooks.tensor.items():
        for hook in list(by_id.values()):
            if grads[number] is not None:
                grads[number] = _hooked(hook, grads[number], recorded)
    for number, reference in hooks.retain.items():
        tensor, grad = reference(), grads[number]
        if tensor is not None and grad is not None:
            kept = grad if recorded else wrap(np.array(grad))
            tensor._grad = kept if tensor._grad is None else tensor._grad + kept
    if hooks.pre:
        tensors = tuple(_as_tensor(grad, recorded) for grad in grads)
        for hook in list(hooks.pre.values()):
            answer = admit(hook)(tensors)
            if answer is not None:
                tensors = answer if isinstance(answer, tuple) else (answer,)
        grads = [_as_value(tensor, recorded) for tensor in tensors]
    return grads


def _hooked(hook: Callable[[Any], Any], grad: Any, recorded: bool) -> Any:
    answer = admit(hook)(_as_tensor(grad, recorded))
    if answer is None:
        return grad
    if not isinstance(answer, Tensor):
        raise TypeError(
            f"hook '{getattr(hook, '__name__', '<lambda>')}' has returned an incorrect type of "
            "value (expected Tensor or None)"
        )
    return _as_value(answer, recorded)


def _apply_with_hooks(
    node: Node, hooks: NodeHooks, grads: Sequence[Any], recorded: bool
) -> Sequence[Any]:
    outgoing = node.apply(grads, recorded)
    if hooks.post:
        inputs = tuple(_as_tensor(grad, recorded) for grad in outgoing)
        outputs = tuple(_as_tensor(grad, recorded) for grad in grads)
        for hook in list(hooks.post.values()):
            answer = admit(hook)(inputs, outputs)
            if answer is not None:
                inputs = answer if isinstance(answer, tuple) else (answer,)
        outgoing = [_as_value(tensor, recorded) for tensor in inputs]
    return outgoing


def _as_tensor(grad: Any, recorded: bool) -> Any:
    return grad if recorded or grad is None else wrap(np.asarray(grad))


def _as_value(tensor: Any, recorded: bool) -> Any:
    return tensor if recorded or tensor is None else tensor._array


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Adds the gradients of `tensors` to the `grad` of leaves, as `torch.autograd.backward`.

    `grad_tensors` holds a seed per tensor (None: one, for a tensor of one element); `inputs`
    restricts the leaves.
    """
    chosen = None if inputs is None else inputs_of(inputs, "backward")
    outputs = outputs_of(tensors)
    seeds = seeds_of(grad_tensors if grad_tensors is not None else grad_variables, len(outputs))
    roots = roots_of(outputs, seeds, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    if chosen is None:
        walk(roots, keep, create_graph)
        return
    edges = [wanted_edge(tensor) for tensor in chosen]
    found = walk(roots, keep, create_graph, edges)
    for tensor, gradient in zip(chosen, found, strict=True):
        if tensor._grad_fn is not None and gradient is not None:
            value = gradient if create_graph else wrap(np.array(gradient))
            tensor._grad = value if tensor._grad is None else tensor._grad + value


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of `outputs` with respect to `inputs`, as `torch.autograd.grad`."""
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    chosen = inputs_of(inputs, "grad")
    ends = outputs_of(outputs)
    seeds = seeds_of(grad_outputs, len(ends))
    if is_grads_batched:
        return _batched(ends, chosen, seeds, create_graph, allow_unused, materialize_grads)
    roots = roots_of(ends, seeds, create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    found = walk(
        roots, keep, create_graph, [wanted_edge(tensor) for tensor in chosen], accumulate=False
    )
    answers: list[Tensor | None] = []
    for position, (tensor, gradient) in enumerate(zip(chosen, found, strict=True)):
        if gradient is None:
            if materialize_grads:
                answers.append(wrap(np.zeros_like(tensor._array)))
                continue
            if not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {position} appears to not have been used "
                    "in the graph. Set allow_unused=True if this is the desired behavior."
                )
            answers.append(None)
        else:
            answers.append(gradient if create_graph else wrap(np.array(gradient)))
    return tuple(answers)


def _batched(
    ends: list[Tensor],
    chosen: list[Tensor],
    seeds: list[Any],
    create_graph: bool,
    allow_unused: bool,
    materialize: bool,
) -> tuple[Tensor | None, ...]:
    """One pass per slice of the seeds along their first dimension, stacked."""
    from gradcli.ops.algebra.joining import stack

    firsts = [seed[0] for seed in seeds if seed is not None]
    if not firsts:
        raise ValueError(
            "vmap(vjp, in_dims=0, ...)(<inputs>): Got in_dim=0 for some input, but that input is a "
            "Tensor of dimensionality 0 so expected in_dim to satisfy 0 <= in_dim < 0."
        )
    length = next(seed._array.shape[0] for seed in seeds if seed is not None)
    rows = [
        grad(
            ends,
            chosen,
            [None if seed is None else seed[k] for seed in seeds],
            True,
            create_graph,
            allow_unused=allow_unused,
            materialize_grads=materialize,
        )
        for k in range(length)
    ]
    return tuple(
        None if column[0] is None else stack(list(column)) for column in zip(*rows, strict=True)
    )


def tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """`x.backward(gradient, retain_graph, create_graph, inputs)`."""
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


def _method(name: str) -> Any:
    return tensor_backward if name == "backward" else None


Tensor._resolvers.append(_method)

__all__ = ["RowNode", "backward", "grad", "tensor_backward", "walk"]

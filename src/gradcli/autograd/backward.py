"""The backward walk: from outputs to leaves, iteratively, youngest node first.

An ordinary pass carries raw NumPy arrays along the edges and makes no tensor before a leaf is
reached; under `create_graph` the same formulas run on tensors and are recorded.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcli.autograd.arguments import (
    flags_of,
    inputs_of,
    outputs_of,
    roots_of,
    seeds_of,
    wanted_edge,
)
from gradcli.autograd.fitting import fit, named
from gradcli.autograd.hooks import after_leaf, apply_with_hooks, before_node
from gradcli.ops.algebra.arithmetic import add
from gradcli.ops.algebra.views import clone
from gradcli.table.node import RowNode
from gradcli.tensor.graph import Edge, Node, mode
from gradcli.tensor.leaf import AccumulateGrad
from gradcli.tensor.shapes import is_dense, refuse_coinciding
from gradcli.tensor.tensor import Tensor, versions_of, wrap
from gradcli.tensor.warn import CREATES_GRAPH, warn
from gradcli.typing import Array


def walk(
    roots: Sequence[tuple[Edge, Any]],
    keep_graph: bool,
    recorded: bool,
    wanted: Sequence[Edge | None] | None = None,
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
    wanted: Sequence[Edge | None] | None,
    accumulate: bool,
) -> list[Any]:
    starts = [edge[0] for edge, _ in roots]
    pending = _count_incoming(starts)
    needed = None if wanted is None else _leading_to(starts, [edge[0] for edge in wanted if edge])
    captures = _positions(wanted or ())
    if needed is not None and accumulate:
        needed |= captures.keys()
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
            grads = before_node(hooks, grads, recorded)
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
            else apply_with_hooks(node, hooks, grads, recorded)
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
                    words = partial(named, node, outgoing, gradient, successor)
                    gradient = fit(gradient, shape, dtype, recorded, words)
                known = buffer[number]
                if known is None:
                    buffer[number] = gradient
                else:
                    plain = not recorded and dtype.kind != "c"
                    buffer[number] = known + gradient if plain else add(known, gradient)
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


def _positions(wanted: Sequence[Edge | None]) -> dict[Node, list[tuple[int, int]]]:
    """Which outputs of a node are wanted, and their places among all that are."""
    found: dict[Node, list[tuple[int, int]]] = {}
    for position, edge in enumerate(wanted):
        if edge is not None:
            found.setdefault(edge[0], []).append((edge[1], position))
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


def accumulate_grad(sink: AccumulateGrad, grad: Any, recorded: bool) -> None:
    """Adds a gradient to the leaf of a sink."""
    if grad is None:
        return
    leaf = sink.variable
    if not leaf.requires_grad:
        return  # it did when the graph was made
    known = leaf._grad
    if recorded:
        # PyTorch copies here, which is why a first .grad under create_graph has a node of its own.
        if known is None:
            copies = is_dense(leaf._array)
            leaf._grad = clone(grad, copies)
            if copies:
                versions_of(leaf._grad)[0] += 1  # it writes to an empty tensor
        else:
            leaf._grad = add(known, grad)
    elif known is None:
        # The array may be a view of another gradient, so the leaf gets one of its own.
        leaf._grad = wrap(_laid_out_like(leaf._array, grad, sink.dtype))
    else:
        refuse_coinciding(known._array)
        known._array += grad
        versions_of(known)[0] += 1
    if sink.post_accumulate:
        after_leaf(sink.post_accumulate, leaf)


def _laid_out_like(array: Array, values: Any, dtype: np.dtype[Any]) -> Array:
    """A copy of values whose elements lie in memory as those of a dense array do, else in order."""
    if array.flags.c_contiguous or array.shape != values.shape or not is_dense(array):
        return np.array(values, dtype=dtype, order="C")
    made = np.empty_like(array, dtype=dtype)
    made[...] = values
    return made


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
    seeds = grad_tensors if grad_tensors is not None else grad_variables
    accumulate(tensors, seeds, retain_graph, create_graph, inputs, warns=True)


def accumulate(
    tensors: Any,
    grad_tensors: Any,
    retain_graph: bool | None,
    create_graph: bool,
    inputs: Any,
    warns: bool = False,
) -> None:
    """The same; only with `warns` are there PyTorch's words about graphs that refer to leaves."""
    chosen = None if inputs is None else inputs_of(inputs, "backward")
    outputs = outputs_of(tensors)
    seeds = seeds_of(grad_tensors, len(outputs))
    roots = roots_of(outputs, seeds, create_graph)
    keep, create_graph = flags_of(retain_graph, create_graph)
    if create_graph and warns:
        warn(CREATES_GRAPH, once=True)
    if chosen is None:
        walk(roots, keep, create_graph)
        return
    for tensor in chosen:
        tensor.retain_grad()
    walk(roots, keep, create_graph, [wanted_edge(tensor) for tensor in chosen])


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
    keep, create_graph = flags_of(retain_graph, create_graph)
    found = walk(
        roots, keep, create_graph, [wanted_edge(tensor) for tensor in chosen], accumulate=False
    )
    answers: list[Tensor | None] = []
    for position, (tensor, gradient) in enumerate(zip(chosen, found, strict=True)):
        if gradient is None:
            if materialize_grads:
                answers.append(wrap(np.zeros_like(tensor._array), requires_grad=create_graph))
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


def run_node(node: Node, *grads: Any) -> Any:
    """`node(gradient of each output)`: the gradients that it passes on, of whatever shape.

    Raises:
        TypeError: there are more or fewer than outputs, or one is no tensor.
    """
    if len(grads) != len(node.outputs):
        raise TypeError(f"expected {len(node.outputs)} arguments, got {len(grads)} instead")
    for number, gradient in enumerate(grads):
        if not (gradient is None or isinstance(gradient, Tensor)):
            raise TypeError(f"argument {number} is not a Variable")
    if isinstance(node, AccumulateGrad):
        gradient = grads[0] if mode.enabled or grads[0] is None else grads[0]._array
        accumulate_grad(node, gradient, mode.enabled)
        return ()
    found = tuple(node.apply(grads, True))
    return found[0] if len(found) == 1 else found


def tensor_backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """`x.backward(gradient, retain_graph, create_graph, inputs)`."""
    backward(self, gradient, retain_graph, create_graph, inputs=inputs)


tensor_backward.__qualname__ = "Tensor.backward"  # as errors show it


def _method(name: str) -> Any:
    return tensor_backward if name == "backward" else None


Tensor._resolvers.append(_method)
Node._run = run_node

__all__ = ["RowNode", "accumulate", "backward", "grad", "tensor_backward", "walk"]

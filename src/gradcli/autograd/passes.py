"""The backward walk: from outputs to leaves, iteratively, youngest node first.

An ordinary pass carries raw NumPy arrays along the edges and makes no tensor before a leaf is
reached; under `create_graph` the same formulas run on tensors and are recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from importlib import import_module
from operator import attrgetter
from typing import Any, Final

import numpy as np

from gradcli.autograd.arguments import (
    flags_of,
    inputs_of,
    outputs_of,
    refuse_implicit,
    roots_of,
    seeds_of,
    wanted_edge,
)
from gradcli.autograd.fitting import fit, named
from gradcli.autograd.hooks import after_leaf, apply_with_hooks, before_node
from gradcli.ops.algebra.arithmetic import add
from gradcli.ops.algebra.views import clone
from gradcli.table.node import RowNode
from gradcli.tensor.graph import FIRST, Detector, Edge, Node, mode
from gradcli.tensor.leaf import AccumulateGrad, contents
from gradcli.tensor.shapes import Size, is_dense, refuse_coinciding
from gradcli.tensor.tensor import Tensor, versions_of, wrap
from gradcli.tensor.warn import CREATES_GRAPH, warn
from gradcli.typing import Array

_AGE: Final = attrgetter("sequence")


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
        found = _walk(roots, keep_graph, _on_tensors(recorded), wanted, accumulate)
        while mode.ending:
            mode.ending.pop()()
        return found
    finally:
        mode.ending.clear()
        mode.enabled = was_enabled


def _on_tensors(recorded: bool) -> bool:
    """Whether formulas run on tensors: where they are recorded, or gradients may move."""
    return recorded or mode.forward is not None


def _walk(
    roots: Sequence[tuple[Edge, Any]],
    keep_graph: bool,
    recorded: bool,
    wanted: Sequence[Edge | None] | None,
    accumulate: bool,
) -> list[Any]:
    starts = [edge[0] for edge, _ in roots]
    order, waiting = _by_age(starts)
    captures, captured = _positions(wanted or ()), [None] * len(wanted or ())
    needed = None if wanted is None else _leading_to(starts, captures)
    reach = None if needed is None else needed | captures.keys()
    if accumulate:
        needed = reach
    if reach is not None and len(roots) > 1:
        # As in PyTorch, where the hooks of a single root hear of its gradient in any case.
        roots = [root for root in roots if root[0][0] in reach]
    buffers, detector = _seeded(roots), mode.detector
    while order:
        node = order.pop()
        grads = buffers.pop(node, None)
        if grads is None:
            continue  # nothing that is wanted lies behind it
        hooks = node.hooks
        if needed is not None:
            runs = node in needed
            if hooks is not None and not runs:
                grads = before_node(hooks, grads, recorded)
            for number, position in captures.get(node, ()):
                captured[position] = grads[number]  # of a node that runs before its hooks do
            if not runs:
                continue
        if detector is not None:
            outgoing = _watched(detector, node, grads, recorded)
        elif hooks is None:
            outgoing = node.apply(grads, recorded)
        else:
            outgoing = apply_with_hooks(node, hooks, grads, recorded)
        if not keep_graph:
            node.release()
        youngest = len(order)
        for successor, number, gradient in zip(  # noqa: B905 - hot
            node.successors, node.numbers, outgoing
        ):
            if successor is None or (reach is not None and successor not in reach):
                continue
            if gradient is not None and (number or type(gradient) is not successor.scalar):
                array = contents(gradient) if recorded else gradient
                if number or array.shape != successor.shape or array.dtype is not successor.dtype:
                    words = partial(named, node, outgoing, gradient, successor)
                    gradient = fit(gradient, *successor.outputs[number], recorded, words)
            buffer = buffers.get(successor)
            if buffer is None:
                buffers[successor] = buffer = [gradient]
                if successor.others:
                    buffer[:] = [None] * len(successor.outputs)
                    buffer[number] = gradient
            elif gradient is not None:
                known = buffer[number]
                if known is None:
                    buffer[number] = gradient
                elif recorded or gradient.dtype.kind == "c":
                    buffer[number] = add(known, gradient)
                else:
                    buffer[number] = known + gradient
            if successor in waiting:
                left = waiting[successor] = waiting[successor] - 1
                if not left:
                    order.insert(youngest, successor)
    return captured


def _watched(detector: Detector, node: Node, grads: list[Any], recorded: bool) -> Sequence[Any]:
    """The gradients that a node passes on while anomalies are looked for."""
    try:
        outgoing = apply_with_hooks(node, node.node_hooks(), grads, recorded)
    except RuntimeError as error:
        raise detector.failed(node, error) from error.__cause__
    detector.check(node, outgoing)
    return outgoing


def _by_age(starts: Sequence[Node]) -> tuple[list[Node], dict[Node, int]]:
    """The reachable nodes, oldest first, and how many edges lead to each that is not among them.

    An operand is older than what is made of it, so that age alone orders the graph. Only nodes that
    come `FIRST` run as soon as all has arrived.
    """
    waiting: dict[Node, int] = {}
    order = list(dict.fromkeys(starts))
    known = set(order)
    for node in order:
        for successor in node.successors:
            if successor is not None:
                if successor.sequence == FIRST:
                    waiting[successor] = waiting.get(successor, 0) + 1
                if successor not in known:
                    known.add(successor)
                    order.append(successor)
    order.sort(key=_AGE)
    ready = []
    while order and order[-1].sequence == FIRST:
        node = order.pop()
        if node not in waiting:
            ready.append(node)
    return order + ready, waiting


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


def _leading_to(starts: Sequence[Node], goals: Collection[Node]) -> set[Node]:
    """The nodes that must run for gradients to reach some others: those of which a successor is
    one of these or must run.
    """
    needed: set[Node] = set()
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
    if recorded and not mode.enabled:
        # Forward mode: a first gradient is detached, to others is added in place.
        if known is not None and mode.forward is not None:
            mode.forward.changed(known, add(known, grad))
        grad, recorded = grad._array, False
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
        # An array may be a view of another gradient, so the leaf gets one of its own.
        leaf._grad = wrap(
            grad if type(grad) is sink.scalar else _laid_out_like(leaf._array, grad, sink.dtype)
        )
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
    if mode.transforms:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use "
            "functorch.grad or functorch.vjp instead or call backward() outside of functorch "
            "transforms."
        )
    chosen = None if inputs is None else inputs_of(inputs, "backward")
    outputs = outputs_of(tensors)
    seeds = seeds_of(grad_tensors, len(outputs))
    roots = roots_of(outputs, seeds, _on_tensors(create_graph))
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
    options = {
        "retain_graph": retain_graph,
        "create_graph": create_graph,
        "allow_unused": allow_unused,
        "materialize_grads": materialize_grads,
    }
    if is_grads_batched:
        return _batched(ends, chosen, seeds, options)
    if mode.level is not None:
        return tuple(mode.level.differentiate(ends, chosen, seeds, options))
    roots = roots_of(ends, seeds, _on_tensors(create_graph))
    keep, create_graph = flags_of(retain_graph, create_graph)
    found = walk(
        roots, keep, create_graph, [wanted_edge(tensor) for tensor in chosen], accumulate=False
    )
    return _answers(chosen, found, create_graph, allow_unused, materialize_grads)


def _answers(
    chosen: list[Tensor],
    found: list[Any],
    create_graph: bool,
    allow_unused: bool,
    materialize: bool,
) -> tuple[Tensor | None, ...]:
    """What a pass found, as tensors."""
    answers: list[Tensor | None] = []
    for position, (tensor, gradient) in enumerate(zip(chosen, found, strict=True)):
        if gradient is None:
            if materialize:
                answers.append(wrap(np.zeros_like(tensor._array), requires_grad=create_graph))
                continue
            if not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {position} appears to not have been used "
                    "in the graph. Set allow_unused=True if this is the desired behavior."
                )
            answers.append(None)
        elif type(gradient) is Tensor:
            answers.append(gradient)
        else:
            answers.append(wrap(np.array(gradient)))
    return tuple(answers)


def pull(
    ends: Sequence[Tensor], chosen: Sequence[Tensor], seeds: Sequence[Any], options: dict[str, Any]
) -> tuple[Tensor | None, ...]:
    """`grad` with seeds that are batched, and a graph that is not: formulas run on tensors."""
    keep, create_graph = flags_of(options["retain_graph"], options["create_graph"])
    roots = roots_of(ends, seeds, True)
    wanted = [wanted_edge(tensor) for tensor in chosen]
    was_enabled = mode.enabled
    mode.enabled = create_graph
    try:
        found = _walk(roots, True, True, wanted, False)
    finally:
        mode.enabled = was_enabled
    if not keep:
        for node in _by_age([edge[0] for edge, _ in roots])[0]:
            node.release()
    unused, materialize = options["allow_unused"], options["materialize_grads"]
    return _answers([*chosen], found, create_graph, unused, materialize)


BATCHED: Final = "gradcli.readings.batched.mapping"
"""Runs passes with batches of gradients, above this layer."""


def _batched(
    ends: list[Tensor], chosen: list[Tensor], seeds: list[Any], options: dict[str, Any]
) -> tuple[Tensor | None, ...]:
    """One pass for all slices of the seeds along their first dimension, stacked."""
    for position, (end, seed) in enumerate(zip(ends, seeds, strict=True)):
        if seed is None:
            refuse_implicit(end)
        elif seed[0].shape != end.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output "
                "as the batch dimension. The sizes of the remaining dimensions are expected to "
                "match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{position}] has a shape of {Size(seed.shape[2:])!r} and "
                f"output[{position}] has a shape of {end.shape!r}. If you only want some tensors "
                "in `grad_output` to be considered batched, consider using vmap."
            )
    sizes = [seed.shape[0] for seed in seeds if seed is not None]
    if len(sizes) < len(seeds):
        raise ValueError(
            "vmap(vjp, in_dims=0, ...)(<inputs>): Got in_dim=0 for some input, but that input is a "
            "Tensor of dimensionality 0 so expected in_dim to satisfy 0 <= in_dim < 0."
        )
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    whole = options | {"materialize_grads": False}
    found: Sequence[Tensor | None] = import_module(BATCHED).by_rows(ends, chosen, seeds, whole)
    create_graph, materialize = options["create_graph"], options["materialize_grads"]
    return _answers(chosen, [*found], create_graph, True, materialize)


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


Tensor._resolvers.insert(0, _method)  # asked before the table, which a name that is nowhere loads
Node._run = run_node
AccumulateGrad._accumulate = accumulate_grad

__all__ = ["RowNode", "accumulate", "backward", "grad", "tensor_backward", "walk"]

"""What a backward pass is given: tensors, seeds and where gradients are wanted, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import index
from typing import Any

import numpy as np

from gradcli.autograd.fitting import fit
from gradcli.tensor.graph import Edge, StandIn
from gradcli.tensor.public import word_of
from gradcli.tensor.tensor import Tensor, bare, edge_of, wrap


def _listed(given: Any, refuse: Callable[[Any], None]) -> list[Any]:
    """The tensors of a list, of anything that can be iterated over, or a tensor alone.

    `refuse` raises for what is no tensor and may not stand for one; it is asked element by element,
    so that nobody has to hold a giant of others.
    """
    if isinstance(given, Tensor | StandIn):
        given = (given,)
    if not hasattr(given, "__iter__"):
        raise TypeError(f"'{word_of(given)}' object is not iterable")
    found = []
    for item in given:
        if isinstance(item, StandIn):
            item = item.stand_in()
        elif not isinstance(item, Tensor):
            refuse(item)
        found.append(item)
    return found


def _refuse_output(_: Any) -> None:
    raise AssertionError("Expected output to be a torch.Tensor")


def outputs_of(given: Any) -> list[Tensor]:
    """What is differentiated."""
    return _listed(given, _refuse_output)


def _refuse_input(item: Any) -> None:
    raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {word_of(item)}")


def _refuse_seed(item: Any) -> None:
    if item is not None:
        raise TypeError(f"gradients can be either Tensors or None, but got {word_of(item)}")


def inputs_of(given: Any, caller: str) -> list[Tensor]:
    """What gradients are wanted for."""
    chosen = _listed(given, _refuse_input)
    if not chosen:
        raise RuntimeError(f"`inputs` argument to `{caller}()` cannot be empty.")
    return chosen


def wanted_edge(tensor: Tensor) -> Edge | None:
    """Where the gradient of a tensor arrives; nowhere if it is a view made without history."""
    if not tensor.requires_grad:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    node, number = edge_of(tensor)
    return None if node is None else (node, number)


def seeds_of(given: Any, count: int) -> list[Any]:
    """The gradients that a pass begins with, None where there is one of one."""
    if given is None:
        return [None] * count
    return _listed(given, _refuse_seed)


def flags_of(retain_graph: Any, create_graph: Any) -> tuple[bool, bool]:
    """Whether the graph is kept, and whether the pass is recorded.

    Raises:
        TypeError: a flag is no whole number.
    """
    keep = create_graph if retain_graph is None else retain_graph
    try:
        return bool(index(keep)), bool(index(create_graph))
    except TypeError as error:
        raise TypeError(str(error)) from None


def roots_of(
    outputs: Sequence[Tensor], seeds: Sequence[Any], create_graph: bool
) -> list[tuple[Edge, Any]]:
    """Edges of the outputs with their seeds, checked."""
    made = [
        _seed(k, *pair, create_graph) for k, pair in enumerate(zip(outputs, seeds, strict=False))
    ]
    if len(made) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(made)} gradients")
    roots: list[tuple[Edge, Any]] = []
    for position, (output, seed) in enumerate(zip(outputs, made, strict=True)):
        node, number = edge_of(output)
        if node is None:
            raise RuntimeError(
                f"element {position} of tensors does not require grad and does not have a grad_fn"
            )
        if seed is not None:
            shape, dtype = node.outputs[number]
            words = f"invalid gradient at index {position}".format
            fitted = fit(seed, shape, dtype, create_graph, words)
            roots.append(((node, number), fitted))
    return roots


def refuse_implicit(output: Tensor) -> None:
    """Refuses an output that does not tell its gradient; RuntimeError says why."""
    if output._array.size != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    refuse_complex(output)


def refuse_complex(output: Tensor) -> None:
    """Refuses an output of which an element has no slope; RuntimeError says so."""
    if output._array.dtype.kind == "c":
        raise RuntimeError(
            f"grad can be implicitly created only for real scalar outputs but got {output.dtype!r}"
        )


def _seed(position: int, output: Tensor, seed: Any, create_graph: bool) -> Any:
    array = output._array
    if seed is None:
        if not output.requires_grad:
            return None
        refuse_implicit(output)
        seed = wrap(np.ones_like(array) if array.ndim else array.dtype.type(1))
    elif seed._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{position}] has a shape of {seed.shape!r} and "
            f"output[{position}] has a shape of {output.shape!r}."
        )
    elif (seed._array.dtype.kind == "c") != (array.dtype.kind == "c"):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{position}] has a dtype of {seed.dtype!r} and "
            f"output[{position}] has a dtype of {output.dtype!r}."
        )
    if seed._array.dtype != array.dtype:
        from gradcli.ops.algebra.creation import to_dtype

        seed = to_dtype(seed, output.dtype)
    return seed if create_graph else bare(seed)

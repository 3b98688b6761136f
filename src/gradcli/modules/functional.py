"""Modules as functions of their parameters: `torch.func.functional_call` and its like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradcli.modules.module import Module
from gradcli.ops.algebra.joining import stack
from gradcli.tensor.public import word_of
from gradcli.tensor.tensor import Tensor

State = Mapping[str, Tensor]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: State | Sequence[State],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """What a module computes with other tensors in the place of its parameters and buffers.

    Raises:
        ValueError: several dictionaries have one name.
        RuntimeError: `strict`, and names are missing or unknown.
        AttributeError: `module` is none.
    """
    if not isinstance(module, Module):
        raise AttributeError(f"'{word_of(module)}' object has no attribute 'named_parameters'")
    state = _joined(parameter_and_buffer_dicts)
    places = {
        f"{path}.{name}" if path else name: (group, name)
        for path, inner in module.named_modules()
        for group in inner._groups()[:2]
        for name in group
    }
    if strict:
        _check(module, state, places)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    before = []
    try:
        for name, tensor in state.items():
            if name in places:
                group, short = places[name]
                before.append((group, short, group[short]))
                group[short] = tensor
        return module(*arguments, **(kwargs or {}))
    finally:
        for group, short, tensor in reversed(before):
            group[short] = tensor


def _joined(given: Any) -> dict[str, Tensor]:
    """One dictionary of several."""
    if isinstance(given, dict):
        return given
    if not (isinstance(given, list | tuple) and all(isinstance(part, dict) for part in given)):
        raise ValueError(
            "Expected all elements of parameter_and_buffer_dicts to be dictionaries"
            if isinstance(given, list | tuple)
            else "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but "
            f"got {word_of(given)}"
        )
    repeated = sorted(
        {
            name
            for k, part in enumerate(given)
            for other in given[:k]
            for name in part
            if name in other
        }
    )
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is "
            "ambiguous"
        )
    return {name: tensor for part in given for name, tensor in part.items()}


def _check(module: Module, state: State, places: Mapping[str, Any]) -> None:
    faults = []
    for what, names in (
        ("Unexpected", [name for name in state if name not in places]),
        ("Missing", [name for name in places if name not in state]),
    ):
        if names:
            quoted = ", ".join([f"'{name}'" for name in names])
            faults.append(f"{what} key(s): {quoted}.")
    if faults:
        listed = "\n\t".join(faults)
        raise RuntimeError(f"Error(s) in reparametrizing for {word_of(module)}:\n\t{listed}")


def stack_module_state(
    models: Sequence[Module],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters of several modules of one kind, stacked by name, and their buffers.

    Raises:
        RuntimeError: there are none, some are in training and others not, or they are of several
            classes.
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    parameters = [dict(model.named_parameters()) for model in models]
    buffers = [dict(model.named_buffers()) for model in models]
    found = {}
    for name, first in parameters[0].items():
        column = [each[name].detach() for each in parameters]
        found[name] = stack(column, 0).requires_grad_(first.requires_grad)
    return found, {name: stack([each[name] for each in buffers], 0) for name in buffers[0]}

"""Examples of functions from their samples in the operator table: as commands, as graphs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from gradcli.language.allowed.builtins import PYTHON
from gradcli.random.generator import default_generator
from gradcli.table.entry import Composite, Entry
from gradcli.table.functions import Attribute
from gradcli.table.node import RowNode
from gradcli.table.registry import lookup_method
from gradcli.table.row import Row
from gradcli.table.samples import Fixed, Sampler
from gradcli.tensor.tensor import Tensor, wrap

_SPELLED = ("float64", "complex128", "int64", "bool")
"""The types that lists of numbers become in the command line, single or double."""
_VARIABLES = "xyzuvwabcdefgh"
_CORNER: Final = 2
"""Elements along each dimension of an example, where that makes sense."""


def example(name: str, entry: Entry) -> str | None:
    """A command that calls the function with the smallest of its own plain samples."""
    if entry.samples is None:
        return None
    calls = sorted(entry.samples(Sampler()), key=_weight)
    for call in calls:
        text = _command(name, entry, _smaller(entry, call))
        if text is not None:
            return text
    return None


def recorded(entry: Composite) -> list[Row]:
    """The differentiable rows that the samples of a composition record, the last one first."""
    found: dict[Row, None] = {}
    for call in entry.samples(Sampler()):
        waiting = [value.grad_fn for value in _tensors(_outcome(entry, call))]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if isinstance(node, RowNode) and id(node) not in seen:
                seen.add(id(node))
                if isinstance(node.row, Row):
                    found[node.row] = None
                waiting += [edge for edge in reversed(node.successors) if edge is not None]
    return list(found)


def _smaller(entry: Entry, call: Sequence[Any]) -> Sequence[Any]:
    """A call on corners of its arrays, where the function takes them; else the call itself."""
    cropped = _mapped(call, lambda array: array[(*(slice(_CORNER),) * array.ndim, ...)])
    return call if _outcome(entry, cropped) is None else cropped


def _outcome(entry: Entry, call: Sequence[Any]) -> Any:
    """What a call of an entry gives, None where it is refused; random streams stay as they are."""
    *args, keywords = call if call and isinstance(call[-1], dict) else (*call, {})
    before = default_generator.get_state()
    try:
        bound = entry.signature.bind(_mapped(args, _leaf), _mapped(keywords, _leaf), False)
        with warnings.catch_warnings(action="ignore"):
            return entry(*bound)
    except Exception:
        return None
    finally:
        default_generator.set_state(before)


def _leaf(array: Any) -> Tensor:
    return wrap(np.array(array), requires_grad=_is_differentiated(array))


def _is_differentiated(array: Any) -> bool:
    return array.dtype.kind in "fc" and not isinstance(array, Fixed)


def _mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """A call with its arrays replaced."""
    if isinstance(value, np.ndarray):
        return function(value)
    if isinstance(value, dict):
        return {key: _mapped(item, function) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_mapped(item, function) for item in value)
    return value


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    return [t for item in value for t in _tensors(item)] if isinstance(value, list | tuple) else []


def _weight(call: Sequence[Any]) -> tuple[bool, bool, int]:
    arrays = _arrays(call)
    sizes = [value.size for value in arrays]
    # Corners such as nan and arguments that are no floats tell a newcomer little.
    corner = not all(value.dtype.kind == "f" and np.isfinite(value).all() for value in arrays)
    return not sizes or 0 in sizes or sum(sizes) < 2, corner, sum(sizes)


def _arrays(call: Any) -> list[Any]:
    found = []
    for value in call:
        if isinstance(value, np.ndarray):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _arrays(value)
    return found


def _spoken(name: str) -> str:
    """The shortest way to write a function of `torch` that means nothing else."""
    if name.startswith("nn.functional."):
        return name.replace("nn.functional.", "F.")
    return f"torch.{name}" if "." in name or name in PYTHON else name


def _can_be_spelled(call: Sequence[Any]) -> bool:
    """Whether a command line has a way to write the arguments: no functions, no rare types."""
    return all(array.dtype.name in _SPELLED for array in _arrays(call)) and not any(
        callable(value) for value in call
    )


def _command(name: str, entry: Entry, call: Sequence[Any]) -> str | None:
    *args, keywords = call if call and isinstance(call[-1], dict) else (*call, {})
    if not _can_be_spelled(call):
        return None
    options: list[str] = []
    # A leaf that requires grad must not be changed.
    changed = args[0] if name.endswith("_") else None

    def spell(value: Any) -> str:
        if isinstance(value, np.ndarray):
            variable = _VARIABLES[len(options)]
            rounded = np.round(value, 1) if value.dtype.kind in "fc" else value
            text = str(rounded.tolist()).replace(" ", "")
            if value.dtype.kind == "f" and value is not changed and not isinstance(value, Fixed):
                options.append(f'--{variable} "{text}"')
            else:
                options.append(f'--const "{variable}={text}"')
            return variable
        if isinstance(value, (list, tuple)):
            inner = ", ".join(spell(item) for item in value)
            return (
                f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
            )
        return repr(value)

    positional = entry.signature.positional
    words = [spell(value) for value in args]
    words[positional:] = [
        f"{parameter.name}={word}"
        for parameter, word in zip(
            entry.signature.parameters[positional:], words[positional:], strict=False
        )
    ]
    if name.startswith("Tensor."):
        short = name.removeprefix("Tensor.")
        first, *parts = words
        head = f"{first}.{short}"
        if isinstance(lookup_method(short), Attribute):
            return " ".join([f'gradcli eval "{head}"', *options])
    else:
        head, parts = _spoken(name), words
    parts += [f"{key}={spell(value)}" for key, value in keywords.items() if value is not None]
    if changed is not None and changed.dtype.kind == "f":
        options.append("--dtype float64")
    if len(options) > len(_VARIABLES):
        return None
    return " ".join([f'gradcli eval "{head}({", ".join(parts)})"', *options])

"""What a tensor library answers to a call, in plain values: PyTorch and this project alike."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from gradcli.table.samples import Fixed
from gradcli.tensor.dtypes import INEXACT

Array = np.ndarray[Any, Any]
Answer = dict[str, Any]

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+|\b(?:inf|nan)\b)")
_INTERNAL = re.compile("INTERNAL ASSERT|undefined Tensor|tensor does not have a device")
"""What PyTorch says where it is the one at fault: no user is told that."""
_MISFITS = re.compile("failed to match any schema|Declaration: aten::")


class Unasked(Exception):
    """PyTorch's operator does not take the arguments of the entry with its name."""


class Engine(Protocol):
    """A tensor library."""

    torch: Any
    """The module that PyTorch's names live in."""

    def leaf(self, array: Array, wants: bool) -> Any:
        """A tensor with the values of an array."""

    def array(self, tensor: Any) -> Array:
        """The values of a tensor."""

    def argument(self, value: Any) -> Any:
        """An argument that is neither an array nor a container, as the library has it."""

    def shown(self, dtype: str, shape: tuple[int, ...], values: Any = None, **facts: Any) -> str:
        """How a tensor prints.

        Instead of values there may be the `start` and `step` of a range. Other facts are the
        `default` type, print `options`, `requires_grad` and the name of its `grad_fn`.
        """


class Detail(NamedTuple):
    """How much to tell about the outputs of a call and about gradients under `create_graph`."""

    outputs: int = 5
    """How many nodes behind those of the outputs are told."""
    gradients: int = 0
    """The same of gradients."""
    facts: tuple[str, ...] = ("requires_grad", "_is_view", "is_contiguous")
    """What else is told, of gradients if nodes behind theirs are."""
    weights: bool = False
    """Whether the weights of the sum that is differentiated want gradients."""
    second: bool = True
    """Whether second derivatives are asked for."""


def arguments(engine: Engine, value: Any, made: list[Any]) -> Any:
    """Arguments with tensors in the place of arrays; `made` receives those that want gradients."""
    if isinstance(value, np.ndarray):
        wants = value.dtype.kind in INEXACT and not isinstance(value, Fixed)
        tensor = engine.leaf(np.array(value), wants)
        if tensor.requires_grad:
            made.append(tensor)
        return tensor
    if type(value) in (list, tuple):
        return type(value)(arguments(engine, item, made) for item in value)
    if isinstance(value, dict):
        return {key: arguments(engine, item, made) for key, item in value.items()}
    return engine.argument(value)


def describe(
    engine: Engine,
    call: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    *,
    digits: int,
    order: int,
    detail: Detail | None = None,
) -> Answer:
    """The outputs of a call, gradients of a weighted sum, and theirs; or the error.

    With `order` 2 gradients are asked for twice: as they are, and `recorded` under `create_graph`,
    with their nodes and the second derivatives. Numbers are rounded to so many `digits`. With a
    `detail`, more is told; then types and shapes of recorded gradients are, and each of them is
    differentiated on its own.
    """
    leaves: list[Any] = []
    engine.torch.manual_seed(0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        given = arguments(engine, list(args), leaves)
        named = arguments(engine, kwargs, leaves)
        try:
            value = call(*given, **named)
        except Exception as error:
            if _MISFITS.search(str(error)):
                raise Unasked(str(error).split("\n")[0]) from error
            return {"error": refusal(error)}
        found = list(_flat(value))
        tensors = [item for item in found if isinstance(item, engine.torch.Tensor)]
        depth, facts = (detail.outputs, detail.facts) if detail else (0, ())
        answer: Answer = {
            "outputs": [
                _output(engine, item, digits, depth, facts)
                if isinstance(item, engine.torch.Tensor)
                else _text(item)
                for item in found
            ]
        }
        if isinstance(value, (tuple, list)):
            answer["kind"] = type(value).__name__
        wanted = [tensor for tensor in tensors if tensor.requires_grad]
        if not (wanted and leaves and order):
            return answer
        return answer | _derivatives(engine, wanted, leaves, digits, order, detail)


def _derivatives(
    engine: Engine,
    outputs: list[Any],
    leaves: list[Any],
    digits: int,
    order: int,
    detail: Detail | None,
) -> Answer:
    grad = engine.torch.autograd.grad
    try:
        plain = grad(outputs, leaves, _seeds(engine, outputs), retain_graph=True, allow_unused=True)
        if order == 1:
            return {"gradients": [_values(engine, slope, digits) for slope in plain]}
        seeds = _seeds(engine, outputs, bool(detail and detail.weights))
        slopes = grad(outputs, leaves, seeds, create_graph=True, allow_unused=True)
    except Exception as error:
        return {"gradients": refusal(error)}
    made: Answer = {
        "gradients": [_values(engine, slope, digits) for slope in plain],
        "recorded": [
            None if slope is None else _recorded(engine, slope, digits, detail) for slope in slopes
        ],
    }
    bent = [slope for slope in slopes if slope is not None and slope.requires_grad]
    if not bent or (detail and not detail.second):
        return made

    def second(*tensors: Any) -> list[Any]:
        seeds = _seeds(engine, tensors)
        try:
            found = grad(tensors, leaves, seeds, retain_graph=True, allow_unused=True)
        except Exception as error:
            return refusal(error)
        return [_values(engine, one, digits) for one in found]

    return made | {"second": [second(slope) for slope in bent] if detail else second(*bent)}


def _recorded(engine: Engine, slope: Any, digits: int, detail: Detail | None) -> list[Any]:
    """A gradient and its node."""
    if detail is None:
        return [_values(engine, slope, digits), _node(slope.grad_fn)]
    depth = detail.gradients
    return _output(engine, slope, digits, depth, detail.facts if depth else ())


def _seeds(engine: Engine, tensors: Sequence[Any], want: bool = False) -> list[Any]:
    """Weights of no special structure, one per element of each tensor."""
    seeds = []
    for tensor in tensors:
        array = engine.array(tensor)
        weights = np.cos(np.arange(array.size) + 1.0).reshape(array.shape)
        seeds.append(engine.leaf(weights.astype(array.dtype), want))
    return seeds


def refusal(error: Exception) -> list[str]:
    """The type of an error and the first line of its message."""
    return [type(error).__name__, str(error).split("\n")[0]]


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)) and type(value).__name__ != "Size":
        for item in value:
            yield from _flat(item)
    else:
        yield value


def _text(value: Any) -> str:
    return repr(value) if not isinstance(value, float) else f"{value:.9g}"


def _output(
    engine: Engine, tensor: Any, digits: int, depth: int, facts: Sequence[str]
) -> list[Any]:
    """Type, shape, node with those behind it, values, facts."""
    told = [getattr(tensor, fact) for fact in facts]
    return [
        str(tensor.dtype).removeprefix("torch."),
        list(tensor.shape),
        _node(tensor.grad_fn, depth),
        _values(engine, tensor, digits),
        *([[fact() if callable(fact) else fact for fact in told]] if told else []),
    ]


def _node(node: Any, depth: int = 0) -> str | None:
    """The name of a node, and of those behind it to a depth."""
    if node is None:
        return None
    behind = [_node(after, depth - 1) for after, _ in node.next_functions] if depth else []
    return f"{node.name()}({', '.join(map(str, behind))})" if behind else str(node.name())


def _values(engine: Engine, tensor: Any, digits: int) -> list[Any] | None:
    """The elements; of complex ones both parts, one after the other."""
    if tensor is None:
        return None
    array = engine.array(tensor)
    if array.dtype.kind == "c":
        array = np.stack([array.real, array.imag], -1)
    return [_number(value, digits) for value in array.ravel().tolist()]


def _number(value: Any, digits: int) -> Any:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return str(value)
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) and abs(rounded) < 1e15 else rounded


def printed(engine: Engine, program: str) -> Answer:
    """What a program prints, and its error.

    `name(x)` is the full name of a tensor's node; `exact(x)` tells different arrays apart.
    """

    def name(tensor: Any) -> str | None:
        return _node(tensor.grad_fn)

    def exact(value: Any) -> str:
        array = value if isinstance(value, np.ndarray) else engine.array(value)
        numbers = array.ravel().tolist()
        if array.size > 100:
            numbers = f"sha256 {hashlib.sha256(array.tobytes()).hexdigest()}"
        return f"{array.dtype} {list(array.shape)} {numbers}"

    torch, out = engine.torch, io.StringIO()
    names = {"torch": torch, "F": torch.nn.functional, "name": name, "exact": exact}
    answer: Answer = {}
    torch.manual_seed(0)
    with warnings.catch_warnings(), contextlib.redirect_stdout(out):
        warnings.simplefilter("ignore")
        try:
            exec(program, names)
        except Exception as error:
            answer["error"] = refusal(error)
        finally:
            torch.set_grad_enabled(True)
    return {"printed": re.sub("0x[0-9a-f]+", "0x", out.getvalue())} | answer


def differences(ours: Any, theirs: Any, relative: float, absolute: float) -> Iterator[str]:
    """Where two answers differ by more than rounding, but for internal errors of theirs."""
    if _is_internal(theirs.get("error")):
        return
    for key in dict.fromkeys((*theirs, *ours)):
        a, b = ours.get(key), theirs.get(key)
        if _is_internal(b):
            continue
        same = same_text if key == "printed" else _same
        if not same(a, b, relative, absolute):
            yield f"{key}: {a}, not {b}"


def _is_internal(told: Any) -> bool:
    """Whether something told is the refusal of a library that failed an assertion of its own."""
    match told:
        case [str(), str(message)]:
            return bool(_INTERNAL.search(message))
    return False


def same_text(ours: str, theirs: str, relative: float, absolute: float) -> bool:
    """Whether texts are the same but for rounding."""
    texts = [ours.rstrip(), theirs.rstrip()]
    if texts[0] == texts[1]:
        return True
    if not absolute or len({_NUMBER.sub("#", text) for text in texts}) > 1:
        return False
    pairs = zip(*(map(float, _NUMBER.findall(text)) for text in texts), strict=True)
    return all(
        a == b or abs(a - b) <= absolute + relative * abs(b) or (a != a and b != b)
        for a, b in pairs
    )


def _same(ours: Any, theirs: Any, relative: float, absolute: float) -> bool:
    if isinstance(ours, list) and isinstance(theirs, list):
        # Elements are rounded from sums: to digits of the largest one.
        sizes = [abs(one) for one in theirs if _is_number(one)]
        absolute *= max([1.0, *sizes])
        return len(ours) == len(theirs) and all(
            _same(a, b, relative, absolute) for a, b in zip(ours, theirs, strict=True)
        )
    if _is_number(ours) and _is_number(theirs):
        return math.isclose(ours, theirs, rel_tol=relative, abs_tol=absolute)
    return type(ours) is type(theirs) and bool(ours == theirs)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)

"""`torch.autograd.functional`: derivatives of a function of tensors, as tensors.

A forward-mode product (`jvp`) comes from series of the first order along the rows that the function
calls. Where these are not enough, and for `hvp`, products are taken by differentiating the
vector-Jacobian product with respect to its vector, which it depends on linearly, so that every
operator with a backward formula has them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import numpy as np

from gradcli.autograd.arguments import refuse_complex
from gradcli.autograd.matrices import rows, zeros_for
from gradcli.autograd.modes import enable_grad
from gradcli.autograd.passes import grad
from gradcli.ops.algebra.views import reshape_alias, squeeze_all
from gradcli.tensor.classes import type_of
from gradcli.tensor.public import handed_in
from gradcli.tensor.tensor import Tensor, wrap

SERIES: Final = "gradcli.readings.series.products"
FORWARD: Final = "gradcli.readings.transforms.forward"
"""The modules that push tangents through rows; they stand above this one."""

Tensors = tuple[Tensor, ...]
Function = Callable[..., Any]


def jacobian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian, of shape `output.shape + input.shape`; nested tuples for several of either.

    `strict` raises where an output does not depend on an input. One batched backward pass is taken
    for each output, `vectorize` or not; with the strategy `"forward-mode"` columns are pushed
    forward.
    """
    _check_ways(create_graph, strict, vectorize, strategy)
    if strategy == "forward-mode":
        return _by_columns(func, inputs)
    with enable_grad():
        several, points = _as_tuple(inputs, "inputs", "jacobian")
        leaves = _prepare(points, create_graph)
        outputs_several, outputs = _outputs(handed_in(func)(*leaves), "jacobian")
        _require_grad(outputs, "outputs", strict)
        blocks = []
        for number, output in enumerate(outputs):
            if not vectorize and output.requires_grad and output.numel():
                refuse_complex(output)  # as the gradient of each element would be
            found = rows(output, leaves, create_graph)
            if strict:
                _refuse_independent(found, number, create_graph)
            blocks.append(
                tuple(
                    zeros_for(output, leaf) if block is None else block
                    for block, leaf in zip(found, leaves, strict=True)
                )
            )
        answer = tuple(_finish(block, create_graph) for block in blocks)
    if not several:
        return tuple(block[0] for block in answer) if outputs_several else answer[0][0]
    return answer if outputs_several else answer[0]


def _by_columns(func: Function, inputs: Any) -> Any:
    """The Jacobian in forward mode: PyTorch puts the blocks into lists there."""
    several, points = _as_tuple(inputs, "inputs", "jacobian")
    forward = import_module(FORWARD)
    push = forward.Pushforward(func, points, drawing=_refuse_random, transform=False)
    outputs_several, outputs = _as_tuple(push.value, "outputs", "None")
    answer = [
        [reshape_alias(block, block.shape) if block.requires_grad else block for block in line]
        for line in push.columns([*outputs])
    ]
    if not several:
        return tuple(block[0] for block in answer) if outputs_several else answer[0][0]
    return answer if outputs_several else answer[0]


def _refuse_random() -> None:
    raise RuntimeError(
        "vmap: We do not yet support calling random operations inside of vmap. Please perform "
        "random operations outside of vmap as a workaround"
    )


def _refuse_independent(blocks: Sequence[Tensor | None], number: int, create_graph: bool) -> None:
    """Refuses an output that does not depend on an input, for strict mode."""
    for position, block in enumerate(blocks):
        if block is None:
            raise RuntimeError(
                f"Output {number} of the user-provided function is independent of input "
                f"{position}. This is not allowed in strict mode."
            )
        if create_graph and not block.requires_grad:
            raise RuntimeError(
                "The jacobian of the user-provided function is independent of input "
                f"{position}. This is not allowed in strict mode when create_graph=True."
            )


def _check_ways(create_graph: bool, strict: bool, vectorize: bool, strategy: str) -> None:
    """Refuses ways to compute that do not exist, or not together."""
    if strategy not in _WAYS:
        raise AssertionError(
            f'{_UNKNOWN_WAY} Hint: If your function has more outputs than inputs, "forward-mode" '
            'tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )
    forward = strategy == "forward-mode"
    if forward and create_graph:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` '
            "are not supported together (yet). Please either set `create_graph=False` or "
            '`strategy="reverse-mode"`.'
        )
    if strict and (vectorize or forward):
        named = '`strategy="forward-mode"`' if forward else "`vectorized=True`"
        together = "are not supported together" + (" (yet)" if forward else "")
        fix = '`strategy="reverse-mode"`' if forward else "`vectorize=False`"
        raise RuntimeError(
            f"torch.autograd.functional.jacobian: `strict=True` and {named} {together}. Please "
            f"either set `strict=False` or {fix}."
        )
    if forward and not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly "
            "implemented for `vectorize=True`."
        )


_WAYS: Final = ("forward-mode", "reverse-mode")
_UNKNOWN_WAY: Final = 'Expected strategy to be either "forward-mode" or "reverse-mode".'


def hessian(
    func: Function,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The matrix of second derivatives of a function with one value."""
    several, points = _as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in _WAYS:
        raise AssertionError(_UNKNOWN_WAY)

    def scalar(*values: Tensor) -> Tensor:
        squeezed: Tensor = squeeze_all(_single(handed_in(func)(*values), "hessian"))
        return squeezed

    def gradient(*values: Tensor) -> Any:
        found = jacobian(scalar, values, create_graph=True)
        _require_grad(found, "jacobian", strict)
        return found

    way = outer_jacobian_strategy
    found = jacobian(gradient, points, create_graph, strict, vectorize, way)
    return found if several else found[0][0]


def vjp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), v @ jacobian)`."""
    with enable_grad():
        several, points = _as_tuple(inputs, "inputs", "vjp")
        leaves = _prepare(points, create_graph)
        outputs_several, outputs = _outputs(handed_in(func)(*leaves), "vjp")
        _require_grad(outputs, "outputs", strict)
        vector = _vector(
            v,
            outputs,
            "vjp",
            "The vector v can only be None if the user-provided function returns a single Tensor "
            "with a single element.",
            outputs_several,
        )
        slopes = _grad(outputs, leaves, vector, create_graph=create_graph)
        products = _fill(slopes, leaves, strict, create_graph, "back")
    return _pack(outputs, outputs_several, create_graph), _pack(products, several, create_graph)


def jvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), jacobian @ v)`."""
    with enable_grad():
        several, points = _as_tuple(inputs, "inputs", "jvp")
        leaves = _prepare(points, create_graph)
        vector = _vector(
            v,
            leaves,
            "jvp",
            "The vector v can only be None if the input to the user-provided function is a single "
            "Tensor with a single element.",
            several,
        )
        assert vector is not None
        products: Tensors | None = None
        if strict or create_graph:
            outputs_several, outputs = _outputs(handed_in(func)(*leaves), "jvp")
            _require_grad(outputs, "outputs", strict)
        else:
            series = import_module(SERIES)
            trace, value = series.traced(handed_in(func), leaves)
            outputs_several, outputs = _outputs(value, "jvp")
            products = series.products(trace, leaves, vector, outputs)
        if products is None:
            products = transposed(outputs, leaves, vector, create_graph, strict)
    return (
        _pack(outputs, outputs_several, create_graph),
        _pack(products, outputs_several, create_graph),
    )


def transposed(
    outputs: Tensors, leaves: Tensors, vector: Tensors, create_graph: bool, strict: bool
) -> Tensors:
    """`jacobian @ vector` by differentiating the vector-Jacobian product."""
    seeds = tuple(wrap(np.zeros_like(output._array), True) for output in outputs)
    slopes = _grad(outputs, leaves, seeds, create_graph=True)
    _require_grad(slopes, "grad_inputs", strict)
    found = _grad(slopes, seeds, vector, create_graph=create_graph)
    return _fill(found, seeds, strict, create_graph, "back_trick")


def vhp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), v @ hessian)` of a function with one value."""
    with enable_grad():
        several, points = _as_tuple(inputs, "inputs", "vhp")
        leaves = _prepare(points, create_graph)
        vector = _vector(v, leaves, "vhp", _HESSIAN_VECTOR, several)
        output = _single(handed_in(func)(*leaves), "vhp")
        _require_grad((output,), "outputs", strict)
        slopes = _grad((output,), leaves, None, create_graph=True)
        _require_grad(slopes, "jacobian", strict)
        products = _fill(
            _grad(slopes, leaves, vector, create_graph=create_graph),
            leaves,
            strict,
            create_graph,
            "double_back",
        )
    return _pack((output,), False, create_graph), _pack(products, several, create_graph)


def hvp(
    func: Function, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), hessian @ v)` of a function with one value."""
    with enable_grad():
        several, points = _as_tuple(inputs, "inputs", "hvp")
        leaves = _prepare(points, create_graph)
        vector = _vector(v, leaves, "hvp", _HESSIAN_VECTOR, several)
        output = _single(handed_in(func)(*leaves), "hvp")
        _require_grad((output,), "outputs", strict)
        slopes = _grad((output,), leaves, None, create_graph=True)
        _require_grad(slopes, "jacobian", strict)
        seeds = tuple(wrap(np.zeros_like(leaf._array), True) for leaf in leaves)
        products = _grad(slopes, leaves, seeds, create_graph=True)
        _require_grad(products, "hessian", strict)
        filled = _fill(
            _grad(products, seeds, vector, create_graph=create_graph),
            seeds,
            strict,
            create_graph,
            "double_back_trick",
        )
    return _pack((output,), False, create_graph), _pack(filled, several, create_graph)


_HESSIAN_VECTOR = (
    "The vector v can only be None if the input to the user-provided function is a single Tensor "
    "with a single element."
)


def _as_tuple(value: Any, what: str, caller: str) -> tuple[bool, Tensors]:
    """Whether several were given, and all of them as a tuple."""
    if isinstance(value, Tensor):
        return False, (value,)
    if not isinstance(value, tuple):
        raise TypeError(
            f"The {what} given to {caller} must be either a Tensor or a tuple of Tensors but the "
            f"given {what} has type {type_of(value)}."
        )
    for position, item in enumerate(value):
        if not isinstance(item, Tensor):
            raise TypeError(
                f"The {what} given to {caller} must be either a Tensor or a tuple of Tensors but "
                f"the value at index {position} has type {type_of(item)}."
            )
    return True, value


def _outputs(value: Any, caller: str) -> tuple[bool, Tensors]:
    return _as_tuple(value, "outputs of the user-provided function", caller)


def _prepare(points: Tensors, create_graph: bool) -> Tensors:
    """The inputs as tensors of their own; connected to the caller's graph under create_graph."""
    return tuple(
        point.view_as(point)
        if create_graph and point.requires_grad
        else point.detach().requires_grad_(True)
        for point in points
    )


def _single(value: Any, caller: str) -> Tensor:
    several, outputs = _outputs(value, caller)
    if several or not isinstance(outputs[0], Tensor):
        raise RuntimeError(f"The function given to {caller} should return a single Tensor")
    if outputs[0].numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {caller} should contain a single element"
        )
    return outputs[0]


def _vector(v: Any, others: Tensors, caller: str, message: str, several: bool) -> Tensors | None:
    """The vector of a product, checked against what it multiplies."""
    if v is None:
        if len(others) != 1 or others[0].numel() != 1:
            raise RuntimeError(message)
        return tuple(wrap(np.ones_like(other._array)) for other in others)
    _, vector = _as_tuple(v, "v", caller)
    if len(vector) != len(others):
        if several:
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(others)} but got {len(vector)}."
            )
        raise RuntimeError("The given v should contain a single Tensor.")
    for position, (part, other) in enumerate(zip(vector, others, strict=True)):
        if part.shape != other.shape:
            prefix = f"Entry {position} in " if several else ""
            raise RuntimeError(
                f"{prefix}v has invalid size: should be {other.shape!r} but got {part.shape!r}."
            )
    return tuple(part if part.requires_grad else part.detach() for part in vector)


def _grad(
    outputs: Sequence[Tensor | None],
    inputs: Tensors,
    seeds: Tensors | None,
    create_graph: bool,
) -> tuple[Tensor | None, ...]:
    """Gradients of those outputs that have a history; None for inputs that none depends on."""
    weights = seeds if seeds is not None else (None,) * len(outputs)
    pairs = [
        (output, weight)
        for output, weight in zip(outputs, weights, strict=True)
        if output is not None and output.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    found: tuple[Tensor | None, ...] = grad(
        [output for output, _ in pairs],
        list(inputs),
        [weight for _, weight in pairs],
        retain_graph=True,
        create_graph=create_graph,
        allow_unused=True,
    )
    return found


def _zeros(like: Tensor) -> Tensor:
    return wrap(np.zeros_like(like._array))


_INDEPENDENT = {
    "back": "The output of the user-provided function is independent of input {}. This is not "
    "allowed in strict mode.",
    "back_trick": "The gradient with respect to the input is independent of entry {} in the "
    "grad_outputs when using the double backward trick to compute forward mode gradients. This is "
    "not allowed in strict mode.",
    "double_back": "The jacobian of the user-provided function is independent of input {}. This "
    "is not allowed in strict mode.",
    "double_back_trick": "The hessian of the user-provided function is independent of entry {} in "
    "the grad_jacobian. This is not allowed in strict mode as it prevents from using the double "
    "backward trick to replace forward mode AD.",
}


def _fill(
    slopes: Sequence[Tensor | None], like: Tensors, strict: bool, create_graph: bool, stage: str
) -> Tensors:
    """Zeros where a gradient is missing, unless that is forbidden."""
    filled = []
    for position, (slope, source) in enumerate(zip(slopes, like, strict=True)):
        if slope is None:
            if strict:
                raise RuntimeError(_INDEPENDENT[stage].format(position))
            slope = _zeros(source)
        elif strict and create_graph and not slope.requires_grad:
            subject = "hessian" if stage.startswith("double") else "jacobian"
            raise RuntimeError(
                f"The {subject} of the user-provided function is independent of input {position}. "
                "This is not allowed in strict mode when create_graph=True."
            )
        filled.append(slope)
    return tuple(filled)


_MUST_DEPEND = {
    "outputs": "Output {} of the user-provided function does not require gradients. The outputs "
    "must be computed in a differentiable manner from the input when running in strict mode.",
    "grad_inputs": "The gradient with respect to input {} is independent of the inputs of the "
    "user-provided function. This is not allowed in strict mode.",
    "jacobian": "While computing the hessian, found that the jacobian of the user-provided "
    "function with respect to input {} is independent of the input. This is not allowed in strict "
    "mode. You should ensure that your function is twice differentiable and that the jacobian "
    "depends on the inputs (this would be violated by a linear function for example).",
    "hessian": "The hessian of the user-provided function with respect to input {} is independent "
    "of the input. This is not allowed in strict mode. You should ensure that your function is "
    "thrice differentiable and that the hessian depends on the inputs.",
}


def _require_grad(values: Sequence[Tensor | None], what: str, strict: bool) -> None:
    """In strict mode every value must depend on the inputs."""
    if not strict:
        return
    for position, value in enumerate(values):
        if value is None:
            raise RuntimeError(
                f"The output of the user-provided function is independent of input {position}. "
                "This is not allowed in strict mode."
            )
        if not value.requires_grad:
            raise RuntimeError(_MUST_DEPEND[what].format(position))


def _finish(values: Tensors, create_graph: bool) -> Tensors:
    return values if create_graph else tuple(value.detach() for value in values)


def _pack(values: Tensors, several: bool, create_graph: bool) -> Any:
    finished = _finish(values, create_graph)
    return finished if several else finished[0]

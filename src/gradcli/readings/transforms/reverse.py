"""`grad`, `grad_and_value`, `vjp` and `jacrev`: transforms that walk backward."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from gradcli.autograd.matrices import rows, zeros_for
from gradcli.readings.transforms.arguments import (
    check_outputs,
    chosen,
    refuse_complex,
    replaced,
    with_auxiliary,
)
from gradcli.readings.transforms.levels import Level
from gradcli.readings.trees import Spec, flatten
from gradcli.tensor.classes import type_of
from gradcli.tensor.graph import mode
from gradcli.tensor.public import handed_in
from gradcli.tensor.tensor import Tensor

Function = Callable[..., Any]


def grad(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """A function that computes gradients of `func`, which gives a tensor of one element.

    With `has_aux` that gives a pair, and the second of it comes along.
    """

    @wraps(func, updated=())
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        slopes, _, aux = _differentiated(func, argnums, has_aux, args, kwargs)
        return (slopes, aux) if has_aux else slopes

    return wrapper


def grad_and_value(func: Function, argnums: Any = 0, has_aux: bool = False) -> Function:
    """The same with the value: a pair, of which the second is `(value, aux)` with `has_aux`."""

    @wraps(func, updated=())
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        slopes, value, aux = _differentiated(func, argnums, has_aux, args, kwargs)
        return slopes, ((value, aux) if has_aux else value)

    return wrapper


def _differentiated(
    func: Function,
    argnums: Any,
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, Any, Any]:
    """Gradients, value, and what comes along."""
    caller = "grad_and_value(f)(*args)"
    level, aux = Level(), None
    with level.running():
        inside = level.enter(chosen(args, argnums))
        output = handed_in(func)(*replaced(args, argnums, inside), **kwargs)
        if has_aux:
            output, aux = with_auxiliary(output, caller)
        if not isinstance(output, Tensor):
            raise RuntimeError(
                f"{caller}: Expected f(*args) to return a Tensor, got {type_of(output)}"
            )
        if output.dim() != 0:
            raise RuntimeError(
                f"{caller}: Expected f(*args) to return a scalar Tensor, got tensor with "
                f"{output.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
            )
        points, structure = flatten(inside)
        slopes = structure.unflatten(level.gradients([output], points))
        return slopes, level.outside(output), level.auxiliary(aux) if has_aux else None


class Pullback:
    """A function run at a point, ready to pull cotangents back.

    Attributes:
        outputs, points: what it gave and what it was given, inside.
        shown: what it gave, as what lies outside sees it.
    """

    def __init__(
        self, func: Function, primals: tuple[Any, ...], argnums: Any, has_aux: bool
    ) -> None:
        caller = "vjp(f, *primals)"
        self.level = Level()
        with self.level.running():
            inside, arguments = self.level.enter_arguments(primals, argnums)
            value = handed_in(func)(*arguments)
            self.aux: Any = None
            if has_aux:
                value, aux = with_auxiliary(value, caller)
                self.aux = self.level.auxiliary(aux)
            self.outputs, self.structure = flatten(value)
            check_outputs(self.outputs, caller)
            self.points, self.inputs = flatten(inside)
            self.shown = self.level.leave(value)
        for output in self.outputs:
            if not (output.is_floating_point() or output.is_complex()):
                raise RuntimeError(
                    "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got "
                    f"Tensor with dtype {output.dtype!r}"
                )

    def __call__(
        self, cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> Any:
        seeds, structure = flatten(cotangents)
        if structure != self.structure:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {structure.drawn()}, primal output: "
                f"{self.structure.drawn()}"
            )
        self.level.recorded = mode.enabled if create_graph is None else bool(create_graph)
        found = self.level.gradients(self.outputs, self.points, seeds)
        return self.inputs.unflatten(found)


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """`(func(*primals), pullback)`: the pullback takes cotangents in the structure of the output
    and gives their products with the Jacobian, one for each of `primals`.
    """
    pullback = Pullback(func, primals, None, has_aux)

    def wrapper(
        cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None
    ) -> Any:
        return pullback(cotangents, retain_graph, create_graph)

    wrapper.__qualname__ = "_vjp_with_argnums.<locals>.wrapper"  # as errors show it
    return (pullback.shown, wrapper, pullback.aux) if has_aux else (pullback.shown, wrapper)


def jacrev(
    func: Function, argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Function:
    """A function that computes the Jacobian of `func`, one batched backward pass per output.

    `chunk_size` rows are computed at a time.
    """
    if not (chunk_size is None or chunk_size > 0):
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @wraps(func, updated=())
    def wrapper(*args: Any) -> Any:
        refuse_complex("jacrev", args, "inputs")
        pullback = Pullback(func, args, argnums, has_aux)
        refuse_complex("jacrev", pullback.outputs, "outputs")
        found = _by_rows(pullback, chunk_size)
        matrices = arranged(found, pullback.structure, pullback.inputs)
        return (matrices, pullback.aux) if has_aux else matrices

    return wrapper


def _by_rows(pullback: Pullback, chunk_size: int | None) -> list[list[Tensor]]:
    level = pullback.level
    records = level.records(pullback.outputs)
    return [
        outside_blocks(
            level,
            rows(output, pullback.points, records, chunk_size),
            output,
            pullback.points,
        )
        for output in pullback.outputs
    ]


def outside_blocks(
    level: Level, blocks: list[Tensor | None], output: Tensor, points: list[Tensor]
) -> list[Tensor]:
    """The blocks of one output as what lies outside the level sees them, zeros where it depends on
    nothing.
    """
    return [
        zeros_for(output, point) if block is None else level.outside(block)
        for block, point in zip(blocks, points, strict=True)
    ]


def arranged(blocks: list[list[Tensor]], outputs: Spec, inputs: Spec) -> Any:
    """Blocks as a tree of the outputs' structure, each leaf of which is one of the inputs'."""
    return outputs.unflatten([inputs.unflatten(row) for row in blocks])

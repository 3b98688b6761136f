"""`jvp`, `linearize`, `jacfwd` and `hessian`: transforms that push tangents forward."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from gradcli.autograd.matrices import Product, columns, rows, takes_columns
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.readings.transforms.arguments import (
    check_outputs,
    chosen,
    refuse_complex,
    replaced,
    with_auxiliary,
)
from gradcli.readings.transforms.levels import Level
from gradcli.readings.transforms.reverse import arranged, jacrev, outside_blocks
from gradcli.readings.trees import Spec, flatten
from gradcli.tensor.classes import type_of
from gradcli.tensor.graph import mode
from gradcli.tensor.public import handed_in, word_of
from gradcli.tensor.tensor import Tensor

Function = Callable[..., Any]

_JVP: Final = "jvp(f, primals, tangents)"


class Pushforward:
    """A function run at a point, ready to push tangents forward."""

    def __init__(self, func: Function, primals: tuple[Any, ...], argnums: Any = None) -> None:
        self.level = Level()
        with self.level.running():
            if argnums is None:
                inside: Any = self.level.enter(primals)
                arguments = inside
            else:
                inside = self.level.enter(chosen(primals, argnums))
                arguments = replaced(primals, argnums, inside)
            self.value = handed_in(func)(*arguments)
        self.points, self.inputs = flatten(inside)

    def results(self, has_aux: bool) -> tuple[Any, list[Tensor], Spec, Any]:
        """The value, its tensors, how they lie in it, and what the function gave beside it."""
        value, aux = self.value, None
        if has_aux:
            value, aux = with_auxiliary(value, _JVP)
            aux = self.level.auxiliary(aux)
        outputs, shape = flatten(value)
        check_outputs(outputs, _JVP)
        return value, outputs, shape, aux

    def product(self, outputs: list[Tensor]) -> Product:
        """What multiplies the Jacobian of outputs with vectors."""
        with self.level.running():
            product = Product(outputs, self.points)
        for seed in product.seeds:
            self.level.own(seed)
        return product

    def pushed(self, product: Product, tangents: list[Tensor]) -> list[Tensor | None]:
        """How the outputs move along tangents, as what lies outside sees it."""
        level = self.level
        records = level.records([*product.outputs, *tangents])
        found = product.with_vector(dict(enumerate(tangents)), records)
        return [None if move is None else level.outside(move) for move in found]


def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple[Any, ...]:
    """`(func(*primals), how that moves when the primals move along the tangents)`.

    `strict` raises where an output does not depend on the primals.
    """
    if type(primals) is not tuple:
        raise RuntimeError(
            f"{_JVP}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    points, structure = flatten(primals)
    vector, given = flatten(tangents)
    if structure != given:
        raise RuntimeError(
            f"{_JVP}: Expected primals and tangents to have the same python structure. For "
            "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {structure} and tangents with structure {given}"
        )
    _check_tensors(points, "primals")
    _check_tensors(vector, "tangents")
    for point, tangent in zip(points, vector, strict=True):
        check_tangent(point, tangent)
    push = Pushforward(func, primals)
    level, (value, outputs, shape, aux) = push.level, push.results(has_aux)
    moves = push.pushed(push.product(outputs), vector)
    if strict and None in moves:
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    answer = level.leave(value), shape.unflatten(_filled(moves, outputs))
    return (*answer, aux) if has_aux else answer


def check_tangent(point: Tensor, tangent: Tensor) -> None:
    """Refuses a tangent in another shape than its tensor's.

    Raises:
        RuntimeError: it has one.
    """
    if point.shape != tangent.shape:
        raise RuntimeError(
            "Trying to set a forward gradient that has a different size than that of the original "
            f"Tensor, this is not supported. Tensor is of size {list(point.shape)} while the given "
            f"forward gradient is of size {list(tangent.shape)}."
        )


def _check_tensors(values: list[Any], what: str) -> None:
    if not values:
        raise RuntimeError(f"{_JVP}: Expected {what} to contain at least one Tensor.")
    for value in values:
        if not isinstance(value, Tensor):
            raise RuntimeError(
                f"{_JVP}: Expected {what} to only contain Tensors, got {type_of(value)}"
            )


def _filled(moves: list[Tensor | None], outputs: list[Tensor]) -> list[Tensor]:
    return [
        zeros_like(output) if move is None else move
        for move, output in zip(moves, outputs, strict=True)
    ]


def linearize(func: Function, *primals: Any) -> tuple[Any, Function]:
    """`(func(*primals), pushforward)`: the pushforward takes a tangent for each of `primals`; the
    function runs once, however often it is called.
    """
    push = Pushforward(func, primals)
    leaves, shape = flatten(push.value)
    outputs = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
    product = push.product(outputs)

    def jvp_fn(*tangents: Any) -> Any:
        vector, given = flatten(tangents)
        _check_linear(push.points, push.inputs, vector, given)
        push.level.recorded = mode.enabled
        moves = iter(_filled(push.pushed(product, vector), outputs))
        return shape.unflatten(
            [next(moves) if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        )

    return push.level.leave(push.value), jvp_fn


def _check_linear(points: list[Tensor], structure: Spec, tangents: list[Any], given: Spec) -> None:
    """Refuses tangents that do not fit the point where a function was linearized."""
    if given != structure:
        raise RuntimeError(
            f"Expected the tangents {given} to have the same argspec as the primals {structure}"
        )
    for number, (point, tangent) in enumerate(zip(points, tangents, strict=True)):
        if not isinstance(tangent, Tensor):
            raise AttributeError(f"'{word_of(tangent)}' object has no attribute 'shape'")
        for what in ("shape", "dtype"):
            got, wanted = getattr(tangent, what), getattr(point, what)
            if got != wanted:
                where = "in flattened pytree doesn't match the"
                raise RuntimeError(
                    f"tangent:{number} with {what} {got!r} {where} {what} {wanted!r} of the "
                    "corresponding primal."
                )


def jacfwd(
    func: Function, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """A function that computes the Jacobian of `func`, by rows where there are not many."""

    @wraps(func, updated=())
    def wrapper(*args: Any) -> Any:
        refuse_complex("jacfwd", args, "inputs")
        if randomness not in ("error", "different", "same"):
            raise RuntimeError(
                "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
                f"{randomness}"
            )
        for point in flatten(args if argnums is None else chosen(args, argnums))[0]:
            if not isinstance(point, Tensor):
                raise AttributeError(f"'{word_of(point)}' object has no attribute 'numel'")
        push = Pushforward(func, args, argnums)
        level, (_, outputs, shape, aux) = push.level, push.results(has_aux)
        refuse_complex("jacfwd", outputs, "outputs")
        records = level.records(outputs)
        if takes_columns(outputs, push.points):
            found = columns(push.product(outputs), push.points, records)
        else:
            found = [rows(output, push.points, records) for output in outputs]
        matrices = arranged(
            [
                outside_blocks(level, blocks, output, push.points)
                for blocks, output in zip(found, outputs, strict=True)
            ],
            shape,
            push.inputs,
        )
        return (matrices, aux) if has_aux else matrices

    return wrapper


def hessian(func: Function, argnums: Any = 0) -> Function:
    """A function that computes the second derivatives of `func`."""
    return jacfwd(jacrev(func, argnums), argnums)

"""`jvp`, `linearize`, `jacfwd` and `hessian`: transforms that push tangents forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Final

from gradcli.autograd.matrices import Product, columns, zeros_for
from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.creation import eye, to_dtype
from gradcli.ops.algebra.views import movedim, reshape, view
from gradcli.ops.selecting.splitting import split
from gradcli.readings.batched.level import refuse_random
from gradcli.readings.batched.mapping import by_slices, vmap
from gradcli.readings.trace import Recorder, Trace
from gradcli.readings.transforms.arguments import (
    check_moving,
    check_outputs,
    chosen,
    refuse_complex,
    with_auxiliary,
)
from gradcli.readings.transforms.levels import Level
from gradcli.readings.transforms.reverse import arranged, jacrev
from gradcli.readings.transforms.tangents import (
    NoTangents,
    Tangents,
    check_size,
    notes,
    transposable,
)
from gradcli.readings.trees import Spec, flatten
from gradcli.tensor.classes import type_of
from gradcli.tensor.graph import mode
from gradcli.tensor.public import handed_in, word_of
from gradcli.tensor.tensor import Tensor

Function = Callable[..., Any]

NESTED: Final = "Nested forward mode AD is not supported at the moment"
COLUMNS: Final = 1
"""The levels of a mapping over the columns of a Jacobian, which hides around the function."""
_JVP: Final = "jvp(f, primals, tangents)"


class Along:
    """The product of the Jacobian of outputs with vectors, along the rows of a trace; where these
    do not tell, as the transpose of what a backward pass gives.
    """

    def __init__(
        self, level: Level, trace: Trace, points: list[Tensor], outputs: list[Tensor]
    ) -> None:
        self.outputs = outputs
        self._level, self._trace, self._points = level, trace, points
        self._transposed: Product | None = None

    def with_vector(
        self, vector: dict[int, Tensor], create_graph: bool, batched: bool = False
    ) -> list[Tensor | None]:
        """See `Product.with_vector`."""
        if self._transposed is None:
            try:
                return self._along(vector, create_graph, batched)
            except NoTangents as error:
                notes.add(str(error))
            with self._level.running():
                self._transposed = transposable(self.outputs, self._points, self._level.own)
        return self._transposed.with_vector(vector, create_graph, batched)

    def _along(
        self, vector: dict[int, Tensor], create_graph: bool, batched: bool
    ) -> list[Tensor | None]:
        def push(_: Any, given: Sequence[Tensor | None]) -> list[Tensor | None]:
            tangents = Tangents(self._trace, self._level.own, self._level.transform)
            for position, tangent in zip(vector, given, strict=True):
                if tangent is not None:
                    tangents.give(self._points[position], tangent)
            tangents.advance()
            return [tangents.of(output) for output in self.outputs]

        enabled = mode.enabled
        mode.enabled = create_graph
        try:
            given = [*vector.values()]
            return by_slices(push, given) if batched else push(None, given)
        finally:
            mode.enabled = enabled


class Pushforward:
    """A function run at a point, ready to push tangents forward.

    `drawing` is asked before the function draws random numbers; for `transform` see `Level`.

    Raises:
        RuntimeError: dual tensors are pushed forward already.
    """

    def __init__(
        self,
        func: Function,
        primals: tuple[Any, ...],
        argnums: Any = None,
        hidden: int = 0,
        drawing: Callable[[], None] | None = None,
        transform: bool = True,
    ) -> None:
        if mode.forward is not None:
            raise RuntimeError(NESTED)
        self.level = Level(True, hidden, transform)
        before = mode.drawing
        mode.drawing = drawing or before
        try:
            self._run(func, primals, argnums)
        finally:
            mode.drawing = before

    def _run(self, func: Function, primals: tuple[Any, ...], argnums: Any) -> None:
        with self.level.running():
            inside, arguments = self.level.enter_arguments(primals, argnums)
            self.points, self.inputs = flatten(inside)
            self._recorder = Recorder(self.points)
            with self._recorder:
                self.value = handed_in(func)(*arguments)

    def results(self, has_aux: bool) -> tuple[Any, list[Tensor], Spec, Any]:
        """The value, its tensors, how they lie in it, and what the function gave beside it."""
        value, aux = self.value, None
        if has_aux:
            value, aux = with_auxiliary(value, _JVP)
            aux = self.level.auxiliary(aux)
        outputs, shape = flatten(value)
        check_outputs(outputs, _JVP)
        return value, outputs, shape, aux

    def product(self, outputs: list[Tensor]) -> Along:
        """What multiplies the Jacobian of outputs with vectors."""
        return Along(self.level, self._recorder.trace, self.points, outputs)

    def columns(self, outputs: list[Tensor]) -> list[list[Tensor]]:
        """The Jacobian of each output with respect to each point, as what lies outside sees it."""
        found = columns(self.product(outputs), self.points, self.level.records(outputs))
        return [
            [
                zeros_for(output, point, output) if block is None else self.level.outside(block)
                for block, point in zip(line, self.points, strict=True)
            ]
            for line, output in zip(found, outputs, strict=True)
        ]

    def pushed(self, product: Along, tangents: list[Tensor]) -> list[Tensor | None]:
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
        check_dual(point, tangent)
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


def check_dual(point: Any, tangent: Any) -> None:
    """Refuses what cannot be a tensor and its tangent.

    Raises:
        AttributeError: one is no tensor.
        ValueError: one is not floating or complex.
        RuntimeError: the tangent has another shape.
    """
    for what, value in (("primal", point), ("tangent", tangent)):
        if not isinstance(value, Tensor):
            raise AttributeError(f"'{word_of(value)}' object has no attribute 'is_floating_point'")
        check_moving(what, value)
    check_size(point, tangent)


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
    push = Pushforward(func, primals, transform=False)
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
    """A function that computes the Jacobian of `func`, all columns in one pass forward.

    `randomness` says whether all columns are those of the same function where that draws random
    numbers.
    """

    @wraps(func, updated=())
    def wrapper(*args: Any) -> Any:
        refuse_complex("jacfwd", args, "inputs")
        if randomness not in ("error", "different", "same"):
            raise RuntimeError(
                "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
                f"{randomness}"
            )
        points, inputs = flatten(args if argnums is None else chosen(args, argnums))
        for point in points:
            if not isinstance(point, Tensor):
                raise AttributeError(f"'{word_of(point)}' object has no attribute 'numel'")
        if randomness == "different":
            blocks, outputs, aux = _columns_apart(func, args, argnums, has_aux, points)
        else:
            blocks, outputs, aux = _columns(func, args, argnums, has_aux, randomness)
        matrices = arranged(blocks, outputs, inputs)
        return (matrices, aux) if has_aux else matrices

    return wrapper


def _columns(
    func: Function, args: tuple[Any, ...], argnums: Any, has_aux: bool, randomness: str
) -> tuple[list[list[Tensor]], Spec, Any]:
    """The blocks of a Jacobian, what the outputs lie in, and what the function gave beside them."""
    drawing = refuse_random if randomness == "error" else None
    push = Pushforward(func, args, argnums, COLUMNS, drawing)
    _, outputs, shape, aux = push.results(has_aux)
    refuse_complex("jacfwd", outputs, "outputs")
    return push.columns(outputs), shape, aux


def _columns_apart(
    func: Function, args: tuple[Any, ...], argnums: Any, has_aux: bool, points: list[Tensor]
) -> tuple[list[list[Tensor]], Spec, Any]:
    """The same where the function draws other random numbers for each column."""
    shapes: list[Spec] = []

    def push_jvp(*tangents: Tensor) -> Any:
        push = Pushforward(func, args, argnums)
        _, outputs, shape, aux = push.results(has_aux)
        refuse_complex("jacfwd", outputs, "outputs")
        shapes.append(shape)
        return _filled(push.pushed(push.product(outputs), [*tangents]), outputs), aux

    counts = [point.numel() for point in points]
    total = sum(counts)
    bases = [
        reshape(to_dtype(part, point.dtype), (total, *point.shape))
        for part, point in zip(split(eye(total), counts, 1), points, strict=True)
    ]
    found, aux = vmap(push_jvp, 0, (0, None), "different")(*bases)
    blocks = [
        [
            view(movedim(part, 0, -1), (*part.shape[1:], *point.shape))
            for part, point in zip(split(whole, counts, 0), points, strict=True)
        ]
        for whole in found
    ]
    return blocks, shapes[0], aux


def hessian(func: Function, argnums: Any = 0) -> Function:
    """A function that computes the second derivatives of `func`."""
    return jacfwd(jacrev(func, argnums), argnums)

"""The operator table: what a row is, how it records the graph, and where rows are found.

A row holds everything that is known about one operator::

    tanh = row(
        "tanh(Tensor self)", np.tanh,
        self=lambda grad, result: tanh_backward(grad, result),
        promote=FLOAT, samples=pointwise(),
    )

The signature is written out only over a forward function that is no `def` of the row's own. Such
a `def` has the parameters in its head and the documentation in its docstring, and the row gives
the names alone::

    def _celu(self: Array, alpha: Scalar = 1.0) -> Array:
        '''max(0, self) + min(0, alpha * (exp(self / alpha) - 1)).'''

    celu_row: Row = row("celu", _celu, self=lambda grad, self, alpha: ..., samples=pointwise())

Calling a row on raw arrays runs its forward function and nothing else. Calling it on tensors
promotes their types, runs the forward function and, where a gradient is wanted, records a node.
Formulas call rows, so the same formula serves the raw first-order pass and `create_graph`.

The parameters of a formula say what the node saves. `grad` is the gradient of the (first) output
and `grads` the tuple of all of them; then come names of the operator's arguments, `result` (or
`result0`, `result1`, ... of several outputs), `NAME_shape`, `NAME_dtype` and
`NAME_stride` for facts that need no tensor, and `needs`, the tuple of booleans that says which
gradients are wanted. A node that saved a tensor is freed by a backward pass; one that saved facts
and numbers only is not.

A formula may be a row, of which that asks for what its own parameters are called: `self=tanh_vjp`
is `self=lambda grad, result: tanh_vjp(grad, result)` if `tanh_vjp` has parameters `(..., result)`.

A formula for several arguments returns their gradients in order; those that nobody wants are
dropped, so `needs` only serves to spare the work.

The engine reduces a gradient to the shape and type of its operand, so formulas ignore broadcasting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any, Final

import numpy as np

from gradcli.table.entry import BOTH, METHOD, NEITHER, Entry, InPlace, name_in_messages
from gradcli.table.halves import in_single, is_half, other_types
from gradcli.table.node import Formula, Plan, RowNode, TensorNode, parameter_names
from gradcli.table.schema import required_kinds
from gradcli.table.short import short_way, shorten
from gradcli.tensor import dtypes
from gradcli.tensor.clock import clock
from gradcli.tensor.dtypes import HALVES, INEXACT, DType
from gradcli.tensor.errors import no_kernel, serves
from gradcli.tensor.graph import Node, mode
from gradcli.tensor.memory import refuse_giant, reserve
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, edge_of, share, wrap
from gradcli.tensor.tensor import raw as array_of

NONE: Final = 0
"""How operands become one type: not at all; to their common type; to a floating common type."""
COMMON: Final = 1
FLOAT: Final = 2
ITSELF: Final[Any] = object()
"""The formula of a row's first operand where the row, linear in it, is its own adjoint."""
_LARGE: Final = 1 << 24
"""A product of the sizes of operands from which on their result may be large."""
_OPERANDS: Final = (
    ("Tensor",),
    ("Tensor", "Scalar"),
    ("Tensor", "Tensor"),
    ("Tensor", "Operand"),
    ("Operand", "Operand"),
)
"""What rows with a short way require."""
_ZEROS: Final = tuple((0,) * count for count in range(16))


class Row(Entry):
    """One operator: see the module's text for how a row is written."""

    __slots__ = (
        "arity",
        "bare",
        "check",
        "complex_gradient",
        "constant_outputs",
        "differentiable",
        "elementwise",
        "formulas",
        "forward",
        "half_numbers",
        "halves",
        "kinds",
        "linear",
        "list_position",
        "node_name",
        "numbered",
        "only_first",
        "operands",
        "plans",
        "promote",
        "several",
        "short",
        "slopes",
        "unchecked",
        "view",
        "wide_numbers",
    )

    list_position: int | None
    slopes: Row | None
    """The row of its n-th derivative, where there is one and the row has no formula."""

    def __init__(
        self,
        signature: str,
        forward: Callable[..., Any],
        *,
        promote: int,
        check: Callable[[Sequence[Any]], None] | None,
        kinds: str,
        kernel: str,
        refusal: Exception | None,
        halves: bool,
        half_numbers: str,
        wide_numbers: bool,
        view: bool,
        several: bool,
        node: str | None,
        linear: str,
        elementwise: bool | None,
        constant_outputs: tuple[int, ...],
        complex_gradient: bool,
        joint: tuple[str, Formula] | None,
        vjps: dict[str, Formula],
        module: str,
        doc: str,
        kink: str,
        samples: Any,
        inplace: InPlace | None,
        plain: Callable[..., Any] | None,
    ) -> None:
        super().__init__(signature, forward, module, doc, kink, samples)
        self.inplace = inplace or self._usual_inplace(promote)
        # `forward` refuses the types that are not of some `kinds` (see `serves`), `bare` computes.
        self.bare = self.forward = self.takes_positions(forward)
        if kinds:
            kernel = kernel or self.stem + "_cpu"
            self.forward = _serving(self.bare, kinds, kernel, refusal, bool(promote))
        self.kinds = kinds
        self.halves = halves and not view
        self.half_numbers = self._places(half_numbers)
        self.wide_numbers = wide_numbers
        # The sets of operands in which it is linear while the others stay as they are.
        self.linear = tuple(tuple(names.split()) for names in linear.split(",") if names)
        # Whether each element of the result is made of the operands' elements in its place alone.
        self.elementwise = bool(promote) if elementwise is None else elementwise
        self.promote, self.check, self.view, self.several = promote, check, view, several
        self.node_name = node or node_name(self.names[0])
        self.constant_outputs = constant_outputs
        self.complex_gradient = complex_gradient
        # The same row under the node name that it has when the operand at a position is a number.
        self.numbered: dict[int, Row] = {}
        self.plans: dict[int, Plan] = {}
        self.list_position = self.slopes = None
        # Argument positions that formulas give gradients for, in edge order.
        self.differentiable: tuple[int, ...] = ()
        self.formulas: list[tuple[Any, Formula]] = []
        self.operands: tuple[int, ...] = ()
        self.only_first = True
        if vjps or joint or promote:
            self._resolve(vjps, joint)
        self._find_short_way(plain, bool(joint))

    def changed(self, **facts: Any) -> Row:
        """A copy of the row that differs in some facts."""
        made = copy(self)
        for name, value in facts.items():
            setattr(made, name, value)
        made.plans = {}
        made.short = short_way(made)
        return made

    def _find_short_way(self, plain: Callable[..., Any] | None, joint: bool) -> None:
        """Whether there is a short way (see `gradcli.table.short`), and of how many operands."""
        self.arity = 0
        served = not self.kinds or serves(self.kinds, dtypes.float32.np)
        # What it computes with: it is only asked about types that the row serves.
        self.unchecked = plain or (self.bare if served else self.forward)
        if (self.promote or plain) and not (self.view or self.several or joint):
            kinds, edges = required_kinds(self._definition or self.parameters), self.differentiable
            if kinds in _OPERANDS and edges in ((0,), (0, 1)[: len(kinds)]):
                self.arity = len(kinds)
        self.short = short_way(self)

    def _places(self, names: str) -> tuple[int, ...]:
        """The positions of parameters."""
        order = [name for _, name in self.outlined] if names else []
        return tuple(order.index(name) for name in names.split())

    def _usual_inplace(self, promote: int) -> InPlace:
        """Operands that are brought to one type are combined element by element."""
        if not (promote and self.is_method):
            return NEITHER
        return METHOD if len(self.outlined) > 1 else BOTH

    def _resolve(self, vjps: dict[str, Formula], joint: tuple[str, Formula] | None) -> None:
        """Finds the positions of the differentiable arguments."""
        parts = self.outlined
        position = {name: k for k, (_, name) in enumerate(parts)}
        joint_names = joint[0].split() if joint else []
        wanted = sorted([*vjps, *joint_names], key=position.__getitem__)
        self.differentiable = tuple(position[name] for name in wanted)
        # PyTorch evaluates formulas by name, which orders the sums of second derivatives.
        formulas: list[tuple[str, Any, Formula]] = [
            (name, wanted.index(name), self if formula is ITSELF else formula)
            for name, formula in vjps.items()
        ]
        if joint:
            places = tuple(wanted.index(name) for name in joint_names)
            formulas.append((joint_names[0], places, joint[1]))
        formulas.sort(key=lambda formula: formula[0])
        self.formulas = [(places, formula) for _, places, formula in formulas]
        self.only_first = all(
            isinstance(f, Row) or parameter_names(f)[0] != "grads" for _, f in self.formulas
        )
        self.operands = tuple(
            k for k, (kind, _) in enumerate(parts) if kind.rstrip("?") in ("Tensor", "Operand")
        )
        for name in wanted:
            if parts[position[name]][0].startswith("Tensor["):
                self.list_position = position[name]

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = self.positional(args, kwargs)
        elif self.short is not None and len(args) == self.arity and type(args[0]) is Tensor:
            return self.short(*args)
        for arg in args:
            if type(arg) is Tensor:
                return self.observed(args)
        if self.list_position is not None and any(
            type(item) is Tensor for item in args[self.list_position]
        ):
            return self.observed(args)
        if clock.deadline is not None:
            clock.check()
        try:
            return self.forward(*args)
        except ValueError as error:
            _refuse(args, error)
            raise

    def of_tensors(self, count: int) -> Callable[..., Any]:
        return self.short if self.short is not None and count == self.arity else self

    def formula_names(self) -> set[str]:
        """Everything that any of the formulas asks for."""
        return {name for _, formula in self.formulas for name in parameter_names(formula)[1:]}

    def observed(self, args: tuple[Any, ...]) -> Any:
        """`record`, by way of whoever listens."""
        return self.record(args) if mode.listener is None else mode.listener(self, args)

    def record(self, args: tuple[Any, ...]) -> Any:
        """Runs the row on tensors and records a node where a gradient is wanted."""
        if mode.level is not None:
            return mode.level(self, args)
        if self.numbered:
            for position, twin in self.numbered.items():
                if type(args[position]) is not Tensor:
                    return twin.record(args)
        if clock.deadline is not None:
            clock.check(0 if self.view else _most(args))
        raw: list[Any] = []
        promote, bound, dtype, half, same, wants = self.promote, 1, None, None, True, False
        for arg in args:
            if type(arg) is Tensor:
                array = arg._array
                if array.dtype is not dtype:
                    same = same and dtype is None
                    dtype = array.dtype
                    half = dtype if dtype.char in HALVES else half
                if arg._requires_grad or (arg._view is not None and arg.requires_grad):
                    wants = True
                    if arg._view is not None and mode.enabled and self.differentiable:
                        edge_of(arg)  # refuses a view whose history is lost before all else
                bound *= array.size or 1
                # NumPy's scalars compute several times faster than its zero-dimensional arrays.
                raw.append(array[()] if promote and not array.ndim else array)
            else:
                if type(arg) is complex:
                    same = False
                elif type(arg) is DType and arg.is_half:
                    half = arg.np
                raw.append(arg)
        if self.list_position is not None:
            items = args[self.list_position] or ()
            wants = wants or any(type(item) is Tensor and item.requires_grad for item in items)
            raw[self.list_position] = listed = [array_of(item) for item in items]
            half = next((item.dtype for item in listed if is_half(item)), half)
        if promote and (half is not None or not (same and dtype is not None and dtype.kind == "f")):
            half = self._promote(raw)
        if promote and bound > _LARGE:
            _reserve(raw)
        try:
            out = self.forward(*raw) if half is None else self._on_half(raw, half)
        except (MemoryError, OverflowError, ValueError) as error:
            _refuse(raw, error)
            raise
        return self.finish(args, out, wants, half)

    def finish(self, args: tuple[Any, ...], out: Any, wants: bool, half: Any = None) -> Any:
        """Tensors of what `forward` gave, with a node if an argument `wants` a gradient.

        `half` is the type where operands were of half precision.
        """
        if type(out) is tuple:
            return self._several(args, out, half)
        tensor = share(args[0], out) if self.view else wrap(out)
        if wants and self.differentiable and mode.enabled and tensor._array.dtype.kind in INEXACT:
            wanted, successors, numbers = self._edges(args)
            if wanted:
                if not self.complex_gradient:
                    self._refuse_complex(tensor._array)
                plan = self.plan(wanted)
                node = (RowNode if half is None else TensorNode)(plan, successors, numbers)
                node.fits(tensor._array.shape, tensor._array.dtype)
                tensor._grad_fn = node
                tensor._requires_grad = True
                if plan.saves:
                    node.save(args, (tensor,))
        return tensor

    def _several(self, args: tuple[Any, ...], out: tuple[Any, ...], half: Any) -> Any:
        tensors = tuple(
            share(args[0], part, several=True) if self.view else wrap(part) for part in out
        )
        if not (self.differentiable and mode.enabled):
            return tensors
        wanted, successors, numbers = self._edges(args)
        if wanted and tensors:
            plan = self.plan(wanted)
            made = RowNode if half is None else TensorNode
            node = made(plan, successors, numbers)
            known = tensors[:1] if self.only_first else tensors
            metas = [(tensor._array.shape, tensor._array.dtype) for tensor in known]
            node.fits(*metas[0])
            node.others = tuple(metas[1:])
            for number, tensor in enumerate(tensors):
                if self.carries_gradient(tensor._array, number):
                    if not self.complex_gradient:
                        self._refuse_complex(tensor._array)
                    tensor._grad_fn = node
                    tensor._requires_grad = True
                    tensor._nr = number
            node.save(args, tensors)
        return tensors

    def _refuse_complex(self, output: Any) -> None:
        if output.dtype.kind == "c":
            raise RuntimeError(
                f"{name_in_messages(self.names[0])} does not support automatic differentiation "
                "for outputs with complex dtype."
            )

    def carries_gradient(self, output: Any, number: int) -> bool:
        """Whether an output belongs to the graph: of the later ones, those a formula asks for."""
        return (
            output.dtype.kind in INEXACT
            and not (number and self.only_first)
            and number not in self.constant_outputs
        )

    def plan(self, wanted: int) -> Plan:
        """How the row saves and differentiates where so many operands, a bit each, are wanted."""
        known = self.plans.get(wanted)
        if known is None:
            needs = tuple(bool(wanted >> k & 1) for k in range(len(self.differentiable)))
            known = self.plans[wanted] = shorten(Plan(self, needs), self.arity)
        return known

    def plan_like(self, plan: Plan) -> Plan:
        """The row's own plan for the same operands as another's."""
        return self.plan(sum(1 << edge for edge, need in enumerate(plan.needs) if need))

    def _edges(self, args: tuple[Any, ...]) -> tuple[int, tuple[Node | None, ...], tuple[int, ...]]:
        """Which arguments want gradients, as a bit mask, and where those go."""
        wanted, bit, count = 0, 1, len(args)
        successors: list[Node | None] = []
        numbers: list[int] | None = None
        for position in self.differentiable:
            arg: Any = args[position] if position < count else None
            kind = type(arg)
            if kind is Tensor and (
                arg._requires_grad or (arg._view is not None and arg.requires_grad)
            ):
                wanted |= bit
                node, number = arg._grad_fn, arg._nr
                if node is None or arg._view is not None:
                    node, number = edge_of(arg)
                if number:
                    numbers = numbers or [0] * len(successors)
                successors.append(node)
                if numbers is not None:
                    numbers.append(number)
            elif position == self.list_position:
                edges = [edge_of(item) if type(item) is Tensor else (None, 0) for item in arg or ()]
                if any(type(item) is Tensor and item.requires_grad for item in arg or ()):
                    wanted |= bit
                if numbers is None:
                    numbers = [0] * len(successors)
                successors += [node for node, _ in edges]
                numbers += [number for _, number in edges]
            else:
                successors.append(None)
                if numbers is not None:
                    numbers.append(0)
            bit += bit
        if numbers is None:
            return wanted, tuple(successors), _ZEROS[len(successors)]
        return wanted, tuple(successors), tuple(numbers)

    def spread(self, node: RowNode, found: list[Any]) -> list[Any]:
        """Lays the list of gradients of a tensor list out over the node's edges."""
        assert self.list_position is not None
        start = self.differentiable.index(self.list_position)
        length = len(node.successors) - len(self.differentiable) + 1
        gradients = found[start]
        head = found[:start]
        tail = found[start + 1 : len(self.differentiable)]
        return head + list(gradients if gradients is not None else [None] * length) + tail

    def _promote(self, raw: list[Any]) -> np.dtype[Any] | None:
        """Brings the operands to one type, in place; returns it if it is one of half precision.

        That meets numbers, and tensors that have no dimensions, in single precision where the row
        says so.
        """
        count = len(raw)
        present = [p for p in self.operands if p < count and raw[p] is not None]
        if self.check is not None:
            self.check([raw[position] for position in present])
        target = dtypes.result_type([raw[position] for position in present])
        if self.promote == FLOAT and target.category < dtypes.FLOATING:
            target = dtypes.default.dtype
        wide = target.is_half and self.wide_numbers
        for position in present:
            operand = raw[position]
            if hasattr(operand, "dtype"):
                kind = dtypes.float32 if wide and position and not operand.ndim else target
                raw[position] = operand.astype(kind.np, copy=False)
            else:
                raw[position] = dtypes.cast_number(operand, dtypes.float32 if wide else target)
        return target.np if target.is_half else None

    def _on_half(self, raw: list[Any], half: np.dtype[Any]) -> Any:
        """The results of operands of half precision (see `gradcli.table.halves`).

        What operands of several floating types are told, and what types PyTorch has no kernel for,
        is found out by the function that sees them as they are.
        """
        refused = self.kinds and not serves(self.kinds, raw[0].dtype)
        if not self.halves or refused or (not self.promote and other_types(raw, half)):
            return self.forward(*raw)
        for place in self.half_numbers:
            if place < len(raw) and type(raw[place]) in (int, float):
                raw[place] = float(dtypes.convert(raw[place], dtypes.from_numpy(half)))
        return in_single(self.bare, raw, half)


def _serving(
    forward: Callable[..., Any], kinds: str, kernel: str, refusal: Exception | None, combines: bool
) -> Callable[..., Any]:
    """A forward function that refuses types which PyTorch's kernel does not serve.

    Before that, the shapes of operands that it `combines` must broadcast.
    """

    def checked(operand: Any, *rest: Any) -> Any:
        if not serves(kinds, operand.dtype):
            if combines:
                common_shape([part.shape for part in (operand, *rest) if hasattr(part, "shape")])
            if operand.dtype.kind == "c" and refusal is not None:
                raise type(refusal)(*refusal.args)
            raise no_kernel(kernel, operand.dtype)
        return forward(operand, *rest)

    return checked


def _most(args: Sequence[Any]) -> int:
    """How many elements the largest operand has."""
    return max([arg._array.size for arg in args if type(arg) is Tensor], default=0)


def _reserve(operands: Sequence[Any]) -> None:
    """Asks for the room of what operands are combined to element by element."""
    arrays = [operand for operand in operands if isinstance(operand, np.ndarray)]
    if arrays:
        shape = common_shape([array.shape for array in arrays])
        reserve(shape, max(array.itemsize for array in arrays))


def _refuse(operands: Sequence[Any], error: MemoryError | OverflowError | ValueError) -> None:
    """Says in PyTorch's words that shapes do not broadcast, or that there is too little room."""
    if "could not be broadcast" in str(error) or "cannot be broadcast" in str(error):
        common_shape([operand.shape for operand in operands if hasattr(operand, "shape")])
    refuse_giant(error)


def node_name(name: str) -> str:
    """`aten.tanh_backward` -> `TanhBackwardBackward0`, as PyTorch's code generator names."""
    for prefix in ("aten.", "nn.functional.", "Tensor."):
        name = name.removeprefix(prefix)
    return name.replace(".", "_").strip("_").title().replace("_", "") + "Backward0"

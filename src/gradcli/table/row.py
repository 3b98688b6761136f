"""The operator table: what a row is, how it records the graph, and where rows are found.

A row holds everything that is known about one operator::

    tanh = row(
        "tanh(Tensor self)", np.tanh,
        self=lambda grad, result: tanh_backward(grad, result),
        promote=FLOAT, samples=pointwise(),
    )

Calling a row on raw arrays runs its forward function and nothing else. Calling it on tensors
promotes their types, runs the forward function and, where a gradient is wanted, records a node.
Formulas call rows, so the same formula serves the raw first-order pass and ``create_graph``.

The parameters of a formula say what the node saves. ``grad`` is the gradient of the (first) output
and ``grads`` the tuple of all of them; then come names of the operator's arguments, ``result`` (or
``result0``, ``result1``, ... of several outputs), ``NAME_shape``, ``NAME_dtype`` and
``NAME_stride`` for facts that need no tensor, and ``needs``, the tuple of booleans that says which
gradients are wanted. A node that saved a tensor is freed by a backward pass; one that saved facts
and numbers only is not.

A formula for several arguments returns their gradients in order; those that nobody wants are
dropped, so ``needs`` only serves to spare the work.

The engine reduces a gradient to the shape and type of its operand, so formulas ignore broadcasting.
"""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any, ClassVar, Final

import numpy as np

from gradcli.table.schema import Mismatch, Signature, describe_types, split_signature
from gradcli.tensor import dtypes
from gradcli.tensor.graph import FREED, INFERENCE, Node, mode, operator_name
from gradcli.tensor.tensor import Tensor, edge_of, share, type_word, versions_of, wrap

Formula = Callable[..., Any]

#: How operands become one type: not at all; to their common type; to a floating common type.
NONE: Final = 0
COMMON: Final = 1
FLOAT: Final = 2

_RESULT: Final = -1
_ZEROS: Final = tuple((0,) * count for count in range(16))


class Entry:
    """Something callable under a signature: a row or a composition of rows.

    ``doc`` says what it computes, ``kink`` which gradient it has where it has none or several.
    """

    _frames: ClassVar[int] = 3

    __slots__ = (
        "_parameters",
        "_signature",
        "_tensors_only",
        "doc",
        "kink",
        "module",
        "names",
        "samples",
    )

    def __init__(self, signature: str, doc: str, kink: str, samples: Any) -> None:
        # The module that calls row(), or whose decorator composite() runs.
        self.module: str = sys._getframe(self._frames).f_globals["__name__"]
        self.kink = kink
        self.names, self._parameters = split_signature(signature)
        self._signature: Signature | None = None
        self._tensors_only = -2
        self.doc = doc
        self.samples = samples

    @property
    def signature(self) -> Signature:
        """Parsed when first needed: most rows are never called in one run."""
        if self._signature is None:
            self._signature = Signature(name_in_messages(self.names[0]), self._parameters)
        return self._signature

    @property
    def tensors_only(self) -> int:
        """How many tensors make a complete call, or -1 where the arguments need checking."""
        if self._tensors_only == -2:
            parameters = self.signature.parameters
            required = [parameter for parameter in parameters if parameter.required]
            plain = all(parameter.is_tensor for parameter in required)
            if isinstance(self, Composite) and len(required) < len(parameters):
                plain = False  # bodies are given every argument
            self._tensors_only = len(required) if plain and required else -1
        return self._tensors_only

    @property
    def parameters(self) -> str:
        """The signature's text between its brackets."""
        return self._parameters

    @property
    def is_method(self) -> bool:
        return self._parameters.split(",")[0].endswith(" self")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


class Plan:
    """How a row saves and differentiates when certain operands want gradients.

    ``saves`` lists (argument position or output number, fact) pairs; ``steps`` lists (edge or
    edges, formula, positions in ``saves``).
    """

    __slots__ = ("holds_tensors", "names", "needs", "saves", "steps")

    def __init__(self, row: Row, wanted: tuple[bool, ...]) -> None:
        self.needs = wanted
        self.names: list[str] = []
        self.saves: list[tuple[int, int, str]] = []
        self.steps: list[tuple[Any, Formula, bool, tuple[int, ...]]] = []
        self.holds_tensors = False
        chosen = [
            (edges, formula)
            for edges, formula in row.formulas
            if (any(wanted[edge] for edge in edges) if isinstance(edges, tuple) else wanted[edges])
        ]
        # PyTorch unpacks arguments by name, then results; the first one that changed is reported.
        asked = {name for _, formula in chosen for name in parameter_names(formula)[1:]}
        self.names += sorted(asked, key=lambda name: (name.startswith("result"), name))
        self.saves += [self._source(row, name) for name in self.names]
        for edges, formula in chosen:
            first, *rest = parameter_names(formula)
            picks = tuple(self.names.index(name) for name in rest)
            self.steps.append((edges, formula, first == "grads", picks))

    def _source(self, row: Row, name: str) -> tuple[int, int, str]:
        """(argument position or _RESULT, output number, fact)."""
        index = row.signature.index
        if name == "needs":
            return 0, 0, "needs"
        if name in index:
            base = row.signature.parameters[index[name]].base
            if base in ("Tensor", "Operand", "Tensor[]"):
                self.holds_tensors = True
                return index[name], 0, "list" if base == "Tensor[]" else "tensor"
            return index[name], 0, "value"
        stem, _, fact = name.rpartition("_")
        if fact in ("shape", "dtype", "stride") and (stem in index or stem.startswith("result")):
            if stem in index:
                listed = row.signature.parameters[index[stem]].base == "Tensor[]"
                return index[stem], 0, fact + "s" * listed
            return _RESULT, int(stem[6:] or 0), fact
        if name.startswith("result"):
            self.holds_tensors = True
            return _RESULT, int(name[6:] or 0), "tensor"
        raise TypeError(f"{row.names[0]}: a formula asks for {name!r}, which is no argument")


def parameter_names(formula: Formula) -> tuple[str, ...]:
    """The names of a function's positional parameters."""
    code = formula.__code__
    return code.co_varnames[: code.co_argcount]


class Saved:
    """An output kept by the node that made it; it must not refer back to its tensor.

    Where that is a view that was changed in place, ``node`` refers weakly to the view's own node.
    """

    __slots__ = ("array", "node", "number", "version", "versions")

    def __init__(self, tensor: Tensor, number: int) -> None:
        self.array = tensor._array
        self.versions = versions_of(tensor)
        self.version = self.versions[0]
        self.number = number
        self.node: weakref.ref[Node] | None = None


class RowNode(Node):
    """The node that a call of a row records."""

    __slots__ = ("plan", "row", "saved", "versions")

    def __init__(
        self, row: Row, plan: Plan, successors: tuple[Node | None, ...], numbers: tuple[int, ...]
    ) -> None:
        self.row = row
        self.plan = plan
        self.successors = successors
        self.numbers = numbers
        self.others = ()
        self.hooks = None
        self.saved: Any = ()
        #: The version counters of saved arguments at that time; None if all are zero.
        self.versions: Any = None
        mode.sequence += 1
        self.sequence = mode.sequence

    @property
    def label(self) -> str:  # type: ignore[override]
        return self.row.node_name.removeprefix("torch::autograd::")

    def name(self) -> str:
        return self.row.node_name

    def save(self, args: Sequence[Any], outputs: Sequence[Tensor]) -> None:
        """Keeps what the plan names."""
        saved: list[Any] = []
        changed: dict[int, Any] | None = None
        count = len(args)
        for position, number, fact in self.plan.saves:
            version: Any = 0
            if position == _RESULT:
                if fact == "tensor":
                    value: Any = Saved(outputs[number], number)
                else:
                    value = _fact(outputs[number], fact)
            else:
                value = (
                    args[position] if position < count else self.row.signature.defaults[position]
                )
                if fact == "tensor":
                    if type(value) is Tensor and value._versions is not None:
                        version = version_to_save(value)
                elif fact == "list":
                    value = tuple(value)
                    version = tuple(version_to_save(v) if type(v) is Tensor else 0 for v in value)
                elif fact == "needs":
                    value = self.plan.needs
                elif fact != "value":
                    value = _fact(value, fact)
            if version:
                changed = changed or {}
                changed[len(saved)] = version
            saved.append(value)
        self.saved = saved
        self.versions = changed

    def unpack(self, recorded: bool) -> list[Any]:
        """The saved values; raw arrays, or tensors that stand in the graph."""
        if self.saved is None:
            raise RuntimeError(FREED)
        values: list[Any] = []
        versions = self.versions
        for value in self.saved:
            kind = type(value)
            if kind is Tensor:
                version = 0 if versions is None else versions.get(len(values), 0)
                if value._versions is not None and value._versions[0] != version:
                    raise self._modified(value, version)
                if not recorded:
                    value = value._array
                    if not value.ndim:
                        value = value[()]
            elif kind is Saved:
                if value.versions[0] != value.version:
                    raise self._modified(self.result(value), value.version)
                value = self.result(value) if recorded else value.array
            elif kind is tuple:
                counts = None if versions is None else versions.get(len(values))
                value = self._unpack_list(value, counts, recorded)
            values.append(value)
        return values

    def _unpack_list(self, items: Any, counts: Any, recorded: bool) -> Any:
        for position, item in enumerate(items):
            if type(item) is Tensor:
                count = counts[position] if counts else 0
                if item._version != count:
                    raise self._modified(item, count)
        return items if recorded else tuple(i._array if type(i) is Tensor else i for i in items)

    def result(self, saved: Saved) -> Tensor:
        """A saved output as a tensor that this node made."""
        if self.row.carries_gradient(saved.array, saved.number):
            node = (saved.node and saved.node()) or self
            tensor = wrap(saved.array, True, node, saved.number)
        else:
            tensor = wrap(saved.array)
        tensor._versions = saved.versions
        return tensor

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        values = self.unpack(recorded) if self.plan.saves else ()
        found: list[Any] = [None] * len(self.successors)
        wanted = self.plan.needs
        for edges, formula, all_grads, picks in self.plan.steps:
            if all_grads:
                grad: Any = tuple(grads)
            else:
                grad = grads[0]
                if grad is None:
                    continue
            if not picks:
                gradient = formula(grad)
            elif len(picks) == 1:
                gradient = formula(grad, values[picks[0]])
            else:
                gradient = formula(grad, *[values[pick] for pick in picks])
            if type(edges) is int:
                found[edges] = gradient
            elif gradient is not None:
                for edge, part in zip(edges, gradient, strict=True):
                    if wanted[edge]:
                        found[edge] = part
        if self.row.list_position is not None:
            return self.row.spread(self, found)
        return found

    def release(self) -> None:
        if self.plan.holds_tensors:
            self.saved = None

    def _modified(self, tensor: Tensor, expected: int) -> RuntimeError:
        word, number = type_word(tensor.dtype), tensor._nr
        made_by = tensor.grad_fn
        origin = ""
        if made_by is not None:
            origin = f", which is output {number} of {operator_name(made_by)},"
        return RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace "
            f"operation: [{word} {list(tensor._array.shape)}]{origin} is at version "
            f"{tensor._version}; expected version {expected} instead. Hint: enable anomaly "
            "detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True, check_nan=False)."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            return self._attribute(name)
        raise AttributeError(f"'{self.label}' object has no attribute '{name}'")

    def _attribute(self, name: str) -> Any:
        """What the node saved, under PyTorch's name for it."""
        wanted, _, fact = name.removeprefix("_saved_").partition("_sym_")
        if fact in ("sizes", "numel"):
            wanted += "_shape"
        elif fact == "strides":
            wanted += "_stride"
        elif wanted == "indices" and "result1" in self.plan.names:
            wanted = "result1"
        if wanted in self.plan.names:
            if self.saved is None:
                raise RuntimeError(FREED)
            place = self.plan.names.index(wanted)
            value = self.saved[place]
            if type(value) is Saved:
                return self.result(value)
            if self.plan.saves[place][2] == "tensor" and isinstance(value, (int, float, complex)):
                return wrap(np.asarray(value, dtypes.of_number(value).np))
            return math.prod(value) if fact == "numel" else value
        if wanted in self.row.formula_names():
            return None  # only the gradients of other operands would need it
        raise AttributeError(f"'{self.label}' object has no attribute '{name}'")


def version_to_save(tensor: Tensor) -> int:
    """A tensor's version as a node keeps it."""
    if tensor._versions is INFERENCE:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in "
            "inference mode in computation tracked by autograd. To work around this, you can make "
            "a clone to get a normal tensor and use it in autograd, or use `torch.no_grad()` "
            "instead of `torch.inference_mode()`."
        )
    return tensor._version


def _fact(source: Any, fact: str) -> Any:
    if fact.endswith("s"):
        return tuple(_fact(item, fact[:-1]) for item in source)
    if fact == "stride":
        array = source._array if type(source) is Tensor else np.asarray(source)
        return tuple([step // array.itemsize for step in array.strides])
    if type(source) is Tensor:
        return source._array.shape if fact == "shape" else source._array.dtype
    return () if fact == "shape" else np.asarray(source).dtype


class Row(Entry):
    """One operator: see the module's text for how a row is written."""

    __slots__ = (
        "_plans",
        "check",
        "differentiable",
        "formulas",
        "forward",
        "list_position",
        "node_name",
        "numbered",
        "only_first",
        "operands",
        "promote",
        "several",
        "view",
    )

    def __init__(
        self,
        signature: str,
        forward: Callable[..., Any],
        promote: int,
        check: Callable[[Sequence[Any]], None] | None,
        view: bool,
        several: bool,
        node: str | None,
        joint: tuple[str, Formula] | None,
        vjps: dict[str, Formula],
        doc: str,
        kink: str,
        samples: Any,
    ) -> None:
        super().__init__(signature, doc, kink, samples)
        self.forward = forward
        self.promote = promote
        self.check = check
        self.view = view
        self.several = several
        self.node_name = node or node_name(self.names[0])
        #: The same row under the node name that it has when the operand at a position is a number.
        self.numbered: dict[int, Row] = {}
        self._plans: dict[int, Plan] = {}
        self.list_position: int | None = None
        #: Argument positions that formulas give gradients for, in edge order.
        self.differentiable: tuple[int, ...] = ()
        self.formulas: list[tuple[Any, Formula]] = []
        self.operands: tuple[int, ...] = ()
        if vjps or joint or promote:
            self._resolve(vjps, joint)
        self.only_first = all(parameter_names(f)[0] != "grads" for _, f in self.formulas)

    def _resolve(self, vjps: dict[str, Formula], joint: tuple[str, Formula] | None) -> None:
        """Finds the positions of the differentiable arguments in the signature's text."""
        parts = [part.split("=")[0].split() for part in self._parameters.split(",")]
        parts = [part for part in parts if len(part) == 2]
        position = {part[1]: k for k, part in enumerate(parts)}
        joint_names = joint[0].split() if joint else []
        wanted = sorted([*vjps, *joint_names], key=position.__getitem__)
        self.differentiable = tuple(position[name] for name in wanted)
        # PyTorch evaluates formulas by name, which orders the sums of second derivatives.
        formulas: list[tuple[str, Any, Formula]] = [
            (name, wanted.index(name), formula) for name, formula in vjps.items()
        ]
        if joint:
            places = tuple(wanted.index(name) for name in joint_names)
            formulas.append((joint_names[0], places, joint[1]))
        formulas.sort(key=lambda formula: formula[0])
        self.formulas = [(places, formula) for _, places, formula in formulas]
        self.operands = tuple(
            k for k, part in enumerate(parts) if part[0].rstrip("?") in ("Tensor", "Operand")
        )
        for name in wanted:
            if parts[position[name]][0].startswith("Tensor["):
                self.list_position = position[name]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = self.positional(args, kwargs)
        for arg in args:
            if type(arg) is Tensor:
                return self.record(args)
        if self.list_position is not None and any(
            type(item) is Tensor for item in args[self.list_position]
        ):
            return self.record(args)
        return self.forward(*args)

    def formula_names(self) -> set[str]:
        """Everything that any of the formulas asks for."""
        return {name for _, formula in self.formulas for name in parameter_names(formula)[1:]}

    def positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """A call with keywords as one without."""
        index, defaults = self.signature.index, self.signature.defaults
        last = max(index[name] for name in kwargs)
        values = list(args) + list(defaults[len(args) : last + 1])
        for name, value in kwargs.items():
            values[index[name]] = value
        return tuple(values)

    def record(self, args: tuple[Any, ...]) -> Any:
        """Runs the row on tensors and records a node where a gradient is wanted."""
        if self.numbered:
            for position, twin in self.numbered.items():
                if type(args[position]) is not Tensor:
                    return twin.record(args)
        raw: list[Any] = []
        promote = self.promote
        dtype = None
        same, wants = True, False
        for arg in args:
            if type(arg) is Tensor:
                array = arg._array
                if array.dtype is not dtype:
                    same = same and dtype is None
                    dtype = array.dtype
                if arg._requires_grad or (arg._view is not None and arg.requires_grad):
                    wants = True
                # NumPy's scalars compute several times faster than its zero-dimensional arrays.
                raw.append(array[()] if promote and not array.ndim else array)
            else:
                if type(arg) is complex:
                    same = False
                raw.append(arg)
        if self.list_position is not None:
            items = args[self.list_position] or ()
            wants = wants or any(type(item) is Tensor and item._requires_grad for item in items)
            raw[self.list_position] = [
                item._array if type(item) is Tensor else item for item in items
            ]
        if promote and not (same and dtype is not None and dtype.kind == "f"):
            self._promote(raw)
        try:
            out = self.forward(*raw)
        except ValueError as error:
            _refuse_shapes(raw, error)
            raise
        if type(out) is tuple:
            return self._several(args, out)
        tensor = share(args[0], out) if self.view else wrap(out)
        if wants and self.differentiable and mode.enabled and tensor._array.dtype.kind in "fc":
            wanted, successors, numbers = self._edges(args)
            if wanted:
                plan = self._plans.get(wanted) or self._plan(wanted)
                node = RowNode(self, plan, successors, numbers)
                node.shape = tensor._array.shape
                node.dtype = tensor._array.dtype
                tensor._grad_fn = node
                tensor._requires_grad = True
                if plan.saves:
                    node.save(args, (tensor,))
        return tensor

    def _several(self, args: tuple[Any, ...], out: tuple[Any, ...]) -> Any:
        tensors = tuple(
            share(args[0], part, several=True) if self.view else wrap(part) for part in out
        )
        if not (self.differentiable and mode.enabled):
            return tensors
        wanted, successors, numbers = self._edges(args)
        if wanted and tensors:
            plan = self._plans.get(wanted) or self._plan(wanted)
            node = RowNode(self, plan, successors, numbers)
            metas = [(tensor._array.shape, tensor._array.dtype) for tensor in tensors]
            node.shape, node.dtype = metas[0]
            node.others = tuple(metas[1:])
            for number, tensor in enumerate(tensors):
                if self.carries_gradient(tensor._array, number):
                    tensor._grad_fn = node
                    tensor._requires_grad = True
                    tensor._nr = number
            node.save(args, tensors)
        return tensors

    def carries_gradient(self, output: Any, number: int) -> bool:
        """Whether an output belongs to the graph: of the later ones, those a formula asks for."""
        return output.dtype.kind in "fc" and not (number and self.only_first)

    def _plan(self, wanted: int) -> Plan:
        needs = tuple(bool(wanted >> k & 1) for k in range(len(self.differentiable)))
        plan = self._plans[wanted] = Plan(self, needs)
        return plan

    def _edges(self, args: tuple[Any, ...]) -> tuple[int, tuple[Node | None, ...], tuple[int, ...]]:
        """Which arguments want gradients, as a bit mask, and where those go."""
        wanted, bit, count = 0, 1, len(args)
        successors: list[Node | None] = []
        numbers: list[int] | None = None
        for position in self.differentiable:
            arg: Any = args[position] if position < count else None
            kind = type(arg)
            if kind is Tensor and arg._requires_grad:
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
                if any(node is not None for node, _ in edges):
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

    def _promote(self, raw: list[Any]) -> None:
        """Brings the operands to one type, in place."""
        count = len(raw)
        present = [p for p in self.operands if p < count and raw[p] is not None]
        if self.check is not None:
            self.check([raw[position] for position in present])
        target = dtypes.result_type([raw[position] for position in present])
        if self.promote == FLOAT and target.category < dtypes.FLOATING:
            target = dtypes.default.dtype
        for position in present:
            operand = raw[position]
            if hasattr(operand, "dtype"):
                raw[position] = operand.astype(target.np, copy=False)
            else:
                raw[position] = cast_number(operand, target)


def _refuse_shapes(operands: Sequence[Any], error: ValueError) -> None:
    """Says in PyTorch's words that shapes do not broadcast, where that is the error."""
    if str(error).startswith("operands could not be broadcast"):
        from gradcli.ops.algebra.views import common_shape

        common_shape([operand.shape for operand in operands if hasattr(operand, "shape")])


def cast_number(number: complex, target: dtypes.DType) -> Any:
    """A Python number as a NumPy scalar of ``target``; integers wrap around as in C."""
    if target.category == dtypes.INTEGRAL and isinstance(number, int):
        bits = target.itemsize * 8
        wrapped = int(number) & ((1 << bits) - 1)
        if target.is_signed and wrapped >> (bits - 1):
            wrapped -= 1 << bits
        return target.np.type(wrapped)
    return target.np.type(number)


class Composite(Entry):
    """An operator that is a composition of others, as in PyTorch: it has no node of its own."""

    __slots__ = ("body",)

    def __init__(
        self, signature: str, body: Callable[..., Any], doc: str, kink: str, samples: Any
    ) -> None:
        super().__init__(signature, doc, kink, samples)
        self.body = body

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.body(*args, **kwargs)


class Function:
    """What a user calls under one name: the first overload whose signature fits runs."""

    __slots__ = ("entries", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(args, kwargs, False)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        """Checks the arguments and runs the overload that takes them."""
        entries = self.entries
        if not kwargs:
            for arg in args:
                if type(arg) is not Tensor:
                    break
            else:
                for entry in entries:
                    if entry.tensors_only == len(args):
                        return entry(*args)
        failures = []
        given = len(args) + len(kwargs)
        for entry in entries:
            signature = entry.signature
            try:
                bound = signature.bind(args, kwargs, method)
            except Mismatch as failure:
                if len(entries) == 1 or signature.required <= given <= len(signature.parameters):
                    failures.append(failure)
            else:
                return entry(*bound)
        # PyTorch explains the one overload that takes so many arguments, or lists them all.
        if len(failures) == 1:
            raise TypeError(str(failures[0])) from None
        shown = args[1:] if method else args
        raise TypeError(
            f"{name_in_messages(self.name)}() received an invalid combination of arguments - got "
            f"{describe_types(shown, kwargs)}, but expected one of:\n"
            + "\n".join(f" * {entry.signature.describe()}" for entry in entries)
        )

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else Method(self, instance)

    def __repr__(self) -> str:
        return f"<built-in method {self.name.rsplit('.', 1)[-1]} of type object>"


class Attribute(Function):
    """A function of one tensor that is written after a dot, without brackets: ``x.T``."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.call((instance,), {}, True)


class Free(Function):
    """A function that sorts its arguments itself; its signature only tells what they mean."""

    __slots__ = ()

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        return self.entries[0](*args, **kwargs)


class Method:
    """A function with the tensor before its dot."""

    __slots__ = ("function", "instance")

    def __init__(self, function: Function, instance: Tensor) -> None:
        self.function = function
        self.instance = instance

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function.call((self.instance, *args), kwargs, True)

    def __repr__(self) -> str:
        name = self.function.name.rsplit(".", 1)[-1]
        return f"<built-in method {name} of Tensor object at {hex(id(self.instance))}>"


def name_in_messages(name: str) -> str:
    """``linalg.norm`` -> ``linalg_norm``, ``nn.functional.relu`` -> ``relu``."""
    joined = name.partition(".")[0] in ("linalg", "special", "fft")
    return name.replace(".", "_") if joined else name.rsplit(".", 1)[-1]


def node_name(name: str) -> str:
    """``aten.tanh_backward`` -> ``TanhBackwardBackward0``, as PyTorch's code generator names."""
    for prefix in ("aten.", "nn.functional.", "Tensor."):
        name = name.removeprefix(prefix)
    return name.replace(".", "_").strip("_").title().replace("_", "") + "Backward0"


# Modules with rows, in the order in which an unknown name is looked for. All overloads of one name
# stand in one module.
MODULES: Final = (
    "inplace.python",
    "making.construction",
    "algebra.comparison",
    "algebra.arithmetic",
    "algebra.elementary",
    "algebra.views",
    "algebra.parts",
    "algebra.joining",
    "selecting.splitting",
    "algebra.sums",
    "algebra.placement",
    "algebra.strided",
    "algebra.complex",
    "making.copies",
    "algebra.padding",
    "algebra.creation",
    "making.sequences",
    "making.conversion",
    "making.queries",
    "pointwise.special",
    "algebra.scalars",
    "pointwise.activation",
    "pointwise.activation_forms",
    "measuring.distance",
    "losses.elementwise",
    "losses.likelihood",
    "losses.classes",
    "losses.margin",
    "losses.ctc",
    "layers.normalization",
    "layers.layer_normalization",
    "layers.group_normalization",
    "layers.dropout",
    "layers.embedding",
    "layers.attention",
    "selecting.ordering",
    "algebra.scans",
    "measuring.statistics",
    "algebra.products",
    "pointwise.bounds",
    "measuring.differences",
    "selecting.quantiles",
    "selecting.counting",
    "measuring.pairs",
    "selecting.distinct",
    "measuring.fft",
    "selecting.masked",
    "images.convolution",
    "images.pooling",
    "images.max_pooling",
    "images.adaptive_pooling",
    "images.resampling",
    "images.rearranging",
    "images.grid_sampling",
    "making.sampling",
    "making.testing",
    "inplace.writing",
    "inplace.subscripts",
    "algebra.indexing",
    "selecting.masking",
    "selecting.scattering",
    "contracting.einsum",
    "contracting.outer",
    "linalg.triangular",
    "linalg.cholesky",
    "linalg.lu",
    "linalg.solving",
    "linalg.orthogonal",
    "linalg.spectra",
    "linalg.least_squares",
    "linalg.determinants",
    "linalg.ldl",
    "linalg.norms",
    "linalg.functions",
)
_functions: dict[str, Function] = {}
_methods: dict[str, Function] = {}
_loaded = 0


def register(entry: Entry) -> None:
    """Enters an operator under all its names."""
    for name in entry.names:
        if name.startswith("Tensor."):
            name = name.removeprefix("Tensor.")
            _methods.setdefault(name, Function(name)).entries.append(entry)
            continue
        function = _functions.setdefault(name, Function(name))
        function.entries.append(entry)
        if "." not in name and entry.is_method:
            _methods.setdefault(name, function)


def row(
    signature: str,
    forward: Callable[..., Any],
    *,
    promote: int = NONE,
    check: Callable[[Sequence[Any]], None] | None = None,
    view: bool = False,
    several: bool = False,
    node: str | None = None,
    number_nodes: dict[str, str] | None = None,
    joint: tuple[str, Formula] | None = None,
    doc: str = "",
    kink: str = "",
    samples: Any = None,
    **vjps: Formula,
) -> Row:
    """Enters an operator into the table.

    ``forward`` computes on arrays; ``promote`` says how operands get a common type, ``check``
    refuses some of them before; ``view`` that the result shares the first operand's memory;
    ``node`` replaces the name derived from the signature and ``number_nodes`` says what the node is
    called when an operand is a number; ``vjps`` holds a formula per differentiable argument and
    ``joint`` one formula for several arguments at once ("input weight", function). ``doc`` says in
    a sentence what is computed, ``kink`` which gradient is used at points where there is none or
    several, ``samples`` feeds the generic tests.
    """
    made = Row(
        signature, forward, promote, check, view, several, node, joint, vjps, doc, kink, samples
    )
    for name, label in (number_nodes or {}).items():
        rest = {argument: formula for argument, formula in vjps.items() if argument != name}
        twin = Row(
            signature, forward, promote, check, view, several, label, joint, rest, doc, kink, None
        )
        made.numbered[made.signature.index[name]] = twin
    register(made)
    return made


def composite(
    signature: str, *, doc: str = "", kink: str = "", samples: Any = None
) -> Callable[[Callable[..., Any]], Composite]:
    """Enters a composition of rows; decorates the function that composes."""

    def enter(body: Callable[..., Any]) -> Composite:
        made = Composite(signature, body, doc or (body.__doc__ or ""), kink, samples)
        register(made)
        return made

    return enter


def attribute(
    signature: str, *, doc: str = "", samples: Any = None
) -> Callable[[Callable[..., Any]], Composite]:
    """Enters a composition that is read like a field, ``x.T``; its names begin with ``Tensor.``."""

    def enter(body: Callable[..., Any]) -> Composite:
        made = Composite(signature, body, doc or (body.__doc__ or ""), "", samples)
        for name in made.names:
            name = name.removeprefix("Tensor.")
            _methods[name] = Attribute(name)
            _methods[name].entries.append(made)
        return made

    return enter


def free(
    signature: str, *, doc: str = "", kind: type[Free] = Free
) -> Callable[[Callable[..., Any]], Free]:
    """Enters a function of ``torch`` whose arguments no signature can describe."""

    def enter(body: Callable[..., Any]) -> Free:
        made = Composite(signature, body, doc or (body.__doc__ or ""), "", None)
        name = made.names[0]
        function = kind(name.removeprefix("Tensor."))
        function.entries.append(made)
        (_methods if name.startswith("Tensor.") else _functions)[function.name] = function
        return function

    return enter


def _find(table: dict[str, Function], name: str) -> Function | None:
    global _loaded
    while name not in table and _loaded < len(MODULES):
        module = MODULES[_loaded]
        _loaded += 1
        import_module("gradcli.ops." + module)
    return table.get(name)


def lookup(name: str) -> Function | None:
    """The function ``torch.NAME`` (``sin``, ``linalg.inv``, ``nn.functional.relu``), or None."""
    if name.startswith("aten."):
        return None
    return _in_place(name, False) or _find(_functions, name)


def internal(name: str) -> Function | None:
    """The rows ``aten.NAME``, which formulas call and users cannot."""
    return _find(_functions, name)


def lookup_method(name: str) -> Function | None:
    """The method ``x.NAME`` of a tensor, or None."""
    return _in_place(name, True) or _find(_methods, name)


def _in_place(name: str, method: bool) -> Function | None:
    """What is derived for a name that ends in an underscore."""
    if not name.endswith("_") or name in (_methods if method else _functions):
        return None
    from gradcli.ops.inplace import derive as inplace

    return inplace.derive(name, method)


def names() -> list[str]:
    """Every public function's dotted name, but for derived ones. Loads the whole table."""
    _find(_functions, "")
    return sorted(name for name in _functions if not name.startswith("aten."))


def method_names() -> list[str]:
    """Every method's name, but for derived ones. Loads the whole table."""
    _find(_methods, "")
    return sorted(_methods)


def entries() -> Iterable[Entry]:
    """Every row and composition, each once. Loads the whole table."""
    names()
    method_names()
    seen: dict[int, Entry] = {}
    for function in [*_functions.values(), *_methods.values()]:
        for entry in function.entries:
            seen.setdefault(id(entry), entry)
    return seen.values()


Tensor._resolvers.append(lookup_method)

"""The nodes that rows record: what they save, how they are walked, when they are freed."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np

from gradcli.table.entry import Entry
from gradcli.table.refusals import NOT_IMPLEMENTED
from gradcli.table.schema import Signature
from gradcli.tensor import dtypes
from gradcli.tensor.graph import FIRST, FREED, Node, mode, operator_name, started
from gradcli.tensor.leaf import AccumulateGrad
from gradcli.tensor.public import public, word_of
from gradcli.tensor.tensor import Tensor, bare, edge_of, is_inference, raw, versions_of, wrap

Formula = Callable[..., Any]
HINT: Final = (
    "Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
    "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
"""How the error about a saved tensor that was changed ends."""
RESULT: Final = -1
"""The position that stands for outputs where a plan says what it saves."""


class Recorder(Protocol):
    """What a node asks of the row that recorded it."""

    names: list[str]
    node_name: str
    formulas: list[tuple[Any, Formula]]
    list_position: int | None

    @property
    def signature(self) -> Signature: ...

    def carries_gradient(self, output: Any, number: int) -> bool: ...

    def formula_names(self) -> set[str]: ...

    def spread(self, node: RowNode, found: list[Any]) -> list[Any]: ...


class Plan:
    """How a row saves and differentiates when certain operands want gradients.

    `saves` lists (argument position or output number, fact) pairs, `results` the places of outputs
    there; `steps` lists (edge or edges, formula, positions in `saves`). `pick` and `run` are the
    short ways of `gradcli.table.short`, None where there is none.
    """

    __slots__ = (
        "holds_tensors",
        "names",
        "needs",
        "pick",
        "results",
        "row",
        "run",
        "saves",
        "steps",
    )

    def __init__(self, row: Recorder, wanted: tuple[bool, ...]) -> None:
        self.row = row
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
        self.results = tuple(
            place
            for place, (position, _, fact) in enumerate(self.saves)
            if position == RESULT and fact == "tensor"
        )
        self.pick: Callable[[tuple[Any, ...]], Any] | None = None
        self.run: Callable[[RowNode, Any], Sequence[Any]] | None = None

    def _source(self, row: Recorder, name: str) -> tuple[int, int, str]:
        """(argument position or RESULT, output number, fact)."""
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
            return RESULT, int(stem[6:] or 0), fact
        if name.startswith("result"):
            self.holds_tensors = True
            return RESULT, int(name[6:] or 0), "tensor"
        raise TypeError(f"{row.names[0]}: a formula asks for {name!r}, which is no argument")


def parameter_names(formula: Formula) -> tuple[str, ...]:
    """The names of a function's positional parameters, or of a row's parameters."""
    if isinstance(formula, Entry):
        return tuple(formula.signature.index)
    code = formula.__code__
    return code.co_varnames[: code.co_argcount]


class Saved:
    """An output kept by the node that made it; it must not refer back to its tensor.

    Where that is a view that was changed in place, `node` refers weakly to the view's own node.
    """

    __slots__ = ("array", "node", "number", "version", "versions")

    def __init__(self, tensor: Tensor, number: int) -> None:
        self.array = tensor._array
        self.versions = versions_of(tensor)
        self.version = self.versions[0]
        self.number = number
        self.node: weakref.ref[Node] | None = None


class Packed:
    """What a hook made of a saved tensor (`gradcli.autograd.saving`), and how to undo that."""

    __slots__ = ("edge", "is_output", "requires_grad", "unpack", "value")

    def __init__(
        self, value: Any, unpack: Callable[[Any], Any], tensor: Tensor, is_output: bool
    ) -> None:
        self.value = value
        self.unpack = unpack
        self.requires_grad = tensor.requires_grad
        # An output must not keep the node alive that keeps it.
        node, number = edge_of(tensor)
        self.is_output = is_output
        self.edge = (None if is_output else node), number

    def unpacked(self, owner: Node) -> Tensor:
        """The tensor as it stands in the graph, saved by a node.

        Raises:
            TypeError: the hook gives no tensor.
        """
        found = self.unpack(self.value)
        if not isinstance(found, Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{word_of(found)}"
            )
        node, number = self.edge
        made = wrap(found._array, self.requires_grad, owner if self.is_output else node, number)
        if isinstance(node, AccumulateGrad):
            made._grad_fn, made._accumulator = None, weakref.ref(node)
        return made


@public(finds=lambda name: name.startswith("_saved_"), calls=True)
class RowNode(Node):
    """The node that a call of a row records."""

    __slots__ = ("plan", "saved", "versions")

    def __init__(
        self, plan: Plan, successors: tuple[Node | None, ...], numbers: tuple[int, ...]
    ) -> None:
        super().__init__(successors, numbers)
        self.plan = plan
        self.saved: Any = ()
        # The version counters of saved arguments at that time; None if all are zero.
        self.versions: Any = None
        if plan.row.node_name == NOT_IMPLEMENTED:
            self.sequence = FIRST  # PyTorch lets what has no derivative fail before it walks on

    @property
    def row(self) -> Recorder:
        """What recorded the node."""
        return self.plan.row

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
            if position == RESULT:
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
                    raise modified(value, version)
                if not recorded:
                    value = bare(value)
            elif kind is Saved:
                if value.versions[0] != value.version:
                    raise modified(self.result(value), value.version)
                value = self.result(value) if recorded else value.array
            elif kind is Packed:
                value = value.unpacked(self)
                if not recorded:
                    value = bare(value)
            elif recorded and len(values) in self.plan.results:
                value = self.result(self.kept(len(values)))
            elif kind is tuple:
                counts = None if versions is None else versions.get(len(values))
                value = self._unpack_list(value, counts, recorded)
            values.append(value)
        return values

    def _unpack_list(self, items: Any, counts: Any, recorded: bool) -> Any:
        items = tuple([i.unpacked(self) if type(i) is Packed else i for i in items])
        for position, item in enumerate(items):
            if type(item) is Tensor:
                count = counts[position] if counts else 0
                if item._version != count:
                    raise modified(item, count)
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

    def kept(self, place: int) -> Saved:
        """A saved output with its version counter, which one that is kept as a number lacks."""
        saved = self.saved[place]
        if type(saved) is not Saved:
            tensor = wrap(saved, True, self)
            tensor._versions = started(mode.birth)
            saved = Saved(tensor, 0)
            self.saved = [*self.saved[:place], saved, *self.saved[place + 1 :]]
        return saved

    def counter(self, tensor: Tensor) -> list[int]:
        place = None if tensor._nr else self._first_result()
        return started(tensor._versions) if place is None else self.kept(place).versions

    def memory(self, value: Any) -> Any:
        array, place = np.asarray(value), self._first_result()
        if place is not None:
            saved = self.saved[place]
            if type(saved) is Saved:
                return saved.array
            self.saved = [*self.saved[:place], array, *self.saved[place + 1 :]]
        return array

    def _first_result(self) -> int | None:
        """The place of the first output among what is saved; None if it is not."""
        if self.saved:
            for place in self.plan.results:
                if self.plan.saves[place][1] == 0 and type(self.saved[place]) is not Packed:
                    return place
        return None

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        run = self.plan.run
        if run is None or recorded or grads[0] is None:
            return self.in_full(grads, recorded)
        return run(self, grads[0])

    def in_full(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        """`apply` without short ways."""
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

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *map(saved_name, self.row.formula_names() - {"needs"})]

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
            if type(value) is Packed:
                return value.unpacked(self)
            if place in self.plan.results:
                return self.result(self.kept(place))
            if self.plan.saves[place][2] == "tensor" and isinstance(value, (int, float, complex)):
                return wrap(np.asarray(value, dtypes.of_number(value).np))
            return math.prod(value) if fact == "numel" else value
        if wanted in self.row.formula_names():
            return None  # only the gradients of other operands would need it
        raise AttributeError(f"'{self.label}' object has no attribute '{name}'")


@public(finds=lambda name: name.startswith("_saved_"))
class TensorNode(RowNode):
    """A node whose formulas always run on tensors: that of a call with operands of half precision,
    whose operators round as PyTorch's do, and one with saved tensors that hooks packed, which may
    come back as others.
    """

    __slots__ = ()

    def apply(self, grads: Sequence[Any], recorded: bool) -> Sequence[Any]:
        if recorded:
            return super().apply(grads, True)
        found = super().apply([None if grad is None else wrap(grad) for grad in grads], True)
        return [raw(gradient) for gradient in found]


def saved_name(name: str) -> str:
    """PyTorch's name of what a formula asks for, as an attribute of the node."""
    stem, _, fact = name.rpartition("_")
    symbolic = {"shape": "sizes", "stride": "strides"}.get(fact)
    return f"_saved_{name}" if symbolic is None else f"_saved_{stem}_sym_{symbolic}"


def modified(tensor: Tensor, expected: int) -> RuntimeError:
    """The error about a saved tensor that was changed in place since."""
    word, number = dtypes.type_word(tensor.dtype), tensor._nr
    made_by = tensor.grad_fn
    origin = ""
    if made_by is not None:
        origin = f", which is output {number} of {operator_name(made_by)},"
    return RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [{word} {list(tensor._array.shape)}]{origin} is at version "
        f"{tensor._version}; expected version {expected} instead. {HINT}"
    )


def version_to_save(tensor: Tensor) -> int:
    """A tensor's version as a node keeps it."""
    if is_inference(tensor):
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

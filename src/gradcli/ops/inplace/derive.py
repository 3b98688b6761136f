"""In-place operators: one mechanism that turns `add` into `add_`.

The out-of-place operator runs on a stand-in for the tensor's old value; its result is written into
the tensor's memory and its node becomes the tensor's history. `in_place` does that for any
operator, `derive` makes the functions and methods whose names end in an underscore, and
`write_back` overwrites a tensor with given values, as random fillers do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.comparison import zeros_like
from gradcli.ops.algebra.views import clone_row
from gradcli.ops.inplace.history import (
    bump,
    check_captured,
    check_change,
    keep_original,
    rebase,
    set_history,
    stand_in,
)
from gradcli.table import registry
from gradcli.table.declare import row
from gradcli.table.entry import Entry
from gradcli.table.functions import Function
from gradcli.table.node import RowNode
from gradcli.table.refusals import NOT_IMPLEMENTED, no_derivative, underived
from gradcli.table.row import Row
from gradcli.table.samples import kinked
from gradcli.tensor import dtypes
from gradcli.tensor.graph import mode
from gradcli.tensor.leaf import batched_of, extras_of
from gradcli.tensor.shapes import coincides, is_dense, refuse_coinciding
from gradcli.tensor.tensor import Tensor, hold, wrap
from gradcli.typing import Array


def write_back(tensor: Tensor, array: Array, node: str | None = None) -> Tensor:
    """Overwrites a tensor with `array`, as an in-place operator that ignores the old values.

    `array` has the tensor's shape and a type that can be cast to its type. Where the tensor has a
    history, that ends in a node called `node`, which passes zeros on; None leaves it as it is.

    Raises:
        RuntimeError: PyTorch forbids the change (of a leaf that requires grad, for one).
    """
    made = wrap(np.asarray(array))
    erases = None if node is None else renamed(erase, node)
    return apply_in_place(tensor, lambda old: made, copies=False, erases=erases)


def store(tensor: Tensor, result: Tensor, c_types: bool = False) -> None:
    """Writes a result into a tensor; RuntimeError where it does not fit."""
    array, target = result._array, tensor._array
    if array is target:
        return
    check_fits(result, tensor, c_types)
    if not target.flags.writeable:
        target.flags.writeable = True
    with np.errstate(all="ignore"):
        if coincides(target):
            # What changes one of several elements at one place must not be undone by the others.
            np.copyto(target, array, casting="unsafe", where=array != target)
        else:
            np.copyto(target, array, casting="unsafe")


def check_fits(result: Tensor, tensor: Tensor, c_types: bool = False) -> None:
    """Refuses a result that cannot be written into a tensor; RuntimeError says why."""
    array, target = result._array, tensor._array
    if array.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(array.shape)}"
        )
    if array.dtype != target.dtype and not dtypes.can_cast(result.dtype, tensor.dtype):
        word = tensor.dtype.c_name if c_types else tensor.dtype.scalar_name
        raise RuntimeError(
            f"result type {result.dtype.scalar_name} can't be cast to the desired output type "
            f"{word}"
        )


_renamed: Final[dict[tuple[int, str], Row]] = {}


def renamed(original: Row, label: str) -> Row:
    """The same row, but that its nodes are called `label`."""
    known = _renamed.get((id(original), label))
    if known is None:
        known = _renamed[id(original), label] = original.changed(node_name=label)
    return known


_unrefusing: Final[dict[int, Row]] = {}


def _recording_complex(original: Row) -> Row:
    """The same row, as PyTorch's in-place operators record complex results of all operators."""
    if original.complex_gradient:
        return original
    known = _unrefusing.get(id(original))
    if known is None:
        known = _unrefusing[id(original)] = original.changed(complex_gradient=True)
    return known


def _rename(node: Any) -> None:
    """Gives the node of an in-place change the name that PyTorch's has."""
    if node.row.inplace.node:
        node.plan = renamed(node.row, node.row.inplace.node).plan_like(node.plan)


def failing(original: Row, label: str, formula: Any) -> Row:
    """The same row, but that a backward pass runs one formula, which fails."""
    formulas = [(edges, formula) for edges, _ in original.formulas]
    return original.changed(node_name=label, formulas=formulas)


erase: Row = row(
    "aten.erase(Tensor self, Tensor? other=None)",
    lambda self, other=None: self,
    elementwise=True,
    self=zeros_like,
    other=zeros_like,
    samples=lambda r: [(kinked(r(2, 3)),), (kinked(r(2, 3)), r(2, 3))],
    doc="The end of a history: what was computed does not depend on it smoothly.",
    untested="the end of a history that writing in place leaves behind",
)


def check_memory(
    tensor: Tensor, others: Sequence[Any] = (), apart: bool = False, coincide: bool = False
) -> None:
    """Refuses to write where elements coincide with each other or partly with an operand's.

    `apart`: also where an operand has all of them; `coincide`: not where they do with each other.
    """
    array = tensor._array
    if not coincide:
        refuse_coinciding(array)
    for other in _tensors(others):
        if apart and other is tensor:
            overlap = True
        elif not type(array) is type(other._array) is np.ndarray:
            overlap = False  # the physical tensors tell
        elif np.may_share_memory(array, other._array) and is_dense(array):
            overlap = is_dense(other._array) and (apart or not _same(array, other._array))
        else:
            overlap = False
        if overlap:
            raise RuntimeError(
                "unsupported operation: some elements of the input tensor and the written-to "
                "tensor refer to a single memory location. Please clone() the tensor before "
                "performing the operation."
            )


def _same(a: Array, b: Array) -> bool:
    """Whether two dense arrays that overlap are the same in every element."""
    same = a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
    return bool(same) and a.nbytes == b.nbytes and a.strides == b.strides


def _tensors(values: Any) -> Iterator[Tensor]:
    """The tensors among operands, also those in lists."""
    for value in values:
        if type(value) is Tensor:
            yield value
        elif type(value) in (list, tuple):
            yield from _tensors(value)


def apply_in_place(
    tensor: Tensor,
    operation: Callable[[Tensor], Tensor],
    others: Sequence[Any] = (),
    *,
    copies: bool = True,
    coincide: bool = False,
    erases: Row | None = None,
    smooth: bool = True,
    c_types: bool = False,
    name: str = "",
) -> Tensor:
    """Makes what an operation computes from the old value the new value of a tensor.

    `operation` gets a stand-in with the tensor's old value and history; `others` are the further
    operands it uses. `copies` says that what it records may keep the stand-in's memory, `coincide`
    that elements of the tensor which lie at one place all become the same. Where the result has no
    history, the row `erases` (`erase`, renamed) ends that of the tensor; None leaves it as it is.
    An operation that is not `smooth` may change leaves that require grad. With `c_types` the
    message about an unfit type calls the tensor's as C does; `name` is the operator's.

    Raises:
        RuntimeError: the result does not fit the tensor, or PyTorch forbids the change.
    """
    check_captured(tensor, name, others)
    if mode.level is not None:
        options: dict[str, Any] = {"copies": copies, "coincide": coincide, "smooth": smooth}
        options |= {"erases": erases, "c_types": c_types, "name": name}
        changed: Tensor = mode.level.change(tensor, operation, others, options)
        return changed
    wants = mode.enabled and smooth and (tensor.requires_grad or any_requires_grad(others))
    check_change(tensor, wants)
    if not coincide:
        check_memory(tensor, others)
    if not wants:
        _write(tensor, operation(tensor), c_types)
        return tensor
    old = stand_in(tensor)
    if copies or mode.listener is not None:
        # Who listens may keep the old value.
        hold(old, old._array.copy(order="K"))
    start = mode.sequence
    result = operation(old)
    node = _node_of(result, old, start)
    if node is None and erases is not None:
        tensors = [other for other in others if type(other) is Tensor]
        node = erases.record((old, *tensors))._grad_fn
    if node is None:
        _write(tensor, result)
        return tensor
    assert isinstance(node, RowNode)
    _rename(node)
    if not copies:
        keep_original(node, old)
    _write(tensor, result)
    rebase(tensor, node)
    return tensor


def _write(tensor: Tensor, result: Tensor, c_types: bool = False) -> None:
    """Writes a result into a tensor, which counts it and moves as it does."""
    store(tensor, result, c_types)
    bump(tensor)
    if mode.forward is not None:
        mode.forward.changed(tensor, result)


def _node_of(result: Tensor, old: Tensor, start: int) -> Any:
    """The node that an operation recorded after `start`, if any."""
    node = None if result is old else result._grad_fn
    if node is not None and node.sequence <= start:
        # The operation handed out another tensor, whose node must not become this one's.
        node = clone_row(result)._grad_fn
    return node


def in_place(operator: Callable[..., Any], args: Sequence[Any], coincide: bool = False) -> Tensor:
    """`apply_in_place` of an operator to its first argument."""
    rest = args[1:]
    erases, copies, smooth, c_types, apart, name = None, True, True, False, False, ""
    if isinstance(operator, Entry):
        name = operator.stem
    if isinstance(operator, Row):
        copies, form = False, operator.inplace
        coincide = coincide or form.coincide
        smooth, c_types, apart = form.smooth, form.c_types, form.apart
        operator = _recording_complex(operator)
        if form.erases:
            name = operator.names[0].title()
            erases = renamed(erase, f"{name}Backward{int(_is_tensor(rest[0]))}")

    def operation(old: Tensor) -> Any:
        result = operator(old, *rest)
        if apart:
            check_memory(args[0], rest, apart, coincide)
        return result

    return apply_in_place(
        args[0],
        operation,
        rest,
        copies=copies,
        coincide=coincide or apart,
        erases=erases,
        smooth=smooth,
        c_types=c_types,
        name=name,
    )


def _is_tensor(value: Any) -> bool:
    return type(value) is Tensor


def any_requires_grad(values: Sequence[Any]) -> bool:
    """Whether a tensor among values, or in lists of them, requires a gradient."""
    for value in values:
        if type(value) is Tensor:
            if value.requires_grad:
                return True
        elif type(value) in (list, tuple) and any_requires_grad(value):
            return True
    return False


def rearrange(operator: Callable[..., Any], args: Sequence[Any]) -> Tensor:
    """Lets a tensor look at its memory as a view operator's result does, as `x.t_()`."""
    tensor: Tensor = args[0]
    if batched_of(tensor) is not None:
        extras_of(tensor).batched = batched_of(operator(*args))
        return tensor
    wants = mode.enabled and tensor.requires_grad
    check_change(tensor, wants)
    old = stand_in(tensor)
    result = operator(old, *args[1:])
    hold(tensor, result._array)
    bump(tensor)
    if mode.forward is not None:
        mode.forward.follow(tensor, result)
    node = result._grad_fn
    if node is not None and result is not old:
        _rename(node)
        set_history(tensor, node)
        if tensor._view is not None:
            tensor._view.version = tensor._version
    return tensor


class InPlaceEntry(Entry):
    """An overload of an in-place operator, made from one of the operator itself."""

    __slots__ = ("original", "run")

    def __init__(self, name: str, original: Entry) -> None:
        parameters = original.parameters.removesuffix(", bool inplace=False")
        stem = name.rpartition(".")[2].removesuffix("_")
        doc = f"{stem} in place. {original.doc}"
        super().__init__(f"{name}({parameters})", None, __name__, doc, original.kink, None)
        if isinstance(original, Row):
            formula: Any = None
            if original.inplace.underived:
                formula = underived(f"inplace version of {original.inplace.underived}")
                label = original.node_name.replace("0", "1")
            elif original.node_name == NOT_IMPLEMENTED:
                formula = no_derivative(f"{stem}_")
                label = NOT_IMPLEMENTED
            if formula is not None:
                original = failing(original, label, formula)
        self.original = original
        self.run = rearrange if original.inplace.rearranges else in_place

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = tuple(self.signature.bind(args, kwargs, False))
        if mode.birth is not None:
            check_captured(args[0], self.stem, args[1:])
        changed: Tensor = self.run(self.original, args)
        return changed


_derived: Final[dict[tuple[bool, str], Function]] = {}


def derive(name: str, method: bool) -> Function | None:
    """The in-place operator `NAME_`, a method or a function of `torch`, or None."""
    known = _derived.get((method, name))
    if known is not None:
        return known
    stem = name.removesuffix("_")
    module, _, bare = stem.rpartition(".")
    if module not in ("", "nn.functional"):
        return None
    original = registry.lookup_method(stem) if method else registry.lookup(stem)
    if original is None or not (module or _allowed(original, bare, method)):
        return None
    made = Function(name)
    for entry in original.entries:
        parameters = entry.signature.parameters
        if not (parameters and parameters[0].is_tensor):
            continue
        if not module or "inplace" in entry.signature.index:
            made.entries.append(InPlaceEntry(name, entry))
    if not made.entries:
        return None
    _derived[method, name] = made
    return made


def _allowed(original: Function, name: str, method: bool) -> bool:
    return any(entry.inplace.allows(name, method) for entry in original.entries)


def names(method: bool) -> set[str]:
    """The names of all derived methods, or of all derived functions of `torch`."""
    stems = registry.method_names() if method else registry.names()
    found = {f"{stem}_" for stem in stems if not stem.endswith("_")}
    return {name for name in found if "." not in name and derive(name, method) is not None}


registry.resolvers.append(derive)

"""Hooks of what nodes save: `torch.autograd.graph.saved_tensors_hooks` and its relatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gradcli.autograd.custom import CustomNode
from gradcli.autograd.observers import Observer, unheard
from gradcli.ops.algebra.views import clone
from gradcli.table.node import Packed, RowNode, Saved, TensorNode
from gradcli.tensor.graph import Node, mode
from gradcli.tensor.public import handed_in, public
from gradcli.tensor.tensor import Tensor

Hook = Callable[[Any], Any]

CHANGES: Final = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack "
    "hook cannot be modified by in-place operations as this can lead to unexpected side-effects. "
    "Please open an issue if you need to perform in-place operations on the input to a pack hook."
)
NO_HOOKS: Final = (
    "_push_saved_tensors_default_hooks(): incompatible function arguments. The following argument "
    "types are supported:\n    1. (arg0: collections.abc.Callable, arg1: collections.abc.Callable) "
    "-> None\n\nInvoked with: {!r}, {!r}"
)


class Packing(Observer):
    """Hands what nodes save to one function, and takes it back by another."""

    def __init__(self, pack: Hook, unpack: Hook) -> None:
        self.pack = handed_in(pack)
        self.unpack = handed_in(unpack)

    def run(self, row: Any, args: tuple[Any, ...]) -> Any:
        outer, before = self.outer, self.outer
        while isinstance(outer, Packing):  # the innermost hooks are used
            outer = outer.outer
        self.outer = outer
        try:
            return super().run(row, args)
        finally:
            self.outer = before

    def ran(self, row: Any, args: tuple[Any, ...], found: Any) -> None:
        outputs = found if type(found) is tuple else (found,)
        made = {id(node): node for node in [output._grad_fn for output in outputs]}
        operands = [arg._grad_fn for arg in args if type(arg) is Tensor]
        for node in made.values():
            if isinstance(node, RowNode) and node.saved and node not in operands:
                self.pack_row(node)

    def pack_row(self, node: RowNode) -> None:
        """Packs what the node of a row saved."""
        saved = list(node.saved)
        facts = [fact for _, _, fact in node.plan.saves]
        for place, (value, fact) in enumerate(zip(saved, facts, strict=True)):
            if place in node.plan.results:
                output = node.result(node.kept(place))
                saved[place] = self.packed(output, node.saved[place])
            elif fact == "tensor" and type(value) is Tensor:
                saved[place] = self.packed(value, value)
            elif fact == "list":
                saved[place] = tuple(
                    [self.packed(item, item) if type(item) is Tensor else item for item in value]
                )
        node.saved = saved
        node.__class__ = TensorNode

    def packed(self, tensor: Tensor, saved: Any) -> Any:
        """What a node keeps instead of a tensor; `saved` is packed already where another pair of
        hooks, inside this one, was first.
        """
        if type(saved) is Packed:
            return saved
        version = tensor._version
        with unheard():
            value = self.pack(tensor)
        if tensor._version != version:
            raise RuntimeError(CHANGES)
        return Packed(value, self.unpack, tensor, type(saved) is Saved)

    def opaque(self, name: str, node: Node | None, call: Any = None) -> None:
        if isinstance(node, CustomNode) and node.saved:
            tensors = node.saved_tensors
            node.saved = tuple(
                [
                    value if tensor is None else self.packed(tensor, value)
                    for tensor, value in zip(tensors, node.saved, strict=True)
                ]
            )
        super().opaque(name, node, call)


@public(name="saved_tensors_hooks", label="torch.autograd.graph.saved_tensors_hooks", calls=True)
class saved_tensors_hooks:
    """Inside, `pack_hook(tensor)` says what is kept of a tensor that a node saves, and
    `unpack_hook` of that is the tensor for the backward pass.

    Raises:
        TypeError: on entry: they cannot be called.
        RuntimeError: on entry: `disable_saved_tensors_hooks` is on.
    """

    __slots__ = ("_hooks", "_packing")

    def __init__(self, pack_hook: Hook, unpack_hook: Hook) -> None:
        self._hooks = pack_hook, unpack_hook
        self._packing: list[Packing] = []

    def __enter__(self) -> None:
        if mode.unhooked:
            raise RuntimeError(mode.unhooked[-1])
        try:
            packing = Packing(*self._hooks)
        except TypeError:
            raise TypeError(NO_HOOKS.format(*self._hooks)) from None
        packing.enter()
        self._packing.append(packing)

    def __exit__(self, *_: object) -> None:
        self._packing.pop().leave()


@public(name="save_on_cpu", label="torch.autograd.graph.save_on_cpu", calls=True)
class save_on_cpu(saved_tensors_hooks):
    """Keeps copies on the CPU of what nodes save, where that is already."""

    __slots__ = ()

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(clone, _same)


@public(
    name="disable_saved_tensors_hooks",
    label="torch.autograd.graph.disable_saved_tensors_hooks",
    calls=True,
)
class disable_saved_tensors_hooks:
    """Inside, `saved_tensors_hooks` raises `error_message`."""

    __slots__ = ("_message",)

    def __init__(self, error_message: str) -> None:
        self._message = error_message

    def __enter__(self) -> None:
        mode.unhooked.append(self._message)

    def __exit__(self, *_: object) -> None:
        mode.unhooked.pop()


@public(
    name="allow_mutation_on_saved_tensors",
    label="torch.autograd.graph.allow_mutation_on_saved_tensors",
    calls=True,
)
class allow_mutation_on_saved_tensors(saved_tensors_hooks):
    """Inside, tensors that nodes save may be changed afterwards: copies are saved."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(clone, _same)


def _same(tensor: Tensor) -> Tensor:
    return tensor

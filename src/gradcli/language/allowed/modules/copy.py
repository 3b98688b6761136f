"""What programs find in Python's `copy`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.limits import check_items
from gradcli.language.allowed.modules.collections import Keyed
from gradcli.language.allowed.modules.functools import Partial
from gradcli.random.generator import Generator
from gradcli.tensor.arrays import Array, ArrayType, Scalar
from gradcli.tensor.graph import Node
from gradcli.tensor.identity import number_of
from gradcli.tensor.leaf import extras_of, is_parameter
from gradcli.tensor.memory import reserve
from gradcli.tensor.public import CALLABLE, REGISTRY, Fixed, word_of
from gradcli.tensor.tensor import Tensor, wrap

NO_LEAF: Final = (
    "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at "
    "the moment.  If you were attempting to deepcopy a module, this may be because of a "
    "torch.nn.utils.weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
)

SAME: Final = (
    *(bool, int, float, complex, str, range, type(None), type(...), type(NotImplemented), slice),
    *(Fixed, ArrayType, Scalar, BaseException),
)
"""Types whose values nobody changes, beside those of functions."""


class Memo(Keyed):
    """What a program's `__deepcopy__` is given, and gives on: it may enter a copy under the `id()`
    of its original.
    """

    __slots__ = ("copies",)

    copies: Copies


REGISTRY[Memo] = REGISTRY[dict]


class Copies:
    """A deep copy that is being made: what was copied already, by the number of the original.

    Originals are kept, so that no other object takes their numbers meanwhile.
    """

    __slots__ = ("arrays", "kept", "known", "memo")

    def __init__(self) -> None:
        self.memo = Memo()
        self.memo.copies = self
        self.known: dict[int, Any] = {}
        self.kept: list[Any] = []
        self.arrays: dict[int, Any] = {}

    def of(self, value: Any) -> Any:
        """The copy of a value.

        Raises:
            RuntimeError: it holds a tensor that is no leaf.
            TypeError: it holds what cannot be copied.
            RecursionError: it is nested too deep.
        """
        found = self.known.get(id(value), self)
        if found is not self:
            return found
        if self.memo:
            found = self.memo.get(number_of(value), self)
            if found is not self:
                return found
        copier = DEEP.get(type(value))
        if copier is None:
            for kind, of_kind in _INHERITED:
                if isinstance(value, kind):
                    copier = of_kind
                    break
            else:
                return same(value)
        copied = copier(value, self)
        self.keep(value, copied)
        return copied

    def keep(self, value: Any, copied: Any) -> None:
        """Remembers a copy; of what may hold itself, before it is filled."""
        self.known[id(value)] = copied
        self.kept.append(value)

    def array(self, array: Any) -> Any:
        """A copy of an array; arrays that share memory have copies that do."""
        root = array
        while isinstance(root.base, np.ndarray):
            root = root.base
        if not (root.flags.c_contiguous or root.flags.f_contiguous):
            reserve(array.shape, array.itemsize)
            return array.copy(order="K")
        copied = self.arrays.get(id(root))
        if copied is None:
            reserve(root.shape, root.itemsize)
            copied = self.arrays[id(root)] = root.copy(order="K").reshape(-1, order="A")
            self.kept.append(root)
        offset = array.__array_interface__["data"][0] - root.__array_interface__["data"][0]
        octets = copied.view(np.uint8)
        return np.ndarray(array.shape, array.dtype, octets, offset, array.strides)


def same(value: Any) -> Any:
    """A value that is its own copy.

    Raises:
        TypeError: it is none.
    """
    if isinstance(value, SAME) or (type(value) in CALLABLE and not isinstance(value, Node)):
        return value
    raise TypeError(f"cannot pickle '{word_of(value)}' object")


def _of_tensor(tensor: Tensor, copies: Copies) -> Tensor:
    if tensor._grad_fn is not None:
        raise RuntimeError(NO_LEAF)
    made = wrap(copies.array(tensor._array), tensor._requires_grad)
    copies.keep(tensor, made)
    if is_parameter(tensor):
        extras_of(made).parameter = True
    if tensor._grad is not None:
        made._grad = copies.of(tensor._grad)
    return made


def _of_generator(generator: Generator, copies: Copies) -> Generator:
    made = Generator()
    made.set_state(generator.get_state())
    return made


def _of_list(values: list[Any], copies: Copies) -> list[Any]:
    check_items(len(values))
    made: list[Any] = []
    copies.keep(values, made)
    for value in values:
        made.append(copies.of(value))
    return made


def _of_dict(values: dict[Any, Any], copies: Copies) -> dict[Any, Any]:
    check_items(len(values), "dict")
    made = emptied(values)
    copies.keep(values, made)
    for key, value in list(values.items()):
        made[copies.of(key)] = copies.of(value)
    return made


def _of_deque(values: deque[Any], copies: Copies) -> deque[Any]:
    check_items(len(values), "deque")
    made = type(values)((), values.maxlen)
    copies.keep(values, made)
    for value in values:
        made.append(copies.of(value))
    return made


def _of_tuple(values: tuple[Any, ...], copies: Copies) -> tuple[Any, ...]:
    check_items(len(values), "tuple")
    parts = [copies.of(value) for value in values]
    if all(part is value for part, value in zip(parts, values, strict=True)):
        return values
    # What holds itself has been copied meanwhile.
    found: tuple[Any, ...] = copies.known.get(id(values)) or retupled(values, parts)
    return found


def emptied(values: dict[Any, Any]) -> dict[Any, Any]:
    """A dict of the same kind, without its items."""
    if hasattr(values, "default_factory"):
        made: dict[Any, Any] = type(values)(values.default_factory)
        return made
    return type(values)()


def retupled(values: tuple[Any, ...], parts: list[Any]) -> tuple[Any, ...]:
    """A tuple of the same kind with other parts."""
    remade = getattr(values, "remade", None)
    return remade(parts) if remade is not None else type(values)(parts)


DEEP: Final[dict[type, Callable[[Any, Copies], Any]]] = {
    Tensor: _of_tensor,
    Array: lambda array, copies: Array(copies.array(array._array)),
    Generator: _of_generator,
    list: _of_list,
    set: lambda values, copies: {copies.of(value) for value in values},
    frozenset: lambda values, copies: frozenset([copies.of(value) for value in values]),
    Partial: lambda value, copies: Partial(
        value.func, *copies.of(value.args), **copies.of(value.keywords)
    ),
}
"""What makes a deep copy of a value, by its class."""
FLAT: Final[dict[type, Callable[[Any], Any]]] = {
    Partial: lambda value: Partial(value.func, *value.args, **value.keywords),
}
"""What makes a copy that shares its parts."""
_INHERITED: Final[tuple[tuple[type, Callable[[Any, Copies], Any]], ...]] = (
    (dict, _of_dict),
    (deque, _of_deque),
    (tuple, _of_tuple),
)


def deepcopy(x: Any, memo: Any = None) -> Any:
    """`copy.deepcopy(x, memo)`."""
    return (memo.copies if type(memo) is Memo else Copies()).of(x)


def copy(x: Any) -> Any:
    """`copy.copy(x)`.

    Raises:
        TypeError: it cannot be copied.
    """
    flat = FLAT.get(type(x))
    if flat is not None:
        return flat(x)
    if isinstance(x, Tensor):
        made = wrap(x._array, x._requires_grad)
        if is_parameter(x):
            extras_of(made).parameter = True
        return made
    if isinstance(x, Array):
        reserve(x._array.shape, x._array.itemsize)
        return Array(x._array.copy())
    if isinstance(x, (list, set, dict, deque)):
        check_items(len(x), type(x).__name__)
        return x.copy()
    if isinstance(x, Generator):
        return _of_generator(x, Copies())
    return x if isinstance(x, (tuple, frozenset)) else same(x)


for _function in (copy, deepcopy):
    present(_function, _function.__name__)

MEMBERS: Final[dict[str, Any]] = {"copy": copy, "deepcopy": deepcopy}
"""By name."""

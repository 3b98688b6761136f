"""What a user calls under one name: overloads, methods, attributes."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, cast

import numpy as np

from gradcli.table.entry import Composite, Entry, name_in_messages
from gradcli.table.out import takes
from gradcli.table.schema import Mismatch
from gradcli.table.typenames import describe_types, type_name
from gradcli.tensor import dtypes
from gradcli.tensor.memory import refuse_giant
from gradcli.tensor.public import public
from gradcli.tensor.tensor import Tensor, wrap

# The module that writes results to the tensors given as `out=`.
WRITING: Final = "gradcli.ops.inplace.out"


def _label(function: Function) -> str:
    """What PyTorch wrote in Python is a function there, the rest is built in."""
    return "function" if function.name.startswith("nn.functional.") else _BUILT_IN


_OF_NUMBERS: Final = frozenset(
    (
        *("add", "sub", "subtract", "mul", "multiply"),
        *("div", "divide", "true_divide", "floor_divide"),
        *("pow", "float_power", "isin"),
    )
)
"""Functions that take the first operand for a tensor where all are numbers."""

_WITHOUT_TENSORS: Final = frozenset(("linspace", "logspace", "result_type"))
"""Functions that do without a tensor."""


def _tensor_of(number: complex) -> Tensor:
    dtype = dtypes.of_number(number)
    return wrap(np.asarray(dtypes.convert(number, dtype)))


_BUILT_IN: Final = "builtin_function_or_method"


@public("__name__", name=_BUILT_IN, label=_label, calls=True)
class Function:
    """What a user calls under one name: the first overload whose signature fits runs."""

    __slots__ = ("entries", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.within_memory(args, kwargs, False)

    def within_memory(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        """A call whose giants are refused in PyTorch's words."""
        try:
            return self.call(args, kwargs, method)
        except (MemoryError, OverflowError, ValueError) as error:
            refuse_giant(error)
            raise

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
        elif "out" in kwargs and not method and takes(self.name, entries[0]):
            return import_module(WRITING).call(self, args, dict(kwargs))
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
                operands = signature.operands
                if (
                    operands
                    and self.name not in _WITHOUT_TENSORS
                    and not any(type(bound[place]) is Tensor for place in operands)
                ):
                    if self.name not in _OF_NUMBERS:
                        break
                    bound[operands[0]] = _tensor_of(bound[operands[0]])
                found = entry(*bound)
                if isinstance(found, (np.generic, np.ndarray)):
                    break  # a row computes on what is raw, and no tensor was among the arguments
                return found
        # PyTorch explains the one overload that takes so many arguments, or lists them all.
        if len(failures) == 1:
            raise TypeError(str(failures[0])) from None
        raise self.unfit(args[1:] if method else args, kwargs)

    def unfit(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        """What is said of arguments that no overload takes."""
        return TypeError(
            f"{name_in_messages(self.name)}() received an invalid combination of arguments - got "
            f"{describe_types(args, kwargs)}, but expected one of:\n"
            + "\n".join(f" * {entry.signature.describe()}" for entry in self.entries)
        )

    @property
    def __name__(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else Method(self, instance)

    def __repr__(self) -> str:
        return f"<built-in method {self.__name__} of type object>"


@public(calls=True)
class Attribute(Function):
    """A function of one tensor that is written after a dot, without brackets: `x.T`."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self.within_memory((instance,), {}, True)


@public(calls=True)
class Free(Function):
    """A function that sorts its arguments itself; its signature only tells what they mean."""

    __slots__ = ()

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        entry = cast(Composite, self.entries[0])
        if entry.is_method:
            if not args:
                raise TypeError(f"unbound method TensorBase.{self.name}() needs an argument")
            if not isinstance(args[0], Tensor):
                raise TypeError(
                    f"descriptor '{self.name}' for 'torch._C.TensorBase' objects doesn't apply to "
                    f"a '{type_name(args[0])}' object"
                )
        if kwargs and not entry.takes_keywords:
            raise TypeError(
                f"{self.name}() got an unexpected keyword argument '{next(iter(kwargs))}'"
            )
        return entry(*args, **kwargs)


@public("__name__", name=_BUILT_IN, label=_BUILT_IN, calls=True)
class Method:
    """A function with the tensor before its dot."""

    __slots__ = ("function", "instance")

    def __init__(self, function: Function, instance: Tensor) -> None:
        self.function = function
        self.instance = instance

    @property
    def __name__(self) -> str:
        return self.function.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function.within_memory((self.instance, *args), kwargs, True)

    def __repr__(self) -> str:
        return f"<built-in method {self.__name__} of Tensor object at {hex(id(self.instance))}>"

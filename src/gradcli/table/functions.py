"""What a user calls under one name: overloads, methods, attributes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, cast

import numpy as np

from gradcli.table.entry import Composite, Entry, name_in_messages
from gradcli.table.out import takes
from gradcli.table.schema import Mismatch
from gradcli.tensor import dtypes
from gradcli.tensor.accidents import is_accident
from gradcli.tensor.leaf import batched_of
from gradcli.tensor.memory import refuse_giant
from gradcli.tensor.public import public, word_of
from gradcli.tensor.shadow import ITEM
from gradcli.tensor.tensor import Tensor, wrap

# The module that writes results to the tensors given as `out=`.
WRITING: Final = "gradcli.ops.inplace.out"


def _label(function: Function) -> str:
    """What PyTorch wrote in Python is a function there, the rest is built in."""
    return "function" if function.name.startswith("nn.functional.") else _BUILT_IN


_WITHOUT_TENSORS: Final = frozenset(("linspace", "logspace", "result_type"))
"""Functions that do without a tensor."""


def _tensor_of(number: complex) -> Tensor:
    dtype = dtypes.of_number(number)
    return wrap(np.asarray(dtypes.convert(number, dtype)))


def _without_samples(arg: Any) -> Any:
    """A number for a batched tensor that has one for each sample."""
    batched = type(arg) is Tensor and batched_of(arg) is not None
    return 0 if batched and not arg._array.ndim else arg


_BUILT_IN: Final = "builtin_function_or_method"
_UNFIT: Final = object()


@public("__name__", name=_BUILT_IN, label=_label, calls=True)
class Function:
    """What a user calls under one name: the first overload whose signature fits runs."""

    __slots__ = ("_of_tensors", "entries", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self._of_tensors: dict[int, Callable[..., Any]] = {}

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.within_memory(args, kwargs, False)

    def within_memory(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        """A call whose giants are refused in PyTorch's words.

        So are arguments that do not fit. What an operator says on purpose about their values stays.
        """
        try:
            return self.call(args, kwargs, method)
        except Exception as error:
            refuse_giant(error)
            if isinstance(error, (TypeError, AttributeError)) or is_accident(error):
                self.explain(args, kwargs, method)
            raise

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        """Checks the arguments and runs the overload that takes them."""
        entries = self.entries
        if not kwargs:
            for arg in args:
                if type(arg) is not Tensor:
                    break
            else:
                run = self._of_tensors.get(len(args)) or self._complete(len(args))
                if run is not None:
                    return run(*args)
        elif "out" in kwargs and not method and takes(self.name, entries[0]):
            return import_module(WRITING).call(self, args, dict(kwargs))
        found = self._bound(args, kwargs, method, False)
        return self._refused(args, kwargs, method) if found is _UNFIT else found

    def _complete(self, count: int) -> Callable[..., Any] | None:
        """What runs the overload of which so many tensors make a complete call."""
        for entry in self.entries:
            if entry.tensors_only == count:
                run = self._of_tensors[count] = entry.of_tensors(count)
                return run
        return None

    def _bound(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool, loosely: bool
    ) -> Any:
        """Runs the first overload whose signature the arguments fit; `_UNFIT` if there is none."""
        for entry in self.entries:
            try:
                bound = entry.signature.bind(args, kwargs, method, loosely)
            except Mismatch:
                continue
            operands = entry.signature.operands
            if (
                operands
                and self.name not in _WITHOUT_TENSORS
                and not any(type(bound[place]) is Tensor for place in operands)
            ):
                self.explain(args, kwargs, method)  # few functions take a number for a tensor
                bound[operands[0]] = _tensor_of(bound[operands[0]])
            found = entry(*bound)
            if isinstance(found, (np.generic, np.ndarray)):
                break  # a row computes on what is raw, and no tensor was among the arguments
            return found
        return _UNFIT

    def _refused(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> Any:
        """Tells what is wrong with a call, in PyTorch's words.

        What PyTorch writes in Python takes anything for a flag, and so runs all the same.
        """
        from gradcli.table.calls import deprecated, wrong

        modern = deprecated.modern(self.name, args, kwargs, method)
        if modern is not None:
            return self.call(*modern, method)
        self._refuse_samples(args, kwargs, method)
        self.explain(args, kwargs, method)
        loosely = wrong.written_in_python(self.name, method) is not None
        found = self._bound(args, kwargs, method, loosely) if loosely else _UNFIT
        if found is _UNFIT:
            own = [f"({entry.parameters})" for entry in self.entries]
            wrong.refuse_own(name_in_messages(self.name), own, args, kwargs, method)
        return found

    def _refuse_samples(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> None:
        """Says of a batched tensor that stands where a number may that it is none."""
        numbers = [_without_samples(arg) for arg in args]
        named = {name: _without_samples(arg) for name, arg in kwargs.items()}
        pairs = [*zip(numbers, args, strict=True), *((named[name], kwargs[name]) for name in named)]
        if all(number is arg for number, arg in pairs):
            return
        for entry in self.entries:
            try:
                entry.signature.bind(numbers, named, method)
            except Mismatch:
                continue
            raise RuntimeError(ITEM)

    def explain(self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool) -> None:
        """Raises what PyTorch says about the arguments of a failed call, if they do not fit."""
        from gradcli.table.calls import wrong

        wrong.refuse_call(self.name, name_in_messages(self.name), args, kwargs, method)

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
                    f"a '{word_of(args[0])}' object"
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

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.function.within_memory((self.instance, *args), kwargs, True)

    def __repr__(self) -> str:
        return f"<built-in method {self.__name__} of Tensor object at {hex(id(self.instance))}>"

"""What a name means without a module before it: mathematics, of numbers as of tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np

from gradcli.table.entry import Entry
from gradcli.table.functions import Function
from gradcli.table.schema import Mismatch
from gradcli.tensor import dtypes
from gradcli.tensor.public import public
from gradcli.tensor.tensor import Tensor, raw, wrap

NUMBERS: Final = frozenset((bool, int, float, complex))
_WHOLE: Final = frozenset(("ceil", "fix", "floor", "trunc"))
"""Functions whose finite results are whole numbers, as in Python."""


@public(calls=True)
class Bare(Function):
    """A function that takes numbers in the place of tensors, too; it shares another's entries.

    Numbers alone are computed with in double and give a number. A number beside tensors is a
    constant, as weak as in promotion.
    """

    __slots__ = ()

    def __init__(self, function: Function) -> None:
        super().__init__(function.name)
        self.entries = function.entries

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if (not args or type(args[0]) in NUMBERS) and not tensors(args, kwargs):
            return self.of_numbers(args, kwargs)
        try:
            return self.within_memory(args, kwargs, False)
        except TypeError:
            for entry, bound in self.fitted(args, kwargs, _beside(tensors(args, kwargs))):
                return entry(*bound)
            raise

    def of_numbers(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A call without tensors: in double, or with integers and truth values as they are where
        the operator takes nothing else.
        """
        failure: Exception | None = None
        for convert in (_in_double, _as_it_is):
            for entry, bound in self.fitted(args, kwargs, convert):
                try:
                    found = entry(*bound)
                except (NotImplementedError, RuntimeError, TypeError) as error:
                    failure = failure or error
                    continue
                if isinstance(found, (Tensor, tuple)):
                    return self.plain(found)
        if failure is not None:
            raise failure
        return self.within_memory(args, kwargs, False)

    def fitted(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], convert: Callable[[Any], Tensor]
    ) -> Iterator[tuple[Entry, list[Any]]]:
        """The entries that take the arguments once numbers are tensors where tensors are asked
        for, and how they are given.
        """
        for entry in self.entries:
            signature = entry.signature
            asked = [parameter.is_tensor for parameter in signature.parameters]
            places = [*range(len(args)), *map(signature.find, kwargs)]
            values = [*args, *kwargs.values()]
            changed = [
                place is not None and asked[place : place + 1] == [True] and type(value) in NUMBERS
                for place, value in zip(places, values, strict=True)
            ]
            if True not in changed:
                continue
            values = [
                convert(value) if change else value
                for value, change in zip(values, changed, strict=True)
            ]
            named = dict(zip(kwargs, values[len(args) :], strict=True))
            try:
                bound = signature.bind(values[: len(args)], named, False)
            except Mismatch:
                continue
            yield entry, bound

    def plain(self, value: Any) -> Any:
        """A result as a number, or as numbers."""
        if isinstance(value, tuple):
            return tuple(self.plain(item) for item in value)
        if not isinstance(value, Tensor) or value.ndim:
            return value
        number = value.item()
        return int(number) if self.__name__ in _WHOLE and math.isfinite(number) else number


def bare(function: Any) -> Any:
    """What a name means without a module, given what it means with one: functions whose first
    argument is a tensor take numbers, too.
    """
    if type(function) is not Function:
        return function
    firsts = [kind for entry in function.entries for kind, _ in entry.outlined[:1]]
    return Bare(function) if "Tensor" in firsts or "Operand" in firsts else function


def tensors(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """The tensors among the arguments of a call."""
    return [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]


def weak(number: complex, others: list[Tensor]) -> Tensor:
    """A number as a constant of the type that it has beside tensors."""
    dtype = dtypes.result_type([*map(raw, others), number])
    return wrap(np.asarray(dtypes.convert(number, dtype)))


def _beside(others: list[Tensor]) -> Callable[[Any], Tensor]:
    return lambda number: weak(number, others)


def _in_double(number: complex) -> Tensor:
    return wrap(np.array(number, np.complex128 if type(number) is complex else np.float64))


def _as_it_is(number: complex) -> Tensor:
    return wrap(np.array(number))

"""What expressions mean by names and operators that programs leave to Python.

There `max(x, 0)`, `sum(v)` and `round(x, 2)` are formulas, a list of numbers beside a tensor is a
constant, and `^` is no power.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce
from typing import Any, Final

from gradcli.language.allowed.builtins import PYTHON, present
from gradcli.language.allowed.limits import check_items
from gradcli.language.allowed.operators import BINARY, SYMBOLS, Operator, with_lists
from gradcli.table import registry
from gradcli.table.bare import NUMBERS, bare
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, raw


@cache
def torch_function(name: str) -> Any:
    """The function `torch.NAME`, which takes numbers beside tensors."""
    return bare(registry.lookup(name))


def constant(values: list[Any], other: Tensor) -> Tensor | None:
    """A list beside a tensor: a constant of its numbers, which are as weak as one number is.

    None for a list that holds something else.
    """
    total: Any = 0
    waiting: list[Any] = [values]
    count = 0
    while waiting:
        item = waiting.pop()
        if type(item) is list:
            count += len(item)
            check_items(count)
            waiting += item
        elif type(item) in NUMBERS:
            total += item
        else:
            return None
    made: Tensor = torch_function("tensor")(values, dtype=dtypes.result_type([raw(other), total]))
    return made


def beside(value: Any, other: Tensor, complaint: str) -> Any:
    """What stands beside a tensor, a list as a constant.

    Raises:
        TypeError: it is a list that holds something else than numbers.
    """
    if type(value) is not list:
        return value
    made = constant(value, other)
    if made is None:
        raise TypeError(complaint)
    return made


def exclusive_or(left: Any, right: Any) -> Any:
    """`left ^ right`, of whole numbers the error that other numbers get: a power was meant."""
    if type(left) is int and type(right) is int:
        raise TypeError("unsupported operand type(s) for ^: 'int' and 'int'")
    return left ^ right


OPERATORS: Final[dict[str, Operator]] = {
    symbol: exclusive_or if symbol == "^" else with_lists(symbol, function, Tensor, beside)
    for symbol, function in BINARY.items()
}
"""The binary operators of expressions."""

SYMBOLS.update({function: symbol for symbol, function in OPERATORS.items()})


def extreme(name: str, pairwise: str) -> Callable[..., Any]:
    """`max` or `min`: of one tensor its reduction, of several the larger or smaller elements."""
    complaint = f"{name}() of a list that holds tensors and of a tensor"

    def choose(*arguments: Any, **options: Any) -> Any:
        tensors = [value for value in arguments if type(value) is Tensor]
        if not tensors or "key" in options:
            return PYTHON[name](*arguments, **options)
        if len(arguments) == 1 or options:
            return torch_function(name)(*arguments, **options)
        others = [
            beside(value, tensors[0], complaint) for value in arguments if type(value) is not Tensor
        ]
        # Tensors come first: two numbers have no type that a tensor could keep.
        return reduce(torch_function(pairwise), [*tensors, *others])

    return choose


def reducing(name: str) -> Callable[..., Any]:
    """`sum`, `any`, `all`: of a tensor PyTorch's, of anything else Python's."""

    def choose(*arguments: Any, **options: Any) -> Any:
        if arguments and type(arguments[0]) is Tensor:
            return torch_function(name)(*arguments, **options)
        return PYTHON[name](*arguments, **options)

    return choose


def rounded(*arguments: Any, **options: Any) -> Any:
    """`round(x, digits)`."""
    if not (arguments and type(arguments[0]) is Tensor):
        return PYTHON["round"](*arguments, **options)
    if len(arguments) == 2 and "decimals" not in options:
        options["decimals"] = arguments[1]
        arguments = arguments[:1]
    return torch_function("round")(*arguments, **options)


def raised(*arguments: Any, **options: Any) -> Any:
    """`pow(base, exponent)`."""
    if options or len(arguments) != 2:
        tensors = any(type(value) is Tensor for value in (*arguments, *options.values()))
        return (torch_function("pow") if tensors else PYTHON["pow"])(*arguments, **options)
    return OPERATORS["**"](*arguments)


SHARED: Final[dict[str, Callable[..., Any]]] = {
    "max": extreme("max", "maximum"),
    "min": extreme("min", "minimum"),
    "sum": reducing("sum"),
    "any": reducing("any"),
    "all": reducing("all"),
    "round": rounded,
    "pow": raised,
}
"""The names that Python has too, with the meanings of mathematics. `abs` has the same in both."""

for _name, _function in SHARED.items():
    present(_function, _name)

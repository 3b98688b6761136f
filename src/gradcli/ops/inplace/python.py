"""Python's operators on tensors: each is a row, called with the operands as they stand."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from gradcli.ops.algebra import arithmetic, comparison
from gradcli.table.row import Row
from gradcli.table.short import short_way
from gradcli.tensor.integers import refuse_number
from gradcli.tensor.tensor import Tensor

_NUMBERS = frozenset({int, float})
_OPERANDS = frozenset({Tensor, int, float, bool, complex})


def _accepts(other: Any) -> bool:
    if type(other) is int:
        refuse_number(other)
        return True
    return type(other) in _OPERANDS or isinstance(other, (int, float, complex))


def _forward(function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    def method(self: Tensor, other: Any) -> Any:
        return function(self, other) if _accepts(other) else NotImplemented

    if not isinstance(function, Row):
        return method
    observed = function.observed

    def general(self: Tensor, other: Any) -> Any:
        return observed((self, other)) if _accepts(other) else NotImplemented

    return short_way(function, general) or general


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    def method(self: Tensor, other: Any) -> Any:
        return function(other, self) if _accepts(other) else NotImplemented

    return method


def _tensors_only(function: Callable[[Any, Any], Any]) -> Callable[[Tensor, Any], Any]:
    def method(self: Tensor, other: Any) -> Any:
        return function(self, other) if isinstance(other, Tensor) else NotImplemented

    return method


def _late(name: str) -> Callable[..., Any]:
    """A method whose operator's module is loaded when it is called."""

    def method(self: Tensor, *others: Any) -> Any:
        return getattr(self, name)(*others)

    return method


def _power(self: Tensor, other: Any) -> Any:
    _install_powers()
    return operator.pow(self, other)


def _reflected_power(self: Tensor, other: Any) -> Any:
    _install_powers()
    return operator.pow(other, self)


def _install_powers() -> None:
    """Loads the operator's module and has it called directly from then on."""
    from gradcli.ops.algebra.elementary import pow, pow_scalar

    general, to_number = _forward(pow), _forward(pow_scalar)

    def power(self: Tensor, other: Any) -> Any:
        return (to_number if type(other) in _NUMBERS else general)(self, other)

    for name, method in (("__pow__", power), ("__rpow__", _reflected(pow))):
        setattr(Tensor, name, method)


# Where the in-place method of an operator has another name than the operator.
_IN_PLACE = {
    "truediv": "div",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift",
}


def _augmented(name: str) -> Callable[[Tensor, Any], Any]:
    def method(self: Tensor, other: Any) -> Any:
        return getattr(self, name)(other) if _accepts(other) else NotImplemented

    return method


def _invert(self: Tensor) -> Any:
    if self._array.dtype.kind not in "iub":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return comparison.bitwise_not(self)


def _get_item(self: Tensor, index: Any) -> Any:
    from gradcli.ops.inplace.subscripts import get_item

    return get_item(self, index)


def _set_item(self: Tensor, index: Any, value: Any) -> None:
    from gradcli.ops.inplace.subscripts import set_item

    set_item(self, index, value)


def _delete_item(self: Tensor, index: Any) -> None:
    raise TypeError("Tensor does not support deleting items")


def _install() -> None:
    operators: dict[str, Any] = {
        "add": arithmetic.add,
        "sub": arithmetic.sub,
        "mul": arithmetic.mul,
        "truediv": arithmetic.true_div,
        "floordiv": arithmetic.floor_divide,
        "mod": arithmetic.remainder,
        "and": comparison.bitwise_and,
        "or": comparison.bitwise_or,
        "xor": comparison.bitwise_xor,
        "lshift": comparison.left_shift,
        "rshift": comparison.right_shift,
    }
    methods: dict[str, Any] = {}
    for name, function in operators.items():
        methods[f"__{name}__"] = _forward(function)
        methods[f"__r{name}__"] = _reflected(function)
    # As in PyTorch: a commutative operator keeps the tensor first, and so its edges; `number - x`
    # is one node, `number / x` is two.
    methods["__radd__"] = _forward(arithmetic.add)
    methods["__rmul__"] = _forward(arithmetic.mul)
    methods["__rmod__"] = _reflected(arithmetic.remainder_by)
    methods["__rsub__"] = _forward(arithmetic.rsub)
    methods["__rtruediv__"] = _forward(lambda self, other: arithmetic.reciprocal(self) * other)
    methods["__matmul__"] = _tensors_only(_late("matmul"))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        methods[f"__{name}__"] = _forward(getattr(comparison, name))
    methods["__neg__"] = arithmetic.neg.short or arithmetic.neg.__call__
    methods["__pos__"] = lambda self: arithmetic.positive(self)
    methods["__abs__"] = _late("abs")
    methods["__invert__"] = _invert
    methods["__pow__"], methods["__rpow__"] = _power, _reflected_power
    for name in [*operators, "pow"]:
        methods[f"__i{name}__"] = _augmented(_IN_PLACE.get(name, name) + "_")
    methods["__getitem__"] = _get_item
    methods["__setitem__"] = _set_item
    methods["__delitem__"] = _delete_item
    for name, method in methods.items():
        setattr(Tensor, name, method)


_install()

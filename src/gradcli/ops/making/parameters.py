"""`torch.nn.Parameter`: a leaf that wants gradients, and says what it is."""

from __future__ import annotations

from typing import Any, Final

from gradcli.ops.algebra.creation import check_leaf
from gradcli.ops.making.construction import construct
from gradcli.table.declare import free
from gradcli.table.functions import Free
from gradcli.table.samples import fixed
from gradcli.tensor import dtypes
from gradcli.tensor.leaf import extras_of, is_parameter
from gradcli.tensor.public import REGISTRY, public, word_of
from gradcli.tensor.tensor import Tensor, share

_LABEL: Final = "torch.nn.parameter.Parameter"
_NEW: Final = "Parameter.__new__()"


@public(name="torch._C._TensorMeta", label="torch.nn.parameter._ParameterMeta", calls=True)
class ParameterType(Free):
    """The constructor of parameters, which also serves as their type."""

    __slots__ = ()

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Tensor) and is_parameter(value)

    def __repr__(self) -> str:
        return f"<class '{_LABEL}'>"


REGISTRY[Tensor].narrower = lambda tensor: _LABEL if is_parameter(tensor) else ""


@free(
    "nn.Parameter(Tensor? data=None, bool requires_grad=True)",
    kind=ParameterType,
    samples=lambda r: [(fixed(r(2, 3)),), (r.ints(2, high=3), False), ()],
    doc="A leaf over the memory of a tensor, that wants gradients unless told otherwise.",
)
def parameter(*args: Any, **named: Any) -> Tensor:
    names = ("data", "requires_grad")
    if len(args) > len(names):
        raise TypeError(
            f"{_NEW} takes from 1 to 3 positional arguments but {len(args) + 1} were given"
        )
    given = dict(zip(names, args, strict=False))
    for name, value in named.items():
        if name in given:
            raise TypeError(f"{_NEW} got multiple values for argument '{name}'")
        if name not in names:
            raise TypeError(f"{_NEW} got an unexpected keyword argument '{name}'")
        given[name] = value
    return _made(**given)


def _made(data: Any = None, requires_grad: Any = True) -> Tensor:
    if data is None:
        data = construct(dtypes.default.dtype, (0,), {}, False)
    elif not isinstance(data, Tensor):
        raise AttributeError(f"'{word_of(data)}' object has no attribute 'detach'")
    if type(requires_grad) is not bool:
        raise TypeError(
            "_make_subclass(): argument 'require_grad' (position 3) must be bool, not "
            f"{word_of(requires_grad)}"
        )
    check_leaf(data._array, requires_grad)
    made = share(data, data._array, differentiable=False)
    made._requires_grad = requires_grad
    extras_of(made).parameter = True
    return made

"""Tensors from Python's numbers, lists and NumPy's arrays: `torch.tensor` and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any, Final

import numpy as np

from gradcli.ops.algebra.creation import (
    cast,
    check_device,
    checked_size,
    element,
    leaf,
    to_dtype,
)
from gradcli.ops.algebra.views import alias, clone_row
from gradcli.table.declare import composite, free
from gradcli.table.functions import Free
from gradcli.table.schema import Signature
from gradcli.table.typenames import describe_types, type_name
from gradcli.tensor import dtypes
from gradcli.tensor.arrays import unwrapped
from gradcli.tensor.dtypes import DType
from gradcli.tensor.formats import Device, Layout
from gradcli.tensor.leaf import looked_at, set_flag
from gradcli.tensor.memory import reserve
from gradcli.tensor.nesting import check_unfolded
from gradcli.tensor.public import public, supports, word_of
from gradcli.tensor.shapes import Size
from gradcli.tensor.tensor import Tensor, share, wrap
from gradcli.tensor.warn import COPIES, warn
from gradcli.typing import Array

_NESTED: Final = frozenset({list, tuple})
_NUMBERS: Final = frozenset({int, float, bool, complex})
_DEEPEST: Final = 128
_REFERENCE: Final = 8  # bytes of a list for each element


def _flattened(data: Any) -> tuple[list[int], list[Any]] | None:
    """The shape and the elements of lists within lists; None if they are no array of numbers."""
    if type(data) in _NESTED and data and type(data[0]) in _NESTED:
        reserve(_shape_of(data), _REFERENCE)
    shape: list[int] = []
    level = [data]
    while level and type(level[0]) in _NESTED:
        length = len(level[0])
        for item in level:
            if type(item) not in _NESTED or len(item) != length:
                return None
        shape.append(length)
        if len(shape) > _DEEPEST:
            return None
        level = [element for item in level for element in item]
    return (shape, level) if _NUMBERS.issuperset(map(type, level)) else None


def _type_of_numbers(numbers: Sequence[Any]) -> DType:
    kinds = set(map(type, numbers))
    if complex in kinds:
        if dtypes.default.dtype is dtypes.bfloat16:
            raise RuntimeError("invalid default scalar type for complex")
        return dtypes.default.dtype.to_complex()
    if float in kinds or not kinds:
        return dtypes.default.dtype
    return dtypes.int64 if int in kinds else dtypes.bool_


def _from_numbers(data: Any, dtype: DType | None) -> Array | None:
    """The array of (nested lists of) numbers; None where elements must be looked at one by one."""
    found = _flattened(data)
    if found is None:
        return None
    shape, numbers = found
    kind = _type_of_numbers(numbers)
    target = dtype or kind
    # What has to be checked against the range of the type, or is an error, goes the slow way.
    if target.category < kind.category and target.category != dtypes.BOOL:
        return None
    if target.category == dtypes.INTEGRAL and target is not dtypes.int64 and kind is dtypes.int64:
        return None
    try:
        with np.errstate(over="ignore"):
            return np.array(numbers, target.np).reshape(shape)
    except OverflowError:
        return None


def _is_sequence(value: Any) -> bool:
    """Whether PyTorch looks for elements inside a value; tensors count as elements."""
    return not isinstance(value, (Tensor, dict, set, np.generic)) and supports(value, "__getitem__")


def _shape_of(data: Any) -> list[int]:
    """The lengths of the first elements, first elements' first elements, and so on."""
    shape: list[int] = []
    while _is_sequence(data):
        length = len(data)
        shape.append(length)
        if len(shape) > _DEEPEST:
            raise ValueError(f"too many dimensions '{word_of(data)}'")
        if not length:
            break
        data = data[0]
    return shape


def _infer(data: Any) -> DType:
    """The type that the elements have in common."""
    data = unwrapped(data)
    if isinstance(data, np.generic):
        return dtypes.from_numpy(data.dtype)
    if isinstance(data, (int, float, complex)):
        return dtypes.of_number(data)
    if isinstance(data, Tensor):
        return data.dtype
    if isinstance(data, np.ndarray):
        return dtypes.from_numpy(data.dtype)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{word_of(data)}'")
    if not _is_sequence(data):
        raise RuntimeError(f"Could not infer dtype of {type_name(data)}")
    found: DType | None = None
    for item in data:
        kind = _infer(item)
        found = kind if found is None else dtypes.promote_types(found, kind)
    return found or dtypes.default.dtype


def _fill(places: Array, data: Any, dim: int, ndim: int, dtype: DType) -> None:
    """Writes the elements of nested sequences; `places` are those of dimensions from `dim`."""
    if dim == ndim:
        places[...] = element(data, dtype)
        return
    if not _is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != places.shape[0]:
        raise ValueError(
            f"expected sequence of length {places.shape[0]} at dim {dim} (got {len(data)})"
        )
    for position, item in enumerate(data):
        _fill(places[position : position + 1].reshape(places.shape[1:]), item, dim + 1, ndim, dtype)


def array_of(data: Any, dtype: DType | None = None) -> Array:
    """A new array of what `torch.tensor` takes: numbers, nested sequences, arrays, tensors.

    Raises:
        TypeError, ValueError, RuntimeError: PyTorch's, where the data are no array of numbers.
    """
    data = unwrapped(data)
    kind = type(data)
    if kind is float and dtype is None:
        return np.array(data, dtypes.default.dtype.np)
    if kind in _NESTED or kind in _NUMBERS:
        made = _from_numbers(data, dtype)
        if made is not None:
            return made
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{kind.__name__}'")
    if isinstance(data, Tensor):
        return cast(looked_at(data), dtype or data.dtype)
    if isinstance(data, (np.ndarray, np.generic)):
        return cast(np.asarray(data), dtype or dtypes.from_numpy(data.dtype))
    shape = _shape_of(data)
    reserve(shape, _REFERENCE)
    check_unfolded(data, "a tensor of nested lists")
    target = dtype or _infer(data)
    out = np.zeros(shape, target.np)
    _fill(out, data, 0, len(shape), target)
    return out


@composite(
    "tensor",
    samples=lambda r: [
        ([1, 2],),
        ([[1.5, 2], [3, 4]],),
        (True,),
        ([1, 2j],),
        ([[]],),
        (r(2, 3),),
        ([1, 2], {"dtype": dtypes.float64}),
        (2.5, {"requires_grad": True}),
    ],
)
def tensor(
    data: Any,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    pin_memory: bool | None = False,
) -> Tensor:
    """A new tensor of numbers, nested lists, an array or another tensor's values."""
    if device is not None:
        check_device(device)
    if type(data) is Tensor:
        warn(COPIES.format("torch.tensor"))
    return leaf(array_of(data, dtype), requires_grad)


@composite(
    "Tensor.new_tensor",
    samples=lambda r: [
        (r(2), [1, 2]),
        (r.ints(2, high=3), [1.7, -2.7]),
        (r(2), r.ints(2, high=3)),
        (r(2), 3, {"dtype": dtypes.int8}),
        (r(2), [[1.5]], {"requires_grad": True}),
    ],
)
def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    requires_grad: bool = False,
    layout: Layout | None = None,
    pin_memory: bool | None = False,
) -> Tensor:
    """A new tensor of data, in the type of this one."""
    check_device(device)
    if type(data) is Tensor:
        warn(COPIES.format("tensor.new_tensor"))
    return leaf(array_of(data, dtype or self.dtype), requires_grad)


@composite(
    "as_tensor",
    samples=lambda r: [
        ([1, 2.5],),
        (3,),
        (r(2, 3),),
        (r(2), {"dtype": dtypes.complex128}),
        ([True, False], {"dtype": dtypes.int64}),
    ],
)
def as_tensor(data: Any, *, dtype: DType | None = None, device: Device | None = None) -> Tensor:
    """A tensor itself, an array's memory as a tensor, or a new tensor of other data."""
    check_device(device)
    if isinstance(data, Tensor):
        found: Tensor = to_dtype(data, dtype or data.dtype)
        return found
    data = unwrapped(data)
    if isinstance(data, np.ndarray):
        kind = dtypes.from_numpy(data.dtype)
        return wrap(data if dtype is None or dtype is kind else cast(data, dtype))
    return wrap(array_of(data, dtype))


@composite("from_numpy", untested="an array among the arguments of a sample stands for a tensor")
def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares an array's memory."""
    ndarray = unwrapped(ndarray)
    if not isinstance(ndarray, np.ndarray):
        kind = type(ndarray)
        module = f"{kind.__module__}." if kind.__module__ == "numpy" else ""
        raise TypeError(f"expected np.ndarray (got {module}{kind.__name__})")
    dtypes.from_numpy(ndarray.dtype)
    if any(stride < 0 for stride in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not currently supported. (You can probably work around this by making a "
            "copy of your array  with array.copy().) "
        )
    return wrap(ndarray)


@composite(
    "asarray",
    samples=lambda r: [
        ([1, 2.5],),
        (r(2, 3),),
        (r(2), {"dtype": dtypes.complex128}),
        (r(2), {"copy": True}),
        (r(2), {"requires_grad": True}),
        ([1, 2], {"dtype": dtypes.float64, "requires_grad": True}),
    ],
)
def asarray(
    obj: Any,
    *,
    dtype: DType | None = None,
    device: Device | None = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """Data as a tensor; `copy` demands or forbids a copy, None makes one where needed."""
    check_device(device)
    obj = unwrapped(obj)
    if not isinstance(obj, (Tensor, np.ndarray)):
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        return leaf(array_of(obj, dtype), requires_grad)
    kind = obj.dtype if isinstance(obj, Tensor) else dtypes.from_numpy(obj.dtype)
    if copy is False and dtype not in (None, kind):
        assert dtype is not None
        raise ValueError(
            f"can't alias tensor with dtype '{kind.scalar_name}' into dtype '{dtype.scalar_name}'."
        )
    made: Tensor = as_tensor(obj, dtype, device)
    if copy:
        made = clone_row(made)
    if requires_grad is None:
        return made
    if not (requires_grad or made.is_leaf):
        return share(made, made._array, differentiable=False)
    set_flag(made, requires_grad)
    return made


_INVALID: Final = (
    "new() received an invalid combination of arguments - got ({given}), but expected one of:\n"
    " * (*, torch.device device = None)\n"
    " * (torch.Storage storage)\n"
    " * (Tensor other)\n"
    " * (tuple of ints size, *, torch.device device = None)\n"
    " * (object data, *, torch.device device = None)"
)


def _options(dtype: DType) -> str:
    return (
        f"TensorOptions(dtype={dtype.c_name}, device=cpu, layout=Strided, "
        "requires_grad=false (default), pinned_memory=false (default), memory_format=(nullopt))"
    )


_SIZE: Final = Signature("new", "int[] size")


def _zeros(dtype: DType, lengths: Sequence[Any]) -> Tensor:
    """A tensor of the shape that a legacy constructor is given."""
    whole = [int(length) if isinstance(length, bool) else length for length in lengths]
    return wrap(np.zeros(checked_size(_SIZE.bind((whole,), {}, False)[0], dtype), dtype.np))


def _is_length(value: Any) -> bool:
    """Whether a value is an integer that can be the first of several lengths."""
    if isinstance(value, Tensor):
        return value.ndim == 0 and value._array.dtype.kind in "iu"
    return isinstance(value, int) and not isinstance(value, bool)


def _from_data(dtype: DType, data: Any, exact: bool) -> Tensor:
    data = unwrapped(data)
    if isinstance(data, Tensor):
        if exact and data.dtype is not dtype:
            wanted, found = _options(dtype), _options(data.dtype)
            raise TypeError(f"expected {wanted} (got {found})")
        aliased: Tensor = alias(data)
        return aliased
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type_name(data)}'")
    if not supports(data, "__getitem__") or isinstance(data, (dict, np.generic)):
        raise TypeError(f"new(): data must be a sequence (got {type_name(data)})")
    return wrap(array_of(data, dtype))


def construct(dtype: DType, args: tuple[Any, ...], options: dict[str, Any], exact: bool) -> Tensor:
    """What `torch.FloatTensor` and the like make; `exact` refuses tensors of other types."""
    invalid = TypeError(_INVALID.format(given=describe_types(args, options)[1:-1]))
    given = dict(options)
    device = given.pop("device", None)
    if type(device) not in (str, int, Device, NoneType):
        raise invalid
    if len(args) + len(given) > 1 and (given or not _is_length(args[0])):
        raise invalid
    check_device(device)
    if "size" in given:
        size = given["size"]
        if not isinstance(size, (list, tuple)) or (size and not _is_length(size[0])):
            raise invalid
        return _zeros(dtype, size)
    if "data" in given:
        return _from_data(dtype, given["data"], exact)
    if given:
        raise invalid
    if not args:
        return wrap(np.zeros(0, dtype.np))
    first = args[0]
    if len(args) == 1 and isinstance(first, Size):
        return _zeros(dtype, first)
    if _is_length(first) and (len(args) > 1 or not isinstance(first, Tensor)):
        return _zeros(dtype, args)
    return _from_data(dtype, first, exact)


@public(name="torch.tensortype", label="torch.tensortype", calls=True)
class TensorType(Free):
    """A legacy constructor such as `torch.FloatTensor`, which also serves as a type."""

    __slots__ = ()

    @property
    def dtype(self) -> DType:
        """The element type of the tensors it makes."""
        return _TYPES[self.name]

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype is self.dtype

    def __repr__(self) -> str:
        return f"<class 'torch.{self.name}'>"


_TYPES: Final = {dtype.tensor_name: dtype for dtype in dtypes.ALL if dtype.category < 3}


def _enter(name: str, dtype: DType) -> None:
    @free(
        f"{name}(any data)",
        kind=TensorType,
        samples=lambda r: [([1, 0, 2],), ([[True], [False]],), (2, 0), ()],
        doc=f"A {dtype.name} tensor of data or, given integers, of that shape.",
    )
    def make(*args: Any, **options: Any) -> Tensor:
        return construct(dtype, args, options, True)


for _name, _dtype in _TYPES.items():
    _enter(_name, _dtype)


@free(
    "Tensor(any data)",
    samples=lambda r: [([1, 0, 2],), ([[True], [False]],), (2, 0), (r(3),), ()],
    doc="A tensor of data or, given integers, of that shape, in the default type.",
)
def legacy(*args: Any, **options: Any) -> Tensor:
    return construct(dtypes.default.dtype, args, options, False)


@free(
    "Tensor.new(Tensor self, any data=None)",
    samples=lambda r: [(r(2),), (r(2), [1, 2.5]), (r.ints(2, high=3), 2, 0), (r(2), r(3))],
    doc="A tensor of data, in this one's type.",
)
def new(self: Tensor, *args: Any, **options: Any) -> Tensor:
    return construct(self.dtype, args, options, True)

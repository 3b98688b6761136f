"""NumPy's arrays, scalars and types as a program holds them: `x.numpy()`.

A bare `ndarray` writes files, reads memory by address and makes arrays of objects. What programs
get wraps one: its methods are listed, its operands are numbers and other arrays, and what NumPy
answers is wrapped again. The memory is the tensor's own, as in PyTorch.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, NoReturn, TypeVar

import numpy as np

from gradcli.tensor.classes import Class, token
from gradcli.tensor.guard import final
from gradcli.tensor.memory import NUMBER_SIZE, refuse_giant, reserve
from gradcli.tensor.nesting import check_unfolded
from gradcli.tensor.public import REGISTRY, Fixed, public
from gradcli.tensor.tensor import Tensor, wrap

KINDS: Final = "biufc"
"""NumPy's letters of the element types that there are: no objects, texts, dates or records."""

METHODS: Final[dict[str, str]] = {
    "all": "axis keepdims",
    "any": "axis keepdims",
    "argmax": "axis",
    "argmin": "axis",
    "argsort": "axis",
    "astype": "dtype",
    "clip": "min max",
    "conj": "",
    "copy": "",
    "cumprod": "axis",
    "cumsum": "axis",
    "diagonal": "offset",
    "dot": "b",
    "fill": "value",
    "flatten": "",
    "item": "*",
    "max": "axis keepdims",
    "mean": "axis dtype keepdims",
    "min": "axis keepdims",
    "nonzero": "",
    "prod": "axis dtype keepdims",
    "ravel": "",
    "reshape": "*",
    "round": "decimals",
    "sort": "axis",
    "squeeze": "axis",
    "std": "axis dtype ddof keepdims",
    "sum": "axis dtype keepdims",
    "swapaxes": "axis1 axis2",
    "tolist": "",
    "trace": "offset",
    "transpose": "*",
    "var": "axis dtype ddof keepdims",
}
"""What may be called on an array, and what it takes: NumPy's names in an order of ours; `*` stands
for integers."""

COPYING: Final = frozenset(
    (
        *("argsort", "astype", "clip", "conj", "copy", "cumprod", "cumsum"),
        *("flatten", "nonzero", "round", "tolist"),
    )
)
"""Methods whose answers may be as large as their array."""

ATTRIBUTES: Final = "T dtype imag itemsize nbytes ndim real shape size strides"

Operation = Callable[[Any, Any], Any]
Result = TypeVar("Result")


@public(
    "itemsize kind name",
    name=lambda dtype: f"numpy.dtypes.{type(dtype.of).__name__}",
)
class ArrayType(Fixed):
    """The element type of an array, `numpy.dtype`."""

    __slots__ = ("of",)
    of: np.dtype[Any]

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._fix(of=dtype)

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.of.itemsize

    @property
    def kind(self) -> str:
        """NumPy's letter for a kind of types."""
        return self.of.kind

    @property
    def name(self) -> str:
        """The type's name."""
        return self.of.name

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ArrayType):
            return self.of == other.of
        if not isinstance(other, (str, Class)):
            return False
        try:
            return bool(self.of == dtype_of(other))
        except TypeError:
            return False

    def __hash__(self) -> int:
        return hash(self.of)

    def __repr__(self) -> str:
        return repr(self.of)

    def __str__(self) -> str:
        return str(self.of)


def _reader(value: Numbers, name: str) -> Any:
    """An attribute or a method of an array."""
    if name in _ATTRIBUTES:
        return wrapped(getattr(value._array, name))
    if name in METHODS:
        return ArrayMethod(value, name)
    raise AttributeError(f"'{_label(value)}' object has no attribute '{name}'")


_ATTRIBUTES: Final = frozenset(ATTRIBUTES.split())


def _label(value: Numbers) -> str:
    return f"numpy.{type(value._array).__name__}"


class Numbers:
    """What arrays and NumPy's scalars share: operators, and a value of NumPy behind them."""

    __slots__ = ("_array",)
    _array: Any

    __array_ufunc__ = None  # NumPy leaves `ndarray + self` to this class

    def __init__(self, array: Any) -> None:
        self._array = array

    def __neg__(self) -> Any:
        return asked(operator.neg, self._array)

    def __pos__(self) -> Any:
        return asked(operator.pos, self._array)

    def __abs__(self) -> Any:
        return asked(abs, self._array)

    def __invert__(self) -> Any:
        return asked(operator.invert, self._array)

    def __bool__(self) -> bool:
        return told(bool, self._array)

    def __int__(self) -> int:
        return told(int, self._array)

    def __float__(self) -> float:
        return told(float, self._array)

    def __complex__(self) -> complex:
        return told(complex, self._array)

    def __index__(self) -> int:
        return told(operator.index, self._array)

    def __round__(self, digits: int | None = None) -> Any:
        return asked(round, self._array, *(() if digits is None else (digits,)))

    def __repr__(self) -> str:
        return repr(self._array)

    def __str__(self) -> str:
        return str(self._array)

    def __format__(self, spec: str) -> str:
        if spec and isinstance(self._array, np.ndarray) and self._array.ndim:
            raise TypeError("unsupported format string passed to numpy.ndarray.__format__")
        return told(format, self._array, spec)


@public(name=_label, reader=_reader)
class Scalar(Numbers):
    """One number of NumPy's, such as `x.numpy().sum()`."""

    __slots__ = ()

    def __hash__(self) -> int:
        return hash(self._array)


token("numpy.float64", Scalar).base = float
token("numpy.complex128", Scalar).base = complex


@public(name="numpy.ndarray", reader=_reader)
class Array(Numbers):
    """An array of numbers."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return told(len, self._array)

    def __iter__(self) -> Iterator[Any]:
        items = told(iter, self._array)
        return (wrapped(item) for item in items)

    def __contains__(self, value: Any) -> bool:
        return bool(asked(operator.contains, self._array, plain(value)))

    def __getitem__(self, index: Any) -> Any:
        return asked(operator.getitem, self._array, _index(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        asked(operator.setitem, self._array, _index(index), plain(value))

    def __delitem__(self, index: Any) -> NoReturn:
        raise ValueError("cannot delete array elements")


@public(name="builtin_function_or_method", calls=True)
class ArrayMethod:
    """A listed method, with the array before its dot."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Numbers, name: str) -> None:
        self.owner = owner
        self.name = name

    def __call__(self, /, *arguments: Any, **named: Any) -> Any:
        takes = METHODS[self.name]
        if self.name in COPYING:
            reserve(self.owner._array.shape, NUMBER_SIZE)
        method = getattr(self.owner._array, self.name)
        if takes == "*":
            if named:
                raise TypeError(f"{self.name}() takes no keyword arguments here")
            return asked(method, *map(_whole, arguments))
        names = takes.split()
        if len(arguments) > len(names):
            raise TypeError(
                f"{self.name}() takes at most {len(names)} arguments ({len(arguments)} given)"
            )
        given = dict(zip(names, arguments, strict=False))
        for name, value in named.items():
            if name not in names:
                raise TypeError(f"{self.name}() got an unexpected keyword argument '{name}'")
            if name in given:
                raise TypeError(f"{self.name}() got multiple values for argument '{name}'")
            given[name] = value
        values = {name: _argument(name, given[name]) for name in given}
        if self.name == "fill":  # NumPy has no name for its argument
            return asked(method, *values.values())
        return asked(method, **values)

    def __repr__(self) -> str:
        return f"<built-in method {self.name} of {_label(self.owner)} object at {id(self):#x}>"


def _argument(name: str, value: Any) -> Any:
    """An argument of a method, as NumPy may have it."""
    if name in ("b", "value", "min", "max"):
        return None if value is None else plain(value)
    if name == "dtype":
        return dtype_of(value)
    return _whole(value)


def _whole(value: Any) -> Any:
    """None, a truth value, an integer or a tuple of integers."""
    if value is None or type(value) in (bool, int):
        return value
    if isinstance(value, (tuple, list)):
        return tuple([operator.index(item) for item in value])
    return operator.index(value)


def dtype_of(value: Any) -> Any:
    """An element type: one of NumPy's numbers."""
    if isinstance(value, ArrayType):
        return value.of
    if isinstance(value, Class) and value.of in (bool, int, float, complex):
        return np.dtype(value.of)
    if isinstance(value, Class) and value.of is Scalar:
        return np.dtype(value.__name__)
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"Cannot interpret '{value!r}' as a data type")
    if value not in _NAMES:
        raise TypeError(f"data type '{value}' not understood")
    return np.dtype(value)


_SPELLED: Final = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 "
    "complex128 int float complex"
)
_NAMES: Final = frozenset(_SPELLED.split())


def wrapped(value: Any) -> Any:
    """What NumPy answered, as a value of the language.

    Raises:
        TypeError: it is an array of anything but numbers, or nothing that programs may have.
    """
    kind = type(value)
    if kind is np.ndarray or isinstance(value, np.generic):
        if value.dtype.kind not in KINDS:
            raise final(TypeError(f"arrays of type {value.dtype} are not part of the language"))
        return Array(value) if kind is np.ndarray else Scalar(value)
    if isinstance(value, tuple):
        return tuple([wrapped(item) for item in value])
    if isinstance(value, np.dtype):
        return ArrayType(value)
    if value is None or value is NotImplemented or kind in _PLAIN or kind is list:
        return value
    raise final(TypeError(f"'{kind.__name__}' is not part of the language"))


_PLAIN: Final = frozenset((bool, int, float, complex))


def asked(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What NumPy answers, wrapped.

    Raises:
        Exception: whatever NumPy raises.
    """
    return wrapped(told(function, *arguments, **named))


def told(function: Callable[..., Result], *arguments: Any, **named: Any) -> Result:
    """What NumPy answers. Its errors are what Python's users read there, so they are raised in its
    words; those that hold its functions and types become text.

    Raises:
        TypeError: there is no such operation for the types.
        RuntimeError: there is not so much memory.
        Exception: whatever NumPy raises.
    """
    try:
        with warnings.catch_warnings():  # of no degrees of freedom, of means of nothing
            warnings.simplefilter("ignore", RuntimeWarning)
            return function(*arguments, **named)
    except Exception as error:
        refuse_giant(error)
        if all(isinstance(part, (str, int)) for part in error.args):
            raise error.with_traceback(None) from None
        raise TypeError(str(error)) from None


def plain(value: Any) -> Any:
    """An operand as NumPy may have it: a number or an array of numbers.

    Raises:
        TypeError: it is or holds anything else.
    """
    if isinstance(value, Numbers):
        return value._array
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (list, tuple, range)):
        check_unfolded(value, "an array of nested lists")
        array = np.asarray(_nested(value))
        if array.dtype.kind in KINDS:
            return array
    elif isinstance(value, Tensor):
        return value.numpy()
    raise TypeError(f"a {_word(value)} is no array of numbers")


def _nested(value: Any) -> Any:
    """Nested lists of numbers, with what wraps arrays taken off."""
    if isinstance(value, (list, tuple, range)):
        return [_nested(item) for item in value]
    if isinstance(value, Numbers):
        return value._array
    if type(value) in _PLAIN:
        return value
    if isinstance(value, Tensor):
        return value.numpy()
    raise TypeError(f"a {_word(value)} is no number")


def _word(value: Any) -> str:
    return type(value).__name__


def _index(index: Any) -> Any:
    """An index as NumPy may have it."""
    if index is None or index is ... or type(index) in (int, bool):
        return index
    if type(index) is slice:
        return slice(_whole(index.start), _whole(index.stop), _whole(index.step))
    if isinstance(index, tuple):
        return tuple([_index(item) for item in index])
    if isinstance(index, (list, Numbers, Tensor)):
        return plain(index)
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or "
        "boolean arrays are valid indices"
    )


def _takes(other: Any) -> bool:
    return isinstance(other, (Numbers, list, tuple)) or type(other) in _PLAIN


def _combined(operation: Operation, left: Any, right: Any) -> Any:
    """What NumPy makes of two operands that broadcast, if there is memory for it."""
    if operation is not operator.matmul:
        with suppress(ValueError):  # which the operation raises in its own words
            reserve(np.broadcast_shapes(np.shape(left), np.shape(right)), NUMBER_SIZE)
    return asked(operation, left, right)


def _forward(operation: Operation) -> Operation:
    def method(self: Numbers, other: Any) -> Any:
        if isinstance(other, Tensor):
            if type(self) is Scalar:
                return operation(wrap(self._array), other)
            if operation is operator.truediv:
                return other.reciprocal() * self
        return _combined(operation, self._array, plain(other)) if _takes(other) else NotImplemented

    return method


def _reflected(operation: Operation) -> Operation:
    def method(self: Numbers, other: Any) -> Any:
        if isinstance(other, Tensor):
            return operation(other, wrap(self._array))
        return _combined(operation, plain(other), self._array) if _takes(other) else NotImplemented

    return method


def _in_place(operation: Operation) -> Operation:
    def method(self: Array, other: Any) -> Any:
        if not _takes(other):
            return NotImplemented
        asked(operation, self._array, plain(other))
        return self

    return method


for _name in [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
]:
    _short = _name.rstrip("_")
    _operation = getattr(operator, _name)
    setattr(Numbers, f"__{_short}__", _forward(_operation))
    setattr(Numbers, f"__r{_short}__", _reflected(_operation))
    setattr(Array, f"__i{_short}__", _in_place(getattr(operator, f"i{_short}")))
for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(Numbers, f"__{_name}__", _forward(getattr(operator, _name)))
setattr(Numbers, "__divmod__", _forward(divmod))  # noqa: B010 - as the others
setattr(Numbers, "__rdivmod__", _reflected(divmod))  # noqa: B010


def unwrapped(value: Any) -> Any:
    """The array or scalar of NumPy's behind a value of the language; others as they are."""
    return value._array if isinstance(value, Numbers) else value


def _numpy(tensor: Tensor, force: bool = False) -> Array:
    """`x.numpy()` in the language."""
    return Array(tensor.numpy(force))


REGISTRY[Tensor].guards["numpy"] = _numpy
REGISTRY[Tensor].reads.discard("numpy")

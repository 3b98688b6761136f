"""Element types and their promotion, by PyTorch's rules rather than NumPy's.

PyTorch promotes by *category* first (bool < integral < floating < complex): an operand of a lower
priority (a Python number is below a zero-dimensional tensor, which is below a tensor with
dimensions) changes the result only when its category is higher.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gradcli.tensor.public import Fixed, public

BOOL: Final = 0
INTEGRAL: Final = 1
FLOATING: Final = 2
COMPLEX: Final = 3

FLOATS: Final = frozenset("fV")
"""NumPy's letters for the kinds of floating types; it knows bfloat16 by no letter but "V"."""
INEXACT: Final = FLOATS | {"c"}
"""The same with complex types: what has gradients."""
HALVES: Final = frozenset("eE")
"""NumPy's letters for single types: those of half precision, float16 and bfloat16.

PyTorch's kernels compute on these in single precision, and round what they return.
"""


@public("is_complex is_floating_point is_signed itemsize to_complex to_real", name="torch.dtype")
class DType(Fixed):
    """An element type under PyTorch's name; there is one instance per type.

    `np` is the NumPy type behind it, `category` one of BOOL, INTEGRAL, FLOATING, COMPLEX and
    `tensor_name` what `x.type()` prints after `torch.`. PyTorch's messages call the type by
    its `scalar_name` (`Float`, `Long`) or as the C++ compiler does, `c_name` (`float`,
    `long int`).
    """

    __slots__ = ("c_name", "category", "name", "np", "scalar_name", "tensor_name")

    c_name: str
    category: int
    name: str
    np: np.dtype[Any]
    scalar_name: str
    tensor_name: str

    def __init__(self, name: str, scalar_name: str, c_name: str, category: int) -> None:
        self._fix(
            name=name,
            scalar_name=scalar_name,
            c_name=c_name,
            tensor_name=scalar_name + "Tensor",
            category=category,
        )
        if name != "bfloat16":
            self._fix(np=np.dtype(name))

    def __getattr__(self, name: str) -> Any:
        if name != "np":
            raise AttributeError(f"'torch.dtype' object has no attribute '{name}'")
        # NumPy's type for bfloat16 is in a package of its own, loaded when it is first needed.
        from ml_dtypes import bfloat16 as scalar

        self._fix(np=np.dtype(scalar))
        _BY_NUMPY[self.np] = self
        return self.np

    def __repr__(self) -> str:
        return "torch." + self.name

    def __reduce__(self) -> str:
        return self.name

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return self.np.itemsize

    @property
    def overflow_name(self) -> str:
        """What messages about numbers that do not fit call it: `int64_t`, but `int`."""
        if self.category != INTEGRAL or self.name == "int32":
            return self.c_name
        return f"{self.name}_t"

    @property
    def is_floating_point(self) -> bool:
        return self.category == FLOATING

    @property
    def is_complex(self) -> bool:
        return self.category == COMPLEX

    @property
    def is_half(self) -> bool:
        """Whether PyTorch's kernels compute on the type in single precision."""
        return self is float16 or self is bfloat16

    @property
    def is_signed(self) -> bool:
        return self.category >= FLOATING or (self.category == INTEGRAL and self.np.kind == "i")

    def to_complex(self) -> DType:
        """The complex type of the same precision."""
        if self.category == COMPLEX:
            return self
        return complex128 if self is float64 else complex64

    def to_real(self) -> DType:
        """The real type of the same precision."""
        return {"complex128": float64, "complex64": float32}.get(self.name, self)


float32 = DType("float32", "Float", "float", FLOATING)
float64 = DType("float64", "Double", "double", FLOATING)
float16 = DType("float16", "Half", "c10::Half", FLOATING)
bfloat16 = DType("bfloat16", "BFloat16", "c10::BFloat16", FLOATING)
uint8 = DType("uint8", "Byte", "unsigned char", INTEGRAL)
int8 = DType("int8", "Char", "signed char", INTEGRAL)
int16 = DType("int16", "Short", "short int", INTEGRAL)
int32 = DType("int32", "Int", "int", INTEGRAL)
int64 = DType("int64", "Long", "long int", INTEGRAL)
bool_ = DType("bool", "Bool", "bool", BOOL)
complex64 = DType("complex64", "ComplexFloat", "c10::complex<float>", COMPLEX)
complex128 = DType("complex128", "ComplexDouble", "c10::complex<double>", COMPLEX)

ALL: Final = (
    float32,
    float64,
    float16,
    bfloat16,
    uint8,
    int8,
    int16,
    int32,
    int64,
    bool_,
    complex64,
    complex128,
)
# NumPy compares dtypes by value, so one dictionary serves every spelling of them.
_BY_NUMPY: Final[dict[np.dtype[Any], DType]] = {
    dtype.np: dtype for dtype in ALL if dtype is not bfloat16
}

DTYPES: Final[dict[str, DType]] = {dtype.name: dtype for dtype in ALL} | {
    "float": float32,
    "double": float64,
    "half": float16,
    "short": int16,
    "int": int32,
    "long": int64,
    "cfloat": complex64,
    "cdouble": complex128,
}
"""Every name under which PyTorch offers a type: `torch.float`, `torch.long`, ..."""


class _Default:
    """The type of new floating tensors; a mutable cell, so that readers see changes."""

    __slots__ = ("dtype",)

    def __init__(self) -> None:
        self.dtype: DType = float32


default: Final = _Default()


def get_default_dtype() -> DType:
    """The type that Python floats become."""
    return default.dtype


def set_default_dtype(dtype: DType) -> None:
    """Changes the type that Python floats become; it must be a floating one."""
    if dtype.category != FLOATING:
        raise TypeError(
            "only floating-point types are supported as the default type"
            if isinstance(dtype, DType)
            else "invalid dtype object"
        )
    default.dtype = dtype
    _RESULT_TYPES.clear()


def of(array: Any) -> DType:
    """The DType of a NumPy array or scalar."""
    return _BY_NUMPY[array.dtype]


def from_numpy(dtype: np.dtype[Any]) -> DType:
    """The DType of a NumPy dtype; TypeError where PyTorch has no counterpart here."""
    found = _BY_NUMPY.get(dtype)
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{dtype.type.__name__}. The only supported "
            "types are: float64, float32, float16, complex64, complex128, int64, int32, int16, "
            "int8, uint64, uint32, uint16, uint8, and bool."
        )
    return found


def of_number(value: complex) -> DType:
    """The type that a Python number has as a tensor of its own."""
    if isinstance(value, bool):
        return bool_
    if isinstance(value, int):
        return int64
    if isinstance(value, float):
        return default.dtype
    return default.dtype.to_complex()


def promote_types(a: DType, b: DType) -> DType:
    """The smallest type that holds both categories, as `torch.promote_types`."""
    if a is b:
        return a
    if a.category == b.category or COMPLEX in (a.category, b.category):
        if a.category == b.category or (a.category >= FLOATING and b.category >= FLOATING):
            if a.category != b.category and (a.is_half or b.is_half):
                return a if a.category == COMPLEX else b
            if a.is_half and b.is_half:
                return float32
            return _BY_NUMPY[np.promote_types(a.np, b.np)]
        return a if a.category == COMPLEX else b
    return a if a.category > b.category else b


def _combine(higher: DType | None, lower: DType | None) -> DType | None:
    """What a lower-priority operand makes of the result of the higher-priority ones."""
    if higher is None or lower is None:
        return higher or lower
    if higher.category == COMPLEX:
        return higher
    if higher.category == FLOATING:
        return higher.to_complex() if lower.category == COMPLEX else higher
    if higher.category == BOOL or lower.category >= FLOATING:
        return promote_types(higher, lower)
    return higher


_RESULT_TYPES: Final[dict[Any, DType]] = {}


def result_type(operands: list[Any]) -> DType:
    """The common type of arrays and Python numbers, as `torch.result_type`.

    Operands are NumPy arrays or scalars (tensors) and Python numbers, which are weak.
    """
    key = tuple(
        [
            (operand.dtype, operand.ndim > 0) if hasattr(operand, "dtype") else type(operand)
            for operand in operands
        ]
    )
    found = _RESULT_TYPES.get(key)
    if found is None:
        by_priority: list[DType | None] = [None, None, None]
        for operand in operands:
            if hasattr(operand, "dtype"):
                priority, dtype = (0 if operand.ndim else 1), _BY_NUMPY[operand.dtype]
            else:
                priority, dtype = 2, of_number(operand)
            known = by_priority[priority]
            by_priority[priority] = dtype if known is None else promote_types(known, dtype)
        result = _combine(by_priority[0], _combine(by_priority[1], by_priority[2]))
        assert result is not None, "result_type needs at least one operand"
        found = _RESULT_TYPES[key] = result
    return found


def can_cast(source: DType, target: DType) -> bool:
    """Whether PyTorch lets a result of type `source` be written into `target` in place."""
    if source.category > target.category and not (
        source.category == INTEGRAL and target.category == INTEGRAL
    ):
        return False
    return not (source.category != BOOL and target.category == BOOL)


def cast_number(number: complex, target: DType) -> Any:
    """A Python number as a NumPy scalar of `target`; integers wrap around as in C."""
    if target.category == INTEGRAL and isinstance(number, int):
        bits = target.itemsize * 8
        wrapped = int(number) & ((1 << bits) - 1)
        if target.is_signed and wrapped >> (bits - 1):
            wrapped -= 1 << bits
        return target.np.type(wrapped)
    return _rounded(number, target)


def _rounded(number: Any, target: DType) -> Any:
    """A number as a NumPy scalar; to half precision by way of single, as C++ converts."""
    if not target.is_half:
        return target.np.type(number)
    with np.errstate(over="ignore"):
        return np.float32(number).astype(target.np)


def convert(number: complex, target: DType, word: str | None = None) -> Any:
    """A Python number as a NumPy scalar; RuntimeError where it lies outside the type's range.

    Unsigned types take negative integers as C does, and infinities fit into floating types.
    `word` is what the message calls the type.
    """
    name = word or target.overflow_name
    overflow = RuntimeError(f"value cannot be converted to type {name} without overflow")
    if target.category in (BOOL, COMPLEX):
        return target.np.type(number)
    if isinstance(number, complex):
        if number.imag:
            raise overflow
        number = number.real
    if target.category == FLOATING:
        with np.errstate(over="ignore"):
            made = _rounded(number, target)
        if np.isinf(made) and not np.isinf(number):
            raise overflow
        return made
    limits = np.iinfo(target.np)
    low = -limits.max if isinstance(number, int) and not target.is_signed else limits.min
    if not low <= number <= limits.max:
        raise overflow
    return cast_number(int(number), target)


def type_word(dtype: DType) -> str:
    """A tensor's type as C++ messages print it: `torch.FloatTensor`, `CPUBoolType`."""
    if dtype.category in (BOOL, COMPLEX) or dtype is bfloat16:
        return f"CPU{dtype.scalar_name}Type"
    return f"torch.{dtype.tensor_name}"

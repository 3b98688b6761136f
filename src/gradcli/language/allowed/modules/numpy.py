"""What programs find in `numpy`: names in tables; `numpy_calls` says how each is called."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gradcli.language.allowed.afresh import undone_by
from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.listed import members
from gradcli.language.allowed.modules import numpy_calls as calls
from gradcli.language.allowed.modules.contextlib import NullContext
from gradcli.language.allowed.modules.numpy_calls import Sizes, face, given
from gradcli.tensor.arrays import Array, ArrayType, Scalar, asked, dtype_of
from gradcli.tensor.classes import Class, token, token_of
from gradcli.tensor.public import public

FUNCTIONS: Final[dict[Sizes, str]] = {
    calls.together: (
        "abs absolute add all allclose amax amin angle any append arccos arccosh arcsin arcsinh "
        "arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array "
        "array_equal array_split asanyarray asarray ascontiguousarray atleast_1d atleast_2d "
        "atleast_3d average bitwise_and bitwise_or bitwise_xor broadcast_to cbrt ceil clip "
        "column_stack concatenate conj conjugate convolve copy copysign cos cosh count_nonzero "
        "cross cumprod cumsum deg2rad degrees delete diagonal diff digitize divide divmod ediff1d "
        "empty_like equal exp exp2 expand_dims expm1 fabs flatnonzero flip fliplr flipud "
        "float_power floor floor_divide fmax fmin fmod full_like gradient greater greater_equal "
        "heaviside hsplit hstack hypot imag insert interp invert isclose iscomplex isfinite isin "
        "isinf isnan isreal isscalar less less_equal lexsort log log10 log1p log2 logaddexp "
        "logical_and logical_not logical_or logical_xor max maximum mean median min minimum mod "
        "moveaxis multiply nan_to_num nanargmax nanargmin nanmax nanmean nanmedian nanmin nanprod "
        "nanstd nansum nanvar ndim negative nonzero not_equal ones_like percentile polyfit "
        "polyval positive power prod ptp quantile rad2deg radians ravel real reciprocal remainder "
        "reshape rint roll roots rot90 round searchsorted shape sign signbit sin sinc sinh size "
        "sort split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan "
        "tanh trace transpose trapezoid tril triu true_divide trunc unique unravel_index var "
        "vsplit vstack where zeros_like"
    ),
    calls.by_shape: "empty full ones zeros",
    calls.by_bins: "bincount",
    calls.by_square: "eye identity tri tril_indices triu_indices",
    calls.by_range: "arange",
    calls.by_number: "geomspace linspace logspace",
    calls.by_product: "corrcoef cov diag kron meshgrid outer",
    calls.by_matrix: "dot inner matmul vdot",
    calls.by_repeats: "repeat tile",
}
"""NumPy's functions, by what says how large their answers are."""

TYPES: Final = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 "
    "complex128"
)
OTHER_NAMES: Final = {
    "bool_": "bool",
    "int_": "int64",
    "intp": "int64",
    "single": "float32",
    "double": "float64",
    "half": "float16",
    "longlong": "int64",
}
CONSTANTS: Final = "e euler_gamma inf nan newaxis pi __version__"

MOST_SHOWN: Final = 100_000
"""Elements that an array's text may show."""

OPTIONS: Final = frozenset(("precision", "suppress", "linewidth", "floatmode", "sign"))
BOUNDED: Final = {"threshold": MOST_SHOWN, "edgeitems": 100, "precision": 50, "linewidth": 10_000}

_options: Final[Any] = np.get_printoptions()


def _reset() -> None:
    np.set_printoptions(**{name: _options[name] for name in (*OPTIONS, *BOUNDED)})


undone_by(_reset)


def _type(name: str) -> Class:
    """The token of a number type, which makes numbers and arrays of that type."""
    kind = getattr(np, name)

    def make(value: Any = 0, /) -> Any:
        return asked(kind, given(value))

    made = token(f"numpy.{kind.__name__}", Scalar)
    made.build = make
    return made


def _printing(arguments: dict[str, Any]) -> dict[str, Any]:
    """Print options, within bounds.

    Raises:
        TypeError: there is no such option here.
    """
    checked = {}
    for name, value in arguments.items():
        if name not in OPTIONS and name not in BOUNDED:
            raise TypeError(f"set_printoptions() got an unexpected keyword argument '{name}'")
        value = given(value) if type(value) is not str else value
        if name in BOUNDED and isinstance(value, (int, float)):
            value = BOUNDED[name] if math.isinf(value) else min(int(value), BOUNDED[name])
        checked[name] = value
    return checked


def set_printoptions(precision: Any = None, threshold: Any = None, **options: Any) -> None:
    """`numpy.set_printoptions(...)`."""
    given_all = {"precision": precision, "threshold": threshold, **options}
    np.set_printoptions(**_printing(given_all))


@public(name="contextlib._GeneratorContextManager")
class Printing:
    """A context in which arrays print with other options."""

    __slots__ = ("before", "options")

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.before: dict[str, Any] = {}

    def __enter__(self) -> None:
        self.before = dict(np.get_printoptions())
        np.set_printoptions(**self.options)

    def __exit__(self, *_: object) -> None:
        np.set_printoptions(**self.before)


def printoptions(**options: Any) -> Printing:
    """`numpy.printoptions(...)`."""
    return Printing(_printing(options))


def errstate(**named: Any) -> NullContext:
    """`numpy.errstate(...)`: a context that changes nothing, since nothing is warned of."""
    return NullContext()


def array_repr(array: Any) -> str:
    """`numpy.array_repr(array)`."""
    return repr(Array(np.asarray(given(array))))


def ndindex(*shape: Any) -> Any:
    """`numpy.ndindex(shape)`, or with the lengths one by one: all places of an array, in order."""
    lengths = given(shape[0] if len(shape) == 1 else shape)
    if any(length < 0 for length in np.atleast_1d(lengths)):
        raise ValueError("negative dimensions are not allowed")
    product: Any = members("itertools")["product"]
    return product(*(range(int(length)) for length in np.atleast_1d(lengths)))


def dtype(dtype: Any) -> ArrayType:
    """`numpy.dtype(...)`."""
    return ArrayType(dtype_of(dtype))


OURS: Final[tuple[Callable[..., Any], ...]] = (
    array_repr,
    dtype,
    errstate,
    ndindex,
    printoptions,
    set_printoptions,
)
for _function in OURS:
    present(_function, _function.__name__)

MEMBERS: Final[dict[str, Any]] = {
    **{
        name: face(name, getattr(np, name), size)
        for size, names in FUNCTIONS.items()
        for name in names.split()
        if hasattr(np, name)
    },
    **{name: _type(name) for name in TYPES.split()},
    **{name: _type(other) for name, other in OTHER_NAMES.items()},
    **{name: getattr(np, name) for name in CONSTANTS.split()},
    **{function.__name__: function for function in OURS},
    "ndarray": token_of(Array),
}
"""By name."""

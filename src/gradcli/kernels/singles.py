"""Functions of single precision that NumPy has no vector loops for, or none that is near PyTorch's.

Many elements are computed in single precision, a tile that fits the cache after the other; few of
them, where calls of NumPy would cost more than the elements, in double precision and rounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Singles = NDArray[np.float32]

_TILE: Final = 1 << 15


def _singles(*numbers: float) -> tuple[np.float32, ...]:
    return tuple(map(np.float32, numbers))


def _tiled(
    kernel: Callable[[Singles, Singles, Singles], None], values: Any, buffers: int
) -> Singles:
    """What a kernel writes, given elements, room for results and rows of room for its own use."""
    flat = np.ascontiguousarray(values).reshape(-1)
    made = np.empty_like(flat)
    rooms = np.empty((buffers, min(_TILE, flat.size)), np.float32)
    for start in range(0, flat.size, _TILE):
        tile = flat[start : start + _TILE]
        kernel(tile, made[start : start + _TILE], rooms[:, : tile.size])
    return made.reshape(values.shape)


_FEW_EXPONENTIALS: Final = 3000
_FARTHEST: Final = 87
"""Up to here powers of two that scale the exponential are normal numbers."""

# exp of `x` = `n` log(2) + `r` by a polynomial in `r`, with the coefficients of SLEEF's `expf`.
# Adding `_SHIFTER` rounds to integers: the last bits are `n` and the bias of exponents.
_SHIFTER: Final = np.float32(1.5 * 2**23 + 127)
_INVERSE_LN2, _LN2_HIGH, _LN2_LOW = _singles(1 / math.log(2), 0.693145751953125, 1.428606765e-06)
_EXPONENTIAL: Final = _singles(
    0.000198527617612853646,
    0.00139304355252534151,
    0.00833336077630519867,
    0.0416664853692054749,
    0.166666671633720398,
    0.5,
)


def sigmoid(values: Any) -> Any:
    """1 / (1 + exp(-x)) of an array of any shape; all but one in 200 have PyTorch's last bit."""
    if values.size > _FEW_EXPONENTIALS:
        return _tiled(_sigmoid, values, 3)
    return _sigmoid_of_few(values)


def _sigmoid_of_few(values: Any) -> Any:
    powers = np.exp(np.negative(values, dtype=np.float64)).astype(np.float32)
    return np.reciprocal(powers + np.float32(1))


def _sigmoid(values: Singles, out: Singles, rooms: Singles) -> None:
    power, term, rest = rooms
    np.multiply(values, _INVERSE_LN2, out=out)
    out += _SHIFTER
    np.subtract(out, _SHIFTER, out=term)
    # -x = rest - term log(2)
    np.multiply(term, _LN2_HIGH, out=rest)
    rest -= values
    term *= _LN2_LOW
    rest += term
    np.multiply(rest, _EXPONENTIAL[0], out=power)
    power += _EXPONENTIAL[1]
    for coefficient in _EXPONENTIAL[2:]:
        power *= rest
        power += coefficient
    np.multiply(rest, rest, out=term)
    power *= term
    power += rest
    power += np.float32(1)
    # With scale = 2 ** term: 1 / (1 + power / scale) = scale / (scale + power).
    bits = out.view(np.int32)
    np.left_shift(bits, 23, out=bits)
    power += out
    out /= power
    if not (values.min() >= -_FARTHEST and values.max() <= _FARTHEST):
        far = ~(np.abs(values) <= _FARTHEST)
        out[far] = _sigmoid_of_few(values[far])


_FEW_ERRORS: Final = 256

# erf(x) = tanh(x + x p(x ** 2)): the polynomial's error weighs less the flatter tanh is. Found by
# least squares with weights that level the errors, for |x| up to 4.5; beyond, it keeps growing.
_ERROR_FUNCTION: Final = _singles(
    1.7402682216266104e-10,
    -8.301086167933695e-09,
    1.5380161638027158e-07,
    -1.2721714086910755e-06,
    1.2609464727706616e-06,
    6.946152764877135e-05,
    -0.0005954652421556201,
    -0.0002065719413506951,
    0.10277214991979164,
    0.1283791788559263,
)


def erf(values: Any) -> Any:
    """The error function of an array of any shape, within two units in the last place."""
    if values.size > _FEW_ERRORS:
        return _tiled(_erf, values, 1)
    few = np.fromiter(map(math.erf, values.reshape(-1).tolist()), np.float32, values.size)
    return few.reshape(values.shape)


def _erf(values: Singles, out: Singles, rooms: Singles) -> None:
    square = np.multiply(values, values, out=rooms[0])
    np.multiply(square, _ERROR_FUNCTION[0], out=out)
    out += _ERROR_FUNCTION[1]
    for coefficient in _ERROR_FUNCTION[2:]:
        out *= square
        out += coefficient
    out *= values
    out += values
    np.tanh(out, out=out)

"""What the matrix operators share: transposes, batches, and PyTorch's checks of their operands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.kernels.bidiagonal import singular_values
from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.parts import blank, slice_
from gradcli.ops.algebra.views import shape_of, transpose
from gradcli.tensor import dtypes
from gradcli.tensor.errors import _LinAlgError, require_kinds
from gradcli.tensor.shapes import common_shape
from gradcli.tensor.tensor import Tensor, constant, raw
from gradcli.typing import Array


def mt(value: Any) -> Any:
    """The transpose of the matrices."""
    return transpose(value, -2, -1)


def mh(value: Any) -> Any:
    """The conjugate transpose of the matrices."""
    return conj(transpose(value, -2, -1))


def part(value: Any, dim: int, start: int, length: int) -> Any:
    """`length` rows (dim -2) or columns (dim -1) from `start` on."""
    return slice_(value, dim, start, start + length)


def identity(n: int, like: Any) -> Any:
    """The unit matrix in the type of `like`."""
    return constant(np.eye(n, dtype=raw(like).dtype), like)


def check_square(array: Array, function: str) -> None:
    """Refuses what is no batch of square matrices."""
    check_matrix(array, function)
    if array.shape[-1] != array.shape[-2]:
        raise RuntimeError(
            f"{function}: A must be batches of square matrices, but they are "
            f"{array.shape[-2]} by {array.shape[-1]} matrices"
        )


def check_matrix(array: Array, function: str, operand: str = "A") -> None:
    """Refuses what has fewer than two dimensions."""
    if array.ndim < 2:
        raise RuntimeError(
            f"{function}: The input tensor {operand} must have at least 2 dimensions."
        )


def check_floating(array: Array, function: str, half: bool = True) -> None:
    """Refuses integers, and half precision unless `half`."""
    if array.dtype.kind not in dtypes.INEXACT:
        raise RuntimeError(
            f"{function}: Expected a floating point or complex tensor as input. Got {word(array)}"
        )
    if not half and array.dtype.char in dtypes.HALVES:
        raise RuntimeError(f"{function}: Low precision dtypes not supported. Got {word(array)}")


def check_kernel(array: Array, kernel: str) -> None:
    """Refuses the types that a LAPACK kernel does not exist for."""
    require_kinds(array.dtype, "dc", kernel)


def word(array: Array) -> str:
    """The element type as PyTorch's messages name it."""
    return dtypes.of(array).scalar_name


def check_equation(a: Sequence[int], b: Sequence[int], left: bool, function: str) -> None:
    """Refuses shapes for which A X = B (or X A = B) makes no sense."""
    if a[-2] != b[-2 if left else -1]:
        raise RuntimeError(
            f"{function}: Incompatible shapes of A and B for the equation "
            f"{'AX = B' if left else 'XA = B'} ({a[-2]}x{a[-1]} and {b[-2]}x{b[-1]})"
        )


def check_system(b: Array, a: Array, function: str) -> None:
    """The checks of the older solvers: square coefficients, as many rows, the same type."""
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {word(b)} and A of type "
            f"{word(a)} instead."
        )
    if a.shape[-1] != a.shape[-2]:
        raise RuntimeError(
            f"A must be batches of square matrices, but they are {a.shape[-2]} by {a.shape[-1]} "
            "matrices"
        )
    if a.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {function}: each A matrix is {a.shape[-1]} by "
            f"{a.shape[-1]} but each b matrix is {b.shape[-2]} by {b.shape[-1]}"
        )


def batch_shape(*arrays: Array) -> tuple[int, ...]:
    """What the leading dimensions of matrices broadcast to."""
    return common_shape([array.shape[:-2] for array in arrays])


def spread(array: Array, lead: Sequence[int]) -> Array:
    """Matrices repeated over the leading dimensions."""
    return np.broadcast_to(array, (*lead, *array.shape[-2:]))


def refuse(
    info: Array,
    function: str,
    reason: Callable[[int], str],
    whole: bool = False,
    error: type[RuntimeError] = _LinAlgError,
) -> None:
    """Raises for the first entry whose LAPACK code is not zero; `reason` explains the code."""
    codes = np.asarray(info)
    bad = np.flatnonzero(codes)
    if bad.size:
        place = f"(Batch element {bad[0]}): " if codes.ndim and not whole else ""
        raise error(f"{function}: {place}{reason(int(codes.reshape(-1)[bad[0]]))}")


def svd_of_arrays(a: Array, full: bool) -> tuple[Array, Array, Array]:
    """U, S and V^H of a batch of matrices; RuntimeError where one holds nan."""
    refuse(
        np.isnan(a).any((-2, -1)),
        "linalg.svd",
        lambda _: (
            "The algorithm failed to converge because the input matrix contained non-finite values."
        ),
    )
    return singular_values(a, full)


def singular(code: int) -> str:
    """Why a matrix has no inverse."""
    return (
        f"The diagonal element {code} is zero, the inversion could not be completed because the "
        "input matrix is singular."
    )


def written(
    shape: Sequence[int], pieces: Sequence[tuple[Callable[[Any], Any], Any]], like: Any
) -> Any:
    """Zeros with values copied to places, one after the other; a place is a function to a view."""
    whole = blank(shape, like)
    for place, value in pieces:
        if type(whole) is Tensor:
            place(whole).copy_(value)
        else:
            place(whole)[...] = value
    return whole


def rows_and_columns(value: Any) -> tuple[int, int]:
    """How many rows and columns the matrices have."""
    m, n = shape_of(value)[-2:]
    return m, n

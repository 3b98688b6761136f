"""Functions of matrices: powers and the exponential; Vandermonde matrices and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra.joining import cat
from gradcli.ops.algebra.matmul import matmul
from gradcli.ops.algebra.parts import diagonal
from gradcli.ops.algebra.scans import cumprod
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import clone, shape_of, unsqueeze
from gradcli.ops.linalg.matrices import (
    check_floating,
    check_square,
    identity,
    mh,
    part,
    written,
)
from gradcli.ops.linalg.solving import inv
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import constant, raw
from gradcli.typing import Array, Value


def _exp(self: Array) -> Array:
    """The exponential of matrices."""
    from scipy.linalg import expm

    check_square(self, "linalg.matrix_exp")
    check_floating(self, "linalg.matrix_exp")
    if not self.size:
        return self.copy()
    return np.asarray(expm(self), self.dtype)


def _exp_vjp(grad: Any, self: Any) -> Any:
    """The upper right block of exp([[A^H, G], [0, A^H]]) (Mathias, 1996)."""
    *lead, n, _ = shape_of(self)
    a = mh(self)

    def block(row: int, column: int) -> Any:
        return lambda whole: part(part(whole, -2, row * n, n), -1, column * n, n)

    pieces = [(block(0, 0), a), (block(1, 1), a), (block(0, 1), grad)]
    return block(0, 1)(matrix_exp(written((*lead, 2 * n, 2 * n), pieces, grad)))


matrix_exp: Row = row(
    "matrix_exp|linalg.matrix_exp",
    _exp,
    node="LinalgMatrixExpBackward0",
    self=_exp_vjp,
    samples=lambda r: [(r(3, 3),), (r(2, 2, 2),)],
)


@composite(
    "matrix_power|linalg.matrix_power",
    samples=lambda r: [(r(3, 3) + 2 * np.eye(3), n) for n in (0, 1, 2, 3, 5, -1, -2)],
)
def matrix_power(self: Value, n: int) -> Any:
    """Powers of square matrices; negative ones by the inverse."""
    check_square(self._array, "linalg.matrix_power")
    if n == 0:
        # PyTorch copies the identity into a clone, under the node of a copy.
        return clone(self).copy_(expand(identity(self.shape[-1], self), self.shape))
    if n == 1:
        return clone(self)
    base = inv(self) if n < 0 else self
    n = abs(n)
    if n == 3:
        return matmul(matmul(base, base), base)
    result, power = None, base
    while True:
        n, bit = divmod(n, 2)
        if bit:
            result = power if result is None else matmul(result, power)
        if not n:
            return result
        power = matmul(power, power)


@composite("linalg.vander", samples=lambda r: [(r(3),), (r(2), {"N": 4}), (r(2, 3),)])
def vander(x: Value, *, N: int | None = None) -> Any:
    """Vandermonde matrices: the powers 0 to N - 1 along a new last dimension."""
    if x.dtype is dtypes.bool_ or x.dtype.is_half:
        raise RuntimeError(
            "linalg.vander supports floating point, complex, and integer tensors, but got "
            f"{x.dtype.scalar_name}"
        )
    if x.ndim == 0:
        x = unsqueeze(x, -1)
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    powers = cumprod(expand(unsqueeze(x, -1), (*x.shape, count - 1)), -1)
    ones = constant(np.ones((*x.shape, 1), raw(powers).dtype), powers)
    return cat([ones, powers], -1)


@composite("linalg.diagonal", samples=lambda r: [(r(3, 4),), (r(2, 3, 3), {"offset": 1})])
def linalg_diagonal(A: Value, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices, as a view."""
    return diagonal(A, offset, dim1, dim2)

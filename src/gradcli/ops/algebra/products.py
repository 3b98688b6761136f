"""Products of vectors and matrices, alone and added to something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.ops.algebra.arithmetic import scaled
from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.sums import expand
from gradcli.ops.algebra.views import (
    reshape,
    shape_of,
    t,
    transpose,
    unsqueeze,
)
from gradcli.table.declare import composite, row
from gradcli.table.entry import BOTH, METHOD
from gradcli.table.row import COMMON, Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.shapes import wrap_dim
from gradcli.typing import Array, Scalar


def _word(array: Array) -> str:
    return dtypes.of(array).scalar_name


def _combined(self: Array, product: Array, beta: complex, alpha: complex) -> Array:
    """beta * self + alpha * product; with beta zero even a nan in `self` does not count."""
    if alpha != 1:
        product = product * dtypes.convert(alpha, dtypes.of(product))
    if beta == 0:
        return product
    return expand(self, product.shape) * dtypes.convert(beta, dtypes.of(self)) + product


def _multipliable(mat1: Array, mat2: Array) -> None:
    if mat1.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            "mat1 and mat2 shapes cannot be multiplied "
            f"({mat1.shape[0]}x{mat1.shape[1]} and {mat2.shape[0]}x{mat2.shape[1]})"
        )


def _mm(self: Array, mat2: Array) -> Array:
    """The product of two matrices."""
    if self.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _multipliable(self, mat2)
    if self.dtype != mat2.dtype:
        raise RuntimeError(
            "expected m1 and m2 to have the same dtype, but got: "
            f"{dtypes.of(self).c_name} != {dtypes.of(mat2).c_name}"
        )
    require_kinds(self.dtype, "fciu", "addmm_impl_cpu_")
    if self.shape[1] == 1 < min(len(self), mat2.shape[1]):
        return self * mat2  # nothing is summed, so that a negative zero stays one
    return np.matmul(self, mat2)


def _by_columns(shape: Sequence[int], stride: Sequence[int]) -> bool:
    """Whether the columns of a matrix lie one after the other in memory."""
    return stride[0] == 1 and stride[1] == shape[0]


def _first_slope(
    grad: Any, mat2: Any, shape: Sequence[int], stride: Sequence[int], alpha: complex = 1
) -> Any:
    """The gradient of the first factor, in the memory order of that factor."""
    if _by_columns(shape, stride):
        return scaled(t(mm(conj(mat2), t(grad))), alpha)
    return scaled(mm(grad, conj(t(mat2))), alpha)


def _second_slope(
    grad: Any, mat1: Any, shape: Sequence[int], stride: Sequence[int], alpha: complex = 1
) -> Any:
    """The gradient of the second factor, in the memory order of that factor."""
    if _by_columns(shape, stride):
        return scaled(t(mm(t(grad), conj(mat1))), alpha)
    return scaled(mm(conj(t(mat1)), grad), alpha)


mm: Row = row(
    "mm",
    _mm,
    linear="self, mat2",
    self=lambda grad, mat2, self_shape, self_stride: _first_slope(
        grad, mat2, self_shape, self_stride
    ),
    mat2=lambda grad, self, mat2_shape, mat2_stride: _second_slope(
        grad, self, mat2_shape, mat2_stride
    ),
    samples=lambda r: [(r(2, 3), r(3, 4)), (r(1, 1), r(1, 1)), (r(2, 0), r(0, 2))],
)


def _same_types(self: Array, mat1: Array, mat2: Array) -> None:
    for first, name in ((self, "self"), (mat1, "mat1")):
        if first.dtype != mat2.dtype:
            raise RuntimeError(
                f"{name} and mat2 must have the same dtype, but got {_word(first)} and "
                f"{_word(mat2)}"
            )


def _addmm(self: Array, mat1: Array, mat2: Array, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """beta * self + alpha * mat1 @ mat2."""
    _same_types(self, mat1, mat2)
    for factor, name in ((mat1, "mat1"), (mat2, "mat2")):
        if factor.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {factor.ndim}-D tensor")
    _multipliable(mat1, mat2)
    expand(self, (mat1.shape[0], mat2.shape[1]))
    require_kinds(self.dtype, "fciu", "addmm_impl_cpu_")
    return _combined(self, np.matmul(mat1, mat2), beta, alpha)


addmm: Row = row(
    "addmm",
    _addmm,
    linear="self mat1, self mat2",
    self=lambda grad, beta: scaled(grad, beta),
    mat1=lambda grad, mat2, mat1_shape, mat1_stride, alpha: _first_slope(
        grad, mat2, mat1_shape, mat1_stride, alpha
    ),
    mat2=lambda grad, mat1, mat2_shape, mat2_stride, alpha: _second_slope(
        grad, mat1, mat2_shape, mat2_stride, alpha
    ),
    samples=lambda r: [
        (r(2, 4), r(2, 3), r(3, 4), {"beta": 0.5, "alpha": 2}),
        (r(4), r(2, 3), r(3, 4)),
        (r(2, 4), r(2, 3), r(3, 4), {"beta": 0}),
    ],
    inplace=METHOD,
)


def _matrix_times_vector(mat: Array, vec: Array, added: Array | None = None) -> Array:
    """mat @ vec, where they, and what will be added, have types and sizes for that."""
    ndim = 1 if added is None else added.ndim
    if (mat.ndim, vec.ndim) != (2, 1) or ndim > 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {ndim}, {mat.ndim}, {vec.ndim}")
    rows, columns = mat.shape
    size = rows if added is None else added.size
    if columns != vec.size or size not in (rows, 1):
        raise RuntimeError(
            f"size mismatch, got input ({size}), mat ({rows}x{columns}), vec ({vec.size})"
        )
    added = vec if added is None else added
    if not added.dtype == mat.dtype == vec.dtype:
        raise RuntimeError(
            "addmv input tensors must have the same dtype, but got "
            f"{_word(added)}, {_word(mat)}, and {_word(vec)}"
        )
    require_kinds(mat.dtype, "fciu", "addmv_impl_cpu")
    return np.matmul(mat, vec)


def _addmv(self: Array, mat: Array, vec: Array, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """beta * self + alpha * mat @ vec."""
    return _combined(self, _matrix_times_vector(mat, vec, self), beta, alpha)


def _column_times_row(a: Any, b: Any) -> Any:
    return reshape(a, (shape_of(a)[0], 1)) * b


addmv: Row = row(
    "addmv",
    _addmv,
    half_numbers="beta alpha",
    linear="self mat, self vec",
    self=lambda grad, beta: scaled(grad, beta),
    mat=lambda grad, vec, alpha: scaled(_column_times_row(grad, conj(vec)), alpha),
    vec=lambda grad, mat, alpha: scaled(mv(conj(t(mat)), grad), alpha),
    samples=lambda r: [(r(2), r(2, 3), r(3), {"alpha": 2}), (r(1), r(2, 3), r(3), {"beta": 3})],
    inplace=BOTH,
)


def _mv(self: Array, vec: Array) -> Array:
    """The product of a matrix and a vector."""
    return _matrix_times_vector(self, vec)


mv: Row = row(
    "mv",
    _mv,
    linear="self, vec",
    self=lambda grad, vec: _column_times_row(grad, conj(vec)),
    vec=lambda grad, self: mv(t(conj(self)), grad),
    samples=lambda r: [(r(2, 3), r(3)), (r(2, 0), r(0))],
)


def _check_dot(self: Array, other: Array) -> None:
    if self.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {self.ndim}D and {other.ndim}D tensors")
    if self.dtype != other.dtype:
        raise RuntimeError(
            "dot : expected both vectors to have same dtype, but found "
            f"{_word(self)} and {_word(other)}"
        )
    if self.shape != other.shape:
        a, b = self.size, other.size
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a}] and src [{b}] to have the same "
            f"number of elements, but got {a} and {b} elements respectively"
        )
    require_kinds(self.dtype, "fciu", "dot")


def _dot(self: Array, tensor: Array) -> Array:
    """The sum of the products of the elements of two vectors."""
    _check_dot(self, tensor)
    return np.asarray(np.dot(self, tensor) + 0)  # a sum begins at zero, also of one product


dot: Row = row(
    "dot",
    _dot,
    linear="self, tensor",
    self=lambda grad, tensor: grad * conj(tensor),
    tensor=lambda grad, self: grad * conj(self),
    samples=lambda r: [(r(3), r(3)), (r(0), r(0))],
)


def _vdot(self: Array, other: Array) -> Array:
    """The inner product of two vectors, the first one conjugated."""
    _check_dot(self, other)
    return np.asarray(np.vdot(self, other))


vdot: Row = row(
    "vdot",
    _vdot,
    linear="self, other",
    self=lambda grad, other: conj(grad) * other,
    other=lambda grad, self: grad * self,
    samples=lambda r: [(r(3), r(3)), (r(3) + 1j * r(3), r(3) + 1j * r(3))],
)


def _addr(self: Array, vec1: Array, vec2: Array, *, beta: Scalar = 1, alpha: Scalar = 1) -> Array:
    """beta * self + alpha * the outer product of vec1 and vec2."""
    for name, vector in (("vec1", vec1), ("vec2", vec2)):
        if vector.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {vector.ndim}-D")
    for name, number in (("beta", beta), ("alpha", alpha)):
        if vec1.dtype.kind in "iub" and not isinstance(number, int):
            raise RuntimeError(
                f"For integral input tensors, argument {name} must not be a floating point number."
            )
    own = expand(np.asarray(self), (vec1.shape[0], vec2.shape[0]))
    product = np.multiply.outer(vec1, vec2)
    if own.dtype.kind == "b":
        return np.logical_or(own & bool(beta), product & bool(alpha))
    return _combined(own, product, beta, alpha)


addr: Row = row(
    "addr",
    _addr,
    half_numbers="beta alpha",
    promote=COMMON,
    linear="self vec1, self vec2",
    elementwise=False,
    self=lambda grad, beta: scaled(grad, beta),
    vec1=lambda grad, vec2, alpha: scaled(mv(grad, conj(vec2)), alpha),
    vec2=lambda grad, vec1, alpha: scaled(mv(t(grad), conj(vec1)), alpha),
    samples=lambda r: [(r(2, 3), r(2), r(3)), (r(3), r(2), r(3), {"beta": 2, "alpha": 0.5})],
)


def _batches(batch1: Array, batch2: Array) -> None:
    for number, batch in enumerate((batch1, batch2), 1):
        if batch.ndim != 3:
            raise RuntimeError(f"batch{number} must be a 3D tensor")
    if batch1.shape[0] != batch2.shape[0] or batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{batch1.shape[0]}, {batch1.shape[2]}] but got: "
            f"[{batch2.shape[0]}, {batch2.shape[1]}]."
        )


def _bmm(self: Array, mat2: Array) -> Array:
    """Products of matrices, one per batch entry."""
    _batches(self, mat2)
    if self.dtype != mat2.dtype:
        raise RuntimeError(f"expected scalar type {_word(self)} but found {_word(mat2)}")
    if self.shape[2]:
        require_kinds(self.dtype, "fciu", "bmm")
    # NumPy's matmul takes one matrix at a time.
    if self.shape[2] == 1:
        product = self * mat2
        product += 0  # where a sum begins, so that no zero is negative
        return product
    if not self.strides[0] and len(self) > 1 and mat2.shape[2] == 1:
        return (mat2[:, :, 0] @ self[0].T)[:, :, None]  # one matrix times many vectors
    return np.matmul(self, mat2)


bmm: Row = row(
    "bmm",
    _bmm,
    linear="self, mat2",
    self=lambda grad, mat2: bmm(grad, conj(transpose(mat2, 1, 2))),
    mat2=lambda grad, self: bmm(conj(transpose(self, 1, 2)), grad),
    samples=lambda r: [(r(2, 2, 3), r(2, 3, 2)), (r(2, 2, 0), r(2, 0, 1))],
)


def _baddbmm(
    self: Array, batch1: Array, batch2: Array, *, beta: Scalar = 1, alpha: Scalar = 1
) -> Array:
    """beta * self + alpha * batch1 @ batch2."""
    # The shape of the sum is worked out before the factors are looked at.
    target = [batch1.shape[wrap_dim(k, batch1.ndim)] for k in (0, 1)]
    own = expand(self, (*target, batch2.shape[wrap_dim(2, batch2.ndim)]))
    _batches(batch1, batch2)
    if not self.dtype == batch1.dtype == batch2.dtype:
        words = [dtypes.of(array).c_name for array in (self, batch1, batch2)]
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {words[0]}, batch1: {words[1]}, "
            f"batch2: {words[2]}"
        )
    require_kinds(self.dtype, "fciu", "baddbmm")
    return _combined(own, np.matmul(batch1, batch2), beta, alpha)


baddbmm: Row = row(
    "baddbmm",
    _baddbmm,
    linear="self batch1, self batch2",
    self=lambda grad, beta: scaled(grad, beta),
    batch1=lambda grad, batch2, alpha: scaled(bmm(grad, conj(transpose(batch2, 1, 2))), alpha),
    batch2=lambda grad, batch1, alpha: scaled(bmm(conj(transpose(batch1, 1, 2)), grad), alpha),
    samples=lambda r: [
        (r(2, 2, 4), r(2, 2, 3), r(2, 3, 4), {"beta": 0.5}),
        (r(4), r(2, 2, 3), r(2, 3, 4), {"alpha": 3}),
    ],
    inplace=METHOD,
)


def _addbmm(
    self: Array, batch1: Array, batch2: Array, *, beta: Scalar = 1, alpha: Scalar = 1
) -> Array:
    """beta * self + alpha * the sum over the batch of batch1 @ batch2."""
    own = expand(
        self, (batch1.shape[wrap_dim(1, batch1.ndim)], batch2.shape[wrap_dim(2, batch2.ndim)])
    )
    for number, batch in enumerate((batch1, batch2), 1):
        if batch.ndim != 3:
            raise RuntimeError(f"batch{number} must be a 3D tensor")
    if batch1.shape[0] != batch2.shape[0]:
        raise RuntimeError(
            "batch1 and batch2 must have same number of batches, got "
            f"{batch1.shape[0]} and {batch2.shape[0]}"
        )
    (m, k), (inner, n) = batch1.shape[1:], batch2.shape[1:]
    if k != inner:
        raise RuntimeError(f"Incompatible matrix sizes for bmm ({m}x{k} and {inner}x{n})")
    _same_types(self, batch1, batch2)
    require_kinds(self.dtype, "fciu", "addmm_impl_cpu_")
    total = np.sum(np.matmul(batch1, batch2), axis=0, dtype=self.dtype)
    return _combined(own, total, beta, alpha)


def _repeated(grad: Any, shape: Sequence[int]) -> Any:
    """The gradient of a sum over batches, for each batch."""
    return expand(unsqueeze(grad, 0), (shape[0], *shape_of(grad)))


addbmm: Row = row(
    "addbmm",
    _addbmm,
    linear="self batch1, self batch2",
    self=lambda grad, beta: scaled(grad, beta),
    batch1=lambda grad, batch2, alpha: scaled(
        bmm(_repeated(grad, shape_of(batch2)), conj(transpose(batch2, 1, 2))), alpha
    ),
    batch2=lambda grad, batch1, alpha: scaled(
        bmm(conj(transpose(batch1, 1, 2)), _repeated(grad, shape_of(batch1))), alpha
    ),
    samples=lambda r: [(r(2, 4), r(3, 2, 3), r(3, 3, 4)), (r(4), r(3, 2, 3), r(3, 3, 4))],
    inplace=METHOD,
)


def _elsewhere(name: str, parameters: str, options: str = "") -> None:
    """Enters the form of a product with a type for the result, which no CPU computes."""

    @composite(
        f"{name}({parameters}, dtype out_dtype{options})",
        untested="it refuses every call",
        doc="The product in another type; PyTorch computes it on graphics processors only.",
    )
    def refuse(*arguments: Any) -> Any:
        raise NotImplementedError(
            f"Could not run 'aten::{name}.dtype' with arguments from the 'CPU' backend."
        )


_FACTORS = ", *, Scalar beta=1, Scalar alpha=1"
_elsewhere("mm", "Tensor self, Tensor mat2")
_elsewhere("bmm", "Tensor self, Tensor mat2")
_elsewhere("addmm", "Tensor self, Tensor mat1, Tensor mat2", _FACTORS)
_elsewhere("baddbmm", "Tensor self, Tensor batch1, Tensor batch2", _FACTORS)

"""Complex tensors from real parts, their parts and their conjugates."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.algebra.comparison import conj, is_complex
from gradcli.ops.algebra.parts import select
from gradcli.ops.algebra.rounding import sgn
from gradcli.ops.algebra.scalars import mul_scalar
from gradcli.ops.algebra.views import clone_row, contiguous, matrix_transposed, shape_of, transpose
from gradcli.table.declare import attribute, composite, row
from gradcli.table.entry import InPlace
from gradcli.table.row import ITSELF, Row
from gradcli.tensor import dtypes
from gradcli.tensor.errors import require_kinds
from gradcli.tensor.leaf import extras_of
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Array, Value


def _view_as_real(self: Array) -> Array:
    """A complex tensor as pairs of real and imaginary parts, in a new last dimension."""
    if self.dtype.kind != "c":
        raise RuntimeError("view_as_real is only supported for complex tensors")
    return self[..., np.newaxis].view(self.real.dtype)


def _view_as_complex(self: Array) -> Array:
    """Pairs of numbers in the last dimension as complex numbers."""
    if self.dtype.kind != "f":
        word = dtypes.of(self).scalar_name
        raise RuntimeError(
            "view_as_complex is only supported for half, float and double tensors, but got a "
            f"tensor of scalar type: {word}"
        )
    if not self.ndim:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if self.shape[-1] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if self.dtype == np.float16:
        raise NotImplementedError("torch.complex32 is not supported, which half would be seen as")
    kind = dtypes.of(self).to_complex().np
    if not self.size:
        return np.empty(self.shape[:-1], kind)
    if self.strides[-1] != self.itemsize:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    if any(stride % (2 * self.itemsize) for stride in self.strides[:-1]):
        raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
    return self.view(kind)[..., 0]


view_as_real: Row = row(
    "view_as_real",
    _view_as_real,
    view=True,
    linear="self",
    self=lambda grad: view_as_complex(contiguous(grad)),
    samples=lambda r: [(r(2, 3) + 1j * r(2, 3),)],
)
view_as_complex: Row = row(
    "view_as_complex",
    _view_as_complex,
    view=True,
    linear="self",
    self=lambda grad: view_as_real(contiguous(grad)),
    samples=lambda r: [(r(3, 2),)],
)


def real_of(value: Any) -> Any:
    """The real part of a complex value, a view; a real one as it is."""
    return select(view_as_real(value), -1, 0) if is_complex(value) else value


def real_part(value: Any) -> Any:
    """The real part of a complex value; a real one as it is."""
    if type(value) is not Tensor:
        return value.real
    return real_of(value)


def imag_of(value: Any) -> Any:
    """The imaginary part of a complex value, a view."""
    if not is_complex(value):
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return select(view_as_real(value), -1, 1)


def _check_parts(first: Array, second: Array) -> None:
    """Both parts are floating, and of one type."""
    words = [dtypes.of(part).scalar_name for part in (first, second)]
    if first.dtype.kind != "f" or second.dtype.kind != "f":
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {words[0]} and "
            f"{words[1]}"
        )
    if first.dtype != second.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {words[0]} but got scalar type {words[1]} for second "
            "argument"
        )


def _joined(real: Array, imag: Array) -> Array:
    shape = np.broadcast_shapes(real.shape, imag.shape)
    out = np.empty(shape, dtypes.of(real).to_complex().np)
    out.real, out.imag = real, imag
    return out


def _complex(real: Array, imag: Array) -> Array:
    """real + 1j * imag."""
    _check_parts(real, imag)
    return _joined(real, imag)


complex_: Row = row(
    "complex",
    _complex,
    halves=False,
    linear="real imag",
    elementwise=True,
    real=real_of,
    imag=imag_of,
    samples=lambda r: [(r(2, 3), r(3))],
)


def _polar(abs: Array, angle: Array) -> Array:
    """The complex numbers with given absolute values and angles."""
    _check_parts(abs, angle)
    require_kinds(abs.dtype, "d", "polar_cpu")
    return _joined(abs * np.cos(angle), abs * np.sin(angle))


def _polar_backward(grad: Any, result: Any) -> tuple[Any, Any]:
    mirrored = conj(grad)
    return real_of(mirrored * sgn(result)), real_of(mirrored * mul_scalar(result, 1j))


polar: Row = row(
    "polar",
    _polar,
    halves=False,
    linear="abs",
    elementwise=True,
    joint=("abs angle", _polar_backward),
    samples=lambda r: [(r(2, 3, low=0.2, high=2.0), r(2, 3))],
)

# PyTorch delays conjugation, and the negation of a conjugate's imaginary part, until somebody needs
# the values. Here both are computed at once; tensors that are delayed there are marked for those
# who ask.


def _delay(tensor: Tensor) -> Tensor:
    extras_of(tensor).delayed = True
    return tensor


def _is_delayed(tensor: Tensor) -> bool:
    return tensor._extras is not None and tensor._extras.delayed


conj_physical_row: Row = row(
    "aten.conj_physical(Tensor self)",
    lambda self: np.conj(self) if self.dtype.kind == "c" else self.copy(),
    linear="self",
    elementwise=True,
    self=ITSELF,
    samples=lambda r: [(r(3, 4) + 1j * r(3, 4),), (r(3) + 1j * r(3),)],
    doc="The complex conjugate, computed at once.",
    pytorch="torch.conj_physical",
    inplace=InPlace(node="ConjPhysicalBackward1", method=False),
)


def conjugate(self: Value) -> Any:
    """The complex conjugate; a real tensor itself."""
    # The conjugate of a complex tensor, as a tensor that PyTorch would not have computed yet.
    if not is_complex(self):
        return self
    made = conj(self)
    return made if is_conj(self) or type(made) is not Tensor else _delay(made)


composite("conj", samples=lambda r: [(r(2, 3) + 1j * r(2, 3),), (r(2),)])(conjugate)


def _adjoint(self: Any, word: str) -> Any:
    return conjugate(matrix_transposed(self, word))


composite(
    "adjoint(Tensor self)",
    samples=lambda r: [(r(2, 3, 4),)],
    doc="The conjugate with the last two dimensions swapped.",
)(lambda self: _adjoint(self, "tensor.adjoint()"))
attribute(
    "Tensor.mH(Tensor self)",
    samples=lambda r: [(r(2, 3, 4),)],
    doc="The conjugate with the last two dimensions swapped.",
)(lambda self: _adjoint(self, "tensor.mH"))


@attribute("Tensor.H", samples=lambda r: [(r(2, 3),)])
def hermitian_matrix(self: Value) -> Any:
    """The conjugate transpose of a matrix."""
    ndim = len(shape_of(self))
    if ndim not in (0, 2):
        advice = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{advice}"
        )
    return conjugate(transpose(self, 0, 1) if ndim else self)


@composite("is_conj", samples=lambda r: [(r.complex(2),), (r(2),)])
def is_conj(self: Tensor) -> bool:
    """Whether PyTorch would not have conjugated yet."""
    base = self._base
    return self.is_complex() and (_is_delayed(self) or (base is not None and _is_delayed(base)))


@composite("is_neg", samples=lambda r: [(r.complex(2),), (r(2),)])
def is_neg(self: Tensor) -> bool:
    """Whether PyTorch would not have negated yet."""
    return not self.is_complex() and _is_delayed(self)


def imaginary(self: Any) -> Any:
    """The imaginary part of a tensor, a view; delayed where the conjugate is."""
    made = imag_of(self)
    return _delay(made) if is_conj(self) else made


composite(
    "real(Tensor input)",
    samples=lambda r: [(r.complex(2, 3),), (r(2),), (r.complex(),)],
    doc="The real part, a view.",
)(real_of)
composite(
    "imag(Tensor input)",
    samples=lambda r: [(r.complex(2, 3),), (r.complex(),)],
    doc="The imaginary part, a view.",
)(imaginary)
attribute(
    "Tensor.real(Tensor self)",
    samples=lambda r: [(r.complex(2, 3),), (r(2),)],
    doc="The real part, a view.",
)(real_of)
attribute(
    "Tensor.imag(Tensor self)",
    samples=lambda r: [(r.complex(2, 3),), (r.complex(),)],
    doc="The imaginary part, a view.",
)(imaginary)


@composite("resolve_conj", samples=lambda r: [(r(2),)])
def resolve_conj(self: Value) -> Any:
    """The tensor with conjugation done: a copy of a delayed conjugate, else the tensor itself."""
    return clone_row(self) if is_conj(self) else self


@composite("resolve_neg", samples=lambda r: [(r(2),)])
def resolve_neg(self: Value) -> Any:
    """The tensor with negation done: a copy of a delayed negative, else the tensor itself."""
    return clone_row(self) if is_neg(self) else self

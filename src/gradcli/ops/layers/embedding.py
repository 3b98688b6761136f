"""Look-ups in a table of vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.kernels.places import add_slices
from gradcli.ops.algebra.comparison import eq, filled
from gradcli.ops.algebra.indexing import index_select
from gradcli.ops.algebra.views import reshape, shape_of
from gradcli.table.declare import composite, row
from gradcli.table.row import Row
from gradcli.table.samples import Sampler, kinked
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import versions_of
from gradcli.typing import Array, Value

SUM: Final = 0
MEAN: Final = 1
MAX: Final = 2


def _check_type(array: Array, name: str, kinds: Sequence[str], function: str) -> None:
    """Refuses types whose `scalar_name` is not listed."""
    kind = dtypes.of(array)
    if kind.scalar_name not in kinds:
        legacy = kind.category in (dtypes.INTEGRAL, dtypes.FLOATING)
        found = f"torch.{kind.tensor_name}" if legacy else f"CPU{kind.scalar_name}Type"
        raise RuntimeError(
            f"Expected tensor for argument #1 '{name}' to have one of the following scalar types: "
            f"{', '.join(kinds)}; but got {found} instead (while checking arguments for {function})"
        )


def _check_indices(indices: Array, function: str) -> None:
    _check_type(indices, "indices", ("Long", "Int"), function)


def _embedding(
    weight: Array,
    indices: Array,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Array:
    """The rows of weight at the indices."""
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    _check_indices(indices, "embedding")
    if indices.size and not (indices.min() >= 0 and indices.max() < len(weight)):
        raise IndexError("index out of range in self")
    return np.take(weight, indices, 0)


def _embedding_dense_backward(
    grad_output: Array, indices: Array, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
) -> Array:
    """Gradients of looked-up vectors, added up per index."""
    flat = indices.reshape(-1)
    rows = grad_output.reshape(flat.size, grad_output.shape[-1])
    full = np.zeros((num_weights, grad_output.shape[-1]), grad_output.dtype)
    if padding_idx >= 0:
        kept = flat != padding_idx
        rows, flat = rows[kept], flat[kept]
    if scale_grad_by_freq:
        rows = rows / np.bincount(flat, minlength=num_weights)[flat][:, None].astype(rows.dtype)
    add_slices(full, flat, rows)
    return full


def _embedding_double(grad: Any, indices: Any, padding_idx: int) -> Any:
    shape = shape_of(indices)
    found = index_select(grad, 0, reshape(indices, (-1,)))
    if padding_idx >= 0:
        found = filled(found, reshape(eq(indices, padding_idx), (-1, 1)), 0)
    return reshape(found, (*shape, shape_of(grad)[1]))


embedding_backward: Row = row(
    "aten.embedding_dense_backward",
    _embedding_dense_backward,
    grad_output=_embedding_double,
    complex_gradient=False,
    samples=lambda r: [
        (r(3, 2), np.array([1, 3, 1]), 4, 3, False),
        (kinked(r(3, 2)), np.array([1, 3, 1]), 4, -1, True),
    ],
)
embedding_row: Row = row(
    "aten.embedding",
    _embedding,
    weight=lambda grad, indices, weight_shape, padding_idx, scale_grad_by_freq: embedding_backward(
        grad, indices, weight_shape[0], padding_idx, scale_grad_by_freq
    ),
    complex_gradient=False,
    samples=lambda r: [
        (r(4, 3), np.array([[1, 3], [1, 0]])),
        (r(4, 3), np.array(2)),
        (kinked(r(4, 3)), np.array([1, 3, 1]), 3, True),
    ],
)


def _renormalize(weight: Any, indices: Any, max_norm: float, norm_type: float) -> None:
    """Shrinks, in place and unrecorded, the rows that will be used and are too long."""
    used = np.unique(indices._array)
    rows = weight._array[used]
    norms = np.linalg.norm(rows, norm_type, axis=1, keepdims=True)
    scale = np.where(norms > max_norm, max_norm / (norms + 1e-7), 1)
    weight._array[used] = rows * scale.astype(rows.dtype)
    versions_of(weight)[0] += 1


def _lookup_samples(r: Sampler) -> list[tuple[Any, ...]]:
    return [
        (np.array([[1, 3], [1, 0]]), r(4, 3)),
        (np.array([1, 3, 1]), r(4, 3), {"scale_grad_by_freq": False}),
    ]


@composite(
    "embedding",
    samples=lambda r: [
        (r(4, 3), np.array([[1, 3], [1, 0]])),
        (r(4, 3), np.array(2)),
        (kinked(r(4, 3)), np.array([1, 3, 1]), 3, True),
    ],
)
def torch_embedding(
    weight: Value,
    indices: Value,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of weight at the indices; the row padding_idx gets no gradient."""
    return embedding_row(weight, indices, padding_idx, scale_grad_by_freq, sparse)


@composite("nn.functional.embedding", samples=_lookup_samples)
def embedding(
    input: Value,
    weight: Value,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of weight at the indices; the row padding_idx gets no gradient."""
    if padding_idx is None:
        padding_idx = -1
    else:
        count = weight.shape[0]
        if not -count <= padding_idx < count:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= count
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return embedding_row(weight, input, padding_idx, scale_grad_by_freq, sparse)


def _one_hot(tensor: Array, num_classes: int = -1) -> Array:
    """For each class number a vector of zeros with a one at that place."""
    if tensor.dtype != np.int64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.size == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return np.zeros((*tensor.shape, num_classes), np.int64)
    if tensor.min() < 0:
        raise RuntimeError("Class values must be non-negative.")
    if num_classes == -1:
        num_classes = int(tensor.max()) + 1
    elif num_classes <= tensor.max():
        raise RuntimeError("Class values must be smaller than num_classes.")
    return np.equal(tensor[..., None], np.arange(num_classes)).astype(np.int64)


one_hot: Row = row(
    "nn.functional.one_hot", _one_hot, samples=lambda r: [(np.array([1, 0, 2]),), (np.array(1), 3)]
)

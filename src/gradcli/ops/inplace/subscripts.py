"""`x[...]`, read and written, and `index_put`.

PyTorch applies a subscript one dimension after another: integers, slices, `None` and `...`
make a chain of views; tensors and lists that remain pick elements at once, like `index`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from gradcli.kernels.places import FEW, add_slices
from gradcli.ops.algebra.parts import select, slice_
from gradcli.ops.algebra.views import alias, shape_of, unsqueeze, view
from gradcli.ops.inplace.derive import in_place
from gradcli.ops.inplace.writing import copy_, fill_from_
from gradcli.table.declare import composite, row
from gradcli.table.entry import BOTH, InPlace
from gradcli.table.row import Row
from gradcli.table.typenames import type_name
from gradcli.tensor import dtypes
from gradcli.tensor.arrays import Numbers, unwrapped
from gradcli.tensor.dtypes import DType
from gradcli.tensor.integers import index64
from gradcli.tensor.public import supports
from gradcli.tensor.tensor import Tensor, raw, wrap
from gradcli.typing import Array

Indices = Sequence[Any]
"""An index tensor per leading dimension, or None where a dimension is taken whole."""

_BEYOND: Final = 1 << 63
_INDEX_TYPES: Final = frozenset(["int64", "int32", "bool", "uint8"])


def _places(shape: Sequence[int], indices: Indices) -> tuple[Any, ...]:
    """NumPy's index for PyTorch's: masks become the places where they hold, ranges are checked."""
    found: list[Any] = []
    for index in indices:
        if index is None:
            found.append(slice(None))
            continue
        array = index._array if type(index) is Tensor else np.asarray(index)
        if array.dtype.name not in _INDEX_TYPES:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
        if array.dtype.kind in "iu" and array.dtype != np.uint8:
            found.append(array)
            continue
        for k, length in enumerate(array.shape):
            where = len(found) + k
            if where < len(shape) and shape[where] != length:
                raise IndexError(
                    f"The shape of the mask {list(array.shape)} at index {k} does not match the "
                    f"shape of the indexed tensor {list(shape)} at index {where}"
                )
        found += np.nonzero(array) if array.ndim else (np.zeros(int(bool(array)), np.int64),)
    if len(found) > len(shape):
        raise IndexError(
            f"too many indices for tensor of dimension {len(shape)} (got {len(found)})"
        )
    picked = [(where, index) for where, index in enumerate(found) if type(index) is not slice]
    picks = _broadcast([index.shape for _, index in picked])
    if 0 not in picks and any(shape[where] == 0 for where, _ in picked):
        raise IndexError("index is out of bounds for dimension with size 0")
    for order, (where, index) in enumerate(picked):
        length = shape[where]
        if index.size and not -length <= index.min() <= index.max() < length:
            bad = index[(index < -length) | (index >= length)].flat[0]
            raise IndexError(
                f"index {bad} is out of bounds for dimension {order} with size {length}"
            )
    return tuple(found)


def _broadcast(shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that index tensors broadcast to."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = ", ".join(str(list(shape)) for shape in shapes)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
        ) from None


def _index(self: Array, indices: Sequence[Array]) -> Array:
    """The elements at index tensors, which may repeat, or where masks hold."""
    places = _places(self.shape, indices)
    if len(places) == 1 and places[0] is not slice(None):
        return np.take(self, places[0], 0)
    return np.ascontiguousarray(self[places])


index_row: Row = row(
    "aten.index",
    _index,
    linear="self",
    self=lambda grad, self_shape, indices: index_backward(grad, self_shape, indices),
    samples=lambda r: [
        (r(3, 4), (np.array([0, 2, 2]),)),
        (r(2, 3, 4), (None, np.array([1, 0]))),
        (r(2, 3, 4), (np.array([1, 0]), None, np.array([[3], [1]]))),
        (r(2, 3), (np.array([[True, False, True], [False, True, False]]),)),
    ],
)


def _index_backward(self: Array, sizes: Sequence[int], indices: Sequence[Array]) -> Array:
    """Zeros plus the elements of self at index tensors."""
    full = np.zeros(sizes, self.dtype)
    _accumulate(full, _places(sizes, indices), self)
    return full


def _accumulate(full: Array, places: tuple[Any, ...], values: Array) -> None:
    """Adds values to the elements of an array at NumPy's index."""
    if (
        values.size <= FEW
        or any(type(place) is slice for place in places)
        or not full.flags.c_contiguous
    ):
        np.add.at(full, places, values)
        return
    lead = full.shape[: len(places)]
    if len(places) == 1:
        flat = np.where(places[0] < 0, places[0] + lead[0], places[0])
    else:
        flat = np.ravel_multi_index(places, lead, mode="wrap")
    rest = full.shape[len(places) :]
    add_slices(full.reshape(-1, *rest), flat, values.reshape(flat.size, *rest))


index_backward: Row = row(
    "aten.index_backward",
    _index_backward,
    node="IndexPutImplBackward0",
    linear="self",
    self=index_row,
    samples=lambda r: [(r(3, 4), (3, 4), (np.array([0, 2, 2]),))],
    pytorch="aten._index_put_impl_(self.new_zeros(sizes), indices, self, True)",
)


def _index_put(
    self: Array, indices: Sequence[Array], values: Array, accumulate: bool = False
) -> Array:
    """A copy of self with values at index tensors."""
    if len(indices) > self.ndim:
        raise IndexError(
            f"too many indices for tensor of dimension {self.ndim} (got {len(indices)})"
        )
    full = self.copy(order="K")
    places = _places(self.shape, indices)
    if values.size == 1 and not accumulate and _kinds(indices) == ["bool"]:
        # PyTorch then writes the value like masked_fill_, whatever its type.
        full[places] = dtypes.convert(values.item(), dtypes.of(self))
        return full
    target = full[places].shape
    try:
        values = np.broadcast_to(values, target)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to "
            f"indexing result of shape {list(target)}"
        ) from None
    if values.dtype != self.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{dtypes.of(self).scalar_name} for the destination and "
            f"{dtypes.of(values).scalar_name} for the source."
        )
    if accumulate:
        _accumulate(full, places, values)
    else:
        full[places] = values
    return full


def _kinds(indices: Indices) -> list[str]:
    given = [raw(index) for index in indices]
    return [index.dtype.name for index in given if index is not None]


def _kept(grad: Any, indices: Indices, accumulate: bool) -> Any:
    """The gradient without the elements that were overwritten."""
    if accumulate:
        return grad
    if type(grad) is Tensor:
        return index_put_row(grad, indices, wrap(np.zeros((), grad._array.dtype)), False)
    return index_put_row(grad, indices, np.zeros((), grad.dtype), False)


index_put_row: Row = row(
    "aten.index_put",
    _index_put,
    linear="self values",
    self=_kept,
    values=index_row,
    samples=lambda r: [
        (r(3, 4), (np.array([0, 2]),), r(4)),
        (r(3), (np.array([0, 0]),), r(2), True),
    ],
    inplace=InPlace(coincide=True, apart=True, method=False),
)


@composite(
    "index_put",
    samples=lambda r: [
        (r(3, 4), [np.array([0, 2])], r(4)),
        (r(3), [np.array([0, 0])], r(2), True),
        (r(2, 3), [r.mask(2, 3)], r()),
        (r(2, 3), [np.array([1, 0]), np.array([2, 2])], r(2)),
        (r.ints(3, high=5), [np.array([1])], np.array(7)),
    ],
    inplace=BOTH,
)
def index_put(
    self: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Any:
    """A copy of self with values at the given indices, added if accumulate."""
    _check_mask(self, indices, values)
    return index_put_row(self, tuple(indices), values, accumulate)


@composite(
    "index_put_",
    samples=lambda r: [
        (r(3, 4), [np.array([0, 2])], r(4)),
        (r(3), [np.array([0, 0])], r(2), True),
        (r(2, 3), [r.mask(2, 3)], r()),
    ],
)
def index_put_(
    self: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False
) -> Tensor:
    """Writes values at the given indices, adding if accumulate."""
    _check_mask(self, indices, values)
    return in_place(index_put_row, (self, tuple(indices), values, accumulate))


def _check_mask(self: Tensor, indices: Indices, values: Tensor) -> None:
    """PyTorch writes a single value to a mask like `masked_fill_`, which has grown strict."""
    if _kinds(indices) == ["uint8"] and values.numel() == 1:
        _places(shape_of(self), indices)
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype unsigned char"
        )


def _parts(index: Any) -> tuple[Any, ...]:
    """A subscript as a tuple; a short list of slices, sequences and tensors counts as one."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, (list, range, str)) and len(index) < 32:
        for item in index:
            if (
                item is None
                or item is Ellipsis
                or isinstance(item, (Tensor, slice, list, tuple, range, str))
            ):
                return tuple(index)
    return (index,)


def _taken(item: Any) -> int:
    """How many dimensions of the tensor a part of a subscript takes."""
    if item is None or item is Ellipsis or isinstance(item, bool):
        return 0
    if isinstance(item, Tensor) and item._array.dtype.name in ("bool", "uint8"):
        return item.ndim
    return 1


def _from_sequence(item: Any) -> Tensor:
    """A list of integers or of booleans (and only of them) as an index tensor."""
    plain = _plain(item)
    try:
        array = np.array(plain)
    except ValueError as error:
        raise ValueError(f"expected sequence of equal lengths: {error}") from None
    if array.dtype.kind in "US":
        raise TypeError("new(): invalid data type 'str'")
    return wrap(array if array.dtype.kind == "b" else array.astype(np.int64))


def _plain(item: Any) -> Any:
    if isinstance(item, Tensor):
        return item.tolist()
    if isinstance(item, (list, tuple, range)):
        return [_plain(part) for part in item]
    item = unwrapped(item)
    if isinstance(item, complex):
        raise TypeError("'complex' object cannot be interpreted as an integer")
    if not isinstance(item, (int, float, str, np.generic, np.ndarray)):
        raise RuntimeError(f"Could not infer dtype of {type_name(item)}")
    if isinstance(item, int) and not -_BEYOND <= item < _BEYOND:
        raise ValueError("Overflow when unpacking long long")
    return item


def _bound(value: Any) -> int | None:
    if value is None:
        return None
    if not supports(value, "__index__"):
        raise TypeError("slice indices must be integers or None or have an __index__ method")
    return int(value.__index__())


def _sliced(tensor: Tensor, dim: int, part: slice, trivial: bool) -> Tensor:
    """A slice of one dimension; `trivial`: the tensor itself where that is everything."""
    step = 1 if part.step is None else _bound(part.step)
    start, stop = _bound(part.start), _bound(part.stop)
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if step is None or step < 0:
        raise ValueError("step must be greater than zero")
    length = tensor._array.shape[dim]
    if trivial and not start and (stop is None or stop >= length) and step == 1:
        return tensor
    # PyTorch keeps the bounds that Python's slices imply.
    begin = 0 if start is None else start
    end = (1 << 63) - 1 if stop is None else stop
    sliced: Tensor = slice_(tensor, dim, begin, end, step)
    return sliced


def _selected(tensor: Tensor, dim: int, index: int, position: int) -> Tensor:
    if not tensor.ndim and index == 0:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or "
            "`tensor.item<T>()` in C++ to convert a 0-dim tensor to a number"
        )
    length = tensor._array.shape[dim] if tensor.ndim else 0
    if not -length <= index < length:
        index64(index)
        raise IndexError(
            f"index {index} is out of bounds for dimension {position} with size {length}"
        )
    selected: Tensor = select(tensor, dim, index)
    return selected


def _apply(tensor: Tensor, index: Any) -> tuple[Tensor, list[Any]]:
    """What integers, slices, None and `...` leave of a tensor, and the index tensors."""
    parts = _parts(index)
    ndim = tensor.ndim
    taken = sum(_taken(item) for item in parts)
    if not ndim and not isinstance(index, (tuple, Tensor)) and _is_number(index):
        _selected(tensor, 0, index64(index), 0)
    if taken > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    indices: list[Any] = []
    dim = covered = 0  # `covered`: how many dimensions `indices` speak of
    for position, item in enumerate(parts):
        if item is Ellipsis:
            dim += ndim - taken
        elif item is None:
            tensor = unsqueeze(tensor, dim)
            dim += 1
        elif isinstance(item, slice):
            tensor = _sliced(tensor, dim, item, True)
            dim += 1
        elif _is_number(item):
            tensor = _selected(tensor, dim, index64(item), position)
        else:
            if isinstance(item, bool):
                tensor, item = unsqueeze(tensor, dim), wrap(np.full(1, item))
            elif isinstance(item, Tensor):
                if not item.ndim and item._array.dtype.name in ("bool", "uint8"):
                    # A mask without dimensions: all of a new dimension, or nothing of it.
                    tensor = unsqueeze(tensor, dim)
                    item = wrap(item._array.reshape(1).astype(bool))
            elif isinstance(item, (list, tuple, range, str, Numbers)):
                item = _from_sequence(item)
            else:
                raise IndexError(
                    "only integers, slices (`:`), ellipsis (`...`), None and long or byte "
                    f"Variables are valid indices (got {type_name(item)})"
                )
            indices += [None] * (dim - covered)
            indices.append(item)
            dim += _taken(item)
            covered = dim
    return tensor, indices


def _is_number(item: Any) -> bool:
    if isinstance(item, Tensor):
        array = item._array
        whole = array.dtype.kind in "iu" and array.dtype != np.uint8
        return bool(type(array) is np.ndarray and not array.ndim and whole)
    if isinstance(unwrapped(item), (int, np.integer)) and not isinstance(item, bool):
        return True
    return not isinstance(item, (bool, np.ndarray, Numbers)) and supports(item, "__index__")


def get_item(self: Tensor, index: Any) -> Any:
    """`self[index]`: a view where integers and slices suffice, else a copy."""
    if type(index) is int:
        return _selected(self, 0, index, 0)
    if type(index) is slice:
        if not self.ndim:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        return _sliced(self, 0, index, False)
    found, indices = _apply(self, index)
    if indices:
        return index_row(found, tuple(indices))
    return alias(found) if found is self else found


def set_item(self: Tensor, index: Any, value: Any) -> None:
    """`self[index] = value`."""
    value = _as_value(value, self.dtype)
    if index is False:
        return
    if type(index) is slice and not self.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    target, indices = _apply(self, None if index is True else index)
    if indices:
        value = _without_leading_ones(value)
        _check_mask(target, indices, value)
        in_place(index_put_row, (target, tuple(indices), value))
    elif shape_of(value) == shape_of(target):
        copy_(target, value)
    elif not value.ndim:
        fill_from_(target, value)
    else:
        value = _without_leading_ones(value)
        copy_(target, value.expand(target.shape))


def _as_value(value: Any, dtype: DType) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, (bool, int, float, complex)):
        raise TypeError(f"can't assign a {type_name(value)} to a torch.{dtype.tensor_name}")
    if isinstance(value, int):
        index64(value)
    return wrap(np.asarray(dtypes.convert(value, dtype)))


def _without_leading_ones(value: Tensor) -> Tensor:
    """The values without the leading dimensions of length one, which need not match."""
    shape = shape_of(value)
    start = next((k for k, length in enumerate(shape) if length != 1), len(shape))
    if not start:
        return value
    stripped: Tensor = view(value, shape[start:])
    return stripped

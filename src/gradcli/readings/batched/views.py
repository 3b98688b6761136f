"""Shapes: rows that rearrange dimensions, join tensors or reduce all dimensions."""

from __future__ import annotations

from typing import Any, Final

from gradcli.ops.algebra.arithmetic import sub
from gradcli.ops.algebra.joining import stack
from gradcli.ops.algebra.parts import diagonal
from gradcli.ops.algebra.scans import prod_dim
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import (
    alias,
    clone_row,
    reshape,
    shape_of,
    squeeze_dims,
    transpose,
    unsqueeze,
)
from gradcli.ops.measuring.norms import vector_norm
from gradcli.readings.batched.dimensions import along, filled, lifted, moved
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table import registry
from gradcli.table.row import Row
from gradcli.tensor.shadow import NO_STORAGE, Unbatchable
from gradcli.tensor.shapes import infer_shape
from gradcli.tensor.tensor import Tensor


def as_they_are(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """Rows that work on the last dimensions, whatever comes before."""
    return level.wrapped(level.out(row, *lifted(level, args)))


def _view(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    shape = shape_of(args[0])
    size = infer_shape(args[1], Tensor.numel(args[0]))
    if len(shape) == len(size) == 0:
        return level.wrapped(level.out(alias, level.physical(args[0])))
    return level.wrap(level.out(row, level.physical(args[0]), (level.size, *size)))


def with_dims(level: Level, tensor: Tensor, ndim: int) -> Tensor:
    """The physical tensor of one that is given dimensions of length one before its own."""
    found: Tensor = level.physical(tensor)
    for _ in range(ndim - len(shape_of(tensor))):
        found = level.out(unsqueeze, found, 1)
    return found


def _expand(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, size, *rest = args
    if len(size) < len(shape_of(tensor)):
        return one_by_one(level, row, args)
    found = with_dims(level, tensor, len(size))
    return level.wrap(level.out(row, found, (level.size, *size), *rest))


def _repeat(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, repeats = args
    if len(repeats) < len(shape_of(tensor)):
        return one_by_one(level, row, args)
    found = with_dims(level, tensor, len(repeats))
    return level.wrap(level.out(row, found, (1, *repeats)))


def _permute(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, dims = args
    ndim = len(shape_of(tensor))
    if len(dims) != ndim:
        return one_by_one(level, row, args)
    return level.wrap(level.out(row, level.physical(tensor), (0, *moved(dims, ndim))))


def _t(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    ndim = len(shape_of(args[0]))
    if ndim != 2:
        return one_by_one(level, row, args)
    found = level.out(transpose, level.physical(args[0]), 1, 2)
    return level.wrap(level.out(clone_row, found) if row.names[0] == "t_copy" else found)


def _squeeze(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if len(args) > 1:
        return along(level, row, args)
    ones = tuple(k + 1 for k, length in enumerate(shape_of(args[0])) if length == 1)
    found = level.out(squeeze_dims, level.physical(args[0]), ones)
    return level.wrap(level.out(clone_row, found) if row.names[0] == "squeeze_copy" else found)


def _dist(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """The norm of the difference."""
    own, other, power = filled(row, args)
    return vector_norm(sub(own, other), power, None, False)


def _roll(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    tensor, shifts, dims = filled(row, args)
    if dims:
        return along(level, row, args)
    line = level.out(reshape, level.physical(tensor), (level.size, Tensor.numel(tensor)))
    rolled = level.out(row, line, shifts, (1,))
    return level.wrap(level.out(reshape, rolled, (level.size, *shape_of(tensor))))


def _trace(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if len(shape_of(args[0])) != 2:
        return one_by_one(level, row, args)
    found = level.out(diagonal, level.physical(args[0]), 0, 1, 2)
    return level.wrap(level.out(sum_dim, found, (1,)))


def _list(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """`cat` of tensors that may be empty ones of one dimension is no matter of dimensions."""
    tensors = args[0]
    ndims = {len(shape_of(tensor)) for tensor in tensors}
    if len(ndims) > 1 or (ndims == {0} and row is not stack):
        return one_by_one(level, row, args)
    return along(level, row, args)


def _reduced(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """A reduction of all dimensions, by the row that reduces those it is told."""
    if "dim" in row.signature.index:
        return along(level, row, args)
    physical = level.physical(args[0])
    rest = filled(row, args)[1:]
    name = _BY_DIMENSIONS.get(row.names[0], row.names[0])
    if name in ("sum", "mean", "all", "any", "amax", "amin") and shape_of(args[0]):
        function = registry.lookup(name)
        assert function is not None
        entry: Any = next(e for e in function.entries if "dim" in e.signature.index)
        dims = tuple(range(1, physical._array.ndim))
        return level.wrap(level.out(entry, physical, dims, False, *rest))
    line = level.out(reshape, physical, (level.size, Tensor.numel(args[0])))
    if name == "prod":
        return level.wrap(level.out(prod_dim, line, 1, False, *rest))
    if name in ("sum", "mean", "all", "any", "amax", "amin"):
        function = registry.lookup(name)
        assert function is not None
        entry = next(e for e in function.entries if "dim" in e.signature.index)
        return level.wrap(level.out(entry, line, (1,), False, *rest))
    return one_by_one(level, row, args)


_BY_DIMENSIONS: Final = {"max": "amax", "min": "amin"}


def _by_memory(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    """A view by places in memory has its own for each sample: whoever asks is run for each."""
    raise Unbatchable(NO_STORAGE)


RULES: Final[dict[str, Any]] = {
    "Tensor.view": _view,
    "aten._reshape_alias": _view,
    "aten._unsafe_view": _view,
    "view_copy": _view,
    "Tensor.expand": _expand,
    "expand_copy": _expand,
    "Tensor.repeat": _repeat,
    "permute": _permute,
    "permute_copy": _permute,
    "t": _t,
    "t_copy": _t,
    "squeeze": _squeeze,
    "squeeze_copy": _squeeze,
    "roll": _roll,
    "trace": _trace,
    "cat": _list,
    "stack": _list,
    "tril": as_they_are,
    "triu": as_they_are,
    "constant_pad_nd": as_they_are,
    "view_as_real": as_they_are,
    "view_as_complex": as_they_are,
    "view_as_real_copy": as_they_are,
    "view_as_complex_copy": as_they_are,
    "renorm": one_by_one,
    "dist": _dist,
    "aten.as_strided": _by_memory,
    "aten.unique_dim": one_by_one,
    "aten.unique_consecutive": one_by_one,
    **dict.fromkeys(("sum", "mean", "prod", "all", "any", "max", "min"), _reduced),
}

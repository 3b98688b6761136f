"""Products of vectors and matrices: the batch is one more factor's rows, or a batch of products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from gradcli.ops.algebra.arithmetic import add, mul, scaled
from gradcli.ops.algebra.comparison import conj
from gradcli.ops.algebra.products import bmm, dot, mm, mv
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import reshape, shape_of, squeeze_dim, t, transpose, unsqueeze
from gradcli.readings.batched.dimensions import filled
from gradcli.readings.batched.level import Level
from gradcli.readings.batched.samples import one_by_one
from gradcli.table.row import Row
from gradcli.tensor.tensor import Tensor


def _fits(pair: Sequence[Any], ndims: tuple[int, int]) -> bool:
    """Whether operands have the dimensions, lengths and the type of a product."""
    left, right = pair
    a, b = shape_of(left), shape_of(right)
    if (len(a), len(b)) != ndims or left._array.dtype != right._array.dtype:
        return False
    return a[-1] == b[0 if len(b) < 3 else 1]


def _mm(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if not _fits(args, (2, 2)):
        return one_by_one(level, row, args)
    left, right = level.of(args[0]), level.of(args[1])
    if right is None:
        assert left is not None
        return level.wrap(level.out(_rows_times, left.physical, args[1]))
    if left is None:
        return level.wrap(level.out(_times_columns, args[0], right.physical))
    return level.wrap(level.out(bmm, left.physical, right.physical))


def _rows_times(left: Tensor, right: Tensor) -> Any:
    """Matrices, one below the other, times one matrix."""
    size, rows, inner = shape_of(left)
    found = mm(reshape(left, (size * rows, inner)), right)
    return reshape(found, (size, rows, shape_of(right)[1]))


def _times_columns(left: Tensor, right: Tensor) -> Any:
    """One matrix times matrices, by way of their transposes."""
    return transpose(_rows_times(transpose(right, 1, 2), t(left)), 1, 2)


def _mv(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if not _fits(args, (2, 1)):
        return one_by_one(level, row, args)
    matrix, vector = level.of(args[0]), level.of(args[1])
    if matrix is None:
        assert vector is not None
        return level.wrap(level.out(lambda m, v: mm(v, t(m)), args[0], vector.physical))
    if vector is None:
        return level.wrap(level.out(_stacked_mv, matrix.physical, args[1]))
    return level.wrap(level.out(_paired_mv, matrix.physical, vector.physical))


def _stacked_mv(matrix: Tensor, vector: Tensor) -> Any:
    size, rows, inner = shape_of(matrix)
    return reshape(mv(reshape(matrix, (size * rows, inner)), vector), (size, rows))


_times_vectors: Final = bmm.changed(
    formulas=[
        (0, lambda grad, mat2: mul(grad, transpose(conj(mat2), 1, 2))),
        (1, lambda grad, self: bmm(conj(transpose(self, 1, 2)), grad)),
    ]
)
"""Matrices times columns, the gradient of the matrices being that of `mv`: it sums nothing."""


def _paired_mv(matrix: Tensor, vector: Tensor) -> Any:
    return squeeze_dim(_times_vectors(matrix, unsqueeze(vector, 2)), 2)


def _dot(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if not _fits(args, (1, 1)):
        return one_by_one(level, row, args)
    left, right = level.of(args[0]), level.of(args[1])
    first = args[0] if left is None else left.physical
    second = args[1] if right is None else right.physical
    if row is not dot:
        first = level.out(conj, first)
    if left is None:
        return level.wrap(level.out(mv, second, first))
    if right is None:
        return level.wrap(level.out(mv, first, second))
    return level.wrap(level.out(lambda a, b: sum_dim(a * b, (1,)), first, second))


def _bmm(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    if not _fits(args, (3, 3)) or shape_of(args[0])[0] != shape_of(args[1])[0]:
        return one_by_one(level, row, args)
    return level.wrap(level.out(_folded_bmm, level.physical(args[0]), level.physical(args[1])))


def _folded_bmm(left: Tensor, right: Tensor) -> Any:
    size, count, rows, inner = shape_of(left)
    columns = shape_of(right)[3]
    found = bmm(
        reshape(left, (size * count, rows, inner)), reshape(right, (size * count, inner, columns))
    )
    return reshape(found, (size, count, rows, columns))


def _added(product: Any, ndims: tuple[int, int, int], total: bool = False) -> Any:
    """The rule of a product that is added to something: beta * self + alpha * product."""

    def rule(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
        own, left, right, beta, alpha = filled(row, args)
        fits = _fits((left, right), ndims[1:]) and own._array.dtype == left._array.dtype
        if (
            not fits
            or beta == 0
            or len(shape_of(own)) > ndims[0]
            or left._array.dtype.kind not in "fc"
        ):
            return one_by_one(level, row, args)
        found = product(left, right)
        if total:
            found = sum_dim(found, (0,))
        if alpha != 1:
            found = scaled(found, alpha)
        return add(own if beta == 1 else scaled(own, beta), found)

    return rule


def _outer(left: Any, right: Any) -> Any:
    return mul(unsqueeze(left, 1), right)


def _addr(level: Level, row: Row, args: tuple[Any, ...]) -> Any:
    own, left, right, beta, alpha = filled(row, args)
    kinds = {part._array.dtype for part in (own, left, right)}
    if len(kinds) > 1 or beta == 0 or own._array.dtype.kind not in "fc" or len(shape_of(left)) != 1:
        return one_by_one(level, row, args)
    found = scaled(_outer(left, right), alpha)
    return add(scaled(own, beta), found)


RULES: Final[dict[str, Any]] = {
    "mm": _mm,
    "mv": _mv,
    "dot": _dot,
    "vdot": _dot,
    "bmm": _bmm,
    "addmm": _added(mm, (2, 2, 2)),
    "addmv": _added(mv, (1, 2, 1)),
    "baddbmm": _added(bmm, (3, 3, 3)),
    "addbmm": _added(bmm, (2, 3, 3), total=True),
    "addr": _addr,
}

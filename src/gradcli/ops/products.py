"""Products of several tensors, powers and norms of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradcli.ops.arithmetic import scaled
from gradcli.ops.comparison import conj
from gradcli.ops.factorisations import eye, svd_row
from gradcli.ops.joining import cat
from gradcli.ops.matmul import bmm, matmul, mm
from gradcli.ops.reduction import amax, amin, sum_dim
from gradcli.ops.scans import cumprod
from gradcli.ops.shape import (
    expand,
    permute,
    reshape,
    shape_of,
    squeeze_dim,
    transpose,
    unsqueeze,
    view,
)
from gradcli.ops.slicing import diagonal, slice_
from gradcli.ops.solvers import inverse_of, solve_row
from gradcli.ops.statistics import vector_norm
from gradcli.ops.table import Row, composite, row
from gradcli.tensor import dtypes
from gradcli.tensor.tensor import Tensor, wrap, wrap_dim

Array = Any

# --- vectors

vdot: Row = row(
    "vdot(Tensor self, Tensor other)",
    lambda self, other: np.asarray(np.vdot(self, other)),
    self=lambda grad, other: conj(grad) * other,
    other=lambda grad, self: grad * self,
    samples=lambda r: [(r(3), r(3))],
    doc="The inner product of two vectors, the first one conjugated.",
)


@composite(
    "outer|ger(Tensor self, Tensor vec2)",
    samples=lambda r: [(r(2), r(3))],
    doc="The outer product of two vectors.",
)
def outer(self: Any, vec2: Any) -> Any:
    for name, value in (("self", self), ("vec2", vec2)):
        if value.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {value.ndim}-D")
    return reshape(self, (self.shape[0], 1)) * vec2


@composite(
    "inner(Tensor self, Tensor other)",
    samples=lambda r: [(r(3), r(3)), (r(2, 3), r(4, 3))],
    doc="Inner products over the last dimensions.",
)
def inner(self: Any, other: Any) -> Any:
    if self.ndim == 0 or other.ndim == 0:
        return self * other
    if self.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(self.shape)} and {list(other.shape)}"
        )
    return tensordot(self, other, [[-1], [-1]])


@composite(
    "linalg.vecdot(Tensor x, Tensor y, *, int dim=-1)",
    samples=lambda r: [(r(3), r(3)), (r(2, 3), r(2, 3))],
    doc="Inner products along a dimension.",
)
def vecdot(x: Any, y: Any, dim: int = -1) -> Any:
    if x.ndim == 1 and y.ndim == 1:
        return vdot(x, y)
    return sum_dim(conj(x) * y, (dim,))


def _cross_dim(a: Sequence[int], b: Sequence[int], dim: int | None) -> int:
    if dim is not None:
        return dim
    for where, length in enumerate(a):
        if length == 3:
            return where - len(a)
    raise RuntimeError("no dimension of size 3 in input")


def _cross(self: Array, other: Array, dim: int = -1) -> Array:
    if self.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    where = wrap_dim(dim, self.ndim)
    if self.shape[where] != 3 or other.shape[where] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {self.shape[where]} and "
            f"{other.shape[where]}"
        )
    return np.cross(self, other, axis=where)


linalg_cross: Row = row(
    "linalg.cross(Tensor self, Tensor other, *, int dim=-1)",
    _cross,
    self=lambda grad, other, dim: linalg_cross(other, grad, dim),
    other=lambda grad, self, dim: linalg_cross(grad, self, dim),
    samples=lambda r: [(r(2, 3), r(2, 3)), (r(3, 2), r(3, 2), 0)],
    doc="The cross product of three-dimensional vectors.",
)


@composite(
    "cross(Tensor self, Tensor other, int? dim=None)",
    doc="The cross product of three-dimensional vectors.",
)
def cross(self: Any, other: Any, dim: int | None = None) -> Any:
    return linalg_cross(self, other, _cross_dim(self.shape, other.shape, dim))


# --- products added to something


def _added(name: str, product: Any, names: tuple[str, str], formulas: Any, doc: str, s: Any) -> Row:
    a, b = names
    return row(
        f"{name}(Tensor self, Tensor {a}, Tensor {b}, *, Scalar beta=1, Scalar alpha=1)",
        lambda self, x, y, beta=1, alpha=1: (
            scaled(self, beta) + scaled(product(x, y), alpha)
            if beta != 0
            else np.broadcast_to(
                scaled(product(x, y), alpha),
                np.broadcast_shapes(self.shape, np.shape(product(x, y))),
            ).copy()
        ),
        self=lambda grad, beta: scaled(grad, beta),
        samples=s,
        doc=doc,
        **formulas,
    )


addmv = _added(
    "addmv",
    lambda mat, vec: np.matmul(_matched(mat, vec), vec),
    ("mat", "vec"),
    {
        "mat": lambda grad, vec, alpha: scaled(unsqueeze(grad, 1) * conj(vec), alpha),
        "vec": lambda grad, mat, alpha: scaled(matmul(conj(transpose(mat, 0, 1)), grad), alpha),
    },
    "beta * self + alpha * mat @ vec.",
    lambda r: [(r(2), r(2, 3), r(3), {"alpha": 2})],
)


def _matched(mat: Array, vec: Array) -> Array:
    if mat.shape[-1] != vec.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({mat.shape[0]}), mat ({mat.shape[0]}x{mat.shape[1]}), "
            f"vec ({vec.shape[0]})"
        )
    return mat


baddbmm = _added(
    "baddbmm",
    lambda x, y: bmm(x, y),
    ("batch1", "batch2"),
    {
        "batch1": lambda grad, batch2, alpha: scaled(
            bmm(grad, conj(transpose(batch2, 1, 2))), alpha
        ),
        "batch2": lambda grad, batch1, alpha: scaled(
            bmm(conj(transpose(batch1, 1, 2)), grad), alpha
        ),
    },
    "beta * self + alpha * batch1 @ batch2.",
    lambda r: [(r(2, 2, 4), r(2, 2, 3), r(2, 3, 4), {"beta": 0.5})],
)


def _spread(grad: Any, batch: Any) -> Any:
    return expand(unsqueeze(grad, 0), (shape_of(batch)[0], *shape_of(grad)))


addbmm = _added(
    "addbmm",
    lambda x, y: bmm(x, y).sum(0),
    ("batch1", "batch2"),
    {
        "batch1": lambda grad, batch2, alpha: scaled(
            bmm(_spread(grad, batch2), conj(transpose(batch2, 1, 2))), alpha
        ),
        "batch2": lambda grad, batch1, alpha: scaled(
            bmm(conj(transpose(batch1, 1, 2)), _spread(grad, batch1)), alpha
        ),
    },
    "beta * self + alpha * the sum of batch1 @ batch2.",
    lambda r: [(r(2, 4), r(3, 2, 3), r(3, 3, 4))],
)
addr = _added(
    "addr",
    np.outer,
    ("vec1", "vec2"),
    {
        "vec1": lambda grad, vec2, alpha: scaled(matmul(grad, conj(vec2)), alpha),
        "vec2": lambda grad, vec1, alpha: scaled(matmul(transpose(grad, 0, 1), conj(vec1)), alpha),
    },
    "beta * self + alpha * the outer product of vec1 and vec2.",
    lambda r: [(r(2, 3), r(2), r(3))],
)

# --- contractions


@composite(
    "tensordot(Tensor a, Tensor b, any dims=2)",
    samples=lambda r: [(r(2, 3), r(3, 2), 1), (r(2, 3, 4), r(3, 4, 2))],
    doc="The product summed over pairs of dimensions.",
)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        pairs = (list(range(a.ndim - dims, a.ndim)), list(range(dims)))
    else:
        pairs = tuple([d] if isinstance(d, int) else list(d) for d in dims)  # type: ignore[assignment]
    da = [wrap_dim(d, a.ndim) for d in pairs[0]]
    db = [wrap_dim(d, b.ndim) for d in pairs[1]]
    for p, q in zip(da, db, strict=True):
        if a.shape[p] != b.shape[q]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[p]} in dim {p} "
                f"and second has size {b.shape[q]} in dim {q}"
            )
    rest_a = [k for k in range(a.ndim) if k not in da]
    rest_b = [k for k in range(b.ndim) if k not in db]
    size = math.prod(a.shape[k] for k in da)
    left = reshape(permute(a, rest_a + da), (math.prod(a.shape[k] for k in rest_a), size))
    right = reshape(permute(b, db + rest_b), (size, math.prod(b.shape[k] for k in rest_b)))
    target = [a.shape[k] for k in rest_a] + [b.shape[k] for k in rest_b]
    return reshape(mm(left, right), target)


@composite(
    "kron(Tensor self, Tensor other)",
    samples=lambda r: [(r(2, 2), r(2, 3))],
    doc="The Kronecker product.",
)
def kron(self: Any, other: Any) -> Any:
    ndim = max(self.ndim, other.ndim)
    a = [1] * (ndim - self.ndim) + list(self.shape)
    b = [1] * (ndim - other.ndim) + list(other.shape)
    left = reshape(self, [n for length in a for n in (length, 1)])
    right = reshape(other, [n for length in b for n in (1, length)])
    from gradcli.ops.shape import unsafe_view

    return unsafe_view(left * right, [p * q for p, q in zip(a, b, strict=True)])


def _parsed(equation: str, operands: Sequence[Any]) -> tuple[list[list[str]], list[str]]:
    """Labels of each operand and of the result; an ellipsis becomes labels of its own."""
    text = equation.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "more" if len(terms) < len(operands) else "fewer"
        raise RuntimeError(
            f"einsum(): {more} operands were provided than specified in the equation"
        )
    widest = 0
    for term, operand in zip(terms, operands, strict=True):
        if "..." in term:
            widest = max(widest, operand.ndim - len(term.replace("...", "")))
    dots = [f"...{k}" for k in range(widest)]
    labels = []
    for number, (term, operand) in enumerate(zip(terms, operands, strict=True)):
        before, ellipsis, after = term.partition("...")
        count = operand.ndim - len(before) - len(after)
        if (not ellipsis and count) or count < 0:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(before) + len(after)}) "
                f"{'is more than' if count < 0 else 'does not match'} the number of dimensions "
                f"({operand.ndim}) for operand {number}"
                + (" and no ellipsis was given" if count > 0 else "")
            )
        labels.append([*before, *(dots[widest - count :] if ellipsis else []), *after])
    if arrow:
        before, ellipsis, after = right.partition("...")
        return labels, [*before, *(dots if ellipsis else []), *after]
    counts: dict[str, int] = {}
    for label in (item for group in labels for item in group if len(item) == 1):
        counts[label] = counts.get(label, 0) + 1
    return labels, dots + sorted(label for label, count in counts.items() if count == 1)


def _aligned(operand: Any, labels: list[str], order: list[str]) -> Any:
    """The operand with one dimension per label of the order, missing ones of length one."""
    labels = list(labels)
    for label in list(dict.fromkeys(labels)):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            a, b = operand.shape[first], operand.shape[second]
            if a != b:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand 0 but the sizes don't "
                    f"match, {b} != {a}"
                )
            operand = diagonal(operand, 0, first, second)
            del labels[second], labels[first]
            labels.append(label)
    present = [label for label in order if label in labels]
    operand = permute(operand, [labels.index(label) for label in present])
    for position, label in enumerate(order):
        if label not in labels:
            operand = unsqueeze(operand, position)
    return operand


@composite(
    "einsum(str equation, Tensor[*] operands)",
    samples=lambda r: [("ij,jk->ik", [r(2, 3), r(3, 2)]), ("ii->", [r(3, 3)])],
    doc="Products summed over the labels that the result lacks.",
)
def einsum(equation: str, operands: Sequence[Any]) -> Any:
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    labels, target = _parsed(equation, operands)
    summed = [
        label
        for label in dict.fromkeys(item for group in labels for item in group)
        if label not in target
    ]
    order = target + summed
    sizes: dict[str, int] = {}
    for group, operand in zip(labels, operands, strict=True):
        for label, length in zip(group, operand.shape, strict=True):
            known = sizes.get(label, 1)
            if length not in (1, known) and known != 1:
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {length} for operand 1 which does not "
                    f"broadcast with previously seen size {known}"
                )
            sizes[label] = max(known, length) if length else 0
    for label in target:
        if label not in sizes:
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input "
                "operand"
            )
    aligned = [_aligned(op, group, order) for op, group in zip(operands, labels, strict=True)]
    remaining = [set(group) for group in labels]
    result = aligned[0]
    keep = len(target)
    # A label that occurs last in one operand is summed as soon as that is reached.
    for step, following in enumerate(aligned[1:], 1):
        later = set().union(*remaining[step + 1 :])
        now = [
            keep + k
            for k, label in enumerate(summed)
            if label not in later
            and (result.shape[keep + k] != 1 or following.shape[keep + k] != 1)
        ]
        result = _contract(result, following, now)
    if len(aligned) == 1 and summed:
        result = sum_dim(result, tuple(range(keep, keep + len(summed))))
    elif summed:
        leftover = [keep + k for k in range(len(summed))]
        result = (
            reshape(result, result.shape[:keep])
            if all(result.shape[k] == 1 for k in leftover)
            else sum_dim(result, tuple(leftover))
        )
    return result


def _contract(a: Any, b: Any, dims: list[int]) -> Any:
    """a * b summed over dims (kept with length one), as a batched matrix product."""
    if not dims:
        return a * b
    ndim = a.ndim
    both, only_a, only_b, summed = [], [], [], []
    for k in range(ndim):
        one, other = a.shape[k] != 1, b.shape[k] != 1
        if k in dims:
            if one and other:
                summed.append(k)
            elif one:
                a = sum_dim(a, (k,), True)
            elif other:
                b = sum_dim(b, (k,), True)
        elif one and other:
            both.append(k)
        elif one:
            only_a.append(k)
        else:
            only_b.append(k)
    size = {k: max(a.shape[k], b.shape[k]) for k in range(ndim)}
    batch = math.prod(a.shape[k] for k in both)
    rows = math.prod(a.shape[k] for k in only_a)
    inner_ = math.prod(a.shape[k] for k in summed)
    columns = math.prod(b.shape[k] for k in only_b)
    left = reshape(permute(a, both + only_a + summed + only_b), (batch, rows, inner_))
    right = reshape(permute(b, both + summed + only_b + only_a), (batch, inner_, columns))
    product = bmm(left, right)
    shape = [size[k] if k not in summed else 1 for k in both + only_a + only_b + summed]
    spread = view(product, shape)
    current = both + only_a + only_b + summed
    return permute(spread, [current.index(k) for k in range(ndim)])


@composite(
    "linalg.multi_dot(Tensor[] tensors)",
    samples=lambda r: [([r(2, 3), r(3, 4), r(4, 2)],)],
    doc="A product of matrices, in the cheapest order.",
)
def multi_dot(tensors: Sequence[Any]) -> Any:
    if len(tensors) < 2:
        raise RuntimeError("multi_dot(): expected at least 2 tensors but got " + str(len(tensors)))
    first, *middle, last = tensors
    shape: list[int] = []
    if first.ndim == 1:
        first = unsqueeze(first, 0)
    else:
        shape.append(first.shape[0])
    if last.ndim == 1:
        last = unsqueeze(last, -1)
    else:
        shape.append(last.shape[1])
    chain = [first, *middle, last]
    for a, b in pairwise(chain):
        if a.shape[1] != b.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {chain.index(a)} and {chain.index(b)} with shapes "
                f"{list(a.shape)} and {list(b.shape)} cannot be multiplied"
            )
    return view(_in_order(chain), shape)


def _in_order(chain: list[Any]) -> Any:
    """The product by the cheapest bracketing (dynamic programming over lengths)."""
    n = len(chain)
    if n == 2:
        return mm(*chain)
    sizes = [chain[0].shape[0], *(m.shape[1] for m in chain)]
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                for k in range(i, j)
            ]
            cost[i][j], split[i][j] = min(options)
    # Iterative evaluation of the bracketing, innermost products first.
    found: dict[tuple[int, int], Any] = {(i, i): m for i, m in enumerate(chain)}
    todo = [(0, n - 1)]
    while todo:
        i, j = todo[-1]
        k = split[i][j]
        missing = [part for part in ((i, k), (k + 1, j)) if part not in found]
        if missing:
            todo += missing
        else:
            found[i, j] = mm(found[i, k], found[k + 1, j])
            todo.pop()
    return found[0, n - 1]


@composite("chain_matmul(Tensor[*] matrices)", doc="A product of matrices, in the cheapest order.")
def chain_matmul(matrices: Sequence[Any]) -> Any:
    return matrices[0] if len(matrices) == 1 else _in_order(list(matrices))


# --- powers


@composite(
    "matrix_power|linalg.matrix_power(Tensor self, int n)",
    samples=lambda r: [(r(3, 3) + 2 * np.eye(3), n) for n in (0, 1, 2, 3, 5, -2)],
    doc="Powers of square matrices; negative ones by the inverse.",
)
def matrix_power(self: Any, n: int) -> Any:
    if self.ndim < 2 or self.shape[-1] != self.shape[-2]:
        raise RuntimeError(
            "linalg.matrix_power: A must be batches of square matrices, but they are "
            f"{self.shape[-2] if self.ndim > 1 else 1} by {self.shape[-1]} matrices"
        )
    if n == 0:
        # PyTorch copies the identity into a clone, under the node of a copy.
        identity = expand(eye(self.shape[-1], self), self.shape)
        return self.clone().copy_(identity)
    if n == 1:
        return self.clone()
    base = inverse_of(self) if n < 0 else self
    n = abs(n)
    if n == 1:
        return base
    if n == 2:
        return matmul(base, base)
    if n == 3:
        return matmul(matmul(base, base), base)
    result: Any = None
    power = base
    while n:
        if n & 1:
            result = power if result is None else matmul(result, power)
        n >>= 1
        if n:
            power = matmul(power, power)
    return result


# --- norms of matrices


def _pair(dim: Any, ndim: int) -> tuple[int, int]:
    listed = [wrap_dim(d, ndim) for d in dim]
    if len(listed) != 2:
        raise RuntimeError("linalg.matrix_norm: dim must be a 2-tuple of ints")
    if listed[0] == listed[1]:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    return listed[0], listed[1]


def _back(value: Any, dims: tuple[int, int], ndim: int) -> Any:
    """Reduced dimensions, of length one at the end, moved to where they were."""
    value = unsqueeze(unsqueeze(value, -1), -1)
    rest = [k for k in range(ndim) if k not in dims]
    order = [*rest, *dims]
    return permute(value, [order.index(k) for k in range(ndim)])


@composite(
    "linalg.matrix_norm(Tensor self, any ord='fro', any dim=(-2, -1), bool keepdim=False, *, "
    "dtype? dtype=None)",
    samples=lambda r: [(r(3, 4), ord) for ord in ("fro", "nuc", 1, -1, 2, -2, math.inf)],
    doc="The norm of matrices.",
)
def matrix_norm(
    self: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, dtype: Any = None
) -> Any:
    if self.ndim < 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."
        )
    if self.dtype.category < dtypes.FLOATING:
        raise RuntimeError(
            "linalg.matrix_norm: Expected a floating point or complex tensor as input. Got "
            f"{self.dtype.scalar_name}"
        )
    if dtype is not None:
        self = self.to(dtype)
    dims = _pair(dim, self.ndim)
    if ord == "fro":
        return vector_norm(self, 2, dims, keepdim)
    if ord == "nuc" or (isinstance(ord, (int, float)) and abs(ord) == 2):
        rest = [k for k in range(self.ndim) if k not in dims]
        values = svd_row(permute(self, [*rest, *dims]), False)[1]
        if ord == "nuc":
            found = sum_dim(values, (-1,))
        else:
            found = (amax if ord > 0 else amin)(values, (-1,))
        return _back(found, dims, self.ndim) if keepdim else found
    if not isinstance(ord, (int, float)) or abs(ord) not in (1, math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    inner_dim, outer_dim = dims if abs(ord) == 1 else dims[::-1]
    sums = vector_norm(self, 1, (inner_dim,), keepdim)
    if not keepdim and outer_dim > inner_dim:
        outer_dim -= 1
    return (amax if ord > 0 else amin)(sums, (outer_dim,), keepdim)


@composite(
    "linalg.norm(Tensor self, any ord=None, any dim=None, bool keepdim=False, *, "
    "dtype? dtype=None)",
    samples=lambda r: [(r(4),), (r(3, 4), "fro"), (r(3, 4), 1, (0, 1)), (r(3, 4), 3, 1)],
    doc="The norm of vectors or matrices.",
)
def norm(
    self: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    dims = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        if dims is None:
            found = vector_norm(reshape(self, (-1,)), 2, None, False, dtype=dtype)
            return reshape(found, (1,) * self.ndim) if keepdim else found
        return vector_norm(self, 2, dims, keepdim, dtype=dtype)
    if dims is None:
        if self.ndim not in (1, 2):
            raise RuntimeError(
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
                f"{self.ndim}D."
            )
        dims = tuple(range(self.ndim))
    if len(dims) == 1 and not isinstance(ord, str):
        return vector_norm(self, ord, dims, keepdim, dtype=dtype)
    return matrix_norm(self, ord, dims, keepdim, dtype)


@composite(
    "linalg.cond(Tensor self, any p=None)",
    samples=lambda r: [(r(3, 3) + 3 * np.eye(3),), (r(3, 3) + 3 * np.eye(3), "fro")],
    doc="The condition number of matrices.",
)
def cond(self: Any, p: Any = None) -> Any:
    if p is None or p in (2, -2):
        values = svd_row(self, False)[1]
        count = values.shape[-1]
        largest = slice_(values, -1, 0, 1, 1)
        smallest = slice_(values, -1, count - 1, count, 1)
        return squeeze_dim(smallest / largest if p == -2 else largest / smallest, -1)
    return matrix_norm(self, p) * matrix_norm(inverse_of(self), p)


@composite(
    "linalg.matrix_rank(Tensor self, *, any atol=None, any rtol=None, bool hermitian=False)",
    doc="How many singular values exceed a tolerance.",
)
def matrix_rank(self: Any, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    values = np.linalg.svd(self._array, compute_uv=False)
    peak = values.max(-1, keepdims=True, initial=0)
    default = 0.0 if atol is not None else max(self.shape[-2:]) * np.finfo(self._array.dtype).eps
    limits = [v._array if isinstance(v, Tensor) else v for v in (atol or 0.0, rtol)]
    relative = default if limits[1] is None else limits[1]
    limit = np.maximum(limits[0], np.asarray(relative) * peak)
    return wrap(np.asarray((values > limit).sum(-1), np.int64))


# --- tensors as matrices


@composite(
    "linalg.diagonal(Tensor self, *, int offset=0, int dim1=-2, int dim2=-1)",
    samples=lambda r: [(r(3, 4),)],
    doc="The diagonals of matrices, as a view.",
)
def linalg_diagonal(self: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    return diagonal(self, offset, dim1, dim2)


@composite(
    "linalg.vander(Tensor x, *, int? N=None)",
    samples=lambda r: [(r(3),), (r(2), {"N": 4})],
    doc="Vandermonde matrices: powers along a new last dimension.",
)
def linalg_vander(x: Any, N: int | None = None) -> Any:
    count = x.shape[-1] if N is None and x.ndim else (1 if N is None else N)
    if count < 1:
        raise RuntimeError("N must be greater than 1.")
    if x.ndim == 0:
        x = reshape(x, (1,))
    spread = expand(unsqueeze(x, -1), (*x.shape, count - 1))
    powers = cumprod(spread, -1)
    ones = wrap(np.ones((*x.shape, 1), x._array.dtype))
    return cat([ones, powers], -1)


@composite(
    "linalg.tensorinv(Tensor self, int ind=2)",
    samples=lambda r: [(r(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 3, 2)],
    doc="The inverse of a tensor for tensordot.",
)
def tensorinv(self: Any, ind: int = 2) -> Any:
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    front, back = self.shape[:ind], self.shape[ind:]
    if math.prod(front) != math.prod(back):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {math.prod(back)} != {math.prod(front)}"
        )
    found = inverse_of(reshape(self, (math.prod(back), math.prod(front))))
    return reshape(found, (*back, *front))


@composite(
    "linalg.tensorsolve(Tensor self, Tensor other, any dims=None)",
    samples=lambda r: [(r(2, 3, 6) + np.eye(6).reshape(2, 3, 6) * 3, r(2, 3))],
    doc="X of tensordot(self, X) = other.",
)
def tensorsolve(self: Any, other: Any, dims: Any = None) -> Any:
    if dims is not None:
        moved = [wrap_dim(d, self.ndim) for d in dims]
        self = permute(self, [k for k in range(self.ndim) if k not in moved] + moved)
    target = self.shape[other.ndim :]
    count = math.prod(target)
    if math.prod(self.shape[: other.ndim]) != count:
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {count} != "
            f"{math.prod(self.shape[: other.ndim])}"
        )
    found = solve_row(reshape(self, (-1, count)), reshape(other, (-1,)))
    return reshape(found, target)

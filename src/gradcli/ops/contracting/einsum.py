"""Einstein sums and other contractions of two or more tensors, as batched matrix products.

A contraction sorts the dimensions of its operands into batch, own, summed and the other's, and
hands them to `bmm`; the order of steps is PyTorch's, so that graphs show the same nodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gradcli.ops.algebra.parts import diagonal
from gradcli.ops.algebra.products import bmm, dot, mm
from gradcli.ops.algebra.sums import sum_dim
from gradcli.ops.algebra.views import (
    flatten,
    movedim,
    permute,
    reshape,
    unsqueeze,
    view,
)
from gradcli.table.declare import composite, free
from gradcli.table.schema import Signature
from gradcli.table.typenames import type_name
from gradcli.tensor.shapes import length_along, wrap_dims
from gradcli.tensor.tensor import Tensor
from gradcli.typing import Value

ELLIPSIS = "."
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def contracted(left: Any, right: Any, summed: Sequence[int]) -> Any:
    """left * right summed over dimensions, which are kept with length one."""
    if not summed:
        return left * right
    both: list[int] = []
    only_left: list[int] = []
    only_right: list[int] = []
    inner = 1
    for k, (a, b) in enumerate(zip(left.shape, right.shape, strict=True)):
        if k in summed:
            if a != 1 and b != 1:
                inner *= a
            elif a != 1:
                left = sum_dim(left, (k,), True)
            elif b != 1:
                right = sum_dim(right, (k,), True)
        elif a != 1 and b != 1:
            both.append(k)
        elif a != 1:
            only_left.append(k)
        else:
            only_right.append(k)
    if only_left and only_right and only_right[-1] < only_left[0]:
        # The product comes out in the order of the result.
        left, right, only_left, only_right = right, left, only_right, only_left
    batch = math.prod(left.shape[k] for k in both)
    rows = math.prod(left.shape[k] for k in only_left)
    columns = math.prod(right.shape[k] for k in only_right)
    order = [*both, *only_left, *summed, *only_right]
    lengths = [left.shape[k] for k in (*both, *only_left)]
    lengths += [1] * len(summed) + [right.shape[k] for k in only_right]
    left = reshape(permute(left, order), (batch, rows, inner))
    right = reshape(
        permute(right, (*both, *summed, *only_right, *only_left)), (batch, inner, columns)
    )
    product = view(bmm(left, right), lengths)
    return permute(product, [order.index(k) for k in range(len(order))])


@dataclass
class Equation:
    """The labels of each operand and of the result, and where each label stands.

    `places` gives a label's dimension among all of them: first those of the result, then those
    that are summed. `wide` is how many dimensions an ellipsis covers at most.
    """

    labels: list[list[str]]
    wide: int = 0
    places: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    count: int = 0


def _term(text: str, start: int, equation: str, of: str, again: str) -> list[str]:
    """The labels of one operand or of the result, an ellipsis as one dot."""
    found: list[str] = []
    position = 0
    while position < len(text):
        letter = text[position]
        if letter == ".":
            if ELLIPSIS in found:
                raise RuntimeError(f"einsum(): found '.' for {of} {again}")
            if text[position : position + 3] != "...":
                tail = " (...)" if of == "output" else ""
                raise RuntimeError(
                    f"einsum(): found '.' for {of} that is not part of any ellipsis{tail}"
                )
            position += 2
            found.append(ELLIPSIS)
        elif letter in _LETTERS:
            found.append(letter)
        elif letter != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + position} in the equation "
                "string, subscripts must be in [a-zA-Z]"
            )
        position += 1
    return found


def _operand_labels(left: str, operands: Sequence[Any]) -> list[list[str]]:
    terms = left.split(",")
    labels: list[list[str]] = []
    start = 0
    for number, term in enumerate(terms):
        if number >= len(operands):
            raise RuntimeError(
                "einsum(): fewer operands were provided than specified in the equation"
            )
        of = f"operand {number}"
        labels.append(_term(term, start, left, of, "for which an ellipsis was already found"))
        start += len(term) + 1
    if len(terms) < len(operands):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    return labels


def _check_ranks(labels: Sequence[Sequence[str]], operands: Sequence[Any]) -> int:
    """The largest number of dimensions that an ellipsis covers."""
    wide = 0
    for number, (group, operand) in enumerate(zip(labels, operands, strict=True)):
        named = sum(label != ELLIPSIS for label in group)
        if ELLIPSIS in group:
            if named > operand.ndim:
                raise RuntimeError(
                    f"einsum(): the number of subscripts in the equation ({named}) is more than "
                    f"the number of dimensions ({operand.ndim}) for operand {number}"
                )
            wide = max(wide, operand.ndim - named)
        elif named != operand.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the "
                f"number of dimensions ({operand.ndim}) for operand {number} and no ellipsis was "
                "given"
            )
    return wide


def _parsed(text: str, operands: Sequence[Any]) -> Equation:
    left, arrow, right = text.partition("->")
    equation = Equation(_operand_labels(left, operands))
    equation.wide = _check_ranks(equation.labels, operands)
    used = [label for group in equation.labels for label in group if label != ELLIPSIS]
    places = equation.places
    if arrow:
        again = "but an ellipsis (...) was already found"
        for label in _term(right, len(left) + 2, text, "output", again):
            if label in places:
                raise RuntimeError(
                    f"einsum(): output subscript {label} appears more than once in the output"
                )
            if label != ELLIPSIS and label not in used:
                raise RuntimeError(
                    f"einsum(): output subscript {label} does not appear in the equation for any "
                    "input operand"
                )
            _place(equation, label)
    else:
        # Without an arrow: the ellipsis, then what occurs once, in the order of the alphabet.
        for label in (ELLIPSIS, *(each for each in _LETTERS if used.count(each) == 1)):
            _place(equation, label)
    equation.kept = equation.count
    for label in (ELLIPSIS, *_LETTERS):
        if label not in places and (label == ELLIPSIS or label in used):
            _place(equation, label)
    return equation


def _place(equation: Equation, label: str) -> None:
    equation.places[label] = equation.count
    equation.count += equation.wide if label == ELLIPSIS else 1


class _Sizes:
    """The lengths of the labels met so far, and in how many operands each is not one."""

    def __init__(self, count: int) -> None:
        self.lengths = [1] * count
        self.users = [0] * count

    def meet(self, place: int, length: int, complaint: str) -> None:
        if length == 1:
            return
        known = self.lengths[place]
        if known not in (1, length):
            raise RuntimeError(complaint.format(known=known))
        self.lengths[place] = length
        self.users[place] += 1


def _aligned(operand: Any, number: int, equation: Equation, sizes: _Sizes) -> Any:
    """An operand with one dimension per place: diagonals taken, missing ones of length one."""
    group = equation.labels[number]
    where = [-1] * equation.count
    covered = operand.ndim - len(group) + 1
    dim = 0
    for label in group:
        place = equation.places[label]
        if label == ELLIPSIS:
            for offset in range(equation.wide - covered, equation.wide):
                length = operand.shape[dim]
                sizes.meet(
                    place + offset,
                    length,
                    f"einsum(): dimension {dim} covered by ellipsis in operand {number}has size "
                    f"{length} which does not broadcast with previously seen ellipsis with size "
                    "{known} for the respective dimension",
                )
                where[place + offset] = dim
                dim += 1
        elif where[place] == -1:
            length = operand.shape[dim]
            sizes.meet(
                place,
                length,
                f"einsum(): subscript {label} has size {length} for operand {number} which does "
                "not broadcast with previously seen size {known}",
            )
            where[place] = dim
            dim += 1
        else:
            operand = _diagonal_of(operand, where[place], dim, label, number)
    for place in range(equation.count):
        if where[place] == -1:
            operand = unsqueeze(operand, dim)
            where[place] = dim
            dim += 1
    return permute(operand, where)


def _diagonal_of(operand: Any, first: int, second: int, label: str, number: int) -> Any:
    lengths = operand.shape[second], operand.shape[first]
    if lengths[0] != lengths[1]:
        raise RuntimeError(
            f"einsum(): subscript {label} is repeated for operand {number} but the sizes don't "
            f"match, {lengths[0]} != {lengths[1]}"
        )
    return movedim(diagonal(operand, 0, first, second), -1, first)


def _evaluated(text: str, operands: Sequence[Any]) -> Any:
    equation = _parsed(text, operands)
    sizes = _Sizes(equation.count)
    pending = [
        _aligned(operand, number, equation, sizes) for number, operand in enumerate(operands)
    ]
    total = pending.pop(0)
    dims = range(equation.kept, equation.count)
    alone = not pending
    while pending:
        following = pending.pop(0)
        total = _step(total, following, dims, sizes.users)
    if not dims:
        return total
    return sum_dim(total, tuple(dims)) if alone else view(total, total.shape[: equation.kept])


def _step(a: Any, b: Any, dims: range, users: list[int]) -> Any:
    """a * b, summed over the dimensions that no later operand has."""
    summed: list[int] = []
    only_a: list[int] = []
    only_b: list[int] = []
    for dim in dims:
        in_a, in_b = a.shape[dim] != 1, b.shape[dim] != 1
        if in_a and in_b:
            users[dim] -= 1
            if users[dim] == 1:
                summed.append(dim)
                users[dim] = 0
        elif users[dim] == 1 and (in_a or in_b):
            (only_a if in_a else only_b).append(dim)
            users[dim] = 0
    if only_a:
        a = sum_dim(a, tuple(only_a), True)
    if only_b:
        b = sum_dim(b, tuple(only_b), True)
    return contracted(a, b, summed)


def _letter(item: Any) -> str:
    """The label that an element of a sublist stands for."""
    if item is Ellipsis:
        return "..."
    if isinstance(item, Tensor):
        bool(item)  # which refuses several elements
        item = item.item()
    if not isinstance(item, (int, float)):
        raise TypeError(f"'>=' not supported between instances of '{type_name(item)}' and 'int'")
    if not 0 <= item < len(_LETTERS):
        raise ValueError(
            "einsum(): subscript in subscript list is not within the valid range [0, 52)"
        )
    if isinstance(item, float):
        raise TypeError("'float' object cannot be interpreted as an integer")
    return _LETTERS[item]


def _from_sublists(args: Sequence[Any]) -> tuple[str, list[Any]]:
    """`einsum(a, [0, 1], b, [1, 2], [0, 2])` as an equation and operands."""

    def labels(items: Any) -> str:
        if not isinstance(items, (list, tuple, range, str, dict, set, Tensor)):
            raise TypeError(f"'{type_name(items)}' object is not iterable")
        return "".join(map(_letter, items))

    equation = ",".join(labels(items) for items in args[1::2])
    operands = list(args[::2])
    if len(args) % 2:
        equation += "->" + labels(operands.pop())
    return equation, operands


@free(
    "einsum(str equation, Tensor[*] operands)",
    samples=lambda r: [
        ("ij,jk->ik", [r(2, 3), r(3, 2)]),
        ("ii", [r(3, 3)]),
        ("b...i,ji->...bj", [r(2, 3, 4), r(5, 4)]),
        ("i,j,ij", [r(2), r(3), r(2, 3)]),
        ("ji", [r(2, 3)]),
        ("ij,ij->j", [r.complex(2, 3), r.complex(2, 3)]),
    ],
    doc="Products of tensors, summed over the labels that the result lacks.",
)
def einsum(*args: Any) -> Any:
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if isinstance(args[0], Tensor):
        equation, operands = _from_sublists(args)
    else:
        equation, operands = args[0], list(args[1:])
        while len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
            if not operands:
                return einsum(equation)
    if not isinstance(equation, str):
        raise TypeError(
            f"einsum(): argument 'equation' (position 1) must be str, not {type(equation).__name__}"
        )
    for position, operand in enumerate(operands):
        if not isinstance(operand, Tensor):
            raise TypeError(
                f"expected Tensor as element {position} in argument 1, but got "
                f"{type(operand).__name__}"
            )
    return _evaluated(equation, operands)


_BOTH: Final = Signature(
    "tensordot", "Tensor self, Tensor other, int[] dims_self, int[] dims_other"
)


def _pairs(dims: Any, a: Any, b: Any) -> tuple[list[int], list[int]]:
    """The dimensions to contract, from any of the forms that `tensordot` takes."""
    if isinstance(dims, Tensor):
        if dims.numel() == 1:
            dims = int(dims)
        elif dims.shape[0] != 2:
            raise AssertionError(
                f"dims tensor must have size 2 in first dimension, got {dims.shape[0]}"
            )
        else:
            dims = dims.tolist()
    if isinstance(dims, (list, tuple)) and len(dims) < 2:
        raise ValueError(f"not enough values to unpack (expected 2, got {len(dims)})")
    if isinstance(dims, (list, tuple)) and len(dims) == 2:
        of_a, of_b = _BOTH.fit(a, b, *dims)[2:]
        return list(of_a), list(of_b)
    if not isinstance(dims, int):
        raise RuntimeError(
            "tensordot expects dims to be int or tuple[list[int], list[int]] or list[list[int]] "
            f"containing two lists, but got dims={dims}"
        )
    if dims < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if dims > min(a.ndim, b.ndim):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    return list(range(-dims, 0)), list(range(dims))


@composite(
    "tensordot",
    samples=lambda r: [
        (r(2, 3), r(3, 2), 1),
        (r(2, 3, 4), r(3, 4, 2)),
        (r(2, 3), r(2, 3)),
        (r(1, 3), r(2, 4, 3), ([0, 1], [0, 2])),
    ],
)
def tensordot(a: Value, b: Value, dims: Any = 2) -> Any:
    """The product summed over pairs of dimensions."""
    of_a, of_b = _pairs(dims, a, b)
    if len(of_a) != len(of_b):
        raise RuntimeError("both dimension lists should have same length")
    if a.dtype is not b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    left, right = a, b
    for p, q in zip(of_a, of_b, strict=True):
        length, other = length_along(a.shape, p), length_along(b.shape, q)
        if other == 1:
            left = sum_dim(left, (p,), True)
        elif length == 1:
            right = sum_dim(right, (q,), True)
        elif length != other:
            raise RuntimeError(
                "contracted dimensions need to match, but first has size "
                f"{length} in dim {p} and second has size {other} in dim {q}"
            )
    of_a, of_b = list(wrap_dims(of_a, a.ndim)), list(wrap_dims(of_b, b.ndim))
    rest_a = [k for k in range(a.ndim) if k not in of_a]
    rest_b = [k for k in range(b.ndim) if k not in of_b]
    count = math.prod(left.shape[k] for k in of_a)
    rows = math.prod(left.shape[k] for k in rest_a)
    columns = math.prod(right.shape[k] for k in rest_b)
    shape = [*(left.shape[k] for k in rest_a), *(right.shape[k] for k in rest_b)]
    left, right = permute(left, [*rest_a, *of_a]), permute(right, [*of_b, *rest_b])
    if rows == columns == 1:
        return reshape(dot(flatten(left), flatten(right)), shape)
    return reshape(mm(reshape(left, (rows, count)), reshape(right, (count, columns))), shape)


@composite("inner", samples=lambda r: [(r(3), r(3)), (r(2, 3), r(4, 3)), (r(), r(2))])
def inner(self: Value, other: Value) -> Any:
    """Inner products over the last dimensions."""
    if self.ndim == 0 or other.ndim == 0:
        return self * other
    if self.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(self.shape)} and {list(other.shape)}"
        )
    return tensordot(self, other, ([-1], [-1]))

"""What rows do that have a shape of their own: sums, products of matrices, solutions, norms."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import Call, Rule, spelled
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.operands import NoFormula


def _reduced(call: Call) -> Expression:
    """The sum over dimensions; of what is the same along them, a multiple."""
    operand = call.operands[0]
    dims = call.operands[1] if len(call.operands) > 1 else None
    keepdim = bool(call.operands[2]) if len(call.operands) > 2 else False
    return total(operand.expression, operand.shape, dims, keepdim, call.shape)


def total(
    expression: Expression,
    shape: tuple[int, ...],
    dims: Any,
    keepdim: bool,
    result: tuple[int, ...],
) -> Expression:
    """The sum of an expression that is broadcast to a shape."""
    given = dims if type(dims) in (list, tuple) else None if dims is None else (dims,)
    places = sorted(d % len(shape) for d in given) if given and shape else list(range(len(shape)))
    lead = len(shape) - len(expression.shape)
    own = [0] * lead + [*expression.shape]
    count = 1
    kept = []
    for place in places:
        if place < lead or (own[place] == 1 and shape[place] != 1):
            count *= shape[place]
        else:
            kept.append(place - lead)
    if not kept and all(place < lead for place in places):
        return ex.scaled(expression, Fraction(count))
    kept = [place - lead for place in places if place >= lead]
    left, inner = without_numbers(expression)
    if inner.kind == ex.CALL and inner.name == "one_hot":
        return left
    everything = all(place in kept or size == 1 for place, size in enumerate(expression.shape))
    if inner.kind == ex.CALL and inner.name == "unsqueeze" and everything:
        part = total(inner.parts[0], inner.parts[0].shape, None, False, ())
        return ex.scaled(ex.times(left, part), Fraction(count))
    if inner.kind == ex.CALL and inner.name == "tensor" and everything:
        written = [Fraction(repr(element)) for element in ex.flat(inner.parts)]
        return ex.scaled(left, count * sum(written, Fraction(0)))
    numbers = [part for part in ex.terms_of(inner) if not part[0].shape]
    if numbers and inner.shape and everything:
        size = int(np.prod(inner.shape))
        rest = ex.minus(inner, ex.add(numbers))
        whole = ex.plus(
            ex.scaled(ex.add(numbers), Fraction(size)),
            total(rest, inner.shape, None, False, ()),
        )
        return ex.scaled(ex.times(left, whole), Fraction(count))
    if not inner.shape:
        inner, left = expression, ex.ONE
    own_shape = tuple(
        1 if place in kept else size
        for place, size in enumerate(inner.shape)
        if keepdim or place not in kept
    )
    if all(size == 1 for size in own_shape):
        # One number is broadcast wherever it is wanted.
        keepdim, own_shape = False, ()
        kept = list(range(len(inner.shape)))
    spelt: tuple[Any, ...] = ()
    if len(kept) != len(inner.shape) or keepdim:
        spelt = (kept if len(kept) > 1 else kept[0], *([True] if keepdim else []))
    found = ex.call("sum", inner, *spelt, shape=own_shape)
    return ex.scaled(ex.times(left, found), Fraction(count))


def _constant_factors(
    expression: Expression,
) -> tuple[Expression, list[tuple[Expression, Expression]]]:
    """What has no dimensions of a product, and the powers that have."""
    factor, pairs = ex.factors_of(expression)
    flat = [pair for pair in pairs if not pair[0].shape and not pair[1].shape]
    rest = [pair for pair in pairs if pair[0].shape or pair[1].shape]
    return ex.multiply(flat, factor), rest


def _mean(call: Call) -> Expression:
    size = call.operands[0].size
    part = Fraction(size, max(int(np.prod(call.shape)), 1))
    return ex.scaled(_reduced(call), 1 / part)


def _expanded(call: Call) -> Expression:
    """Nothing: what is broadcast says so only where it must."""
    return call.given(0)


def _transposed(call: Call) -> Expression:
    inner, shape = call.given(0), call.operands[0].shape
    if len(shape) < 2 or not inner.shape:
        return inner
    if inner.shape == shape[1:] and shape[0] == 1:
        return ex.call("unsqueeze", inner, 1, shape=call.shape)
    return transposed(call.whole(0))


def transposed(expression: Expression) -> Expression:
    """The transpose of a matrix."""
    name, parts = expression.name, expression.parts
    column = _column(expression)
    if column is not None:
        return column
    if expression.kind == ex.CALL and name == "t":
        found: Expression = parts[0]
        return found
    if expression.kind == ex.CALL and name == "eye":
        return expression
    if expression.kind == ex.CALL and name == "tensor":
        columns = [list(column) for column in zip(*parts[0], strict=True)]
        return ex.call(name, columns, shape=expression.shape[::-1])
    if expression.kind == ex.CALL and name in ("ones", "outer"):
        return ex.call(name, *parts[::-1], shape=expression.shape[::-1])
    if expression.kind == ex.CALL and name == "matmul":
        left, right = parts
        if len(left.shape) == len(right.shape) == 2:
            return matmul(transposed(right), transposed(left))
    factor, pairs = ex.factors_of(expression)
    is_product = len(pairs) > 1 or (expression.kind == ex.PRODUCT and pairs[0][1] is not ex.ONE)
    if is_product and all(len(base.shape) != 1 for base, _ in pairs):
        return ex.multiply([(transposed(b) if b.shape else b, e) for b, e in pairs], factor)
    return ex.call("t", expression, shape=expression.shape[::-1])


def _permuted(call: Call) -> Expression:
    """A transpose; other orders of dimensions have no short name."""
    is_transpose = call.row.names[0] == "transpose"
    if len(call.shape) == 1:
        return call.given(0)
    dims = [dim % 2 for dim in (call.operands[1:3] if is_transpose else call.operands[1])]
    if len(call.shape) == 2 and sorted(dims) == [0, 1]:
        return _transposed(call) if is_transpose or dims[0] else call.given(0)
    raise NoFormula(spelled(call.row))


def _matmul(call: Call) -> Expression:
    return _multiplied(call, 0)


def _multiplied(call: Call, first: int) -> Expression:
    """The matrix product of an operand and the next."""
    left, right = call.operands[first : first + 2]
    if left.ndim == 2 and left.shape[0] == 1 and left.expression.shape == left.shape[1:]:
        # A row that was a vector gives one again.
        return matmul(left.expression, call.whole(first + 1))
    column = _column(call.whole(first)) if left.ndim == 2 else None
    if column is not None and right.expression.shape == right.shape[1:]:
        return outer(column, right.expression)
    return matmul(call.whole(first), call.whole(first + 1))


def matmul(left: Expression, right: Expression) -> Expression:
    """The matrix product; numbers before it, and a vector after its matrix."""
    if len(left.shape) == 1 and len(right.shape) == 2:
        left, right = transposed(right), left
    factor, left = without_numbers(left)
    other, right = without_numbers(right)
    shape = (*left.shape[:-1], *(right.shape[-1:] if len(right.shape) > 1 else ()))
    names = [part.name if part.kind == ex.CALL else "" for part in (left, right)]
    if names[1] == "ones" and len(right.shape) == 1:
        inner, dim = (left.parts[0], 0) if names[0] == "t" else (left, len(left.shape) - 1)
        found = ex.call("sum", inner, *([dim] if len(inner.shape) > 1 else []), shape=shape)
    elif "eye" in names:
        found = left if names[1] == "eye" else right
    else:
        found = ex.call("matmul", left, right, shape=shape)
    return ex.times(factor, other, found)


def without_numbers(expression: Expression) -> tuple[Expression, Expression]:
    """What an expression is multiplied by that has no dimensions, and the rest."""
    if expression.kind == ex.SUM:
        common = ex.content(expression)
        return ex.number(common), ex.scaled(expression, 1 / common)
    factor, pairs = _constant_factors(expression)
    return factor, ex.multiply(pairs)


def outer(left: Expression, right: Expression) -> Expression:
    """All products of the elements of two vectors."""
    factor, left = without_numbers(left)
    other, right = without_numbers(right)
    found = ex.call("outer", left, right, shape=(*left.shape, *right.shape))
    return ex.times(factor, other, found)


def _product(call: Call) -> Expression:
    """An elementwise product; of a column and a vector the outer one."""
    left, right = call.given(0), call.given(1)
    for first, second in ((left, right), (right, left)):
        column = _column(first)
        if column is not None and len(second.shape) == 1:
            return outer(column, second)
    return ex.times(left, right)


def _column(expression: Expression) -> Expression | None:
    """The vector that a matrix of one column is made of."""
    factor, inner = _constant_factors(expression)
    if len(inner) != 1 or inner[0][1] is not ex.ONE:
        return None
    base = inner[0][0]
    if base.kind == ex.CALL and base.name == "unsqueeze" and base.parts[1] == 1:
        return ex.times(factor, base.parts[0])
    if base.kind == ex.CALL and base.name == "ones" and base.shape[1:] == (1,):
        return ex.times(factor, ex.call("ones", base.shape[0], shape=base.shape[:1]))
    return None


def _reshaped(call: Call) -> Expression:
    """Another shape of the same elements."""
    inner, shape = call.given(0), call.operands[0].shape
    if not inner.shape or call.shape == shape:
        return inner
    if call.shape == (*shape, 1):
        return ex.call("unsqueeze", call.whole(0), len(shape), shape=call.shape)
    if call.shape == (1, *shape):
        return inner
    dropped = _without_ones(inner, call.shape)
    if dropped is not None:
        return dropped
    if (*call.shape, 1) == shape:
        column = _column(call.whole(0))
        if column is not None:
            return column
    if (1, *call.shape) == shape and inner.shape == call.shape:
        return inner
    left, inner = without_numbers(call.whole(0))
    if inner.kind == ex.CALL and inner.name == "reshape":
        inner = inner.parts[0]
    if inner.shape != call.shape:
        inner = ex.call("reshape", inner, call.shape, shape=call.shape)
    return ex.times(left, inner)


def _without_ones(expression: Expression, shape: tuple[int, ...]) -> Expression | None:
    """A multiple of a sum that kept its dimensions, without these."""
    left, inner = without_numbers(expression)
    if inner.kind != ex.CALL or inner.name != "sum" or len(inner.parts) != 3:
        return None
    summed, dims, _ = inner.parts
    gone = [dims] if type(dims) is int else dims
    rest = tuple([size for place, size in enumerate(summed.shape) if place not in gone])
    if rest != shape:
        return None
    return ex.times(left, ex.call("sum", summed, dims, shape=shape))


def _sum_with_product(call: Call) -> Expression:
    """A sum with a matrix product: beta*self + alpha*left @ right."""
    beta, alpha = call.operands[3:5]
    return ex.plus(
        ex.times(call.numbers.expression(beta), call.given(0)),
        ex.times(call.numbers.expression(alpha), _multiplied(call, 1)),
    )


def _variance(call: Call) -> Expression:
    """The sum of squares of the differences from the mean, over their number."""
    operand, dims, correction, keepdim = call.operands[:4]
    if dims is not None and len(dims) not in (0, operand.ndim):
        raise NoFormula(f"{spelled(call.row)} along dimensions")
    size = operand.size
    free = size - (1 if correction is None else correction)
    if free <= 0 or keepdim or free != int(free):
        raise NoFormula(spelled(call.row))
    inner = call.whole(0)
    mean = ex.scaled(total(inner, operand.shape, None, False, ()), Fraction(1, size))
    squares = ex.power(ex.minus(inner, mean), ex.TWO)
    return ex.scaled(total(squares, operand.shape, None, False, ()), Fraction(1, int(free)))


def _deviation(call: Call) -> Expression:
    return ex.sqrt(_variance(call))


def _of_whole(name: str) -> Rule:
    return lambda call: ex.call(name, call.whole(0), shape=call.shape)


def _solved(call: Call) -> Expression:
    """The solution of linear equations; with a multiple of ones on the diagonal, the inverse."""
    matrix, right = call.whole(0), call.whole(1)
    factor, inner = without_numbers(right)
    if inner.kind == ex.CALL and inner.name == "eye" and call.operands[2] is True:
        flipped = matrix.kind == ex.CALL and matrix.name == "t"
        own = matrix.parts[0] if flipped else matrix
        inverse = ex.call("linalg.inv", own, shape=matrix.shape)
        return ex.times(factor, transposed(inverse) if flipped else inverse)
    column = _column(right)
    if column is not None:
        solution = ex.call("linalg.solve", matrix, column, shape=column.shape)
        return ex.call("unsqueeze", solution, 1, shape=call.shape)
    return ex.call("linalg.solve", matrix, right, shape=call.shape)


def _diagonal(call: Call) -> Expression:
    inner = call.given(0)
    if inner.shape or len(call.shape) != 2:
        raise NoFormula(spelled(call.row))
    return ex.times(inner, ex.call("eye", call.shape[0], shape=call.shape))


def _norm(call: Call) -> Expression:
    operand, order, dims, keepdim = call.operands[:4]
    if order == 1 and dims is None and not keepdim:
        return total(ex.call("abs", operand.expression), operand.shape, None, False, ())
    if order != 2 or dims is not None or keepdim:
        raise NoFormula(f"{spelled(call.row)} of order {order} or along dimensions")
    if not operand.expression.shape:
        factor = ex.number(operand.size)
        return ex.times(ex.sqrt(factor), ex.call("abs", operand.expression))
    return ex.call("norm", call.whole(0), shape=())


TENSORS: Final[dict[str, Rule]] = {
    "sum": _reduced,
    "mean": _mean,
    "Tensor.expand": _expanded,
    "mul": _product,
    "t": _transposed,
    "transpose": _permuted,
    "permute": _permuted,
    "mm": _matmul,
    "mv": _matmul,
    "dot": _matmul,
    "bmm": _matmul,
    "Tensor.view": _reshaped,
    "aten._reshape_alias": _reshaped,
    "aten._unsafe_view": _reshaped,
    "unsqueeze": _reshaped,
    "squeeze": _reshaped,
    "aten.squeeze_in_place": _reshaped,
    "addmm": _sum_with_product,
    "addmv": _sum_with_product,
    "aten.var": _variance,
    "aten.std": _deviation,
    "trace": _of_whole("trace"),
    "prod": _of_whole("prod"),
    "aten.linalg_inv_ex": _of_whole("linalg.inv"),
    "aten._linalg_det": _of_whole("linalg.det"),
    "aten.linalg_solve_ex": _solved,
    "diag_embed": _diagonal,
    "linalg.vector_norm": _norm,
}
"""By the first name of a row."""

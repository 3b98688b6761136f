"""Shorter forms of a formula.

Each part is compared with what it is when terms with a common factor are put together, products
multiplied out, fractions brought to one denominator, squares of sines exchanged for those of
cosines: the shortest is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.expressions import CALL, NUMBER, PRODUCT, SUM, Expression
from gradcli.readings.symbolic.functions import denied
from gradcli.readings.symbolic.tensors import matmul, without_numbers
from gradcli.readings.symbolic.writing import Writer

_ROUNDS: Final = 12
_DEPTH: Final = 2
_FACTORS: Final = 8
_GROUPS: Final = 5
_WORTH: Final = 1.15
"""How much shorter a formula must get to be put over one line."""

_LARGE: Final = 250
"""The cost of an expression from which on only common factors are looked for."""

_CANDIDATES: Final = 2000
"""How many forms are looked at, where nothing else is said."""

_TERMS: Final = 40
"""The most terms that products are multiplied out to."""


class Simplifier:
    """Finds shorter forms, measured by how a writer lays them out.

    `most` are looked at for each formula before those found are good enough.
    """

    def __init__(self, writer: Writer, most: int = _CANDIDATES) -> None:
        self.writer = writer
        self._known: dict[Expression, Expression] = {}
        self._most = self._left = most

    def simplified(self, root: Expression) -> Expression:
        """The shortest form found of an expression."""
        self._left = self._most
        found = self._bottom_up(root)
        if self.writer.cost(found) < _LARGE:
            # Fractions within fractions get shorter only when all are gone.
            single = self._bottom_up(_over_one_line(found))
            if _WORTH * self.writer.cost(single) < self.writer.cost(found):
                return single
        return found

    def _bottom_up(self, root: Expression) -> Expression:
        for part in ex.reachable(root):
            if part not in self._known:
                self._known[part] = self._improved(ex.rebuilt(part, self._known.__getitem__))
        return self._known[root]

    def vanishes(self, expression: Expression) -> bool:
        """Whether an expression is zero by its form."""
        found = self.simplified(expression)
        if found is ex.ZERO:
            return True
        whole = together(found)
        numerator, _ = _fraction(whole)
        return multiplied_out(numerator, 400) is ex.ZERO

    def _inner(self, expression: Expression, depth: int) -> Expression:
        """A new expression with its parts as short as they get."""
        if depth >= _DEPTH:
            return expression
        for part in expression.children():
            if part not in self._known:
                self._known[part] = self._improved(part, depth + 1)
        return ex.rebuilt(expression, self._known.__getitem__)

    def _improved(self, expression: Expression, depth: int = 0) -> Expression:
        best, cost = expression, self.writer.cost(expression)
        for _ in range(_ROUNDS):
            start = best
            for candidate in self._candidates(best):
                self._left -= 1
                if self._left < 0 or candidate is best:
                    continue
                found = self._inner(candidate, depth)
                its = self.writer.cost(found)
                if its < cost:
                    best, cost = found, its
            if best is start:
                break
        return best

    def _grouped(self, expression: Expression) -> Iterator[Expression]:
        """A sum in which terms with a factor stand together, for those factors that save most."""
        counts: dict[Expression, int] = {}
        for term, _ in expression.parts:
            for base in _powers(term):
                counts[base] = counts.get(base, 0) + 1
        several = [base for base, count in counts.items() if 1 < count < len(expression.parts)]
        several.sort(key=lambda base: (-(counts[base] - 1) * self.writer.cost(base), base.serial))
        for base in several[:_GROUPS]:
            yield from grouped(expression, base)

    def _candidates(self, expression: Expression) -> Iterator[Expression]:
        large = self.writer.cost(expression) > _LARGE
        if expression.kind == SUM and large:
            yield from common_factors(expression)
            yield from self._grouped(expression)
        elif large:
            return
        elif expression.kind == SUM:
            yield from identities(expression)
            if expression.shape:
                yield from common_matrices(expression)
            yield from common_factors(expression)
            yield together(expression)
            yield multiplied_out(expression, _TERMS)
            numerator, denominator = _fraction(together(expression))
            yield ex.divided(multiplied_out(numerator, _TERMS), denominator)
            yield from self._grouped(expression)
        elif expression.kind == PRODUCT:
            yield from distributed(expression)
            yield from double_angles(expression)
            yield from exchanged_roots(expression)
            yield from decided(expression)
            yield multiplied_out(expression, _TERMS)
        elif expression.kind == CALL:
            yield from decided(expression)


def common_factors(expression: Expression) -> Iterator[Expression]:
    """A sum as the product of what all terms have in common, and the rest."""
    powers: dict[Expression, Fraction] | None = None
    for term, _ in expression.parts:
        own = _powers(term)
        powers = own if powers is None else _common(powers, own)
    if powers:
        yield _divided_by(expression, powers)


def common_matrices(expression: Expression) -> Iterator[Expression]:
    """A sum in which products with the same matrix, or vector, are one: (A + A.T) @ x."""
    groups: dict[Any, list[tuple[Expression, Fraction, Expression]]] = {}
    for term, factor in expression.parts:
        scalar, inner = without_numbers(term)
        if inner.kind == CALL and inner.name == "matmul":
            outside, own = ex.factored(scalar)
            for side in (0, 1):
                other = inner.parts[1 - side]
                key = outside, side, inner.parts[side], other.shape
                groups.setdefault(key, []).append((other, own * factor, term))
    for (outside, side, shared, _), alike in groups.items():
        if len(alike) < 2:
            continue
        whole = ex.add([(other, factor) for other, factor, _ in alike])
        product = matmul(whole, shared) if side else matmul(shared, whole)
        taken = [term for *_, term in alike]
        rest = [part for part in expression.parts if part[0] not in taken]
        yield ex.add([*rest, (ex.times(outside, product), Fraction(1))])


def _common(
    a: dict[Expression, Fraction], b: dict[Expression, Fraction]
) -> dict[Expression, Fraction]:
    found = {}
    for base in a.keys() & b.keys():
        if a[base] * b[base] > 0:
            found[base] = min(a[base], b[base], key=abs)
    return found


def _powers(term: Expression) -> dict[Expression, Fraction]:
    """The powers of a term: those with numbers for exponents, and others as they stand."""
    found: dict[Expression, Fraction] = {}
    for base, exponent in ex.factors_of(term)[1]:
        if exponent.kind == NUMBER:
            found[base] = found.get(base, Fraction(0)) + exponent.value
            continue
        terms = dict(ex.terms_of(exponent))
        shift = terms.pop(ex.ONE, Fraction(0)) if base is not ex.E else Fraction(0)
        if shift:
            exponent = ex.add(terms.items())
            found[base] = found.get(base, Fraction(0)) + shift
        found[ex.power(base, exponent)] = Fraction(1)
    return found


def _divided_by(expression: Expression, powers: dict[Expression, Fraction]) -> Expression:
    """A sum with a product of powers taken out of its terms."""
    outside = [(base, ex.number(value)) for base, value in sorted_powers(powers)]
    inverse = [(base, ex.number(-value)) for base, value in sorted_powers(powers)]
    inside = ex.add(
        [(ex.multiply([(term, ex.ONE), *inverse]), factor) for term, factor in expression.parts]
    )
    return ex.multiply([*outside, (inside, ex.ONE)])


def sorted_powers(powers: dict[Expression, Fraction]) -> list[tuple[Expression, Fraction]]:
    """Powers in the order of their bases."""
    return sorted(powers.items(), key=lambda item: item[0].serial)


def together(expression: Expression) -> Expression:
    """A sum over one denominator."""
    if expression.kind != SUM:
        return expression
    lowest: dict[Expression, Fraction] = {}
    for term, _ in expression.parts:
        for base, value in _powers(term).items():
            if value < 0 and not base.is_constant:
                lowest[base] = min(value, lowest.get(base, Fraction(0)))
    return _divided_by(expression, lowest) if lowest else expression


def _over_one_line(root: Expression) -> Expression:
    """An expression with each sum over one denominator."""
    found: dict[Expression, Expression] = {}
    for part in ex.reachable(root):
        whole = together(ex.rebuilt(part, found.__getitem__))
        if whole.kind == PRODUCT:
            above, below = _fraction(whole)
            whole = ex.divided(multiplied_out(above, _TERMS), below)
        found[part] = whole
    return found[root]


def _fraction(expression: Expression) -> tuple[Expression, Expression]:
    """The numerator and the denominator of an expression."""
    factor, pairs = ex.factors_of(expression)
    above = [pair for pair in pairs if not ex.is_negative(pair[1]) or pair[0] is ex.E]
    below = [
        (base, ex.negated(exponent))
        for base, exponent in pairs
        if ex.is_negative(exponent) and base is not ex.E
    ]
    return ex.multiply(above, factor), ex.multiply(below)


def multiplied_out(expression: Expression, most: int) -> Expression:
    """A sum without sums among the factors of its terms, if that has not too many terms."""
    total: list[tuple[Expression, Fraction]] = []
    for term, factor in ex.terms_of(expression):
        own, pairs = ex.factors_of(term)
        sums = [
            (base, int(exponent.value))
            for base, exponent in pairs
            if base.kind == SUM
            and exponent.kind == NUMBER
            and exponent.value.denominator == 1
            and exponent.value > 0
        ]
        count = 1
        for base, times in sums:
            count *= len(base.parts) ** min(times, 8)
        if count == 1 or count > most:
            total.append((term, factor))
            if count > most:
                return expression
            continue
        rest = ex.multiply([pair for pair in pairs if pair[0] not in dict(sums)], own)
        products = [(rest, factor)]
        for base, times in sums:
            for _ in range(times):
                products = [
                    (ex.times(left, right), a * b)
                    for left, a in products
                    for right, b in base.parts
                ]
                if len(products) > most:
                    return expression
        total += products
    return ex.add(total)


def double_angles(expression: Expression) -> Iterator[Expression]:
    """A product with the sine of twice an angle for its sine and cosine."""
    factor, pairs = ex.factors_of(expression)
    powers = dict(pairs)
    for base, exponent in pairs:
        if base.kind == CALL and base.name in ("sin", "sinh"):
            other = ex.call("cos" + base.name[3:], *base.parts)
            if powers.get(other) is exponent:
                double = ex.call(base.name, ex.scaled(base.parts[0], Fraction(2)))
                both = ex.power(ex.scaled(double, Fraction(1, 2)), exponent)
                rest = [pair for pair in pairs if pair[0] not in (base, other)]
                yield ex.multiply([*rest, (both, ex.ONE)], factor)


def exchanged_roots(expression: Expression) -> Iterator[Expression]:
    """A product with another power of a quotient or a product in it: L/x**2/sqrt(L/x) is
    sqrt(L/x)/x.
    """
    factor, pairs = ex.factors_of(expression)
    for place, (base, exponent) in enumerate(pairs):
        if base.kind == PRODUCT and exponent.kind == NUMBER:
            rest = [*pairs[:place], *pairs[place + 1 :]]
            for shift in (1, -1):
                changed = (base, ex.number(exponent.value + shift))
                outside = ex.multiply([*rest, (base, ex.number(-shift))], factor)
                yield ex.multiply([(outside, ex.ONE), changed])


def distributed(expression: Expression) -> Iterator[Expression]:
    """A product with other factors inside one of its sums: all, or one that cancels there."""
    factor, pairs = ex.factors_of(expression)
    if len(pairs) > _FACTORS:
        return
    for place, (base, exponent) in enumerate(pairs):
        if base.kind != SUM or exponent is not ex.ONE:
            continue
        others = [*pairs[:place], *pairs[place + 1 :]]
        if len(base.parts) == 2 or len(others) == 1:
            rest = ex.multiply(others, factor)
            yield ex.add([(ex.times(term, rest), own) for term, own in base.parts])
        powers = [_powers(term) for term, _ in base.parts]
        for other, power in others:
            if power.kind != NUMBER or all(
                power.value * own.get(other, Fraction(0)) >= 0 for own in powers
            ):
                continue
            taken = ex.power(other, power)
            inner = ex.add([(ex.times(term, taken), own) for term, own in base.parts])
            yield ex.multiply([*[p for p in others if p[0] is not other], (inner, ex.ONE)], factor)


def grouped(expression: Expression, base: Expression) -> Iterator[Expression]:
    """A sum in which the terms with a factor stand together."""
    inside = [part for part in expression.parts if base in _powers(part[0])]
    outside = [part for part in expression.parts if base not in _powers(part[0])]
    for candidate in common_factors(ex.add(inside)):
        yield ex.add([*outside, (candidate, Fraction(1))])


def decided(expression: Expression) -> Iterator[Expression]:
    """An expression with what a condition in it decides: (x < 0)*where(x <= 0, y, z) is
    (x < 0)*y.
    """
    if expression.kind == CALL:
        if expression.name == "where":
            condition, yes, no = expression.parts
            yield ex.call("where", condition, _under(condition, yes), _under(denied(condition), no))
        return
    factor, pairs = ex.factors_of(expression)
    for place, (base, exponent) in enumerate(pairs):
        condition = ex.condition_of(base)
        if exponent is not ex.ONE or condition is None:
            continue
        others = [*pairs[:place], *pairs[place + 1 :]]
        yield ex.times(base, _under(condition, ex.multiply(others, factor)))
        if condition.name == "gt" and condition.parts[1] is ex.ZERO:
            rectified = ex.call("relu", condition.parts[0])
            if any(other is rectified and power.sign == 1 for other, power in others):
                yield ex.multiply(others, factor)


def _under(condition: Expression, expression: Expression) -> Expression:
    """What an expression is where a condition holds."""
    known = {}
    for part in ex.reachable(expression):
        if part.kind == CALL and part.name in ex.CONDITIONS:
            if _implies(condition, part):
                known[part] = ex.ONE
            elif _implies(condition, denied(part)):
                known[part] = ex.ZERO
    return ex.substituted(expression, known) if known else expression


_WEAKER: Final = {"gt": "ge", "lt": "le"}


def _implies(condition: Expression, other: Expression) -> bool:
    """Whether a comparison holds wherever another of the same sides does."""
    return condition.parts == other.parts and other.name in (
        condition.name,
        _WEAKER.get(condition.name),
    )


_SQUARES: Final = (
    ("sin", "cos", Fraction(-1)),
    ("cos", "sin", Fraction(-1)),
    ("cosh", "sinh", Fraction(1)),
    ("sinh", "cosh", Fraction(1)),
)
"""f**2 is 1 - g**2; cosh**2 is 1 + sinh**2, sinh**2 is cosh**2 - 1."""


def identities(expression: Expression) -> Iterator[Expression]:
    """A sum with squares of circular functions exchanged for each other, and expm1 + 1 as exp."""
    seen: dict[Expression, None] = {}
    for term, _ in expression.parts:
        calls = [base for base, _ in ex.factors_of(term)[1] if base.kind == CALL]
        seen.update(dict.fromkeys(calls))
    for base in seen:
        for name, other, sign in _SQUARES:
            if base.name != name:
                continue
            square = ex.power(ex.call(other, *base.parts), ex.TWO)
            constant = Fraction(-1) if name == "sinh" else Fraction(1)
            instead = ex.add([(ex.ONE, constant), (square, sign)])
            yield ex.add(
                [(_exchanged(term, base, instead), factor) for term, factor in expression.parts]
            )
        if base.name in ("sin", "cos"):
            double = ex.call("cos", ex.scaled(base.parts[0], Fraction(2)))
            sign = Fraction(1 if base.name == "cos" else -1, 2)
            instead = ex.add([(ex.ONE, Fraction(1, 2)), (double, sign)])
            yield ex.add(
                [(_exchanged(term, base, instead), factor) for term, factor in expression.parts]
            )
        if base.name == "expm1":
            instead = ex.minus(ex.exp(base.parts[0]), ex.ONE)
            yield multiplied_out(ex.substituted(expression, {base: instead}), _TERMS)


def _exchanged(term: Expression, base: Expression, square: Expression) -> Expression:
    """A term with another expression in the place of the square of a base."""
    factor, pairs = ex.factors_of(term)
    for place, (other, exponent) in enumerate(pairs):
        if other is base and exponent.kind == NUMBER and exponent.value >= 2:
            rest = [*pairs[:place], (base, ex.number(exponent.value - 2)), *pairs[place + 1 :]]
            return multiplied_out(ex.multiply([*rest, (square, ex.ONE)], factor), _TERMS)
    return term

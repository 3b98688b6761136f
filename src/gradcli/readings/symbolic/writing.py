"""How a formula is written: signs, quotients and the order of terms as a textbook prints them.

A `Layout` is what is on the paper, before anyone decides how a sign, a quotient or a call looks:
`text` here, LaTeX and Python elsewhere. Its cost counts names, numbers and operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.expressions import (
    CALL,
    CONSTANT,
    NUMBER,
    PRODUCT,
    SUM,
    SYMBOL,
    Expression,
)

INTEGER: Final = "integer"
DECIMAL: Final = "decimal"
NAME: Final = "name"
NEGATIVE: Final = "negative"
TERMS: Final = "terms"
FACTORS: Final = "factors"
QUOTIENT: Final = "quotient"
POWER: Final = "power"
FUNCTION: Final = "function"

_LONG: Final = 10**7
"""Numerators and denominators from here on are written as decimals."""


class Layout(NamedTuple):
    """What is written: an operator with its parts.

    Attributes:
        kind: INTEGER, DECIMAL, NAME with a text; NEGATIVE, FACTORS, QUOTIENT and POWER with
            layouts; TERMS with (sign, layout) pairs; FUNCTION with a name, layouts among whatever
            else its arguments are.
        cost: how many names, numbers and operators it takes.
        atoms: how many names and numbers among these.
        lead: the first name in it, by which factors are put in order: constants, and others by
            alphabet.
        source: the expression.
    """

    kind: str
    text: str
    parts: tuple[Any, ...]
    cost: int
    atoms: int
    lead: tuple[Any, ...]
    source: Expression | None = None


def _leaf(kind: str, text: str) -> Layout:
    return Layout(kind, text, (), 1, 1, _alphabetic(text) if kind == NAME else ())


def _alphabetic(name: str) -> tuple[Any, ...]:
    """The place of a name: as in k*T, where it is large does not matter."""
    return True, name.casefold(), name


def _composed(kind: str, parts: Sequence[Layout], operators: int, text: str = "") -> Layout:
    cost = sum(part.cost for part in parts) + operators
    lead = next((part.lead for part in parts if part.lead), ())
    return Layout(kind, text, tuple(parts), cost, sum(part.atoms for part in parts), lead)


class Writer:
    """Lays expressions out.

    Args:
        decimals: whether fractions are decimals where these are short, as in `0.5*x`.
        named: names that stand for common parts.
    """

    def __init__(self, decimals: bool = False, named: dict[Expression, str] | None = None) -> None:
        self.decimals = decimals
        self.named = {} if named is None else named
        self._known: dict[Expression, tuple[bool, Layout]] = {}

    def layout(self, expression: Expression) -> Layout:
        """How an expression is written."""
        return self._whole(*self.signed(expression), expression)

    def signed(self, expression: Expression) -> tuple[bool, Layout]:
        """Whether an expression begins with a minus, and the rest."""
        found = self._known.get(expression)
        if found is None:
            todo = [expression]
            while todo:
                part = todo[-1]
                waiting = [child for child in part.children() if child not in self._known]
                if waiting:
                    todo += waiting
                else:
                    todo.pop()
                    if part not in self._known:
                        self._known[part] = self._signed(part)
            found = self._known[expression]
        return found

    def cost(self, expression: Expression) -> int:
        """The names, numbers and operators of an expression."""
        return self.layout(expression).cost

    def _whole(self, negative: bool, body: Layout, source: Expression) -> Layout:
        if not negative:
            return body
        if source.kind == PRODUCT:
            absorbed = self._product(source, absorb=True)
            if absorbed is not None and absorbed.cost <= body.cost:
                return absorbed
        return _composed(NEGATIVE, [body], 1)

    def _signed(self, expression: Expression) -> tuple[bool, Layout]:
        name = self.named.get(expression)
        if name is not None:
            return False, _leaf(NAME, name)._replace(source=expression)
        name = self.named.get(ex.negated(expression)) if self.named else None
        if name is not None:
            return True, _leaf(NAME, name)._replace(source=expression)
        if expression.kind == NUMBER:
            return expression.value < 0, self.number(abs(expression.value))
        if expression.kind in (SYMBOL, CONSTANT):
            found = _leaf(NAME, expression.name)._replace(source=expression)
            constant = expression.kind == CONSTANT
            return False, found._replace(lead=(False, found.text)) if constant else found
        if expression.kind == CALL:
            return False, self._call(expression)._replace(source=expression)
        if expression.kind == SUM:
            return False, self._sum(expression)._replace(source=expression)
        body = self._product(expression, absorb=False)
        assert body is not None
        return expression.value < 0, body._replace(source=expression)

    def number(self, value: Fraction) -> Layout:
        """A number without sign."""
        above, below = value.numerator, value.denominator
        if below == 1 and above < 10**16:
            return _leaf(INTEGER, str(above))
        decimal = repr(above / below) if above.bit_length() - below.bit_length() < 1000 else ""
        if max(above, below) >= _LONG or (
            (self.decimals or below % 100 == 0) and decimal and Fraction(decimal) == value
        ):
            return _leaf(DECIMAL, decimal or str(above // below))
        parts = [_leaf(INTEGER, str(above)), _leaf(INTEGER, str(below))]
        return _composed(QUOTIENT, parts, 1)

    def _is_decimal(self, value: Fraction) -> bool:
        return value.denominator != 1 and self.number(abs(value)).kind == DECIMAL

    # Sums

    def _sum(self, expression: Expression) -> Layout:
        plain = self._terms(expression, Fraction(1))
        common = ex.content(expression)
        if common == 1:
            return plain
        inner = self._terms(expression, common)
        outer = self._scaled(abs(common), [inner], [])
        if common < 0:
            outer = _composed(NEGATIVE, [outer], 1)
        return outer if outer.cost < plain.cost else plain

    def _terms(self, expression: Expression, divisor: Fraction) -> Layout:
        """A sum, divided by what its terms have in common."""
        terms = []
        for term, factor in expression.parts:
            ratio = factor / divisor
            scaled = ex.scaled(term, ratio)
            if scaled not in self._known:
                self._known[scaled] = self._signed(scaled)
            negative, body = self._known[scaled]
            terms.append((negative, -degree(term), _rank(body), body))
        terms.sort(key=lambda entry: entry[:3])
        parts = tuple([(negative, body) for negative, *_, body in terms])
        signs = len(parts) - 1 + parts[0][0]
        cost = sum(body.cost for _, body in parts) + signs
        atoms = sum(body.atoms for _, body in parts)
        return Layout(TERMS, "", parts, cost, atoms, parts[0][1].lead)

    # Products

    def _product(self, expression: Expression, absorb: bool) -> Layout | None:
        """A product without its sign; with `absorb`, one whose minus turns a sum around."""
        above: list[Layout] = []
        below: list[Layout] = []
        absorbed = not absorb
        roots: dict[tuple[bool, Expression], list[Expression]] = {}
        conditions: list[Expression] = []
        for base, exponent in expression.parts:
            if not absorbed and base.kind == SUM and exponent.kind == NUMBER:
                value = exponent.value
                if value.denominator == 1 and value.numerator % 2:
                    base = ex.negated(base)
                    absorbed = True
            if exponent is ex.ONE and ex.is_indicator(base):
                conditions.append(base)
                continue
            negative = base is not ex.E and ex.is_negative(exponent)
            if negative:
                exponent = ex.negated(exponent)
            if exponent is ex.HALF and base.is_constant:
                roots.setdefault((negative, exponent), []).append(base)
                continue
            (below if negative else above).append(self._power(base, exponent))
        if not absorbed:
            return None
        for (negative, exponent), bases in roots.items():
            base = ex.multiply([(base, ex.ONE) for base in bases])
            (below if negative else above).append(self._power(base, exponent))
        value = abs(expression.value)
        # A truth value is a number beside others; alone it has neither a sign nor a type.
        if conditions and not above and value.numerator == 1 and not self._is_decimal(value):
            above.append(self.layout(conditions.pop(0)))
        return self._scaled(value, above, below, [self.layout(x.parts[0]) for x in conditions])

    def _scaled(
        self,
        value: Fraction,
        above: list[Layout],
        below: list[Layout],
        last: Sequence[Layout] = (),
    ) -> Layout:
        above.sort(key=_rank)
        below.sort(key=_rank)
        if self._is_decimal(value):
            above.insert(0, self.number(value))
        else:
            if value.numerator != 1 or not (above or last):
                above.insert(0, self.number(Fraction(value.numerator)))
            if value.denominator != 1:
                below.insert(0, self.number(Fraction(value.denominator)))
        over = _multiplied([*above, *last])
        if not below:
            return over
        return _composed(QUOTIENT, [over, _multiplied(below)], 1)

    def _power(self, base: Expression, exponent: Expression) -> Layout:
        if self.named and exponent is not ex.ONE:
            name = self.named.get(ex.power(base, exponent))
            if name is not None:
                return _leaf(NAME, name)._replace(source=ex.power(base, exponent))
        if base is ex.E:
            if exponent is ex.ONE:
                return _leaf(NAME, "e")
            negative, body = self.signed(exponent)
            return _function("exp", [_composed(NEGATIVE, [body], 1) if negative else body])
        inner = self.layout(base)
        if exponent is ex.ONE:
            return inner
        if exponent is ex.HALF:
            return _function("sqrt", [inner])
        if exponent.kind == NUMBER and exponent.value.denominator == 2 and exponent.value < 4:
            whole = self._power(base, ex.number(exponent.value.numerator))
            root = _function("sqrt", [inner])
            return (
                _composed(POWER, [root, _leaf(INTEGER, str(exponent.value.numerator))], 1)
                if (whole.cost > 3)
                else _composed(POWER, [inner, self.layout(exponent)], 1)
            )
        return _composed(POWER, [inner, self.layout(exponent)], 1)

    # Calls

    def _call(self, expression: Expression) -> Layout:
        if expression.shape and expression.name == "where":
            condition, *branches = expression.parts
            if all(part.kind == NUMBER and part.value in (0, 1) for part in branches):
                # Whole numbers would be no match for the tensors beside them.
                ends = [_leaf(DECIMAL, str(float(part.value))) for part in branches]
                return _function("where", [self.layout(condition), *ends])
        return _function(expression.name, self._arguments(expression.parts))

    def _arguments(self, parts: Sequence[Any]) -> list[Any]:
        return [
            self.layout(part)
            if type(part) is Expression
            else type(part)(self._arguments(part))
            if type(part) in (tuple, list)
            else part
            for part in parts
        ]


def _function(name: str, arguments: Sequence[Any]) -> Layout:
    cost = atoms = 1
    for part in ex.flat(arguments):
        cost += part.cost if type(part) is Layout else 1
        atoms += part.atoms if type(part) is Layout else 1
    return Layout(FUNCTION, name, tuple(arguments), cost, atoms, _alphabetic(name))


def _multiplied(factors: list[Layout]) -> Layout:
    if not factors:
        return _leaf(INTEGER, "1")
    if len(factors) == 1:
        return factors[0]
    return _composed(FACTORS, factors, len(factors) - 1)


_SEARCHED: Final = 60
"""Sums that cost more count as if they had functions."""


def _rank(layout: Layout) -> Any:
    """The place of a layout in a product: numbers, names and their powers, sums without functions,
    functions, exponentials, other sums.
    """
    base = layout
    while base.kind == POWER:
        base = base.parts[0]
    place = 2
    if base.kind == NAME:
        place = 1 if layout.kind != POWER or layout.parts[1].kind == INTEGER else 2
    elif base.kind in (INTEGER, DECIMAL):
        place = 0 if layout.kind != POWER else 2
    elif base.kind == FUNCTION:
        place = 5 if base.text == "exp" else 4
        if base.text == "sqrt" and base.parts[0].kind == INTEGER:
            place = 0
    elif base.kind == TERMS:
        place = 6 if _has_functions(base) else 3
    return place, layout.lead, layout.cost


def _has_functions(layout: Layout) -> bool:
    if layout.cost > _SEARCHED:
        return True
    todo = [layout]
    while todo:
        current = todo.pop()
        if current.kind == FUNCTION:
            return True
        parts = _bodies(current) if current.kind == TERMS else current.parts
        todo += parts
    return False


def degree(term: Expression) -> Fraction:
    """The degree of a term of a sum in all variables."""
    total = Fraction(0)
    for base, exponent in ex.factors_of(term)[1]:
        if base.kind == SYMBOL and exponent.kind == NUMBER:
            total += exponent.value
    return total


# Text

_COMPARISONS: Final = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "==", "ne": "!="}
LOOSE, COMPARED, ADDED, MULTIPLIED, SIGNED, RAISED, ATOM = range(7)
"""How tightly operators bind."""

Piece = tuple[str, int]


def text(layout: Layout) -> str:
    """A layout in the language."""
    found: Piece = folded(layout, text_piece)
    return found[0]


def folded(layout: Layout, piece: Callable[[Layout, Callable[[Any], Any]], Any]) -> Any:
    """What `piece` makes of a layout, given what it made of its parts; without recursion."""
    found: dict[int, Any] = {}
    todo: list[tuple[Layout, bool]] = [(layout, False)]
    while todo:
        current, ready = todo.pop()
        if id(current) in found:
            continue
        if ready:
            found[id(current)] = piece(current, lambda part: found[id(part)])
            continue
        todo.append((current, True))
        todo += [
            (part, False)
            for part in ex.flat(current.parts if current.kind != TERMS else _bodies(current))
            if type(part) is Layout
        ]
    return found[id(layout)]


def _bodies(layout: Layout) -> list[Layout]:
    return [body for _, body in layout.parts]


def bracketed(piece: Piece, least: int) -> str:
    """A piece of text, in brackets if it binds less tightly than it should."""
    return piece[0] if piece[1] >= least else f"({piece[0]})"


def text_piece(layout: Layout, of: Callable[[Any], Piece]) -> Piece:
    """The text of a layout, and how tightly it binds."""
    kind, parts = layout.kind, layout.parts
    if kind == NEGATIVE:
        return "-" + bracketed(of(parts[0]), MULTIPLIED), SIGNED if _is_tight(parts[0]) else ADDED
    if kind == TERMS:
        return signed_sum(parts, of), ADDED
    if kind == FACTORS:
        first = bracketed(of(parts[0]), MULTIPLIED)
        rest = [
            bracketed(of(part), SIGNED if part.kind == QUOTIENT or alone else MULTIPLIED)
            for part, alone in zip(parts[1:], stands_alone(parts)[1:], strict=True)
        ]
        return "*".join([first, *rest]), MULTIPLIED
    if kind == QUOTIENT:
        over, under = bracketed(of(parts[0]), MULTIPLIED), bracketed(of(parts[1]), SIGNED)
        return f"{over}/{under}", MULTIPLIED
    if kind == POWER:
        return f"{bracketed(of(parts[0]), ATOM)}**{bracketed(of(parts[1]), RAISED)}", RAISED
    if kind == FUNCTION:
        return _function_text(layout, of)
    return layout.text, ATOM


def stands_alone(factors: Sequence[Layout]) -> list[bool]:
    """Which factors are matrix products whose first matrix one before them would multiply."""
    found = []
    shaped = False
    for factor in factors:
        found.append(shaped and factor.kind == FUNCTION and factor.text == "matmul")
        shaped = shaped or rank(factor) > 0
    return found


def rank(layout: Layout) -> int:
    """How many dimensions a layout has: none if it is a number."""
    if layout.source is not None:
        return len(layout.source.shape)
    parts = _bodies(layout) if layout.kind == TERMS else layout.parts
    return max([rank(part) for part in ex.flat(parts) if type(part) is Layout], default=0)


def _is_tight(layout: Layout) -> bool:
    return layout.kind not in (TERMS, FACTORS, QUOTIENT)


def signed_sum(parts: Sequence[tuple[bool, Layout]], of: Callable[[Any], Piece]) -> str:
    """Terms with their signs between them."""
    pieces = []
    for place, (negative, body) in enumerate(parts):
        spelt = bracketed(of(body), MULTIPLIED)
        sign = ("-" if negative else "") if not place else (" - " if negative else " + ")
        pieces.append(sign + spelt)
    return "".join(pieces)


def _function_text(layout: Layout, of: Callable[[Any], Piece]) -> Piece:
    name, parts = layout.text, layout.parts
    sign = _COMPARISONS.get(name)
    if sign:
        left, right = (bracketed(argument_piece(part, of), ADDED) for part in parts)
        return f"{left} {sign} {right}", COMPARED
    if name == "matmul":
        first, second = (argument_piece(part, of) for part in parts)
        return f"{bracketed(first, MULTIPLIED)} @ {bracketed(second, SIGNED)}", MULTIPLIED
    if name == "t":
        return f"{bracketed(argument_piece(parts[0], of), ATOM)}.T", ATOM
    if name == "select":
        return f"{bracketed(argument_piece(parts[0], of), ATOM)}{_index(parts[1:])}", ATOM
    if name == "slice":
        inner = bracketed(argument_piece(parts[0], of), ATOM)
        return f"{inner}[{parts[1]}:{parts[2]}]", ATOM
    if name == "unsqueeze":
        inner = bracketed(argument_piece(parts[0], of), ATOM)
        return f"{inner}[{':, ' * parts[1]}None]", ATOM
    arguments = ", ".join([argument_piece(part, of)[0] for part in parts])
    return f"{name}({arguments})", ATOM


def _index(parts: Sequence[Any]) -> str:
    dim, index = parts
    return f"[{':, ' * dim}{index}]"


def argument_piece(part: Any, of: Callable[[Any], Piece]) -> Piece:
    """An argument of a function, which may be something else than a layout."""
    if type(part) is Layout:
        return of(part)
    if type(part) in (tuple, list):
        inner = ", ".join([argument_piece(item, of)[0] for item in part])
        return f"[{inner}]", ATOM
    if type(part) is str:
        return f"'{part}'", ATOM
    return repr(part), ATOM if not (type(part) in (int, float) and part < 0) else SIGNED

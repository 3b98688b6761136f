"""From a text to the formula of its derivative."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.evaluation import Variable, bindings_of, compile_expression
from gradcli.formulas.constants import learn_constants
from gradcli.formulas.evaluating import Evaluated, evaluated_somewhere
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.running.code import Code
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import Place
from gradcli.readings.symbolic import expressions as ex
from gradcli.readings.symbolic.calls import filled
from gradcli.readings.symbolic.derivatives import Sweeps
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.functions import denied
from gradcli.readings.symbolic.operands import NoFormula, Numbers, Operand, value_of
from gradcli.readings.symbolic.simplifying import Simplifier
from gradcli.readings.symbolic.writing import Writer, text
from gradcli.readings.trace import Recorder, Slot, Trace
from gradcli.tensor import dtypes
from gradcli.tensor.clock import limited
from gradcli.tensor.tensor import Tensor, raw, wrap

_SEED: Final = "grad"
"""The name of the gradient of a value that has elements, where they are mixed."""

_WORTH: Final = 10
"""How many times as long as another form one may be before it is simplified."""

_READ_BACK: Final = 5_000
"""Names, numbers and operators of a formula that is evaluated for a check."""


class Formula(NamedTuple):
    """A formula.

    Attributes:
        expression: in canonical form.
        conditions: under which it holds, as `x > 0`.
        value: at the point where it was derived.
        decimals: whether fractions are written as decimals.
    """

    expression: Expression
    conditions: tuple[str, ...]
    value: Any
    decimals: bool

    @property
    def text(self) -> str:
        """It in the language."""
        return text(Writer(self.decimals).layout(self.expression))


class _Seed(NamedTuple):
    """The gradient that a derivative starts from: of what, and that which values have."""

    of: str
    value: Tensor


def label(names: Sequence[str]) -> str:
    """What the derivative with respect to variables is called: `d/dx`, `d2/dx2`, `d3/dx2dy`."""
    counts = {name: names.count(name) for name in names}
    below = "".join([f"d{name}{times if times > 1 else ''}" for name, times in counts.items()])
    return f"d{len(names) if len(names) > 1 else ''}/{below}"


class Deriver:
    """A text at a point, and the formulas of its derivatives.

    Args:
        codes: of the text, and of what else was evaluated.
        most: rows that derivatives may take.

    Raises:
        NoFormula: there are none.
    """

    def __init__(self, codes: Iterable[Code], evaluated: Evaluated, most: float = math.inf) -> None:
        self.evaluated = evaluated
        self._most = most
        self._numbers = Numbers()
        decimals = [learn_constants(code, self._numbers) for code in codes]
        self.decimals = any(decimals)
        self._seeds: dict[str, _Seed] = {}
        self._derived: dict[tuple[str, ...], Formula] = {}
        trace = evaluated.trace
        self._check_length(len(trace.steps))
        with self._placed():
            self.sweeps = Sweeps(trace, _symbols(trace, evaluated.variables), self._numbers)
        self.simplifier = Simplifier(Writer(self.decimals))

    def names(self) -> list[str]:
        """The variables that have derivatives."""
        return [name for name, leaf in self.evaluated.variables.items() if leaf._requires_grad]

    def is_given(self) -> bool:
        """Whether the point was given."""
        return not self.evaluated.chosen and bool(self.evaluated.variables)

    def told_of_point(self) -> list[str]:
        """Where the text was looked at, if that was not given."""
        chosen = self.evaluated.chosen
        if not chosen:
            return []
        told = [f"{name} = {_short(leaf._array)}" for name, leaf in chosen.items()]
        return [f"derived at {', '.join(told)}"]

    def notes(self, formulas: Iterable[Formula]) -> list[str]:
        """What is to be known about formulas."""
        return [
            f"{name} stands for the gradient of {self._seeds[name].of}, of shape {[*value.shape]}"
            for name, value in self.seeds(formulas).items()
        ]

    def seeds(self, formulas: Iterable[Formula]) -> dict[str, Tensor]:
        """What formulas call the gradients that they start from, and those that values have."""
        expressions = [formula.expression for formula in formulas]
        return {
            name: seed.value
            for name, seed in self._seeds.items()
            if any(ex.symbol_in(expression, name) for expression in expressions)
        }

    def seed_name(self, before: Sequence[str]) -> str:
        """What the gradient of a derivative is called, or that of the value."""
        name = "_".join([_SEED, *before])
        while name in self.evaluated.variables:
            name += "_"
        return name

    def function(self) -> Formula:
        """The expression itself."""
        operand = self.sweeps.operands[self._end()]
        return self._formula(operand.value, [operand.expression])

    def derivative(self, name: str, order: int = 1) -> Formula:
        """The derivative with respect to a variable."""
        return self.mixed([name] * order)

    def mixed(self, names: Sequence[str]) -> Formula:
        """The derivative with respect to variables, one after the other.

        All steps at once give one form, and the last one from the formula before it another.
        """
        key = tuple(names)
        found = self._derived.get(key)
        if found is None:
            whole = self.sweeps.operands[self._mixed(names)]
            forms = [whole.expression]
            if len(key) > 1:
                forms += self._stepped(self.mixed(key[:-1]), key)
            found = self._derived[key] = self._formula(whole.value, forms)
        return found

    def is_proved(self, names: Sequence[str], value: Any, most: int) -> bool:
        """Whether the derivative with respect to variables has the form of a value.

        Args:
            value: a number, or a tensor that the evaluation met.
            most: forms that are looked at.
        """
        slot = self.evaluated.trace.slot(value) if isinstance(value, Tensor) else None
        slot = self._constant(value) if slot is None else slot
        left, right = (self.sweeps.operands[s].expression for s in (self._mixed(names), slot))
        if left is right:
            return True
        return Simplifier(Writer(), most).vanishes(ex.minus(left, right))

    def _mixed(self, names: Sequence[str]) -> Slot:
        end: Slot | None = self._end()
        for place, name in enumerate(names):
            start = self.evaluated.trace.slot(self.evaluated.variables[name])
            like = value_of(self.sweeps.operands[start]) if start is not None else 0.0
            if end is None or start is None:
                end = None
                continue
            with self._placed():
                end = self._slope(self.sweeps, end, start, names[:place])
            self._check_length(len(self.sweeps.steps))
            if end is None:
                end = self.sweeps.constant(np.zeros_like(like), ex.ZERO)
        if end is None:
            end = self.sweeps.constant(np.zeros(()), ex.ZERO)
        return end

    def _slope(self, sweeps: Sweeps, end: Slot, start: Slot, before: Sequence[str]) -> Slot | None:
        """The derivative of what was differentiated by variables before."""
        here = np.ones_like(value_of(sweeps.operands[end]))
        seed = ex.ONE
        if here.shape and not sweeps.is_elementwise(end, start):
            # Each element has its own gradient.
            name = self.seed_name(before)
            of = label(before) if before else "the value"
            self._seeds[name] = _Seed(of, wrap(here))
            seed = ex.symbol(name, here.shape)
        return sweeps.derivative(end, start, sweeps.constant(here, seed))

    def _stepped(self, before: Formula, names: Sequence[str]) -> list[Expression]:
        """The derivative of a formula, which is run as the text was, by the last of the names."""
        layout = self.simplifier.writer.layout(filled(before.expression, np.shape(before.value)))
        leaf = self.evaluated.variables[names[-1]]
        if layout.cost > _READ_BACK:
            return []
        variables = {**self.evaluated.variables, **self.seeds([before])}
        recorder = Recorder([*variables.values()])
        code = compile_text(text(layout), "the formula", mathematics=True)
        with recorder:
            value = _run(code, variables)
        trace = recorder.ended(value)
        start, end = trace.slot(leaf), trace.outputs
        if type(end) is not Slot or start is None:
            return []
        learn_constants(code, self._numbers)
        try:
            sweeps = Sweeps(trace, _symbols(trace, variables), self._numbers)
            slot = self._slope(sweeps, end, start, names[:-1])
        except NoFormula:
            return []
        return [ex.ZERO if slot is None else sweeps.operands[slot].expression]

    def _end(self) -> Slot:
        found = self.evaluated.trace.outputs
        return found if type(found) is Slot else self._constant(found)

    def _constant(self, value: Any) -> Slot:
        """A slot for a number, or a tensor that depends on nothing."""
        given = self.sweeps._given(value)
        if type(given) not in (Operand, int, float, bool):
            raise NoFormula(f"a value of type {type(value).__name__}")
        if type(given) is not Operand:
            given = Operand(np.float64(given), self._numbers.expression(given), self._numbers)
        return self.sweeps.constant(given.value, given.expression)

    def _check_length(self, rows: int) -> None:
        """Refuses what takes more rows than it may.

        Raises:
            NoFormula: it does.
        """
        if rows > self._most:
            raise NoFormula("so long a text", f"it takes more than {self._most} operators")

    def _formula(self, value: Any, forms: Sequence[Expression]) -> Formula:
        """The shortest of several forms of a value, of equal ones the first."""
        cost = self.simplifier.writer.cost
        found: dict[Expression, Expression] = {}
        for form in sorted(forms, key=cost):
            if all(cost(form) < _WORTH * cost(other) for other in found.values()):
                found[form] = self.simplifier.simplified(form)
        shortest = min([found[form] for form in forms if form in found], key=cost)
        formula = Formula(shortest, self.conditions(), value, self.decimals)
        self._check(formula)
        return formula

    def _check(self, formula: Formula) -> None:
        """Reads a formula back and evaluates it: one that is wrong is not shown.

        Raises:
            NoFormula: it is.
        """
        layout = self.simplifier.writer.layout(formula.expression)
        if layout.cost > _READ_BACK:
            return
        code = compile_text(text(layout), "the formula", mathematics=True)
        found = raw(_run(code, {**self.evaluated.variables, **self.seeds([formula])}))
        finite = np.isfinite(formula.value).all()
        if finite and not np.allclose(found, formula.value, rtol=1e-6, atol=1e-9):
            spelt = text(layout)[:80]
            raise NoFormula("this derivative", f"{spelt} is {found}, not {formula.value}")

    def conditions(self) -> tuple[str, ...]:
        """Under which the formulas hold: what the evaluation saw where it decided.

        Raises:
            NoFormula: it went on with a number that depends on a variable.
        """
        trace, looked = self.evaluated.trace, self.evaluated.looked
        found = []
        for (_, guard), place in zip(trace.guards, looked, strict=True):
            expression: Expression = self.sweeps.operands[guard.slot].expression
            if expression.is_constant:
                continue
            if type(guard.seen) is not bool or _is_repeated(place, looked):
                self._refuse_numbers(expression, place)
            if guard.seen is False:
                expression = denied(expression)
            elif guard.seen is not True:
                expression = ex.call("eq", expression, self._numbers.expression(guard.seen))
            writer = self.simplifier.writer
            found.append(text(writer.layout(self.simplifier.simplified(expression))))
        return tuple(dict.fromkeys(found))

    def _refuse_numbers(self, expression: Expression, place: Place | None) -> None:
        """Refuses a text that goes on with a number, unless that is made of constants."""
        moving = [name for name in self.names() if ex.symbol_in(expression, name)]
        if not moving:
            return
        what = f"a text that goes on with the value of {moving[0]}"
        reason = "it would hold nowhere else"
        if place is not None and _line_of(place).startswith(("for ", "while ")):
            what, reason = f"a loop whose count depends on {moving[0]}", ""
        error = NoFormula(what, reason)
        error.place = place  # type: ignore[attr-defined]
        raise error

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """Says where in the text that stands which has no formula."""
        try:
            yield
        except NoFormula as error:
            if 0 <= error.step < len(self.evaluated.places):
                error.place = self.evaluated.places[error.step]  # type: ignore[attr-defined]
            raise


def _symbols(trace: Trace, variables: Mapping[str, Tensor]) -> dict[Slot, Expression]:
    """What the variables of a trace are called, by slot."""
    return {
        slot: ex.symbol(name, leaf._array.shape)
        for name, leaf in variables.items()
        if (slot := trace.slot(leaf)) is not None
    }


def _run(code: Code, variables: Mapping[str, Tensor]) -> Any:
    """The value of a formula, in double precision."""
    machine = Machine(write=lambda _: None)
    machine.globals.update(variables)
    before = dtypes.default.dtype
    dtypes.set_default_dtype(dtypes.float64)
    try:
        return machine.run(code)
    finally:
        dtypes.set_default_dtype(before)


def _is_repeated(place: Place | None, places: Sequence[Place | None]) -> bool:
    """Whether a text looked at a value at the same place again, in a `while`."""
    if place is None or not _line_of(place).startswith("while "):
        return False
    spans = [(other.start, other.end) for other in places if other is not None]
    return spans.count((place.start, place.end)) > 1


def _line_of(place: Place) -> str:
    first = place.text.rfind("\n", 0, place.start) + 1
    return place.text[first:].lstrip(" \t;")


def _short(array: Any) -> str:
    return str(np.round(np.asarray(array), 4).tolist())


def formula(
    source: str,
    wrt: str,
    values: Mapping[str, Any] | None = None,
    order: int = 1,
    timeout: float | None = None,
) -> Formula:
    """The derivative of an expression with respect to a variable.

    Args:
        source: the text of an expression, after declarations if need be.
        values: of variables, as tensors, texts or numbers; of others a point is chosen.

    Raises:
        ParseError: the text is not in the language.
        NoFormula: there is no formula.
        Exception: whatever the text raises.
    """
    return _deriver(source, values, timeout, wrt).derivative(wrt, order)


def expression_of(
    source: str,
    values: Mapping[str, Any] | None = None,
    timeout: float | None = None,
) -> Formula:
    """An expression as a formula, simplified as derivatives are.

    Raises:
        Exception: as `formula`.
    """
    return _deriver(source, values, timeout, None).function()


def _deriver(
    source: str, values: Mapping[str, Any] | None, timeout: float | None, wrt: str | None
) -> Deriver:
    given = [Variable(name, _leaf(value)) for name, value in (values or {}).items()]
    bindings = bindings_of(compile_expression(source), given)
    with limited(timeout):
        evaluated = evaluated_somewhere(bindings, timeout, [wrt] if wrt else [])
        return Deriver(bindings.codes(), evaluated)


def _leaf(value: Any) -> Any:
    """A variable's value: a tensor, the text of one, or numbers."""
    if isinstance(value, (Tensor, str)):
        return value
    return wrap(np.array(value, np.float64), True)


def same(left: Formula, right: Formula) -> bool:
    """Whether two formulas are equal by their canonical form, expanded if need be."""
    if left.expression is right.expression:
        return True
    difference = ex.minus(left.expression, right.expression)
    simplifier = Simplifier(Writer())
    return simplifier.vanishes(difference)

"""What is asked of a table: texts that are read and names that are checked before any row is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.language.running.code import GLOBAL, Code
from gradcli.language.telling.diagnostics import locate
from gradcli.language.telling.suggest import did_you_mean
from gradcli.tables.errors import MisuseError
from gradcli.tables.evaluate import Evaluator, Task
from gradcli.tables.formula import Formula, Output, read_expression, read_formula
from gradcli.tables.uncertainty import is_possible
from gradcli.tensor.tensor import Tensor

LISTED: Final = 20
"""Columns that a hint lists."""


class Wanted(NamedTuple):
    """What is asked of a table.

    Attributes:
        text: of the formula.
        constants: values of names that are the same in each row.
        wrt: the columns that derivatives are taken to; empty: all that are used.
        order: of the derivatives that are appended; 0: none.
        sigmas: texts of standard uncertainties by name.
        correlations: of pairs of names.
        on_error: what becomes of a row that has no result: "" leaves it and counts it, "null" takes
            it for one with an empty cell, "skip" leaves it out, "stop" ends there.
    """

    text: str
    constants: Mapping[str, Any] = {}
    wrt: Sequence[str] = ()
    order: int = 1
    sigmas: Mapping[str, str] = {}
    correlations: Mapping[frozenset[str], float] = {}
    shares: bool = False
    second: bool = False
    where: Sequence[str] = ()
    claims: Sequence[str] = ()
    on_error: str = ""
    dtype: Any = np.float64
    timeout: float | None = None


class Question:
    """The texts of what is wanted, read for a table of columns of these names.

    Attributes:
        formula: what makes columns.
        sigmas: uncertainties by name.
        before, after: conditions for rows to stay that need no output, and that need one.
        claims: what must hold.
        by: the variables of the formula that derivatives are taken to.
        shown: those of which derivatives are appended, by output.
        variables: the columns and constants that differ from row to row, by name in the codes.
        used: the columns that have to be read.

    Raises:
        ParseError: a text is not in the language.
        MisuseError: names do not fit the table.
    """

    def __init__(self, wanted: Wanted, names: Sequence[str]) -> None:
        self.wanted = wanted
        self.names = names
        known = wanted.constants
        self.formula = read_formula(wanted.text, names, known)
        self.sigmas = {
            name: self._expression(text, f"--sigma {name}") for name, text in wanted.sigmas.items()
        }
        where = [self._expression(text, "--where") for text in wanted.where]
        self.claims = [self._expression(text, "--assert") for text in wanted.claims]
        self.made = {output.variable for output in self.formula.outputs if output.variable}
        self.before = [w for w in where if self.made.isdisjoint(w.reads)]
        self.after = [w for w in where if not self.made.isdisjoint(w.reads)]
        self.texts = [self.formula, *self.sigmas.values(), *where, *self.claims]
        self._check_outputs()
        self._check_constants()
        self._check_reads()
        self._check_options()
        self.moving = {*wanted.wrt, *wanted.sigmas} & {*known}
        self.by = self._variables()
        self.shown = {output.name: self._shown(output) for output in self.formula.outputs}
        self.variables = {
            name: text.meaning(name)
            for text in self.texts
            for name in text.reads
            if text.meaning(name) in {*names, *self.moving}
        }
        self.used = [name for name in dict.fromkeys(self.variables.values()) if name in names]

    def _expression(self, text: str, origin: str) -> Formula:
        return read_expression(text, self.names, self.formula, self.wanted.constants, origin)

    def evaluator(self) -> Evaluator:
        """What evaluates the formula, and then uncertainties, later conditions and claims."""
        extra = [*self.sigmas.values(), *self.after, *self.claims]
        uncertain = bool(self.sigmas)
        order = max(self.wanted.order, uncertain, 2 * (self.wanted.second and uncertain))
        return Evaluator(self._task(self.formula, [text.code for text in extra], order))

    def filters(self) -> list[tuple[Formula, Evaluator]]:
        """The conditions that need no output, and what evaluates each."""
        return [(where, Evaluator(self._task(where, [], 0))) for where in self.before]

    def _task(self, formula: Formula, extra: Sequence[Code], order: int) -> Task:
        wanted = self.wanted
        constants = {
            name: value.detach() if isinstance(value, Tensor) else value
            for name, value in wanted.constants.items()
        }
        return Task(formula, extra, constants, self.by, order, wanted.dtype, wanted.timeout)

    def _check_outputs(self) -> None:
        """Refuses outputs that are called as a column is, or as a constant."""
        for output in self.formula.outputs:
            for names, what in ((self.names, "a column"), (self.wanted.constants, "a constant")):
                if output.name in names:
                    another = f"{output.name}_2" if output.variable else "name"
                    hint = f'give the output another name, as in "{another} = ..."'
                    raise MisuseError(f"{output.name} is the name of {what} already", hint)

    def _check_constants(self) -> None:
        """Refuses constants that are columns, or that nothing reads."""
        read = {text.meaning(name) for text in self.texts for name in text.reads}
        for name, value in self.wanted.constants.items():
            if name in self.names:
                raise MisuseError(
                    f"{name} is given, and a column of the table", "give the constant another name"
                )
            if name not in read:
                hint = near(name, read) or f"it uses {', '.join(sorted(read)) or 'nothing'}"
                raise MisuseError(f"{name} is given, and the formula does not use it", hint)
            moves = name in self.wanted.wrt or name in self.wanted.sigmas
            if moves and not (isinstance(value, Tensor) and value.numel() == 1):
                raise MisuseError(f"{name} is no single number, so there is no column of slopes")

    def _check_reads(self) -> None:
        """Refuses names that mean nothing, or two columns."""
        for text in self.texts:
            for name in text.reads:
                meant = text.meaning(name)
                if meant in self.names:
                    places = [str(k) for k, other in enumerate(self.names, 1) if other == meant]
                    if len(places) > 1:
                        what = f"{meant} is the name of columns {' and '.join(places)}"
                        raise MisuseError(what, "rename one of them")
                elif meant not in self.wanted.constants and (
                    name not in self.made or text is self.formula
                ):
                    self._check_called(text, name, meant)

    def _check_called(self, text: Formula, name: str, meant: str) -> None:
        """Refuses a name that is not called as a function is: what that means the language says."""
        start, end = _place(text.code, name)
        original = text.spelling.original
        if name in text.spelling.names or not original[end:].lstrip(" \t").startswith("("):
            what = f"there is no column {text.spelling.quoted(meant)}"
            origin, hint = text.code.origin, self.hint(meant)
            told = locate(what, "", original, origin, start, end, hint=hint)
            raise MisuseError(diagnostic=told)

    def _check_options(self) -> None:
        wanted = self.wanted
        used = {self.formula.meaning(name) for name in self.formula.reads}
        for option, names in (("--wrt", wanted.wrt), ("--sigma", wanted.sigmas)):
            for name in names:
                if name not in used:
                    what = (
                        "the formula does not use" if name in self.names else "there is no column"
                    )
                    hint = near(name, used) or f"it uses {', '.join(sorted(used))}"
                    raise MisuseError(f"{option}: {what} {name}", hint)
        for pair in wanted.correlations:
            for name in sorted(pair - wanted.sigmas.keys()):
                raise MisuseError(f"--corr: {name} has no uncertainty", f"add --sigma {name}=VALUE")
        if wanted.correlations and not is_possible([*wanted.sigmas], wanted.correlations):
            raise MisuseError("--corr: no inputs have all these correlations at once")

    def hint(self, name: str) -> str:
        """What a name without a meaning may have meant."""
        meant = near(name, self.names)
        if meant:
            return meant
        more = ", …" if len(self.names) > LISTED else ""
        listed = ", ".join(self.names[:LISTED]) + more
        constant = f"; a constant is given as --{name} VALUE" if name.isidentifier() else ""
        return f"the table has {listed or 'no columns'}{constant}"

    def _variables(self) -> list[str]:
        wanted, formula = self.wanted, self.formula
        if not wanted.order and not wanted.sigmas:
            return []
        chosen = {*(wanted.wrt or self.names), *wanted.sigmas}
        return [name for name in formula.reads if formula.meaning(name) in chosen]

    def _shown(self, output: Output) -> list[str]:
        if not self.wanted.order:
            return []
        chosen = {*(self.wanted.wrt or [*self.names, *self.moving])}
        used = [name for name in self.by if name in output.uses]
        return [name for name in used if self.formula.meaning(name) in chosen]

    def uncertain(self, output: Output) -> list[str]:
        """The variables of an output that have an uncertainty."""
        used = [name for name in self.by if name in output.uses]
        return [name for name in used if self.formula.meaning(name) in self.sigmas]

    def notes(self, path: str) -> Iterator[str]:
        """What is to be known of the formula before it runs."""
        formula = self.formula
        for call in formula.reduced[:1]:
            what = f"{call} is of the row's own number"
            if formula.spelling.names or len(formula.outputs) > 1:
                yield what
                return
            named = formula.outputs[0].variable
            text = formula.spelling.original + (f"; {named}" if named else "")
            reads = [name for name in formula.reads if name in self.used]
            flags = " ".join(f"--{name} @{path}:{name}" for name in reads)
            yield f'{what}; for whole columns: gradcli eval "{text}" {flags} -g ones'


def near(name: str, names: Iterable[str]) -> str:
    """A hint at what a name may have meant: one that differs in capitals, or a near one."""
    candidates = [*names]
    same = [other for other in candidates if other.casefold() == name.casefold()]
    return did_you_mean(name, candidates) or (f"did you mean '{same[0]}'?" if same else "")


def _place(code: Code, name: str) -> tuple[int, int]:
    """Where a text first reads a name."""
    waiting = [code]
    while waiting:
        inner = waiting.pop(0)
        for index, (operation, argument) in enumerate(inner.instructions):
            if operation == GLOBAL and argument == name:
                return inner.span(index)
        waiting += inner.inner
    return 0, 0

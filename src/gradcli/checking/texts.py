"""Claims and assertions as texts: what they are about, and their code."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from gradcli.checking.subject import Run
from gradcli.evaluation import Bindings, Steps, Variable, compile_value, mixed_named
from gradcli.language.running.code import Code
from gradcli.language.telling.diagnostics import Diagnostic, ParseError, Place, locate
from gradcli.language.telling.suggest import did_you_mean

FILLED: Final = ("ones", "zeros")
"""Functions whose names, as operands in a claim, are tensors of the derivative's shape."""

_DERIVATIVE: Final = r"\bd([1-9]\d{0,8})?/d(\w+)"
_EXAMPLE: Final = "write NAME: FORMULA, as x: 2*x*y or d2/dx2: 2*y"


class UnknownName(NameError):
    """A claim or an assertion names what the expression does not have; its place says where."""

    def __init__(self, message: str, place: Place, hint: str) -> None:
        super().__init__(message)
        self.place = place
        self.hint = hint


UnknownName.__name__ = NameError.__name__  # as it is shown


class Written(NamedTuple):
    """A text as somebody wrote it.

    Attributes:
        line: its number in a file; 0 elsewhere.
        origin: what messages call the place that it comes from.
    """

    text: str
    origin: str = "claim"
    line: int = 0

    def place(self, start: int, end: int) -> Place:
        """What is between two offsets; lines before this one are blank."""
        before = "\n" * (self.line - 1)
        return Place(before + self.text, self.origin, len(before) + start, len(before) + end, "")

    def code(self, start: int, text: str, word: str) -> Code:
        """The code of a part of the text that is one expression, and begins at an offset.

        Raises:
            ParseError: it is none.
        """
        try:
            return compile_value(text, self.origin, word, "", mathematics=True)
        except ParseError as error:
            self._move(error.diagnostic, start)
            raise

    def _move(self, diagnostic: Diagnostic, start: int) -> None:
        """Places what is wrong with a part of the text in the text."""
        if diagnostic.line == 1:
            diagnostic.column += start
            diagnostic.end_column += start
            diagnostic.source = self.text.partition("\n")[0]
        if diagnostic.line and self.line:
            diagnostic.line += self.line - 1

    def locate(self, error: Exception, start: int) -> None:
        """Places an error of the evaluation of a part of the text in the text."""
        place = getattr(error, "place", None)
        if place is None:
            error.place = self.place(start, len(self.text))  # type: ignore[attr-defined]
        elif isinstance(place, Place) and place.origin == self.origin:
            found = self.place(start + place.start, start + place.end)
            found.label, found.suggest = place.label, place.suggest
            error.place = found  # type: ignore[attr-defined]


class Claim(NamedTuple):
    """A formula that somebody believes to be a derivative.

    Attributes:
        target: what it is said to be, as it is written: `x`, `x.grad`, `d2/dx2`, `d3/dx2dy`.
        offset: where the formula begins.
    """

    written: Written
    target: str
    offset: int
    code: Code

    @property
    def text(self) -> str:
        """The claim as it is written."""
        return self.written.text.strip()

    @property
    def label(self) -> str:
        """What is claimed, as `eval` calls it: `x.grad` for `x`."""
        return f"{self.target}.grad" if self.target.isidentifier() else self.target

    def steps(self, names: Collection[str]) -> Steps:
        """What it is the derivative with respect to.

        Raises:
            UnknownName: not to a variable of these names.
        """
        found = steps_named(self.target, names)
        if found:
            return found
        start = self.written.text.index(self.target)
        end = start + len(self.target)
        name = self.target.removesuffix(".grad")
        if name.isidentifier():
            message = f"{name} is no variable of the expression"
            hint = did_you_mean(name, names) or f"its variables: {', '.join(names)}"
        else:
            message = f"{self.target} is no derivative with respect to its variables"
            hint = "write x, x.grad, d2/dx2, or d3/dx2dy: the orders add up"
        raise UnknownName(message, self.written.place(start, end), hint)


def parse_claim(written: Written) -> Claim:
    """The claim of a text.

    Raises:
        ParseError: it is none.
    """
    target, colon, formula = written.text.partition(":")
    if not colon or not target.strip():
        place = written.place(
            len(written.text) - len(written.text.lstrip()), len(written.text.rstrip())
        )
        where = (place.text, place.origin, place.start, place.end)
        raise ParseError(locate("SyntaxError", "a claim says of what it is", *where, hint=_EXAMPLE))
    blanks = len(formula) - len(formula.lstrip())
    offset = len(target) + 1 + blanks
    code = written.code(offset, formula.strip(), "claim")
    return Claim(written, target.strip(), offset, code)


class Assertion(NamedTuple):
    """What is to be true at every point.

    Attributes:
        derivatives: what the names in the code stand for that are no variables' names, by how they
            are spelled in it and in the text.
    """

    written: Written
    code: Code
    derivatives: dict[str, tuple[str, Steps]]

    @property
    def text(self) -> str:
        """The assertion as it is written."""
        return self.written.text.strip()


def parse_assertion(written: Written, names: Collection[str]) -> Assertion:
    """The assertion of a text, about an expression with variables of these names.

    Derivatives are spelled as `eval --get` spells them, where d2 is no variable.

    Raises:
        ParseError: it is none.
    """
    derivatives: dict[str, tuple[str, Steps]] = {}

    def named(found: re.Match[str]) -> str:
        steps = steps_named(found[0], names)
        if not steps or found[0].partition("/")[0] in names:
            return found[0]
        name = found[0].replace("/", "_")
        derivatives[name] = found[0], steps
        return name

    code = written.code(0, re.sub(_DERIVATIVE, named, written.text), "assertion")
    return Assertion(written, code, derivatives)


def steps_named(what: str, names: Collection[str]) -> Steps:
    """What `x`, `x.grad`, `d/dx`, `d2/dx2` or `d3/dx2dy` differentiates by; nothing where it is
    none of these.
    """
    name = what.removesuffix(".grad").removeprefix("d/d")
    if name in names:
        return ((name, 1),)
    return mixed_named(what, names)


def check_names(code: Code, written: Written, offset: int, run: Run, own: Sequence[str]) -> None:
    """Refuses names that neither the expression has nor the language.

    Raises:
        UnknownName: there is one.
    """
    known = {**run.names(), **dict.fromkeys(own)}
    bindings = Bindings(code, tuple(Variable(name, None) for name in known))
    for name in bindings.free_names():
        if name in FILLED and name in code.operands:
            continue
        start, end = bindings.place(name) or (0, 0)
        own_names = [*run.leaves, *(n for n in run.machine.declared if n not in run.leaves)]
        hint = did_you_mean(name, [*own_names, *own]) or _suggestion(run, name)
        hint = hint or f"its variables: {', '.join(own_names)}"
        message = f"{name} is no variable of the expression"
        raise UnknownName(message, written.place(start + offset, end + offset), hint)


def _suggestion(run: Run, name: str) -> str:
    error: Any = NameError(name, name=name)
    error.variables = ()
    return run.machine.namespace.suggestion(error)

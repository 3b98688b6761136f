"""Derivatives as formulas: as text in the language, in LaTeX, as JSON, as programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from gradcli.evaluation import Bindings
from gradcli.formulas.deriving import Deriver, Formula, label
from gradcli.formulas.golden import Asked, golden_points
from gradcli.readings.symbolic.calls import filled
from gradcli.readings.symbolic.expressions import Expression
from gradcli.readings.symbolic.sharing import shared
from gradcli.readings.symbolic.writing import Layout, Writer, text
from gradcli.tensor.tensor import wrap
from gradcli.views.cprograms import c_program
from gradcli.views.jsonout import dumps
from gradcli.views.latex import latex
from gradcli.views.modules import Program, module
from gradcli.views.tensors import plain

_POINTS: Final = 3
"""How many points a program checks itself at."""


class Shown(NamedTuple):
    """Formulas, and how they are shown.

    Attributes:
        partials: of each formula, the variables that were differentiated by in turn.
        gradient: whether they are one list.
        lets: whether common parts get names.
        most: names and numbers that there may be.
    """

    deriver: Deriver
    bindings: Bindings
    partials: Sequence[Sequence[str]]
    formulas: Sequence[Formula]
    gradient: bool
    lets: bool
    most: int

    def laid_out(self) -> tuple[list[tuple[str, Layout]], list[Layout]]:
        """Names of common parts with what they stand for, and the formulas.

        Raises:
            RuntimeError: they have more names and numbers than there may be.
        """
        expressions = [_whole(formula) for formula in self.formulas]
        writer = Writer(self.deriver.decimals)
        if self.lets:
            lets, layouts = shared(expressions, writer, self.names())
        else:
            lets, layouts = [], [writer.layout(expression) for expression in expressions]
        atoms = sum(layout.atoms for layout in (*layouts, *[layout for _, layout in lets]))
        if atoms > self.most:
            raise RuntimeError(
                f"the formula has {atoms:,} names and numbers, more than the {self.most:,} of "
                "--max-terms"
            )
        return lets, layouts

    def names(self) -> list[str]:
        """What the formulas are made of: variables, and gradients that derivatives start from."""
        return [*self.deriver.evaluated.variables, *self.deriver.seeds(self.formulas)]

    def labels(self) -> list[str]:
        """What the derivatives are called."""
        return [label(names) for names in self.partials]


def _whole(formula: Formula) -> Expression:
    """A formula in the shape of its value."""
    return filled(formula.expression, np.shape(formula.value))


def text_of(shown: Shown, in_latex: bool) -> str:
    """The formulas as lines, with their conditions, and their values where a point was given."""
    write = latex if in_latex else text
    lets, layouts = shown.laid_out()
    labels = shown.labels()
    mark = "%" if in_latex else "#"
    # Comments first, so that the last line is the last formula.
    lines = [f"{mark} for {condition}" for condition in shown.formulas[0].conditions]
    if shown.deriver.is_given():
        lines += [
            f"{mark} {name} is {dumps(plain(wrap(np.asarray(formula.value))))}"
            for name, formula in zip(labels, shown.formulas, strict=True)
        ]
    lines += [f"let {name} = {write(layout)}" for name, layout in lets]
    written = [write(layout) for layout in layouts]
    if shown.gradient:
        lines.append(f"[{', '.join(written)}]")
    elif len(written) == 1:
        lines += written
    else:
        lines += [f"{name} = {formula}" for name, formula in zip(labels, written, strict=True)]
    return "".join(f"{line}\n" for line in lines)


def json_of(shown: Shown, in_latex: bool) -> str:
    """The formulas as one line of JSON."""
    write = latex if in_latex else text
    lets, layouts = shown.laid_out()
    derivatives: list[dict[str, Any]] = []
    for name, formula, layout in zip(shown.labels(), shown.formulas, layouts, strict=True):
        fields: dict[str, Any] = {"name": name, "formula": write(layout)}
        if shown.deriver.is_given():
            fields["value"] = np.asarray(formula.value)
        derivatives.append(fields)
    conditions = [*shown.formulas[0].conditions] if shown.formulas else []
    told = {
        "ok": True,
        "lets": {name: write(layout) for name, layout in lets},
        "derivatives": derivatives,
        "conditions": conditions,
    }
    return dumps(told) + "\n"


def program_of(shown: Shown, language: str) -> str:
    """The formulas as a program that checks itself."""
    lets, layouts = shown.laid_out()
    source = " ".join(shown.bindings.code.text.split())
    asked = Asked(shown.bindings, shown.deriver, shown.partials, shown.formulas)
    program = Program(
        f"Derivatives of {source}",
        shown.names(),
        lets,
        [*zip(shown.labels(), layouts, strict=True)],
        shown.formulas[0].conditions,
        golden_points(asked, _POINTS),
    )
    return c_program(program) if language == "c" else module(language, program)

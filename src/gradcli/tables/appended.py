"""The columns that are appended: what they are called, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.tables.cells import Made, text_of
from gradcli.tables.formula import Output
from gradcli.tables.part import Part
from gradcli.tables.question import Question
from gradcli.tables.uncertainty import (
    Inputs,
    contributions,
    correction_of,
    is_nonlinear,
    share_of,
    sigma_of,
)
from gradcli.typing import Array


def kinds_of(question: Question, part: Part | None) -> dict[str, bool]:
    """Which outputs have derivatives: all but truth values and tensors of integers."""
    kinds = {}
    for k, output in enumerate(question.formula.outputs):
        values = None if part is None else part.results.values[k]
        kinds[output.name] = values is None or values.dtype.kind == "f" or not output.uses
    return kinds


def titles_of(question: Question, kinds: Mapping[str, bool]) -> Iterator[str]:
    """The names of all columns, in order."""
    wanted = question.wanted
    for output in question.formula.outputs:
        yield output.name
        if kinds[output.name]:
            yield from (name for name, _ in derivatives_of(question, output))
        if question.sigmas:
            yield f"{output.name}_sigma"
            if wanted.shares:
                for name in question.uncertain(output):
                    yield f"{output.name}_share_{question.formula.meaning(name)}"
            if wanted.second:
                yield f"{output.name}_correction"
                yield f"{output.name}_nonlinear"


def derivatives_of(question: Question, output: Output) -> Iterator[tuple[str, Any]]:
    """The names of an output's derivatives, each with its variable or pair of variables."""
    what, variables = output.suffix, question.shown[output.name]
    meant = {name: question.formula.meaning(name) for name in variables}
    for name in variables:
        yield f"d{what}_d{meant[name]}", name
    if question.wanted.order > 1:
        for i, name in enumerate(variables):
            yield f"d2{what}_d{meant[name]}2", (name, name)
            for other in variables[i + 1 :]:
                yield f"d2{what}_d{meant[name]}d{meant[other]}", (name, other)


def columns_of(part: Part, kinds: Mapping[str, bool]) -> list[Made]:
    """The columns of evaluated rows, in the order of their titles."""
    question = part.question
    sigmas = {}
    for place, name in enumerate(question.sigmas):
        found = sigmas[name] = part.extra(place).astype(np.float64)
        for value in np.unique(found[found < 0]).tolist():
            part.refuse(found == value, f"the uncertainty of {name} is {text_of(value)}")
    titles = titles_of(question, kinds)
    made = []
    for k, output in enumerate(question.formula.outputs):
        empty = _joined(part.gone, part.missing(output.uses, question.formula))
        columns = [part.spread(part.results.values[k])]
        if kinds[output.name]:
            columns += _slopes(part, k, output)
        made += [Made(next(titles), values, empty) for values in columns]
        if question.sigmas:
            names = question.uncertain(output)
            for name in names:
                text = question.sigmas[question.formula.meaning(name)]
                empty = _joined(empty, part.missing(text.outputs[0].uses, text))
            made += [
                Made(next(titles), values, empty)
                for values in _uncertainties(part, k, names, sigmas)
            ]
    return made


def _joined(left: Array | None, right: Array | None) -> Array | None:
    """Where either holds; None for nowhere."""
    masks = [mask for mask in (left, right) if mask is not None and mask.any()]
    return np.logical_or.reduce(masks) if masks else None


def _slopes(part: Part, k: int, output: Output) -> Iterator[Array]:
    results = part.results
    for _, slot in derivatives_of(part.question, output):
        table: Mapping[Any, Array] = (
            results.first[k] if isinstance(slot, str) else results.second[k]
        )
        yield part.spread(table.get(slot))


def _uncertainties(
    part: Part, k: int, names: Sequence[str], sigmas: Mapping[str, Array]
) -> Iterator[Array]:
    """The uncertainty of an output, and what else is asked about it."""
    question, results, rows = part.question, part.results, part.rows
    meant = {name: question.formula.meaning(name) for name in names}
    correlations = {
        frozenset(name for name in names if meant[name] in pair): value
        for pair, value in question.wanted.correlations.items()
    }
    inputs = Inputs({name: sigmas[meant[name]] for name in names}, correlations)
    slopes = {name: part.spread(results.first[k].get(name)) for name in names}
    parts = contributions(slopes, inputs)
    sigma = sigma_of(parts, rows)
    yield sigma
    if question.wanted.shares:
        for share in parts.values():
            yield share_of(share, parts, rows)
    if question.wanted.second:
        chosen = {*names}
        curves = {
            pair: part.spread(values)
            for pair, values in results.second[k].items()
            if chosen.issuperset(pair)
        }
        yield correction_of(curves, inputs, rows)
        yield is_nonlinear(curves, inputs, sigma).astype(np.int64)

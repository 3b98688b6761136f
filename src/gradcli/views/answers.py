"""The answer to an expression: as lines, as JSON, or one thing of it alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from gradcli.evaluation import Answer
from gradcli.language.allowed.limits import check_printable
from gradcli.language.telling.diagnostics import Diagnostic
from gradcli.tensor.identity import without_addresses
from gradcli.views.tensors import check_writable, plain, tensor_fields

PARTS: Final = ("value", "grad_fn", "dtype", "shape", "requires_grad")
"""What an answer has whether or not backward ran."""

PRODUCT: Final = "jvp"
"""What the product of the Jacobian with the tangents is called."""

_GRADIENT: Final = r"([^\W\d]\w*)\.grad"
_BLANKS: Final = r'("(?:[^"\\]|\\.)*")|\s+'
"""In JSON: blanks outside of strings, which are in the group."""

_DERIVATIVE: Final = r"d([1-9]\d*)/d([^\W\d]\w*?)\1"


def answer_text(answer: Answer, label: str = "{}", shows_none: bool = True) -> str:
    """The answer as lines: each output, each gradient, each derivative.

    Args:
        label: how the name of a gradient is written, a format with `{}` for the name.
        shows_none: whether there is a line for a value that is None.
    """
    check_printable(answer.value)
    shown = repr if answer.several else str
    lines = [without_addresses(shown(out)) for out in answer.outputs]
    if answer.value is None and not shows_none:
        lines = []
    if answer.products:
        lines.append(f"{label.format(PRODUCT)} = {_one_or_all(answer)!r}")
    for name, gradient in (answer.grads or {}).items():
        lines.append(f"{label.format(f'{name}.grad')} = {gradient!r}")
        for nth, derivative in enumerate(answer.derivatives.get(name, []), 1):
            if nth > 1:
                lines.append(f"{label.format(f'd{nth}/d{name}{nth}')} = {derivative!r}")
    return "".join(f"{line}\n" for line in lines)


def error_fields(diagnostic: Diagnostic) -> dict[str, Any]:
    """An error as JSON has it; without a hint or a place where it has none."""
    fields: dict[str, Any] = {"type": diagnostic.type, "message": diagnostic.message}
    if diagnostic.hint:
        fields["hint"] = diagnostic.hint
    if diagnostic.line:
        fields["line"] = diagnostic.line
        fields["column"] = diagnostic.column
    return fields


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The answer to an expression, as JSON has it: outputs, gradients, derivatives.

    Raises:
        OverflowError: it is a giant.
    """
    check_writable(answer.value)
    if answer.several:
        fields: dict[str, Any] = {"outputs": [tensor_fields(out) for out in answer.outputs]}
    else:
        fields = tensor_fields(answer.value)
    if answer.products:
        fields[PRODUCT] = _plain_products(answer)
    grads = {} if answer.grads is None else answer.grads
    fields["grads"] = {name: plain(gradient) for name, gradient in grads.items()}
    if answer.derivatives:
        fields["derivatives"] = {
            name: [plain(order) for order in orders] for name, orders in answer.derivatives.items()
        }
    return fields


def _one_or_all(answer: Answer) -> Any:
    """The product of the only output, or a tuple of all."""
    return tuple(answer.products) if answer.several else answer.products[0]


def _plain_products(answer: Answer) -> Any:
    found = [plain(product) for product in answer.products]
    return found if answer.several else found[0]


def derivative_named(what: str) -> tuple[str, int]:
    """The variable and the order of `x.grad` (0) or `d2/dx2` (2); ("", 0) where it is neither."""
    match = re.fullmatch(_GRADIENT, what)
    if match:
        return match[1], 0
    match = re.fullmatch(_DERIVATIVE, what)
    return (match[2], int(match[1])) if match else ("", 0)


def parts_text(answer: Answer, parts: Sequence[str]) -> str:
    """One thing alone, or several for a shell's `read`: between tabs, and lists without blanks.

    Raises:
        RuntimeError, KeyError: as `part` does.
    """
    return in_columns([part(answer, what) for what in parts])


def in_columns(values: Sequence[Any]) -> str:
    """Values as a shell reads them: one as it is, several between tabs."""
    if len(values) == 1:
        return bare(values[0])
    return "\t".join(
        value if isinstance(value, str) else re.sub(_BLANKS, r"\1", bare(value)) for value in values
    )


def part(answer: Answer, what: str) -> Any:
    """One thing of an answer, as JSON has it.

    Raises:
        RuntimeError: a gradient is asked for and nothing requires grad.
        KeyError: the variable that is asked for does not require grad.
    """
    if what in PARTS:
        check_writable(answer.value)
        found = [tensor_fields(out)[what] for out in answer.outputs]
        return found if answer.several else found[0]
    if what == PRODUCT:
        return _plain_products(answer)
    if answer.grads is None:
        raise RuntimeError("element 0 of tensors does not require grad and does not have a grad_fn")
    if what in answer.mixed:
        return plain(answer.mixed[what])
    name, nth = derivative_named(what)
    gradient = answer.grads[name]
    orders = answer.derivatives.get(name, [])
    return plain(orders[nth - 1] if 0 < nth <= len(orders) else gradient)


def bare(value: Any) -> str:
    """JSON, but for text without quotes and None for nothing."""
    # Answers as lines, which most are, start without it.
    from gradcli.views.jsonout import dumps

    if value is None or isinstance(value, str):
        return str(value)
    text = dumps(value)
    return text[1:-1] if text.startswith('"') else text

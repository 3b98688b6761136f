"""In-place activations: rows whose result takes the place of their operand."""

from __future__ import annotations

from typing import Any, Final

from gradcli.ops.inplace.derive import apply_in_place
from gradcli.table.declare import row
from gradcli.table.row import Row

_MARK: Final = "in_place_of"
"""Ends the names of rows that stand for in-place functions."""


def in_place_of(kernel: Row, input: Any, *args: Any) -> Any:
    """Writes what a row makes of a tensor into its memory."""
    name = kernel.names[-1].rpartition(".")[2].removesuffix(_MARK)
    return apply_in_place(input, lambda values: kernel(values, *args), name=name)


def run_twin(kernel: Row, twin: Row, inplace: bool, input: Any, *args: Any) -> Any:
    """What a row makes of a tensor; with `inplace` the tensor changed as its twin does."""
    return in_place_of(twin, input, *args) if inplace else kernel(input, *args)


def twin_of(kernel: Row, node: str) -> Row:
    """The same row under the name that PyTorch's node of the in-place function has."""
    name = kernel.names[-1].rpartition(".")[2]
    ((_, formula),) = kernel.formulas
    first, *rest = kernel.signature.index
    formulas: dict[str, Any] = {kernel.signature.parameters[0].name: formula}
    made: Row = row(
        f"aten.{name}{_MARK}({kernel.parameters})",
        kernel.forward,
        promote=kernel.promote,
        elementwise=kernel.elementwise,
        node=node,
        samples=kernel.samples,
        doc=f"{name} as its in-place function records it.",
        pytorch=f"aten.{name}_({first}.clone(), {', '.join(rest)})",
        **formulas,
    )
    return made

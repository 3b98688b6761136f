"""Jupyter notebooks: the code in their cells, run in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from gradcli.cli.report import UsageError, note
from gradcli.language.allowed.builtins import present
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.running.code import Code
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import Diagnostic, ParseError
from gradcli.tensor.clock import limited
from gradcli.tensor.identity import without_addresses
from gradcli.views.jsonout import JsonSyntaxError, loads

TIMERS: Final = frozenset(("%%time", "%%timeit", "%%capture", "%%prun"))
"""Magics of a whole cell that run what stands below them."""

_MAGIC: Final = re.compile(
    r"(\s*)(%{1,2}[A-Za-z]\w*|!|\?{1,2}[\w.]+\s*$|[\w.]+\?{1,2}\s*$|[\w., ]+=\s*(%[A-Za-z]|!\s*\w)"
    r"|from IPython(\.core)?\.display import display\s*$)"
)
"""A line of magic, for the shell or for help, also one that keeps an answer; and the import of a
name that is there anyway.
"""

_QUIET: Final = re.compile(r";\s*(#[^\n]*)?\s*\Z")


class Cell(NamedTuple):
    """The code of one cell; `origin` is how errors name it."""

    text: str
    origin: str


def cells_of(text: str, origin: str) -> list[Cell]:
    """The code cells of a notebook, without the lines that only Jupyter understands.

    Raises:
        UsageError: it is no notebook.
        ParseError: it is not JSON.
    """
    skipped: list[str] = []
    cells = []
    for number, source in enumerate(_sources(_read(text, origin), origin), 1):
        name = f"{origin}, cell {number}"
        cells.append(Cell(_without_magics(source, name, skipped), name))
    note(skipped)
    return cells


def _read(text: str, origin: str) -> dict[str, Any]:
    try:
        found = loads(text)
    except RecursionError:
        raise _no_notebook(origin, "it is nested too deep") from None
    except JsonSyntaxError as error:
        column = error.column or 0
        raise ParseError(
            Diagnostic(
                "SyntaxError",
                f"a notebook is JSON: {error}",
                line=error.line or 0,
                column=column,
                end_column=column + 1,
                origin=origin,
                source=text.split("\n")[error.line - 1] if error.line else "",
            )
        ) from None
    if not isinstance(found, dict):
        raise _no_notebook(origin, "it is no JSON object")
    return found


def _no_notebook(origin: str, why: str) -> UsageError:
    return UsageError(
        f"{origin} is no notebook: {why}", "a program under another name runs as it stands"
    )


def _sources(notebook: dict[str, Any], origin: str) -> Iterator[str]:
    """The texts of code cells, of the formats 4 (`cells`) and 3 (`worksheets`)."""
    sheets, key = [notebook], "source"
    if "cells" not in notebook:
        sheets, key = notebook.get("worksheets", []), "input"
        if not isinstance(sheets, list) or "worksheets" not in notebook:
            raise _no_notebook(origin, "it has no cells")
    for sheet in sheets:
        cells = sheet.get("cells") if isinstance(sheet, dict) else None
        if not isinstance(cells, list):
            raise _no_notebook(origin, "it has no list of cells")
        for cell in cells:
            if not isinstance(cell, dict):
                raise _no_notebook(origin, "a cell is no JSON object")
            if cell.get("cell_type") == "code":
                yield _source(cell.get(key), origin)


def _source(source: Any, origin: str) -> str:
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    if not isinstance(source, str):
        raise _no_notebook(origin, "a cell's source is no text")
    return source


def _without_magics(source: str, name: str, skipped: list[str]) -> str:
    """A cell's text with `pass` in the place of what is for Jupyter or the shell."""
    lines = source.split("\n")
    first = next((line.split()[0] for line in lines if line.strip()), "")
    if first.startswith("%%") and first not in TIMERS:
        skipped.append(f"{name} is skipped: {first}")
        return ""
    open_texts = 0
    for place, line in enumerate(lines):
        found = None if open_texts % 2 else _MAGIC.match(line)
        open_texts += line.count('"""') + line.count("'''")
        if found is not None:
            skipped.append(f"{name}, line {place + 1} is skipped: {line.strip()[:60]}")
            lines[place] = f"{found[1]}pass"
    return "\n".join(lines)


def compiled(cells: list[Cell]) -> list[Code]:
    """The codes of cells, all before any of them runs.

    Raises:
        ParseError: a cell is not in the language.
    """
    return [compile_text(cell.text, cell.origin) for cell in cells]


def run_cells(
    machine: Machine, codes: list[Code], write: Callable[[str], object], timeout: float | None
) -> None:
    """Runs cells in order; each shows its last expression, unless that is None or ends in `;`, and
    what it hands to `display`.

    Raises:
        Exception: whatever a cell raises.
    """

    def display(*values: Any) -> None:
        for value in values:
            write(f"{without_addresses(repr(value))}\n")

    present(display, "display")
    machine.globals["display"] = display
    with limited(timeout):
        for place, code in enumerate(codes):
            value = machine.run(code, goes_on=place > 0)
            if code.ends_in_expression and value is not None and not _QUIET.search(code.text):
                machine.globals["_"] = value
                display(value)

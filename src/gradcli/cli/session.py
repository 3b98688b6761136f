"""A conversation in the language: what `gradcli repl` does with a text, apart from the terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeGuard

import gradcli.wiring  # noqa: F401 - printing, methods of tensors
from gradcli.cli.report import Exit
from gradcli.language.allowed.attributes import attribute
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.reading.parser import parser
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import ParseError
from gradcli.tensor.identity import without_addresses

# Statements whose block goes on until a blank line.
_COMPOUND = re.compile(r"\s*(if|while|for|with|def|elif|else)\b|\s*@")
_DOTTED = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.(\w*)$")
_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*$")
_LEAVE = re.compile(r"\s*(exit|quit)\s*(\(\s*\))?\s*")
_HELP = re.compile(r"\s*(?:(help)\s*(?:\(\s*([\w.]*)\s*\))?|\?\s*([\w.]*)|([\w.]+)\s*\?)\s*")
ORIGIN = "input"
INDENT = "    "
HELP = """\
An expression shows its value, and _ holds it; statements run. let x = 3 makes a variable that
requires grad; y.backward() fills x.grad. help(sin) or ?sin tells of a function, its derivative
too; exit, quit or Ctrl-D leaves. All functions: gradcli functions, outside.
"""


class Session:
    """Variables that live from one input to the next; `_` holds the last value that was shown."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self.machine = Machine(write=write)
        self.write = write

    def run(self, text: str) -> None:
        """Runs an input; a bare expression echoes its value, `help(NAME)` shows a page.

        Raises:
            Exit: it is `exit` or `quit`.
            Exception: whatever the text raises; the variables stay as they are by then.
        """
        if self._is_free(_LEAVE.fullmatch(text)):
            raise Exit
        asked = _HELP.fullmatch(text)
        if self._is_free(asked):
            self.write(_page(next((name for name in asked.groups()[1:] if name), "")))
            return
        code = compile_text(text, ORIGIN)
        value = self.machine.run(code)
        if code.ends_in_expression and value is not None:
            self.machine.globals["_"] = value
            self.write(f"{without_addresses(repr(value))}\n")

    def _is_free(self, found: re.Match[str] | None) -> TypeGuard[re.Match[str]]:
        """Whether an input is a word to the session, and no variable of that name."""
        return found is not None and found[1] not in self.machine.globals

    def is_complete(self, text: str) -> bool:
        """Whether an input can be run, or is just wrong: more lines would not help it."""
        lines = text.split("\n")
        if _COMPOUND.match(text) and lines[-1].strip():
            return False
        if text.rstrip().endswith("\\"):
            return False
        try:
            compile_text(text, ORIGIN)
        except ParseError as error:
            return not _wants_more(error, text)
        except Exception:
            return True
        return True

    def completions(self, text: str) -> list[tuple[str, int]]:
        """What the end of a text may become: words, and how many characters they replace."""
        dotted = _DOTTED.search(text)
        if dotted:
            return _matching(self._members(dotted[1]), dotted[2])
        word = _WORD.search(text)
        if word is None:
            continued, _, line = text.rpartition("\n")
            return [(INDENT, 0)] if continued and not line.strip() else []
        names = {
            *self.machine.globals,
            *self.machine.names(),
            *self._torch_names(),
            *parser().tables.words,
        }
        return _matching(names, word[0])

    def _torch_names(self) -> set[str]:
        engine = self._engine()
        return {*engine.bare_names(), *(name for name in engine.names() if "." not in name)}

    def _engine(self) -> Any:
        return self.machine.namespace.engine

    def _members(self, path: str) -> Iterable[str]:
        """The names behind a dot. Nothing is called to find them out."""
        first, *rest = path.split(".")
        value = self.machine.globals.get(first)
        if value is None:
            if path in self.machine.namespace.modules:
                return self.machine.namespace.members(path)
            prefix = ".".join([first, *rest])
            prefix = {"torch": "", "F": "nn.functional"}.get(prefix, prefix)
            prefix = prefix.removeprefix("torch.")
            start = f"{prefix}." if prefix else ""
            inside = [n[len(start) :] for n in self._engine().names() if n.startswith(start)]
            return {name.split(".")[0] for name in inside}
        try:
            for name in rest:
                value = attribute(value, name)
        except Exception:
            return ()
        if isinstance(value, self._engine().tensor):
            found: list[str] = self._engine().methods()
            return found
        return [name for name in dir(value) if _is_open(value, name)]


def _page(name: str) -> str:
    """What help says about a function, or about the session."""
    if not name:
        return HELP
    from gradcli.views import catalogue
    from gradcli.views.pages import page

    full = catalogue.full_name(name)
    if full is None:
        hint = catalogue.nearest(name)
        return f"no function is called '{name}'{f'; {hint}' if hint else ''}\n"
    return page(catalogue.describe(full)) + "\n"


def _is_open(value: Any, name: str) -> bool:
    try:
        attribute(value, name)
    except Exception:
        return False
    return True


def _matching(names: Iterable[str], beginning: str) -> list[tuple[str, int]]:
    shown = beginning.startswith("_")
    return [
        (name, len(beginning))
        for name in sorted(set(names))
        if name.startswith(beginning) and (shown or not name.startswith("_"))
    ]


def _wants_more(error: ParseError, text: str) -> bool:
    """Whether a text ends too early rather than being wrong somewhere in it."""
    diagnostic = error.diagnostic
    if "never closed" in diagnostic.message or "triple-quoted" in diagnostic.message:
        return True
    lines = text.rstrip("\n").split("\n")
    at_end = diagnostic.line > len(lines) or (
        diagnostic.line == len(lines) and diagnostic.column > len(lines[-1])
    )
    return at_end and text.rstrip().endswith(":")

"""Columns in the text of a formula: `flow rate` between back quotes, `$1` by its number.

The language has neither, so each is spelt as a name of the same length before the text is read:
what errors point at stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final, NamedTuple

from gradcli.language.allowed.namespace import knows
from gradcli.language.running.code import Code
from gradcli.language.telling.diagnostics import ParseError, Place

_PIECES: Final = re.compile(
    r"""
    (?P<string> '''(?:\\.|[^\\])*?''' | \"\"\"(?:\\.|[^\\])*?\"\"\"
              | '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" | \#[^\n]* )
    | `(?P<quoted>[^`\n]+)`
    | \$(?P<number>[0-9]+)
    | (?P<name>[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


class Spelling(NamedTuple):
    """A text that the language can read, and what the names in it stand for.

    Attributes:
        original: the text as it was written.
        text: the same text with names in the place of quoted ones.
        names: what stands for what, where that differs.
        called: columns' names that mean a function in the text.
    """

    original: str
    text: str
    names: dict[str, str]
    called: frozenset[str]

    def meaning(self, name: str) -> str:
        """What a name of the text stands for."""
        return self.names.get(name, name)

    def quoted(self, name: str) -> str:
        """A column as the text writes it."""
        return name if name.isidentifier() or re.fullmatch(r"\$[0-9]+", name) else f"`{name}`"

    def restore(self, code: Code) -> Code:
        """The code, of which errors quote the text as it was written."""
        waiting = [code]
        while waiting:
            inner = waiting.pop()
            inner.text = self.original
            waiting += inner.inner
        return code

    def restored(self, error: Exception) -> Exception:
        """An error that quotes the text as it was written."""
        if isinstance(error, ParseError):
            told = error.diagnostic
            lines, originals = self.text.split("\n"), self.original.split("\n")
            if told.line and told.line <= len(lines) and lines[told.line - 1] == told.source:
                told.source = originals[told.line - 1]
        place = getattr(error, "place", None)
        if isinstance(place, Place) and place.text == self.text:
            place.text = self.original
        return error


def spelled(text: str, columns: Collection[str], others: Collection[str] = ()) -> Spelling:
    """The text with quoted names spelt as ordinary ones.

    The name of a function that is called and is a column, too, means the function where it is
    called, and the column elsewhere. No new name is one of `others`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    taken = {*columns, *others, "__name__"} | {
        found["name"] for found in _PIECES.finditer(text) if found["name"]
    }
    called = {
        found["name"]
        for found in _PIECES.finditer(text)
        if found["name"] in columns
        and text[found.end() :].lstrip(" \t").startswith("(")
        and knows(found["name"])
        and not knows(found["name"], operand=True)
    }
    aliases: dict[str, str] = {}
    names: dict[str, str] = {}
    pieces, position = [], 0
    for found in _PIECES.finditer(text):
        meant = _meant(found, text, columns, called)
        if not meant:
            continue
        alias = aliases.get(found[0])
        if alias is None:
            alias = aliases[found[0]] = _alias(found[0], taken)
            names[alias] = meant
            taken.add(alias)
        pieces += [text[position : found.start()], alias]
        position = found.end()
    return Spelling(text, "".join(pieces) + text[position:], names, frozenset(called))


def _meant(
    found: re.Match[str], text: str, columns: Collection[str], called: Collection[str]
) -> str:
    """The column that a piece of a text names in a way that the language has not; or ""."""
    if found["quoted"] is not None:
        return found["quoted"]
    if found["number"] is not None:
        return found[0]
    name = found["name"]
    if name is None or name not in called or name not in columns:
        return ""
    after = text[found.end() :].lstrip(" \t")
    if after.startswith("(") or text[: found.start()].rstrip(" \t").endswith("."):
        return ""
    return "" if re.match(r"=(?!=)", after) else name


def _alias(spelling: str, taken: Collection[str]) -> str:
    """A name of the same length that nothing else has."""
    name = "_" + re.sub(r"\W", "_", spelling[1:])
    number = 0
    while name in taken or not name.isidentifier():
        number += 1
        digits = str(number)
        name = f"_{'_' * (len(spelling) - 1 - len(digits))}{digits}"[: len(spelling)]
        if number > 10 ** len(spelling):
            raise ValueError(f"{spelling} is spelt like too many other names")
    return name

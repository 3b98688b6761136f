"""One parse for all texts that differ in their numbers only.

A batch asks `sin(x) * 0.5` and `sin(x) * 0.25`. Their tokens are the same but for what numbers
there are, so are their trees, and their code but for its constants: a text is compiled once with
its numbers left blank, and the blanks are filled in for each of the others.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from gradcli.language.compiling.compiler import compile_text, normalized
from gradcli.language.compiling.emitter import constant_key
from gradcli.language.reading.literals import Blank, number
from gradcli.language.reading.parser import parser
from gradcli.language.running.code import Code, Moves
from gradcli.language.telling.diagnostics import Refusal
from gradcli.tensor.bounded import Bounded

LIMIT: Final = 8 << 20
"""Bytes of code that are remembered."""

SMALLEST: Final = 3000
"""Bytes of a code without instructions, with what remembering it takes."""

PER_INSTRUCTION: Final = 250

PER_CHARACTER: Final = 8
"""A text, its pieces, and names; a character may take four bytes."""


UNSHARED: Final = False
"""The shape of texts that have none: their codes differ in more than constants."""


class Shape(NamedTuple):
    """The code of all texts of the same pieces between their numbers.

    Attributes:
        code: of one of them, with blanks among its constants.
        blanks: for each blank the index of the constant, which number stands there, and whether its
            negative does.
        starts: offsets of the numbers in that text.
        spellings: of its numbers.
    """

    code: Code
    blanks: list[tuple[int, int, bool]]
    starts: list[int]
    spellings: list[str]

    def filled(self, text: str, spellings: list[str]) -> Code:
        """The code of a text of this shape, whose numbers are spelt so.

        Raises:
            Refusal: what is spelt is no number.
        """
        constants = self.code.constants.copy()
        values = [number(spelling, 0, 0) for spelling in spellings]
        same: dict[Any, Any] = {}  # equal literals are one object
        for index, which, negative in self.blanks:
            value = -values[which] if negative else values[which]
            constants[index] = same.setdefault(constant_key(value), value)
        return self.code.filled(text, constants, Moves(self.starts, self.spellings, spellings))


def compile_shared(text: str, origin: str = "expression", mathematics: bool = False) -> Code:
    """What `compile_text` gives, with much of it remembered.

    Raises:
        ParseError: the text is not in the language.
    """
    whole = (text, origin, mathematics)
    code = _codes.get(whole)
    if code is not None:
        return code
    read = normalized(text)
    found = parser().lexer.numbers_apart(read)
    pieces = tuple([piece for piece, _ in found])
    spellings = [spelling for _, spelling in found if spelling]
    key = (pieces, len(spellings), origin, mathematics)
    shape = _shapes.get(key)
    if shape is None and spellings:
        blank = compile_text(text, origin, mathematics, blank=True)
        shape = shape_of(blank, pieces, spellings) or UNSHARED
        _shapes.add(key, shape, size_of(blank) if shape else SMALLEST + PER_CHARACTER * len(text))
    if shape:
        try:
            return shape.filled(read, spellings)
        except Refusal:  # compiled on its own, it is told where
            return compile_text(text, origin, mathematics)
    code = compile_text(text, origin, mathematics)
    _codes.add(whole, code, size_of(code))
    return code


def shape_of(code: Code, pieces: tuple[str, ...], spellings: list[str]) -> Shape | None:
    """The shape of a text with blanks; None where more of its code than its constants depends on
    the text, or where a number is within a string.
    """
    starts: list[int] = []
    offset = 0
    for piece, spelling in zip(pieces, spellings, strict=False):
        starts.append(offset + len(piece))
        offset += len(piece) + len(spelling)
    places = {start: which for which, start in enumerate(starts)}
    blanks = [
        (index, places.get(value.start, -1), value.negative)
        for index, value in enumerate(code.constants)
        if type(value) is Blank
    ]
    if code.inner or any(which < 0 for _, which, _ in blanks):
        return None
    return Shape(code, blanks, starts, spellings)


def size_of(code: Code) -> int:
    """The bytes that a code and its key take, or a little more."""
    size = PER_CHARACTER * len(code.text)
    codes = [code]
    while codes:
        inner = codes.pop()
        codes += inner.inner
        size += SMALLEST + PER_INSTRUCTION * len(inner.instructions)
    return size


_shapes: Final[Bounded[Shape | Literal[False]]] = Bounded(LIMIT // 2)
_codes: Final[Bounded[Code]] = Bounded(LIMIT // 2)
"""Of texts that share nothing."""

"""Numbers and strings: from their spelling to their value, without Python's `eval`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gradcli.language.reading import ast
from gradcli.language.telling.diagnostics import Refusal

ESCAPE = re.compile(
    r"\\(?:\n|[0-7]{1,3}|x[0-9a-fA-F]{0,2}|u[0-9a-fA-F]{0,4}|U[0-9a-fA-F]{0,8}|N(?:\{[^}]*\}?)?|.)",
    re.DOTALL,
)
SIMPLE = {
    "\n": "",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}

ParseField = Callable[[int, int], ast.Node]
"""Parses the expression between two offsets of the text."""


class Blank:
    """A number's place in a text, for whatever number will stand there, or its negative.

    Attributes:
        start: the offset of the number's spelling.
    """

    __slots__ = ("negative", "start")

    def __init__(self, start: int, negative: bool = False) -> None:
        self.start = start
        self.negative = negative

    def __neg__(self) -> Blank:
        return Blank(self.start, not self.negative)


NUMBERS: Final = frozenset((int, float, complex, Blank))
"""Types of a literal that a sign may be part of."""


def number(spelling: str, start: int, end: int) -> int | float | complex:
    """The value of a number's spelling.

    Raises:
        Refusal: a decimal integer that begins with 0, or one with more digits than Python converts.
    """
    text = spelling.replace("_", "")
    lowered = text.lower()
    if lowered.startswith(("0x", "0o", "0b")):
        return int(lowered, 0)
    if lowered.endswith("j"):
        return complex(0.0, float(lowered[:-1]))
    if not text.isdigit():
        return float(text)
    if text[0] == "0" and text.strip("0"):
        raise Refusal(
            "leading zeros in decimal integer literals are not permitted; "
            "use an 0o prefix for octal integers",
            start,
            end,
        )
    try:
        return int(text)
    except ValueError as error:
        raise Refusal(str(error), start, end) from None


def string(tokens: list[str], text: str, start: int, end: int, parse_field: ParseField) -> ast.Node:
    """The value of adjacent string tokens, which stand in `text[start:end]`: a `Constant` or a
    `JoinedString`.
    """
    parts: list[ast.Node] = []
    position = start
    for token in tokens:
        position = text.find(token, position)
        read_token(token, text, position, parts, parse_field)
        position += len(token)
    merged: list[ast.Node] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, ast.Constant) and isinstance(last, ast.Constant):
            last.value = str(last.value) + str(part.value)
            last.end = part.end
        else:
            merged.append(part)
    if not merged:
        return ast.Constant(start, end, "")
    if len(merged) == 1 and isinstance(merged[0], ast.Constant):
        return ast.Constant(start, end, merged[0].value)
    return ast.JoinedString(start, end, merged)


def read_token(
    token: str, text: str, position: int, parts: list[ast.Node], parse_field: ParseField
) -> None:
    """Append the parts of one string token, which stands at `position`."""
    quote = min(index for index in (token.find("'"), token.find('"')) if index >= 0)
    prefix = token[:quote].lower()
    width = 3 if token[quote : quote + 3] in ("'''", '"""') and len(token) >= quote + 6 else 1
    first, last = position + quote + width, position + len(token) - width
    if "b" in prefix:
        raise Refusal("bytes are not part of the language", position, position + len(token))
    raw = "r" in prefix
    if "f" in prefix:
        read_fields(text, first, last, raw, parts, parse_field, 0)
        return
    parts.append(ast.Constant(first, last, unescape(text[first:last], first, raw)))


def unescape(body: str, start: int, raw: bool) -> str:
    """A string's text with its escapes replaced; `start` is where it stands."""
    if raw or "\\" not in body:
        return body
    return ESCAPE.sub(lambda match: escape(match, start), body)


def escape(match: re.Match[str], start: int) -> str:
    """What one escape stands for."""
    spelling = match[0][1:]
    head = spelling[0]
    if spelling in SIMPLE:
        return SIMPLE[spelling]
    if head in "01234567":
        return chr(int(spelling, 8))
    begin, end = start + match.start(), start + match.end()
    if head in "xuU":
        digits = {"x": 2, "u": 4, "U": 8}[head]
        if len(spelling) != digits + 1:
            shape = f"\\{head}{'X' * digits}"
            raise Refusal(f"(unicode error) truncated {shape} escape", begin, end)
        code = int(spelling[1:], 16)
        if code > 0x10FFFF:
            raise Refusal("(unicode error) illegal Unicode character", begin, end)
        return chr(code)
    if head == "N":
        if not spelling.endswith("}"):
            raise Refusal("(unicode error) malformed \\N character escape", begin, end)
        import unicodedata

        try:
            return unicodedata.lookup(spelling[2:-1])
        except KeyError:
            raise Refusal("(unicode error) unknown Unicode character name", begin, end) from None
    return match[0]


def read_fields(
    text: str,
    position: int,
    stop: int,
    raw: bool,
    parts: list[ast.Node],
    parse_field: ParseField,
    depth: int,
) -> int:
    """Append the literal parts and fields of `text[position:stop]`; in a format (`depth` > 0), up
    to its `}`.
    """
    literal_start = position
    literal: list[str] = []

    def finish(end: int) -> None:
        body = "".join(literal) + unescape(text[literal_start:end], literal_start, raw)
        if body:
            parts.append(ast.Constant(literal_start, end, body))
        literal.clear()

    while position < stop:
        character = text[position]
        if character == "\\" and not raw and position + 1 < stop:
            position += 2
            if text[position - 1] == "N" and text.startswith("{", position):
                position = text.find("}", position, stop) + 1 or stop
        elif character == "{":
            if text.startswith("{{", position) and not depth:
                literal.append(unescape(text[literal_start : position + 1], literal_start, raw))
                position += 2
                literal_start = position
                continue
            finish(position)
            position = read_field(text, position, stop, raw, parts, parse_field, depth)
            literal_start = position
        elif character == "}":
            if depth:
                break
            if not text.startswith("}}", position):
                raise Refusal("f-string: single '}' is not allowed", position, position + 1)
            literal.append(unescape(text[literal_start : position + 1], literal_start, raw))
            position += 2
            literal_start = position
        else:
            position += 1
    finish(min(position, stop))
    return position


def read_field(
    text: str,
    brace: int,
    stop: int,
    raw: bool,
    parts: list[ast.Node],
    parse_field: ParseField,
    depth: int,
) -> int:
    """Append the field whose `{` stands at `brace`; the offset after its `}`."""
    if depth >= 2:
        raise Refusal("f-string: expressions nested too deeply", brace, brace + 1)
    start = brace + 1
    position = expression_end(text, start, stop, brace)
    body = text[start:position]
    if not body.strip():
        if position < stop and text[position] == "!":
            raise Refusal("f-string: expression required before '!'", brace, position + 1)
        raise Refusal("f-string: empty expression not allowed", brace, min(position + 1, stop))
    if "\\" in body:
        raise Refusal("f-string expression part cannot include a backslash", start, position)
    if "#" in strip_strings(body):
        raise Refusal("f-string expression part cannot include '#'", start, position)
    value = parse_field(start, position)
    shown = False
    if text.startswith("=", position):
        position += 1
        while position < stop and text[position].isspace():
            position += 1
        parts.append(ast.Constant(start, position, text[start:position]))
        shown = True
    conversion = ""
    if text.startswith("!", position):
        conversion = text[position + 1 : position + 2]
        if conversion not in ("r", "s", "a"):
            raise Refusal(
                "f-string: invalid conversion character: expected 's', 'r', or 'a'",
                position,
                position + 2,
            )
        position += 2
    spec: list[ast.Node] | None = None
    if position < stop and text[position] == ":":
        spec = []
        position = read_fields(text, position + 1, stop, raw, spec, parse_field, depth + 1)
    if position >= stop or text[position] != "}":
        raise Refusal(
            "f-string: expecting '}'", brace, min(position + 1, stop), label="opened here"
        )
    if shown and not conversion and spec is None:
        conversion = "r"
    parts.append(ast.Field(brace, position + 1, value, conversion, spec))
    return position + 1


def strip_strings(body: str) -> str:
    """An expression's text without what stands between quotes."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "", body)


def expression_end(text: str, position: int, stop: int, brace: int) -> int:
    """The end of the expression in a field: `}`, `:`, `=` or `!` outside brackets and strings."""
    open_brackets: list[str] = []
    while position < stop:
        character = text[position]
        if character in "'\"":
            quote = character * 3 if text.startswith(character * 3, position) else character
            closing = text.find(quote, position + len(quote), stop)
            if closing < 0:
                raise Refusal("f-string: unterminated string", position, stop)
            position = closing + len(quote)
            continue
        if character in "([{":
            open_brackets.append({"(": ")", "[": "]", "{": "}"}[character])
        elif open_brackets:
            if character == open_brackets[-1]:
                open_brackets.pop()
            elif character in ")]}":
                raise Refusal(
                    f"f-string: closing parenthesis '{character}' does not match "
                    f"opening parenthesis",
                    position,
                    position + 1,
                )
        elif (
            character in "}:"
            or (character == "!" and text[position + 1 : position + 2] != "=")
            or (
                character == "="
                and text[position + 1 : position + 2] != "="
                and text[position - 1] not in "=!<>"
            )
        ):
            return position
        position += 1
    raise Refusal("f-string: expecting '}'", brace, stop)

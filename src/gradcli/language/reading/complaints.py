"""Why a text does not parse, in words."""

from __future__ import annotations

from gradcli.language.reading.expressions import not_part
from gradcli.language.reading.lexer import Tokens
from gradcli.language.reading.tables import Tables
from gradcli.language.telling.diagnostics import Refusal

CLOSING = {"(": ")", "[": "]", "{": "}"}
OPENING = {close: opening for opening, close in CLOSING.items()}

LOOKALIKES = {
    "\u00d7": "multiplication is written *",
    "\u00b7": "multiplication is written *",
    "\u22c5": "multiplication is written *",
    "\u00f7": "division is written /",
    "\u2212": "the minus sign is -",
    "\u2013": "the minus sign is -",
    "\u2014": "the minus sign is -",
    "\u201c": "quotes are \" or '",
    "\u201d": "quotes are \" or '",
    "\u2018": "quotes are \" or '",
    "\u2019": "quotes are \" or '",
    "\u00b2": "powers are written **: x ** 2",
    "\u00b3": "powers are written **: x ** 3",
    "\u2074": "powers are written **: x ** 4",
    "\u00bd": "a half is written 0.5",
    "\u221a": "the square root is sqrt(x)",
    "\u221e": "infinity is written inf",
    "\u2264": "less or equal is written <=",
    "\u2265": "greater or equal is written >=",
    "\u2260": "unequal is written !=",
    "\uff0c": "the comma is ,",
    "\uff08": "brackets are ( and )",
    "\uff09": "brackets are ( and )",
    "\uff1a": "the colon is :",
    "\uff1b": "statements are separated by ;",
    "\u00a0": "a no-break space: type an ordinary one",
    "\u3000": "a wide space: type an ordinary one",
    "$": "variables have no $ here; in a shell, mind the quotes",
    "?": "a choice is written: a if condition else b",
    "!": "negation is written: not x",
}
"""Characters that are no part of any token, and what was probably meant."""

BLOCK_WORDS = {
    *("IF", "ELIF", "ELSE", "WHILE", "FOR", "WITH", "DEF", "CLASS", "TRY", "EXCEPT", "FINALLY"),
    *("_MATCH", "_CASE"),
}

OPENERS = {
    "ELSE": "`if` or loop",
    "ELIF": "`if` or loop",
    "EXCEPT": "`try`",
    "FINALLY": "`try`",
}
"""What stands before a word that goes on with a statement."""

PLAIN_WORDS = {
    "NAME": "a name",
    "STRING": "a string",
    "_NEWLINE": "the end of the line",
    "_INDENT": "an indented block",
    "AUGMENT": "an assignment",
}


OPERANDS = ("NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE")
"""Tokens that end an operand."""

STARTERS = ("NAME", "NUMBER", "STRING", "LPAR", "LSQB", "LBRACE", "LET", "CONST")
"""Tokens that begin one, or a statement."""


def explain(tables: Tables, text: str, tokens: Tokens, index: int, state: int) -> Refusal:
    """The refusal of the token at `index`, for which the parser's `state` has no action."""
    kinds, starts, ends = tokens.kinds, tokens.starts, tokens.ends
    kind, start, end = kinds[index], starts[index], ends[index]
    word = text[start:end]
    before = kinds[index - 1] if index else ""
    if before == "RESERVED":
        return not_part(
            text[starts[index - 1] : ends[index - 1]], starts[index - 1], ends[index - 1]
        )
    if kind == "RESERVED":
        return not_part(word, start, end)
    if kind == "BAD_INDENT":
        return Refusal(tokens.problem, start, end)
    bracket = unclosed(text, tokens, index)
    if kind == "ERROR":
        return bad_character(text, start, end)
    if word in OPENING:
        if bracket is None:
            return Refusal(f"unmatched '{word}'", start, end)
        opening = text[bracket]
        if CLOSING[opening] != word:
            return Refusal(
                f"closing parenthesis '{word}' does not match opening parenthesis '{opening}'",
                start,
                end,
            )
    ended = kind in ("$END", "_NEWLINE", "_DEDENT")
    if bracket is not None and (ended or "\n" in text[bracket:start]):
        last = unclosed(text, tokens, len(kinds))
        if last is not None:
            return Refusal(f"'{text[last]}' was never closed", last, last + 1, label="opened here")
    known = known_mistake(tables, text, tokens, index, state)
    if known is not None:
        return known
    wanted = expected(tables, state)
    if ended:
        start = end = ends[index - 1] if index else start
        found = "end of the line" if "\n" in text[end:].strip() else "end"
        if before in ("_NEWLINE", "_DEDENT", "_INDENT"):
            start = end = starts[index]
    elif kind == "_INDENT":
        return Refusal("unexpected indent", text.rfind("\n", 0, start) + 1, start)
    else:
        found = f"'{word}'"
    message = f"unexpected {found}"
    if wanted:
        message += f", expected {wanted}"
    return Refusal(message, start, end)


def unclosed(text: str, tokens: Tokens, stop: int) -> int | None:
    """Offset of the innermost bracket that is open before the token at `stop`."""
    opened: list[int] = []
    for index in range(stop):
        start = tokens.starts[index]
        if tokens.ends[index] - start != 1:
            continue
        character = text[start]
        if character in CLOSING:
            opened.append(start)
        elif character in OPENING and opened:
            opened.pop()
    return opened[-1] if opened else None


def bad_character(text: str, start: int, end: int) -> Refusal:
    """The refusal of what cannot be a token."""
    character = text[start : start + 1]
    if character in ("'", '"'):
        line = text.count("\n", 0, start) + 1
        if text.startswith(character * 3, start):
            return Refusal(
                f"unterminated triple-quoted string literal (detected at line "
                f"{text.count(chr(10), 0, len(text.rstrip(chr(10)))) + 1})",
                start,
                start + 3,
                label="opened here",
            )
        stop = text.find("\n", start)
        return Refusal(
            f"unterminated string literal (detected at line {line})",
            start,
            stop if stop >= 0 else len(text),
        )
    if character == "\\":
        return Refusal("unexpected character after line continuation character", start, start + 1)
    if end - start > 1:  # letters and digits that are no identifier: x²
        word = text[start:end]
        for offset, letter in enumerate(word):
            if not word[: offset + 1].isidentifier():
                start, character = start + offset, letter
                break
    hint = LOOKALIKES.get(character, "")
    if character.isascii() and character.isprintable():
        return Refusal(f"invalid character '{character}'", start, start + 1, hint=hint)
    if not character.isprintable():
        return Refusal(
            f"invalid non-printable character U+{ord(character):04X}", start, start + 1, hint=hint
        )
    return Refusal(
        f"invalid character '{character}' (U+{ord(character):04X})", start, start + 1, hint=hint
    )


def known_mistake(
    tables: Tables, text: str, tokens: Tokens, index: int, state: int
) -> Refusal | None:
    """The refusal of a typical mistake."""
    kinds, starts, ends = tokens.kinds, tokens.starts, tokens.ends
    kind, start, end = kinds[index], starts[index], ends[index]
    if kind in OPENERS and line_start(tokens, index) == index:
        return Refusal(f"'{text[start:end]}' has no {OPENERS[kind]} before it", start, end)
    if index == 0:
        return None
    before = kinds[index - 1]
    left, right = starts[index - 1], ends[index - 1]
    previous, word = text[left:right], text[start:end]
    acceptable = tables.actions[state]
    first = line_start(tokens, index)
    if before == "NAME" and first == index - 1 and kind in ("NAME", "STRING", "NUMBER"):
        if previous in ("print", "exec"):
            meant = f"Did you mean {previous}(...)?"
            return Refusal(f"Missing parentheses in call to '{previous}'. {meant}", left, right)
        if previous == "type":
            return not_part(previous, left, right)
    if before == "NUMBER" and kind == "NAME" and right == start:
        return Refusal(
            "invalid decimal literal",
            left,
            end,
            hint=f"multiplication is written *: {previous}*{word}" if previous.isdigit() else "",
        )
    if before == kind and right == start and kind in ("AMPERSAND", "VBAR"):
        meant = "and" if kind == "AMPERSAND" else "or"
        return Refusal("invalid syntax", left, end, hint=f"write `{meant}` instead of {word * 2}")
    if before in ("PLUS", "MINUS") and kind in ("_NEWLINE", "$END") and kinds[index - 2] == before:
        return Refusal(
            "invalid syntax",
            starts[index - 2],
            right,
            hint=f"write x {previous}= 1 for x{previous * 2}",
        )
    if "_INDENT" in acceptable and kind != "_INDENT":
        owner = block_owner(tokens, index)
        if owner is not None:
            return no_block(text, tokens, index, owner)
    if "COLON" in acceptable and kind == "_NEWLINE" and kinds[first] in BLOCK_WORDS:
        return Refusal("expected ':'", right, right)
    inside = unclosed(text, tokens, index) is not None
    if kind == "EQUAL":
        if kinds[first] in ("IF", "ELIF", "WHILE"):
            return Refusal(
                "invalid syntax. Maybe you meant '==' or ':=' instead of '='?", left, end
            )
        if inside:
            return Refusal(
                'expression cannot contain assignment, perhaps you meant "=="?', left, end
            )
    if before in OPERANDS and kind in STARTERS:
        if inside:
            return Refusal("invalid syntax. Perhaps you forgot a comma?", left, end)
        hint = "multiplication is written *" if kind in ("NAME", "LPAR") else ""
        return Refusal(f"unexpected '{word}', expected an operator", start, end, hint=hint)
    return None


def no_block(text: str, tokens: Tokens, index: int, owner: int) -> Refusal:
    """The refusal of the token at `index`, where the statement of the token `owner` has a block."""
    end = tokens.ends[index]
    line = text.count("\n", 0, tokens.starts[owner]) + 1
    name = text[tokens.starts[owner] : tokens.ends[owner]]
    definitions = {"def": "function definition", "class": "class definition"}
    what = definitions.get(name, f"'{name}' statement")
    ended = tokens.kinds[index] in ("$END", "_NEWLINE", "_DEDENT")
    at = tokens.ends[index - 1] if ended else tokens.starts[index]
    return Refusal(f"expected an indented block after {what} on line {line}", at, max(at, end))


def line_start(tokens: Tokens, index: int) -> int:
    """Index of the first token of the statement that holds the token at `index`."""
    while index and tokens.kinds[index - 1] not in (
        "_NEWLINE",
        "_INDENT",
        "_DEDENT",
        "SEMICOLON",
    ):
        index -= 1
    return index


def block_owner(tokens: Tokens, index: int) -> int | None:
    """Index of the keyword whose block should begin at `index`."""
    while index and tokens.kinds[index - 1] in ("_NEWLINE", "_DEDENT"):
        index -= 1
    first = line_start(tokens, index)
    return first if tokens.kinds[first] in BLOCK_WORDS else None


def expected(tables: Tables, state: int) -> str:
    """What could stand here, in plain words."""
    acceptable = tables.actions[state]
    words: list[str] = []
    if "NUMBER" in acceptable:
        words.append("an expression")
    elif "NAME" in acceptable:
        words.append("a name")
    if "PLUS" in acceptable and "NUMBER" not in acceptable:
        words.append("an operator")
    texts = {terminal: symbol for symbol, terminal in tables.symbols.items()}
    for terminal in ("COLON", "COMMA", "EQUAL", "RPAR", "RSQB", "RBRACE"):
        if terminal in acceptable and len(words) < 4:
            words.append(f"'{texts[terminal]}'")
    keywords = {terminal: word for word, terminal in tables.words.items()}
    if not words:
        for terminal in sorted(acceptable):
            if terminal in keywords:
                words.append(f"'{keywords[terminal]}'")
            elif terminal in texts:
                words.append(f"'{texts[terminal]}'")
            elif terminal in PLAIN_WORDS:
                words.append(PLAIN_WORDS[terminal])
    if not words or len(words) > 5:
        return ""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"

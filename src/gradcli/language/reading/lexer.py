"""Text to tokens, with the indentation of lines turned into tokens of its own.

The terminals are the grammar's. What cannot be a token becomes a last one of the kind `ERROR` (or
`BAD_INDENT`): the parser stops there, unless something before it was already wrong.
"""

from __future__ import annotations

import re
from functools import cache

from gradcli.language.reading.tables import IDENTIFIER, NUMBER, Tables

LINE_ENDS = ("_NEWLINE", "_INDENT", "_DEDENT")

TAB = 8
"""Columns to which a tab advances, as in Python."""


class Tokens:
    """Parallel lists: the kinds of tokens and where they start and end."""

    __slots__ = ("ends", "kinds", "problem", "starts")

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.problem = ""

    def add(self, kind: str, position: int) -> None:
        """Append a token that takes no room in the text."""
        self.kinds.append(kind)
        self.starts.append(position)
        self.ends.append(position)


class Lexer:
    """Cuts texts along the terminals of the tables."""

    def __init__(self, tables: Tables) -> None:
        skip = "|".join(tables.ignored)
        groups = [f"(?P<{name}>{pattern})" for name, pattern in tables.patterns]
        operators = sorted(tables.symbols, key=len, reverse=True)
        symbol = "|".join(map(re.escape, operators))
        groups.append(f"(?P<SYMBOL>{symbol})")
        groups.append(r"(?P<END>\Z)")
        self.pattern = re.compile(f"(?:{skip})*(?:{'|'.join(groups)})")
        self.skip = re.compile(f"(?:{skip})*")
        names, patterns = zip(*tables.patterns, strict=True)
        place = names.index(NUMBER)
        before, number, after = patterns[:place], patterns[place], patterns[place + 1 :]
        others = "|".join([skip, *before, f"(?!{number})(?:{'|'.join(after)}|{symbol}|[\\s\\S])"])
        self.apart = cache(lambda: re.compile(f"((?:{others})*+)({number})?").findall)
        self.symbols = tables.symbols
        self.words = tables.words
        numbers = self.pattern.groupindex
        self.kinds = ["", *sorted(numbers, key=lambda name: numbers[name])]
        self.name = numbers[IDENTIFIER]
        self.symbol = numbers["SYMBOL"]
        self.newline = numbers["_NEWLINE"]
        self.end = numbers["END"]

    def tokens(self, text: str, start: int, stop: int, lines: bool) -> Tokens:
        """The tokens of `text[start:stop]`; without `lines`, line breaks mean nothing (inside an
        f-string's braces).
        """
        result = self.cut(text, start, stop, lines)
        if lines and "match" in text:
            mark_matches(result, text)
        return result

    def cut(self, text: str, start: int, stop: int, lines: bool) -> Tokens:
        """The tokens, `match` and `case` names among them."""
        result = Tokens()
        kinds, starts, ends = result.kinds, result.starts, result.ends
        words, symbols = self.words, self.symbols
        depth = 0 if lines else 1
        levels = [self.first_level(text, start, stop)] if lines else []
        finish = start
        scan = self.pattern.scanner(text, start, stop).match  # type: ignore[attr-defined]
        while match := scan():
            group = match.lastindex
            assert group is not None
            begin, finish = match.span(group)
            if group == self.name:
                word = match[group]
                kind = words.get(word, IDENTIFIER)
                if not word.isidentifier():
                    kind = "ERROR"
            elif group == self.symbol:
                symbol = match[group]
                kind = symbols[symbol]
                if symbol in "([{":
                    depth += 1
                elif symbol in ")]}":
                    depth -= 1
            elif group == self.newline:
                if depth > 0:
                    continue
                depth = 0
                if kinds and kinds[-1] != "_NEWLINE":
                    result.add("_NEWLINE", begin)
                elif kinds:
                    continue
                if finish < stop and not self.indent(result, levels, text, finish):
                    return result
                continue
            elif group == self.end:
                break
            else:
                kind = self.kinds[group]
            kinds.append(kind)
            starts.append(begin)
            ends.append(finish)
        else:
            begin = self.skip.match(text, finish, stop).end()  # type: ignore[union-attr]
            kinds.append("ERROR")
            starts.append(begin)
            ends.append(min(begin + 1, stop))
            return result
        for _ in levels[1:]:
            result.add("_DEDENT", stop)
        result.add("$END", stop)
        return result

    def numbers_apart(self, text: str) -> list[tuple[str, str]]:
        """A text in pieces: what is no number, and the number after it ("" at the end).

        Texts of the same pieces but for the numbers have the same tokens but for them.
        """
        return self.apart()(text)

    def first_level(self, text: str, start: int, stop: int) -> tuple[int, int]:
        """The indentation of the first line, which the lines after it may share."""
        first = self.skip.match(text, start, stop).end()  # type: ignore[union-attr]
        while text.startswith("\n", first):
            first = self.skip.match(text, first + 1, stop).end()  # type: ignore[union-attr]
        margin = text[text.rfind("\n", 0, first) + 1 : first]
        return widths(margin) if margin.isspace() else (0, 0)

    def indent(
        self, tokens: Tokens, levels: list[tuple[int, int]], text: str, position: int
    ) -> bool:
        """Compare the indentation before `position` with the levels in force: is it fine?"""
        first = text.rfind("\n", 0, position) + 1
        wide, narrow = widths(text[first:position])
        problem = ""
        if wide > levels[-1][0]:
            if narrow <= levels[-1][1]:
                problem = "inconsistent use of tabs and spaces in indentation"
            levels.append((wide, narrow))
            tokens.add("_INDENT", position)
        else:
            while len(levels) > 1 and wide < levels[-1][0]:
                levels.pop()
                tokens.add("_DEDENT", position)
            if wide != levels[-1][0]:
                problem = "unindent does not match any outer indentation level"
            elif narrow != levels[-1][1]:
                problem = "inconsistent use of tabs and spaces in indentation"
        if problem:
            tokens.problem = problem
            tokens.kinds.append("BAD_INDENT")
            tokens.starts.append(first)
            tokens.ends.append(position)
        return not problem


def mark_matches(tokens: Tokens, text: str) -> None:
    """Tell the words `match` and `case` that are no names.

    `match` begins a statement where its line ends with a colon and the block after it begins with
    `case`, which is such a word at the beginning of each line of that block.
    """
    kinds, starts, ends = tokens.kinds, tokens.starts, tokens.ends
    level, blocks = 0, [-1]
    for index, kind in enumerate(kinds):
        if kind == "_INDENT":
            level += 1
        elif kind == "_DEDENT":
            level -= 1
            while blocks[-1] > level:
                blocks.pop()
        elif kind == IDENTIFIER and (index == 0 or kinds[index - 1] in LINE_ENDS):
            word = text[starts[index] : ends[index]]
            if word == "case" and blocks[-1] == level:
                kinds[index] = "_CASE"
            elif word == "match" and "_NEWLINE" in kinds[index:]:
                end = kinds.index("_NEWLINE", index)
                opened = kinds[end - 1 : end + 3] == ["COLON", "_NEWLINE", "_INDENT", IDENTIFIER]
                if opened and end > index + 2 and text[starts[end + 2] : ends[end + 2]] == "case":
                    kinds[index] = "_MATCH"
                    blocks.append(level + 1)


def widths(margin: str) -> tuple[int, int]:
    """The columns of white space before a line, with tabs as wide as Python takes them, and one
    wide.
    """
    wide = narrow = 0
    for character in margin:
        if character == "\t":
            wide = (wide // TAB + 1) * TAB
            narrow += 1
        elif character == "\f":
            wide = narrow = 0
        else:
            wide += 1
            narrow += 1
    return wide, narrow

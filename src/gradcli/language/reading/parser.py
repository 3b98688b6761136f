"""Builds the tree of a text, a line at a time, by lark's LALR(1) tables.

Lark's own loop takes some 80 us for a ten-token formula. Here what the tables say to do for a line
is found once for all lines of the same kinds of tokens (`recipes`), and what is left is to build
nodes. Neither the depth of nesting nor the length of a text makes it recurse.
"""

from __future__ import annotations

from typing import Any

from gradcli.language.reading import ast
from gradcli.language.reading.expressions import Reader
from gradcli.language.reading.lexer import Lexer
from gradcli.language.reading.recipes import LEAF, Recipes
from gradcli.language.reading.table_file import load_tables
from gradcli.language.reading.tables import Tables


class Parser:
    """Reads texts; one is enough for a process (`parser()`)."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.lexer = Lexer(tables)
        self.recipes = Recipes(tables)

    def program(self, text: str, blank: bool = False) -> tuple[ast.Block, bool]:
        """The tree of a program, and whether anything in it has variables of its own; with `blank`,
        numbers are read and left blank.

        Raises:
            Refusal: the text is not in the language.
        """
        whole = text if text.endswith("\n") else text + "\n"
        reader = Reader(self, whole, blank)
        tree: ast.Block = self.read(reader, "program", 0, len(whole))
        return tree, reader.scopes

    def read(self, reader: Reader, goal: str, start: int, stop: int) -> Any:
        """Parse `text[start:stop]` as `goal`, one of the grammar's start symbols.

        Raises:
            Refusal: it is none.
        """
        text = reader.text
        tokens = self.lexer.tokens(text, start, stop, goal == "program")
        kinds, starts, ends = tokens.kinds, tokens.starts, tokens.ends
        states = [self.tables.starts[goal]]
        values: list[Any] = []
        places: list[int] = []
        first = 0
        for after in [*(n for n, kind in enumerate(kinds, 1) if kind == "_NEWLINE"), len(kinds)]:
            recipe = self.recipes.find(states, kinds, first, after)
            for size, build, collect, begin, last in recipe.steps:
                if build is None or size == LEAF:
                    place, end = starts[first + begin], ends[first + begin]
                    spelt = text[place:end]
                    values.append(spelt if build is None else build(reader, [spelt], place, end))
                    places.append(place)
                    continue
                children: list[Any] = []
                end = ends[first + last] if first + last >= 0 else start
                if size:
                    children = values[-size:]
                    place = places[-size] if begin < 0 else starts[first + begin]
                    del values[-size:], places[-size:]
                else:
                    place = end if begin < 0 else starts[first + begin]
                if collect is not None:
                    children = collect(children)
                values.append(build(reader, children, place, end))
                places.append(place)
            del states[len(states) - recipe.dropped :]
            states += recipe.states
            if recipe.failed >= 0:
                from gradcli.language.reading.complaints import explain

                raise explain(self.tables, text, tokens, first + recipe.failed, states[-1])
            if recipe.accepted:
                return values[-1]
            first = after
        raise AssertionError("a text without an end")


_parser: Parser | None = None


def parser() -> Parser:
    """The process's parser, made when it is first needed."""
    global _parser
    if _parser is None:
        _parser = Parser(load_tables())
    return _parser

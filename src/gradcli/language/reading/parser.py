"""Walks lark's LALR(1) tables and builds the tree while it reads.

Lark's own loop takes some 80 us for a ten-token formula; this one a fifth of that, because a chain
of rules that stand for their only child (`product` for `unary` for `power` ...) is crossed in one
step that is looked up, and because spans cost two integers. Neither the depth of nesting nor the
length of a text makes it recurse.
"""

from __future__ import annotations

from typing import Any

from gradcli.language.reading import ast
from gradcli.language.reading.builder import ACTIONS
from gradcli.language.reading.expressions import Action, Reader
from gradcli.language.reading.lexer import Lexer
from gradcli.language.reading.table_file import load_tables
from gradcli.language.reading.tables import ACCEPT, Lazy, Rule, Tables

Reduction = tuple[str, int, Action | None, bool, tuple[int, ...] | None, Rule]
"""Origin and size of a rule, what it builds, whether it stands for its only child, the children
that stay where that is all there is to it, and the rule.
"""


class Parser:
    """Reads texts; one is enough for a process (`parser()`)."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.lexer = Lexer(tables)
        self.actions = tables.actions
        self.gotos = tables.gotos
        self.rules = Lazy(self.reduction)
        self.crossings: dict[tuple[int, int, str], int] = {}

    def reduction(self, number: int) -> Reduction:
        """What the loop needs to know of a rule."""
        rule = self.tables.rules[number]
        return (
            rule.origin,
            rule.size,
            ACTIONS.get(rule.action),
            rule.action == "" and rule.size == 1,
            simple_keep(rule.keep, rule.absent),
            rule,
        )

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
        actions, gotos, rules, crossings = self.actions, self.gotos, self.rules, self.crossings
        state = self.tables.starts[goal]
        states = [state]
        values: list[Any] = []
        places: list[int] = []
        last = start
        for index, kind in enumerate(tokens.kinds):
            begin, finish = tokens.starts[index], tokens.ends[index]
            while True:
                action = actions[state].get(kind)
                if action is None:
                    from gradcli.language.reading.complaints import explain

                    raise explain(self.tables, text, tokens, index, states[-1])
                if action >= 0:
                    if action == ACCEPT:
                        return values[-1]
                    state = action
                    states.append(state)
                    values.append(text[begin:finish])
                    places.append(begin)
                    last = finish
                    break
                origin, size, build, crossed, keep, rule = rules[~action]
                if crossed:
                    below = states[-2]
                    key = (below, state, kind)
                    reached = crossings.get(key)
                    if reached is None:
                        reached = crossings[key] = self.cross(below, state, kind)
                    state = states[-1] = reached
                    continue
                if size:
                    children = values[-size:]
                    place = places[-size]
                    del values[-size:], places[-size:], states[-size:]
                else:
                    children = []
                    place = last
                if keep is not None:
                    children = [children[index] for index in keep]
                else:
                    children = collect(rule, children)
                if build is None:
                    values.append(children if rule.action == "*" else children[0])
                else:
                    values.append(build(reader, children, place, last))
                places.append(place)
                state = gotos[states[-1]][origin]
                states.append(state)
        raise AssertionError("a text without an end")

    def cross(self, below: int, state: int, kind: str) -> int:
        """The state after all reductions that stand for their only child, from `state` above
        `below`.
        """
        while True:
            action = self.actions[state].get(kind)
            if action is None or action >= 0 or not self.rules[~action][3]:
                return state
            state = self.gotos[below][self.rules[~action][0]]


def simple_keep(keep: tuple[tuple[int, bool, int], ...], absent: int) -> tuple[int, ...] | None:
    """The indices that stay, where nothing is spliced or missing."""
    if absent or any(spliced or missing for _, spliced, missing in keep):
        return None
    return tuple(index for index, _, _ in keep)


def collect(rule: Rule, children: list[Any]) -> list[Any]:
    """The children that stay, lists spliced; the first list grows in place, so that long lists take
    linear time.
    """
    kept: list[Any] = []
    for index, spliced, missing in rule.keep:
        if missing:
            kept.extend([None] * missing)
        if not spliced:
            kept.append(children[index])
        elif kept:
            kept.extend(children[index])
        else:
            kept = children[index]
    if rule.absent:
        kept.extend([None] * rule.absent)
    return kept


_parser: Parser | None = None


def parser() -> Parser:
    """The process's parser, made when it is first needed."""
    global _parser
    if _parser is None:
        _parser = Parser(load_tables())
    return _parser

"""Builds the parse tables: lark analyses the grammar (LALR(1)), and what the parser needs is taken
down.

Needed when the package is built, and where a process finds no tables of its grammar: lark takes
30 ms to import and 200 ms for the analysis.
"""

from __future__ import annotations

from typing import Any, Final

from lark import Lark
from lark.lexer import PatternStr
from lark.parsers.lalr_analysis import Shift

from gradcli.language.reading.tables import ACCEPT, STARTS, Rule, Tables

DECLARED: Final = ("_INDENT", "_DEDENT", "_MATCH", "_CASE")
"""Terminals that come from the lexer of this folder."""


def build_tables(grammar: str) -> Tables:
    """The tables of a grammar, the same in every process: lark numbers states as its sets yield
    them, so they are numbered anew, in the order in which they are reached.
    """
    parser: Any = Lark(
        grammar,
        parser="lalr",
        start=list(STARTS),
        postlex=Layout(),
        maybe_placeholders=True,
        propagate_positions=False,
    )
    table = parser.parser.parser._parse_table
    terminals = {terminal.name for terminal in parser.terminals} | {"$END", *DECLARED}
    reached = list(dict.fromkeys(table.start_states[start] for start in STARTS))
    numbers = {state: number for number, state in enumerate(reached)}
    order = {rule: number for number, rule in enumerate(parser.rules)}
    actions: dict[int, dict[str, int]] = {}
    gotos: dict[int, dict[str, int]] = {}
    for state in reached:  # grows below
        taken = actions[numbers[state]] = {}
        onward = gotos[numbers[state]] = {}
        for name, (action, argument) in sorted(table.states[state].items()):
            if action == Shift:
                if argument not in numbers:
                    numbers[argument] = len(reached)
                    reached.append(argument)
                (taken if name in terminals else onward)[name] = numbers[argument]
            else:
                taken[name] = ~order.setdefault(argument, len(order))
    for state in table.end_states.values():
        actions[numbers[state]]["$END"] = ACCEPT
    patterns, symbols, words, ignored = [], {}, {}, []
    for terminal in sorted(parser.terminals, key=precedence):
        if terminal.name in parser.ignore_tokens:
            ignored.append(expression(terminal.pattern))
        elif not isinstance(terminal.pattern, PatternStr):
            patterns.append((terminal.name, expression(terminal.pattern)))
        elif terminal.pattern.value.isidentifier():
            words[terminal.pattern.value] = terminal.name
        else:
            symbols[terminal.pattern.value] = terminal.name
    return Tables(
        actions=actions,
        gotos=gotos,
        rules={number: plan(rule) for rule, number in order.items()},
        starts={start: numbers[table.start_states[start]] for start in STARTS},
        patterns=patterns,
        symbols=symbols,
        words=words,
        ignored=ignored,
    )


class Layout:
    """Tells lark that `_INDENT` and `_DEDENT` come from outside (the lexer of this folder)."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Any) -> Any:
        """Nothing: lark never reads a program."""
        return stream


def precedence(terminal: Any) -> tuple[int, int, int, str]:
    """Sorts terminals as lark's lexer tries them."""
    pattern = terminal.pattern
    return (-terminal.priority, -pattern.max_width, -len(pattern.value), terminal.name)


def expression(pattern: Any) -> str:
    """The regular expression of a terminal, its flags in the order of the alphabet."""
    text: str = pattern.value
    for flag in sorted(pattern.flags):
        text = f"(?{flag}:{text})"
    return text


def plan(rule: Any) -> Rule:
    """What reducing a lark rule does; the rules of lark's own parse tree builder."""
    options = rule.options
    gaps = [0] * (len(rule.expansion) + 1)
    if options.empty_indices:
        position = 0
        for missing in options.empty_indices:
            if missing:
                gaps[position] += 1
            else:
                position += 1
    keep = []
    waiting = 0
    for index, symbol in enumerate(rule.expansion):
        waiting += gaps[index]
        if options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):
            spliced = not symbol.is_term and symbol.name.startswith("_")
            keep.append((index, spliced, waiting))
            waiting = 0
    waiting += gaps[-1]
    origin = str(rule.origin.name)
    if origin.startswith("_"):
        action = "*"
    elif rule.alias:
        action = str(rule.alias)
    elif options.expand1 and len(keep) == 1 and not keep[0][1] and not keep[0][2] and not waiting:
        action = ""
    else:
        action = origin
    return Rule(origin, len(rule.expansion), action, tuple(keep), waiting)

"""The parse tables of `grammar/gradcli.lark`, and the file that holds them.

The file is text, in sections of lines with an empty line between them; a first line says which
grammar the tables belong to. Reading it takes a fraction of a millisecond, because the lines of
rules and states, the bulk of the file, wait until a parser comes to them.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from sys import intern
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

FORMAT = 1
"""Of the file; another number makes old files stale."""

ACCEPT = 1 << 20
"""The action that ends a parse."""

STARTS = ("program", "field")

IDENTIFIER = "NAME"
"""The terminal whose texts may be keywords."""

NUMBER = "NUMBER"
"""The terminal of numbers."""

LINE_BREAK = "\u2424"
"""Stands for a line break within a regular expression."""


class Rule(NamedTuple):
    """A grammar rule, as the parser reduces it.

    `keep` lists, for every child that stays, its index, whether it is spliced, and how many `None`s
    stand before it for absent optional parts; `absent` counts those after the last. `action` names
    the node that is built; it is "" where the rule stands for its only child, and "*" where it is a
    list to be spliced.
    """

    origin: str
    size: int
    action: str
    keep: tuple[tuple[int, bool, int], ...]
    absent: int


class Tables(NamedTuple):
    """LALR(1) tables: `actions[state][terminal]` is the state to shift to, or ~rule to reduce, or
    `ACCEPT`; `gotos[state][origin]` the state after a reduction.
    """

    actions: dict[int, dict[str, int]]
    gotos: dict[int, dict[str, int]]
    rules: dict[int, Rule]
    starts: dict[str, int]
    patterns: list[tuple[str, str]]
    """Terminals given by a regular expression, in the order in which they are tried."""
    symbols: dict[str, str]
    """Text of an operator or bracket to its terminal."""
    words: dict[str, str]
    """Text of a keyword to its terminal."""
    ignored: list[str]


class Lazy(dict[int, Item], Generic[Item]):
    """Items that are made by their number, each when first looked up."""

    def __init__(self, make: Callable[[int], Item]) -> None:
        self.make = make

    def __missing__(self, number: int) -> Item:
        item = self[number] = self.make(number)
        return item


def header(grammar: str, body: bytes) -> bytes:
    """The first line of a file: its format, and checksums of the grammar and of what follows."""
    return b"gradcli tables %d %08x %08x" % (FORMAT, zlib.crc32(grammar.encode()), zlib.crc32(body))


def format_tables(tables: Tables, grammar: str) -> bytes:
    """The content of the file.

    Raises:
        ValueError: a regular expression has the character that stands for a line break.
    """
    sections: list[Iterable[str]] = [
        (f"{goal}\t{state}" for goal, state in tables.starts.items()),
        map(one_line, tables.ignored),
        (f"{name}\t{one_line(pattern)}" for name, pattern in tables.patterns),
        (f"{name}\t{text}" for text, name in tables.symbols.items()),
        (f"{name}\t{text}" for text, name in tables.words.items()),
        map(format_rule, tables.rules.values()),
        (f"{format_row(row)}\t{format_row(tables.gotos[n])}" for n, row in tables.actions.items()),
    ]
    body = "\n\n".join(map("\n".join, sections)).encode()
    return header(grammar, body) + b"\n" + body


def read_tables(data: bytes, grammar: str) -> Tables | None:
    """The tables that a file holds, or None where they are another grammar's, or damaged."""
    first, _, body = data.partition(b"\n")
    if first != header(grammar, body):
        return None
    *sections, rules, states = body.split(b"\n\n")
    starts, ignored, patterns, symbols, words = (
        section.decode().split("\n") for section in sections
    )
    rule_lines, state_lines = rules.split(b"\n"), states.split(b"\n")
    return Tables(
        actions=Lazy(lambda state: read_row(state_lines[state].split(b"\t")[0])),
        gotos=Lazy(lambda state: read_row(state_lines[state].split(b"\t")[1])),
        rules=Lazy(lambda number: read_rule(rule_lines[number])),
        starts={goal: int(state) for goal, state in map(split, starts)},
        patterns=[split(line.replace(LINE_BREAK, "\n")) for line in patterns],
        symbols={text: name for name, text in map(split, symbols)},
        words={text: name for name, text in map(split, words)},
        ignored=[line.replace(LINE_BREAK, "\n") for line in ignored],
    )


def one_line(pattern: str) -> str:
    """A regular expression as it stands in the file."""
    if LINE_BREAK in pattern:
        raise ValueError(f"a terminal must do without {LINE_BREAK}")
    return pattern.replace("\n", LINE_BREAK)


def split(line: str) -> tuple[str, str]:
    """The name at the beginning of a line, and the rest."""
    name, _, rest = line.partition("\t")
    return intern(name), rest


def format_rule(rule: Rule) -> str:
    """A rule's line: its fields, the children that stay last."""
    keep = " ".join(f"{index},{spliced:d},{missing}" for index, spliced, missing in rule.keep)
    return f"{rule.origin}\t{rule.size}\t{rule.action}\t{rule.absent}\t{keep}"


def read_rule(line: bytes) -> Rule:
    """The rule of a line."""
    origin, size, action, absent, keep = line.decode().split("\t")
    children = []
    for child in keep.split():
        index, spliced, missing = child.split(",")
        children.append((int(index), spliced == "1", int(missing)))
    return Rule(intern(origin), int(size), action, tuple(children), int(absent))


def format_row(row: dict[str, int]) -> str:
    """A state's row: `value:NAME,NAME`, and so on for every value."""
    names: dict[int, list[str]] = {}
    for name, value in row.items():
        names.setdefault(value, []).append(name)
    return " ".join(f"{value}:{','.join(names[value])}" for value in names)


def read_row(text: bytes) -> dict[str, int]:
    """The row that `format_row` wrote."""
    row: dict[str, int] = {}
    for group in text.decode().split():
        value, _, names = group.partition(":")
        row.update(dict.fromkeys(map(intern, names.split(",")), int(value)))
    return row

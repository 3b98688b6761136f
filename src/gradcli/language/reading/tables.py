"""The parse tables of `grammar/gradcli.lark`: built by lark, kept in the user's cache directory.

Lark analyses the grammar (LALR(1)) and is not needed again: what is kept are plain lists, dicts and
strings, read back with `marshal`. So a start that finds its tables neither imports lark (30 ms) nor
analyses the grammar (200 ms).
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from contextlib import suppress
from typing import Any, NamedTuple

FORMAT = 1
"""Of the cached file; another number makes old files stale."""

ACCEPT = 1 << 20
"""The action that ends a parse."""

STARTS = ("program", "field")

IDENTIFIER = "NAME"
"""The terminal whose texts may be keywords."""


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
    `ACCEPT`.
    """

    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    rules: list[Rule]
    starts: dict[str, int]
    patterns: list[tuple[str, str]]
    """Terminals given by a regular expression, in the order in which they are tried."""
    symbols: dict[str, str]
    """Text of an operator or bracket to its terminal."""
    words: dict[str, str]
    """Text of a keyword to its terminal."""
    ignored: list[str]


def grammar_path() -> str:
    """Path of the grammar: beside the package where it is installed, at the repository's top in a
    checkout.
    """
    package = os.path.abspath(__file__)
    for _ in __name__.split(".")[1:]:
        package = os.path.dirname(package)
    installed = os.path.join(package, "grammar", "gradcli.lark")
    if os.path.exists(installed):
        return installed
    return os.path.join(os.path.dirname(os.path.dirname(package)), "grammar", "gradcli.lark")


def load_tables() -> Tables:
    """The tables, from the cache or else built anew."""
    with open(grammar_path(), encoding="utf-8") as file:
        grammar = file.read()
    directory = cache_directory()
    path = None
    if directory is not None:
        key = zlib.crc32(grammar.encode())
        path = os.path.join(directory, f"grammar-{sys.implementation.cache_tag}-{key:08x}.tables")
        tables = read_cache(path, grammar)
        if tables is not None:
            return tables
    tables = build_tables(grammar)
    if path is not None:
        write_cache(path, grammar, tables)
    return tables


def cache_directory() -> str | None:
    """The user's own cache directory, made where it is missing; None where it is not ours alone or
    cannot be had.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    directory = os.path.join(base, "gradcli")
    try:
        os.makedirs(base, mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(directory, mode=0o700)
        state = os.lstat(directory)
    except OSError:
        return None
    if not os.path.isdir(directory) or os.path.islink(directory):
        return None
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o077):
        return None
    return directory


def read_cache(path: str, grammar: str) -> Tables | None:
    """The cached tables, or None where there are none for this grammar, or they are damaged."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        body = memoryview(data)[4:]
        if int.from_bytes(data[:4], "little") != zlib.crc32(body):
            return None
        version, text, fields = marshal.loads(body)
        if version != FORMAT or text != grammar:
            return None
        actions, gotos, rules, starts, patterns, symbols, words, ignored = fields
    except (OSError, ValueError, TypeError, EOFError):
        return None
    rules = [Rule(*rule) for rule in rules]
    return Tables(actions, gotos, rules, starts, patterns, symbols, words, ignored)


def write_cache(path: str, grammar: str, tables: Tables) -> None:
    """Keep the tables; a reader sees the old file or the new one, and a disk that refuses is no
    error.
    """
    fields: tuple[Any, ...] = tuple(tables)
    fields = (*fields[:2], [tuple(rule) for rule in tables.rules], *fields[3:])
    body = marshal.dumps((FORMAT, grammar, fields))
    unfinished = f"{path}.{os.getpid()}"
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "wb") as file:
            file.write(zlib.crc32(body).to_bytes(4, "little") + body)
        os.replace(unfinished, path)
    except OSError:
        with suppress(OSError):
            os.unlink(unfinished)


def build_tables(grammar: str) -> Tables:
    """Let lark analyse the grammar, and take down what the parser needs."""
    from lark import Lark
    from lark.lexer import PatternStr
    from lark.parsers.lalr_analysis import Shift

    parser: Any = Lark(
        grammar,
        parser="lalr",
        start=list(STARTS),
        postlex=Layout(),
        maybe_placeholders=True,
        propagate_positions=False,
    )
    table = parser.parser.parser._parse_table
    order = {rule: number for number, rule in enumerate(parser.rules)}
    actions: list[dict[str, int]] = []
    gotos: list[dict[str, int]] = []
    terminals = {terminal.name for terminal in parser.terminals} | {"$END", "_INDENT", "_DEDENT"}
    for state in range(len(table.states)):
        taken: dict[str, int] = {}
        reached: dict[str, int] = {}
        for symbol, (action, argument) in table.states[state].items():
            name = sys.intern(str(symbol))
            if action is Shift or action == Shift:
                (taken if name in terminals else reached)[name] = argument
            else:
                taken[name] = ~order.setdefault(argument, len(order))
        actions.append(taken)
        gotos.append(reached)
    for state in table.end_states.values():
        actions[state]["$END"] = ACCEPT
    rules = [plan(rule) for rule in order]
    ordered = sorted(
        parser.terminals,
        key=lambda terminal: (
            -terminal.priority,
            -terminal.pattern.max_width,
            -len(terminal.pattern.value),
            terminal.name,
        ),
    )
    patterns, symbols, words, ignored = [], {}, {}, []
    for terminal in ordered:
        if terminal.name in parser.ignore_tokens:
            ignored.append(terminal.pattern.to_regexp())
        elif not isinstance(terminal.pattern, PatternStr):
            patterns.append((terminal.name, terminal.pattern.to_regexp()))
        elif terminal.pattern.value.isidentifier():
            words[terminal.pattern.value] = terminal.name
        else:
            symbols[terminal.pattern.value] = terminal.name
    starts = {str(name): state for name, state in table.start_states.items()}
    return Tables(actions, gotos, rules, starts, patterns, symbols, words, ignored)


class Layout:
    """Tells lark that `_INDENT` and `_DEDENT` come from outside, from the lexer."""

    always_accept = ("_NEWLINE",)

    def process(self, stream: Any) -> Any:
        """Nothing: lark never reads a program."""
        return stream


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

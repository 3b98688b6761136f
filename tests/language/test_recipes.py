"""Lines of the same kinds of tokens are read by one recipe, and nobody can tell."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.language.reading import ast
from gradcli.language.reading.parser import Parser, parser
from gradcli.language.reading.recipes import LIMIT, PER_TOKEN, SMALLEST, Recipes
from gradcli.language.reading.table_file import load_tables
from gradcli.language.telling.diagnostics import Refusal

LINES = st.sampled_from(
    [
        *("x = 1", "y = x * 0.5 + z", "f(x, *y, k=2)[1:, ::2]", "print('a' 'b', x)", "a, *b = c"),
        *(
            "if x:",
            "else:",
            "for i in range(3):",
            "while x: y",
            "def f(a, *, b=1, **c):",
            "return x",
        ),
        *("x = (1,", "2)", "(", "]", "x +", "'''a", "b'''", "# no", "", "\\", "@f", "with a as b:"),
        *("let x = 00", "lambda a: 1", "x[i] += 1; del y; pass;", "x = f'{a + 1}'", "1 2", "é$"),
    ]
)
MARGINS = st.sampled_from(["", "", "", " ", "    ", "\t"])


def told(read: Parser, text: str) -> Any:
    """The tree as nested lists, or why there is none."""
    try:
        tree, _ = read.program(text)
    except Refusal as refusal:
        return refusal.message, refusal.start, refusal.end, refusal.label, refusal.hint
    return as_lists(tree)


def as_lists(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [as_lists(item) for item in value]
    if not isinstance(value, ast.Node):
        return repr(value)
    return [type(value).__name__, value.start, value.end] + [
        as_lists(getattr(value, name)) for name in type(value).__slots__
    ]


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(MARGINS, LINES), max_size=8))
def test_same_tree(lines: list[tuple[str, str]]) -> None:
    text = "\n".join(margin + line for margin, line in lines)
    expected = told(Parser(load_tables()), text)
    assert told(parser(), text) == expected
    assert told(parser(), text) == expected


@pytest.mark.parametrize(
    "line", ["x", "x = y * 2 + z", "f(a, b=1)[2:3].c", "x = " + "-" * 150 + "1"]
)
def test_no_recipe_is_larger_than_it_counts(line: str) -> None:
    read = parser()
    tokens = read.lexer.tokens(line + "\nx\n", 0, len(line) + 3, True)
    count = tokens.kinds.index("_NEWLINE") + 1
    recipes = Recipes(load_tables())
    state = [read.tables.starts["program"]]
    recipes.make(state, tokens.kinds[: count + 1], count)
    tracemalloc.start()
    try:
        kept = [
            (recipes.make(state, tokens.kinds[: count + 1], count), (*state, *tokens.kinds[:count]))
            for _ in range(20)
        ]
        size = tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()
    assert size < SMALLEST + PER_TOKEN * count


def test_recipes_are_bounded() -> None:
    read = Parser(load_tables())
    for number in range(600):
        read.program("x" + " + 1" * (number % 90) + " - 1" * (number // 90))
    assert len(read.recipes.known.items) < 600
    assert 0 <= read.recipes.known.left <= LIMIT <= 4 << 20

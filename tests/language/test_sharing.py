"""Texts that differ in numbers share a parse, and nobody can tell."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.language import ParseError, compile_text
from gradcli.language.compiling.compiler import normalized
from gradcli.language.compiling.emitter import constant_key
from gradcli.language.compiling.sharing import LIMIT, compile_shared, shape_of, size_of
from gradcli.language.reading.parser import parser
from gradcli.language.running import code as op
from gradcli.language.running.code import Code
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import diagnose
from gradcli.tensor.bounded import Bounded

repeatable = settings(derandomize=True, deadline=None, max_examples=500)


def words(text: str) -> list[str]:
    return text.split()


NUMBERS = st.sampled_from(
    words("1 2 1.5 1.50 .5 5. 1e3 1E-2 1_0.2_5 0x1f 0B1 2j .5J 0 00 007 1e400 1__0 123456789012")
) | st.floats(0, 1e9).map(repr)

PIECES = st.sampled_from(
    [
        *words(
            "+ - * ** is == , -- -( ) ( [ ] : ; x y1 e5 ' ' \" # and not ... . ~ { } é $ \ufeff"
        ),
        *(" if ", " else ", "lambda: ", "'a 1.5'", "f'{2.5} {x:.3f}'", "[i * 2.5 for i in (1, 2)]"),
        *("f(", "x[", "let x = ", "const y = ", "x = ", "\n", "\\\n", "\r\n", " ", " e5"),
    ]
)


def told(compile: Any, text: str, mathematics: bool) -> Any:
    """All that a code is, its values in place of their numbers; or why there is none."""
    try:
        code: Code = compile(text, mathematics=mathematics)
    except ParseError as error:
        found = error.diagnostic
        return found.message, found.line, found.column, found.end_column, found.hint, found.source
    same: dict[int, int] = {}
    instructions = [
        (
            operation,
            (constant_key(constants[argument]), same.setdefault(id(constants[argument]), len(same)))
            if operation == op.CONSTANT
            else flat(argument),
        )
        for constants in [code.constants]
        for operation, argument in code.instructions
    ]
    spans = [code.span(index) for index in range(len(code.instructions))]
    return code.text, instructions, spans, code.reads, code.stores, code.operands, code.declared


def flat(argument: Any) -> Any:
    """An instruction's argument, without what is equal to nothing else."""
    if isinstance(argument, Code):
        return told(lambda *_, **__: argument, "", False)
    return [flat(item) for item in argument] if isinstance(argument, tuple) else argument


@repeatable
@given(st.lists(st.tuples(PIECES, st.just("") | NUMBERS, NUMBERS), max_size=8), st.booleans())
def test_same_code(parts: list[tuple[str, str, str]], mathematics: bool) -> None:
    texts = [
        "".join(piece + (spellings[which] if spellings[0] else "") for piece, *spellings in parts)
        for which in (0, 1, 0)
    ]
    for text in texts:
        assert told(compile_shared, text, mathematics) == told(compile_text, text, mathematics)


VALUES = [
    ("2.5 * x - 1", "0.125 * x - 3j", "7 * x - 0x10"),
    ("-1.5 ** 2", "-3 ** 4", "-0.0 ** 1"),
    ("- -x * -(0.0)", "- -x * -(0)", "- -x * -(1j)"),
    ("1.5 is 1.5", "1.5 is 2.5", "1.5 is 1.50"),
    ("[9, 8, 7][1:2], 'a' * 2", "[9, 8, 7][0:3], 'a' * 1", "[9, 8, 7][2:1], 'a' * 0"),
    ("f'{1.5:.2f}' + str(1)", "f'{1.5:.2f}' + str(2)", "f'{2.5:.3f}' + str(3)"),
    ("(lambda t: t * 1.5)(2)", "(lambda t: t * 2.5)(2)", "(lambda t: t * 1.5)(3)"),
    ("[t * 1.5 for t in (1, 2)]", "[t * 2 for t in (3, 4)]", "[t * 1j for t in (0, 1)]"),
    ("e5 + a1 if 1 else 2 # 3", "e5 + a1 if 0 else 3 # 3", "e5 + a1 if .0 else 2 # 4"),
    ("1 or 2, '1' '2'", "0 or 3, '1' '2'", "0.0 or 4, '1' '3'"),
]


@pytest.mark.parametrize("texts", VALUES)
def test_same_value(texts: tuple[str, ...]) -> None:
    names = {"x": 3.0, "e5": 1.0, "a1": 2.0}
    for text in (*texts, *texts):
        found, expected = (
            repr(Machine(dict(names)).run(compile(text)))
            for compile in (compile_shared, compile_text)
        )
        assert found == expected


@pytest.mark.parametrize(
    "text", ["1.5 * {} + nosuch * {}", "x = {}; y = [{}, 2.5]\ny[{}]; y[{}.real] + z", "{} @ {}"]
)
@pytest.mark.parametrize("numbers", [("1", "2"), ("0.000001", "2.5"), ("12345678", "1_000_000")])
def test_place_of_an_error(text: str, numbers: tuple[str, str]) -> None:
    def place(compile: Any) -> tuple[int, int, int, str]:
        whole = text.format(*numbers, *numbers)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - its place is what matters
            Machine().run(compile(whole))
        found = diagnose(caught.value)
        return found.line, found.column, found.end_column, found.source

    assert place(compile_shared) == place(compile_text)


def test_numbers_are_shared() -> None:
    first, second = (compile_shared(f"1.5 * spam - {number}") for number in ("3", "0.25"))
    assert first.instructions is second.instructions
    assert second.constants == [1.5, 0.25]


def test_functions_are_not() -> None:
    text = "(lambda: 1 + spam)() * 2"
    assert compile_text(text).inner
    assert compile_shared(text) is compile_shared(text)


def test_a_text_that_shares_nothing_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_shared("(lambda: 1 + eggs)() * 1")
    compiled: list[str] = []

    def counted(text: str, *rest: Any, **named: Any) -> Code:
        compiled.append(text)
        return compile_text(text, *rest, **named)

    monkeypatch.setattr("gradcli.language.compiling.sharing.compile_text", counted)
    texts = [f"(lambda: 1 + eggs)() * {number}" for number in (2, 3, 2)]
    assert [compile_shared(text).constants for text in texts] == [[2], [3], [2]]
    assert compiled == texts[:2]


@pytest.mark.parametrize(
    "text",
    [
        *("", "spam", "x" * 100, "1.5", "1," * 50, "x+" * 2000 + "x", "'\N{OLD PERSIAN SIGN A}'*2"),
        *(
            "a.b(c)[d];" * 30,
            "let x = 1;" * 20 + "x",
            "lambda: " * 20 + "1",
            "[x for x in y]," * 30,
        ),
    ],
)
def test_no_code_is_larger_than_it_counts(text: str) -> None:
    def remembered() -> Any:
        code = compile_text(text, "expressions", blank=True)
        found = parser().lexer.numbers_apart(normalized(text))
        pieces = tuple([piece for piece, _ in found])
        return shape_of(code, pieces, [number for _, number in found if number]), code, pieces

    remembered()
    tracemalloc.start()
    try:
        kept = [remembered() for _ in range(20)]
        assert tracemalloc.get_traced_memory()[0] < sum(size_of(code) for _, code, _ in kept)
    finally:
        tracemalloc.stop()


def test_what_is_remembered_is_bounded() -> None:
    held: Bounded[int] = Bounded(100)
    for key in range(50):
        held.add(key, key * key, 10)
        assert held.get(0) == 0  # asked for again and again, it stays
    assert set(held.items) == {0, *range(41, 50)}
    assert held.left == 0
    held.add("large", 0, 101)
    assert held.get("large") is None
    assert held.get(49) == 49 * 49
    held.add("whole", 1, 100)
    assert list(held.items) == ["whole"]
    assert LIMIT <= 8 << 20

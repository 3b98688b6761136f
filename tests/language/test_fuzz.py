"""Any text is read or refused, and small expressions mean what they mean in Python."""

from __future__ import annotations

import math
import warnings
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gradcli.language import Machine, ParseError, compile_text, render
from gradcli.language.telling.diagnostics import locate

PIECES = [
    *"()[]{}:;,.=+-*/%@&|^~<>!?$`\\'\"#_ \n\t",
    *("**", "//", "<<", ">>", "==", "!=", "<=", ">=", "->", ":=", "+=", "...", "'''", '"""'),
    *("if", "else", "elif", "for", "in", "while", "def", "return", "lambda", "not", "and", "or"),
    *("is", "let", "const", "with", "as", "import", "from", "global", "nonlocal", "del", "pass"),
    *("class", "try", "yield", "None", "True", "x", "y", "f", "print", "f'", "rb'", "{x!r:>{y}}"),
    *("1", "0x", "1e", "1.", ".5", "1_0", "0777", "9j", "é", "²", "日", "\x00", "\ufeff", "\n    "),
]


def read(text: str) -> None:
    """Compile a text, or get a diagnostic that can be shown."""
    try:
        compile_text(text)
        return
    except ParseError as error:
        found = error.diagnostic
    assert render(found).startswith("error: SyntaxError: ")
    assert 1 <= found.column <= found.end_column
    assert 1 <= found.line <= text.count("\n") + text.count("\r") + 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    read(data.decode("utf-8", "surrogateescape"))
    read(data.decode("latin-1"))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    read(text)


@settings(max_examples=700, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_pieces(pieces: list[str]) -> None:
    read("".join(pieces))
    read(" ".join(pieces))


def grow(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions from smaller ones."""
    operators = ["+", "-", "*", "/", "//", "%", "<", ">", "==", "!=", "<=", ">=", "in", "not in"]
    operators += ["and", "or", "&", "|", "^", "**", "<<", ">>"]
    binary = st.tuples(children, st.sampled_from(operators), children).map(" ".join)
    return st.one_of(
        binary,
        binary.map(lambda text: f"({text})"),
        st.tuples(st.sampled_from(["-", "not ", "~", "+"]), children).map("".join),
        # Whether equal constants are one object is an accident of each implementation.
        children.map(lambda t: f"({t} is None)"),
        children.map(lambda t: f"({t} is not None)"),
        st.tuples(children, children, children).map(lambda t: "({} if {} else {})".format(*t)),
        st.lists(children, max_size=3).map(lambda t: f"[{', '.join(t)}]"),
        st.lists(children, max_size=3).map(lambda t: f"({''.join(x + ', ' for x in t)})"),
        st.tuples(children, children).map(lambda t: "{{{}: {}}}".format(*t)),
        st.tuples(children, children).map(lambda t: "({})[{}]".format(*t)),
        st.tuples(children, children).map(lambda t: "({})[{}:]".format(*t)),
        st.tuples(children, children).map(lambda t: "(lambda v: {})({})".format(*t)),
        st.tuples(children, children).map(lambda t: "[{} for v in [{}]]".format(*t)),
        st.tuples(children, children).map(lambda t: "[v for v in [{}] if {}]".format(*t)),
        children.map(lambda t: f"len({t})"),
        children.map(lambda t: f"str({t})"),
        children.map(lambda t: f"(w := {t})"),
        children.map(lambda t: "f'{(" + t + ")!s:>4}'" if "'" not in t else t),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["0", "1", "2", "-3", "7", "1.5", "0.0", "2j", "True", "None", "'ab'", "v", "w"]
    ),
    grow,
    max_leaves=8,
)


def in_python(text: str) -> tuple[str, str]:
    """The value of an expression in Python, or its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return "value", repr(eval(text, {"v": 4, "w": -2}))
        except Exception as error:
            return type(error).__name__, str(error)


def in_gradcli(text: str) -> tuple[str, str]:
    """The same here."""
    try:
        return "value", repr(Machine({"v": 4, "w": -2}).run(compile_text(text)))
    except ParseError as error:
        return "SyntaxError", error.diagnostic.message
    except Exception as error:
        return type(error).__name__, str(error)


@settings(max_examples=800, deadline=None)
@given(EXPRESSIONS)
def test_expressions_mean_what_they_mean_in_python(text: str) -> None:
    want, got = in_python(text), in_gradcli(text)
    if want[0] != "SyntaxError" and not got[1].startswith("result too large"):
        assert got == want


@settings(max_examples=200, deadline=None)
@given(st.floats(allow_nan=False) | st.integers() | st.complex_numbers(allow_nan=False))
def test_numbers_are_read_exactly(number: Any) -> None:
    text = repr(number)
    if "inf" in text:
        return
    value = Machine().run(compile_text(text))
    assert value == number
    assert type(value) is type(number)
    if isinstance(number, float):
        assert math.copysign(1, value) == math.copysign(1, number)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=20))
def test_strings_are_read_exactly(text: str) -> None:
    if any(0xD800 <= ord(character) <= 0xDFFF for character in text):
        return
    assert Machine().run(compile_text(repr(text))) == text
    assert Machine().run(compile_text(ascii(text))) == text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_whatever_compiles_runs_or_fails(pieces: list[str]) -> None:
    text = " ".join(pieces)
    try:
        code = compile_text(text)
    except ParseError:
        return
    failure: Exception | None = None
    try:
        Machine({"x": 3, "y": [1], "f": abs}, write=lambda _: None, max_steps=1000).run(code)
    except Exception as error:
        failure = error
    assert failure is None or hasattr(failure, "place")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30), st.integers(0, 40), st.integers(0, 40))
def test_any_place_can_be_shown(text: str, start: int, end: int) -> None:
    render(locate("E", "m", text, "expression", start, end))

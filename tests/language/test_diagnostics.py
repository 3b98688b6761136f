"""What users see of errors, word for word."""

from __future__ import annotations

import textwrap

import pytest

from gradcli.language import Machine, ParseError, compile_text, diagnose, render
from gradcli.language.telling.diagnostics import WIDTH, Diagnostic, excerpt
from gradcli.language.telling.hints import hint_for


def shown(text: str, origin: str = "expression") -> str:
    """The rendered error of a text."""
    try:
        Machine().run(compile_text(text, origin))
    except Exception as error:
        return render(diagnose(error))
    raise AssertionError("no error")


SYNTAX = [
    ("", 1, 1, "nothing to evaluate", ""),
    ("  # only a comment", 1, 19, "nothing to evaluate", ""),
    ("x = ", 1, 4, "unexpected end, expected an expression", ""),
    ("x = 1 +", 1, 8, "unexpected end, expected an expression", ""),
    ("a.b.", 1, 5, "unexpected end, expected a name", ""),
    ("let x", 1, 6, "unexpected end, expected ':' or '='", ""),
    ("const x := 3", 1, 9, "unexpected ':=', expected ':' or '='", ""),
    ("import 3", 1, 8, "unexpected '3', expected a name", ""),
    ("1 2", 1, 3, "unexpected '2', expected an operator", ""),
    ("x y", 1, 3, "unexpected 'y', expected an operator", "multiplication is written *"),
    ("2x", 1, 1, "invalid decimal literal", "multiplication is written *: 2*x"),
    ("foo(1 2)", 1, 5, "invalid syntax. Perhaps you forgot a comma?", ""),
    ("foo(1, 2", 1, 4, "'(' was never closed", ""),
    ("x = [1, 2\ny = 3\n", 1, 5, "'[' was never closed", ""),
    ("x = 3)", 1, 6, "unmatched ')'", ""),
    (
        "(1, [2)",
        1,
        7,
        "closing parenthesis ')' does not match opening parenthesis '['",
        "",
    ),
    ("'abc", 1, 1, "unterminated string literal (detected at line 1)", ""),
    ("x\n'''a\nb", 2, 1, "unterminated triple-quoted string literal (detected at line 3)", ""),
    (
        "x $ y",
        1,
        3,
        "invalid character '$'",
        "variables have no $ here; in a shell, mind the quotes",
    ),
    ("x² + 1", 1, 2, "invalid character '²' (U+00B2)", "powers are written **: x ** 2"),
    ("2 × 3", 1, 3, "invalid character '×' (U+00D7)", "multiplication is written *"),
    ("5 − 3", 1, 3, "invalid character '−' (U+2212)", "the minus sign is -"),
    ("“a”", 1, 1, "invalid character '“' (U+201C)", "quotes are \" or '"),
    ("a ? b : c", 1, 3, "invalid character '?'", "a choice is written: a if condition else b"),
    ("!x", 1, 1, "invalid character '!'", "negation is written: not x"),
    ("x\x00", 1, 2, "invalid non-printable character U+0000", ""),
    ("x \\ y", 1, 3, "unexpected character after line continuation character", ""),
    ("a && b", 1, 3, "invalid syntax", "write `and` instead of &&"),
    ("a || b", 1, 3, "invalid syntax", "write `or` instead of ||"),
    ("x++", 1, 2, "invalid syntax", "write x += 1 for x++"),
    (
        "print 'a'",
        1,
        1,
        "Missing parentheses in call to 'print'. Did you mean print(...)?",
        "",
    ),
    ("if x\n    y", 1, 5, "expected ':'", ""),
    ("def f()\n    x", 1, 8, "expected ':'", ""),
    ("if x:\ny", 2, 1, "expected an indented block after 'if' statement on line 1", ""),
    ("for x in y:\n", 1, 12, "expected an indented block after 'for' statement on line 1", ""),
    ("def f():\nx", 2, 1, "expected an indented block after function definition on line 1", ""),
    ("x\n  y", 2, 1, "unexpected indent", ""),
    (
        "if x:\n    y\n  z",
        3,
        1,
        "unindent does not match any outer indentation level",
        "",
    ),
    (
        "if x:\n        y\n\tz",
        3,
        1,
        "inconsistent use of tabs and spaces in indentation",
        "",
    ),
    ("if x = 3: y", 1, 4, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?", ""),
    (
        "f(a.b = 3)",
        1,
        5,
        'expression cannot contain assignment, perhaps you meant "=="?',
        "",
    ),
    ("else: y", 1, 1, "'else' has no `if` or loop before it", ""),
    ("1 = x", 1, 1, "cannot assign to literal", ""),
    ("None = x", 1, 1, "cannot assign to None", ""),
    (
        "f(x) = 3",
        1,
        1,
        "cannot assign to function call",
        'its value is asked for as "3"; a program defines it: def f(x): return 3',
    ),
    ("x + 1 = 3", 1, 1, "cannot assign to expression", "to compare, write =="),
    ("(a, 1) = x", 1, 5, "cannot assign to literal", ""),
    ("f() += 1", 1, 1, "'function call' is an illegal expression for augmented assignment", ""),
    ("a, b += 1", 1, 1, "'tuple' is an illegal expression for augmented assignment", ""),
    ("del f()", 1, 5, "cannot delete function call", ""),
    ("*a = 3", 1, 1, "starred assignment target must be in a list or tuple", ""),
    ("*a, *b = 3", 1, 5, "multiple starred expressions in assignment", ""),
    ("*a", 1, 1, "can't use starred expression here", ""),
    ("f(a=1, 2)", 1, 8, "positional argument follows keyword argument", ""),
    ("f(**a, 2)", 1, 8, "positional argument follows keyword argument unpacking", ""),
    ("f(a=1, a=2)", 1, 8, "keyword argument repeated: a", ""),
    ("f(x for x in y, 1)", 1, 3, "Generator expression must be parenthesized", ""),
    ("lambda x, x: 3", 1, 11, "duplicate argument 'x' in function definition", ""),
    ("def f(a=1, b): pass", 1, 12, "non-default argument follows default argument", ""),
    ("def f(*): pass", 1, 7, "named arguments must follow bare *", ""),
    ("def f(**a, b): pass", 1, 12, "arguments cannot follow var-keyword argument", ""),
    ("def f(*a, *b): pass", 1, 11, "* argument may appear only once", ""),
    ("def f(/): pass", 1, 7, "at least one argument must precede /", ""),
    ("break", 1, 1, "'break' outside loop", ""),
    ("if x: continue", 1, 7, "'continue' not properly in loop", ""),
    ("while x:\n    def f(): break", 2, 14, "'break' outside loop", ""),
    ("return 3", 1, 1, "'return' outside function", ""),
    ("nonlocal x", 1, 1, "nonlocal declaration not allowed at module level", ""),
    ("def f(): nonlocal x", 1, 10, "no binding for nonlocal 'x' found", ""),
    ("def f(x): global x", 1, 11, "name 'x' is parameter and global", ""),
    (
        "def f():\n    x = 1\n    global x",
        3,
        5,
        "name 'x' is assigned to before global declaration",
        "",
    ),
    (
        "def f():\n    print(x)\n    global x",
        3,
        5,
        "name 'x' is used prior to global declaration",
        "",
    ),
    ("def f():\n    let x = 3", 2, 5, "`let` stands at the top of a program", ""),
    (
        "[x := 1 for x in y]",
        1,
        2,
        "assignment expression cannot rebind comprehension iteration variable 'x'",
        "",
    ),
    (
        "012",
        1,
        1,
        "leading zeros in decimal integer literals are not permitted; "
        "use an 0o prefix for octal integers",
        "",
    ),
    ("b'x'", 1, 1, "bytes are not part of the language", ""),
    ("'\\x1'", 1, 2, "(unicode error) truncated \\xXX escape", ""),
    ("'\\N{no such}'", 1, 2, "(unicode error) unknown Unicode character name", ""),
    ("f'{'", 1, 3, "f-string: expecting '}'", ""),
    ("f'}'", 1, 3, "f-string: single '}' is not allowed", ""),
    ("f'{}'", 1, 3, "f-string: empty expression not allowed", ""),
    ("f'{x!z}'", 1, 5, "f-string: invalid conversion character: expected 's', 'r', or 'a'", ""),
    ("f'{x y}'", 1, 6, "unexpected 'y', expected an operator", "multiplication is written *"),
    ("f'{a[1}'", 1, 7, "f-string: closing parenthesis '}' does not match opening parenthesis", ""),
    ("f'{1 +}'", 1, 7, "unexpected end, expected an expression", ""),
    ("x: int: 3", 1, 7, "unexpected ':', expected '='", ""),
    ("(x, y): int = 3", 1, 1, "only single target (not tuple) can be annotated", ""),
]


@pytest.mark.parametrize(("text", "line", "column", "message", "hint"), SYNTAX)
def test_syntax_errors(text: str, line: int, column: int, message: str, hint: str) -> None:
    with pytest.raises(ParseError) as caught:
        compile_text(text)
    found = caught.value.diagnostic
    assert found.type == "SyntaxError"
    assert (found.message, found.line, found.column) == (message, line, column)
    assert found.hint == hint
    assert found.end_column >= found.column
    assert found.source == text.split("\n")[line - 1]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            "1 + q",
            """\
            error: NameError: name 'q' is not defined
              --> expression, column 5
              | 1 + q
              |     ^
            hint: it has no value: let q = 3 gives it one""",
        ),
        (
            "value = 3\nprint(valeu)",
            """\
            error: NameError: name 'valeu' is not defined
              --> expression, line 2, column 7
              | print(valeu)
              |       ^^^^^
            hint: did you mean 'value'?""",
        ),
        (
            "def f(n):\n    return 1 / n\n\nf(0)",
            """\
            error: ZeroDivisionError: division by zero
              --> expression, line 2, column 12
              |     return 1 / n
              |            ^^^^^""",
        ),
        (
            "'abc'.uper()",
            """\
            error: AttributeError: 'str' object has no attribute 'uper'
              --> expression, column 1
              | 'abc'.uper()
              | ^^^^^^^^^^
            hint: did you mean 'upper'?""",
        ),
        (
            "math.sqr(2)",
            """\
            error: AttributeError: module 'math' has no attribute 'sqr'
              --> expression, column 1
              | math.sqr(2)
              | ^^^^^^^^
            hint: did you mean 'sqrt'?""",
        ),
        (
            "2.0 ^ 3",
            """\
            error: TypeError: unsupported operand type(s) for ^: 'float' and 'int'
              --> expression, column 1
              | 2.0 ^ 3
              | ^^^^^^^
            hint: powers are written **: x ** 2""",
        ),
        (
            "import pandoc as pd",
            """\
            error: ModuleNotFoundError: No module named 'pandoc'
              --> expression, column 1
              | import pandoc as pd
              | ^^^^^^^^^^^^^^^^^^^
            hint: an import only binds what the language has: see `gradcli help language`""",
        ),
        (
            "\ufeffnp.sin(1)",
            """\
            error: NameError: name 'np' is not defined
              --> expression, column 1
              | np.sin(1)
              | ^^
            hint: NumPy is not part of the language; without the prefix: sin""",
        ),
        (
            "assert 1 > 2",
            """\
            error: AssertionError
              --> expression, column 8
              | assert 1 > 2
              |        ^^^^^""",
        ),
        (
            "(1,\n 2,",
            """\
            error: SyntaxError: '(' was never closed
              --> expression, line 1, column 1
              | (1,
              | ^ opened here""",
        ),
        (
            "f(\n  1,\n  2) + 3",
            """\
            error: NameError: name 'f' is not defined
              --> expression, line 1, column 1
              | f(
              | ^""",
        ),
        (
            "\tx = 1\n\tx.y",
            """\
            error: AttributeError: 'int' object has no attribute 'y'
              --> expression, line 2, column 2
              |  x.y
              |  ^^^""",
        ),
        (
            "'日本語' + 1",
            """\
            error: TypeError: can only concatenate str (not "int") to str
              --> expression, column 1
              | '日本語' + 1
              | ^^^^^^^^^^^^""",
        ),
        (
            "'日本語'; 1 / 0",
            """\
            error: ZeroDivisionError: division by zero
              --> expression, column 8
              | '日本語'; 1 / 0
              |           ^^^^^""",
        ),
    ],
)
def test_the_whole_text(text: str, want: str) -> None:
    assert shown(text) == textwrap.dedent(want)


def test_a_file_is_named_with_its_line() -> None:
    assert "  --> notes.py, line 1, column 1\n" in shown("q", "notes.py")


def test_long_lines_are_cut_around_the_mark() -> None:
    text = "x = [" + "1, " * 200 + "q, " + "2, " * 200 + "]"
    lines = shown(text).splitlines()
    source, marks = lines[2], lines[3]
    assert len(source) <= WIDTH + len("  | ......")
    assert source.startswith("  | ...1, ")
    assert source.endswith("...")
    assert source[marks.index("^")] == "q"
    assert marks.count("^") == 1


def test_a_long_mark_is_cut_too() -> None:
    lines = shown("1 / (0" + " + 0" * 200 + ")").splitlines()
    assert len(lines[3]) <= WIDTH + len("  | ......")


@pytest.mark.parametrize(
    ("source", "column", "end", "want"),
    [
        ("abc", 2, 3, ("abc", 1, 1)),
        ("abc", 4, 4, ("abc", 3, 1)),
        ("a\tb", 3, 4, ("a b", 2, 1)),
        ("日本", 2, 3, ("日本", 2, 2)),
        ("e\u0301x", 3, 4, ("e\u0301x", 1, 1)),
        ("a\x1bb", 3, 4, ("a\N{REPLACEMENT CHARACTER}b", 2, 1)),
        ("", 1, 1, ("", 0, 1)),
    ],
)
def test_excerpts(source: str, column: int, end: int, want: tuple[str, int, int]) -> None:
    assert excerpt(source, column, end) == want


def test_colour_only_where_asked() -> None:
    diagnostic = Diagnostic("E", "m", line=1, column=1, end_column=2, source="x", hint="h")
    assert "\x1b" not in render(diagnostic)
    assert "\x1b[31m^\x1b[0m" in render(diagnostic, color=True)


def test_an_error_without_a_place() -> None:
    assert render(diagnose(ValueError("text"))) == "error: ValueError: text"


@pytest.mark.parametrize(
    ("type_", "message", "hint"),
    [
        ("RuntimeError", "grad can be implicitly created only for scalar outputs", "seed it"),
        ("RuntimeError", "Trying to backward through the graph a second time (or", "--retain"),
        ("NotImplementedError", "\"bitwise_xor_cpu\" not implemented for 'Float'", "**"),
        ("RuntimeError", "element 0 of tensors does not require grad and", "`let`"),
        ("ValueError", "grad can be implicitly created only for scalar outputs", ""),
    ],
)
def test_hints(type_: str, message: str, hint: str) -> None:
    found = hint_for(f"{type_}: {message}")
    assert hint in found
    assert bool(found) == bool(hint)


def test_the_innermost_place_is_shown_across_python() -> None:
    text = "def f(v):\n    return v / 0\nsorted([1, 2], key=f)"
    assert "line 2, column 12" in shown(text)
    assert "line 1, column 2" in shown("[x / 0 for x in [1]]\n2")
    assert "line 2, column 5" in shown("g = (\n    x / 0 for x in [1])\nlist(g)")

"""What `match` refuses, in Python's words; `python_programs.txt` has what it does."""

from __future__ import annotations

import pytest

from gradcli.language import LimitError, Machine, ParseError, compile_text
from gradcli.language.compiling.matching import MAX_DEPTH


def refusal(patterns: str) -> str:
    with pytest.raises(ParseError) as caught:
        compile_text(f"match x:\n    {patterns}\n", "program")
    assert caught.value.diagnostic.line == 2
    return caught.value.diagnostic.message


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("case _: pass\n    case 1: pass", "wildcard makes remaining patterns unreachable"),
        (
            "case y: pass\n    case 1: pass",
            "name capture 'y' makes remaining patterns unreachable",
        ),
        ("case (y | 1): pass", "name capture 'y' makes remaining patterns unreachable"),
        ("case (y, y): pass", "multiple assignments to name 'y' in pattern"),
        ("case (1, y) | (2, z): pass", "alternative patterns bind different names"),
        ("case [*a, *b]: pass", "multiple starred expressions in sequence pattern"),
        ("case A(x=1, 2): pass", "positional patterns follow keyword patterns"),
        ("case f'{1}': pass", "patterns may only match literals and attribute lookups"),
        ("case 1 as _: pass", "cannot use '_' as a target"),
    ],
)
def test_errors_are_pythons(pattern: str, message: str) -> None:
    assert refusal(pattern) == message


def test_patterns_inside_each_other_are_counted() -> None:
    brackets = "[" * (MAX_DEPTH + 1), "]" * (MAX_DEPTH + 1)
    assert refusal(f"case {'x'.join(brackets)}: pass") == "too many nested patterns"


def test_limits_hold_inside_patterns() -> None:
    text = """
class Endless:
    def __eq__(self, other):
        while True: pass
match Endless():
    case 1: pass
"""
    with pytest.raises(LimitError):
        Machine(max_steps=1000).run(compile_text(text, "program"))

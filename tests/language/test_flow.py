"""Whether a program may read a variable before it binds it."""

from __future__ import annotations

import pytest

from gradcli.language.compiling.compiler import compile_text
from gradcli.language.running.flow import needs


@pytest.mark.parametrize(
    "text",
    [
        "print(x)",
        "x = x + 1",
        "x += 1",
        "let x = 2 * x",
        "let y: x = 1",
        "del x; x = 3",
        "if n:\n    x = 1\nprint(x)",
        "n and (x := 1); x",
        "for i in n:\n    x = i\nprint(x)",
        "while n:\n    x = 1\nprint(x)",
        "while n:\n    n = x\n    x = 1",
        "with torch.no_grad():\n    x = 1\nprint(x)",
        "def f():\n    return x\nx = 3",
        "def f():\n    global x\n    x = 1\nprint(x)",
        "f = lambda: [x for _ in n]\nx = 3",
        "x = sum(x for _ in n)",
        "y, x = x, y",
    ],
)
def test_needed(text: str) -> None:
    assert needs(compile_text(text, "program"), "x")


@pytest.mark.parametrize(
    "text",
    [
        "y = 1",
        "x = 3; print(x)",
        "let x: float64 = 3; print(x)",
        "import math as x; x.pi",
        "if n:\n    x = 1\nelse:\n    x = 2\nprint(x)",
        "for x in n:\n    print(x)",
        "while True:\n    x = 1\n    break\n",
        "x = 1\nwhile n:\n    x = x + 1",
        "x = 3\ndef f():\n    return x",
        "def f(x):\n    return x",
        "def f():\n    x = 3\n    return x",
        "[x for x in n]",
        "y.x = 1; y.x",
        "f(x=1)",
        "x, y = 1, 2",
    ],
)
def test_not_needed(text: str) -> None:
    assert not needs(compile_text(text, "program"), "x")

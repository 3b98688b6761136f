"""The grammar is one LALR(1) grammar without conflicts, and our parser reads what lark reads."""

from __future__ import annotations

import pytest
from lark import Lark, UnexpectedInput
from lark.indenter import Indenter

from gradcli.language import ParseError, compile_text
from gradcli.language.reading.builder import ACTIONS
from gradcli.language.reading.parser import parser
from gradcli.language.reading.table_builder import build_tables
from gradcli.language.reading.table_file import read_grammar
from gradcli.language.reading.tables import STARTS


class Layout(Indenter):
    """Lark's own treatment of indentation."""

    NL_type = "_NEWLINE"
    OPEN_PAREN_types = ("LPAR", "LSQB", "LBRACE")
    CLOSE_PAREN_types = ("RPAR", "RSQB", "RBRACE")
    INDENT_type = "_INDENT"
    DEDENT_type = "_DEDENT"
    tab_len = 8


@pytest.fixture(scope="module")
def lark() -> Lark:
    start = list(STARTS)
    return Lark(read_grammar(), parser="lalr", start=start, postlex=Layout(), strict=True)


READABLE = [
    "x = 1\n",
    "let x = 3; let y: float64 = [1, 2]; x + y\n",
    "let = 3; const = let + 1; print(let, const)\n",
    "f(let=1, const=2).let[const]\n",
    "if a:\n    b\nelif c: d; e\nelse:\n    while x < 3: x += 1\n",
    "for i, (j, *k) in enumerate(y):\n\tif i: break\n\telse: continue\nelse: pass\n",
    "@a.b(1)\n@c\ndef f(x, /, y: int = 2, *z, w=1, **k) -> float:\n    return x\n",
    "with a as b, c():\n    pass\n",
    "x[1:2, ::3, ..., None, -1:]; x[:]; x[a:=3]\n",
    "[i for i in x if i if not i for j in i], {a: b for a in c}, {*a, b}, {**a, 'b': 1}\n",
    "a < b <= c != d is not e not in f\n",
    "import torch.nn as nn, math; from a.b import (c, d as e,); from m import *\n",
    "x = (1,\n     2)  # comment\n\n# another\ny = 3 \\\n  + 4\n",
    "del a, b[0], c.d; assert x, 'y'; global g\n",
    "0x1F + 0b1_0 + 1_000.5e-3j + .5 + 1. + 1e10\n",
    "'a' \"b\" r'\\d' f'{x!r:>{w}}' '''c\nd'''\n",
    "a if b else c if d else lambda: e; not a or b and c; -a ** -b\n",
    "~a @ b // c % d << 1 >> 2 & 3 | 4 ^ 5 / 6 * +7\n",
    "f(*a, b, *c, d=1, **e); f(x for x in y)\n",
    "a: int = 3; b.c: float; (d): int = 1\n",
    "a = b = c, = *d, e\n",
]

UNREADABLE = [
    "x = \n",
    "1 +\n",
    "f(\n",
    "x y\n",
    "if x\n  y\n",
    "if x:\ny\n",
    "def f(: pass\n",
    "a = = b\n",
    "x[1;2]\n",
    "let 3 = x\n",
    "const x\n",
    "for x y in z: pass\n",
    "from import x\n",
    "lambda x y: 3\n",
    "class A(: pass\n",
    "class A.b: pass\n",
    "class: pass\n",
]


@pytest.mark.parametrize("text", READABLE)
def test_reads_what_lark_reads(lark: Lark, text: str) -> None:
    lark.parse(text, start="program")
    parser().program(text)


@pytest.mark.parametrize("text", UNREADABLE)
def test_refuses_what_lark_refuses(lark: Lark, text: str) -> None:
    with pytest.raises(UnexpectedInput):
        lark.parse(text, start="program")
    with pytest.raises(ParseError):
        compile_text(text)


def test_every_action_belongs_to_a_rule() -> None:
    used = {rule.action for rule in build_tables(read_grammar()).rules.values()} - {"", "*"}
    assert used == set(ACTIONS)

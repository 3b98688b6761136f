"""The language of gradcli: reads a program or an expression, compiles it, runs it, explains its
errors.

    code = compile_text("let x = 3; x * x")
    machine = Machine()
    value = machine.run(code)

Text is never handed to Python's own compiler, and what a program can reach is listed (see `policy`
and `namespace`).
"""

from __future__ import annotations

from gradcli.language.code import Code
from gradcli.language.compiler import compile_text
from gradcli.language.diagnostics import Diagnostic, ParseError, diagnose, render
from gradcli.language.machine import LimitError, Machine
from gradcli.language.namespace import Namespace, default_namespace
from gradcli.language.suggest import did_you_mean, suggestions

__all__ = [
    "Code",
    "Diagnostic",
    "LimitError",
    "Machine",
    "Namespace",
    "ParseError",
    "compile_text",
    "default_namespace",
    "diagnose",
    "did_you_mean",
    "render",
    "suggestions",
]

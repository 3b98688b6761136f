"""The language of gradcli: reads a program or an expression, compiles it, runs it, explains its
errors.

    code = compile_text("let x = 3; x * x")
    machine = Machine()
    value = machine.run(code)

Text is never handed to Python's own compiler, and what a program can reach is listed (see
`gradcli.language.allowed`).
"""

from __future__ import annotations

from gradcli.language.allowed.namespace import Namespace, default_namespace
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.running.code import Code
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import Diagnostic, ParseError, diagnose, render
from gradcli.language.telling.suggest import did_you_mean, suggestions
from gradcli.tensor.clock import LimitError

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

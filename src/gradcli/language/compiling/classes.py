"""Compiles classes: the body is a function that fills the names of the class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradcli.language.compiling.emitter import Unit
from gradcli.language.compiling.expressions import documentation
from gradcli.language.reading import ast
from gradcli.language.running import actions as act
from gradcli.language.running import classes, generators
from gradcli.language.running import code as op
from gradcli.language.running.code import Code

if TYPE_CHECKING:
    from gradcli.language.compiling.expressions import ExpressionCompiler

NAMES = ".names"
"""The parameter of a body that takes the names."""


def visit(compiler: ExpressionCompiler, node: ast.Class) -> None:
    """Push the body as a function and the class's arguments, run the body, make the class."""
    scope = compiler.inner_scope(node)
    code = Code(node.name, compiler.text, compiler.origin, compiler.unit.code)
    code.of_class = True
    code.positional = [NAMES]
    code.slots = [NAMES]
    code.fixed = 1
    compiler.open(scope, code)
    if "__class__" in scope.captured:
        scope.slots["__class__"] = len(code.slots)
        code.cells.append(len(code.slots))
        code.slots.append("__class__")
    compiler.pending.append((Unit(code, scope), [(body, compiler, node)]))
    cells = [compiler.cell(name) for name in code.outside]
    head = ast.Pass(node.start, node.start + len("class"))
    compiler.push(
        *node.decorators,
        (op.OTHER, (generators.make_function, (code, 0, (), cells)), head),
        *compiler.collected(head, node.arguments),
        (op.OTHER, (classes.begin_class, None), head),
        (op.CALL, 1, head),
        (op.OTHER, (classes.finish_class, None), head),
        *((op.CALL, 1, decorator) for decorator in reversed(node.decorators)),
        (compiler.store_name, node.name, node),
    )


def body(compiler: ExpressionCompiler, node: ast.Class) -> None:
    """The code of the body; it returns the cell in which methods find the class, if they look."""
    items: list[Any] = []
    if documentation(node.body) is not None:
        text = node.body.statements[0]
        assert isinstance(text, ast.ExpressionStatement)
        items += [text.value, (op.OTHER, (act.define_name, "__doc__"), text)]
    if "__class__" in compiler.scope.captured:
        slot = compiler.scope.slots["__class__"]
        last: Any = (op.OTHER, (classes.push_cell, slot), node)
    else:
        last = ast.Constant(node.start, node.end, None)
    compiler.push(*items, node.body, last, (op.RETURN, None, node))


def annotation(node: ast.Annotate) -> list[Any]:
    """The work of noting the text of an annotation in a class."""
    assert isinstance(node.target, ast.Name)
    given = (node.target.name, node.annotation)
    return [(op.OTHER, (classes.annotate, given), node)]

"""From the tree to instructions: statements, and the whole.

The compiler keeps its own list of work, so that the depth of the tree costs no recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradcli.language.allowed.operators import INPLACE
from gradcli.language.compiling.emitter import Label, Loop
from gradcli.language.compiling.handling import HandlingCompiler
from gradcli.language.reading import ast
from gradcli.language.reading.parser import parser
from gradcli.language.running import actions as act
from gradcli.language.running import code as op
from gradcli.language.running.code import Code
from gradcli.language.telling.diagnostics import ParseError, Refusal, locate


class Compiler(HandlingCompiler):
    """Compiles one tree."""

    def __init__(
        self, text: str, origin: str, tree: ast.Block, scoped: bool, mathematics: bool
    ) -> None:
        super().__init__(text, origin, tree, scoped, mathematics)
        statements = tree.statements
        self.program.statements = len(statements)
        last = statements[-1] if statements else None
        items: list[Any] = list(statements)
        if isinstance(last, ast.ExpressionStatement):
            self.program.ends_in_expression = True
            items[-1:] = [last.value, (op.RETURN, None, last)]
        else:
            items.append((self.finish_function, tree))
        self.push(*items)
        self.run()

    def run(self) -> None:
        """Work everything off."""
        dispatch = DISPATCH
        while True:
            work, code = self.work, self.unit.code
            emit, start, end = code.instructions.append, code.starts.append, code.ends.append
            while work:
                item = work.pop()
                kind = type(item)
                if kind is not tuple:
                    if kind is Label:
                        item.position = len(code.instructions)
                    else:
                        dispatch[kind](self, item)
                elif type(item[0]) is int:  # as `self.emit` does
                    operation, argument, node = item
                    emit((operation, argument))
                    start(node.start)
                    end(node.end)
                else:
                    item[0](*item[1:])
            self.finish()
            if not self.pending:
                return
            self.unit, self.work = self.pending.pop()
            self.scope = self.unit.scope

    def visit_block(self, node: ast.Block) -> None:
        self.work.extend(reversed(node.statements))

    def visit_expression(self, node: ast.ExpressionStatement) -> None:
        if type(node.value) is ast.Yield:
            self.hand_out(node.value, False)
            return
        self.push(node.value, (op.POP, None, node))

    def visit_assign(self, node: ast.Assign) -> None:
        items: list[Any] = [node.value]
        for target in node.targets[:-1]:
            items += [(op.OTHER, (act.duplicate, 1), node), (self.store, target)]
        self.push(*items, (self.store, node.targets[-1]))

    def visit_augment(self, node: ast.Augment) -> None:
        target = node.target
        change = (op.BINARY, INPLACE[node.operator], node)
        if isinstance(target, ast.Name):
            self.push(target, node.value, change, (self.store, target))
        elif isinstance(target, ast.Attribute):
            self.push(
                target.value,
                (op.OTHER, (act.duplicate, 1), target),
                (op.ATTRIBUTE, target.name, target),
                node.value,
                change,
                (op.OTHER, (act.swap, None), target),
                (op.OTHER, (act.store_attribute, target.name), target),
            )
        elif isinstance(target, ast.Subscript):
            self.push(
                target.value,
                target.index,
                (op.OTHER, (act.duplicate, 2), target),
                (op.SUBSCRIPT, None, target),
                node.value,
                change,
                (op.OTHER, (act.rotate, None), target),
                (op.OTHER, (act.store_subscript, None), target),
            )

    def visit_annotate(self, node: ast.Annotate) -> None:
        if node.value is not None:
            self.push(node.value, (self.store, node.target))
        if self.scope.kind == "class" and isinstance(node.target, ast.Name):
            from gradcli.language.compiling.classes import annotation

            self.push(*annotation(node))

    def visit_declare(self, node: ast.Declare) -> None:
        name = node.name
        if self.scope.kind != "module":
            raise Refusal(f"`{node.kind}` stands at the top of a program", node.start, node.end)
        self.program.declared[name] = node.kind
        items: list[Any] = []
        dtype = ""
        if isinstance(node.dtype, ast.Name):
            dtype = node.dtype.name
        elif node.dtype is not None:
            items.append(node.dtype)
            dtype = "."
        items += [node.value, (op.OTHER, (act.declare, (node.kind, name, dtype)), node)]
        self.push(*items, (self.store_name, name, node))

    def visit_return(self, node: ast.Return) -> None:
        if self.unit.code is self.program or self.unit.scope.kind == "class":
            raise Refusal("'return' outside function", node.start, node.end)
        value = ast.Constant(node.start, node.end, None) if node.value is None else node.value
        self.push(value, (self.leave, "return", node))

    def visit_break(self, node: ast.Break) -> None:
        self.leave("break", node)

    def visit_continue(self, node: ast.Continue) -> None:
        self.leave("continue", node)

    def visit_class(self, node: ast.Class) -> None:
        from gradcli.language.compiling.classes import visit

        visit(self, node)

    def visit_pass(self, node: ast.Pass) -> None:
        pass

    def visit_delete(self, node: ast.Delete) -> None:
        self.delete(node.target)

    def visit_assert(self, node: ast.Assert) -> None:
        fine = Label()
        items: list[Any] = [node.condition, (op.JUMP_IF_TRUE, fine, node.condition)]
        if node.message is not None:
            items.append(node.message)
        fail = (op.OTHER, (act.fail_assertion, node.message is not None), node.condition)
        self.push(*items, fail, fine)

    def visit_scope(self, node: ast.Scope) -> None:
        pass

    def visit_import(self, node: ast.Import) -> None:
        for module, alias in reversed(node.modules):
            name = alias or module.partition(".")[0]
            fetch = (op.OTHER, (act.import_module, (module, alias is not None)), node)
            self.push(fetch, (self.store_name, name, node))

    def visit_import_from(self, node: ast.ImportFrom) -> None:
        if node.names is None:
            self.emit(op.OTHER, (act.import_all, node.module), node)
            return
        for name, alias in reversed(node.names):
            fetch = (op.OTHER, (act.import_name, (node.module, name)), node)
            self.push(fetch, (self.store_name, alias or name, node))

    def visit_if(self, node: ast.If) -> None:
        end = Label()
        items: list[Any] = []
        for condition, body in node.branches:
            otherwise = Label()
            items += [condition, (op.JUMP_IF_FALSE, otherwise, condition), body]
            items += [(op.JUMP, end, body), otherwise]
        if node.otherwise is not None:
            items.append(node.otherwise)
        self.push(*items, end)

    def visit_match(self, node: ast.Match) -> None:
        from gradcli.language.compiling.matching import visit

        visit(self, node)

    def visit_while(self, node: ast.While) -> None:
        again, done, broken = Label(), Label(), Label()
        items: list[Any] = [
            again,
            node.condition,
            (op.JUMP_IF_FALSE, done, node.condition),
            (self.unit.around.append, Loop(broken, again)),
            node.body,
            (self.unit.around.pop,),
            (op.JUMP_BACK, again, node.condition),
            done,
        ]
        if node.otherwise is not None:
            items.append(node.otherwise)
        self.push(*items, broken)

    def visit_for(self, node: ast.For) -> None:
        again, done, broken = Label(), Label(), Label()
        slot = self.take_slot()
        items: list[Any] = [
            node.iterable,
            (op.OTHER, (act.get_iterator, None), node.iterable),
            (op.STORE_LOCAL, slot, node.iterable),
            again,
            (op.NEXT, (slot, done), node.iterable),
            (self.store, node.target),
            (self.unit.around.append, Loop(broken, again, slot)),
            node.body,
            (self.unit.around.pop,),
            (op.JUMP_BACK, again, node.iterable),
            done,
        ]
        if node.otherwise is not None:
            items.append(node.otherwise)
        self.push(*items, broken, (self.give_slot, slot))


DISPATCH: dict[type, Callable[[Compiler, Any], None]] = {
    ast.Assert: Compiler.visit_assert,
    ast.Assign: Compiler.visit_assign,
    ast.Attribute: Compiler.visit_attribute,
    ast.Augment: Compiler.visit_augment,
    ast.Annotate: Compiler.visit_annotate,
    ast.Binary: Compiler.visit_binary,
    ast.Block: Compiler.visit_block,
    ast.Break: Compiler.visit_break,
    ast.Call: Compiler.visit_call,
    ast.Class: Compiler.visit_class,
    ast.Compare: Compiler.visit_compare,
    ast.Comprehension: Compiler.visit_comprehension,
    ast.Conditional: Compiler.visit_conditional,
    ast.Constant: Compiler.visit_constant,
    ast.Continue: Compiler.visit_continue,
    ast.Declare: Compiler.visit_declare,
    ast.Define: Compiler.visit_define,
    ast.Delete: Compiler.visit_delete,
    ast.Dict: Compiler.visit_dict,
    ast.ExpressionStatement: Compiler.visit_expression,
    ast.Field: Compiler.visit_field,
    ast.For: Compiler.visit_for,
    ast.Generator: Compiler.visit_generator,
    ast.If: Compiler.visit_if,
    ast.Import: Compiler.visit_import,
    ast.ImportFrom: Compiler.visit_import_from,
    ast.JoinedString: Compiler.visit_joined,
    ast.Lambda: Compiler.visit_lambda,
    ast.List: Compiler.visit_list,
    ast.Logical: Compiler.visit_logical,
    ast.Match: Compiler.visit_match,
    ast.Name: Compiler.visit_name,
    ast.NamedExpression: Compiler.visit_named,
    ast.Pass: Compiler.visit_pass,
    ast.Raise: Compiler.visit_raise,
    ast.Return: Compiler.visit_return,
    ast.Scope: Compiler.visit_scope,
    ast.Set: Compiler.visit_set,
    ast.Slice: Compiler.visit_slice,
    ast.Subscript: Compiler.visit_subscript,
    ast.Try: Compiler.visit_try,
    ast.Tuple: Compiler.visit_tuple,
    ast.Unary: Compiler.visit_unary,
    ast.While: Compiler.visit_while,
    ast.With: Compiler.visit_with,
    ast.Yield: Compiler.visit_yield,
    ast.YieldFrom: Compiler.visit_yield_from,
}


def normalized(text: str) -> str:
    """A text without a byte-order mark, its lines ended by line feeds."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def compile_text(
    text: str, origin: str = "expression", mathematics: bool = False, blank: bool = False
) -> Code:
    """Read and compile a program, or an expression: there `max(x, 0)` and its like mean
    `mathematics` (see `gradcli.language.allowed.mathematics`). With `blank`, the constants have
    `Blank`s for numbers.

    Raises:
        ParseError: the text is not in the language.
    """
    text = normalized(text)
    try:
        tree, scoped = parser().program(text, blank)
        if not tree.statements and origin == "expression":
            raise Refusal("nothing to evaluate", len(text), len(text))
        return Compiler(text, origin, tree, scoped, mathematics).program
    except Refusal as refusal:
        raise ParseError(
            locate(
                "SyntaxError",
                refusal.message,
                text,
                origin,
                refusal.start,
                refusal.end,
                refusal.label,
                refusal.hint,
            )
        ) from None

"""Compiles expressions, functions and comprehensions."""

from __future__ import annotations

import re
from typing import Any, Final

from gradcli.language.allowed.operators import BINARY, COMPARISONS, UNARY
from gradcli.language.compiling.emitter import Emitter, Label, Unit
from gradcli.language.compiling.scopes import Scope
from gradcli.language.reading import ast
from gradcli.language.running import actions as act
from gradcli.language.running import code as op
from gradcli.language.running import generators
from gradcli.language.running.code import Code

_OF_NUMBERS: Final = frozenset(
    re.findall(
        r"\w+",
        """abs acos acosh asin asinh atan atan2 atanh cos cosh erf erfc exp exp2 expm1 hypot
        lgamma log log10 log1p log2 logit relu rsqrt sigmoid sign sin sinc sinh softplus sqrt square
        tan tanh""",
    )
)
"""Functions whose arguments are operands of arithmetic: in `cos(t)` there is no function t."""


class ExpressionCompiler(Emitter):
    """The part of the compiler that makes values."""

    def visit_constant(self, node: ast.Constant) -> None:
        self.constant(node.value, node)

    def visit_name(self, node: ast.Name) -> None:
        self.load(node.name, node)

    def visit_binary(self, node: ast.Binary) -> None:
        self.note_operands(node.left, node.right)
        # A number beside the operator leaves no place for a list and a tensor.
        plain = type(node.left) is ast.Constant or type(node.right) is ast.Constant
        table = BINARY if plain and node.operator != "^" else self.operators
        self.work += ((op.BINARY, table[node.operator], node), node.right, node.left)

    def visit_unary(self, node: ast.Unary) -> None:
        self.note_operands(node.operand)
        self.work += ((op.UNARY, UNARY[node.operator], node), node.operand)

    def visit_logical(self, node: ast.Logical) -> None:
        end = Label()
        jump = op.AND_JUMP if node.operator == "and" else op.OR_JUMP
        self.push(node.left, (jump, end, node), node.right, end)

    def visit_compare(self, node: ast.Compare) -> None:
        functions = [COMPARISONS[operator] for operator in node.operators]
        if not {"in", "not in", "is", "is not"}.intersection(node.operators):
            self.note_operands(node.first, *node.rest)
        if len(functions) == 1:
            self.work += ((op.BINARY, functions[0], node), node.rest[0], node.first)
            return
        end, fail = Label(), Label()
        items: list[Any] = [node.first]
        for function, operand in zip(functions[:-1], node.rest[:-1], strict=True):
            items += [operand, (op.OTHER, (act.compare_and_keep, function), node)]
            items.append((op.AND_JUMP, fail, node))
        items += [node.rest[-1], (op.BINARY, functions[-1], node), (op.JUMP, end, node), fail]
        items += [(op.OTHER, (act.drop_second, None), node), end]
        self.push(*items)

    def visit_conditional(self, node: ast.Conditional) -> None:
        otherwise, end = Label(), Label()
        self.push(
            node.condition,
            (op.JUMP_IF_FALSE, otherwise, node.condition),
            node.then,
            (op.JUMP, end, node),
            otherwise,
            node.otherwise,
            end,
        )

    def visit_named(self, node: ast.NamedExpression) -> None:
        self.push(
            node.value, (op.OTHER, (act.duplicate, 1), node), (self.store_name, node.name, node)
        )

    def visit_attribute(self, node: ast.Attribute) -> None:
        self.work += ((op.ATTRIBUTE, node.name, node), node.value)

    def visit_subscript(self, node: ast.Subscript) -> None:
        self.work += ((op.SUBSCRIPT, None, node), node.index, node.value)

    def visit_slice(self, node: ast.Slice) -> None:
        self.work.append((op.OTHER, (act.build_slice, None), node))
        for part in (node.step, node.upper, node.lower):
            self.work.append(ast.Constant(node.start, node.end, None) if part is None else part)

    def visit_call(self, node: ast.Call) -> None:
        arguments = node.arguments
        if not arguments and isinstance(node.function, ast.Name) and node.function.name == "super":
            self.call_super(node)
            return
        if any(isinstance(item, ast.Starred | ast.DoubleStarred) for item in arguments):
            self.call_unpacked(node)
            return
        if isinstance(node.function, ast.Name) and node.function.name in _OF_NUMBERS:
            self.note_operands(*arguments)
        names = tuple(item.name for item in arguments if isinstance(item, ast.Keyword))
        if names:
            self.work.append((op.CALL_NAMED, (len(arguments) - len(names), names), node))
        else:
            self.work.append((op.CALL, len(arguments), node))
        for item in reversed(arguments):
            self.work.append(item.value if isinstance(item, ast.Keyword) else item)
        self.work.append(node.function)

    def call_super(self, node: ast.Call) -> None:
        """`super()` in a method: of the class around it, and the method's first argument."""
        scope = self.scope
        while scope.kind == "inline" and scope.parent is not None:
            scope = scope.parent
        given: list[Any] = []
        if self.unit.code.positional and scope.find("__class__")[0] is not None:
            names = ("__class__", self.unit.code.positional[0])
            given = [(self.load, name, node) for name in names]
        self.push(node.function, *given, (op.CALL, len(given), node))

    def call_unpacked(self, node: ast.Call) -> None:
        """A call with `*` or `**`."""
        given = self.collected(node, node.arguments)
        self.push(node.function, *given, (op.OTHER, (act.call_unpacked, None), node))

    def collected(self, node: ast.Node, arguments: list[ast.Node]) -> list[Any]:
        """The work of collecting arguments in a list and a dict, above what is called."""
        items: list[Any] = [(op.OTHER, (act.build_list, 0), node)]
        named: list[Any] = []
        for item in arguments:
            if isinstance(item, ast.Starred):
                items += [item.value, (op.OTHER, (act.extend_arguments, None), item)]
            elif isinstance(item, ast.DoubleStarred):
                named += [item.value, (op.OTHER, (act.merge_arguments, None), item)]
            elif isinstance(item, ast.Keyword):
                named += [item.value, (op.OTHER, (act.add_argument, item.name), item)]
            else:
                items += [item, (op.OTHER, (act.append, None), item)]
        return [*items, (op.OTHER, (act.build_dict, 0), node), *named]

    def visit_tuple(self, node: ast.Tuple) -> None:
        self.display(node, node.elements, act.build_tuple, act.list_to_tuple)

    def visit_list(self, node: ast.List) -> None:
        self.display(node, node.elements, act.build_list, None)

    def visit_set(self, node: ast.Set) -> None:
        self.display(node, node.elements, act.build_set, act.list_to_set)

    def display(self, node: ast.Node, elements: list[ast.Node], build: Any, convert: Any) -> None:
        """Build a collection of its elements; with `*`, by way of a list."""
        if not any(isinstance(item, ast.Starred) for item in elements):
            self.work.append((op.OTHER, (build, len(elements)), node))
            self.work.extend(reversed(elements))
            return
        items: list[Any] = [(op.OTHER, (act.build_list, 0), node)]
        for item in elements:
            if isinstance(item, ast.Starred):
                items += [item.value, (op.OTHER, (act.extend, type(node).__name__.lower()), item)]
            else:
                items += [item, (op.OTHER, (act.append, None), item)]
        if convert is not None:
            items.append((op.OTHER, (convert, None), node))
        self.push(*items)

    def visit_dict(self, node: ast.Dict) -> None:
        items: list[Any] = [(op.OTHER, (act.build_dict, 0), node)]
        for entry in node.entries:
            if isinstance(entry, ast.Pair):
                items += [entry.key, entry.value, (op.OTHER, (act.add_item, None), entry)]
            elif isinstance(entry, ast.DoubleStarred):
                items += [entry.value, (op.OTHER, (act.merge, None), entry)]
        self.push(*items)

    def visit_joined(self, node: ast.JoinedString) -> None:
        self.work.append((op.OTHER, (act.join_strings, len(node.parts)), node))
        self.work.extend(reversed(node.parts))

    def visit_field(self, node: ast.Field) -> None:
        items: list[Any] = [node.value]
        if node.spec is None:
            items.append((op.OTHER, (act.format_plain, node.conversion), node))
        else:
            items.append(ast.JoinedString(node.start, node.end, node.spec))
            items.append((op.OTHER, (act.format_with, node.conversion), node))
        self.push(*items)

    def inner_scope(self, node: ast.Node) -> Scope:
        """The scope that `node` opens."""
        assert self.scopes is not None
        return self.scopes.of[id(node)]

    def visit_lambda(self, node: ast.Lambda) -> None:
        self.function(node, "<lambda>", node.parameters, node.body)

    def visit_define(self, node: ast.Define) -> None:
        self.work += (
            (self.store_name, node.name, node),
            *((op.CALL, 1, decorator) for decorator in node.decorators),
            (self.function, node, node.name, node.parameters, node.body),
            *reversed(node.decorators),
        )

    def function(
        self, node: ast.Node, name: str, parameters: list[ast.Parameter], body: ast.Node
    ) -> None:
        """Push a function: its defaults first, then the cells it takes along."""
        scope = self.inner_scope(node)
        code = Code(name, self.text, self.origin, self.unit.code)
        keyword_only = False
        positional_defaults: list[ast.Node] = []
        named_defaults: list[tuple[str, ast.Node]] = []
        for parameter in parameters:
            if parameter.kind == "/":
                code.positional_only = len(code.positional)
                code.simple = False
            elif parameter.kind == "bare":
                keyword_only = True
            elif parameter.kind == "*":
                code.rest = parameter.name
                keyword_only = True
            elif parameter.kind == "**":
                code.keywords = parameter.name
            elif keyword_only:
                code.keyword_only.append(parameter.name)
                if parameter.default is not None:
                    named_defaults.append((parameter.name, parameter.default))
            else:
                code.positional.append(parameter.name)
                if parameter.default is not None:
                    positional_defaults.append(parameter.default)
        if code.rest or code.keywords or code.keyword_only:
            code.simple = False
        names = [*code.positional, *code.keyword_only, code.rest, code.keywords]
        code.slots = [name for name in names if name]
        code.fixed = len(code.slots)
        self.open(scope, code)
        code.doc = documentation(body)
        if isinstance(body, ast.Block):
            work: list[Any] = [(self.finish_function, body), body]
        else:
            work = [(op.RETURN, None, body), body]
        self.pending.append((Unit(code, scope), work))
        cells = [self.cell(name) for name in code.outside]
        keys = tuple(name for name, _ in named_defaults)
        make = (
            op.OTHER,
            (generators.make_function, (code, len(positional_defaults), keys, cells)),
            node,
        )
        self.push(*positional_defaults, *(value for _, value in named_defaults), make)

    def open(self, scope: Scope, code: Code) -> None:
        """Give a function's parameters and cells their slots."""
        for slot, name in enumerate(code.slots):
            scope.slots[name] = slot
        code.outside = list(scope.outside)
        for name in code.outside:
            scope.slots[name + "'"] = len(code.slots)
            code.slots.append(name)
        for name in scope.bound:
            owned = name not in scope.nonlocals and name not in scope.global_names
            if name in scope.captured and owned:
                if name not in scope.slots:
                    scope.slots[name] = len(code.slots)
                    code.slots.append(name)
                code.cells.append(scope.slots[name])

    def cell(self, name: str) -> int:
        """The slot, here, of the cell that an inner function takes along."""
        return self.resolve(name)[1]

    def visit_generator(self, node: ast.Generator) -> None:
        scope = self.inner_scope(node)
        code = Code("<genexpr>", self.text, self.origin, self.unit.code)
        code.positional = [".0"]
        code.slots = [".0"]
        code.fixed = 1
        self.open(scope, code)
        work = [(self.finish_function, node), (self.generator_body, node)]
        self.pending.append((Unit(code, scope), work))
        cells = [self.cell(name) for name in code.outside]
        first = node.clauses[0].iterable
        self.push(
            first,
            (op.OTHER, (act.get_iterator, None), first),
            (op.OTHER, (generators.make_generator, (code, cells)), node),
        )

    def generator_body(self, node: ast.Generator) -> None:
        """The loops of a generator expression, in its own code."""
        deliver = (node.element, (op.YIELD, False, node.element))
        self.push(*self.loops(node.clauses, 0, deliver))

    def visit_comprehension(self, node: ast.Comprehension) -> None:
        scope, outer = self.inner_scope(node), self.scope
        result = self.take_slot()
        build = {"list": act.build_list, "set": act.build_set, "dict": act.build_dict}[node.kind]
        first = self.take_slot()
        deliver: list[Any] = [node.element]
        if node.value is not None:
            deliver.append(node.value)
        collect = {"list": act.collect, "set": act.collect_in_set, "dict": act.collect_item}
        deliver.append((op.OTHER, (collect[node.kind], result), node.element))
        self.push(
            node.clauses[0].iterable,
            (op.OTHER, (act.get_iterator, None), node.clauses[0].iterable),
            (op.STORE_LOCAL, first, node),
            (op.OTHER, (build, 0), node),
            (op.STORE_LOCAL, result, node),
            (self.enter_scope, scope, node),
            (self.comprehension_loops, node, first, tuple(deliver)),
            (self.enter_scope, outer, None),
            (op.OTHER, (act.take, result), node),
            (self.give_slot, result),
            (self.give_slot, first),
        )

    def comprehension_loops(
        self, node: ast.Comprehension, first: int, deliver: tuple[Any, ...]
    ) -> None:
        """The loops of a comprehension, once its variables are in scope."""
        self.push(*self.loops(node.clauses, first, deliver))

    def enter_scope(self, scope: Scope, node: ast.Node | None) -> None:
        """Names mean what they mean in `scope`; captured variables of a comprehension get cells."""
        self.scope = scope
        if node is not None:
            for name in scope.bound:
                self.resolve(name)
                if name in scope.captured:
                    self.emit(op.OTHER, (act.fresh_cell, scope.slots[name]), node)

    def loops(self, clauses: list[ast.Clause], first: int, deliver: tuple[Any, ...]) -> list[Any]:
        """The work of nested loops; the first runs over the iterator in slot `first`."""
        items: list[Any] = []
        ends: list[Any] = []
        for number, clause in enumerate(clauses):
            again, skip, end = Label(), Label(), Label()
            slot = first if number == 0 else self.take_slot()
            if number:
                items += [
                    clause.iterable,
                    (op.OTHER, (act.get_iterator, None), clause.iterable),
                    (op.STORE_LOCAL, slot, clause.iterable),
                ]
                ends[:0] = [(self.give_slot, slot)]
            items += [again, (op.NEXT, (slot, end), clause.iterable), (self.store, clause.target)]
            for condition in clause.conditions:
                items += [condition, (op.JUMP_IF_FALSE, skip, condition)]
            ends[:0] = [skip, (op.JUMP_BACK, again, clause), end]
        return [*items, *deliver, *ends]


def documentation(body: ast.Node) -> str | None:
    """The string that a body begins with."""
    first = body.statements[0] if isinstance(body, ast.Block) and body.statements else None
    if isinstance(first, ast.ExpressionStatement) and isinstance(first.value, ast.Constant):
        value = first.value.value
        return value if isinstance(value, str) else None
    return None

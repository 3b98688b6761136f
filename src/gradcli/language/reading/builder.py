"""What each rule of the grammar builds.

The keys of `ACTIONS` are the rule names and aliases of `grammar/gradcli.lark`. An action gets the
reader of the text, the children that the rule keeps, and the offsets of the rule's text.
"""

from __future__ import annotations

from typing import Any

from gradcli.language.reading import ast, matching
from gradcli.language.reading.classes import build_class
from gradcli.language.reading.expressions import (
    Action,
    Reader,
    binary,
    build_attribute,
    build_call,
    build_clause,
    build_comparator,
    build_compare,
    build_conditional,
    build_dict,
    build_dict_comprehension,
    build_double_starred,
    build_generator,
    build_keyword,
    build_lambda,
    build_list,
    build_name,
    build_named,
    build_number,
    build_pair,
    build_parameters,
    build_reserved,
    build_set,
    build_slice,
    build_starred,
    build_string,
    build_subscript,
    build_tuple,
    build_yield,
    build_yield_from,
    check_target,
    comprehension,
    constant,
    describe,
    logical,
    no_star,
    parameter,
    parenthesized,
    unary,
)
from gradcli.language.telling.diagnostics import Refusal


def build_block(reader: Reader, children: list[Any], start: int, end: int) -> ast.Block:
    return ast.Block(start, end, children)


def build_expression(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    value = no_star(children[0])
    return ast.ExpressionStatement(start, end, value)


def build_assign(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    for target in children[:-1]:
        if type(target) is ast.Starred:
            raise Refusal(
                "starred assignment target must be in a list or tuple", target.start, target.end
            )
        check_target(target)
    return ast.Assign(start, end, children[:-1], no_star(children[-1]))


def build_augment(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    target, operator, value = children
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        what = {ast.Tuple: "tuple", ast.List: "list"}.get(type(target)) or describe(target)
        raise Refusal(
            f"'{what}' is an illegal expression for augmented assignment", target.start, target.end
        )
    return ast.Augment(start, end, target, operator[:-1], no_star(value))


def build_annotate(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    target, annotation, value = children
    if isinstance(target, ast.Tuple | ast.List):
        what = type(target).__name__.lower()
        raise Refusal(f"only single target (not {what}) can be annotated", target.start, target.end)
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        raise Refusal("illegal target for annotation", target.start, target.end)
    spelt = reader.text[annotation.start : annotation.end]
    return ast.Annotate(start, end, target, spelt, value if value is None else no_star(value))


def build_declare(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    kind, name, dtype, value = children
    return ast.Declare(start, end, kind, name, dtype, no_star(value))


def build_return(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    value = children[0]
    return ast.Return(start, end, value if value is None else no_star(value))


def build_delete(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    check_target(children[0], "delete")
    return ast.Delete(start, end, children[0])


def build_assert(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Assert(start, end, children[0], children[1])


def scope(kind: str) -> Action:
    """Build `global` or `nonlocal`."""

    def build(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
        reader.scopes = True
        return ast.Scope(start, end, kind, children)

    return build


def build_import(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Import(start, end, children)


def build_import_from(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.ImportFrom(start, end, children[0], children[1])


def renamed(reader: Reader, children: list[Any], start: int, end: int) -> tuple[str, str | None]:
    return children[0], children[1]


def build_dotted(reader: Reader, children: list[Any], start: int, end: int) -> str:
    return ".".join(children)


def build_imported(
    reader: Reader, children: list[Any], start: int, end: int
) -> list[tuple[str, str | None]]:
    return children


def build_if(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    branches = list(zip(children[:-1:2], children[1:-1:2], strict=True))
    return ast.If(start, end, branches, children[-1])


def build_while(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.While(start, end, *children)


def build_for(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    target, iterable, body, otherwise = children
    check_target(target)
    return ast.For(start, end, target, no_star(iterable), body, otherwise)


def build_with_item(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    if children[1] is not None:
        check_target(children[1])
    return ast.WithItem(start, end, children[0], children[1])


def build_with(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.With(start, end, children[:-1], children[-1])


def build_except(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Except(start, end, *children)


def build_try(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    body, *clauses, otherwise, final = children
    for clause in clauses[:-1]:
        if clause.kind is None:
            raise Refusal("default 'except:' must be last", clause.start, clause.start + 6)
    return ast.Try(start, end, body, clauses, otherwise, final)


def build_try_finally(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Try(start, end, children[0], [], None, children[1])


def build_raise(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Raise(start, end, *children)


def build_define(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    reader.scopes = True
    name, parameters, _, body = children
    return ast.Define(start, end, name, parameters, body)


def build_decorated(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    decorator, definition = children
    definition.decorators.insert(0, decorator)
    return definition  # type: ignore[no-any-return]


ACTIONS: dict[str, Action] = {
    **matching.ACTIONS,
    "add": binary("+"),
    "and": logical("and"),
    "annotate": build_annotate,
    "assert": build_assert,
    "assign": build_assign,
    "attribute": build_attribute,
    "augment": build_augment,
    "bit_and": binary("&"),
    "bit_or": binary("|"),
    "bit_xor": binary("^"),
    "block": build_block,
    "break": lambda reader, children, start, end: ast.Break(start, end),
    "call": build_call,
    "class": build_class,
    "comparator": build_comparator,
    "compare": build_compare,
    "comprehension_for": build_clause,
    "conditional": build_conditional,
    "continue": lambda reader, children, start, end: ast.Continue(start, end),
    "declare": build_declare,
    "decorated": build_decorated,
    "def": build_define,
    "delete": build_delete,
    "dict": build_dict,
    "dict_comprehension": build_dict_comprehension,
    "divide": binary("/"),
    "dotted": build_dotted,
    "double_starred": build_double_starred,
    "ellipsis": constant(...),
    "except": build_except,
    "expression": build_expression,
    "false": constant(False),
    "floor_divide": binary("//"),
    "for": build_for,
    "generator": build_generator,
    "global": scope("global"),
    "if": build_if,
    "import": build_import,
    "import_all": lambda reader, children, start, end: None,
    "import_from": build_import_from,
    "imported": build_imported,
    "imported_name": renamed,
    "invert": unary("~"),
    "keyword": build_keyword,
    "keyword_only": parameter("bare"),
    "keyword_parameter": parameter("**"),
    "lambda": build_lambda,
    "lambda_parameters": build_parameters,
    "list": build_list,
    "list_comprehension": comprehension("list"),
    "matrix_multiply": binary("@"),
    "module": renamed,
    "multiply": binary("*"),
    "name": build_name,
    "named": build_named,
    "negative": unary("-"),
    "none": constant(None),
    "nonlocal": scope("nonlocal"),
    "not": unary("not"),
    "number": build_number,
    "or": logical("or"),
    "pair": build_pair,
    "parameter": parameter("plain"),
    "parameters": build_parameters,
    "parenthesized": parenthesized,
    "pass": lambda reader, children, start, end: ast.Pass(start, end),
    "plain_keyword_parameter": parameter("**"),
    "plain_parameter": parameter("plain"),
    "plain_rest_parameter": parameter("*"),
    "positional_only": parameter("/"),
    "positive": unary("+"),
    "power": binary("**"),
    "program": build_block,
    "raise": build_raise,
    "remainder": binary("%"),
    "reserved": build_reserved,
    "rest_parameter": parameter("*"),
    "return": build_return,
    "set": build_set,
    "set_comprehension": comprehension("set"),
    "shift_left": binary("<<"),
    "shift_right": binary(">>"),
    "slice": build_slice,
    "starred": build_starred,
    "string": build_string,
    "subscript": build_subscript,
    "subtract": binary("-"),
    "true": constant(True),
    "try": build_try,
    "try_finally": build_try_finally,
    "tuple": build_tuple,
    "while": build_while,
    "with": build_with,
    "with_item": build_with_item,
    "yield": build_yield,
    "yield_from": build_yield_from,
}

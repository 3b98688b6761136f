"""What each rule of the grammar builds.

The keys of `ACTIONS` are the rule names and aliases of `grammar/gradcli.lark`. An action gets the
reader of the text, the children that the rule keeps, and the offsets of the rule's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gradcli.language.reading import ast
from gradcli.language.reading.literals import number, string
from gradcli.language.telling.diagnostics import Refusal


class FieldParser(Protocol):
    """What builds the expressions inside f-strings."""

    def read(self, reader: Reader, goal: str, start: int, stop: int) -> Any:
        """Parse `text[start:stop]` as the start symbol `goal`."""


class Reader:
    """The text that is being read, and whether anything in it has variables of its own."""

    __slots__ = ("parser", "scopes", "text")

    def __init__(self, parser: FieldParser, text: str) -> None:
        self.parser = parser
        self.text = text
        self.scopes = False

    def field(self, start: int, stop: int) -> ast.Node:
        """The expression inside the braces of an f-string."""
        return no_star(self.parser.read(self, "field", start, stop))


Action = Callable[[Reader, list[Any], int, int], Any]


def binary(operator: str) -> Action:
    """Build an operator between two operands."""
    return lambda reader, children, start, end: ast.Binary(
        start, end, operator, children[0], children[1]
    )


def logical(operator: str) -> Action:
    """Build `and` or `or`."""
    return lambda reader, children, start, end: ast.Logical(
        start, end, operator, children[0], children[1]
    )


def unary(operator: str) -> Action:
    """Build a prefix operator; a sign before a literal number is part of the number."""

    def build(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
        operand = children[0]
        if operator == "-" and type(operand) is ast.Constant:
            value = operand.value
            if type(value) in (int, float, complex):
                return ast.Constant(start, end, -value)  # type: ignore[operator]
        return ast.Unary(start, end, operator, operand)

    return build


def constant(value: object) -> Action:
    """Build a literal that is spelt one way."""
    return lambda reader, children, start, end: ast.Constant(start, end, value)


def build_name(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Name(start, end, children[0])


def build_number(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Constant(start, end, number(children[0], start, end))


def build_string(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return string(children, reader.text, start, end, reader.field)


def build_reserved(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    raise not_part(children[0], start, end)


def not_part(word: str, start: int, end: int) -> Refusal:
    """The refusal of a word that is Python's but not the language's."""
    return Refusal(f"'{word}' is not part of the language", start, end)


def parenthesized(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    node: ast.Node = children[0]
    return node


def build_comparator(reader: Reader, children: list[Any], start: int, end: int) -> str:
    return " ".join(children)


def build_compare(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Compare(start, end, children[0], children[1::2], children[2::2])


def build_conditional(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Conditional(start, end, *children)


def build_named(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.NamedExpression(start, end, *children)


def build_attribute(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Attribute(start, end, children[0], children[1])


def build_subscript(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    index = children[1]
    if type(index) is ast.Starred:
        index = ast.Tuple(index.start, index.end, [index])
    return ast.Subscript(start, end, children[0], index)


def build_slice(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Slice(start, end, *children)


def build_call(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    arguments = children[1:]
    named: set[str] = set()
    unpacked = False
    for argument in arguments:
        kind = type(argument)
        if kind is ast.Keyword:
            if argument.name in named:
                raise Refusal(
                    f"keyword argument repeated: {argument.name}", argument.start, argument.end
                )
            named.add(argument.name)
        elif kind is ast.DoubleStarred:
            unpacked = True
        elif unpacked:
            what = "iterable argument unpacking" if kind is ast.Starred else "positional argument"
            raise Refusal(
                f"{what} follows keyword argument unpacking", argument.start, argument.end
            )
        elif named and kind is not ast.Starred:
            raise Refusal(
                "positional argument follows keyword argument", argument.start, argument.end
            )
        elif kind is ast.Generator and len(arguments) > 1 and reader.text[argument.start] != "(":
            raise Refusal(
                "Generator expression must be parenthesized", argument.start, argument.end
            )
    return ast.Call(start, end, children[0], arguments)


def build_keyword(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Keyword(start, end, children[0], children[1])


def build_starred(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Starred(start, end, children[0])


def build_double_starred(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.DoubleStarred(start, end, children[0])


def build_tuple(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Tuple(start, end, children)


def build_list(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.List(start, end, children)


def build_set(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Set(start, end, children)


def build_dict(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Dict(start, end, children)


def build_pair(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Pair(start, end, children[0], children[1])


def build_clause(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    check_target(children[0])
    return ast.Clause(start, end, children[0], children[1], children[2:])


def comprehension(kind: str) -> Action:
    """Build a list or set comprehension."""

    def build(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
        reader.scopes = True
        return ast.Comprehension(start, end, kind, children[0], None, children[1:])

    return build


def build_dict_comprehension(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    reader.scopes = True
    return ast.Comprehension(start, end, "dict", children[0], children[1], children[2:])


def build_generator(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    reader.scopes = True
    return ast.Generator(start, end, children[0], children[1:])


def parameter(kind: str) -> Action:
    """Build a parameter; annotations are dropped."""

    def build(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
        name = children[0] if children else ""
        default = children[-1] if kind == "plain" else None
        return ast.Parameter(start, end, kind, name, default)

    return build


def build_parameters(
    reader: Reader, children: list[Any], start: int, end: int
) -> list[ast.Parameter]:
    seen: set[str] = set()
    stage = 0  # 0 plain, 1 plain with default, 2 after a star, 3 after two stars
    bare: ast.Parameter | None = None
    for place, item in enumerate(children):
        if item.kind == "/":
            if place == 0:
                raise Refusal("at least one argument must precede /", item.start, item.end)
            if stage >= 2:
                raise Refusal("/ must be ahead of *", item.start, item.end)
            if any(other.kind == "/" for other in children[:place]):
                raise Refusal("/ may appear only once", item.start, item.end)
            continue
        if stage == 3:
            raise Refusal("arguments cannot follow var-keyword argument", item.start, item.end)
        if item.name:
            if item.name in seen:
                raise Refusal(
                    f"duplicate argument '{item.name}' in function definition",
                    item.start,
                    item.end,
                )
            seen.add(item.name)
        if item.kind == "**":
            if bare is not None:
                raise Refusal("named arguments must follow bare *", bare.start, bare.end)
            stage = 3
        elif item.kind in ("*", "bare"):
            if stage == 2:
                raise Refusal("* argument may appear only once", item.start, item.end)
            stage = 2
            bare = item if item.kind == "bare" else None
        else:
            bare = None
            if stage == 0 and item.default is not None:
                stage = 1
            elif stage == 1 and item.default is None:
                raise Refusal("non-default argument follows default argument", item.start, item.end)
    if bare is not None:
        raise Refusal("named arguments must follow bare *", bare.start, bare.end)
    return children


def build_lambda(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    reader.scopes = True
    return ast.Lambda(start, end, children[0], children[1])


# ---- statements


def build_block(reader: Reader, children: list[Any], start: int, end: int) -> ast.Block:
    return ast.Block(start, end, children)


def build_expression(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    value = no_star(children[0])
    return ast.ExpressionStatement(start, end, value)


def no_star(value: ast.Node) -> ast.Node:
    """Refuse `*x` where it would stand alone."""
    if type(value) is ast.Starred:
        raise Refusal("can't use starred expression here", value.start, value.end)
    return value


def build_assign(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    for target in children[:-1]:
        if type(target) is ast.Starred:
            raise Refusal(
                "starred assignment target must be in a list or tuple", target.start, target.end
            )
        check_target(target)
    return ast.Assign(start, end, children[:-1], no_star(children[-1]))


NAMES_OF_NODES: dict[type, str] = {
    ast.Call: "function call",
    ast.Unary: "expression",
    ast.Binary: "expression",
    ast.Logical: "expression",
    ast.Compare: "comparison",
    ast.Conditional: "conditional expression",
    ast.Lambda: "lambda",
    ast.Dict: "dict literal",
    ast.Set: "set display",
    ast.JoinedString: "f-string expression",
    ast.Generator: "generator expression",
    ast.NamedExpression: "named expression",
}


def describe(node: ast.Node) -> str:
    """What a node is called in an error about assigning to it."""
    if isinstance(node, ast.Comprehension):
        return f"{node.kind} comprehension"
    if isinstance(node, ast.Constant):
        if node.value is None or isinstance(node.value, bool):
            return str(node.value)
        return "ellipsis" if node.value is ... else "literal"
    return NAMES_OF_NODES.get(type(node), "expression")


def check_target(target: ast.Node, verb: str = "assign to") -> None:
    """Refuse what cannot stand on the left of `=`, or after `del`."""
    waiting = [target]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Tuple | ast.List):
            waiting.extend(reversed(node.elements))
            stars = [element for element in node.elements if isinstance(element, ast.Starred)]
            if len(stars) > 1:
                raise Refusal(
                    "multiple starred expressions in assignment", stars[1].start, stars[1].end
                )
        elif isinstance(node, ast.Starred) and verb == "assign to":
            waiting.append(node.value)
        elif isinstance(node, ast.Starred):
            raise Refusal("cannot delete starred", node.start, node.end)
        elif not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            hint = ""
            if verb == "assign to" and node is target and not isinstance(node, ast.Constant):
                hint = "to compare, write =="
            raise Refusal(f"cannot {verb} {describe(node)}", node.start, node.end, hint=hint)


def build_augment(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    target, operator, value = children
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        what = {ast.Tuple: "tuple", ast.List: "list"}.get(type(target)) or describe(target)
        raise Refusal(
            f"'{what}' is an illegal expression for augmented assignment", target.start, target.end
        )
    return ast.Augment(start, end, target, operator[:-1], no_star(value))


def build_annotate(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    target, _, value = children
    if isinstance(target, ast.Tuple | ast.List):
        what = type(target).__name__.lower()
        raise Refusal(f"only single target (not {what}) can be annotated", target.start, target.end)
    if not isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        raise Refusal("illegal target for annotation", target.start, target.end)
    return ast.Annotate(start, end, target, value if value is None else no_star(value))


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


def build_define(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    reader.scopes = True
    name, parameters, _, body = children
    return ast.Define(start, end, name, parameters, body)


def build_decorated(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    decorator, definition = children
    definition.decorators.insert(0, decorator)
    return definition  # type: ignore[no-any-return]


ACTIONS: dict[str, Action] = {
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
    "tuple": build_tuple,
    "while": build_while,
    "with": build_with,
    "with_item": build_with_item,
}

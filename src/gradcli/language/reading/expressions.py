"""What the grammar's rules of expressions build (see `builder`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gradcli.language.reading import ast
from gradcli.language.reading.literals import NUMBERS, Blank, number, string
from gradcli.language.telling.diagnostics import Refusal


class FieldParser(Protocol):
    """What builds the expressions inside f-strings."""

    def read(self, reader: Reader, goal: str, start: int, stop: int) -> Any:
        """Parse `text[start:stop]` as the start symbol `goal`."""


class Reader:
    """The text that is being read, whether its numbers are left blank, and whether anything in it
    has variables of its own.
    """

    __slots__ = ("blank", "parser", "scopes", "text")

    def __init__(self, parser: FieldParser, text: str, blank: bool) -> None:
        self.parser = parser
        self.text = text
        self.blank = blank
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
            if type(value) in NUMBERS:
                return ast.Constant(start, end, -value)  # type: ignore[operator]
        return ast.Unary(start, end, operator, operand)

    return build


def constant(value: object) -> Action:
    """Build a literal that is spelt one way."""
    return lambda reader, children, start, end: ast.Constant(start, end, value)


def build_name(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.Name(start, end, children[0])


def build_number(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    value = number(children[0], start, end)
    return ast.Constant(start, end, Blank(start) if reader.blank else value)


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


def no_star(value: ast.Node) -> ast.Node:
    """Refuse `*x` where it would stand alone."""
    if type(value) is ast.Starred:
        raise Refusal("can't use starred expression here", value.start, value.end)
    return value


def build_yield(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    value = children[0]
    return ast.Yield(start, end, value if value is None else no_star(value))


def build_yield_from(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return ast.YieldFrom(start, end, children[0])


NAMES_OF_NODES: dict[type, str] = {
    ast.Yield: "yield expression",
    ast.YieldFrom: "yield expression",
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

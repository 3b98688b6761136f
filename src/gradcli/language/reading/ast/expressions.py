"""Nodes that have a value, and the parts of such nodes."""

from __future__ import annotations


class Node:
    """A piece of the program between the offsets `start` and `end`."""

    __slots__ = ("end", "start")
    start: int
    end: int


class Name(Node):
    """A variable, or the name of something the language provides."""

    __slots__ = ("name",)

    def __init__(self, start: int, end: int, name: str) -> None:
        self.start = start
        self.end = end
        self.name = name


class Constant(Node):
    """A literal: number, plain string, `None`, `True`, `False`, `...`."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: object) -> None:
        self.start = start
        self.end = end
        self.value = value


class Field(Node):
    """`{value!r:spec}` inside an f-string; `conversion` is "r", "s", "a" or "" and `spec` the
    format's own parts.
    """

    __slots__ = ("conversion", "spec", "value")

    def __init__(
        self, start: int, end: int, value: Node, conversion: str, spec: list[Node] | None
    ) -> None:
        self.start = start
        self.end = end
        self.value = value
        self.conversion = conversion
        self.spec = spec


class JoinedString(Node):
    """An f-string: `Constant` strings and `Field`s in order."""

    __slots__ = ("parts",)

    def __init__(self, start: int, end: int, parts: list[Node]) -> None:
        self.start = start
        self.end = end
        self.parts = parts


class Unary(Node):
    """`operator` is one of `-`, `+`, `~`, `not`."""

    __slots__ = ("operand", "operator")

    def __init__(self, start: int, end: int, operator: str, operand: Node) -> None:
        self.start = start
        self.end = end
        self.operator = operator
        self.operand = operand


class Binary(Node):
    """An arithmetic or bitwise operator between two operands."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, start: int, end: int, operator: str, left: Node, right: Node) -> None:
        self.start = start
        self.end = end
        self.operator = operator
        self.left = left
        self.right = right


class Logical(Node):
    """`and` or `or`: the right operand is evaluated only where the left one does not decide."""

    __slots__ = ("left", "operator", "right")

    def __init__(self, start: int, end: int, operator: str, left: Node, right: Node) -> None:
        self.start = start
        self.end = end
        self.operator = operator
        self.left = left
        self.right = right


class Compare(Node):
    """A chain of comparisons: one operator before each of `rest`."""

    __slots__ = ("first", "operators", "rest")

    def __init__(
        self, start: int, end: int, first: Node, operators: list[str], rest: list[Node]
    ) -> None:
        self.start = start
        self.end = end
        self.first = first
        self.operators = operators
        self.rest = rest


class Conditional(Node):
    """`then if condition else otherwise`."""

    __slots__ = ("condition", "otherwise", "then")

    def __init__(self, start: int, end: int, then: Node, condition: Node, otherwise: Node) -> None:
        self.start = start
        self.end = end
        self.then = then
        self.condition = condition
        self.otherwise = otherwise


class NamedExpression(Node):
    """`name := value`."""

    __slots__ = ("name", "value")

    def __init__(self, start: int, end: int, name: str, value: Node) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.value = value


class Attribute(Node):
    """`value.name`."""

    __slots__ = ("name", "value")

    def __init__(self, start: int, end: int, value: Node, name: str) -> None:
        self.start = start
        self.end = end
        self.value = value
        self.name = name


class Subscript(Node):
    """`value[index]`."""

    __slots__ = ("index", "value")

    def __init__(self, start: int, end: int, value: Node, index: Node) -> None:
        self.start = start
        self.end = end
        self.value = value
        self.index = index


class Slice(Node):
    """`lower:upper:step`, only inside a subscript."""

    __slots__ = ("lower", "step", "upper")

    def __init__(
        self, start: int, end: int, lower: Node | None, upper: Node | None, step: Node | None
    ) -> None:
        self.start = start
        self.end = end
        self.lower = lower
        self.upper = upper
        self.step = step


class Call(Node):
    """`function(arguments)`; among the arguments are `Keyword`, `Starred` and `DoubleStarred`."""

    __slots__ = ("arguments", "function")

    def __init__(self, start: int, end: int, function: Node, arguments: list[Node]) -> None:
        self.start = start
        self.end = end
        self.function = function
        self.arguments = arguments


class Keyword(Node):
    """`name=value` in a call."""

    __slots__ = ("name", "value")

    def __init__(self, start: int, end: int, name: str, value: Node) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.value = value


class Starred(Node):
    """`*value` in a call, a display, a subscript or an assignment's target."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Node) -> None:
        self.start = start
        self.end = end
        self.value = value


class DoubleStarred(Node):
    """`**value` in a call or a dict display."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Node) -> None:
        self.start = start
        self.end = end
        self.value = value


class Tuple(Node):
    """A tuple, with or without brackets."""

    __slots__ = ("elements",)

    def __init__(self, start: int, end: int, elements: list[Node]) -> None:
        self.start = start
        self.end = end
        self.elements = elements


class List(Node):
    """`[a, b]`."""

    __slots__ = ("elements",)

    def __init__(self, start: int, end: int, elements: list[Node]) -> None:
        self.start = start
        self.end = end
        self.elements = elements


class Set(Node):
    """`{a, b}`."""

    __slots__ = ("elements",)

    def __init__(self, start: int, end: int, elements: list[Node]) -> None:
        self.start = start
        self.end = end
        self.elements = elements


class Pair(Node):
    """`key: value` in a dict display."""

    __slots__ = ("key", "value")

    def __init__(self, start: int, end: int, key: Node, value: Node) -> None:
        self.start = start
        self.end = end
        self.key = key
        self.value = value


class Dict(Node):
    """`{key: value, **other}`."""

    __slots__ = ("entries",)

    def __init__(self, start: int, end: int, entries: list[Node]) -> None:
        self.start = start
        self.end = end
        self.entries = entries


class Clause(Node):
    """`for target in iterable if condition ...` of a comprehension."""

    __slots__ = ("conditions", "iterable", "target")

    def __init__(
        self, start: int, end: int, target: Node, iterable: Node, conditions: list[Node]
    ) -> None:
        self.start = start
        self.end = end
        self.target = target
        self.iterable = iterable
        self.conditions = conditions


class Comprehension(Node):
    """A list, set or dict comprehension; `kind` says which, `value` is the dict's."""

    __slots__ = ("clauses", "element", "kind", "value")

    def __init__(
        self,
        start: int,
        end: int,
        kind: str,
        element: Node,
        value: Node | None,
        clauses: list[Clause],
    ) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.element = element
        self.value = value
        self.clauses = clauses


class Generator(Node):
    """A generator expression: a function of its own that runs when it is asked for values."""

    __slots__ = ("clauses", "element")

    def __init__(self, start: int, end: int, element: Node, clauses: list[Clause]) -> None:
        self.start = start
        self.end = end
        self.element = element
        self.clauses = clauses


class Parameter(Node):
    """A parameter; `kind` is "plain", "*" (the rest), "**" (other keywords), or a bare "*" or "/"
    without a name.
    """

    __slots__ = ("default", "kind", "name")

    def __init__(self, start: int, end: int, kind: str, name: str, default: Node | None) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.name = name
        self.default = default


class Lambda(Node):
    """`lambda parameters: body`."""

    __slots__ = ("body", "parameters")

    def __init__(self, start: int, end: int, parameters: list[Parameter], body: Node) -> None:
        self.start = start
        self.end = end
        self.parameters = parameters
        self.body = body


class Yield(Node):
    """`yield value`."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Node | None) -> None:
        self.start = start
        self.end = end
        self.value = value


class YieldFrom(Node):
    """`yield from value`."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Node) -> None:
        self.start = start
        self.end = end
        self.value = value

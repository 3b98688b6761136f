"""The tree of a program.

Every node knows where it stands in the text: `start` and `end` are offsets, `text[start:end]` is
the node. The classes are written out, not dataclasses: forty of those cost 20 ms at every start,
these a quarter of a millisecond.
"""

from __future__ import annotations


class Node:
    """A piece of the program between the offsets `start` and `end`."""

    __slots__ = ("end", "start")
    start: int
    end: int


# ---- expressions


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


# ---- statements


class Block(Node):
    """Statements in order."""

    __slots__ = ("statements",)

    def __init__(self, start: int, end: int, statements: list[Node]) -> None:
        self.start = start
        self.end = end
        self.statements = statements


class ExpressionStatement(Node):
    """An expression that stands alone."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Node) -> None:
        self.start = start
        self.end = end
        self.value = value


class Assign(Node):
    """`target = ... = value`."""

    __slots__ = ("targets", "value")

    def __init__(self, start: int, end: int, targets: list[Node], value: Node) -> None:
        self.start = start
        self.end = end
        self.targets = targets
        self.value = value


class Augment(Node):
    """`target operator= value`."""

    __slots__ = ("operator", "target", "value")

    def __init__(self, start: int, end: int, target: Node, operator: str, value: Node) -> None:
        self.start = start
        self.end = end
        self.target = target
        self.operator = operator
        self.value = value


class Annotate(Node):
    """`target: annotation = value`; the annotation is read and means nothing."""

    __slots__ = ("target", "value")

    def __init__(self, start: int, end: int, target: Node, value: Node | None) -> None:
        self.start = start
        self.end = end
        self.target = target
        self.value = value


class Declare(Node):
    """`let name: dtype = value` or `const ...`; `kind` is "let" or "const"."""

    __slots__ = ("dtype", "kind", "name", "value")

    def __init__(
        self, start: int, end: int, kind: str, name: str, dtype: Node | None, value: Node
    ) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.name = name
        self.dtype = dtype
        self.value = value


class Return(Node):
    """`return value`."""

    __slots__ = ("value",)

    def __init__(self, start: int, end: int, value: Node | None) -> None:
        self.start = start
        self.end = end
        self.value = value


class Pass(Node):
    """`pass`."""

    __slots__ = ()

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


class Break(Node):
    """`break`."""

    __slots__ = ()

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


class Continue(Node):
    """`continue`."""

    __slots__ = ()

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end


class Delete(Node):
    """`del target`; several targets are a `Tuple`."""

    __slots__ = ("target",)

    def __init__(self, start: int, end: int, target: Node) -> None:
        self.start = start
        self.end = end
        self.target = target


class Assert(Node):
    """`assert condition, message`."""

    __slots__ = ("condition", "message")

    def __init__(self, start: int, end: int, condition: Node, message: Node | None) -> None:
        self.start = start
        self.end = end
        self.condition = condition
        self.message = message


class Scope(Node):
    """`global` or `nonlocal`, as `kind` says."""

    __slots__ = ("kind", "names")

    def __init__(self, start: int, end: int, kind: str, names: list[str]) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.names = names


class Import(Node):
    """`import a.b as c, d`: pairs of a dotted name and the name after `as`."""

    __slots__ = ("modules",)

    def __init__(self, start: int, end: int, modules: list[tuple[str, str | None]]) -> None:
        self.start = start
        self.end = end
        self.modules = modules


class ImportFrom(Node):
    """`from module import a as b`; `names` is None for `*`."""

    __slots__ = ("module", "names")

    def __init__(
        self, start: int, end: int, module: str, names: list[tuple[str, str | None]] | None
    ) -> None:
        self.start = start
        self.end = end
        self.module = module
        self.names = names


class If(Node):
    """`if`/`elif` branches in order, and what stands after `else`."""

    __slots__ = ("branches", "otherwise")

    def __init__(
        self, start: int, end: int, branches: list[tuple[Node, Block]], otherwise: Block | None
    ) -> None:
        self.start = start
        self.end = end
        self.branches = branches
        self.otherwise = otherwise


class While(Node):
    """`while condition: body else: otherwise`."""

    __slots__ = ("body", "condition", "otherwise")

    def __init__(
        self, start: int, end: int, condition: Node, body: Block, otherwise: Block | None
    ) -> None:
        self.start = start
        self.end = end
        self.condition = condition
        self.body = body
        self.otherwise = otherwise


class For(Node):
    """`for target in iterable: body else: otherwise`."""

    __slots__ = ("body", "iterable", "otherwise", "target")

    def __init__(
        self,
        start: int,
        end: int,
        target: Node,
        iterable: Node,
        body: Block,
        otherwise: Block | None,
    ) -> None:
        self.start = start
        self.end = end
        self.target = target
        self.iterable = iterable
        self.body = body
        self.otherwise = otherwise


class WithItem(Node):
    """`context as target`."""

    __slots__ = ("context", "target")

    def __init__(self, start: int, end: int, context: Node, target: Node | None) -> None:
        self.start = start
        self.end = end
        self.context = context
        self.target = target


class With(Node):
    """`with items: body`."""

    __slots__ = ("body", "items")

    def __init__(self, start: int, end: int, items: list[WithItem], body: Block) -> None:
        self.start = start
        self.end = end
        self.items = items
        self.body = body


class Define(Node):
    """`def name(parameters): body`, with the decorators from the outermost to the innermost."""

    __slots__ = ("body", "decorators", "name", "parameters")

    def __init__(
        self, start: int, end: int, name: str, parameters: list[Parameter], body: Block
    ) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.parameters = parameters
        self.body = body
        self.decorators: list[Node] = []

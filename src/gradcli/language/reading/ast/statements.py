"""Nodes that do something."""

from __future__ import annotations

from gradcli.language.reading.ast.expressions import Name, Node, Parameter


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
    """`target: annotation = value`; the annotation is a text, and means something to what makes
    fields of the annotated names of a class.
    """

    __slots__ = ("annotation", "target", "value")

    def __init__(
        self, start: int, end: int, target: Node, annotation: str, value: Node | None
    ) -> None:
        self.start = start
        self.end = end
        self.target = target
        self.annotation = annotation
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


class Pattern(Node):
    """What stands after `case`, or inside of that.

    Attributes:
        kind: "value", "name" (`name`, `_`, `pattern as name`), "or", "sequence", "star" (`*name`),
            "mapping", "class", "keyword" (`name=pattern`) or "pair" (`key: pattern`, `**name`).
        values: expressions in it: a literal, keys, a class.
        parts: patterns in it.
        target: what it binds, or None.
        word: the keyword's name.
    """

    __slots__ = ("kind", "parts", "target", "values", "word")

    def __init__(
        self,
        start: int,
        end: int,
        kind: str,
        values: list[Node],
        parts: list[Pattern],
        target: Name | None = None,
        word: str = "",
    ) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.values = values
        self.parts = parts
        self.target = target
        self.word = word


class Case(Node):
    """`case pattern if guard: body`."""

    __slots__ = ("body", "guard", "pattern")

    def __init__(
        self, start: int, end: int, pattern: Pattern, guard: Node | None, body: Block
    ) -> None:
        self.start = start
        self.end = end
        self.pattern = pattern
        self.guard = guard
        self.body = body


class Match(Node):
    """`match subject:` and its cases."""

    __slots__ = ("cases", "subject")

    def __init__(self, start: int, end: int, subject: Node, cases: list[Case]) -> None:
        self.start = start
        self.end = end
        self.subject = subject
        self.cases = cases


class Except(Node):
    """`except kind as name: body`; without a kind it catches everything."""

    __slots__ = ("body", "kind", "name")

    def __init__(
        self, start: int, end: int, kind: Node | None, name: str | None, body: Block
    ) -> None:
        self.start = start
        self.end = end
        self.kind = kind
        self.name = name
        self.body = body


class Try(Node):
    """`try: body`, its `except`s, `else: otherwise`, `finally: final`."""

    __slots__ = ("body", "clauses", "final", "otherwise")

    def __init__(
        self,
        start: int,
        end: int,
        body: Block,
        clauses: list[Except],
        otherwise: Block | None,
        final: Block | None,
    ) -> None:
        self.start = start
        self.end = end
        self.body = body
        self.clauses = clauses
        self.otherwise = otherwise
        self.final = final


class Raise(Node):
    """`raise error from cause`; without an error it raises again what is being handled."""

    __slots__ = ("cause", "error")

    def __init__(self, start: int, end: int, error: Node | None, cause: Node | None) -> None:
        self.start = start
        self.end = end
        self.error = error
        self.cause = cause


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


class Class(Node):
    """`class name(arguments): body`, with the decorators from the outermost to the innermost."""

    __slots__ = ("arguments", "body", "decorators", "name")

    def __init__(self, start: int, end: int, name: str, arguments: list[Node], body: Block) -> None:
        self.start = start
        self.end = end
        self.name = name
        self.arguments = arguments
        self.body = body
        self.decorators: list[Node] = []

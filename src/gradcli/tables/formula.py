"""A formula as the language has it: its outputs, what each of them uses, what it might not mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gradcli.language.allowed.namespace import knows
from gradcli.language.compiling.compiler import compile_text
from gradcli.language.reading import ast
from gradcli.language.reading.parser import parser
from gradcli.language.running.code import Code
from gradcli.language.telling.diagnostics import Diagnostic, ParseError, locate
from gradcli.tables.names import Spelling, spelled

UNNAMED: Final = "value"
"""The column of an output without a name."""

_COMPARING: Final = frozenset(("max", "min"))
"""Of `_REDUCTIONS` those that compare where there is a second operand."""

_REDUCTIONS: Final = frozenset(
    (
        *("max", "min", "sum", "mean", "std", "var", "median", "prod", "norm", "amax", "amin"),
        *("cumsum", "cumprod", "softmax", "log_softmax", "logsumexp", "argmax", "argmin", "sort"),
        *("quantile", "nanmean", "nansum", "nanmedian"),
    )
)
"""What is asked of a whole column."""


_FUNCTIONS: Final = (ast.Define, ast.Class, ast.Lambda)
"""What is run later than it is read, with what names mean by then."""


class Output(NamedTuple):
    """A column that a formula makes.

    Attributes:
        name: of the column; `UNNAMED` where the text gives none.
        variable: in the code; "" for the value of the text.
        uses: the variables of the code that it depends on, as the text has them.
    """

    name: str
    variable: str
    uses: tuple[str, ...]

    @property
    def suffix(self) -> str:
        """What stands for it in the names of derivatives: `dg_dL`, `d_dL`."""
        return self.name if self.variable else ""


class Formula(NamedTuple):
    """A text that was read.

    Attributes:
        reads: the names that it neither sets nor knows, with its variables among them.
        reduced: calls that reduce a single number, as they are written.
    """

    spelling: Spelling
    code: Code
    outputs: tuple[Output, ...]
    reads: tuple[str, ...]
    reduced: tuple[str, ...]

    def meaning(self, name: str) -> str:
        """The column, constant or output that a name of the code stands for."""
        return self.spelling.meaning(name)


def read_formula(
    text: str, columns: Collection[str], known: Collection[str], origin: str = "expression"
) -> Formula:
    """Reads the text of a formula.

    Args:
        known: names beside the columns that are given.
        origin: how errors call the text.

    Raises:
        ParseError: it is not in the language, or makes no column.
    """
    spelling, code, tree = _read(text, columns, (), origin)
    outputs = tuple(_outputs(tree, spelling, origin))
    if not outputs:
        raise ParseError(
            Diagnostic(
                "SyntaxError",
                "the formula makes no column",
                origin=origin,
                hint='write one, as in `gradcli map "g = 4*pi**2*L/T**2" pendulum.csv`',
            )
        )
    reads = _reads(spelling, code, tree, {*columns, *known})
    moving = {name for name in reads if spelling.meaning(name) in columns}
    moving |= {output.variable for output in outputs if moving.intersection(output.uses)}
    reduced = tuple(_reduced(tree, spelling, moving))
    return Formula(spelling, code, outputs, reads, reduced)


def read_expression(
    text: str, columns: Collection[str], formula: Formula, known: Collection[str], origin: str
) -> Formula:
    """Reads an expression that may use the outputs of a formula.

    Raises:
        ParseError: it is not in the language, or not one expression.
    """
    spelling, code, tree = _read(text, columns, formula.spelling.names, origin)
    if code.statements != 1 or not code.ends_in_expression:
        start, end = code.span(-1)
        what = "one expression is expected"
        raise ParseError(locate("SyntaxError", what, spelling.original, origin, start, end))
    made = [output.variable for output in formula.outputs if output.variable]
    reads = _reads(spelling, code, tree, {*columns, *known, *made})
    uses: dict[str, None] = {}
    for name in reads:
        for output in formula.outputs:
            if output.variable == name:
                uses.update(dict.fromkeys(output.uses))
        uses[name] = None
    return Formula(spelling, code, (Output(origin, "", tuple(uses)),), reads, ())


def _read(
    text: str, columns: Collection[str], others: Collection[str], origin: str
) -> tuple[Spelling, Code, ast.Block]:
    spelling = spelled(text, columns, others)
    try:
        code = compile_text(spelling.text, origin, mathematics=True)
    except ParseError as error:
        raise spelling.restored(error) from None
    return spelling, spelling.restore(code), parser().program(spelling.text)[0]


def _reads(
    spelling: Spelling, code: Code, tree: ast.Block, given: Collection[str]
) -> tuple[str, ...]:
    """The names that need a value, in the order in which they stand in the text: those that are
    given one, and those that mean nothing.
    """
    found = [node for node in nodes_in(tree) if isinstance(node, ast.Name)]
    ordered = dict.fromkeys(node.name for node in sorted(found, key=lambda node: node.start))
    read = {*code.read_names}
    return tuple(
        name
        for name in [*ordered, *read.difference(ordered)]
        if name in read
        and name not in spelling.called
        and (
            spelling.meaning(name) in given
            or name in spelling.names
            or not knows(name, name in code.operands)
        )
    )


def _outputs(tree: ast.Block, spelling: Spelling, origin: str) -> Iterator[Output]:
    """The outputs, in the order in which the text first sets them."""
    uses: dict[str, dict[str, None]] = {}
    called: dict[str, list[str]] = {}
    named: dict[str, None] = {}
    unnamed: list[ast.Node] = []
    value: dict[str, None] = {}
    for statement in tree.statements:
        read: dict[str, None] = {}
        names = names_in(statement)
        for name in _with_called(names, called):
            read.update(uses.get(name, {name: None}))
        if isinstance(statement, ast.ExpressionStatement):
            unnamed.append(statement)
            value = read
            continue
        for node in nodes_in(statement):
            if isinstance(node, ast.NamedExpression):
                uses[node.name] = {**uses.get(node.name, {}), **read}
        plain = isinstance(statement, ast.Assign | ast.Annotate)
        defines = any(isinstance(node, _FUNCTIONS) for node in nodes_in(statement))
        for name in stored_in(statement):
            before = {} if plain else uses.get(name, {})
            uses[name] = {**before, **read}
            if defines:
                called[name] = names
            if _makes_columns(statement):
                named.setdefault(name)
    if len(unnamed) > 1 or (unnamed and unnamed[0] is not tree.statements[-1]):
        first = unnamed[0]
        raise ParseError(
            locate(
                "SyntaxError",
                "only the last output may have no name",
                spelling.original,
                origin,
                first.start,
                first.end,
                hint="name it, as in a = x*y; b = a**2",
            )
        )
    for name in named:
        yield Output(spelling.meaning(name), name, tuple(uses[name]))
    if unnamed:
        yield Output(UNNAMED, "", tuple(value))


def _makes_columns(statement: ast.Node) -> bool:
    """Whether what a statement sets are columns: numbers that are assigned, and no functions."""
    if not isinstance(statement, ast.Assign | ast.Annotate | ast.Augment):
        return False
    return not isinstance(statement.value, ast.Lambda)


def _with_called(names: Sequence[str], called: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Names, and those that the functions among them read when they are called."""
    waiting, seen = [*names], {*names}
    while waiting:
        name = waiting.pop(0)
        yield name
        new = [other for other in called.get(name, ()) if other not in seen]
        seen.update(new)
        waiting += new


def nodes_in(tree: Any) -> Iterator[ast.Node]:
    """A node and all those in it."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list | tuple):
            waiting += reversed(node)
        elif isinstance(node, ast.Node):
            yield node
            waiting += [getattr(node, slot) for slot in reversed(type(node).__slots__)]


def names_in(tree: ast.Node) -> list[str]:
    """The names that a statement has, those that it sets among them where it is no plain one."""
    targets: set[int] = set()
    if isinstance(tree, ast.Assign | ast.Annotate):
        given = tree.targets if isinstance(tree, ast.Assign) else [tree.target]
        targets = {id(node) for target in given for node in nodes_in(target)}
    return [
        node.name
        for node in nodes_in(tree)
        if isinstance(node, ast.Name) and id(node) not in targets
    ]


def stored_in(statement: ast.Node) -> list[str]:
    """The names that a statement at the top sets, as far as can be told."""
    if isinstance(statement, ast.Assign):
        targets: list[ast.Node] = statement.targets
    elif isinstance(statement, ast.Annotate | ast.Augment):
        targets = [statement.target]
    elif isinstance(statement, ast.Declare):
        return [statement.name]
    else:
        named = (ast.Name, ast.Define, ast.Class)
        return [node.name for node in nodes_in(statement) if isinstance(node, named)]
    return [
        node.name for target in targets for node in nodes_in(target) if isinstance(node, ast.Name)
    ]


def _reduced(tree: ast.Node, spelling: Spelling, columns: Collection[str]) -> Iterator[str]:
    """The calls that ask a whole column for something, and get one number of it."""
    for node in nodes_in(tree):
        if not isinstance(node, ast.Call):
            continue
        function, arguments = node.function, node.arguments
        if isinstance(function, ast.Attribute):
            root = function.value
            module = isinstance(root, ast.Name) and root.name in ("torch", "F", "math")
            operands = arguments if module else [root, *arguments]
            name = function.name
        elif isinstance(function, ast.Name):
            name, operands = function.name, arguments
        else:
            continue
        given = [a for a in operands if not isinstance(a, ast.Keyword)]
        rest = () if name not in _COMPARING else given[1:]
        if name in _REDUCTIONS and given and not rest and _is_number(given[0], columns):
            yield spelling.original[node.start : node.end]


def _is_number(node: ast.Node, columns: Collection[str]) -> bool:
    """Whether an expression of columns is one number in each row."""
    if isinstance(node, ast.Name):
        return node.name in columns
    if isinstance(node, ast.Unary):
        return _is_number(node.operand, columns)
    if isinstance(node, ast.Binary):
        sides = (node.left, node.right)
        return any(_is_number(side, columns) for side in sides) and all(
            isinstance(side, ast.Constant | ast.Name) or _is_number(side, columns) for side in sides
        )
    if isinstance(node, ast.Call):  # of a function of numbers, as `abs(x)`
        given = node.arguments
        named = isinstance(node.function, ast.Name)
        return named and bool(given) and all(_is_number(value, columns) for value in given)
    return False

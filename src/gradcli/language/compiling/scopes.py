"""Which variable a name means: one walk over a program that has functions or comprehensions.

Python's rules: a name that a function binds anywhere is that function's own, unless it says
`global` or `nonlocal`; other names are looked for in the functions around it, then among the
globals. A comprehension's variables live in slots of the function around it, so that running one
costs no call; a generator expression is a function.
"""

from __future__ import annotations

from typing import Any

from gradcli.language.reading import ast
from gradcli.language.telling.diagnostics import Refusal


class Scope:
    """The variables of a program ("module"), a function, a comprehension ("inline"), or the body
    of a class.

    The names that a class's body binds are seen by nothing inside it; in their place, functions
    there find `__class__`.
    """

    __slots__ = (
        "bound",
        "captured",
        "global_names",
        "kind",
        "nonlocals",
        "outside",
        "parent",
        "slots",
    )

    def __init__(self, kind: str, parent: Scope | None) -> None:
        self.kind = kind
        self.parent = parent
        self.bound: dict[str, None] = {}
        self.global_names: set[str] = set()
        self.nonlocals: set[str] = set()
        self.captured: set[str] = set()
        """Own variables that an inner function uses."""
        self.outside: dict[str, None] = {}
        """Variables of outer functions that this function, or one inside it, uses."""
        self.slots: dict[str, int] = {}

    def find(self, name: str) -> tuple[Scope | None, list[Scope]]:
        """The scope that owns `name` (None: global), and the functions between here and there."""
        crossed: list[Scope] = []
        scope: Scope | None = self
        while scope is not None:
            if scope.kind == "class" and (scope is not self or name == "__class__"):
                if name == "__class__" and (scope is not self or name in scope.captured):
                    return scope, crossed
            elif name in scope.global_names:
                return None, crossed
            elif name in scope.bound and name not in scope.nonlocals and scope.kind != "module":
                return scope, crossed
            if scope.kind in ("function", "class"):
                crossed.append(scope)
            scope = scope.parent
        return None, crossed

    def walrus(self) -> Scope:
        """The scope in which `:=` binds, past comprehensions and generator expressions."""
        scope = self
        while scope.parent is not None and (scope.kind == "inline" or ".0" in scope.bound):
            scope = scope.parent
        return scope


class Scopes:
    """The scopes of a tree, by the identity of the node that opens them."""

    def __init__(self, tree: ast.Block) -> None:
        self.module = Scope("module", None)
        self.of: dict[int, Scope] = {}
        self.uses: list[tuple[Scope, str]] = []
        self.nonlocals: list[tuple[Scope, str, ast.Scope]] = []
        self.work: list[tuple[Any, Scope]] = [(tree, self.module)]
        while self.work:
            self.visit(*self.work.pop())
        for scope, name, node in self.nonlocals:
            if scope.find(name)[0] is None:
                raise Refusal(f"no binding for nonlocal '{name}' found", node.start, node.end)
        for scope, name in self.uses:
            owner, crossed = scope.find(name)
            if owner is not None and crossed:
                owner.captured.add(name)
                for function in crossed:
                    function.outside[name] = None

    def visit(self, node: Any, scope: Scope) -> None:
        """Note what `node` binds and uses, and queue its children."""
        kind = type(node)
        if kind is ast.Name:
            self.uses.append((scope, node.name))
            if node.name == "super":
                self.uses.append((scope, "__class__"))
        elif kind is ast.Lambda:
            self.function(node, scope, node.body)
        elif kind is ast.Define:
            scope.bound[node.name] = None
            self.uses.append((scope, node.name))
            self.queue(node.decorators, scope)
            self.function(node, scope, node.body)
        elif kind is ast.Class:
            self.bind_name(node.name, scope)
            self.queue([*node.decorators, *node.arguments], scope)
            self.of[id(node)] = inner = Scope("class", scope)
            self.work.append((node.body, inner))
        elif kind is ast.Comprehension:
            self.comprehension(node, Scope("inline", scope), scope, [node.element, node.value])
        elif kind is ast.Generator:
            inner = Scope("function", scope)
            inner.bound[".0"] = None
            self.comprehension(node, inner, scope, [node.element])
        elif kind is ast.NamedExpression:
            owner = scope.walrus()
            if any(node.name in inner.bound for inner in inlines(scope, owner)):
                raise Refusal(
                    "assignment expression cannot rebind comprehension iteration variable "
                    f"'{node.name}'",
                    node.start,
                    node.end,
                )
            owner.bound[node.name] = None
            self.uses.append((scope, node.name))
            self.work.append((node.value, scope))
        elif kind is ast.Scope:
            self.declare(node, scope)
        else:
            self.children(node, scope)

    def children(self, node: Any, scope: Scope) -> None:
        """Queue the children of a node without variables of its own, and bind what it binds."""
        kind = type(node)
        if kind is ast.Assign:
            for target in node.targets:
                self.bind(target, scope)
            self.work.append((node.value, scope))
        elif kind is ast.Augment or kind is ast.Annotate:
            self.bind(node.target, scope)
            self.queue([node.value], scope)
        elif kind is ast.For:
            self.bind(node.target, scope)
            self.queue([node.iterable, node.body, node.otherwise], scope)
        elif kind is ast.WithItem:
            self.queue([node.context], scope)
            if node.target is not None:
                self.bind(node.target, scope)
        elif kind is ast.Delete:
            self.bind(node.target, scope)
        elif kind is ast.Pattern:
            self.queue([*node.values, *node.parts], scope)
            if node.target is not None:
                self.bind(node.target, scope)
        elif kind is ast.Except:
            if node.name is not None:
                self.bind_name(node.name, scope)
            self.queue([node.kind, node.body], scope)
        elif kind is ast.Declare:
            self.bind_name(node.name, scope)
            self.queue([node.value, node.dtype], scope)
        elif kind is ast.Import:
            for module, alias in node.modules:
                self.bind_name(alias or module.partition(".")[0], scope)
        elif kind is ast.ImportFrom:
            if node.names is None and scope.kind != "module":
                raise Refusal("import * only allowed at module level", node.start, node.end)
            for name, alias in node.names or ():
                self.bind_name(alias or name, scope)
        elif kind is ast.If:
            for condition, body in node.branches:
                self.queue([condition, body], scope)
            self.queue([node.otherwise], scope)
        else:
            for field in kind.__slots__:
                value = getattr(node, field)
                if isinstance(value, list):
                    self.queue(value, scope)
                elif isinstance(value, ast.Node):
                    self.work.append((value, scope))

    def queue(self, nodes: list[Any], scope: Scope) -> None:
        """Visit these later, as they come."""
        self.work.extend((node, scope) for node in reversed(nodes) if isinstance(node, ast.Node))

    def bind_name(self, name: str, scope: Scope) -> None:
        """Note that `scope` binds `name`."""
        scope.bound[name] = None
        self.uses.append((scope, name))

    def bind(self, target: ast.Node, scope: Scope) -> None:
        """Note what an assignment's target binds; what it evaluates is visited."""
        waiting = [target]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Name):
                self.bind_name(node.name, scope)
            elif isinstance(node, ast.Tuple | ast.List):
                waiting.extend(node.elements)
            elif isinstance(node, ast.Starred):
                waiting.append(node.value)
            else:
                self.work.append((node, scope))

    def function(self, node: Any, scope: Scope, body: ast.Node) -> None:
        """Open the scope of a function."""
        inner = Scope("function", scope)
        self.of[id(node)] = inner
        for parameter in node.parameters:
            if parameter.name:
                inner.bound[parameter.name] = None
            self.queue([parameter.default], scope)
        self.work.append((body, inner))

    def comprehension(
        self, node: Any, inner: Scope, scope: Scope, elements: list[ast.Node | None]
    ) -> None:
        """Open the scope of a comprehension; its first iterable is evaluated outside."""
        self.of[id(node)] = inner
        for number, clause in enumerate(node.clauses):
            self.bind(clause.target, inner)
            self.work.append((clause.iterable, inner if number else scope))
        self.queue(elements, inner)
        for clause in node.clauses:
            self.queue(clause.conditions, inner)

    def declare(self, node: ast.Scope, scope: Scope) -> None:
        """`global` and `nonlocal`: before the first use, and not for parameters."""
        used = {name for user, name in self.uses if user is scope}
        for name in node.names:
            if scope.kind == "module" and node.kind == "nonlocal":
                raise Refusal(
                    "nonlocal declaration not allowed at module level", node.start, node.end
                )
            if name in used:
                verb = "assigned to" if name in scope.bound else "used prior to"
                before = " before" if name in scope.bound else ""
                raise Refusal(
                    f"name '{name}' is {verb}{before} {node.kind} declaration", node.start, node.end
                )
            if name in scope.bound:
                raise Refusal(f"name '{name}' is parameter and {node.kind}", node.start, node.end)
            if node.kind == "global":
                scope.global_names.add(name)
                continue
            scope.nonlocals.add(name)
            self.nonlocals.append((scope, name, node))
            self.uses.append((scope, name))


def inlines(scope: Scope, stop: Scope) -> list[Scope]:
    """The scopes from `scope` outwards, up to `stop`, without it."""
    found = []
    while scope is not stop and scope.parent is not None:
        found.append(scope)
        scope = scope.parent
    return found

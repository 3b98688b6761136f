"""Compiles `match`: a pattern is a plan that is followed at once, with the values of what stands in
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gradcli.language.compiling.emitter import Label
from gradcli.language.reading import ast
from gradcli.language.running import code as op
from gradcli.language.running import patterns
from gradcli.language.running.patterns import Plan
from gradcli.language.telling.diagnostics import Refusal

if TYPE_CHECKING:
    from gradcli.language.compiling.expressions import ExpressionCompiler

SINGLE: Final = (bool, type(None))
"""Types of literals that are told by identity."""

MAX_DEPTH: Final = 100
"""Patterns inside each other."""


def visit(compiler: ExpressionCompiler, node: ast.Match) -> None:
    """Keep the subject in a slot, and try one case after the other."""
    slot, end = compiler.take_slot(), Label()
    items: list[Any] = [node.subject, (op.STORE_LOCAL, slot, node.subject)]
    for case in node.cases:
        otherwise = Label()
        planner = Planner()
        plan = planner.plan(case.pattern)
        items += [
            *planner.values,
            (op.LOCAL, slot, case.pattern),
            (op.OTHER, (patterns.match, (plan, planner.sizes)), case.pattern),
            (op.JUMP_IF_FALSE, otherwise, case.pattern),
            *((compiler.store, target) for target in planner.targets.values()),
        ]
        if case.guard is not None:
            items += [case.guard, (op.JUMP_IF_FALSE, otherwise, case.guard)]
        items += [case.body, (op.JUMP, end, case.body), otherwise]
    items += [end, ast.Constant(node.start, node.end, None), (op.STORE_LOCAL, slot, node)]
    compiler.push(*items, (compiler.give_slot, slot))


class Planner:
    """Makes the plan of a pattern; collects the expressions in it, and what it binds by name."""

    def __init__(self) -> None:
        self.values: list[ast.Node] = []
        self.targets: dict[str, ast.Name] = {}
        self.bound: set[str] = set()
        self.depth = 0

    @property
    def sizes(self) -> tuple[int, tuple[str, ...]]:
        """How many values are on the stack, and the names that are bound, in order."""
        return len(self.values), tuple(self.targets)

    def bind(self, target: ast.Name | None) -> str:
        """Note a name, "" where nothing is bound."""
        if target is None:
            return ""
        if target.name in self.bound:
            problem = f"multiple assignments to name '{target.name}' in pattern"
            raise Refusal(problem, target.start, target.end)
        self.bound.add(target.name)
        self.targets.setdefault(target.name, target)
        return target.name

    def value(self, node: ast.Node) -> int:
        """The place of an expression's value."""
        self.values.append(node)
        return len(self.values) - 1

    def plan(self, node: ast.Pattern) -> Plan:
        """What is to be done."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Refusal("too many nested patterns", node.start, node.end)
        plan = self.inner(node)
        self.depth -= 1
        return plan

    def inner(self, node: ast.Pattern) -> Plan:
        kind, parts = node.kind, node.parts
        if kind == "value":
            literal = node.values[0]
            if isinstance(literal, ast.Constant) and type(literal.value) in SINGLE:
                return patterns.Same(literal.value)
            return patterns.Equal(self.value(literal))
        if kind == "name":
            return patterns.Capture(self.plan(parts[0]) if parts else None, self.bind(node.target))
        if kind == "or":
            return self.alternatives(parts)
        if kind == "sequence":
            stars = [place for place, part in enumerate(parts) if part.kind == "star"]
            star = stars[0] if stars else -1
            name = self.bind(parts[star].target) if stars else ""
            plans = tuple([self.plan(part) for part in parts if part.kind != "star"])
            return patterns.Sequence(plans, star, name)
        if kind == "mapping":
            pairs = [part for part in parts if part.values]
            keys = tuple([self.value(part.values[0]) for part in pairs])
            plans = tuple([self.plan(part.parts[0]) for part in pairs])
            rest = "" if len(pairs) == len(parts) else self.bind(parts[-1].target)
            return patterns.Mapping(keys, plans, rest)
        class_ = self.value(node.values[0])
        given = tuple([self.plan(part) for part in parts if part.kind != "keyword"])
        named = [(part.word, self.plan(part.parts[0])) for part in parts if part.kind == "keyword"]
        return patterns.Kind(class_, given, tuple(named))

    def alternatives(self, parts: list[ast.Pattern]) -> Plan:
        """Patterns of which one fits; all bind the same names."""
        before = self.bound
        plans: list[Plan] = []
        found: list[set[str]] = []
        for part in parts:
            self.bound = set(before)
            plans.append(self.plan(part))
            found.append(self.bound)
        for part, names in zip(parts, found, strict=True):
            if names != found[0]:
                problem = "alternative patterns bind different names"
                raise Refusal(problem, part.start, part.end)
        return patterns.Either(tuple(plans))

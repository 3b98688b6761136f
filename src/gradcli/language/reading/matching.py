"""What the grammar's rules of `match` build."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.reading import ast
from gradcli.language.reading.expressions import Action, Reader, no_star
from gradcli.language.telling.diagnostics import Refusal

WILDCARD: Final = "_"


def pattern(
    start: int,
    end: int,
    kind: str,
    values: list[Any] | None = None,
    parts: list[Any] | None = None,
    name: str = WILDCARD,
    word: str = "",
) -> ast.Pattern:
    target = None if name == WILDCARD else ast.Name(start, end, name)
    return ast.Pattern(start, end, kind, values or [], parts or [], target, word)


def build_reference(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    node: ast.Node = ast.Name(start, end, children[0])
    for name in children[1:]:
        node = ast.Attribute(start, end, node, name)
    return node


def build_name(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    node = children[0]
    if isinstance(node, ast.Name):
        return pattern(start, end, "name", name=node.name)
    return pattern(start, end, "value", children)


def build_value(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    if isinstance(children[0], ast.JoinedString):
        raise Refusal("patterns may only match literals and attribute lookups", start, end)
    return pattern(start, end, "value", children)


def build_as(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    inner, name = children
    if name == WILDCARD:
        raise Refusal("cannot use '_' as a target", start, end)
    return pattern(start, end, "name", parts=[inner], name=name)


def build_star(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return pattern(start, end, "star", name=children[0])


def build_sequence(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    if sum(part.kind == "star" for part in children) > 1:
        raise Refusal("multiple starred expressions in sequence pattern", start, end)
    return pattern(start, end, "sequence", parts=children)


def build_pair(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    key, value = children
    if isinstance(key, ast.Name | ast.JoinedString):
        what = "mapping pattern keys may only match literals and attribute lookups"
        raise Refusal(what, key.start, key.end)
    return pattern(start, end, "pair", [key], [value])


def build_rest(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return pattern(start, end, "pair", name=children[0])


def build_mapping(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    for pair in children[:-1]:
        if not pair.values:
            raise Refusal("double star pattern must be the last", pair.start, pair.end)
    return pattern(start, end, "mapping", parts=children)


def build_keyword(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    return pattern(start, end, "keyword", parts=[children[1]], word=children[0])


def build_class(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    class_, *given = children
    named = [part.kind == "keyword" for part in given]
    if sorted(named) != named:
        raise Refusal("positional patterns follow keyword patterns", start, end)
    return pattern(start, end, "class", [class_], given)


def build_or(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    check_reachable(children)
    return pattern(start, end, "or", parts=children)


def build_case(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    first, guard, body = children
    if first.kind == "star":
        raise Refusal("starred pattern must be in a list or tuple", first.start, first.end)
    return ast.Case(start, end, first, guard, body)


def build_match(reader: Reader, children: list[Any], start: int, end: int) -> ast.Node:
    subject, *cases = children
    check_reachable([case.pattern for case in cases if case.guard is None or case is cases[-1]])
    return ast.Match(start, end, no_star(subject), cases)


def check_reachable(patterns: list[ast.Pattern]) -> None:
    """Refuse what matches everything before the last of several patterns."""
    for each in patterns[:-1]:
        if each.kind == "name" and not each.parts:
            what = "wildcard" if each.target is None else f"name capture '{each.target.name}'"
            raise Refusal(f"{what} makes remaining patterns unreachable", each.start, each.end)


ACTIONS: Final[dict[str, Action]] = {
    "case": build_case,
    "match": build_match,
    "pattern_as": build_as,
    "pattern_class": build_class,
    "pattern_keyword": build_keyword,
    "pattern_mapping": build_mapping,
    "pattern_name": build_name,
    "pattern_or": build_or,
    "pattern_pair": build_pair,
    "pattern_rest": build_rest,
    "pattern_sequence": build_sequence,
    "pattern_star": build_star,
    "pattern_value": build_value,
    "reference": build_reference,
}

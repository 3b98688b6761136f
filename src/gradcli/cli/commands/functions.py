"""`gradcli functions`: what can be called, from the operator table."""

from __future__ import annotations

import sys
import textwrap
from typing import Annotated, Any

import typer

from gradcli.cli.report import UsageError

WIDTH = 80


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A function, or a word to look for."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as one line of JSON.")] = False,
) -> None:
    """List the functions by group, search them, or show one.

    A function's page has its signature, what it computes, its grad_fn, the derivative formula as
    the operator table holds it, what is saved for it, the convention where there is no derivative,
    and an example. In a formula `grad` is the gradient of the result.
    """
    from gradcli.views import catalogue

    found: dict[str, Any] | None = None
    listed: dict[str, list[str]] = {}
    if name is None:
        listed = catalogue.groups()
    else:
        full = catalogue.full_name(name)
        if full is not None:
            found = catalogue.describe(full)
        else:
            listed = catalogue.search(name)
            if not listed:
                raise UsageError(f"no function is called {name!r}", catalogue.nearest(name))
    if json:
        from gradcli.views.jsonout import dumps

        answer = found if found is not None else catalogue.listing(listed)
        print(dumps(answer))
    elif found is not None:
        print("\n".join(_page(found)))
    else:
        print("\n".join(_list(listed, with_summaries=name is not None)))
    sys.stdout.flush()


def _list(groups: dict[str, list[str]], with_summaries: bool) -> list[str]:
    from gradcli.views import catalogue

    lines: list[str] = []
    for group, members in groups.items():
        lines.append(group)
        if with_summaries:
            lines += [f"  {member}  {catalogue.summary(member)}" for member in members]
        else:
            lines += textwrap.wrap(
                "  ".join(members),
                WIDTH,
                initial_indent="  ",
                subsequent_indent="  ",
                break_long_words=False,
                break_on_hyphens=False,
            )
        lines.append("")
    return lines[:-1]


def _page(told: dict[str, Any]) -> list[str]:
    kind = "function and method" if told["method"] else "function"
    if told["name"].startswith("Tensor."):
        kind = "method"
    elif told["name"].startswith("aten."):
        kind = "used in formulas only"
    lines = [f"{told['name'].removeprefix('aten.')} ({kind}, {told['group']})"]
    for overload in told["overloads"]:
        lines += ["", f"  {overload['signature']}", ""]
        lines += textwrap.wrap(overload["computes"], WIDTH, initial_indent="    ") or []
        if "composed_of" in overload:
            lines += _composition(overload["composed_of"])
        else:
            lines += _differential(overload, "    ")
        if overload["subgradient"]:
            lines.append(f"    convention   {overload['subgradient']}")
        if overload["example"]:
            lines.append(f"    example      {overload['example']}")
    return lines


def _composition(rows: list[dict[str, Any]]) -> list[str]:
    lines = []
    for row in rows:
        lines.append(f"    composed of {row['name']}")
        lines += _differential(row, "      ")
    return lines


def _differential(told: dict[str, Any], indent: str) -> list[str]:
    if told["grad_fn"] is None:
        return [f"{indent}has no gradient"]
    lines = [f"{indent}grad_fn      {told['grad_fn']}"]
    for argument, formula in told["derivatives"].items():
        first, *rest = formula.split("\n")
        lines.append(f"{indent}d/d {argument:<8} {first}")
        lines += [f"{indent}{'':13}{line}" for line in rest]
    saves = ", ".join(told["saves"]) or "no tensor: backward may run again"
    lines.append(f"{indent}saves        {saves}")
    return lines

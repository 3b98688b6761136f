"""The page of a function, as a terminal shows it."""

from __future__ import annotations

import textwrap
from typing import Any, Final

WIDTH: Final = 80


def page(told: dict[str, Any]) -> str:
    """The page of a function that `catalogue.describe` told of."""
    kind = "function and method" if told["method"] else "function"
    if told["name"].startswith("Tensor."):
        kind = "method"
    elif told["bare"]:
        kind = "function, by its bare name only"
    elif told["name"].startswith("aten."):
        kind = "used in formulas only"
    lines = [f"{told['name'].removeprefix('aten.')} ({kind}, {told['group']})"]
    for overload in told["overloads"]:
        lines += ["", f"  {overload['signature']}", ""]
        lines += textwrap.wrap(
            overload["computes"], WIDTH, initial_indent="    ", subsequent_indent="    "
        )
        if "composed_of" in overload:
            lines += _composition(overload["composed_of"])
        else:
            lines += _differential(overload, "    ")
        if overload["subgradient"]:
            lines.append(f"    convention   {overload['subgradient']}")
        if overload["example"]:
            lines.append(f"    example      {overload['example']}")
    return "\n".join(lines)


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
        if len(argument) > 8:
            lines.append(f"{indent}d/d {argument}")
            rest.insert(0, first)
        else:
            lines.append(f"{indent}d/d {argument:<8} {first}")
        lines += [f"{indent}{'':13}{line}" for line in rest]
    saves = ", ".join(told["saves"]) or "no tensor: backward may run again"
    lines.append(f"{indent}saves        {saves}")
    return lines

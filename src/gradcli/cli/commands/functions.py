"""`gradcli functions`: what can be called, from the operator table."""

import sys
import textwrap
from typing import Annotated, Any

from gradcli.cli.declarations import Argument, Option
from gradcli.cli.report import UsageError


def command(
    name: Annotated[str | None, Argument("[NAME]", "A function, or a word to look for.")] = None,
    json: Annotated[bool, Option("Answer as one line of JSON.")] = False,
) -> None:
    """List the functions by group, search them, or show one.

    A function's page has its signature, what it computes, its grad_fn, the derivative formula as
    the operator table holds it, what is saved for it, the convention where there is no derivative,
    and an example. In a formula `grad` is the gradient of the result.
    """
    from gradcli.views import catalogue
    from gradcli.views.pages import page

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
        print(page(found))
    else:
        print("\n".join(_list(listed, with_summaries=name is not None)))
    sys.stdout.flush()


def _list(groups: dict[str, list[str]], with_summaries: bool) -> list[str]:
    from gradcli.views import catalogue
    from gradcli.views.pages import WIDTH

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

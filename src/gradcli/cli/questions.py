"""What the commands on one expression share: its text, its options, their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcli.cli.report import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradcli.evaluation import Bindings


def set_defaults(dtype: str, precision: int | None) -> None:
    """Sets the type of plain numbers and the digits that are printed.

    Raises:
        UsageError: the type is none for that.
    """
    from gradcli.tensor import dtypes
    from gradcli.views.printing import set_printoptions

    chosen = dtypes.DTYPES.get(dtype.removeprefix("torch."))
    if chosen is None or not chosen.is_floating_point:
        raise UsageError(
            f"--dtype must be a floating point type, not {dtype}",
            "bfloat16, float16, float32 or float64",
        )
    if chosen is not dtypes.default.dtype:
        dtypes.set_default_dtype(chosen)
    if precision is not None:
        set_printoptions(precision=precision)


def source_of(expression: str) -> tuple[str, str]:
    """The text of an expression, and what messages call the place that it comes from."""
    from gradcli.cli.source import check_argument, origin_of, read_text

    if expression == "-":
        return read_text("-"), origin_of("-")
    return check_argument(expression, "expression"), "expression"


def check_names(
    option: str, bindings: Bindings, wanted: Iterable[str], others: Iterable[str] = ()
) -> None:
    """Refuses names that are no variables of an expression, nor others that it has, too.

    Raises:
        UsageError: one is none.
    """
    from gradcli.cli.variables import nearest_variable

    known = [variable.name for variable in bindings.variables]
    known += [*bindings.code.stores, *others]
    for name in wanted:
        if name not in known:
            hint = nearest_variable(name, known)
            raise UsageError(f"{option}: {name} is no variable of the expression", hint)


def listed(option: str, nothing: str, texts: list[str] | None) -> list[str]:
    """The names in all values of an option, which may each have several between commas.

    Raises:
        UsageError: there is none before or after a comma.
    """
    names = [name.strip() for text in texts or [] for name in text.split(",")]
    if "" in names:
        what = "has a comma with nothing beside it" if any(names) else f"names {nothing}"
        raise UsageError(f"{option} {what}")
    return names

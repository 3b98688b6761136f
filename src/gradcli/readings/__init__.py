"""Readings: what can be known of an evaluation beside its values, from the rows that it ran.

A reading is a file or a folder of its own that no row has to know. `lookup` finds what readings
offer under names that PyTorch does not have; modules are imported when something of theirs is asked
for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_SERVED: Final = {"taylor": "series.taylor"}
"""Names that programs have without a module, and the modules that define them."""


def lookup(name: str) -> Any:
    """What a reading offers under a name of mathematics (`bare.taylor`), or None."""
    prefix, _, short = name.partition(".")
    if prefix != "bare" or short not in _SERVED:
        return None
    return getattr(import_module(f"gradcli.readings.{_SERVED[short]}"), short)


def names() -> list[str]:
    """Every name that `lookup` knows."""
    return [f"bare.{name}" for name in _SERVED]

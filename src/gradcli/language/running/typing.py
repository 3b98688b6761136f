"""What programs find in Python's `typing`, with what makes classes of theirs."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.builtins import present
from gradcli.language.allowed.modules import typing
from gradcli.language.running.records import named_tuple

present(named_tuple, "NamedTuple")

MEMBERS: Final[dict[str, Any]] = {**typing.MEMBERS, "NamedTuple": named_tuple}
"""By name."""

"""What programs find in Python's `functools`, with what knows their classes."""

from __future__ import annotations

from typing import Any, Final

from gradcli.language.allowed.modules import functools
from gradcli.language.running.descriptors import CACHED_PROPERTY

MEMBERS: Final[dict[str, Any]] = {**functools.MEMBERS, "cached_property": CACHED_PROPERTY}
"""By name."""

"""What programs find in Python's `sys`: what says something about numbers and the language."""

from __future__ import annotations

import sys
from typing import Any, Final

from gradcli.language.allowed.builtins import leave
from gradcli.language.allowed.streams import STDERR, STDOUT
from gradcli.tensor.public import REGISTRY, Public

MEMBERS: Final[dict[str, Any]] = {
    "byteorder": sys.byteorder,
    "exit": leave,
    "float_info": sys.float_info,
    "maxsize": sys.maxsize,
    "platform": sys.platform,
    "stderr": STDERR,
    "stdout": STDOUT,
    "version": sys.version,
    "version_info": sys.version_info,
}
"""By name."""

for _name in ("float_info", "version_info"):
    _kind = type(MEMBERS[_name])
    REGISTRY[_kind] = Public(
        [name for name in dir(_kind) if not name.startswith(("_", "n_"))], name=f"sys.{_name}"
    )

"""Where a program stands while it runs."""

from __future__ import annotations

import sys
from types import FrameType

from gradcli.language.running.exceptions import seen_in
from gradcli.language.running.machine import Machine
from gradcli.language.telling.diagnostics import Place


def running_place() -> Place | None:
    """Where the innermost program that is running just now stands."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code is not Machine.execute.__code__:
        frame = frame.f_back
    if frame is None:
        return None
    code, _, position, _ = seen_in(frame)
    start, end = code.span(position - 1)
    return Place(code.text, code.origin, start, end, "")

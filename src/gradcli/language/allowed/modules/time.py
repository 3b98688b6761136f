"""What programs find in Python's `time`: clocks, and a sleep that ends with the time limit."""

from __future__ import annotations

import time
from typing import Any, Final

from gradcli.language.allowed.builtins import present
from gradcli.tensor.clock import clock


def sleep(seconds: Any, /) -> None:
    """`time.sleep(seconds)`.

    Raises:
        LimitError: the evaluation's time ends before.
    """
    deadline = clock.deadline
    if deadline is not None and type(seconds) in (int, float):
        left = deadline - time.monotonic()
        if seconds > left:
            time.sleep(max(0.0, left))
            clock.check()
    time.sleep(seconds)


present(sleep, "sleep")

CLOCKS: Final = "monotonic perf_counter process_time thread_time time"

MEMBERS: Final[dict[str, Any]] = {
    **{name: getattr(time, name) for name in CLOCKS.split()},
    **{f"{name}_ns": getattr(time, f"{name}_ns") for name in CLOCKS.split()},
    "sleep": sleep,
}
"""By name."""
